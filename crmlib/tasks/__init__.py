"""题目：显示、检查、保存、评分。笔记本里用 ``crm.task``、``crm.check``、``crm.answer``、``crm.handed``。

这里只用标准库；到 ``task()`` 真要显示控件时才装入 anywidget。
"""

import sys

from crmlib.tasks import answers
from crmlib.tasks.core import (
    KINDS,
    Result,
    TaskError,
    decode_task,
    encode_task,
    faults,
    fingerprint,
    full_points,
    public,
    score_task,
    text,
    unreadable,
)
from crmlib.tasks.definitions import find_task, read_tasks
from crmlib.tasks.markup import Card
from crmlib.tasks.markup import number as trim
from crmlib.tasks.session import advice, judge, mine, store

__all__ = [
    "KINDS", "Result", "TaskError", "answer", "check", "decode_task", "encode_task", "faults", "find_task",
    "fingerprint", "full_points", "handed", "public", "read_tasks", "score", "score_task", "task", "text",
]


def task(task_id: str) -> None:
    """Show a task: its question, its controls, the saved answer."""
    widget = _look_up(task_id, _widget)
    if widget:
        widget.show()


def _widget(task_id):
    found = find_task(task_id)
    from crmlib.widgets import TaskWidget

    return TaskWidget.of(found)


def answer(task_id: str):
    """The present answer, ready to compute with (a table's numbers are floats); None if there is none."""
    found = _find(task_id)
    if not found:
        return None
    try:
        saved = answers.record(task_id).get("answer")
    except TaskError as fault:
        _show(Card("trouble", "读不到答案", [str(fault)]))
        return None
    if unreadable(found, saved):
        return None
    kind = KINDS[found["kind"]]
    return kind.value(found, saved) if hasattr(kind, "value") else saved


def check(task_id: str) -> None:
    """Check a practice task from code: the same feedback as the button's."""
    found = _find(task_id)
    if not found:
        return
    if found.get("use") == "graded":
        _handed(found, sys._getframe(1).f_globals)
        return
    try:
        given = _given(found, sys._getframe(1).f_globals)
        said, changes = judge(found, given)
        notice = store(found, changes)
    except TaskError as fault:
        _show(Card("trouble", "没有检查成", [str(fault)]))
        return
    result = score_task(found, given)
    lines = [*result.messages, *([f"回头看：{found['review']}"] if said["review"] else [])]
    if said["solution"]:
        lines += [found["explain"]] if found.get("explain") else []
    if suggested := advice(found, given):
        lines += ["建议（不扣分）：", *suggested]
    lines += [notice] if notice else []
    _show(Card(said["state"], _headline(said["title"], said), lines))


def handed(task_id: str) -> None:
    """Say whether a graded answer is complete and well formed, and show it as text."""
    found = _find(task_id)
    if found:
        _handed(found, sys._getframe(1).f_globals)


def score(task_id: str, blob: str, namespace: dict | None = None) -> float:
    """Points of a graded task; for the hidden test cell only. Shows what was right, for the feedback page.

    ``blob`` is the whole task from ``encode_task``; ``namespace`` (``globals()``) is what a code task reads.
    Never raises because of an answer, and always returns a float: to nbgrader, no result means full marks.
    """
    card, points = scored(decode_task(blob), namespace=namespace)
    _show(card)
    return points


def scored(full: dict, file=answers, namespace: dict | None = None) -> tuple[Card, float]:
    """What ``score`` shows and returns; ``file``: the answers, this folder's or an ``answers.Handed``."""
    try:
        full = mine(full, grading=True, file=file)
        given = _given(full, namespace, file)
        result = score_task(full, given, final=True)
        written = text(full, given)
    except Exception as fault:  # 学生的答案再离奇，也不许让批改停下来
        why = f"这份答案读不出来（{type(fault).__name__}）。"
        result, written = Result("malformed", 0.0, full_points(full), [why]), ""
    lines = list(result.messages)
    if result.where and result.state != "right":
        lines.insert(0, f"{len(result.where)} 项里对了 {sum(result.where.values())} 项。")
    title = {"right": "全对", "partial": "部分正确", "wrong": "不对"}.get(result.state, "没有答好")
    card = Card(result.state, f"{full.get('title', full.get('id'))}：{title} · {trim(result.points)}/"
                f"{trim(result.of)} 分", lines, written and f"你的答案\n{written}")
    return card, float(result.points)


def _handed(found, namespace) -> None:
    try:
        given = _given(found, namespace)
    except TaskError as fault:
        _show(Card("trouble", "读不到答案", [str(fault)]))
        return
    result = score_task(public(found), given)
    title = {"saved": "答完了，可以交", "empty": "还没答完", "malformed": "格式不对"}[result.state]
    _show(Card(result.state, f"{found['title']}：{title}", result.messages, text(found, given)))


def _given(found, namespace, file=answers):
    """The answer on file; a code task's comes from the student's variables."""
    if found["kind"] == "code":
        return KINDS["code"].collect(found, namespace or {})
    return file.record(found["id"]).get("answer")


def _headline(title, said) -> str:
    scored = said["state"] in ("right", "partial", "wrong")
    return f"{title} · {trim(said['points'])}/{trim(said['of'])} 分" if scored else title


def _find(task_id):
    """The task as this student has it."""
    return _look_up(task_id, lambda name: mine(find_task(name)))


def _look_up(task_id, find):
    try:
        return find(task_id)
    except TaskError as fault:
        if not _in_notebook():
            raise
        _show(Card("trouble", "题目打不开", [str(fault)]))
        return None


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    return ipython is not None and ipython.get_ipython() is not None


def _show(card) -> None:
    if _in_notebook():
        from IPython.display import display

        display(card)
    else:
        print(card)
