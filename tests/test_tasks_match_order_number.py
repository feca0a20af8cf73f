"""配对、排序、填数：评分规则，单位和写法，用学生自己的数重算；离奇的答案不崩溃也不得分。"""

import doctest
import math
from importlib import import_module
from itertools import permutations

import pytest
from fixtures.samples import FILE, as_keyed, samples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from autograder import check, units
from crmlib import tasks
from crmlib.tasks import core

TASKS = samples()
READY = as_keyed(TASKS)
MATCH, ORDER, NUMBER, TABLE, OWN = (READY[f"9.1-{n}"] for n in (1, 2, 3, 4, 5))
number = import_module("crmlib.tasks.number")
every = pytest.mark.parametrize("task", READY.values(), ids=READY)


def judged(task, answer, **changes):
    result = tasks.score_task({**task, **changes}, answer)
    return result.state, result.points, result.messages


def test_examples_in_docstrings():
    for name in ("number", "numbers", "core"):
        assert doctest.testmod(import_module(f"crmlib.tasks.{name}")).failed == 0


def test_samples_are_as_the_schema_wants():
    raw = units.yaml.load(FILE.read_text("utf-8"), units._Loader)
    assert [e.message for e in Draft202012Validator(units.schema()).iter_errors(raw)] == []


@every
def test_samples_prove_themselves(task):
    assert tasks.faults(task) == []
    assert check.proofs(task) == []


HOSTILE = [
    7,
    1.5,
    True,
    math.nan,
    "P",
    "<script>alert(1)</script>",
    "字" * 1_000_000,
    b"x",
    object(),
    [1, 2],
    [["a"], [["c"]]],
    [{"a": 1}],
    ["zz"],
    ["calm", "zz"],
    ["calm", "calm"],
    ["zz"] * 300_000,
    {"zz": "time"},
    {"w": "zz"},
    {"w": ["time"]},
    {"w": None},
    {1: 2},
    {"revenue": [1]},
    {"revenue": {"x": 1}},
    {"revenue": "<img src=x onerror=alert(1)>"},
    {"revenue": "9" * 5000},
    {"revenue": 10**400},
    {"revenue": math.inf},
    {"revenue": "1e999"},
    {"revenue": "\ud800"},
    {"sun": True},
]


@every
@pytest.mark.parametrize("final", [False, True])
@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_answers_never_raise_and_never_score(task, hostile, final):
    for part in (task, tasks.public(task)):
        result = tasks.score_task(part, hostile, final=final)
        assert result.points == 0 and result.state in ("malformed", "empty", "wrong")
        assert isinstance(tasks.text(part, hostile), str)


words = st.sampled_from(
    [*MATCH["left"], *MATCH["right"], *ORDER["items"], *NUMBER["blanks"], "3 元", "５", "sun"]
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | words,
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(words, inner, max_size=5),
    max_leaves=12,
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(answer=anything, name=st.sampled_from(sorted(READY)), final=st.booleans())
def test_any_json_is_judged_without_raising(answer, name, final):
    result = tasks.score_task(READY[name], answer, final=final)
    assert 0 <= result.points <= result.of
    tasks.text(READY[name], answer)


@every
def test_nothing_secret_in_the_public_part(task):
    assert (
        set(tasks.public(task)) & {"key", "mistakes", "explain", "review", "tolerance", "given", "rules"}
        == set()
    )
    assert tasks.public(tasks.public(task)) == tasks.public(task)
    assert tasks.fingerprint(tasks.public(task)) == tasks.fingerprint(task)


# ---- 配对 ----


def test_match_counts_pairs():
    key = tasks.KINDS["match"].key_answer(MATCH)
    assert judged(MATCH, key) == ("right", 3, [])
    assert judged(MATCH, {**key, "l": "face"}) == ("partial", 2.4, ["有 1 对配错了（带 ✗）。"])
    assert judged(MATCH, {"w": "time"}) == ("empty", 0.6, ["还有 4 项没有配。"])
    assert judged(MATCH, {**key, "l": ["safe"]})[0] == "malformed"
    two = {**MATCH["key"], "l": ["safe", "face"]}
    assert judged(MATCH, {**key, "l": "face"}, key=two)[0] == "right"


def test_match_shows_the_right_side_in_another_order_than_the_author():
    assert sorted(core.public(MATCH)["shown"]) == sorted(MATCH["right"])
    assert core.public(MATCH)["shown"] != list(MATCH["right"])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"key": {**MATCH["key"], "x": "time"}}, "左边的“x”不存在"),
        ({"key": {**MATCH["key"], "w": "x"}}, "右边的“x”"),
        ({"key": {"w": "time"}}, "key 没有说左边的“l”"),
        ({"mistakes": [{"name": "n", "when": {"w": "x"}, "hint": "h"}]}, "mistakes“n” 里右边的“x”"),
    ],
)
def test_match_faults(changes, said):
    assert said in "\n".join(tasks.faults({**MATCH, **changes}))


# ---- 排序 ----


def test_order_compares_each_two_steps():
    four = {
        "id": "9.1-50",
        "kind": "order",
        "points": 3,
        "items": dict.fromkeys("abcd", "步"),
        "key": list("abcd"),
    }
    assert judged(four, list("abcd"))[:2] == ("right", 3)
    assert judged(four, list("abdc"))[:2] == ("partial", 2)  # 6 对里对 5 对：2 × 5/6 − 1 = 2/3
    assert judged(four, list("dcba"))[:2] == ("wrong", 0)
    mean = sum(tasks.score_task(four, list(p)).points for p in permutations("abcd")) / 24 / 3
    assert mean < 0.25  # 全凭猜，得不到多少分


def test_order_ties_may_stand_either_way():
    key = tasks.KINDS["order"].key_answer(ORDER)
    assert judged(ORDER, ["calm", "photo", "check", "offer", "pay", "fix", "visit"])[0] == "right"
    swapped = [*key[:3], "pay", "offer", *key[5:]]
    state, points, said = judged(ORDER, swapped)
    assert (state, points) == ("partial", 2.68)
    assert said == [
        "两两比先后，19 对里对了 18 对。把带 ✗ 的挪一挪。",
        "先看这两步：“当天把赔款打过去”和“提出赔法，问他同不同意”，谁应当在前？",
    ]


def test_order_marks_only_what_must_move():
    listed = ["fix", "calm", "check", "photo", "offer", "pay", "visit"]
    where = tasks.score_task(ORDER, listed).where
    assert [item for item, ok in where.items() if not ok] == ["fix"]


def test_order_starts_out_of_order_and_a_release_keeps_that_start():
    shown = core.public(ORDER)["shown"]
    assert sorted(shown) == sorted(ORDER["items"])
    assert tasks.score_task(ORDER, shown).points < 1.5
    assert core.public(core.public(ORDER))["shown"] == shown


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ([], "empty"),
        (["calm"], "empty"),
        (["calm", "calm"], "malformed"),
        (["x"], "malformed"),
        ("calm", "malformed"),
    ],
)
def test_order_unfinished_and_unreadable(answer, state):
    assert judged(ORDER, answer)[0] == state


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"key": ["calm"]}, "key 里没有“check”"),
        ({"key": [*ORDER["key"], "x"]}, "key 里的“x”不存在"),
        ({"key": [*ORDER["key"], "calm"]}, "key 里有重复"),
        ({"key": [list(ORDER["items"])]}, "没有先后可排"),
        ({"draw": 2}, "draw 太小"),
        ({"mistakes": [{"name": "n", "when": ["x", "calm"], "hint": "h"}]}, "“x”不存在"),
    ],
)
def test_order_faults(changes, said):
    assert said in "\n".join(tasks.faults({**ORDER, **changes}))


# ---- 填数 ----


@pytest.mark.parametrize(
    ("typed", "unit", "value"),
    [
        ("３８４００", "元", 38400),
        ("38,400", "元", 38400),
        ("38，400 元", "元", 38400),
        ("3.84万", "元", 38400),
        ("3.84 万元", "元", 38400),
        ("38.4千元", "元", 38400),
        ("5760元", "万元", 0.576),
        ("0.576", "万元", 0.576),
        ("15%", "%", 15),
        ("15％", "", 0.15),
        ("15", "%", 15),
        ("2吨", "kg", 2000),
        ("3斤", "克", 1500),
        ("1.5 小时", "分钟", 90),
        ("3km", "公里", 3),
        ("2。5", "", 2.5),
        ("－3", "", -3),
        ("3 元/件", "元/件", 3),
        ("3 元", "kg", None),
        ("20%", "元", None),
        ("三", "元", None),
        ("", "元", None),
        ("1,5", "", None),
        ("3万", "万元", 3),
        ("3万", "千克", 30000),
        ("3万", "", 30000),
        (True, "", None),
        (None, "", None),
        ([3], "", None),
        (3, "元", 3),
    ],
)
def test_quantities_as_students_type_them(typed, unit, value):
    got = number.quantity(typed, unit)
    assert got is None if value is None else got == pytest.approx(value)


def wrong(**typed):
    key = tasks.KINDS["number"].key_answer(NUMBER)
    return judged(NUMBER, {**key, **typed})


def test_number_names_the_slip():
    assert wrong(profit="5760")[2] == ["“一年少赚的毛利”差了整整 10000 倍：看看是元还是万元。"]
    assert wrong(rate="0.15")[2] == ["“毛利占运费的比例”差了整整 100 倍：看看该写百分数还是小数。"]
    assert wrong(rate="-15")[2] == ["“毛利占运费的比例”的正负号反了。"]
    assert wrong(rate="16")[1:] == (1.33, ["“毛利占运费的比例”不对，再算一次。"])
    assert wrong(revenue="38410")[0] == "right"  # 相对误差 0.1%
    assert wrong(profit="5760元")[0] == "right"
    assert wrong(profit="约0.6")[:1] + tuple(wrong(profit="约0.6")[2]) == (
        "malformed",
        "“一年少赚的毛利”要写一个数，例如 12.5；单位是万元。",
    )
    assert wrong(profit=" ")[0] == "empty"


def test_number_is_recomputed_from_the_students_own_table():
    mine = {
        "time": {"weight": "0.2", "sun": "５", "hua": "1"},
        "price": {"weight": "20%", "sun": "5", "hua": "1"},
        "serve": {"weight": 0.6, "sun": "5", "hua": "1"},
    }
    own = {**OWN, "given": number.given(OWN, {"9.1-4": mine}.get)}
    assert own["given"] == {"sun": pytest.approx(5), "hua": pytest.approx(1), "time": 0.2}
    assert judged(own, {"sun": "5", "hua": "1", "gap": "4"})[0] == "right"
    assert judged(own, {"sun": "5", "hua": "1", "gap": "-4"})[2] == ["问的是**苏畅**比淮穗高多少，谁减谁？"]
    assert judged(OWN, {"sun": "5", "hua": "1", "gap": "4"})[0] == "wrong"


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        [],
        "x",
        {"time": {}},
        {"time": {"weight": "很多"}},
        {"zz": 1},
        {"time": {"weight": 1e308, "sun": 5}},
        {"time": {"weight": [1]}},
    ],
)
def test_number_waits_for_its_inputs(answer):
    own = {**OWN, "given": number.given(OWN, {"9.1-4": answer}.get)}
    typed = {"sun": "1", "hua": "1", "gap": "0"}
    assert judged(own, typed) == ("empty", 0, ["这道题要用你在第 9.1-4 题里填的数：先把它填完。"])
    assert tasks.score_task(own, typed, final=True).points == 0


def test_answer_of_a_number_task_is_ready_to_compute_with():
    assert number.value(NUMBER, {"revenue": "3万", "rate": "x"}) == {"revenue": 30000, "rate": None}
    assert number.value(NUMBER, {}) is None
    assert tasks.text(NUMBER, {"revenue": "3", "profit": "2 万元"}) == (
        "一年少收的运费：3 元\n一年少赚的毛利：2 万元\n毛利占运费的比例：（空）"
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"key": {"sun": 1, "hua": 1}}, "key 没有“gap”的值"),
        ({"key": {**OWN["key"], "x": 1}}, "空“x”不存在"),
        ({"key": {**OWN["key"], "gap": {"formula": "sun - x"}}}, "用了没有的名字“x”"),
        ({"key": {**OWN["key"], "gap": {"formula": "sun -"}}}, "写得不完整"),
        ({"key": {**OWN["key"], "gap": {"formula": "sun ** 2"}}}, "不认识的写法"),
        ({"inputs": {**OWN["inputs"], "sun": {"task": "9.1-99", "blank": "x"}}}, "前面没有第 9.1-99 题"),
        ({"inputs": {**OWN["inputs"], "sun": {"task": "9.1-4", "blank": "x"}}}, "没有空“x”"),
        ({"inputs": {**OWN["inputs"], "sun": {"task": "9.1-4", "cell": ["x", "sun"]}}}, "没有行“x”"),
        ({"inputs": {**OWN["inputs"], "sun": {"task": "9.1-4", "cell": ["time", "x"]}}}, "没有数字列“x”"),
        ({"inputs": {**OWN["inputs"], "sun": {"task": "9.1-4", "sum_of": "weight*x"}}}, "没有的名字“x”"),
    ],
)
def test_number_faults(changes, said):
    assert said in "\n".join(tasks.faults({**OWN, **changes}))


def test_inputs_from_later_tasks_other_uses_and_draws_are_refused():
    late = {**TASKS["9.1-5"], "inputs": {"x": {"task": "9.1-g3", "sum_of": "count"}}}
    units._add_sources(late, list(TASKS.values()))
    assert late["sources"] == {}  # 练习题用不了作业题的数
    drawn = {**TASKS["9.1-3"], "draw": 2}
    spec = {"x": {"task": "9.1-3", "blank": "rate"}}
    assert "是抽题" in "\n".join(
        tasks.faults({**OWN, "inputs": spec, "sources": {"9.1-3": tasks.public(drawn)}})
    )
