"""配对、排序、填数和抽题在真实的 JupyterLab 里：鼠标、手指、键盘都能做；存得住；样子留成截图。"""

import json
import re
import sys
from pathlib import Path

import nbformat
import pytest
from conftest import SHOTS

from crmlib import tasks as kit
from crmlib.tasks import answers, session

sys.path.append(str(Path(__file__).parents[1]))  # 单独运行这个文件夹时，也找得到 fixtures
from fixtures.samples import as_keyed, samples

pytestmark = pytest.mark.browser
TASKS = samples()
KEYS = {name: kit.KINDS[task["kind"]].key_answer(task) for name, task in as_keyed(TASKS).items()}


@pytest.fixture(scope="module")
def lesson(course):
    """A folder with one notebook that shows every sample, and runs when it opens."""
    folder = course.notebooks / "cards"
    (folder / "tasks").mkdir(parents=True)
    given = [t if t["use"] == "practice" else kit.public(t) for t in TASKS.values()]
    (folder / "tasks" / "9.1.json").write_text(json.dumps({"format": 1, "tasks": given}), "utf-8")
    hidden = {"jupyter": {"source_hidden": True}}
    cells = [nbformat.v4.new_code_cell("# 准备\nimport crmlib as crm", metadata=hidden)]
    cells += [nbformat.v4.new_code_cell(f'# 题目\ncrm.task("{name}")', metadata=hidden) for name in TASKS]
    kernel = {"name": "python3", "display_name": "Python 3"}
    notebook = nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": kernel, "crm": {"unit": "9.1", "autorun": True}})
    nbformat.write(notebook, folder / "demo.ipynb")
    return folder


@pytest.fixture
def show(page, course, lesson):
    """show(): open the notebook, wait until its widgets live; a function task id → its widget."""

    def open_it(saved=None):
        (lesson / "answers.json").unlink(missing_ok=True)
        if saved:
            saved()
        page.goto(re.sub(r"/crm\?", "/lab/tree/cards/demo.ipynb?", course.address))
        page.locator(".jp-Notebook .crm-task").first.wait_for()
        page.locator("[data-jp-item-name='run-all-zh']").get_by_text("运行全部").click()
        page.locator(".crm-lesson.crm-running").wait_for(state="detached")
        for name in TASKS:
            widget(name).wait_for(state="attached")
        page.wait_for_timeout(500)
        return widget

    def widget(name):
        return page.locator(f".crm-task[data-task='{name}']")

    return open_it


def record(lesson, name):
    return json.loads((lesson / "answers.json").read_text("utf-8"))["answers"].get(name, {})


def saved(widget):
    widget.locator(".crm-status[data-state='saved']").wait_for()


def check(widget, state):
    widget.locator(".crm-check").click()
    feedback = widget.locator(f".crm-feedback[data-state='{state}']")
    feedback.wait_for()
    return feedback.inner_text()


def drag(page, start, end, down=0.5):
    """Drag one element onto another, ``down`` of its height from its top."""
    start.scroll_into_view_if_needed()
    a, b = start.bounding_box(), end.bounding_box()
    page.mouse.move(a["x"] + a["width"] / 3, a["y"] + a["height"] / 2)
    page.mouse.down()
    page.mouse.move(b["x"] + b["width"] / 3, b["y"] + b["height"] * down, steps=8)
    page.mouse.up()


def order_of(widget):
    return widget.locator(".crm-step").evaluate_all("nodes => nodes.map(n => n.dataset.card)")


# ---- 配对 ----

def test_match_by_clicking_dragging_and_letters(page, show, lesson):
    match = show()("9.1-1")
    left, right = (lambda id: match.locator(f".crm-end-left[data-card='{id}']"),
                   lambda id: match.locator(f".crm-end-right[data-card='{id}']"))
    left("w").click()
    right("time").click()
    right("safe").click()  # 先点右边也行
    left("l").click()
    drag(page, left("z"), right("price"))
    drag(page, right("time"), left("c"))  # 从右往左拖也行
    assert match.locator(".crm-wires path").count() == 4
    assert "配的是" in left("c").get_attribute("aria-label")

    # 键盘：按字母配，自动到下一张没配的；数字换卡片；退格拆开
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    letters = {b: right(b).locator(".crm-key").inner_text() for b in TASKS["9.1-1"]["right"]}
    left("h").focus()
    page.keyboard.press(letters["time"])
    page.keyboard.press("1")
    assert page.evaluate("document.activeElement.dataset.card") == "w"
    page.keyboard.press("Backspace")
    assert match.locator(".crm-wires path").count() == 4
    page.keyboard.press("Enter")  # 点中，到右边挑
    for _ in range(9):
        if page.evaluate("document.activeElement.dataset.card") == "time":
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    saved(match)
    said = check(match, "partial")
    assert "不知道" in said and "2.4 / 3 分" in said and "对 4 对，错 1 对" in said
    assert match.locator(".crm-wires path[data-mark='wrong']").count() == 1
    left("c").focus()
    page.keyboard.press(letters["track"])
    check(match, "right")
    assert record(lesson, "9.1-1")["answer"] == KEYS["9.1-1"]
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells


# ---- 排序 ----

def test_order_by_dragging_arrows_and_keyboard(page, show, lesson):
    order = show()("9.1-2")
    order.evaluate("node => node.scrollIntoView()")
    step = lambda id: order.locator(f".crm-step[data-card='{id}']")  # noqa: E731
    first = order_of(order)
    assert "还没有排" in check(order, "empty")  # 一次没动，不算答案

    drag(page, step(first[-1]), step(first[0]), down=0.1)
    assert order_of(order) == [first[-1], *first[:-1]]
    assert page.locator(".crm-ghost").count() == 0
    drag(page, step(first[0]), order.locator(".crm-prompt"))  # 放在外面：什么也不变
    assert order_of(order) == [first[-1], *first[:-1]]
    step(first[-1]).get_by_title("往后挪").click()
    assert order_of(order)[:2] == [first[0], first[-1]]

    # 键盘：数字放到第几步，Alt+箭头挪一步，空格拿起再挪，Esc 放回
    for place, item in enumerate(KEYS["9.1-2"], 1):
        step(item).focus()
        page.keyboard.press(str(place))
    assert order_of(order) == KEYS["9.1-2"]
    step("offer").focus()
    page.keyboard.press("Alt+ArrowUp")
    page.keyboard.press("Alt+ArrowUp")
    assert page.evaluate("document.activeElement.dataset.card") == "offer"
    said = check(order, "partial")
    assert "拿什么谈赔法" in said
    assert order.locator(".crm-step[data-mark='wrong']").count() == 1
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    assert order_of(order).index("offer") == 1
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    check(order, "right")
    assert record(lesson, "9.1-2")["answer"] == KEYS["9.1-2"]


def test_by_finger_on_a_narrow_screen(browser, course, lesson):
    context = browser.new_context(viewport={"width": 768, "height": 1024}, has_touch=True, is_mobile=True)
    context.set_default_timeout(60_000)
    page = context.new_page()
    (lesson / "answers.json").unlink(missing_ok=True)
    page.goto(re.sub(r"/crm\?", "/lab/tree/cards/demo.ipynb?", course.address))
    order = page.locator(".crm-task[data-task='9.1-g2']")
    order.wait_for(state="attached")
    page.locator(".crm-lesson.crm-running").wait_for(state="detached")
    page.keyboard.press("Control+b")  # 文件列表收起来，课文才有地方
    page.wait_for_timeout(800)
    order.scroll_into_view_if_needed()
    first = order_of(order)
    order.get_by_role("button", name="我看过了，就这样排").tap()  # 不用动的，也交得了
    order.locator(".crm-status[data-state='saved']").wait_for()
    assert record(lesson, "9.1-g2")["answer"] == first
    order.locator(f".crm-step[data-card='{first[0]}']").get_by_title("往后挪").tap()
    assert order_of(order)[1] == first[0]
    match = page.locator(".crm-task[data-task='9.1-g1']")
    match.locator(".crm-end-left").first.tap()
    match.locator(".crm-end-right").first.tap()
    assert match.locator(".crm-partner").first.text_content().startswith("A")
    assert match.locator(".crm-end-left").first.get_attribute("data-paired") == ""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


# ---- 填数 ----

def test_number_with_units_full_width_and_own_inputs(page, show, lesson):
    widget = show()
    blanks = widget("9.1-3").locator("input")
    blanks.nth(0).fill("３．８４万")
    page.keyboard.press("Enter")
    page.keyboard.type("5760")
    page.keyboard.press("Enter")
    page.keyboard.type("15%")
    page.keyboard.press("Enter")  # 最后一空按回车就检查
    feedback = widget("9.1-3").locator(".crm-feedback[data-state='partial']")
    feedback.wait_for()
    assert "看看是元还是万元" in feedback.inner_text()
    blanks.nth(1).fill("5760 元")
    check(widget("9.1-3"), "right")

    # 用自己的表算：表没填，先去填；表改了，得数跟着变
    own = widget("9.1-5").locator("input")
    for place, typed in enumerate(("4", "2", "2")):
        own.nth(place).fill(typed)
    assert "先把它填完" in check(widget("9.1-5"), "empty")
    for row in ("准时", "价格", "服务"):
        for title, typed in (("权重", "1"), ("苏畅评分", "4"), ("淮穗评分", "2")):
            value = {"准时": "0.5", "价格": "0.25", "服务": "0.25"}[row] if title == "权重" else typed
            widget("9.1-4").get_by_label(f"{row}，{title}").fill(value)
    check(widget("9.1-4"), "right")
    check(widget("9.1-5"), "right")
    widget("9.1-4").get_by_label("准时，苏畅评分").fill("5")
    saved(widget("9.1-4"))
    own.nth(1).fill("２")
    check(widget("9.1-5"), "partial")


def test_typing_faster_than_the_kernel_loses_nothing(page, course, show, lesson):
    widget = show()("9.1-3")
    with course.busy():
        widget.locator("input").first.click()
        for typed in ("38400", "0.576", "15%"):
            page.keyboard.type(typed)
            page.keyboard.press("Enter")  # 到下一空，同时存一次；最后一次是检查
    widget.locator(".crm-feedback[data-state='right']").wait_for()
    page.wait_for_timeout(300)  # 晚到的旧答案，不许盖住新的
    shown = widget.locator("input").evaluate_all("nodes => nodes.map(n => n.value)")
    assert shown == ["38400", "0.576", "15%"]
    assert record(lesson, "9.1-3")["answer"] == {"revenue": "38400", "profit": "0.576", "rate": "15%"}


def test_leaving_while_an_answer_still_waits_asks_first(page, course, show):
    widget, asked = show()("9.1-3"), []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    box = widget.locator("input").first
    box.fill("38400")
    saved(widget)
    page.keyboard.press("Control+s")  # 笔记没存，JupyterLab 自己会问；这里问的是答案
    page.wait_for_timeout(1500)
    page.reload(wait_until="commit")
    assert not asked
    page.locator(".crm-lesson.crm-running").wait_for(state="detached")
    box.wait_for(state="attached")
    page.keyboard.press("Control+s")
    page.wait_for_timeout(1500)
    with course.busy():
        box.fill("38401")
        page.wait_for_timeout(2000)
        page.reload(wait_until="commit")
    assert asked == ["beforeunload"]


# ---- 抽题 ----

def test_draw_is_the_same_after_reopening(page, show, lesson):
    widget = show()
    cards = widget("9.1-7").locator(".crm-card")
    seen = cards.evaluate_all("nodes => nodes.map(n => n.dataset.card)")
    assert len(seen) == 4
    seed = json.loads((lesson / "answers.json").read_text("utf-8"))["seed"]
    page.reload()
    page.locator(".crm-lesson.crm-running").wait_for(state="detached")
    widget("9.1-7").wait_for(state="attached")
    assert cards.evaluate_all("nodes => nodes.map(n => n.dataset.card)") == seen
    assert json.loads((lesson / "answers.json").read_text("utf-8"))["seed"] == seed


# ---- 样子 ----

STATES = {
    "empty": {},
    "half": {"9.1-1": {"w": "time", "z": "price"}, "9.1-3": {"revenue": "３８４００"},
             "9.1-g1": {"a": "ot"}, "9.1-g2": ["file", "check", "limit", "sign", "ship"]},
    "wrong": {"9.1-1": {**KEYS["9.1-1"], "c": "time", "h": "safe"}, "9.1-2": ["offer", *KEYS["9.1-2"][:3],
              *KEYS["9.1-2"][4:]], "9.1-3": {"revenue": "3200", "profit": "5760", "rate": "15%"}},
    "right": {name: KEYS[name] for name in ("9.1-1", "9.1-2", "9.1-3", "9.1-4", "9.1-5", "9.1-6")},
}


@pytest.mark.parametrize("look", ["Light", "Dark"])
def test_screenshots(page, show, lesson, course, monkeypatch, look):
    settings = Path(course.env["JUPYTER_CONFIG_DIR"], "lab/user-settings/@jupyterlab/apputils-extension")
    settings.mkdir(parents=True, exist_ok=True)
    chosen = settings / "themes.jupyterlab-settings"
    chosen.write_text(json.dumps({"theme": f"JupyterLab {look}"}), "utf-8")
    monkeypatch.chdir(lesson)
    SHOTS.mkdir(parents=True, exist_ok=True)
    for state, given in STATES.items():
        def fill(given=given, state=state):
            answers.seed()
            for name, answer in given.items():
                task = session.mine(TASKS[name])
                if state == "half" or task["use"] == "graded":
                    session.keep(task, answer)
                else:
                    session.store(task, session.judge(task, answer)[1])

        widget = show(fill)
        assert page.locator("body").get_attribute("data-jp-theme-light") == str(look == "Light").lower()
        for width in (1366, 1920):
            page.set_viewport_size({"width": width, "height": 1400})
            for name in given or ("9.1-1", "9.1-2", "9.1-3", "9.1-5", "9.1-7", "9.1-9", "9.1-g1"):
                widget(name).scroll_into_view_if_needed()
                page.wait_for_timeout(80)
                kind = TASKS[name]["kind"]
                widget(name).screenshot(path=SHOTS / f"{kind}-{name}-{state}-{look.lower()}-{width}.png")
    chosen.unlink()
