"""模拟题在真实的浏览器里：鼠标、键盘都能走；看不见的数到不了浏览器；在 JupyterLab 里存得下、打得开。"""

import json
from pathlib import Path

import nbformat
import pytest

from autograder import units
from autograder.build import task_file
from crmlib import tasks
from crmlib.tasks import session, simulate
from crmlib.tasks.markup import markdown
from crmlib.widgets import script, style

pytestmark = pytest.mark.browser
FILE = Path(__file__).parents[1] / "fixtures" / "simulate.yaml"
DEAL, DEBTS, STAFF = TASKS = units.yaml.load(FILE.read_text("utf-8"), units._Loader)
GRADED = {**STAFF, "id": "13.4-g1", "use": "graded"}

PAGE = """<meta charset="utf-8"><style>%s</style><body data-jp-theme-light="true"><div id="here"></div>
<script type="module">%s
const data = %s, heard = {};
const answered = (more) => { for (const [k, v] of Object.entries(more)) { data[k] = v; heard[k]?.(); } };
window.model = { data, get: (name) => data[name], set: (more) => Object.assign(data, more),
  on: (name, act) => { heard[name.slice(7)] = act; }, off() {},
  async save_changes() {
    answered({ result: {}, ...await window.kernel(data.answer, data.stamp, data.checked === data.stamp) });
  } };
widget.render({ model, el: document.getElementById("here") });
</script>"""


def show(page, task, answer=None):
    def kernel(answer, stamp, check=False):
        state = tasks.score_task(tasks.public(task), answer)
        told = {"view": simulate.view(task, answer),
                "status": {"stamp": stamp, "state": state.state, "messages": state.messages, "saved": True}}
        if check:
            told["result"] = session.feedback(task, answer, tasks.score_task(task, answer), 3)
        return told

    page.expose_function("kernel", kernel)
    shown = {**simulate.screen(tasks.public(task)), "prompt_html": markdown(task["prompt"])}
    data = {"task": shown, "answer": answer, "stamp": 0, "result": {}, "self_marks": {},
            **kernel(answer, 0)}
    code = script("simulate").replace("export default", "const widget =")
    page.set_content(PAGE % (style("simulate"), code, json.dumps(data, ensure_ascii=False)))
    page.locator(".crm-sim").wait_for()
    return page.locator(".crm-task")


def take(box, task, action):
    """One turn with the mouse."""
    for name, value in action.items():
        spec = task["actions"][name]
        if "options" in spec:
            box.locator(".crm-field", has_text=spec["title"]).get_by_text(spec["options"][value]).click()
        else:
            box.get_by_label(f"{spec['title']}，直接打数").fill(str(value))
            box.get_by_label(f"{spec['title']}，直接打数").blur()
    turn = box.locator(".crm-record tbody tr").count()
    box.locator(".crm-next").click()
    box.locator(".crm-record tbody tr").nth(turn).wait_for(state="attached")


def kept(page):
    return page.evaluate("model.data.answer")


def play(box, task, game):
    for action in game["log"]:
        take(box, task, action)
    box.locator(".crm-ended").wait_for()


def test_a_game_by_mouse(page):
    box = show(page, DEBTS)
    game = simulate.key_answer(DEBTS)
    play(box, DEBTS, game)
    assert kept(page) == game
    end = simulate.view(DEBTS, game)["states"][-1]
    assert box.locator("[data-state='got'] .crm-tile-value").inner_text().startswith(f"{end['got']:g}")
    assert box.locator(".crm-goals [data-goal='right']").count() == 3
    assert "亭湖日化想付的劲头：" in box.locator(".crm-revealed").inner_text()
    box.locator(".crm-check").click()
    box.locator(".crm-feedback[data-state='right']").wait_for()
    assert "对 3 个目标" in box.locator(".crm-feedback").inner_text()

    box.get_by_role("button", name="退一步").click()  # 退回来，上次的决定还摆在那里
    box.locator(".crm-decide").wait_for()
    assert box.locator(".crm-verdict").count() == 0
    assert len(kept(page)["log"]) == 11
    assert box.locator("input[value='b']").is_checked()
    box.get_by_role("button", name="重来").click()
    page.wait_for_function("model.data.view.turn === 0")
    box.get_by_role("button", name="换一个局面").click()
    page.wait_for_function("model.data.view.seed === 2")
    assert kept(page) == {"seed": 2, "log": []}


def test_a_game_by_keyboard(page):
    box = show(page, STAFF)
    box.get_by_role("slider").focus()
    for key in ("ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    page.wait_for_function("model.data.view.turn === 1")
    assert kept(page)["log"] == [{"staff": 9}]
    page.keyboard.press("Enter")
    page.wait_for_function("model.data.view.turn === 2")
    page.keyboard.press("Backspace")
    page.wait_for_function("model.data.view.turn === 1")
    assert page.evaluate("document.activeElement.type") == "range"  # 焦点没有丢
    box.get_by_label("排几个人，直接打数").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("１２ 人")
    page.keyboard.press("Enter")
    page.wait_for_function("model.data.view.turn === 2")
    assert kept(page)["log"][1] == {"staff": 12}
    for turn in range(3, 11):
        page.keyboard.press("Enter")
        page.wait_for_function(f"model.data.view.turn === {turn}")
    assert page.evaluate("document.activeElement.matches('.crm-ended')")
    page.keyboard.press("Enter")  # 结局上按回车，就是检查
    box.locator(".crm-feedback[data-state='partial']").wait_for()


def test_typed_numbers_are_moved_to_what_may_be_chosen(page):
    box = show(page, DEAL)
    typed = box.get_by_label("我方报价，直接打数")
    for given, read in (("4.44", "4.4"), ("99", "5"), ("-1", "3.2"), ("abc", "3.2"), ("４。３元/件", "4.3")):
        typed.fill(given)
        typed.blur()
        assert typed.input_value() == read
    box.get_by_label("我方报价加 0.1").click()
    assert typed.input_value() == "4.4"


def test_nothing_hidden_reaches_the_browser_before_the_end(page):
    box = show(page, DEAL)
    for action in simulate.key_answer(DEAL)["log"][:2]:
        take(box, DEAL, action)
    data = page.evaluate("JSON.stringify({...model.data, answer: null})")
    task = json.loads(data)["task"]
    assert not {"chance", "updates", "stop", "says"} & set(task)
    assert '"deal"' not in data and "4.2" not in json.dumps(task)
    box.locator(".crm-fold > summary").last.click()
    rules = box.locator(".crm-laws").inner_text()
    assert "单件成本" in rules and "2.6 + 6 ÷ 要求保证的件量" in rules and "结束时揭开" in rules


def test_wrong_then_solution_in_the_same_situation(page):
    box = show(page, DEAL, {**simulate.play(DEAL, DEAL["mistakes"][0]["example"], 7), "seed": 7})
    box.locator(".crm-check").click()
    box.locator(".crm-feedback[data-state='partial']").wait_for()
    assert DEAL["mistakes"][0]["hint"] in box.locator(".crm-messages").inner_text()
    box.get_by_role("button", name="看答案").click()
    text = box.locator(".crm-sample").inner_text()
    assert simulate.text(DEAL, simulate.play(DEAL, DEAL["key"], 7)) in text


def test_graded_says_nothing_of_goals_and_the_last_finished_game_counts(page):
    public = tasks.public(GRADED)
    box = show(page, public, simulate.play(STAFF, [{"staff": 9}], 2))
    assert box.locator(".crm-check, [data-goal]").count() == 0
    assert "最后走完的一局算数" in box.locator(".crm-sim-foot").inner_text()
    box.get_by_role("button", name="重来").click()
    page.wait_for_function("model.data.view.turn === 0")
    take(box, STAFF, {"staff": 6})
    assert "交上去算的是上一局" in box.locator(".crm-sim-foot").inner_text()
    assert "可以交" in box.locator(".crm-status").inner_text()
    answer = kept(page)
    assert (answer["log"], len(answer["last"]["log"])) == ([{"staff": 6}], 10)
    assert tasks.score_task(GRADED, answer, final=True).mistakes == ["一天到晚一样多人"]


def test_html_in_a_story_is_text(page):
    box = show(page, {**DEAL, "says": [{"if": "turn == 0", "text": "<img src=x>"}]})
    assert "<img src=x>" in box.locator(".crm-story").inner_text()
    assert box.locator("img").count() == 0


# ---- 在 JupyterLab 里 ----

@pytest.fixture(scope="module")
def lesson(course):
    """A notebook with all three games and one as graded task, in the copied course."""
    folder = course.notebooks / "sim"
    (folder / "tasks").mkdir(parents=True)
    given = [*TASKS, tasks.public(GRADED)]
    for unit in ("10.2", "10.3", "13.4"):
        mine = [t for t in given if t["id"].startswith(unit)]
        (folder / "tasks" / f"{unit}.json").write_bytes(task_file(mine))
    cell = nbformat.v4.new_code_cell
    cells = [nbformat.v4.new_markdown_cell("# 模拟经营"), cell("# 课程工具\nimport crmlib as crm"),
             *(cell(f'# 题目\ncrm.task("{task["id"]}")') for task in given)]
    kernel = {"name": "python3", "display_name": "Python 3"}
    nb = nbformat.v4.new_notebook(cells=cells, metadata={
        "kernelspec": kernel, "crm": {"unit": "13.4", "autorun": True}})
    for made in nb.cells[1:]:
        made.metadata["jupyter"] = {"source_hidden": True}
    nbformat.write(nb, folder / "13.4-sim.ipynb")
    return folder


def test_games_in_a_lesson(page, course, lesson, shot):
    def opened():
        page.goto(course.address.replace("/crm?", "/lab/tree/sim/13.4-sim.ipynb?"))
        boxes = [page.locator(f".crm-task[data-task='{t['id']}']") for t in (*TASKS, GRADED)]
        for box in boxes:
            box.locator(".crm-sim").wait_for()
        page.locator(".crm-lesson.crm-running").wait_for(state="detached")
        return boxes

    def picture(box, name):
        box.evaluate("box => box.scrollIntoView()")
        shot(page, f"simulate-{name}")

    deal, debts, staff, graded = opened()
    for box, name in ((deal, "deal"), (debts, "debts"), (staff, "staff")):
        picture(box, f"{name}-begin")
    for action in simulate.key_answer(DEAL)["log"][:3]:
        take(deal, DEAL, action)
    picture(deal, "deal-half")
    for action in simulate.key_answer(DEBTS)["log"][:6]:
        take(debts, DEBTS, action)
    picture(debts, "debts-half")
    play(staff, STAFF, simulate.play(STAFF, STAFF["mistakes"][0]["example"], 1))
    staff.locator(".crm-check").click()
    staff.locator(".crm-feedback[data-state='partial']").wait_for()
    picture(staff, "staff-wrong")
    staff.get_by_role("button", name="重来").click()
    staff.locator(".crm-decide").wait_for()
    play(staff, STAFF, simulate.key_answer(STAFF))
    staff.locator(".crm-check").click()
    staff.locator(".crm-feedback[data-state='right']").wait_for()
    picture(staff, "staff-right")
    staff.locator(".crm-fold > summary").last.click()
    staff.locator(".crm-fold").last.evaluate("box => box.scrollIntoView()")
    shot(page, "simulate-staff-rules")

    take(graded, STAFF, {"staff": 8})
    graded.locator(".crm-status[data-state='empty']").wait_for()
    assert "还没有走完" in graded.locator(".crm-status").inner_text()
    for _ in range(9):
        take(graded, STAFF, {"staff": 8})
    graded.locator(".crm-status[data-state='saved']").wait_for()
    picture(graded, "graded")
    saved = json.loads((lesson / "answers.json").read_text("utf-8"))["answers"]
    assert saved["13.4-6"]["points"] == 6
    assert saved["13.4-6"]["answer"] == simulate.key_answer(STAFF)
    assert len(saved["13.4-g1"]["answer"]["log"]) == 10

    settings = Path(course.env["JUPYTER_CONFIG_DIR"], "lab/user-settings/@jupyterlab/apputils-extension")
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "themes.jupyterlab-settings").write_text('{"theme": "JupyterLab Dark"}', "utf-8")
    deal, debts, staff, graded = opened()  # 再打开：走到哪里还在哪里
    page.locator("body[data-jp-theme-light='false']").wait_for(state="attached")
    assert deal.locator(".crm-record tbody tr").count() == 3
    assert staff.locator(".crm-feedback[data-state='right']").count() == 1
    assert graded.locator(".crm-ended").is_visible()
    for box, name in ((deal, "deal-half"), (debts, "debts-half"), (staff, "staff-right")):
        picture(box, f"{name}-dark")
