"""名单和小组：从学校导出的表读进来；换组、退课都是新的一行，旧的留着。"""

import re
from datetime import date
from pathlib import Path

from autograder.marks import sheets
from autograder.marks.state import State, Student
from autograder.marks.store import Entry, Store
from crmlib.cli import CourseError


def read(path: Path, known=(), width: int = 0, klass: str = "") -> list[dict]:
    """[{id, name, klass, group}] of a school's list; group is None where it has no such column.

    ``width``: digits of every id, to give lost zeros back; ``klass``: where the list names no class.
    SheetError with row and column of everything that is wrong.
    """
    table = sheets.read(path, ("学号", "姓名"))
    klass = klass or _klass_above(table)
    found, faults, seen, shorter = [], [], {}, []
    for row in table.rows:
        cell, name = row["学号"], row["姓名"].text
        if sheets.is_footer(row) or not (cell.text or cell.formula or name):
            continue
        who, wrong = sheets.student_id(cell, known, width)
        if not cell.text and not cell.formula:
            wrong = f"{name} 没有学号。"
        if not wrong and not name:
            faults.append(table.fault(row["姓名"], "姓名", f"学号 {who} 没有姓名。"))
        if wrong:
            faults.append(table.fault(cell, "学号", wrong))
            continue
        student = {"id": who, "name": name[:60], "klass": row["班级"].text if "班级" in row else klass,
                   "group": row["小组"].text if "小组" in row else None}
        if who in seen:
            if seen[who][0] != student:
                faults.append(table.fault(cell, "学号", f"{who} 在第 {seen[who][1]} 行已经有了，"
                                                        f"两行写的不一样。"))
            continue
        seen[who] = (student, cell.row)
        if isinstance(cell.value, int | float):
            shorter.append((cell, who))
        found.append(student)
    if not width and len({len(s["id"]) for s in found if s["id"].isdigit()}) > 1:
        longest = max(len(s["id"]) for s in found if s["id"].isdigit())
        faults += [table.fault(c, "学号", f"{who} 比别人的短，前面的 0 可能丢了。加上 --width {longest} 补足 "
                                          f"{longest} 位，"
                                          "或者把这一列改成“文本”。")
                   for c, who in shorter if len(who) < longest and who not in known]
    if faults:
        raise sheets.SheetError(faults)
    if not found:
        raise CourseError(f"{table.file}：表头下面一个学生也没有。")
    return found


def _klass_above(table) -> str:
    """“班级：物流2401” in the lines above the header."""
    for cell in (c for row in table.above for c in row):
        if hit := re.search(r"班\s*级\s*[::]\s*(\S+)", cell.text):
            return hit[1]
    return ""


def changes(state: State, listed: list[dict], day: str, who: str) -> list[Entry]:
    """The new rows that a list amounts to; [] if it says nothing new."""
    version, made = state.scheme.version if state.scheme else "", []
    for s in listed:
        old = state.students.get(s["id"])
        klass = s["klass"] or (old.klass if old else "")
        if old is None or old.left or (old.name, old.klass) != (s["name"], klass):
            made.append(Entry("student", who, whom=s["id"], scheme=version,
                              detail={"name": s["name"], "klass": klass, "date": day}))
        group = full_group(klass, s["group"])
        if group is not None and group != (old.group() if old else ""):
            made.append(Entry("group", who, whom=s["id"], item=group, scheme=version, detail={"date": day}))
    return made


def full_group(klass: str, group: str | None) -> str | None:
    """A group's name with its class, as two classes both have a 第一组.

    >>> full_group("物流2401", "第一组"), full_group("物流2401", "物流2401 第一组"), full_group("", "甲")
    ('物流2401 第一组', '物流2401 第一组', '甲')
    """
    if not group or not klass or group.startswith(klass):
        return group
    return f"{klass} {group}"


def absent(state: State, listed: list[dict]) -> list[Student]:
    """Students of the classes on the list who are not on it."""
    ids, classes = {s["id"] for s in listed}, {s["klass"] for s in listed}
    return [s for s in state.present if s.klass in classes and s.id not in ids]


def tell_nbgrader(store: Store, state: State) -> None:
    """Enter everyone into nbgrader's own list of students, so that formgrader shows names."""
    from nbgrader.api import Student as Row
    from sqlalchemy import select

    table = Row.__table__
    with store.engine.begin() as db:
        have = {r.id: r.first_name for r in db.execute(select(table.c.id, table.c.first_name))}
        new = [s for s in state.present if s.id not in have]
        for s in state.present:
            if s.id in have and have[s.id] != s.name:
                db.execute(table.update().where(table.c.id == s.id).values(first_name=s.name, last_name=s.id))
        if new:  # formgrader 显示“学号, 姓名”
            db.execute(table.insert(), [{"id": s.id, "first_name": s.name, "last_name": s.id} for s in new])


def find(state: State, name: str) -> Student:
    """A student by number or, if only one bears it, by name."""
    if name in state.students:
        return state.students[name]
    alike = [s for s in state.students.values() if s.name == name]
    if len(alike) == 1:
        return alike[0]
    raise CourseError(f"有 {len(alike)} 个叫“{name}”的学生，写学号：{'、'.join(s.id for s in alike)}" if alike
                      else f"名单里没有“{name}”。写学号，或者名单上的姓名。")


def moved(state: State, name: str, group: str, day: str, who: str) -> list[Entry]:
    """Change of group from a day on."""
    student = find(state, name)
    group = full_group(student.klass, group)
    if student.group(day) == group:
        raise CourseError(f"{student.name} 在 {day} 已经在“{group}”。")
    return [Entry("group", who, whom=student.id, item=group, detail={"date": day},
                  scheme=state.scheme.version if state.scheme else "")]


def gone(state: State, name: str, day: str, reason: str, who: str) -> list[Entry]:
    """A student leaves the course; what he had stays in the log."""
    student = find(state, name)
    if student.left:
        raise CourseError(f"{student.name} 在 {student.left} 已经退出。")
    return [Entry("leave", who, whom=student.id, detail={"date": day, "reason": reason},
                  scheme=state.scheme.version if state.scheme else "")]


def template(path: Path) -> None:
    """An empty list to fill in."""
    from autograder.marks.templates import roster_book

    roster_book(path)


def a_day(text: str | None) -> str:
    """An ISO date from what was typed; today if nothing was."""
    found = date.today().isoformat() if not text else sheets.day(text)
    if found is None:
        raise CourseError(f"“{text}”不是日期。写成 2026-09-01 这样。")
    return found
