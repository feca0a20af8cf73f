"""班级文件夹：一个普通的 nbgrader 课程目录，加一份记录 ``class.json``。

class.json：{"format": 1, "copied": {作业: 从课程复制来时的指纹},
"released": {作业: {"time": …, "seed": … 或 null, "source": 发布时的指纹}}}
"""

import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from crmlib import paths
from crmlib.cli import CourseError

CONFIG, RECORD, LOG = "nbgrader_config.py", "class.json", "nbgrader.log"
IGNORED = (".ipynb_checkpoints", "__pycache__", ".DS_Store", "Thumbs.db", ".answers.lock")
NAME = re.compile(r"[^\x00-\x1f+/\\:*?\"<>|]+")  # nbgrader 不许有 +，Windows 不许有后面那些


def add_course(parser) -> None:
    """The option ``--course DIR`` that every command of a class has."""
    parser.add_argument("--course", metavar="文件夹", type=Path, help="班级文件夹；不写就用现在的文件夹")


def find(folder: Path | None = None) -> "Classroom":
    """The class folder named, or the one that we are in, or the only one just below.

    Raises CourseError if there is none, or more than one.
    """
    if folder is not None:
        if not (folder / CONFIG).is_file():
            raise CourseError(f"{folder} 不是班级文件夹（里面没有 {CONFIG}）。"
                              f"要建一个：crm class new 文件夹名")
        return Classroom(folder.resolve())
    here = Path.cwd()
    for place in (here, *here.parents):
        if (place / CONFIG).is_file() and place != paths.root() / "assignments":
            return Classroom(place)
    below = sorted(p.parent for p in here.glob(f"*/{RECORD}"))
    if len(below) == 1:
        return Classroom(below[0])
    if below:
        names = "、".join(p.name for p in below)
        raise CourseError(f"这里有 {len(below)} 个班级文件夹：{names}。加上 --course 班级，写明是哪一个。")
    raise CourseError("这里没有班级文件夹。先建一个：crm class new 班级名；建好了，就到里面去运行，"
                      "或者加上 --course 班级文件夹。")


@dataclass
class Classroom:
    """One class folder. Where things are is nbgrader's business: its configuration is respected."""

    root: Path

    @cached_property
    def directory(self):
        """What nbgrader_config.py says (autograder.engine.course.Course)."""
        from autograder.engine.course import load

        return load(self.root)

    def folder(self, step: str, student: str, assignment: str) -> Path:
        """Where nbgrader keeps something; ``step``: source, release, submitted, autograded or feedback."""
        return self.directory.folder(step, "." if step in ("source", "release") else student, assignment)

    def students_in(self, step: str, assignment: str) -> list[str]:
        """Students that have a folder for the assignment at a step, in order."""
        return self.directory.students(assignment, step)

    @property
    def db_url(self) -> str:
        return self.directory.db_url

    @cached_property
    def assignments(self) -> list[str]:
        """Names of the assignments in source/, in the order of the course."""
        from autograder.units import natural

        source = self.folder("source", ".", "x").parent
        return sorted((p.name for p in source.glob("*") if p.is_dir() and not p.name.startswith(".")),
                      key=natural)

    def assignment(self, wanted: str) -> str:
        """The full name of ``2.2`` or ``2.2-swot-pest``; CourseError with those there are."""
        found = match(wanted, self.assignments)
        if not found:
            have = "、".join(self.assignments) or "（一个也没有）"
            raise CourseError(f"这个班没有作业“{wanted}”。现有：{have}")
        return found

    def read_record(self) -> dict:
        """class.json; an empty record where there is none. CourseError if it is damaged."""
        try:
            record = json.loads((self.root / RECORD).read_text("utf-8"))
        except FileNotFoundError:
            return {"format": 1, "copied": {}, "released": {}}
        except (OSError, ValueError):
            raise CourseError(f"{self.root / RECORD} 读不出来。里面记着每份作业发布时的种子：从备份里找回它，"
                              "或者改个名字，再运行一次。") from None
        return {"copied": {}, "released": {}} | record

    def write_record(self, record: dict) -> None:
        write_whole(self.root / RECORD, json.dumps(record, ensure_ascii=False, indent=1) + "\n")

    def nbgrader(self, *command: str) -> str:
        """Run a stock nbgrader command in the class folder; returns what it said.

        Raises CourseError with the line that matters if it failed.
        """
        env = {**os.environ, "PYTHONUTF8": "1"}
        done = subprocess.run([sys.executable, "-m", "nbgrader", *command], cwd=self.root, env=env,
                              capture_output=True, text=True, encoding="utf-8", errors="replace")
        said = done.stdout + done.stderr
        if done.returncode:
            told = [t for t in said.splitlines() if re.match(r"[\w.]*(Error|Exception)\b|.*\| ERROR\b", t)]
            chinese = [line for line in told if re.search(r"[\u4e00-\u9fff]", line)]
            why = (chinese or told or ["没有说原因"])[-1]
            (self.root / LOG).write_text(said, "utf-8")
            raise CourseError(f"nbgrader {command[0]} 没有做完：{why.partition('Error: ')[2] or why}"
                              f"（全文在 {LOG}）")
        return said


def match(wanted: str, names) -> str | None:
    """The name that ``2.2`` or ``2.2-swot-pest`` means, None if there is none.

    >>> match("2.2", ["2.2-swot-pest", "2.20-x"])
    '2.2-swot-pest'
    """
    if wanted in names:
        return wanted
    return next((n for n in names if n.partition("-")[0] == wanted), None)


def fingerprint(folder: Path) -> str:
    """12 hex digits over the names and contents of a folder's files; what Jupyter leaves does not count."""
    total = hashlib.sha256()
    for path in files(folder):
        total.update(path.relative_to(folder).as_posix().encode() + b"\0")
        total.update(path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return total.hexdigest()[:12]


def files(folder: Path) -> list[Path]:
    """The files of a folder that count, in order; no links, caches, locks."""
    return sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink()
                  and not any(part in IGNORED for part in p.relative_to(folder).parts))


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file so that it is the old or the new one, whenever the power goes."""
    content = content.encode("utf-8", errors="replace") if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def width(text: str) -> int:
    """Columns that a terminal needs: 汉字占两格."""
    import unicodedata

    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def table(rows: list[list[str]]) -> str:
    """Rows as text in aligned columns; the first row is the heading."""
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell + " " * (wide - width(cell)) for cell, wide in zip(row, widths, strict=True))
             for row in rows]
    return "\n".join(line.rstrip() for line in lines)
