"""单选和多选。答案：选中的选项编号的列表。没有 key 的是投票：只保存，不评分。

单选：对就满分，错就零分。多选：(选对的 − 选错的) ÷ 应选的个数，最低零分。
"""

BANK = "options"


def many(task) -> bool:
    return bool(task.get("many", len(task.get("key") or []) > 1))


def is_poll(task) -> bool:
    return task.get("poll", "key" not in task and task.get("use") != "graded")


def public(task) -> dict:
    return {"options": task["options"], "many": many(task), "poll": is_poll(task)}


def missing(task, answer) -> list[str]:
    return [] if answer else ["还没有选。"]


def unreadable(task, answer) -> str | None:
    if not isinstance(answer, list) or not all(isinstance(a, str) for a in answer):
        return "这份答案读不出来，重新选一次。"
    if any(a not in task["options"] for a in answer):
        return "答案里有这道题没有的选项，重新选一次。"
    if len(answer) > 1 and not many(task):
        return "这道题只能选一个。"
    return None


def malformed(task, answer) -> list[str]:
    return []


def _picked(answer) -> set[str]:
    return {a for a in answer if isinstance(a, str)} if isinstance(answer, list) else set()


def share(task, answer) -> tuple[float, dict]:
    picked, key = _picked(answer), set(task["key"])
    where = {option: option in key for option in picked if option in task["options"]}
    if not many(task):
        return float(picked == key), where
    return max(0.0, (len(picked & key) - len(picked - key)) / len(key)), where


def general(task, answer, where) -> list[str]:
    """What is wrong when no known mistake fits; does not give the answer away."""
    if not many(task):
        return ["这个选项不对，再想一想。"]
    said = []
    if wrong := sum(not ok for ok in where.values()):
        said.append(f"有 {wrong} 个选项不该选（带 ✗）。")
    if sum(where.values()) < len(task["key"]):
        said.append("还有该选的没有选上。")
    return said


def matches(task, when, answer) -> bool:
    return _picked(answer) == set(when)


def overlay(task, when) -> list[str]:
    return list(when)


def key_answer(task) -> list[str] | None:
    return list(task["key"]) if "key" in task else None


def text(task, answer) -> str:
    picked = _picked(answer)
    return "；".join(str(label) for option, label in task["options"].items() if option in picked)


def faults(task) -> list[str]:
    options = task["options"]
    found = [f"key 里的“{k}”不是选项" for k in task.get("key", []) if k not in options]
    if "key" in task and not task["key"]:
        found.append("key 是空的；投票题应当不写 key")
    if "key" not in task and task.get("use") == "graded":
        found.append("作业题要有 key")
    if "key" not in task and task.get("mistakes"):
        found.append("没有 key 的题（投票）不评分，不能有 mistakes")
    if len(task.get("key", [])) > 1 and not many(task):
        found.append("key 有好几个，many 却是 false")
    for mistake in task.get("mistakes", []):
        place = f"mistakes“{mistake['name']}”"
        found += [f"{place}里的“{w}”不是选项" for w in mistake["when"] if w not in options]
    return found
