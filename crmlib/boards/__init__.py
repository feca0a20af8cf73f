"""面板：不是题目，是给学生和老师摆弄的。一块面板 = 这里的一个 .py、一个同名的 .js，样子特别的再加一个 .css。

面板模块有：
``TITLE``            叫什么
``read(**options)``  面板现在要显示的一切，普通的 JSON；题目没填完就用范例，并且说出来
``text(board)``      面板的文字版，给打印和读屏用
``keep(note, **options)``  （可选）把面板上记下的东西存进 answers.json；存不上就抛 TaskError

内核只做一件事：把数据和学生存下的答案读成一张面板。拖动、翻牌都在浏览器里算，不等内核。
"""

from functools import cache
from html import escape
from importlib import import_module
from pathlib import Path

import anywidget
import traitlets

from crmlib.cli import CourseError
from crmlib.widgets import script, style

_HERE = Path(__file__).parent


def board(name: str, **options) -> None:
    """Show a board: ``swot`` and the others of this folder. What goes in is told by its ``read``.

    >>> board("swot", ife="2.2-8", efe="2.2-9", flips={"柴油跌 20%": {"c04": "O"}})  # doctest: +SKIP
    """
    module = _module(name)
    keep = (lambda note: module.keep(note, **options)) if hasattr(module, "keep") else None
    _class(name)(lambda: module.read(**options), keep).show()


class Board(anywidget.AnyWidget):
    """A board on screen. ``read``: returns the board as it is now; ``keep``: saves what is noted on it."""

    board = traitlets.Dict().tag(sync=True)

    def __init__(self, read, keep=None):
        super().__init__(board=read())
        self._read, self._keep, self._print = read, keep, None
        self.on_msg(self._hear)

    def __repr__(self) -> str:
        return self.title

    def show(self) -> None:
        from IPython.display import HTML, display

        display(self)
        self._print = display(HTML(self._as_text()), display_id=True)

    def _as_text(self) -> str:
        return (f'<div class="crm-print"><strong>{escape(self.title)}</strong>'
                f'<div style="white-space:pre-wrap">{escape(self.text(self.board))}</div></div>')

    def _hear(self, _, content, buffers) -> None:
        """{"do": "look"}: read anew; {"do": "keep", "note", "stamp"}: save, and say {"stamp", "trouble"}."""
        if isinstance(content, dict) and content.get("do") == "keep" and self._keep:
            try:
                trouble = self._keep(content.get("note")) or ""
            except CourseError as fault:
                trouble = str(fault)
            self.send({"stamp": content.get("stamp"), "trouble": trouble})
        self._look_again()

    def _look_again(self, *_) -> None:
        """The board has scrolled into view: an answer given since then must show without a re-run."""
        try:
            fresh = self._read()
        except CourseError:  # 答案文件这会儿读不出来：先留着刚才的板
            return
        if fresh != self.board:
            self.board = fresh
            if self._print:
                from IPython.display import HTML

                self._print.update(HTML(self._as_text()))


def _module(name: str):
    if not (_HERE / f"{name}.js").is_file():
        have = "、".join(sorted(path.stem for path in _HERE.glob("*.js")))
        raise CourseError(f"没有“{name}”这块面板；有的是：{have}。")
    return import_module(f"crmlib.boards.{name}")


@cache
def _class(name: str) -> type[Board]:
    module = _module(name)
    return type(f"{name.title()}Board", (Board,), {
        "title": module.TITLE, "text": staticmethod(module.text),
        "_esm": traitlets.Unicode(script(name, _HERE)).tag(sync=True),
        "_css": traitlets.Unicode(style(name, _HERE)).tag(sync=True)})
