"""渠道：用几条规则找窜货，再看规则找得准不准、全不全。"""

import numpy as np
import pandas as pd

from crmlib.cli import CourseError
from crmlib.methods._common import Result, at_least, axes, column, label, number, numeric, result
from crmlib.methods.survey import wilson_limits


def diversion(flows, outlets, *, away=.12, price_gap=-.06, spike=.3, least=2, outlet="网点编号",
              city="揽收城市", territory="授权城市", amount="件数", price="单价",
              week="周一") -> pd.DataFrame:
    """Signs that an outlet sells outside its territory (窜货), by three rules, the most suspicious first.

    flows: a row per outlet, week and city; outlets: a row per outlet, with its territory. Rules, each broken
    when reached: 异地: share of its volume picked up elsewhere ≥ ``away``; 低价: its mean price elsewhere
    (weighted by volume) against its price at home ≤ ``price_gap`` (−.06: 6 % cheaper); 突增: in its largest
    week elsewhere the volume rose above its median week elsewhere by ≥ ``spike`` of its median week
    altogether (weeks without any count as 0). 嫌疑: ``least`` rules or more. Nothing sold elsewhere: no gap,
    and no spike. Nothing sold at home: the gap is unknown, and 低价 not broken. A suspicion is a reason to
    look, not a proof. Columns: 授权城市, 件数, 异地件数, 异地占比, 价差, 突增, 规则 (those broken), 嫌疑.

    >>> flows = pd.DataFrame({"周一": ["2025-01-06"] * 3, "网点编号": ["G1", "G1", "G2"],
    ...                       "揽收城市": ["苏州", "盐城", "南通"], "件数": [80, 20, 90],
    ...                       "单价": [7., 6., 7.]})
    >>> outlets = pd.DataFrame({"网点编号": ["G1", "G2"], "授权城市": ["苏州", "南通"]})
    >>> diversion(flows, outlets)[["异地占比", "规则", "嫌疑"]].values.tolist()
    [[0.2, '异地、低价', True], [0.0, '', False]]
    """
    cuts = {"异地": number(away, "异地占比的界限", above=0, high=1),
            "低价": number(price_gap, "价差的界限", below=0),
            "突增": number(spike, "突增的界限", above=0)}
    least = number(least, "最少几条", low=1, high=len(cuts))
    home = pd.Series(column(outlets, territory).to_numpy(), column(outlets, outlet))
    if home.index.has_duplicates:
        raise CourseError(f"网点“{home.index[home.index.duplicated()][0]}”出现了不止一次。先去重。")
    who = column(flows, outlet)
    if unknown := sorted(set(who.dropna()) - set(home.index)):
        raise CourseError(f"网点“{unknown[0]}”不在网点表里，不知道它的授权城市。")
    at_least(len(flows), 1, "行流向")
    n = numeric(column(flows, amount), amount, low=0)
    d = pd.DataFrame({"网点": who.to_numpy(), "周": column(flows, week).to_numpy(), "件": n,
                      "额": n * numeric(column(flows, price), price, low=0),
                      "外": column(flows, city).to_numpy() != who.map(home).to_numpy()})
    sums = d.groupby(["网点", "外"])[["件", "额"]].sum().unstack(fill_value=0).reindex(
        columns=pd.MultiIndex.from_product([["件", "额"], [False, True]]), fill_value=0)
    inside, outside = sums["件", False], sums["件", True]
    total = inside + outside
    gap = (sums["额", True] / outside.where(outside > 0)) / (sums["额", False] / inside.where(inside > 0)) - 1
    week_all = d.groupby(["网点", "周"])["件"].sum().unstack(fill_value=0)
    week_out = d["件"].where(d["外"], 0).groupby([d["网点"], d["周"]]).sum().unstack(fill_value=0)
    usual = week_all.median(axis=1)
    jump = ((week_out.max(axis=1) - week_out.median(axis=1)) / usual.where(usual > 0)).fillna(0)
    found = pd.DataFrame({"授权城市": home.reindex(sums.index), "件数": total, "异地件数": outside,
                          "异地占比": (outside / total.where(total > 0)).fillna(0), "价差": gap,
                          "突增": jump})
    broken = pd.DataFrame({"异地": found["异地占比"] >= cuts["异地"], "低价": gap <= cuts["低价"],
                           "突增": found["突增"] >= cuts["突增"]})
    found["规则"] = ["、".join(broken.columns[row]) for row in broken.to_numpy()]
    found["嫌疑"] = broken.sum(axis=1) >= least
    found.attrs["cuts"] = cuts
    order = np.lexsort((-found["异地占比"], -broken.sum(axis=1)))  # 犯的规则多的在前
    return found.iloc[order].rename_axis(outlet)


@result
class RuleQuality(Result):
    precision: float | None = label("查准率（指认的里面，真的占）")
    precision_low: float = label("查准率下限")
    precision_high: float = label("查准率上限")
    recall: float | None = label("查全率（真的里面，找到的占）")
    recall_low: float = label("查全率下限")
    recall_high: float = label("查全率上限")
    f1: float | None = label("F1")
    hits: int = label("找对的")
    false_alarms: list = label("冤枉的")
    missed: list = label("漏掉的")
    note: str = label("注意")


def rule_quality(suspects, guilty, confidence=.95) -> RuleQuality:
    """Precision and recall of those named against those who did it, with Wilson intervals.

    suspects, guilty: names. Nobody named: precision is empty; nobody guilty: recall is empty; note says so.

    >>> r = rule_quality(["G1", "G2", "G3"], ["G2", "G3", "G4", "G5"])
    >>> round(r.precision, 2), r.recall, r.false_alarms, r.missed
    (0.67, 0.5, ['G1'], ['G4', 'G5'])
    """
    named, true = set(suspects), set(guilty)
    hits = len(named & true)
    notes = []
    if not named:
        notes.append("一个也没有指认，查准率没有意义。")
    if not true:
        notes.append("一个真的也没有，查全率没有意义。")
    ends = [float(x) for k in (len(named), len(true)) for x in wilson_limits(hits, k, confidence)]
    precision = hits / len(named) if named else None
    recall = hits / len(true) if true else None
    f1 = 2 * hits / (len(named) + len(true)) if named and true else None
    return RuleQuality(precision, ends[0], ends[1], recall, ends[2], ends[3], f1, hits,
                       sorted(named - true, key=str), sorted(true - named, key=str), "".join(notes))


def threshold_table(values, guilty, cuts=None, *, low_is_guilty=False) -> pd.DataFrame:
    """Precision and recall of one sign at several cuts: strict rules miss some, loose ones blame the
    innocent.

    values: Series name → sign (a column of ``diversion``; missing ones are never named); guilty: names. cuts:
    default every value that occurs. A row per cut: 指认, 找对, 查准率 (empty where nobody is named), 查全率.

    >>> sign = pd.Series({"G1": .3, "G2": .2, "G3": .1})
    >>> threshold_table(sign, ["G1", "G3"], [.1, .25])[["指认", "找对", "查全率"]].values.tolist()
    [[3.0, 2.0, 1.0], [1.0, 1.0, 0.5]]
    """
    x = numeric(values, "指标", missing=True)
    at_least((~np.isnan(x)).sum(), 1, "个有值的对象")
    true = np.isin(np.asarray(values.index), list(guilty))
    at_least(true.sum(), 1, "个真的（guilty 里的名字都不在 values 里）")
    cuts = np.unique(x[~np.isnan(x)]) if cuts is None else numeric(cuts, "分界")
    named = x <= cuts[:, None] if low_is_guilty else x >= cuts[:, None]
    count, hits = named.sum(axis=1), (named & true).sum(axis=1)
    precision = np.divide(hits, count, out=np.full(len(cuts), np.nan), where=count > 0)
    return pd.DataFrame({"指认": count, "找对": hits, "查准率": precision, "查全率": hits / true.sum()},
                        pd.Index(cuts, name="分界"))


def plot_diversion(found, guilty=None, ax=None):
    """Outlets by share picked up elsewhere and price gap there, with the cuts of ``diversion``; suspects
    named.

    guilty: names known afterwards, ringed. Returns the Axes.
    """
    ax = axes(ax)
    shown = found.dropna(subset=["价差"])
    for suspect, colour, marker, name in ((False, "C0", "o", "没有嫌疑"), (True, "C3", "s", "有嫌疑")):
        part = shown[shown["嫌疑"] == suspect]
        if len(part):
            ax.scatter(100 * part["异地占比"], 100 * part["价差"], c=colour, marker=marker, s=80, label=name)
    named = shown[shown["嫌疑"]].sort_values("价差")
    for k, (name, row) in enumerate(named.iterrows()):  # 左右轮流写，挨得近的才不叠在一起
        ax.annotate(str(name), (100 * row["异地占比"], 100 * row["价差"]), (-14 if k % 2 else 14, 0),
                    textcoords="offset points", ha="right" if k % 2 else "left", va="center")
    if guilty is not None:
        real = shown[shown.index.isin(list(guilty))]
        ax.scatter(100 * real["异地占比"], 100 * real["价差"], s=320, facecolors="none", edgecolors="black",
                   linewidths=2, label="查实的")
    cuts = found.attrs.get("cuts")
    if cuts:
        ax.axvline(100 * cuts["异地"], color="0.5", linestyle="--", linewidth=1.6)
        ax.axhline(100 * cuts["低价"], color="0.5", linestyle="--", linewidth=1.6)
    ax.margins(.12)
    ax.set(xlabel="异地件占比（%）", ylabel="异地比本地贵（%，负数是便宜）")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return ax
