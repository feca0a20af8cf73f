"""从现状到一个学生的每一项：有分就是分，没有就说清是哪一种没有。"""

from fractions import Fraction

from autograder.marks.compute import Item, Mark, mark
from autograder.marks.exact import exact, plain
from autograder.marks.schemes import PEERS
from autograder.marks.state import State

_LATER = "9999-12-31"


class Facts:
    """All students' items on one day (``today``, ISO date: what is due by then counts as due)."""

    def __init__(self, state: State, today: str):
        self.state, self.today = state, today
        self.until = state.settings.get("until") or _LATER
        self.plan = [(c, kind) for c in state.scheme.components for kind, share in c.split.items() if share]
        self._expected: dict[tuple, set] = {}
        for e in state.forms.values():
            rater = state.students.get(e.whom)
            for part in e.detail["parts"] if rater and not rater.left else ():
                for target in part["targets"]:
                    key = (part["component"], part["kind"], e.item, target)
                    self._expected.setdefault(key, set()).add(e.whom)
        self._means: dict[tuple, Item] = {}
        self._decisions = {who: {(e.component, e.kind, e.item): e for e in every}
                           for who, every in state.decisions.items()}

    def of(self, student_id: str) -> tuple[dict, set]:
        """({(component id, kind): [Item, …]}, what was re-weighted) of one student."""
        decided = self._decisions.get(student_id, {})
        found = {}
        for component, kind in self.plan:
            items = self._items(component, kind, student_id)
            if decided:
                items = [self._decide(decided, component.id, kind, item) for item in items]
            found[component.id, kind] = items
        return found, {key for key, e in decided.items() if e.detail["act"] == "reweight"}

    def mark(self, student_id: str) -> Mark:
        found, dropped = self.of(student_id)
        return mark(self.state.scheme, found, dropped)

    def marks(self) -> dict[str, Mark]:
        """{student id: Mark} of everyone who has not left."""
        return {s.id: self.mark(s.id) for s in self.state.present}

    # -- 一项一项 --

    def _items(self, component, kind, student_id) -> list[Item]:
        declared = self.state.items.get((component.id, kind), {})
        if kind in ("teacher", "enterprise"):
            direct = self._rated(component, kind, "", {}, student_id)
            if direct.value is not None or not declared:
                if direct.value is None and component.attendance:
                    return [self._attended(student_id)]
                return [direct]
        elif not declared:
            return [Item("", None, self._late({}, "rater"), kind)]
        return [self._handed_in(name, plan, student_id) if plan["source"] == "machine"
                else self._rated(component, kind, name, plan, student_id) for name, plan in declared.items()]

    def _late(self, plan, state) -> str:
        return state if self.today > (plan.get("due") or self.until) else "not_due"

    def _handed_in(self, name, plan, student_id) -> Item:
        entry = self.state.machine.get(name, {}).get(student_id)
        if entry is None:
            return Item(name, None, self._late(plan, "due"), "machine")
        if entry.detail.get("waiting"):
            return Item(name, None, "rater", "machine", "交了，还有题等老师评分")
        return Item(name, exact(entry.mark), "", "machine", f"{entry.mark} 分")

    def _rated(self, component, kind, name, plan, student_id) -> Item:
        target = student_id
        if component.is_group(kind):
            target = self.state.students[student_id].group(plan.get("date") or _LATER)
            if not target:
                return Item(name, None, self._late(plan, "rater"), kind, "没有小组")
        key = (component.id, kind, name, target)
        if key not in self._means:
            self._means[key] = self._mean(component, kind, name, plan, target)
        return self._means[key]

    def _mean(self, component, kind, name, plan, target) -> Item:
        given = self.state.ratings.get((component.id, kind, name), {}).get(target, {})
        if kind in PEERS:  # 自己的、本组的，不算互评
            own = set(self.state.members(target, plan.get("date") or _LATER)
                      if kind == "peer_between" else [target])
            given = {who: e for who, e in given.items() if who not in own}
            waiting = (
                self._expected.get(key := (component.id, kind, name, target), set()) - given.keys() - own
            )
            least = self.state.scheme.least
            said = f"{len(given)} 人评，应评 {len(self._expected.get(key, set()) - own)} 人"
            if len(given) < least:
                return Item(name, None, self._late(plan, "rater"), kind, f"{said}，至少要 {least} 人")
            if waiting and self._late(plan, "rater") == "not_due":
                return Item(name, None, "not_due", kind, said)
        elif not given:
            return Item(name, None, self._late(plan, "rater"), kind)
        else:
            said = f"{len(given)} 人评" if len(given) > 1 else _criteria(component, kind, given)
        marks = [exact(e.mark) for e in given.values()]
        return Item(name, sum(marks, Fraction(0)) / len(marks), "", kind, said)

    def _attended(self, student_id) -> Item:
        if not self.state.points:
            return Item("", None, self._late({}, "rater"), "attendance", "学校的扣分表还没有填")
        off, counts = Fraction(0), {}
        for e in self.state.register.get(student_id, ()):
            times = e.detail["times"]
            counts[e.item] = counts.get(e.item, 0) + times
            off += Fraction(self.state.points.get(e.item, "0")) * times
        value = max(Fraction(0), 100 - off)
        said = "、".join(f"{event} {n} 次" for event, n in counts.items()) or "全勤"
        if not self.state.closed:  # 学期没完，还可能缺课
            return Item("", None, "not_due", "attendance", f"到目前 {plain(value)} 分（{said}），"
                                                           f"考勤还没有结束")
        return Item("", value, "", "attendance", said)

    def _decide(self, decided, component, kind, item) -> Item:
        for key in ((component, kind, item.name), (component, kind, "")):
            e = decided.get(key)
            if e is None or e.detail["act"] == "reweight":
                continue
            said = f"{e.who} {e.detail['date']}：{e.detail['reason']}"
            if e.detail["act"] == "zero":
                return Item(item.name, Fraction(0), "", item.source, f"确认零分（{said}）")
            if item.value is None:
                return Item(item.name, None, "excused", item.source, said)
        return item


def _criteria(component, kind, given) -> str:
    """The points per criterion of a single rater: what the mark is made of."""
    [entry] = given.values()
    points = entry.detail.get("criteria", {})
    names = [c["name"] for c in component.criteria(kind) if c["name"] in points]
    return "、".join(f"{name} {points[name]}" for name in names)
