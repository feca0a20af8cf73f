"""把记录从头叠一遍，得到现状。同一个人对同一件事的评分，后写的算数；作废的不算。"""

from dataclasses import dataclass, field

from autograder.marks.schemes import Scheme
from autograder.marks.store import Entry


@dataclass
class Student:
    """``groups``: [(from date, group name)], oldest first. ``left``: the date, "" while he is here."""

    id: str
    name: str
    klass: str
    since: str
    left: str = ""
    groups: list = field(default_factory=list)

    def group(self, day: str = "9999") -> str:
        """His group on a day (ISO date); "" if none."""
        found = ""
        for since, name in self.groups:
            if since <= day:
                found = name
        return found


@dataclass
class State:
    """What the log adds up to.

    versions: entries that fixed a scheme, oldest first; scheme: the last one's
    settings: {name: value} fixed with the scheme (``until``: last day of term)
    students: {id: Student}
    points: the school's table of attendance points {event: points off}
    register: {student: attendance entries}
    closed: the day on which the attendance register was closed, "" while it is open
    items: {(component, kind): {item: {"due", "source", "assignment"}}}
    rounds: {round: {"due", "kinds", "title", …}}; forms: {token: entry of the form}
    ratings: {(component, kind, item): {whom: {rater: entry}}}; machine: {assignment: {student: entry}}
    decisions, comments: {student: [entry]}; issued: {student: entry}; voided: {seq: entry that annuls it}
    """

    entries: list
    versions: list = field(default_factory=list)
    scheme: Scheme | None = None
    settings: dict = field(default_factory=dict)
    students: dict = field(default_factory=dict)
    points: dict = field(default_factory=dict)
    register: dict = field(default_factory=dict)
    closed: str = ""
    items: dict = field(default_factory=dict)
    rounds: dict = field(default_factory=dict)
    forms: dict = field(default_factory=dict)
    ratings: dict = field(default_factory=dict)
    machine: dict = field(default_factory=dict)
    decisions: dict = field(default_factory=dict)
    comments: dict = field(default_factory=dict)
    issued: dict = field(default_factory=dict)
    voided: dict = field(default_factory=dict)

    @property
    def present(self) -> list[Student]:
        """Students who have not left, by number."""
        return sorted((s for s in self.students.values() if not s.left), key=lambda s: s.id)

    def members(self, group: str, day: str = "9999") -> list[str]:
        """Ids of a group's members on a day, those included who left later."""
        return sorted(s.id for s in self.students.values()
                      if s.group(day) == group and (not s.left or s.left > day))

    def groups(self, day: str = "9999") -> dict[str, list[str]]:
        """{group: ids of its members} on a day; students without a group are in none."""
        found: dict[str, list[str]] = {}
        for s in sorted(self.students.values(), key=lambda s: s.id):
            name = s.group(day)
            if name and (not s.left or s.left > day):
                found.setdefault(name, []).append(s.id)
        return dict(sorted(found.items()))


def fold(entries: list[Entry]) -> State:
    """The present state of a log."""
    state = State(entries)
    state.voided = {e.detail["seq"]: e for e in entries if e.what == "void"}
    for entry in entries:
        if entry.seq not in state.voided:
            _FOLDS.get(entry.what, _nothing)(state, entry)
    return state


def _nothing(state, e):
    pass


def _scheme(state, e):
    state.versions.append(e)
    state.scheme = Scheme.from_dict(e.detail["scheme"])
    state.settings = {**state.settings, **e.detail.get("settings", {})}


def _student(state, e):
    old = state.students.get(e.whom)
    since = old.since if old else e.detail["date"]
    groups = old.groups if old else []
    state.students[e.whom] = Student(e.whom, e.detail["name"], e.detail["klass"], since, "", groups)


def _group(state, e):
    if e.whom in state.students:
        groups = state.students[e.whom].groups
        groups[:] = sorted([g for g in groups if g[0] != e.detail["date"]] + [(e.detail["date"], e.item)])


def _leave(state, e):
    if e.whom in state.students:
        state.students[e.whom].left = e.detail["date"]


def _points(state, e):
    state.points = e.detail["points"]


def _attendance(state, e):
    if e.item == "close":
        state.closed = e.detail["date"]
    else:
        state.register.setdefault(e.whom, []).append(e)


def _item(state, e):
    place = state.items.setdefault((e.component, e.kind), {})
    if e.detail.get("remove"):
        place.pop(e.item, None)
    else:
        place[e.item] = e.detail


def _round(state, e):
    state.rounds[e.item] = {**state.rounds.get(e.item, {}), **e.detail}


def _form(state, e):
    state.forms[e.detail["token"]] = e


def _rating(state, e):
    state.ratings.setdefault((e.component, e.kind, e.item), {}).setdefault(e.whom, {})[e.who] = e


def _machine(state, e):
    state.machine.setdefault(e.item, {})[e.whom] = e


def _decision(state, e):
    state.decisions.setdefault(e.whom, []).append(e)


def _comment(state, e):
    state.comments.setdefault(e.whom, []).append(e)


def _issue(state, e):
    state.issued[e.whom] = e


_FOLDS = {"scheme": _scheme, "student": _student, "group": _group, "leave": _leave, "points": _points,
          "attendance": _attendance, "item": _item, "round": _round, "form": _form, "rating": _rating,
          "machine": _machine, "decision": _decision, "comment": _comment, "issue": _issue}
