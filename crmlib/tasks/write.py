"""写一段话。答案：文字。机器只看字数和必须写到的词；好不好，由人按评分标准看。

练习里交了、写得合要求，就算完成（满分）；作业里由老师打分。
"""

_LONGEST = 20_000


def public(task) -> dict:
    return {name: task[name] for name in ("min", "max", "must", "rubric") if name in task}


def length(text: str) -> int:
    """Characters that count: everything but white space."""
    return len("".join(text.split()))


def missing(task, answer) -> list[str]:
    return [] if isinstance(answer, str) and answer.strip() else ["还没有写。"]


def unreadable(task, answer) -> str | None:
    return None if isinstance(answer, str) else "这份答案读不出来，重新写一次。"


def malformed(task, answer) -> list[str]:
    if not isinstance(answer, str) or not answer.strip():
        return []
    said, count = [], length(answer)
    if count < task.get("min", 0):
        said.append(f"写了 {count} 个字，至少要 {task['min']} 个字。")
    if count > task.get("max", _LONGEST):
        said.append(f"写了 {count} 个字，最多 {task.get('max', _LONGEST)} 个字。")
    for rule in task.get("must", []):
        if not any(str(word) in answer for word in rule["any"]):
            words = "、".join(map(str, rule["any"]))
            said.append(rule.get("hint") or f"还要写到：{words}（写到其中一个就行）。")
    return said


def share(task, answer) -> tuple[float, dict]:
    return float(not missing(task, answer) and not malformed(task, answer)), {}


def general(task, answer, where) -> list[str]:
    return []


def matches(task, when, answer) -> bool:
    return False


def overlay(task, when) -> str:
    return key_answer(task)


def key_answer(task) -> str | None:
    return task.get("key")


def text(task, answer) -> str:
    return answer.strip() if isinstance(answer, str) else ""


def faults(task) -> list[str]:
    found = ["write 没有对错，不能有 mistakes"] if task.get("mistakes") else []
    if not task.get("rubric"):
        found.append("write 要有 rubric（评分标准）")
    if task.get("min", 0) > task.get("max", _LONGEST):
        found.append("min 比 max 大")
    return found
