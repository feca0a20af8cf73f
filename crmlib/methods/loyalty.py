"""忠诚：钱包份额、留存的经济账、会员真有用吗、积分负债、计划的投入产出。"""

from math import sqrt

import numpy as np
import pandas as pd
import scipy

from crmlib.cli import CourseError
from crmlib.methods._common import (
    Result,
    at_least,
    axes,
    column,
    flags,
    label,
    number,
    numeric,
    result,
    same_length,
)
from crmlib.methods.clv import margin_multiple


def share_of_wallet(own, total) -> np.ndarray:
    """Share of a customer's spending on such services that comes to us: own / total; one per customer.

    Totals must be above 0 and not below what we know we got.

    >>> share_of_wallet([30, 80], [60, 80]).tolist()
    [0.5, 1.0]
    """
    own, total = np.atleast_1d(own), np.atleast_1d(total)  # 也可以只问一位客户
    same_length(在我家花的=own, 总共花的=total)
    own, total = numeric(own, "在我家花的", low=0), numeric(total, "总共花的", low=0)
    if (total <= 0).any():
        raise CourseError("“总共花的”有 0：没有这项开支的客户没有钱包份额，先去掉。")
    if (own > total * (1 + 1e-9)).any():
        i = int((own > total * (1 + 1e-9)).argmax())
        raise CourseError(f"第 {i + 1} 位客户在我家花了 {own[i]:g}，"
                          f"比总共花的 {total[i]:g} 还多：总额估低了。")
    return own / total


def wallet_allocation(rank, suppliers) -> float:
    """Expected share of wallet from our rank among a customer's suppliers (1 = best; ties: mean rank).

    (1 − rank/(n + 1)) × 2/n. Source: Keiningham et al. 2011, Harvard Business Review, October.

    >>> round(wallet_allocation(1, 3), 3), [round(wallet_allocation(r, 2), 2) for r in (1, 2)]
    (0.5, [0.67, 0.33])
    """
    n = number(suppliers, "供应商数", low=1)
    return (1 - number(rank, "名次", low=1, high=n) / (n + 1)) * 2 / n


@result
class Retention(Result):
    before: float = label("现在每位客户的终身价值（元）")
    after: float = label("提高以后（元）")
    gain: float = label("每位多出（元）")
    cost: float = label("每位的投入现值（元）")
    net: float = label("全体净收益（元）")
    break_even: float | None = label("每位每年最多能投入（元）")


def retention_economics(customers, margin, retention, new_retention, *, yearly_cost=0,
                        discount=.1) -> Retention:
    """Is it worth raising retention? Lifetime values (``margin_multiple``) before and after, minus the cost.

    margin: yuan a year per active customer; yearly_cost: yuan a year per active customer, from now on for as
    long as he stays; discount: a year. ``break_even``: the yearly cost at which the gain is used up (None if
    retention does not rise). Source: Gupta & Lehmann 2003; after Reichheld & Sasser 1990.

    >>> r = retention_economics(1000, 500, .80, .85, yearly_cost=60, discount=.1)
    >>> round(r.before), round(r.after), round(r.net), round(r.break_even, 1)
    (1333, 1700, 102667, 83.3)
    """
    people, margin = number(customers, "客户数", low=0), number(margin, "年毛利")
    old = number(retention, "现在的留存率", low=0, high=1)
    new = number(new_retention, "新的留存率", low=0, high=1)
    before, after = (margin * margin_multiple(r, discount) for r in (old, new))
    per_yuan = margin_multiple(new, discount, "now")
    cost = number(yearly_cost, "每年投入", low=0) * per_yuan
    return Retention(before, after, after - before, cost, people * (after - before - cost),
                     (after - before) / per_yuan if new > old else None)


@result
class Membership(Result):
    naive: float = label("会员比非会员多（之后）")
    already: float = label("其中加入之前就多")
    effect: float = label("双重差分：会员身份带来的")
    low: float = label("下限")
    high: float = label("上限")
    p: float = label("p 值")
    members: int = label("会员数")
    others: int = label("非会员数")


def difference_in_differences(table, member, before, after, confidence=.95) -> Membership:
    """Does the programme work, or do good customers join? Change of the members minus change of the others.

    table: a row per customer; member: column of 0 and 1; before, after: the same figure (say, yuan a month)
    before and after joining. Right only if both would have changed alike without the programme.
    Welch's t for the two mean changes. Source: Angrist & Pischke 2009, §5.2.

    >>> t = pd.DataFrame({"会员": [1, 1, 0, 0], "前": [90., 110, 40, 60], "后": [100., 122, 50, 68]})
    >>> r = difference_in_differences(t, "会员", "前", "后")
    >>> r.naive, r.already, r.effect
    (52.0, 50.0, 2.0)
    """
    w = flags(column(table, member), member)
    x, y = (numeric(column(table, c), c) for c in (before, after))
    for value, name in ((1, "会员"), (0, "非会员")):
        at_least(int((w == value).sum()), 2, f"位{name}")
    change = y - x
    one, other = change[w == 1], change[w == 0]
    effect = one.mean() - other.mean()
    a, b = one.var(ddof=1) / len(one), other.var(ddof=1) / len(other)
    se = sqrt(a + b)
    if se == 0:
        low = high = effect
        p = float(effect == 0)
    else:
        df = (a + b) ** 2 / (a ** 2 / (len(one) - 1) + b ** 2 / (len(other) - 1))
        half = scipy.special.stdtrit(df, .5 + number(confidence, "置信水平", above=0, below=1) / 2) * se
        low, high, p = effect - half, effect + half, 2 * scipy.special.stdtr(df, -abs(effect) / se)
    return Membership(y[w == 1].mean() - y[w == 0].mean(), x[w == 1].mean() - x[w == 0].mean(), effect, low,
                      high, p, len(one), len(other))


@result
class Points(Result):
    outstanding: float = label("还没用的积分")
    expected: float = label("预计会兑换的积分")
    liability: float = label("积分负债（元）")
    spent: float = label("已兑换花掉（元）")


def points_liability(issued, redeemed, expired=0, *, yuan_per_point, redemption_rate) -> Points:
    """What the points still out there will cost.

    issued, redeemed, expired: points so far; redemption_rate: share of all points issued that will ever be
    redeemed (1 − breakage); liability = (issued × rate − redeemed, at least 0, at most those outstanding) ×
    yuan_per_point, the cost of a point when redeemed.

    >>> r = points_liability(1_000_000, 400_000, 50_000, yuan_per_point=.01, redemption_rate=.7)
    >>> r.outstanding, round(r.liability, 2)
    (550000.0, 3000.0)
    """
    issued = number(issued, "发出的积分", low=0)
    redeemed = number(redeemed, "已兑换的积分", low=0)
    expired = number(expired, "过期的积分", low=0)
    left = issued - redeemed - expired
    if left < 0:
        raise CourseError(f"已兑换和过期的积分（{redeemed + expired:,.0f}）比发出的（{issued:,.0f}）还多。")
    price = number(yuan_per_point, "每分成本（元）", low=0)
    expected = min(max(issued * number(redemption_rate, "最终兑换率", low=0, high=1) - redeemed, 0), left)
    return Points(left, expected, expected * price, redeemed * price)


def programme_roi(extra_margin, costs) -> float:
    """Return on a programme: (extra margin − cost) / cost.

    extra_margin: yuan that would not have come without it (``difference_in_differences``), not all that
    members bring; costs: dict name → yuan.

    >>> programme_roi(150_000, {"积分": 60_000, "系统": 40_000})
    0.5
    """
    cost = sum(number(v, k, low=0) for k, v in costs.items())
    if cost == 0:
        raise CourseError("成本合计是 0，算不出回报率。积分、系统、人工都要算进去。")
    return (number(extra_margin, "增加的毛利") - cost) / cost


# 态度高低 × 行为高低。Dick & Basu 1994, J. Academy of Marketing Science 22, 99
LOYALTY_GRID = {(True, True): "真忠诚", (True, False): "潜在忠诚",
                (False, True): "虚假忠诚", (False, False): "不忠诚"}


def loyalty_grid(attitude, behaviour, cuts=None) -> pd.Series:
    """Loyalty by attitude (say, satisfaction) and behaviour (say, share of wallet); the cut is high.

    cuts: (attitude, behaviour); default: the medians.

    >>> loyalty_grid([9, 9, 2, 2], [.8, .2, .9, .1], cuts=(7, .5)).tolist()
    ['真忠诚', '潜在忠诚', '虚假忠诚', '不忠诚']
    """
    same_length(态度=attitude, 行为=behaviour)
    a, b = numeric(attitude, "态度"), numeric(behaviour, "行为")
    at_least(len(a), 1, "位客户")
    x, y = (np.median(a), np.median(b)) if cuts is None else cuts
    return pd.Series([LOYALTY_GRID[bool(p), bool(q)] for p, q in zip(a >= x, b >= y, strict=True)],
                     attitude.index if isinstance(attitude, pd.Series) else None, name="忠诚类型")


def plot_retention_value(margin=1, discount=.1, now=None, ax=None):
    """Lifetime value against retention: the last points are worth most; now: a rate to mark. Returns Axes."""
    ax = axes(ax)
    rates = np.linspace(.3, .97, 200)
    value = [margin * margin_multiple(r, discount) for r in rates]
    ax.plot(100 * rates, value, color="C0")
    if now is not None:
        here = margin * margin_multiple(now, discount)
        ax.plot(100 * now, here, "o", color="C3", zorder=3)
        ax.annotate(f"留存率 {now:.0%}：{here:,.1f}", (100 * now, here), (-10, 10), ha="right",
                    textcoords="offset points", color="C3")
    ax.set(xlim=(30, 98), ylim=(0, None), xlabel="年留存率（%）",
           ylabel="终身价值（元）" if margin != 1 else "终身价值（年毛利的倍数）")
    return ax
