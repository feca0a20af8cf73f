"""配对：左边的每一项，从右边找到它的那一个。答案：{左: 右}。

得分 = 配对的项 ÷ 左边的项数；没有配的算没答，评分时算错。
右边可以有多余的项（干扰项），也可以给几个左边共用；一个左边可以有几个右边都算对。
"""

from hashlib import sha256

from crmlib.tasks.classify import card_text

BANK = "left"


def public(task) -> dict:
    return {"left": task["left"], "right": task["right"], "shown": _shown(task)}


def _shown(task) -> list[str]:
    """The right side in an order of its own: authors write pair after pair, which would tell the answer."""
    return sorted(task["right"], key=lambda b: sha256(f"{task['id']} {b}".encode()).digest())


def _accepted(task, item) -> list[str]:
    key = task["key"][item]
    return key if isinstance(key, list) else [key]


def _pairs(task, answer) -> dict[str, str]:
    if not isinstance(answer, dict):
        return {}
    left, right = task["left"], task["right"]
    return {a: b for a, b in answer.items() if a in left and isinstance(b, str) and b in right}


def missing(task, answer) -> list[str]:
    left = len(task["left"]) - len(_pairs(task, answer))
    return [f"还有 {left} 项没有配。"] if left else []


def unreadable(task, answer) -> str | None:
    if not isinstance(answer, dict):
        return "这份答案读不出来，重新配一次。"
    if len(_pairs(task, answer)) < len(answer):
        return "答案里有这道题没有的项，重新配一次。"
    return None


def malformed(task, answer) -> list[str]:
    return []


def share(task, answer) -> tuple[float, dict]:
    where = {a: b in _accepted(task, a) for a, b in _pairs(task, answer).items()}
    return sum(where.values()) / len(task["left"]), where


def general(task, answer, where) -> list[str]:
    wrong = sum(not ok for ok in where.values())
    return [f"有 {wrong} 对配错了（带 ✗）。"] if wrong else []


def matches(task, when, answer) -> bool:
    pairs = _pairs(task, answer)
    return all(pairs.get(a) == b for a, b in when.items())


def overlay(task, when) -> dict[str, str]:
    return {**key_answer(task), **when}


def key_answer(task) -> dict[str, str] | None:
    return {a: _accepted(task, a)[0] for a in task["left"]} if "key" in task else None


def text(task, answer) -> str:
    pairs, lines = _pairs(task, answer), []
    for a, item in task["left"].items():
        partner = card_text(task["right"][pairs[a]]) if a in pairs else "（还没有配）"
        lines.append(f"{card_text(item)} —— {partner}")
    return "\n".join(lines) if pairs else ""


def faults(task) -> list[str]:
    left, right, found = task["left"], task["right"], []

    def names(place, item, targets):
        if item not in left:
            found.append(f"{place} 里左边的“{item}”不存在")
        found.extend(f"{place} 里右边的“{b}”不存在" for b in targets if b not in right)

    for item, target in task["key"].items():
        names("key", item, target if isinstance(target, list) else [target])
    found += [f"key 没有说左边的“{a}”配哪一个" for a in left if a not in task["key"]]
    for mistake in task.get("mistakes", []):
        for item, target in mistake["when"].items():
            names(f"mistakes“{mistake['name']}”", item, [target])
    return found
