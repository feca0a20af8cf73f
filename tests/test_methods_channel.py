"""渠道：窜货的规则、查准率和查全率。"""

import doctest

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlib.cli import CourseError
from crmlib.methods import channel as c

few = settings(max_examples=40, deadline=None)


def flows(seed=0, weeks=20):
    """G01–G12 sell a little elsewhere; G03 and G07 sell a third there, cheaply."""
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(1, 13):
        bad = k in (3, 7)
        for week in range(weeks):
            rows.append((week, f"G{k:02d}", "苏州", rng.poisson(500), 7 + rng.normal(0, .05)))
            rows.append((week, f"G{k:02d}", "盐城", rng.poisson(250 if bad else 10),
                         (6 if bad else 7) + rng.normal(0, .05)))
    return pd.DataFrame(rows, columns=["周一", "网点编号", "揽收城市", "件数", "单价"])


OUTLETS = pd.DataFrame({"网点编号": [f"G{k:02d}" for k in range(1, 13)], "授权城市": "苏州"})


def test_doctests():
    found = doctest.testmod(c)
    assert found.attempted > 6 and found.failed == 0


def test_the_two_who_divert_are_found_and_nobody_else():
    found = c.diversion(flows(), OUTLETS)
    assert sorted(found.index[found["嫌疑"]]) == ["G03", "G07"] and set(found.index[:2]) == {"G03", "G07"}
    assert (found["异地件数"] / found["件数"]).to_numpy() == pytest.approx(found["异地占比"].to_numpy())
    quality = c.rule_quality(found.index[found["嫌疑"]], ["G03", "G07"])
    assert quality.precision == quality.recall == quality.f1 == 1 and quality.precision_low < .5


def test_one_rule_alone_blames_more():
    table = flows()
    assert c.diversion(table, OUTLETS, away=.01, least=1)["嫌疑"].all()
    assert not c.diversion(table, OUTLETS, away=.9, price_gap=-.9, spike=9)["嫌疑"].any()


def test_a_sudden_week_elsewhere():
    table = flows()
    table.loc[(table["网点编号"] == "G01") & (table["揽收城市"] == "盐城") & (table["周一"] == 9),
              "件数"] = 400
    found = c.diversion(table, OUTLETS, least=1)
    assert found.loc["G01", "规则"] == "突增" and found.loc["G01", "突增"] == pytest.approx(.76, abs=.05)


def test_only_at_home_and_only_elsewhere():
    table = pd.DataFrame({"周一": [1, 1], "网点编号": ["甲", "乙"], "揽收城市": ["苏州", "盐城"],
                          "件数": [10, 10], "单价": [7., 5.]})
    found = c.diversion(table, pd.DataFrame({"网点编号": ["甲", "乙", "丙"], "授权城市": "苏州"}))
    assert found.loc["甲", ["异地占比", "突增"]].tolist() == [0, 0] and found["价差"].isna().all()
    assert found.loc["乙", "异地占比"] == 1 and "丙" not in found.index


@few
@given(st.sets(st.integers(0, 12)), st.sets(st.integers(0, 12)))
def test_precision_and_recall_are_mirror_images(named, true):
    a, b = c.rule_quality(named, true), c.rule_quality(true, named)
    assert a.precision == b.recall and a.f1 == b.f1 and a.false_alarms == b.missed
    assert (a.precision is None) == (not named) and ("没有意义" in a.note) == (not named or not true)


@few
@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=30).filter(
    lambda rows: any(bad for _, bad in rows)))
def test_a_stricter_cut_never_finds_more(rows):
    x = pd.Series([v for v, _ in rows], dtype=float)
    found = c.threshold_table(x, [i for i, (_, bad) in enumerate(rows) if bad])
    assert (np.diff(found["指认"]) <= 0).all() and (np.diff(found["查全率"]) <= 1e-12).all()
    assert found["查全率"].iloc[0] == 1
    low = c.threshold_table(-x, [i for i, (_, bad) in enumerate(rows) if bad], low_is_guilty=True)
    assert low["找对"].tolist() == found["找对"].tolist()[::-1]


@pytest.mark.parametrize("call, words", [
    (lambda: c.diversion(flows().rename(columns={"单价": "价"}), OUTLETS), "没有“单价”这一列"),
    (lambda: c.diversion(flows(), OUTLETS.head(5)), "“G06”不在网点表里"),
    (lambda: c.diversion(flows(), pd.concat([OUTLETS, OUTLETS])), "“G01”出现了不止一次"),
    (lambda: c.diversion(flows(), OUTLETS.drop(columns="授权城市")), "没有“授权城市”这一列"),
    (lambda: c.diversion(flows(), OUTLETS, price_gap=.06), "“价差的界限”是 0.06，应当小于 0"),
    (lambda: c.diversion(flows().iloc[:0], OUTLETS), "1 行流向"),
    (lambda: c.threshold_table(pd.Series({"a": 1.}), ["b"]), "guilty"),
])
def test_errors_say_what_is_wrong(call, words):
    with pytest.raises(CourseError, match=words):
        call()


def test_plot_returns_axes():
    ax = c.plot_diversion(c.diversion(flows(), OUTLETS), guilty=["G03"])
    assert len(ax.get_legend().get_texts()) == 3 and {t.get_text() for t in ax.texts} == {"G03", "G07"}
