"""分类：把卡片放进格子。答案：{卡片编号: 格子编号}。

得分 = 放对的卡片 ÷ 全部卡片；没有放的算没答，评分时算错。
"""

from collections import Counter

BANK = "cards"


def public(task) -> dict:
    return {"bins": task["bins"], "cards": task["cards"]}


def card_text(card) -> str:
    return str(card.get("text", "")) if isinstance(card, dict) else str(card)


def card_note(card) -> str:
    return str(card.get("note", "")) if isinstance(card, dict) else ""


def _accepted(task, card) -> list[str]:
    key = task["key"][card]
    return key if isinstance(key, list) else [key]


def _placed(task, answer) -> dict[str, str]:
    if not isinstance(answer, dict):
        return {}
    cards, bins = task["cards"], task["bins"]
    return {c: b for c, b in answer.items() if c in cards and isinstance(b, str) and b in bins}


def missing(task, answer) -> list[str]:
    left = len(task["cards"]) - len(_placed(task, answer))
    return [f"还有 {left} 张卡片没有放。"] if left else []


def unreadable(task, answer) -> str | None:
    if not isinstance(answer, dict):
        return "这份答案读不出来，重新放一次卡片。"
    if len(_placed(task, answer)) < len(answer):
        return "答案里有这道题没有的卡片或格子，重新放一次。"
    return None


def malformed(task, answer) -> list[str]:
    return []


def share(task, answer) -> tuple[float, dict]:
    where = {c: b in _accepted(task, c) for c, b in _placed(task, answer).items()}
    return sum(where.values()) / len(task["cards"]), where


def general(task, answer, where) -> list[str]:
    """Which bins hold wrong cards; the right bin is not named."""
    wrong = Counter(answer[card] for card, ok in where.items() if not ok)
    return [
        f"“{title}”里有 {wrong[name]} 张卡片不该在这里（带 ✗）。"
        for name, title in task["bins"].items() if wrong[name]
    ]


def matches(task, when, answer) -> bool:
    placed = _placed(task, answer)
    return all(placed.get(card) == name for card, name in when.items())


def overlay(task, when) -> dict[str, str]:
    return {**key_answer(task), **when}


def key_answer(task) -> dict[str, str] | None:
    return {card: _accepted(task, card)[0] for card in task["cards"]} if "key" in task else None


def text(task, answer) -> str:
    placed = _placed(task, answer)
    lines = []
    for name, title in task["bins"].items():
        cards = [card_text(task["cards"][c]) for c in task["cards"] if placed.get(c) == name]
        lines.append(f"{title}：" + ("；".join(cards) if cards else "（空）"))
    left = [card_text(card) for c, card in task["cards"].items() if c not in placed]
    if left:
        lines.append("还没有放：" + "；".join(left))
    return "\n".join(lines) if placed else ""


def faults(task) -> list[str]:
    bins, cards, found = task["bins"], task["cards"], []

    def names(place, card, targets):
        if card not in cards:
            found.append(f"{place} 里的卡片“{card}”不存在")
        found.extend(f"{place} 里卡片“{card}”的格子“{b}”不存在" for b in targets if b not in bins)

    for card, target in task.get("key", {}).items():
        names("key", card, target if isinstance(target, list) else [target])
    found += [f"key 没有说卡片“{card}”放哪里" for card in cards if card not in task.get("key", {})]
    for mistake in task.get("mistakes", []):
        for card, target in mistake["when"].items():
            names(f"mistakes“{mistake['name']}”", card, [target])
    return found
