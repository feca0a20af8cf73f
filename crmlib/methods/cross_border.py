"""跨境：到岸总成本、线路风险、汇率敞口。

Rates are shares (.1 is 10 %) as arguments, and percent in the tables (丢失率 2.3), as the column says.
"""

from math import ceil

import numpy as np
import pandas as pd

from crmlib.cli import CourseError
from crmlib.methods._common import Result, at_least, axes, column, label, number, numeric, result
from crmlib.methods.survey import z_value

# ---------------------------------------------------------------- 到岸成本


def chargeable_weight(weight, size=None, *, divisor=6000) -> float:
    """Weight that is charged, kg: the larger of the actual and the volumetric weight.

    size: (length, width, height) in cm; volumetric weight = their product ÷ divisor (6000 for most lines,
    5000 for most international couriers).

    >>> chargeable_weight(1.2, (40, 30, 20)), chargeable_weight(5, (40, 30, 20))
    (4.0, 5.0)
    """
    weight = number(weight, "重量", above=0)
    if size is None:
        return weight
    length, width, height = (number(x, name, above=0) for x, name in zip(size, "长宽高", strict=True))
    return max(weight, length * width * height / number(divisor, "体积重的除数", above=0))


def freight(weight, first, following, *, step=.5) -> float:
    """Freight of one parcel: the price of the first ``step`` kg, and of every further one begun, yuan.

    >>> freight(.5, 36, 13), freight(1.2, 36, 13)
    (36.0, 62.0)
    """
    steps = ceil(round(number(weight, "重量", above=0) / number(step, "计重单位", above=0), 9))
    return number(first, "首重价", low=0) + (steps - 1) * number(following, "续重价", low=0)


@result
class LandedCost(Result):
    goods: float = label("货值（元）")
    freight: float = label("运费（元）")
    insurance: float = label("保险（元）")
    duty: float = label("关税（元）")
    vat: float = label("进口增值税（元）")
    fees: float = label("清关等费用（元）")
    total: float = label("到岸总成本（元）")
    per_yuan: float = label("每元货值合")
    note: str = label("注意")


def landed_cost(goods, carriage, *, duty=0, vat=0, insurance=0, fees=0, free_below=0,
                basis="CIF") -> LandedCost:
    """What goods cost once they are in the buyer's hands abroad, yuan.

    goods: value; carriage: international freight; insurance: share of goods + carriage; duty: rate on the
    customs value: goods + carriage + insurance (basis "CIF", most countries) or goods alone ("FOB", the USA);
    vat: rate on customs value + duty; fees: clearance and delivery. Goods of a value of at most
    ``free_below`` pay neither duty nor VAT, and note says so. Source: WTO Customs Valuation Agreement, art.
    8.2 (a country may choose either basis).

    >>> c = landed_cost(1000, 180, insurance=.01, duty=.1, vat=.2, fees=30)
    >>> round(c.duty, 2), round(c.vat, 2), round(c.total, 2)
    (119.18, 262.2, 1603.18)
    """
    goods, carriage = number(goods, "货值", above=0), number(carriage, "运费", low=0)
    cover = (goods + carriage) * number(insurance, "保险费率", low=0, below=1)
    duty, vat = number(duty, "关税率", low=0), number(vat, "增值税率", low=0)
    if basis not in ("CIF", "FOB"):
        raise CourseError(f"没有“{basis}”这种完税价格；可以用 CIF（到岸价）、FOB（离岸价）。")
    free = 0 < goods <= number(free_below, "免税额", low=0)
    value = goods + (carriage + cover if basis == "CIF" else 0)
    tax = 0. if free else value * duty
    added = 0. if free else (value + tax) * vat
    total = goods + carriage + cover + tax + added + number(fees, "清关等费用", low=0)
    note = f"货值不超过 {free_below:g} 元，免税。" if free else ""
    return LandedCost(goods, carriage, cover, tax, added, float(fees), total, total / goods, note)


def lane_costs(lanes, weight, goods, *, vat=0, insurance=0, fees=0, free_below=0, basis="CIF", late_cost=0,
               first="首重价", following="续重价", duty="关税率", loss="丢失率", delay="清关延误率",
               step=.5) -> pd.DataFrame:
    """Landed cost of one parcel over each lane, and what its risks cost on average, the cheapest first.

    lanes: a row per lane, rates in percent (10 is 10 %). weight: chargeable kg; goods: yuan; late_cost: yuan
    that a delay at customs costs. Expected loss = loss rate × (goods + freight) + delay rate × late_cost;
    what the insurance pays back is not taken off. Columns: 运费, 税, 到岸成本, 预期损失, 合计.

    >>> lanes = pd.DataFrame({"首重价": [23., 47], "续重价": [10., 20], "丢失率": [8., .5],
    ...                       "清关延误率": [0., 0], "关税率": [10., 10]}, ["小包", "快递"])
    >>> lane_costs(lanes, 1, 500)["合计"].round(1).to_dict()
    {'快递': 626.5, '小包': 628.9}
    """
    at_least(len(lanes), 1, "条线路")
    late_cost = number(late_cost, "延误一次的损失", low=0)
    price, more = (numeric(column(lanes, c), c, low=0) for c in (first, following))
    rate, lost, slow = (numeric(column(lanes, c), c, low=0, high=100) / 100 for c in (duty, loss, delay))
    rows = []
    for k in range(len(lanes)):
        cost = landed_cost(goods, freight(weight, price[k], more[k], step=step), duty=rate[k], vat=vat,
                           insurance=insurance, fees=fees, free_below=free_below, basis=basis)
        risk = lost[k] * (cost.goods + cost.freight) + slow[k] * late_cost
        rows.append((cost.freight, cost.duty + cost.vat, cost.total, risk, cost.total + risk))
    return pd.DataFrame(rows, lanes.index, ["运费", "税", "到岸成本", "预期损失", "合计"]).sort_values("合计")


# ---------------------------------------------------------------- 线路风险

def lane_risk(lanes, weights, *, higher_is_safer=(), draws=2000, seed=0) -> pd.DataFrame:
    """Risk score of each lane, 0 (the safest on everything) to 100, and how far the ranking hangs on the
    weights.

    weights: dict column → weight, adding up to 1; each column goes from 0 (best lane) to 100 (worst lane),
    the other way round for those in ``higher_is_safer``. 最稳占: in what share of ``draws`` random weight
    sets this lane is the safest (ties shared); the sets scatter round the given weights (Dirichlet, 20 ×
    weight: a weight of .4 varies by about ±.1). Columns: a column of points each, 风险分, 名次 (1 is the
    safest), 最稳占.

    >>> lanes = pd.DataFrame({"丢失率": [2.3, .3], "天数": [22, 6]}, ["小包", "快递"])
    >>> lane_risk(lanes, {"丢失率": .6, "天数": .4})[["风险分", "最稳占"]].values.tolist()
    [[0.0, 1.0], [100.0, 0.0]]
    """
    at_least(len(lanes), 2, "条线路")
    w = np.array([number(v, f"{c}的权重", low=0) for c, v in weights.items()])
    if abs(w.sum() - 1) > .005:
        raise CourseError(f"权重加起来是 {w.sum():.3g}，应当等于 1。")
    if odd := set(higher_is_safer) - set(weights):
        raise CourseError(f"“{odd.pop()}”没有权重。有权重的是：{'、'.join(map(str, weights))}。")
    points = pd.DataFrame(index=lanes.index)
    for name in weights:
        x = numeric(column(lanes, name), name) * (-1 if name in higher_is_safer else 1)
        if np.ptp(x) == 0:
            raise CourseError(f"“{name}”每条线路都一样，分不出高低。换一个指标。")
        points[name] = (x - x.min()) / np.ptp(x) * 100
    score = points.to_numpy() @ w
    used = w > 0
    many = np.random.default_rng(seed).dirichlet(20 * w[used], int(number(draws, "次数", low=1)))
    trial = np.round(many @ points.to_numpy()[:, used].T, 9)
    best = trial == trial.min(axis=1, keepdims=True)
    points["风险分"] = score
    points["名次"] = pd.Series(score.round(9)).rank(method="min").astype(int).to_numpy()
    points["最稳占"] = (best / best.sum(axis=1, keepdims=True)).mean(axis=0)
    return points.sort_values("风险分", kind="stable")


# ---------------------------------------------------------------- 汇率

def fx_exposure(receivable, payable=0, rate=None, *, hedged=0, volatility=.06, days=30, confidence=.95,
                move=.05) -> pd.DataFrame:
    """Foreign money still to come in, what it is worth, and what a move of the rate would cost.

    receivable, payable, rate, hedged: numbers, or dicts by currency: amounts in that currency, yuan for one
    unit, and what is sold forward. 敞口 = receivable − payable − hedged. 变动 ``move``: yuan lost if the
    currency falls by that share (gained, so below 0, if we owe more than we are owed). 可能损失: at
    ``confidence``, one-sided, the most that is lost in ``days`` days, z × volatility a year × √(days/365) ×
    |敞口| (normal moves; crises are worse). volatility: a number, or a dict. A last row 合计 adds up yuan;
    its 可能损失 assumes that all currencies move together, so it is an upper limit.

    >>> t = fx_exposure({"美元": 50000}, {"美元": 10000}, {"美元": 7.1}, volatility=.05, days=73)
    >>> t.loc["美元", ["敞口", "折人民币", "贬值 5%"]].tolist(), int(t.loc["美元", "可能损失"])
    ([40000.0, 284000.0, 14200.0], 10445)
    """
    asked = {"应收": receivable, "应付": payable, "汇率": rate, "已锁定": hedged, "波动率": volatility}
    names = list(dict.fromkeys(c for v in asked.values() if isinstance(v, dict) for c in v)) or ["外币"]
    if rate is None:
        raise CourseError("要给汇率 rate：一个单位外币合多少元。")
    table = {}
    for what, value in asked.items():
        given = value if isinstance(value, dict) else dict.fromkeys(names, value)
        if what in ("汇率", "波动率") and (missing := [c for c in names if c not in given]):
            raise CourseError(f"没有“{missing[0]}”的{what}。")
        table[what] = np.array([number(given.get(c, 0), f"{c}{what}", low=0) for c in names])
    if (table["汇率"] == 0).any():
        raise CourseError("汇率要大于 0：一个单位外币合多少元。")
    z = z_value(2 * number(confidence, "置信水平", above=.5, below=1) - 1)
    share = number(move, "变动", above=0, below=1)
    open_ = table["应收"] - table["应付"] - table["已锁定"]
    yuan = open_ * table["汇率"]
    risk = z * table["波动率"] * np.sqrt(number(days, "天数", above=0) / 365) * np.abs(yuan)
    found = pd.DataFrame({"敞口": open_, "折人民币": yuan, f"贬值 {share:.0%}": yuan * share,
                          "可能损失": risk}, names)
    found.loc["合计"] = [np.nan, *found.iloc[:, 1:].sum()]
    return found


def plot_landed(table, ax=None):
    """Bars of ``lane_costs`` above the value of the goods: freight, taxes and what risks cost; at their
    ends the whole with the goods. Returns the Axes."""
    ax = axes(ax)
    shown = table.iloc[::-1]
    other = shown["到岸成本"] - shown["运费"] - shown["税"]
    other = other - other.min()  # 各线路都一样的部分（货值、清关费）不画
    left = np.zeros(len(shown))
    for values, name, look in ((shown["运费"], "运费", {"color": "C0"}), (shown["税"], "税", {"color": "C1"}),
                               (other, "保险等差别", {"color": "0.7"}),
                               (shown["预期损失"], "预期损失", {"color": "C3", "hatch": "//"})):
        if values.max() > .005:
            ax.barh(shown.index.astype(str), values, left=left, label=name, edgecolor="white", **look)
            left = left + values.to_numpy()
    for y, (end, total) in enumerate(zip(left, shown["合计"], strict=True)):
        ax.annotate(f"连货 {total:,.0f}", (end, y), (5, 0), textcoords="offset points", va="center",
                    fontsize="small")
    ax.margins(x=.18)
    ax.grid(axis="y", visible=False)
    ax.set(xlabel="货值以外，每票再花（元）")
    ax.legend(loc="lower center", bbox_to_anchor=(.5, 1), ncols=4)
    return ax
