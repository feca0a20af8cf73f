"""``crm class collect 文件夹``：收作业。认出每件是谁的、哪一份；坏的、可疑的说明白，好的照收。"""

import csv
import hashlib
import json
import os
import re
import shutil
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from autograder.classroom import database
from autograder.classroom.course import Classroom, add_course, find, match
from autograder.classroom.roster import Roster
from autograder.classroom.unpack import Parcel, Refused, opened
from crmlib.cli import CourseError, Parser
from crmlib.handin import RECEIPT, receipt_code

LOG, OLDER = "collected.csv", "older"
_STAMP = "%Y-%m-%d %H:%M:%S.%f UTC"
_FORM = re.compile(r'互评-[^\x00-\x1f\\/:*?"<>|.+]{1,40}')
_IGNORED = re.compile(r"\.|~\$|__MACOSX$|Thumbs\.db$|desktop\.ini$", re.I)


@dataclass
class Submission:
    """One student's work for one assignment, in memory. ``time``: UTC, without zone, as nbgrader has it."""

    student: str
    assignment: str
    files: dict[str, bytes]
    time: datetime
    code: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def content(self) -> dict[str, str]:
        return {n: hashlib.sha256(c).hexdigest() for n, c in self.files.items() if n != RECEIPT}


@dataclass
class Outcome:
    """What became of one item: ``state`` is 收下, 更新, 旧的, 重复 or 没收."""

    item: str
    state: str
    student: str = ""
    assignment: str = ""
    code: str = ""
    notes: list[str] = field(default_factory=list)


def main(argv) -> int:
    """Collect from a folder of zips and folders, or from nbgrader's exchange."""
    parser = Parser(prog="crm class collect", description="收作业")
    parser.add_argument("folder", metavar="文件夹", nargs="?", type=Path, help="放着学生交来的 zip 的文件夹")
    parser.add_argument("--unit", metavar="单元", help="只收这一份作业")
    parser.add_argument("--exchange", metavar="单元", help="从 nbgrader 的交换目录收（Windows 上没有）")
    parser.add_argument("--accept-new", action="store_true", help="不在名单里的学生也收")
    add_course(parser)
    options = parser.parse_args(argv)
    room = find(options.course)
    if options.exchange:
        return _from_exchange(room, options.exchange)
    if options.folder is None:
        raise CourseError("写明到哪个文件夹去收，例如 crm class collect D:\\交来的作业")
    outcomes = collect(room, options.folder, options.unit, options.accept_new)
    report(outcomes)
    return 1 if any(o.state == "没收" for o in outcomes) else 0


def report(outcomes: list[Outcome]) -> None:
    for o in outcomes:
        if o.state == "没收" or o.notes:
            who = " ".join(filter(None, [o.student, o.assignment]))
            mark = "FAIL" if o.state == "没收" else "注意"
            print(f"[{mark}] {o.item}（{who or '不知道是谁的'}）{o.state}：{'；'.join(o.notes)}")
    counts = {s: sum(o.state == s for o in outcomes) for s in ("收下", "更新", "旧的", "重复", "没收")}
    words = {"收下": "新收下 {} 份", "更新": "换成更新的 {} 份", "旧的": "比已收的旧 {} 份（留在 older/）",
             "重复": "重复 {} 份", "没收": "没有收 {} 件，看上面的 [FAIL]"}
    print("，".join(words[s].format(n) for s, n in counts.items() if n) + f"。明细在 {LOG}。")
    if any(_FORM.fullmatch(o.assignment) for o in outcomes):
        print("其中有自评、互评的表：收齐了，运行 crm class peers read。")


def _from_exchange(room: Classroom, unit: str) -> int:
    if os.name == "nt":
        raise CourseError("nbgrader 的交换目录在 Windows 上不能用：用文件夹收，crm class collect 文件夹。")
    name = room.assignment(unit)
    said = room.nbgrader("collect", name, "--update")
    print(f"从交换目录收好了：{name}，现在有 {len(room.students_in('submitted', name))} 份。")
    return 1 if "ERROR" in said else 0


def collect(room: Classroom, folder: Path, unit: str | None = None, accept_new=False) -> list[Outcome]:
    """Take in everything in ``folder``; one Outcome for each item and assignment. Nothing is overwritten.

    CourseError if the folder is not there or holds nothing, or lies inside the class folder.
    """
    folder = folder.absolute()
    if not folder.is_dir():
        raise CourseError(f"没有 {folder} 这个文件夹。看看名字写对了没有。")
    ours = ("submitted", "source", "release", "autograded", "feedback", OLDER)
    if folder == room.root or any(folder.is_relative_to(room.root / d) for d in ours):
        raise CourseError("班级文件夹自己不能收。把学生交来的 zip 放进另一个文件夹，到那里去收。")
    items = _items(folder)
    if not items:
        raise CourseError(f"{folder} 里没有可以收的：放 zip 或文件夹进去，"
                          "文件名写上学号和单元，如 20260101-2.2.zip。")
    with database.opened(room) as book:
        roster = Roster.read(book)
    if accept_new:
        roster = Roster({}) if not roster.names else _Open(roster.names)
    wanted = room.assignment(unit) if unit else None
    known = _known(room)
    outcomes = []
    for item, hints in items:
        shown = item.relative_to(folder).as_posix()
        try:
            for found in _submissions(item, hints, roster, known):
                if wanted and found.assignment != wanted:
                    continue
                state = keep(room, found)
                outcomes.append(Outcome(shown, state, roster.shown(found.student), found.assignment,
                                        found.code, found.notes))
        except Refused as why:
            outcomes.append(Outcome(shown, "没收", notes=[str(why)]))
        except OSError as fault:
            why = f"存不下来（{fault.strerror}）。看看磁盘满没满，再收一次"
            outcomes.append(Outcome(shown, "没收", notes=[why]))
    _log(room, outcomes)
    return outcomes


class _Open(Roster):
    """A list that also takes in those who are not on it."""

    def student(self, said):
        try:
            return super().student(said)
        except Refused as why:
            if "可能是" in str(why):
                raise
            return Roster({}).student(said)


def _items(folder: Path) -> list[tuple[Path, list[str]]]:
    """[(zip or folder, the words around it that may name the student)].

    A folder that only sorts (学号/作业.zip, 2.2/学号.zip) is gone into; one that holds work is an item.
    """
    found = []
    for path in sorted(folder.iterdir()):
        if _IGNORED.match(path.name):
            continue
        if path.is_dir() and not path.is_symlink():
            packed = [p for p in sorted(path.rglob("*.zip"))
                      if not p.is_symlink() and not _IGNORED.match(p.name)]
            found += [(p, [p.stem, *(q.name for q in p.parents if q.is_relative_to(path))]) for p in packed]
            people = [p for p in sorted(path.iterdir()) if p.is_dir() and not p.is_symlink()]
            loose = [p for p in path.rglob("*") if p.suffix == ".ipynb" or p.name == "answers.json"]
            if not loose:
                if not packed:
                    found.append((path, [path.name]))
            elif any(p.parent == path for p in loose) or len(people) < 2 or not all(
                    any(p.is_relative_to(q) for p in loose) for q in people) or _is_course(people):
                found.append((path, [path.name]))
            else:  # 2.2/张三/…、2.2/李四/…
                found += [(q, [q.name, path.name]) for q in people]
        else:
            found.append((path, [path.stem]))
    return found


def _is_course(people: list[Path]) -> bool:
    """Whether folders are one student's units (2.2-…, 2.3-…) rather than one unit's students."""
    return all(re.match(r"\d+\.\d+\b", p.name) for p in people)


# ---- 认 ----

def _known(room: Classroom) -> dict[str, set[str]]:
    """{assignment: nbgrader's names of the cells in its source}."""
    known = {}
    for name in room.assignments:
        notebook = room.folder("source", ".", name) / f"{name}.ipynb"
        names = set()
        for path in [notebook, *notebook.parent.glob("*.ipynb")]:
            if path.is_file():
                names |= set(_cells(path.read_bytes()) or ())
        known[name] = names
    return known


def _cells(content: bytes) -> list[str] | None:
    """nbgrader's names of a notebook's cells; None if it is no notebook."""
    try:
        cells = json.loads(content.decode("utf-8-sig"))["cells"]
        found = [c["metadata"]["nbgrader"]["grade_id"] for c in cells
                 if isinstance(c.get("metadata", {}).get("nbgrader"), dict)]
        return [name for name in found if isinstance(name, str)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _submissions(item: Path, hints: list[str], roster: Roster, known: dict) -> list[Submission]:
    parcel = opened(item)
    works = _works(parcel, known)
    if not works:
        notes = "；".join(parcel.notes[:3])
        raise Refused("里面没有作业（没有这个班的笔记，也没有 answers.json）"
                      + (f"。{notes}" if notes else ""))
    made = datetime.fromtimestamp(item.stat().st_mtime)
    found = []
    for assignment, top in works:
        files = {n.removeprefix(top): c for n, c in parcel.files.items() if n.startswith(top)}
        files.pop("timestamp.txt", None)  # 时间由收的人写，不由学生写
        receipt = _receipt(files.get(RECEIPT))
        said = _words(receipt, hints, top, assignment)
        student = roster.student(said)
        notes = [*parcel.notes]
        if receipt and not _same_student(roster, student, hints, assignment):
            raise Refused(f"文件名和里面的回执说的不是一个人：回执是 {receipt['student']}。没有收，你看一看")
        elif receipt and not roster.names and not any(receipt["student"] in hint for hint in hints):
            seen = said[1] if len(said) > 1 else ""
            notes.append(f"按回执算 {receipt['student']} 的；文件名写的是“{seen}”")
        if assignment not in known:
            _whose(files, student)
        else:
            _right_notebook(files, assignment, known[assignment], notes)
        dates = [d for n, d in parcel.dates.items() if n.startswith(top)]
        when = _when(receipt, max(dates, default=made), made, notes)
        one = Submission(student, assignment, files, when, notes=notes)
        if receipt:
            one.code = receipt_code(assignment, receipt["student"], _renamed_back(one.content, receipt))
            if one.code != receipt["code"]:
                notes.append("打包以后又改过：回执号对不上")
        found.append(one)
    return found


def _works(parcel: Parcel, known) -> list[tuple[str, str]]:
    """[(assignment, folder inside the parcel)] of the work in it; of two for one assignment, the newer."""
    tops = {}
    for name, content in parcel.files.items():
        top, _, base = name.rpartition("/")
        if base == "rate.json" and top.endswith("tasks") and (form := _form(content)):
            tops[form, top.removesuffix("tasks")] = None
        if top.endswith("tasks") or not (base.endswith(".ipynb") or base in ("answers.json", RECEIPT)):
            continue
        if assignment := _which(top, base, content, known):
            tops[assignment, f"{top}/" if top else ""] = None
    chosen: dict[str, str] = {}
    for assignment, top in tops:
        def rank(place):
            inside = [n for n in parcel.files if n.startswith(place)]
            return (place + "answers.json" in parcel.files,
                    max((parcel.dates.get(n, datetime.min) for n in inside), default=datetime.min))

        if assignment in chosen:
            parcel.notes.append(f"里面有两份 {assignment}，收了答案较新的那一份")
        if assignment not in chosen or rank(top) > rank(chosen[assignment]):
            chosen[assignment] = top
    return list(chosen.items())


def _form(content: bytes) -> str | None:
    """The name of a form for self and peer marks (``crm class peers``), None if it is none."""
    try:
        form = json.loads(content.decode("utf-8"))
        known = isinstance(form["form"], dict) and _FORM.fullmatch(form["assignment"])
        return form["assignment"] if known else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _whose(files: dict, student: str) -> None:
    """Refuse another student's form, which would take the place of his own."""
    owner = str(json.loads(files["tasks/rate.json"])["form"].get("student"))
    if owner != student:
        raise Refused(f"里面是 {owner[:40]} 的互评表，交的人却是 {student}。没有收，你看一看")


def _which(top: str, base: str, content: bytes, known) -> str | None:
    """The assignment that a notebook, an answers file or a receipt belongs to."""
    if base == RECEIPT:
        receipt = _receipt(content)
        return receipt["assignment"] if receipt and receipt["assignment"] in known else None
    if base == "answers.json":
        try:
            units = {str(t).partition("-")[0] for t in json.loads(content.decode("utf-8-sig"))["answers"]
                     if re.match(r"[\d.]+-g", str(t))}
        except (ValueError, KeyError, TypeError, RecursionError):
            units = set()
        by_folder = match(top.rpartition("/")[2], list(known))
        return by_folder or (match(units.pop(), list(known)) if len(units) == 1 else None)
    cells = _cells(content)
    if cells is None:
        return base.removesuffix(".ipynb") if base.removesuffix(".ipynb") in known else None
    shared = {name: len(names & set(cells)) for name, names in known.items()}
    best = max(shared, key=shared.get, default=None)
    return best if best and shared[best] else None


def _receipt(content: bytes | None) -> dict | None:
    try:
        receipt = json.loads(content.decode("utf-8"))
        fields = [receipt[f] for f in ("student", "assignment", "code", "time")]
    except (AttributeError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return receipt if all(isinstance(f, str) and f for f in fields) and isinstance(
        receipt.get("files"), dict) else None


def _words(receipt, hints, top, assignment) -> list[str]:
    """What may name the student, most trusted first, without the assignment's own name."""
    words = [receipt["student"]] if receipt else []
    words += [*hints, *reversed(top.strip("/").split("/"))]
    return [w for w in (_without(word, assignment) for word in words) if w]


def _without(word: str, assignment: str) -> str:
    unit = assignment.partition("-")[0]
    word = re.sub(rf"{re.escape(assignment)}(-\d{{1,3}}$)?", " ", word)
    word = re.sub(rf"(?<![\d.]){re.escape(unit)}(?![\d.])", " ", word)
    word = re.sub(r"作业|单元|[(（]\d{1,2}[)）]\s*$|副本|- ?copy", " ", word, flags=re.I)
    return re.sub(r"^[\s_\-]+|[\s_\-]+$", "", re.sub(r"\s+", " ", word))


def _same_student(roster, student, hints, assignment) -> bool:
    """Whether the file's own name speaks of nobody else."""
    if not roster.names:
        return True
    for hint in hints:
        meant = roster._meant(_without(hint, assignment))
        if meant:
            return student in meant
    return True


def _right_notebook(files: dict, assignment: str, names: set[str], notes: list[str]) -> None:
    """Give a renamed notebook its name back; the student's other notebooks stay beside it."""
    right = f"{assignment}.ipynb"
    if right in files:
        return
    mine = {n: len(names & set(_cells(c) or ())) for n, c in files.items()
            if n.endswith(".ipynb") and "/" not in n}
    best = max(mine, key=lambda n: (mine[n], len(files[n])), default=None)
    if best is None or not mine[best]:
        notes.append(f"没有笔记 {right}：只收到别的文件。crm class doctor 能补一份空白的")
        return
    files[right] = files.pop(best)
    notes.append(f"笔记改过名，叫“{best}”，已经改回 {right}")


def _renamed_back(sums: dict, receipt: dict) -> dict:
    """Sums under the names of the receipt: a notebook that we renamed counts as what it was."""
    by_sum = {s: n for n, s in receipt["files"].items() if isinstance(s, str)}
    return {(n if n in receipt["files"] else by_sum.get(s, n)): s for n, s in sums.items()}


def _when(receipt, newest: datetime, made: datetime, notes) -> datetime:
    """When it was handed in (UTC): as the receipt says, else by the newest file; never in the future."""
    when = newest
    if receipt:
        try:
            when = datetime.fromisoformat(receipt["time"])
        except ValueError:
            notes.append("回执里的时间读不出来，按文件的时间算")
    when = (when if when.tzinfo else when.astimezone()).astimezone(UTC).replace(tzinfo=None)
    now = datetime.now(UTC).replace(tzinfo=None)
    if when > now:
        arrived = min(made.astimezone().astimezone(UTC).replace(tzinfo=None), now)
        if (when - now).total_seconds() > 300:
            notes.append(f"写的时间（世界时 {when:%Y-%m-%d %H:%M}）还没有到，按收到的时间算")
        when = arrived
    return when


# ---- 存 ----

def keep(room: Classroom, found: Submission) -> str:
    """Put a submission where nbgrader looks for it; returns 收下, 更新, 旧的 or 重复.

    The newest one counts; every other one stays in ``older/``. Written beside, then moved in one step.
    """
    place = room.folder("submitted", found.student, found.assignment)
    attic = room.root / OLDER / found.assignment / found.student
    if place.is_dir():
        if _held(place) == found.content:
            return "重复"
        before = time_of(place)
        if before and found.time <= before:
            target = attic / f"{found.time:%Y%m%d-%H%M%S}"
            if target.is_dir() and _held(target) == found.content:
                return "重复"
            _write(room, _free(target), found)
            return "旧的"
        attic.mkdir(parents=True, exist_ok=True)
        os.rename(place, _free(attic / f"{before or datetime.fromtimestamp(0):%Y%m%d-%H%M%S}"))
        _write(room, place, found)
        return "更新"
    _write(room, place, found)
    return "收下"


def _held(folder: Path) -> dict[str, str]:
    from autograder.classroom.course import files

    # 医生修过的，和收来时一样才算一样：比的是原样
    held = {p.relative_to(folder).as_posix(): p for p in files(folder)}
    held = {n: held.get(n + ".original", p) for n, p in held.items() if not n.endswith(".original")}
    return {n: hashlib.sha256(p.read_bytes()).hexdigest() for n, p in held.items()
            if n not in (RECEIPT, "timestamp.txt")}


def time_of(folder: Path) -> datetime | None:
    try:
        return datetime.strptime((folder / "timestamp.txt").read_text("utf-8").strip(), _STAMP)
    except (OSError, ValueError):
        return None


def _free(path: Path) -> Path:
    others = (path.with_name(f"{path.name}-{n}") for n in range(2, 10_000))
    return path if not path.exists() else next(p for p in others if not p.exists())


def _write(room: Classroom, place: Path, found: Submission) -> None:
    draft = room.root / f".collecting-{os.getpid()}"
    shutil.rmtree(draft, ignore_errors=True)
    try:
        for name, content in found.files.items():
            path = draft / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (draft / "timestamp.txt").write_text(found.time.strftime(_STAMP) + "\n", "utf-8")
        place.parent.mkdir(parents=True, exist_ok=True)
        os.rename(draft, place)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _log(room: Classroom, outcomes: list[Outcome]) -> None:
    """Append to collected.csv, which Excel opens as it is."""
    path = room.root / LOG
    fresh = not path.exists()
    now = datetime.now().isoformat(sep=" ", timespec="seconds")
    try:
        with path.open("a", encoding="utf-8-sig" if fresh else "utf-8", newline="") as file:
            table = csv.writer(file)
            if fresh:
                table.writerow(["收的时间", "文件", "学生", "作业", "结果", "回执号", "说明"])
            for o in outcomes:
                table.writerow([now, *(_plain(v) for v in (
                    o.item, o.student, o.assignment, o.state, o.code, "；".join(o.notes)))])
    except PermissionError:
        print(f"[注意] {LOG} 正被别的程序（Excel？）打开，这一次没有记进去。", file=sys.stderr)


def _plain(value: str) -> str:
    """A name that begins like a formula stays text in Excel."""
    return "'" + value if value[:1] in "=+-@\t" and value else value
