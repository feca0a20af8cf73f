"""分级板：客户从大到小排一队，两条线切成 A、B、C。按收入切，和按贡献切，同一家客户会换级。"""

import pandas as pd

from crmlib.cli import CourseError
from crmlib.data import load

TITLE = "分级板"
RATES = {"投诉": 300, "上门拜访": 260, "来访接待": 200, "电话": 15, "来函": 15}  # 财务部的估价，一次多少元
INTEREST = 0.06  # 垫款一年的利息
CANDIDATES = 12
ORDERS = {"收入": "按收入", "贡献": "按贡献"}


def values(year: int = 2025) -> pd.DataFrame:
    """What each customer still with us was worth in a year, in yuan; a row per customer, most revenue first.

    Columns: 客户名称, 收入, 直接成本, the five activities in times, 赔付,
    垫款利息 = 收入 × (账期 + 平均拖延天数) ÷ 360 × INTEREST,
    服务成本 = activities × RATES + 赔付 + 垫款利息, 贡献 = 收入 − 直接成本 − 服务成本.
    """
    from crmlib.methods import contribution, cost_to_serve

    def within(table, date):
        return table[table[date].astype(str).str.startswith(str(year))]

    here = load("customers").query("状态 == '在合作'").set_index("客户编号")
    months = within(load("shipments_month"), "月份").groupby("客户编号")[["收入", "成本"]].sum()
    if months.empty:
        raise CourseError(f"发货表里没有 {year} 年；有的是 2023、2024、2025 年。")
    table = months.rename(columns={"成本": "直接成本"}).join(here["客户名称"], how="inner")
    complaints = within(load("complaints"), "受理时间").groupby("客户编号")["赔付金额"].agg(["size", "sum"])
    visits = within(load("visits"), "日期").groupby(["客户编号", "方式"]).size().unstack(fill_value=0)
    table = table.join(complaints.set_axis(["投诉", "赔付"], axis=1)).join(visits).fillna(0)
    credit = load("credit_files").query("类别 == '月结客户'").set_index("客户编号")
    days = (credit["账期"] + credit["平均拖延天数"]).reindex(table.index).fillna(0)
    table["垫款利息"] = (table["收入"] * days / 360 * INTEREST).round()
    table["服务成本"] = cost_to_serve(table, RATES)["服务成本"] + table["赔付"] + table["垫款利息"]
    table["贡献"] = contribution(table, "收入", ["直接成本", "服务成本"])["贡献"]
    return table.sort_values("收入", ascending=False, kind="stable")


def candidates() -> pd.DataFrame:
    """The twelve largest by revenue, with the five indicators of the lesson; a row per customer.

    Columns: 客户名称, 收入, 贡献, 名次 (by 贡献, of the twelve), 付款天数 (账期 + 平均拖延天数), 合作年数 (at
    2025-12-31), 潜力 (万元 a year that still goes to others), 投诉 (2025).
    """
    table = values().head(CANDIDATES)[["客户名称", "收入", "贡献", "投诉"]]
    table["名次"] = table["贡献"].rank(ascending=False).astype(int)
    credit = load("credit_files").query("类别 == '月结客户'").set_index("客户编号")
    who = load("customers").set_index("客户编号").loc[table.index]
    table["付款天数"] = (credit["账期"] + credit["平均拖延天数"]).reindex(table.index).round()
    table["合作年数"] = ((pd.Timestamp("2025-12-31") - who["合作开始"]).dt.days / 365.25).round(1)
    table["潜力"] = (who["年物流支出"] - table["收入"] / 10_000).clip(lower=0).round()
    return table[["客户名称", "收入", "贡献", "名次", "付款天数", "合作年数", "潜力", "投诉"]]


def read(cuts=(0.8, 0.95), order: str = "收入") -> dict:
    """What the board shows, as plain JSON. cuts: where the two lines begin; order: 收入 or 贡献.

    {"cuts", "order", "orders": {column: title}, "rows": [{"id", "收入", "贡献"}], "watch": {id: name}}.
    """
    first, second = cuts
    if not 0 < first < second < 1:
        raise CourseError(f"分界要从小到大，例如 (0.8, 0.95)，现在是 ({first:g}, {second:g})。")
    if order not in ORDERS:
        raise CourseError(f"分级板没有“{order}”这种排法；有的是：{'、'.join(ORDERS)}。")
    table = values()
    rows = [{"id": i, "收入": round(r["收入"]), "贡献": round(r["贡献"])}
            for i, r in table[["收入", "贡献"]].iterrows()]
    watch = table["客户名称"].head(CANDIDATES).to_dict()
    return {"cuts": list(cuts), "order": order, "orders": ORDERS, "rows": rows, "watch": watch}


# ---- 同样的算法，浏览器里（pareto.js）也有一份；测试拿两份对答案 ----

def grades(board: dict, order: str, cuts=None) -> dict[str, str]:
    """Grade A, B, C of each customer, the best first; 亏 for those whose 贡献 is not above 0.

    As ``abc_analysis`` of those above 0.
    """
    from crmlib.methods import abc_analysis

    table = pd.DataFrame(board["rows"])
    good = table[table[order] > 0]
    found = abc_analysis(good, "id", order, tuple(cuts or board["cuts"]))["等级"].to_dict()
    bad = table[table[order] <= 0].sort_values([order, "id"], ascending=[False, True])["id"]
    return {**found, **dict.fromkeys(bad, "亏")}


def text(board: dict) -> str:
    """The board in words, for print and for readers without a screen."""
    lines = []
    for order, title in board["orders"].items():
        found = grades(board, order)
        count = {g: sum(v == g for v in found.values()) for g in "ABC亏"}
        lines.append(f"{title}（{board['cuts'][0]:.0%}、{board['cuts'][1]:.0%} 两条线）："
                     + "，".join(f"{g} {n} 家" for g, n in count.items() if n) + "。")
        lines.append("最大的 12 家：" + "；".join(f"{i} {found[i]}" for i in board["watch"]) + "。")
    return "\n".join(lines)
