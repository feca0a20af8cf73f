"""服务质量：SERVQUAL 差距、帕累托、控制图、投诉率、达标率（SLA）、完美订单、流程用时。"""

from math import sqrt

import numpy as np
import pandas as pd
from scipy import stats

from crmlib.cli import CourseError
from crmlib.methods._common import (
    Result,
    at_least,
    axes,
    column,
    dates,
    flags,
    label,
    number,
    numeric,
    result,
    same_length,
)
from crmlib.methods.survey import mean_interval, wilson_limits

# ---------------------------------------------------------------- SERVQUAL


@result
class Gaps(Result):
    overall: float = label("总差距（感受 − 期望）")
    n: int = label("答卷")
    dimensions: pd.DataFrame = label("各维度")
    items: pd.DataFrame = label("各题")


def servqual_gaps(expected, perceived, dimensions, weights=None, *, scale=7, confidence=.95) -> Gaps:
    """SERVQUAL gaps: perception minus expectation, by item and dimension; below 0 the service disappoints.

    expected, perceived: a row per answer sheet, as many columns in the same order. dimensions: dict name →
    list of item numbers (1 …) that make it up. weights: dict of the same names, adding up to 1 (default
    equal). A sheet that left out one side of an item does not count for that item; a dimension's gap on a
    sheet is the mean of its items that count. Codes outside 1 … ``scale`` (−99) are errors: make them blank
    first. dimensions (the worst first): 期望, 感受, 差距, 下限, 上限, 份数, 权重; the interval is empty where
    one sheet counts. Source: Parasuraman, Zeithaml & Berry 1988, J. of Retailing 64, 12.

    >>> e, p = pd.DataFrame({"E1": [6, 7], "E2": [5, 6]}), pd.DataFrame({"P1": [5, 5], "P2": [5, 7]})
    >>> g = servqual_gaps(e, p, {"可靠": [1], "有形": [2]}, {"可靠": .7, "有形": .3})
    >>> g.dimensions["差距"].to_dict(), round(g.overall, 2)
    ({'可靠': -1.5, '有形': 0.5}, -0.9)
    """
    if expected.shape != perceived.shape:
        (a, b), (c, d) = expected.shape, perceived.shape
        raise CourseError(f"期望有 {a} 份 {b} 题，感受有 {c} 份 {d} 题：要一份对一份、一题对一题。")
    at_least(len(expected), 1, "份答卷")
    e, p = (np.column_stack([numeric(t[c], c, low=1, high=scale, missing=True) for c in t])
            for t in (expected, perceived))
    both = np.isnan(e) | np.isnan(p)
    e, p = (np.where(both, np.nan, x) for x in (e, p))
    weights = dict.fromkeys(dimensions, 1 / max(len(dimensions), 1)) if weights is None else dict(weights)
    if set(weights) != set(dimensions):
        odd = "、".join(sorted(map(str, set(weights) ^ set(dimensions))))
        raise CourseError(f"维度和权重对不上：{odd}。")
    if abs(sum(weights.values()) - 1) > .005:
        raise CourseError(f"权重加起来是 {sum(weights.values()):.3g}，应当等于 1。")
    rows = {}
    for name, numbers in dimensions.items():
        if odd := [k for k in numbers if k not in range(1, e.shape[1] + 1)]:
            raise CourseError(f"“{name}”里的第 {odd[0]} 题不存在：只有 1 到 {e.shape[1]} 题。")
        at = [k - 1 for k in numbers]
        counts = ~both[:, at].all(axis=1)
        at_least(int(counts.sum()), 1, f"份答了“{name}”的答卷")
        want, got = (np.nanmean(x[np.ix_(counts, at)], axis=1) for x in (e, p))
        ends = mean_interval(got - want, confidence) if counts.sum() > 1 else None
        rows[name] = (want.mean(), got.mean(), (got - want).mean(), ends.low if ends else np.nan,
                      ends.high if ends else np.nan, int(counts.sum()), weights[name])
    table = pd.DataFrame.from_dict(rows, orient="index",
                                   columns=["期望", "感受", "差距", "下限", "上限", "份数", "权重"])
    n = (~both).sum(axis=0)
    if (n == 0).any():
        raise CourseError(f"第 {int((n == 0).argmax()) + 1} 题没有一份两边都答。")
    items = pd.DataFrame({"期望": np.nanmean(e, axis=0), "感受": np.nanmean(p, axis=0), "份数": n},
                         pd.Index(range(1, len(n) + 1), name="题"))
    items.insert(2, "差距", items["感受"] - items["期望"])
    return Gaps((table["差距"] * table["权重"]).sum(), len(e), table.sort_values("差距"), items)


# ---------------------------------------------------------------- 帕累托

def cause_pareto(causes, amount=None, cut=.8) -> pd.DataFrame:
    """Causes by frequency, the most frequent first, and the vital few that make up ``cut`` of all.

    causes: one per case; amount: what each case counts (a loss in yuan; default 1). Missing causes are a
    cause of their own, 没有填. Equal ones are ordered by name. Columns: 数量, 占比, 累计占比, 关键少数 (from
    the top until ``cut`` is reached, with the one that crosses it). Source: Juran, Quality Control Handbook.

    >>> cause_pareto(["延误"] * 6 + ["破损"] * 3 + ["态度"])[["数量", "关键少数"]].values.tolist()
    [[6.0, True], [3.0, True], [1.0, False]]
    """
    causes = pd.Series(causes).fillna("没有填").astype(str)
    at_least(len(causes), 1, "件")
    cut = number(cut, "分界", above=0, below=1)
    weight = np.ones(len(causes)) if amount is None else numeric(amount, "数额", low=0)
    same_length(原因=causes, 数额=weight)
    if weight.sum() == 0:
        raise CourseError("数额合计是 0，排不出主次。")
    count = pd.Series(weight).groupby(causes.to_numpy()).sum().sort_values(ascending=False, kind="stable")
    share = count / count.sum()
    return pd.DataFrame({"数量": count, "占比": share, "累计占比": share.cumsum(),
                         "关键少数": share.cumsum() - share < cut - 1e-12}).rename_axis("原因")


# ---------------------------------------------------------------- 控制图

# 样本数 n → 正态样本极差的平均 d2、标准差 d3（以 σ 为单位）。同 ASTM 手册 MNL 7 表 49，多留两位
_RANGE = {2: (1.12838, .85250), 3: (1.69257, .88837), 4: (2.05875, .87981), 5: (2.32593, .86408),
          6: (2.53441, .84804), 7: (2.70436, .83321), 8: (2.84720, .81983), 9: (2.97003, .80783),
          10: (3.07751, .79705)}


@result
class ControlConstants(Result):
    d2: float = label("d2")
    d3: float = label("d3")
    A2: float = label("A2")
    D3: float = label("D3")
    D4: float = label("D4")
    E2: float = label("E2")


def control_constants(n) -> ControlConstants:
    """Constants of control charts from ranges of ``n`` values (2 to 10).

    A2 = 3/(d2√n), D3 = max(0, 1 − 3d3/d2), D4 = 1 + 3d3/d2, E2 = 3/d2. Source: ASTM Manual MNL 7, table 49.

    >>> k = control_constants(2)
    >>> round(k.E2, 2), round(k.D4, 2), round(control_constants(5).A2, 3)
    (2.66, 3.27, 0.577)
    """
    if n not in _RANGE:
        raise CourseError(f"极差常数只有 n = 2 到 10 的，没有 {n} 的。")
    d2, d3 = _RANGE[n]
    return ControlConstants(d2, d3, 3 / (d2 * sqrt(n)), max(0, 1 - 3 * d3 / d2), 1 + 3 * d3 / d2, 3 / d2)


def p_chart(defects, sizes, *, baseline=None, rules="western", overdispersed=False) -> pd.DataFrame:
    """Control chart of a share (late parcels among those checked); limits follow each sample's size.

    defects: number of bad ones in each sample, sizes: how many were checked. baseline: use only the first so
    many samples for the centre line (known good times); default all. rules: ``signals``. overdispersed: widen
    the limits by how much more the shares vary than chance alone explains (Laney's p′), as large samples
    need. A row per sample: 值, 中心, 下限, 上限 (within 0 … 1), z, 信号 (numbers of the rules broken, or
    empty). ``.attrs["sigma_z"]``: spread of z from sample to sample; well above 1 means over-dispersion.
    Sources: Montgomery, Statistical Quality Control, ch. 7; Laney 2002, Quality Engineering 14, 531.

    >>> p_chart([4, 5, 3, 15], [100, 100, 100, 100], baseline=3)["信号"].tolist()
    ['', '', '', '1']
    """
    bad, n = numeric(defects, "不合格数", low=0), numeric(sizes, "检查数", low=0)
    same_length(不合格数=bad, 检查数=n)
    if (bad > n).any():
        at = int((bad > n).argmax())
        raise CourseError(f"第 {at + 1} 个样本不合格 {bad[at]:g} 个，比检查的 {n[at]:g} 个还多。")
    return _rate_chart(bad, n, lambda centre: centre * (1 - centre), 1, "p", baseline, rules, overdispersed)


def u_chart(counts, sizes, *, baseline=None, rules="western", overdispersed=False, per=1) -> pd.DataFrame:
    """Control chart of a rate of events (complaints per ``per`` parcels); arguments and result as
    ``p_chart``.

    counts: events of each period; sizes: volume (parcels) it comes from. The variance is that of the Poisson
    law; overdispersed: Laney's u′.

    >>> u_chart([30, 28, 33, 60], [10000] * 4, per=10000)["值"].tolist()
    [30.0, 28.0, 33.0, 60.0]
    """
    events, n = numeric(counts, "件数", low=0), numeric(sizes, "业务量", low=0)
    same_length(件数=events, 业务量=n)
    chart = _rate_chart(events, n, lambda centre: centre, np.inf, "u", baseline, rules, overdispersed)
    chart[["值", "中心", "下限", "上限"]] *= number(per, "每多少件", above=0)
    return chart


def _rate_chart(events, n, variance, highest, kind, baseline, rules, overdispersed):
    at_least(len(n), 2, "个样本")
    if (n == 0).any():
        raise CourseError(f"第 {int((n == 0).argmax()) + 1} 个样本的数量是 0。先把这样的样本去掉。")
    first = slice(_baseline(baseline, len(n)))
    centre = events[first].sum() / n[first].sum()
    if variance(centre) == 0:
        raise CourseError("用来定中心线的样本全好或全坏，没有波动，画不出控制限。多取几个样本。")
    sigma = np.sqrt(variance(centre) / n)
    z = (events / n - centre) / sigma
    spread = np.abs(np.diff(z[first])).mean() / control_constants(2).d2
    if overdispersed:
        if spread == 0:
            raise CourseError("用来定控制限的样本一模一样，算不出样本之间的波动。")
        z, sigma = z / spread, sigma * spread
    return _chart(events / n, centre, np.maximum(centre - 3 * sigma, 0),
                  np.minimum(centre + 3 * sigma, highest), z, kind, rules, sigma_z=float(spread))


def _baseline(baseline, n):
    if baseline is None:
        return n
    baseline = number(baseline, "定中心线的样本数", low=2, high=n)
    return int(baseline)


def _chart(values, centre, low, high, z, kind, rules, **attrs):
    found = signals(z, rules)
    chart = pd.DataFrame({"值": values, "中心": centre, "下限": low, "上限": high, "z": z,
                          "信号": ["、".join(map(str, s)) for s in found]},
                         pd.RangeIndex(1, len(values) + 1, name="样本"))
    chart.attrs.update(kind=kind, rules=rules, **attrs)
    return chart


def imr_chart(values, *, span=2, baseline=None, rules="western") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Charts of individual values and of their moving range (I-MR), for one figure a day and no sample size.

    span: how many neighbouring values a moving range covers. Limits: mean ± E2·mean range (2.66 for span 2),
    and D3, D4 times the mean range. Returns (chart of values, chart of ranges; its first ``span`` − 1 rows
    cannot be known and are left out); columns as ``p_chart``, on ranges only rule 1 is applied.
    Source: Montgomery, Statistical Quality Control, ch. 6.4.

    >>> chart, ranges = imr_chart([10, 12, 11, 13, 10, 12])
    >>> round(float(chart["上限"].iloc[0]), 2), ranges["值"].tolist()
    (16.65, [2.0, 1.0, 2.0, 3.0, 2.0])
    """
    x = numeric(values, "数值")
    k = control_constants(span)
    at_least(len(x), span + 1, "个值")
    window = np.lib.stride_tricks.sliding_window_view(x, span)
    moving = window.max(axis=1) - window.min(axis=1)
    first = _baseline(baseline, len(x))
    at_least(first, span, "个定中心线的值")
    centre, mean = x[:first].mean(), moving[:first - span + 1].mean()
    if mean == 0:
        raise CourseError("用来定控制限的值一模一样，没有波动，画不出控制限。")
    half = k.E2 * mean
    chart = _chart(x, centre, centre - half, centre + half, (x - centre) / half * 3, "I", rules)
    ranges = _chart(moving, mean, k.D3 * mean, k.D4 * mean, (moving - mean) / ((k.D4 - 1) * mean) * 3, "MR",
                    (1,))
    ranges.index = chart.index[span - 1:]
    return chart, ranges


# 规则号 → 说法。1 到 8 依 Nelson 1984；西电（Western Electric）四条是 1、5、6、9
RULES = {1: "1 点超出 3σ", 2: "连续 9 点在中心线同一侧", 3: "连续 6 点一直升或一直降",
         4: "连续 14 点一升一降", 5: "3 点里有 2 点在同侧 2σ 以外", 6: "5 点里有 4 点在同侧 1σ 以外",
         7: "连续 15 点都在 1σ 以内", 8: "连续 8 点都在 1σ 以外", 9: "连续 8 点在中心线同一侧"}
RULE_SETS = {"western": (1, 5, 6, 9), "nelson": (1, 2, 3, 4, 5, 6, 7, 8), "limits": (1,)}


def signals(z, rules="western") -> list[list]:
    """Which rules each point of a control chart breaks. z: distance from the centre line in σ, in order.

    rules: "western" (Western Electric 1956), "nelson" (all eight), "limits" (only 3σ), or numbers of
    ``RULES``. A run is reported at the point that completes it and at every further one. More rules find a
    shift sooner and raise more false alarms. Source: Nelson 1984, J. of Quality Technology 16, 237.

    >>> signals([0, 0, 3.2, -.5]), signals([2.1, 0, 2.2])[-1]
    ([[], [], [1], []], [5])
    """
    z = numeric(z, "z")
    if isinstance(rules, str):
        if rules not in RULE_SETS:
            raise CourseError(f"没有“{rules}”这套规则；可以用 {'、'.join(RULE_SETS)}。")
        rules = RULE_SETS[rules]
    if odd := [r for r in rules if r not in RULES]:
        raise CourseError(f"没有规则 {odd[0]}；有的是 {'、'.join(map(str, RULES))}。")
    step = np.diff(z, prepend=np.nan)
    turns = np.r_[np.nan, step[1:] * step[:-1]] if len(z) else step
    checks = {1: lambda: np.abs(z) > 3, 2: lambda: _either(z, 9, 9, 0), 9: lambda: _either(z, 8, 8, 0),
              3: lambda: _either(step, 5, 5, 0), 4: lambda: _enough(turns < 0, 12, 12),
              5: lambda: _either(z, 2, 3, 2), 6: lambda: _either(z, 4, 5, 1),
              7: lambda: _enough(np.abs(z) < 1, 15, 15), 8: lambda: _enough(np.abs(z) > 1, 8, 8)}
    broken = {rule: checks[rule]() for rule in rules}
    return [[rule for rule in rules if broken[rule][i]] for i in range(len(z))]


def _enough(hits, least, of):
    """At each point: are at least ``least`` of the last ``of`` points hits, this one too?"""
    total = np.cumsum(np.r_[np.zeros(of), hits])
    return hits & (total[of:] - total[:-of] >= least)


def _either(z, least, of, distance):
    return _enough(z > distance, least, of) | _enough(z < -distance, least, of)


# ---------------------------------------------------------------- 比率

def rate_interval(events, volume, *, per=10_000, confidence=.95):
    """Rate of events per ``per`` units with its exact Poisson interval (Garwood 1936): (rate, low, high).

    >>> [round(x, 2) for x in rate_interval(0, 12000)], [round(x, 2) for x in rate_interval(9, 30000)]
    ([0.0, 0.0, 3.07], [3.0, 1.37, 5.69])
    """
    events, volume = number(events, "件数", low=0), number(volume, "业务量", above=0)
    tail = (1 - number(confidence, "置信水平", above=0, below=1)) / 2
    low = stats.chi2.ppf(tail, 2 * events) / 2 if events else 0.
    high = stats.chi2.ppf(1 - tail, 2 * events + 2) / 2
    return tuple(float(x / volume * number(per, "每多少件", above=0)) for x in (events, low, high))


def adjusted_rate(table, group, stratum, events, volume, *, per=10_000, confidence=.95) -> pd.DataFrame:
    """Compare groups that work under unlike conditions: rates adjusted for zone, season or kind of case.

    table: rows with events and volume; group: what is compared (teams), stratum: what differs in difficulty.
    Indirect standardisation: 应有 = Σ the group's volume × the rate of that stratum over all groups; 比值 =
    件数 / 应有 with its exact Poisson interval (taking 应有 as known); 调整后 = 比值 × the overall rate. 1 is
    as good as expected; 结论 says 偏高 or 偏低 only where the interval leaves out 1. Columns: 件数, 业务量,
    原始, 应有, 比值, 下限, 上限, 调整后, 结论. Source: Breslow & Day 1987, vol. II, ch. 2.

    >>> t = pd.DataFrame({"组": ["甲", "甲", "乙", "乙"], "难度": ["难", "易"] * 2, "错": [16, 1, 5, 9],
    ...                   "量": [800, 200, 200, 800]})
    >>> adjusted_rate(t, "组", "难度", "错", "量", per=100)[["原始", "调整后"]].round(2).values.tolist()
    [[1.7, 1.4], [1.4, 1.78]]
    """
    at_least(len(table), 1, "行")
    d = pd.DataFrame({"组": column(table, group).to_numpy(), "层": column(table, stratum).to_numpy(),
                      "件": numeric(column(table, events), events, low=0),
                      "量": numeric(column(table, volume), volume, low=0)})
    layers = d.groupby("层")[["件", "量"]].sum()
    if d["件"].sum() == 0:
        raise CourseError(f"“{events}”合计是 0，没有可比的。")
    rate = layers["件"] / layers["量"].where(layers["量"] > 0)
    d["应"] = (d["量"] * d["层"].map(rate)).fillna(0)
    found = d.groupby("组")[["件", "量", "应"]].sum()
    if (found["应"] == 0).any():
        raise CourseError(f"“{found.index[found['应'] == 0][0]}”的应有件数是 0，比不出来。去掉它，"
                          "或者把层分粗一些。")
    per = number(per, "每多少件", above=0)
    overall = found["件"].sum() / found["量"].sum() * per
    ends = np.array([rate_interval(k, e, per=1, confidence=confidence)
                     for k, e in zip(found["件"], found["应"], strict=True)])
    verdict = np.where(ends[:, 1] > 1, "偏高", np.where(ends[:, 2] < 1, "偏低", ""))
    return pd.DataFrame({"件数": found["件"], "业务量": found["量"], "原始": found["件"] / found["量"] * per,
                         "应有": found["应"], "比值": ends[:, 0], "下限": ends[:, 1], "上限": ends[:, 2],
                         "调整后": ends[:, 0] * overall, "结论": verdict}
                        ).sort_values("比值").rename_axis(group)


def sla(table, actual, promise, *, by=None, target=.95, confidence=.95) -> pd.DataFrame:
    """Share of promises kept, with its Wilson interval, against a target.

    actual: column of hours taken (blank: not finished); promise: column of hours promised, or one number. By
    default all rows together (全部), or a row per value of ``by``. Not finished ones are counted in 未完成
    and are not in the share. 结论: 达标 or 未达标 only where the whole interval lies on one side of the
    target, otherwise 还说不准. A group with nothing finished has an empty share. Columns: 单数, 按时, 达标率,
    下限, 上限, 未完成, 结论.

    >>> t = pd.DataFrame({"用时": [20, 30, 26, None]})
    >>> sla(t, "用时", 24)[["单数", "按时", "未完成", "结论"]].values.tolist()
    [[3, 1, 1, '未达标']]
    """
    at_least(len(table), 1, "单")
    target = number(target, "目标", above=0, high=1)
    took = numeric(column(table, actual), actual, low=0, missing=True)
    due = numeric(column(table, promise), promise, low=0) if isinstance(promise, str) else number(
        promise, "承诺时限", above=0)
    d = pd.DataFrame({"完成": ~np.isnan(took), "按时": took <= due,
                      "组": column(table, by).to_numpy() if by else "全部"})
    found = d.groupby("组").agg(全部=("完成", "size"), 单数=("完成", "sum"), 按时=("按时", "sum"))
    low, high = wilson_limits(found["按时"], found["单数"], confidence)
    verdict = np.where(low >= target, "达标", np.where(high < target, "未达标", "还说不准"))
    return pd.DataFrame({"单数": found["单数"], "按时": found["按时"],
                         "达标率": found["按时"] / found["单数"].where(found["单数"] > 0),
                         "下限": low, "上限": high, "未完成": found["全部"] - found["单数"],
                         "结论": verdict}).rename_axis(by)


@result
class PerfectOrder(Result):
    value: float = label("完美订单率")
    low: float = label("下限")
    high: float = label("上限")
    n: int = label("订单")
    product: float = label("各项相乘（若互不相干）")
    parts: pd.DataFrame = label("各项")


def perfect_order(table, parts, confidence=.95) -> PerfectOrder:
    """Share of orders in which everything went right, with its Wilson interval.

    parts: columns of 1/0 (on time, complete, undamaged, papers right …). Their rates multiplied would be the
    answer if faults fell on orders independently; if faults come together, more orders are perfect than that.
    parts: 合格率, 只差这一项 (orders that fail by this one alone: what mending it would bring).
    Source: SCOR model, metric RL.1.1.

    >>> t = pd.DataFrame({"准时": [1, 1, 0, 1], "完好": [1, 0, 0, 1]})
    >>> r = perfect_order(t, ["准时", "完好"])
    >>> r.value, r.product, r.parts["只差这一项"].tolist()
    (0.5, 0.375, [0, 1])
    """
    at_least(len(parts), 1, "项")
    at_least(len(table), 1, "张订单")
    right = np.column_stack([flags(column(table, c), c) for c in parts])
    perfect = right.all(axis=1)
    wrong = (1 - right).sum(axis=1)
    alone = ((right == 0) & (wrong == 1)[:, None]).sum(axis=0)
    low, high = (float(x) for x in wilson_limits(perfect.sum(), len(perfect), confidence))
    shown = pd.DataFrame({"合格率": right.mean(axis=0), "只差这一项": alone}, list(parts))
    return PerfectOrder(perfect.mean(), low, high, len(perfect), right.mean(axis=0).prod(), shown)


# ---------------------------------------------------------------- 流程用时

def flow_times(log, case="工单编号", step="环节", start="开始时间", end="结束时间", *, who=None,
               keep=()) -> pd.DataFrame:
    """From an event log (a row per step done): how long each case took, and how much of it was work.

    Hours. 历时 from the first start to the last end; 作业 is time in which at least one step was under way
    (steps that overlap count once); 等待 = 历时 − 作业; 效率 = 作业 ÷ 历时 (1 where 历时 is 0); 环节数; 返工:
    steps done again; 交接 (if ``who`` is given): times the work went to somebody else. keep: columns of the
    log that are the same throughout a case. A step that ends before it starts is an error that names the
    case.

    >>> log = pd.DataFrame({"工单编号": ["P1", "P1"], "环节": ["登记", "审批"],
    ...                     "开始时间": ["2025-01-06 09:00", "2025-01-06 12:00"],
    ...                     "结束时间": ["2025-01-06 10:00", "2025-01-06 13:00"]})
    >>> flow_times(log).loc["P1", ["历时", "作业", "等待", "效率"]].tolist()
    [4.0, 2.0, 2.0, 0.5]
    """
    d = _steps(log, case, step, start, end)
    same = d["单"].eq(d["单"].shift())
    reached = d.groupby("单")["止"].cummax()  # 到这一步为止，做到了什么时候
    before = reached.shift().where(same, d["起"])
    d["作业"] = (d["止"] - np.maximum(d["起"], before)).clip(lower=0)
    of = d.groupby("单")
    found = pd.DataFrame({"历时": of["止"].max() - of["起"].min(), "作业": of["作业"].sum()})
    found["等待"] = found["历时"] - found["作业"]
    found["效率"] = (found["作业"] / found["历时"].where(found["历时"] > 0)).fillna(1)
    found["环节数"] = of.size()
    found["返工"] = d.duplicated(["单", "步"]).groupby(d["单"]).sum()
    if who is not None:
        person = column(log, who).loc[d.index]
        found["交接"] = (same & person.ne(person.shift())).groupby(d["单"]).sum()
    for name in keep:
        values = column(log, name).loc[d.index]
        if (values.groupby(d["单"]).nunique(dropna=False) > 1).any():
            raise CourseError(f"同一张单里“{name}”不止一个值，不能跟着单走。")
        found[name] = values.groupby(d["单"]).first()
    return found.rename_axis(case)


def _steps(log, case, step, start, end):
    """Log as 单, 步, 起, 止 (hours), in the order of work; checked."""
    at_least(len(log), 1, "个环节")
    log = log.reset_index(drop=True) if not log.index.is_unique else log
    begin, finish = dates(column(log, start), start), dates(column(log, end), end)
    cases = column(log, case)
    if cases.isna().any():
        raise CourseError(f"“{case}”有 {int(cases.isna().sum())} 个空值。先查明原因，再填上或删去。")
    if (finish < begin).any():
        raise CourseError(f"“{cases[finish < begin].iloc[0]}”有个环节结束得比开始还早。先查时间。")
    zero = begin.min()
    d = pd.DataFrame({"单": cases, "步": column(log, step), "起": (begin - zero).dt.total_seconds() / 3600,
                      "止": (finish - zero).dt.total_seconds() / 3600})
    return d.sort_values(["单", "起", "止"], kind="stable")


def step_times(log, case="工单编号", step="环节", start="开始时间", end="结束时间") -> pd.DataFrame:
    """Where the time goes: work and waiting of each step, in the order in which steps usually come.

    Hours; waiting for a step runs from the end of all steps of the case begun before it. Columns: 次数,
    每单几次, 平均作业, 平均等待 (before it), 占历时 (share of the time of all cases that was waiting for it
    or doing it).

    >>> log = pd.DataFrame({"工单编号": ["P1", "P1"], "环节": ["登记", "审批"],
    ...                     "开始时间": ["2025-01-06 09:00", "2025-01-06 12:00"],
    ...                     "结束时间": ["2025-01-06 10:00", "2025-01-06 13:00"]})
    >>> step_times(log)["平均等待"].to_dict()
    {'登记': 0.0, '审批': 2.0}
    """
    d = _steps(log, case, step, start, end)
    before = d.groupby("单")["止"].cummax().groupby(d["单"]).shift().fillna(d["起"])
    d["等"] = (d["起"] - before).clip(lower=0)
    d["做"] = d["止"] - d["起"]
    d["位"] = d.groupby("单").cumcount()
    of = d.groupby("步")
    cases = d.groupby("单")
    whole = (cases["止"].max() - cases["起"].min()).sum()
    found = pd.DataFrame({"次数": of.size(), "每单几次": of.size() / d["单"].nunique(),
                          "平均作业": of["做"].mean(), "平均等待": of["等"].mean(), "占历时": 0.,
                          "位": of["位"].mean()})
    if whole:
        found["占历时"] = (of["做"].sum() + of["等"].sum()) / whole
    return found.sort_values("位").drop(columns="位").rename_axis(step)


def compare_flows(cases, by, *, value="历时", confidence=.95) -> pd.DataFrame:
    """Before and after: how long cases took in each group, and the change from the first group.

    cases: ``flow_times`` with the column ``by`` kept; groups come in the order in which they first occur.
    Columns: 单数, 平均, 中位数, 最慢一成 (90th percentile), 变化 (difference of the means, hours), 下限, 上限
    (Welch), 变化率. One case in a group gives no interval.

    >>> t = pd.DataFrame({"历时": [40., 50, 30, 20], "版本": ["前", "前", "后", "后"]})
    >>> compare_flows(t, "版本").loc["后", ["平均", "变化"]].tolist()
    [25.0, -20.0]
    """
    groups = {name: numeric(x, value) for name, x in column(cases, value).groupby(
        column(cases, by), sort=False)}
    at_least(len(groups), 1, f"组（“{by}”里没有值）")
    level = number(confidence, "置信水平", above=0, below=1)
    first = next(iter(groups.values()))
    rows = {}
    for name, x in groups.items():
        change, half = x.mean() - first.mean(), np.nan
        if x is not first and min(len(x), len(first)) > 1:
            a, b = x.var(ddof=1) / len(x), first.var(ddof=1) / len(first)
            freedom = (a + b) ** 2 / (a ** 2 / (len(x) - 1) + b ** 2 / (len(first) - 1)) if a + b else 1
            half = stats.t.ppf(.5 + level / 2, freedom) * sqrt(a + b)
        share = change / first.mean() if first.mean() else np.nan
        rows[name] = (len(x), x.mean(), np.median(x), np.quantile(x, .9), change, change - half,
                      change + half, share)
    return pd.DataFrame.from_dict(rows, orient="index", columns=["单数", "平均", "中位数", "最慢一成", "变化",
                                                                 "下限", "上限", "变化率"]).rename_axis(by)


# ---------------------------------------------------------------- 图

def plot_control(chart, ax=None, *, names=None, ylabel=None):
    """Control chart (``p_chart``, ``u_chart``, or one of ``imr_chart``); points with a signal are large red
    squares; the number of a rule stands where it begins to be broken. names: labels for the samples. Returns
    the Axes."""
    ax = axes(ax)
    x = np.arange(1, len(chart) + 1)
    share = chart.attrs.get("kind") == "p"
    shown = chart[["值", "中心", "下限", "上限"]].to_numpy() * (100 if share else 1)
    value, centre, low, high = shown.T
    ax.fill_between(x, low, high, step="mid", color="C4", alpha=.15, linewidth=0)
    for edge in (low, high):
        ax.step(x, edge, where="mid", color="C0", linestyle="--", linewidth=1.6)
    ax.plot(x, centre, color="C2", linewidth=2)
    ax.plot(x, value, "o-", color="0.25", linewidth=1.6, markersize=5)
    out = (chart["信号"] != "").to_numpy()
    ax.plot(x[out], value[out], "s", color="C3", markersize=11, zorder=3)
    before = [set(), *(set(cell.split("、")) for cell in chart["信号"])]
    for i in np.flatnonzero(out):  # 一串信号只在开头写一次规则号，不然叠成一团
        new = "、".join(r for r in chart["信号"].iloc[i].split("、") if r not in before[i])
        ax.annotate(new, (x[i], value[i]), (0, 10), textcoords="offset points", ha="center",
                    color="C3", fontweight="bold", fontsize="small")
    for edge, text in ((high, "上限"), (centre, "中心"), (low, "下限")):
        ax.annotate(f"{text} {edge[-1]:.3g}", (x[-1], edge[-1]), (12, 0), textcoords="offset points",
                    va="center", annotation_clip=False)
    if names is not None:
        every = max(len(x) // 12, 1)
        ax.set_xticks(x[::every], [str(n) for n in names][::every],
                      **({"rotation": 45, "ha": "right"} if len(x) > 6 else {}))
    broken = [f"{r}：{text}" for r, text in RULES.items() if str(r) in set().union(*before)]
    if broken:
        lines = ["　".join(broken[i:i + 2]) for i in range(0, len(broken), 2)]
        ax.set_title("\n".join(lines), fontsize="medium", fontweight="normal", color="C3")
    ax.margins(y=.12)
    default = {"p": "占比（%）", "u": "比率", "MR": "移动极差"}.get(chart.attrs.get("kind"), "数值")
    ax.grid(axis="x", visible=False)
    ax.set(ylabel=ylabel or default, xlabel="" if names is not None else "样本")
    return ax


def plot_causes(pareto, ax=None):
    """Pareto chart of ``cause_pareto``: the vital few hatched, the running share above; returns the Axes."""
    ax = axes(ax)
    x = np.arange(len(pareto))
    few = pareto["关键少数"].to_numpy()
    for part, colour, hatch in ((few, "C0", "//"), (~few, "0.75", "")):
        if part.any():
            ax.bar(x[part], pareto["数量"][part], color=colour, hatch=hatch, edgecolor="white")
    top = pareto["数量"].sum()
    running = ax.twinx()
    running.plot(x, 100 * pareto["累计占比"], "o-", color="C3")
    last = int(few.sum()) - 1
    running.annotate(f"前 {last + 1} 项占 {pareto['累计占比'].iloc[last]:.0%}",
                     (last, 100 * pareto["累计占比"].iloc[last]), (10, -22), textcoords="offset points",
                     color="C3", fontweight="bold")
    running.set(ylim=(0, 105), ylabel="累计占比（%）")
    running.grid(visible=False)
    running.spines["right"].set_visible(True)
    ax.set_xticks(x, pareto.index.astype(str), rotation=30 if len(x) > 6 else 0, ha="right" if len(x) > 6 else
                  "center")
    ax.grid(axis="x", visible=False)
    ax.set(ylim=(0, 1.05 * top), ylabel="数量")
    return ax


def plot_gaps(gaps, ax=None):
    """Expectation and perception of each dimension of ``servqual_gaps``, joined by the gap, the worst on top;
    returns the Axes."""
    ax = axes(ax)
    table = gaps.dimensions.iloc[::-1]
    y = np.arange(len(table))
    ax.hlines(y, table["感受"], table["期望"], color="0.6", linewidth=5)
    ax.plot(table["期望"], y, "D", color="C0", markersize=11, label="期望")
    ax.plot(table["感受"], y, "o", color="C3", markersize=12, label="感受")
    for at, (_, row) in zip(y, table.iterrows(), strict=True):
        ax.annotate(f"{row['差距']:+.2f}".replace("-", "−"), ((row["期望"] + row["感受"]) / 2, at), (0, 10),
                    textcoords="offset points", ha="center")
    ax.set_yticks(y, table.index.astype(str))
    ax.set(ylim=(-.6, len(y) - .3), xlabel="平均分")
    ax.grid(axis="y", visible=False)
    ax.legend(loc="lower center", bbox_to_anchor=(.5, 1), ncols=2)
    return ax


def plot_flow(steps, ax=None):
    """Waiting and work of each step (``step_times``), or of several versions (dict name → steps), as bars
    laid end to end: hours for one pass; returns the Axes."""
    ax = axes(ax)
    versions = steps if isinstance(steps, dict) else {"": steps}
    order = list(dict.fromkeys(s for t in versions.values() for s in t.index))
    colours = ["C0", "C1", "C2", "C3", "C4", "C5", "C6", "0.6"]
    for y, table in enumerate(versions.values()):
        left = 0.
        for name, row in table.iterrows():
            colour = colours[order.index(name) % len(colours)]
            for hours, look in ((row["平均等待"], {"alpha": .35, "hatch": "//"}), (row["平均作业"], {})):
                ax.barh(y, hours * row["每单几次"], left=left, color=colour, edgecolor="white", **look)
                left += hours * row["每单几次"]
        ax.annotate(f"{left:.1f} 小时", (left, y), (6, 0), textcoords="offset points", va="center")
    import matplotlib.patches as patches

    keys = [patches.Patch(facecolor=colours[i % len(colours)], label=str(n)) for i, n in enumerate(order)]
    keys.append(patches.Patch(facecolor="0.8", hatch="//", edgecolor="white", label="浅色：等它"))
    ax.legend(handles=keys, loc="lower center", bbox_to_anchor=(.5, 1), ncols=4, fontsize="small")
    ax.set_yticks(range(len(versions)), list(versions))
    ax.invert_yaxis()
    ax.margins(x=.14)
    ax.grid(axis="y", visible=False)
    ax.set(xlabel="平均每单（小时）")
    return ax
