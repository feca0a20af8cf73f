"""`crm live`：能问哪些题，什么答案不收，怎样数，笔记里读到什么；真的开一次：口令、乱来的请求、断电重开。"""

import asyncio
import doctest
import json
import random
import sqlite3
import threading
import time

import pandas as pd
import pytest

pytest.importorskip("segno", reason="教师机才装")

from fixtures import inclass
from fixtures.inclass import Device, Running

import crmlib.live
import crmlib.words
from autograder.inclass import live, questions, tally, web
from autograder.inclass import store as storage
from crmlib import paths
from crmlib.cli import CourseError
from crmlib.live import live_results, sessions, table
from crmlib.methods.satisfaction import QUADRANTS, importance_performance
from crmlib.tasks import lint
from crmlib.tasks.lint import choices, scale

GOOD = {
    "9.1-0": ["a"], "9.1-1": ["a", "b"], "9.1-2": {"x": "S", "y": "W", "z": "T"}, "9.1-3": ["p", "r", "q"],
    "9.1-4": {"lost": "3.84 万元"}, "9.1-5": "投甲方案。",
    "9.1-6": {"r1": 0, "r2": 1, "r3": 2, "r4": 1, "r5": [0, 2], "r6": "送货慢"},
}
BAD = {
    "9.1-0": [None, [], ["z"], ["a", "b"], "a", 7, {"a": 1}],
    "9.1-1": [["c", "z"], [["a"]]],
    "9.1-2": [{"x": "S"}, {"x": "S", "y": "W", "z": "Q"}, ["S"]],
    "9.1-3": [["p"], ["p", "p", "q"], "pqr"],
    "9.1-4": [{"lost": "很多"}, {"lost": "9" * 50}, {}, {"lost": True}, {"other": 1}],
    "9.1-5": ["", "长" * 201, ["字"], 3],
    "9.1-6": [{}, [1], *({**GOOD["9.1-6"], **wrong} for wrong in (
        {"r1": 5}, {"r1": True}, {"r1": "0"}, {"r5": []}, {"r5": [2, 0]}, {"r6": "长" * 300}, {"r9": 1}))],
}


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    monkeypatch.setenv("CRM_COURSE", str(inclass.make(tmp_path)))
    return web.lesson("9.1")


@pytest.fixture
def asked(lesson):
    return {q["id"]: q for q in questions.of_unit(lesson)[0]}


@pytest.mark.parametrize("module", [crmlib.live, crmlib.words, lint, tally], ids=lambda m: m.__name__)
def test_doctests(module, lesson):
    assert doctest.testmod(module).failed == 0


# ---- 能问哪些题 ----

def test_every_kind_that_a_phone_can_answer_is_asked(lesson, asked):
    assert {i: q["kind"] for i, q in asked.items()} == {
        "9.1-0": "choose", "9.1-1": "choose", "9.1-2": "classify", "9.1-3": "order", "9.1-4": "number",
        "9.1-5": "write", "9.1-6": "survey"}  # 一般的填表题不在其中
    assert list(q["id"] for q in questions.of_unit(lesson, ["9.1-3", "9.1-1"])[0]) == ["9.1-3", "9.1-1"]
    with pytest.raises(CourseError, match=r"没有练习 9\.1-99"):
        questions.of_unit(lesson, ["9.1-99"])
    with pytest.raises(CourseError, match=r"9\.1-7 不能在手机上答"):
        questions.of_unit(lesson, ["9.1-7"])


def test_no_key_reaches_a_phone(asked):
    for question in asked.values():
        shown = json.dumps(questions.for_phone(question), ensure_ascii=False)
        assert not any(secret in shown for secret in ('"key"', "消防不寄件", "38400", '"scores"'))
        assert '"key"' not in json.dumps(questions.handed_out(question))


@pytest.mark.parametrize("ident", GOOD)
def test_whole_answers_are_taken_and_others_are_not(asked, ident):
    assert questions.refused(asked[ident], GOOD[ident]) == ""
    for answer in BAD[ident]:
        assert questions.refused(asked[ident], answer), answer
    deep = []
    for _ in range(50):
        deep = [deep]
    for answer in (deep, "x" * 10_000, {"x": "y" * 9_000}, [float("nan")], {"": {}}):
        assert questions.refused(asked[ident], answer)


def test_a_questionnaire_as_the_class_drew_it_up(lesson, tmp_path):
    (found,), notes = questions.of_unit(lesson, ["9.1-6"])
    assert "先用范例" in notes[0] and len(found["items"]) == 6
    assert [i["many"] for i in found["items"]] == [False] * 4 + [True, False]
    assert found["items"][0]["scores"] == [5, 4, 3, 2, 1] and found["items"][4]["scores"] is None
    own = {"r1": {"ask": "你多大？", "pick": "A. 16；B. 17"}, "r2": {"ask": "  ", "pick": ""}}
    handed_in = tmp_path / "第三组.json"
    inclass.write(handed_in, {"format": 1, "answers": {"9.1-6": {"answer": own}}})
    (found,), notes = questions.of_unit(lesson, ["9.1-6"], handed_in)
    assert not notes and [(i["ask"], i["options"]) for i in found["items"]] == [("你多大？", ["16", "17"])]
    (lesson.notebook.parent / "answers.json").write_bytes(handed_in.read_bytes())
    assert questions.of_unit(lesson, ["9.1-6"])[0][0]["items"][0]["ask"] == "你多大？"
    handed_in.write_text("坏了", "utf-8")
    for wrong, why in ((handed_in, "读不出来"), (tmp_path / "没有.json", "没有写好的问卷")):
        with pytest.raises(CourseError, match=why):
            questions.of_unit(lesson, ["9.1-6"], wrong)


@pytest.mark.parametrize(("options", "scores"), [
    ("很需要；需要；说不清；不太需要；完全不需要", [5, 4, 3, 2, 1]), ("不同意；不确定；同意", [1, 2, 3]),
    ("A. 很好；B. 好；C. 差；D. 很差", [4, 3, 2, 1]), ("会；不会；说不清", None), ("价格；时效；安全", None),
    ("没有寄过；1—9 次；10 次及以上", None), ("很满意；满意；非常满意", None), ("10；9；8", [10, 9, 8]),
    ("1；3；5", None)])
def test_rating_scales_are_known_by_their_words(options, scores):
    assert scale(choices(options)) == scores


# ---- 怎样数 ----

def rows(*answers):
    return [(n, answer, 0, "") for n, answer in enumerate(answers, 1)]


def test_counts_and_what_was_right(asked):
    bars = tally.tally(asked["9.1-1"], rows(["a"], ["a", "b"], ["a", "c"]), revealed=True)
    assert [(r["n"], r["right"]) for r in bars["rows"]] == [(3, True), (1, True), (1, False)]
    assert tally.tally(asked["9.1-1"], rows(["a"]))["rows"][0]["right"] is None
    assert tally.right_share(asked["9.1-1"], [["a"], ["a", "b"]]) == 0.5
    assert tally.right_share(asked["9.1-0"], [["a"]]) is None
    bins = tally.tally(asked["9.1-2"], rows(GOOD["9.1-2"], {"x": "S", "y": "T", "z": "O"}), revealed=True)
    assert [c["counts"] for c in bins["cards"]] == [[2, 0, 0, 0], [0, 1, 0, 1], [0, 0, 1, 1]]
    assert [c["right"] for c in bins["cards"]] == [[0], [1], [2, 3]]
    ranks = tally.tally(asked["9.1-3"], rows(["p", "q", "r"], ["p", "r", "q"], ["p", "q", "r"]), True)
    assert [(r["text"], r["right"]) for r in ranks["rows"]] == [("道歉", 1), ("查单", 2), ("赔款", 3)]
    numbers = tally.tally(asked["9.1-4"], rows(*({"lost": x} for x in ("38400", "3.84万元", "3200"))), True)
    assert numbers["blanks"][0]["right"] == 2 and numbers["blanks"][0]["key"] == "38400"
    assert numbers["blanks"][0]["bins"] == [{"label": "3200", "n": 1}, {"label": "38400", "n": 2}]
    for question in asked.values():  # 一份答案也没有，也画得出来
        json.dumps(tally.tally(question, [], revealed=True), allow_nan=False)


def test_a_hidden_text_is_not_counted_and_not_sent_to_the_projector(asked):
    drawn = tally.tally(asked["9.1-5"], [(1, "骂人的话", 1, "甲"), (2, "准时送货", 0, "")])
    assert "骂人" not in json.dumps(drawn, ensure_ascii=False)
    assert [w["word"] for w in drawn["words"]] == ["准时", "送货"]
    assert [t["text"] for t in live._without_hidden(drawn)["texts"]] == ["准时送货"]


def test_wild_numbers_do_not_flatten_the_distribution():
    spread = tally.spread(sorted([*range(100, 200, 3), -5, 10**9]))
    assert sum(b["n"] for b in spread) == 36 and len(spread) <= 12 and max(b["n"] for b in spread) < 20


@pytest.mark.parametrize("stated", [False, True])
def test_the_quadrant_is_that_of_importance_performance(asked, stated):
    question, draw = asked["9.1-6"], random.Random(4)
    if stated:
        scale = "很重要；重要；一般；不重要；很不重要"
        does = [(f"{thing}的满意程度？", inclass.FIVE) for thing in ("准时", "运费", "客服")]
        needs = [(f"{thing}的重要程度？", scale) for thing in ("运费", "客服", "准时")]
        drawn_up = {f"r{n}": {"ask": ask, "pick": pick} for n, (ask, pick) in enumerate(does + needs, 1)}
        items = questions._items(inclass.TASKS[6], drawn_up)
        question = {**question, "items": items, "quadrant": questions._quadrant(items)}
        assert question["quadrant"]["points"][0] == {"name": "准时", "does": "r1", "needs": "r6"}
    answers = [{i["id"]: draw.randrange(5) for i in question["items"] if i["options"] and not i["many"]}
               for _ in range(25)]
    found = tally.quadrant(question, answers)
    scores = pd.DataFrame([{n: 5 - a[n] for n in a} for a in answers])
    names = [p["does"] for p in question["quadrant"]["points"]]
    needed = scores[["r6", "r4", "r5"]].set_axis(names, axis=1) if stated else None
    expected = importance_performance(scores[names], needed, overall=None if stated else scores["r4"])
    assert [p["x"] for p in found["points"]] == pytest.approx(list(expected["重要性"]))
    assert [p["y"] for p in found["points"]] == pytest.approx(list(expected["绩效"]))
    assert found["cuts"] == pytest.approx(expected.attrs["cuts"])
    drawing = (web.PAGES / "charts.js").read_text("utf-8")
    assert all(name in drawing for name in QUADRANTS.values())
    assert tally.quadrant(question, [])["points"] == []


# ---- 笔记里读到什么 ----

def test_results_as_tables(asked):
    def frame(ident, scores=False):
        names, cells = table(asked[ident], [(3, "2026-11-26T10:00:00", GOOD[ident])], scores)
        return dict(zip(names, cells[0], strict=True))

    assert frame("9.1-0") == {"编号": 3, "交的时间": "2026-11-26T10:00:00", "选项": "修分拨中心"}
    assert frame("9.1-1") | {"老周": 1, "李姐": 1, "消防": 0} == frame("9.1-1")
    assert frame("9.1-2")["油价上涨"] == "威胁" and frame("9.1-3")["赔款"] == 2
    assert frame("9.1-4")["一年少收"] == pytest.approx(38400) and frame("9.1-5")["文字"] == "投甲方案。"
    assert frame("9.1-6")["你对运费满意吗？"] == "一般" and frame("9.1-6", True)["你对运费满意吗？"] == 3
    assert frame("9.1-6")["上一次用的是哪些服务？（多选）"] == "快递；配送"


def test_without_a_class_the_table_is_empty(lesson, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert live_results("9.1-0").empty
    (tmp_path / "课堂-9.1-0.json").write_text("坏了", "utf-8")
    with pytest.raises(CourseError, match="读不出来"):
        live_results("9.1-0")
    with pytest.raises(CourseError, match="没有文件"):
        live_results("9.1-0", file="没有.sqlite")


def test_a_table_for_wps_holds_no_formulas():
    assert live.csv_bytes(["文字"], [["=cmd()"], ["好"]]).decode("utf-8-sig") == "文字\r\n'=cmd()\r\n好\r\n"


def test_addresses():
    assert live.choose_host("127.0.0.1")[0] == "127.0.0.1" and "--host" in live.choose_host("localhost")[1][0]
    for wrong in ("0.0.0.0", "8.8.8.8", "老师的电脑"):
        with pytest.raises(CourseError, match="可以用的"):
            live.choose_host(wrong)
    for address, _ in live.candidates():
        host, warnings = live.choose_host(address)
        assert host == address and "公共 Wi-Fi" in warnings[0]


def test_a_window_of_events_slides(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(live.time, "monotonic", lambda: clock[0])
    often = live.Often(2, 60)
    for _ in range(2):
        assert not often.full("a")
        often.add("a")
    assert often.full("a") and not often.full("b")
    clock[0] = 61
    assert not often.full("a") and not often._seen.get("a")


def test_the_store_keeps_a_batch_or_says_that_it_did_not(lesson):
    store, resumed = storage.open_session("9.1", fresh=False)
    assert not resumed

    def full_disk():
        raise sqlite3.OperationalError("database or disk is full")

    async def work():
        assert await store.run(store.join, "甲", 2) == 1 and await store.run(store.join, "乙", 2) == 2
        with pytest.raises(LookupError):
            await store.run(store.join, "丙", 2)  # 人满了
        one, two, three = await asyncio.gather(
            store.run(store.answer, "9.1-5", 1, "好"), store.run(store.answer, "9.1-5", 2, "\ud800"),
            store.run(store.answer, "9.1-5", 9, "没有这台手机"), return_exceptions=True)
        assert one is None and isinstance(two, UnicodeError) and isinstance(three, LookupError)
        lost = await asyncio.gather(store.run(full_disk), store.run(store.answer, "9.1-5", 2, "磁盘满了"),
                                    return_exceptions=True)
        assert any(isinstance(fault, sqlite3.OperationalError) for fault in lost)
        kept = await store.run(store.mine, "9.1-5")
        assert kept == ({1: "好"} if isinstance(lost[1], Exception) else {1: "好", 2: "磁盘满了"})

    asyncio.run(work())
    store.close()
    other, _ = storage.open_session("9.1", fresh=True)
    assert other.path != store.path  # 同一秒里开两次，也各用各的文件
    other.close()


# ---- 真的开一次 ----

@pytest.fixture
def room(lesson):
    running = Running(paths.root(), "live", "9.1", "--port", "0")
    yield running
    running.stop()
    assert "Traceback" not in running.complaints()


@pytest.fixture
def teacher(room):
    device = Device(room.base)
    assert device.get(room.doors["teacher"])[0] == 200
    return device


def phone(room):
    device = Device(room.base)
    assert device.post("/join", {"code": room.code})[0] == 200
    return device


def test_a_lesson_from_joining_to_the_notebook(room, teacher, tmp_path, monkeypatch):
    one, two = phone(room), phone(room)
    assert one.post("/answer", {"question": "9.1-0", "answer": ["a"]})[0] == 409  # 还没有开始
    for ident, answer in GOOD.items():
        assert teacher.post("/do", {"do": "go", "question": ident})[0] == 200
        assert one.post("/answer", {"question": ident, "answer": answer}) == (200, {"said": ""})
    assert one.post("/answer", {"question": "9.1-0", "answer": ["a"]})[0] == 409  # 已经换题了
    teacher.post("/do", {"do": "go", "question": "9.1-1"})
    # 回到问过的题，不会自己再开放
    assert two.post("/answer", {"question": "9.1-1", "answer": ["a"]})[0] == 409
    teacher.post("/do", {"do": "open", "on": True})
    assert two.post("/answer", {"question": "9.1-1", "answer": ["c"]})[0] == 200
    assert two.post("/answer", {"question": "9.1-1", "answer": ["a", "c"]})[0] == 200  # 改了，还是一份
    teacher.post("/do", {"do": "reveal", "on": True})
    status, said = two.post("/answer", {"question": "9.1-1", "answer": ["a", "b"]})
    assert status == 409 and "停止作答" in said["said"]

    frame = live_results("9.1-1")  # 投票开着就读得到
    assert list(frame["编号"]) == [1, 2] and list(frame["李姐"]) == [1, 0]
    assert two.post("/forget", {}) == (200, {})
    assert two.post("/answer", {"question": "9.1-1", "answer": ["a"]})[0] == 403
    assert list(live_results("9.1-1")["编号"]) == [1]
    files = list(sessions("9.1")[0].parent.iterdir())
    assert not any(b'["a", "c"]' in path.read_bytes() for path in files)  # 文件里连影子也没有

    status, text, headers = teacher.get("/results/9.1-4.csv")
    assert status == 200 and "38400" in text and "attachment" in headers["Content-Disposition"]
    handed_out = teacher.get("/results/9.1-6.json")[1]
    said = room.stop()
    assert "crm.live_results" in said and live_results("9.1-6", scores=True)["你对送货准时满意吗？"][0] == 5
    for path in paths.root().glob("inclass/live/*"):
        path.unlink()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "课堂-9.1-6.json").write_text(handed_out, "utf-8")  # 学生的电脑
    assert live_results("9.1-6", scores=True)["你对送货准时满意吗？"][0] == 5


def test_strangers_and_hostile_requests(room, teacher):
    guest = Device(room.base)
    assert guest.post("/answer", {"question": "9.1-0", "answer": ["a"]})[0] == 403
    for path in ("/teacher", "/screen", "/ws/teacher", "/ws/phone", "/results/9.1-0.csv",
                 "/enter/teacher?key=1"):
        assert guest.get(path)[0] == 403, path
    for path in ("/inclass/live/", "/..%2f..%2fetc/passwd", "/charts.js", "/results/../9.1-0.csv"):
        assert guest.get(path)[0] == 404, path
    assert guest.post("/do", {"do": "erase"})[0] == 403
    one = phone(room)
    assert one.post("/do", {"do": "finish"})[0] == 403 and one.get("/results/9.1-0.json")[0] == 403
    teacher.post("/do", {"do": "go", "question": "9.1-5"})
    assert one.post("/answer", {"question": "9.1-5", "answer": "x"}, Origin="http://evil.example")[0] == 403
    assert one.post("/answer", b"question=9.1-5", **{"Content-Type": "text/plain"})[0] == 415
    for body in (b"[]", b"{", b"[" * 10000, "\ud800".encode("utf-8", "surrogatepass"), b""):
        assert one.post("/answer", body)[0] == 400
    assert one.post("/answer", {"question": ["9.1-5"], "answer": "好"})[0] == 409
    assert one.post("/answer", {"question": "9.1-5", "answer": "<img src=x onerror=alert(1)>"})[0] == 200
    assert one.post("/answer", {"question": "9.1-5", "answer": "\ud800半个字"})[0] in (200, 400)
    for said in ({"do": "go", "question": "没有"}, {"do": "open", "on": 1}, {"do": []}, {}):
        assert teacher.post("/do", said)[0] == 400
    codes = [one.post("/answer", {"question": "9.1-5", "answer": f"第 {n} 次"})[0] for n in range(40)]
    assert codes.count(200) <= 30 and codes[-1] == 429
    assert one.post("/alias", {"alias": "13912345678"})[0] == 400
    assert one.post("/alias", {"alias": "  小 周\u202e" + "长" * 50})[1]["alias"] == "小 周长长长长长"
    try:
        status = one.post("/answer", b"x" * 200_000)[0]
    except OSError:  # 太大的，读到一半就断开
        status = 413
    assert status in (400, 413)
    assert guest.get("/")[0] == 200  # 还活着


def test_from_the_network_there_is_only_the_phones_page(lesson):
    host = next((address for address, _ in live.candidates()), None) or pytest.skip("这台电脑没有连着网")
    room = Running(paths.root(), "live", "9.1", "--port", "0", "--host", host)
    try:
        outside = Device(f"http://{host}:{room.base.rpartition(':')[2]}")
        key = room.doors["teacher"].removeprefix(room.base)
        for path in ("/teacher", "/screen", "/screen.js", "/ws/teacher", "/results/9.1-0.csv", "/do", key):
            assert outside.get(path)[0] == 404, path
        assert outside.get("/")[0] == 200 and outside.post("/join", {"code": room.code})[0] == 200
        assert Device(room.base).get(key)[0] == 200
    finally:
        room.stop()


def test_guessing_the_room_code_is_slow(room):
    guest = Device(room.base)
    wrong = f"{(int(room.code) + 1) % 10**8:08d}"
    codes = [guest.post("/join", {"code": wrong})[0] for _ in range(25)]
    assert codes[:20] == [403] * 20 and codes[20:] == [429] * 5
    assert guest.post("/join", {"code": room.code})[0] == 429  # 猜对了也要等


def test_what_was_accepted_survives_a_kill(lesson):
    room, accepted, stop = Running(paths.root(), "live", "9.1", "--port", "0"), {}, threading.Event()
    teacher = Device(room.base)
    teacher.get(room.doors["teacher"])
    teacher.post("/do", {"do": "go", "question": "9.1-5"})
    phones = [phone(room) for _ in range(6)]

    def answer(number, device):
        count = 0
        while not stop.is_set() and count < 25:
            count += 1
            try:
                if device.post("/answer", {"question": "9.1-5", "answer": f"{number} {count}"})[0] == 200:
                    accepted[number] = count
            except OSError:
                return

    threads = [threading.Thread(target=answer, args=given) for given in enumerate(phones)]
    for thread in threads:
        thread.start()
    while sum(accepted.values()) < 40 and any(t.is_alive() for t in threads):
        time.sleep(0.01)
    room.kill()
    stop.set()
    for thread in threads:
        thread.join()
    again = Running(paths.root(), "live", "9.1")
    try:
        assert "接着上一次" in "".join(again.said) and (again.code, again.base) == (room.code, room.base)
        kept = {int(text.split()[0]): int(text.split()[1]) for text in live_results("9.1-5")["文字"]}
        assert set(kept) >= set(accepted)
        for number, count in accepted.items():  # 最后一份可能写下了，还没来得及说“收到”
            assert kept[number] in (count, count + 1)
        # 手机不用重新加入
        assert phones[0].post("/answer", {"question": "9.1-5", "answer": "0 99"})[0] == 200
        assert teacher.post("/do", {"do": "erase"})[0] == 200  # 老师的窗口也还管用
        assert "都删了" in again.process.communicate(timeout=20)[0]
        assert not list((paths.root() / "inclass" / "live").iterdir())
    finally:
        again.kill()


def test_it_closes_by_itself_and_a_taken_port_is_one_clear_fault(lesson, monkeypatch, capsys):
    monkeypatch.setattr(web, "show", lambda address: None)
    room = Running(paths.root(), "live", "9.1", "--port", "0")
    try:
        port = room.base.rpartition(":")[2]
        with pytest.raises(CourseError, match=f"端口 {port} 打不开"):
            live.main(["9.1", "--new", "--port", port])
        assert len(sessions("9.1")) == 1  # 没有开成的，不留空文件
    finally:
        room.stop()
    with pytest.raises(CourseError, match="--minutes"):
        live.main(["9.1", "--minutes", "0"])
    begin = live.Room.__init__

    def soon(self, *given):
        begin(self, *given)
        self.state["ends"] = time.time() + 0.3

    monkeypatch.setattr(live.Room, "__init__", soon)
    assert live.main(["9.1", "--new", "--port", "0"]) == 0
    assert "投票关闭了" in capsys.readouterr().out
