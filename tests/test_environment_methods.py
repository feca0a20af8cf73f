"""IFE、EFE、IE 矩阵、TOWS、权重敏感性。"""

import doctest

import pytest

from crmlib.cli import CourseError
from crmlib.methods import environment as env

ROWS = [
    {"卡号": "c08", "类别": "优势", "权重": 0.30, "评分": 4},
    {"卡号": "c12", "类别": "优势", "权重": 0.25, "评分": 3},
    {"卡号": "c01", "类别": "劣势", "权重": 0.30, "评分": 1},
    {"卡号": "c11", "类别": "劣势", "权重": 0.15, "评分": 2},
]
OUTSIDE = {"c03": {"group": "O", "weight": 0.6, "rating": 3},
           "c04": {"group": "T", "weight": 0.4, "rating": 2}}


def test_doctests():
    result = doctest.testmod(env)
    assert result.attempted == 8 and result.failed == 0


def test_same_score_from_list_dict_and_dataframe():
    pandas = pytest.importorskip("pandas")
    as_answer = {r["卡号"]: {"weight": str(r["权重"]), "rating": str(r["评分"])} for r in ROWS}
    by_hand = 0.3 * 4 + 0.25 * 3 + 0.3 * 1 + 0.15 * 2
    for table in (ROWS, as_answer, pandas.DataFrame(ROWS)):
        assert env.ife(table) == pytest.approx(by_hand)


@pytest.mark.parametrize(("call", "said"), [
    (lambda: env.factor_score([0.5, 0.4], [3, 3]), "权重合计是 0.900"),
    (lambda: env.factor_score([0.5, 0.5], [3]), "权重有 2 个，评分有 1 个"),
    (lambda: env.factor_score([0.5, 0.5], [3, 5]), "第 2 个因素 的评分是 5"),
    (lambda: env.factor_score([1.5, -0.5], [3, 3]), "权重是 1.5"),
    (lambda: env.factor_score([0.5, "半"], [3, 3]), "“半”不是一个数"),
    (lambda: env.factor_score([0.5, None], [3, 3]), "没有填"),
    (lambda: env.factor_score([0.5, float("nan")], [3, 3]), "不是一个数"),
    (lambda: env.factor_score([], []), "是空的"),
    (lambda: env.ife([ROWS[0] | {"评分": 2}, *ROWS[1:]]), "c08：优势的评分只能是 3 或 4"),
    (lambda: env.ife([*ROWS, ROWS[0]]), "c08 出现了两次"),
    (lambda: env.ife(OUTSIDE), "只能是：优势、劣势"),
    (lambda: env.efe("c01"), "因素表"),
    (lambda: env.ie_cell(0.5, 2), "内部总分是 0.5"),
    (lambda: env.tows_pairs(ROWS, {"e": {"weight": 1, "rating": 2}}), "e 没有写类别"),
    (lambda: env.weight_sensitivity(ROWS, "c99", 0.1), "没有 c99"),
    (lambda: env.weight_sensitivity(ROWS, "c01", 1.1), "应当在 0 到 1 之间"),
    (lambda: env.weight_sensitivity({"a": {"weight": 1, "rating": 2}}, "a", 0.5), "没法按比例"),
])
def test_errors_name_what_is_wrong(call, said):
    with pytest.raises(CourseError) as fault:
        call()
    assert said in str(fault.value)


def test_sum_may_be_off_by_half_a_percent():
    assert env.factor_score([0.333, 0.333, 0.334], [3, 3, 3]) == pytest.approx(3)
    assert env.factor_score([0.335, 0.335, 0.335], [3, 3, 3]) == pytest.approx(3.015)
    with pytest.raises(CourseError):
        env.factor_score([0.336, 0.335, 0.335], [3, 3, 3])


def test_reweighting_keeps_the_sum_and_the_proportions():
    after = env.weight_sensitivity(ROWS, "c01", 0.1)
    assert sum(row["weight"] for row in after.values()) == pytest.approx(1)
    assert after["c08"]["weight"] / after["c11"]["weight"] == pytest.approx(0.30 / 0.15)
    assert env.ife(env.weight_sensitivity(ROWS, "c01", 0.3)) == pytest.approx(env.ife(ROWS))


def test_all_pairs_weightiest_first():
    pairs = env.tows_pairs(ROWS, OUTSIDE)
    assert [(p["strategy"], p["inside"], p["outside"]) for p in pairs[:2]] == [("SO", "c08", "c03"),
                                                                              ("WO", "c01", "c03")]
    assert len(pairs) == 8 and {p["strategy"] for p in pairs} == {"SO", "WO", "ST", "WT"}


def test_nine_cells():
    cells = [env.ie_cell(i, e)[0] for e in (3.5, 2.5, 1.5) for i in (3.5, 2.5, 1.5)]
    assert cells == ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"]
