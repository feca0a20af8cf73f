"""客户分群板：两种看法。rfm：拖三条线，散客分成八类；groups：拖群数，老客户由电脑分群。"""

from functools import cache

import numpy as np
import pandas as pd

from crmlib.cli import CourseError
from crmlib.data import load
from crmlib.methods import choose_k, kmeans, rfm
from crmlib.methods.value import EIGHT_GROUPS

TITLE = "客户分群板"

COLUMNS = {"月均件数": "件", "件均重量": "千克", "旺季系数": "倍", "退货率": "%", "增值占比": "%"}
LONG_TAILED = ["月均件数", "件均重量"]  # 差几百倍的列，先取对数
KS = range(2, 9)

CUTS = [
    {"id": "R", "title": "R：隔几天以内，算近", "unit": "天",
     "min": 0, "max": 365, "step": 5, "start": 90},
    {"id": "F", "title": "F：几次以上，算常来", "unit": "次", "min": 1, "max": 30, "step": 1, "start": 4},
    {"id": "M", "title": "M：几元以上，算花得多", "unit": "元",
     "min": 0, "max": 600, "step": 20, "start": 60},
]


def read(view: str = "groups", year: int = 2025, scaled: bool = True) -> dict:
    """What the board shows, as plain JSON.

    view "rfm", the 1,500 senders on 2025-12-31: {"view", "cuts", "rows": [[days, orders, yuan]]}.
    view "groups", the 600 accounts of ``year`` (2023 or 2025): {"view", "year", "scaled": whether it begins
    on one scale, "columns", "rows": [[value of each column]], "trials": {"raw" and "scaled": [{"k" 2 to 8,
    "silhouette", "stability", "labels"}]}}. Raises CourseError for any other view or year.
    """
    if view == "rfm":
        return {"view": "rfm", "cuts": CUTS, "rows": senders().to_numpy().tolist()}
    if view != "groups":
        raise CourseError(f"客户分群板没有“{view}”；可以写 rfm（三刀）或 groups（群数）。")
    return {"view": "groups", "year": year, "scaled": bool(scaled),
            "columns": [{"id": name, "unit": unit, "log": name in LONG_TAILED}
                        for name, unit in COLUMNS.items()],
            "rows": accounts(year).to_numpy().tolist(), "trials": _trials(year)}


def senders() -> pd.DataFrame:
    """间隔天数, 次数, 金额 of each sender, counted on 2025-12-31."""
    table = rfm(load("small_orders"), "寄件人编号", "日期", "金额", at="2025-12-31")
    return table[["间隔天数", "次数", "金额"]]


def accounts(year: int = 2025) -> pd.DataFrame:
    """The five shipping figures of the 600 accounts in one year, by 客户编号."""
    if year not in (2023, 2025):
        raise CourseError(f"客户画像只有 2023 年和 2025 年，没有 {year} 年。")
    table = load("customer_profile")
    return table[table["年份"] == year].set_index("客户编号")[list(COLUMNS)].astype(float)


@cache
def _trials(year: int) -> dict[str, list[dict]]:
    """All clusterings the slider can ask for, computed once: moving it waits for nobody."""
    table, trials = accounts(year), {}
    for name, how in (("raw", {"scale": False}), ("scaled", {"log": LONG_TAILED})):
        figures = choose_k(table, list(COLUMNS), KS, boots=10, **how)
        trials[name] = [{"k": k, "silhouette": round(float(figures.loc[k, "轮廓系数"]), 4),
                         "stability": round(float(figures.loc[k, "稳定性"]), 4),
                         "labels": kmeans(table, list(COLUMNS), k, **how).labels.tolist()} for k in KS]
    return trials


def compare_years(years=(2023, 2025), ks=range(2, 7)):
    """Silhouette and stability of each k, a figure a year, side by side on one scale."""
    from matplotlib import pyplot

    figure, places = pyplot.subplots(1, len(years), sharey=True, figsize=(9, 3.6))
    for year, ax in zip(years, places, strict=True):
        found = [trial for trial in _trials(year)["scaled"] if trial["k"] in ks]
        for name, title, style in (("silhouette", "轮廓系数", "o-"), ("stability", "稳定性", "s--")):
            ax.plot([t["k"] for t in found], [t[name] for t in found], style, label=title)
        for trial in found:
            ax.annotate(f"{trial['silhouette']:.2f}", (trial["k"], trial["silhouette"]), (0, -18),
                        textcoords="offset points", ha="center", fontsize="small")
        ax.set(title=f"{year} 年", xlabel="群数 k", ylim=(0, 1.05), xticks=list(ks))
    places[0].legend(loc="lower left")
    figure.tight_layout()
    pyplot.show()


# ---- 同样的算法，浏览器里（segments.js）也有一份；测试拿两份对答案 ----

def judge(board: dict, cuts: dict | None = None) -> dict[str, dict]:
    """The eight groups under three cuts: {name: {"n": how many, "money": their yuan}}.

    cuts: {"R": days, "F": orders, "M": yuan}, by default where the board starts. A value at the cut is good.
    """
    cuts = cuts or {cut["id"]: cut["start"] for cut in board["cuts"]}
    told = {name: {"n": 0, "money": 0.0} for name in EIGHT_GROUPS.values()}
    for days, orders, money in board["rows"]:
        group = told[EIGHT_GROUPS[days <= cuts["R"], orders >= cuts["F"], money >= cuts["M"]]]
        group["n"] += 1
        group["money"] += money
    return told


def portrait(board: dict, k: int, scaled: bool) -> list[dict]:
    """The groups of one clustering, largest first: {"n", "means": [of each column]}."""
    trial = next(t for t in board["trials"]["scaled" if scaled else "raw"] if t["k"] == k)
    labels, rows = np.array(trial["labels"]), np.array(board["rows"])
    parts = [rows[labels == group] for group in range(1, k + 1)]
    return [{"n": len(part), "means": part.mean(0).tolist()} for part in parts]


def text(board: dict) -> str:
    """The board in words, for print and for readers without a screen."""
    if board["view"] == "rfm":
        lines = []
        for r, f, m in ((90, 4, 60), (30, 8, 200), (60, 8, 200)):
            told = judge(board, {"R": r, "F": f, "M": m})
            lines.append(f"切在 {r} 天、{f} 次、{m} 元："
                         + "；".join(f"{name} {group['n']} 位" for name, group in told.items()) + "。")
        return "\n".join(lines)
    lines = []
    for name, title in (("raw", "原来的单位"), ("scaled", "同一把尺子")):
        lines.append(f"{title}，{board['year']} 年：")
        for trial in board["trials"][name]:
            sizes = "、".join(str(group["n"]) for group in portrait(board, trial["k"], name == "scaled"))
            lines.append(f"{trial['k']} 群：轮廓系数 {trial['silhouette']:.3f}，"
                         f"稳定性 {trial['stability']:.2f}；各 {sizes} 家。")
    return "\n".join(lines)
