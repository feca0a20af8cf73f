"""像学生那样，在真实的浏览器里上一课：首页 → 2.2 → 做题 → 刷新 → 内核死掉 → 关机重来。"""

import json

import pytest

pytestmark = pytest.mark.browser

LESSON = "2/2.2-swot-pest.ipynb"
ERRORS = "[data-mime-type='application/vnd.jupyter.error'], [data-mime-type='application/vnd.jupyter.stderr']"


@pytest.fixture(scope="module")
def tasks(course):
    """The practice tasks of 2.2 by id, keys included."""
    content = json.loads((course.notebooks / "2" / "tasks" / "2.2.json").read_text("utf-8"))
    return {t["id"]: t for t in content["tasks"]}


def saved(course, task):
    return json.loads((course.notebooks / "2" / "answers.json").read_text("utf-8"))["answers"][task]


def first(tasks, kind, **more):
    """The first task of a kind that has a key and known mistakes."""
    return next(t for t in tasks.values() if t["kind"] == kind and t.get("mistakes")
                and all(t.get(k) == v for k, v in more.items()))


def bin_of(task, card):
    accepted = task["key"][card]
    return accepted if isinstance(accepted, str) else accepted[0]


def box(page, task):
    return page.locator(f".crm-task[data-task='{task['id']}']")


def ran(page, tasks):
    """Wait until the lesson has run to its end, by itself; every task is there and nothing failed."""
    for task in tasks.values():
        box(page, task).wait_for(state="attached")
    page.locator(".crm-lesson.crm-running").wait_for(state="detached")
    faults = page.locator(ERRORS).all_inner_texts()
    assert not faults, faults


def go_home(page, course):
    page.goto(course.address)
    page.locator(".crm-home h1").wait_for()


def open_lesson(page, course, tasks):
    go_home(page, course)
    page.locator(".crm-home-card[data-unit='2.2'] a").click()
    ran(page, tasks)


def check(page, task, state):
    box(page, task).locator(".crm-check").click()
    feedback = box(page, task).locator(f".crm-feedback[data-state='{state}']")
    feedback.wait_for()
    return feedback.inner_text()


def test_home_page(page, course, shot):
    go_home(page, course)
    assert page.locator(".lm-MenuBar-itemLabel").first.inner_text() == "文件"
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    assert page.locator(".crm-home-card a").count() >= 1
    shot(page, "home")

    # 路线：换一条，刷新后还记得
    page.get_by_role("link", name="江苏中职").click()
    page.locator("a[data-crm-route='js'][aria-current]").wait_for()
    page.reload()
    page.locator("a[data-crm-route='js'][aria-current]").wait_for()
    shot(page, "home-route")
    page.get_by_role("link", name="全部").click()

    # 编写中的单元：看得见名字，点不开
    page.get_by_text("还在编写的单元").click()
    planned = page.locator(".crm-home-planned")
    assert planned.count() > 1
    assert planned.locator("a").count() == 0

    # 只用键盘也到得了课文
    card = page.locator(".crm-home-card[data-unit='2.2'] a")
    for _ in range(60):
        page.keyboard.press("Tab")
        if card.evaluate("node => node === document.activeElement"):
            break
    page.keyboard.press("Enter")
    page.locator(".crm-lesson").wait_for()

    # 课程首页在哪里都回得去
    page.get_by_role("button", name="课程首页").click()
    page.locator(".crm-home h1").wait_for()


def test_a_lesson_runs_by_itself_and_nothing_fails(page, course, tasks, shot):
    open_lesson(page, course, tasks)
    outer = page.locator(".crm-lesson .jp-WindowedPanel-outer")
    assert outer.evaluate("node => node.scrollTop") < 50  # 从头读起
    shot(page, "lesson-top")

    # 误按的键不会弄坏课文；双击也不露出源码
    cells = page.locator(".crm-lesson .jp-Cell")
    before = cells.count()
    page.locator(".crm-lesson .jp-RenderedMarkdown h1").dblclick()
    for key in ("d", "d", "x", "a", "b", "m", "Enter"):
        page.keyboard.press(key)
    assert cells.count() == before
    assert page.locator(".jp-MarkdownCell .jp-InputArea-editor:visible").count() == 0

    # ▶ 运行全部：学生停在原来的地方
    last = box(page, list(tasks.values())[-1])
    page.wait_for_timeout(2500)
    last.scroll_into_view_if_needed()
    at = last.bounding_box()["y"]
    page.locator("[data-jp-item-name='run-all-zh']").get_by_text("运行全部").click()
    page.locator(".crm-lesson.crm-running").wait_for()
    ran(page, tasks)
    page.wait_for_timeout(2500)
    assert abs(last.bounding_box()["y"] - at) < 60


def test_sorting_by_keyboard_and_mouse_and_a_known_mistake(page, course, tasks, shot):
    task = first(tasks, "classify")
    mistake = task["mistakes"][0]
    wanted = {card: bin_of(task, card) for card in task["cards"]} | mistake["when"]
    bins = list(task["bins"])
    open_lesson(page, course, tasks)
    widget = box(page, task)
    widget.scroll_into_view_if_needed()

    by_mouse = list(wanted)[:2]
    for card in by_mouse:
        target = widget.locator(f".crm-bin[data-bin='{wanted[card]}']")
        widget.locator(f".crm-card[data-card='{card}']").drag_to(target, target_position={"x": 60, "y": 40})
        target.locator(f"[data-card='{card}']").wait_for()
    widget.locator(f".crm-card[data-card='{list(wanted)[2]}']").focus()
    for _ in list(wanted)[2:]:  # 放好一张，自动到下一张
        card = page.evaluate("document.activeElement.dataset.card")
        page.keyboard.press(str(bins.index(wanted[card]) + 1))
        widget.locator(f".crm-bin[data-bin='{wanted[card]}'] [data-card='{card}']").wait_for()

    said = check(page, task, "partial")
    assert mistake["hint"].replace("**", "") in said
    for other in task["mistakes"][1:]:
        assert other["hint"].replace("**", "") not in said
    shot(page, "classify-mistake")

    # 改对：用键盘把放错的那一张换个格子
    for card in mistake["when"]:
        widget.locator(f".crm-card[data-card='{card}']").focus()
        page.keyboard.press(str(bins.index(bin_of(task, card)) + 1))
    check(page, task, "right")
    shot(page, "classify-right")
    assert saved(course, task["id"])["points"] == task["points"]


def test_answers_survive_a_reload_a_dead_kernel_and_a_restart(page, course, tasks, shot):
    poll = next(t for t in tasks.values() if t["kind"] == "choose" and "key" not in t)
    choose = first(tasks, "choose")
    wrong = choose["mistakes"][0]
    open_lesson(page, course, tasks)

    def option(task, name):
        return box(page, task).locator(f".crm-option[data-option='{name}'] input")

    picked = list(poll["options"])[1]
    option(poll, picked).check()
    box(page, poll).locator(".crm-status[data-state='saved']").wait_for()
    option(choose, wrong["when"][0]).check()
    assert wrong["hint"].replace("**", "") in check(page, choose, "wrong")
    shot(page, "choose-wrong")

    def still_there():
        ran(page, tasks)
        assert option(poll, picked).is_checked()
        assert option(choose, wrong["when"][0]).is_checked()
        assert box(page, choose).locator(".crm-feedback[data-state='wrong']").count() == 1

    page.reload()
    still_there()
    # 控件是活的，不是上次留下的影子
    option(poll, list(poll["options"])[2]).check()
    box(page, poll).locator(".crm-status[data-state='saved']").wait_for()
    assert saved(course, poll["id"])["answer"] == [list(poll["options"])[2]]
    option(poll, picked).check()
    box(page, poll).locator(".crm-status[data-state='saved']").wait_for()

    # 内核死了：说一声，课文自己再运行一遍，不用点什么
    assert course.kernels()
    for kernel in course.kernels():
        kernel.kill()
    page.get_by_text("课文正在重新运行").first.wait_for()
    page.locator(".crm-lesson.crm-running").wait_for()
    shot(page, "kernel-died")
    still_there()
    assert page.locator(".jp-Dialog").count() == 0

    # 关机，第二天再来：从首页一键回到做到的那道题
    page.goto("about:blank")
    course.stop()
    course.start()
    go_home(page, course)
    resume = page.locator(".crm-home-continue")
    assert "继续上次的学习" in resume.inner_text()
    shot(page, "home-next-day")
    resume.click()
    still_there()
    page.wait_for_timeout(1500)
    assert box(page, poll).evaluate("node => node.getBoundingClientRect().top") < 768
    assert "Traceback" not in course.complaints()
