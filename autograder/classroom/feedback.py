"""``crm class feedback 单元``：做反馈页，每个学生一个文件夹，发还给他。"""

import hashlib
import json
import re
import shutil
import zipfile
from collections import defaultdict

from sqlalchemy import select

from autograder.classroom import database
from autograder.classroom.course import Classroom, add_course, find, write_whole
from autograder.classroom.roster import Roster
from crmlib.cli import CourseError, Parser

RETURN = "return"
_LONGEST = 20_000  # Windows 的命令行最多三万多个字符


def main(argv) -> int:
    """Make nbgrader's feedback pages where marks have changed, and sort them by student to give back."""
    parser = Parser(prog="crm class feedback", description="做反馈页，发还给学生")
    parser.add_argument("unit", metavar="单元", help="2.2 或 2.2-swot-pest")
    parser.add_argument("--zip", action="store_true", help="每个学生打成一个 zip")
    add_course(parser)
    options = parser.parse_args(argv)
    room = find(options.course)
    name = room.assignment(options.unit)
    made, kept, waiting, lost = give_back(room, name, options.zip)
    place = room.root / RETURN / name
    same = f"，没有变的 {kept} 份" if kept else ""
    print(f"反馈页在 {place}，每个学生一份：新做 {made} 份{same}。")
    if waiting:
        print(f"[注意] {len(waiting)} 人的写作题还没有评，页上写着“等老师评分”。评好以后再做一次。")
    for student in lost:
        print(f"[FAIL] {student} 的反馈页没有做成：再批一次他的作业，还不行就看 nbgrader.log。")
    return 1 if lost else 0


def give_back(room: Classroom, name: str, packed: bool = False) -> tuple[int, int, list[str], list[str]]:
    """(pages made, pages that had not changed, students not fully marked, students without a page)."""
    with database.opened(room) as book:
        roster, (marks, waiting) = Roster.read(book), _marks(book, name)
    students = [s for s in room.students_in("autograded", name) if s in marks]
    if not students:
        raise CourseError(f"{name} 还没有批过。先批：crm class grade {name.partition('-')[0]}")
    place = room.root / RETURN / name
    before = _made(place)
    same = [s for s in students if before.get(s) == marks[s] and _page(room, s, name)]
    fault = None
    if len(same) < len(students):
        without = ",".join(same + [s for s in room.students_in("autograded", name) if s not in marks])
        exclude = [f"--CourseDirectory.student_id_exclude={without}"] if 0 < len(without) < _LONGEST else []
        try:
            room.nbgrader("generate_feedback", name, "--force", *exclude)
        except CourseError as stopped:  # 有的没做成：做成了的照样发
            fault = stopped
    lost = [s for s in students if not _page(room, s, name)]
    if fault and len(lost) == len(students):
        raise fault
    for student in students:
        if student not in lost:
            _sort(room, name, student, roster.shown(student), packed)
    place.mkdir(parents=True, exist_ok=True)
    write_whole(place / ".made.json", json.dumps({s: marks[s] for s in students if s not in lost}))
    return len(students) - len(same) - len(lost), len(same), [s for s in students if s in waiting], lost


def _marks(book, name) -> tuple[dict[str, str], set[str]]:
    """({student: what his page depends on, as one word}, students with marks to come)."""
    from nbgrader.api import Assignment, Comment, Grade, SubmittedAssignment, SubmittedNotebook

    rows, waiting = defaultdict(list), set()
    base = select(SubmittedAssignment.student_id, SubmittedAssignment.timestamp).join(
        Assignment, SubmittedAssignment.assignment_id == Assignment.id).join(
        SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id).where(
        Assignment.name == name)
    grades = base.join(Grade, Grade.notebook_id == SubmittedNotebook.id).add_columns(
        Grade.cell_id, Grade.auto_score, Grade.manual_score, Grade.extra_credit, Grade.needs_manual_grade)
    comments = base.join(Comment, Comment.notebook_id == SubmittedNotebook.id).add_columns(
        Comment.cell_id, Comment.manual_comment)
    for row in book.db.execute(grades):
        rows[row[0]].append(str(row[1:]))
        if row[-1]:
            waiting.add(row[0])
    for row in book.db.execute(comments):
        rows[row[0]].append(str(row[1:]))
    words = {s: hashlib.sha256("\n".join(sorted(r)).encode()).hexdigest()[:16] for s, r in rows.items()}
    return words, waiting


def _made(place) -> dict:
    try:
        found = json.loads((place / ".made.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _page(room, student, name):
    return next(iter(sorted(room.folder("feedback", student, name).glob("*.html"))), None)


def _sort(room, name, student, shown, packed) -> None:
    pages = sorted(room.folder("feedback", student, name).glob("*.html"))
    called = re.sub(r'[\x00-\x1f\\/:*?"<>|]+', "_", shown)
    place = room.root / RETURN / name
    if packed:
        place.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(place / f"{called}-{name}.zip", "w", zipfile.ZIP_DEFLATED) as file:
            for page in pages:
                file.write(page, page.name)
        return
    folder = place / called
    folder.mkdir(parents=True, exist_ok=True)
    for page in pages:
        shutil.copyfile(page, folder / page.name)
