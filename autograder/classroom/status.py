"""``crm class status``：每份作业谁交了、批了、等人工评分、反馈做好没有。"""

from dataclasses import dataclass, field

from sqlalchemy import func, select

from autograder.classroom import database
from autograder.classroom.collect import time_of
from autograder.classroom.course import Classroom, add_course, find, table
from autograder.classroom.roster import Roster
from crmlib.cli import Parser


@dataclass
class Standing:
    """Where one assignment stands: lists of student ids."""

    assignment: str
    released: str = ""
    handed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    graded: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)  # 批过以后又交了新的
    waiting: list[str] = field(default_factory=list)  # 写作题等老师评分
    returned: list[str] = field(default_factory=list)


def main(argv) -> int:
    """Print one line per assignment, and by name who is missing or has to be graded again."""
    parser = Parser(prog="crm class status", description="每份作业做到哪一步了")
    parser.add_argument("unit", metavar="单元", nargs="?", help="只看这一份")
    add_course(parser)
    options = parser.parse_args(argv)
    room = find(options.course)
    with database.opened(room) as book:
        roster = Roster.read(book)
        wanted = [room.assignment(options.unit)] if options.unit else room.assignments
        found = standings(room, book, roster, wanted)
    shown = [s for s in found if options.unit or s.released or s.handed]
    if not shown:
        print("还没有发过作业。先发一份：crm class release 单元")
        return 0
    size = f" / {len(roster.names)}" if roster.names else ""
    rows = []
    for s in shown:
        counts = (str(len(part)) for part in (s.graded, s.stale, s.waiting, s.returned))
        rows.append([s.assignment, s.released[:10], f"{len(s.handed)}{size}", *counts])
    print(table([["作业", "发布", "交了", "批了", "要重批", "等老师评分", "反馈"], *rows]))
    for s in shown:
        lists = (("没交", s.missing), ("交了新的，要重批", s.stale), ("写作题等老师评分", s.waiting))
        for what, who in lists:
            if who:
                names = "、".join(roster.shown(w) for w in who[:60])
                print(f"{s.assignment} {what}（{len(who)} 人）：{names}{'……' if len(who) > 60 else ''}")
    return 0


def standings(room: Classroom, book, roster: Roster, assignments) -> list[Standing]:
    """Where each assignment stands, in two queries for all of them."""
    from nbgrader.api import Assignment, Grade, SubmittedAssignment, SubmittedNotebook

    graded = {(a, s): when for a, s, when in book.db.execute(
        select(Assignment.name, SubmittedAssignment.student_id, SubmittedAssignment.timestamp)
        .join(SubmittedAssignment, SubmittedAssignment.assignment_id == Assignment.id))}
    waiting = {(a, s) for a, s, _ in book.db.execute(
        select(Assignment.name, SubmittedAssignment.student_id, func.count(Grade.id))
        .join(SubmittedAssignment, SubmittedAssignment.assignment_id == Assignment.id)
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
        .where(Grade.needs_manual_grade)
        .group_by(Assignment.name, SubmittedAssignment.student_id))}
    released, found = room.read_record()["released"], []
    for name in assignments:
        one = Standing(name, released.get(name, {}).get("time", ""))
        one.handed = room.students_in("submitted", name)
        one.missing = sorted(set(roster.names) - set(one.handed)) if one.released or one.handed else []
        one.graded = [s for s in one.handed if (name, s) in graded]
        for student in one.graded:
            now = time_of(room.folder("submitted", student, name))
            if now and graded[name, student] and now > graded[name, student]:
                one.stale.append(student)
        one.waiting = [s for s in one.handed if (name, s) in waiting]
        one.returned = [s for s in room.students_in("feedback", name) if s in one.handed]
        found.append(one)
    return found
