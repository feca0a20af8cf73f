"""控件在内核里的那一半：收到答案就存，收到检查就评；顺序乱了、写不了、重新运行，都不丢答案。"""

import json
from pathlib import Path

import pytest
import yaml

from crmlib import tasks
from crmlib.tasks import answers
from crmlib.widgets import TaskWidget, script, style

TASKS = {t["id"]: t for t in yaml.safe_load(
    (Path(__file__).parent / "fixtures" / "demo_tasks.yaml").read_text("utf-8"))}
ONE, WRITE, GRADED = TASKS["2.2-1"], TASKS["2.2-6"], TASKS["2.2-g1"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("crmlib.widgets._live", {})
    return tmp_path


def type_in(widget, answer):
    """What the browser sends after a change."""
    widget.set_state({"answer": answer, "stamp": widget.stamp + 1})


def check(widget, answer, stamp=None):
    stamp = stamp or widget.stamp + 1
    widget.set_state({"answer": answer, "stamp": stamp, "checked": stamp})


def test_every_change_is_saved_and_numbered():
    widget = TaskWidget.of(ONE)
    type_in(widget, ["s"])
    assert answers.record("2.2-1")["answer"] == ["s"]
    assert (widget.status["stamp"], widget.status["saved"], widget.status["state"]) == (1, True, "saved")
    assert widget.result == {}


def test_check_judges_saves_and_numbers_go_on():
    widget = TaskWidget.of(ONE)
    check(widget, ["s"])
    assert widget.result["state"] == "wrong"
    assert answers.record("2.2-1")["tries"] == 1
    type_in(widget, ["o"])  # 刷新过的页面从 widget.stamp 往上数
    assert answers.record("2.2-1")["answer"] == ["o"]
    assert widget.result == {}


def test_save_that_arrives_after_its_check_changes_nothing():
    widget = TaskWidget.of(ONE)
    check(widget, ["o"], stamp=2)
    widget.set_state({"answer": ["o"], "stamp": 1})
    assert widget.result["state"] == "right"
    assert answers.record("2.2-1")["state"] == "right"


@pytest.mark.parametrize("content", [
    {}, {"do": "fly"}, {"do": "check"}, {"do": "self", "marks": "x"}])
def test_strange_messages_do_no_harm(content):
    widget = TaskWidget.of(ONE)
    widget._receive(widget, content, [])
    assert widget.result == {} and not answers.record("2.2-1")


@pytest.mark.parametrize("answer", [None, 7, "x", {"a": [1] * 9}])
def test_strange_answers_do_no_harm(answer):
    widget = TaskWidget.of(ONE)
    check(widget, answer)
    assert widget.result["state"] in ("empty", "malformed")


def test_browser_gets_no_key():
    for task in TASKS.values():
        sent = TaskWidget.of(task).get_state()
        sent.pop("_esm"), sent.pop("_css")
        told = json.dumps(sent, ensure_ascii=False, default=str)
        for mistake in task.get("mistakes", []):
            assert mistake["hint"] not in told
        assert task.get("explain", "没有解释") not in told


def test_reopened_widget_shows_answer_and_feedback():
    check(TaskWidget.of(ONE), ["s"])
    widget = TaskWidget(ONE)
    assert widget.answer == ["s"]
    assert widget.result["messages"] == [ONE["mistakes"][0]["hint"]]
    assert widget.status["saved"]


def test_cell_run_again_keeps_one_widget_and_reads_the_file_again():
    widget = TaskWidget.of(ONE)
    type_in(widget, ["s"])
    answers.save("2.2-1", {"answer": ["o"]})
    assert TaskWidget.of(ONE) is widget
    assert widget.answer == ["o"]
    Path("answers.json").unlink()
    assert TaskWidget.of(ONE).answer is None
    changed = {**ONE, "title": "改过的题"}
    assert TaskWidget.of(changed) is not widget
    assert widget.comm is None  # 旧的关掉了


def test_answer_that_cannot_be_saved_is_told_and_stays_on_screen(monkeypatch):
    def fail(*_, **__):
        raise answers.SaveError("磁盘满了")

    widget = TaskWidget.of(ONE)
    monkeypatch.setattr(answers, "save", fail)
    type_in(widget, ["s"])
    assert (widget.status["saved"], widget.status["trouble"], widget.answer) == (False, "磁盘满了", ["s"])
    check(widget, ["o"])  # 存不上，也照样告诉对错
    assert widget.result["state"] == "right"
    assert widget.status["trouble"] == "磁盘满了"


def test_own_rubric_marks_are_kept():
    widget = TaskWidget.of(WRITE)
    check(widget, "选甲，因为苏北件晚点的占 24%。" * 3)
    widget._receive(widget, {"do": "self", "marks": {"0": 1}}, [])
    assert answers.record("2.2-6")["self"] == {"0": 1}
    assert TaskWidget(WRITE).self_marks == {"0": 1}


def test_graded_widget_tells_completeness_only():
    public = tasks.public(GRADED)
    widget = TaskWidget.of(public)
    type_in(widget, {"c01": "out"})
    assert (widget.status["state"], widget.status["messages"]) == ("empty", ["还有 3 张卡片没有放。"])
    check(widget, {card: "in" for card in GRADED["cards"]})
    assert widget.result["state"] == "saved"
    assert widget.result["where"] == {}


def test_answer_as_text_for_paper_is_escaped():
    widget = TaskWidget.of(WRITE)
    type_in(widget, "<script>alert(1)</script>")
    assert "&lt;script&gt;" in widget._as_text()
    assert "<script>" not in widget._as_text()
    assert "还没有作答" in TaskWidget.of(ONE)._as_text()


def test_prompt_is_rendered_safely():
    widget = TaskWidget.of({**ONE, "prompt": "**看** <img src=x onerror=alert(1)>"})
    assert widget.task["prompt_html"] == "<p><strong>看</strong> &lt;img src=x onerror=alert(1)&gt;</p>"


@pytest.mark.parametrize("kind", tasks.KINDS)
def test_every_kind_has_its_script_and_needs_no_network(kind):
    source = (script(kind) + style(kind)).replace("http://www.w3.org/2000/svg", "")  # 只是个名字
    assert "export default" in source
    assert not any(word in source for word in ("http://", "https://", "import(", "eval("))


def test_kinds_do_not_dress_each_other():
    """All kinds stand on one page: a class that two stylesheets speak of must be one of the shared ones."""
    import re

    from crmlib import widgets

    named = {path.name: set(re.findall(r"\.(crm-[\w-]+)", path.read_text("utf-8")))
             for path in Path(widgets.__file__).parent.glob("*.css")}
    shared = named.pop("shared.css")
    for one, classes in named.items():
        for other, others in named.items():
            assert one == other or not (classes & others) - shared, (one, other)
