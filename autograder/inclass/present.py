"""``crm present 单元``：投影。课文里标着 demo 的格子，一步一步放大了演示；老师另有一个自己看的窗口。

不用 JupyterLab，也不用 Voila：课文的控件都是 anywidget，一页很小的网页就装得下它们，打开只要一个内核的时间。
课文照原样运行，只是在一份副本里：``inclass/present/单元/``。投影时选的答案留在那里，不进 notebooks/。
"""

import asyncio
import base64
import contextlib
import os
import shutil
import sys
import time
from datetime import datetime
from pathlib import Path

from autograder.inclass import steps as script
from autograder.inclass import web
from crmlib import paths
from crmlib.cli import CourseError, Parser

FIRST_PORT = 8850
BIGGEST = 1_000_000
SHOWABLE = ("text/html", "image/svg+xml", "image/png", "image/jpeg", "text/plain")
WIDGET = "application/vnd.jupyter.widget-view+json"


def main(argv=None) -> int:
    """Present a unit until Ctrl+C; returns 0. Raises CourseError."""
    parser = Parser(prog="crm present", description="投影：一步一步演示一个单元")
    parser.add_argument("unit", metavar="单元", help="例如 2.2")
    parser.add_argument("--fresh", action="store_true", help="从没有作答的样子开始（上次投影的答案改名留着）")
    parser.add_argument("--port", type=int, metavar="端口", help=f"不写就从 {FIRST_PORT} 起找一个空的")
    parser.add_argument("--no-browser", action="store_true", help="不自动打开浏览器，只显示地址")
    options = parser.parse_args(argv)
    lesson = web.lesson(options.unit)
    cells, steps = script.read(lesson)
    folder = scratch(lesson, options.fresh)
    sockets, port = web.listen("127.0.0.1", options.port, FIRST_PORT)
    web.run(_run(Show(lesson, cells, steps, folder), sockets, port, not options.no_browser))
    return 0


def scratch(lesson, fresh: bool = False) -> Path:
    """The folder in which a unit is presented: its tasks as they are now, the answers of the last time."""
    folder = web.keep_in("present", lesson.id)
    answers = folder / "answers.json"
    try:
        if fresh and answers.exists():
            answers.rename(folder / f"answers-{datetime.now():%Y%m%d-%H%M%S}.json")
        if lesson.tasks.parent.is_dir():
            shutil.copytree(lesson.tasks.parent, folder / "tasks", dirs_exist_ok=True)
    except OSError as fault:
        raise CourseError(f"写不了 {folder}（{fault.strerror}）。关掉正在用它的程序，再试一次。") from None
    return folder


async def _run(show, sockets, port: int, browser: bool) -> None:
    keys = {"screen": web.key(), "teacher": web.key()}
    server = web.serve(application(show, keys, port), sockets, BIGGEST)
    address = f"http://127.0.0.1:{port}/enter"
    print(f"投影：{show.lesson.id} {show.lesson.title}（{len(show.steps)} 步）\n\n"
          f"  投影窗口：{address}/screen?key={keys['screen']}\n"
          f"  老师窗口：{address}/teacher?key={keys['teacher']}\n\n"
          "老师窗口里有答案，别拖到投影上。翻页：→ ←、空格、翻页笔。下课了，在这里按 Ctrl+C。", flush=True)
    kernel = asyncio.ensure_future(show.start())
    if browser:
        # 投影窗口只带自己的口令：有答案的老师窗口，由老师自己打开
        await asyncio.get_running_loop().run_in_executor(
            None, web.show, f"{address}/screen?key={keys['screen']}")
    try:
        await kernel
        await asyncio.Event().wait()
    finally:
        server.stop()
        await show.stop()
        print("\n投影已关闭。", flush=True)


def application(show, keys: dict, port: int):
    common = [web.asset("link.js")]
    look = [web.WIDGETS.joinpath("shared.css").read_text("utf-8"), web.asset("screen.css")]
    return web.application([
        *web.routes("screen", show.lesson.title, "\n".join([*common, web.asset("present.js")]),
                    "\n".join(look)),
        *web.routes("teacher", f"老师：{show.lesson.title}", "\n".join([*common, web.asset("coach.js")]),
                    "\n".join([*look, web.asset("coach.css")])),
        ("/", _Start),
        ("/ws/(screen|teacher)", _Window, {"show": show}),
    ], keys, port)


class _Start(web.Handler):
    def get(self):
        self.redirect("/screen")


class _Window(web.Socket):
    """A window on the show. Only the teacher's is told what is expected."""

    def initialize(self, show):
        self.show = show

    async def get(self, role):
        self.demand(role)
        await super().get(role)

    def open(self, role):
        self.role = role
        self.tell(self.show.whole(role))
        self.show.windows.add(self)

    def on_close(self):
        self.show.windows.discard(self)

    def on_message(self, message):
        said = web.json.loads(message)
        if isinstance(said, dict):
            self.show.hear(self, said)


class Show:
    """The state that all windows share: which step, what every cell put out, the widgets' models."""

    def __init__(self, lesson, cells, steps, folder):
        self.lesson, self.cells, self.steps, self.folder = lesson, cells, steps, folder
        self.at, self.dark, self.fault = 0, False, ""
        self.windows, self._tasks, self._restarting = set(), set(), False
        self._client = self._manager = None
        self._clear()

    def _clear(self):
        self.outputs = [[] for _ in self.cells]
        self.state = ["waiting"] * len(self.cells)  # waiting · running · done · failed
        self.models, self._wiping, self._asked, self._serial = {}, set(), {}, 0
        self._next, self._first = 0, ""

    # ---- 内核 ----

    async def start(self) -> None:
        """Start the kernel and run the lesson's cells in their order."""
        await self._launch()
        web.background(self._tasks, self._watch())

    async def _launch(self) -> None:
        from jupyter_client.asynchronous.client import AsyncKernelClient
        from jupyter_client.manager import AsyncKernelManager

        class Manager(AsyncKernelManager):
            """The kernel of this very Python, whatever else is registered on the computer."""

            def format_kernel_cmd(self, extra_arguments=None):
                # 测试和命令行用的就是这个解释器；不查内核清单，开得快
                return [sys.executable, "-m", "ipykernel_launcher", "-f", self.connection_file,
                        "--log-level=ERROR"]

        self._manager = Manager(client_factory=AsyncKernelClient)  # 一个内核一个：重启时端口也换新的
        environment = {**os.environ, "CRM_COURSE": str(paths.root().resolve()), "PYTHONUTF8": "1"}
        try:
            await self._manager.start_kernel(cwd=str(self.folder), env=environment)
            self._client = self._manager.client()
            self._client.start_channels(hb=False, stdin=False, control=False)
            await self._client.wait_for_ready(timeout=60)
        except Exception as fault:
            raise CourseError(f"内核没有启动（{type(fault).__name__}：{fault}）。关掉别的程序，再试一次。"
                              ) from None
        self._listener = asyncio.ensure_future(self._listen())
        self._advance()

    async def _watch(self) -> None:
        """A kernel that dies in front of the class comes back by itself, three times."""
        for _ in range(3):
            while self._restarting or await self._manager.is_alive():
                await asyncio.sleep(1)
            await self.restart("内核停了，正在重新运行这一课。")
        self._note("内核停了三次，不再重试。关掉黑窗口，重新运行 crm present。")

    async def restart(self, why: str = "") -> None:
        """A fresh kernel; the answers on file stay."""
        if self._restarting:
            return
        self._restarting = True
        self._listener.cancel()
        self._client.stop_channels()
        with contextlib.suppress(Exception):
            await self._manager.shutdown_kernel(now=True)
        self._clear()
        self.fault = why
        self._refresh()
        await self._launch()
        self._restarting = False
        self._note("")

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._client:
            self._client.stop_channels()
        if self._manager and self._manager.has_kernel:
            with contextlib.suppress(Exception):
                await self._manager.shutdown_kernel(now=True)

    def _advance(self) -> None:
        """Run the next cell. One at a time: a click on a control need not wait for all the cells to come."""
        if self._next < len(self.cells):
            self._next += 1
            self._first = self._execute(self._next - 1)

    def _execute(self, place: int) -> str:
        asked = self._client.execute(self.cells[place].code, allow_stdin=False, stop_on_error=False)
        self._asked[asked] = place
        self.state[place] = "waiting"
        return asked

    def _send_comm(self, comm: str, data: dict) -> None:
        message = self._client.session.msg("comm_msg", {"comm_id": comm, "data": data})
        self._client.shell_channel.send(message)

    async def _listen(self) -> None:
        while True:
            message = await self._client.get_iopub_msg()
            with contextlib.suppress(KeyError, TypeError):  # 读不懂的消息：不认，接着听
                self._take(message)

    def _take(self, message) -> None:
        kind, content = message["msg_type"], message["content"]
        place = self._asked.get(message["parent_header"].get("msg_id"))
        if kind.startswith("comm_"):
            self._take_comm(kind, content, message.get("buffers", []))
        elif kind == "update_display_data":
            self._update_display(content)
        elif place is None:
            return
        elif kind == "status":
            if content["execution_state"] == "busy":
                self.state[place], self.outputs[place] = "running", []
            elif content["execution_state"] == "idle":
                if self.state[place] == "running":
                    self.state[place] = "done"
                self._cell(place)
                if message["parent_header"]["msg_id"] == self._first:
                    self._advance()
        elif kind == "clear_output":
            if content.get("wait"):
                self._wiping.add(place)
            else:
                self.outputs[place] = []
        elif kind in ("stream", "display_data", "execute_result", "error"):
            self._put(place, kind, content)

    def _put(self, place, kind, content) -> None:
        if place in self._wiping:
            self._wiping.discard(place)
            self.outputs[place] = []
        outputs = self.outputs[place]
        if kind == "stream":
            if content["name"] == "stderr":  # 黑字红字都不上投影
                return
            if outputs and outputs[-1]["kind"] == "stream":
                outputs[-1]["text"] += content["text"]
                outputs[-1]["version"] += 1
            else:
                outputs.append(self._output(kind, text=content["text"]))
        elif kind == "error":
            self.state[place] = "failed"
            outputs.append(self._output(kind, text=f"{content['ename']}：{content['evalue']}"))
        else:
            outputs.append(self._output("data", data=_shown(content["data"]),
                                        display=content.get("transient", {}).get("display_id")))
        self._cell(place)

    def _output(self, kind, **more) -> dict:
        self._serial += 1
        return {"kind": kind, "uid": self._serial, "version": 0, **more}

    def _update_display(self, content) -> None:
        wanted = content["transient"]["display_id"]
        for place, outputs in enumerate(self.outputs):
            for output in outputs:
                if output.get("display") == wanted:
                    output["data"] = _shown(content["data"])
                    output["version"] += 1
                    self._cell(place)

    def _take_comm(self, kind, content, buffers) -> None:
        comm, data = content["comm_id"], content.get("data", {})
        if kind == "comm_open" and content.get("target_name") == "jupyter.widget":
            self.models[comm] = _with_buffers(data["state"], data.get("buffer_paths", []), buffers)
            self._broadcast({"do": "open", "model": comm, "state": self.models[comm]}, "screen")
        elif kind == "comm_close" and self.models.pop(comm, None) is not None:
            self._broadcast({"do": "close", "model": comm}, "screen")
        elif kind == "comm_msg" and comm in self.models:
            if data.get("method") == "update":
                changes = _with_buffers(data["state"], data.get("buffer_paths", []), buffers)
                self.models[comm].update(changes)
                self._broadcast({"do": "update", "model": comm, "state": changes}, "screen")
            elif data.get("method") == "custom":
                self._broadcast({"do": "custom", "model": comm, "content": data["content"]}, "screen")

    # ---- 窗口 ----

    def whole(self, role: str) -> dict:
        """Everything that a window must know when it opens."""
        told = {"do": "all", "unit": self.lesson.id, "title": self.lesson.title, "at": self.at,
                "dark": self.dark, "fault": self.fault, "steps": [vars(step) for step in self.steps]}
        if role == "screen":
            return {**told, "models": self.models,
                    "cells": [self._shown(place) for place in range(len(self.cells))]}
        return {**told, "now": time.time(), "plan": script.plan(self.lesson), "expected": self._expected(),
                "code": [self.cells[step.cells[-1]].code for step in self.steps], "faults": self._faults()}

    def _expected(self) -> list[str]:
        from crmlib.tasks import read_tasks

        try:
            tasks = read_tasks(self.lesson.tasks)
        except CourseError:
            tasks = {}
        return ["".join(script.expected(tasks[t]) for t in dict.fromkeys(step.tasks) if t in tasks)
                for step in self.steps]

    def _faults(self) -> list[str]:
        return [f"第 {place + 1} 格“{cell.code.strip().splitlines()[0]}”：{output['text']}"
                for place, cell in enumerate(self.cells) for output in self.outputs[place]
                if output["kind"] == "error"]

    def _shown(self, place: int) -> dict:
        """A cell as the projector may show it: no code, no traceback."""
        outputs = [{**o, "text": ""} if o["kind"] == "error" else o for o in self.outputs[place]]
        return {"place": place, "state": self.state[place],
                "outputs": outputs if self.cells[place].demo else []}

    def _cell(self, place: int) -> None:
        if self.cells[place].demo:
            self._broadcast({"do": "cell", **self._shown(place)}, "screen")
        if self.state[place] == "failed":
            self._broadcast({"do": "faults", "faults": self._faults()}, "teacher")

    def _note(self, fault: str) -> None:
        self.fault = fault
        self._broadcast({"do": "fault", "fault": fault})

    def _refresh(self) -> None:
        for window in list(self.windows):
            window.tell(self.whole(window.role))

    def _broadcast(self, message: dict, role: str = "", but=None) -> None:
        text = web.json.dumps(message, ensure_ascii=False)
        for window in list(self.windows):
            if window is not but and role in ("", window.role):
                window.tell(text)

    def hear(self, window, said: dict) -> None:
        """What a window asks for: another step, a change of a widget, a cell once more."""
        match said:
            case {"do": "go", "at": int(at)}:
                self.go(at)
            case {"do": "dark", "dark": bool(dark)}:
                self.dark = dark
                self._broadcast({"do": "dark", "dark": dark})
            case {"do": "again"}:
                for place in self.steps[self.at].cells:
                    self._rerun(place)
            case {"do": "restart"} if window.role == "teacher" and self._client:
                web.background(self._tasks, self.restart("正在重新运行这一课。"))
            case {"do": "update", "model": str(comm), "state": dict(changes)} if comm in self.models:
                self.models[comm].update(changes)
                self._send_comm(comm, {"method": "update", "state": changes, "buffer_paths": []})
                self._broadcast({"do": "update", "model": comm, "state": changes}, "screen", but=window)
            case {"do": "custom", "model": str(comm), "content": content} if comm in self.models:
                self._send_comm(comm, {"method": "custom", "content": content})

    def go(self, at: int) -> None:
        self.at = max(0, min(len(self.steps) - 1, at))
        for place in self.steps[self.at].cells:
            if self.cells[place].fresh:
                self._rerun(place)
        self._broadcast({"do": "go", "at": self.at})

    def _rerun(self, place: int) -> None:
        if self._client and self.state[place] in ("done", "failed"):
            self._execute(place)


def _shown(data: dict) -> dict:
    """Of a MIME bundle, the one form that the page shows: {mime: content}."""
    for mime in (WIDGET, *SHOWABLE):
        if mime in data:
            return {mime: data[mime]}
    return {}


def _with_buffers(state: dict, places, buffers) -> dict:
    """A widget's state with its binary parts put back as {"crm-base64": …}; the page makes them DataViews."""
    for place, buffer in zip(places, buffers, strict=False):
        inside = state
        for step in place[:-1]:
            inside = inside[step]
        inside[place[-1]] = {"crm-base64": base64.b64encode(bytes(buffer)).decode()}
    return state
