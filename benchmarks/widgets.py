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
    """20 tasks of all five kinds in ``folder/tasks``, made of the test suite's."""
    samples = yaml.safe_load((ROOT / "tests" / "fixtures" / "demo_tasks.yaml").read_text("utf-8"))
    samples = [t for t in samples if t["use"] == "practice"]
    tasks = [{**samples[n % len(samples)], "id": f"2.2-{n + 1}"} for n in range(20)]
    (folder / "tasks").mkdir(parents=True)
    content = json.dumps({"format": 1, "tasks": tasks}, ensure_ascii=False)
    (folder / "tasks" / "2.2.json").write_text(content, "utf-8")
    return tasks


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
    tasks = twenty(demo)
    cells = [nbformat.v4.new_code_cell(f'import crmlib as crm\ncrm.task("{t["id"]}")') for t in tasks]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), demo / "demo.ipynb")
    course.start()
    try:
        with sync_playwright() as tool:
            page = tool.chromium.launch(executable_path=chromium(), args=FLAGS).new_page(
                viewport={"width": 1366, "height": 768})
            page.goto(re.sub(r"/crm\?", "/doc/tree/demo/demo.ipynb?", course.address))
            page.get_by_text("Python 3").first.wait_for(state="attached")
            page.wait_for_timeout(5000)  # 内核起来
            start = time.perf_counter()
            page.get_by_text("运行全部").first.click()
            page.locator(".crm-task").nth(19).wait_for(state="attached", timeout=60_000)
            print(f"▶ 运行全部，到第 20 道题出现：{time.perf_counter() - start:.2f} s")
            page.wait_for_timeout(1000)
            page.evaluate(WATCH)
            measures = {"选一个选项": pick, "按数字键，卡片进格子": sort, "点检查，看到对错": check}
            for name, measure in measures.items():
                taken = sorted(measure(page, times))
                print(f"{name}：中位 {statistics.median(taken):.0f} ms，"
                      f"九成在 {taken[int(len(taken) * 0.9)]:.0f} ms 内（{len(taken)} 次）")
    finally:
        course.stop()


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


if __name__ == "__main__":
    main()
