"""``crm live 单元``：课堂投票。学生用手机扫码作答，投影上当场出图，答案留在老师的电脑里。

老师的电脑开一个小网页（tornado），学生的手机在同一个校园网里打开它；不装软件，不上外网，不要账号。
老师窗口和投影窗口只有这台电脑自己打得开；手机打得开的只有作答的那一页。
"""

import asyncio
import contextlib
import io
import ipaddress
import json
import secrets
import socket
import sqlite3
import time
from collections import deque
from pathlib import Path

from tornado import web as tornado_web

from autograder.inclass import questions as asked
from autograder.inclass import store as storage
from autograder.inclass import tally as counting
from autograder.inclass import web
from crmlib.cli import CourseError, Parser
from crmlib.live import HANDED_OUT, sessions, table

FIRST_PORT = 8899
MINUTES = 100  # 两课时，加课间
BIGGEST = 32_768  # 一次请求最多这么多字节
MOST = 400  # 最多几台手机
ALIAS = 8
WRONG_CODES = (20, 60)  # 同一个地址，60 秒里最多猜错 20 次
BUSY = (30, 10)  # 一台手机，10 秒里最多交 30 次
CONNECTIONS = 2  # 一台手机最多同时连着几个窗口
OLD = 30  # 天：这么久以前的投票，提醒老师删
EVERY = 0.3  # 秒：投影多久重画一次


def main(argv=None) -> int:
    """Hold a live survey until it ends; returns 0. Raises CourseError."""
    options = _parser().parse_args(argv)
    lesson = web.lesson(options.unit)
    host, warnings = choose_host(options.host)
    if not 1 <= options.minutes <= 600:
        raise CourseError(f"--minutes {options.minutes} 不行，应在 1 到 600 之间")
    found, notes = asked.of_unit(lesson, options.task, options.answers)
    store, resumed = storage.open_session(lesson.id, options.new)
    meta = store.meta()
    try:
        sockets, port = _listen(host, options.port, meta.get("port") if resumed else None)
    except CourseError:
        store.close()
        if not resumed:
            store.erase()
        raise
    room = Room(lesson, store, found, meta, host, port, options.minutes)
    if old := [path for path in sessions() if time.time() - path.stat().st_mtime > OLD * 86400]:
        notes.append(f"{old[0].parent} 里有 {len(old)} 次 {OLD} 天以前的投票。用完了，就删掉那些文件。")
    for line in notes + warnings:
        print(f"[注意] {line}")
    if resumed:
        print("接着上一次没有结束的投票：房间号不变，手机会自己连上。要重新开始，加 --new。")
    web.run(_run(room, sockets, not options.no_browser))
    return 0


def _parser() -> Parser:
    parser = Parser(prog="crm live", description="课堂投票：学生用手机答，投影上出图")
    parser.add_argument("unit", metavar="单元", help="例如 2.2")
    parser.add_argument("--host", default="127.0.0.1", metavar="地址",
                        help="让手机连得上的本机地址；不写就只有这台电脑能打开，并列出可以用的地址")
    parser.add_argument("--port", type=int, metavar="端口", help=f"不写就从 {FIRST_PORT} 起找一个空的")
    parser.add_argument("--task", action="append", default=[], metavar="题号", help="只问这一题；可以写几次")
    parser.add_argument("--answers", type=Path, metavar="文件", help="问卷是谁做的：他的 answers.json")
    parser.add_argument("--minutes", type=int, default=MINUTES, help=f"几分钟后自己关；不写是 {MINUTES}")
    parser.add_argument("--new", action="store_true", help="重新开始，不接着上一次")
    parser.add_argument("--no-browser", action="store_true", help="不自动打开浏览器，只显示地址")
    return parser


# ---- 地址 ----

def candidates() -> list[tuple[str, str]]:
    """[(address, name of the card)] of this computer's networks, the likeliest for a class first."""
    import psutil  # ipykernel 要用它，所以总是装着

    up = {name for name, stats in psutil.net_if_stats().items() if stats.isup}
    found = [(a.address, name) for name, addresses in psutil.net_if_addrs().items() if name in up
             for a in addresses if a.family == socket.AF_INET]
    usable = [(address, name) for address, name in found
              if not (ip := ipaddress.ip_address(address)).is_loopback and not ip.is_link_local]
    return sorted(usable, key=lambda f: (not ipaddress.ip_address(f[0]).is_private, "virtual" in f[1].lower(),
                                         not f[0].startswith("192.168."), f[0]))


def choose_host(host: str) -> tuple[str, list[str]]:
    """(address to serve phones on, warnings). Raises CourseError if it is none of this computer's."""
    known = candidates()
    listed = "；".join(f"{address}（{name}）" for address, name in known) or "没有：先连上校园网"
    if host in ("127.0.0.1", "localhost"):
        return "127.0.0.1", [f"现在只有这台电脑能打开。要让手机加入，用 --host 选一个地址：{listed}"]
    if host in ("0.0.0.0", "*"):
        raise CourseError(f"--host 要写一个具体的地址，这样只对一个网络开放。可以用的：{listed}")
    if host not in [address for address, _ in known]:
        raise CourseError(f"这台电脑没有地址 {host}。可以用的：{listed}")
    said = [f"同一个网络里的人都能打开 {host} 上的作答页，知道房间号才能作答。只在校园网或自己的热点上用，"
            "不要在商场、车站的公共 Wi-Fi 上用。"]
    if not ipaddress.ip_address(host).is_private:
        said.append(f"{host} 是公网地址，外面的人也可能打得开。最好换成校园网的地址。")
    return host, said


def _listen(host, port, before):
    """Sockets on the host and, for the teacher's windows, on this computer's own address: (sockets, port)."""
    try:
        sockets, found = web.listen(host, before if port is None else port, FIRST_PORT)
    except CourseError:
        if port is not None or before is None:
            raise
        raise CourseError(f"端口 {before} 有人在用：上一次的投票多半还开着，就用那个窗口。"
                          "要另开一次，加 --new。") from None
    if host != "127.0.0.1":
        try:
            sockets += web.listen("127.0.0.1", found, FIRST_PORT)[0]
        except CourseError:
            for one in sockets:
                one.close()
            raise
    return sockets, found


async def _run(room, sockets, browser: bool) -> None:
    server = web.serve(application(room), sockets, BIGGEST)
    own = f"http://127.0.0.1:{room.port}/enter"
    print(f"课堂投票：{room.lesson.id} {room.lesson.title}（{len(room.questions)} 题）\n\n"
          f"  手机打开：{room.address}　房间号：{room.spoken_code}\n"
          f"  老师窗口：{own}/teacher?key={room.keys['teacher']}\n\n"
          "老师窗口里有“打开投影”。老师窗口的地址是钥匙，别投影这个黑窗口。\n"
          f"{room.left_minutes()} 分钟后自己关。提前结束：老师窗口点“结束”，或在这里按 Ctrl+C。", flush=True)
    await room.begin()
    if browser:
        await asyncio.get_running_loop().run_in_executor(
            None, web.show, f"{own}/teacher?key={room.keys['teacher']}")
    try:
        await room.over.wait()
        await asyncio.sleep(0.3)  # 让“结束了”送到手机
    finally:
        if not room.over.is_set():  # Ctrl+C
            await room.finish()
        server.stop()
        erased = room.erased
        await room.close()
        print("\n投票结束，数据都删了。" if erased else
              f"\n投票关闭了。答案在 {room.store.path}\n"
              f"在笔记里读：crm.live_results(\"{next(iter(room.questions))}\")。不要了，就删掉这个文件。",
              flush=True)


def application(room):
    shared = (web.WIDGETS / "shared.css").read_text("utf-8")
    styles = [shared, *((web.WIDGETS / f"{name}.css").read_text("utf-8") for name in ("order", "number"))]
    builders = [web.widget_source(name) for name in ("shared", *asked.ASKED)]
    link = web.asset("link.js")
    phone = web.routes("", f"课堂投票：{room.lesson.title}",
                       "\n".join([*builders, link, web.asset("phone.js")]),
                       "\n".join([*styles, web.asset("phone.css")]))
    phone[0] = ("/", web.Page, phone[0][2])
    drawing = [link, web.asset("charts.js")]
    look = [shared, web.asset("screen.css"), web.asset("live.css")]
    own = [*web.routes("screen", room.lesson.title, "\n".join([*drawing, web.asset("live_screen.js")]),
                       "\n".join(look)),
           *web.routes("teacher", f"老师：{room.lesson.title}",
                       "\n".join([*drawing, web.asset("live_teacher.js")]),
                       "\n".join([*look, web.asset("coach.css")]))]
    return web.application([
        *phone,
        *[(path, handler, {"room": room}) for path, handler in (
            ("/me", Me), ("/join", Join), ("/answer", Answer), ("/alias", Alias), ("/forget", Forget),
            ("/ws/phone", Phone))],
        *[(path, _at_home(handler), given) for path, handler, given in own],
        (r"/enter/(teacher|screen)", _at_home(web.Enter)),
        ("/ws/(screen|teacher)", _at_home(Window), {"room": room}), ("/do", _at_home(Do), {"room": room}),
        (r"/results/([\w.-]+)\.(csv|json)", _at_home(Results), {"room": room}),
    ], room.keys, room.port, websocket_max_message_size=4096)


def _at_home(handler):
    """A handler that answers this computer only; from the network its page does not exist."""

    class AtHome(handler):
        def prepare(self):
            if not ipaddress.ip_address(self.request.remote_ip).is_loopback:
                raise tornado_web.HTTPError(404, reason="not found")
            return super().prepare()

    return AtHome


class Often:
    """Counts events per name in a sliding window: at most ``most`` in ``seconds``."""

    def __init__(self, most: int, seconds: float):
        self.most, self.seconds, self._seen = most, seconds, {}

    def full(self, name) -> bool:
        seen, old = self._seen.get(name), time.monotonic() - self.seconds
        while seen and seen[0] < old:
            seen.popleft()
        if seen is not None and not seen:
            del self._seen[name]
        return bool(seen) and len(seen) >= self.most

    def add(self, name) -> None:
        if len(self._seen) > 5000:  # 有人变着地址来：旧的不记了，内存不跟着长
            self._seen.clear()
        self._seen.setdefault(name, deque()).append(time.monotonic())


# ---- 一次投票 ----

class Room:
    """One live survey: its questions, which one is on, who is connected.

    ``state``: {"current": question id or None (the lobby), "asked", "open", "revealed": [ids],
    "results": shown while answering?, "names": shown?, "ends": Unix time}; kept on file at every change.
    """

    def __init__(self, lesson, store, found, meta, host, port, minutes):
        self.lesson, self.store, self.host, self.port = lesson, store, host, port
        self.code = meta.get("code") or f"{secrets.randbelow(10**8):08d}"
        self.keys = meta.get("keys") or {"teacher": web.key(), "screen": web.key()}
        self.state = meta.get("state") or {
            "current": None, "asked": [], "open": [], "revealed": [], "results": True, "names": False,
            "ends": time.time() + 60 * minutes}
        self._found = found
        self.questions = {q["id"]: q for q in found}
        self.over, self.erased = asyncio.Event(), False
        self.phones, self.windows = {}, set()
        self.guesses, self.answers_sent = Often(*WRONG_CODES), Often(*BUSY)
        self._tasks, self._stale, self._counts, self._joined = set(), asyncio.Event(), {}, 0
        self._drawn, self._drawing = None, None

    @property
    def address(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def spoken_code(self) -> str:
        return f"{self.code[:4]} {self.code[4:]}"

    def left_minutes(self) -> int:
        return max(0, round((self.state["ends"] - time.time()) / 60))

    async def begin(self) -> None:
        """Write down what the session is made of, then keep drawing and watching the clock."""
        await self.store.run(self.store.keep_questions, self._found)
        kept = {q["id"]: q for q in await self.store.run(self.store.questions)}
        # 上一次问过的题，照当时的样子；这一次没有列出来的，不再问
        self.questions = {q["id"]: kept[q["id"]] for q in self._found}
        if self.state["current"] not in self.questions:
            self.state["current"] = None
        await self._keep()
        web.background(self._tasks, self._draw_on())
        web.background(self._tasks, self._watch_clock())
        if any(q["kind"] in ("write", "survey") for q in self._found):
            web.background(self._tasks, self._warm_up())
        self.changed()

    async def _warm_up(self) -> None:
        with contextlib.suppress(Exception):  # 数词的库装得慢：先装好；装不上，词表就空着
            await asyncio.get_running_loop().run_in_executor(None, counting.words, ["物流"])

    async def _keep(self) -> None:
        # 不先改房间号和口令再存：手机手里的要一直有效
        await self.store.run(lambda: self.store.note(
            unit=self.lesson.id, code=self.code, keys=self.keys, port=self.port, state=self.state,
            ended=False))

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        if self.erased:
            self.store.erase()
            return
        with contextlib.suppress(sqlite3.Error):
            await self.store.run(lambda: self.store.note(ended=True, keys=None))  # 钥匙用过就作废
            await self.store.scrub()
        self.store.close()

    async def _watch_clock(self) -> None:
        while (left := self.state["ends"] - time.time()) > 0:
            await asyncio.sleep(min(left + 0.01, 1))  # Windows 上，Ctrl+C 要等它醒一下
        await self.finish()

    async def finish(self) -> None:
        self.state["open"] = []
        with contextlib.suppress(sqlite3.Error):
            await self._keep()
        bye = json.dumps({"do": "over", "erased": self.erased})
        for socket_ in [*self._sockets(), *self.windows]:
            socket_.tell(bye)
        self.over.set()

    # ---- 老师做的 ----

    async def act(self, said: dict) -> str:
        """Carry out what the teacher asked for; "" or why not."""
        state, current = self.state, self.state["current"]

        def put(name, ident, on):
            state[name] = [*(i for i in state[name] if i != ident), *([ident] if on else [])]

        match said:
            case {"do": "go", "question": None}:
                state["current"] = None
            case {"do": "go", "question": str(ident)} if ident in self.questions:
                first = ident not in state["asked"]
                if current and current != ident:
                    put("open", current, False)
                state["current"] = ident
                if first:  # 第一次翻到，就开始收
                    put("open", ident, True)
                    put("asked", ident, True)
            case {"do": "open", "on": bool(on)} if current:
                put("open", current, on)
                if on:
                    put("revealed", current, False)
            case {"do": "reveal", "on": bool(on)} if current:
                put("revealed", current, on)
                if on:  # 答案亮出来了，就不能再改
                    put("open", current, False)
            case {"do": "results" | "names" as what, "on": bool(on)}:
                state[what] = on
            case {"do": "hide", "device": int(device), "on": bool(on)} if current:
                await self.store.run(self.store.hide, current, device, on)
            case {"do": "clear"} if current:
                await self.store.run(self.store.clear, current)
                await self.store.scrub()
                put("revealed", current, False)
            case {"do": "extend"}:
                state["ends"] = max(state["ends"], time.time()) + 45 * 60
            case {"do": "finish"}:
                await self.finish()
                return ""
            case {"do": "erase"}:
                self.erased = True
                await self.finish()
                return ""
            case _:
                return "这一步现在做不了。"
        await self._keep()
        await self.tell_phones()
        self.changed()
        return ""

    # ---- 手机 ----

    def _sockets(self):
        return [one for sockets in self.phones.values() for one in sockets]

    def current(self) -> dict | None:
        return self.questions.get(self.state["current"])

    def _for_phones(self) -> dict:
        question, state = self.current(), self.state
        if not question:
            return {"do": "now", "title": self.lesson.title, "question": None}
        shown = {"do": "now", "title": self.lesson.title, "question": asked.for_phone(question),
                 "open": question["id"] in state["open"], "of": len(self.questions),
                 "place": list(self.questions).index(question["id"]) + 1}
        if question["id"] in state["revealed"]:
            shown["explain_html"] = question["explain_html"]
        return shown

    async def tell_phones(self, only=None) -> None:
        """Send phones the question that is on, each with its own answer."""
        shown, question = self._for_phones(), self.current()
        answers = await self.store.run(self.store.mine, question["id"]) if question else {}
        common = json.dumps(shown, ensure_ascii=False)[:-1]
        for phone in [only] if only else self._sockets():
            mine = json.dumps({"mine": answers.get(phone.number), "number": phone.number,
                               "alias": phone.alias}, ensure_ascii=False)
            phone.tell(f"{common}, {mine[1:]}")

    async def answer(self, number: int, ident, answer) -> tuple[int, str]:
        """Take an answer: (HTTP status, what to say). 200 only once it is on the disk."""
        question = self.current()
        if not question or ident != question["id"]:
            return 409, "老师已经换题了。"
        if ident not in self.state["open"]:
            return 409, "这一题已经停止作答了。"
        if self.answers_sent.full(number):
            return 429, "交得太快了，等几秒再交。"
        self.answers_sent.add(number)
        if trouble := asked.refused(question, answer):
            return 400, trouble
        try:
            await self.store.run(self.store.answer, ident, number, answer)
        except LookupError:
            return 403, "这部手机已经退出了，重新加入。"
        except sqlite3.Error:
            return 503, "老师的电脑没有存上，再交一次。"
        self.changed()
        return 200, ""

    # ---- 投影 ----

    def changed(self) -> None:
        self._stale.set()

    async def _draw_on(self) -> None:
        """Redraw the windows when something has changed, a few times a second at most."""
        while True:
            await self._stale.wait()
            self._stale.clear()
            try:
                await self._draw()
            except (sqlite3.Error, LookupError, TypeError, ValueError) as fault:  # 一次没画成，下一次再画
                print(f"[注意] 投影没有刷新：{type(fault).__name__}：{fault}", flush=True)
            await asyncio.sleep(EVERY)

    async def _draw(self) -> None:
        question, store = self.current(), self.store

        def read():
            rows = store.rows(question["id"]) if question else []
            return rows, store.counts(), store.joined()

        rows, self._counts, self._joined = await store.run(read)
        names = self.state["names"]
        rows = [(device, answer, hidden, (alias or f"{device} 号") if names else "")
                for device, answer, hidden, alias in rows]
        revealed = bool(question) and question["id"] in self.state["revealed"]

        def count():
            return (counting.tally(question, rows, revealed),
                    counting.right_share(question, [answer for _, answer, _, _ in rows]))

        loop = asyncio.get_running_loop()
        drawn, right = await loop.run_in_executor(None, count) if question else (None, None)
        self._drawn = self._window_state(drawn, right if revealed else None, len(rows))
        for window in list(self.windows):
            window.tell(self.for_window(window))

    def _window_state(self, drawn, right, answered) -> dict:
        question, state = self.current(), self.state
        listed = [{"id": q["id"], "title": q["title"], "kind": q["kind"], "n": self._counts.get(q["id"], 0),
                   "open": q["id"] in state["open"], "revealed": q["id"] in state["revealed"]}
                  for q in self.questions.values()]
        shown = {"do": "now", "title": self.lesson.title, "unit": self.lesson.id, "question": None}
        if question:
            shown["question"] = {"id": question["id"], "title": question["title"], "kind": question["kind"],
                                 "prompt_html": question["prompt_html"], "keyed": bool(question["key"]),
                                 "explain_html": question["explain_html"] if right is not None else ""}
        return {**shown, "questions": listed, "current": state["current"], "answered": answered,
                "drawn": drawn, "right": right, "joined": self._joined, "results": state["results"],
                "names": state["names"], "ends": state["ends"], "address": self.address,
                "code": self.spoken_code, "local": self.host == "127.0.0.1"}

    def for_window(self, window) -> dict:
        shown = {**self._drawn, "linked": len(self.phones), "controls": window.controls}
        if window.role == "screen":
            current = self.state["current"]
            if not self.state["results"] and current not in self.state["revealed"]:
                shown["drawn"] = None  # 先不看结果：数据就不送到投影窗口
            elif shown["drawn"]:
                shown["drawn"] = _without_hidden(shown["drawn"])
        return {**shown, "qr": self.qr()}

    def qr(self) -> str:
        """The QR code of the phones' address, as an SVG image; drawn once."""
        if self._drawing is None:
            import segno

            out = io.BytesIO()
            code = segno.make(f"{self.address}/?c={self.code}", error="m")
            code.save(out, kind="svg", border=2, xmldecl=False, omitsize=True)
            self._drawing = out.getvalue().decode()
        return self._drawing


def _without_hidden(drawn: dict) -> dict:
    def clean(part):
        return {**part, "texts": [t for t in part["texts"] if not t["hidden"]]} if "texts" in part else part

    drawn = clean(drawn)
    return {**drawn, "items": [clean(i) for i in drawn["items"]]} if drawn["kind"] == "survey" else drawn


# ---- 手机打得开的 ----

class _OfRoom(web.Handler):
    def initialize(self, room):
        self.room = room

    async def device(self) -> tuple[int, str]:
        """(number, alias) of the phone that asks; 403 if it has not joined."""
        secret = self.get_cookie(self._cookie("phone")) or ""
        found = await self.room.store.run(self.room.store.device, secret) if secret else None
        if not found:
            raise tornado_web.HTTPError(403, reason="not joined")
        return found


class Me(_OfRoom):
    """Whether this phone has joined."""

    async def get(self):
        secret = self.get_cookie(self._cookie("phone")) or ""
        found = await self.room.store.run(self.room.store.device, secret) if secret else None
        self.say(200, joined=bool(found), title=self.room.lesson.title)


class Join(_OfRoom):
    """A phone with the right room code gets a secret of its own."""

    async def post(self):
        room, ip = self.room, self.request.remote_ip
        said = self.body()
        code = "".join(c for c in str(said.get("code", ""))[:40] if c.isascii() and c.isdigit())
        if room.guesses.full(ip):
            return self.say(429, said="猜错的次数太多了，等一分钟再试。")
        if not secrets.compare_digest(code, room.code):
            room.guesses.add(ip)
            return self.say(403, said="房间号不对。看看投影上的 8 个数字。")
        secret = self.get_cookie(self._cookie("phone")) or ""
        found = await room.store.run(room.store.device, secret) if secret else None
        if not found:
            secret = web.key()
            try:
                await room.store.run(room.store.join, secret, MOST)
            except LookupError:
                return self.say(503, said=f"已经有 {MOST} 台手机了，加不进来。告诉老师。")
            except sqlite3.Error:
                return self.say(503, said="老师的电脑没有存上，再点一次。")
            self.remember("phone", secret)
        room.changed()
        self.say(200)


class Answer(_OfRoom):
    async def post(self):
        said = self.body()
        number, _ = await self.device()
        status, why = await self.room.answer(number, said.get("question"), said.get("answer"))
        self.say(status, said=why)


class Alias(_OfRoom):
    """A name that the student made up; nothing depends on it."""

    async def post(self):
        alias = self.body().get("alias")
        number, _ = await self.device()
        if not isinstance(alias, str) or len(alias) > 100:
            return self.say(400, said="这个代号不行。")
        alias = "".join(c for c in " ".join(alias.split()) if c.isprintable())[:ALIAS]
        if sum(c.isdigit() for c in alias) > 4:
            return self.say(400, said="代号里不要写学号、电话。")
        await self.room.store.run(self.room.store.rename, number, alias)
        for phone in self.room.phones.get(number, ()):
            phone.alias = alias
        self.room.changed()
        self.say(200, alias=alias)


class Forget(_OfRoom):
    """Delete all that this phone has sent, and the phone itself."""

    async def post(self):
        self.body()
        number, _ = await self.device()
        room = self.room
        await room.store.run(room.store.forget, number)
        await room.store.scrub()
        self.clear_cookie(self._cookie("phone"), path="/")
        for phone in list(room.phones.get(number, ())):
            phone.close(4003, "forgotten")
        room.changed()
        self.say(200)


class Phone(web.Socket):
    """The line on which a phone hears which question is on; it says nothing on it."""

    def initialize(self, room):
        self.room, self.number = room, None

    async def get(self):
        secret = self.get_cookie(self._cookie("phone")) or ""
        found = await self.room.store.run(self.room.store.device, secret) if secret else None
        if not found:
            raise tornado_web.HTTPError(403, reason="not joined")
        self.number, self.alias = found
        await super().get()

    async def open(self):
        sockets = self.room.phones.setdefault(self.number, [])
        sockets.append(self)
        for old in sockets[:-CONNECTIONS]:
            old.close(4000, "too many")
        self.room.changed()
        await self.room.tell_phones(only=self)

    def on_message(self, message):
        pass

    def on_close(self):
        sockets = self.room.phones.get(self.number, [])
        if self in sockets:
            sockets.remove(self)
        if not sockets:
            self.room.phones.pop(self.number, None)
        self.room.changed()


# ---- 只有这台电脑打得开的 ----

class Window(web.Socket):
    def initialize(self, room):
        self.room = room

    async def get(self, role):
        self.demand(role)
        await super().get(role)

    def open(self, role):
        self.role, self.controls = role, self.may("teacher")
        self.room.windows.add(self)
        if self.room._drawn:
            self.tell(self.room.for_window(self))

    def on_message(self, message):
        pass

    def on_close(self):
        self.room.windows.discard(self)


class Do(_OfRoom):
    async def post(self):
        self.demand("teacher")
        try:
            why = await self.room.act(self.body())
        except sqlite3.Error as fault:
            why = f"没有存上（{fault}）。看看磁盘满了没有。"
        self.say(400 if why else 200, said=why)


class Results(_OfRoom):
    """One question's answers: a table for WPS, or the file that students put beside their notebook."""

    async def get(self, ident, form):
        self.demand("teacher")
        if ident not in self.room.questions:
            raise tornado_web.HTTPError(404, reason="not found")
        question = self.room.questions[ident]
        from crmlib.live import read_session

        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(None, read_session, self.room.store.path, ident)
        answers = found[1] if found else []
        name = HANDED_OUT.format(ident)
        if form == "json":
            given = [{"device": d, "saved": saved, "answer": a} for d, saved, a in answers]
            content = json.dumps({"format": 1, "question": asked.handed_out(question), "answers": given},
                                 ensure_ascii=False, indent=1).encode()
        else:
            content, name = csv_bytes(*table(question, answers)), name.replace(".json", ".csv")
        from urllib.parse import quote

        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{quote(name)}")
        self.finish(content)


def csv_bytes(names, rows) -> bytes:
    """A table that WPS and Excel open with a double click; nothing in it can become a formula there."""
    import csv

    out = io.StringIO(newline="")
    writer = csv.writer(out)
    risky = ("=", "+", "-", "@", "\t", "\r")
    for row in [names, *rows]:
        writer.writerow([f"'{v}" if isinstance(v, str) and v.startswith(risky) else v for v in row])
    return out.getvalue().encode("utf-8-sig")


