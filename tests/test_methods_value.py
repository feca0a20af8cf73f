"""客户价值：RFM、ABC、洛伦兹、贡献、综合评分。"""

import doctest

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot

from crmlib.cli import CourseError
from crmlib.methods import value as v

few = settings(max_examples=40, deadline=None)
amounts = st.lists(st.integers(0, 1000), min_size=1, max_size=40).filter(lambda x: sum(x) > 0)


def orders(n=400, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"客户": rng.choice([f"C{i:02d}" for i in range(40)], n),
                         "日期": pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 365, n), "D"),
                         "金额": rng.gamma(2, 50, n).round(2)})


def test_doctests():
    found = doctest.testmod(v)
    assert found.attempted > 10 and found.failed == 0


# ---- RFM

def test_rfm_is_what_groupby_says():
    table = orders()
    found = v.rfm(table, "客户", "日期", "金额", at="2026-01-01")
    plain = table.groupby("客户").agg(last=("日期", "max"), f=("日期", "size"), m=("金额", "sum"))
    assert (found["间隔天数"] == (pd.Timestamp("2026-01-01") - plain["last"]).dt.days).all()
    assert (found["次数"] == plain["f"]).all() and np.allclose(found["金额"], plain["m"])
    assert found["R"].value_counts().between(7, 9).all()  # 40 户分 5 档，几乎没有同分


def test_rfm_leaves_later_orders_out():
    table = orders()
    early = v.rfm(table, "客户", "日期", "金额", at="2025-06-30")
    same = v.rfm(table[table["日期"] <= "2025-06-30"], "客户", "日期", "金额", at="2025-06-30")
    pd.testing.assert_frame_equal(early, same)
    assert early.attrs["later"] == (table["日期"] > "2025-06-30").sum()


def test_rfm_own_cuts_and_one_customer():
    table = orders()
    found = v.rfm(table, "客户", "日期", "金额", cuts={"R": [7, 30], "F": [10], "M": [500, 1000, 2000]})
    assert ((found["R"] == 3) == (found["间隔天数"] <= 7)).all()
    assert ((found["F"] == 2) == (found["次数"] >= 10)).all()
    one = v.rfm(table.head(1), "客户", "日期", "金额")
    assert one[["R", "F", "M"]].iloc[0].tolist() == [3, 3, 3]  # 只有一户：都在正中


@few
@given(st.lists(st.integers(0, 6), min_size=1, max_size=60), st.integers(2, 6))
def test_scores_equal_for_equal_values_and_never_fall(values, bins):
    score = v.quantile_score(values, bins)
    assert score.min() >= 1 and score.max() <= bins
    order = np.argsort(values, kind="stable")
    assert (np.diff(score[order]) >= 0).all()
    assert all(len({s for s, x in zip(score, values, strict=True) if x == y}) == 1 for y in values)


@few
@given(st.lists(st.integers(0, 6), min_size=1, max_size=60), st.integers(2, 6))
def test_split_ties_make_even_groups(values, bins):
    sizes = np.bincount(v.quantile_score(values, bins, ties="split"), minlength=bins + 1)[1:]
    assert sizes.max() - sizes.min() <= 1


def test_rounding_of_sums_does_not_split_ties():
    table = pd.DataFrame({"客户": list("甲甲甲乙"), "日期": ["2025-01-01"] * 4, "金额": [.1, .1, .1, .3]})
    assert v.rfm(table, "客户", "日期", "金额", bins=2)["M"].nunique() == 1  # 0.1×3 ≠ 0.3，差在第 17 位
    assert v.abc_analysis(table, "客户", "金额")["等级"].nunique() == 1


def test_eight_groups_cover_everyone():
    scores = v.rfm(orders(), "客户", "日期", "金额")
    groups = v.rfm_groups(scores)
    assert len(groups) == 40 and set(groups) <= set(v.EIGHT_GROUPS.values())
    best = groups[(scores[["R", "F", "M"]] == 5).all(axis=1)]
    assert (best == "重要价值客户").all()
    assert (v.rfm_groups(scores, cut=1) == "重要价值客户").all()


# ---- ABC、洛伦兹、基尼

@few
@given(amounts)
def test_abc_shares_sum_to_one_and_equal_amounts_share_a_grade(values):
    found = v.abc_analysis(pd.DataFrame({"客户": range(len(values)), "额": values}), "客户", "额")
    assert found["占比"].sum() == pytest.approx(1) and found["累计占比"].iloc[-1] == pytest.approx(1)
    assert found.groupby("金额")["等级"].nunique().max() == 1
    assert (np.diff([ord(g) for g in found["等级"]]) >= 0).all() and found["等级"].iloc[0] == "A"


@few
@given(amounts)
def test_gini_between_0_and_1_and_blind_to_units(values):
    found = v.gini(values)
    assert 0 <= found <= 1 - 1 / len(values) + 1e-9
    assert v.gini(np.array(values) * 7.) == pytest.approx(found, abs=1e-9)
    n, x = len(values), np.array(values, float)  # 定义：平均绝对差的一半，除以平均数
    assert found == pytest.approx(np.abs(np.subtract.outer(x, x)).sum() / (2 * n * n * x.mean()), abs=1e-9)


def test_abc_textbook_order_and_repeated_customers():
    table = pd.DataFrame({"客户": list("甲乙丙丁甲"), "额": [30, 15, 4, 1, 50]})
    found = v.abc_analysis(table, "客户", "额")
    assert found["等级"].to_dict() == {"甲": "A", "乙": "B", "丙": "C", "丁": "C"}
    assert v.abc_analysis(table, "客户", "额", cuts=(.5, .9))["等级"].to_dict()["乙"] == "B"


# ---- 贡献、评分

def test_contribution_adds_up_and_shows_the_whale():
    table = pd.DataFrame({"收入": [100., 80, 60, 0], "成本": [50., 60, 75, 5]}, list("甲乙丙丁"))
    found = v.contribution(table, "收入", "成本")
    assert found["贡献"].tolist() == [50, 20, -5, -15] and found["累计占比"].iloc[-1] == pytest.approx(1)
    assert found["累计占比"].max() == pytest.approx(1.4)
    assert found.loc["丁", "提示"] == "没有收入" and np.isnan(found.loc["丁", "贡献率"])


@few
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=15), st.floats(0, 1))
def test_composite_score_between_0_and_100(rows, w):
    table = pd.DataFrame(rows, columns=["a", "b"])
    if table.nunique().min() < 2:
        return
    for method in ("minmax", "rank"):
        found = v.composite_score(table, {"a": w, "b": 1 - w}, ["b"], method)
        assert found["综合得分"].between(-1e-9, 100 + 1e-9).all() and found["名次"].min() == 1


ORDERS = pd.DataFrame({"客户": ["甲"], "日期": ["2025-01-01"], "金额": [1.]})


@pytest.mark.parametrize("call, words", [
    (lambda: v.rfm(ORDERS, "客户", "日期", "运费"), "没有“运费”这一列。可用的列：客户、日期、金额"),
    (lambda: v.rfm(ORDERS.assign(日期="今天"), "客户", "日期", "金额"), "读不成日期，例如“今天”"),
    (lambda: v.rfm(ORDERS.assign(日期=3), "客户", "日期", "金额"), "要日期"),
    (lambda: v.rfm(ORDERS.assign(金额=None), "客户", "日期", "金额"), "“金额”有 1 个空值"),
    (lambda: v.rfm(ORDERS.assign(客户=None), "客户", "日期", "金额"), "“客户”有 1 个空值"),
    (lambda: v.rfm(ORDERS, "客户", "日期", "金额", at="2024-12-31"), "2024-12-31 或以前"),
    (lambda: v.rfm(ORDERS.iloc[:0], "客户", "日期", "金额"), "1 笔订单"),
    (lambda: v.rfm(ORDERS, "客户", "日期", "金额", cuts={"Z": [1]}), "不认识：Z"),
    (lambda: v.rfm(ORDERS, "客户", "日期", "金额", ties="avg"), "split"),
    (lambda: v.quantile_score([1, 2], cuts=[5, 3]), "从小到大"),
    (lambda: v.abc_analysis(ORDERS.assign(金额=-1), "客户", "金额"), "“甲”的金额合计是 -1"),
    (lambda: v.abc_analysis(ORDERS.assign(金额=0), "客户", "金额"), "合计是 0"),
    (lambda: v.abc_analysis(ORDERS, "客户", "金额", cuts=(.9, .8)), "从小到大"),
    (lambda: v.gini([1, -1]), "不能小于 0"),
    (lambda: v.gini([]), "1 个客户"),
    (lambda: v.cost_to_serve(pd.DataFrame({"投诉": [1]}), {"上门": 3}), "没有“上门”这一列"),
    (lambda: v.contribution(pd.DataFrame({"a": [1], "b": [2]}), "a", "b"), "不大于 0"),
    (lambda: v.composite_score(pd.DataFrame({"a": [1, 2]}), {"a": .9}), "应当等于 1"),
    (lambda: v.composite_score(pd.DataFrame({"a": [1, 1]}), {"a": 1}), "都一样"),
    (lambda: v.value_grid([1, 2], [1]), "一样长"),
])
def test_errors_say_what_is_wrong(call, words):
    with pytest.raises(CourseError, match=words):
        call()


def test_plots_return_axes():
    table = orders()
    assert v.plot_pareto(v.abc_analysis(table, "客户", "金额")).get_legend()
    assert v.plot_lorenz({"苏南": [1, 2, 9], "苏北": [3, 3, 3]}).get_legend()
    assert v.plot_rfm(v.rfm(table, "客户", "日期", "金额")).texts
    profit = pd.DataFrame({"收入": [100., 80, 60], "成本": [50., 60, 75]})
    assert v.plot_contribution(v.contribution(profit, "收入", "成本")).texts
    pyplot.close("all")
