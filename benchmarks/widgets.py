"""题目有多快、多省：``python benchmarks/widgets.py [次数]``，要有 Chromium。

Prints, measured on this machine in one run:
import of crmlib and crmlib.tasks over bare Python; the first ``crm.task`` of a kernel and the later ones;
memory (PSS) of a bare kernel and of one that shows 20 tasks; in a real JupyterLab: run-all to the last of
20 widgets, and from the click or key to the painted answer. Every latency is checked to have shown
the right thing, or the run stops.
"""

import json
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import jupyter_client
import nbformat
import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "browser"))
from conftest import FLAGS, Course, chromium  # noqa: E402

from autograder import units  # noqa: E402

# 页面里量：从事件自己的时刻，到条件成立以后的那一帧画完
WATCH = """
(() => {
  window.clock = (type, done) => new Promise((resolve) => {
    addEventListener(type, (event) => {
      const look = () => {
        if (!done()) return requestAnimationFrame(look);
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - event.timeStamp)));
      };
      look();
    }, { capture: true, once: true });
  });
})()
"""


def main() -> None:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    print(f"Python {platform.python_version()}，{platform.machine()}")
    imports(times)
    with tempfile.TemporaryDirectory() as folder:
        tasks = twenty(Path(folder))
        kernel(Path(folder), tasks)
    browser(times)


def twenty(folder: Path) -> list[dict]:
    """20 tasks of five kinds in ``folder/tasks``, made of the test suite's."""
    samples = yaml.safe_load((ROOT / "tests" / "fixtures" / "demo_tasks.yaml").read_text("utf-8"))
    samples = [t for t in samples if t["use"] == "practice"]
    tasks = [{**samples[n % len(samples)], "id": f"2.2-{n + 1}"} for n in range(20)]
    write(folder, "2.2", tasks)
    return tasks


def write(folder: Path, unit: str, tasks: list[dict]) -> None:
    (folder / "tasks").mkdir(parents=True, exist_ok=True)
    content = json.dumps({"format": 1, "tasks": tasks}, ensure_ascii=False)
    (folder / "tasks" / f"{unit}.json").write_text(content, "utf-8")


def others(folder: Path) -> list[dict]:
    """A match, an order, a dialogue and a simulate task in ``folder/tasks``, made of the test suite's."""
    found = {}
    for file in ("match_order_number", "dialogue", "simulate"):
        text = (ROOT / "tests" / "fixtures" / f"{file}.yaml").read_text("utf-8")
        for task in units.yaml.load(text, units._Loader):
            if task["use"] == "practice" and task["kind"] in ("match", "order", "dialogue", "simulate"):
                found.setdefault(task["kind"], {**task, "id": f"9.9-{len(found) + 1}"})
    write(folder, "9.9", list(found.values()))
    return list(found.values())


def imports(times: int) -> None:
    def seconds(code):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - start

    codes = {"空的 Python": "pass"}
    codes |= {code: code for code in ("import crmlib", "import crmlib.tasks")}
    taken = {name: [] for name in codes}
    for _ in range(times):  # 轮流来，机器忙闲都摊到
        for name, code in codes.items():
            taken[name].append(seconds(code))
    bare = statistics.median(taken.pop("空的 Python"))
    for name, all_of_them in taken.items():
        print(f"{name}：比空的 Python 多 {statistics.median(all_of_them) - bare:.3f} s")


def kernel(folder: Path, tasks: list[dict]) -> None:
    code = f"""
import time
import crmlib as crm
taken = []
for name in {[t["id"] for t in tasks]}:
    start = time.perf_counter(); crm.task(name); taken.append(time.perf_counter() - start)
import sys; assert "pandas" not in sys.modules
"""
    manager, client = jupyter_client.manager.start_new_kernel(kernel_name="python3", cwd=str(folder))
    try:
        def memory():
            process = manager.provisioner.process.pid
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
            return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024

        bare = memory()
        reply = client.execute_interactive(code, timeout=60, output_hook=lambda _: None)
        assert reply["content"]["status"] == "ok", reply["content"]
        shown = []
        client.execute_interactive("print(*taken)", timeout=60, output_hook=shown.append)
        taken = next(m["content"]["text"] for m in shown if m["msg_type"] == "stream").split()
        first, *later = map(float, taken)
        print(f"crm.task：第一次 {first:.2f} s（装入控件），以后 {1000 * statistics.median(later):.0f} ms")
        print(f"内核内存（PSS）：空的 {bare:.0f} MB，20 道题 {memory():.0f} MB")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def browser(times: int) -> None:
    from playwright.sync_api import sync_playwright

    folder = Path(tempfile.mkdtemp(prefix="crm-widgets-"))
    course = Course(folder)
    demo = course.notebooks / "demo"
    for name, tasks in (("demo", twenty(demo)), ("more", others(demo))):
        cells = [nbformat.v4.new_code_cell(f'import crmlib as crm\ncrm.task("{t["id"]}")') for t in tasks]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), demo / f"{name}.ipynb")
    course.start()
    try:
        with sync_playwright() as tool:
            page = tool.chromium.launch(executable_path=chromium(), args=FLAGS).new_page(
                viewport={"width": 1366, "height": 768})
            print(f"▶ 运行全部，到第 20 道题出现：{run_all(page, course, 'demo', 20):.2f} s")
            measure(page, times, {"选一个选项": pick, "按数字键，卡片进格子": sort,
                                  "点检查，看到对错": check})
            run_all(page, course, "more", 4)
            measure(page, times, {"配对：按字母连上": pair, "排序：挪一步": move,
                                  "对话：选一句，看到回话": talk, "模拟：走一回合，看到结果": turn})
    finally:
        course.stop()


def run_all(page, course, name, number) -> float:
    """Seconds from the click on ▶ 运行全部 to the last of ``number`` widgets."""
    page.goto(re.sub(r"/crm\?", f"/doc/tree/demo/{name}.ipynb?", course.address))
    page.get_by_text("Python 3").first.wait_for(state="attached")
    page.wait_for_timeout(5000)  # 内核起来
    start = time.perf_counter()
    page.get_by_text("运行全部").first.click()
    page.locator(".crm-task").nth(number - 1).wait_for(state="attached", timeout=60_000)
    return time.perf_counter() - start


def measure(page, times, measures) -> None:
    page.wait_for_timeout(1000)
    page.evaluate(WATCH)
    for name, act in measures.items():
        taken = sorted(act(page, times))
        print(f"{name}：中位 {statistics.median(taken):.0f} ms，"
              f"九成在 {taken[int(len(taken) * 0.9)]:.0f} ms 内（{len(taken)} 次）", flush=True)


def clock(page, event, task, done, act) -> float:
    """Milliseconds from an event to the frame that shows ``done`` (JavaScript; ``task`` is the element)."""
    page.evaluate("""([event, task, done]) => {
      const look = new Function("task", `return ${done}`);
      window.taken = clock(event, () => look(task));
    }""", [event, task.element_handle(), done])
    act()
    return page.evaluate("taken")


def pick(page, times):
    task = page.locator(".crm-task[data-kind='choose']").nth(1)
    task.scroll_into_view_if_needed()
    for n in range(times):
        option = f"[data-option='{'so'[n % 2]}']"
        yield clock(page, "pointerdown", task, f'task.querySelector("{option} input").checked',
                    task.locator(option).click)
        page.wait_for_timeout(60)


def sort(page, times):
    task = page.locator(".crm-task[data-kind='classify']").first
    for n in range(times):
        task.locator("[data-card='c02']").focus()
        key, name = ("1", "P") if n % 2 == 0 else ("2", "E")
        done = f"""task.querySelector("[data-bin='{name}'] [data-card='c02']")"""
        yield clock(page, "keydown", task, done, lambda key=key: page.keyboard.press(key))
        page.wait_for_timeout(60)


def check(page, times):
    task = page.locator(".crm-task[data-kind='choose']").nth(1)
    for n in range(times):
        option, state = [("s", "wrong"), ("o", "right")][n % 2]
        task.locator(f"[data-option='{option}']").click()
        task.locator(".crm-status[data-state='saved']").wait_for()
        page.wait_for_timeout(100)
        yield clock(page, "click", task, f"task.querySelector('.crm-feedback').dataset.state === '{state}'",
                    task.locator(".crm-check").click)
        page.wait_for_timeout(60)


def pair(page, times):
    task = page.locator(".crm-task[data-kind='match']")
    for n in range(times):
        task.locator(".crm-end-left").first.focus()
        key, state = [("a", "true"), ("Backspace", "false")][n % 2]
        done = f'task.querySelector(".crm-end-left").hasAttribute("data-paired") === {state}'
        yield clock(page, "keydown", task, done, lambda key=key: page.keyboard.press(key))
        page.wait_for_timeout(60)


def move(page, times):
    task = page.locator(".crm-task[data-kind='order']")
    for n in range(times):
        key, at = [("Alt+ArrowDown", 1), ("Alt+ArrowUp", 0)][n % 2]
        name = task.locator(".crm-card").nth(1 - at).get_attribute("data-card")
        task.locator(f"[data-card='{name}']").focus()
        done = f"""task.querySelectorAll(".crm-card")[{at}].dataset.card === "{name}" """
        yield clock(page, "keydown", task, done, lambda key=key: page.keyboard.press(key))
        page.wait_for_timeout(60)


def talk(page, times):
    task = page.locator(".crm-task[data-kind='dialogue']")
    for _ in range(times):
        if not task.locator(".crm-reply").count():
            task.get_by_role("button", name="从头再来").click()
        steps = task.locator("[data-step]").count()
        yield clock(page, "click", task, f'task.querySelectorAll("[data-step]").length === {steps + 1}',
                    task.locator(".crm-reply").first.click)
        page.wait_for_timeout(60)


def turn(page, times):
    task = page.locator(".crm-task[data-kind='simulate']")
    for _ in range(times):
        if not task.locator(".crm-next").is_visible():
            task.get_by_role("button", name="重来").click()
            task.locator(".crm-next").wait_for()
        rows = task.locator(".crm-record tbody tr").count()
        yield clock(page, "click", task,
                    f'task.querySelectorAll(".crm-record tbody tr").length === {rows + 1}',
                    task.locator(".crm-next").click)
        page.wait_for_timeout(120)


if __name__ == "__main__":
    main()
