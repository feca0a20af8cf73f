"""``crm class doctor 单元``：查交来的作业哪里坏了；``--repair`` 修交来的那一份，原来的留在旁边。"""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from autograder.classroom import database
from autograder.classroom.course import Classroom, add_course, find, write_whole
from autograder.classroom.roster import Roster
from crmlib.cli import CourseError, Parser
from crmlib.tasks import answers
from crmlib.tasks.core import TaskError

ORIGINAL = ".original"
ENCODINGS = ("utf-8-sig", "utf-16", "gb18030")


@dataclass
class Health:
    """One submission: ``mendable`` is put right when grading, ``serious`` is for the teacher to look at."""

    student: str
    mendable: list[str] = field(default_factory=list)
    serious: list[str] = field(default_factory=list)
    repaired: list[str] = field(default_factory=list)


def main(argv) -> int:
    """Tell what is damaged in the submissions of an assignment; 1 if something is for the teacher to see."""
    parser = Parser(prog="crm class doctor", description="查交来的作业哪里坏了")
    parser.add_argument("unit", metavar="单元", help="2.2 或 2.2-swot-pest")
    parser.add_argument("--repair", action="store_true",
                        help="修交来的那一份，原来的留在旁边，叫 ….original")
    add_course(parser)
    options = parser.parse_args(argv)
    room = find(options.course)
    name = room.assignment(options.unit)
    found = examine(room, name, options.repair)
    with database.opened(room) as book:
        roster = Roster.read(book)
    for health in found:
        for mark, lines in (("要看", health.serious), ("修好了", health.repaired), ("能修", health.mendable)):
            for line in lines:
                print(f"[{mark}] {roster.shown(health.student)}：{line}")
    sound = sum(not (h.mendable or h.serious or h.repaired) for h in found)
    serious = sum(bool(h.serious) for h in found)
    print(f"{name}：查了 {len(found)} 份，{sound} 份完好，{serious} 份要你看一看。")
    if any(h.mendable for h in found):
        print("标着“能修”的，crm class grade 批的时候在内存里自动修，交来的文件不动。"
              "用 nbgrader autograde 批，先加 --repair 再来一次。")
    return 1 if serious else 0


def examine(room: Classroom, name: str, mend: bool = False) -> list[Health]:
    """Look at every submission of an assignment; ``mend`` also writes the repaired files.

    CourseError if nothing was handed in or released.
    """
    students = room.students_in("submitted", name)
    if not students:
        raise CourseError(f"{name} 还没有人交。收作业：crm class collect 文件夹")
    release = room.folder("release", ".", name)
    notebooks = {p.stem: json.loads(p.read_text("utf-8")) for p in sorted(release.glob("*.ipynb"))}
    if not notebooks:
        raise CourseError(f"{name} 还没有发过，没有样子可以对照。先发：crm class release "
                          f"{name.partition('-')[0]}")
    return [_examine(room.folder("submitted", s, name), Health(s), release, notebooks, mend)
            for s in students]


def _examine(folder: Path, health: Health, release: Path, notebooks: dict, mend: bool) -> Health:
    for path in (p for p in folder.rglob("*") if p.is_symlink()):
        health.serious.append(f"{path.relative_to(folder)} 是一个链接，指到别处去，批以前删掉它")
    for name, source in notebooks.items():
        _notebook(folder / f"{name}.ipynb", health, release, source, mend)
    _answers(folder, health)
    _tasks(folder, health, release)
    return health


def _notebook(path: Path, health: Health, release: Path, source: dict, mend: bool) -> None:
    from autograder.engine.repair import Source, repair

    def replace(why):
        """A blank notebook in place of one that cannot be used, or the advice to make it so."""
        if mend:
            _keep(path)
            write_whole(path, blank)
            health.repaired.append(f"{why}：换上了一份空白的")
        then = "；写了代码，请他重新交" if mend else ""
        how = "" if mend else "加 --repair 换上一份空白的："
        health.serious.append(f"{why}。{how}卡片题照样有分，代码题按没写算{then}")

    blank = (release / path.name).read_bytes()
    if not path.is_file():
        others = [p.name for p in sorted(path.parent.glob("*.ipynb"))]
        seen = f"（有 {'、'.join(others)}）" if others else ""
        replace(f"没有笔记 {path.name}{seen}")
        return
    nb, odd = _read(path)
    if nb is None:
        replace(f"笔记 {path.name} 打不开")
        return
    done = health.repaired if mend else health.mendable
    if odd:
        done.append(f"笔记 {path.name} 的编码是 {odd}，要换成 UTF-8")
    try:
        findings = repair(nb, Source.of(source))
    except ValueError:
        replace(f"{path.name} 不是 Jupyter 笔记")
        return
    for finding in findings:
        (health.serious if finding.lost else done).append(finding.teacher)
    if (findings or odd) and mend:
        _keep(path)
        write_whole(path, _dumped(nb))


def _keep(path: Path) -> None:
    """The file as it was handed in stays beside the mended one; a second repair does not replace it."""
    original = path.with_name(path.name + ORIGINAL)
    if path.is_file() and not original.exists():
        shutil.copy2(path, original)


def _read(path: Path):
    """(notebook, the odd encoding that it was in or ""); (None, "") if it cannot be read."""
    content = path.read_bytes()
    for encoding in ENCODINGS:
        try:
            nb = json.loads(content.decode(encoding))
        except (ValueError, RecursionError):
            continue
        plain = encoding == "utf-8-sig"
        return nb, "" if plain else encoding.upper()
    return None, ""


def _dumped(nb) -> bytes:
    return (json.dumps(nb, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")


def _answers(folder: Path, health: Health) -> None:
    aside = [p.name for p in sorted(folder.glob("answers.损坏-*.json"))]
    try:
        found = answers.read(folder)
    except TaskError as fault:
        health.serious.append(f"{fault}卡片题、表格题都会算没答：请他重新交，或者看看文件里还剩什么")
        return
    if not (folder / answers.NAME).is_file():
        health.serious.append("没有 answers.json：卡片题、表格题都会算没答。问问他是不是交错了文件夹")
    elif not found:
        health.serious.append("answers.json 是空的：一道卡片题也没有答")
    if aside:
        health.serious.append(f"他的答案文件坏过一次，旧的在 {'、'.join(aside)}，看看要不要补分")


def _tasks(folder: Path, health: Health, release: Path) -> None:
    """Whether the tasks that he worked on are those that were released to this class."""
    for path in sorted((release / "tasks").glob("*.json")):
        try:
            mine = json.loads((folder / "tasks" / path.name).read_text("utf-8-sig"))
        except (OSError, ValueError):
            health.mendable.append(f"tasks/{path.name} 不在或坏了：批的时候用发布的那一份")
            continue
        if mine != json.loads(path.read_text("utf-8")):
            health.serious.append(f"tasks/{path.name} 和发给这个班的不一样：他做的是别的班（别的种子）、"
                                  "以前的题，或者改过题目")
