"""课堂投票受不受得住：``python benchmarks/live.py [手机数]``。手机在另一个进程里，由这个进程扮演。

Prints, measured on this machine in one run: 200 phones (each with its long connection) that answer within
5 seconds: median, 95 % and slowest time from sending to "received", and how many answers are missing on
file; the same with the server killed (kill -9) in the middle and started again; and the server's memory
(PSS) over 50 questions of all kinds, each answered by every phone. Stops if an accepted answer is lost.
"""

import asyncio
import json
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil
from tornado.httpclient import AsyncHTTPClient, HTTPError, HTTPRequest
from tornado.websocket import websocket_connect

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from fixtures import inclass  # noqa: E402

from crmlib.live import live_results  # noqa: E402

WITHIN = 5.0
ANSWERS = {
    "choose": lambda r: [r.choice("ab")],
    "classify": lambda r: {card: r.choice("SWOT") for card in "xyz"},
    "order": lambda r: r.sample("pqr", 3),
    "number": lambda r: {"lost": str(r.choice([3200, 38400, r.randrange(10**5)]))},
    "write": lambda r: "".join(r.choices(["送货", "准时", "客服", "太慢", "运费", "贵", "，"], k=20)),
    "form": lambda r: {**{f"r{n}": r.randrange(5) for n in range(1, 5)}, "r5": [r.randrange(3)]},
}


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    print(f"Python {platform.python_version()}，{platform.machine()}，{os.cpu_count()} 核，"
          f"负载 {psutil.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        root = inclass.make(Path(folder))
        os.environ["CRM_COURSE"] = str(root)
        kinds = [t for t in inclass.TASKS if t["id"] != "9.1-7"]
        tasks = [{"use": "practice", **kinds[n % len(kinds)], "id": f"9.1-{n}"} for n in range(50)]
        inclass.write(root / "notebooks/9/tasks/9.1.json", {"format": 1, "tasks": tasks})
        asyncio.run(measure(root, number, tasks))


async def measure(root: Path, number: int, tasks) -> None:
    AsyncHTTPClient.configure(None, max_clients=2 * number)
    client, draw = AsyncHTTPClient(), random.Random(1)
    room = inclass.Running(root, "live", "9.1", "--port", "0")
    teacher = inclass.Device(room.base)
    teacher.get(room.doors["teacher"])
    try:
        begun = time.perf_counter()
        phones = await asyncio.gather(*(join(client, room) for _ in range(number)))
        lines = await asyncio.gather(*(websocket_connect(HTTPRequest(
            room.base.replace("http", "ws") + "/ws/phone", headers={"Cookie": phone})) for phone in phones))
        print(f"{number} 台手机加入、连上：{time.perf_counter() - begun:.1f} 秒")

        for ask in (tasks[1], tasks[6]):
            go(teacher, ask)
            times = await volley(client, room, phones, ask, draw)
            taken = [t for t in times if t is not None]
            lost, late = len(taken) - len(live_results(ask["id"])), sorted(taken)[int(.95 * len(taken))]
            print(f"{ask['kind']}：{number} 份在 {WITHIN:g} 秒内，收到 {len(taken)}，丢 {lost}；"
                  f"中位 {1000 * statistics.median(taken):.0f} 毫秒，"
                  f"95% {1000 * late:.0f} 毫秒，最慢 {1000 * max(taken):.0f} 毫秒")
            assert len(taken) == number and lost == 0

        ask = tasks[5]
        go(teacher, ask)
        running = asyncio.ensure_future(volley(client, room, phones, ask, draw))
        await asyncio.sleep(WITHIN / 2)
        room.kill()
        taken = [n for n, t in enumerate(await running) if t is not None]
        room = inclass.Running(root, "live", "9.1")
        kept = set(live_results(ask["id"])["编号"])
        lost = {numbers[phones[n]] for n in taken} - kept
        print(f"kill -9：断电前说了“收到”{len(taken)} 份，重开以后在的 {len(kept)} 份，丢 {len(lost)} 份")
        assert not lost and 0 < len(taken) < number

        server = psutil.Process(room.process.pid)
        lines = await asyncio.gather(*(websocket_connect(HTTPRequest(
            room.base.replace("http", "ws") + "/ws/phone", headers={"Cookie": phone})) for phone in phones))
        used = []
        for place, ask in enumerate(tasks):
            go(teacher, ask)
            teacher.post("/do", {"do": "open", "on": True})
            times = await volley(client, room, phones, ask, draw, within=0.5)
            assert sum(t is not None for t in times) == number, ask["id"]
            used.append(memory(server))
            if place in (0, 6, 13, 27, 41, 49):
                print(f"  第 {place + 1} 题以后，服务器占 {used[-1]:.0f} MB")
        print(f"50 题，每题 {number} 份：第 14 题以后长了 {used[-1] - used[13]:+.1f} MB")
        for line in lines:
            line.close()
    finally:
        room.kill()


numbers: dict[str, int] = {}  # cookie → 编号


async def join(client, room) -> str:
    answer = await post(client, room, "/join", {"code": room.code}, "")
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    numbers[cookie] = -1
    line = await websocket_connect(HTTPRequest(room.base.replace("http", "ws") + "/ws/phone",
                                               headers={"Cookie": cookie}))
    numbers[cookie] = json.loads(await line.read_message())["number"]
    line.close()
    return cookie


async def volley(client, room, phones, ask, draw, within=WITHIN) -> list[float | None]:
    """Every phone answers once, at a random moment: seconds until "received"; None if it was not."""
    async def one(phone, moment, answer):
        await asyncio.sleep(moment)
        begun = time.perf_counter()
        try:
            got = await post(client, room, "/answer", {"question": ask["id"], "answer": answer}, phone)
        except (OSError, HTTPError):  # 服务器没了
            return None
        return time.perf_counter() - begun if got.code == 200 else None

    return await asyncio.gather(*(one(phone, draw.uniform(0, within), ANSWERS[ask["kind"]](draw))
                                  for phone in phones))


def post(client, room, path, body, cookie):
    headers = {"Content-Type": "application/json", "Cookie": cookie}
    return client.fetch(HTTPRequest(room.base + path, "POST", headers, json.dumps(body), request_timeout=20),
                        raise_error=False)


def go(teacher, ask) -> None:
    assert teacher.post("/do", {"do": "go", "question": ask["id"]})[0] == 200


def memory(process) -> float:
    """PSS in MB where the system tells it, otherwise RSS."""
    found = process.memory_full_info() if hasattr(process, "memory_full_info") else process.memory_info()
    return getattr(found, "pss", found.rss) / 2**20


if __name__ == "__main__":
    main()
