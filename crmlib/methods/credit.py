"""信用与账款：信用评分卡、额度、账期和折扣的算术、账龄、滚动率、回款天数、催收排队。

Money in yuan, rates as shares a year (.12 is 12 %), times in days.
"""

from itertools import pairwise

import numpy as np
import pandas as pd

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

# ---------------------------------------------------------------- 评分卡


def credit_score(table, card, weights, cuts=(80, 60, 40), grades="ABCD") -> pd.DataFrame:
    """Points of each customer on a scorecard, their weighted sum (信用分) and grade (信用等级).

    card: dict column → rule. For numbers a rule is (ascending cut-points, points): one more point value than
    cut-points, a value on a cut belongs to the band above. For text it is a dict value → points. weights:
    dict of the same columns, adding up to 1. cuts: lowest score of each grade but the last, descending. A
    blank or a value that the card does not know is an error that quotes it: refusing to guess is the policy.

    >>> files = pd.DataFrame({"成立年数": [2, 9], "有担保": ["否", "是"]}, ["甲", "乙"])
    >>> card = {"成立年数": ([3, 8], [40, 70, 100]), "有担保": {"是": 100, "否": 50}}
    >>> credit_score(files, card, {"成立年数": .6, "有担保": .4})[["信用分", "信用等级"]].values.tolist()
    [[44.0, 'C'], [100.0, 'A']]
    """
    at_least(len(table), 1, "个客户")
    if set(card) != set(weights):
        odd = "、".join(sorted(map(str, set(card) ^ set(weights))))
        raise CourseError(f"评分卡和权重的项目对不上：{odd}。两边要写一样的列。")
    w = {c: number(v, f"{c}的权重", low=0) for c, v in weights.items()}
    if abs(sum(w.values()) - 1) > .005:
        raise CourseError(f"权重加起来是 {sum(w.values()):.3g}，应当等于 1。")
    points = pd.DataFrame({c: _points(column(table, c), c, rule) for c, rule in card.items()}, table.index)
    points["信用分"] = sum(points[c] * v for c, v in w.items())
    points["信用等级"] = credit_grade(points["信用分"], cuts, grades)
    return points


def _points(values, name, rule):
    if isinstance(rule, dict):
        if odd := [v for v in values if v not in rule]:
            raise CourseError(f"“{name}”里的“{odd[0]}”不在评分卡上。卡上有：{'、'.join(map(str, rule))}。")
        return np.array([number(rule[v], f"{name}的分值") for v in values])
    cuts, points = (numeric(x, f"{name}的{what}") for x, what in zip(rule, ("分界", "分值"), strict=True))
    if (np.diff(cuts) <= 0).any():
        raise CourseError(f"“{name}”的分界要从小到大。")
    if len(points) != len(cuts) + 1:
        raise CourseError(f"“{name}”有 {len(cuts)} 个分界，就该有 {len(cuts) + 1} 个分值，"
                          f"现在是 {len(points)} 个。")
    return points[np.searchsorted(cuts, numeric(values, name), side="right")]


def credit_grade(scores, cuts=(80, 60, 40), grades="ABCD") -> np.ndarray:
    """Grade of each score; a score on a cut gets the better grade.

    >>> credit_grade([85, 60, 12]).tolist()
    ['A', 'B', 'D']
    """
    cuts = numeric(cuts, "分界")
    if (np.diff(cuts) >= 0).any():
        raise CourseError("等级的分界要从大到小，例如 (80, 60, 40)。")
    if len(grades) != len(cuts) + 1:
        raise CourseError(f"{len(cuts)} 个分界分出 {len(cuts) + 1} 个等级，现在写了 {len(grades)} 个。")
    scores = np.round(numeric(scores, "信用分"), 9)  # 加权求和的零头不该改变等级
    return np.array(list(grades))[np.searchsorted(-cuts, -scores, side="left")]


@result
class WoE(Result):
    iv: float = label("信息值 IV")
    strength: str = label("区分能力")
    n: int = label("户数")
    dropped: int = label("空值没用上")
    bands: pd.DataFrame = label("各档")


def weight_of_evidence(values, bad, cuts=None) -> WoE:
    """How well one indicator tells good payers from bad ones: weight of evidence of each band.

    values: text (a band each), or numbers split at ascending ``cuts`` (default: the quartiles); bad: 1 where
    the customer did not pay. WoE = ln(share of the good in the band ÷ share of the bad in the band): above 0
    is safer than average. Where a band has no good or no bad, ½ is added to all its counts, and 提示 says so.
    IV = Σ (share good − share bad) × WoE: below .02 useless, .1 weak, .3 medium, above strong (Siddiqi 2006,
    Credit Risk Scorecards, ch. 6). A band of fewer than 5 % of customers is doubtful, as 提示 says.

    >>> w = weight_of_evidence(["有"] * 4 + ["无"] * 4, [0, 0, 0, 1, 0, 1, 1, 1])
    >>> w.bands["WoE"].round(3).to_dict(), round(w.iv, 3)
    ({'无': -1.099, '有': 1.099}, 1.099)
    """
    bad = flags(bad, "没有付款")
    same_length(指标=values, 没有付款=bad)
    values = pd.Series(np.asarray(values, object)).reset_index(drop=True)
    known = values.notna().to_numpy()
    dropped = int((~known).sum())
    values, bad = values[known], bad[known]
    if bad.min(initial=1) == bad.max(initial=0):
        raise CourseError("付了款的和没付款的，两种都要有，才比得出。")
    if cuts is None and pd.to_numeric(values, errors="coerce").isna().any():
        band = values.astype(str)
    else:
        x = numeric(values, "指标")
        cuts = np.unique(np.quantile(x, [.25, .5, .75])) if cuts is None else numeric(cuts, "分界")
        if (np.diff(cuts) <= 0).any():
            raise CourseError("分界要从小到大。")
        ends = [f"{c:g}" for c in cuts]
        names = [f"不到 {ends[0]}", *(f"{a} 到不足 {b}" for a, b in pairwise(ends)),
                 f"{ends[-1]} 以上"]
        band = pd.Categorical.from_codes(np.searchsorted(cuts, x, side="right"), names, ordered=True)
    found = pd.DataFrame({"档": band, "坏": bad}).groupby("档", observed=True)["坏"].agg(["size", "sum"])
    good, late = found["size"] - found["sum"], found["sum"]
    empty = (good == 0) | (late == 0)
    share_good = (good + .5 * empty) / (good + .5 * empty).sum()
    share_bad = (late + .5 * empty) / (late + .5 * empty).sum()
    woe = np.log(share_good / share_bad)
    iv = ((share_good - share_bad) * woe).sum()
    few = found["size"] < .05 * len(bad)
    hint = np.where(empty, "全好或全坏，加了 ½ 才算得出", np.where(few, "不到 5% 的户，作不得准", ""))
    bands = pd.DataFrame({"户数": found["size"], "坏账户": late.astype(int), "坏账率": late / found["size"],
                          "WoE": woe, "提示": hint})
    bands.index = bands.index.astype(str)
    strength = ["几乎没有", "弱", "中等", "强"][np.searchsorted([.02, .1, .3], iv, side="right")]
    return WoE(iv, strength, len(bad), dropped, bands)


def cutoff_table(scores, bad, profit, loss) -> pd.DataFrame:
    """What each cut-off would have earned: customers with at least that score get credit.

    scores: credit scores of customers whose outcome is known; bad: 1 where he did not pay; profit: yuan
    earned on one who pays; loss: yuan lost on one who does not. A row per score that occurs, plus one above
    all (nobody gets credit). Columns: 通过户数, 通过率, 坏账率 (0 where nobody passes), 坏账户, 错拒的好客户,
    利润.

    >>> cutoff_table([40, 60, 80], [1, 0, 0], 100, 500)["利润"].to_dict()
    {40.0: -300.0, 60.0: 200.0, 80.0: 100.0, inf: 0.0}
    """
    scores, bad = numeric(scores, "信用分"), flags(bad, "没有付款")
    same_length(信用分=scores, 没有付款=bad)
    at_least(len(scores), 1, "个客户")
    cuts, place = np.unique(scores, return_inverse=True)
    upward = lambda weights: np.r_[np.cumsum(np.bincount(place, weights)[::-1])[::-1], 0]  # noqa: E731
    passed, late = upward(None), upward(bad)
    table = pd.DataFrame({"通过户数": passed.astype(int), "通过率": passed / len(scores),
                          "坏账率": np.divide(late, passed, out=np.zeros_like(late), where=passed > 0),
                          "坏账户": late.astype(int),
                          "错拒的好客户": ((1 - bad).sum() - (passed - late)).astype(int)},
                         pd.Index(np.r_[cuts, np.inf], name="最低分"))
    table["利润"] = (number(profit, "好客户的利润", low=0) * (passed - late)
                     - number(loss, "坏账的损失", low=0) * late)
    return table


def credit_limit(monthly, term, *, share=1, capital=None, capital_share=.1, step=1000) -> float:
    """Credit limit, yuan: the smaller of what he needs and what he can bear, rounded down to ``step``.

    What he needs: what he ships while one bill is unpaid, monthly sales ÷ 30 × (term + 30 days until the
    monthly bill is made out), times ``share`` (by grade: 1 for A, less for lower ones, 0 for none). What he
    can bear: ``capital_share`` of his ``capital`` (own funds), if given.

    >>> credit_limit(60_000, 30, share=.8), credit_limit(60_000, 30, capital=500_000)
    (96000.0, 50000.0)
    """
    need = (number(monthly, "月销售额", low=0) / 30 * (number(term, "账期", low=0) + 30)
            * number(share, "按等级打的折", low=0))
    if capital is not None:
        capital_share = number(capital_share, "占资金的比例", low=0, high=1)
        need = min(need, number(capital, "自有资金", low=0) * capital_share)
    step = number(step, "取整的单位", above=0)
    return float(np.floor(round(need / step, 9)) * step)


# ---------------------------------------------------------------- 折扣和账期

@result
class DiscountCost(Result):
    simple: float = label("年化（单利）")
    effective: float = label("实际年利率（复利）")
    days: float = label("多用几天")


def discount_cost(discount, discount_days, net_days, *, year=365) -> DiscountCost:
    """What it costs a buyer a year not to take a cash discount (2/10 net 30: .02, 10, 30).

    simple: d/(1 − d) × year/(net − discount days), as textbooks print it (year 365 or 360); effective:
    (1 + d/(1 − d))^(year/days) − 1, with interest on interest.

    >>> r = discount_cost(.02, 10, 30)
    >>> f"{r.simple:.2%}", f"{r.effective:.2%}", f"{discount_cost(.02, 10, 30, year=360).simple:.2%}"
    ('37.24%', '44.59%', '36.73%')
    """
    d = number(discount, "折扣", above=0, below=1)
    early, late = number(discount_days, "折扣期", low=0), number(net_days, "信用期", above=0)
    if late <= early:
        raise CourseError(f"信用期（{late:g} 天）要比折扣期（{early:g} 天）长。")
    gain, times = d / (1 - d), number(year, "一年的天数", above=0) / (late - early)
    return DiscountCost(gain * times, (1 + gain) ** times - 1, late - early)


def discount_value(amount, discount, discount_days, days, rate, *, year=365) -> np.ndarray:
    """What the seller gains, at the billing date, if a customer takes the discount instead of paying as
    usual.

    amount: bill, yuan; days: when he pays now (one number, or one per customer); rate: the seller's cost of
    money a year, effective. Below 0 the discount is a gift. The difference of the present values
    amount·(1 − d)/(1 + rate)^(early/year) and amount/(1 + rate)^(days/year).

    >>> discount_value(10000, .02, 10, [15, 45, 120], .12).round().tolist()
    [-184.0, -92.0, 135.0]
    """
    d = number(discount, "折扣", low=0, below=1)
    early = number(discount_days, "折扣期", low=0)
    amount = numeric(np.atleast_1d(amount), "金额", low=0)
    days = numeric(np.atleast_1d(days), "付款天数", low=0)
    grow = np.log1p(number(rate, "资金成本", low=0)) / number(year, "一年的天数", above=0)
    return amount * ((1 - d) * np.exp(-grow * early) - np.exp(-grow * days))


def term_value(amount, cost, days, rate, *, bad=0, year=365) -> float:
    """Net present value, at shipping, of one sale on credit: money in ``days`` later, less the cost now.

    amount: bill; cost: what serving it costs, paid now; bad: chance that it is never paid; rate: cost of
    money a year, effective. Below 0: better not to sell on these terms.

    >>> round(term_value(10000, 9200, 30, .12), 1), round(term_value(10000, 9200, 90, .12, bad=.06), 1)
    (707.3, -59.0)
    """
    days, rate = number(days, "天数", low=0), number(rate, "资金成本", low=0)
    paid = number(amount, "金额", low=0) * (1 - number(bad, "坏账率", low=0, high=1))
    return paid * (1 + rate) ** (-days / number(year, "一年的天数", above=0)) - number(cost, "成本", low=0)


def credit_policies(policies, rate, *, sales="年销售额", variable="变动成本率", days="平均收现期",
                    bad="坏账率", collection="收账费用", discount="折扣率", takers="享受折扣的比例",
                    fixed=0, year=360) -> pd.DataFrame:
    """Compare credit policies over a year (a row each); the first one is the present policy.

    Columns by name: sales a year; variable cost and bad debt as shares of sales; mean days until paid;
    collection cost in yuan. Discount share and the share of sales that takes it are 0 where there are no such
    columns. rate: cost of money a year, simple. Returns 边际贡献 (less fixed costs), 应收账款 (mean balance),
    应计利息 (on the variable cost tied up in it), 坏账, 收账费用, 折扣, 净收益, 增加 (over the first row).
    Source: the incremental method of the CPA textbook 财务成本管理, 信用政策.

    >>> two = pd.DataFrame({"年销售额": [500_000, 600_000], "变动成本率": [.8, .8], "平均收现期": [30, 60],
    ...                     "坏账率": [.01, .015], "收账费用": [3000, 4000]}, ["30 天", "60 天"])
    >>> credit_policies(two, .15)["增加"].tolist()
    [0.0, 8000.0]
    """
    at_least(len(policies), 1, "种政策")
    turnover, wait, effort = (numeric(column(policies, c), c, low=0) for c in (sales, days, collection))
    share, lost = (numeric(column(policies, c), c, low=0, high=1) for c in (variable, bad))
    off = np.ones(len(policies))
    for name in (discount, takers):
        off = off * (numeric(policies[name], name, low=0, high=1) if name in policies else 0)
    balance = turnover / number(year, "一年的天数", above=0) * wait
    found = pd.DataFrame({"边际贡献": turnover * (1 - share) - number(fixed, "固定成本", low=0),
                          "应收账款": balance, "应计利息": balance * share * number(rate, "资金成本", low=0),
                          "坏账": turnover * lost, "收账费用": effort, "折扣": turnover * off},
                         policies.index)
    found["净收益"] = found["边际贡献"] - found[["应计利息", "坏账", "收账费用", "折扣"]].sum(axis=1)
    found["增加"] = (found["净收益"] - found["净收益"].iloc[0]).round(6)
    return found


def late_interest(amount, days, daily=.0005) -> float:
    """Interest on a late payment, yuan: amount × days × daily rate, no interest on interest.

    The default, 0.05 % a day, is what 保障中小企业款项支付条例 (国务院令第 802 号) sets where none was
    agreed.

    >>> late_interest(100_000, 20)
    1000.0
    """
    return (number(amount, "金额", low=0) * number(days, "逾期天数", low=0)
            * number(daily, "日利率", low=0))


# ---------------------------------------------------------------- 账龄

def open_items(invoices, payments, at, *, bill="账单编号", issued="开票日期", due="到期日期", amount="应收",
               paid_on="回款日期", paid="金额") -> pd.DataFrame:
    """Bills issued by the day ``at`` and not fully paid by then, with 已收, 未收 and 逾期天数 (below 0: not
    due).

    Payments of a bill add up (instalments); those after ``at`` do not count yet. Overpaid bills are left out;
    ``.attrs``: "overpaid" (how many), "orphans" (payments for bills that the table does not have).

    >>> bills = pd.DataFrame({"账单编号": ["B1", "B2"], "开票日期": ["2025-01-02"] * 2,
    ...                       "到期日期": ["2025-02-01"] * 2, "应收": [900, 500]})
    >>> paid = pd.DataFrame({"账单编号": ["B1", "B2"], "回款日期": ["2025-02-03", "2025-01-30"],
    ...                      "金额": [400, 500]})
    >>> open_items(bills, paid, "2025-02-11")[["账单编号", "未收", "逾期天数"]].values.tolist()
    [['B1', 500.0, 10]]
    """
    day = dates([at], "截止日")[0]
    bills = invoices[(dates(column(invoices, issued), issued) <= day).to_numpy()].copy()
    if (twice := column(bills, bill).duplicated()).any():
        raise CourseError(f"账单“{bills.loc[twice, bill].iloc[0]}”出现了不止一次。先去重。")
    in_time = (dates(column(payments, paid_on), paid_on) <= day).to_numpy()
    money = pd.Series(numeric(column(payments, paid), paid), payments.index)
    received = money[in_time].groupby(column(payments, bill)[in_time].to_numpy()).sum()
    bills["已收"] = bills[bill].map(received).fillna(0.).to_numpy(float)
    bills["未收"] = numeric(column(bills, amount), amount) - bills["已收"]
    bills["逾期天数"] = (day - dates(column(bills, due), due)).dt.days
    found = bills[bills["未收"] > .005].reset_index(drop=True)
    found.attrs["overpaid"] = int((bills["未收"] < -.005).sum())
    found.attrs["orphans"] = int((~payments[bill].isin(invoices[bill])).sum())
    return found


def ageing(items, by=None, *, balance="未收", overdue="逾期天数", edges=(0, 30, 60, 90)) -> pd.DataFrame:
    """Ageing of receivables: open balance by days overdue, a row per customer (or what ``by`` names).

    edges: last day of each band; the first must be 0, so that the first band is what is not yet due. Columns:
    未到期, 1–30 天, …, 合计, 逾期占比; the largest overdue balance first. by=None: one row, 全部.

    >>> items = pd.DataFrame({"客户": ["甲", "甲", "乙"], "未收": [100, 50, 30], "逾期天数": [-3, 31, 120]})
    >>> ageing(items, "客户").loc["甲", ["未到期", "31～60 天", "合计"]].tolist()
    [100.0, 50.0, 150.0]
    """
    edges = numeric(edges, "账龄分界")
    if edges[0] != 0 or (np.diff(edges) <= 0).any():
        raise CourseError("账龄分界要从 0 开始、从小到大，例如 (0, 30, 60, 90)。")
    names = age_bands(edges)
    late = numeric(column(items, overdue), overdue)
    band = pd.Categorical.from_codes(np.searchsorted(edges, late, side="left"), names)
    who = column(items, by).to_numpy() if by else np.full(len(items), "全部")
    table = pd.DataFrame({"谁": who, "档": band, "额": numeric(column(items, balance), balance)})
    wide = table.pivot_table(index="谁", columns="档", values="额", aggfunc="sum", observed=True)
    wide = wide.reindex(columns=names).fillna(0.).astype(float).rename_axis(index=by, columns=None)
    wide["合计"] = wide.sum(axis=1)
    late_sum = wide["合计"] - wide["未到期"]
    wide["逾期占比"] = (late_sum / wide["合计"].where(wide["合计"] != 0)).fillna(0)
    return wide.loc[late_sum.sort_values(ascending=False, kind="stable").index]


def age_bands(edges=(0, 30, 60, 90)) -> list[str]:
    """Names of the bands of ``ageing``.

    >>> age_bands((0, 30, 60))
    ['未到期', '1～30 天', '31～60 天', '60 天以上']
    """
    inner = [f"{a + 1:g}～{b:g} 天" for a, b in pairwise(edges)]
    return ["未到期", *inner, f"{edges[-1]:g} 天以上"]


def ageing_history(invoices, payments, days, *, edges=(0, 30, 60, 90), **columns) -> pd.DataFrame:
    """Total ageing on several days, a row each (month ends, for ``roll_rates``); columns as ``open_items``.

    >>> bills = pd.DataFrame({"账单编号": ["B1"], "开票日期": ["2025-01-02"], "到期日期": ["2025-02-01"],
    ...                       "应收": [9]})
    >>> none = pd.DataFrame({"账单编号": [], "回款日期": pd.to_datetime([]), "金额": []})
    >>> ageing_history(bills, none, ["2025-01-31", "2025-02-28"])["1～30 天"].tolist()
    [0.0, 9.0]
    """
    days = dates(days, "日期")
    at_least(len(days), 1, "天")
    rows = []
    for day in days:
        found = ageing(open_items(invoices, payments, day, **columns), edges=edges)
        rows.append(found.iloc[0] if len(found) else pd.Series(0., found.columns))
    return pd.DataFrame(rows, pd.DatetimeIndex(days, name="日期"))


@result
class RollRates(Result):
    months: int = label("用了几个月")
    rates: pd.DataFrame = label("滚动率和损失率")
    each: pd.DataFrame = label("各月滚动率")


def roll_rates(history) -> RollRates:
    """Share of each overdue band that rolls into the next band a month later, and what will be lost of each.

    history: a row per month in order, the bands as columns from 未到期 to the oldest (``ageing_history``,
    with bands as wide as a month). rates: 滚动率 of each band but the last = Σ next band a month later ÷ Σ
    band; 损失率 = product of the roll rates from there on: what reaches the last band and stays counts as
    lost. Into the last band, which piles up, goes its net growth (old debts paid after all are taken off; at
    least 0). A month in which a band was empty has no rate of its own; a band that was always empty is an
    error. A rate above 1 happens where bands are wider than the steps between rows.

    >>> months = pd.DataFrame({"未到期": [100., 100, 100], "1～30 天": [0., 20, 20], "30 天以上": [0., 0, 5]})
    >>> roll_rates(months).rates["损失率"].round(3).to_dict()
    {'未到期': 0.05, '1～30 天': 0.25, '30 天以上': 1.0}
    """
    bands = [c for c in history.columns if c not in ("合计", "逾期占比")]
    at_least(len(bands), 2, "档账龄")
    at_least(len(history), 2, "个月")
    table = np.column_stack([numeric(history[c], c, low=0) for c in bands])
    before, after = table[:-1, :-1], table[1:, 1:].copy()
    after[:, -1] -= table[:-1, -1]  # 最老的一档只进不出，要看净增加
    if (empty := before.sum(0) == 0).any():
        raise CourseError(f"“{bands[int(empty.argmax())]}”这一档一直是 0，算不出滚动率。把账龄档合并一些。")
    rate = np.r_[np.maximum(after.sum(0) / before.sum(0), 0), 1]
    each = np.divide(after, before, out=np.full_like(after, np.nan), where=before > 0)
    rates = pd.DataFrame({"滚动率": np.r_[rate[:-1], np.nan], "损失率": np.cumprod(rate[::-1])[::-1]}, bands)
    return RollRates(len(history) - 1, rates, pd.DataFrame(each, history.index[1:], bands[:-1]))


@result
class DSO(Result):
    simple: float = label("回款天数 DSO（余额 ÷ 日均销售）")
    count_back: float | None = label("回款天数（倒推法）")
    note: str = label("注意")


def dso(receivable, sales, days=30) -> DSO:
    """Days sales outstanding at the end of the last period, in two ways.

    receivable: balance at the end; sales: sales on credit of the periods, oldest first (one is enough); days:
    days of a period, one number or one each. simple: receivable ÷ total sales × total days. count_back: how
    many days of sales, from the last one backwards, the balance contains; it does not rise just because sales
    have risen. Empty where the balance is larger than all the sales given, and note says so.

    >>> r = dso(150, [90, 60, 120], 30)
    >>> r.simple, r.count_back
    (50.0, 45.0)
    """
    left = number(receivable, "应收账款", low=0)
    sales = numeric(np.atleast_1d(sales), "销售额", low=0)
    days = np.broadcast_to(numeric(np.atleast_1d(days), "天数", low=1), len(sales))
    if sales.sum() == 0:
        raise CourseError("销售额合计是 0，算不出回款天数。")
    simple, counted = left / sales.sum() * days.sum(), 0.
    if left > sales.sum():
        return DSO(simple, None, "应收账款比给出的全部销售额还多：倒推法要更早几期的销售额。")
    for amount, length in zip(sales[::-1], days[::-1], strict=True):
        if left <= amount:
            counted += length * left / amount if amount else 0
            break
        left -= amount
        counted += length
    return DSO(simple, counted, "")


# ---------------------------------------------------------------- 催收

# 逾期几天起，下一步做什么：一级一级来，每一步都合法
STEPS = ((-7, "到期前提醒、对账"), (1, "电话问清原因"), (8, "书面催款函"), (31, "上门对账，谈还款计划"),
         (46, "暂停赊销，只收现结"), (61, "发律师函"), (91, "仲裁或起诉"))


def next_step(overdue, disputed=False, steps=STEPS) -> str:
    """The lawful next step for a bill so many days overdue; a disputed bill is cleared up first.

    >>> next_step(3), next_step(75), next_step(75, disputed=True), next_step(-20)
    ('电话问清原因', '发律师函', '先核实争议', '不用催')
    """
    overdue = number(overdue, "逾期天数")
    if overdue >= steps[0][0] and disputed:
        return "先核实争议"
    return next((step for day, step in reversed(steps) if overdue >= day), "不用催")


def collections_queue(items, chance, *, customer="客户编号", balance="未收", overdue="逾期天数",
                      edges=(0, 30, 60, 90), disputed=None, minutes=15, capacity=None) -> pd.DataFrame:
    """Whom to press first: customers by the cash that a contact is expected to bring, the most first.

    items: open bills (``open_items``). chance: dict age band → how much likelier the bill is paid if somebody
    presses for it (0 to 1), for every band that occurs among bills overdue. Expected cash = Σ balance ×
    chance over a customer's overdue bills. disputed: column of 1/0; disputed bills bring no expected cash
    (pressing does not help), but put 先核实争议 before the customer's own step, which follows his oldest
    bill. minutes: time for one customer; capacity: minutes there are today. Customers with nothing overdue
    are left out. Columns: 逾期金额, 最长逾期, 预期收回, 累计收回, 下一步, 今天.

    >>> items = pd.DataFrame({"客户编号": ["甲", "甲", "乙"], "未收": [1000, 500, 3000],
    ...                       "逾期天数": [5, 40, 100]})
    >>> q = collections_queue(items, {"1～30 天": .5, "31～60 天": .4, "90 天以上": .1}, capacity=15)
    >>> q[["预期收回", "下一步", "今天"]].values.tolist()
    [[700.0, '上门对账，谈还款计划', True], [300.0, '仲裁或起诉', False]]
    """
    late = numeric(column(items, overdue), overdue)
    money = numeric(column(items, balance), balance, low=0)
    names = np.array(age_bands(edges))
    band = names[np.searchsorted(numeric(edges, "账龄分界"), late, side="left")]
    due = late > 0
    if missing := sorted(set(band[due]) - set(chance)):
        raise CourseError(f"chance 里没有“{missing[0]}”的可能性。要写的有：{'、'.join(names[1:])}。")
    lift = np.array([number(chance[b], f"{b}的可能性", low=0, high=1) if d else 0.
                     for b, d in zip(band, due, strict=True)])
    argued = np.zeros(len(items), bool) if disputed is None else flags(column(items, disputed), disputed) > 0
    table = pd.DataFrame({customer: column(items, customer).to_numpy(), "逾期金额": money, "最长逾期": late,
                          "预期收回": money * lift * ~argued, "争议": argued})[due]
    found = table.groupby(customer).agg({"逾期金额": "sum", "最长逾期": "max", "预期收回": "sum",
                                         "争议": "max"})
    found = found.sort_index().sort_values("预期收回", ascending=False, kind="stable")
    found["累计收回"] = found["预期收回"].cumsum()
    found["下一步"] = [next_step(d, a) for d, a in zip(found["最长逾期"], found.pop("争议"), strict=True)]
    spent = np.arange(1, len(found) + 1) * number(minutes, "每户分钟", above=0)
    found["今天"] = spent <= (np.inf if capacity is None else number(capacity, "今天的分钟", low=0))
    return found


# ---------------------------------------------------------------- 图

def plot_ageing(table, ax=None):
    """Stacked bars of an ageing table (customers, or days of ``ageing_history``), darker = older; returns the
    Axes."""
    import matplotlib.pyplot as plt

    at_least(len(table), 1, "行")
    ax = axes(ax)
    bands = [c for c in table.columns if c not in ("合计", "逾期占比")]
    colours = ["0.8", *plt.get_cmap("YlOrBr")(np.linspace(.3, .95, len(bands) - 1))]
    names = (table.index.strftime("%Y-%m") if isinstance(table.index, pd.DatetimeIndex)
             else table.index.astype(str))
    bottom = np.zeros(len(table))
    for name, colour in zip(bands, colours, strict=True):
        ax.bar(range(len(table)), table[name] / 1e4, bottom=bottom, color=colour, edgecolor="white",
               linewidth=.5, label=name)
        bottom += table[name].to_numpy() / 1e4
    every = max(len(table) // 12, 1)
    turned = {"rotation": 45, "ha": "right"} if len(table) > 6 else {}
    ax.set_xticks(range(0, len(table), every), names[::every], **turned)
    ax.grid(axis="x", visible=False)
    ax.set(ylabel="未收（万元）")
    handles, labels = ax.get_legend_handles_labels()  # 图例和柱子一样，老的在上
    ax.legend(handles[::-1], labels[::-1], title="逾期", loc="upper left", bbox_to_anchor=(1, 1))
    return ax


def plot_cutoff(table, ax=None):
    """Profit by cut-off score, from ``cutoff_table``, with good customers turned away and bad ones let in on
    the right-hand scale; a mark at the best cut-off. Returns the Axes of the profit."""
    ax = axes(ax)
    shown = table[np.isfinite(table.index)]
    best = shown["利润"].idxmax()
    ax.plot(shown.index, shown["利润"], color="C0", label="利润（左）")
    ax.plot(best, shown.loc[best, "利润"], "o", color="C0", markersize=12)
    ax.annotate(f"{best:g} 分：{shown.loc[best, '利润']:,.0f} 元", (best, shown.loc[best, "利润"]), (0, 14),
                textcoords="offset points", ha="center", color="C0", fontweight="bold")
    ax.axhline(0, color="0.3", linewidth=1.2)
    other = ax.twinx()
    other.step(shown.index, shown["坏账户"], "--", color="C3", where="pre", label="放进来的坏客户（右）")
    other.step(shown.index, shown["错拒的好客户"], ":", color="C1", where="pre", label="错拒的好客户（右）")
    other.grid(visible=False)
    other.spines["right"].set_visible(True)
    other.set(ylabel="户", ylim=(0, None))
    ax.yaxis.set_major_formatter(lambda v, _: f"{v:,.0f}")
    ax.margins(y=.15)
    ax.set(xlabel="最低几分才给赊销", ylabel="利润（元）")
    handles = [pair for each in (ax, other) for pair in zip(*each.get_legend_handles_labels(), strict=True)]
    ax.legend(*zip(*handles, strict=True), loc="lower center", bbox_to_anchor=(.5, 1), ncols=3)
    return ax
