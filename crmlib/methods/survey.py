"""问卷调查：发多少份、误差多大、题目可不可靠、谁在乱答、两个问题有没有关系、两个方案谁更好。"""

from math import ceil, sqrt
from statistics import NormalDist

import numpy as np
import pandas as pd
import scipy

from crmlib.cli import CourseError
from crmlib.methods._common import (
    Result,
    as_frame,
    at_least,
    axes,
    column,
    items_table,
    label,
    number,
    numeric,
    result,
    same_length,
)


def z_value(confidence=.95) -> float:
    """Two-sided normal quantile of a confidence level.

    >>> round(z_value(.95), 3)
    1.96
    """
    return NormalDist().inv_cdf(.5 + number(confidence, "置信水平", above=0, below=1) / 2)


# ---------------------------------------------------------------- 样本量和区间

@result
class SampleSize(Result):
    exact: float = label("公式得数")
    n: int = label("至少收回（份有效问卷）")
    to_send: int = label("至少发出（份）")


def sample_size(margin=.05, p=.5, confidence=.95, population=None, *, design_effect=1,
                response_rate=1) -> SampleSize:
    """How many answers are needed to estimate a share within ``margin`` (0.05 = 5 percentage points).

    n0 = z²p(1−p)/margin²; with a finite population N, n = n0 / (1 + (n0 − 1)/N). ``design_effect`` multiplies
    n for cluster samples; ``response_rate`` turns answers needed into sheets to send. ``n`` is rounded up, so
    that the margin is kept (printed tables often round to the nearest: 217 for N = 500; ours says 218).
    Source: Cochran, Sampling Techniques, 3rd ed., §4.4; table: Krejcie & Morgan 1970.

    >>> sample_size().n, sample_size(population=1000).n, sample_size(response_rate=.3).to_send
    (385, 278, 1281)
    """
    margin = number(margin, "允许误差", above=0, below=1)
    p = number(p, "预计比例", above=0, below=1)
    n = z_value(confidence) ** 2 * p * (1 - p) / margin ** 2
    if population is not None:
        n /= 1 + (n - 1) / number(population, "总体人数", low=1)
    n *= number(design_effect, "设计效应", above=0)
    to_send = n / number(response_rate, "回收率", above=0, high=1)
    return SampleSize(n, ceil(n - 1e-9), ceil(to_send - 1e-9))


@result
class Interval(Result):
    estimate: float = label("估计值")
    low: float = label("下限")
    high: float = label("上限")
    n: int = label("样本数")
    confidence: float = label("置信水平")


def wilson_interval(successes, n, confidence=.95) -> Interval:
    """Interval of a share; sound for few answers and for shares of 0 or 1, where p ± z·se breaks down.

    Source: Wilson 1927; Newcombe 1998, Statistics in Medicine 17, 857, method 3.

    >>> r = wilson_interval(81, 263)
    >>> round(r.low, 4), round(r.high, 4)
    (0.2553, 0.3662)
    """
    n = number(n, "样本数", above=0)
    successes = number(successes, "次数", low=0, high=n)
    low, high = wilson_limits(successes, n, confidence)
    return Interval(successes / n, low[()], high[()], int(n), confidence)


def wilson_limits(successes, n, confidence=.95):
    """The two Wilson limits; numbers or arrays. Where n is 0 nothing is known: 0 to 1."""
    z2 = z_value(confidence) ** 2
    x, n = np.asarray(successes, float), np.asarray(n, float)
    centre = (x + z2 / 2) / (n + z2)
    half = np.sqrt(z2 * (x * (n - x) / np.maximum(n, 1) + z2 / 4)) / (n + z2)
    return np.where(x > 0, centre - half, 0.), np.where(x < n, centre + half, 1.)


def mean_interval(values, confidence=.95, population=None) -> Interval:
    """Student's t interval of a mean; missing answers are left out; ``population`` corrects for a small one.

    >>> r = mean_interval([3, 4, 5, None])
    >>> r.n, r.estimate, round(r.low, 2), round(r.high, 2)
    (3, 4.0, 1.52, 6.48)
    """
    values = numeric(values, "数值", missing=True)
    values = values[~np.isnan(values)]
    n = len(values)
    at_least(n, 2, "个数，才能算区间")
    half = scipy.special.stdtrit(n - 1, .5 + number(confidence, "置信水平", above=0, below=1) / 2)
    half *= values.std(ddof=1) / sqrt(n)
    if population is not None:
        size = number(population, "总体人数", low=max(n, 2))
        half *= sqrt((size - n) / (size - 1))
    return Interval(values.mean(), values.mean() - half, values.mean() + half, n, confidence)


# ---------------------------------------------------------------- 题目质量

@result
class Alpha(Result):
    value: float = label("α 系数")
    low: float = label("下限")
    high: float = label("上限")
    standardised: float | None = label("标准化 α")
    items: int = label("题数")
    n: int = label("有效答卷")
    dropped: int = label("有空题而没用上的答卷")
    note: str = label("注意")


def cronbach_alpha(items, confidence=.95) -> Alpha:
    """Internal consistency of a scale with its interval (Feldt's F).

    items: a row per answer sheet, a column per item, reversed items already turned (``reverse_items``).
    Sheets with a missing item are left out and counted. At most 1; negative where items contradict.
    Source: Cronbach 1951; interval: Feldt, Woodruff & Salih 1987.

    >>> a = cronbach_alpha(pd.DataFrame({"Q1": [1, 2, 3, 4], "Q2": [2, 2, 3, 5], "Q3": [1, 3, 3, 4]}))
    >>> round(a.value, 3), round(a.low, 2), a.n
    (0.947, 0.65, 4)
    """
    table, dropped = items_table(items)
    n, k = table.shape
    at_least(n, 3, "份答完的问卷")
    total = table.sum(axis=1).var()
    if not total > 0:
        raise CourseError("每份答卷的总分都一样，看不出题目是否一致，α 算不了。")
    alpha = k / (k - 1) * (1 - table.var().sum() / total)
    f = scipy.stats.f(n - 1, (n - 1) * (k - 1))
    tail = (1 - number(confidence, "置信水平", above=0, below=1)) / 2
    same = [str(c) for c in table if table[c].nunique() == 1]
    together = 0 if same else table.corr().to_numpy().sum()  # 标准化后总分的方差
    notes = [f"所有人都答得一样的题：{'、'.join(same)}；标准化 α 算不了。"] if same else []
    if alpha < 0:
        notes.append("α 小于 0：多半是反向题还没有转过来。")
    return Alpha(alpha, 1 - (1 - alpha) * f.isf(tail), 1 - (1 - alpha) * f.isf(1 - tail),
                 k / (k - 1) * (1 - k / together) if together > 1e-9 else None, k, n, dropped, "".join(notes))


def reverse_items(items, columns, low=1, high=5) -> pd.DataFrame:
    """A copy with the reversed items turned: x becomes low + high − x (missing answers stay missing).

    >>> reverse_items(pd.DataFrame({"Q1": [5, 1], "Q2": [1, 4]}), ["Q2"])["Q2"].tolist()
    [5, 2]
    """
    turned = items.copy()
    for name in [columns] if isinstance(columns, str) else columns:
        numeric(column(items, name), name, low=low, high=high, missing=True)
        turned[name] = low + high - items[name]
    return turned


def item_analysis(items, extreme=.27) -> pd.DataFrame:
    """Which items to keep. A row per item: mean, sd, correlation with the rest, α without it, and the
    critical ratio (Welch t between the sheets with the highest and the lowest ``extreme`` share of totals;
    sheets tied with the cut are included).

    Source: Kelley 1939 (27 %); corrected item-total correlation: Nunnally 1978.

    >>> t = item_analysis(pd.DataFrame({"Q1": [1, 2, 4, 5], "Q2": [1, 3, 4, 5], "Q3": [5, 4, 2, 1]}))
    >>> t.loc["Q3", "提示"]
    '和其他题方向相反：像是没转的反向题'
    """
    table, _ = items_table(items)
    n, k = table.shape
    at_least(n, 4, "份答完的问卷")
    extreme = number(extreme, "高低组比例", above=0, high=.5)
    total = table.sum(axis=1)
    top, bottom = table[total >= total.quantile(1 - extreme)], table[total <= total.quantile(extreme)]
    rows = []
    for name in table:
        x, rest = table[name], total - table[name]
        others = table.drop(columns=name)
        without = ((k - 1) / (k - 2) * (1 - others.var().sum() / rest.var())
                   if k > 2 and rest.var() > 0 else np.nan)
        if x.nunique() == 1 or rest.nunique() == 1:
            r, advice = np.nan, "所有人答得一样：没有区分力"
        else:
            r = np.corrcoef(x, rest)[0, 1]
            advice = ("和其他题方向相反：像是没转的反向题" if r < 0
                      else "和其他题关系弱：考虑删去或改写" if r < .3 else "")
        gap, spread = top[name].mean() - bottom[name].mean(), top[name].var() + bottom[name].var()
        if len(top) > 1 and len(bottom) > 1 and spread > 0:
            t, p = scipy.stats.ttest_ind(top[name], bottom[name], equal_var=False)
        else:  # 高低组里面各自都一样，t 没有定义
            t = p = np.nan
            advice = advice or "高低组内部没有差别，不做检验"
        rows.append({"平均": x.mean(), "标准差": x.std(), "与其余题相关": r, "删去后α": without,
                     "高低组差": gap, "t": t, "p": p, "提示": advice})
    return pd.DataFrame(rows, index=table.columns)


def careless_answers(items, *, longstring=None, seconds=None, opposites=(), low=1, high=5) -> pd.DataFrame:
    """Sheets that look careless, with reasons. Use the items as asked, before turning reversed ones.

    Flags: the same option ``longstring`` times running (default: more than half of the items); less than two
    ``seconds`` an item (seconds: one total per sheet); a pair of ``opposites`` (columns that ask the same
    thing in opposite directions) answered on the same extreme side; more than half of the items missing.
    Source: Curran 2016, J. Exp. Soc. Psychology 66; two seconds: Huang et al. 2012.

    >>> t = careless_answers(pd.DataFrame({"Q1": [5, 4], "Q2": [5, 2], "Q3": [5, 5], "Q4": [5, 1]}))
    >>> t["可疑"].tolist(), t["原因"].iloc[0]
    ([True, False], '连续 4 题选同一项')
    """
    table = pd.DataFrame({c: numeric(items[c], c, low=low, high=high, missing=True) for c in items},
                         index=items.index)
    k = table.shape[1]
    at_least(k, 3, "道题（列）")
    longstring = k // 2 + 1 if longstring is None else int(number(longstring, "连选题数", low=2))
    answers = table.to_numpy()
    run = longest = np.where(np.isnan(answers[:, 0]), 0, 1)
    for j in range(1, k):
        same = answers[:, j] == answers[:, j - 1]
        run = np.where(same, run + 1, np.where(np.isnan(answers[:, j]), 0, 1))
        longest = np.maximum(longest, run)
    blank = np.isnan(answers).sum(axis=1)
    found = pd.DataFrame({"缺答": blank, "最长连选": longest}, index=items.index)
    found["标准差"] = table.std(axis=1).fillna(0)
    reasons = [(longest >= longstring, [f"连续 {n} 题选同一项" for n in longest]),
               (blank > k / 2, [f"{n} 题没答" for n in blank])]
    if seconds is not None:
        same_length(答卷=items, 用时=seconds)
        found["每题秒数"] = numeric(seconds, "用时", low=0, missing=True) / k
        reasons.append(((found["每题秒数"] < 2).to_numpy(),
                        [f"平均每题 {s:.1f} 秒" for s in found["每题秒数"]]))
    middle = (low + high) / 2
    for one, other in opposites:
        a, b = (numeric(column(items, c), c, missing=True) - middle for c in (one, other))
        both = (np.sign(a) == np.sign(b)) & (np.minimum(abs(a), abs(b)) >= (high - low) / 2)
        reasons.append((both, [f"{one} 和 {other} 意思相反，却选了同一头"] * len(found)))
    found["原因"] = ["；".join(text[i] for hit, text in reasons if hit[i]) for i in range(len(found))]
    found["可疑"] = found["原因"] != ""
    return found


@result
class Adequacy(Result):
    kmo: float = label("KMO")
    chi2: float = label("巴特利特 χ²")
    df: int = label("自由度")
    p: float = label("p 值")
    items: pd.DataFrame = label("各题 KMO")


def kmo_bartlett(items) -> Adequacy:
    """Is factor analysis worth while? KMO (0 to 1; from 0.6 usable) and Bartlett's test of sphericity.

    Source: Kaiser 1974; Bartlett 1951. Sheets with a missing item are left out.

    >>> sheets = pd.DataFrame({"Q1": [1, 2, 3, 4, 5, 5], "Q2": [2, 2, 3, 5, 4, 5], "Q3": [1, 1, 4, 3, 5, 4]})
    >>> round(kmo_bartlett(sheets).kmo, 2)
    0.59
    """
    table, _ = items_table(items, 3)
    n, k = table.shape
    at_least(n, k + 1, "份答完的问卷（要比题数多）")
    r = _correlations(table)
    inverse = np.linalg.inv(r)
    partial = -inverse / np.sqrt(np.outer(np.diag(inverse), np.diag(inverse)))
    off = ~np.eye(k, dtype=bool)
    r2, q2 = np.where(off, r, 0) ** 2, np.where(off, partial, 0) ** 2
    chi2 = -(n - 1 - (2 * k + 5) / 6) * np.linalg.slogdet(r)[1]
    df = k * (k - 1) // 2
    each = pd.DataFrame({"KMO": r2.sum(0) / (r2.sum(0) + q2.sum(0))}, index=table.columns)
    return Adequacy(r2.sum() / (r2.sum() + q2.sum()), chi2, df, scipy.stats.chi2.sf(chi2, df), each)


def factor_loadings(items, factors=None) -> pd.DataFrame:
    """Exploratory factors: principal components of the correlations, varimax-rotated (Kaiser-normalised).

    factors: how many; default: as many as have an eigenvalue above 1. A row per item: its loading on each
    factor and its communality (share of its variance explained). Rows are ordered by factor, largest first;
    ``.attrs["explained"]`` holds each factor's share of the total variance.

    >>> sheets = pd.DataFrame({"Q1": [1, 2, 3, 4, 5, 5], "Q2": [2, 2, 3, 5, 4, 5], "Q3": [1, 1, 4, 3, 5, 4]})
    >>> factor_loadings(sheets)["因子1"].round(2).to_dict()
    {'Q1': 0.98, 'Q2': 0.92, 'Q3': 0.91}
    """
    table, _ = items_table(items, 3)
    at_least(len(table), table.shape[1] + 1, "份答完的问卷（要比题数多）")
    values, vectors = np.linalg.eigh(_correlations(table))
    values, vectors = values[::-1], vectors[:, ::-1]
    m = int(number(factors, "因子数", low=1, high=len(values))) if factors else int((values > 1).sum())
    loadings = vectors[:, :m] * np.sqrt(values[:m])
    communality = (loadings ** 2).sum(axis=1)
    if m > 1:
        from statsmodels.multivariate.factor_rotation import rotate_factors

        size = np.sqrt(communality)[:, None]
        loadings = rotate_factors(loadings / size, "varimax")[0] * size
    loadings = loadings[:, np.argsort(-(loadings ** 2).sum(0), kind="stable")]
    loadings *= np.where(loadings.sum(0) < 0, -1, 1)
    names = [f"因子{i + 1}" for i in range(m)]
    shown = pd.DataFrame(loadings, table.columns, names)
    shown["共同度"] = communality
    main = np.abs(loadings).argmax(1)
    order = np.lexsort((-np.abs(loadings).max(1), main))
    shown = shown.iloc[order]
    shown.attrs["explained"] = dict(zip(names, ((loadings ** 2).sum(0) / len(values)).round(6).tolist(),
                                        strict=True))
    return shown


def _correlations(table):
    flat = [str(c) for c in table if table[c].nunique() == 1]
    if flat:
        raise CourseError(f"这些题所有人答得一样，算不了相关，先去掉：{'、'.join(flat)}。")
    r = np.corrcoef(table.to_numpy(), rowvar=False)
    if np.linalg.cond(r) > 1e10:
        raise CourseError("有的题可以由别的题完全算出来（例如总分列，或同一题放了两次）。先去掉这样的列。")
    return r


# ---------------------------------------------------------------- 交叉表

def cross_table(table, rows, columns) -> pd.DataFrame:
    """Counts of two questions. ``.attrs["missing"]`` says how many sheets left either out; they do not count.

    >>> t = pd.DataFrame({"地区": ["苏南", "苏北", "苏北", None], "晚到": ["否", "是", "否", "是"]})
    >>> counts = cross_table(t, "地区", "晚到")
    >>> int(counts.loc["苏北", "是"]), counts.attrs["missing"]
    (1, 1)
    """
    a, b = column(table, rows), column(table, columns)
    counts = pd.crosstab(a, b)
    if counts.empty:
        raise CourseError(f"没有一份答卷同时答了“{rows}”和“{columns}”。")
    counts.attrs["missing"] = int((a.isna() | b.isna()).sum())
    return counts


@result
class ChiSquare(Result):
    chi2: float = label("χ²")
    df: int = label("自由度")
    p: float = label("p 值")
    cramers_v: float = label("克拉默 V（关系强弱，0～1）")
    n: int = label("总数")
    fisher_p: float | None = label("费舍尔精确检验 p（2×2）")
    expected: pd.DataFrame = label("期望数")
    residuals: pd.DataFrame = label("调整残差")
    cell_p: pd.DataFrame = label("各格 p 值（霍尔姆校正）")
    note: str = label("注意")


def chi_square(counts) -> ChiSquare:
    """Are two questions related? χ² of a table of counts, Cramér's V, and where the relation sits.

    An adjusted residual is a z value for its cell (|z| > 1.96 stands out); ``cell_p`` corrects for looking at
    every cell (Holm). No continuity correction; 2 × 2 tables also get Fisher's exact p; small expected counts
    are noted. A row or column without any count is an error.
    Source: Agresti, An Introduction to Categorical Data Analysis, 2nd ed., §2.4.

    >>> r = chi_square([[762, 327, 468], [484, 239, 477]])
    >>> round(r.chi2, 2), r.df, f"{r.p:.2e}", round(float(r.residuals.iloc[0, 0]), 2)
    (30.07, 2, '2.95e-07', 4.5)
    """
    counts = as_frame(counts, "交叉表")
    observed = np.array([numeric(counts.iloc[:, j], c, low=0) for j, c in enumerate(counts)]).T
    if min(observed.shape, default=0) < 2:
        raise CourseError("交叉表至少要两行两列。")
    by_row, by_column, n = observed.sum(1, keepdims=True), observed.sum(0, keepdims=True), observed.sum()
    empty = [*counts.index[by_row[:, 0] == 0], *counts.columns[by_column[0] == 0]]
    if empty:
        raise CourseError(f"“{empty[0]}”一个也没有。先去掉它，或与别的类合并。")
    expected = by_row * by_column / n
    chi2 = ((observed - expected) ** 2 / expected).sum()
    df = (observed.shape[0] - 1) * (observed.shape[1] - 1)
    z = (observed - expected) / np.sqrt(expected * (1 - by_row / n) * (1 - by_column / n))
    cell = holm(2 * scipy.special.ndtr(-np.abs(z)).ravel()).reshape(z.shape)
    two = observed.shape == (2, 2)
    few = (expected < 5).mean()
    note = f"{few:.0%} 的格子期望数小于 5，χ² 的 p 值只能参考；合并相近的类再算。" if few > .2 else ""

    def frame(values):
        return pd.DataFrame(values, counts.index, counts.columns)

    return ChiSquare(chi2, df, scipy.stats.chi2.sf(chi2, df),
                     sqrt(chi2 / (n * (min(observed.shape) - 1))), int(n),
                     scipy.stats.fisher_exact(observed)[1] if two else None,
                     frame(expected), frame(z), frame(cell), note)


def holm(p_values) -> np.ndarray:
    """p values corrected for testing many things at once; keeps the order given.

    Source: Holm 1979, Scandinavian J. of Statistics 6, 65.

    >>> holm([.01, .04, .03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    p = numeric(p_values, "p 值", low=0, high=1)
    at_least(len(p), 1, "个 p 值")
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(stepped, 1)
    return corrected


# ---------------------------------------------------------------- 两个方案比一比

@result
class TwoProportions(Result):
    first: float = label("甲的比例")
    second: float = label("乙的比例")
    difference: float = label("甲 − 乙")
    low: float = label("下限")
    high: float = label("上限")
    z: float = label("z")
    p: float = label("p 值（双侧）")


def two_proportions(successes1, n1, successes2, n2, confidence=.95) -> TwoProportions:
    """Difference of two independent shares with its interval, and the pooled two-sided z test.

    If nobody or everybody succeeded in both groups there is nothing to test: z = 0, p = 1.
    Source: interval: Newcombe 1998, Statistics in Medicine 17, 873, method 10.

    >>> r = two_proportions(56, 70, 48, 80)
    >>> round(r.difference, 2), round(r.low, 4), round(r.high, 4), round(r.p, 3)
    (0.2, 0.0524, 0.3339, 0.008)
    """
    a, b = wilson_interval(successes1, n1, confidence), wilson_interval(successes2, n2, confidence)
    d = a.estimate - b.estimate
    pooled = (a.estimate * a.n + b.estimate * b.n) / (a.n + b.n)
    se = sqrt(pooled * (1 - pooled) * (1 / a.n + 1 / b.n))
    z = d / se if se > 0 else 0.
    low = d - sqrt((a.estimate - a.low) ** 2 + (b.high - b.estimate) ** 2)
    high = d + sqrt((a.high - a.estimate) ** 2 + (b.estimate - b.low) ** 2)
    return TwoProportions(a.estimate, b.estimate, d, low, high, z, 2 * scipy.special.ndtr(-abs(z)))


@result
class GroupSizes(Result):
    exact: float = label("公式得数（甲组）")
    n1: int = label("甲组至少（人）")
    n2: int = label("乙组至少（人）")
    formula: str = label("公式")


def ab_sample_size(p1, p2, power=.8, alpha=.05, ratio=1) -> GroupSizes:
    """How many people an A/B test needs to tell share p1 from share p2 (two-sided test at ``alpha``).

    ratio = n2 / n1. Normal approximation, pooled variance under "no difference", separate variances under the
    alternative, no continuity correction; the same as R's power.prop.test.
    Source: Fleiss, Levin & Paik, Statistical Methods for Rates and Proportions, 3rd ed., ch. 4.

    >>> round(ab_sample_size(.5, .75, power=.9).exact, 1), ab_sample_size(.04, .05).n1
    (76.7, 6745)
    """
    p1, p2 = number(p1, "甲的比例", above=0, below=1), number(p2, "乙的比例", above=0, below=1)
    if p1 == p2:
        raise CourseError("两个比例一样，再多人也分不出来。写出你想分辨的最小差别。")
    r = number(ratio, "两组人数之比", above=0)
    pooled = (p1 + r * p2) / (r + 1)
    z = z_value(1 - number(alpha, "显著性水平", above=0, below=1))
    z_power = NormalDist().inv_cdf(number(power, "把握度", above=0, below=1))
    n = (z * sqrt((r + 1) * pooled * (1 - pooled)) + z_power * sqrt(r * p1 * (1 - p1) + p2 * (1 - p2))) ** 2
    n /= r * (p1 - p2) ** 2
    return GroupSizes(n, ceil(n - 1e-9), ceil(r * n - 1e-9),
                    "弗莱斯（Fleiss）正态近似：原假设用合并方差，备择用各自方差，不做连续性校正")


def ab_power(p1, p2, n1, n2=None, alpha=.05) -> float:
    """Chance that such a test detects the difference (the near side only, like R's power.prop.test).

    >>> round(ab_power(.5, .75, 50), 3)
    0.74
    """
    p1, p2 = number(p1, "甲的比例", low=0, high=1), number(p2, "乙的比例", low=0, high=1)
    n1 = number(n1, "甲组人数", low=1)
    n2 = n1 if n2 is None else number(n2, "乙组人数", low=1)
    pooled = (n1 * p1 + n2 * p2) / (n1 + n2)
    z = z_value(1 - number(alpha, "显著性水平", above=0, below=1))
    apart = sqrt(p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2)
    reach = abs(p1 - p2) - z * sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    if apart == 0:  # 一组全是、一组全不是
        return float(reach > 0)
    return NormalDist().cdf(reach / apart)


# ---------------------------------------------------------------- 图

def plot_intervals(estimates, *, unit="", reference=None, ax=None):
    """Estimates with their intervals, one line each, the largest on top; returns the Axes.

    estimates: dict name → ``Interval`` (anything with estimate or value, low and high). ``unit="%"`` shows
    shares as percentages; ``reference`` draws a dashed line, such as a target.
    """
    if not estimates:
        raise CourseError("没有可画的估计值。")
    ax = axes(ax)
    factor = 100 if unit == "%" else 1
    rows = sorted(((factor * getattr(e, "estimate", getattr(e, "value", None)), factor * e.low,
                    factor * e.high, name) for name, e in estimates.items()), key=lambda row: row[0])
    middle, low, high, names = zip(*rows, strict=True)
    y = range(len(rows))
    ax.hlines(y, low, high, color="C0", linewidth=4, alpha=.45)
    ax.plot(middle, y, "o", color="C0")
    for i, (value, end) in enumerate(zip(middle, high, strict=True)):
        ax.annotate(f"{value:.3g}{unit}", (end, i), (6, 0), textcoords="offset points", va="center")
    if reference is not None:
        ax.axvline(factor * reference, color="C3", linestyle="--")
    ax.set_yticks(list(y), names)
    ax.set_ylim(-.6, len(rows) - .4)
    ax.margins(x=.12)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel("估计值和置信区间" + (f"（{unit}）" if unit else ""))
    return ax
