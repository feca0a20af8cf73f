"""批到哪里了：课程文件夹里的 ``.crm-grade/<作业>.jsonl``，一份作业一行，只在成绩写进库以后才添。

停电、被杀、磁盘满，都只会少最后几行：少了的那几份再批一遍，写进库的还是一样的分。
"""

import contextlib
import hashlib
import json
import os
import shutil
import uuid
from pathlib import Path

from autograder.engine import course, pool

FOLDER = ".crm-grade"


class Journal:
    """The journal of one assignment; ``entries``: {student: his last line}."""

    def __init__(self, root: Path, assignment: str):
        self.folder = root / FOLDER
        self.path = self.folder / f"{assignment}.jsonl"
        self.entries: dict[str, dict] = {}
        with contextlib.suppress(OSError):
            for line in self.path.read_bytes().splitlines():
                with contextlib.suppress(ValueError, KeyError, TypeError):  # 停电时没写完的一行
                    entry = json.loads(line)
                    self.entries[entry["student"]] = entry

    def add(self, entries) -> None:
        """Append lines and see them to the disk."""
        self.folder.mkdir(exist_ok=True)
        torn = self.path.is_file() and self.path.read_bytes()[-1:] not in (b"", b"\n")
        with open(self.path, "ab") as file:
            file.write(b"\n" if torn else b"")
            for entry in entries:
                file.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self.entries |= {e["student"]: e for e in entries}

    def clear_temporary(self) -> None:
        """Remove what a killed run left half-written."""
        for left in self.folder.glob("tmp-*"):
            pool.remove(left)


def fingerprint(handed: course.Handed) -> str:
    """Changes when anything changes that the student handed in (contents, not times)."""
    mark = hashlib.sha256()
    for name, raw in sorted(handed.notebooks.items()):
        mark.update(f"{name}\0".encode() + hashlib.sha256(raw).digest())
    for name, path in sorted(handed.files.items()):
        mark.update(f"{name}\0".encode())
        about = Path(path).lstat()
        large = f"{about.st_size} {about.st_mtime_ns}".encode()
        mark.update(course.read(Path(path), 1 << 20) if about.st_size <= 1 << 20 else large)
    mark.update("\0".join(handed.skipped).encode())
    return mark.hexdigest()[:24]


@contextlib.contextmanager
def workshop(root: Path):
    """A temporary folder on the course's own disk, for ``publish``."""
    place = root / FOLDER / f"tmp-{uuid.uuid4().hex[:12]}"
    place.mkdir(parents=True)
    try:
        yield place
    finally:
        pool.remove(place)


def publish(place: Path, target: Path, written: dict[str, bytes], files: dict, permissions: int) -> None:
    """Put a graded submission into autograded/ as nbgrader leaves it: all of it or nothing.

    ``place``: a ``workshop``; what stood at ``target`` before is left there, to be thrown away with it.
    """
    made = place / uuid.uuid4().hex[:12]
    made.mkdir()
    for inside, content in {**files, **{f"{name}.ipynb": raw for name, raw in written.items()}}.items():
        path = made / inside
        if "/" in inside:
            path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            shutil.copyfile(content, path, follow_symlinks=False)
        path.chmod(permissions)
    target.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(target):
        os.replace(target, place / f"{made.name}-old")
    os.replace(made, target)
