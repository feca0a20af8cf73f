"""流失：生存分析和回归与发表的结果对照；不偷看未来；完全可分时说得清楚。"""

import doctest

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot

from crmlib.cli import CourseError
from crmlib.methods import _design as d
from crmlib.methods import churn as c

few = settings(max_examples=40, deadline=None)
# Freireich 等 1963：6-MP 与安慰剂，缓解的周数（+ 为还在观察）
TREATED = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
LEFT = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
BOTH = pd.DataFrame({"周": TREATED + PLACEBO, "复发": LEFT + [1] * 21, "安慰剂": [0] * 21 + [1] * 21})


@pytest.fixture(scope="module")
def spector():
    from statsmodels.datasets import spector as data

    table = data.load_pandas()
    return table.data


def test_doctests():
    for module in (c, d):
        found = doctest.testmod(module)
        assert found.attempted and found.failed == 0


# ---- 发表过的结果

def test_kaplan_meier_6mp():
    found = c.kaplan_meier(TREATED, LEFT)
    assert found.table["留存率"].round(3).tolist() == [.857, .807, .753, .690, .627, .538, .448]
    assert found.median == 23 and found.events == 9
    assert found.table["标准误"].round(4).tolist()[:2] == [.0764, .0869]  # R survfit


def test_log_rank_6mp():
    found = c.log_rank(BOTH["周"], BOTH["复发"], BOTH["安慰剂"])
    assert round(found.chi2, 2) == 16.79 and found.df == 1
    assert found.groups["预期流失"].round(2).tolist() == [19.25, 10.75]


def test_cox_6mp_efron():
    found = c.cox(BOTH, "周", "复发", "安慰剂")
    assert round(found.table.loc["安慰剂", "系数"], 3) == 1.572
    assert round(found.table.loc["安慰剂", "标准误"], 3) == .412  # R coxph
    assert round(found.concordance, 2) == .69


def test_logit_spector(spector):
    found = c.logit(spector, "GRADE", ["GPA", "TUCE", "PSI"])
    assert found.table["系数"].round(3).tolist() == [-13.021, 2.826, .095, 2.379]
    assert round(found.log_likelihood, 3) == -12.890
    assert found.table["标准误"].round(3).tolist() == [4.931, 1.263, .142, 1.065]


# ---- 独立的程序

def test_against_statsmodels():
    from statsmodels.duration.survfunc import SurvfuncRight, survdiff

    rng = np.random.default_rng(3)
    t, e, g = rng.integers(1, 20, 120), rng.random(120) < .6, rng.integers(0, 3, 120)
    ours, theirs = c.kaplan_meier(t, e), SurvfuncRight(t, e)
    assert np.allclose(ours.table["留存率"], theirs.surv_prob)
    assert np.allclose(ours.table["标准误"], np.nan_to_num(theirs.surv_prob_se))  # 留存率到 0 时它给 NaN
    chi2, p = survdiff(t, e, g)
    found = c.log_rank(t, e, g)
    assert (found.chi2, found.p) == pytest.approx((chi2, p)) and found.df == 2


def test_logit_in_any_unit_predicts_and_recovers(spector):
    found = c.logit(spector, "GRADE", ["GPA", "TUCE", "PSI"])
    big = c.logit(spector.assign(GPA=spector["GPA"] * 1e7 + 1e9), "GRADE", ["GPA", "TUCE", "PSI"])
    assert big.table.loc["GPA", "系数"] * 1e7 == pytest.approx(found.table.loc["GPA", "系数"], rel=1e-5)
    assert found.predict(spector).sum() == pytest.approx(spector["GRADE"].sum())
    assert found.auc == pytest.approx(c.auc(spector["GRADE"], found.predict(spector)))


def test_planted_churn_logit_is_recovered():
    rng = np.random.default_rng(11)
    n = 6000
    table = pd.DataFrame({"投诉": rng.integers(0, 2, n), "准时": rng.normal(size=n),
                          "区": rng.choice(["南", "北"], n)})
    z = -2 + 1.1 * table["投诉"] - .55 * table["准时"] + .4 * (table["区"] == "南")
    table["流失"] = (rng.random(n) < 1 / (1 + np.exp(-z))).astype(int)
    found = c.logit(table, "流失", ["投诉", "准时", "区"]).table
    assert found.index.tolist() == ["常数", "投诉", "准时", "区=南"]
    assert (abs(found["系数"] - [-2, 1.1, -.55, .4]) < 3 * found["标准误"]).all()


# ---- 不变的性质

@few
@given(st.lists(st.tuples(st.integers(1, 15), st.booleans()), min_size=1, max_size=40))
def test_survival_falls_within_its_interval(rows):
    t, e = zip(*rows, strict=True)
    found = c.kaplan_meier(t, e)
    table = found.table
    assert (np.diff(table["留存率"]) <= 0).all() and table["留存率"].between(0, 1).all()
    assert not table.isna().any().any()
    assert (table["下限"] <= table["留存率"] + 1e-12).all()
    assert (table["留存率"] <= table["上限"] + 1e-12).all()
    if all(e) and max(t) >= 7:  # 没有删失：就是还留着的比例
        assert found.at(7) == pytest.approx(np.mean(np.array(t) > 7))
    assert 0 <= found.restricted_mean(max(t)) <= max(t)


@few
@given(st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=4, max_size=30))
def test_log_rank_of_a_copy_is_zero(rows):
    t, e = zip(*rows, strict=True)
    if len({x for x, y in rows if y}) < 2:
        return
    assert c.log_rank(t * 2, e * 2, [0] * len(t) + [1] * len(t)).chi2 == pytest.approx(0, abs=1e-9)


@few
@given(st.floats(0, .5))
def test_annual_churn_between_one_and_twelve_months(rate):
    assert rate - 1e-12 <= c.annual_churn(rate) <= min(12 * rate, 1) + 1e-12


# ---- 不偷看未来

def orders():
    rng = np.random.default_rng(0)
    return pd.DataFrame({"谁": rng.choice([f"C{i}" for i in range(30)], 200),
                         "日": pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 365, 200), "D")})


def test_snapshot_uses_only_the_past():
    table = orders()
    found = c.snapshot(table, "谁", "日", "2025-08-01", gap=14, horizon=60)
    early = c.snapshot(pd.concat([table[table["日"] <= "2025-08-01"],
                                  pd.DataFrame({"谁": ["Z"], "日": [pd.Timestamp("2025-12-31")]})]),
                       "谁", "日", "2025-08-01", gap=14, horizon=60)
    assert (found[["单数", "间隔天数"]] == early[["单数", "间隔天数"]]).all().all()
    assert (early["流失"] == 1).all() and 0 < found["流失"].mean() < 1


def test_longer_gaps_judge_fewer_lost_and_err_less():
    found = c.churn_definitions(orders(), "谁", "日", "2025-08-01", (15, 30, 60, 90))
    assert (np.diff(found["判为流失"]) <= 0).all() and (np.diff(found["漏判"]) >= 0).all()
    assert (found["误判"] <= found["判为流失"]).all()


def test_leakage_is_caught_and_honest_columns_pass():
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 200)
    table = pd.DataFrame({"流失": y, "关闭原因": np.where(y, rng.choice(["价高", "搬走"], 200), None),
                          "准时率": rng.random(200) - .1 * y,
                          "销户日数": np.where(y, rng.random(200), np.nan)})
    found = c.leakage_check(table, "流失")
    assert (found["提示"] != "").to_dict() == {"关闭原因": True, "准时率": False, "销户日数": True}


# ---- 坏数据

def test_censoring_and_emptiness_are_stated():
    nobody = c.kaplan_meier([3, 5], [0, 0])
    assert nobody.median is None and nobody.table.empty and nobody.at(4) == 1 and np.isnan(nobody.at(6))
    one = c.kaplan_meier([4], [1])
    assert one.table["留存率"].tolist() == [0] and one.median == 4


def test_rows_with_gaps_are_dropped_and_counted(spector):
    table = spector.copy()
    table.loc[[1, 5], "GPA"] = None
    found = c.logit(table, "GRADE", ["GPA", "TUCE"])
    assert (found.n, found.dropped) == (30, 2) and np.isnan(found.predict(table)[1])


T = pd.DataFrame({"x": [1, 2, 3, 4, 5, 6, 7, 8], "y": [0, 0, 0, 0, 1, 1, 1, 1],
                  "区": list("南南北北南北南北"), "t": [5, 3, 4, 6, 2, 1, 7, 8],
                  "w": [0, 1, 0, 1, 1, 0, 1, 1]})


@pytest.mark.parametrize("call, words", [
    (lambda: c.logit(T, "y", ["x"]), "“x”能把“y”的 0 和 1 完全分开"),
    (lambda: c.logit(T.assign(z=[0, 0, 0, 0, 0, 0, 0, 1]), "w", ["z"]), "“z”能把“w”"),  # 只差一点也算
    (lambda: c.logit(T, "y", ["y"]), "不能放进"),
    (lambda: c.logit(T, "y", ["价格"]), "没有“价格”这一列"),
    (lambda: c.logit(T, "x", ["t"]), "只能是 0 和 1"),
    (lambda: c.logit(T.assign(y=1), "y", ["t"]), "全是 1"),
    (lambda: c.logit(T.assign(k=3), "y", ["k"]), "都一样"),
    (lambda: c.logit(T.assign(k=T["x"] + T["t"]), "w", ["x", "t", "k"]), "“k”可以由前面的列完全算出来"),
    (lambda: c.logit(T, "w", ["区"]).predict(T.assign(区="西")), "“西”，拟合时没见过。见过的是：北、南"),
    (lambda: c.logit(T.head(2), "y", ["t"]), "行没有空值的数据"),
    (lambda: c.cox(T.assign(e=T["y"], k=T["y"]), "t", "e", ["k"]), "“k”的系数变成了无穷大"),
    (lambda: c.kaplan_meier([1, -2], [1, 1]), "不能小于 0"),
    (lambda: c.kaplan_meier([1, 2], [1]), "时间 2 个、流失 1 个"),
    (lambda: c.kaplan_meier([], []), "1 位客户"),
    (lambda: c.log_rank([1, 2], [1, 1], ["a", "a"]), "2 组"),
    (lambda: c.log_rank([1, 2], [0, 0], ["a", "b"]), "没法比较"),
    (lambda: c.snapshot(orders(), "谁", "日", "2025-12-01"), "看不到"),
    (lambda: c.churn_definitions(orders(), "谁", "日", "2026-12-01"), "往前挪"),
    (lambda: c.annual_churn(2), "不能大于 1"),
])
def test_errors_say_what_is_wrong(call, words):
    with pytest.raises(CourseError, match=words):
        call()


def test_plot_returns_axes():
    curves = {k: c.kaplan_meier(p["周"], p["复发"]) for k, p in BOTH.groupby("安慰剂")}
    assert c.plot_survival(curves, unit="周").get_legend()
    assert c.plot_survival(c.kaplan_meier([3, 5], [0, 0])).get_xlabel()
    pyplot.close("all")
