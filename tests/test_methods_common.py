"""方法库的公共部分：名字按需装入、错误说得清楚、结果显示成中文。"""

import dataclasses
import doctest
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import crmlib.methods as methods
from crmlib.cli import CourseError
from crmlib.methods import _common as c


def test_doctests():
    found = doctest.testmod(c)
    assert found.attempted > 7 and found.failed == 0


def test_importing_the_table_of_names_imports_nothing_heavy():
    code = ("import sys, crmlib.methods; "
            "print([m for m in ('numpy', 'pandas', 'scipy', 'sklearn', 'matplotlib') if m in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", methods.__all__)
def test_every_name_is_there_and_explained(name):
    found = getattr(methods, name)
    if not callable(found):
        return
    assert found.__doc__ and len(found.__doc__) > 40, f"{name} 没有说明"
    assert found.__name__ == name
    if not name.startswith("plot_"):
        assert ">>>" in found.__doc__, f"{name} 的说明里没有例子"


def test_names_are_unique_and_a_wrong_one_lists_the_right_ones():
    assert len(methods.__all__) == sum(len(names.split()) for names in methods._TOPICS.values())
    with pytest.raises(AttributeError, match="cronbach_alpha"):
        methods.cronbach  # noqa: B018


TABLE = pd.DataFrame({"金额": [1, 2], "日期": ["2025-01-01", "x"]})


@pytest.mark.parametrize("call, words", [
    (lambda: c.column(TABLE, "金 额"), "没有“金 额”这一列。可用的列：金额、日期。是不是“金额”？"),
    (lambda: c.column([1], "金额"), "DataFrame"),
    (lambda: c.column(pd.concat([TABLE, TABLE], axis=1), "金额"), "2 列都叫"),
    (lambda: c.numeric(["a", 1], "金额"), "例如“a”"),
    (lambda: c.numeric([np.inf], "金额"), "无穷大"),
    (lambda: c.numeric([np.nan, 1.], "金额"), "1 个空值"),
    (lambda: c.number(None, "比例"), "要一个数"),
    (lambda: c.number(float("nan"), "比例"), "空值"),
    (lambda: c.number(0, "比例", above=0), "应当大于 0"),
    (lambda: c.flags([0, 2], "流失"), "里面有 2"),
    (lambda: c.dates([pd.NaT, "2025-01-01"], "日期"), "1 个空值"),
    (lambda: c.dates([20250101], "日期"), "要日期"),
    (lambda: c.same_length(甲=[1], 乙=[1, 2]), "甲 1 个、乙 2 个"),
    (lambda: c.as_frame([[1, 2], [3]], "交叉表"), "交叉表每一行要一样长，现在是：2、1"),
    (lambda: c.items_table(pd.DataFrame([[1, 2]], columns=["a", "a"])), "两列都叫“a”"),
])
def test_errors_say_what_is_wrong(call, words):
    with pytest.raises(CourseError, match=words.replace("？", ".")):
        call()


def test_numbers_of_any_kind_are_read():
    for values in ([1, 2], (1., 2.), np.array([1, 2]), pd.Series([1, 2], dtype="Int64"), ["1", "2"]):
        assert c.numeric(values, "金额").tolist() == [1, 2]
    assert np.isnan(c.numeric(pd.Series([1, None], dtype="Int64"), "金额", missing=True)[1])


E = pd.DataFrame({"客户": [], "日期": [], "金额": []})


@pytest.mark.parametrize("call", [
    lambda: methods.cronbach_alpha(pd.DataFrame()), lambda: methods.item_analysis(pd.DataFrame([[1, 2, 3]])),
    lambda: methods.chi_square([]), lambda: methods.chi_square([[1, 2], [3]]), lambda: methods.holm([]),
    lambda: methods.nps([]), lambda: methods.csat([]), lambda: methods.satisfaction_index(pd.DataFrame()),
    lambda: methods.cohen_kappa([], []), lambda: methods.fleiss_kappa([]),
    lambda: methods.krippendorff_alpha([[None], [None]]), lambda: methods.train_coder([], []),
    lambda: methods.rfm(E, "客户", "日期", "金额"), lambda: methods.abc_analysis(E, "客户", "金额"),
    lambda: methods.gini([]), lambda: methods.contribution(E, "金额", "金额"),
    lambda: methods.value_grid([], []),
    lambda: methods.paired_comparison([]), lambda: methods.ahp([]), lambda: methods.combine_judgements([]),
    lambda: methods.cohort_value([], [], .1), lambda: methods.sbg([]), lambda: methods.bg_nbd([], [], []),
    lambda: methods.gamma_gamma([], []), lambda: methods.kmeans(E, "金额", 2),
    lambda: methods.kaplan_meier([], []), lambda: methods.log_rank([], [], []),
    lambda: methods.logit(E.assign(y=[]), "y", "金额"), lambda: methods.leakage_check(E[["金额"]], "金额"),
    lambda: methods.auc([], []), lambda: methods.lift_table([], []), lambda: methods.calibration([], []),
    lambda: methods.qini_curve([], [], []), lambda: methods.uplift_table([], [], []),
])
def test_nothing_at_all_is_a_clear_error(call):
    with pytest.raises(CourseError):
        call()


@c.result
class Sample(c.Result):
    share: float = c.label("比例")
    table: pd.DataFrame = c.label("表")
    names: list = c.label("名单")
    hidden: int = 3
    note: str = dataclasses.field(default="", metadata={"label": "注意"})


def test_result_shows_chinese_and_escapes():
    found = Sample(np.float64(.25), pd.DataFrame({"甲": [1.23456]}), ["<b>", "乙"])
    assert isinstance(found.share, float) and "np." not in repr(found)
    assert repr(found) == "比例：0.25\n名单：<b>；乙"
    page = found._repr_html_()
    assert "比例" in page and "1.235" in page and "<b>；" not in page and "hidden" not in page
    assert "注意" not in page  # 没有话就不占一行
