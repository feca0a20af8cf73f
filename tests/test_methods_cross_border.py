"""跨境：到岸成本、线路风险、汇率敞口。"""

import doctest

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlib.cli import CourseError
from crmlib.methods import cross_border as x

few = settings(max_examples=40, deadline=None)

LANES = pd.DataFrame({"首重价": [23., 36, 117], "续重价": [10., 13, 47], "丢失率": [2.3, 1, .3],
                      "清关延误率": [9., 6, 3], "关税率": [10., 10, 10], "平均天数": [22, 11, 6]},
                     ["小包", "专线", "快递"])


def test_doctests():
    found = doctest.testmod(x)
    assert found.attempted > 9 and found.failed == 0


# ---- 到岸成本

def test_landed_cost_by_hand():
    cost = x.landed_cost(1000, 200, duty=.1, vat=.19, insurance=.005, fees=50)
    assert [cost.insurance, cost.duty, cost.vat] == pytest.approx([6, 120.6, 1326.6 * .19])
    assert cost.total == pytest.approx(1000 + 200 + 6 + 120.6 + 252.054 + 50)
    assert x.landed_cost(1000, 200, duty=.1, basis="FOB").duty == 100
    free = x.landed_cost(1000, 200, duty=.1, vat=.2, free_below=1000)
    assert free.total == 1200 and "免税" in free.note
    assert x.landed_cost(1001, 200, duty=.1, free_below=1000).duty > 0


@few
@given(st.floats(1, 5000), st.floats(0, 500), st.floats(0, .5), st.floats(0, .3))
def test_parts_add_up(goods, carriage, duty, vat):
    cost = x.landed_cost(goods, carriage, duty=duty, vat=vat)
    parts = cost.goods + cost.freight + cost.insurance + cost.duty + cost.vat + cost.fees
    assert cost.total == pytest.approx(parts) and cost.per_yuan >= 1


@pytest.mark.parametrize("weight, price", [(.1, 20), (.5, 20), (.50001, 28), (1, 28), (1.5, 36),
                                           (.3 + .2, 20)])
def test_a_step_begun_is_charged(weight, price):
    assert x.freight(weight, 20, 8) == price


def test_lanes_with_their_risk():
    found = x.lane_costs(LANES, 1, 800, late_cost=100)
    assert found.index[0] == "小包" and (np.diff(found["合计"]) >= 0).all()
    row = found.loc["专线"]
    assert row["预期损失"] == pytest.approx(.01 * (800 + 49) + .06 * 100)
    assert row["到岸成本"] == pytest.approx(800 + 49 + 84.9)
    dear = x.lane_costs(LANES, 1, 20_000, late_cost=2000)
    assert dear.index[0] != "小包"  # 货越贵，稳的线路越划算


# ---- 线路风险

def test_lane_risk():
    found = x.lane_risk(LANES, {"丢失率": .5, "清关延误率": .3, "平均天数": .2})
    assert found["名次"].to_dict() == {"快递": 1, "专线": 2, "小包": 3}
    assert found["最稳占"].tolist() == [1, 0, 0] and found["风险分"].tolist()[::2] == [0, 100]


def test_close_lanes_depend_on_the_weights():
    pair = pd.DataFrame({"丢失率": [1., 2], "天数": [12., 7]}, ["甲", "乙"])
    found = x.lane_risk(pair, {"丢失率": .55, "天数": .45})
    assert .2 < found.loc["乙", "最稳占"] < .5 < found.loc["甲", "最稳占"] < .8
    assert found["最稳占"].sum() == pytest.approx(1)
    sure = x.lane_risk(pair, {"丢失率": 1, "天数": 0})
    assert sure.loc["甲", "最稳占"] == 1
    turned = x.lane_risk(pair, {"丢失率": 1, "天数": 0}, higher_is_safer=["丢失率"])
    assert turned["名次"].to_dict() == {"乙": 1, "甲": 2}


# ---- 汇率

def test_exposure_nets_and_hedges():
    found = x.fx_exposure({"美元": 100, "日元": 5000}, {"日元": 9000}, {"美元": 7, "日元": .05},
                          hedged={"美元": 40}, move=.1)
    assert found["敞口"].tolist()[:2] == [60, -4000] and found.loc["合计", "折人民币"] == 220
    assert found["贬值 10%"].tolist() == pytest.approx([42, -20, 22])
    assert x.fx_exposure(100, rate=7, hedged=100).loc["外币", "可能损失"] == 0


def test_possible_loss_grows_with_the_root_of_time():
    one, four = (x.fx_exposure(1000, rate=7, days=d).loc["外币", "可能损失"] for d in (20, 80))
    assert four == pytest.approx(2 * one)
    year = x.fx_exposure(1000, rate=1, volatility=.1, days=365).loc["外币", "可能损失"]
    assert year == pytest.approx(1.645 * 100, abs=.02)


@pytest.mark.parametrize("call, words", [
    (lambda: x.chargeable_weight(0), "“重量”是 0，应当大于 0"),
    (lambda: x.landed_cost(100, 10, basis="DDP"), "没有“DDP”这种完税价格"),
    (lambda: x.landed_cost(-5, 10), "应当大于 0"),
    (lambda: x.lane_costs(LANES.drop(columns="丢失率"), 1, 100), "没有“丢失率”这一列"),
    (lambda: x.lane_costs(LANES.assign(关税率=120), 1, 100), "不能大于 100"),
    (lambda: x.lane_risk(LANES, {"丢失率": .5}), "应当等于 1"),
    (lambda: x.lane_risk(LANES, {"关税率": 1}), "“关税率”每条线路都一样"),
    (lambda: x.lane_risk(LANES.head(1), {"丢失率": 1}), "2 条线路"),
    (lambda: x.fx_exposure(100), "要给汇率"),
    (lambda: x.fx_exposure({"美元": 1, "欧元": 2}, rate={"美元": 7}), "没有“欧元”的汇率"),
])
def test_errors_say_what_is_wrong(call, words):
    with pytest.raises(CourseError, match=words):
        call()


def test_plot_returns_axes():
    assert len(x.plot_landed(x.lane_costs(LANES, 1, 800, late_cost=100)).get_legend().get_texts()) == 3
