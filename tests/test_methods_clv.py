"""终身价值：与发表的结果对照（CDNOW、sBG、倍数表）；数值在极端处也稳。"""

import doctest
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot
from scipy.special import hyp2f1

from crmlib.cli import CourseError
from crmlib.methods import clv as c

few = settings(max_examples=40, deadline=None)


@pytest.fixture(scope="module")
def cdnow():
    """CDNOW 的订单（1/10 样本）。数据不属于本项目：从 lifetimes 的安装包里读，不拷进来。"""
    home = Path(tempfile.gettempdir()) / "crm-course-tests" / "lifetimes-0.11.3"
    file = home / "lifetimes" / "datasets" / "CDNOW_sample.txt"
    if not file.is_file():
        try:
            subprocess.run([sys.executable, "-m", "uv", "pip", "install", "-q", "--no-deps", "--target", home,
                            "lifetimes==0.11.3"], check=True, capture_output=True, timeout=60,
                           env={**os.environ, "UV_HTTP_TIMEOUT": "10"})
        except (OSError, subprocess.SubprocessError):
            pytest.skip("没有 CDNOW 数据：lifetimes 的安装包取不到（没有网络）")
    orders = pd.read_csv(file, sep=r"\s+", header=None, names=["主编号", "客户", "日期", "张数", "金额"],
                         dtype={"日期": str})
    return c.repeat_summary(orders, "客户", "日期", "金额", until="1997-09-30")


def test_doctests():
    found = doctest.testmod(c)
    assert found.attempted > 6 and found.failed == 0


# ---- 发表过的结果

def test_bg_nbd_on_cdnow(cdnow):  # Fader, Hardie & Lee 2005
    assert len(cdnow) == 2357
    model = c.bg_nbd(cdnow["x"], cdnow["t_x"], cdnow["T"])
    assert [round(v, 3) for v in (model.r, model.alpha, model.a, model.b)] == [.243, 4.414, .793, 2.426]
    assert round(model.log_likelihood, 1) == -9582.4 and model.note == ""
    assert round(model.expected_purchases(39, 2, 30.43, 38.86), 3) == 1.226
    assert round(float(model.p_alive(2, 30.43, 38.86)), 4) == .7266


def test_gamma_gamma_on_cdnow(cdnow):  # Fader & Hardie 2013
    model = c.gamma_gamma(cdnow["x"], cdnow["平均金额"])
    assert [round(v, 2) for v in (model.p, model.q, model.v)] == [6.25, 3.74, 15.44] and model.n == 946
    assert round(model.log_likelihood, 2) == -4055.92 and round(model.mean, 2) == 35.17


def test_future_value_on_cdnow(cdnow):
    orders = c.bg_nbd(cdnow["x"], cdnow["t_x"], cdnow["T"])
    money = c.gamma_gamma(cdnow["x"], cdnow["平均金额"])
    worth = c.future_value(orders, money, cdnow, discount=0)
    total = orders.expected_purchases(12 * 30.4375 / 7, cdnow["x"], cdnow["t_x"], cdnow["T"])
    assert np.allclose(worth, total * money.expected_value(cdnow["x"], cdnow["平均金额"]))
    assert (c.future_value(orders, money, cdnow) < worth).all()


def test_sbg_published():  # Fader & Hardie 2007：两组各 1000 人，用前 7 年
    high = c.sbg([1000, 869, 743, 653, 593, 551, 517, 491])
    assert [round(high.alpha, 3), round(high.beta, 3)] == [.668, 3.806]
    assert round(high.log_likelihood, 1) == -1611.2
    regular = c.sbg([1000, 631, 468, 382, 326, 289, 262, 241])
    assert [round(regular.alpha, 3), round(regular.beta, 3)] == [.704, 1.182]
    assert round(regular.log_likelihood, 1) == -1680.3
    actual = [.468, .445, .427, .409, .394]  # 第 8～12 年，拟合时没见过
    assert np.abs(high.survival(np.arange(8, 13)) - actual).max() < .02


def test_multiples_published():  # Gupta & Lehmann 2003
    assert [round(c.margin_multiple(r, .12), 2) for r in (.6, .7, .8, .9)] == [1.15, 1.67, 2.50, 4.09]


# ---- 独立的算法

def simulate(r, alpha, a, b, n, T, seed):
    """按 BG/NBD 的定义一步一步造客户：每次购买之后以概率 p 离开。"""
    rng = np.random.default_rng(seed)
    rate, leave = rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n)
    rows = []
    for lam, p in zip(rate, leave, strict=True):
        t, x, last = rng.exponential(1 / lam), 0, 0.
        while t < T:
            x, last = x + 1, t
            t = T if rng.random() < p else t + rng.exponential(1 / lam)
        rows.append((x, last, T))
    return pd.DataFrame(rows, columns=["x", "t_x", "T"])


def test_bg_nbd_recovers_planted_parameters():
    table = simulate(.9, 3, .8, 3.5, 4000, 52., seed=7)
    model = c.bg_nbd(table["x"], table["t_x"], table["T"])
    assert abs(model.r - .9) < .08 and abs(model.alpha - 3) < .4
    assert abs(model.a - .8) < .12 and abs(model.b - 3.5) < .9
    assert model.expected_purchases(52.) == pytest.approx(table["x"].mean(), rel=.03)
    weeks = c.bg_nbd(table["x"], table["t_x"] * 7, table["T"] * 7)  # 换成天，结果不变
    assert (weeks.r, weeks.alpha, weeks.b) == pytest.approx((model.r, model.alpha * 7, model.b), rel=1e-3)


@few
@given(st.integers(0, 20), st.floats(.1, 1), st.floats(1, 60), st.floats(.05, 3), st.floats(.2, 4))
def test_expected_purchases_is_the_papers_formula(x, share, t, a, b):
    if abs(a - 1) < .05 or abs(a + b + x - 1) < .05:
        return
    m = c.BGNBD(.6, 5., a, b, 0., 1, "")
    T, t_x = 40., 40. * share * (x > 0)
    z = t / (m.alpha + T + t)
    top = (a + b + x - 1) / (a - 1) * (1 - ((m.alpha + T) / (m.alpha + T + t)) ** (m.r + x)
                                       * hyp2f1(m.r + x, b + x, a + b + x - 1, z))
    bottom = 1 + (a / (b + x - 1) * ((m.alpha + T) / (m.alpha + t_x)) ** (m.r + x) if x else 0)
    found = m.expected_purchases(t, x, t_x, T)
    assert found == pytest.approx(top / bottom, rel=1e-6) and found >= 0
    assert 0 <= m.p_alive(x, t_x, T) <= 1
    assert m.expected_purchases(t + 1, x, t_x, T) >= found and m.expected_purchases(0, x, t_x, T) == 0


def test_expected_purchases_smooth_where_the_formula_is_0_over_0():
    def at(a, b, x=0):
        return c.BGNBD(.6, 5., a, b, 0., 1, "").expected_purchases(26, x, 20. * (x > 0), 40.)

    assert at(1, 2) == pytest.approx((at(.99, 2) + at(1.01, 2)) / 2, rel=1e-4)
    assert at(.4, .6) == pytest.approx((at(.399, .6) + at(.401, .6)) / 2, rel=1e-4)
    assert np.isfinite(at(.8, 2.4, 3000))  # 大客户：不溢出


def test_repeat_summary_is_what_loops_say():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"谁": rng.choice(list("甲乙丙丁"), 60), "元": rng.integers(1, 99, 60).astype(float),
                          "日": pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 90, 60), "D")})
    until = pd.Timestamp("2025-03-15")
    found = c.repeat_summary(table, "谁", "日", "元", until=until, unit=1)
    for who, part in table[table["日"] <= until].groupby("谁"):
        days = part.groupby("日")["元"].sum()
        row = found.loc[who]
        assert row["x"] == len(days) - 1 and row["t_x"] == (days.index[-1] - days.index[0]).days
        assert row["T"] == (until - days.index[0]).days
        assert row["平均金额"] == pytest.approx(days.iloc[1:].mean())


@few
@given(st.floats(0, .99), st.floats(.01, .5))
def test_cohort_tends_to_the_multiple(retention, discount):
    long = c.cohort_value(1, retention, discount, years=3000)
    assert long.value == pytest.approx(c.margin_multiple(retention, discount), rel=1e-6, abs=1e-12)
    now = c.cohort_value(1, retention, discount, years=3000, first="now")
    assert now.value == pytest.approx(c.margin_multiple(retention, discount, "now"), rel=1e-6)


def test_sbg_residual_lifetime_is_the_sum():
    model = c.SBG(.668, 3.806, 0., .15, "")
    t = np.arange(0, 4000)
    direct = (model.survival(t + 2) / model.survival(1) / 1.1 ** t).sum()
    assert model.residual_lifetime(.1, renewals=1) == pytest.approx(direct, rel=1e-4)


def test_cohort_lists_and_payback():
    found = c.cohort_value([100, 120, 150], [.7, .8, .9], .1, acquisition_cost=90)
    by_hand = 100 * .7 / 1.1 + 120 * .56 / 1.21 + 150 * .504 / 1.331 - 90
    assert found.value == pytest.approx(by_hand) and found.payback == 2
    assert c.cohort_value(1, .5, .1, years=2, acquisition_cost=99).payback is None


# ---- 坏数据

def test_no_dropout_is_stated():
    assert "边界" in c.bg_nbd([3, 2, 4, 3, 2], [39.9] * 5, [40.] * 5).note
    assert "边界" in c.sbg([1000, 800, 640, 512, 409]).note  # 人人一样的流失率


ONE = pd.DataFrame({"谁": ["甲"], "日": ["2025-01-01"]})


@pytest.mark.parametrize("call, words", [
    (lambda: c.margin_multiple(1, 0), "无穷大"),
    (lambda: c.margin_multiple(80, .1), "不能大于 1"),
    (lambda: c.margin_multiple(.8, .1, "end"), "later"),
    (lambda: c.cohort_value([1, 2], [.5, .5, .5], .1), "“毛利”有 2 个数"),
    (lambda: c.sensitivity(max, {"a": 1}, {"b": (1, 2)}), "没有“b”"),
    (lambda: c.sbg([100, 120, 90]), "不会变多"),
    (lambda: c.sbg([100, 100, 100]), "没流失"),
    (lambda: c.sbg([100, 90]), "两次续约"),
    (lambda: c.bg_nbd([0, 0], [0, 0], [9, 9]), "没有一位客户再来过"),
    (lambda: c.bg_nbd([1, 0], [9, 3], [9, 9]), "第 2 位客户的x 是 0"),
    (lambda: c.bg_nbd([1, 1], [9, 11], [9, 9]), "t_x 大于 T"),
    (lambda: c.bg_nbd([1.5, 1], [3, 3], [9, 9]), "要整数"),
    (lambda: c.bg_nbd([1], [3], [9, 9]), "一样长"),
    (lambda: c.gamma_gamma([1, 1, 1], [5, 0, 5]), "大于 0"),
    (lambda: c.gamma_gamma([0, 0, 1], [0, 0, 5]), "3 位再来过"),
    (lambda: c.repeat_summary(ONE, "谁", "时间"), "没有“时间”这一列"),
    (lambda: c.repeat_summary(ONE, "谁", "日", until="2024-01-01"), "截止日以前"),
])
def test_errors_say_what_is_wrong(call, words):
    with pytest.raises(CourseError, match=words):
        call()


def test_plots_return_axes():
    cohort = c.cohort_value(100, .8, .1, years=6, acquisition_cost=200)
    assert "收回成本" in "".join(c.plot_cohort_value(cohort).get_title(loc=k) for k in ("left", "center"))
    table = c.sensitivity(c.margin_multiple, {"retention": .8, "discount": .1}, {"retention": (.7, .9)})
    assert c.plot_tornado(table).get_legend()
    kept = [1000, 869, 743, 653]
    assert c.plot_renewals(c.sbg(kept), kept, ahead=3).get_legend()
    assert c.plot_holdout([0, 1, 9], [.1, .5, 2], [0, 1, 3]).get_legend()
    pyplot.close("all")
