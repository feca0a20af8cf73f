"""在真实的浏览器里交作业：打开发下来的作业，写一点，点“打包”，看 zip 里是不是刚写的。"""

import json
import shutil
import zipfile

import pytest

from autograder import build
from crmlib.handin import RECEIPT

pytestmark = pytest.mark.browser
NAME = "2.2-swot-pest"


@pytest.fixture(scope="module")
def assignment(course):
    """The real assignment as students get it, put where they put it."""
    from conftest import ROOT

    folder = course.notebooks / NAME
    shutil.copytree(ROOT / "assignments" / "source" / NAME, folder)
    path = folder / f"{NAME}.ipynb"
    nb = json.loads(path.read_text("utf-8"))
    for cell in nb["cells"]:
        cell["source"] = build.HIDDEN.sub("", "".join(cell["source"]))
    path.write_text(json.dumps(nb, ensure_ascii=False), "utf-8")
    yield folder
    shutil.rmtree(folder)


def opened(page, course):
    """Open the assignment; its panel, once everything has run."""
    page.goto(course.address.replace("/crm?", f"/lab/tree/{NAME}/{NAME}.ipynb?"))
    panel = page.locator(".crm-handin")
    panel.wait_for(state="attached")
    page.locator(".crm-lesson.crm-running").wait_for(state="detached")
    return panel


def test_a_student_hands_in(page, course, assignment, shot):
    panel = opened(page, course)
    panel.scroll_into_view_if_needed()
    assert "没有 answers.json" in panel.inner_text() and "还有 7 题没有答好" in panel.inner_text()

    # 没写名字：说一句，不打包
    panel.get_by_role("button", name="打包").click()
    panel.get_by_text("先写上你的学号或姓名。").wait_for()
    assert not list(course.notebooks.glob("*.zip"))
    shot(page, "hand-in-open")

    # 在代码格里写一行，不存盘，直接打包：打进去的是刚写的
    cell = page.locator(".jp-CodeCell").filter(has_text="ife").locator(".cm-content").last
    cell.scroll_into_view_if_needed()
    cell.click()
    page.keyboard.press("Control+End")
    page.keyboard.type("\n# 我刚写的一行")
    panel.scroll_into_view_if_needed()
    panel.get_by_label("学号或姓名").fill("20260101")
    panel.get_by_label("学号或姓名").press("Enter")
    panel.get_by_text("打包好了").wait_for()
    shot(page, "hand-in-packed")
    with zipfile.ZipFile(course.notebooks / f"20260101-{NAME}.zip") as file:
        assert "# 我刚写的一行" in file.read(f"{NAME}/{NAME}.ipynb").decode()
        assert json.loads(file.read(f"{NAME}/{RECEIPT}"))["code"] in panel.inner_text()


def test_what_was_ticked_while_the_kernel_was_busy_is_in_the_zip(page, course, assignment):
    panel = opened(page, course)
    options = page.locator(".crm-task[data-task='2.2-g3'] .crm-option input")
    options.first.wait_for(state="attached")
    panel.scroll_into_view_if_needed()
    panel.get_by_label("学号或姓名").fill("20260102")
    with course.busy():
        for place in (0, 1, 2):
            options.nth(place).evaluate("node => node.click()")
            page.wait_for_timeout(100)  # 一次一次地存，不是最后存一次
        panel.get_by_role("button", name="打包").click()
        panel.get_by_text("等最后几题存好").wait_for()
        page.wait_for_timeout(500)
        assert not list(course.notebooks.glob("20260102-*.zip"))
    panel.get_by_text("打包好了").wait_for()
    with zipfile.ZipFile(course.notebooks / f"20260102-{NAME}.zip") as file:
        answers = json.loads(file.read(f"{NAME}/answers.json"))["answers"]
    assert len(answers["2.2-g3"]["answer"]) == 3
