"""满意度方法：净推荐值、指数、重要性－绩效、卡诺。"""

import doctest

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot

from crmlib.cli import CourseError
from crmlib.methods import satisfaction as s

few = settings(max_examples=40, deadline=None)


def test_doctests():
    found = doctest.testmod(s)
    assert found.attempted > 6 and found.failed == 0


def test_kano_table_published():
    cells = "".join(s.KANO_TABLE)
    assert {c: cells.count(c) for c in "QAOMIR"} == {"Q": 2, "A": 3, "O": 1, "M": 3, "I": 9, "R": 7}


def test_better_and_worse():
    there = [1] * 6 + [2] * 3 + [3]
    absent = [5] * 4 + [3] * 2 + [5] * 3 + [3]  # O×4 A×2 M×3 I×1
    row = s.kano(pd.DataFrame({"有": there, "无": absent}), {"短信": ("有", "无")}).loc["短信"]
    assert (row["期望"], row["魅力"], row["必备"], row["无差异"]) == (4, 2, 3, 1)
    assert row["Better"] == pytest.approx(.6) and row["Worse"] == pytest.approx(-.7)
    assert row["Worse下限"] < row["Worse"] < row["Worse上限"] <= 0 and "难分" in row["提示"]


def test_kano_ties_go_to_the_more_serious_and_emptiness_is_stated():
    table = s.kano(pd.DataFrame({"f": [2, 1], "d": [5, 3], "g": [1, 1], "h": [1, 1]}),
                   {"甲": ("f", "d"), "乙": ("g", "h")})
    assert table.loc["甲", "类别"] == "必备"
    assert table.loc["乙", "类别"] == "可疑" and "没有意义" in table.loc["乙", "提示"]


def test_nps_standard_error_is_the_multinomial_one():
    scores = [10] * 50 + [8] * 30 + [2] * 20
    found = s.nps(scores)
    x = np.array([1] * 50 + [0] * 30 + [-1] * 20)
    assert found.value == 30 and found.se == pytest.approx(100 * x.std() / 10)
    assert found.low == pytest.approx(30 - 1.959964 * found.se)


@few
@given(st.lists(st.integers(0, 10), min_size=1, max_size=60))
def test_nps_stays_in_range_and_mirrors(scores):
    found = s.nps(scores)
    assert -100 <= found.low <= found.value <= found.high <= 100
    assert found.promoters + found.passives + found.detractors == found.n
    if found.se == 0:
        assert found.note and found.high > found.low


@few
@given(st.lists(st.tuples(*[st.integers(1, 5)] * 3), min_size=1, max_size=20))
def test_index_between_0_and_100_and_adds_up(rows):
    found = s.satisfaction_index(pd.DataFrame(rows, columns=list("甲乙丙")), {"甲": .5, "乙": .3, "丙": .2})
    assert 0 <= found.value <= 100 and found.items["贡献"].sum() == pytest.approx(found.value)


def test_importance_from_overall_satisfaction():
    rng = np.random.default_rng(1)
    a, b = rng.integers(1, 6, size=(2, 200))
    overall = np.clip(a + rng.integers(-1, 2, 200), 1, 5)
    table = s.importance_performance(pd.DataFrame({"售后": a, "包装": b}), overall=overall)
    assert table.loc["售后", "重要性"] == pytest.approx(np.corrcoef(a, overall)[0, 1])
    assert table.loc["售后", "重要性下限"] > table.loc["包装", "重要性上限"]
    pingouin = pytest.importorskip("pingouin")
    interval = pingouin.corr(a, overall)["CI95"].iloc[0]
    assert table.loc["售后", ["重要性下限", "重要性上限"]].tolist() == pytest.approx(interval, abs=.006)


def test_borderline_items_are_marked():
    performance = pd.DataFrame({"a": [1, 2, 1, 2], "b": [3, 4, 3, 3], "c": [5, 5, 4, 5]})
    importance = pd.DataFrame({"a": [1] * 4, "b": [3] * 4, "c": [5] * 4})
    table = s.importance_performance(performance, importance, cut=(3.5, 3))
    assert table.loc["b", "临界"] and not table.loc["c", "临界"]
    assert table.loc["c", "象限"] == "继续保持"


@pytest.mark.parametrize("call, words", [
    (lambda: s.nps([11]), "不能大于 10"),
    (lambda: s.nps([None, None]), "1 个回答"),
    (lambda: s.csat([6]), "不能大于 5"),
    (lambda: s.satisfaction_index(pd.DataFrame({"甲": [1]}), {"乙": 1}), "对不上：乙、甲"),
    (lambda: s.satisfaction_index(pd.DataFrame({"甲": [1]}), {"甲": .5}), "应当等于 1"),
    (lambda: s.importance_performance(pd.DataFrame({"甲": [1, 2], "乙": [2, 3]})), "两个里给一个"),
    (lambda: s.importance_performance(pd.DataFrame({"甲": [1, 2] * 3, "乙": [2, 3] * 3}), overall=[4] * 6),
     "都答得一样"),
    (lambda: s.kano_category(6, 1), "不能大于 5"),
    (lambda: s.kano_category(1.5, 1), "只能是"),
    (lambda: s.kano(pd.DataFrame({"x": [1]}), {"甲": ("x", "y")}), "没有“y”这一列"),
    (lambda: s.kano(pd.DataFrame({"x": [1]}), {}), "没有项目"),
])
def test_errors_say_what_is_wrong(call, words):
    with pytest.raises(CourseError, match=words):
        call()


def test_one_answer_is_enough_where_a_result_exists():
    assert s.csat([5]).value == 1 and s.csat([5]).low < 1
    assert s.satisfaction_index(pd.DataFrame({"甲": [4]})).low is None


def test_plots_return_axes():
    performance = pd.DataFrame({"准时": [4, 2, 3], "价格": [5, 4, 5]})
    importance = pd.DataFrame({"准时": [5, 5, 4], "价格": [2, 3, 2]})
    assert s.plot_importance_performance(s.importance_performance(performance, importance)).get_xlabel()
    table = s.kano(pd.DataFrame({"有": [1, 1], "无": [5, 3]}), {"次日达": ("有", "无")})
    assert s.plot_kano(table).get_title(loc="left") or s.plot_kano(table).get_title()
    pyplot.close("all")
