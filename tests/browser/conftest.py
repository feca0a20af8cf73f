"""真实的浏览器、真实的 ``crm lab``；课程是一份副本，原来的文件夹一个字都不动。"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / "test-output" / "screenshots"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run", "--force-device-scale-factor=1"]
INSTALL = "Debian/Ubuntu：apt-get install chromium fonts-noto-cjk；或设 CRM_CHROMIUM=浏览器的位置"

# 不影响学生的话：内核换新时，旧连接断开
HARMLESS = re.compile(r"Connection lost, reconnecting|WebSocket connection to .*/channels")


def chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "msedge")
    return os.environ.get("CRM_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="没有装：pip install playwright")
    program = chromium()
    if not program:
        pytest.skip(f"没有找到 Chromium。{INSTALL}")
    with playwright.sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


class Course:
    """A private copy of the course and the `crm lab` that serves it."""

    def __init__(self, folder: Path):
        self.folder, self.notebooks = folder, folder / "notebooks"
        shutil.copytree(ROOT / "notebooks", self.notebooks,
                        ignore=shutil.ignore_patterns("answers*.json", ".ipynb_checkpoints", "*.docx"))
        shutil.copytree(ROOT / "datasets", folder / "datasets")
        self.env = {**os.environ, "CRM_COURSE": str(folder), "PYTHONUTF8": "1",
                    "JUPYTER_CONFIG_DIR": str(folder / "config"), "JUPYTER_DATA_DIR": str(folder / "data")}
        self.env.pop("JUPYTER_TOKEN", None)
        self.server = None

    def start(self) -> None:
        self.log = open(self.folder / "lab.log", "w+", encoding="utf-8")  # noqa: SIM115
        self.server = subprocess.Popen([sys.executable, "-m", "crmlib", "lab", "--no-browser", "--port", "0"],
                                       env=self.env, stdout=subprocess.PIPE, stderr=self.log, text=True,
                                       encoding="utf-8")
        self.address = next((line.strip() for line in self.server.stdout if "http://" in line), None)
        assert self.address, (self.folder / "lab.log").read_text("utf-8")

    def stop(self) -> None:
        self.server.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.server.wait(20)
        self.server.kill()
        self.server.wait()
        self.log.close()

    def complaints(self) -> str:
        """What the server and its kernels wrote to stderr."""
        return (self.folder / "lab.log").read_text("utf-8")

    def kernels(self) -> list[psutil.Process]:
        return psutil.Process(self.server.pid).children()

    @contextlib.contextmanager
    def busy(self):
        """The kernels do nothing meanwhile, as on a slow computer; what the page sends waits."""
        if os.name != "posix":
            pytest.skip("Windows 上不能让一个进程停一会儿")
        kernels = self.kernels()
        assert kernels
        for kernel in kernels:
            kernel.suspend()
        try:
            yield
        finally:
            for kernel in kernels:
                kernel.resume()


@pytest.fixture(scope="module")
def course(browser, tmp_path_factory):
    course = Course(tmp_path_factory.mktemp("course"))
    course.start()
    yield course
    course.stop()


@pytest.fixture
def page(browser, request):
    """A fresh browser window; fails the test when the page reported an error."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
    context.set_default_timeout(60_000)
    page, heard = context.new_page(), []
    page.on("console", lambda m: heard.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda fault: heard.append(str(fault)))
    page.on("requestfailed", lambda r: heard.append(f"{r.failure} {r.url}"))
    page.on("response", lambda r: heard.append(f"{r.status} {r.url}") if r.status >= 400 else None)
    yield page
    context.close()
    heard = [h for h in heard if not HARMLESS.search(h) and "net::ERR_ABORTED" not in h]
    assert not heard, "浏览器控制台的错误：\n" + "\n".join(heard)


BOARD = """<!doctype html><meta charset="utf-8"><style>%s</style><body data-jp-theme-light="true">
<div id="here"></div>
<script type="module">%s
const heard = {};
window.model = { board: %s, get() { return this.board; }, on(e, f) { heard[e] = f; }, off() {},
  send(m) { (window.sent ??= []).push(m); }, change(b) { this.board = b; heard["change:board"](); } };
board.render({ model, el: document.getElementById("here") });
</script>"""


def show_board(page, name, board, ready=".crm-board"):
    """A board on a page of its own; ``window.model.change`` plays the kernel, ``window.sent`` is for it."""
    from crmlib import boards
    from crmlib.widgets import script, style

    folder = Path(boards.__file__).parent
    code = script(name, folder).replace("export default", "const board =")
    page.set_default_timeout(10_000)
    page.set_content(BOARD % (style(name, folder), code, json.dumps(board, ensure_ascii=False)))
    page.wait_for_selector(ready)
    return page


def slide(page, label, value):
    """Move a slider, as far as the page can tell."""
    page.get_by_label(label, exact=True).evaluate("""(node, value) => {
      node.value = String(value);
      for (const name of ["input", "change"]) node.dispatchEvent(new Event(name));
    }""", value)


@pytest.fixture
def shot():
    """shot(page, "name"): screenshots of the same view at 1366×768 and 1920×1080."""
    SHOTS.mkdir(parents=True, exist_ok=True)

    def take(page, name):
        for width, height in ((1920, 1080), (1366, 768)):
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(300)
            page.screenshot(path=SHOTS / f"{name}-{width}x{height}.png")

    return take
