"""评分：标准答案满分，空答案零分，每个已知错误说出自己的提示，离奇的答案不崩溃也不得分。"""

import copy
import doctest
import math
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmlib import tasks
from crmlib.tasks import classify, code, core, form, markup, numbers

TASKS = {t["id"]: t for t in yaml.safe_load(
    (Path(__file__).parent / "fixtures" / "demo_tasks.yaml").read_text("utf-8"))}
SCORED = {i: t for i, t in TASKS.items() if "key" in t}
AUTOMATIC = {i: t for i, t in SCORED.items() if t["kind"] != "write"}
every = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
scored = pytest.mark.parametrize("task", SCORED.values(), ids=SCORED)
POLL, ONE, MANY, SORT, TABLE, PLAN, WRITE, CODE = (TASKS[f"2.2-{n}"] for n in range(8))


def key_of(task):
    return tasks.KINDS[task["kind"]].key_answer(task)


@pytest.mark.parametrize("module", [core, numbers, markup], ids=lambda m: m.__name__)
def test_examples_in_docstrings(module):
    assert doctest.testmod(module).failed == 0


@every
def test_demo_tasks_have_no_faults(task):
    assert tasks.faults(task) == []


@scored
def test_key_scores_full_marks(task):
    result = tasks.score_task(task, key_of(task))
    assert result.points == result.of == tasks.full_points(task)
    assert result.state == ("saved" if task["kind"] == "write" else "right")
    assert result.messages == []


@every
@pytest.mark.parametrize("empty", [None, [], {}, ""], ids=repr)
@pytest.mark.parametrize("final", [False, True])
def test_empty_answer_scores_nothing(task, empty, final):
    result = tasks.score_task(task, empty, final=final)
    assert result.points == 0
    assert result.state in ("empty", "malformed")
    assert result.messages


MISTAKES = [(t, m) for t in SCORED.values() for m in t.get("mistakes", [])]


@pytest.mark.parametrize(("task", "mistake"), MISTAKES, ids=[f"{t['id']} {m['name']}" for t, m in MISTAKES])
def test_mistake_loses_marks_and_shows_exactly_its_hint(task, mistake):
    answer = tasks.KINDS[task["kind"]].overlay(task, mistake["when"])
    result = tasks.score_task(task, answer)
    assert result.points < result.of
    assert result.messages == [mistake["hint"]]
    assert result.mistakes == [mistake["name"]]


HOSTILE = {
    "number": 7, "float": 1.5, "true": True, "nan": math.nan, "infinity": math.inf, "text": "P",
    "html": "<script>alert(1)</script>", "million": "字" * 1_000_000, "bytes": b"x", "object": object(),
    "list of numbers": [1, 2], "list of lists": [["a"], [["c"]]], "list of dicts": [{"a": 1}],
    "foreign option": ["zz"], "long list": ["zz"] * 300_000, "foreign card": {"zz": "P"},
    "foreign bin": {"c01": "zz"}, "html card": {"<img src=x onerror=alert(1)>": "P"}, "number keys": {1: 2},
    "numbers in bins": {"c01": 3}, "lists in bins": {"c01": ["P"]},
    "deep": {"van": {"weight": {"x": [[[[[1]]]]]}}}, "nan in cell": {"van": {"weight": math.nan}},
    "rows of text": {"van": "x"}, "foreign row": {"zz": {"weight": 1}},
    "foreign column": {"van": {"zz": 1}}, "free row": {"r1": {"what": 3, "cards": "c04"}},
    "many rows": {f"r{n}": {"what": "x"} for n in range(500)}, "huge number": {"van": {"weight": 10**400}},
    "cards of anything": {"r1": {"cards": [["c04"], None]}},
    "foreign names": {"__builtins__": 1}, "surrogate": "\ud800", "null in text": "\x00",
}


@every
@pytest.mark.parametrize("final", [False, True])
@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_hostile_answers_never_raise_and_never_score(task, hostile, final):
    result = tasks.score_task(task, hostile, final=final)
    assert result.points == 0
    assert result.state in ("malformed", "empty", "wrong") or task["kind"] == "write"
    assert isinstance(tasks.text(task, hostile), str)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["a", "s", "P", "c01", "van", "r1", "0.3", "S"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["c01", "c04", "van", "late", "r1", "weight", "cards", "what", "ife", "side"])
        | st.text(max_size=5), inner, max_size=4),
    max_leaves=12)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(answer=json_values, name=st.sampled_from(sorted(TASKS)), final=st.booleans())
def test_any_json_is_judged_without_raising(answer, name, final):
    result = tasks.score_task(TASKS[name], answer, final=final)
    assert 0 <= result.points <= result.of
    tasks.text(TASKS[name], answer)
    tasks.score_task(tasks.public(TASKS[name]), answer)


# ---- 各题型的规则 ----

def test_choose_many_hits_minus_false_picks():
    points = [tasks.score_task(MANY, answer).points for answer in (["a"], ["a", "b"], ["a", "c", "b"], ["b"])]
    assert points == [1, 0, 1, 0]
    assert tasks.score_task(MANY, ["a"]).where == {"a": True}


def test_choose_one_takes_only_one():
    assert tasks.score_task(ONE, ["o", "s"]).state == "malformed"


def test_poll_is_saved_and_never_scored():
    result = tasks.score_task(POLL, ["b"])
    assert (result.state, result.points, result.of) == ("saved", 0, 0)


def test_classify_share_of_cards_and_cards_with_two_right_bins():
    key = key_of(SORT)
    for bin_name in ("E", "T"):
        assert tasks.score_task(SORT, {**key, "c19": bin_name}).state == "right"
    half = {card: bin_name for card, bin_name in key.items() if card < "c18"}
    assert tasks.score_task(SORT, half).state == "empty"
    assert tasks.score_task(SORT, half).points == 2  # 16 张放对 8 张，4 分
    assert tasks.score_task(SORT, half, final=True).state == "partial"


def test_classify_names_the_bin_but_not_the_answer():
    said = tasks.score_task(SORT, {**key_of(SORT), "c12": "E", "c13": "E"}).messages
    assert said == ["“经济 E”里有 2 张卡片不该在这里（带 ✗）。"]


def fill(**changes):
    filled = copy.deepcopy(TABLE["key"])
    for place, value in changes.items():
        row, column = place.split("_")
        filled[row][column] = value
    return filled


@pytest.mark.parametrize("written", ["0.3", "0。3", "０．３", "30%", "３０％", " 0.30 ", 0.3])
def test_form_reads_numbers_as_students_type_them(written):
    assert tasks.score_task(TABLE, fill(van_weight=written)).state == "right"


@pytest.mark.parametrize(("written", "said"), [
    ("abc", "要写一个数"), ("1.5", "要在 0 到 1 之间"), ("-0.1", "之间")])
def test_form_names_the_cell_that_is_not_well_formed(written, said):
    result = tasks.score_task(TABLE, fill(van_weight=written))
    assert result.state == "malformed"
    assert "“每晚 9 点的自营班车”的“权重”" in result.messages[0]
    assert said in result.messages[0]


def test_form_rules_each_give_their_share_and_their_hint():
    result = tasks.score_task(TABLE, fill(late_weight=0.4, late_score=0.4))
    assert result.points == 2.8
    assert result.messages == [TABLE["rules"][1]["hint"]]
    assert {cell for cell, ok in result.where.items() if not ok} == {f"{r}.weight" for r in TABLE["key"]}


def test_form_gap_is_not_finished_rather_than_wrong():
    answer = fill()
    del answer["van"]["score"]
    result = tasks.score_task(TABLE, answer)
    assert (result.state, result.messages) == ("empty", ["“每晚 9 点的自营班车”还没有填：加权得分。"])


def test_form_given_cells_cannot_be_overwritten():
    assert tasks.score_task(TABLE, fill(late_side="S")).state == "malformed"


def test_form_free_rows():
    good = key_of(PLAN)["r1"]
    assert tasks.score_task(PLAN, {"r1": good, "r2": {}}).state == "right"  # 空着的行不算
    result = tasks.score_task(PLAN, {"r1": good, "r2": good})
    assert result.messages == ["有两条策略写得一样。"]
    assert tasks.score_task(PLAN, {"r2": {"what": "只写一半"}}).state == "empty"


def small(rule, **column):
    return {"kind": "form", "id": "1.1-1", "prompt": "", "title": "",
            "columns": [{"id": "x", "title": "甲", **column}], "rows": [{"id": "a"}, {"id": "b"}],
            "rules": [{"name": "n", "hint": "h", **rule}], "key": {}}


@pytest.mark.parametrize(("rule", "column", "good", "bad"), [
    ({"rule": "required", "columns": ["x"]}, {}, ["1", "2"], None),
    ({"rule": "sum", "column": "x", "equals": 1}, {"type": "number"}, ["0.4", "60%"], ["0.4", "0.5"]),
    ({"rule": "range", "column": "x", "min": 1, "max": 4}, {"type": "number"}, ["1", "4"], ["1", "5"]),
    ({"rule": "range", "column": "x", "max": 4, "rows": ["a"]}, {"type": "number"}, ["1", "9"], ["9", "1"]),
    ({"rule": "cites", "column": "x", "among": ["c1"]}, {"type": "cards", "cards": {"c1": "一", "c2": "二"}},
     [["c1"], ["c2", "c1"]], [["c1"], ["c2"]]),
    ({"rule": "unique", "column": "x"}, {}, ["甲", "乙"], ["甲", " 甲"]),
    ({"rule": "length", "column": "x", "min": 2, "max": 3}, {}, ["两个", "三个字"], ["两个", "四个字了"]),
    ({"rule": "equals", "cells": {"a": {"x": 2.5}}, "tolerance": 0.1}, {"type": "number"},
     ["2.6", "0"], ["2.7", "0"]),
    ({"rule": "equals", "cells": {"a": {"x": "y"}}}, {"type": "choose", "options": {"y": "是", "n": "否"}},
     ["y", "n"], ["n", "n"]),
    ({"rule": "computed", "column": "x", "formula": "2 * x - x"}, {"type": "number"}, ["3", "4"], None),
])
def test_form_rule(rule, column, good, bad):
    task = small(rule, **column)
    assert tasks.faults(task) == []

    def share(values):
        return form.share(task, {"a": {"x": values[0]}, "b": {"x": values[1]}})[0]

    assert share(good) == 1
    if bad:
        assert share(bad) == 0


def test_form_value_is_ready_to_compute_with():
    table = form.value(TABLE, fill(van_weight="３０％", van_rating="4 分"))
    assert table["van"] == {"side": "S", "weight": 0.3, "rating": 4.0, "score": 1.2, "why": None}
    assert table["late"]["side"] == "W"


@pytest.mark.parametrize(("text", "state", "said"), [
    ("", "empty", "还没有写"), ("选甲，因为好。", "malformed", "至少要 30 个字"),
    ("因为" * 200, "malformed", "最多 200 个字"), ("选甲" * 20, "malformed", "还没有写凭什么"),
    ("选甲，因为" * 10, "saved", None)])
def test_write_checks_length_and_words_only(text, state, said):
    result = tasks.score_task(WRITE, text)
    assert result.state == state
    assert said is None or any(said in message for message in result.messages)


def test_code_reads_only_plain_values_and_never_runs_the_students_methods():
    class Trap(float):
        def __float__(self):
            raise RuntimeError

        __eq__ = __sub__ = __pos__ = __float__

    class Fake:
        __class__ = float

        def item(self):
            raise RuntimeError

    found = code.collect(CODE, {"ife": Trap(2.5), "rows": Fake()})
    assert found == {"ife": 2.5, "rows": None}
    assert tasks.score_task(CODE, found).state == "malformed"


def test_code_takes_numpy_and_pandas_values():
    np, pd = pytest.importorskip("numpy"), pytest.importorskip("pandas")
    task = {**CODE, "names": {"a": "", "b": "", "c": ""}}
    values = {"a": np.float64(2.5), "b": pd.Series([1, 2]), "c": {"x": np.int64(3), 2: np.nan}}
    found = code.collect(task, values)
    assert found == {"a": 2.5, "b": [1, 2], "c": {"x": 3, "2": None}}


def test_code_tolerance_shares_and_types():
    assert tasks.score_task(CODE, {"ife": 2.505, "rows": 4}).state == "right"
    assert tasks.score_task(CODE, {"ife": 2.52, "rows": 4}).points == 1
    said = tasks.score_task(CODE, {"rows": 4}).messages
    assert said == ["还没有变量 ife（内部因素总分）。先运行你的代码。"]
    said = tasks.score_task(CODE, {"ife": "2.5", "rows": 4}).messages
    assert said == ["ife（内部因素总分）应当是一个数。"]
    assert tasks.score_task(CODE, {"ife": True, "rows": 4}).state == "malformed"


# ---- 公开的部分 ----

@every
def test_public_part_hides_everything_that_gives_the_answer_away(task):
    shown = tasks.public(task)
    hidden = {"key", "mistakes", "explain", "review", "rules", "solution", "tolerance", "shares"}
    assert not hidden & shown.keys()
    assert tasks.public(shown) == shown
    assert tasks.fingerprint(shown) == tasks.fingerprint(task)
    if task["kind"] in ("form", "write"):
        assert all(str(rule.get("hint")) not in str(shown) for rule in task.get("rules", []))


@every
def test_a_future_field_does_not_leak(task):
    assert "secret" not in tasks.public({**task, "secret": 1})


@scored
def test_public_part_judges_completeness_only(task):
    shown = tasks.public(task)
    assert tasks.score_task(shown, key_of(task)).state == "saved"
    assert tasks.score_task(shown, None).state == "empty"
    assert tasks.score_task(shown, key_of(task)).points == 0


def test_fingerprint_changes_with_what_the_student_sees_only():
    assert tasks.fingerprint({**ONE, "key": ["s"]}) == tasks.fingerprint(ONE)
    assert tasks.fingerprint({**ONE, "prompt": "换个问法"}) != tasks.fingerprint(ONE)


@scored
def test_blob_carries_the_whole_task(task):
    blob = tasks.encode_task(task)
    assert blob.isascii()
    assert not set(blob) & set("\"'\\\n ")
    assert tasks.decode_task(blob) == task


@pytest.mark.parametrize("blob", ["", "xx", "eJw=", "中文"])
def test_damaged_blob_is_told(blob):
    with pytest.raises(tasks.TaskError, match="损坏"):
        tasks.decode_task(blob)


# ---- 文字版、题目自己的错 ----

@scored
def test_answer_as_text(task):
    assert tasks.text(task, key_of(task))
    assert tasks.text(task, None) == ""


def test_text_lists_bins_in_order_and_what_is_left():
    lines = tasks.text(SORT, {"c02": "P"}).splitlines()
    assert lines[0].startswith("政治法律 P：新条例施行")
    assert lines[1] == "经济 E：（空）"
    assert lines[-1].startswith("还没有放：")


@pytest.mark.parametrize(("task", "changes", "said"), [
    (SORT, {"key": {"c99": "P"}}, "卡片“c99”不存在"),
    (SORT, {"key": {**SORT["key"], "c01": "X"}}, "格子“X”不存在"),
    (SORT, {"key": {}}, "没有说卡片“c01”放哪里"), (ONE, {"key": ["z"]}, "“z”不是选项"),
    (ONE, {"key": ["s", "o"], "many": False}, "many 却是 false"),
    (POLL, {"mistakes": ONE["mistakes"]}, "不能有 mistakes"),
    (TABLE, {"key": {"zz": {}}}, "行“zz”不存在"), (TABLE, {"key": {"van": {"zz": 1}}}, "列“zz”不存在"),
    (TABLE, {"key": {"van": {"weight": 7}}}, "要在 0 到 1 之间"),
    (TABLE, {"rules": [{"name": "n", "rule": "sum", "column": "why", "equals": 1}]}, "不能用在列“why”上"),
    (TABLE, {"rules": [{"name": "n", "rule": "computed", "column": "score", "formula": "a * 2"}]}, "列“a”"),
    (TABLE, {"show": [{"label": "合计", "sum_of": "zz"}]}, "列“zz”"), (PLAN, {"key": {"x": {}}}, "应当叫 r1"),
    (WRITE, {"rubric": []}, "要有 rubric"), (CODE, {"key": {"ife": 1}}, "没有 rows 的值"),
    (CODE, {"kind": "riddle"}, "不认识"),
])
def test_faults_of_a_task_are_named(task, changes, said):
    assert any(said in fault for fault in tasks.faults({**task, **changes}))


def test_same_mistake_name_twice_is_a_fault():
    assert any("两次" in fault for fault in tasks.faults({**ONE, "mistakes": ONE["mistakes"] * 2}))


def test_card_without_a_note():
    assert (classify.card_text("甲"), classify.card_note("甲")) == ("甲", "")


# ---- 题目里的 Markdown ----

@pytest.mark.parametrize(("source", "html"), [
    ("**粗** 和 `a<b`", "<p><strong>粗</strong> 和 <code>a&lt;b</code></p>"),
    ("- 一\n- 二", "<ul><li>一</li><li>二</li></ul>"), ("1. 一\n2. 二", "<ol><li>一</li><li>二</li></ol>"),
    ("|a|b|\n|-|-|\n|1|2|", "<table><thead><tr><th>a</th><th>b</th></tr></thead>"
     "<tbody><tr><td>1</td><td>2</td></tr></tbody></table>"),
    ("```\n<b>\n```", "<pre><code>&lt;b&gt;</code></pre>"), ("一\n二\n\n三", "<p>一<br>二</p><p>三</p>"),
    ("", ""), ("3*4*5", "<p>3*4*5</p>"),
    ("[看](2.2.ipynb)", '<p><a href="2.2.ipynb" target="_blank" rel="noopener">看</a></p>'),
])
def test_markdown(source, html):
    assert markup.markdown(source) == html


@pytest.mark.parametrize("source", [
    "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", '[x](x"onclick="alert(1))', "`<script>`",
    "**<b onmouseover=alert(1)>**", "| <i> |\n|-|\n| <u> |", "[a](//evil.example)"])
def test_markdown_never_lets_html_through(source):
    html = markup.markdown(source)
    for danger in ("<img", "<script", "<b ", "<i>", "<u>", 'href="javascript', 'href="//', 'onclick="'):
        assert danger not in html
