"""客户分类板：同一叠客户卡，换一把刀就换一张表；切两刀，就是一棵分类树。"""

import csv

from crmlib import paths
from crmlib.cli import CourseError
from crmlib.tasks import find_task
from crmlib.tasks.session import open_saved

TITLE = "客户分类板"
TABLE = "customer_cards"


def read(cuts: dict[str, str], traits: dict[str, str] | None = None) -> dict:
    """What the board shows, as plain JSON.

    cuts: {name of the cut: id of the classify task in which the student sorts the cards by it}; a card that
    he has not placed (or that was not drawn for him) lies where the key has it, and the board says so.
    traits: {bin id: what such customers care about}.
    {"cards": [{"id", "name", "text", "money"}], "cuts": [{"title", "bins": [{"id", "name", "trait"}],
    "of": {card: bin}}], "notices": […]}; money in 元 a year. Raises CourseError if a task is of another kind.
    """
    made, none, some = [], [], []
    for title, task_id in cuts.items():
        task = find_task(task_id)
        if task["kind"] != "classify" or "key" not in task:
            raise CourseError(f"第 {task_id} 题不是有答案的分类题，客户分类板用不了它。")
        answer = open_saved(task).answer or {}
        key = {card: bins[0] if isinstance(bins, list) else bins for card, bins in task["key"].items()}
        own = {card: place for card, place in answer.items() if card in key and place in task["bins"]}
        made.append({"title": title, "of": key | own, "bins": [
            {"id": name, "name": said, "trait": (traits or {}).get(name, "")}
            for name, said in task["bins"].items()]})
        if len(own) < len(key):
            (some if own else none).append(title)
    notices = [f"“{'、'.join(none)}”你还没有分，先照参考答案摆。"] if none else []
    notices += [f"“{'、'.join(some)}”里你没有分到的卡，照参考答案摆。"] if some else []
    return {"cards": _cards(), "cuts": made, "notices": notices}


def _cards() -> list[dict]:
    with open(paths.datasets() / f"{TABLE}.csv", encoding="utf-8-sig", newline="") as file:
        return [{"id": row["卡号"], "text": row["内容"], "name": row["内容"].partition("，")[0],
                 "money": float(row["2025年付的运费"])} for row in csv.DictReader(file)]


# ---- 同样的算法，浏览器里（customers.js）也有一份；测试拿两份对答案 ----

def rows(board: dict, first: int, second: int | None = None) -> list[dict]:
    """The table under the cards: for each class of the first cut (and of the second, inside it).

    [{"path": (bin names), "cards": [ids], "money", "share"}], share of all money 0..1; empty inner classes
    are left out. Cards that the second cut does not know (the firm's own departments) stay one class, "—".
    """
    total = sum(card["money"] for card in board["cards"])
    top, under = board["cuts"][first], None if second is None else board["cuts"][second]
    found = []
    for outer in [*top["bins"], None]:
        own = [c for c in board["cards"] if top["of"].get(c["id"]) == (outer and outer["id"])]
        if not own and outer is None:
            continue
        name = outer["name"] if outer else "这一刀不分"
        groups = [(None, own)] if under is None else [
            (inner["name"] if inner else "—",
             [c for c in own if under["of"].get(c["id"]) == (inner and inner["id"])])
            for inner in [*under["bins"], None]]
        for inner_name, cards in groups:
            if cards or under is None:
                money = sum(card["money"] for card in cards)
                found.append({"path": (name,) if inner_name is None else (name, inner_name),
                              "cards": [c["id"] for c in cards], "money": money,
                              "share": money / total if total else 0.0})
    return found


def text(board: dict) -> str:
    """The board in words: one table for each cut."""
    lines = list(board["notices"])
    for place, cut in enumerate(board["cuts"]):
        lines.append(f"{cut['title']}：" + "；".join(
            f"{row['path'][0]} {len(row['cards'])} 张，{row['money'] / 10000:.1f} 万元，{row['share']:.1%}"
            for row in rows(board, place)))
    return "\n".join(lines)
