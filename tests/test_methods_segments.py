"""聚类：鸢尾花上发表过的数、该有的不变性质、坏数据。"""

import doctest

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot

from crmlib.cli import CourseError
from crmlib.methods import segments as s


@pytest.fixture(scope="module")
def iris():
    from sklearn.datasets import load_iris

    data = load_iris()
    return pd.DataFrame(data.data, columns=data.feature_names)


def blobs(n=40, centres=((0, 0), (6, 0), (0, 6)), seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(np.vstack([rng.normal(c, .5, (n, 2)) for c in centres]), columns=["频次", "金额"])


def test_doctests():
    found = doctest.testmod(s)
    assert found.attempted > 4 and found.failed == 0


@pytest.mark.parametrize("k, sse, silhouette", [(2, 152.35, .681), (3, 78.85, .553), (4, 57.23, .498)])
def test_iris_published(iris, k, sse, silhouette):
    found = s.kmeans(iris, iris.columns, k, scale=False)
    assert round(found.sse, 2) == sse and round(found.silhouette, 3) == silhouette


def test_clear_groups_are_found_and_firm():
    table = blobs()
    choice = s.choose_k(table, ["频次", "金额"], range(2, 6), boots=8)
    assert choice["轮廓系数"].idxmax() == choice["稳定性"].idxmax() == 3
    found = s.kmeans(table, ["频次", "金额"], 3)
    assert (s.stability(found, boots=10)["怎么读"] == "很稳").all()
    assert found.sizes["户数"].tolist() == [40, 40, 40]


def test_noise_is_not_firm():
    rng = np.random.default_rng(4)
    table = pd.DataFrame(rng.normal(size=(120, 2)), columns=["a", "b"])
    found = s.stability(s.kmeans(table, ["a", "b"], 5), boots=15)
    assert found["稳定性"].mean() < .8


@settings(max_examples=5, deadline=None)
@given(st.floats(.01, 100), st.integers(2, 4))
def test_units_do_not_matter_when_scaled(unit, k):
    table = blobs(15)
    other = table.assign(金额=table["金额"] * unit)
    a, b = (s.kmeans(t, ["频次", "金额"], k) for t in (table, other))
    assert a.labels.tolist() == b.labels.tolist() and a.sse == pytest.approx(b.sse)


def test_labels_are_ordered_by_size_and_means_in_own_units():
    table = pd.DataFrame({"额": [100., 110, 105, 9, 8], "号": list("甲乙丙丁戊")}).set_index("号")
    found = s.kmeans(table, "额", 2, log=["额"])
    assert found.labels.to_dict() == {"甲": 1, "乙": 1, "丙": 1, "丁": 2, "戊": 2}
    assert found.sizes["额"].tolist() == [105, 8.5] and found.sizes["占比"].sum() == 1


def test_edges_are_stated():
    table = blobs(3)
    assert s.kmeans(table, ["频次"], 1).silhouette is None
    assert s.kmeans(table, ["频次"], 9).silhouette is None


@pytest.mark.parametrize("call, words", [
    (lambda t: s.kmeans(t, ["额度"], 2), "没有“额度”这一列。可用的列：频次、金额"),
    (lambda t: s.kmeans(t.assign(金额=1), ["金额"], 2), "都一样"),
    (lambda t: s.kmeans(t.assign(金额=None), ["金额"], 2), "空值"),
    (lambda t: s.kmeans(t, ["金额"], 99), "分不成 99 群"),
    (lambda t: s.kmeans(t.assign(金额=[0, 1] * 3), ["金额"], 3), "不到 3 种"),
    (lambda t: s.kmeans(t - 9, ["金额"], 2, log=["金额"]), "不能小于 0"),
    (lambda t: s.kmeans(t, ["金额"], 2, log=["频次"]), "不在选中的列里"),
    (lambda t: s.kmeans(t, [], 2), "1 列"),
    (lambda t: s.choose_k(t, ["金额"], []), "候选的 k"),
])
def test_errors_say_what_is_wrong(call, words):
    with pytest.raises(CourseError, match=words):
        call(blobs(2))


def test_plots_return_axes():
    table = blobs(10)
    assert s.plot_segments(s.kmeans(table, ["频次", "金额"], 3), names={1: "大户"}).get_legend()
    assert s.plot_choose_k(s.choose_k(table, ["频次"], [2, 3], boots=2)).get_legend()
    pyplot.close("all")
