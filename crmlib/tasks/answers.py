"""学生的答案：笔记本旁边的 ``answers.json``，一个文件夹一份。

{"format": 1, "seed": "9f2c41d07be3", "answers": {"2.2-1": {"answer": …, "state": "right",
 "points": 2, "of": 2, "tries": 1, "task": "0f3a…（题目的指纹）", "saved": "2026-11-23T19:00:00",
 "old": [题目改动以前的记录, …]}}}

``state`` 说的是现在这份答案；``points`` 是练习得过的最高分，改答案不会丢分。
``boards`` 是面板替学生记下的东西（如双人洽谈的记录），不评分。
``seed`` 决定抽题抽到哪几项：第一次要抽题时掷出来，以后一直留着；批改时按它抽出同样的几项。
写法：拿锁 → 读最新的 → 并入 → 写临时文件 → 一步换上。断电时文件要么是旧的，要么是新的。
"""

import contextlib
import errno
import json
import os
import re
import secrets
import time
from datetime import datetime
from pathlib import Path

from crmlib.tasks.core import TaskError

NAME = "answers.json"
_LOCK = ".answers.lock"
_SEED = re.compile(r"[0-9a-f]{12}")
_PATIENCE = 5.0  # 秒：等别的笔记本写完


class SaveError(TaskError):
    """The answer is not on disk; the text says why and what to do."""


class Damaged(TaskError):
    """answers.json cannot be read; the text says so."""


def read(folder: Path | None = None) -> dict[str, dict]:
    """All records of a folder, {task id: record}; {} if there is no file yet.

    Raises Damaged if the file is no answers file; it is left where it is.
    """
    return _content(Path(folder or "."))["answers"]


def seed(folder: Path | None = None, make: bool = True) -> str:
    """The student's seed, 12 hex digits; ``make`` one if there is none, else "".

    Raises Damaged or SaveError like ``read`` and ``save``.
    """
    folder = Path(folder or ".")
    found = _seed(_content(folder))
    if found or not make:
        return found
    with _locked(folder):  # 两个笔记本同时打开，也只掷一次
        content = _content(folder)
        made = _seed(content) or secrets.token_hex(6)
        _write(folder, {"format": 1, "seed": made} | content | {"seed": made})
    return made


def _seed(content: dict) -> str:
    found = content.get("seed")
    return found if isinstance(found, str) and _SEED.fullmatch(found) else ""


def _content(folder: Path) -> dict:
    """The whole file, ``answers`` and all that stands beside it."""
    try:
        raw = (folder / NAME).read_bytes()
    except FileNotFoundError:
        return {"format": 1, "answers": {}}
    except OSError as fault:
        raise SaveError(f"读不了 {NAME}（{fault.strerror}）。关掉正在用它的程序，再运行一次。") from None
    return _parse(raw)


def _parse(raw: bytes) -> dict:
    try:
        content = json.loads(raw.decode("utf-8-sig"))  # 记事本另存时会加 BOM
        if not isinstance(content["answers"], dict):
            raise TypeError
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Damaged(f"{NAME} 损坏了，读不出来。") from None
    if content.get("format") != 1:
        raise SaveError(f"{NAME} 是另一个版本的课程写的。更新课程，再打开它。")
    return content


class Handed:
    """An answers.json as it was handed in (``raw`` None: there is none), read once for all its tasks.

    ``record`` and ``seed`` are as the functions of this module; ``fault``: why it cannot be read, or None.
    """

    def __init__(self, raw: bytes | None):
        self.fault, self._content = None, {"format": 1, "answers": {}}
        try:
            self._content = self._content if raw is None else _parse(raw)
        except TaskError as fault:
            self.fault = fault

    def record(self, task_id: str) -> dict:
        if self.fault:
            raise self.fault
        found = self._content["answers"].get(task_id)
        return found if isinstance(found, dict) else {}

    def seed(self, make: bool = False) -> str:
        if self.fault:
            raise self.fault
        return _seed(self._content)


def record(task_id: str, folder: Path | None = None) -> dict:
    """One task's record; {} if there is none (or a foreign thing stands in its place)."""
    found = read(folder).get(task_id)
    return found if isinstance(found, dict) else {}


def jotted(board: str, folder: Path | None = None):
    """What a board has noted down under its name; None if nothing. Raises like ``read``."""
    notes = _content(Path(folder or ".")).get("boards")
    return notes.get(board) if isinstance(notes, dict) else None


def jot(board: str, note, folder: Path | None = None) -> str | None:
    """Write what a board notes down, beside the answers. Returns and raises like ``save``."""
    folder = Path(folder or ".")
    with _locked(folder):
        content, notice = _readable(folder)
        notes = content.get("boards")
        _write(folder, {**content, "boards": {**(notes if isinstance(notes, dict) else {}), board: note}})
    return notice


def mend(folder: Path | None = None) -> str | None:
    """Set a damaged answers.json aside as ``answers.损坏-<time>.json``.

    Returns what to tell the student, None if the file is sound. Raises SaveError if it cannot be moved.
    """
    folder = Path(folder or ".")
    with _locked(folder):
        return _readable(folder)[1]


def save(task_id: str, changes: dict, folder: Path | None = None, stale=lambda record: False) -> str | None:
    """Merge ``changes`` into one task's record and write the file.

    A record for which ``stale`` holds is not merged but kept under ``old``.
    Returns what to tell the student if a damaged file had to be set aside first.
    Raises SaveError if the answer could not be written.
    """
    folder = Path(folder or ".")
    with _locked(folder):
        content, notice = _readable(folder)
        before = content["answers"].get(task_id, {})
        if not isinstance(before, dict):  # 有人手改过：原样收进 old，不丢
            before = {"old": [before]}
        elif before and stale(before):
            old = before.pop("old", [])
            before = {"old": [*(old if isinstance(old, list) else [old]), before]}
        after = {"points": 0, "tries": 0, **before, **changes}
        after["saved"] = datetime.now().isoformat(timespec="seconds")
        _write(folder, {**content, "answers": {**content["answers"], task_id: after}})
    return notice


def _readable(folder: Path) -> tuple[dict, str | None]:
    """The file's content; a damaged file is renamed first, and the notice says so. Its seed is kept."""
    try:
        return _content(folder), None
    except Damaged as fault:
        kept = re.search(rb'"seed":\s*"([0-9a-f]{12})"', (folder / NAME).read_bytes())
        stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
        names = (f"answers.损坏-{stamp}{extra}.json" for extra in ("", *(f"-{n}" for n in range(2, 100))))
        name = next(n for n in names if not (folder / n).exists())
        try:
            os.rename(folder / NAME, folder / name)
        except OSError as stuck:
            raise SaveError(f"{fault}又移不开（{stuck.strerror}）。把它改个名字，再运行一次。") from None
        content = {"format": 1, **({"seed": kept[1].decode()} if kept else {}), "answers": {}}
        if kept:
            _write(folder, content)
        return content, f"{fault}没有删掉，改名叫 {name}，可以交给老师看。新的答案从这里开始保存。"


def _write(folder: Path, content: dict) -> None:
    written = json.dumps(content, ensure_ascii=False, indent=1)
    temporary = folder / f".answers-{os.getpid()}.tmp"
    try:
        # 半个字符（孤立的代理项）写不进 UTF-8：换成问号，不让整份答案存不上
        with open(temporary, "w", encoding="utf-8", errors="replace", newline="\n") as file:
            file.write(written)
            file.flush()
            os.fsync(file.fileno())
        _replace(temporary, folder / NAME)
    except OSError as fault:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise SaveError(_advice(fault)) from None


def _replace(source: Path, target: Path) -> None:
    # Windows 上，杀毒软件或另一个程序正开着目标文件时换不上去：稍等再试
    for pause in (0.02, 0.05, 0.1, 0.2, 0.5, None):
        try:
            os.replace(source, target)
            return
        except PermissionError:
            if pause is None or os.name != "nt":
                raise
            time.sleep(pause)


def _advice(fault: OSError) -> str:
    if fault.errno in (errno.ENOSPC, errno.EDQUOT):
        return "磁盘满了，答案没有存上。删掉一些不用的文件，再改一下答案。"
    if fault.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "这个文件夹不能写，答案没有存上。把整个课程文件夹复制到自己的文件夹里，再打开。"
    return f"答案没有存上（{fault.strerror or fault}）。看看磁盘还在不在、满没满，再改一下答案。"


@contextlib.contextmanager
def _locked(folder: Path):
    """Hold the folder's lock. The operating system drops it when the process dies, so none goes stale."""
    try:
        file = open(folder / _LOCK, "ab")  # noqa: SIM115  锁要在 with 之外开着
    except OSError as fault:
        raise SaveError(_advice(fault)) from None
    with file:
        deadline = time.monotonic() + _PATIENCE
        while not _try_lock(file):
            if time.monotonic() > deadline:
                raise SaveError("另一个笔记本一直占着 answers.json，答案没有存上。关掉它，再改一下答案。")
            time.sleep(0.01)
        try:
            yield
        finally:
            _unlock(file)


if os.name == "nt":
    import msvcrt

    def _try_lock(file) -> bool:
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(file) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # 有的网络盘不支持锁：宁可不锁，也要能存
            return True
        return True

    def _unlock(file) -> None:
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_UN)
