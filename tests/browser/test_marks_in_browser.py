"""学生的评价表和老师的成绩册面板，在真实的 JupyterLab 里；成绩页打得出来。"""

import re
import shutil
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from conftest import SHOTS

sys.path.append(str(Path(__file__).parents[1]))  # 单独运行这个文件夹时，也找得到 fixtures
from fixtures.marks import AFTER, DUE, PROJECT, Class, form_of, ids

pytestmark = pytest.mark.browser
A, B = ids()[:2]


@pytest.fixture(scope="module")
def klass(tmp_path_factory):
    klass = Class(tmp_path_factory.mktemp("班") / "kd")
    klass.marks("--scheme", "kd", "--by", "王老师", "--until", "2027-01-15")
    klass.roll()
    klass.peers("new", "期末", "--due", DUE, "--date", "2026-12-20", "--seed", "秋")
    return klass


def open_lab(page, course, path):
    page.goto(re.sub(r"/crm\?", f"/lab/tree/{quote(path)}?", course.address))
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()


def test_a_student_fills_his_form_and_it_comes_back(page, course, klass, shot):
    place, _ = form_of(klass.folder, A)
    mine = course.notebooks / place.name
    shutil.copytree(place, mine)
    open_lab(page, course, f"{place.name}/{place.name}.ipynb")
    for task in ("rate-1", "rate-2"):
        widget = page.locator(f".crm-task[data-task='{task}']")
        widget.wait_for(state="attached")
        boxes = widget.locator("td[data-type='number'] input")
        boxes.first.wait_for()
        for box in boxes.all():
            box.fill("24")
    page.wait_for_timeout(1500)
    page.locator(".crm-task[data-task='rate-1']").scroll_into_view_if_needed()
    shot(page, "marks-form")
    page.locator(".crm-task[data-task='rate-2']").scroll_into_view_if_needed()
    shot(page, "marks-form-self")
    assert (mine / "answers.json").is_file()
    panel = page.locator(".crm-handin")  # 和作业一样，在最下面打包
    panel.scroll_into_view_if_needed()
    panel.get_by_label("学号或姓名").fill(A)
    panel.get_by_role("button", name="打包").click()
    panel.get_by_text("打包好了").wait_for()
    assert "没有答好" not in panel.inner_text() and "评分格" not in panel.inner_text()
    shot(page, "marks-form-packed")
    (klass.folder / "submitted").mkdir()
    shutil.move(course.notebooks / f"{A}-{place.name}.zip", klass.folder / "submitted")
    said = klass.peers("read")
    state = klass.state()
    assert state.ratings["kd-A4", "peer_within", "期末"][B][A].mark == "72", said
    assert state.ratings["kd-A9", "self", "期末"][A][A].mark == "72"


def test_the_teachers_panel(page, course, shot):
    folder = course.notebooks / "班级"
    folder.mkdir()
    for name in ("gradebook.ipynb", "nbgrader_config.py"):
        shutil.copy(PROJECT / "assignments" / name, folder)
    open_lab(page, course, "班级/gradebook.ipynb")
    page.get_by_role("button", name="还缺什么").wait_for()
    page.get_by_role("button", name="还缺什么").click()
    page.get_by_text("还没有定考核方案。开学先定").last.wait_for()
    page.get_by_role("button", name="定方案").first.scroll_into_view_if_needed()
    page.get_by_role("button", name="定方案").first.click()
    page.get_by_text("“姓名”还没有填").wait_for()
    shot(page, "marks-panel")


def test_the_pages_print(page, klass, shot):
    klass.marks("report", "--today", AFTER)
    out = klass.folder / "成绩表" / AFTER
    for path, name in ((out / "全班-给老师.html", "marks-class"),
                       (out / "学生" / A / f"成绩单-{A}.html", "marks-student")):
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "屏幕上不用左右拖"
        shot(page, name)
        pdf = page.pdf(prefer_css_page_size=True)
        pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
        assert pages <= (4 if "class" in name else 2)
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 1040 if "class" in name else 700, "height": 700})
        page.screenshot(path=SHOTS / f"{name}-print.png", full_page=True)
        page.emulate_media(media="screen")
