"""谈判：可谈区间（ZOPA）、多项议题的得分、有效边界、互惠交换、让步方式。"""

from itertools import product

import numpy as np
import pandas as pd

from crmlib.cli import CourseError
from crmlib.methods._common import Result, at_least, axes, column, label, number, numeric, result, same_length

# ---------------------------------------------------------------- 一个议题


@result
class Zopa(Result):
    exists: bool = label("有可谈区间")
    low: float = label("卖方底价")
    high: float = label("买方最高价")
    width: float = label("宽度")
    middle: float | None = label("正中")
    seller_share: float | None = label("卖方分到")
    note: str = label("注意")


def zopa(seller, buyer, price=None) -> Zopa:
    """Zone of possible agreement between the seller's lowest and the buyer's highest price.

    width is below 0 where there is none: then any deal costs one side more than no deal. price: an agreed
    price; seller_share is the part of the width that the seller got (outside 0 … 1 if somebody gave up more
    than his limit, and note says who). Source: Raiffa 1982, The Art and Science of Negotiation, ch. 4.

    >>> z = zopa(7.54, 7.78, price=7.72)
    >>> z.exists, round(z.width, 2), round(z.seller_share, 2)
    (True, 0.24, 0.75)
    """
    low, high = number(seller, "卖方底价"), number(buyer, "买方最高价")
    width, share, note = high - low, None, ""
    if width < 0:
        note = f"卖方最少要 {low:g}，买方最多给 {high:g}：单谈这一项谈不拢，加别的议题，或者不谈。"
    elif width == 0:
        note = "只有一个价谈得拢。"
    if price is not None:
        price = number(price, "成交价")
        if price < low:
            note = f"成交价 {price:g} 低于卖方底价 {low:g}：卖方还不如不成交。"
        elif price > high:
            note = f"成交价 {price:g} 高于买方最高价 {high:g}：买方还不如不成交。"
        if width > 0:
            share = (price - low) / width
    return Zopa(width >= 0, low, high, width, (low + high) / 2 if width >= 0 else None, share, note)


def zopa_table(deals, seller="我方底价", buyer="对方最高价", price="成交单价") -> pd.DataFrame:
    """``zopa`` for a table of deals; price is blank where no deal was made.

    Columns: 宽度, 有区间, 卖方分到 (blank without a deal or a width), 结果: 谈成, 错过 (there was a zone, but
    no deal), 谈不拢 (no zone, no deal), 越过底线 (a deal outside the limits).

    >>> t = pd.DataFrame({"我方底价": [7, 7, 7, 7], "对方最高价": [8, 8, 6, 6.5],
    ...                   "成交单价": [7.5, None, None, 6.8]})
    >>> zopa_table(t)["结果"].tolist()
    ['谈成', '错过', '谈不拢', '越过底线']
    """
    low, high = numeric(column(deals, seller), seller), numeric(column(deals, buyer), buyer)
    paid = numeric(column(deals, price), price, missing=True)
    width, made = high - low, ~np.isnan(paid)
    share = np.divide(paid - low, width, out=np.full(len(paid), np.nan), where=made & (width > 0))
    outside = made & ((paid < low) | (paid > high))
    outcome = np.select([outside, made, width >= 0], ["越过底线", "谈成", "错过"], "谈不拢")
    return pd.DataFrame({"宽度": width, "有区间": width >= 0, "卖方分到": share, "结果": outcome},
                        deals.index)


# ---------------------------------------------------------------- 几个议题

def packages(ours, theirs, our_limit=0, their_limit=0) -> pd.DataFrame:
    """Every combination of options, with both sides' points.

    ours, theirs: dict issue → (weight, {option: value 0 … 100}); the same issues and options on both sides;
    each side's weights add up to 1. Points = Σ weight × value. The limits are each side's points without a
    deal (BATNA). A row per package: the issues, 我方, 对方, 合计, 可接受 (no side below its limit), 有效 (no
    other package is better for one side and no worse for the other). At most 100,000 packages. Source: Keeney
    & Raiffa 1976, Decisions with Multiple Objectives (additive value).

    >>> we = {"单价": (.7, {"8.0": 100, "7.5": 0}), "账期": (.3, {"30": 100, "60": 0})}
    >>> they = {"单价": (.4, {"8.0": 0, "7.5": 100}), "账期": (.6, {"30": 0, "60": 100})}
    >>> packages(we, they)[["单价", "账期", "我方", "对方", "有效"]].values.tolist()[1]
    ['8.0', '60', 70.0, 60.0, True]
    """
    issues = _issues(ours, theirs)
    count = np.prod([len(v) for _, v in ours.values()], dtype=float)
    if count > 100_000:
        raise CourseError(f"一共有 {count:,.0f} 种组合，太多了。少几个议题，或每个议题少几种选择。")
    rows = list(product(*(ours[i][1] for i in issues)))
    table = pd.DataFrame(rows, columns=issues)
    for who, side in (("我方", ours), ("对方", theirs)):
        table[who] = sum(side[i][0] * table[i].map(side[i][1]).astype(float) for i in issues)
    table["合计"] = table["我方"] + table["对方"]
    table["可接受"] = ((table["我方"] >= number(our_limit, "我方底线") - 1e-9)
                    & (table["对方"] >= number(their_limit, "对方底线") - 1e-9))
    table["有效"] = efficient(table["我方"], table["对方"])
    table.attrs["limits"] = (float(our_limit), float(their_limit))
    return table


def _issues(ours, theirs):
    at_least(len(ours), 1, "个议题")
    if set(ours) != set(theirs):
        raise CourseError(f"两边的议题对不上：{'、'.join(sorted(map(str, set(ours) ^ set(theirs))))}。")
    for who, side in (("我方", ours), ("对方", theirs)):
        total = sum(number(w, f"{who}{i}的权重", low=0) for i, (w, _) in side.items())
        if abs(total - 1) > .005:
            raise CourseError(f"{who}的权重加起来是 {total:.3g}，应当等于 1。")
        for issue, (_, values) in side.items():
            at_least(len(values), 1, f"种“{issue}”的选择")
            for option, value in values.items():
                number(value, f"{who}对“{issue}：{option}”的评分", low=0, high=100)
    for issue in ours:
        if odd := set(ours[issue][1]) ^ set(theirs[issue][1]):
            raise CourseError(f"“{issue}”两边的选择对不上：{'、'.join(sorted(map(str, odd)))}。")
    return list(ours)


def efficient(first, second) -> np.ndarray:
    """Which points are on the efficient (Pareto) frontier: none is at least as good on both and better on
    one.

    >>> efficient([100, 70, 30, 0, 60], [0, 60, 40, 100, 60]).tolist()
    [True, True, False, True, False]
    """
    a, b = np.round(numeric(first, "我方"), 9), np.round(numeric(second, "对方"), 9)
    same_length(我方=a, 对方=b)
    top = pd.Series(b).groupby(a).max().sort_index(ascending=False)  # 我方每种得分下，对方最多得几分
    before = top.cummax().shift(fill_value=-np.inf)                  # 我方得分更高时，对方最多得几分
    return (b == top[a].to_numpy()) & (b > before[a].to_numpy())


def best_package(table) -> pd.Series:
    """The acceptable package with the greatest product of both sides' gains over their limits (Nash 1950).

    table: from ``packages``. Ties go to the larger 合计, then to the row that comes first.

    >>> we = {"单价": (.7, {"8.0": 100, "7.5": 0}), "账期": (.3, {"30": 100, "60": 0})}
    >>> they = {"单价": (.4, {"8.0": 0, "7.5": 100}), "账期": (.6, {"30": 0, "60": 100})}
    >>> best_package(packages(we, they, 20, 30))[["单价", "账期"]].tolist()
    ['8.0', '60']
    """
    fit = table[column(table, "可接受")]
    if fit.empty:
        raise CourseError("没有两边都能接受的组合：放宽底线，或加一个议题。")
    ours, theirs = table.attrs.get("limits", (0., 0.))
    gain = ((fit["我方"] - ours).clip(lower=0) * (fit["对方"] - theirs).clip(lower=0)).round(6)
    order = pd.DataFrame({"积": gain, "和": fit["合计"].round(6)}).sort_values(
        ["积", "和"], ascending=False, kind="stable")
    return table.loc[order.index[0]]


def trade_offs(ours, theirs) -> pd.DataFrame:
    """Logrolling: which issues to hold and which to give, by how much is at stake for each side.

    At stake = weight × (best value − worst value). 建议: 我方要 where it is worth clearly more to us than to
    them (a third more), 我方让 the other way round, 对半谈 otherwise, 一致 where both rank its options alike:
    no need to bargain there. The issues most unlike come first.

    >>> we = {"单价": (.7, {"8.0": 100, "7.5": 0}), "账期": (.3, {"30": 100, "60": 0})}
    >>> they = {"单价": (.4, {"8.0": 0, "7.5": 100}), "账期": (.6, {"30": 0, "60": 100})}
    >>> trade_offs(we, they)["建议"].to_dict()
    {'单价': '我方要', '账期': '我方让'}
    """
    rows = {}
    for issue in _issues(ours, theirs):
        (w, mine), (v, yours) = ours[issue], theirs[issue]
        a, b = (weight * (max(x.values()) - min(x.values())) for weight, x in ((w, mine), (v, yours)))
        options = list(mine)
        alike = all((mine[p] - mine[q]) * (yours[p] - yours[q]) >= 0 for p in options for q in options)
        advice = "一致" if alike else "我方要" if a > 4 / 3 * b else "我方让" if b > 4 / 3 * a else "对半谈"
        rows[issue] = (a, b, a - b, advice)
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["我方看重", "对方看重", "相差", "建议"])
    return table.loc[table["相差"].abs().sort_values(ascending=False, kind="stable").index]


# ---------------------------------------------------------------- 让步

@result
class Concessions(Result):
    pattern: str = label("让步方式")
    total: float = label("一共让了")
    steps: list = label("每次让")
    ratio: float | None = label("每次约为上一次的几倍")
    note: str = label("注意")


def concession_pattern(offers, *, seller=True, tolerance=.15) -> Concessions:
    """How one side gave way: its offers in order. A seller comes down, a buyer goes up.

    Patterns: 寸步不让; 只让过一次 (two offers: no pattern yet); 一次让完 (all in one step of several);
    先大后小 (each step at most the one before: signals the limit is near); 先小后大 (invites the other side
    to wait); 匀速; 忽大忽小; 出尔反尔 (an offer was taken back). Steps that differ by less than ``tolerance``
    of the mean step count as equal. ratio: geometric mean of successive steps, where all steps are positive
    and there are two or more.

    >>> c = concession_pattern([8.6, 8.2, 8.0, 7.9])
    >>> c.pattern, [round(x, 2) for x in c.steps], round(c.ratio, 2)
    ('先大后小', [0.4, 0.2, 0.1], 0.5)
    """
    x = numeric(offers, "报价")
    at_least(len(x), 2, "次报价")
    steps = np.round(np.diff(x) * (-1 if seller else 1), 9)
    total, change = steps.sum(), np.diff(steps)
    slack = tolerance * np.abs(steps).mean()
    note = ""
    if (steps < 0).any():
        pattern = "出尔反尔"
        note = f"第 {int((steps < 0).argmax()) + 2} 次报价退了回去，会伤信任。"
    elif not steps.any():
        pattern = "寸步不让"
    elif len(steps) == 1:
        pattern = "只让过一次"
    elif (steps > 0).sum() == 1:
        pattern = "一次让完"
        note = "让完就没有余地了。" if steps[-1] == 0 else "一直不让，最后一步让完。"
    elif (np.abs(change) <= slack).all() and np.ptp(steps) <= 2 * slack:
        pattern = "匀速"
        note = "对方会等你再让一次。"
    elif (change <= slack).all():
        pattern = "先大后小"
    elif (change >= -slack).all():
        pattern = "先小后大"
        note = "越让越多，对方会以为后面还有。"
    else:
        pattern = "忽大忽小"
    ratio = None
    if len(steps) > 1 and (steps > 0).all():
        ratio = float((steps[-1] / steps[0]) ** (1 / (len(steps) - 1)))
    return Concessions(pattern, total, steps.tolist(), ratio, note)


def concession_table(rounds, deal="洽谈编号", turn="轮次", side="报价方", price="单价",
                     seller="我方") -> pd.DataFrame:
    """``concession_pattern`` of both sides of every deal. rounds: a row per offer; seller: who comes down.

    A row per deal and side: 报价次数, 首报, 末报, 让了, 让步方式 (只报过一次 where there is but one offer),
    先报价.

    >>> t = pd.DataFrame({"洽谈编号": ["D1"] * 4, "轮次": [1, 2, 3, 4], "报价方": ["我方", "对方"] * 2,
    ...                   "单价": [8.6, 7, 8.2, 7.4]})
    >>> concession_table(t)[["让了", "先报价"]].round(2).values.tolist()
    [[0.4, True], [0.4, False]]
    """
    for name in (deal, turn, side):
        column(rounds, name)
    numeric(column(rounds, price), price)
    at_least(len(rounds), 1, "次报价")
    rows = []
    for name, talk in rounds.sort_values([deal, turn], kind="stable").groupby(deal, sort=False):
        if (twice := talk[turn].duplicated()).any():
            raise CourseError(f"“{name}”有两次报价都是第 {talk.loc[twice, turn].iloc[0]} 轮。")
        for who, part in talk.groupby(side, sort=False):
            offers = part[price].to_numpy(float)
            found = concession_pattern(offers, seller=who == seller) if len(offers) > 1 else None
            rows.append((name, who, len(offers), offers[0], offers[-1], found.total if found else 0.,
                         found.pattern if found else "只报过一次", who == talk[side].iloc[0]))
    return pd.DataFrame(rows, columns=[deal, side, "报价次数", "首报", "末报", "让了", "让步方式", "先报价"]
                        ).set_index([deal, side])


# ---------------------------------------------------------------- 图

def plot_frontier(table, deal=None, ax=None):
    """All packages by both sides' points, with the efficient frontier, the limits and the Nash point.

    deal: dict issue → option, a package to point out. Returns the Axes.
    """
    ax = axes(ax)
    ours, theirs = table.attrs.get("limits", (0., 0.))
    fit = table["可接受"]
    ax.scatter(table["我方"][~fit], table["对方"][~fit], s=36, c="0.8", label="有一方不接受")
    ax.scatter(table["我方"][fit], table["对方"][fit], s=46, c="C4", label="两边都能接受")
    edge = table[table["有效"]].sort_values(["我方", "对方"], ascending=[True, False])
    ax.plot(edge["我方"], edge["对方"], "o-", color="C0", markersize=9, label="有效边界")
    ax.axvline(ours, color="0.5", linestyle=":", linewidth=1.8)
    ax.axhline(theirs, color="0.5", linestyle=":", linewidth=1.8)
    if fit.any():
        best = best_package(table)
        ax.plot(best["我方"], best["对方"], "*", color="C3", markersize=20, label="两边都划算的一点")
    if deal is not None:
        rows = table
        for issue, option in deal.items():
            rows = rows[column(rows, issue) == option]
        if len(rows) != 1:
            raise CourseError(f"组合 {deal} 找到 {len(rows)} 个。每个议题都要写上一种选择。")
        here = rows.iloc[0]
        ax.plot(here["我方"], here["对方"], "s", color="C1", markersize=13, markeredgecolor="black",
                label="现在的方案")
    ax.set(xlim=(-3, 103), ylim=(-3, 103), xlabel="我方得分", ylabel="对方得分")
    ax.set_aspect("equal")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return ax


def plot_concessions(rounds, turn="轮次", side="报价方", price="单价", limits=None, ax=None):
    """The offers of one deal, a line per side. limits: (seller's lowest, buyer's highest price), shaded where
    they leave a zone. Returns the Axes."""
    ax = axes(ax)
    at_least(len(rounds), 1, "次报价")
    for (who, part), look in zip(rounds.sort_values(turn).groupby(side, sort=False), ("o-C0", "s--C3"),
                                 strict=False):
        ax.plot(part[turn], part[price], look[:-2], color=look[-2:], label=str(who))
        for x, y in zip(part[turn], part[price], strict=True):
            ax.annotate(f"{y:.2f}", (x, y), (0, 9), textcoords="offset points", ha="center",
                        fontsize="small")
    if limits is not None:
        low, high = limits
        if high >= low:
            ax.axhspan(low, high, color="C2", alpha=.2, label="可谈区间")
        else:
            ax.axhline(low, color="C0", linestyle=":", label="卖方底价")
            ax.axhline(high, color="C3", linestyle=":", label="买方最高价")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.margins(y=.15)
    ax.set(xlabel="第几次报价", ylabel="单价（元）")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return ax
