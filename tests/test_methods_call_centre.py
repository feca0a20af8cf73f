"""呼叫中心：Erlang B、C、A，排班，模拟。"""

import doctest

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg

from crmlib.cli import CourseError
from crmlib.methods import call_centre as cc

few = settings(max_examples=40, deadline=None)


def test_doctests():
    found = doctest.testmod(cc)
    assert found.attempted > 12 and found.failed == 0


# ---- 公式

def test_published_erlang_c():
    q = cc.erlang_c(360, 240, 55, within=15)
    assert q.load == 48
    assert round(q.occupancy, 3) == .873 and round(q.wait_probability, 3) == .239
    assert round(q.mean_wait, 2) == 8.18 and round(q.service_level, 3) == .846
    assert q.abandoned is None and "放弃" not in repr(q)


@pytest.mark.parametrize("load, lines, blocked", [  # 通行的 Erlang B 表
    (10, 10, .2146), (20, 30, .0085), (5, 11, .0083), (1, 1, .5), (3, 0, 1)])
def test_published_erlang_b(load, lines, blocked):
    assert cc.erlang_b(load, lines) == pytest.approx(blocked, abs=5e-5)


@pytest.mark.parametrize("load, blocked, lines", [(4.46, .01, 10), (12.0, .01, 20), (13.18, .02, 20)])
def test_published_lines(load, blocked, lines):
    assert cc.lines_needed(load, blocked) == lines


@few
@given(st.floats(.01, 3000), st.integers(0, 400))
def test_erlang_b_is_the_recursion(load, lines):
    share = 1.
    for n in range(1, lines + 1):
        share = load * share / (n + load * share)
    tolerance = 1e-9 if load < 3 * max(lines, 1) else .5  # 远远不够用时只求是“几乎全占线”
    assert cc.erlang_b(load, lines) == pytest.approx(share, rel=tolerance)


def birth_and_death(load, n, handle, patience):
    """Stationary chances of 0, 1, 2 … calls in the centre with patience, summed term by term."""
    logs = [0.]
    while len(logs) < 20_000 and (len(logs) <= max(n, load) or logs[-1] > max(logs) - 60):
        k = len(logs)
        logs.append(logs[-1] + np.log(load) - np.log(min(k, n) + max(k - n, 0) * handle / patience))
    p = np.exp(np.array(logs) - max(logs))
    return p / p.sum()


@few
@given(st.floats(.05, 300), st.integers(1, 300), st.floats(20, 900), st.floats(5, 1000))
def test_erlang_a_is_birth_and_death(load, n, handle, patience):
    p = birth_and_death(load, n, handle, patience)
    queue = (np.maximum(np.arange(len(p)) - n, 0) * p).sum()
    q = cc.erlang_a(load * 1800 / handle, handle, n, patience, within=30)
    assert q.wait_probability == pytest.approx(p[n:].sum(), rel=1e-5, abs=1e-9)
    assert q.mean_wait == pytest.approx(queue / load * handle, rel=1e-5, abs=1e-9)  # 利特尔法则
    assert q.abandoned == pytest.approx(queue * handle / patience / load, rel=1e-5, abs=1e-9)
    assert q.occupancy == pytest.approx(load * (1 - q.abandoned) / n)
    assert 1 - q.abandoned + 1e-9 >= q.service_level >= 1 - q.wait_probability - 1e-9


def test_erlang_a_service_level_by_following_one_caller():
    load, n, handle, patience, within = 50., 48, 240., 120., 20.
    p = birth_and_death(load, n, handle, patience)
    places = len(p) - n  # 状态：前面还有几个人；最后一个状态是接起
    moves = np.zeros((places + 1, places + 1))
    for ahead in range(places):
        step = n / handle + ahead / patience
        moves[ahead, ahead - 1 if ahead else places] = step
        moves[ahead, ahead] = -step - 1 / patience
    answered = linalg.expm(moves * within)[:places, places]
    level = p[:n].sum() + p[n:] @ answered
    found = cc.erlang_a(375, handle, n, patience, within=within)
    assert found.service_level == pytest.approx(level, abs=1e-9)


def test_erlang_a_with_endless_patience_is_erlang_c():
    a, c = cc.erlang_a(360, 240, 55, 1e7), cc.erlang_c(360, 240, 55)
    for name in ("occupancy", "wait_probability", "mean_wait", "service_level"):
        assert getattr(a, name) == pytest.approx(getattr(c, name), rel=1e-3), name


@few
@given(st.floats(1, 2000), st.floats(30, 900), st.integers(1, 200), st.sampled_from([None, 30, 240]))
def test_one_agent_more_never_makes_it_worse(calls, handle, n, patience):
    load = calls * handle / 1800
    agents = np.arange(n, n + 3.)
    q = cc._queues(load, agents, handle, patience, 20.)
    for name, direction in (("service_level", 1), ("wait_probability", -1), ("occupancy", -1)):
        assert (direction * np.diff(q[name]) >= -1e-9).all(), name
    if load < n:
        assert (np.diff(q["mean_wait"]) <= 1e-9).all()
    assert ((q["service_level"] >= -1e-12) & (q["service_level"] <= 1)).all()


def test_too_few_agents_is_said_not_hidden():
    q = cc.erlang_c(360, 240, 48)
    assert (q.occupancy, q.wait_probability, q.service_level) == (1, 1, 0) and q.mean_wait == np.inf
    assert "至少要 49 个" in q.note
    assert not cc.erlang_a(360, 240, 40, 120).note  # 有人挂断，队伍总有头


# ---- 排班

@few
@given(st.floats(.5, 800), st.floats(60, 600), st.sampled_from([None, 60, 300]), st.floats(.5, .95))
def test_staffing_is_the_fewest(calls, handle, patience, level):
    s = cc.agents_needed(calls, handle, patience=patience, service_level=level, shrinkage=.3)
    assert s.service_level >= level and -1e-6 <= s.scheduled - s.agents / .7 < 1
    if s.agents > 1:
        one_less = (cc.erlang_a(calls, handle, s.agents - 1, patience) if patience
                    else cc.erlang_c(calls, handle, s.agents - 1))
        assert one_less.service_level < level


def test_every_target_is_met():
    s = cc.agents_needed(360, 240, patience=150, service_level=.5, max_occupancy=.85, max_wait=10,
                         max_abandoned=.01)
    assert s.occupancy <= .85 and s.mean_wait <= 10 and s.abandoned <= .01
    plain = cc.agents_needed(360, 240, patience=150, service_level=.5)
    assert plain.agents < s.agents


def test_day_agrees_with_single_intervals():
    day = pd.DataFrame({"来电量": [3., 0, 120, 360], "平均处理秒": [200, 0, 220, 240]}, list("abcd"))
    for patience in (None, 180):
        found = cc.staff_day(day, patience=patience, shrinkage=.25, hourly=24, least=2)
        for slot in "cd":
            one = cc.agents_needed(*day.loc[slot], patience=patience, shrinkage=.25)
            assert found.loc[slot, ["坐席", "排班人数"]].tolist() == [one.agents, one.scheduled]
            assert found.loc[slot, "服务水平"] == pytest.approx(one.service_level)
        assert found.loc["b", "坐席"] == 2 and np.isnan(found.loc["b", "服务水平"])
        totals = found.attrs["totals"]
        assert totals["人工费"] == pytest.approx(12 * found["排班人数"].sum())
        assert .8 <= totals["服务水平"] <= 1
    given_seats = cc.staff_day(day, agents=[1, 0, 12, 55])
    assert given_seats.loc["d", "服务水平"] == pytest.approx(cc.erlang_c(360, 240, 55).service_level)
    assert given_seats.loc["c", "平均等待"] == np.inf or given_seats.loc["c", "话务量"] > 12


def test_curves():
    one_day = pd.DataFrame({"时段": ["09:00", "09:30"] * 3, "来电量": [10, 0, 20, 0, 30, 0],
                            "平均处理秒": [100, 0, 200, 0, 300, 0]})
    curve = cc.day_curve(one_day)
    assert curve["来电量"].tolist() == [20, 0]
    assert curve.loc["09:00", "平均处理秒"] == pytest.approx(14000 / 60)
    assert curve.loc["09:30", "平均处理秒"] == pytest.approx(14000 / 60)
    cost = cc.queue_curve(360, 240, patience=120, hourly=30, per_lost=40)
    assert (np.diff(cost["放弃率"]) < 0).all()
    assert cost.index[0] < cost["合计"].idxmin() < cost.index[-1]
    assert cc.queue_curve(360, 240).index[0] == 49


# ---- 模拟

@pytest.mark.parametrize("agents, patience", [(55, None), (45, 120), (50, 300)])
def test_simulation_agrees_with_the_formulas(agents, patience):
    s = cc.simulate_calls([360] * 300, 240, agents, patience=patience, seed=3)
    q = cc.erlang_a(360, 240, agents, patience) if patience else cc.erlang_c(360, 240, agents)
    assert s.service_level == pytest.approx(q.service_level, abs=.02)
    assert s.mean_wait == pytest.approx(q.mean_wait, rel=.12)
    assert s.occupancy == pytest.approx(q.occupancy, abs=.015)
    assert s.abandoned == pytest.approx(q.abandoned or 0, abs=.006)


def test_simulation_is_what_simpy_does():
    simpy = pytest.importorskip("simpy")
    rng = np.random.default_rng(5)
    n, agents = 2000, 6
    arrive = np.cumsum(rng.exponential(40, n)).tolist()
    talk, patience = rng.exponential(240, n).tolist(), rng.exponential(90, n).tolist()
    world, waited = simpy.Environment(), [np.nan] * n
    seats = simpy.Resource(world, agents)

    def caller(i):
        yield world.timeout(arrive[i])
        with seats.request() as turn:
            done = yield turn | world.timeout(patience[i])
            if turn in done:
                waited[i] = world.now - arrive[i]
                yield world.timeout(talk[i])

    for i in range(n):
        world.process(caller(i))
    world.run()
    ours = np.array(cc._waits(arrive, talk, patience, [agents], 1800))
    stayed = ours <= np.array(patience)
    assert (stayed == ~np.isnan(waited)).all() and (~stayed).sum() > 0
    assert ours[stayed] == pytest.approx(np.array(waited)[stayed], abs=1e-6)


def test_simulation_of_a_day_with_shifts():
    calls, seats = [60, 200, 60, 0], [10, 30, 9, 9]
    s = cc.simulate_calls(calls, 240, seats, patience=120, days=40, seed=1)
    assert s.low < s.service_level < s.high and s.slots["来电量"].round(-1).tolist() == [60, 200, 60, 0]
    assert np.isnan(s.slots.loc[3, "服务水平"])
    assert cc.simulate_calls(calls, 240, seats, seed=7).mean_wait == cc.simulate_calls(
        calls, 240, seats, seed=7).mean_wait
    # 前半小时没有人：来的人要等到开门，只留下有耐心的
    shut = cc.simulate_calls([20, 20], 60, [0, 5], patience=600, days=60, seed=2).slots
    assert shut.loc[0, "放弃率"] > .5 and shut.loc[1, "放弃率"] < .1


def test_waits_by_hand():
    # 两个坐席，第 100 秒走一个（刚好空着的先走）
    assert cc._waits([0, 10, 90, 150], [50, 200, 10, 30], [999] * 4, [2, 1], 100) == [0, 0, 0, 60]
    # 第 100 秒来一个
    assert cc._waits([0, 10], [500, 5], [999] * 2, [1, 2], 100) == [0, 90]
    # 等不及的人不占坐席
    assert cc._waits([0, 10, 20], [100, 50, 5], [99, 5, 999], [1], 999) == [0, 90, 80]


# ---- 成本、错误、图

PLANS = pd.DataFrame({"开办费": [360000, 0], "每席每月": [7000, 6000], "每通费用": [0, .3],
                      "一次解决率": [80, 60]}, ["自建", "外包"])


def test_centre_cost():
    short, long = cc.centre_cost(PLANS, 20, 40000, 6), cc.centre_cost(PLANS, 20, 40000, 60)
    assert short["每月"].idxmin() == "外包" and long["每解决一通"].idxmin() == "自建"
    assert long.loc["自建", "总成本"] == 360000 + 60 * 140000


DAY = pd.DataFrame({"来电量": [10], "平均处理秒": [240]}, ["09:00"])


@pytest.mark.parametrize("call, words", [
    (lambda: cc.erlang_c(0, 240, 5), "“来电量”是 0，应当大于 0"),
    (lambda: cc.erlang_c(10, 240, 0), "不能小于 1"),
    (lambda: cc.erlang_c(10, 240, 5.5), "要整数，得到的是 5.5"),
    (lambda: cc.erlang_c(10, "四分钟", 5), "要一个数，得到的是“四分钟”"),
    (lambda: cc.erlang_a(10, 240, 5, 0), "耐心"),
    (lambda: cc.erlang_b(-1, 5), "不能小于 0"),
    (lambda: cc.agents_needed(10, 240, service_level=1), "应当小于 1|服务水平"),
    (lambda: cc.agents_needed(10, 240, max_abandoned=.05), "先给出 patience"),
    (lambda: cc.agents_needed(10, 240, shrinkage=1), "损耗率"),
    (lambda: cc.staff_day(DAY.rename(columns={"来电量": "电话"})), "没有“来电量”这一列。可用的列：电话"),
    (lambda: cc.staff_day(DAY.assign(来电量=0)), "全是 0"),
    (lambda: cc.staff_day(DAY.assign(平均处理秒=0)), "不能是 0"),
    (lambda: cc.staff_day(DAY, agents=[0]), "“09:00”有来电，却一个坐席也没有"),
    (lambda: cc.staff_day(DAY, agents=[3, 4]), "一样长"),
    (lambda: cc.staff_day(DAY.iloc[:0]), "至少要有 1 个时段"),
    (lambda: cc.day_curve(DAY.assign(时段="09:00", 来电量=0)), "全是 0"),
    (lambda: cc.simulate_calls([1, 2, 3], 240, [4, 5]), "要一样多"),
    (lambda: cc.simulate_calls([9, 9], 240, [1, 0]), "永远等不到"),
    (lambda: cc.simulate_calls(1e-9, 240, 1), "一通来电也没有"),
    (lambda: cc.centre_cost(PLANS.assign(一次解决率=0), 1, 1), "没法比"),
])
def test_errors_say_what_is_wrong(call, words):
    with pytest.raises(CourseError, match=words):
        call()


def test_plots_return_axes():
    assert cc.plot_queue_curve(cc.queue_curve(360, 240, patience=120)).get_legend()
    hours = pd.DataFrame({"来电量": [2, 40, 90, 60], "平均处理秒": 200}, ["8:00", "8:30", "9:00", "9:30"])
    ax = cc.plot_day_curve(cc.staff_day(hours, agents=[2, 4, 14, 9], patience=100))
    assert len(ax.get_legend().get_texts()) == 3
