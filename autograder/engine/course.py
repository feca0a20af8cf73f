"""nbgrader 课程目录：设置、文件夹、学生交来的文件。不装 nbgrader 也读得懂（它一装就是两三秒）。"""

import fnmatch
import glob
import json
import os
import re
import stat
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from crmlib.cli import CourseError

NOTEBOOK_BYTES = 32 << 20  # 一本笔记最多这么大；再大的不是写出来的
IGNORED = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback"]


@dataclass
class Course:
    """What nbgrader_config.py says, as far as grading needs it. ``config``: all of it."""

    root: Path
    config: dict
    db_url: str
    structure: str = "{nbgrader_step}/{student_id}/{assignment_id}"
    steps: dict = field(default_factory=dict)
    ignore: list = field(default_factory=lambda: list(IGNORED))
    max_file: int = 100_000 * 1000
    timeout: int = 30
    on_timeout: dict = field(default_factory=dict)
    keep: dict = field(default_factory=dict)
    course_id: str = ""
    exclude_students: set = field(default_factory=set)
    permissions: int = 0o444
    max_lines: int = 1000

    def folder(self, step: str, student: str, assignment: str) -> Path:
        """As nbgrader's CourseDirectory.format_path."""
        said = self.structure.format(nbgrader_step=self.steps.get(step, step), student_id=student,
                                     assignment_id=assignment)
        return Path(os.path.normpath(self.root / said))

    def students(self, assignment: str, step: str = "submitted") -> list[str]:
        """Who has a folder for the assignment at a step, sorted."""
        pattern = self.structure.format(nbgrader_step=self.steps[step], student_id="\0",
                                        assignment_id=assignment)
        before, _, after = os.path.normpath(pattern).partition("\0")
        if os.path.isabs(before):
            place, prefix = Path(before), ""
        else:
            place, prefix = self.root / os.path.dirname(before), os.path.basename(before)
        suffix, _, rest = after.partition(os.sep)
        found = set()
        if place.is_dir():
            for entry in place.iterdir():
                name = entry.name
                if name.startswith(prefix) and name.endswith(suffix) and not name.startswith("."):
                    student = name[len(prefix): len(name) - len(suffix) if suffix else None]
                    if (entry / rest).is_dir() and student not in self.exclude_students:
                        found.add(student)
        return sorted(found)


def find(folder: str | None) -> Path:
    """The course directory: ``folder``, or the present one, the only class folder in it, or assignments/."""
    from crmlib import paths

    below = sorted(p.parent for p in Path.cwd().glob("*/class.json"))
    if not folder and len(below) > 1:
        names = "、".join(p.name for p in below)
        raise CourseError(f"这里有 {len(below)} 个班级文件夹：{names}。加上 --course 班级，写明是哪一个。")
    places = [Path(folder)] if folder else [Path.cwd(), *below, paths.root() / "assignments"]
    for place in places:
        if (place / "nbgrader_config.py").is_file() or (place / "submitted").is_dir() \
                or (place / "gradebook.db").is_file():
            return place.resolve()
    where = f"{places[0]} 里" if folder else "这里"
    raise CourseError(f"{where}没有 nbgrader 课程：应当有 nbgrader_config.py 或 submitted/。"
                      "用 --course 写明课程文件夹。")


def assignment(root: Path, wanted: str) -> str:
    """The full name of ``2.2`` where source/ has just one such folder; else ``wanted`` as it is."""
    fits = [p.name for p in (root / "source").glob(f"{glob.escape(wanted)}-*") if p.is_dir()]
    return fits[0] if len(fits) == 1 and not (root / "source" / wanted).is_dir() else wanted


def load(root: Path) -> Course:
    """Read nbgrader_config.py of ``root`` (and the user's own); CourseError if it cannot be read."""
    config = _config(root)
    course, execute = config.get("CourseDirectory", {}), config.get("Execute", {})
    auto, preprocess = config.get("Autograde", {}), config.get("ExecutePreprocessor", {})
    root = Path(str(course.get("root") or root)).resolve()
    steps = {step: str(course.get(f"{step}_directory", step))
             for step in ("source", "release", "submitted", "autograded", "feedback")}
    shared = bool(course.get("groupshared", False))
    permissions = int(str(auto.get("permissions", 664 if shared else 444)), 8)
    timeout = execute.get("timeout", preprocess.get("timeout", 30))
    return Course(
        root, config, str(course.get("db_url") or f"sqlite:///{root / 'gradebook.db'}"),
        str(course.get("directory_structure", Course.structure)), steps,
        list(course.get("ignore", IGNORED)), int(course.get("max_file_size", 100_000)) * 1000,
        int(timeout) if timeout and timeout > 0 else 24 * 3600,
        dict(execute.get("error_on_timeout", {
            "ename": "CellTimeoutError", "evalue": "",
            "traceback": ["CellTimeoutError: No reply from kernel before timeout"]})),
        {name: list(files) for name, files in dict(auto.get("exclude_overwriting", {})).items()},
        str(course.get("course_id", "")).strip(),
        {s.strip() for s in str(course.get("student_id_exclude", "")).split(",") if s.strip()},
        permissions, int(config.get("LimitOutput", {}).get("max_lines", 1000)))


def _config(root: Path) -> dict:
    from traitlets.config.loader import Config, PyFileConfigLoader

    merged = Config()
    for place in [*reversed(_config_folders()), root]:
        path = Path(place) / "nbgrader_config.py"
        if not path.is_file():
            continue
        try:
            here = os.getcwd()
            os.chdir(root)
            try:
                merged.merge(PyFileConfigLoader(path.name, path=str(place)).load_config())
            finally:
                os.chdir(here)
        except Exception as fault:
            raise CourseError(f"{path} 读不了：{type(fault).__name__}: {fault}") from None
    return merged


def _config_folders() -> list:
    try:
        from jupyter_core.paths import jupyter_config_path

        return jupyter_config_path()
    except ImportError:
        return []


# ---- 交来的一份 ----

@dataclass
class Handed:
    """One student's folder as found. ``files``: what may be copied, {path in it: real path}.

    ``notebooks``: {name: bytes}; ``skipped``: what was left out and why.
    """

    student: str
    folder: Path
    files: dict[str, Path] = field(default_factory=dict)
    notebooks: dict[str, bytes] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    timestamp: datetime | None = None


def handed(course: Course, assignment: str, student: str, wanted) -> Handed:
    """Read a submission without following links or opening anything but plain files.

    ``wanted``: names of the assignment's notebooks; other notebooks are not looked at (as in nbgrader).
    """
    folder = course.folder("submitted", student, assignment)
    made = Handed(student, folder)
    total = 0
    for place, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(d for d in folders if not _ignored(d, course.ignore))
        for name in list(folders):
            if os.path.islink(os.path.join(place, name)):
                folders.remove(name)
                made.skipped.append(f"{name} 是指向别处的链接，没有用")
        for name in sorted(names):
            path = Path(place, name)
            inside = path.relative_to(folder).as_posix()
            if _ignored(name, course.ignore):
                continue
            try:
                about = path.lstat()
            except OSError:
                continue
            if not stat.S_ISREG(about.st_mode):
                made.skipped.append(f"{inside} 不是普通的文件（链接或设备），没有用")
                continue
            if name.endswith(".ipynb"):
                if inside == name and name.removesuffix(".ipynb") in wanted:
                    if about.st_size > NOTEBOOK_BYTES:
                        made.skipped.append(f"{inside} 有 {about.st_size >> 20} MB，太大，没有读")
                        made.notebooks[name.removesuffix(".ipynb")] = b""
                    else:
                        made.notebooks[name.removesuffix(".ipynb")] = read(path, NOTEBOOK_BYTES)
                continue
            total += about.st_size
            if about.st_size > course.max_file or total > 2 * course.max_file or len(made.files) >= 2000:
                made.skipped.append(f"{inside}（{max(1, about.st_size >> 20)} MB）太大或太多，没有复制")
                continue
            made.files[inside] = path
    made.timestamp = _timestamp(made.files.get("timestamp.txt"))
    return made


def read(path: Path, most: int) -> bytes:
    """A plain file's bytes; b"" if it is a link, a device, too large or unreadable."""
    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
                     | getattr(os, "O_BINARY", 0))
    except OSError:
        return b""
    with os.fdopen(fd, "rb") as file:
        about = os.fstat(fd)
        if not stat.S_ISREG(about.st_mode) or about.st_size > most:
            return b""
        return file.read(most)


def _ignored(name, patterns) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


def _timestamp(path) -> datetime | None:
    """As nbgrader's parse_utc, for the forms that nbgrader and this course write; None if it is neither."""
    text = read(path, 1000).decode("utf-8", "replace").strip() if path else ""
    if not text:
        return None
    try:
        if found := re.fullmatch(r"(\S+ \S+) (UTC|GMT|Z)", text):
            return datetime.fromisoformat(found[1])
        made = datetime.fromisoformat(text)
        return (made - made.utcoffset()).replace(tzinfo=None) if made.tzinfo else made
    except ValueError:
        try:  # 别的写法（时区的名字等）：nbgrader 用 dateutil
            from dateutil import parser

            made = parser.parse(text)
            return (made - made.utcoffset()).replace(tzinfo=None) if made.tzinfo else made
        except (ValueError, OverflowError, ImportError):
            return None


def parse(raw: bytes) -> tuple[dict | None, str]:
    """A notebook from bytes: (notebook, "") or (None, why not in plain words). Old formats are upgraded."""
    if not raw.strip():
        return None, "笔记是空的，或者太大"
    for code in ("utf-8-sig", "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "gb18030"):
        try:
            text = raw.decode(code)
            break
        except UnicodeDecodeError:
            continue
    else:
        return None, "笔记的编码读不出来"
    try:
        nb = json.loads(text)
    except (ValueError, RecursionError):
        return None, "笔记不是完整的 JSON（可能没存完，或者被别的程序改过）"
    if not isinstance(nb, dict):
        return None, "笔记不是 Jupyter 的格式"
    if nb.get("nbformat") != 4:
        try:
            import nbformat

            nb = json.loads(nbformat.writes(nbformat.reads(text, as_version=4)))
        except Exception:
            return None, f"笔记的格式版本是 {str(nb.get('nbformat'))[:20]}，读不了"
    return (nb, "") if isinstance(nb.get("cells"), list) else (None, "笔记里没有格子")
