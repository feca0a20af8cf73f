"""学生在笔记本里用到的：crm.task、check、answer、handed、score，以及题目文件出错时说的话。"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import crmlib as crm
from crmlib import tasks
from crmlib.tasks import answers, session

TASKS = {t["id"]: t for t in yaml.safe_load(
    (Path(__file__).parent / "fixtures" / "demo_tasks.yaml").read_text("utf-8"))}
ONE, SORT, TABLE, WRITE, CODE = (TASKS[f"2.2-{n}"] for n in (1, 3, 4, 6, 7))
GRADED = TASKS["2.2-g1"]
BLOB = tasks.encode_task(GRADED)


@pytest.fixture(autouse=True)
def lesson(tmp_path, monkeypatch):
    """A folder such as a student opens; graded tasks come with their public part only."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tasks").mkdir()
    given = [t if t["use"] == "practice" else tasks.public(t) for t in TASKS.values()]
    content = json.dumps({"format": 1, "tasks": given}, ensure_ascii=False)
    (tmp_path / "tasks" / "2.2.json").write_text(content, "utf-8")
    return tmp_path


def hand_in(answer, task=GRADED):
    session.keep(tasks.find_task(task["id"]), answer)


# ---- 找题目 ----

@pytest.mark.parametrize(("task_id", "said"), [
    ("2.2-99", "这个单元有：2.2-0、2.2-1"), ("9.9-1", "没有 tasks/9.9.json。这里有的单元：2.2"),
    ("", "这里有的单元：2.2"), (None, "找不到题目"), ("../x", "找不到题目")])
def test_unknown_task_is_told_and_the_known_ones_named(task_id, said):
    for use in (crm.task, crm.check, crm.answer, crm.handed):
        with pytest.raises(tasks.TaskError, match=said):
            use(task_id)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"tasks": 3}', '{"tasks": [{}]}', "\x00"])
def test_damaged_task_file_is_told(lesson, content):
    (lesson / "tasks" / "2.2.json").write_text(content, "utf-8")
    with pytest.raises(tasks.TaskError, match="损坏"):
        crm.check("2.2-1")


def test_kind_of_a_newer_course_is_told(lesson):
    path = lesson / "tasks" / "2.2.json"
    path.write_text(json.dumps({"tasks": [{**ONE, "kind": "riddle"}]}), "utf-8")
    with pytest.raises(tasks.TaskError, match="更新课程"):
        crm.check("2.2-1")


def in_notebook(cell, folder):
    """Run one cell as a notebook would; what was shown, as HTML."""
    code = f"""
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
shell = InteractiveShell.instance()
with capture_output() as heard:
    result = shell.run_cell({cell!r})
result.raise_error()
print(*(output._repr_html_() for output in heard.outputs), heard.stdout)
"""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8",
                          cwd=folder)


def test_in_a_notebook_a_card_instead_of_a_traceback(lesson):
    cell = 'import crmlib as crm; crm.task("2.2-99"); crm.check("9.9-1"); crm.handed("x")'
    done = in_notebook(cell, lesson)
    assert done.returncode == 0, done.stderr
    assert "题目打不开" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


# ---- 练习：检查 ----

def test_check_tells_the_hint_and_counts_the_try(capsys):
    session.keep(ONE, ["s"])
    crm.check("2.2-1")
    said = capsys.readouterr().out
    assert "不对 · 0/1 分" in said
    assert ONE["mistakes"][0]["hint"] in said
    assert "回头看：" in said
    assert ONE["explain"] not in said
    assert answers.record("2.2-1")["tries"] == 1


def test_solution_opens_after_three_different_tries(capsys):
    for answer in (["s"], ["s"], ["w"], ["t"]):
        session.keep(ONE, answer) if answer != answers.record("2.2-1").get("answer") else None
        crm.check("2.2-1")
    said = capsys.readouterr().out
    assert answers.record("2.2-1")["tries"] == 3  # 没改就再点一次，不算
    assert said.count("所以是机会") == 1


def test_points_keep_the_best_and_state_tells_of_now():
    for answer in (["o"], ["s"]):
        said, changes = session.judge(ONE, answer)
        session.store(ONE, changes)
    record = answers.record("2.2-1")
    assert (record["points"], record["of"], record["state"]) == (1, 1, "wrong")
    assert said["points"] == 0


def test_feedback_is_escaped_html():
    task = {**ONE, "mistakes": [{"name": "x", "when": ["s"], "hint": "**看** <img src=x>"}]}
    said, _ = session.judge(task, ["s"])
    assert said["messages"] == ["<strong>看</strong> &lt;img src=x&gt;"]


def test_unfinished_is_no_try_and_shows_no_marks():
    said, changes = session.judge(SORT, {"c01": "P"})
    assert (said["state"], said["where"], changes["tries"], changes["points"]) == ("empty", {}, 0, 0)


def test_code_task_reads_the_variables_of_the_cell_that_asks(capsys):
    scope = {"crm": crm, "ife": 10, "rows": 4}
    exec('crm.check("2.2-7")', scope)
    assert CODE["mistakes"][0]["hint"] in capsys.readouterr().out
    assert crm.answer("2.2-7") == {"ife": 10, "rows": 4}


def test_answer_gives_values_to_compute_with():
    assert crm.answer("2.2-4") is None
    session.keep(TABLE, {"van": {"weight": "３０％", "rating": "4"}})
    assert crm.answer("2.2-4")["van"]["weight"] == 0.3
    session.keep(SORT, {"c01": "P"})
    assert crm.answer("2.2-3") == {"c01": "P"}


# ---- 重新打开 ----

def test_reopening_shows_answer_and_last_result():
    said, changes = session.judge(ONE, ["s"])
    session.store(ONE, changes)
    opened = session.open_saved(ONE)
    assert (opened.answer, opened.feedback, opened.notices) == (["s"], said, [])
    session.keep(ONE, ["o"])  # 改了还没检查：标记不再显示
    assert session.open_saved(ONE).feedback == {}


def test_written_text_shows_the_model_again_once_handed_in():
    text = "选甲，因为苏北件晚点的占 24%。" * 3
    session.store(WRITE, session.judge(WRITE, text)[1])
    session.store(WRITE, {"self": {"0": 2}})
    opened = session.open_saved(WRITE)
    assert opened.feedback["solution"]["answer"] == WRITE["key"]
    assert opened.self_marks == {"0": 2}
    assert opened.answer == text


def test_answer_to_a_task_that_changed_is_kept_and_told():
    session.store(ONE, session.judge(ONE, ["s"])[1])
    changed = {**ONE, "prompt": "换个问法"}
    opened = session.open_saved(changed)
    assert opened.answer == ["s"]
    assert opened.feedback == {}
    assert "这道题改过了" in opened.notices[0]
    session.keep(changed, ["o"])
    record = answers.record("2.2-1")
    assert (record["answer"], record["tries"], record["old"][0]["answer"]) == (["o"], 0, ["s"])


@pytest.mark.parametrize("foreign", [["zz"], 7, {"a": "b"}, "x" * 300_000, [["a"]]])
def test_foreign_answer_is_not_shown_and_not_lost(foreign):
    session.keep(ONE, ["s"])
    content = answers.read()
    content["2.2-1"]["answer"] = foreign
    Path("answers.json").write_text(json.dumps({"format": 1, "answers": content}), "utf-8")
    opened = session.open_saved(ONE)
    assert opened.answer is None
    assert "读不出来" in opened.notices[0]
    session.keep(ONE, ["o"])
    assert answers.record("2.2-1")["old"][0]["answer"] == foreign


# ---- 作业：交没交全，得几分 ----

@pytest.mark.parametrize(("answer", "said"), [
    ({}, "还没答完"), ({"c01": "in"}, "还有 3 张卡片没有放"),
    ({"c01": "out", "c03": "in", "c04": "in", "c18": "in"}, "答完了，可以交")])
def test_handed_says_complete_or_not_and_never_right_or_wrong(answer, said, capsys):
    hand_in(answer)
    crm.handed("2.2-g1")
    shown = capsys.readouterr().out
    assert said in shown
    assert not any(word in shown for word in ("不对", "全对", "正确", "分】"))


def test_check_of_a_graded_task_says_no_more_than_handed(capsys):
    hand_in({"c01": "out", "c03": "in", "c04": "in", "c18": "in"})
    crm.check("2.2-g1")
    assert "答完了，可以交" in capsys.readouterr().out


@pytest.mark.parametrize(("answer", "points"), [
    (None, 0), ({}, 0), ({"c01": "in"}, 0.75), ({"c01": "in", "c03": "out", "c04": "in", "c18": "out"}, 2.25),
    (GRADED["key"], 3), (["c01"], 0), ("<script>", 0), ({"zz": "in"}, 0)])
def test_score_is_always_a_float_and_partial_work_counts(answer, points, capsys):
    if answer is not None:
        hand_in(answer)
    score = crm.score("2.2-g1", BLOB)
    assert type(score) is float
    assert score == points
    heard = capsys.readouterr()
    assert heard.err == ""
    if answer and points == 2.25:
        assert GRADED["mistakes"][0]["hint"] in heard.out
        assert "4 项里对了 3 项" in heard.out


@pytest.mark.parametrize("content", [
    b"", b"{", b"\xff\xfe", b"[]", b'{"format":1,"answers":[]}', b"[" * 100_000, b'{"format":9,"answers":{}}',
    b'{"format":1,"answers":{"2.2-g1":5}}', b'{"format":1,"answers":{"2.2-g1":{"answer":NaN}}}'])
def test_score_survives_a_damaged_answers_file_and_leaves_it_alone(content, capsys):
    Path("answers.json").write_bytes(content)
    assert crm.score("2.2-g1", BLOB) == 0.0
    assert capsys.readouterr().err == ""
    assert Path("answers.json").read_bytes() == content


def test_score_of_code_reads_the_given_namespace(capsys):
    blob = tasks.encode_task({**CODE, "id": "2.2-g9", "use": "graded"})
    assert crm.score("2.2-g9", blob, {"ife": 2.5, "rows": 3}) == 1.0
    assert crm.score("2.2-g9", blob, {}) == 0.0
    assert crm.score("2.2-g9", blob) == 0.0
    assert "还没有变量 ife" in capsys.readouterr().out


def test_score_needs_no_task_file_and_html_in_an_answer_stays_text(lesson):
    answers.save("2.2-g3", {"answer": {"a": {"x": "<script>alert(1)</script>"}}})
    task = {"id": "2.2-g3", "kind": "form", "title": "表", "points": 1, "key": {},
            "columns": [{"id": "x", "title": "甲"}], "rows": [{"id": "a"}],
            "rules": [{"name": "n", "rule": "length", "column": "x", "max": 3}]}
    (lesson / "tasks" / "2.2.json").unlink()
    blob = tasks.encode_task(task)
    done = in_notebook(f'import crmlib; crmlib.score("2.2-g3", "{blob}")', lesson)
    assert "&lt;script&gt;" in done.stdout, done.stderr
    assert "<script>" not in done.stdout


# ---- 轻 ----

def test_tasks_import_neither_widgets_nor_pandas():
    heavy = {"anywidget", "ipywidgets", "pandas", "numpy", "IPython"}
    code = f"import sys, crmlib.tasks; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr
