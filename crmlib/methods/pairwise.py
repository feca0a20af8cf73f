"""两两比较：成对比较法（循环三元组、一致性系数）、布拉德利－特里模型、层次分析法（AHP）。"""

from itertools import combinations
from math import comb, log

import numpy as np
import pandas as pd
import scipy

from crmlib.cli import CourseError
from crmlib.methods._common import Result, as_frame, at_least, axes, label, numeric, result

# 萨蒂（Saaty）的平均随机一致性指标，下标是因素个数
RANDOM_INDEX = (0, 0, 0, .58, .90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49)


def _square(matrix, what, low=0) -> tuple[np.ndarray, list]:
    frame = as_frame(matrix, what)
    if frame.shape[0] != frame.shape[1]:
        raise CourseError(f"{what}要行列一样多，现在是 {frame.shape[0]} 行 {frame.shape[1]} 列。")
    at_least(len(frame), 2, "个要比较的对象")
    if not isinstance(matrix, pd.DataFrame):
        frame.index = frame.columns = range(1, len(frame) + 1)  # 没有名字的，叫 1、2、3
    if list(frame.index) != list(frame.columns):
        raise CourseError(f"{what}的行名和列名要相同，顺序也要相同。")
    values = np.array([numeric(frame[c], c, low=low) for c in frame], float).T
    return values, frame.index.tolist()


# ---------------------------------------------------------------- 成对比较法

@result
class PairedComparison(Result):
    scores: pd.DataFrame = label("得分")
    circular: int = label("循环三元组（个）")
    most: int = label("最多可能有（个）")
    consistence: float = label("一致性系数（1 没有矛盾）")
    triads: list = label("互相矛盾的三个")
    note: str = label("注意")


def paired_comparison(matrix, floor=0) -> PairedComparison:
    """Weights from judging all pairs: is the row more important than the column?

    matrix[i][j]: 1 yes, 0 no, 0.5 equal, with matrix[i][j] + matrix[j][i] = 1; the diagonal does not count.
    A DataFrame with names, or a list of lists. Score = row sum, weight = its share; ``floor`` is added to
    every score, so that the last one need not weigh 0 (1 is customary). Contradictions: circular triads
    (A over B, B over C, C over A); consistence ζ = 1 − d / d_max. A tied pair is part of no triad.
    Source: Kendall & Babington Smith 1940, Biometrika 31, 324.

    >>> r = paired_comparison([[0, 1, 0], [0, 0, 1], [1, 0, 0]])
    >>> r.circular, r.consistence, r.triads
    (1, 0.0, ['1胜2、2胜3、3胜1'])
    """
    wins, names = _square(matrix, "比较表")
    n = len(wins)
    np.fill_diagonal(wins, 0)
    for i, j in combinations(range(n), 2):
        if abs(wins[i, j] + wins[j, i] - 1) > 1e-9:
            raise CourseError(f"“{names[i]}”比“{names[j]}”填了 {wins[i, j]:g}，反过来填了 {wins[j, i]:g}："
                              "两格之和应当是 1（1 和 0，或各 0.5）。")
    score = wins.sum(1)
    at_least(score.sum() + floor * n, 1e-9, "分")
    ties = sum(wins[i, j] == .5 for i, j in combinations(range(n), 2))
    found = []
    for i, j, k in combinations(range(n), 3):
        if wins[i, j] == wins[j, k] == wins[k, i] and wins[i, j] != .5:
            a, b, c = (names[x] for x in ((i, j, k) if wins[i, j] else (i, k, j)))
            found.append(f"{a}胜{b}、{b}胜{c}、{c}胜{a}")
    most = (n ** 3 - n) // 24 if n % 2 else (n ** 3 - 4 * n) // 24
    table = pd.DataFrame({"得分": score, "权重": (score + floor) / (score.sum() + floor * n)}, names)
    table["名次"] = table["得分"].rank(ascending=False, method="min").astype(int)
    notes = [f"有 {ties} 对并列：并列的对不算进矛盾里。"] if ties else []
    if n < 3:
        notes.append("只有两个对象，不会有矛盾。")
    if not floor and (score == 0).any():
        notes.append(f"“{names[int(score.argmin())]}”的权重是 0；想让它也占一点，设 floor=1。")
    return PairedComparison(table, len(found), most, 1 - len(found) / most if most else 1., found,
                            "".join(notes))


@result
class RaterAgreement(Result):
    u: float = label("一致系数 u")
    chi2: float = label("χ²")
    df: float = label("自由度")
    p: float = label("p 值")
    raters: int = label("评判人数")


def rater_agreement(matrices) -> RaterAgreement:
    """Do several raters agree in their paired comparisons? Kendall's u (1 = completely) and its χ² test.

    matrices: one matrix of 0 and 1 per rater, as for ``paired_comparison``, without ties; three raters or
    more. Source: Kendall & Babington Smith 1940; Siegel & Castellan 1988, §9.7.

    >>> m = [[0, 1, 1], [0, 0, 1], [0, 0, 0]]
    >>> rater_agreement([m, m, m]).u
    1.0
    """
    squares = [_square(m, "比较表")[0] for m in matrices]
    m = len(squares)
    at_least(m, 3, "位评判人")
    if len({len(s) for s in squares}) > 1:
        raise CourseError("每位评判人要比较同样多的对象。")
    total = sum(squares)
    np.fill_diagonal(total, 0)
    n = len(total)
    for i, j in combinations(range(n), 2):
        if total[i, j] + total[j, i] != m or total[i, j] != int(total[i, j]):
            raise CourseError("每一对都要分出先后（一格是 1，对称的一格是 0），不能并列或空着。")
    same = (total * (total - 1) / 2).sum()
    pairs = comb(m, 2) * comb(n, 2)
    chi2 = 4 / (m - 2) * (same - pairs * (m - 3) / (m - 2) / 2)
    df = comb(n, 2) * m * (m - 1) / (m - 2) ** 2
    return RaterAgreement(2 * same / pairs - 1, chi2, df, scipy.stats.chi2.sf(chi2, df), m)


def bradley_terry(wins, *, names=None) -> pd.DataFrame:
    """Strengths from many comparisons: P(i over j) = s_i / (s_i + s_j). wins[i][j]: times i was preferred.

    Columns: 强度 (shares adding up to 1), 对数强度 (that of the last in the ranking is 0), 标准误 (of its
    difference from the last; empty for the last itself), 胜, 负; strongest first. Pairs may be compared
    unequally often, some not at all. If someone never lost, or two groups were never (or one-sidedly)
    compared, no finite answer exists: an error names them.
    Source: Bradley & Terry 1952; the condition: Hunter 2004, Annals of Statistics 32, 384.

    >>> bradley_terry([[0, 3], [1, 0]], names=["甲", "乙"])["强度"].round(4).tolist()
    [0.75, 0.25]
    """
    won, found = _square(wins, "胜负表")
    names = found if names is None else list(names)
    np.fill_diagonal(won, 0)
    _, parts = scipy.sparse.csgraph.connected_components(won > 0, directed=True, connection="strong")
    if parts.max() > 0:
        for part in range(parts.max() + 1):
            inside = parts == part
            if not won[np.ix_(~inside, inside)].any():  # 外面没有人赢过它们
                who = "、".join(str(names[i]) for i in np.flatnonzero(inside))
                raise CourseError(f"{who} 从没输给过其他对象（或没有和它们比过），强度会变成无穷大。"
                                  "再比几次，或把这些对象分开算。")
    games, n = won + won.T, len(won)
    s = np.zeros(n)
    for _ in range(200):  # 对数似然是凹的；牛顿法几步就到
        p = scipy.special.expit(np.subtract.outer(s, s))
        gradient = won.sum(1) - (games * p).sum(1)
        information = games * p * (1 - p)
        hessian = np.diag(information.sum(1)) - information
        step = np.linalg.pinv(hessian) @ gradient
        s = s + step * min(1, 2 / max(np.abs(step).max(), 1e-300))
        if np.abs(gradient).max() < 1e-10 * max(1, won.sum()):
            break
    order = np.lexsort((np.arange(n), -s))
    last = order[-1]
    others = [i for i in range(n) if i != last]
    se = np.full(n, np.nan)
    se[others] = np.sqrt(np.diag(np.linalg.inv(hessian[np.ix_(others, others)])))
    table = pd.DataFrame({"强度": np.exp(s - s.max()) / np.exp(s - s.max()).sum(), "对数强度": s - s[last],
                          "标准误": se, "胜": won.sum(1), "负": won.sum(0)}, names)
    return table.iloc[order]


# ---------------------------------------------------------------- 层次分析法

@result
class AHP(Result):
    weights: pd.DataFrame = label("权重")
    consistency_ratio: float = label("一致性比率 CR")
    consistent: bool = label("判断一致（CR < 0.1）")
    lambda_max: float = label("最大特征值")
    consistency_index: float = label("一致性指标 CI")
    advice: str = label("先想一想")


def pairs_matrix(names, judgements) -> pd.DataFrame:
    """AHP matrix from single judgements; the other half is filled with reciprocals.

    names: the things compared; judgements: dict (a, b) → how many times as important a is as b (1/9 to 9);
    every pair once.

    >>> pairs_matrix(["准时", "价格"], {("准时", "价格"): 4}).values.tolist()
    [[1.0, 4.0], [0.25, 1.0]]
    """
    matrix = pd.DataFrame(np.eye(len(names)), list(names), list(names))
    seen = set()
    for (a, b), value in judgements.items():
        for one in (a, b):
            if one not in matrix.index:
                raise CourseError(f"没有“{one}”。要比较的是：{'、'.join(map(str, names))}。")
        if a == b or frozenset((a, b)) in seen:
            raise CourseError(f"“{a}”和“{b}”比了不止一次，或是和自己比。每一对只比一次。")
        seen.add(frozenset((a, b)))
        value = numeric([value], f"{a}比{b}", low=1 / 9 - 1e-9, high=9)[0]
        matrix.loc[a, b], matrix.loc[b, a] = value, 1 / value
    for a, b in combinations(names, 2):
        if frozenset((a, b)) not in seen:
            raise CourseError(f"还没有比较“{a}”和“{b}”。")
    return matrix


def ahp(matrix) -> AHP:
    """Weights of an AHP judgement matrix (principal eigenvector) and whether the judgements agree.

    matrix[i][j]: how many times as important i is as j; matrix[j][i] = 1/matrix[i][j]; at most 10 things.
    CI = (λmax − n)/(n − 1), CR = CI / random index; CR < 0.1 is acceptable; with n = 2 there is nothing to
    contradict, CR = 0. ``advice`` names the judgement that disagrees most with the rest, and what they say.
    Column 几何平均 gives the weights of the hand calculation (row geometric means).
    Source: Saaty 1980; 1990, European J. of Operational Research 48, 9.

    >>> r = ahp([[1, 2, 4], [1/2, 1, 2], [1/4, 1/2, 1]])
    >>> r.weights["权重"].round(4).tolist(), r.consistency_ratio
    ([0.5714, 0.2857, 0.1429], 0.0)
    """
    a, names = _square(matrix, "判断矩阵")
    n = len(a)
    if n >= len(RANDOM_INDEX):
        raise CourseError(f"一次最多比较 {len(RANDOM_INDEX) - 1} 个，现在有 {n} 个。先分层。")
    if (a <= 0).any():
        raise CourseError("判断矩阵里的数都要大于 0：同样重要填 1，不如它重要填分数，例如 1/3。")
    for i, j in combinations(range(n), 2):
        if abs(a[i, j] * a[j, i] - 1) > .02:  # 容许把 1/3 写成 0.33
            raise CourseError(f"“{names[i]}”比“{names[j]}”是 {a[i, j]:g}，反过来应当是 {1 / a[i, j]:.3g}，"
                              f"现在填的是 {a[j, i]:g}。")
        a[j, i] = 1 / a[i, j]
    np.fill_diagonal(a, 1)
    values, vectors = np.linalg.eig(a)
    k = int(values.real.argmax())
    lambda_max = max(values[k].real, n)
    w = np.abs(vectors[:, k].real)
    w /= w.sum()
    geometric = np.exp(np.log(a).mean(1))
    ci = (lambda_max - n) / (n - 1)
    ci = 0. if ci < 1e-12 else ci
    cr = ci / RANDOM_INDEX[n] if n > 2 else 0.
    advice = ""
    if cr >= .1:
        i, j = max(combinations(range(n), 2), key=lambda p: abs(log(a[p] * w[p[1]] / w[p[0]])))
        advice = (f"“{names[i]}”比“{names[j]}”填了 {_ratio(a[i, j])}，"
                  f"而按其他判断推算约是 {_ratio(w[i] / w[j])}。")
    table = pd.DataFrame({"权重": w, "几何平均": geometric / geometric.sum()}, names)
    table["名次"] = table["权重"].round(9).rank(ascending=False, method="min").astype(int)
    return AHP(table, cr, cr < .1, lambda_max, ci, advice)


def _ratio(x):
    return f"{x:.2g}" if x >= 1 else f"1/{1 / x:.2g}"


def consistency_ratio(matrix) -> float:
    """The consistency ratio of an AHP matrix; below 0.1 is acceptable (see ``ahp``).

    >>> round(consistency_ratio([[1, 3, 1/5], [1/3, 1, 5], [5, 1/5, 1]]), 2)
    2.12
    """
    return ahp(matrix).consistency_ratio


def combine_judgements(matrices) -> pd.DataFrame:
    """One AHP matrix from those of several raters: the geometric mean of each cell.

    It is the only mean that keeps reciprocals. Source: Aczél & Saaty 1983, J. Math. Psychology 27, 93.

    >>> combine_judgements([[[1, 9], [1/9, 1]], [[1, 1], [1, 1]]]).round(3).values.tolist()
    [[1.0, 3.0], [0.333, 1.0]]
    """
    matrices = list(matrices)
    at_least(len(matrices), 1, "位评判人")
    parts = [_square(m, "判断矩阵") for m in matrices]
    if any(names != parts[0][1] for _, names in parts):
        raise CourseError("每位评判人的矩阵要比较同样的对象，顺序也相同。")
    if any((a <= 0).any() for a, _ in parts):
        raise CourseError("判断矩阵里的数都要大于 0。")
    mean = np.exp(np.mean([np.log(a) for a, _ in parts], axis=0))
    return pd.DataFrame(mean, parts[0][1], parts[0][1])


# ---------------------------------------------------------------- 图

def plot_weights(weights, ax=None):
    """Bars of weights, the largest on top; weights: a Series, or dict name → Series to compare two ways.

    Returns the Axes.
    """
    ax = axes(ax)
    groups = weights if isinstance(weights, dict) else {"": weights}
    table = pd.DataFrame({k: pd.Series(v) for k, v in groups.items()})
    table = table.loc[table.iloc[:, 0].sort_values(kind="stable").index]
    height = .8 / table.shape[1]
    for i, (name, hatch) in enumerate(zip(table, ["", "//", "..", "xx"] * table.shape[1], strict=False)):
        y = np.arange(len(table)) + (table.shape[1] / 2 - i - .5) * height
        ax.barh(y, table[name], height * .92, hatch=hatch, edgecolor="white", label=name or None)
        for at, value in zip(y, table[name], strict=True):
            ax.annotate(f"{value:.3f}", (value, at), (5, 0), textcoords="offset points", va="center")
    ax.set_yticks(range(len(table)), table.index.astype(str))
    ax.margins(x=.15)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel("权重")
    if table.shape[1] > 1:
        ax.legend()
    return ax
