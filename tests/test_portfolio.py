"""学习档案：一页进度、选择和文字。"""

import json
import subprocess
import sys
from datetime import date

import pytest

from crmlib import home
from crmlib.cli import CourseError
from crmlib.portfolio import build, portfolio
from crmlib.portfolio import page as served_page

OPTIONS = {"a": "甲　修分拨中心", "b": "乙　降价"}


def tasks(unit):
    return [
        {"id": f"{unit}-0", "kind": "choose", "use": "practice", "title": "先猜一个", "options": OPTIONS},
        {"id": f"{unit}-1", "kind": "choose", "use": "practice", "title": "一道题", "points": 2,
         "options": OPTIONS, "key": ["a"]},
        {"id": f"{unit}-2", "kind": "write", "use": "practice", "title": "给总经理的建议", "points": 3,
         "rubric": [], "key": "参考答案在此"},
        {"id": f"{unit}-3", "kind": "choose", "use": "practice", "title": "再选一次", "options": OPTIONS},
    ]


def make(root, modules):
    """A course folder: {module: [unit ids]}, each unit with the four tasks above."""
    folder, course = root / "notebooks", {"title": "物流客户关系管理", "modules": [], "routes": {}}
    for module, units in modules.items():
        (folder / module / "tasks").mkdir(parents=True)
        entries = []
        for unit in units:
            written = {"format": 1, "tasks": tasks(unit)}
            (folder / module / "tasks" / f"{unit}.json").write_text(json.dumps(written), "utf-8")
            points = {f"{unit}-0": 0, f"{unit}-1": 2, f"{unit}-2": 3, f"{unit}-3": 0}
            entries.append({"id": unit, "title": "物流市场营销环境分析", "path": f"{module}/{unit}-x.ipynb",
                            "tasks": list(points), "points": points})
        course["modules"].append({"id": module, "title": "市场调查", "units": entries, "planned": []})
    (folder / "course.json").write_text(json.dumps(course), "utf-8")
    return folder


def record(answer, state="saved", points=0, day="2026-11-23"):
    return {"answer": answer, "state": state, "points": points, "saved": f"{day}T19:00:00"}


def answer(folder, module, records):
    content = {"format": 1, "seed": "9f2c41d07be3", "answers": records}
    (folder / module / "answers.json").write_text(json.dumps(content), "utf-8")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CRM_COURSE", str(tmp_path))
    return make(tmp_path, {"2": ["2.2", "2.3"]})


def test_progress_choices_and_texts(folder):
    answer(folder, "2", {"2.2-0": record(["a"]), "2.2-1": record(["a"], "right", 2),
                         "2.2-2": record("投甲。\n晚点太多。", points=3, day="2026-11-25"),
                         "2.2-3": record(["b"])})
    page = build(folder)
    for words in ("姓名", "班级", "学号", "4 / 4 题", "5 / 5 分", "2026-11-25", "学过 1 个单元",
                  "投甲。 晚点太多。", "甲　修分拨中心 → <b>改选</b>：乙　降价".replace("　", " ")):
        assert words in page
    assert "2.3 物流" not in page and "参考答案" not in page and "9f2c41d07be3" not in page
    assert str(folder) not in page  # 文件夹里常有别人的用户名


def test_a_kept_choice_and_a_guess_alone(folder):
    answer(folder, "2", {"2.2-0": record(["a"]), "2.2-3": record(["a"]), "2.3-0": record(["b"])})
    page = build(folder)
    assert "<b>学完还是选</b>" in page and "<b>2.3</b> 先猜一个：乙 降价</li>" in page


def test_text_is_escaped_and_shortened(folder):
    answer(folder, "2", {"2.2-2": record("<script>alert(1)</script>'\"&" + "字" * 900)})
    page = build(folder)
    assert "<script" not in page and "&lt;script&gt;alert(1)" in page
    assert "字" * 601 not in page and "全文" in page and "个字，在课文里" in page


@pytest.mark.parametrize("saved", [["x"], {"a": 1}, "a", [["a"]], 7, "半个\ud800字", "长" * 300_000])
def test_hostile_answers_never_break_the_page(folder, saved):
    answer(folder, "2", {f"2.2-{n}": record(saved) for n in range(4)} | {"2.3-0": "foreign"})
    page = served_page().decode()
    assert "学过 1 个单元" in page and len(page) < 20_000 and "答案读不出来" in page


def test_damaged_files_are_named_and_left_alone(folder):
    answer(folder, "2", {"2.2-0": record(["a"])})
    (folder / "2" / "tasks" / "2.2.json").write_text("{", "utf-8")
    (folder / "2" / "answers.损坏-20261123-190000.json").write_text("x", "utf-8")
    page = build(folder)
    assert "2/tasks/2.2.json 读不出来" in page and "answers.损坏-20261123-190000.json" in page
    (folder / "2" / "answers.json").write_text("{broken", "utf-8")
    before = sorted(folder.rglob("*"))
    page = build(folder)
    assert "2/answers.json 读不出来" in page and "这里还是空的" in page
    assert sorted(folder.rglob("*")) == before
    assert (folder / "2" / "answers.json").read_text("utf-8") == "{broken"


def test_nothing_done_yet_is_a_friendly_page(folder):
    page = served_page().decode()
    assert "这里还是空的" in page and "姓名" in page and "<table" not in page


def test_no_course_map(folder):
    (folder / "course.json").write_text("[]", "utf-8")
    assert "课程地图" in served_page().decode()
    with pytest.raises(CourseError, match="课程地图"):
        portfolio()


def test_many_units_fold_what_is_old(tmp_path):
    folder = make(tmp_path, {str(m): [f"{m}.{n}" for n in range(1, 5)] for m in range(1, 17)})
    for m in range(1, 17):
        given = {0: ["a"], 2: "我的建议。" * 80, 3: ["b"]}
        answer(folder, str(m), {f"{m}.{n}-{t}": record(a, day=f"2026-{m % 12 + 1:02}-0{n}")
                                for n in range(1, 5) for t, a in given.items()})
    page = build(folder)
    assert "学过 64 个单元" in page and page.count("<tbody>") == 16 and "class='two'" in page
    assert "更早的 56 条" in page and "更早的 54 条" in page
    assert page.index("<b>11.4 给总经理的建议") < page.index("<b>10.4 给总经理的建议")  # 新的在前


def test_written_once_and_nothing_overwritten(folder, monkeypatch):
    monkeypatch.chdir(folder / "2")
    (folder / "学习档案.html").write_text("别的东西", "utf-8")
    first = portfolio()
    assert first.path.name == "学习档案-2.html" and "href='../" in first._repr_html_()
    assert "?download" not in first.path.read_text("utf-8")
    tomorrow = first.path.read_text("utf-8").replace(f"{date.today():%Y-%m-%d}", "2020-01-01")
    first.path.write_bytes(tomorrow.encode())
    assert portfolio().path == first.path  # 只有日期不同：不多写一份
    answer(folder, "2", {"2.2-0": record(["a"])})
    assert portfolio().path.name == "学习档案-3.html"
    assert (folder / "学习档案.html").read_text("utf-8") == "别的东西"


def test_lazy_names_stay_functions():
    code = "import crmlib as crm; [getattr(crm, n) for n in crm.__all__]; " \
           "print(all(callable(getattr(crm, n)) for n in ('portfolio', 'deliver')))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "True\n"


def test_page_stands_alone_and_home_leads_to_it(folder):
    served, file = served_page().decode(), build(folder)
    assert "download=1" in served and "print()" in served
    for part in ("href=", "src=", "<script", "url(", "@import", "onclick"):
        assert part not in file
    assert "href='/x/crm/portfolio'" in home.page(base="/x/") and "我的学习档案" in home.page()


@pytest.mark.parametrize("saved", ["<b>x</b>", "2026-11-23<b>x</b>"])
def test_a_foreign_date_is_never_markup(folder, saved):
    answer(folder, "2", {"2.2-0": {"answer": ["a"], "state": "saved", "saved": saved}})
    assert "<b>x" not in build(folder)
