"""两个课堂页面共用的：找单元、选端口、口令和 cookie、响应头、网页的拼装、长连接。"""

import asyncio
import contextlib
import hmac
import ipaddress
import json
import logging
import secrets
import socket
import webbrowser
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

from tornado import web, websocket
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets

from crmlib import paths
from crmlib.cli import CourseError

PAGES = Path(__file__).parent / "pages"
WIDGETS = Path(__file__).resolve().parents[2] / "crmlib" / "widgets"
FOLDER = "inclass"  # 课程文件夹里，课堂上留下的东西都在这里
TRIES = 50
MOST_SOCKETS = 480  # Windows 的 select 最多管 512 个，再多整个程序就停了

# 网页里只跑自己的脚本；blob: 是控件（anywidget）自带的脚本
POLICY = ("default-src 'none'; script-src 'self' blob:; style-src 'self' 'unsafe-inline'; "
          "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; "
          "form-action 'self'; frame-ancestors 'none'")


@dataclass
class Lesson:
    """A unit as built: its notebook and, beside it, its tasks; and the unit's folder (teach.md)."""

    id: str
    title: str
    notebook: Path
    source: Path

    @property
    def tasks(self) -> Path:
        return self.notebook.parent / "tasks" / f"{self.id}.json"


def lesson(name: str) -> Lesson:
    """The unit ``2.2`` or ``2.2-swot-pest``. Raises CourseError if there is none, or no course."""
    folder = paths.notebooks()
    try:
        course = json.loads((folder / "course.json").read_text("utf-8"))
        units = [unit for module in course["modules"] for unit in module["units"]]
        found = {unit["id"]: Lesson(unit["id"], unit["title"], folder / unit["path"],
                                    paths.root() / "units" / Path(unit["path"]).stem) for unit in units}
    except (OSError, ValueError, KeyError, TypeError):
        raise CourseError(f"读不了课程地图 {folder / 'course.json'}。请先运行 crm build。") from None
    for one in found.values():
        if name in (one.id, one.notebook.stem):
            if not one.notebook.is_file():
                raise CourseError(f"单元 {one.id} 的笔记 {one.notebook} 不在。请先运行 crm build。")
            return one
    have = "、".join(one.notebook.stem for one in found.values()) or "（一个也没有）"
    raise CourseError(f"没有单元“{name}”。现有：{have}")


def keep_in(*names: str) -> Path:
    """A folder for what a class leaves behind, made if need be. Raises CourseError if it cannot be."""
    folder = paths.root().joinpath(FOLDER, *names)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise CourseError(f"建不了文件夹 {folder}（{fault.strerror}）。课程要放在可以写的地方。") from None
    return folder


# ---- 端口、启动 ----

def listen(host: str, port: int | None, first: int) -> tuple[list, int]:
    """(sockets, port): on ``port``, or on the first free one from ``first`` on. CourseError if there is none.
    """
    if port is not None and not 0 <= port <= 65535:
        raise CourseError(f"没有 {port} 号端口，应在 1 到 65535 之间")
    for candidate in [port] if port is not None else range(first, first + TRIES):
        try:
            sockets = bind_sockets(candidate, host, family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        except socket.gaierror:
            raise CourseError(f"地址 {host} 不对，应像 192.168.1.20 这样") from None
        except OSError:
            continue
        return sockets, sockets[0].getsockname()[1]
    if port is None:
        raise CourseError(f"{first} 到 {first + TRIES - 1} 的端口都被占用了，请先关掉别的课堂页面")
    raise CourseError(f"端口 {port} 打不开，多半是别的程序在用。换一个端口，或者不写 --port，让程序自己找")


class _Server(HTTPServer):
    """Hangs up on whoever comes when too many connections are open; not on the teacher at this computer."""

    def handle_stream(self, stream, address):
        home = ipaddress.ip_address(address[0]).is_loopback
        if not home and len(IOLoop.current().handlers) > MOST_SOCKETS:
            stream.close()
        else:
            super().handle_stream(stream, address)


def run(work) -> None:
    """Run a coroutine until it is done or Ctrl+C, on the kind of event loop that zmq and tornado share."""
    with contextlib.suppress(KeyboardInterrupt), \
            asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(work)


def serve(app: web.Application, sockets, biggest: int) -> HTTPServer:
    """Start answering; no request may be bigger than ``biggest`` bytes."""
    for name in ("tornado.access", "tornado.general"):  # 不记谁来过；坏请求也不在黑窗口里刷屏
        logging.getLogger(name).setLevel(logging.CRITICAL)
    server = _Server(app, max_body_size=biggest, max_buffer_size=4 * biggest + 65536, max_header_size=16384,
                     idle_connection_timeout=20, body_timeout=20)
    server.add_sockets(sockets)
    return server


def show(address: str) -> None:
    """Open the browser, without waiting for it and without its chatter."""
    with contextlib.suppress(Exception):
        webbrowser.open(address)


# ---- 网页 ----

@cache
def asset(name: str) -> str:
    return (PAGES / name).read_text("utf-8")


@cache
def widget_source(name: str) -> str:
    """A widget's script without its last line (the export), to be joined with others."""
    lines = (WIDGETS / f"{name}.js").read_text("utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("export default"))


def page(title: str, script: str, style: str) -> str:
    """A whole page that loads one script and one style sheet of this server's."""
    return (f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{escape(title)}</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<link rel="icon" href="data:,"><link rel="stylesheet" href="{style}"></head>'
            f'<body data-jp-theme-light="true"><script type="module" src="{script}"></script></body></html>')


class Handler(web.RequestHandler):
    """Safe headers, keys in cookies, faults in one Chinese line.

    ``settings["keys"]``: {role: key}. A role's key comes once, in the address that opens its page; then it
    moves into a cookie, so that no address on the projector ever shows it.
    """

    def set_default_headers(self):
        for name, value in {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff",
                            "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
                            "X-Frame-Options": "DENY", "Server": "crm",
                            "Connection": "close"}.items():  # 一台手机只占长连接那一个插口
            self.set_header(name, value)

    def may(self, role: str) -> bool:
        """Whether this browser holds the key of a role; the teacher's opens everything."""
        keys = self.settings["keys"]
        return any(same(self.get_cookie(self._cookie(name)) or "", keys[name])
                   for name in {role, "teacher"} & set(keys))

    def demand(self, role: str) -> None:
        if not self.may(role):
            raise web.HTTPError(403, reason="forbidden")

    def _cookie(self, role: str) -> str:
        # 同一台电脑上不同端口的 cookie 是混在一起的：名字里带上端口
        return f"crm-{role}-{self.settings['port']}"

    def remember(self, name: str, value: str) -> None:
        self.set_cookie(self._cookie(name), value, httponly=True, samesite="Strict", path="/", expires_days=1)

    def own(self) -> None:
        """Refuse posts that another web site made this browser send."""
        origin = self.request.headers.get("Origin", "")
        if origin and origin.partition("://")[2] != self.request.host:
            raise web.HTTPError(403, reason="forbidden")
        if not self.request.headers.get("Content-Type", "").startswith("application/json"):
            raise web.HTTPError(415, reason="json only")

    def body(self) -> dict:
        """The request's JSON object."""
        self.own()
        try:
            found = json.loads(self.request.body)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise web.HTTPError(400, reason="bad json")
        return found

    def say(self, status: int, **answer) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(json.dumps(answer, ensure_ascii=False))

    def write_error(self, status_code, **kwargs):
        said = {403: "这一页只有老师的电脑能打开。请用黑窗口里显示的地址。", 404: "没有这一页。",
                405: "没有这一页。", 413: "内容太长了。"}.get(status_code, "没有成功，再试一次。")
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish('<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>课堂</title>'
                    f"<p>{said}</p>")


class Enter(Handler):
    """``/enter/ROLE?key=…``: the key goes into a cookie, and the page opens without it."""

    def get(self, role):
        key = self.settings["keys"].get(role)
        if key is None or not same(self.get_query_argument("key", ""), key):
            raise web.HTTPError(403, reason="forbidden")
        self.remember(role, key)
        self.redirect(f"/{role}")


class Page(Handler):
    def initialize(self, role, title):
        self.role, self.title = role, title

    def get(self):
        if self.role:
            self.demand(self.role)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(page(self.title, f"/{self.role or 'phone'}.js", f"/{self.role or 'phone'}.css"))


class Asset(Handler):
    """One of a few named texts; nothing else on this computer can be asked for."""

    def initialize(self, text, kind):
        self.text, self.kind = text, kind

    def get(self):
        self.set_header("Content-Type", f"{self.kind}; charset=utf-8")
        self.set_header("Cache-Control", "no-cache")
        self.finish(self.text)


class Missing(Handler):
    def prepare(self):
        raise web.HTTPError(404, reason="not found")


class Socket(Handler, websocket.WebSocketHandler):
    """A long connection; a slow or dead one is dropped rather than waited for."""

    def tell(self, message: dict | str) -> None:
        text = message if isinstance(message, str) else json.dumps(message, ensure_ascii=False)
        with contextlib.suppress(websocket.WebSocketClosedError, RuntimeError):
            self.write_message(text)


def routes(role: str, title: str, script: str, style: str) -> list:
    """Page, script and style of one role."""
    name = role or "phone"
    return [(f"/{role}", Page, {"role": role, "title": title}),
            (f"/{name}.js", Asset, {"text": script, "kind": "text/javascript"}),
            (f"/{name}.css", Asset, {"text": style, "kind": "text/css"})]


def application(handlers, keys: dict, port: int, **settings) -> web.Application:
    return web.Application([*handlers, (r"/enter/(\w+)", Enter)], default_handler_class=Missing, keys=keys,
                           port=port, log_function=lambda handler: None, websocket_ping_interval=20,
                           websocket_ping_timeout=15, compress_response=True, **settings)


def key() -> str:
    return secrets.token_urlsafe(24)


def same(given: str, key: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), key.encode())


def background(tasks: set, work) -> None:
    """Run a coroutine beside the others, and keep hold of it until it is done."""
    task = asyncio.ensure_future(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
