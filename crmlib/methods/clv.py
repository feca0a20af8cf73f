"""客户终身价值：倍数法、逐年折现、敏感性；合同客户的 sBG；散客的 BG/NBD 和 Gamma-Gamma。"""

import numpy as np
import pandas as pd
import scipy
from scipy.special import betaln, digamma, expit, gammaln, hyp2f1

from crmlib.cli import CourseError
from crmlib.methods._common import (
    Result,
    at_least,
    axes,
    column,
    dates,
    label,
    number,
    numeric,
    result,
    same_length,
)

# ---------------------------------------------------------------- 倍数法和逐年折现


def margin_multiple(retention, discount, first="later") -> float:
    """Lifetime value of one yuan of yearly margin, the same for ever, at a yearly ``retention``.

    first="later": the first margin comes a year from now if the customer is still there, r/(1+i−r);
    first="now": the first margin is certain and comes at once, (1+i)/(1+i−r).
    Source: Gupta & Lehmann 2003, J. of Interactive Marketing 17, 9.

    >>> [round(margin_multiple(r, .12), 2) for r in (.6, .7, .8, .9)]
    [1.15, 1.67, 2.5, 4.09]
    """
    r = number(retention, "留存率", low=0, high=1)
    i = number(discount, "折现率", low=0)
    if r >= 1 + i:
        raise CourseError("留存率 100 % 又不折现，价值会变成无穷大。")
    if first not in ("later", "now"):
        raise CourseError(f"没有“{first}”这种算法；可以用 later（一年后才有第一笔）、now（现在就有第一笔）。")
    return (r if first == "later" else 1 + i) / (1 + i - r)


@result
class CohortValue(Result):
    value: float = label("每位客户的终身价值（元）")
    payback: int | None = label("第几年收回成本")
    years: pd.DataFrame = label("逐年")


def cohort_value(margin, retention, discount, years=None, acquisition_cost=0, first="later") -> CohortValue:
    """Lifetime value year by year, per customer won (yuan).

    margin: yearly margin per active customer, one number or one per year; retention: share kept each year,
    likewise; years: how many (default: as many as the longest list). first="later": year t is discounted t
    years and only survivors of t renewals count; first="now": year 1 counts in full at once.
    Columns: 留存 (share still active), 毛利, 折现系数, 现值, 累计 (after the acquisition cost).
    ``payback`` is None if the cost is not earned back within the years.

    >>> r = cohort_value(100, .8, .12, years=3, acquisition_cost=120)
    >>> round(r.value, 2), r.payback, r.years["留存"].round(3).tolist()
    (38.89, 2, [0.8, 0.64, 0.512])
    """
    margin = numeric(np.atleast_1d(margin), "毛利")
    retention = numeric(np.atleast_1d(retention), "留存率", low=0, high=1)
    longest = max(len(margin), len(retention))
    years = int(number(longest if years is None else years, "年数", low=1))
    for name, values in (("毛利", margin), ("留存率", retention)):
        if len(values) not in (1, years):
            raise CourseError(f"“{name}”有 {len(values)} 个数，要么给 1 个，要么给 {years} 个（每年一个）。")
    margin, kept = np.broadcast_to(margin, years), np.broadcast_to(retention, years)
    i = number(discount, "折现率", above=-1)
    if first not in ("later", "now"):
        raise CourseError(f"没有“{first}”这种算法；可以用 later（一年后才有第一笔）、now（现在就有第一笔）。")
    t = np.arange(1, years + 1) - (first == "now")
    alive = np.cumprod(kept) if first == "later" else np.r_[1, np.cumprod(kept[:-1])]
    factor = (1 + i) ** -t.astype(float)
    present = margin * alive * factor
    running = present.cumsum() - number(acquisition_cost, "获客成本", low=0)
    table = pd.DataFrame({"留存": alive, "毛利": margin, "折现系数": factor, "现值": present,
                          "累计": running}, pd.RangeIndex(1, years + 1, name="年"))
    back = np.flatnonzero(running >= 0)
    return CohortValue(running[-1], back[0] + 1 if len(back) else None, table)


def sensitivity(function, base, changes) -> pd.DataFrame:
    """Which lever matters most: change one input at a time (a tornado). The widest swing comes first.

    function: takes the inputs by name, returns a number (or a result with ``value``); base: dict of inputs;
    changes: dict input → (low, high). Columns: 低, 高 (values tried), 结果低, 结果高, 摆动; the result of
    ``base`` is in ``.attrs["base"]``.

    >>> t = sensitivity(lambda margin, retention: margin * margin_multiple(retention, .12),
    ...                 {"margin": 100, "retention": .8}, {"margin": (90, 110), "retention": (.7, .9)})
    >>> t["摆动"].round(1).to_dict()
    {'retention': 242.4, 'margin': 50.0}
    """
    def run(inputs):
        out = function(**inputs)
        return float(getattr(out, "value", out))

    rows = {}
    for name, (low, high) in changes.items():
        if name not in base:
            raise CourseError(f"base 里没有“{name}”。有的是：{'、'.join(base)}。")
        a, b = run({**base, name: low}), run({**base, name: high})
        rows[name] = {"低": low, "高": high, "结果低": a, "结果高": b, "摆动": abs(b - a)}
    at_least(len(rows), 1, "个要变动的量")
    table = pd.DataFrame.from_dict(rows, orient="index").sort_values("摆动", ascending=False, kind="stable")
    table.attrs["base"] = run(base)
    return table


# ---------------------------------------------------------------- 合同客户：sBG

@result
class SBG(Result):
    alpha: float = label("α")
    beta: float = label("β")
    log_likelihood: float = label("对数似然")
    mean_churn: float = label("平均流失率 α/(α+β)")
    note: str = label("注意")

    def survival(self, t):
        """Share still there after t renewals (array of whole numbers, 0 gives 1)."""
        t = np.asarray(t, float)
        return np.exp(betaln(self.alpha, self.beta + t) - betaln(self.alpha, self.beta))

    def retention(self, t):
        """Share of those there after t − 1 renewals who renew once more; rises with t."""
        t = np.asarray(t, float)
        return (self.beta + t - 1) / (self.alpha + self.beta + t - 1)

    def residual_lifetime(self, discount, renewals=0) -> float:
        """Discounted expected residual lifetime (years) of a customer about to decide on renewal number
        ``renewals`` + 1: what is still to come, that renewal included.

        Source: Fader & Hardie 2010, Marketing Science 29, 85.
        """
        d = number(discount, "折现率", above=0)
        n = number(renewals, "已续约次数", low=0) + 1
        a, b = self.alpha, self.beta
        return float((b + n - 1) / (a + b + n - 1) * hyp2f1(1, b + n, a + b + n, 1 / (1 + d)))


def sbg(survivors) -> SBG:
    """Shifted-beta-geometric model of contract renewals: customers differ in their churn probability.

    survivors: how many of a cohort are still there after 0, 1, 2 … renewals, from the whole cohort down.
    Two renewals or more. Where the data ask for customers all alike, the parameters run to their bound and
    ``note`` says so. Source: Fader & Hardie 2007, J. of Interactive Marketing 21, 76.

    >>> m = sbg([1000, 869, 743, 653, 593, 551, 517, 491])
    >>> round(m.alpha, 3), round(m.beta, 3), round(m.log_likelihood, 1)
    (0.668, 3.806, -1611.2)
    """
    kept = numeric(survivors, "留下的客户数", low=0)
    at_least(len(kept), 3, "个时点（开始和两次续约之后）")
    if (np.diff(kept) > 0).any():
        raise CourseError("留下的客户数不会变多；按时间先后，从开始的人数写起。")
    if kept[0] == kept[-1]:
        raise CourseError("一个客户也没流失，估不出流失率。多观察几期。")
    lost, t = -np.diff(kept), np.arange(1, len(kept))

    def negative(theta):
        a, b = np.exp(theta)
        base = betaln(a, b)
        return -(lost @ (betaln(a + 1, b + t - 1) - base) + kept[-1] * (betaln(a, b + t[-1]) - base))

    tries = (_minimize(negative, start, jac=None) for start in ([0., 1.], [2., 3.]))
    fit = min(tries, key=lambda f: f.fun)
    a, b = np.exp(fit.x)
    return SBG(a, b, -fit.fun, a / (a + b), _edge(fit.x, "看不出客户之间流失率有差别，结果等于人人一样"))


# 对数参数的范围：e^±9。跑到边上（e^±6.5 以外）说明数据里没有模型要的那种差异
_BOUNDS = (-9., 9.)


def _minimize(negative, start, jac=True):
    return scipy.optimize.minimize(negative, start, jac=jac, method="L-BFGS-B", bounds=[_BOUNDS] * len(start),
                                   options={"ftol": 1e-15, "gtol": 1e-8, "maxiter": 500})


def _edge(theta, words):
    return f"参数跑到了边界：{words}。" if np.abs(theta).max() > 6.5 else ""


# ---------------------------------------------------------------- 散客：订单表 → x, t_x, T

def repeat_summary(table, customer, date, amount=None, *, until=None, unit=7) -> pd.DataFrame:
    """Orders as BG/NBD needs them, a row per customer: x repeat days with an order, t_x time of the last
    one, T time watched, both from the first order, in ``unit`` days (7 = weeks).

    Orders of one customer on one day count once. until: end of the time watched (default: the last day in
    the table); later orders, and customers who came later, are left out. With ``amount`` also 平均金额: mean
    of the repeat days' totals (0 where x = 0). Columns: x, t_x, T [, 平均金额].

    >>> t = pd.DataFrame({"谁": ["甲", "甲", "甲", "乙"], "元": [5., 8, 2, 9],
    ...                   "日": ["2025-01-01", "2025-01-15", "2025-01-15", "2025-01-22"]})
    >>> repeat_summary(t, "谁", "日", "元", until="2025-01-29").loc["甲"].tolist()
    [1.0, 2.0, 4.0, 10.0]
    """
    who, day = column(table, customer), _days(column(table, date), date)
    at_least(len(table), 1, "笔订单")
    unit = number(unit, "时间单位（天）", above=0)
    codes, names = pd.factorize(who, sort=True)
    if blank := int((codes < 0).sum()):
        raise CourseError(f"“{customer}”有 {blank} 个空值。先查明原因，再填上或删去。")
    end = day.max() if until is None else int(_days([until], "截止日")[0])
    kept = day <= end
    at_least(int(kept.sum()), 1, "笔在截止日以前的订单")
    start = day.min()
    span = int(end - start) + 1
    key = codes[kept] * np.int64(span) + (day[kept] - start)
    visit = np.sort(key)  # 按人、再按天排好；排序再去重比 np.unique 快
    visit = visit[np.r_[True, visit[1:] != visit[:-1]]]  # 一人一天算一次
    owner, on = visit // span, visit % span + start
    begin = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    count = np.diff(np.r_[begin, len(owner)])
    first, last = on[begin], on[begin + count - 1]
    found = pd.DataFrame({"x": count - 1, "t_x": (last - first) / unit, "T": (end - first) / unit},
                         pd.Index(names[owner[begin]], name=customer))
    if amount is not None:
        money = np.bincount(np.searchsorted(visit, key), numeric(column(table, amount), amount)[kept])
        total = np.add.reduceat(money, begin) - money[begin]
        found["平均金额"] = np.divide(total, count - 1, out=np.zeros(len(total)), where=count > 1)
    return found


def _days(values, name):
    return dates(values, name).to_numpy().astype("datetime64[D]").astype(np.int64)


# ---------------------------------------------------------------- BG/NBD

@result
class BGNBD(Result):
    r: float = label("r")
    alpha: float = label("α")
    a: float = label("a")
    b: float = label("b")
    log_likelihood: float = label("对数似然")
    n: int = label("客户数")
    note: str = label("注意")

    def p_alive(self, x, t_x, T):
        """Probability that a customer is still active at T; 1 for x = 0. Numbers or arrays."""
        x, t_x, T = (np.asarray(v, float) for v in (x, t_x, T))
        log_odds = (np.log(self.a) - np.log(np.maximum(self.b + x - 1, 1e-300))
                    + (self.r + x) * np.log((self.alpha + T) / (self.alpha + t_x)))
        return np.where(x > 0, expit(-log_odds), 1.)[()]

    def expected_purchases(self, t, x=0, t_x=0, T=0):
        """Expected orders in the next t units, given x, t_x, T; without them: of a new customer.

        Numbers or arrays. Uses Euler's transformation of ₂F₁, so that large x does not overflow.
        """
        t, x, t_x, T = (np.asarray(v, float) for v in (t, x, t_x, T))
        a, b = self.a, self.b
        # a = 1 和 a + b + x = 1 处公式是 0/0 型，极限有限：取两侧的平均
        if abs(a - 1) < 1e-5 or np.any(np.abs(a + b + x - 1) < 1e-5):
            h = 1e-4
            values = [self._expected(a + s * h, b, t, x, T) for s in (1, -1)]
            future = (values[0] + values[1]) / 2
        else:
            future = self._expected(a, b, t, x, T)
        return (future * self.p_alive(x, t_x, T))[()]

    def _expected(self, a, b, t, x, T):
        z = t / (self.alpha + T + t)
        return (a + b + x - 1) / (a - 1) * (1 - (1 - z) ** (a - 1)
                                            * hyp2f1(a + b - 1 - self.r, a - 1, a + b + x - 1, z))


def bg_nbd(x, t_x, T) -> BGNBD:
    """BG/NBD model of customers without a contract, fitted by maximum likelihood.

    x: repeat orders; t_x: time of the last order; T: time watched; arrays over customers, all in one time
    unit, from the first order (``repeat_summary``); 0 ≤ t_x ≤ T, and t_x = 0 exactly where x = 0.
    If nobody ever stops, or all are alike, parameters run to their bound and ``note`` says so.
    Source: Fader, Hardie & Lee 2005, Marketing Science 24, 275.

    >>> m = bg_nbd([0, 1, 3, 0, 5, 2], [0, 10., 20, 0, 30, 8], [38., 35, 39, 30, 33, 36])
    >>> round(float(m.p_alive(3, 20, 39)), 2) < round(float(m.p_alive(3, 30, 39)), 2)
    True
    """
    same_length(x=x, t_x=t_x, T=T)
    x, t_x, T = (numeric(v, n, low=0) for v, n in ((x, "x"), (t_x, "t_x"), (T, "T")))
    at_least(len(x), 2, "位客户")
    if (x != np.floor(x)).any():
        raise CourseError("x 是重复购买的次数，要整数。")
    for wrong, words in (((x == 0) & (t_x > 0), "x 是 0，t_x 却大于 0：没有再来过，就没有最后一次重复购买"),
                         ((x > 0) & (t_x == 0), "x 大于 0，t_x 却是 0：再来过，t_x 就是最后一次离第一次多久"),
                         (t_x > T + 1e-9, "t_x 大于 T：最后一次购买不会晚于观察结束"),
                         (T <= 0, "T 不大于 0：观察期里至少要过一点时间")):
        if wrong.any():
            raise CourseError(f"第 {int(wrong.argmax()) + 1} 位客户的{words}。")
    if not x.any():
        raise CourseError("没有一位客户再来过，模型估不出来。把观察期加长。")
    # 相同的 (x, t_x, T) 只算一次；与 x 有关的项再按不同的 x 合并
    rows, weight = np.unique(np.column_stack([x, t_x, T]), axis=0, return_counts=True)
    scale = rows[:, 2].mean()
    k, u, v = rows[:, 0], rows[:, 1] / scale, rows[:, 2] / scale
    kx, which = np.unique(k, return_inverse=True)
    wx = np.bincount(which, weight)
    more = k > 0
    n = weight.sum()

    def negative(theta):
        r, al, a, b = np.exp(theta)
        log_v, log_u = np.log(al + v), np.log(al + u)
        # 仍活跃与已离开的似然之比；只看再来过的
        leave = (np.log(a) - np.log(b + k[more] - 1) + (r + k[more]) * (log_v - log_u)[more])
        gone = np.zeros(len(k))
        gone[more] = expit(leave)
        total = wx @ (gammaln(r + kx) - gammaln(r) + betaln(a, b + kx) - betaln(a, b))
        total += n * r * np.log(al) - weight @ ((r + k) * log_v) + weight[more] @ np.logaddexp(0, leave)
        mean_log = (1 - gone) * log_v + gone * log_u
        d_r = wx @ digamma(r + kx) - n * digamma(r) + n * np.log(al) - weight @ mean_log
        d_al = n * r / al - weight @ ((r + k) * ((1 - gone) / (al + v) + gone / (al + u)))
        ab, abx = digamma(a + b), digamma(a + b + kx)
        d_a = wx @ (ab - abx) + weight @ gone / a
        d_b = wx @ (ab - abx + digamma(b + kx) - digamma(b)) - weight[more] @ (gone[more] / (b + k[more] - 1))
        return -total / n, -np.array([r * d_r, al * d_al, a * d_a, b * d_b]) / n

    rate = (weight @ k) / (weight @ v)
    start = np.log([.5, .5 / rate, 1, 3])
    fit = _minimize(negative, start)
    r, al, a, b = np.exp(fit.x)
    constant = -(weight @ k) * np.log(scale)  # 换回原来的时间单位
    return BGNBD(r, al * scale, a, b, -fit.fun * n + constant, int(n),
                 _edge(fit.x, "数据里看不出有人离开，或客户之间没有差别"))


# ---------------------------------------------------------------- Gamma-Gamma 和每位客户的未来价值

@result
class GammaGamma(Result):
    p: float = label("p")
    q: float = label("q")
    v: float = label("v")
    log_likelihood: float = label("对数似然")
    n: int = label("客户数")
    mean: float | None = label("全体平均每单金额")
    note: str = label("注意")

    def expected_value(self, x, mean):
        """Expected money per order of a customer with x repeat orders of average ``mean``; for x = 0 that of
        the whole population. Numbers or arrays."""
        if self.mean is None:
            raise CourseError("q 不大于 1，平均金额没有限度，估不出每位客户的期望。先查有没有特别大的单子。")
        x, mean = np.asarray(x, float), np.asarray(mean, float)
        return (self.p * (self.v + x * mean) / (self.p * x + self.q - 1))[()]


def gamma_gamma(x, mean) -> GammaGamma:
    """Gamma-Gamma model of money per order. x: repeat orders; mean: their average amount (yuan, above 0).

    Customers with x = 0 say nothing about money and are left out. Assumes that money does not depend on how
    often a customer orders: check their correlation first. Source: Fader & Hardie 2013, The Gamma-Gamma Model
    of Monetary Value (note 025).

    >>> m = gamma_gamma([1, 2, 3, 1, 5, 2], [20., 35, 28, 60, 31, 15])
    >>> 15 < float(m.expected_value(1, 20)) < 35
    True
    """
    same_length(x=x, 平均金额=mean)
    x, mean = numeric(x, "x", low=0), numeric(mean, "平均金额", low=0)
    x, mean = x[x > 0], mean[x > 0]
    at_least(len(x), 3, "位再来过的客户")
    if (mean <= 0).any():
        raise CourseError("再来过的客户平均金额要大于 0；退款单先单独处理。")
    scale, n = mean.mean(), len(x)
    m = mean / scale

    def negative(theta):
        p, q, v = np.exp(theta)
        px, log_m = p * x, np.log(m) + np.log(x)
        spend = np.log(v + x * m)
        total = (gammaln(px + q) - gammaln(px) + px * log_m - (px + q) * spend).sum()
        total += n * (q * np.log(v) - gammaln(q))
        d_p = (x * (digamma(px + q) - digamma(px) + log_m - spend)).sum()
        d_q = (digamma(px + q) - spend).sum() + n * (np.log(v) - digamma(q))
        d_v = n * q / v - ((px + q) / (v + x * m)).sum()
        return -total / n, -np.array([p * d_p, q * d_q, v * d_v]) / n

    fit = _minimize(negative, np.log([4., 3., .5]))
    p, q, v = np.exp(fit.x)
    v *= scale
    return GammaGamma(p, q, v, -fit.fun * n - np.log(mean).sum(), n, p * v / (q - 1) if q > 1 else None,
                      _edge(fit.x, "客户之间的金额没有差别，或每单都一样多")
                      or ("" if q > 1 else "q 不大于 1：少数特别大的单子主导了金额。"))


def future_value(orders, money, customers, *, periods=12, length=30.4375 / 7, discount=.01, margin=1):
    """Discounted value of each customer's coming orders (yuan), from a fitted BG/NBD and a Gamma-Gamma model.

    customers: table with x, t_x, T and 平均金额 (``repeat_summary``). The future is cut into ``periods`` of
    ``length`` time units (default: months, in weeks); orders of a period are discounted to its end with
    ``discount`` per period; margin: share of the money that is left. Returns a Series like the table.
    Source: Fader, Hardie & Lee 2005, J. of Marketing Research 42, 415.

    >>> orders, money = BGNBD(.24, 4.4, .79, 2.4, 0., 1, ""), GammaGamma(6., 4., 15., 0., 1, 30., "")
    >>> one = pd.DataFrame({"x": [2], "t_x": [30.], "T": [38.], "平均金额": [22.]})
    >>> future_value(orders, money, one).round(2).tolist()
    [35.42]
    """
    x, t_x, T, mean = (numeric(column(customers, c), c, low=0) for c in ("x", "t_x", "T", "平均金额"))
    margin = number(margin, "毛利率")
    discount = number(discount, "每期折现率", above=-1)
    edges = number(length, "每期长度", above=0) * np.arange(int(number(periods, "期数", low=1)) + 1)
    expected = np.array([orders.expected_purchases(t, x, t_x, T) for t in edges])
    factor = (1 + discount) ** -np.arange(1., len(edges))
    worth = factor @ np.diff(expected, axis=0) * money.expected_value(x, mean) * margin
    return pd.Series(worth, customers.index, name="未来价值")


# ---------------------------------------------------------------- 图

def plot_cohort_value(cohort, ax=None):
    """Running value of ``cohort_value`` over the years, from the acquisition cost up; returns the Axes."""
    ax = axes(ax)
    years = cohort.years
    running = years["累计"]
    ax.bar(years.index, running, color=["C0" if v >= 0 else "C3" for v in running], width=.7)
    ax.axhline(0, color="0.3", linewidth=1.5)
    step = max(1, len(years) // 10)
    for year, value in running.iloc[::step].items():
        ax.annotate(f"{value:,.0f}", (year, value), (0, 4 if value >= 0 else -4), textcoords="offset points",
                    ha="center", va="bottom" if value >= 0 else "top", fontsize="small")
    if cohort.payback:
        ax.set_title(f"第 {cohort.payback} 年收回成本")
    ax.set_xticks(years.index[::step])
    ax.margins(y=.15)
    ax.grid(axis="x", visible=False)
    ax.set(xlabel="年", ylabel="累计现值（元/客户）")
    return ax


def plot_tornado(table, names=None, unit="元", ax=None):
    """Tornado chart of ``sensitivity``: the widest lever on top, low values hatched; returns the Axes.

    names: dict input → name to show.
    """
    ax = axes(ax)
    table = table.rename(index=names or {})
    shown, base = table.iloc[::-1], table.attrs["base"]
    for end, colour, hatch in (("低", "C1", "//"), ("高", "C0", "")):
        ax.barh(shown.index, shown[f"结果{end}"] - base, left=base, color=colour, hatch=hatch,
                edgecolor="white", label=f"取{end}值")
        for i, (value, tried) in enumerate(zip(shown[f"结果{end}"], shown[end], strict=True)):
            ax.annotate(f"{tried:g}", (value, i), (5 if value >= base else -5, 0), va="center",
                        textcoords="offset points", ha="left" if value >= base else "right")
    ax.axvline(base, color="0.2", linewidth=1.5)
    ax.margins(x=.15)
    ax.grid(axis="y", visible=False)
    ax.set(xlabel=f"终身价值（{unit}）；中线是现在的 {base:,.1f}")
    ax.legend(loc="lower right")
    return ax


def plot_renewals(model, survivors, ahead=0, ax=None):
    """Share of a cohort still there: counted points and the fitted ``sbg`` curve, ``ahead`` periods on."""
    ax = axes(ax)
    kept = numeric(survivors, "留下的客户数", low=0)
    t = np.arange(len(kept) + ahead)
    ax.plot(t[:len(kept)], 100 * kept / kept[0], "o", color="C3", label="实际", zorder=3)
    ax.plot(t, 100 * model.survival(t), color="C0", label="sBG 模型")
    if ahead:
        ax.axvspan(len(kept) - .5, t[-1], color="0.9", zorder=0, label="预测")
    ax.set(ylim=(0, 103), xlabel="续约次数", ylabel="还留着的客户（%）")
    ax.legend()
    return ax


def plot_holdout(x, predicted, actual, most=7, ax=None):
    """Model check on a hold-out: mean orders that came, and that were predicted, by past repeat orders x.

    Customers with ``most`` or more are one group; returns the Axes.
    """
    ax = axes(ax)
    same_length(x=x, 预测=predicted, 实际=actual)
    groups = np.minimum(numeric(x, "x", low=0), most).astype(int)
    table = pd.DataFrame({"实际": numeric(actual, "实际"), "预测": numeric(predicted, "预测")})
    mean, size = table.groupby(groups).mean(), table.groupby(groups).size()
    ax.plot(mean.index, mean["实际"], "o-", color="C3", label="实际")
    ax.plot(mean.index, mean["预测"], "s--", color="C0", label="预测")
    names = [f"{i}{'+' if i == most else ''}\n{n} 人" for i, n in size.items()]
    ax.set_xticks(mean.index, names)
    ax.set(ylim=(0, None), xlabel="观察期里的重复购买次数", ylabel="之后平均购买次数")
    ax.legend()
    return ax
