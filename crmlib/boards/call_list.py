"""上门名单板：预算有限，先去谁那里。"""

import pandas as pd

from crmlib.boards.churn_rule import SIGNS, signs
from crmlib.cli import CourseError
from crmlib.data import load

TITLE = "上门名单板"
COST, SAVE = 500, 0.3  # 上门一次多少元；真要走的，留得住几成
ORDERS = {"worth": "按预期净值", "chance": "按流失概率", "margin": "按年毛利"}


def chances() -> pd.DataFrame:
    """Customers still there on 2025-12-31 with their chance of leaving at the next price talks: 流失概率.

    A logistic regression on the five signs of 2025-09-30 and who left in the quarter after, applied to the
    same signs three months later. A row per customer; 预期净值 = 流失概率 × SAVE × 年毛利 − COST, in yuan.
    """
    from crmlib.methods.churn import logit

    model = logit(signs("2025-09-30"), "流失", [sign["id"] for sign in SIGNS])
    now = signs("2025-12-31").drop(columns=["流失", "关闭原因"])
    now["流失概率"] = model.predict(now)
    now["预期净值"] = now["流失概率"] * SAVE * now["年毛利"] - COST
    return now


def read(budget: int = 20_000, top: int = 200_000) -> dict:
    """What the board shows, as plain JSON. budget: where the slider begins; top: where it ends (yuan).

    {"cost", "save", "budget", "top", "orders": {id: title}, "rows": [{"id", "name", "region", "chance",
    "margin", "lamps": [sign …]}]}; later: {"left": n, "ids": […]} of the first quarter of 2026.
    """
    if budget < COST or top < budget:
        raise CourseError(f"预算写成 {COST} 到最大预算之间的数，现在是 {budget}、{top}。")
    table = chances()
    names = load("customers").set_index("客户编号")["客户名称"]
    later = load("outcomes_2026q1").query("已流失 == '是'")["客户编号"]
    rows = [{"id": i, "name": names[i], "region": r["区域"], "chance": round(r["流失概率"], 4),
             "margin": round(r["年毛利"])} for i, r in table.iterrows()]
    return {"cost": COST, "save": SAVE, "budget": budget, "top": top, "orders": ORDERS, "rows": rows,
            "left": sorted(set(later) & set(table.index))}


# ---- 同样的算法，浏览器里（call_list.js）也有一份；测试拿两份对答案 ----

def gain(board: dict, row: dict) -> float:
    """Expected net value of calling on this customer, in yuan."""
    return row["chance"] * board["save"] * row["margin"] - board["cost"]


def called(board: dict, order: str, budget: float) -> list[dict]:
    """The rows that the budget reaches in this order (worth, chance, margin)."""
    by = {"worth": lambda row: gain(board, row), "chance": lambda row: row["chance"],
          "margin": lambda row: row["margin"]}[order]
    return sorted(board["rows"], key=lambda row: (-by(row), row["id"]))[:int(budget // board["cost"])]


def text(board: dict) -> str:
    """The board in words, for print and for readers without a screen."""
    lines = [f"每家 {board['cost']} 元，{board['budget']:,} 元去 {board['budget'] // board['cost']} 家。"]
    for order, title in board["orders"].items():
        rows = called(board, order, board["budget"])
        total = sum(gain(board, row) for row in rows)
        lines.append(f"{title}：预期净值合计 {total:,.0f} 元。前五家：" + "；".join(
            f"{r['id']}（概率 {r['chance']:.0%}，年毛利 {r['margin']:,} 元，净值 {gain(board, r):,.0f} 元）"
            for r in rows[:5]) + "。")
    return "\n".join(lines)
