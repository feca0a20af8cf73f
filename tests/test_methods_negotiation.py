"""谈判：可谈区间、多项议题、有效边界、互惠交换、让步方式。"""

import doctest

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlib.cli import CourseError
from crmlib.methods import negotiation as n

few = settings(max_examples=40, deadline=None)

WE = {"单价": (.5, {"8.0": 100, "7.7": 60, "7.4": 0}), "账期": (.2, {"30": 100, "60": 40, "90": 0}),
      "量": (.3, {"包量": 100, "不包": 0})}
THEY = {"单价": (.3, {"8.0": 0, "7.7": 50, "7.4": 100}), "账期": (.5, {"30": 0, "60": 70, "90": 100}),
        "量": (.2, {"包量": 0, "不包": 100})}


def test_doctests():
    found = doctest.testmod(n)
    assert found.attempted > 12 and found.failed == 0


# ---- 一个议题

@few
@given(st.floats(1, 20), st.floats(1, 20), st.floats(0, 1))
def test_zone_is_shared_out_whole(low, high, part):
    z = n.zopa(low, high, low + part * (high - low))
    assert z.exists == (low <= high)
    if high > low:
        assert z.seller_share == pytest.approx(part, abs=1e-6) and z.middle == (low + high) / 2
    elif high < low:
        assert "谈不拢" in z.note or "还不如" in z.note


def test_zone_of_one_price_and_deals_past_the_limit():
    assert n.zopa(7, 7).note == "只有一个价谈得拢。" and n.zopa(7, 7, 7).seller_share is None
    assert "卖方还不如不成交" in n.zopa(7, 8, 6.9).note and "买方还不如不成交" in n.zopa(7, 8, 8.1).note


# ---- 几个议题

def test_packages_by_hand():
    table = n.packages(WE, THEY, 40, 40)
    assert len(table) == 18
    row = table[(table["单价"] == "7.7") & (table["账期"] == "60") & (table["量"] == "包量")].iloc[0]
    assert [row["我方"], row["对方"]] == pytest.approx([.5 * 60 + .2 * 40 + 30, 15 + 35])
    assert row["可接受"]


@few
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=40))
def test_frontier_is_what_nobody_beats(points):
    a, b = map(np.array, zip(*points, strict=True))
    for i, kept in enumerate(n.efficient(a, b)):
        beaten = ((a >= a[i]) & (b >= b[i]) & ((a > a[i]) | (b > b[i]))).any()
        assert kept == (not beaten)


def test_nash_point_is_efficient_and_acceptable():
    for limits in ((0, 0), (40, 40), (55, 30)):
        best = n.best_package(n.packages(WE, THEY, *limits))
        assert best["有效"] and best["可接受"]
    best = n.best_package(n.packages(WE, THEY, 40, 40))
    assert best["账期"] in ("60", "90") and best["合计"] > 100  # 换来换去，比各让一半好


def test_trade_offs_put_each_issue_where_it_is_worth_more():
    table = n.trade_offs(WE, THEY)
    assert table["建议"].to_dict() == {"账期": "我方让", "单价": "我方要", "量": "我方要"}
    same = {"单价": (.5, {"a": 0, "b": 1}), "服务": (.5, {"好": 100, "差": 0})}
    other = {"单价": (.5, {"a": 1, "b": 0}), "服务": (.5, {"好": 80, "差": 10})}
    assert n.trade_offs(same, other).loc["服务", "建议"] == "一致"


# ---- 让步

@pytest.mark.parametrize("offers, seller, pattern", [
    ([9, 8, 7.5, 7.25], True, "先大后小"), ([9, 8.8, 8.3, 7], True, "先小后大"),
    ([9, 8.5, 8, 7.5], True, "匀速"),
    ([6, 6.5, 7, 7.5], False, "匀速"), ([9, 9, 9], True, "寸步不让"), ([9, 9, 8], True, "一次让完"),
    ([9, 8, 8.4], True, "出尔反尔"), ([9, 8, 7.9, 7, 6.9], True, "忽大忽小"), ([7, 9], False, "只让过一次")])
def test_patterns(offers, seller, pattern):
    found = n.concession_pattern(offers, seller=seller)
    assert found.pattern == pattern
    assert found.total == pytest.approx(abs(offers[-1] - offers[0]))


@few
@given(st.lists(st.floats(1, 20), min_size=2, max_size=8))
def test_a_buyer_is_a_seller_in_the_mirror(offers):
    sold, bought = n.concession_pattern(offers), n.concession_pattern([-x for x in offers], seller=False)
    assert sold.pattern == bought.pattern and sold.steps == bought.steps


def test_table_of_all_deals():
    rounds = pd.DataFrame({"洽谈编号": ["D1"] * 5 + ["D2"], "轮次": [3, 1, 2, 4, 5, 1],
                           "报价方": ["我方", "我方", "对方", "对方", "我方", "对方"],
                           "单价": [8.2, 8.6, 7, 7.4, 8.1, 6]})
    table = n.concession_table(rounds)
    assert table.loc[("D1", "我方"), ["报价次数", "首报", "末报", "让步方式", "先报价"]].tolist() == [
        3, 8.6, 8.1, "先大后小", True]
    assert table.loc[("D2", "对方"), "让步方式"] == "只报过一次"


@pytest.mark.parametrize("call, words", [
    (lambda: n.zopa("七块", 8), "要一个数，得到的是“七块”"),
    (lambda: n.zopa_table(pd.DataFrame({"我方底价": [1]})), "没有“对方最高价”这一列"),
    (lambda: n.packages(WE, {"单价": THEY["单价"]}), "议题对不上：账期、量"),
    (lambda: n.packages(WE | {"量": (.4, WE["量"][1])}, THEY), "我方的权重加起来是 1.1"),
    (lambda: n.packages(WE, THEY | {"量": (.2, {"包量": 1})}), "“量”两边的选择对不上：不包"),
    (lambda: n.packages(WE, THEY | {"量": (.2, {"包量": 1, "不包": 101})}), "不能大于 100"),
    (lambda: n.packages({}, {}), "至少要有 1 个议题"),
    (lambda: n.best_package(n.packages(WE, THEY, 90, 90)), "没有两边都能接受的组合"),
    (lambda: n.packages({str(i): (.1, dict.fromkeys("abcde", 1)) for i in range(10)},
                        {str(i): (.1, dict.fromkeys("abcde", 1)) for i in range(10)}), "太多了"),
    (lambda: n.concession_pattern([8]), "至少要有 2 次报价"),
    (lambda: n.concession_table(pd.DataFrame({"洽谈编号": ["D"] * 2, "轮次": 1, "报价方": "我方",
                                              "单价": 8})), "“D”有两次报价都是第 1 轮"),
    (lambda: n.plot_frontier(n.packages(WE, THEY), {"单价": "8.0"}), "每个议题都要写上"),
])
def test_errors_say_what_is_wrong(call, words):
    with pytest.raises(CourseError, match=words):
        call()


def test_plots_return_axes():
    deal = {"单价": "7.7", "账期": "30", "量": "包量"}
    assert len(n.plot_frontier(n.packages(WE, THEY, 40, 40), deal).get_legend().get_texts()) == 5
    rounds = pd.DataFrame({"轮次": [1, 2, 3, 4], "报价方": ["我方", "对方"] * 2, "单价": [8.6, 7, 8.2, 7.4]})
    assert len(n.plot_concessions(rounds, limits=(7.5, 7.9)).get_legend().get_texts()) == 3
