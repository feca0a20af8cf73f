"""把分数读进来：老师和企业的打分表、考勤、nbgrader 的成绩；还有老师的决定。

一张表里有一处不对，整张都不收，错在哪里一次说完。没有变的分不重复记。
"""

import hashlib
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from autograder.marks import sheets
from autograder.marks.exact import plain, typed
from autograder.marks.schemes import KINDS, Component
from autograder.marks.state import State
from autograder.marks.store import Entry, Store
from autograder.marks.templates import EXCUSED, ZERO
from crmlib.cli import CourseError

_KIND_OF = {title: kind for kind, title in KINDS.items()}
ACTS = {"zero": "确认零分", "excuse": "请假", "reweight": "重新分配权重"}


def evidence(path: Path) -> str:
    """Which file a mark came from: its name and the start of its SHA-256."""
    return f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"


# ---- 打分表 ----

def read_marks(state: State, path: Path, part: str | None = None, kind: str = "", item: str = "",
               by: str = "", day: str = "") -> list[Entry]:
    """New entries from a filled mark table, ours or one with 学号 and 得分 (then ``part`` says for what).

    ``by``: who gave the marks, if the table does not say. SheetError lists every fault; then nothing is read.
    """
    about = {r[0].text: r[1].text for r in sheets.load(path).get("说明", []) if len(r) > 1 and r[0].text}
    component = state.scheme.component(part or about.get("分项编号") or _which(path))
    kind = _KIND_OF.get(about.get("评价人", ""), kind) or "teacher"
    if kind not in component.split:
        has = "、".join(KINDS[k] for k in component.split)
        raise CourseError(f"{path.name}：“{component.name}”不由{KINDS.get(kind, kind)}评，由{has}评。")
    if kind not in ("teacher", "enterprise"):
        raise CourseError(f"{path.name}：{KINDS[kind]}要由学生自己的评价表来，老师不能代填。")
    by, item = about.get("评分人") or by, item or about.get("项目", "")
    if not by:
        raise CourseError(f"{path.name}：“说明”那一页的“评分人”还没有填。写上姓名，或者用 --by 写明。")
    if (old := about.get("方案版本")) and old != state.scheme.version:
        criteria_now = {c.id for c in state.scheme.components}
        if component.id not in criteria_now:
            raise CourseError(f"{path.name} 是按旧方案（{old}）写的，现在的方案里没有这一项。")
    whole = component.is_group(kind)
    lead = "小组" if whole else "学号"
    named = sheets.read(path, (lead,), sheet="打分", optional=True) or sheets.read(path, (lead,))
    criteria = component.criteria(kind)
    rated, decided = _rows(state, named, component, kind, criteria, lead, day)
    made = []
    for whom, mark, detail in rated:
        old = state.ratings.get((component.id, kind, item), {}).get(whom, {}).get(by)
        if old is None or old.mark != mark or old.detail != detail:
            made.append(_entry(state, "rating", by, kind, whom, component, item, mark, path, detail))
    for whom, act, reason in decided:
        if not _stands(state, whom, component.id, kind, item, act):
            made.append(
                decision(state, act, whom, component.id, kind, item, by, reason, day, allow_same=True)
            )
    if item and item not in state.items.get((component.id, kind), {}) and made:
        made.insert(0, _entry(state, "item", by, kind, "", component, item, "", path,
                              {"source": "rating", "due": "", "date": day}))
    return made


def _which(path):
    raise CourseError(f"{path.name} 不是本课程的打分表，看不出是哪一项的分。加上 --part 写明，例如 --part "
                      f"kd-A2。")


def _entry(state, what, by, kind, whom, component, item, mark, path, detail) -> Entry:
    return Entry(
        what, by, kind, whom, component.id, kind, item, mark, evidence(path), state.scheme.version, detail
    )


def _rows(state, table, component, kind, criteria, lead, day):
    """([(whom, mark, detail)], [(whom, act, reason)]) of a table; SheetError if anything is wrong."""
    rated, decided, faults, seen = [], [], [], {}
    groups, known = state.groups(), state.students
    names = [c["name"] for c in criteria]
    split = all(n in table.headings for n in names)
    if not split and "得分" not in table.headings:
        raise CourseError(f"{table.file}：没有“得分”这一列，也没有这些列：{'、'.join(names)}。")
    for row in table.rows:
        if lead == "学号" and sheets.is_footer(row):
            continue
        cell = row[lead]
        if lead == "小组":
            whom, wrong = cell.text, "" if cell.text in groups else f"没有“{cell.text}”这个组。"
        else:
            whom, wrong = sheets.student_id(cell, known)
            wrong = wrong or ("" if whom in known else f"名单里没有学号 {whom}。")
            if not wrong and "姓名" in row and row["姓名"].text not in ("", known[whom].name):
                wrong = f"{whom} 是{known[whom].name}，这一行写的是“{row['姓名'].text}”。"
        if not wrong and whom in seen:
            wrong = f"{whom} 在第 {seen[whom]} 行已经有了。"
        if wrong:
            faults.append(table.fault(cell, lead, wrong))
            continue
        seen[whom] = cell.row
        values = _values(table, row, criteria if split else [{"name": "得分", "points": 100}], faults)
        note = _said(row)
        act = {EXCUSED: "excuse", ZERO: "zero", "": ""}.get(row["事件"].text if "事件" in row else "")
        if act is None:
            faults.append(table.fault(row["事件"], "情况", f"“{row['事件'].text}”不行，只能是{EXCUSED}、"
                                                           f"{ZERO}，或者空着。"))
        elif act and values:
            faults.append(table.fault(row["事件"], "情况", f"{whom} 有分，又写了“{row['事件'].text}”："
                                                           f"留一样。"))
        elif act and not note:
            faults.append(table.fault(row["事件"], "情况", f"{whom} 写了“{row['事件'].text}”，"
                                                           f"备注里还没有写原因。"))
        elif act:
            people = groups[whom] if lead == "小组" else [whom]
            decided += [(person, act, note) for person in people]
        if values:
            detail = (
                {"criteria": {n: plain(v) for n, v in values.items()}}
                if split and len(criteria) > 1
                else {}
            )
            rated.append(
                (whom, plain(sum(values.values(), Fraction(0))), detail | ({"note": note} if note else {}))
            )
    if faults:
        raise sheets.SheetError(faults)
    return rated, decided


def _said(row) -> str:
    """What a person wrote in the last column, as he wrote it."""
    value = row["备注"].value if "备注" in row else None
    return "" if value is None else " ".join(str(value).split())[:500]


def _values(table, row, criteria, faults) -> dict[str, Fraction]:
    """{criterion: points} of a row; {} if it is empty. All of them, or a fault."""
    found, blank, wrong = {}, [], False
    for c in criteria:
        cell = row[c["name"]]
        if cell.formula:
            faults.append(table.fault(cell, c["name"], "是公式，文件里没有存下算好的数：在 Excel 里打开，"
                                                       "保存一次。"))
            wrong = True
        elif not cell.text:
            blank.append(cell)
        else:
            value = typed(cell.value)
            if value is None or not 0 <= value <= c["points"]:
                faults.append(table.fault(cell, c["name"], f"“{cell.text}”不行，要写 0 到 {c['points']} "
                                                           f"的数。"))
                wrong = True
            elif plain(value).startswith("≈"):
                faults.append(table.fault(cell, c["name"], f"“{cell.text}”小数太多了，最多 4 位。"))
                wrong = True
            else:
                found[c["name"]] = value
    if found and blank and not wrong:
        faults.append(table.fault(blank[0], "、".join(c["name"] for c in criteria if c["name"] not in found),
                                  "还没有填。一行要么填全，要么全空着。"))
        return {}
    return {} if wrong else found


# ---- 考勤 ----

def read_attendance(state: State, path: Path, by: str) -> tuple[list[Entry], list[str]]:
    """(new entries, what to tell) from a register with the school's table of points.

    The file is the whole register so far: what is already in the log is not counted twice.
    """
    version, where = state.scheme.version if state.scheme else "", evidence(path)
    made, told = [], []
    points = _points(path) or state.points
    if points and points != state.points:
        made.append(Entry("points", by, evidence=where, scheme=version, detail={"points": points}))
    if not points:
        told.append("学校的扣分表还没有填：考勤记下了，出勤分要等扣分表。")
    table = sheets.read(path, ("学号", "事件"))
    counts, faults = {}, []
    for row in table.rows:
        cell = row["学号"]
        if sheets.is_footer(row) or not (cell.text or row["事件"].text):
            continue
        who, wrong = sheets.student_id(cell, state.students)
        if wrong or who not in state.students:
            faults.append(table.fault(cell, "学号", wrong or f"名单里没有学号 {who}。"))
            continue
        event, day = row["事件"].text, sheets.day(row["日期"].value) if "日期" in row else ""
        if (points and event not in points) or not event:
            faults.append(table.fault(row["事件"], "事件", f"“{event}”不在扣分表里。扣分表里有："
                                                           f"{'、'.join(points)}。"))
        if "日期" in row and day is None:
            faults.append(
                table.fault(row["日期"], "日期", f"“{row['日期'].text}”不是日期，写成 2026-09-01。")
            )
        times = typed(row["次数"].value, "次") if "次数" in row and row["次数"].text else Fraction(1)
        if times is None or times.denominator != 1 or not 1 <= times <= 50:
            faults.append(
                table.fault(row["次数"], "次数", f"“{row['次数'].text}”不行，要写 1 到 50 的整数。")
            )
            continue
        key = (who, day or "", event)
        note = _said(row)
        n, notes = counts.get(key, (0, []))
        counts[key] = (n + int(times), notes + [note] * bool(note))
    if faults:
        raise sheets.SheetError(faults)
    before: dict[tuple, int] = {}
    for entries in state.register.values():
        for e in entries:
            key = (e.whom, e.detail["date"], e.item)
            before[key] = before.get(key, 0) + e.detail["times"]
    for (who, day, event), (times, notes) in counts.items():
        more = times - before.get((who, day, event), 0)
        if more > 0:
            made.append(
                Entry(
                    "attendance",
                    by,
                    whom=who,
                    item=event,
                    evidence=where,
                    scheme=version,
                    detail={"date": day, "times": more, **({"note": "；".join(notes)} if notes else {})},
                )
            )
    for key in before:
        if counts.get(key, (0, []))[0] < before[key]:
            told.append(f"记录里有、这张表里没有（或更少）：{key[0]} {key[1]} {key[2]}。"
                        "要去掉，用 crm class marks void 编号（编号看 crm class marks log）。")
    return made, told


def _points(path) -> dict[str, str]:
    """The school's table {event: points off}; {} while it is empty."""
    table = sheets.read(path, ("事件", "每次扣分"), optional=True)
    found, faults = {}, []
    for row in table.rows if table else ():
        cell = row["每次扣分"]
        if not cell.text and not cell.formula:
            continue
        value = typed(cell.value)
        if cell.formula or value is None or not 0 <= abs(value) <= 100 or not row["事件"].text:
            faults.append(table.fault(cell, "每次扣分", f"“{cell.text}”不行：写事件，和 0 到 100 的数。"))
        else:
            found[row["事件"].text] = plain(abs(value))  # 有的学校写 -5，意思一样
    if faults:
        raise sheets.SheetError(faults)
    return found


# ---- nbgrader 的成绩 ----

def pull(store: Store, state: State, folder: Path | None = None) -> tuple[list[Entry], list[str]]:
    """(entries for every score that is new or changed, what to tell) from nbgrader's own tables.

    A score keeps points and full marks as nbgrader has them, the attempt, the student's seed and the version
    of the course that scored it. ``folder``: the class folder, where the seeds are.
    """
    made, strangers, tool = [], set(), _tool()
    version_now = state.scheme.version if state.scheme else ""
    for assignment, who, score, full, waiting, handed in _scores(store.engine):
        if who not in state.students:
            strangers.add(who)
            continue
        if not full:
            continue
        mark = f"{_number(score)}/{_number(full)}"
        old = state.machine.get(assignment, {}).get(who)
        if old and (old.mark, bool(old.detail.get("waiting")), old.detail["handed"]) == (
            mark,
            waiting,
            handed,
        ):
            continue
        attempt = (old.detail["attempt"] + (old.detail["handed"] != handed)) if old else 1
        detail = {"handed": handed, "attempt": attempt, "checker": tool} | (
            {"waiting": True} if waiting else {}
        )
        if seed := _seed(folder, who, assignment):
            detail["seed"] = seed
        made.append(Entry("machine", "nbgrader", "machine", who, item=assignment, mark=mark,
                          evidence=f"gradebook {who}/{assignment}", scheme=version_now, detail=detail))
    told = [f"成绩库里有、名单里没有的学号，没有取：{'、'.join(sorted(strangers)[:10])}"] if strangers else []
    return made, told


def _scores(engine):
    """(assignment, student, score, full marks, waits for a person, time handed in), penalties taken off."""
    from nbgrader import api
    from sqlalchemy import Float, Integer, cast, func, inspect, select

    if not inspect(engine).has_table("grade"):
        return
    a, s, n = api.Assignment.__table__, api.SubmittedAssignment.__table__, api.SubmittedNotebook.__table__
    g, book, cell = api.Grade.__table__, api.Notebook.__table__, api.BaseCell.__table__
    full = {}
    for table in (api.GradeCell.__table__, api.TaskCell.__table__):
        query = (
            select(book.c.assignment_id, func.sum(table.c.max_score))
            .select_from(
                table.join(cell, cell.c.id == table.c.id).join(book, book.c.id == cell.c.notebook_id)
            )
            .group_by(book.c.assignment_id)
        )
        with engine.connect() as db:
            for assignment, points in db.execute(query):
                full[assignment] = full.get(assignment, 0) + points
    score = func.coalesce(g.c.manual_score, g.c.auto_score, 0.0) + func.coalesce(g.c.extra_credit, 0.0)
    marks = (select(n.c.assignment_id.label("id"), func.sum(cast(score, Float)).label("score"),
                    func.max(cast(g.c.needs_manual_grade, Integer)).label("waiting"))
             .join(g, g.c.notebook_id == n.c.id).group_by(n.c.assignment_id).subquery())
    late = (select(n.c.assignment_id.label("id"), func.sum(n.c.late_submission_penalty).label("off"))
            .group_by(n.c.assignment_id).subquery())
    query = (
        select(a.c.name, a.c.id, s.c.student_id, s.c.timestamp, marks.c.score, marks.c.waiting, late.c.off)
        .join(s, s.c.assignment_id == a.c.id)
        .join(marks, marks.c.id == s.c.id)
        .outerjoin(late, late.c.id == s.c.id)
        .order_by(a.c.name, s.c.student_id)
    )
    with engine.connect() as db:
        for name, key, who, time, points, waiting, off in db.execute(query):
            handed = time.isoformat(timespec="seconds") if time else ""
            yield name, who, max(0.0, points - (off or 0)), full.get(key, 0), bool(waiting), handed


def _number(value: float) -> str:
    return f"{round(value, 6):.6f}".rstrip("0").rstrip(".")


def _tool() -> str:
    try:
        return f"crm-course {version('crm-course')}"
    except PackageNotFoundError:
        return "crm-course"


def _seed(folder, who, assignment) -> str:
    from crmlib.tasks import answers
    from crmlib.tasks.core import TaskError

    place = folder / "submitted" / who / assignment if folder else None
    if place is None or not (place / answers.NAME).is_file():
        return ""
    try:
        return answers.seed(place, make=False)
    except TaskError:
        return ""


def items(state: State, component: Component, names: list[str], due: str, by: str, known,
          kind: str = "teacher") -> list[Entry]:
    """Say which assignments make up a component (their mean is its mark), and when they are due."""
    if not component.machine:
        raise CourseError(f"“{component.name}”要由人评，不能由作业分算。作业分可以给老师看，作证据。")
    strangers = [n for n in names if known and n not in known]
    if strangers:
        raise CourseError(f"没有作业“{'”“'.join(strangers)}”。成绩库里有：{'、'.join(sorted(known))}。")
    return [Entry("item", by, component=component.id, kind=kind, item=name, scheme=state.scheme.version,
                  detail={"source": "machine", "due": due}) for name in names]


def assignments(store: Store) -> list[str]:
    """Names of nbgrader's assignments."""
    from nbgrader.api import Assignment
    from sqlalchemy import inspect, select

    if not inspect(store.engine).has_table("assignment"):
        return []
    with store.engine.connect() as db:
        return sorted(db.execute(select(Assignment.__table__.c.name)).scalars())


# ---- 决定 ----

def decision(state: State, act: str, whom: str, component: str, kind: str, item: str, by: str, reason: str,
             day: str, allow_same: bool = False) -> Entry:
    """A teacher's decision: zero, excuse or reweight. CourseError if there is nothing to decide."""
    part = state.scheme.component(component)
    if kind not in part.split:
        raise CourseError(f"“{part.name}”由{'、'.join(KINDS[k] for k in part.split)}评。用 --kind "
                          f"写明是哪一种。")
    if not by.strip() or not reason.strip():
        raise CourseError("决定要写明是谁定的（--by 姓名）和为什么（--reason 原因）：成绩单上会印出来。")
    declared = state.items.get((part.id, kind), {})
    if item and item not in declared:
        have = "、".join(declared) or "（没有分项目）"
        raise CourseError(f"“{part.name}”里没有“{item}”。有：{have}")
    if act != "excuse" and not allow_same and _stands(state, whom, part.id, kind, item, act):
        raise CourseError(f"{whom} 的“{part.name}”已经有过同样的决定。")
    from autograder.marks.facts import Facts

    found, dropped = Facts(state, day).of(whom)
    there = [i for i in found[part.id, kind] if not item or i.name == item]
    if act in ("zero", "excuse") and there and all(i.value is not None for i in there):
        raise CourseError(f"{whom} 的“{part.name}”{item}已经有分了，不用再定。要改分，重新读打分表。")
    if act == "reweight":
        gone = dropped | {(part.id, kind, item)}
        whole = [(c.id, k) for c in state.scheme.components for k in c.split]
        if all((c, k, "") in gone for c, k in whole) or (item and all(
                (part.id, kind, i.name) in gone for i in found[part.id, kind])):
            raise CourseError("这样就一项也不剩了，算不出分。整项去掉，就不要写 --item。")
    return Entry("decision", by, "teacher", whom, part.id, kind, item, scheme=state.scheme.version,
                 detail={"act": act, "reason": reason, "date": day})


def _stands(state, whom, component, kind, item, act) -> bool:
    last = [
        e for e in state.decisions.get(whom, ()) if (e.component, e.kind, e.item) == (component, kind, item)
    ]
    return bool(last) and last[-1].detail["act"] == act


def void(state: State, seq: int, by: str, reason: str) -> Entry:
    """Annul an entry by a new one; the old one stays readable."""
    if not 1 <= seq <= len(state.entries):
        raise CourseError(f"没有第 {seq} 条记录，一共 {len(state.entries)} 条。")
    target = state.entries[seq - 1]
    if target.what in ("void", "scheme"):
        raise CourseError("方案和作废本身不能作废。方案要改，就用 --new-version 定一个新版本。")
    if seq in state.voided:
        raise CourseError(f"第 {seq} 条已经作废了（第 {state.voided[seq].seq} 条）。")
    if not by.strip() or not reason.strip():
        raise CourseError("作废要写明是谁（--by 姓名）和为什么（--reason 原因）。")
    return Entry("void", by, scheme=state.scheme.version if state.scheme else "",
                 detail={"seq": seq, "reason": reason})
