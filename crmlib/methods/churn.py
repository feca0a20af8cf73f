"""客户流失：怎么算流失、不偷看未来的数据表、生存曲线、流失模型、考克斯回归。"""

import warnings

import numpy as np
import pandas as pd
import scipy

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
from crmlib.methods._design import both_values, complete_design, design
from crmlib.methods.survey import z_value
from crmlib.methods.targeting import auc

# ---------------------------------------------------------------- 怎么算流失


def annual_churn(rate, periods=12) -> float:
    """Yearly churn from the churn of one of ``periods`` equal parts of a year: 1 − (1 − rate)^periods.

    >>> round(annual_churn(.02), 3)
    0.215
    """
    return 1 - (1 - number(rate, "流失率", low=0, high=1)) ** number(periods, "一年几期", above=0)


def churn_definitions(table, customer, date, at, gaps=(30, 60, 90, 180)) -> pd.DataFrame:
    """The rule "no order for so many days": how many it catches, and how often it is wrong.

    table: a row per order, reaching beyond ``at``. A customer seen by ``at`` whose last order lies ``gap``
    days or more back is judged lost. 误判: judged lost, but orders again later; 漏判: judged active, but
    never does. Columns: 客户数, 判为流失, 流失率, 误判, 误判率 (of those judged lost), 漏判, 漏判率 (of those
    judged active); rates of nobody are 0.

    >>> t = pd.DataFrame({"谁": ["甲", "甲", "乙", "丙"], "日": ["2025-01-01", "2025-08-01", "2025-05-20",
    ...                                                       "2025-02-01"]})
    >>> churn_definitions(t, "谁", "日", "2025-06-01", [60])[["判为流失", "误判", "漏判"]].values.tolist()
    [[2, 1, 1]]
    """
    who, day = _orders(table, customer, date)
    end = int(_days([at], "截止日")[0])
    if day.max() <= end:
        raise CourseError("截止日之后没有订单了，看不出谁又回来了。把截止日往前挪。")
    before = pd.Series(day[day <= end]).groupby(who[day <= end]).max()
    at_least(len(before), 1, "位截止日以前的客户")
    back = before.index.isin(np.unique(who[day > end]))
    rows = {}
    for gap in gaps:
        lost = (end - before >= number(gap, "天数", above=0)).to_numpy()
        wrong, missed = int((lost & back).sum()), int((~lost & ~back).sum())
        rows[gap] = {"客户数": len(before), "判为流失": int(lost.sum()), "流失率": lost.mean(),
                     "误判": wrong, "误判率": wrong / max(lost.sum(), 1),
                     "漏判": missed, "漏判率": missed / max((~lost).sum(), 1)}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("几天没下单")


def snapshot(table, customer, date, at, *, history=365, gap=0, horizon=90) -> pd.DataFrame:
    """What is known on the day ``at``, and what happened later: the honest way to build a churn table.

    Customers with an order in the ``history`` days up to ``at``: 单数, 间隔天数 (since the last) from that
    time only; 流失 = 1 if there is no order in the ``horizon`` days that begin ``gap`` days after ``at`` (the
    gap is the time needed to act). Data that end before that are an error. A row per customer.

    >>> t = pd.DataFrame({"谁": ["甲", "甲", "乙", "丙"], "日": ["2025-01-01", "2025-08-01", "2025-05-20",
    ...                                                       "2025-11-01"]})
    >>> snapshot(t, "谁", "日", "2025-06-01", horizon=90)["流失"].to_dict()
    {'乙': 1, '甲': 0}
    """
    who, day = _orders(table, customer, date)
    end = int(_days([at], "截止日")[0])
    history, horizon = number(history, "历史天数", above=0), number(horizon, "观察天数", above=0)
    start = end + number(gap, "间隔天数", low=0)
    if day.max() < start + horizon:
        last, needed = (np.datetime64(int(d), "D") for d in (day.max(), start + horizon))
        raise CourseError(f"数据到 {last} 为止，看不到 {needed}。把截止日往前挪，或缩短观察期。")
    past = (day <= end) & (day > end - history)
    at_least(int(past.sum()), 1, "笔历史期里的订单")
    groups = pd.Series(day[past]).groupby(who[past])
    later = np.unique(who[(day > start) & (day <= start + horizon)])
    found = pd.DataFrame({"单数": groups.size(), "间隔天数": end - groups.max()}).rename_axis(customer)
    found["流失"] = (~found.index.isin(later)).astype(int)
    return found


def leakage_check(table, target, columns=None) -> pd.DataFrame:
    """Columns that know too much: each column alone against the target (1 = churned).

    单独AUC: how well its values separate (text: by the target's mean per value, so rare values flatter it);
    填没填AUC: how well merely being filled in does. From 0.95 a column was probably written after the event.
    0.5 says nothing. columns: default all others.

    >>> t = pd.DataFrame({"流失": [1, 1, 0, 0], "关闭原因": ["价高", "搬走", None, None],
    ...                   "月数": [3, 9, 4, 8]})
    >>> leakage_check(t, "流失")["提示"].to_dict()
    {'关闭原因': '多半是事后才填的，不能用来预测', '月数': ''}
    """
    y = flags(column(table, target), target)
    both_values(y, target)
    columns = [c for c in table if c != target] if columns is None else list(columns)
    at_least(len(columns), 1, "列可以查")
    rows = {}
    for name in columns:
        x, filled = column(table, name), column(table, name).notna().to_numpy()
        if not pd.api.types.is_numeric_dtype(x):
            x = pd.Series(y, x.index).groupby(x).transform("mean")
        values = x.astype(float).to_numpy()
        one, other = _separation(y[filled], values[filled]), _separation(y, filled.astype(float))
        advice = "多半是事后才填的，不能用来预测" if max(one, other) >= .95 else ""
        rows[name] = {"单独AUC": one, "填没填AUC": other, "提示": advice}
    return pd.DataFrame.from_dict(rows, orient="index").sort_values("单独AUC", ascending=False, kind="stable")


def _separation(y, x):
    if len(np.unique(y)) < 2:
        return .5
    value = auc(y, x)
    return max(value, 1 - value)


def _days(values, name):
    return dates(values, name).to_numpy().astype("datetime64[D]").astype(np.int64)


def _orders(table, customer, date):
    who, day = column(table, customer), _days(column(table, date), date)
    at_least(len(day), 1, "笔订单")
    if who.isna().any():
        raise CourseError(f"“{customer}”有 {int(who.isna().sum())} 个空值。先查明原因，再填上或删去。")
    return who.to_numpy(), day


# ---------------------------------------------------------------- 生存曲线

@result
class Survival(Result):
    n: int = label("客户数")
    events: int = label("流失数")
    median: float | None = label("一半客户流失的时间")
    table: pd.DataFrame = label("生存表")

    def at(self, t):
        """Share still there at time t (numbers or arrays); beyond the last time watched: missing (NaN)."""
        t = np.asarray(t, float)
        times = np.r_[-np.inf, self.table.index]
        share = np.r_[1., self.table["留存率"]]
        found = share[np.searchsorted(times, t, side="right") - 1]
        return np.where(t > self.table.attrs["last"], np.nan, found)[()]

    def restricted_mean(self, limit) -> float:
        """Mean time as a customer within the first ``limit`` units (area under the curve)."""
        limit = number(limit, "时间", above=0, high=self.table.attrs["last"])
        times = np.r_[0, [t for t in self.table.index if 0 < t < limit], limit]
        return float(np.diff(times) @ self.at(times[:-1]))


def kaplan_meier(duration, event, confidence=.95) -> Survival:
    """Share of customers still there by time, when some are still being watched (censored).

    duration: time watched of each customer, 0 or more; event: 1 left at that time, 0 still there. A row per
    time at which someone left: 在看 (at risk), 流失, 留存率, 标准误 (Greenwood), 下限, 上限 (log-log). If
    nobody left, the table is empty and the share 1; ``median`` is None if the curve stays above one half.
    Source: Kaplan & Meier 1958; interval: Kalbfleisch & Prentice, 2nd ed., §1.4.

    >>> s = kaplan_meier([6, 6, 6, 6, 7, 9, 10, 10, 11, 13], [1, 1, 1, 0, 1, 0, 1, 0, 0, 1])
    >>> s.table["留存率"].round(3).tolist(), s.median
    ([0.7, 0.583, 0.438, 0.0], 10.0)
    """
    same_length(时间=duration, 流失=event)
    t, d = numeric(duration, "时间", low=0), flags(event, "流失")
    at_least(len(t), 1, "位客户")
    times = np.unique(t[d == 1])
    risk = len(t) - np.searchsorted(np.sort(t), times, side="left")
    died = np.bincount(np.searchsorted(times, t[d == 1]), minlength=len(times))
    share = np.cumprod(1 - died / risk)
    some = share > 0  # 最后一位也走了的时点：没有方差可算，都记 0
    spread, low, high = np.zeros((3, len(times)))
    spread[some] = np.sqrt(np.cumsum(died[some] / (risk[some] * (risk - died)[some])))
    power = np.exp(z_value(confidence) * spread[some] / -np.log(share[some]))
    low[some], high[some] = share[some] ** power, share[some] ** (1 / power)
    table = pd.DataFrame({"在看": risk, "流失": died, "留存率": share, "标准误": share * spread,
                          "下限": low, "上限": high}, pd.Index(times, name="时间"))
    table.attrs["last"] = float(t.max())
    below = times[share <= .5 + 1e-12]
    return Survival(len(t), int(d.sum()), below[0] if len(below) else None, table)


@result
class LogRank(Result):
    chi2: float = label("χ²")
    df: int = label("自由度")
    p: float = label("p 值")
    groups: pd.DataFrame = label("各组")


def log_rank(duration, event, group) -> LogRank:
    """Do the groups leave at the same pace? The log-rank test, with observed and expected numbers.

    Source: Mantel 1966; Peto & Peto 1972.

    >>> r = log_rank([1, 2, 3, 4, 9, 10, 11, 12], [1] * 8, list("aaaabbbb"))
    >>> round(r.chi2, 2), r.groups["流失"].tolist()
    (7.34, [4, 4])
    """
    same_length(时间=duration, 流失=event, 组=group)
    t, d = numeric(duration, "时间", low=0), flags(event, "流失")
    codes, names = pd.factorize(pd.Series(group), sort=True)
    if (codes < 0).any():
        raise CourseError(f"“组”有 {(codes < 0).sum()} 个空值。")
    k = len(names)
    at_least(k, 2, "组")
    observed, expected, cov = np.zeros(k), np.zeros(k), np.zeros((k, k))
    for time in np.unique(t[d == 1]):
        risk = np.bincount(codes[t >= time], minlength=k)
        n, died = risk.sum(), np.bincount(codes[(t == time) & (d == 1)], minlength=k)
        m = died.sum()
        observed += died
        expected += m * risk / n
        if n > 1:
            share = risk / n
            cov += m * (n - m) / (n - 1) * (np.diag(share) - np.outer(share, share))
    if np.linalg.matrix_rank(cov) < k - 1:
        raise CourseError("流失太少，或两组没有同时被观察过，没法比较。")
    gap = (observed - expected)[:-1]
    chi2 = gap @ np.linalg.solve(cov[:-1, :-1], gap)
    table = pd.DataFrame({"客户数": np.bincount(codes), "流失": observed.astype(int),
                          "预期流失": expected}, names)
    return LogRank(chi2, k - 1, scipy.stats.chi2.sf(chi2, k - 1), table)


# ---------------------------------------------------------------- 回归

def _coefficients(names, coef, se, ratio, confidence):
    z = coef / se
    half = z_value(confidence) * se
    return pd.DataFrame({"系数": coef, "标准误": se, "z": z, "p": 2 * scipy.special.ndtr(-np.abs(z)),
                         ratio: np.exp(coef), f"{ratio}下限": np.exp(coef - half),
                         f"{ratio}上限": np.exp(coef + half)}, names)


@result
class Logit(Result):
    table: pd.DataFrame = label("系数表")
    log_likelihood: float = label("对数似然")
    pseudo_r2: float = label("伪 R²")
    auc: float = label("AUC（用来拟合的数据上）")
    n: int = label("行数")
    dropped: int = label("有空值而没用上的行")
    columns: tuple = ()
    levels: dict = None

    def predict(self, table) -> pd.Series:
        """Probability for each row of a new table with the same columns; missing values stay missing."""
        x = design(table, self.columns, self.levels).to_numpy()
        b = self.table["系数"].to_numpy()
        return pd.Series(scipy.special.expit(b[0] + x @ b[1:]), table.index, name="概率")


def logit(table, target, columns, confidence=.95) -> Logit:
    """Logistic regression of a yes/no target: coefficients with errors, odds ratios with intervals.

    table: a row per customer; target: column of 0 and 1; columns: numbers, or text with at most 20 values
    (``design``). Rows with a missing value are left out and counted. If some columns separate the target
    perfectly no finite estimate exists: an error names them. ``.predict(table)`` scores new rows.
    Fitted by statsmodels.

    >>> t = pd.DataFrame({"投诉": [0, 0, 0, 1, 1, 1, 2, 2], "流失": [0, 0, 1, 0, 1, 0, 1, 1]})
    >>> logit(t, "流失", ["投诉"]).table["系数"].round(2).to_dict()
    {'常数': -1.24, '投诉': 1.44}
    """
    y = flags(column(table, target), target)
    columns = (columns,) if isinstance(columns, str) else tuple(columns)
    if target in columns:
        raise CourseError(f"“{target}”是要预测的列，不能放进用来预测的列里。")
    x, y, dropped = complete_design(table, columns, y)
    both_values(y, target)
    from statsmodels.api import Logit as Fit

    # 在标准化的列上拟合，单位悬殊也收敛；再换回原来的单位
    centre, spread = x.mean().to_numpy(), x.std().to_numpy()
    z = np.column_stack([np.ones(len(x)), (x - centre) / spread])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # 完全可分时它只给警告，下面自己判断
            fit = Fit(y, z).fit(disp=0, method="newton", maxiter=100)
        doubtful = not fit.mle_retvals["converged"] or np.abs(fit.params).max() > 8
    except np.linalg.LinAlgError:
        doubtful = True
    if doubtful:
        _refuse_separation(z, y, x.columns, target)
    back = np.diag(np.r_[1, 1 / spread])
    back[0, 1:] = -centre / spread
    coef, se = back @ fit.params, np.sqrt(np.diag(back @ fit.cov_params() @ back.T))
    return Logit(_coefficients(["常数", *x.columns], coef, se, "优势比", confidence), fit.llf, fit.prsquared,
                 auc(y, z @ fit.params), len(y), dropped, columns, x.attrs["levels"])


def _refuse_separation(z, y, names, target):
    """Error if all 1s lie on one side of some direction and all 0s on the other (Konis 2007)."""
    signed = z * (2 * y - 1)[:, None]
    found = scipy.optimize.linprog(-signed.sum(0), A_ub=-signed, b_ub=np.zeros(len(y)), bounds=(-1, 1))
    if -found.fun > 1e-6:
        who = [str(n) for n, b in zip(names, found.x[1:], strict=True) if abs(b) > 1e-6]
        raise CourseError(f"用“{'、'.join(who)}”能把“{target}”的 0 和 1 完全分开，系数会变成无穷大。"
                          "先想想它是不是事后才知道的；不是的话，去掉它，或把相近的类合并。")


@result
class Cox(Result):
    table: pd.DataFrame = label("系数表")
    log_likelihood: float = label("对数偏似然")
    concordance: float = label("一致性指数 C（0.5 等于猜）")
    n: int = label("行数")
    events: int = label("流失数")
    dropped: int = label("有空值而没用上的行")


def cox(table, duration, event, columns, confidence=.95) -> Cox:
    """Cox regression: how each column speeds up (hazard ratio above 1) or slows down leaving.

    duration, event: as for ``kaplan_meier``, by name; columns as for ``logit``. Ties by Efron's method.
    Assumes that a hazard ratio is the same at all times. Where a column's estimate runs to infinity (nobody
    with some value ever left) an error names it. Fitted by statsmodels.
    Source: Cox 1972; ties: Efron 1977; concordance: Harrell 1982.

    >>> t = pd.DataFrame({"月": [3, 5, 7, 9, 12, 12], "流失": [1, 1, 1, 0, 1, 0], "投诉": [2, 0, 1, 1, 0, 0]})
    >>> round(float(cox(t, "月", "流失", ["投诉"]).table.loc["投诉", "风险比"]), 2)
    3.96
    """
    t = numeric(column(table, duration), duration, low=0)
    d = flags(column(table, event), event)
    x, t, d, dropped = complete_design(table, columns, t, d)
    at_least(int(d.sum()), 2, "位流失的客户")
    from statsmodels.duration.hazard_regression import PHReg

    spread = x.std().to_numpy()
    z = ((x - x.mean()) / spread).to_numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = PHReg(t, z, status=d, ties="efron").fit(disp=0)
    wild = np.abs(fit.params) > 8
    if wild.any() or not np.isfinite(fit.bse).all():
        who = "、".join(str(c) for c, w in zip(x, wild | ~np.isfinite(fit.bse), strict=True) if w)
        raise CourseError(f"“{who}”的系数变成了无穷大：某些值的客户一个也没流失（或全都最先流失）。"
                          "把相近的类合并，或去掉它。")
    return Cox(_coefficients(list(x), fit.params / spread, fit.bse / spread, "风险比", confidence), fit.llf,
               _concordance(t, d, z @ fit.params), len(t), int(d.sum()), dropped)


def _concordance(t, d, risk):
    """Share of comparable pairs in which the one who left earlier had the higher risk (ties count half)."""
    right = pairs = 0.
    for i in np.flatnonzero(d):
        later = risk[(t > t[i]) | ((t == t[i]) & (d == 0))]
        right += (risk[i] > later).sum() + (risk[i] == later).sum() / 2
        pairs += len(later)
    return right / pairs if pairs else .5


# ---------------------------------------------------------------- 图

def plot_survival(curves, unit="月", ax=None):
    """Survival curves with their intervals; curves: one ``kaplan_meier`` result, or dict name → result.

    Returns the Axes.
    """
    ax = axes(ax)
    groups = curves if isinstance(curves, dict) else {"": curves}
    for i, (name, curve) in enumerate(groups.items()):
        t = np.r_[0, curve.table.index, curve.table.attrs["last"]]

        def steps(column, curve=curve):
            values = curve.table[column].to_numpy()
            return 100 * np.r_[1, values, values[-1:] if len(values) else 1]

        style = ["-", "--", "-.", ":"][i % 4]
        ax.step(t, steps("留存率"), where="post", linestyle=style, color=f"C{i}",
                label=f"{name}（{curve.n} 户）" if name != "" else None)
        ax.fill_between(t, steps("下限"), steps("上限"), step="post", alpha=.15, color=f"C{i}")
    ax.axhline(50, color="0.6", linewidth=1.2)
    ax.set(xlim=(0, None), ylim=(0, 103), xlabel=f"时间（{unit}）", ylabel="还留着的客户（%）")
    if len(groups) > 1:
        ax.legend()
    return ax
