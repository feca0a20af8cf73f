"""题目的控件：anywidget，纯 JavaScript，没有构建步骤，不用网络。

一种题型 = 一个 .js（样子特别的，再加一个同名的 .css），接在 shared.js、shared.css 后面送进浏览器。
面板（crmlib/boards）也用 ``script`` 和 ``style``。
"""

from functools import cache
from pathlib import Path

import anywidget
import traitlets

from crmlib.tasks.core import KINDS, TaskError, public, score_task, unreadable
from crmlib.tasks.markup import markdown
from crmlib.tasks.session import judge, keep, mine, open_saved, printed, store

_HERE = Path(__file__).parent
STYLE = (_HERE / "shared.css").read_text("utf-8")


@cache
def script(name: str, folder: Path = _HERE) -> str:
    """The ESM source of a widget: shared.js followed by ``<name>.js``."""
    return "\n".join(path.read_text("utf-8") for path in (_HERE / "shared.js", folder / f"{name}.js"))


@cache
def style(name: str, folder: Path = _HERE) -> str:
    """The CSS of a widget: shared.css followed by ``<name>.css``, if there is one."""
    own = folder / f"{name}.css"
    return STYLE + (own.read_text("utf-8") if own.is_file() else "")


class TaskWidget(anywidget.AnyWidget):
    """One task on screen. The browser shows and collects; here the answer is judged and saved.

    ``answer``, ``stamp`` and ``checked`` (the stamp of the last check asked for) come from the browser;
    ``result`` (after a check) and ``status`` (after a save: {stamp, state, messages, saved, trouble, notice})
    go back to it, and so does ``view``: what a kind works out here to be shown there, after every change
    of the answer.
    """

    task = traitlets.Dict().tag(sync=True)
    answer = traitlets.Any(None, allow_none=True).tag(sync=True)
    stamp = traitlets.Int(0).tag(sync=True)
    checked = traitlets.Int(0).tag(sync=True)
    result = traitlets.Dict().tag(sync=True)
    status = traitlets.Dict().tag(sync=True)
    self_marks = traitlets.Dict().tag(sync=True)
    view = traitlets.Dict().tag(sync=True)

    @classmethod
    def of(cls, task: dict) -> "TaskWidget":
        """The widget for a task, with the saved answer in it.

        A task has one widget, however often its cell runs: widgets that nobody sees any more would
        all come back when the page is reloaded, and a slow computer would not cope.
        """
        widget = _live.get(task["id"])
        if widget and widget._given == task:
            widget._refresh()
            return widget
        if widget:
            widget.close()
        _live[task["id"]] = widget = _class(task["kind"])(task)
        return widget

    def __init__(self, task: dict):
        self._given, self._done, self._print = task, 0, None
        super().__init__(**self._open())
        self.observe(self._take, "stamp")
        self.on_msg(self._receive)

    def _open(self) -> dict:
        """What to show: the task and what is on file."""
        opened = open_saved(self._given)
        self._full = opened.task
        shown = public(self._full)
        status = {"stamp": self._done, **_complete(shown, opened.answer), "saved": opened.answer is not None,
                  "notice": "".join(opened.notices)}
        return {"task": {**_on_screen(shown), "prompt_html": markdown(self._full["prompt"])},
                "view": _view(self._full, opened.answer), "answer": opened.answer, "result": opened.feedback,
                "self_marks": opened.self_marks, "status": status}

    def _refresh(self) -> None:
        with self.hold_sync():
            for name, value in self._open().items():
                setattr(self, name, value)

    def __repr__(self) -> str:
        return f"题目 {self.task['id']}"

    def show(self) -> None:
        """Display the widget, and the answer as text for paper and for nbgrader's feedback page."""
        from IPython.display import HTML, display

        display(self)
        self._print = display(HTML(self._as_text()), display_id=True)

    def _as_text(self) -> str:
        return printed(self._full, self.answer)

    def _take(self, change) -> None:
        if self.stamp <= self._done:  # 旧的，晚到了
            return
        self._done = self.stamp
        if self.checked == self.stamp:
            return self._check()
        with self.hold_sync():  # 一封信送回去
            self.result, self.view = {}, _view(self._full, self.answer)
        self._write(lambda: keep(self._full, self.answer))

    def _receive(self, _, content, buffers) -> None:
        if content.get("do") == "self" and isinstance(content.get("marks"), dict):
            self.self_marks = content["marks"]
            self._write(lambda: store(self._full, {"self": content["marks"]}))

    def _check(self) -> None:
        if self._full["kind"] == "code":
            self.answer = _from_notebook(self._full)
        self._full = mine(self._full)  # 别的题里的数，可能刚刚改过
        said, changes = judge(self._full, self.answer)
        with self.hold_sync():  # 一封信送回去；先让学生看到结果，再写盘
            self.view = _view(self._full, self.answer)
            self.result = {**said, "stamp": self._done}
        self._write(lambda: store(self._full, changes))

    def _write(self, write) -> None:
        status = {"stamp": self._done, **_complete(public(self._full), self.answer), "saved": True}
        try:
            status["notice"] = write() or ""
        except TaskError as fault:
            status |= {"saved": False, "trouble": str(fault)}
        self.status = status
        if self._print:
            from IPython.display import HTML

            self._print.update(HTML(self._as_text()))


_live: dict[str, TaskWidget] = {}


def _complete(shown: dict, answer) -> dict:
    result = score_task(shown, answer)
    return {"state": result.state, "messages": result.messages}


def _on_screen(shown: dict) -> dict:
    kind = KINDS[shown["kind"]]
    return kind.screen(shown) if hasattr(kind, "screen") else shown


def _view(task: dict, answer) -> dict:
    kind = KINDS[task["kind"]]
    return kind.view(task, None if unreadable(task, answer) else answer) if hasattr(kind, "view") else {}


def _from_notebook(task: dict) -> dict:
    from IPython import get_ipython

    from crmlib.tasks import code

    return code.collect(task, get_ipython().user_ns)


@cache
def _class(kind: str) -> type[TaskWidget]:
    return type(f"{kind.title()}Task", (TaskWidget,), {
        "_esm": traitlets.Unicode(script(kind)).tag(sync=True),
        "_css": traitlets.Unicode(style(kind)).tag(sync=True),
    })
