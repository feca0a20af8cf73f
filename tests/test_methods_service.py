"""服务质量：SERVQUAL、帕累托、控制图、比率、达标率、完美订单、流程用时。"""

import doctest

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from crmlib.cli import CourseError
from crmlib.methods import service as s

few = settings(max_examples=40, deadline=None)


def test_doctests():
    found = doctest.testmod(s)
    assert found.attempted > 20 and found.failed == 0


# ---- SERVQUAL

E = pd.DataFrame({"e1": [6, 7, 5], "e2": [6, 6, None], "e3": [4, 5, 6]})
P = pd.DataFrame({"p1": [4, 5, 5], "p2": [5, 6, 2], "p3": [5, None, 6]})


def test_gaps_by_hand():
    found = s.servqual_gaps(E, P, {"可靠": [1, 2], "有形": [3]})
    # 可靠：(-2-1)/2, (-2+0)/2, 0（第 3 份只算第 1 题）；有形：1, 0（第 2 份没有感受）
    assert found.dimensions.loc["可靠", ["差距", "份数"]].tolist() == pytest.approx([-2.5 / 3, 3])
    assert found.dimensions.loc["有形", ["差距", "份数"]].tolist() == [.5, 2]
    assert found.overall == pytest.approx((-2.5 / 3 + .5) / 2)
    assert found.items["份数"].tolist() == [3, 2, 2] and found.dimensions.index[0] == "可靠"
    one = s.servqual_gaps(E.head(1), P.head(1), {"可靠": [1, 2]})
    assert one.dimensions.loc["可靠", "差距"] == -1.5 and np.isnan(one.dimensions.loc["可靠", "下限"])


# ---- 帕累托

@few
@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=60), st.floats(.05, .95))
def test_vital_few_reach_the_cut_and_no_more_than_needed(causes, cut):
    table = s.cause_pareto(causes, cut=cut)
    assert table["占比"].sum() == pytest.approx(1) and (np.diff(table["数量"]) <= 0).all()
    few_ = table[table["关键少数"]]
    assert few_["占比"].sum() >= cut - 1e-9 and few_["占比"].sum() - few_["占比"].iloc[-1] < cut
    assert list(table["关键少数"]) == sorted(table["关键少数"], reverse=True)


def test_pareto_by_loss_and_blanks():
    table = s.cause_pareto(["延误", None, "破损"], [100, 5, 900])
    assert table.index.tolist() == ["破损", "延误", "没有填"] and table["关键少数"].sum() == 1


# ---- 控制图

@pytest.mark.parametrize("n, printed", [  # A2、D3、D4：Montgomery 附录 VI
    (2, (1.880, 0, 3.267)), (3, (1.023, 0, 2.575)), (4, (.729, 0, 2.282)), (5, (.577, 0, 2.115)),
    (6, (.483, 0, 2.004)), (7, (.419, .076, 1.924)), (8, (.373, .136, 1.864)), (9, (.337, .184, 1.816)),
    (10, (.308, .223, 1.777))])
def test_published_constants(n, printed):
    k = s.control_constants(n)
    found = (k.A2, k.D3, k.D4)
    assert found == pytest.approx(printed, abs=.00051)


@pytest.mark.parametrize("n", range(2, 11))
def test_d2_is_the_mean_range_of_a_normal_sample(n):
    inside = lambda x: 1 - stats.norm.cdf(x) ** n - stats.norm.sf(x) ** n  # noqa: E731
    assert s.control_constants(n).d2 == pytest.approx(integrate.quad(inside, -9, 9)[0], abs=6e-6)


def test_imr_has_266_and_3267():
    chart, ranges = s.imr_chart([10, 12, 11, 13, 10, 12])
    mean = np.mean([2, 1, 2, 3, 2])
    assert chart["上限"].iloc[0] == pytest.approx(68 / 6 + 2.66 * mean, abs=.004)
    assert ranges["上限"].iloc[0] == pytest.approx(3.267 * mean, abs=.005) and ranges["下限"].eq(0).all()
    shifted, _ = s.imr_chart([10, 12, 11, 13, 10, 12, 30], baseline=6)
    assert shifted["信号"].iloc[-1].startswith("1") and shifted["中心"].iloc[0] == chart["中心"].iloc[0]


def test_p_chart_textbook():
    """Montgomery 例 7.1（果汁罐）的前几个样本：n = 50，p̄ = .2313，限为 .0524 和 .4102。"""
    chart = s.p_chart([12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22, 8, 10, 5, 13, 11, 20, 18, 24, 15,
                       9, 12, 7, 13, 9, 6], [50] * 30)
    assert chart["中心"].iloc[0] == pytest.approx(.2313, abs=5e-5)
    assert chart["下限"].iloc[0] == pytest.approx(.0524, abs=6e-5)
    assert chart["上限"].iloc[0] == pytest.approx(.4102, abs=6e-5)
    assert chart.index[chart["信号"].str.contains("1")].tolist() == [15, 23]


def test_limits_follow_the_sample_size_and_stay_possible():
    chart = s.p_chart([1, 5, 0], [10, 400, 10])
    assert chart["上限"][1] == chart["上限"][3] > chart["上限"][2]
    assert chart["下限"].min() >= 0 and chart["上限"].max() <= 1
    u = s.u_chart([5, 5], [100, 400], per=100)
    wide = u["上限"] - u["中心"]
    assert wide.iloc[0] == pytest.approx(2 * wide.iloc[1])


def test_overdispersion_is_noticed_and_widens_the_limits():
    rng = np.random.default_rng(2)
    n = np.full(52, 50_000)
    bad = rng.binomial(n, rng.normal(.1, .005, 52))
    plain, laney = s.p_chart(bad, n), s.p_chart(bad, n, overdispersed=True)
    assert plain.attrs["sigma_z"] > 2 and (plain["信号"] != "").sum() > 10
    assert (laney["信号"].str.contains("1")).sum() <= 1
    calm = s.p_chart(rng.binomial(n, .1), n)
    assert calm.attrs["sigma_z"] == pytest.approx(1, abs=.35)


@pytest.mark.parametrize("z, rule", [
    ([0, 3.01], 1), ([.1] * 9, 2), ([.5, .4, .3, .2, .1, 0], 3), ([.1, -.1] * 7, 4), ([2.5, .3, 2.1], 5),
    ([1.2, 1.3, -.5, 1.4, 1.1], 6), ([.5, -.5, .2] * 5, 7), ([1.5, -1.5] * 4, 8), ([.1] * 8, 9)])
def test_each_rule_fires_at_the_point_that_completes_it(z, rule):
    found = s.signals(z, [rule])
    assert found[-1] == [rule] and all(x == [] for x in found[:-1])
    assert s.signals(-np.array(z), [rule]) == found or rule == 1
    assert not any(s.signals(z[1:], [rule])) or rule == 1


@few
@given(st.lists(st.floats(-4, 4), max_size=60))
def test_signals_do_not_depend_on_the_sign(z):
    assert s.signals(z, "nelson") == s.signals([-x for x in z], "nelson")


def test_false_alarms_are_as_rare_as_published():
    """只用 3σ：每点 .0027；西电四条合用，平均约 92 点一次误报（Champ & Woodall 1987）。"""
    z = np.random.default_rng(4).normal(size=200_000)
    assert np.mean([bool(x) for x in s.signals(z, "limits")]) == pytest.approx(.0027, abs=.0004)
    runs = []
    for part in z[:180_000].reshape(400, 450):  # 每次从头开始，数到第一个信号
        first = np.flatnonzero([bool(x) for x in s.signals(part)])
        runs.append(first[0] + 1 if len(first) else 450)
    assert np.mean(runs) == pytest.approx(92, rel=.15)


# ---- 比率

@pytest.mark.parametrize("events, low, high", [(0, 0, 3.689), (1, .0253, 5.572), (10, 4.795, 18.390)])
def test_published_poisson_limits(events, low, high):
    found = s.rate_interval(events, 1, per=1)
    assert found[1:] == pytest.approx((low, high), abs=.001)


def test_adjusting_turns_simpsons_paradox_round():
    table = pd.DataFrame({"组": ["甲", "甲", "乙", "乙"], "难度": ["难", "易"] * 2,
                          "错": [160, 10, 50, 90], "量": [8000, 2000, 2000, 8000]})
    found = s.adjusted_rate(table, "组", "难度", "错", "量")
    assert found.loc["甲", "原始"] > found.loc["乙", "原始"]
    assert found.loc["甲", "调整后"] < found.loc["乙", "调整后"]
    assert found["应有"].sum() == pytest.approx(found["件数"].sum())


def test_sla():
    table = pd.DataFrame({"用时": [10] * 98 + [50, None], "承诺": 24,
                          "区": ["南"] * 90 + ["北"] * 9 + ["中"]})
    found = s.sla(table, "用时", "承诺", by="区", target=.9)
    assert found.loc["南", "结论"] == "达标" and found.loc["北", "结论"] == "还说不准"
    assert found.loc["中", "单数"] == 0 and np.isnan(found.loc["中", "达标率"])


@few
@given(st.lists(st.tuples(*[st.booleans()] * 3), min_size=1, max_size=40))
def test_perfect_orders(rows):
    table = pd.DataFrame(rows, columns=list("abc")).astype(int)
    found = s.perfect_order(table, list("abc"))
    assert found.value == np.mean([all(r) for r in rows]) <= found.parts["合格率"].min() + 1e-12
    assert found.low <= found.value <= found.high
    assert found.parts["只差这一项"].sum() == sum(sum(r) == 2 for r in rows)


# ---- 流程

def log_of(*steps, day="2025-01-06 "):
    return pd.DataFrame([(c, n, who, day + a, day + b) for c, n, who, a, b in steps],
                        columns=["工单编号", "环节", "岗位", "开始时间", "结束时间"])


LOG = log_of(("P1", "登记", "客服", "09:00", "10:00"), ("P1", "核对", "客服", "09:30", "11:00"),
             ("P1", "审批", "主管", "14:00", "15:00"), ("P1", "核对", "客服", "16:00", "17:00"),
             ("P2", "登记", "客服", "08:00", "08:00"))


def test_flow_by_hand():
    found = s.flow_times(LOG.sample(frac=1, random_state=3), who="岗位")
    assert found.loc["P1"].tolist() == [8, 4, 4, .5, 4, 1, 2]  # 9:00—9:30 和 9:30—11:00 重叠，只算一次
    assert found.loc["P2"].tolist() == [0, 0, 0, 1, 1, 0, 0]
    steps = s.step_times(LOG)
    assert steps.loc["审批", "平均等待"] == 3 and steps.loc["核对", "次数"] == 2
    assert steps.loc["核对", "平均等待"] == .5 and steps.index[0] == "登记"


def test_before_and_after():
    cases = pd.DataFrame({"历时": [10., 12, 14, 5, 6, 7], "版": ["前"] * 3 + ["后"] * 3})
    found = s.compare_flows(cases, "版")
    test = stats.ttest_ind([5, 6, 7], [10, 12, 14], equal_var=False).confidence_interval()
    assert found.loc["后", ["下限", "上限"]].tolist() == pytest.approx([test.low, test.high])
    assert found.loc["后", "变化率"] == pytest.approx(-.5) and np.isnan(found.loc["前", "下限"])


T = pd.DataFrame({"a": [1, 0], "b": ["x", "y"]})


@pytest.mark.parametrize("call, words", [
    (lambda: s.servqual_gaps(E, P[["p1"]], {"可靠": [1]}), "一题对一题"),
    (lambda: s.servqual_gaps(E.fillna(-99), P, {"可靠": [1]}), "“e2”里有 -99"),
    (lambda: s.servqual_gaps(E, P, {"可靠": [9]}), "第 9 题不存在"),
    (lambda: s.servqual_gaps(E, P, {"可靠": [1]}, {"可靠": .4}), "应当等于 1"),
    (lambda: s.servqual_gaps(E, P, {"可靠": [1]}, {"有形": 1}), "对不上"),
    (lambda: s.cause_pareto([]), "至少要有 1 件"),
    (lambda: s.cause_pareto(["a"], [0]), "合计是 0"),
    (lambda: s.p_chart([5, 1], [4, 4]), "第 1 个样本不合格 5 个，比检查的 4 个还多"),
    (lambda: s.p_chart([0, 0], [4, 4]), "没有波动"),
    (lambda: s.u_chart([1, 1], [4, 0]), "第 2 个样本的数量是 0"),
    (lambda: s.u_chart([1], [4]), "2 个样本"),
    (lambda: s.imr_chart([3, 3, 3]), "一模一样"),
    (lambda: s.imr_chart([3, 4], span=11), "没有 11 的"),
    (lambda: s.signals([1], "六西格玛"), "western、nelson、limits"),
    (lambda: s.signals([1], [77]), "没有规则 77"),
    (lambda: s.adjusted_rate(T, "b", "b", "c", "a"), "没有“c”这一列"),
    (lambda: s.sla(T, "a", 0), "承诺时限"),
    (lambda: s.perfect_order(T, ["b"]), "要全是数，可是有 2 个不是，例如“x”"),
    (lambda: s.flow_times(LOG.assign(结束时间="2025-01-01")), "“P1”有个环节结束得比开始还早"),
    (lambda: s.flow_times(LOG, keep=["岗位"]), "“岗位”不止一个值"),
    (lambda: s.flow_times(LOG.iloc[:0]), "至少要有 1 个环节"),
])
def test_errors_say_what_is_wrong(call, words):
    with pytest.raises(CourseError, match=words):
        call()


def test_plots_return_axes():
    chart = s.p_chart([4, 5, 3, 15, 2, 6, 4], [100] * 7, baseline=3)
    ax = s.plot_control(chart, names=list("一二三四五六七"))
    assert "1：1 点超出 3σ" in ax.get_title() + ax.get_title(loc="left")
    assert s.plot_control(s.imr_chart([10, 12, 11])[1]).get_ylabel() == "移动极差"
    assert len(s.plot_causes(s.cause_pareto(["延误", "破损"])).patches) == 2
    assert s.plot_gaps(s.servqual_gaps(E, P, {"可靠": [1, 2], "有形": [3]})).get_legend()
    assert s.plot_flow({"前": s.step_times(LOG), "后": s.step_times(LOG.head(2))}).get_legend()
