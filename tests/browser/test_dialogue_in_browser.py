"""对话题在真实的浏览器里：走图和 Python 一样；鼠标、键盘都能用；在 JupyterLab 里存得下、打得开。"""

import json
import random
from pathlib import Path

import nbformat
import pytest

from autograder import units
from autograder.build import task_file
from crmlib import tasks
from crmlib.tasks import dialogue, session
from crmlib.tasks.markup import markdown
from crmlib.widgets import script, style

pytestmark = pytest.mark.browser
FILE = Path(__file__).parents[1] / "fixtures" / "dialogue.yaml"
TALK = units.yaml.load(FILE.read_text("utf-8"), units._Loader)[0]
GRADED = {**TALK, "id": "5.5-g1", "use": "graded"}

PAGE = """<meta charset="utf-8"><style>%s</style><body data-jp-theme-light="true"><div id="here"></div>
<script type="module">%s
const data = %s, heard = {};
window.model = { data, get: (name) => data[name], set: (more) => Object.assign(data, more),
  on: (name, act) => { heard[name.slice(7)] = act; }, off() {},
  async save_changes() {
    if (data.checked !== data.stamp) return;
    data.result = await window.judge(data.answer);
    data.status = { stamp: data.stamp, state: "saved", saved: true };
    heard.result(); heard.status();
  } };
window.walkTalk = walkTalk;
widget.render({ model, el: document.getElementById("here") });
</script>"""


def show(page, task=TALK, answer=None):
    tries = iter(range(1, 99))
    page.expose_function("judge", lambda answer: session.feedback(
        TALK, answer, tasks.score_task(TALK, answer), next(tries)))
    shown = {**tasks.public(task), "prompt_html": markdown(task["prompt"])}
    data = {"task": shown, "answer": answer, "stamp": 0, "result": {}, "status": {"stamp": 0},
            "self_marks": {}}
    code = script("dialogue").replace("export default", "const widget =")
    page.set_content(PAGE % (style("dialogue"), code, json.dumps(data, ensure_ascii=False)))
    page.locator(".crm-reply, .crm-ending").first.wait_for()
    return page


def say(box, log):
    for choice in log:
        box.locator(f".crm-reply[data-choice='{choice}']").click()


def kept(page, log):
    """The answer that goes to the kernel becomes this log."""
    page.wait_for_function("log => JSON.stringify(model.data.answer) === JSON.stringify(log)", arg=log)


def levels(page):
    return [float(n.get_attribute("aria-valuenow")) for n in page.locator(".crm-gauge").all()]


def some_logs(n):
    luck, logs = random.Random(4), []
    for _ in range(n):
        state, log = dialogue.begin(TALK), []
        while may := list(dialogue.choices(TALK, *state)):
            log.append(luck.choice(may))
            state = dialogue.step(TALK, *state, log[-1])
        logs.append(log if luck.random() < 0.8 else [*log[:3], "z"])
    return logs


def test_the_browser_walks_as_python_does(page):
    show(page)
    for log in some_logs(300):
        walked, node, level, _ = dialogue.replay(TALK, log)
        said = page.evaluate("""log => {
            const t = walkTalk(model.data.task, log);
            return [t.steps.map((s) => [s.node, s.choice]), t.node, Object.values(t.level)];
        }""", log)
        assert said == [[[at, choice] for at, _, choice in walked], node, list(level)]


def test_a_talk_by_mouse(page):
    show(page)
    chat = page.get_by_role("log")
    assert chat.locator(".crm-line").count() == 1 and levels(page) == [30, 0]
    page.locator(".crm-reply[data-choice='b']").dblclick()  # 连点两下，只算一下
    assert chat.locator(".crm-mine").count() == 1 and levels(page) == [45, 1]
    assert page.locator(".crm-gauge-moved").first.inner_text() == "＋15"
    say(page, ["c", "c", "c", "c", "b", "b"])
    assert "拉黑" in page.locator(".crm-ending").inner_text() and page.locator(".crm-reply").count() == 0
    kept(page, ["b", "c", "c", "c", "c", "b", "b"])

    page.locator(".crm-check").click()
    marks = page.eval_on_selector_all("[data-step]", "all => all.map((n) => n.dataset.mark)")
    assert marks == ["right", "right", "wrong", "right", "wrong", "right", "wrong"]
    assert "禁语" in page.locator("[data-step='2'] .crm-remark").inner_text()
    assert "回头看看" in page.locator(".crm-ending .crm-remark").inner_text()
    assert "对 4 步，错 3 步" in page.locator(".crm-feedback").inner_text()

    page.locator("[data-step='2'] .crm-from").click()  # 从说错的那一步重说：前面的留着，记号和反馈收起来
    kept(page, ["b", "c"])
    assert levels(page) == [60, 2]
    assert page.locator(".crm-remark, [data-mark]").count() == 0 and page.locator(".crm-verdict").count() == 0
    say(page, ["a", "c", "b", "b", "a", "a"])
    page.locator(".crm-check").click()
    page.locator(".crm-feedback[data-state='right']").wait_for()

    page.get_by_role("button", name="从头再来").click()
    kept(page, None)
    assert levels(page) == [30, 0]
    page.get_by_role("button", name="取回刚才那一段").click()
    kept(page, TALK["key"])


def test_a_talk_by_keyboard(page):
    show(page)
    page.locator(".crm-reply").first.focus()
    keys = {"a": "1", "b": "2", "c": "3"}
    for choice in ("a", "c"):
        page.keyboard.press(keys[choice])
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    kept(page, None)
    for choice in TALK["key"]:
        assert page.evaluate("document.activeElement.closest('.crm-replies') !== null")
        page.keyboard.press(keys[choice])
    assert page.evaluate("document.activeElement.matches('.crm-ending')")
    page.keyboard.press("Enter")
    page.locator(".crm-feedback[data-state='right']").wait_for()
    kept(page, TALK["key"])


def test_the_solution_after_three_tries(page):
    show(page)
    for last in ("a", "b", "c"):
        say(page, ["a", "b"])
        page.locator(".crm-check").click()
        page.locator(".crm-feedback[data-state='wrong']").wait_for()
        if last != "c":
            page.get_by_role("button", name="从头再来").click()
    page.get_by_role("button", name="看答案").click()
    assert page.locator(".crm-model-talk .crm-mine").count() == len(TALK["key"])
    page.get_by_role("button", name="收起答案").click()
    assert page.locator(".crm-model-talk").is_hidden()


def test_graded_judges_nothing_and_can_be_said_again(page):
    show(page, GRADED, TALK["key"])
    assert page.locator(".crm-check, [data-mark], .crm-remark").count() == 0
    assert "这段对话就是你的答案" in page.locator(".crm-talk-foot").inner_text()
    page.get_by_role("button", name="退一步").click()
    kept(page, TALK["key"][:-1])
    page.locator(".crm-ending, .crm-reply").first.focus()
    page.keyboard.press("3")
    kept(page, [*TALK["key"][:-1], "c"])


def test_html_in_a_talk_is_text(page):
    task = json.loads(json.dumps(TALK).replace("\\u518d\\u89c1", "<img src=x onerror=alert(1)>"))
    show(page, task)
    say(page, TALK["key"][:7])
    assert "<img src=x" in page.locator(".crm-reply[data-choice='b']").inner_text()
    say(page, ["b"])
    assert page.locator(".crm-task img").count() == 0


# ---- 在 JupyterLab 里 ----

@pytest.fixture(scope="module")
def lesson(course):
    """A notebook with the talk as practice and as graded task, in the copied course."""
    folder = course.notebooks / "talk"
    (folder / "tasks").mkdir(parents=True)
    (folder / "tasks" / "5.5.json").write_bytes(task_file([TALK, tasks.public(GRADED)]))
    cell = nbformat.v4.new_code_cell
    cells = [nbformat.v4.new_markdown_cell("# 把走掉的客户请回来"), cell("# 课程工具\nimport crmlib as crm"),
             cell('# 练习\ncrm.task("5.5-4")'), cell('# 作业\ncrm.task("5.5-g1")')]
    kernel = {"name": "python3", "display_name": "Python 3"}
    nb = nbformat.v4.new_notebook(cells=cells, metadata={
        "kernelspec": kernel, "crm": {"unit": "5.5", "autorun": True}})
    for made in nb.cells[1:]:
        made.metadata["jupyter"] = {"source_hidden": True}
    nbformat.write(nb, folder / "5.5-talk.ipynb")
    return folder


def test_a_talk_in_a_lesson(page, course, lesson, shot):
    def opened():
        page.goto(course.address.replace("/crm?", "/lab/tree/talk/5.5-talk.ipynb?"))
        for task in (TALK, GRADED):
            page.locator(f".crm-task[data-task='{task['id']}'] .crm-chat").wait_for()
        page.locator(".crm-lesson.crm-running").wait_for(state="detached")
        return [page.locator(f".crm-task[data-task='{task['id']}']") for task in (TALK, GRADED)]

    def take(box, name):
        box.locator(".crm-talk-foot").scroll_into_view_if_needed()
        shot(page, f"dialogue-{name}")

    practice, graded = opened()
    take(practice, "begin")
    say(practice, ["b", "c", "a"])
    take(practice, "half")
    say(practice, ["a", "c", "a", "c"])
    practice.locator(".crm-check").click()
    practice.locator(".crm-feedback[data-state='partial']").wait_for()
    said = practice.locator(".crm-feedback").inner_text()
    assert all(m["hint"].replace("**", "") in said for m in TALK["mistakes"][2:])
    take(practice, "wrong")
    practice.locator(".crm-from").first.click()
    say(practice, ["c", "b", "b", "a", "a"])
    practice.locator(".crm-check").click()
    practice.locator(".crm-feedback[data-state='right']").wait_for()
    take(practice, "right")

    say(graded, ["b", "c"])
    graded.locator(".crm-status[data-state='empty']").wait_for()
    assert "还没有走到结尾" in graded.locator(".crm-status").inner_text()
    say(graded, ["a", "c", "b", "b", "c"])
    graded.locator(".crm-status[data-state='saved']").wait_for()
    take(graded, "graded")
    kept = json.loads((lesson / "answers.json").read_text("utf-8"))["answers"]
    assert kept["5.5-4"]["answer"] == TALK["key"] and kept["5.5-4"]["points"] == 8
    assert kept["5.5-g1"]["answer"] == ["b", "c", "a", "c", "b", "b", "c"]

    # 再打开一次，这次是暗色：说过的话、记号、结局都在
    settings = Path(course.env["JUPYTER_CONFIG_DIR"], "lab/user-settings/@jupyterlab/apputils-extension")
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "themes.jupyterlab-settings").write_text('{"theme": "JupyterLab Dark"}', "utf-8")
    practice, graded = opened()
    page.locator("body[data-jp-theme-light='false']").wait_for(state="attached")
    assert practice.locator("[data-step][data-mark='right']").count() == 8
    assert "门还开着" in graded.locator(".crm-ending").inner_text()
    take(practice, "right-dark")
    practice.get_by_role("button", name="从头再来").click()
    say(practice, ["b", "c", "a"])
    take(practice, "half-dark")
    say(practice, ["a", "c", "a", "c"])
    practice.locator(".crm-check").click()
    practice.locator(".crm-feedback[data-state='partial']").wait_for()
    take(practice, "wrong-dark")
