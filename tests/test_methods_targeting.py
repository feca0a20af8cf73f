"""找对客户：准不准、提升度、利润、增量。"""

import doctest

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot

from crmlib.cli import CourseError
from crmlib.methods import targeting as t

few = settings(max_examples=40, deadline=None)
scored = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 10)), min_size=2, max_size=60).filter(
    lambda rows: len({y for y, _ in rows}) == 2)


def test_doctests():
    found = doctest.testmod(t)
    assert found.attempted > 5 and found.failed == 0


@few
@given(scored)
def test_auc_is_scikit_learns_and_turns_round(rows):
    from sklearn.metrics import roc_auc_score

    y, s = map(np.array, zip(*rows, strict=True))
    assert t.auc(y, s) == pytest.approx(roc_auc_score(y, s))
    assert t.auc(y, -s) == pytest.approx(1 - t.auc(y, s))


@few
@given(scored, st.integers(1, 5))
def test_lift_adds_up_and_does_not_hang_on_row_order(rows, groups):
    groups = min(groups, len(rows))
    y, s = map(np.array, zip(*rows, strict=True))
    found = t.lift_table(y, s, groups)
    assert found["响应数"].sum() == pytest.approx(y.sum()) and found["人数"].sum() == len(y)
    assert found["累计响应占比"].iloc[-1] == pytest.approx(1)
    assert found["人数"].max() - found["人数"].min() <= 1
    turned = t.lift_table(y[::-1], s[::-1], groups)
    assert np.allclose(found["响应数"], turned["响应数"])


@few
@given(scored)
def test_calibration_counts_everyone(rows):
    y, s = map(np.array, zip(*rows, strict=True))
    found = t.calibration(y, s / 10)
    assert found.groups["人数"].sum() == len(y) and found.observed == y.sum()
    assert found.expected == pytest.approx((found.groups["预测"] * found.groups["人数"]).sum())
    same = t.calibration(y, np.full(len(y), y.mean()))
    assert len(same.groups) == 1 and same.brier == pytest.approx(same.baseline)


@few
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(0, 50), st.floats(0, 60))
def test_best_number_to_contact_is_the_profitable_ones(p, contact, offer):
    found = t.profit_curve(p, 400, contact_cost=contact, offer_cost=offer, save_rate=.4, take_rate=.5)
    gain = np.array(p) * .4 * (400 - offer) - (1 - np.array(p)) * .5 * offer - contact
    assert found.profit == pytest.approx(gain[gain > 0].sum())
    assert found.profit >= max(found.everyone, 0) - 1e-9
    assert found.curve["预期累计利润"].iloc[0] == 0 and len(found.curve) == len(p) + 1


def test_profit_with_values_of_their_own_and_what_happened():
    found = t.profit_curve([.5, .5], [1000, 10], contact_cost=20, save_rate=.5, churned=[1, 0])
    assert found.contacted == 1 and found.actual == pytest.approx(.5 * 1000 - 20)


# ---- 增量

def trial(n=8000, seed=0):
    """一半随机联系。A：能说动（+12 点）；B：越联系越走（−10 点）；C：怎样都一样。"""
    rng = np.random.default_rng(seed)
    kind = rng.choice(["A", "B", "C"], n, p=[.3, .2, .5])
    treated = rng.integers(0, 2, n)
    effect = pd.Series(kind).map({"A": .12, "B": -.10, "C": 0.}).to_numpy()
    table = pd.DataFrame({"类": kind, "月": rng.integers(1, 60, n), "联系": treated})
    table["留下"] = (rng.random(n) < .5 + effect * treated).astype(int)
    return table, effect


def test_t_learner_finds_the_persuadable_on_new_rows():
    learn, _ = trial(seed=1)
    new, _ = trial(seed=2)
    found = t.t_learner(learn, "联系", "留下", ["类", "月"])
    assert found.low < .016 < found.high and found.treated + found.control == 8000
    score = found.uplift(new)
    by_kind = score.groupby(new["类"]).mean()
    assert by_kind["A"] > .07 and by_kind["B"] < -.05 and abs(by_kind["C"]) < .05
    good, noise = t.qini_curve(new["留下"], new["联系"], score), t.qini_curve(
        new["留下"], new["联系"], np.random.default_rng(3).random(len(new)))
    assert good.coefficient > .01 and abs(noise.coefficient) < .01
    assert good.best_depth < .9 and good.curve["增量"].max() > good.curve["增量"].iloc[-1]
    table = t.uplift_table(new["留下"], new["联系"], score, groups=3)
    assert table["增量"].iloc[0] > .05 > 0 > table["增量"].iloc[-1]
    assert table[["联系了", "没联系"]].to_numpy().sum() == 8000


def test_boosting_sees_what_a_line_cannot():
    rng = np.random.default_rng(5)
    n = 6000
    table = pd.DataFrame({"月": rng.uniform(0, 10, n), "联系": rng.integers(0, 2, n)})
    middle = table["月"].between(3, 7)
    table["留下"] = (rng.random(n) < .5 + .3 * middle * table["联系"]).astype(int)
    found = t.t_learner(table, "联系", "留下", "月", model="boosting")
    score = found.uplift(pd.DataFrame({"月": [.5, 5, 9.5]}))
    assert score[1] > .2 > .15 > max(score[0], score[2])


@few
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(0, 5)), min_size=2,
                max_size=40).filter(lambda rows: len({w for _, w, _ in rows}) == 2))
def test_qini_starts_at_zero_and_ends_at_the_whole_effect(rows):
    y, w, s = map(np.array, zip(*rows, strict=True))
    found = t.qini_curve(y, w, s)
    assert found.curve["增量"].iloc[0] == 0 and found.curve["深度"].iloc[-1] == 1
    assert found.curve["增量"].iloc[-1] == pytest.approx(y[w == 1].mean() - y[w == 0].mean())
    flat = t.qini_curve(y, w, np.zeros(len(y)))
    assert flat.coefficient == pytest.approx(0)


@pytest.mark.parametrize("call, words", [
    (lambda: t.auc([1, 1], [2, 3]), "全是 1"),
    (lambda: t.auc([1, 2], [2, 3]), "只能是 0 和 1"),
    (lambda: t.auc([1, 0], [2]), "一样长"),
    (lambda: t.lift_table([0, 0], [1, 2], 2), "没有一位响应"),
    (lambda: t.lift_table([0, 1], [1, 2], 3), "不能大于 2"),
    (lambda: t.calibration([0, 1], [.5, 1.2]), "不能大于 1"),
    (lambda: t.calibration([], []), "1 行"),
    (lambda: t.profit_curve([.5], [1, 2], contact_cost=1, save_rate=.5), "“客户价值”有 2 个"),
    (lambda: t.profit_curve([.5], 1, contact_cost=1, save_rate=5), "“挽留成功率”"),
    (lambda: t.qini_curve([1, 0], [1, 1], [1, 2]), "也有没联系的"),
    (lambda: t.uplift_table([1, 0, 1], [1, 0, 1], [3, 2, 1], 3), "组数取少一点"),
    (lambda: t.t_learner(trial(60)[0], "联系", "留下", ["月"], model="net"), "boosting"),
    (lambda: t.t_learner(trial(60)[0].assign(留下=1), "联系", "留下", ["月"]), "0 和 1 都有"),
    (lambda: t.t_learner(trial(60)[0], "联系", "留下", ["地区"]), "没有“地区”这一列"),
])
def test_errors_say_what_is_wrong(call, words):
    with pytest.raises(CourseError, match=words):
        call()


def test_plots_return_axes():
    y, s = [0, 1, 0, 1, 1, 0], [.1, .9, .4, .6, .3, .2]
    assert t.plot_calibration(t.calibration(y, s, 3)).get_legend()
    assert t.plot_gain(y, {"模型": s, "随便": [1] * 6}).get_legend()
    assert t.plot_lift(t.lift_table(y, s, 3)).get_legend()
    assert t.plot_profit(t.profit_curve(s, 100, contact_cost=10, save_rate=.5, churned=y)).get_legend()
    assert t.plot_qini(t.qini_curve(y, [1, 0, 1, 0, 1, 0], s)).get_legend()
    pyplot.close("all")
