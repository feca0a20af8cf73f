"""投影多快能上课：``python benchmarks/present.py [单元] [次数]``，要有 Chromium。

Prints, measured on this machine from the start of the command: seconds until the first step (its prose) is
on screen, and until the first control answers a click (the answer is on file and the page says so).
Cold: with the byte code removed and, where that is allowed (root on Linux), the disk's cache dropped.
The browser itself is already running, as on a teacher's computer.
"""

import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "browser"))
import psutil  # noqa: E402
from conftest import FLAGS, chromium  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402


def main() -> None:
    unit = sys.argv[1] if len(sys.argv) > 1 else "2.2"
    times = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    print(f"Python {platform.python_version()}，{os.cpu_count()} 核，负载 {psutil.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as tool:
        root = Path(folder)
        for name in ("notebooks", "datasets", "units"):
            shutil.copytree(ROOT / name, root / name)
        browser = tool.chromium.launch(executable_path=chromium(), args=FLAGS)
        show(browser, root, unit)
        report("热", [show(browser, root, unit) for _ in range(times)])
        report("冷", [show(browser, root, unit, prepare=cool) for _ in range(2)])
        browser.close()


def cool() -> None:
    """As after switching the computer on."""
    for cache in [*(ROOT / "crmlib").rglob("__pycache__"), *(ROOT / "autograder").rglob("__pycache__")]:
        shutil.rmtree(cache, ignore_errors=True)
    try:
        subprocess.run(["sync"], check=True)
        Path("/proc/sys/vm/drop_caches").write_text("3")
    except (OSError, subprocess.SubprocessError):
        print("  （磁盘缓存清不掉：冷启动只清了字节码）")


def show(browser, root: Path, unit: str, prepare=lambda: None) -> tuple[float, float]:
    shutil.rmtree(root / "inclass", ignore_errors=True)
    window = browser.new_context(viewport={"width": 1366, "height": 768})
    page = window.new_page()
    prepare()
    begun = time.perf_counter()
    command = [sys.executable, "-m", "crmlib", "present", unit, "--no-browser", "--port", "0"]
    process = subprocess.Popen(command, env={**os.environ, "CRM_COURSE": str(root), "PYTHONUTF8": "1"},
                               stdout=subprocess.PIPE, text=True, encoding="utf-8")
    try:
        address = next(found[0] for line in process.stdout
                       if (found := re.search(r"http\S+/enter/screen\S+", line)))
        page.goto(address)
        page.wait_for_selector(".lead :is(h1, p)")
        first = time.perf_counter() - begun
        while not page.locator(".crm-option").count():  # 第一个有控件的步
            at = page.locator("html").get_attribute("data-step")
            if page.locator(".stage .wait").count() == 0 and not page.locator(".stage .widget").count():
                page.keyboard.press("ArrowRight")
                page.wait_for_selector(f"html:not([data-step='{at}'])")
            page.wait_for_timeout(10)
        page.locator(".crm-option").first.click()
        page.get_by_text("已记下").wait_for()
        return first, time.perf_counter() - begun
    finally:
        process.kill()
        process.wait()
        window.close()


def report(name: str, runs) -> None:
    for what, seconds in zip(("第一步在屏幕上", "第一个控件点得动"), zip(*runs, strict=True), strict=True):
        print(f"{name}：{what}，中位 {statistics.median(seconds):.1f} 秒，最慢 {max(seconds):.1f} 秒"
              f"（{len(seconds)} 次）")


if __name__ == "__main__":
    main()
