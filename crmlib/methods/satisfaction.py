"""满意度：净推荐值、满意率、满意度指数、重要性－绩效分析、卡诺（Kano）分析。"""

from collections import Counter
from math import sqrt

import numpy as np
import pandas as pd

from crmlib.cli import CourseError
from crmlib.methods._common import Result, at_least, axes, column, label, number, numeric, result
from crmlib.methods.survey import mean_interval, wilson_interval, wilson_limits, z_value

# ---------------------------------------------------------------- 净推荐值和满意率


@result
class NPS(Result):
    value: float = label("净推荐值 NPS（−100～100）")
    low: float = label("下限")
    high: float = label("上限")
    se: float = label("标准误")
    promoters: int = label("推荐者（9～10 分）")
    passives: int = label("被动者（7～8 分）")
    detractors: int = label("贬损者（0～6 分）")
    n: int = label("有效回答")
    dropped: int = label("没有回答")
    note: str = label("注意")


def nps(scores, confidence=.95) -> NPS:
    """Net promoter score of answers 0 to 10, in points, with its multinomial standard error.

    se² = (p + d − (p − d)²)/n. Where all answers fall in one group the error is 0 and the interval would
    claim certainty: then it is that of the score with 3 imagined answers added (¾ promoters, 1½ passives,
    ¾ detractors: the adjusted Wald interval, Rocks 2016). Missing answers are left out and counted.

    >>> r = nps([10, 9, 9, 8, 7, 6, 3, 10, None])
    >>> r.value, round(r.se, 1), r.n, r.dropped
    (25.0, 29.3, 8, 1)
    """
    scores = numeric(scores, "推荐分", low=0, high=10, missing=True)
    known = scores[~np.isnan(scores)]
    n = len(known)
    at_least(n, 1, "个回答")
    up, down = int((known >= 9).sum()), int((known <= 6).sum())
    value, se = _net(up, down, n)
    centre, error, note = value, se, ""
    if se == 0:
        centre, error = _net(up + .75, down + .75, n + 3)
        note = "所有人都在同一组，区间改用“各加几份答卷”的修正算法。"
    half = z_value(confidence) * error
    low, high = min(centre - half, value), max(centre + half, value)
    return NPS(value, max(low, -100), min(high, 100), se, up, n - up - down, down, n, len(scores) - n, note)


def _net(up, down, n):
    p, d = up / n, down / n
    return 100 * (p - d), 100 * sqrt((p + d - (p - d) ** 2) / n)


@result
class CSAT(Result):
    value: float = label("满意率")
    low: float = label("下限")
    high: float = label("上限")
    mean: float = label("平均分")
    satisfied: int = label("满意的人数")
    n: int = label("有效回答")
    dropped: int = label("没有回答")


def csat(scores, top=2, scale=5, confidence=.95) -> CSAT:
    """Share of answers in the ``top`` boxes of a 1-to-``scale`` question, with its Wilson interval.

    >>> r = csat([5, 4, 4, 3, 1, None])
    >>> r.value, round(r.low, 2), round(r.high, 2), r.mean
    (0.6, 0.23, 0.88, 3.4)
    """
    scale = int(number(scale, "量表点数", low=2))
    top = int(number(top, "算作满意的档数", low=1, high=scale - 1))
    scores = numeric(scores, "满意度", low=1, high=scale, missing=True)
    known = scores[~np.isnan(scores)]
    at_least(len(known), 1, "个回答")
    satisfied = int((known > scale - top).sum())
    share = wilson_interval(satisfied, len(known), confidence)
    return CSAT(share.estimate, share.low, share.high, known.mean(), satisfied, len(known),
                len(scores) - len(known))


@result
class Index(Result):
    value: float = label("满意度指数（0～100）")
    low: float | None = label("下限")
    high: float | None = label("上限")
    n: int = label("有效答卷")
    dropped: int = label("有空题而没用上的答卷")
    items: pd.DataFrame = label("各题")


def satisfaction_index(items, weights=None, scale=5, confidence=.95) -> Index:
    """Weighted satisfaction on 0 to 100: each item's mean, (x − 1)/(scale − 1) × 100, times its weight.

    items: a row per answer sheet, a column per item, 1 to ``scale``; weights: dict item → weight adding up to
    1 (default equal). The interval is that of the sheets' own weighted scores; one sheet alone has none.

    >>> r = satisfaction_index(pd.DataFrame({"准时": [5, 4, 3], "破损": [4, 2, 3]}), {"准时": .6, "破损": .4})
    >>> round(r.value, 1), [round(x, 1) for x in r.items["得分"]]
    (65.0, [75.0, 50.0])
    """
    names = list(items.columns)
    at_least(len(names), 1, "道题（列）")
    weights = dict.fromkeys(names, 1 / len(names)) if weights is None else dict(weights)
    if set(weights) != set(names):
        odd = [str(x) for x in set(weights) ^ set(names)]
        raise CourseError(f"题目和权重对不上：{'、'.join(sorted(odd))}。"
                          f"题目是：{'、'.join(map(str, names))}。")
    w = np.array([number(weights[c], f"{c}的权重", low=0) for c in names])
    if abs(w.sum() - 1) > .005:
        raise CourseError(f"权重加起来是 {w.sum():.3g}，应当等于 1。")
    table = pd.DataFrame({c: numeric(items[c], c, low=1, high=scale, missing=True) for c in names}).dropna()
    at_least(len(table), 1, "份答完的问卷")
    points = (table.to_numpy() - 1) / (number(scale, "量表点数", low=2) - 1) * 100
    each = points @ w
    interval = mean_interval(each, confidence) if len(each) > 1 else None
    shown = pd.DataFrame({"权重": w, "得分": points.mean(0), "贡献": points.mean(0) * w}, names)
    return Index(each.mean(), interval and interval.low, interval and interval.high, len(each),
                 len(items) - len(table), shown)


# ---------------------------------------------------------------- 重要性－绩效

# （重要，做得好）→ 象限。Martilla & James 1977 的四格
QUADRANTS = {(True, True): "继续保持", (True, False): "重点改进",
             (False, True): "可能过度", (False, False): "次要机会"}


def importance_performance(performance, importance=None, *, overall=None, cut="mean",
                           confidence=.95) -> pd.DataFrame:
    """Where to improve first: importance and performance of each item, with intervals and quadrants.

    performance: a row per answer sheet, a column per item. Importance is either stated (``importance``: a
    table with the same columns) or derived (``overall``: total satisfaction, one answer per sheet; importance
    is the correlation with it). cut: ``"mean"`` (grand means, the usual choice), ``"middle"`` (half-way
    between the smallest and the largest), or a pair (importance, performance).
    An item whose interval crosses a cut is marked 临界: one more survey could move it to another quadrant.
    Source: Martilla & James 1977, J. of Marketing 41, 77.

    >>> good = pd.DataFrame({"准时": [2, 3, 2, 1], "价格": [4, 5, 4, 4]})
    >>> needed = pd.DataFrame({"准时": [5, 5, 4, 5], "价格": [2, 3, 2, 3]})
    >>> importance_performance(good, needed)["象限"].to_dict()
    {'准时': '重点改进', '价格': '可能过度'}
    """
    names = list(performance.columns)
    at_least(len(names), 2, "个项目（列）")
    if (importance is None) == (overall is None):
        raise CourseError("重要性要么直接问（importance=），要么由总体满意度推算（overall=），两个里给一个。")
    rows = []
    for name in names:
        does = mean_interval(performance[name], confidence)
        if importance is not None:
            needs = mean_interval(column(importance, name), confidence)
            row = needs.estimate, needs.low, needs.high
        else:
            row = _correlation(performance[name], overall, name, confidence)
        rows.append((*row, does.estimate, does.low, does.high))
    table = pd.DataFrame(rows, names, ["重要性", "重要性下限", "重要性上限", "绩效", "绩效下限", "绩效上限"])
    x, y = _cuts(table, cut)
    table["象限"] = [QUADRANTS[a >= x, b >= y] for a, b in zip(table["重要性"], table["绩效"], strict=True)]
    crosses = [(table[f"{k}下限"] < c) & (table[f"{k}上限"] >= c) for k, c in (("重要性", x), ("绩效", y))]
    table["临界"] = crosses[0] | crosses[1]
    table.attrs["cuts"] = (x, y)
    return table


def _cuts(table, cut):
    if isinstance(cut, str):
        ways = {"mean": lambda v: v.mean(), "middle": lambda v: (v.min() + v.max()) / 2}
        if cut not in ways:
            raise CourseError(f"没有“{cut}”这种分界；可以用 mean（平均）、middle（正中），或一对数。")
        return tuple(float(ways[cut](table[k])) for k in ("重要性", "绩效"))
    x, y = cut
    return number(x, "重要性的分界"), number(y, "绩效的分界")


def _correlation(x, y, name, confidence):
    """Pearson's r with Fisher's z interval."""
    pair = pd.DataFrame({"x": numeric(x, name, missing=True),
                         "y": numeric(y, "总体满意度", missing=True)}).dropna()
    at_least(len(pair), 4, f"份同时答了“{name}”和总体满意度的问卷")
    if pair.nunique().min() < 2:
        raise CourseError(f"“{name}”或总体满意度所有人都答得一样，算不了相关。")
    r = float(np.clip(pair.corr().iloc[0, 1], -1, 1))
    if abs(r) > 1 - 1e-12:
        return r, r, r
    half = z_value(confidence) / sqrt(len(pair) - 3)
    return r, np.tanh(np.arctanh(r) - half), np.tanh(np.arctanh(r) + half)


# ---------------------------------------------------------------- 卡诺

# 行：有这项服务时的感受；列：没有时的感受。1 喜欢 2 理应如此 3 无所谓 4 能忍受 5 不喜欢
KANO_TABLE = ("QAAAO", "RIIIM", "RIIIM", "RIIIM", "RRRRQ")
KANO_NAMES = {"M": "必备", "O": "期望", "A": "魅力", "I": "无差异", "R": "反向", "Q": "可疑"}


def kano_category(functional, dysfunctional) -> str:
    """One person's Kano category. Answers 1 like, 2 must be, 3 neutral, 4 can live with, 5 dislike.

    functional: feeling if the service is there; dysfunctional: if it is not.
    Source: Berger et al. 1993, Center for Quality of Management Journal 2(4), evaluation table.

    >>> kano_category(1, 5), kano_category(2, 5), kano_category(1, 3), kano_category(3, 3)
    ('O', 'M', 'A', 'I')
    """
    rows = []
    for value, name in ((functional, "有时的感受"), (dysfunctional, "没有时的感受")):
        value = number(value, name, low=1, high=5)
        if value != int(value):
            raise CourseError(f"“{name}”只能是 1、2、3、4、5，得到的是 {value:g}。")
        rows.append(int(value) - 1)
    return KANO_TABLE[rows[0]][rows[1]]


def kano(answers, pairs, confidence=.95) -> pd.DataFrame:
    """Kano analysis of several features. A row per feature: counts, category, Better and Worse.

    answers: a row per person; pairs: dict feature → (functional column, dysfunctional column). People who
    left one of the two out do not count for that feature. The category is the most frequent one, a tie goes
    to the first of M, O, A, I (the more serious one; Berger et al.). Better = (A+O)/(A+O+M+I), Worse =
    −(O+M)/(A+O+M+I), with Wilson intervals; with nobody in A, O, M, I both are empty and 提示 says so.
    提示 says where the two most frequent categories are too close to tell apart: a − b below
    1.65·√((a+b)(2n−a−b)/2n) (Fong 1996).

    >>> t = kano(pd.DataFrame({"有": [1, 1, 1, 2], "无": [5, 5, 3, 5]}), {"次日达": ("有", "无")})
    >>> t.loc["次日达", "类别"], float(t.loc["次日达", "Better"]), float(t.loc["次日达", "Worse"])
    ('期望', 0.75, -0.75)
    """
    rows = {}
    for feature, (there, absent) in pairs.items():
        both = pd.DataFrame({"f": column(answers, there), "d": column(answers, absent)}).dropna()
        at_least(len(both), 1, f"个人答了“{feature}”的两问")
        count = Counter(kano_category(f, d) for f, d in zip(both["f"], both["d"], strict=True))
        ranked = sorted("MOAIRQ", key=lambda c: (-count[c], "MOAIRQ".index(c)))
        first, second, n = count[ranked[0]], count[ranked[1]], len(both)
        advice = []
        if second and first - second < 1.65 * sqrt((first + second) * (2 * n - first - second) / (2 * n)):
            advice.append(f"与“{KANO_NAMES[ranked[1]]}”难分，分人群再看")
        used = sum(count[c] for c in "AOMI")
        row = {KANO_NAMES[c]: count[c] for c in "MOAIRQ"} | {"人数": n, "类别": KANO_NAMES[ranked[0]]}
        for name, letters, sign in (("Better", "AO", 1), ("Worse", "OM", -1)):
            hits = sum(count[c] for c in letters)
            ends = sorted(sign * float(v) for v in wilson_limits(hits, used, confidence))
            row |= {name: sign * hits / used if used else np.nan,
                    f"{name}下限": ends[0] if used else np.nan, f"{name}上限": ends[1] if used else np.nan}
        if not used:
            advice.append("没有人落在魅力、期望、必备、无差异里，Better 和 Worse 没有意义")
        rows[feature] = row | {"提示": "；".join(advice)}
    if not rows:
        raise CourseError("pairs 里没有项目：写成 {项目: (有时那一列, 没有时那一列)}。")
    return pd.DataFrame.from_dict(rows, orient="index")


# ---------------------------------------------------------------- 图

def plot_importance_performance(table, ax=None):
    """Chart of ``importance_performance``; a hollow point is borderline (临界); returns the Axes."""
    ax = axes(ax)
    x, y = table.attrs.get("cuts") or _cuts(table, "mean")
    ax.axvline(y, color="0.6", linewidth=1.5)
    ax.axhline(x, color="0.6", linewidth=1.5)
    for urgent, colour, marker in ((False, "C0", "o"), (True, "C3", "s")):
        part = table[(table["象限"] == "重点改进") == urgent]
        ax.errorbar(part["绩效"], part["重要性"], fmt="none", ecolor=colour, alpha=.3, linewidth=2,
                    xerr=_arms(part, "绩效"), yerr=_arms(part, "重要性"))
        fill = [("white" if edge else colour) for edge in part["临界"]]
        ax.scatter(part["绩效"], part["重要性"], c=fill, edgecolors=colour, marker=marker, s=90, linewidths=2,
                   zorder=3)
    for name, row in table.iterrows():
        ax.annotate(name, (row["绩效"], row["重要性"]), (8, 6), textcoords="offset points", zorder=4)
    for (important, good), text in QUADRANTS.items():
        ax.text(.98 if good else .02, .97 if important else .03, text, transform=ax.transAxes, color="0.35",
                ha="right" if good else "left", va="top" if important else "bottom", fontweight="bold")
    ax.margins(.15)
    ax.grid(visible=False)
    ax.set(xlabel="绩效（做得怎么样）", ylabel="重要性", title="先改进哪一项")
    return ax


def _arms(table, name):
    return [table[name] - table[f"{name}下限"], table[f"{name}上限"] - table[name]]


def plot_kano(table, ax=None):
    """Better–Worse chart of ``kano``: each feature by what its presence gains and its absence loses."""
    ax = axes(ax)
    shown = table.dropna(subset=["Better", "Worse"])
    at_least(len(shown), 1, "个能算 Better 和 Worse 的项目")
    looks = {"必备": ("C3", "s"), "期望": ("C0", "o"), "魅力": ("C2", "^"), "无差异": ("C6", "D"),
             "反向": ("C5", "v"), "可疑": ("C1", "X")}
    for kind, (colour, marker) in looks.items():
        part = shown[shown["类别"] == kind]
        if len(part):
            ax.scatter(-part["Worse"], part["Better"], c=colour, marker=marker, s=100, label=kind, zorder=3)
    for name, row in shown.iterrows():
        ax.annotate(name, (-row["Worse"], row["Better"]), (8, 6), textcoords="offset points")
    ax.axhline(.5, color="0.6", linewidth=1.5)
    ax.axvline(.5, color="0.6", linewidth=1.5)
    ax.set(xlim=(-.02, 1.08), ylim=(-.02, 1.08), xlabel="|Worse|：没有它，不满意增加多少",
           ylabel="Better：有它，满意增加多少", title="卡诺分析")
    ax.grid(visible=False)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return ax

