"""开放题：一致性系数与发表的结果对照；编码手册；机器编码只看没见过的回答。"""

import doctest

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot

from crmlib.cli import CourseError
from crmlib.methods import coding as c

few = settings(max_examples=40, deadline=None)
# Krippendorff 2011, §D：4 位编码员、12 个单位，有缺
FOUR = [[1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None]]


def test_doctests():
    found = doctest.testmod(c)
    assert found.attempted > 6 and found.failed == 0


def test_cohen_published_and_statsmodels():
    from statsmodels.stats.inter_rater import cohens_kappa

    assert round(c.cohen_kappa([[20, 5], [10, 15]]).value, 2) == .40
    table = [[12, 3, 1], [2, 9, 4], [0, 3, 8]]
    for ours, theirs in ((None, None), ("linear", "linear"), ("quadratic", "quadratic")):
        found, other = c.cohen_kappa(table, weights=ours), cohens_kappa(table, wt=theirs)
        assert found.value == pytest.approx(other.kappa)
        assert (found.low, found.high) == pytest.approx((other.kappa_low, other.kappa_upp), abs=1e-6)


def test_fleiss_published():  # Fleiss 一文之后各教材通用的 10×5 例子：κ = 0.210
    table = [[0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
             [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]]
    found = c.fleiss_kappa(table)
    assert [round(x, 3) for x in (found.value, found.observed, found.expected)] == [.210, .378, .213]


@pytest.mark.parametrize("level, printed", [("nominal", .743), ("ordinal", .815), ("interval", .849),
                                            ("ratio", .797)])
def test_krippendorff_published(level, printed):
    assert round(c.krippendorff_alpha(FOUR, level), 3) == printed


def test_krippendorff_against_his_package():
    krippendorff = pytest.importorskip("krippendorff")
    rng = np.random.default_rng(5)
    ratings = rng.integers(1, 5, size=(3, 25)).astype(float)
    ratings[rng.random(ratings.shape) < .2] = np.nan
    for level in ("nominal", "ordinal", "interval", "ratio"):
        assert c.krippendorff_alpha(ratings, level) == pytest.approx(
            krippendorff.alpha(ratings, level_of_measurement=level))


@few
@given(st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from("ABC")), min_size=4, max_size=40))
def test_kappa_symmetric_and_at_most_one(pairs):
    a, b = zip(*pairs, strict=True)
    try:
        found = c.cohen_kappa(a, b)
    except CourseError as fault:
        assert "没有意义" in str(fault)
        return
    assert found.value <= 1 + 1e-12 and found.value == pytest.approx(c.cohen_kappa(b, a).value)
    if a == b:
        assert found.value == pytest.approx(1)


def test_names_and_gaps():
    found = c.cohen_kappa(["时效", "破损", None, "时效"], ["时效", "破损", "破损", "破损"])
    assert found.n == 3 and found.value == pytest.approx(.4)
    assert c.krippendorff_alpha([["慢", "坏"], ["慢", "坏"]]) == 1


def test_tokens_words_and_blank():
    assert c.tokens(None) == [] and c.tokens("！！") == []
    assert c.tokens("我不满意") == ["不", "满意"] and c.tokens("不 好") == ["不", "好"]  # 否定词不能丢
    assert c.tokens("云仓配货", words=("云仓配货",)) == ["云仓配货"]
    assert c.word_counts(["破损破损", "破损", None, " "]).loc["破损"].tolist() == [2, 1]


def test_code_book_with_exceptions_and_missing_answers():
    coded = c.code_answers(["慢慢来，不急", "太慢", None], {"时效": ["慢", "-慢慢来"]})
    assert coded["时效"].tolist()[:2] == [0, 1] and coded["时效"].isna().tolist() == [False, False, True]
    assert coded["未编码"].tolist()[:2] == [1, 0]
    table = c.code_frequencies(coded)
    assert table.loc["时效", "占比"] == .5


TEXTS = {"时效": ["送得太慢", "晚到两天", "时间太长", "慢得离谱", "迟迟不到", "又晚了一天"],
         "破损": ["盒子破了", "东西碎了", "外包装破损", "压坏了一箱", "玻璃碎了", "包装坏了"],
         "态度": ["态度很差", "快递员骂人", "客服态度不好", "说话难听", "态度恶劣", "客服不耐烦"]}


def _many():
    rng = np.random.default_rng(2)
    rows = [(rng.choice(texts) + rng.choice(["，不满意", "。", "，希望改进"]), code)
            for code, texts in TEXTS.items() for _ in range(40)]
    return pd.DataFrame(rows, columns=["回答", "编码"])


def test_coder_learns_beats_the_baseline_and_repeats():
    table = _many()
    coder = c.train_coder(table["回答"], table["编码"])
    assert coder.f1 > .9 and coder.accuracy > coder.baseline + .4
    assert coder.trained + coder.tested == 120 and coder.tested == 36
    assert coder.predict(["箱子破了", None])[0] == "破损"
    assert coder.confusion.to_numpy().sum() == 36
    again = c.train_coder(table["回答"], table["编码"])
    assert again.f1 == coder.f1


@pytest.mark.parametrize("call, words", [
    (lambda: c.cohen_kappa(["a", "b"], ["a"]), "第一位 2 个、第二位 1 个"),
    (lambda: c.cohen_kappa(["a", "a"], ["a", "a"]), "没有意义"),
    (lambda: c.cohen_kappa([[1, 2, 3], [4, 5, 6]]), "要是方的"),
    (lambda: c.cohen_kappa([[1, 2], [3, 4]], weights="cubic"), "linear"),
    (lambda: c.fleiss_kappa([[3, 0], [1, 1]]), "krippendorff_alpha"),
    (lambda: c.fleiss_kappa([[3, 0], [3, 0]]), "没有意义"),
    (lambda: c.krippendorff_alpha([[1, 1], [1, 1]]), "没有意义"),
    (lambda: c.krippendorff_alpha([[1, None], [None, 1]]), "两人以上"),
    (lambda: c.krippendorff_alpha([["a", "b"], ["a", "a"]], "interval"), "要全是数"),
    (lambda: c.krippendorff_alpha(FOUR, "metric"), "nominal"),
    (lambda: c.code_answers(["慢"], {}), "编码手册是空的"),
    (lambda: c.code_answers(["慢"], {"时效": ["-慢"]}), "没有一个词"),
    (lambda: c.word_counts([None, ""]), "有字的回答"),
    (lambda: c.train_coder(["a"] * 9, ["x"] * 5 + ["y"] * 4), "“y”只有 4 条"),
    (lambda: c.train_coder(["a"] * 9, ["x"] * 9), "2 种编码"),
])
def test_errors_say_what_is_wrong(call, words):
    with pytest.raises(CourseError, match=words):
        call()


def test_plot_returns_axes():
    coded = c.code_answers(["送得慢", "盒子破了", "慢"], {"时效": ["慢"], "破损": ["破"]})
    assert c.plot_codes(c.code_frequencies(coded)).get_xlabel()
    assert c.plot_codes(c.word_counts(["送得慢", "盒子破了"])).get_xlabel()
    pyplot.close("all")
