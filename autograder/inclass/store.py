"""课堂投票的文件：SQLite，一次课一个。收下的答案，哪怕下一刻断电也在。

写的事排成队，由一个线程成批写：一批一次落盘（WAL，synchronous=FULL），落了盘才回答手机“收到了”。
"""

import asyncio
import hashlib
import json
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

from autograder.inclass import web
from crmlib.cli import CourseError
from crmlib.live import FOLDER, sessions

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS questions (id TEXT PRIMARY KEY, place INTEGER NOT NULL, question TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS devices (
  number INTEGER PRIMARY KEY AUTOINCREMENT, secret TEXT NOT NULL UNIQUE, alias TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS answers (
  question TEXT NOT NULL, device INTEGER NOT NULL, answer TEXT NOT NULL, saved TEXT NOT NULL,
  hidden INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (question, device)) WITHOUT ROWID;
"""
_MOST_AT_ONCE = 200


class Store:
    """One session on file. All methods but ``run`` and ``close`` are for ``run`` to call in its thread."""

    def __init__(self, path: Path):
        self.path = path
        try:
            self._base = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._base.execute("PRAGMA journal_mode=WAL")
            self._base.execute("PRAGMA synchronous=FULL")
            self._base.execute("PRAGMA secure_delete=ON")  # 删掉的答案用零盖住，不只是摘下目录
            self._base.executescript(_TABLES)
        except sqlite3.Error as fault:
            raise CourseError(f"打不开课堂投票的文件 {path}（{fault}）。") from None
        self._thread = ThreadPoolExecutor(1, "store")
        self._waiting, self._writing = [], None

    async def run(self, work, *given):
        """Do ``work(*given)`` in the store's thread and commit it; returns once it is on the disk.

        What comes in while the disk is busy is committed together. Raises what ``work`` raised, and
        sqlite3.Error if the disk would not take it: then nothing of the batch is kept.
        """
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._waiting.append((work, given, done))
        if self._writing is None:
            self._writing = loop.create_task(self._write())
        return await done

    async def _write(self):
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                batch = self._waiting[:_MOST_AT_ONCE]
                del self._waiting[:_MOST_AT_ONCE]
                results = await loop.run_in_executor(self._thread, self._commit, batch)
                # 每一件都有回话：一件坏的不能让别的手机一直等
                for (_, _, done), (value, fault) in zip(batch, results, strict=True):
                    if done.cancelled():
                        continue
                    if fault is None:
                        done.set_result(value)
                    else:
                        done.set_exception(fault)
        finally:
            self._writing = None

    def _commit(self, batch):
        results = []
        try:
            self._base.execute("BEGIN IMMEDIATE")
            for work, given, _ in batch:
                try:
                    results.append((work(*given), None))
                except sqlite3.OperationalError:
                    raise
                except Exception as fault:  # 已经退出的手机、写不进去的字：只有这一件不成
                    results.append((None, fault))
            self._base.execute("COMMIT")
        except sqlite3.Error as fault:
            if self._base.in_transaction:
                self._base.execute("ROLLBACK")
            return [(None, fault)] * len(batch)
        return results

    def close(self) -> None:
        self._thread.shutdown()
        self._base.close()

    # ---- 在写的线程里 ----

    def meta(self) -> dict:
        return {name: json.loads(value) for name, value in self._base.execute("SELECT name, value FROM meta")}

    def note(self, **facts) -> None:
        written = [(name, json.dumps(value, ensure_ascii=False)) for name, value in facts.items()]
        self._base.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", written)

    def keep_questions(self, questions) -> None:
        """Write down the questions; one that has answers already stays as it was when they were given."""
        for place, question in enumerate(questions):
            text = json.dumps(question, ensure_ascii=False)
            self._base.execute("INSERT INTO questions VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET "
                               "place = ?2, question = CASE WHEN EXISTS (SELECT 1 FROM answers "
                               "WHERE question = ?1) THEN question ELSE ?3 END",
                               [question["id"], place, text])

    def questions(self) -> list[dict]:
        return [json.loads(q) for q, in self._base.execute("SELECT question FROM questions ORDER BY place")]

    def join(self, secret: str, most: int) -> int:
        """The number of a new device. LookupError if there are ``most`` already."""
        if self.joined() >= most:
            raise LookupError("full")
        return self._base.execute("INSERT INTO devices (secret) VALUES (?)", [_hash(secret)]).lastrowid

    def joined(self) -> int:
        return self._base.execute("SELECT count(*) FROM devices").fetchone()[0]

    def device(self, secret: str):
        """(number, alias) of the device with this secret; None if there is none."""
        return self._base.execute("SELECT number, alias FROM devices WHERE secret = ?",
                                  [_hash(secret)]).fetchone()

    def rename(self, number: int, alias: str) -> None:
        self._base.execute("UPDATE devices SET alias = ? WHERE number = ?", [alias, number])

    def answer(self, question: str, number: int, answer) -> None:
        """Keep an answer, in place of the device's earlier one. LookupError if the device has left."""
        if not self._base.execute("SELECT 1 FROM devices WHERE number = ?", [number]).fetchone():
            raise LookupError("gone")
        self._base.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, 0)",
                           [question, number, json.dumps(answer, ensure_ascii=False),
                            datetime.now().isoformat(timespec="seconds")])

    def mine(self, question: str) -> dict[int, object]:
        """{device: its answer} to one question."""
        return {device: json.loads(a) for device, a in
                self._base.execute("SELECT device, answer FROM answers WHERE question = ?", [question])}

    def rows(self, question: str) -> list[tuple]:
        """[(device, answer, hidden, alias)], the latest last."""
        found = self._base.execute(
            "SELECT device, answer, hidden, alias FROM answers JOIN devices ON device = number "
            "WHERE question = ? ORDER BY saved, device", [question])
        return [(device, json.loads(a), hidden, alias) for device, a, hidden, alias in found]

    def counts(self) -> dict[str, int]:
        return dict(self._base.execute("SELECT question, count(*) FROM answers GROUP BY question"))

    def hide(self, question: str, number: int, hidden: bool) -> None:
        self._base.execute("UPDATE answers SET hidden = ? WHERE question = ? AND device = ?",
                           [int(hidden), question, number])

    def clear(self, question: str) -> None:
        self._base.execute("DELETE FROM answers WHERE question = ?", [question])

    def forget(self, number: int) -> None:
        self._base.execute("DELETE FROM answers WHERE device = ?", [number])
        self._base.execute("DELETE FROM devices WHERE number = ?", [number])

    def tidy(self) -> None:
        """Bring what was deleted out of the log as well; outside a transaction."""
        self._base.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    async def scrub(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self.tidy)

    def erase(self) -> None:
        """Close, and delete the session's files."""
        self.close()
        for path in (self.path, *(self.path.with_name(self.path.name + end) for end in ("-wal", "-shm"))):
            path.unlink(missing_ok=True)


def _hash(secret: str) -> str:
    # 文件里只有指纹：谁拿到文件，也冒充不了哪一台手机
    return hashlib.sha256(secret.encode()).hexdigest()


def open_session(unit: str, fresh: bool) -> tuple[Store, bool]:
    """(the session to go on with or a new one, whether it goes on). One that has not ended goes on."""
    folder = web.keep_in(*FOLDER[1:])
    for path in [] if fresh else sessions(unit):
        store = Store(path)
        meta = store.meta()
        if meta.get("ended") is False and meta.get("state", {}).get("ends", 0) > time.time():
            return store, True
        store.close()
        break  # 只看最近的一次
    now = datetime.now()
    while (path := folder / f"{unit}-{now:%Y%m%d-%H%M%S}.sqlite").exists():
        now += timedelta(seconds=1)  # 同一秒里开了两次：各用各的文件
    return Store(path), False
