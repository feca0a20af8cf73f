"""客户价值：RFM、ABC、洛伦兹曲线和基尼系数、服务成本之后的贡献、综合评分、价值矩阵。"""

import numpy as np
import pandas as pd

from crmlib.cli import CourseError
from crmlib.methods._common import at_least, axes, column, dates, number, numeric, same_length

# ---------------------------------------------------------------- RFM


def quantile_score(values, bins=5, *, ties="same", cuts=None, low_is_good=False) -> np.ndarray:
    """Scores 1 (worst) to ``bins`` (best) by rank, or by cut-points of one's own.

    ties="same": equal values get equal scores (by their middle rank), so groups may differ in size;
    ties="split": groups are as equal as can be, and equal values are split in the order of the rows, that is,
    by chance. cuts: ascending cut-points; a value that lies on one belongs to the better side.

    >>> quantile_score([1, 1, 1, 1, 9], 2).tolist(), quantile_score([1, 1, 1, 1, 9], 2, ties="split").tolist()
    ([1, 1, 1, 1, 2], [1, 1, 2, 2, 2])
    >>> quantile_score([10, 30, 90], cuts=[30, 60], low_is_good=True).tolist()
    [3, 3, 1]
    """
    values = numeric(values, "要打分的值")
    at_least(len(values), 1, "个值")
    if low_is_good:
        values = -values
    if cuts is not None:
        cuts = numeric(cuts, "分界点")
        if (np.diff(cuts) <= 0).any():
            raise CourseError(f"分界点要从小到大，现在是：{'、'.join(f'{c:g}' for c in cuts)}。")
        return 1 + np.searchsorted(-cuts[::-1] if low_is_good else cuts, values, side="right")
    bins = int(number(bins, "档数", low=2))
    if ties not in ("same", "split"):
        raise CourseError(f"没有“{ties}”这种同分规则；可以用 same（同值同分）、split（人数平均）。")
    rank = pd.Series(values).rank(method="average" if ties == "same" else "first").to_numpy()
    return 1 + np.floor((rank - .5) * bins / len(values)).astype(int)


def rfm(table, customer, date, amount, at=None, *, bins=5, ties="same", cuts=None) -> pd.DataFrame:
    """Recency, frequency and money of each customer, scored 1 (worst) to ``bins`` (best).

    table: a row per order. at: the day from which recency is counted (default: the last day in the table);
    later orders are left out (``.attrs["later"]`` says how many). Recency in whole days; an order is a row;
    refunds (negative amounts) lower the money but are rows too: take them out first if they should not
    count. Missing values are errors. ties: see ``quantile_score``; cuts: dict with one's own cut-points for
    some of R (days), F, M. Columns: 间隔天数, 次数, 金额, R, F, M, 总分; a row per customer, by name.
    Source: Hughes, Strategic Database Marketing; ties: Fader, Hardie & Lee 2005, J. Marketing Research 42.

    >>> orders = pd.DataFrame({"客户": ["甲", "乙", "甲"], "金额": [100., 80., 50.],
    ...                        "日期": ["2025-12-01", "2025-06-30", "2025-12-30"]})
    >>> rfm(orders, "客户", "日期", "金额", at="2025-12-31", bins=2).loc["甲"].astype(int).tolist()
    [1, 2, 150, 2, 2, 2, 6]
    """
    who, when, money = (column(table, c) for c in (customer, date, amount))
    at_least(len(table), 1, "笔订单")
    codes, names = pd.factorize(who)
    if (blank := int((codes < 0).sum())):
        raise CourseError(f"“{customer}”有 {blank} 个空值。先查明原因，再填上或删去。")
    when = dates(when, date).to_numpy()
    money = numeric(money, amount)
    newest = when.max().astype("M8[D]")
    end = newest if at is None else dates([at], "截止日").to_numpy()[0].astype("M8[D]")
    later = 0
    if newest > end:
        kept = when < end + 1
        later = int((~kept).sum())
        at_least(len(when) - later, 1, f"笔在 {end} 或以前的订单")
        codes, again = pd.factorize(codes[kept])
        names, when, money = names[again], when[kept], money[kept]
    # 数组按编号累加，比 groupby 快；时刻先取最晚的，再化成天
    last = np.full(len(names), np.iinfo(np.int64).min)
    np.maximum.at(last, codes, when.view(np.int64))
    last = last.view(when.dtype).astype("M8[D]")
    total = np.bincount(codes, money, minlength=len(names)).round(6)  # 加法的尾差不许拆开同分的客户
    result = pd.DataFrame({"间隔天数": (end - last).astype(int),
                           "次数": np.bincount(codes, minlength=len(names)), "金额": total},
                          pd.Index(names, name=customer))
    cuts = dict(cuts or {})
    if odd := set(cuts) - set("RFM"):
        raise CourseError(f"cuts 里只能有 R、F、M，不认识：{'、'.join(map(str, odd))}。")
    for letter, name in zip("RFM", ("间隔天数", "次数", "金额"), strict=True):
        result[letter] = quantile_score(result[name], bins, ties=ties, cuts=cuts.get(letter),
                                        low_is_good=letter == "R")
    result["总分"] = result["R"] + result["F"] + result["M"]
    result = result.sort_index()
    result.attrs["later"] = later
    return result


# 国内通用的八类：R、F、M 各自高（True）或低
EIGHT_GROUPS = {(True, True, True): "重要价值客户", (True, False, True): "重要发展客户",
                (False, True, True): "重要保持客户", (False, False, True): "重要挽留客户",
                (True, True, False): "一般价值客户", (True, False, False): "一般发展客户",
                (False, True, False): "一般保持客户", (False, False, False): "一般挽留客户"}


def rfm_groups(scores, cut="mean") -> pd.Series:
    """The eight customary groups from the columns R, F and M of ``rfm``.

    A score is high if it is at least the cut: the mean of its column, or a number for all three.

    >>> rfm_groups(pd.DataFrame({"R": [5, 1], "F": [4, 2], "M": [1, 5]})).tolist()
    ['一般价值客户', '重要挽留客户']
    """
    high = []
    for letter in "RFM":
        score = numeric(column(scores, letter), letter)
        at_least(len(score), 1, "个客户")
        high.append(score >= (score.mean() if cut == "mean" else number(cut, "分界")))
    return pd.Series([EIGHT_GROUPS[tuple(map(bool, row))] for row in zip(*high, strict=True)],
                     scores.index, name="客户类型")


# ---------------------------------------------------------------- ABC、洛伦兹、基尼

def abc_analysis(table, customer, amount, cuts=(.8, .95)) -> pd.DataFrame:
    """ABC grades by share of the total, the largest first. Rows of the same customer are added up.

    A: from the top until ``cuts[0]`` of the total is reached, with the customer who crosses it; B until
    ``cuts[1]``; C the rest. Equal amounts get equal grades. Amounts must not be negative (a customer who
    costs money belongs in ``contribution``) and not all be 0.
    Columns: 金额, 占比, 累计占比, 客户累计占比, 等级.
    Source: Dickie 1951, Factory Management and Maintenance 109 (ABC); Pareto.

    >>> t = pd.DataFrame({"客户": ["甲", "乙", "丙", "丁"], "运费": [10, 70, 15, 5]})
    >>> abc_analysis(t, "客户", "运费")["等级"].to_dict()
    {'乙': 'A', '丙': 'A', '甲': 'B', '丁': 'C'}
    """
    first, second = (number(c, "分界", above=0, below=1) for c in cuts)
    if first >= second:
        raise CourseError(f"分界要从小到大，例如 (0.8, 0.95)，现在是 ({first:g}, {second:g})。")
    total = _total_by(table, customer, amount)
    if (total < 0).any():
        raise CourseError(f"“{total.idxmin()}”的{amount}合计是 {total.min():g}。ABC 分析的数不能小于 0："
                          "亏损的客户用 contribution（贡献）看。")
    if total.sum() == 0:
        raise CourseError(f"“{amount}”合计是 0，分不出等级。")
    # 先按名字、再按金额排：同样的数据总得到同样的表
    total = total.sort_index().sort_values(ascending=False, kind="stable")
    share = total / total.sum()
    reached = share.cumsum()
    before = (reached - share).groupby(total.to_numpy()).transform("min")  # 金额相同的一起定级
    grade = np.searchsorted([first, second], before.to_numpy() + 1e-12, side="right")
    return pd.DataFrame({"金额": total, "占比": share, "累计占比": reached,
                         "客户累计占比": np.arange(1, len(total) + 1) / len(total),
                         "等级": np.array(["A", "B", "C"])[grade]})


def _total_by(table, customer, amount):
    who = column(table, customer)
    money = numeric(column(table, amount), amount)
    at_least(len(table), 1, "行")
    if who.isna().any():
        raise CourseError(f"“{customer}”有 {int(who.isna().sum())} 个空值。先查明原因，再填上或删去。")
    total = pd.Series(money, table.index).groupby(who.to_numpy()).sum()
    return total.round(6).rename_axis(customer)  # 加法的尾差不许拆开同分的客户


def lorenz(values) -> pd.DataFrame:
    """Lorenz curve: share of customers (smallest first) against their share of the total; starts at (0, 0).

    >>> lorenz([3, 1])["金额累计占比"].tolist()
    [0.0, 0.25, 1.0]
    """
    values = np.sort(numeric(values, "金额", low=0))
    at_least(len(values), 1, "个客户")
    if values.sum() == 0:
        raise CourseError("金额合计是 0，画不出洛伦兹曲线。")
    return pd.DataFrame({"客户累计占比": np.arange(len(values) + 1) / len(values),
                         "金额累计占比": np.r_[0, np.cumsum(values)] / values.sum()})


def gini(values) -> float:
    """Gini coefficient: 0 all equal, towards 1 one customer has everything ((n − 1)/n at most).

    >>> gini([1, 1, 1]), gini([0, 0, 0, 1])
    (0.0, 0.75)
    """
    curve = lorenz(values)["金额累计占比"].to_numpy()
    n = len(curve) - 1
    return float(max(1 - (curve[1:] + curve[:-1]).sum() / n, 0))


# ---------------------------------------------------------------- 服务成本之后的贡献

def cost_to_serve(activities, rates) -> pd.DataFrame:
    """Cost of serving each customer: how often each activity was done × its cost a time (yuan).

    activities: a row per customer, columns counted in times; rates: dict column → yuan a time. Returns the
    cost of each activity and 服务成本. Source: Kaplan & Cooper, Cost and Effect (activity-based costing).

    >>> cost_to_serve(pd.DataFrame({"投诉": [2], "上门": [3]}), {"投诉": 30, "上门": 12})["服务成本"].tolist()
    [96.0]
    """
    if not rates:
        raise CourseError("rates 是空的：写成 {活动: 每次多少元}。")
    cost = pd.DataFrame({c: numeric(column(activities, c), c, low=0) * number(r, f"{c}的单价", low=0)
                         for c, r in rates.items()}, index=activities.index)
    cost["服务成本"] = cost.sum(axis=1)
    return cost


def contribution(table, revenue, costs) -> pd.DataFrame:
    """What each customer leaves after all costs, the most profitable first (the whale curve).

    table: a row per customer; revenue: a column; costs: columns to subtract, such as direct cost and cost to
    serve. Columns: 收入, 成本, 贡献, 贡献率 (of revenue; empty where revenue is 0, as 提示 says), 累计贡献,
    累计占比 (of the final total; above 1 where later customers lose money), 提示.

    >>> t = pd.DataFrame({"运费": [100., 90.], "运输": [60., 50.], "服务": [10., 60.]}, ["甲", "乙"])
    >>> contribution(t, "运费", ["运输", "服务"])[["贡献", "提示"]].values.tolist()
    [[30.0, ''], [-20.0, '亏损']]
    """
    costs = [costs] if isinstance(costs, str) else list(costs)
    at_least(len(costs), 1, "列成本")
    at_least(len(table), 1, "个客户")
    income = numeric(column(table, revenue), revenue)
    cost = sum(numeric(column(table, c), c) for c in costs)
    left = income - cost
    found = pd.DataFrame({"收入": income, "成本": cost, "贡献": left}, table.index)
    found["贡献率"] = np.divide(left, income, out=np.full(len(left), np.nan), where=income != 0)
    found["提示"] = np.where(income == 0, "没有收入", np.where(left < 0, "亏损", ""))
    found = found.sort_values("贡献", ascending=False, kind="stable")
    found.insert(4, "累计贡献", found["贡献"].cumsum())
    total = left.sum()
    if total <= 0:
        raise CourseError(f"全部客户合计的贡献是 {total:,.0f} 元，不大于 0，累计占比没有意义。"
                          "先查成本是不是算重了。")
    found.insert(5, "累计占比", found["累计贡献"] / total)
    return found


# ---------------------------------------------------------------- 综合评分和价值矩阵

def composite_score(table, weights, lower_is_better=(), method="minmax") -> pd.DataFrame:
    """One score from several indicators of unlike units. weights: dict column → weight, adding up to 1.

    method "minmax": each indicator to 0 (worst) to 100 (best); "rank": by rank, so that one giant does not
    flatten the rest. Indicators in ``lower_is_better`` are turned round. Columns: each indicator's points,
    综合得分 and 名次 (equal scores share the better rank). An indicator that is the same for all is an error.

    >>> t = pd.DataFrame({"毛利": [10, 30], "拖欠天数": [5, 45]}, ["甲", "乙"])
    >>> composite_score(t, {"毛利": .6, "拖欠天数": .4}, ["拖欠天数"])["综合得分"].tolist()
    [40.0, 60.0]
    """
    at_least(len(table), 2, "个客户")
    if unknown := set(lower_is_better) - set(weights):
        raise CourseError(f"“{unknown.pop()}”没有权重。有权重的是：{'、'.join(map(str, weights))}。")
    w = {c: number(v, f"{c}的权重", low=0) for c, v in weights.items()}
    if abs(sum(w.values()) - 1) > .005:
        raise CourseError(f"权重加起来是 {sum(w.values()):.3g}，应当等于 1。")
    if method not in ("minmax", "rank"):
        raise CourseError(f"没有“{method}”这种算法；可以用 minmax（最小到最大）、rank（名次）。")
    points = pd.DataFrame(index=table.index)
    for name in w:
        x = numeric(column(table, name), name) * (-1 if name in lower_is_better else 1)
        if x.min() == x.max():
            raise CourseError(f"“{name}”所有客户都一样，分不出高低。换一个指标。")
        if method == "rank":
            x = pd.Series(x).rank().to_numpy()
        points[name] = (x - x.min()) / (x.max() - x.min()) * 100
    points["综合得分"] = sum(points[c] * v for c, v in w.items())
    points["名次"] = points["综合得分"].round(9).rank(ascending=False, method="min").astype(int)
    return points


# （当前价值高，潜在价值高）
VALUE_GRID = {(True, True): "重点投入", (True, False): "用心保持",
              (False, True): "培育关系", (False, False): "控制成本"}


def value_grid(current, potential, cuts=None) -> pd.Series:
    """Place customers on the grid of current × potential value; a value at the cut counts as high.

    cuts: (current, potential); default: the two medians.

    >>> value_grid(pd.Series([9, 8, 1, 2]), pd.Series([9, 1, 8, 2])).tolist()
    ['重点投入', '用心保持', '培育关系', '控制成本']
    """
    same_length(当前价值=current, 潜在价值=potential)
    now, later = numeric(current, "当前价值"), numeric(potential, "潜在价值")
    at_least(len(now), 1, "个客户")
    x, y = (np.median(now), np.median(later)) if cuts is None else cuts
    return pd.Series([VALUE_GRID[bool(a), bool(b)] for a, b in zip(now >= x, later >= y, strict=True)],
                     current.index if isinstance(current, pd.Series) else None, name="策略")


# ---------------------------------------------------------------- 图

def plot_pareto(abc, ax=None):
    """Pareto chart of ``abc_analysis``: a bar per customer, coloured and hatched by grade, and the running
    share; returns the Axes of the bars."""
    ax = axes(ax)
    x = np.arange(1, len(abc) + 1)
    few = len(abc) <= 25
    for grade, colour, hatch in (("A", "C0", ""), ("B", "C4", "//"), ("C", "0.75", "")):
        part = (abc["等级"] == grade).to_numpy()
        if part.any():
            label = f"{grade} 类：{part.sum()} 户，占 {abc['占比'][part].sum():.0%}"
            ax.bar(x[part], 100 * abc["占比"][part], width=.8 if few else 1, color=colour, hatch=hatch,
                   edgecolor="white", linewidth=.8 if few else 0, label=label)
    running = ax.twinx()
    running.plot(x, 100 * abc["累计占比"], color="C3", marker="o" if few else "")
    running.set(ylim=(0, 105), ylabel="累计占比（%）")
    running.grid(visible=False)
    running.spines["right"].set_visible(True)
    if few:
        ax.set_xticks(x, abc.index.astype(str), rotation=45 if len(abc) > 8 else 0,
                      ha="right" if len(abc) > 8 else "center")
    ax.grid(axis="x", visible=False)
    ax.set(xlabel="客户，从大到小", ylabel="占比（%）")
    ax.legend(loc="center right")
    return ax


def plot_lorenz(values, ax=None):
    """Lorenz curve with its Gini coefficient. values: amounts, or dict name → amounts to compare groups."""
    ax = axes(ax)
    groups = values if isinstance(values, dict) else {"": values}
    for (name, amounts), style in zip(groups.items(), ["-", "--", "-.", ":"] * len(groups), strict=False):
        curve = lorenz(amounts)
        ax.plot(100 * curve["客户累计占比"], 100 * curve["金额累计占比"], style,
                label=f"{name} 基尼系数 {gini(amounts):.2f}".strip())
    ax.plot([0, 100], [0, 100], color="0.6", linewidth=1.5, label="人人一样多")
    ax.set(xlim=(0, 100), ylim=(0, 100), xlabel="客户累计占比（%，从小到大）", ylabel="金额累计占比（%）")
    ax.set_aspect("equal")
    ax.legend()
    return ax


def plot_contribution(table, ax=None):
    """Whale curve of ``contribution``: running profit, the best customers first; returns the Axes."""
    ax = axes(ax)
    x = 100 * np.arange(len(table) + 1) / len(table)
    y = 100 * np.r_[0, table["累计占比"]]
    ax.plot(x, y, color="C0")
    ax.axhline(100, color="0.6", linewidth=1.5)
    top = int(y.argmax())
    if y[top] > 100 + 1e-9:
        ax.plot(x[top], y[top], "o", color="C3")
        ax.fill_between(x[top:], y[top:], 100, color="C3", alpha=.2)
        ax.text(.97, .08, f"{top} 户赚到最终利润的 {y[top]:.0f}%\n其余 {len(table) - top} 户又亏掉一部分",
                transform=ax.transAxes, ha="right", color="C3")
    ax.set(xlim=(0, 100), ylim=(0, None), xlabel="客户累计占比（%，从赚得最多到亏得最多）",
           ylabel="累计贡献占比（%）")
    return ax


def plot_rfm(scores, ax=None):
    """Map of customers by R (across) and F (up): how many, and their share of the money; returns the Axes."""
    ax = axes(ax)
    r, f = (column(scores, c) for c in "RF")
    size = int(max(r.max(), f.max()))
    count, money = np.zeros((2, size, size))
    np.add.at(count, (f - 1, r - 1), 1)
    np.add.at(money, (f - 1, r - 1), column(scores, "金额"))
    share = money / money.sum()
    ax.imshow(share, origin="lower", cmap="Blues", vmin=0, aspect="auto")
    for i in range(size):
        for j in range(size):
            if count[i, j]:
                dark = share[i, j] > .6 * share.max()
                ax.text(j, i, f"{count[i, j]:.0f} 户\n{share[i, j]:.0%}", ha="center", va="center",
                        color="white" if dark else "black", fontsize="small")
    ax.set_xticks(range(size), range(1, size + 1))
    ax.set_yticks(range(size), range(1, size + 1))
    ax.grid(visible=False)
    ax.set(xlabel="R 分：5 最近来过，1 很久没来" if size == 5 else "R 分：越大，来得越近",
           ylabel="F 分：越大，来得越多", title="户数和金额占比")
    return ax
