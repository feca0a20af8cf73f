"""五种题在真实的 JupyterLab 里：鼠标、手指、键盘都能做；存得住；答案里的代码只是文字；样子留成截图。"""

import json
import re
from pathlib import Path

import nbformat
import pytest
import yaml
from conftest import SHOTS

from crmlib import tasks as kit
from crmlib.tasks import session

pytestmark = pytest.mark.browser

TASKS = {t["id"]: t for t in yaml.safe_load(
    (Path(__file__).parents[1] / "fixtures" / "demo_tasks.yaml").read_text("utf-8"))}
SORT = TASKS["2.2-3"]
EVIL = "<img src=x onerror=\"window.hacked = 1\"><script>window.hacked = 1</script>"


@pytest.fixture(scope="module")
def lesson(course):
    """A folder with one notebook that shows every demo task, and runs when it opens."""
    folder = course.notebooks / "demo"
    (folder / "tasks").mkdir(parents=True)
    content = json.dumps({"format": 1, "tasks": list(TASKS.values())}, ensure_ascii=False)
    (folder / "tasks" / "2.2.json").write_text(content, "utf-8")
    return folder


def write_notebook(folder):
    """The demo notebook, with no output of an earlier run in it."""
    hidden = {"jupyter": {"source_hidden": True}}
    cells = [nbformat.v4.new_code_cell("# 准备\nimport crmlib as crm", metadata=hidden)]
    cells += [nbformat.v4.new_code_cell(f'# 题目\ncrm.task("{name}")', metadata=hidden) for name in TASKS]
    kernel = {"name": "python3", "display_name": "Python 3"}
    notebook = nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": kernel, "crm": {"unit": "2.2", "autorun": True}})
    nbformat.write(notebook, folder / "demo.ipynb")


@pytest.fixture
def show(page, course, lesson):
    """show(): open the notebook, wait until all its widgets live; returns a function task id → its widget."""

    def open_it(fresh=True, before=lambda: None):
        if fresh:
            (lesson / "answers.json").unlink(missing_ok=True)
        before()
        open_lesson(page, course, lesson)
        return widget

    def widget(name):
        return page.locator(f".crm-task[data-task='{name}']")

    return open_it


def open_lesson(page, course, lesson, mode="lab"):
    write_notebook(lesson)
    # reset：前一条测试开着的侧栏不留给这一条，手机宽的窗口里它会把课文挤没
    page.goto(re.sub(r"/crm\?", f"/{mode}/tree/demo/demo.ipynb?reset&", course.address))
    for name in TASKS:
        page.locator(f".crm-task[data-task='{name}']").wait_for(state="attached")
    page.locator(".crm-lesson.crm-running").wait_for(state="detached")
    page.wait_for_timeout(500)


def record(lesson, name):
    return json.loads((lesson / "answers.json").read_text("utf-8"))["answers"].get(name, {})


def saved(widget):
    widget.locator(".crm-status[data-state='saved']").wait_for()


def check(widget, state):
    widget.locator(".crm-check").click()
    feedback = widget.locator(f".crm-feedback[data-state='{state}']")
    feedback.wait_for()
    return feedback.inner_text()


def move(page, start, end):
    """Drag from the middle of one element to the middle of another, as a hand does."""
    start.scroll_into_view_if_needed()
    a, b = start.bounding_box(), end.bounding_box()
    page.mouse.move(a["x"] + a["width"] / 2, a["y"] + a["height"] / 2)
    page.mouse.down()
    page.mouse.move(b["x"] + b["width"] / 2, b["y"] + 40, steps=8)
    page.mouse.up()


# ---- 分类 ----

def test_cards_by_mouse(page, show, lesson):
    sort = show()("2.2-3")
    bin_p, bin_t = (sort.locator(f".crm-bin[data-bin='{b}']") for b in "PT")
    card = sort.locator(".crm-card[data-card='c02']")
    move(page, card, bin_p)
    bin_p.locator("[data-card='c02']").wait_for()
    assert page.locator(".crm-ghost").count() == 0
    assert card.get_attribute("aria-pressed") == "false"  # 拖完不算又点了一下

    move(page, card, bin_t)  # 换格子
    bin_t.locator("[data-card='c02']").wait_for()
    move(page, card, sort.locator(".crm-tray"))  # 拿回来，回到原来的次序
    assert sort.locator(".crm-tray .crm-card").nth(1).get_attribute("data-card") == "c02"

    card.click()  # 点卡片，再点格子
    assert card.get_attribute("aria-pressed") == "true"
    bin_p.click(position={"x": 100, "y": 60})
    bin_p.locator("[data-card='c02']").wait_for()
    sort.locator(".crm-card[data-card='c16']").click()
    bin_p.locator("[data-card='c02']").click()  # 格子里有卡片挡着，也算点了格子
    bin_p.locator("[data-card='c16']").wait_for()
    saved(sort)
    page.wait_for_timeout(300)
    assert record(lesson, "2.2-3")["answer"] == {"c02": "P", "c16": "P"}

    # 拖到外面、按 Esc：什么也不变
    move(page, card, sort.locator(".crm-prompt"))
    box = card.bounding_box()
    page.mouse.move(box["x"] + 30, box["y"] + 10)
    page.mouse.down()
    target = bin_t.bounding_box()
    page.mouse.move(target["x"] + 50, target["y"] + 50, steps=5)
    page.keyboard.press("Escape")
    page.mouse.up()
    assert bin_p.locator("[data-card='c02']").count() == 1


def test_cards_by_keyboard_do_not_trigger_jupyterlab(page, show, lesson):
    sort = show()("2.2-3")
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    sort.locator(".crm-tray .crm-card").first.focus()
    for key in ("1", "2", "ArrowDown", "3", "ArrowUp", "4", *"ddabxmy"):
        page.keyboard.press(key)
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells
    counts = [sort.locator(f".crm-bin[data-bin='{b}'] .crm-card").count() for b in SORT["bins"]]
    assert counts == [1, 1, 1, 1]
    page.keyboard.press("End")
    page.keyboard.press("Backspace")
    assert sort.locator(".crm-tray .crm-card").count() == 13
    page.keyboard.press("Control+Enter")
    sort.locator(".crm-feedback[data-state='empty']").wait_for()
    assert "还有 13 张卡片没有放" in sort.locator(".crm-feedback").inner_text()
    assert record(lesson, "2.2-3")["tries"] == 0


def still(page, locator):
    """Its box, once the page has stopped moving: other tasks above it may still be growing."""
    before, quiet = None, 0
    while quiet < 5:
        box = locator.bounding_box()
        quiet = quiet + 1 if box == before else 0
        before = box
        page.wait_for_timeout(200)
    return before


def test_cards_by_finger(browser, course, lesson):
    # 平板竖着拿；前面的测试若开着左边的文件栏，题目就窄得和手机一样
    context = browser.new_context(viewport={"width": 820, "height": 1180}, has_touch=True, is_mobile=True)
    context.set_default_timeout(60_000)
    page = context.new_page()
    (lesson / "answers.json").unlink(missing_ok=True)
    open_lesson(page, course, lesson, "doc")
    sort = page.locator(".crm-task[data-task='2.2-g1']")

    # 点卡片，它自己说可以放到哪里
    card = sort.locator(".crm-card[data-card='c04']")
    card.scroll_into_view_if_needed()
    card.tap()
    card.get_by_role("button", name="外部").tap()
    sort.locator(".crm-bin[data-bin='out'] [data-card='c04']").wait_for()

    # 按住 ⠿ 拖
    sort.evaluate("node => node.scrollIntoView()")
    a = still(page, sort.locator(".crm-card[data-card='c01'] .crm-grip"))
    b = sort.locator(".crm-bin[data-bin='in']").bounding_box()
    client = context.new_cdp_session(page)

    def touch(kind, x=None, y=None):
        points = [] if x is None else [{"x": x, "y": y}]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    x, y = a["x"] + a["width"] / 2, a["y"] + a["height"] / 2
    touch("touchStart", x, y)
    for step in range(1, 9):
        touch("touchMove", x + (b["x"] + 80 - x) * step / 8, y + (b["y"] + 20 - y) * step / 8)
    touch("touchEnd")
    sort.locator(".crm-bin[data-bin='in'] [data-card='c01']").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


def test_marks_hint_three_tries_then_the_solution(page, show, lesson):
    sort = show()("2.2-3")
    key = kit.KINDS["classify"].key_answer(SORT)
    bins = list(SORT["bins"])
    wrong = {**key, "c16": "E"}
    sort.locator(".crm-tray .crm-card").first.focus()
    for card in SORT["cards"]:
        assert page.evaluate("document.activeElement.dataset.card") == card
        page.keyboard.press(str(bins.index(wrong[card]) + 1))
    said = check(sort, "partial")
    assert "国家邮政局要求“依法”治理" in said
    assert "3.75 / 4 分" in said
    assert "对 15 张，错 1 张" in said
    assert sort.locator("[data-mark='wrong']").get_attribute("data-card") == "c16"
    assert not sort.locator(".crm-solution").is_visible()

    card = sort.locator(".crm-card[data-card='c16']")
    for bin_name in "ST":  # 一改就去掉标记；再试两次
        card.focus()
        page.keyboard.press(str(bins.index(bin_name) + 1))
        assert sort.locator("[data-mark]").count() == 0
        check(sort, "partial")
    sort.locator(".crm-solution").click()
    assert card.locator(".crm-belongs").inner_text() == "政治法律 P"
    assert "法规和监管看 P" in sort.locator(".crm-feedback").inner_text()
    sort.get_by_role("button", name="收起答案").click()
    assert card.locator(".crm-belongs").count() == 0

    card.focus()
    page.keyboard.press("1")
    assert "法规和监管看 P" in check(sort, "right")
    assert record(lesson, "2.2-3")["points"] == 4


# ---- 其他题型 ----

def test_choose_by_number_keys_and_enter(page, show, lesson):
    widget = show()
    one, many, poll = widget("2.2-1"), widget("2.2-2"), widget("2.2-0")
    one.locator("input").first.focus()
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    one.locator(".crm-feedback[data-state='wrong']").wait_for()
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    one.locator(".crm-feedback[data-state='right']").wait_for()
    many.locator("input").first.focus()
    for key in "1343":
        page.keyboard.press(key)
    assert many.locator("input:checked").count() == 2
    assert poll.locator(".crm-check").count() == 0  # 投票不检查，选了就记下
    poll.locator(".crm-option").nth(1).click()
    saved(poll)
    assert record(lesson, "2.2-0")["answer"] == ["b"]


def test_table_in_chinese_with_full_width_numbers(page, show, lesson):
    table = show()("2.2-4")
    numbers = table.locator("td[data-type='number'] input")
    key = TASKS["2.2-4"]["key"]
    values = [str(key[row][c]) for row in key for c in ("weight", "rating", "score")]
    for box, value in zip(numbers.all(), ["３０％", "4 分", "1。2", *values[3:]], strict=True):
        box.fill(value)
    assert "读作 0.3" in table.locator("tr[data-row='van']").inner_text()
    for select in table.locator("select").all():
        select.select_option("S")
    table.locator("textarea").first.press_sequentially("每晚都开，一年只停过两次")
    live = table.locator(".crm-live").inner_text()
    assert "权重合计：1.00" in live
    assert "IFE 总分：2.50" in live
    assert "4 / 4 分" in check(table, "right")
    assert record(lesson, "2.2-4")["answer"]["van"] == {
        "side": "S", "weight": "３０％", "rating": "4 分", "score": "1。2", "why": "每晚都开，一年只停过两次"}

    numbers.first.fill("三成")  # 格式不对：说是哪一格
    assert "“每晚 9 点的自营班车”的“权重”要写一个数" in check(table, "malformed")
    assert table.locator("td[data-fault]").count() == 1
    numbers.first.fill("")
    check(table, "empty")
    assert table.locator("td[data-missing]").count() == 1


def test_free_rows_and_picking_cards_by_keyboard(page, show, lesson):
    plan = show()("2.2-5")
    plan.locator("textarea").fill("夜里用低价电充电，换电动短驳车")
    plan.get_by_text("＋ 选卡片").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("充电")  # 焦点已经在“找一找”里
    assert plan.locator(".crm-pick:visible").count() == 1
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    assert plan.locator(".crm-chip").count() == 1
    assert "一张卡撑不住" not in check(plan, "partial")
    plan.get_by_role("button", name="＋ 加一行").click()
    assert plan.locator("tbody tr").count() == 2
    plan.get_by_role("button", name="删除第 2 行").click()
    assert plan.locator("tbody tr").count() == 1
    page.wait_for_timeout(300)
    assert record(lesson, "2.2-5")["answer"] == {
        "r1": {"what": "夜里用低价电充电，换电动短驳车", "cards": ["c19"]}}


def test_writing_then_own_rubric_then_the_model(page, show, lesson):
    essay = show()("2.2-6")
    assert "至少要 30 个字" in write(essay, "选甲。", "malformed")
    write(essay, "选甲，因为苏北件晚点的占 24%，是别处的两倍。怕的是修好了客户也不回来。", "saved")
    assert TASKS["2.2-6"]["key"][:10] not in essay.inner_text()
    for group in essay.locator("fieldset").all():
        group.locator("label").nth(2).click()
    essay.get_by_text(TASKS["2.2-6"]["key"][:10]).wait_for()
    page.wait_for_timeout(300)
    assert record(lesson, "2.2-6")["self"] == {"0": 2, "1": 2, "2": 2}


def write(essay, text, state):
    essay.locator("textarea").fill(text)
    return check(essay, state)


def test_code_task_reads_the_notebook(page, show):
    code = show()("2.2-7")
    assert "还没有变量 ife" in check(code, "empty")


def test_graded_task_saves_by_itself_and_says_only_whether_it_is_complete(page, show, lesson):
    graded = show()("2.2-g1")
    assert graded.locator(".crm-check").count() == 0
    graded.locator(".crm-card").first.focus()
    for key in "222":
        page.keyboard.press(key)
    graded.get_by_text("还没答完：还有 1 张卡片没有放。").wait_for()
    page.keyboard.press("2")
    graded.get_by_text("✓ 答完了，已自动保存，可以交。").wait_for()
    assert graded.locator("[data-mark]").count() == 0
    assert record(lesson, "2.2-g1")["state"] == "saved"


# ---- 存得住，说得清 ----

def test_html_in_an_answer_is_only_text(page, show, lesson):
    widget = show()
    widget("2.2-6").locator("textarea").fill(EVIL * 3)
    widget("2.2-4").locator("textarea").first.fill(EVIL)
    widget("2.2-5").locator("textarea").first.fill(EVIL)
    check(widget("2.2-6"), "malformed")
    page.wait_for_timeout(800)
    widget = show(fresh=False)
    assert widget("2.2-4").locator("textarea").first.input_value() == EVIL
    check(widget("2.2-5"), "empty")
    assert page.evaluate("window.hacked") is None
    assert page.locator(".crm-print img, .crm-task img").count() == 0
    assert EVIL in page.locator(".crm-print").filter(has_text="写策略").inner_text()


def test_typing_is_kept_when_the_page_closes_at_once(page, show, lesson):
    essay = show()("2.2-6")
    essay.locator("textarea").press_sequentially("刚打的字")
    page.goto("about:blank")
    page.wait_for_timeout(1500)
    assert record(lesson, "2.2-6")["answer"] == "刚打的字"


def test_damaged_answers_file_is_set_aside_and_told(page, show, lesson):
    widget = show()
    widget("2.2-1").locator(".crm-option").first.click()
    saved(widget("2.2-1"))
    (lesson / "answers.json").write_text("{坏了", "utf-8")
    widget("2.2-2").locator(".crm-option").first.click()
    notice = widget("2.2-2").locator(".crm-trouble[data-state='notice']")
    notice.wait_for()
    assert "answers.损坏-" in notice.inner_text()
    aside, = lesson.glob("answers.损坏-*.json")
    assert aside.read_text("utf-8") == "{坏了"
    assert record(lesson, "2.2-2")["answer"] == ["a"]
    aside.unlink()


def test_answer_that_cannot_be_written_is_told(page, show, lesson):
    widget = show()
    (lesson / "answers.json").unlink(missing_ok=True)
    (lesson / "answers.json").mkdir()  # 管理员也写不了
    try:
        widget("2.2-1").locator(".crm-option").first.click()
        trouble = widget("2.2-1").locator(".crm-trouble[data-state='trouble']")
        trouble.wait_for()
        assert "读不了 answers.json" in trouble.inner_text()
        assert "没有保存" in widget("2.2-1").locator(".crm-status").inner_text()
    finally:
        (lesson / "answers.json").rmdir()
    widget("2.2-1").locator(".crm-option").nth(1).click()
    saved(widget("2.2-1"))
    assert not trouble.is_visible()


# ---- 样子：每种题，空的、错的、对的；亮、暗；两种屏幕 ----

KEYS = {name: kit.KINDS[task["kind"]].key_answer(task) for name, task in TASKS.items()}
ANSWERS = {
    "wrong": {
        "2.2-0": ["b"], "2.2-1": ["s"], "2.2-2": ["a", "b"], "2.2-6": "选甲。",
        "2.2-7": {"ife": 10, "rows": 4},
        "2.2-3": {**KEYS["2.2-3"], "c16": "E", "c12": "E", "c13": "P"},
        "2.2-4": {**KEYS["2.2-4"], "late": {"weight": "0.4", "rating": "4 分", "score": "１。6"}},
        "2.2-5": {"r1": {"what": "夜里充电，换电动短驳车", "cards": ["c04"]}},
    },
    "right": {**KEYS, "2.2-0": ["a"]},
    "empty": {},
}


@pytest.mark.parametrize("look", ["Light", "Dark"])
@pytest.mark.parametrize("state", ANSWERS)
def test_screenshots(page, show, lesson, course, monkeypatch, state, look):
    settings = Path(course.env["JUPYTER_CONFIG_DIR"], "lab/user-settings/@jupyterlab/apputils-extension")
    settings.mkdir(parents=True, exist_ok=True)
    chosen = settings / "themes.jupyterlab-settings"
    chosen.write_text(json.dumps({"theme": f"JupyterLab {look}"}), "utf-8")

    def answer_all():
        monkeypatch.chdir(lesson)
        for name, answer in ANSWERS[state].items():
            session.store(TASKS[name], session.judge(TASKS[name], answer)[1])

    widget = show(before=answer_all)
    chosen.unlink()
    assert page.locator("body").get_attribute("data-jp-theme-light") == str(look == "Light").lower()
    SHOTS.mkdir(parents=True, exist_ok=True)
    for width, height in ((1366, 768), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        widget("2.2-3").evaluate("node => node.scrollIntoView()")
        page.wait_for_timeout(400)
        page.screenshot(path=SHOTS / f"widget-page-{state}-{look.lower()}-{width}x{height}.png")
        page.set_viewport_size({"width": width, "height": 1600})  # 高的题也照得全
        for name, task in TASKS.items():
            widget(name).scroll_into_view_if_needed()
            page.wait_for_timeout(60)
            picture = f"widget-{task['kind']}-{name}-{state}-{look.lower()}-{width}.png"
            widget(name).screenshot(path=SHOTS / picture)
