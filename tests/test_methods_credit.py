"""信用与账款：评分卡、额度、折扣和账期、账龄、滚动率、回款天数、催收。"""

import doctest

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlib.cli import CourseError
from crmlib.methods import credit as c

few = settings(max_examples=40, deadline=None)


def test_doctests():
    found = doctest.testmod(c)
    assert found.attempted > 20 and found.failed == 0


# ---- 折扣和账期

@pytest.mark.parametrize("terms, year, simple, effective", [
    ((.02, 10, 30), 365, .3724, .4459), ((.02, 10, 30), 360, .3673, .4386),
    ((.02, 10, 60), 365, .1490, .1589),
    ((.01, 10, 30), 365, .1843, .2013)])
def test_published_cost_of_a_discount(terms, year, simple, effective):
    found = c.discount_cost(*terms, year=year)
    assert round(found.simple, 4) == simple and round(found.effective, 4) == effective


@few
@given(st.floats(.001, .2), st.integers(0, 30), st.integers(1, 120))
def test_effective_is_never_below_simple_within_a_year(d, early, more):
    found = c.discount_cost(d, early, early + more)
    assert found.effective >= found.simple * (1 - 1e-9)


def test_discount_value_changes_sign_where_the_effective_rate_is_the_cost_of_money():
    rate = c.discount_cost(.02, 10, 60).effective
    assert c.discount_value(1e4, .02, 10, 60, rate)[0] == pytest.approx(0, abs=1e-8)
    found = c.discount_value([100, 100, 100], .02, 10, [10, 60, 200], rate)
    assert (np.sign(found.round(9)) == [-1, 0, 1]).all()


def test_textbook_of_credit_policies():
    """注会《财务成本管理》信用政策例题：30 天改为 60 天，净增 8,000 元；再加 0.8/30，净增 8,600 元。"""
    table = pd.DataFrame({
        "年销售额": [500_000, 600_000, 600_000], "变动成本率": .8, "平均收现期": [30, 60, 45],
        "坏账率": [.01, .015, .015], "收账费用": [3000, 4000, 4000], "折扣率": [0, 0, .008],
        "享受折扣的比例": [0, 0, .5]}, ["30 天", "60 天", "0.8/30，N/60"])
    found = c.credit_policies(table, .15)
    assert found["应计利息"].tolist() == [5000, 12000, 9000]
    assert found["折扣"].tolist() == [0, 0, 2400] and found["增加"].tolist() == [0, 8000, 8600]
    assert c.credit_policies(table, .15, fixed=50_000)["增加"].tolist() == [0, 8000, 8600]


# ---- 评分卡

CARD = {"涉诉": ([1, 2], [100, 50, 0]), "担保": {"是": 100, "否": 40}}
FILES = pd.DataFrame({"涉诉": [0, 1, 5], "担保": ["是", "否", "否"]}, list("甲乙丙"))


def test_scorecard():
    found = c.credit_score(FILES, CARD, {"涉诉": .5, "担保": .5})
    assert found["信用分"].tolist() == [100, 45, 20] and "".join(found["信用等级"]) == "ACD"
    assert c.credit_grade([80 - 1e-12, 79.9]).tolist() == ["A", "B"]


def test_weight_of_evidence_by_hand():
    # 不到 10：10 好 40 坏；10 以上：90 好 60 坏
    x, bad = np.repeat([5, 5, 20, 20], [10, 40, 90, 60]), np.repeat([0, 1, 0, 1], [10, 40, 90, 60])
    found = c.weight_of_evidence(x, bad, cuts=[10])
    assert found.bands["WoE"].tolist() == pytest.approx([np.log(.1 / .4), np.log(.9 / .6)])
    assert found.iv == pytest.approx(.3 * np.log(4) + .3 * np.log(1.5)) and found.strength == "强"
    sure = c.weight_of_evidence(["a"] * 5 + ["b"] * 5, [0] * 5 + [1] * 5)
    assert np.isfinite(sure.iv) and sure.bands["提示"].str.contains("½").all()
    assert c.weight_of_evidence([1, None, 2, 3], [0, 1, 1, 0], cuts=[2]).dropped == 1


@few
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 1)), min_size=1, max_size=40))
def test_cutoff_table_counts_everyone(rows):
    score, bad = zip(*rows, strict=True)
    table = c.cutoff_table(score, bad, 10, 50)
    assert table["通过户数"].iloc[0] == len(rows) and table["通过户数"].iloc[-1] == 0
    for cut, row in table.iterrows():
        let_in = [b for s, b in rows if s >= cut]
        assert row["坏账户"] == sum(let_in) and row["利润"] == 10 * let_in.count(0) - 50 * let_in.count(1)
        assert row["错拒的好客户"] == [b for s, b in rows if s < cut].count(0)


def test_limit():
    assert c.credit_limit(90_000, 60) == 270_000 and c.credit_limit(90_000, 60, share=0) == 0
    assert c.credit_limit(90_000, 60, capital=1_234_567) == 123_000


# ---- 账龄

BILLS = pd.DataFrame({"账单编号": ["B1", "B2", "B3", "B4"], "客户编号": ["甲", "甲", "乙", "乙"],
                      "开票日期": ["2025-01-02", "2025-02-02", "2025-02-02", "2025-03-20"],
                      "到期日期": ["2025-02-01", "2025-03-04", "2025-03-04", "2025-04-19"],
                      "应收": [1000, 800, 600, 500]})
PAID = pd.DataFrame({"账单编号": ["B1", "B1", "B3", "B9"], "金额": [300, 200, 650, 9],
                     "回款日期": ["2025-02-10", "2025-03-20", "2025-03-01", "2025-01-01"]})


def test_open_items_on_a_day():
    found = c.open_items(BILLS, PAID, "2025-03-15")
    assert found[["账单编号", "未收", "逾期天数"]].values.tolist() == [["B1", 700, 42], ["B2", 800, 11]]
    assert found.attrs == {"overpaid": 1, "orphans": 1}
    table = c.ageing(found, "客户编号")
    assert table.loc["甲", "31～60 天"] == 700 and table.loc["甲", "逾期占比"] == 1
    assert c.ageing(c.open_items(BILLS, PAID, "2025-03-31"), "客户编号").loc["乙", "逾期占比"] == 0


@few
@given(st.lists(st.tuples(st.sampled_from("甲乙丙"), st.integers(0, 900), st.integers(-60, 400)),
                max_size=30))
def test_ageing_adds_up(rows):
    items = pd.DataFrame(rows, columns=["客户", "未收", "逾期天数"])
    table = c.ageing(items, "客户")
    assert table["合计"].sum() == items["未收"].sum()
    assert np.allclose(table[c.age_bands()].sum(axis=1), table["合计"])
    assert table["逾期占比"].between(0, 1).all()


def test_edges_belong_to_the_younger_band():
    items = pd.DataFrame({"未收": 1., "逾期天数": [0, 1, 30, 31, 90, 91]})
    assert c.ageing(items).iloc[0, :5].tolist() == [1, 2, 1, 1, 1]


def test_roll_rates_of_a_steady_flow():
    # 每月开 1000，20% 逾期，其中一半再拖一档，最后一档每月净增 50
    history = pd.DataFrame({"未到期": 1000., "1～30 天": 200., "31～60 天": 100.,
                            "60 天以上": [0., 50, 100, 150]})
    found = c.roll_rates(history)
    assert found.rates["滚动率"].tolist()[:3] == [.2, .5, .5] and found.months == 3
    assert found.rates["损失率"].tolist() == pytest.approx([.05, .25, .5, 1])


def test_dso():
    assert c.dso(200, 100, 30).count_back is None
    assert c.dso(0, [10, 20]).count_back == 0
    # 旺季：余额涨了，倒推法却没有变慢
    quiet, busy = c.dso(100, [100, 100, 100]), c.dso(200, [100, 100, 200])
    assert busy.simple > quiet.simple and busy.count_back == quiet.count_back == 30
    assert c.dso(150, [90, 60, 0, 120], [31, 28, 31, 30]).count_back == 30 + 31 + 28 / 2


# ---- 催收

def test_queue_puts_expected_cash_first_and_disputes_aside():
    items = pd.DataFrame({"客户编号": list("甲乙丙丁"), "未收": [1000, 9000, 2000, 50],
                          "逾期天数": [10, 20, 95, -3], "争议": [0, 1, 0, 0]})
    found = c.collections_queue(items, {"1～30 天": .3, "90 天以上": .2}, disputed="争议", minutes=20,
                                capacity=45)
    assert found.index.tolist() == ["丙", "甲", "乙"] and found["累计收回"].tolist() == [400, 700, 700]
    assert found.loc["乙", "下一步"] == "先核实争议" and found["今天"].tolist() == [True, True, False]


@few
@given(st.integers(-30, 400), st.integers(0, 30))
def test_steps_never_go_back(day, more):
    order = ["不用催", *(step for _, step in c.STEPS)]
    assert order.index(c.next_step(day)) <= order.index(c.next_step(day + more))


@pytest.mark.parametrize("call, words", [
    (lambda: c.discount_cost(2, 10, 30), "“折扣”是 2，应当小于 1"),
    (lambda: c.discount_cost(.02, 30, 30), "要比折扣期（30 天）长"),
    (lambda: c.credit_score(FILES, CARD, {"涉诉": 1}), "对不上：担保"),
    (lambda: c.credit_score(FILES, CARD, {"涉诉": .5, "担保": .6}), "应当等于 1"),
    (lambda: c.credit_score(FILES.assign(担保="有"), CARD, {"涉诉": .5, "担保": .5}), "“有”不在评分卡上"),
    (lambda: c.credit_score(FILES.assign(涉诉=None), CARD, {"涉诉": .5, "担保": .5}), "“涉诉”有 3 个空值"),
    (lambda: c.credit_score(FILES, {"涉诉": ([1], [9])}, {"涉诉": 1}), "该有 2 个分值"),
    (lambda: c.credit_grade([1], (40, 60, 80)), "从大到小"),
    (lambda: c.weight_of_evidence([1, 2], [0, 0]), "两种都要有"),
    (lambda: c.open_items(BILLS.assign(账单编号="B1"), PAID, "2025-12-31"), "“B1”出现了不止一次"),
    (lambda: c.open_items(BILLS, PAID, "年底"), "读不成日期，例如“年底”"),
    (lambda: c.open_items(BILLS.drop(columns="应收"), PAID, "2025-12-31"), "没有“应收”这一列"),
    (lambda: c.ageing(pd.DataFrame({"未收": [1], "逾期天数": [1]}), edges=(30, 60)), "从 0 开始"),
    (lambda: c.roll_rates(pd.DataFrame({"未到期": [1, 1], "1～30 天": [0, 0], "30 天以上": [0, 0]})),
     "“1～30 天”这一档一直是 0"),
    (lambda: c.dso(5, [0, 0]), "合计是 0"),
    (lambda: c.collections_queue(pd.DataFrame({"客户编号": [1], "未收": [1], "逾期天数": [1]}), {}),
     "没有“1～30 天”的可能性"),
])
def test_errors_say_what_is_wrong(call, words):
    with pytest.raises(CourseError, match=words):
        call()


def test_plots_return_axes():
    items = c.open_items(BILLS, PAID, "2025-03-31")
    assert c.plot_ageing(c.ageing(items, "客户编号")).get_legend()
    history = c.ageing_history(BILLS, PAID, ["2025-02-28", "2025-03-31"])
    assert c.plot_ageing(history).get_xticklabels()[0].get_text() == "2025-02"
    assert c.plot_cutoff(c.cutoff_table([40, 60, 80], [1, 0, 0], 100, 500)).texts
