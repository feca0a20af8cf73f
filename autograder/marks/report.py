"""成绩表要印的东西，汇成一份：算好的分、掌握情况、落实了哪些标准条目。workbook、pages 只管排版。"""

import json
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from autograder.marks.compute import SOURCES, STATES, Mark, between
from autograder.marks.exact import exact
from autograder.marks.facts import Facts
from autograder.marks.inputs import ACTS
from autograder.marks.schemes import KINDS, PEERS
from autograder.marks.signals import Signal, signals
from autograder.marks.state import State, Student
from autograder.marks.store import Store

REACHED = Fraction(60)  # 一条标准条目，对着它的题平均得到 60% 才算达到
BANDS = ("60 以下", "60–69", "70–79", "80–89", "90–100")


@dataclass
class Report:
    """Everything that the sheets and pages show, as of ``today``.

    units: {assignment: {student: 0–100}}; titles: {assignment: unit title};
    items: {standard item: {student: share 0–100 over the tasks that cover it}}; texts: {item: its text}
    """

    state: State
    today: str
    marks: dict[str, Mark]
    signals: list[Signal] = field(default_factory=list)
    units: dict = field(default_factory=dict)
    titles: dict = field(default_factory=dict)
    items: dict = field(default_factory=dict)
    texts: dict = field(default_factory=dict)

    @property
    def scheme(self):
        return self.state.scheme

    @property
    def students(self) -> list[Student]:
        return [self.state.students[i] for i in self.marks]

    def group(self, student: Student) -> str:
        """His group, without the class where all are of one class."""
        klass = {s.klass for s in self.students}
        name = student.group()
        return name.removeprefix(f"{student.klass} ") if len(klass) == 1 and student.klass else name

    def shown(self, who: str) -> str:
        return self.marks[who].shown(self.scheme.places)

    def bands(self) -> list[int]:
        """How many of the complete marks fall into each of BANDS."""
        count = Counter(min(max(int(m.final) // 10 - 5, 0), 4)
                        for m in self.marks.values() if m.final is not None)
        return [count[n] for n in range(5)]

    def waiting(self) -> list[tuple[str, str, int]]:
        """[(what is open, why, for how many)], most first."""
        count = Counter((_part_name(part, item), STATES[item.state]) for mark in self.marks.values()
                        for part, item in mark.open)
        return [(*what, n) for what, n in sorted(count.items(), key=lambda pair: (-pair[1], pair[0]))]

    def mastery(self) -> list[tuple[str, str, Fraction, int]]:
        """[(assignment, title, mean, how many handed in)]."""
        here = set(self.marks)
        rows = []
        for name, given in sorted(self.units.items(), key=lambda pair: _natural(pair[0])):
            values = [v for who, v in given.items() if who in here]
            if values:
                rows.append((name, self.titles.get(name, ""), sum(values) / len(values), len(values)))
        return rows

    def reached(self, who: str) -> tuple[int, int]:
        """(standard items that a student reached, items that tasks given to the class cover)."""
        return (sum(given.get(who, Fraction(0)) >= REACHED for given in self.items.values()), len(self.items))

    def decided(self) -> list[tuple[str, Fraction]]:
        """[(source, points of 100 that it decides)] for the class, what is fed by machine apart."""
        total: dict[str, Fraction] = {}
        for mark in self.marks.values():
            for source, (of, _) in mark.decided.items():
                total[source] = total.get(source, Fraction(0)) + of
        n = max(len(self.marks), 1)
        return [(SOURCES[s], total[s] / n) for s in SOURCES if total.get(s)]

    def decisions(self, who: str | None = None) -> list:
        return [e for e in self.state.entries if e.what == "decision" and e.seq not in self.state.voided
                and (who is None or e.whom == who)]

    def decision_text(self, e) -> str:
        component = next((c.name for c in self.scheme.components if c.id == e.component), e.component)
        what = f"{component}（{KINDS[e.kind]}{'，' + e.item if e.item else ''}）"
        return f"{ACTS[e.detail['act']]}：{what}。{e.who}，{e.detail['date']}，原因：{e.detail['reason']}"

    def notes(self, who: str) -> list[tuple[str, str]]:
        """[(component, what teacher or enterprise wrote to the student)]; peers' remarks are not shown."""
        found = [(f"{e.who}（{KINDS[e.role]}）", e.detail["note"]) for e in self.state.comments.get(who, ())]
        group = self.state.students[who].group()
        for (component, kind, _), whom in self.state.ratings.items():
            if kind in ("teacher", "enterprise"):
                name = next((c.name for c in self.scheme.components if c.id == component), component)
                for e in (*whom.get(who, {}).values(), *(whom.get(group, {}).values() if group else ())):
                    if e.detail.get("note"):
                        found.append((f"{name}（{KINDS[kind]}）", e.detail["note"]))
        return found


def _part_name(part, item) -> str:
    return f"{part.name}（{SOURCES[item.source]}{'，' + item.name if item.name else ''}）"


def make(
    store: Store, state: State, today: str, folder: Path | None = None, root: Path | None = None
) -> Report:
    """Gather everything. ``folder``: the class's, for the covers of its tasks; ``root``: the course's."""
    marks = Facts(state, today).marks()
    report = Report(state, today, marks, signals(state, marks))
    for name, given in state.machine.items():
        report.units[name] = {who: exact(e.mark) for who, e in given.items() if who in marks}
    if covers := _covers(folder) if folder else {}:
        report.items = _items(store.engine, covers, marks, state.scheme.id)
    if root:
        from autograder.syllabus import load

        plan = load(root)
        report.texts = {i: plan.items[i].text for i in report.items if i in plan.items}
        units = {name: name.partition("-")[0] for name in report.units}
        report.titles = {n: f"{u} {plan.units[u]['title']}" for n, u in units.items() if u in plan.units}
    return report


def _covers(folder) -> dict[tuple[str, str], list[str]]:
    """{(assignment, cell name): standard items} from the tasks in the class folder's ``source/``."""
    from autograder.build import grade_id

    found = {}
    for path in sorted((folder / "source").glob("*/tasks/*.json")):
        assignment = path.parent.parent.name
        try:
            content = json.loads(path.read_text("utf-8"))["tasks"]
            for task in content:
                found[assignment, grade_id(task["id"])] = list(task.get("covers", []))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # 别人的作业，或者坏了：不影响算分
    return found


def _items(engine, covers, marks, standard) -> dict[str, dict[str, Fraction]]:
    """{standard item: {student: share of the points of its tasks}}, this scheme's standard only."""
    from nbgrader import api
    from sqlalchemy import func, inspect, select

    if not inspect(engine).has_table("grade"):
        return {}
    a, s, n = api.Assignment.__table__, api.SubmittedAssignment.__table__, api.SubmittedNotebook.__table__
    g, cell = api.Grade.__table__, api.BaseCell.__table__
    full: dict[tuple, float] = {}
    book = api.Notebook.__table__
    with engine.connect() as db:
        for table in (api.GradeCell.__table__, api.TaskCell.__table__):
            for name, cell_name, points in db.execute(
                    select(a.c.name, cell.c.name, table.c.max_score).select_from(
                        table.join(cell, cell.c.id == table.c.id).join(book, book.c.id == cell.c.notebook_id)
                        .join(a, a.c.id == book.c.assignment_id))):
                full[name, cell_name] = points
        score = func.coalesce(g.c.manual_score, g.c.auto_score, 0.0)
        got = db.execute(select(a.c.name, cell.c.name, s.c.student_id, score).select_from(
            g.join(n, n.c.id == g.c.notebook_id).join(s, s.c.id == n.c.assignment_id)
            .join(a, a.c.id == s.c.assignment_id).join(cell, cell.c.id == g.c.cell_id))).all()
    sums: dict[str, dict[str, list]] = {}
    for name, cell_name, who, points in got:
        of = full.get((name, cell_name), 0)
        if who in marks and of:
            for item in covers.get((name, cell_name), ()):
                if item.startswith(f"{standard}-"):
                    pair = sums.setdefault(item, {}).setdefault(who, [Fraction(0), Fraction(0)])
                    pair[0] += Fraction(str(round(points, 6)))
                    pair[1] += Fraction(str(of))
    return {
        item: {who: p * 100 / of for who, (p, of) in given.items()} for item, given in sorted(sums.items())
    }


def _natural(text: str):
    from autograder.units import natural

    return [(isinstance(p, str), p) for p in natural(text)]


def value_text(part, places: int = 2) -> str:
    """A part's mark, 0–100; its interval while something in it is open."""
    return between(part.low * 100 / part.weight, part.high * 100 / part.weight, places)


def assessor(part) -> str:
    """Who decides a part, as people say it: the machine's and the register's share is not called 教师."""
    sources = dict.fromkeys(item.source for item in part.items)
    return "、".join(SOURCES[s] for s in sources)


def why(item) -> str:
    """How an item's value came about, or why it is missing."""
    if item.value is None:
        return STATES[item.state] + (f"（{item.said}）" if item.said else "")
    return item.said


def is_peer(part) -> bool:
    return part.kind in PEERS
