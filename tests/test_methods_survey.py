"""问卷方法：与公开发表的结果、与独立的程序对照；空值、同分、坏数据。"""

import doctest

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot

from crmlib.cli import CourseError
from crmlib.methods import survey as s

# R 自带的 attitude 数据：30 个部门、7 个题目（Chatterjee & Price）
ATTITUDE = pd.DataFrame(np.fromstring("""
43 51 30 39 61 92 45  63 64 51 54 63 73 47  71 70 68 69 76 86 48  61 63 45 47 54 84 35  81 78 56 66 71 83 47
43 55 49 44 54 49 34  58 67 42 56 66 68 35  71 75 50 55 70 66 41  72 82 72 67 71 83 31  67 61 45 47 62 80 41
64 53 53 58 58 67 34  67 60 47 39 59 74 41  69 62 57 42 55 63 25  68 83 83 45 59 77 35  77 77 54 72 79 77 46
81 90 50 72 60 54 36  74 85 64 69 79 79 63  65 60 65 75 55 80 60  65 70 46 57 75 85 46  50 58 68 54 64 78 52
50 40 33 34 43 64 33  64 61 52 62 66 80 41  53 66 52 50 63 80 37  40 37 42 58 50 57 49  63 54 42 48 66 75 33
66 77 66 63 88 76 72  78 75 58 74 80 78 49  48 57 44 45 51 83 38  85 85 71 71 77 74 55  82 82 39 59 64 78 39
""", sep=" ").reshape(30, 7), columns=list("ABCDEFG"))
few = settings(max_examples=40, deadline=None)


def test_doctests():
    found = doctest.testmod(s)
    assert found.attempted > 10 and found.failed == 0


# ---- 发表过的结果

@pytest.mark.parametrize("population, printed",
                         [(None, 384.1), (100, 80), (500, 217), (1000, 278), (10000, 370)])
def test_sample_size_tables(population, printed):
    size = s.sample_size(population=population)
    assert round(size.exact, 1 if population is None else 0) == printed
    assert size.n >= size.exact > size.n - 1


def test_design_effect_and_response_rate():
    size = s.sample_size(design_effect=1.5, response_rate=.25)
    assert size.n == 577 and size.to_send == 2305


@pytest.mark.parametrize("x, n, low, high",
                         [(81, 263, .2553, .3662), (15, 148, .0624, .1605), (0, 20, 0, .1611)])
def test_wilson_published(x, n, low, high):
    found = s.wilson_interval(x, n)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_cronbach_alpha_on_attitude():
    alpha = s.cronbach_alpha(ATTITUDE)
    assert round(alpha.value, 3) == .843 and round(alpha.standardised, 3) == .839
    pingouin = pytest.importorskip("pingouin")
    value, (low, high) = pingouin.cronbach_alpha(ATTITUDE)
    assert alpha.value == pytest.approx(value)
    assert (alpha.low, alpha.high) == pytest.approx((low, high), abs=6e-4)


def test_alpha_if_deleted_on_attitude():  # R psych::alpha(attitude)
    table = s.item_analysis(ATTITUDE)
    assert table["删去后α"].round(2).tolist() == [.81, .80, .83, .80, .80, .86, .84]
    assert table["与其余题相关"].round(2).tolist() == [.67, .74, .56, .71, .79, .27, .46]


def test_chi_square_published():
    found = s.chi_square([[762, 327, 468], [484, 239, 477]])
    assert round(found.chi2, 2) == 30.07 and found.df == 2 and f"{found.p:.2e}" == "2.95e-07"
    assert found.residuals.iloc[0].round(2).tolist() == [4.50, .70, -5.32]  # Agresti, Table 2.5


def test_two_proportions_published():  # Newcombe 1998, Table II, method 10
    for x1, n1, x2, n2, low, high in [(56, 70, 48, 80, .0524, .3339), (9, 10, 3, 10, .1705, .8090),
                                      (5, 56, 0, 29, -.0381, .1926), (10, 10, 0, 20, .6791, 1)]:
        found = s.two_proportions(x1, n1, x2, n2)
        assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_power_as_in_r():  # R: example(power.prop.test)
    assert round(s.ab_power(.5, .75, 50), 3) == .740
    assert round(s.ab_sample_size(.5, .75, power=.9).exact, 1) == 76.7
    needed = s.ab_sample_size(.1, .13, power=.85, ratio=2)
    assert s.ab_power(.1, .13, needed.exact, 2 * needed.exact) == pytest.approx(.85)


# ---- 独立的程序

def test_against_scipy_and_statsmodels():
    from scipy.stats.contingency import association
    from statsmodels.stats.multitest import multipletests
    from statsmodels.stats.proportion import proportion_confint, proportions_ztest

    table = np.array([[20, 15, 9], [30, 5, 12], [7, 9, 8]])
    found = s.chi_square(table)
    assert found.cramers_v == pytest.approx(association(table))
    import statsmodels.api as sm
    assert np.allclose(found.residuals, sm.stats.Table(table).standardized_resids)
    p = [.001, .2, .03, .03, .6]
    assert s.holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    interval = s.wilson_interval(7, 31, .9)
    assert (interval.low, interval.high) == pytest.approx(proportion_confint(7, 31, .1, "wilson"))
    assert (s.two_proportions(30, 90, 20, 100).z, s.two_proportions(30, 90, 20, 100).p) == pytest.approx(
        proportions_ztest([30, 20], [90, 100]))


def test_kmo_and_bartlett_on_attitude():  # R psych::cortest.bartlett：χ² 98.75，df 21
    found = s.kmo_bartlett(ATTITUDE)
    assert round(found.chi2, 2) == 98.75 and found.df == 21
    # 偏相关换一种算法：两题各对其余题回归，取残差的相关
    data, squares = ATTITUDE.to_numpy(), []
    for i in range(7):
        for j in range(i):
            rest = np.c_[np.ones(30), np.delete(data, [i, j], axis=1)]
            left = data[:, [i, j]] - rest @ np.linalg.lstsq(rest, data[:, [i, j]], rcond=None)[0]
            squares.append((np.corrcoef(data[:, [i, j]].T)[0, 1] ** 2, np.corrcoef(left.T)[0, 1] ** 2))
    r2, q2 = np.sum(squares, axis=0)
    assert found.kmo == pytest.approx(r2 / (r2 + q2))


def test_factors_recover_two_planted_groups():
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 300))
    noise = rng.normal(size=(300, 6)) * .5
    items = pd.DataFrame(np.c_[a, a, a, b, b, b] + noise, columns=[*"甲乙丙丁戊己"])
    found = s.factor_loadings(items)
    assert [c for c in found if c.startswith("因子")] == ["因子1", "因子2"]
    main = found[["因子1", "因子2"]].abs().idxmax(axis=1)
    assert main[[*"甲乙丙"]].nunique() == main[[*"丁戊己"]].nunique() == 1 and main["甲"] != main["丁"]
    assert sum(found.attrs["explained"].values()) == pytest.approx(found["共同度"].sum() / 6, abs=1e-5)


# ---- 不变的性质

@few
@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share(case):
    found = s.wilson_interval(*case)
    assert 0 <= found.low <= found.estimate <= found.high <= 1


@few
@given(st.lists(st.tuples(*[st.integers(1, 5)] * 4), min_size=3, max_size=30))
def test_alpha_at_most_one_and_blind_to_shift_and_order(rows):
    items = pd.DataFrame(rows)
    if items.sum(axis=1).nunique() == 1:
        return
    alpha = s.cronbach_alpha(items).value
    assert alpha <= 1 + 1e-12
    assert s.cronbach_alpha(items[[3, 1, 0, 2]] + 7).value == pytest.approx(alpha)


@few
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_monotone_and_never_smaller(p):
    corrected = s.holm(p)
    assert (corrected >= np.array(p) - 1e-12).all() and (corrected <= 1).all()
    assert (np.diff(corrected[np.argsort(p, kind="stable")]) >= 0).all()


@few
@given(st.lists(st.lists(st.integers(1, 40), min_size=3, max_size=3), min_size=2, max_size=4))
def test_cramers_v_between_0_and_1_and_scale_free(rows):
    found = s.chi_square(rows)
    assert 0 <= found.cramers_v <= 1
    assert s.chi_square(np.array(rows) * 10).cramers_v == pytest.approx(found.cramers_v, abs=1e-9)


@few
@given(st.integers(2, 10 ** 6))
def test_sample_size_never_above_the_population(population):
    assert s.sample_size(population=population).exact <= min(population, 384.2)


# ---- 坏数据

def test_careless_reasons():
    items = pd.DataFrame({"Q1": [3, 5, None, 4], "Q2": [3, 4, None, 2],
                          "Q3": [3, 1, None, 5], "Q4": [3, 5, 2, 5]})
    found = s.careless_answers(items, seconds=[40, 40, 40, 6], opposites=[("Q1", "Q4")])
    assert found["可疑"].tolist() == [True, True, True, True]
    assert "连续 4 题" in found["原因"][0] and "意思相反" in found["原因"][1]
    assert "3 题没答" in found["原因"][2] and "每题 1.5 秒" in found["原因"][3]
    assert s.careless_answers(items)["可疑"].tolist() == [True, False, True, False]


def test_missing_answers_are_counted_not_hidden():
    items = ATTITUDE.copy()
    items.loc[3, "B"] = None
    found = s.cronbach_alpha(items)
    assert found.n == 29 and found.dropped == 1


@pytest.mark.parametrize("call, words", [
    (lambda: s.cronbach_alpha(pd.DataFrame({"Q1": [1, 2, 3]})), "2 道题"),
    (lambda: s.cronbach_alpha(pd.DataFrame({"Q1": [1, 2], "Q2": [2, 1]})), "3 份"),
    (lambda: s.cronbach_alpha(pd.DataFrame({"Q1": [1, 2, 3], "Q2": [3, 2, 1]})), "总分都一样"),
    (lambda: s.cronbach_alpha(pd.DataFrame({"Q1": [1, 2, 3], "Q2": ["好", 2, 1]})), "“好”"),
    (lambda: s.reverse_items(ATTITUDE, ["Q9"]), "没有“Q9”这一列。可用的列：A、B"),
    (lambda: s.reverse_items(ATTITUDE, ["A"]), "不能大于 5"),
    (lambda: s.cross_table(ATTITUDE, "A", "Z"), "没有“Z”这一列"),
    (lambda: s.cross_table(pd.DataFrame({"x": [1, None], "y": [None, 1]}), "x", "y"), "没有一份答卷"),
    (lambda: s.chi_square([[1, 2], [0, 0]]), "一个也没有"),
    (lambda: s.chi_square([[1, 2]]), "两行两列"),
    (lambda: s.chi_square([[1, -2], [3, 4]]), "不能小于 0"),
    (lambda: s.sample_size(margin=5), "应当小于 1"),
    (lambda: s.wilson_interval(5, 3), "不能大于 3"),
    (lambda: s.wilson_interval(0, 0), "应当大于 0"),
    (lambda: s.ab_sample_size(.1, .1), "两个比例一样"),
    (lambda: s.mean_interval([4]), "2 个数"),
    (lambda: s.kmo_bartlett(ATTITUDE.assign(总分=ATTITUDE.sum(axis=1))), "完全算出来"),
    (lambda: s.plot_intervals({}), "没有可画"),
])
def test_errors_say_what_is_wrong(call, words):
    with pytest.raises(CourseError, match=words):
        call()


def test_degenerate_but_stated():
    assert s.two_proportions(0, 10, 0, 20).p == 1
    flat = s.cronbach_alpha(pd.DataFrame({"a": [1, 2, 3], "b": [2, 2, 2]}))
    assert flat.standardised is None and "都答得一样" in flat.note
    turned = s.cronbach_alpha(pd.DataFrame({"a": [1, 2, 3, 5], "b": [5, 4, 2, 2]}))
    assert turned.value < 0 and "反向题" in turned.note
    items = pd.DataFrame({"a": [1, 2, 3, 4], "b": [2] * 4, "c": [1, 2, 4, 4]})
    assert s.item_analysis(items).loc["b", "提示"] == "所有人答得一样：没有区分力"


def test_plot_returns_axes():
    shares = {"苏南": s.wilson_interval(12, 100), "苏北": s.wilson_interval(24, 100)}
    ax = s.plot_intervals(shares, unit="%")
    assert [t.get_text() for t in ax.get_yticklabels()] == ["苏南", "苏北"]
    pyplot.close("all")
