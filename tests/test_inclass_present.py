"""`crm present`：取出哪些步，副本放在哪里，口令，真的开一次。"""

import json

import pytest

pytest.importorskip("markdown_it", reason="教师机才装")

from fixtures import inclass

from autograder.inclass import present, steps, web
from crmlib import paths
from crmlib.cli import CourseError


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    monkeypatch.setenv("CRM_COURSE", str(inclass.make(tmp_path)))
    return web.lesson("9.1")


def test_steps_are_the_demo_cells_with_the_prose_that_belongs_to_them(lesson):
    cells, found = steps.read(lesson)
    assert [step.title for step in found] == [
        "打开课程工具", "先猜一个", "第一个数", "第二个数", "你猜的", "坏的"]
    assert "投给谁" in found[0].lead and "300 万元" in found[0].lead
    assert "<strong>猜</strong>" in found[1].lead and "前面的话" not in found[1].lead
    assert found[1].kicker == "第 1 课时　看一看" and found[2].kicker == "第 1 课时　看一看 · 猜"
    assert found[3].cells == [*found[2].cells, found[3].cells[-1]]  # 紧挨着的，前一格留着
    assert found[1].tasks == ["9.1-0"] and cells[found[4].cells[0]].fresh
    codes = "".join(cell.code for cell in cells)
    assert "rate = 0.15" in codes and "9.1-2" not in codes  # 后面要用的照样运行；只显示题目的不运行


def test_every_unit_of_the_course_can_be_presented():
    course = json.loads((paths.notebooks() / "course.json").read_text("utf-8"))
    for unit in [unit for module in course["modules"] for unit in module["units"]]:
        one = web.lesson(unit["id"])
        _, found = steps.read(one)
        assert any(step.lead for step in found)
        plan = steps.plan(one)
        assert [section["title"] for section in plan["first"]] == list(steps.FIRST), unit["id"]


def test_the_teachers_notes(lesson):
    plan = steps.plan(lesson)
    assert [s["title"] for s in plan["first"]] == ["分钟安排", "投影演示脚本"]
    assert "<table>" in plan["first"][0]["html"]
    assert "<script>" not in plan["more"][0]["html"]
    task = inclass.TASKS[2]
    assert "优势：自营班车" in steps.expected(task) and "没有唯一的答案" in steps.expected(inclass.TASKS[0])
    (lesson.source / "teach.md").unlink()
    assert steps.plan(lesson) == {"first": [], "more": []}


def test_answers_of_a_presentation_are_kept_apart_and_never_lost(lesson):
    mine = lesson.notebook.parent / "answers.json"
    mine.write_text("学生的", "utf-8")
    folder = present.scratch(lesson)
    assert folder == paths.root() / "inclass" / "present" / "9.1" and not (folder / "answers.json").exists()
    (folder / "answers.json").write_text("第一课时猜的", "utf-8")
    assert (present.scratch(lesson) / "answers.json").read_text("utf-8") == "第一课时猜的"
    present.scratch(lesson, fresh=True)
    assert [p.read_text("utf-8") for p in folder.glob("answers*.json")] == ["第一课时猜的"]
    assert not (folder / "answers.json").exists() and mine.read_text("utf-8") == "学生的"


def test_what_cannot_be_presented_is_one_clear_fault(lesson, monkeypatch):
    with pytest.raises(CourseError, match=r"没有单元“7.7”。现有：9.1-sample"):
        web.lesson("7.7")
    book = json.loads(lesson.notebook.read_text("utf-8"))
    for cell in book["cells"]:
        cell["metadata"] = {}
    lesson.notebook.write_text(json.dumps(book), "utf-8")
    with pytest.raises(CourseError, match="没有标着 demo 的格子"):
        steps.read(lesson)
    lesson.notebook.write_text("坏了", "utf-8")
    with pytest.raises(CourseError, match="读不出来"):
        steps.read(lesson)
    lesson.notebook.unlink()
    with pytest.raises(CourseError, match="crm build"):
        web.lesson("9.1")
    (paths.notebooks() / "course.json").unlink()
    with pytest.raises(CourseError, match="课程地图"):
        web.lesson("9.1")


def test_pages_ask_for_their_key_and_do_not_show_it(lesson):
    show = inclass.Running(paths.root(), "present", "9.1", "--port", "0")
    try:
        stranger = inclass.Device(show.base)
        for path in ("/screen", "/teacher", "/ws/screen", "/ws/teacher", "/enter/screen?key=x",
                     "/enter/boss?key="):
            assert stranger.get(path)[0] == 403, path
        assert stranger.get("/../../etc/passwd")[0] == 404 and stranger.get("/present.js")[0] == 404
        projector = inclass.Device(show.base)
        status, html, headers = projector.get(show.doors["screen"])
        assert status == 200 and "key=" not in html
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert projector.get("/teacher")[0] == 403  # 投影的口令打不开老师窗口
        assert inclass.Device(show.base).get(show.doors["teacher"])[0] == 200
    finally:
        said = show.stop()
    assert "投影已关闭" in said and not show.complaints()
