"""找对客户：模型分数准不准、先联系谁、联系多少位划算、联系有没有用（增量）。"""

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
from crmlib.methods._design import both_values, complete_design, design
from crmlib.methods.survey import two_proportions, wilson_limits

# ---------------------------------------------------------------- 准不准

def auc(y, score) -> float:
    """Chance that a random 1 has a higher score than a random 0 (ties count half); 0.5 = guessing.

    >>> auc([0, 0, 1, 1], [.1, .4, .35, .8])
    0.75
    """
    same_length(结果=y, 分数=score)
    y, score = flags(y, "结果"), numeric(score, "分数")
    both_values(y, "结果")
    ones = y.sum()
    rank = scipy.stats.rankdata(score)
    return float((rank[y == 1].sum() - ones * (ones + 1) / 2) / (ones * (len(y) - ones)))


@result
class Calibration(Result):
    brier: float = label("布莱尔分（越小越好）")
    baseline: float = label("只猜平均流失率时的布莱尔分")
    expected: float = label("预测流失几位")
    observed: int = label("实际流失几位")
    groups: pd.DataFrame = label("各组")


def calibration(y, probability, groups=10) -> Calibration:
    """Do 20 % of those said to leave with 20 % really leave? Groups of equal size by predicted probability.

    Equal predictions stay in one group, so there may be fewer. Columns of ``groups``: 人数, 预测, 实际, 下限,
    上限 (Wilson). Source: Brier 1950.

    >>> r = calibration([0, 0, 1, 1, 0, 1], [.1, .2, .7, .9, .4, .6], groups=2)
    >>> r.observed, round(r.expected, 1), r.groups["实际"].round(2).tolist()
    (3, 2.9, [0.0, 1.0])
    """
    same_length(结果=y, 概率=probability)
    y, p = flags(y, "结果"), numeric(probability, "概率", low=0, high=1)
    at_least(len(y), 1, "行")
    groups = int(number(groups, "组数", low=1))
    place = np.floor((scipy.stats.rankdata(p) - .5) * groups / len(p)).astype(int)
    table = pd.DataFrame({"p": p, "y": y}).groupby(place).agg(人数=("y", "size"), 预测=("p", "mean"),
                                                              实际=("y", "mean"), 次=("y", "sum"))
    table["下限"], table["上限"] = wilson_limits(table.pop("次"), table["人数"])
    table.index = pd.RangeIndex(1, len(table) + 1, name="组")
    return Calibration(((p - y) ** 2).mean(), y.mean() * (1 - y.mean()), p.sum(), int(y.sum()), table)


def lift_table(y, score, groups=10) -> pd.DataFrame:
    """Response by depth of the list, the best scores first: who to call, and how far down.

    Equal scores are in no order: each counts with the mean response of its equals. Nobody responding is an
    error. Columns: 人数, 响应数, 响应率, 提升度 (response rate / overall), 累计深度, 累计响应占比 (gain),
    累计提升度.

    >>> t = lift_table([1, 1, 0, 0, 1, 0, 0, 0], [9, 8, 7, 6, 5, 4, 3, 2], groups=4)
    >>> t["累计响应占比"].round(2).tolist(), round(float(t["提升度"].iloc[0]), 2)
    ([0.67, 0.67, 1.0, 1.0], 2.67)
    """
    same_length(结果=y, 分数=score)
    y, score = flags(y, "结果"), numeric(score, "分数")
    groups = int(number(groups, "组数", low=1, high=max(len(y), 1)))
    if not y.any():
        raise CourseError("没有一位响应（全是 0），提升度没有意义。")
    y = pd.Series(y).groupby(score).transform("mean").to_numpy()[np.argsort(-score, kind="stable")]
    place = np.floor(np.arange(len(y)) * groups / len(y)).astype(int)
    size, hits = np.bincount(place), np.bincount(place, y)
    deep, got = size.cumsum() / len(y), hits.cumsum() / y.sum()
    return pd.DataFrame({"人数": size, "响应数": hits, "响应率": hits / size,
                         "提升度": hits / size / y.mean(), "累计深度": deep, "累计响应占比": got,
                         "累计提升度": got / deep},
                        pd.RangeIndex(1, groups + 1, name="组"))


# ---------------------------------------------------------------- 值不值得

@result
class Profit(Result):
    contacted: int = label("联系最前面的几位最划算")
    profit: float = label("预期利润（元）")
    everyone: float = label("全都联系的预期利润（元）")
    actual: float | None = label("按实际流失算的利润（元）")
    curve: pd.DataFrame = label("利润曲线")


def profit_curve(probability, value, *, contact_cost, offer_cost=0, save_rate, take_rate=1,
                 churned=None) -> Profit:
    """How many customers to contact in a retention campaign, the most profitable first.

    Each customer contacted brings, in expectation (yuan):
    p × save_rate × (value − offer_cost) − (1 − p) × take_rate × offer_cost − contact_cost,
    with p the churn probability, value what a saved customer is worth (number, or one each), save_rate the
    share of leavers whom the offer keeps, take_rate the share of stayers who take the offer anyway.
    churned: what happened (0/1), to add the column 实际累计利润. The curve has a row per number contacted,
    from 0. After Neslin et al. 2006, J. Marketing Research 43, 204.

    >>> r = profit_curve([.5, .3, .05], 1000, contact_cost=20, offer_cost=100, save_rate=.3)
    >>> r.contacted, r.profit
    (1, 65.0)
    """
    p = numeric(probability, "流失概率", low=0, high=1)
    at_least(len(p), 1, "位客户")
    worth = numeric(np.atleast_1d(value), "客户价值")
    if len(worth) not in (1, len(p)):
        raise CourseError(f"“客户价值”有 {len(worth)} 个，要么给 1 个，要么给 {len(p)} 个。")
    save, take = number(save_rate, "挽留成功率", low=0, high=1), number(take_rate, "白拿率", low=0, high=1)
    contact, offer = number(contact_cost, "联系成本", low=0), number(offer_cost, "优惠成本", low=0)
    gain = p * save * (worth - offer) - (1 - p) * take * offer - contact
    order = np.argsort(-gain, kind="stable")
    curve = pd.DataFrame({"预期累计利润": np.r_[0, gain[order].cumsum()]},
                         pd.RangeIndex(len(p) + 1, name="联系几位"))
    best = int(curve["预期累计利润"].to_numpy().argmax())
    actual = None
    if churned is not None:
        same_length(概率=p, 流失=churned)
        y = flags(churned, "流失")
        real = y * save * (worth - offer) - (1 - y) * take * offer - contact
        curve["实际累计利润"] = np.r_[0, real[order].cumsum()]
        actual = curve["实际累计利润"].iloc[best]
    return Profit(best, curve["预期累计利润"].iloc[best], curve["预期累计利润"].iloc[-1], actual, curve)


# ---------------------------------------------------------------- 有没有用：增量

@result
class TLearner(Result):
    treated: int = label("联系了的人数")
    control: int = label("没联系的人数")
    effect: float = label("平均增量（响应率之差）")
    low: float = label("下限")
    high: float = label("上限")
    models: tuple = ()
    columns: tuple = ()
    levels: dict = None

    def uplift(self, table) -> pd.Series:
        """Predicted change of the response probability if contacted, for each row (no missing values)."""
        x = design(table, self.columns, self.levels)
        x = np.column_stack([numeric(x[c], c) for c in x])
        one, other = (m.predict_proba(x)[:, 1] for m in self.models)
        return pd.Series(one - other, table.index, name="增量")


def t_learner(table, treatment, outcome, columns, *, model="logit", seed=0) -> TLearner:
    """Whom does contact change? One model for those contacted, one for those not; uplift = the difference.

    Only from a randomised trial: treatment and outcome are columns of 0 and 1. model: ``"logit"`` or
    ``"boosting"`` (bends and interactions; a few thousand rows or more). Judge it on rows it has not seen
    (``qini_curve``). Source: Künzel et al. 2019, PNAS 116, 4156.

    >>> t = pd.DataFrame({"大户": [1, 1, 1, 1, 0, 0, 0, 0] * 5, "联系": [1, 1, 0, 0] * 10,
    ...                   "留下": [1, 1, 0, 1, 0, 1, 1, 0] * 5})
    >>> t_learner(t, "联系", "留下", ["大户"]).uplift(pd.DataFrame({"大户": [1, 0]})).round(1).tolist()
    [0.5, 0.0]
    """
    from sklearn.base import clone
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    columns = (columns,) if isinstance(columns, str) else tuple(columns)
    line = make_pipeline(StandardScaler(), LogisticRegression(C=1e3, max_iter=1000))
    trees = HistGradientBoostingClassifier(max_depth=3, learning_rate=.05, max_iter=120, min_samples_leaf=40,
                                           random_state=seed)
    makers = {"logit": line, "boosting": trees}
    if model not in makers:
        raise CourseError(f"没有“{model}”这种模型；可以用 logit、boosting。")
    w, y = flags(column(table, treatment), treatment), flags(column(table, outcome), outcome)
    x, w, y, _ = complete_design(table, columns, w, y)
    models = []
    for arm, name in ((1, "联系了"), (0, "没联系")):
        if len(np.unique(y[w == arm])) < 2:
            raise CourseError(f"“{name}”的客户里，“{outcome}”要 0 和 1 都有，模型才学得到东西。")
        models.append(clone(makers[model]).fit(x.to_numpy()[w == arm], y[w == arm]))
    diff = two_proportions(y[w == 1].sum(), (w == 1).sum(), y[w == 0].sum(), (w == 0).sum())
    return TLearner(int(w.sum()), int((1 - w).sum()), diff.difference, diff.low, diff.high,
                    tuple(models), columns, x.attrs["levels"])


@result
class Qini(Result):
    coefficient: float = label("Qini 系数（大于 0：排得比随机好）")
    best_depth: float = label("联系到前几成，增量最大")
    curve: pd.DataFrame = label("Qini 曲线")


def qini_curve(outcome, treatment, score) -> Qini:
    """Extra responses caused by contact, as the list is worked from the highest uplift ``score`` down.

    From a randomised trial. At depth φ: R_t − R_c × N_t / N_c (responses and numbers among those within φ,
    treated and control), divided by all treated: extra responses per treated customer. The coefficient is the
    area between this curve and the straight line of a random order. Equal scores enter together.
    Columns: 深度, 增量, 随机. Source: Radcliffe 2007, Direct Marketing Analytics Journal, 14.

    >>> q = qini_curve([1, 0, 0, 0, 0, 1], [1, 0, 1, 0, 1, 0], [3, 3, 2, 2, 1, 1])
    >>> q.curve["增量"].round(2).tolist(), round(q.coefficient, 2), round(q.best_depth, 2)
    ([0.0, 0.33, 0.33, 0.0], 0.22, 0.33)
    """
    same_length(结果=outcome, 联系=treatment, 分数=score)
    y, w, s = flags(outcome, "结果"), flags(treatment, "联系"), numeric(score, "分数")
    if len(np.unique(w)) < 2:
        raise CourseError("要既有联系了的、也有没联系的客户，才看得出增量。")
    order = np.argsort(-s, kind="stable")
    y, w, s = y[order], w[order], s[order]
    ends = np.r_[np.flatnonzero(np.diff(s)), len(s) - 1]
    n_t, n_c, r_t, r_c = (np.cumsum(v)[ends] for v in (w, 1 - w, w * y, (1 - w) * y))
    # 前面一段还没有对照客户时，没法扣除；当作对照组没有响应
    extra = r_t - np.divide(r_c * n_t, n_c, out=np.zeros(len(ends)), where=n_c > 0)
    depth, extra = np.r_[0, (ends + 1) / len(s)], np.r_[0, extra / w.sum()]
    curve = pd.DataFrame({"深度": depth, "增量": extra, "随机": depth * extra[-1]})
    area = np.trapezoid(curve["增量"] - curve["随机"], depth)
    return Qini(area, depth[int(extra.argmax())], curve)


def uplift_table(outcome, treatment, score, groups=5) -> pd.DataFrame:
    """Response with and without contact, by predicted uplift, the highest first; a row per group.

    Columns: 联系了, 没联系 (numbers), 联系响应率, 不联系响应率, 增量, 下限, 上限 (Newcombe).
    A group in which one arm is empty is an error: take fewer groups. Equal scores stay together.

    >>> t = uplift_table([1, 0, 0, 1], [1, 0, 1, 0], [.9, .9, .1, .1], groups=2)
    >>> t["增量"].tolist()
    [1.0, -1.0]
    """
    same_length(结果=outcome, 联系=treatment, 分数=score)
    y, w, s = flags(outcome, "结果"), flags(treatment, "联系"), numeric(score, "分数")
    at_least(len(y), 2, "位客户")
    groups = int(number(groups, "组数", low=1))
    place = np.floor((scipy.stats.rankdata(-s) - .5) * groups / len(s)).astype(int)
    rows = []
    for g in np.unique(place):
        one, other = y[(place == g) & (w == 1)], y[(place == g) & (w == 0)]
        if not len(one) or not len(other):
            arm = "没联系" if len(one) else "联系了"
            raise CourseError(f"第 {len(rows) + 1} 组里没有{arm}的客户，比不了。组数取少一点。")
        d = two_proportions(one.sum(), len(one), other.sum(), len(other))
        rows.append({"联系了": len(one), "没联系": len(other), "联系响应率": d.first,
                     "不联系响应率": d.second, "增量": d.difference, "下限": d.low, "上限": d.high})
    return pd.DataFrame(rows, pd.RangeIndex(1, len(rows) + 1, name="组"))


# ---------------------------------------------------------------- 图

def plot_calibration(found, ax=None):
    """Predicted against actual churn by group, with intervals; on the diagonal = calibrated. Returns Axes."""
    ax = axes(ax)
    t = 100 * found.groups[["预测", "实际", "下限", "上限"]]
    top = 1.08 * t.to_numpy().max()
    ax.plot([0, top], [0, top], color="0.6", linewidth=1.5, label="完全准确")
    arms = [t["实际"] - t["下限"], t["上限"] - t["实际"]]
    ax.errorbar(t["预测"], t["实际"], yerr=arms, fmt="o", color="C0", elinewidth=2, capsize=4,
                label="各组实际（95% 区间）")
    ax.set(xlim=(0, top), ylim=(0, top), xlabel="预测的流失率（%）", ylabel="实际的流失率（%）")
    ax.legend(loc="upper left")
    return ax


def plot_gain(y, score, ax=None):
    """Gain curve: share of the leavers reached by depth of the list; score: scores, or dict name → scores.

    Returns the Axes.
    """
    ax = axes(ax)
    models = score if isinstance(score, dict) else {"模型": score}
    for (name, s), style in zip(models.items(), ["-", "--", "-.", ":"] * len(models), strict=False):
        table = lift_table(y, s, groups=min(100, len(y)))
        ax.plot(np.r_[0, 100 * table["累计深度"]], np.r_[0, 100 * table["累计响应占比"]], style,
                label=f"{name}（AUC {auc(y, s):.2f}）")
    ax.plot([0, 100], [0, 100], color="0.6", linewidth=1.5, label="随便挑")
    ax.set(xlim=(0, 100), ylim=(0, 103), xlabel="联系名单最前面的（%）", ylabel="找到的流失客户（%）")
    ax.legend(loc="lower right")
    return ax


def plot_lift(table, ax=None):
    """Bars of ``lift_table``: how many times the average each group responds; returns the Axes."""
    ax = axes(ax)
    ax.bar(table.index, table["提升度"], color=["C0" if v >= 1 else "0.75" for v in table["提升度"]])
    ax.axhline(1, color="C3", linestyle="--", label="平均水平")
    for x, v in table["提升度"].items():
        ax.annotate(f"{v:.1f}", (x, v), (0, 4), textcoords="offset points", ha="center",
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})
    ax.set_xticks(table.index)
    ax.margins(y=.12)
    ax.grid(axis="x", visible=False)
    ax.set(xlabel="按分数排的组（1 分数最高）", ylabel="提升度（倍）")
    ax.legend()
    return ax


def plot_profit(found, ax=None):
    """Profit by number contacted, from ``profit_curve``; a mark at the best number; returns the Axes."""
    ax = axes(ax)
    ax.plot(found.curve.index, found.curve["预期累计利润"], color="C0", label="预期")
    if "实际累计利润" in found.curve:
        ax.plot(found.curve.index, found.curve["实际累计利润"], "--", color="C1", label="按实际流失算")
    ax.plot(found.contacted, found.profit, "o", color="C3", zorder=3,
            label=f"联系 {found.contacted} 位，预期 {found.profit:,.0f} 元")
    ax.axhline(0, color="0.3", linewidth=1.2)
    ax.yaxis.set_major_formatter(lambda v, _: f"{v:,.0f}")
    ax.set(xlabel="联系几位（最划算的在前）", ylabel="累计利润（元）")
    ax.legend()
    return ax


def plot_qini(curves, ax=None):
    """Qini curves against random order; curves: one ``qini_curve`` result, or dict name → result."""
    ax = axes(ax)
    groups = curves if isinstance(curves, dict) else {"模型": curves}
    for (name, q), style in zip(groups.items(), ["-", "--", "-.", ":"] * len(groups), strict=False):
        ax.plot(100 * q.curve["深度"], 100 * q.curve["增量"], style,
                label=f"{name}（Qini {q.coefficient:.3f}）")
    ax.plot(100 * q.curve["深度"], 100 * q.curve["随机"], color="0.6", linewidth=1.5, label="随机联系")
    ax.axhline(0, color="0.3", linewidth=1)
    ax.set(xlim=(0, 100), xlabel="联系到前（%）", ylabel="每百位多留住（位）")
    ax.legend()
    return ax
