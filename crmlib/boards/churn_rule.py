"""流失规则板：自己定一条规则，看抓到几家、错怪几家、漏掉几家，值不值。"""

import pandas as pd

from crmlib.cli import CourseError
from crmlib.data import load

TITLE = "流失规则板"

# 每一盏灯：列名、怎样算亮、滑块从哪里到哪里、开始放在哪里
SIGNS = [
    {"id": "未解决投诉", "when": "≥", "unit": "起", "min": 1, "max": 3, "step": 1, "start": 1},
    {"id": "准时率", "when": "<", "unit": "%", "min": 70, "max": 95, "step": 1, "start": 85},
    {"id": "报价差", "when": "≥", "unit": "%", "min": -5, "max": 15, "step": 1, "start": 5},
    {"id": "合作年数", "when": "<", "unit": "年", "min": 1, "max": 8, "step": 1, "start": 3},
    {"id": "件量变化", "when": "≤", "unit": "%", "min": -40, "max": 20, "step": 5, "start": -10},
]
DAYS = [{"id": "几天没下单", "when": "≥", "unit": "天", "min": 10, "max": 180, "step": 5, "start": 30}]

# 老客户：上门一次 500 元；真要走的留得住三成。散客：券 3 元、短信 0.1 元，叫得回一成，每位一年赚 18 元。
COSTS = {
    "customers": {"contact": 500, "offer": 0, "save": 0.3},
    "senders": {"contact": 0.1, "offer": 3, "save": 0.1, "worth": 18},
}


def signs(at: str = "2025-09-30") -> pd.DataFrame:
    """What was known of each customer on the day ``at`` (the last of a month): a row per customer.

    Customers that started before that year and had not left by then. 未解决投诉 (cases this year), 准时率 (%,
    this year), 报价差 (%), 合作年数, 件量变化 (%: monthly volume of the last three months against the months
    before; 0 where there are none before), 年毛利 (yuan: this year's gross margin, scaled to twelve months),
    区域, and what was written later: 关闭原因, 流失 (1 = left within three months).
    """
    day = pd.to_datetime(at, errors="coerce")
    if pd.isna(day) or not (day.is_month_end and day.month >= 6 and 2023 <= day.year <= 2025):
        raise CourseError(f"截止日是 {at}，要写成 2023 到 2025 年里六月以后的月底，例如 2025-09-30。")
    customers, months, cases = (load(name) for name in ("customers", "shipments_month", "complaints"))
    old, here = customers["合作开始"] < f"{day.year}-01-01", ~(customers["合作结束"] <= day)
    there = customers[old & here].set_index("客户编号")
    months = months[months["月份"].between(f"{day.year}-01", f"{day:%Y-%m}")]
    late = months["月份"] > f"{day - pd.DateOffset(months=3):%Y-%m}"
    sums = months.groupby("客户编号")[["件数", "准时件数", "收入", "成本"]].sum().reindex(there.index)
    recent, before = (months[part].groupby("客户编号")["件数"].mean().reindex(there.index)
                      for part in (late, ~late))
    known = cases["受理时间"].between(f"{day.year}-01-01", day + pd.Timedelta(days=1), inclusive="left")
    cases = cases[known & (cases["处理结果"] == "未解决")]
    left = there["合作结束"] <= day + pd.offsets.MonthEnd(3)
    return pd.DataFrame({
        "未解决投诉": cases["客户编号"].value_counts().reindex(there.index, fill_value=0),
        "准时率": 100 * sums["准时件数"] / sums["件数"],
        "报价差": there["报价差"],
        "合作年数": (day - there["合作开始"]).dt.days / 365.25,
        "件量变化": (100 * (recent / before - 1)).fillna(0),
        "年毛利": (sums["收入"] - sums["成本"]) * 12 / day.month,
        "区域": there["区域"],
        "关闭原因": there["关闭原因"].where(left),
        "流失": left.astype(int),
    })


def lamps(table: pd.DataFrame) -> pd.Series:
    """How many of the five lamps are lit, at the thresholds the board begins with."""
    lit = [_lit(table[sign["id"]], sign["when"], sign["start"]) for sign in SIGNS]
    return pd.concat(lit, axis=1).sum(axis=1).rename("亮灯数")


def only(column: str) -> pd.DataFrame:
    """One column as the whole rule, last year and this year: 客户, 报警, 其中真走了 (not known this year).

    column: one of the five signs, at the threshold the board begins with, or 关闭原因 (alarm if filled in).
    """
    lamp = {sign["id"]: (sign["when"], sign["start"]) for sign in SIGNS}
    if column not in {*lamp, "关闭原因"}:
        raise CourseError(f"没有“{column}”这一列；可以用的有：{'、'.join([*lamp, '关闭原因'])}。")
    rows = {}
    for title, at in (("去年 9 月 30 日还在的", "2025-09-30"), ("现在还在的", "2025-12-31")):
        table = signs(at)
        flagged = table[column].notna() if column == "关闭原因" else _lit(table[column], *lamp[column])
        left = int(table.loc[flagged, "流失"].sum()) if at == "2025-09-30" else "还不知道"
        rows[title] = {"客户": len(table), f"“{column}”报警": int(flagged.sum()), "其中真走了": left}
    return pd.DataFrame.from_dict(rows, orient="index")


def _lit(values, when, threshold):
    return {"≥": values >= threshold, "<": values < threshold, "≤": values <= threshold}[when]


def read(who: str = "customers") -> dict:
    """What the board shows, as plain JSON.

    who: "customers" (five lamps, known on 2025-09-30, left in the quarter after) or "senders" (one rule: no
    order for so many days by 2025-09-30; gone = no order in the quarter after).

    {"who", "signs": […], "costs": {…}, "rows": [[value of each sign …, gone 0/1, worth in yuan a year]]}.
    """
    if who not in COSTS:
        raise CourseError(f"流失规则板没有“{who}”；可以写 customers（老客户）或 senders（散客）。")
    if who == "customers":
        table = signs()
        rows = table[[sign["id"] for sign in SIGNS]].round(2)
        gone, worth, shown = table["流失"], table["年毛利"].round(), SIGNS
    else:
        orders, at = load("small_orders"), pd.Timestamp("2025-09-30")
        last = orders[orders["日期"] <= at].groupby("寄件人编号")["日期"].max()
        rows = (at - last).dt.days.to_frame("几天没下单")
        gone = (~last.index.isin(orders.loc[orders["日期"] > at, "寄件人编号"])).astype(int)
        worth, shown = COSTS["senders"]["worth"], DAYS
    rows = rows.assign(gone=gone, worth=worth)
    return {"who": who, "signs": shown, "costs": COSTS[who], "rows": rows.to_numpy().tolist()}


# ---- 同样的算法，浏览器里（churn_rule.js）也有一份；测试拿两份对答案 ----

def judge(board: dict, thresholds: dict | None = None, least: int = 1) -> dict:
    """The four numbers of a rule and its money: {"caught", "wrong", "missed", "right", "money"}.

    thresholds: {sign: number} for the lamps that are on (all at their start by default); least: how many
    must be lit. Money: each flagged costs a contact; who would have left stays with chance ``save`` and is
    then worth a year's margin less the offer; who would have stayed takes the offer for nothing.
    """
    if thresholds is None:
        thresholds = {sign["id"]: sign["start"] for sign in board["signs"]}
    costs, told = board["costs"], {"caught": 0, "wrong": 0, "missed": 0, "right": 0, "money": 0.0}
    for *values, gone, worth in board["rows"]:
        lit = sum(bool(_lit(value, sign["when"], thresholds[sign["id"]]))
                  for sign, value in zip(board["signs"], values, strict=True) if sign["id"] in thresholds)
        if lit >= least:
            told["caught" if gone else "wrong"] += 1
            told["money"] += costs["save"] * (worth - costs["offer"]) if gone else -costs["offer"]
            told["money"] -= costs["contact"]
        else:
            told["missed" if gone else "right"] += 1
    return told


def text(board: dict) -> str:
    """The board in words, for print and for readers without a screen."""
    lines = []
    if board["who"] == "senders":
        for days in (30, 60, 90, 120, 150):
            lines.append(f"{days} 天没下单就算走了：{_said(judge(board, {'几天没下单': days}))}")
    else:
        lamp = "；".join(f"{s['id']} {s['when']} {s['start']} {s['unit']}" for s in board["signs"])
        lines.append(f"五盏灯：{lamp}。")
        lines += [f"亮 {n} 盏以上就报警：{_said(judge(board, least=n))}" for n in range(1, 5)]
    return "\n".join(lines)


def _said(told) -> str:
    return (f"抓到 {told['caught']}，误判 {told['wrong']}，漏判 {told['missed']}，放对 {told['right']}，"
            f"净赚 {told['money']:,.0f} 元。")
