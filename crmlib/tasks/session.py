"""一道题的一次作答：打开旧答案、保存、检查、给反馈。控件和 ``crm.check`` 走的是同一条路。"""

import os
from dataclasses import dataclass, field
from html import escape

from crmlib.tasks import answers, number
from crmlib.tasks.core import (
    KINDS,
    Result,
    TaskError,
    fingerprint,
    full_points,
    narrow,
    public,
    score_task,
    text,
    unreadable,
)
from crmlib.tasks.markup import STATES, inline, markdown

TRIES = 3  # 检查三次还不对，就可以看答案


@dataclass
class Opened:
    """A saved answer as found: None if there is none, or none that fits the task any more.

    ``task``: the task as this student has it.
    """

    task: dict
    answer: object = None
    feedback: dict = field(default_factory=dict)
    self_marks: dict = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)


def mine(task: dict, grading: bool = False, file=answers) -> dict:
    """The task as the student of this folder has it: with the items drawn for him, and his own inputs.

    ``grading``: take the seed as it was handed in; never make one (nor when nbgrader runs the whole
    notebook). ``file``: where the answers are, an ``answers.Handed`` or this folder. Raises TaskError if
    the seed cannot be read or kept.
    """
    def saved(task_id):
        try:
            return file.record(task_id).get("answer")
        except TaskError:
            return None

    grading = grading or os.environ.get("NBGRADER_EXECUTION") == "autograde"
    if "draw" in task:
        task = narrow(task, file.seed(make=not grading))
    if "inputs" in task:
        task = {**task, "given": number.given(task, saved)}
    return task


def printed(task: dict, answer) -> str:
    """The answer as HTML for paper and for nbgrader's pages."""
    title = escape(f"{task['title']}（{task['id']}）")
    written = escape(text(task, answer) or "（还没有作答）")
    return (f'<div class="crm-print"><strong>{title}</strong>'
            f'<div style="white-space:pre-wrap">{written}</div></div>')


def open_saved(task: dict) -> Opened:
    """The saved answer of a task. A damaged file is set aside; whatever happened is told.

    Raises SaveError if items must be drawn and the draw cannot be kept.
    """
    try:
        record = answers.record(task["id"])
    except answers.Damaged:
        try:
            notice = answers.mend() or ""
        except TaskError as fault:
            notice = str(fault)
        return Opened(mine(task), notices=[notice])
    except TaskError as fault:
        return Opened(mine(task), notices=[str(fault)])
    task = mine(task)
    answer, changed = record.get("answer"), record.get("task") != fingerprint(task)
    if answer is None:
        return Opened(task)
    if unreadable(task, answer):
        why = "这道题改过了，以前的答案对不上" if changed else "answers.json 里这道题的答案读不出来"
        return Opened(task, notices=[f"{why}，要重新答。旧的内容会留在文件里，不会丢。"])
    marks = record.get("self")
    opened = Opened(task, answer, {}, marks if isinstance(marks, dict) else {})
    if changed:
        opened.notices = ["这道题改过了。你以前的答案还在，看看要不要改，再检查一遍。"]
    elif _was_judged(task, record):
        opened.feedback = feedback(task, answer, score_task(task, answer), _tries(record))
    return opened


def keep(task: dict, answer) -> str | None:
    """Save an answer without judging it; a notice if a damaged file was set aside. Raises SaveError."""
    return store(task, {"answer": answer, "state": score_task(public(task), answer).state})


def judge(task: dict, answer) -> tuple[dict, dict]:
    """Score an answer and count the try: (feedback to show, changes to ``store``)."""
    try:
        record = answers.record(task["id"])
    except TaskError:
        record = {}
    if record.get("task") != fingerprint(task):
        record = {}
    result, tries, best = score_task(task, answer), _tries(record), _number(record.get("points"))
    if result.state in ("right", "partial", "wrong", "saved"):
        # 没改答案又点一次检查，不算又试了一次
        tries += not (_was_judged(task, record) and record.get("answer") == answer)
        best = max(best, result.points)
    changes = {"answer": answer, "state": result.state, "tries": tries, "points": best}
    return feedback(task, answer, result, tries), changes


def store(task: dict, changes: dict) -> str | None:
    """Write changes to a task's record; a notice if a damaged file was set aside. Raises SaveError."""
    mark = fingerprint(task)
    changes = {"of": full_points(task), "task": mark, **changes}
    return answers.save(task["id"], changes, stale=lambda old: _is_stale(task, mark, old))


def _is_stale(task, mark, record) -> bool:
    return record.get("task") != mark or unreadable(task, record.get("answer")) is not None


def _was_judged(task, record) -> bool:
    handed = task["kind"] == "write" and _tries(record) > 0
    return handed or record.get("state") in ("right", "partial", "wrong")


def _tries(record) -> int:
    return int(_number(record.get("tries")))


def _number(value) -> float:
    return value if isinstance(value, int | float) and 0 <= value < 10**6 else 0


def feedback(task: dict, answer, result: Result, tries: int) -> dict:
    """What a check tells the student, ready for the widget. All ``html`` is escaped.

    Keys: state, title, points, of, messages, review, where, remarks (what to say of each item: {item: html}),
    advice (lines that never count), left (tries until the solution opens),
    solution (None, or {answer, text, explain}).
    """
    judged = result.state in ("right", "partial", "wrong")
    done = result.state == "right" or (result.state == "saved" and task["kind"] == "write")
    opened = done or (judged and tries >= TRIES)
    key = _solution(task, answer) if opened else None
    messages = result.messages
    if done and result.state == "saved":
        messages = ["对照评分标准给自己打分，再看参考答案。"]
    solution = {
        "answer": key, "text": text(task, key), "explain": markdown(task.get("explain", "")),
    } if key is not None else None
    return {
        "state": result.state,
        "title": "写好了" if done and result.state == "saved" else STATES[result.state][0],
        "points": result.points,
        "of": result.of,
        "messages": [inline(message) for message in messages],
        "review": inline(task.get("review", "")) if result.state in ("wrong", "partial") else "",
        "where": result.where if judged else {},
        "remarks": _remarks(task, answer) if judged else {},
        "advice": [inline(line) for line in advice(task, answer)],
        "left": max(0, TRIES - tries) if judged and not opened else 0,
        "solution": solution,
    }


def _solution(task, answer):
    kind = KINDS[task["kind"]]
    return kind.solution(task, answer) if hasattr(kind, "solution") else kind.key_answer(task)


def advice(task: dict, answer) -> list[str]:
    """What the kind suggests for this answer, beyond right and wrong; [] if it cannot be read."""
    kind = KINDS[task["kind"]]
    return kind.advice(task, answer) if hasattr(kind, "advice") and not unreadable(task, answer) else []


def _remarks(task, answer) -> dict[str, str]:
    said = getattr(KINDS[task["kind"]], "remarks", lambda task, answer: {})(task, answer)
    return {item: inline(words) for item, words in said.items()}
