"""忠诚：钱包份额、留存的经济账、会员的真实效果、积分负债。"""

import doctest

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot

from crmlib.cli import CourseError
from crmlib.methods import loyalty as y

few = settings(max_examples=40, deadline=None)


def test_doctests():
    found = doctest.testmod(y)
    assert found.attempted > 6 and found.failed == 0


@few
@given(st.integers(1, 12))
def test_wallet_shares_of_all_ranks_add_up(n):
    assert sum(y.wallet_allocation(r, n) for r in range(1, n + 1)) == pytest.approx(1)


@few
@given(st.floats(.1, .9), st.floats(0, .09), st.floats(.01, .3))
def test_break_even_cost_uses_up_the_gain(retention, rise, discount):
    found = y.retention_economics(10, 100, retention, retention + rise, discount=discount)
    if rise < 1e-6:
        return
    spent = y.retention_economics(10, 100, retention, retention + rise, discount=discount,
                                  yearly_cost=found.break_even)
    assert found.net >= 0 and spent.net == pytest.approx(0, abs=1e-6)


def test_members_who_were_better_before_do_not_count():
    rng = np.random.default_rng(2)
    member = rng.integers(0, 2, 600)
    before = 100 + 40 * member + rng.normal(0, 10, 600)  # 本来就多 40，入会没有作用
    table = pd.DataFrame({"会员": member, "前": before, "后": before + 5 + rng.normal(0, 8, 600)})
    found = y.difference_in_differences(table, "会员", "前", "后")
    assert found.naive > 35 and abs(found.effect) < 2 and found.low < 0 < found.high
    from scipy.stats import ttest_ind

    change = table["后"] - table["前"]
    other = ttest_ind(change[member == 1], change[member == 0], equal_var=False)
    assert found.p == pytest.approx(other.pvalue)
    assert found.low == pytest.approx(other.confidence_interval().low)


def test_points_between_nothing_and_all_outstanding():
    assert y.points_liability(100, 80, yuan_per_point=1, redemption_rate=.5).liability == 0
    assert y.points_liability(100, 20, 50, yuan_per_point=1, redemption_rate=1).liability == 30


TWO = pd.DataFrame({"m": [1, 0], "a": [1, 2], "b": [1, 2]})


@pytest.mark.parametrize("call, words", [
    (lambda: y.share_of_wallet([5], [4]), "第 1 位客户在我家花了 5"),
    (lambda: y.share_of_wallet([0], [0]), "有 0"),
    (lambda: y.wallet_allocation(4, 3), "不能大于 3"),
    (lambda: y.retention_economics(10, 1, 1, 1, discount=0), "无穷大"),
    (lambda: y.difference_in_differences(TWO, "m", "a", "b"), "2 位会员"),
    (lambda: y.difference_in_differences(TWO, "m", "a", "c"), "没有“c”这一列"),
    (lambda: y.points_liability(10, 11, yuan_per_point=1, redemption_rate=1), "还多"),
    (lambda: y.programme_roi(1, {"积分": 0}), "合计是 0"),
])
def test_errors_say_what_is_wrong(call, words):
    with pytest.raises(CourseError, match=words):
        call()


def test_edges_are_stated():
    flat = pd.DataFrame({"m": [1, 1, 0, 0], "a": [1, 2, 3, 4], "b": [1, 2, 3, 4]})
    found = y.difference_in_differences(flat, "m", "a", "b")
    assert found.effect == found.low == found.high == 0 and found.p == 1
    assert y.retention_economics(10, 1, .8, .7).break_even is None


def test_plot_returns_axes():
    assert y.plot_retention_value(now=.8).texts
    pyplot.close("all")
