"""SWOT 权重板：因素按权重排，两个总分，IE 矩阵，策略的依据。"""

from crmlib.cli import CourseError
from crmlib.methods.environment import AVERAGE, GROUPS, ie_cell
from crmlib.tasks import find_task, form
from crmlib.tasks.classify import card_text
from crmlib.tasks.session import open_saved

TITLE = "SWOT 权重板"
_SIDES = {"inside": "SW", "outside": "OT"}
_GIVEN = ("group", "weight", "rating")


def read(ife: str, efe: str, tows: str | None = None, flips: dict | None = None) -> dict:
    """What the board shows, as plain JSON.

    ife, efe, tows: ids of the form tasks whose saved answers are shown; where the student has not
    answered, the model answer stands in, and the board says so. flips: {what happens: {card id: what
    the card becomes}}, a quadrant (S, W, O, T) or None for a fact that is no longer true.

    {"cards": [{"id", "title", "lines", "side", "group", "weight", "rating"}], "strategies": [{"id", "title",
    "how", "plan", "cards"}], "flips": [{"title", "turns": {card: group or None}}], "notices": […]}.
    The weights of each side add up to 1. Raises CourseError if a task or a flip does not fit.
    """
    notices, borrowed = [], []
    cards = [*_factors(find_task(ife), "inside", notices, borrowed),
             *_factors(find_task(efe), "outside", notices, borrowed)]
    strategies = _strategies(find_task(tows), cards, borrowed) if tows else []
    if borrowed:
        notices.insert(0, f"第 {'、'.join(borrowed)} 题你还没填完，先用范例。")
    return {"cards": cards, "strategies": strategies, "flips": _flips(flips or {}, cards), "notices": notices}


def _factors(task, side, notices, borrowed) -> list[dict]:
    table = _filled(task, _can_weigh, borrowed)
    total = sum(row["weight"] for row in table.values())
    if abs(total - 1) > 0.005:
        notices.append(f"第 {task['id']} 题的权重合计是 {total:.2f}，这里先按比例折成 1。")
    cards = []
    for given in task["rows"]:
        row = table[given["id"]]
        if row.get("group") not in tuple(_SIDES[side]):
            raise CourseError(f"第 {task['id']} 题的 {given['id']} 行没有写对类别（group）："
                              f"应当是 {' 或 '.join(_SIDES[side])}。")
        lines = [f"{column['title']}：{given[column['id']]}" if column["id"] != "text" else given["text"]
                 for column in task["columns"] if column["id"] in given and column["id"] not in _GIVEN]
        cards.append({
            "id": given["id"], "title": given.get("title") or given["id"], "lines": lines, "side": side,
            "group": row["group"], "weight": row["weight"] / total, "rating": row["rating"],
        })
    return cards


def _filled(task, usable, borrowed) -> dict[str, dict]:
    """The student's table if it can be used, else the model answer; then the task's id joins ``borrowed``."""
    answer = open_saved(task).answer
    table = form.rows(task, answer)
    if answer and not form.malformed(task, answer) and usable(table):
        return table
    if "key" not in task:
        raise CourseError(f"第 {task['id']} 题没有范例可用，先把它填完。")
    borrowed.append(task["id"])
    return form.rows(task, task["key"])


def _can_weigh(table) -> bool:
    weights, ratings = ([row[column] for row in table.values()] for column in ("weight", "rating"))
    return None not in (*weights, *ratings) and sum(weights) > 0


def _strategies(task, cards, borrowed) -> list[dict]:
    table = _filled(task, lambda rows: any(row["plan"] for row in rows.values()), borrowed)
    known = {card["id"] for card in cards}
    strategies = []
    for given in task["rows"]:
        row = table[given["id"]]
        for side in _SIDES:
            texts = form.columns(task)[side]["cards"]
            for name in row[side]:
                if name not in known:  # 不在评价表里的卡：没有权重，也不会被翻掉
                    known.add(name)
                    cards.append({"id": name, "title": card_text(texts[name]), "lines": [], "side": side,
                                  "group": None, "weight": 0, "rating": 0})
        strategies.append({
            "id": given["id"], "title": given.get("title") or given["id"], "how": given.get("how", ""),
            "plan": row["plan"] or "", "cards": [*row["inside"], *row["outside"]],
        })
    return strategies


def _flips(flips, cards) -> list[dict]:
    sides = {card["id"]: card["side"] for card in cards}
    for title, turns in flips.items():
        for name, group in turns.items():
            if name not in sides:
                raise CourseError(f"翻牌“{title}”里的 {name} 不在评价表里；有的是：{'、'.join(sides)}。")
            if group is not None and group not in tuple(_SIDES[sides[name]]):
                raise CourseError(f"翻牌“{title}”里的 {name} 只能变成 {' 或 '.join(_SIDES[sides[name]])}，"
                                  f"或者 None（这件事没有了），不能是 {group}。")
    return [{"title": title, "turns": dict(turns)} for title, turns in flips.items()]


# ---- 同样的算法，浏览器里（swot.js）也有一份；测试拿两份对答案 ----

def turned(board: dict, titles=()) -> dict[str, dict]:
    """The cards after some facts are flipped, {id: card}; a card that is no longer true has group "gone".

    Its weight goes to the others of its side. A strength that becomes a weakness mirrors its rating (4 → 1).
    """
    cards = {card["id"]: dict(card) for card in board["cards"]}
    for flip in board["flips"]:
        for name, group in flip["turns"].items() if flip["title"] in titles else ():
            card = cards[name]
            if card["side"] == "inside" and group and group != card["group"]:
                card["rating"] = 5 - card["rating"]
            card["group"] = group or "gone"
    for side in _SIDES:
        own = [card for card in cards.values() if card["side"] == side]
        left = sum(card["weight"] for card in own if card["group"] != "gone")
        for card in own:
            card["weight"] = card["weight"] / left if left and card["group"] != "gone" else 0
    return cards


def scores(cards: dict[str, dict]) -> tuple[float, float]:
    """(internal, external) weighted score of turned cards."""
    return tuple(sum(card["weight"] * card["rating"] for card in cards.values() if card["side"] == side)
                 for side in _SIDES)


def stands(strategy: dict, cards: dict[str, dict]) -> bool:
    """Whether a strategy (SO, WO, ST, WT) has a card of its own kind on both sides."""
    found = {cards[name]["side"] for name in strategy["cards"]
             if cards[name]["group"] in (None, *strategy["id"])}
    return found == set(_SIDES)


def text(board: dict) -> str:
    """The board in words, for print and for readers without a screen."""
    cards = turned(board)
    inside, outside = scores(cards)
    lines = [*board["notices"], f"内部总分（IFE）{_level(inside)}；外部总分（EFE）{_level(outside)}；"
             f"IE 矩阵第 {' 格：'.join(ie_cell(inside, outside))}。"]
    for group, title in GROUPS.items():
        own = sorted((c for c in cards.values() if c["group"] == group), key=lambda c: -c["weight"])
        said = "；".join(f"{c['title']}（权重 {c['weight']:.2f}，评分 {c['rating']:g}）" for c in own)
        lines.append(f"{title}：{said or '没有'}")
    for strategy in board["strategies"]:
        support = "、".join(cards[name]["title"] for name in strategy["cards"]) or "没有"
        state = "站得住" if stands(strategy, cards) else "站不住"
        lines.append(f"{strategy['title']}：{strategy['plan'] or '（还没有写）'}。依据：{support}。{state}。")
    for flip in board["flips"]:
        after = turned(board, [flip["title"]])
        fallen = [s["title"] for s in board["strategies"] if stands(s, cards) and not stands(s, after)]
        said = f"{'、'.join(fallen)}站不住了" if fallen else "没有哪条策略因此站不住"
        inside, outside = scores(after)
        lines.append(f"假如{flip['title']}：{said}；内部总分 {inside:.2f}，外部总分 {outside:.2f}。")
    return "\n".join(lines)


def _level(score) -> str:
    return f"{score:.2f}（{'不低于' if score >= AVERAGE else '低于'} {AVERAGE}）"
