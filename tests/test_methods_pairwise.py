"""成对比较、布拉德利－特里、层次分析：与发表的结果和独立的程序对照。"""

import doctest
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot

from crmlib.cli import CourseError
from crmlib.methods import pairwise as p

few = settings(max_examples=40, deadline=None)
# Saaty 1990：买房的八个条件
HOUSE = [[1, 5, 3, 7, 6, 6, 1 / 3, 1 / 4], [1 / 5, 1, 1 / 3, 5, 3, 3, 1 / 5, 1 / 7],
         [1 / 3, 3, 1, 6, 3, 4, 6, 1 / 5], [1 / 7, 1 / 5, 1 / 6, 1, 1 / 3, 1 / 4, 1 / 7, 1 / 8],
         [1 / 6, 1 / 3, 1 / 3, 3, 1, 1 / 2, 1 / 5, 1 / 6], [1 / 6, 1 / 3, 1 / 4, 4, 2, 1, 1 / 5, 1 / 6],
         [3, 5, 1 / 6, 7, 5, 5, 1, 1 / 2], [4, 7, 5, 8, 6, 6, 2, 1]]


def test_doctests():
    found = doctest.testmod(p)
    assert found.attempted > 6 and found.failed == 0


# ---- 发表过的结果

def test_random_index_published():
    assert p.RANDOM_INDEX[3:10] == (.58, .90, 1.12, 1.24, 1.32, 1.41, 1.45)


def test_ahp_saaty_house():
    found = p.ahp(HOUSE)
    assert found.weights["权重"].round(3).tolist() == [.173, .054, .188, .018, .031, .036, .167, .333]
    assert round(found.lambda_max, 3) == 9.669 and round(found.consistency_ratio, 3) == .169
    assert not found.consistent and "“3”比“7”填了 6" in found.advice


def test_bradley_terry_agresti_baseball():  # Agresti, Categorical Data Analysis：1987 年美国联盟东区
    teams = ["Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore"]
    wins = [[0, 7, 9, 7, 7, 9, 11], [6, 0, 7, 5, 11, 9, 9], [4, 6, 0, 7, 7, 8, 12], [6, 8, 6, 0, 6, 7, 10],
            [6, 2, 6, 7, 0, 7, 12], [4, 4, 5, 6, 6, 0, 6], [2, 4, 1, 3, 1, 7, 0]]
    found = p.bradley_terry(wins, names=teams)
    assert found["对数强度"].round(2).tolist() == [1.58, 1.44, 1.29, 1.25, 1.11, .68, 0]
    assert found.index.tolist() == teams and found["标准误"].isna().tolist() == [False] * 6 + [True]


# ---- 独立的程序

def test_ahp_against_ahpy():
    ahpy = pytest.importorskip("ahpy")
    names = [f"x{i}" for i in range(8)]
    pairs = {(names[i], names[j]): HOUSE[i][j] for i, j in combinations(range(8), 2)}
    theirs = ahpy.Compare("house", pairs, precision=6, random_index="saaty")
    ours = p.ahp(p.pairs_matrix(names, pairs))
    assert ours.weights["权重"].to_dict() == pytest.approx(theirs.target_weights, abs=2e-6)
    assert ours.consistency_ratio == pytest.approx(theirs.consistency_ratio, abs=2e-3)  # 它的 RI 多一位小数


def test_bradley_terry_is_a_logit():
    from statsmodels.api import GLM, families

    wins = np.array([[0, 4, 6, 2], [3, 0, 5, 4], [1, 2, 0, 3], [2, 1, 4, 0]])
    rows, outcome = [], []
    for i, j in combinations(range(4), 2):
        rows.append(np.eye(4)[i] - np.eye(4)[j])
        outcome.append([wins[i, j], wins[j, i]])
    ours = p.bradley_terry(wins, names=[0, 1, 2, 3])
    last = ours.index[-1]
    keep = [k for k in range(4) if k != last]
    fit = GLM(outcome, np.array(rows)[:, keep], family=families.Binomial()).fit()
    assert ours.loc[keep, "对数强度"].to_numpy() == pytest.approx(fit.params, abs=1e-6)
    assert ours.loc[keep, "标准误"].to_numpy() == pytest.approx(fit.bse, abs=1e-6)


# ---- 不变的性质

def tournament(bits, n):
    wins = np.zeros((n, n))
    for (i, j), bit in zip(combinations(range(n), 2), bits, strict=False):
        wins[i, j], wins[j, i] = bit, 1 - bit
    return wins


@few
@given(st.integers(3, 7), st.lists(st.integers(0, 1), min_size=21, max_size=21))
def test_circular_triads_by_kendalls_formula(n, bits):
    wins = tournament(bits, n)
    found = p.paired_comparison(wins)
    kendall = n * (n - 1) * (2 * n - 1) / 12 - (wins.sum(1) ** 2).sum() / 2
    assert found.circular == len(found.triads) == kendall <= found.most
    assert 0 <= found.consistence <= 1 and found.scores["权重"].sum() == pytest.approx(1)


@few
@given(st.lists(st.floats(1, 3), min_size=2, max_size=9))
def test_consistent_matrix_has_ratio_zero(w):
    found = p.ahp(np.divide.outer(w, w))
    assert found.consistency_ratio == pytest.approx(0, abs=1e-9) and found.consistent and not found.advice
    assert found.weights["权重"].tolist() == pytest.approx((np.array(w) / sum(w)).tolist())
    assert found.weights["几何平均"].tolist() == pytest.approx(found.weights["权重"].tolist())


@few
@given(st.lists(st.sampled_from([1 / 5, 1 / 3, 1, 3, 5]), min_size=6, max_size=6))
def test_ahp_blind_to_order_and_combining_equals_itself(cells):
    a = np.eye(4)
    for (i, j), x in zip(combinations(range(4), 2), cells, strict=True):
        a[i, j], a[j, i] = x, 1 / x
    found, turn = p.ahp(a), [2, 0, 3, 1]
    assert found.consistency_ratio >= 0 and found.weights["权重"].sum() == pytest.approx(1)
    assert p.ahp(a[np.ix_(turn, turn)]).weights["权重"].tolist() == pytest.approx(
        found.weights["权重"].iloc[turn].tolist())
    assert np.allclose(p.combine_judgements([a, a]), a)
    assert np.allclose(p.combine_judgements([a, a.T]), 1)


# ---- 坏数据

def test_ties_are_stated():
    found = p.paired_comparison([[0, .5, 1], [.5, 0, 0], [0, 1, 0]])
    assert found.scores["得分"].tolist() == [1.5, .5, 1] and "1 对并列" in found.note and found.circular == 0


def test_weight_zero_and_floor():
    chain = [[0, 1, 1], [0, 0, 1], [0, 0, 0]]
    assert "floor=1" in p.paired_comparison(chain).note
    assert p.paired_comparison(chain, floor=1).scores["权重"].tolist() == pytest.approx([.5, 1 / 3, 1 / 6])


def test_rater_agreement_falls_with_disagreement():
    a, b = tournament([1, 1, 1], 3), tournament([0, 0, 0], 3)
    assert p.rater_agreement([a] * 4).u == 1
    assert p.rater_agreement([a, a, b, b]).u == pytest.approx(-1 / 3)
    assert p.rater_agreement([a] * 6).p < .01


@pytest.mark.parametrize("call, words", [
    (lambda: p.paired_comparison([[0, 1], [1, 0]]), "两格之和应当是 1"),
    (lambda: p.paired_comparison([[0, 1]]), "1 行 2 列"),
    (lambda: p.paired_comparison([[0]]), "2 个要比较的对象"),
    (lambda: p.rater_agreement([[[0, 1], [0, 0]]]), "3 位评判人"),
    (lambda: p.rater_agreement([[[0, .5], [.5, 0]]] * 3), "不能并列"),
    (lambda: p.bradley_terry(pd.DataFrame([[0, 2], [0, 0]], ["甲", "乙"], ["甲", "乙"])), "甲 从没输"),
    (lambda: p.bradley_terry([[0, -1], [2, 0]]), "不能小于 0"),
    (lambda: p.ahp([[1, 2], [2, 1]]), "反过来应当是 0.5"),
    (lambda: p.ahp([[1, 0], [0, 1]]), "大于 0"),
    (lambda: p.ahp(np.ones((11, 11))), "先分层"),
    (lambda: p.ahp(pd.DataFrame([[1, 2], [.5, 1]], ["甲", "乙"], ["乙", "甲"])), "顺序也要相同"),
    (lambda: p.pairs_matrix(["甲", "乙"], {}), "还没有比较“甲”和“乙”"),
    (lambda: p.pairs_matrix(["甲", "乙"], {("甲", "丙"): 2}), "没有“丙”"),
    (lambda: p.pairs_matrix(["甲", "乙"], {("甲", "乙"): 12}), "不能大于 9"),
    (lambda: p.pairs_matrix(["甲", "乙"], {("甲", "乙"): 2, ("乙", "甲"): 2}), "只比一次"),
])
def test_errors_say_what_is_wrong(call, words):
    with pytest.raises(CourseError, match=words):
        call()


def test_plot_returns_axes():
    found = p.ahp(HOUSE).weights
    ax = p.plot_weights({"特征向量": found["权重"], "几何平均": found["几何平均"]})
    assert ax.get_legend() and p.plot_weights(found["权重"]).get_xlabel() == "权重"
    pyplot.close("all")
