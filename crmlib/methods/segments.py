"""客户细分：K 均值聚类，分几群合适，分得稳不稳，每群是什么样。"""

import numpy as np
import pandas as pd

from crmlib.cli import CourseError
from crmlib.methods._common import Result, at_least, axes, column, label, number, numeric, result


def features(table, columns, log=(), scale=True) -> pd.DataFrame:
    """The numbers that clustering works on: chosen columns, some on a log scale, each to mean 0 and sd 1.

    log: columns with a long right tail; log(1 + x), so that x must not be negative. Without scale, the column
    with the largest unit decides everything. Missing values and columns without variation are errors.

    >>> features(pd.DataFrame({"额": [1., 3.], "次": [2, 9]}), ["额"])["额"].tolist()
    [-1.0, 1.0]
    """
    columns = [columns] if isinstance(columns, str) else list(columns)
    at_least(len(columns), 1, "列")
    at_least(len(table), 1, "位客户")
    if odd := set(log) - set(columns):
        raise CourseError(f"log 里的“{odd.pop()}”不在选中的列里。选中的是：{'、'.join(map(str, columns))}。")
    found = pd.DataFrame(index=table.index)
    for name in columns:
        x = numeric(column(table, name), name, low=0 if name in log else None)
        x = np.log1p(x) if name in log else x
        if x.min() == x.max():
            raise CourseError(f"“{name}”所有客户都一样，分不出群。换一列。")
        found[name] = (x - x.mean()) / x.std() if scale else x
    return found


@result
class Segments(Result):
    k: int = label("群数")
    sse: float = label("群内平方和 SSE")
    silhouette: float | None = label("轮廓系数（−1～1，越大分得越清）")
    sizes: pd.DataFrame = label("各群")
    labels: pd.Series = None
    table: pd.DataFrame = None  # 选中的列，原来的单位
    x: pd.DataFrame = None  # 聚类用的数


def kmeans(table, columns, k, *, log=(), scale=True, seed=0) -> Segments:
    """Customers in ``k`` groups by k-means (20 starts; the same seed gives the same groups).

    ``labels``: group 1 to k of each row, group 1 the largest; ``sizes``: size, share and the mean of each
    column in its own unit; ``sse`` and ``silhouette`` on the scale used (``features``). k = 1 has no
    silhouette. Tables beyond 5,000 rows: silhouette of a random 5,000.
    Source: MacQueen 1967; silhouette: Rousseeuw 1987.

    >>> t = pd.DataFrame({"次数": [1, 2, 1, 20, 22], "金额": [5, 6, 5, 90, 99]})
    >>> kmeans(t, ["次数", "金额"], 2).labels.tolist()
    [1, 1, 1, 2, 2]
    """
    from sklearn.metrics import silhouette_score

    x = features(table, columns, log, scale)
    k = _count(k, len(x))
    model = _fit(x.to_numpy(), k, seed)
    order = np.argsort(-np.bincount(model.labels_, minlength=k), kind="stable")
    rank = np.empty(k, int)
    rank[order] = np.arange(1, k + 1)
    labels = pd.Series(rank[model.labels_], table.index, name="群")
    raw = table[list(x)].astype(float)
    sizes = pd.DataFrame({"户数": labels.value_counts().sort_index()})
    sizes = sizes.join(raw.groupby(labels.to_numpy()).mean())
    sizes.insert(1, "占比", sizes["户数"] / len(x))
    sizes.index.name = "群"
    width = None
    if 1 < k < len(x):
        width = silhouette_score(x, labels, sample_size=min(len(x), 5000), random_state=seed)
    return Segments(k, model.inertia_, width, sizes, labels, raw, x)


def _count(k, n):
    k = int(number(k, "群数", low=1))
    if k > n:
        raise CourseError(f"只有 {n} 位客户，分不成 {k} 群。")
    return k


def _fit(x, k, seed, starts=20):
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    if len(np.unique(x, axis=0)) < k:
        raise CourseError(f"不同的客户（按选中的列看）不到 {k} 种，分不成 {k} 群。")
    with threadpool_limits(1):  # 这么小的表，多线程反而慢十几倍
        return KMeans(k, n_init=starts, random_state=seed).fit(x)


def choose_k(table, columns, ks=range(2, 9), *, log=(), scale=True, boots=20, seed=0) -> pd.DataFrame:
    """How many groups? For each k: SSE (look for the elbow), silhouette (higher is clearer), 稳定性 (see
    ``stability``; from 0.8 dependable) and 最小一群 (its share; can one act on it?).

    The figures often disagree; then the choice is a matter of what can be done with each group.

    >>> t = pd.DataFrame({"额": [1., 2, 3, 11, 12, 13, 21, 22, 23]})
    >>> int(choose_k(t, ["额"], [2, 3, 4], boots=5)["轮廓系数"].idxmax())
    3
    """
    rows = {}
    for k in ks:
        found = kmeans(table, columns, k, log=log, scale=scale, seed=seed)
        at_least(k, 2, "群，才有得选")
        rows[k] = {"SSE": found.sse, "轮廓系数": np.nan if found.silhouette is None else found.silhouette,
                   "稳定性": stability(found, boots=boots, seed=seed)["稳定性"].mean() if boots else np.nan,
                   "最小一群": found.sizes["占比"].min()}
    at_least(len(rows), 1, "个候选的 k")
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("k")


def stability(segments, boots=50, seed=0) -> pd.DataFrame:
    """Would other customers of the same kind fall into the same groups? A row per group.

    ``boots`` times customers are drawn with replacement (one drawn twice counts once) and grouped anew;
    稳定性 is the mean Jaccard similarity of a group with its closest new group: above 0.85 firm, 0.6 to 0.75
    doubtful, below 0.6 not to be trusted. Source: Hennig 2007, Comput. Statistics & Data Analysis 52, 258.

    >>> t = pd.DataFrame({"额": [1., 2, 3, 2, 21, 22, 23, 22]})
    >>> stability(kmeans(t, "额", 2), boots=10)["怎么读"].tolist()
    ['很稳', '很稳']
    """
    boots = int(number(boots, "重抽次数", low=1))
    x, old, k = segments.x.to_numpy(), segments.labels.to_numpy(), segments.k
    rng = np.random.default_rng(seed)
    scores = np.full((boots, k), np.nan)
    for i in range(boots):
        draw = np.unique(rng.integers(0, len(x), len(x)))  # 抽中的客户；重复的只算一次
        if len(np.unique(x[draw], axis=0)) < k:
            continue
        new = _fit(x[draw], k, int(rng.integers(2 ** 31)), starts=3).labels_
        both = np.zeros((k, k))
        np.add.at(both, (old[draw] - 1, new), 1)
        union = both.sum(1, keepdims=True) + both.sum(0) - both
        present = both.sum(1) > 0  # 一群一个也没抽中时，这一次不算
        scores[i, present] = (both / union).max(1)[present]
    if np.isnan(scores).all(axis=0).any():
        raise CourseError("客户太少，重抽以后有的群总是空的，稳定性算不了。")
    mean = np.nanmean(scores, axis=0)
    words = np.select([mean > .85, mean > .75, mean > .6], ["很稳", "稳", "存疑"], "不可信")
    return pd.DataFrame({"户数": segments.sizes["户数"], "稳定性": mean, "怎么读": words},
                        pd.RangeIndex(1, k + 1, name="群"))


# ---------------------------------------------------------------- 图

_MARKERS = "osD^vPX*<>"


def plot_segments(segments, across=None, up=None, names=None, ax=None):
    """Map of the groups by two of their columns in their own units (default: the first two), a colour and a
    mark for each; a large mark shows each centre. names: dict group → name; returns the Axes."""
    ax = axes(ax)
    columns = list(segments.x.columns)
    across, up = across or columns[0], up or columns[min(1, len(columns) - 1)]
    table = segments.table
    for group, row in segments.sizes.iterrows():
        part = table[segments.labels == group]
        mark = _MARKERS[(group - 1) % len(_MARKERS)]
        name = (names or {}).get(group, f"第 {group} 群")
        ax.scatter(part[across], part[up], marker=mark, color=f"C{group - 1}", alpha=.55, s=35,
                   label=f"{name}：{row['户数']:.0f} 户")
        ax.scatter(row[across], row[up], marker=mark, color=f"C{group - 1}", edgecolors="black",
                   linewidths=2, s=260, zorder=3)
    ax.set(xlabel=across, ylabel=up)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return ax


def plot_choose_k(table, ax=None):
    """Curves of ``choose_k``: silhouette, stability (left), SSE (right, grey bars); returns the left Axes."""
    ax = axes(ax)
    k = table.index.to_numpy()
    right = ax.twinx()
    right.bar(k, table["SSE"], color="0.85", width=.6, label="SSE（右轴）")
    right.set_ylabel("SSE")
    right.grid(visible=False)
    right.spines["right"].set_visible(True)
    ax.set_zorder(right.get_zorder() + 1)
    ax.patch.set_visible(False)
    for name, style in (("轮廓系数", "o-"), ("稳定性", "s--")):
        if table[name].notna().any():
            ax.plot(k, table[name], style, label=name)
    ax.set_xticks(k)
    ax.set(xlabel="群数 k", ylabel="轮廓系数、稳定性", ylim=(0, 1.03))
    lines, words = (a + b for a, b in zip(ax.get_legend_handles_labels(), right.get_legend_handles_labels(),
                                          strict=True))
    ax.legend(lines, words, loc="upper left", bbox_to_anchor=(1.12, 1))
    return ax
