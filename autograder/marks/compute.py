"""一个学生的分数怎么算：缺什么，就是一个区间；每一分都说得出来路。

只算，不读文件、不读数据库。全部用分数（Fraction），最后舍一次。
"""

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction

from autograder.marks.exact import HUNDRED, plain, rounded
from autograder.marks.schemes import KINDS, Scheme

# 缺分的五种情形：不会自动变成零分，也不会自动去掉
STATES = {
    "not_due": "还没到期",
    "due": "到期没有交",
    "excused": "请假，等补交",
    "rater": "没有人评",
    "no_assessor": "本方案不设这类评价人",
}
SOURCES = {**KINDS, "machine": "机器批改", "attendance": "考勤记录"}
_ZERO = Fraction(0)


@dataclass(slots=True)
class Item:
    """One thing that is marked: an assignment, one round of peer marks, one rubric.

    ``value``: 0–100, None while it is missing, and then ``state`` (a key of STATES) says why.
    ``source``: who decided it (a key of SOURCES); ``said``: how the value came about.
    """

    name: str
    value: Fraction | None
    state: str = ""
    source: str = "teacher"
    said: str = ""


@dataclass(slots=True)
class Part:
    """What one kind of assessor decides in one component. ``weight``: points of 100, after decisions."""

    component: str
    name: str
    kind: str
    weight: Fraction
    items: list[Item]
    low: Fraction = _ZERO
    high: Fraction = _ZERO

    @property
    def open(self) -> list[Item]:
        return [i for i in self.items if i.value is None]


@dataclass(slots=True)
class Mark:
    """A student's mark between ``low`` and ``high``; the two are equal if nothing is open.

    ``decided``: {source: (points it decides, of which are known)}; ``dropped``: what was re-weighted.
    """

    parts: list[Part]
    low: Fraction
    high: Fraction
    decided: dict = field(default_factory=dict)
    dropped: list = field(default_factory=list)

    @property
    def open(self) -> list[tuple[Part, Item]]:
        return [(part, item) for part in self.parts for item in part.open]

    @property
    def final(self) -> Fraction | None:
        return None if self.open or not self.parts else self.low

    def shown(self, places: int) -> str:
        """The final mark rounded, or the interval with its exact ends."""
        if self.final is not None:
            return rounded(self.final, places)
        return between(self.low, self.high, 2) if self.parts else "—"

    def component(self, component_id: str) -> tuple[Fraction, Fraction, Fraction]:
        """(weight, low, high) of a component: its points of 100, and the points that it gives."""
        parts = [p for p in self.parts if p.component == component_id]
        return (sum((p.weight for p in parts), _ZERO), sum((p.low for p in parts), _ZERO),
                sum((p.high for p in parts), _ZERO))

    def trace(self) -> str:
        """The formula with its numbers, exact: ``5%×80 + … = 83.75``."""
        terms = []
        for part in self.parts:
            low, high = (x * 100 / part.weight for x in (part.low, part.high))
            value = plain(low) if low == high else f"[{plain(low)}–{plain(high)}]"
            terms.append(f"{plain(part.weight)}%×{value}")
        total = plain(self.low) if self.low == self.high else f"{plain(self.low)}–{plain(self.high)}"
        return f"{' + '.join(terms)} = {total}"


def between(low: Fraction, high: Fraction, places: int) -> str:
    """An interval for people; one number where the ends are equal."""
    ends = [plain(x, places).lstrip("≈") for x in (low, high)]
    return ends[0] if low == high else "–".join(ends)


def _total(values) -> Fraction:
    """The exact sum; fractions of one denominator are added as whole numbers first, which is much faster."""
    by_denominator: dict[int, int] = {}
    for value in values:
        of = value.denominator
        by_denominator[of] = by_denominator.get(of, 0) + value.numerator
    return sum((Fraction(n, of) for of, n in by_denominator.items()), _ZERO)


def mark(scheme: Scheme, facts: dict, dropped=frozenset()) -> Mark:
    """The mark of one student.

    ``facts``: {(component id, kind): [Item, …]}; what is absent is open.
    ``dropped``: (component id, kind, item name) re-weighted by a decision; name "" is the whole part.
    A dropped item leaves the mean of its part; a dropped part gives its share to the others of its component,
    or, as the only one, its weight to all other components.

    >>> from autograder.marks.schemes import Component
    >>> both = Scheme("x", "", (Component("a", "甲", "", Fraction(60), {"teacher": Fraction(1)}),
    ...                         Component("b", "乙", "", Fraction(40), {"self": Fraction(1)})))
    >>> m = mark(both, {("a", "teacher"): [Item("", Fraction(80))]})
    >>> m.trace(), mark(both, {("a", "teacher"): [Item("", Fraction(80))]}, {("b", "self", "")}).trace()
    ('60%×80 + 40%×[0–100] = 48–88', '100%×80 = 80')
    """
    shares, lost = [], []
    for component in scheme.components:
        kept = {k: s for k, s in component.split.items() if s and (component.id, k, "") not in dropped}
        gone = [k for k, s in component.split.items() if s and k not in kept]
        lost += [(component.id, k, "") for k in gone]
        total = sum(kept.values())
        shares += [(component, k, component.weight * s / total) for k, s in kept.items()]
    scale = sum(weight for *_, weight in shares)
    parts, decided = [], {}
    for component, kind, weight in shares:
        weight = weight * 100 / scale
        items = facts.get((component.id, kind)) or [Item("", None, "rater", kind)]
        if dropped:
            gone = [i for i in items if i.name and (component.id, kind, i.name) in dropped]
            lost += [(component.id, kind, i.name) for i in gone]
            items = [i for i in items if i not in gone] or items
        part = Part(component.id, component.name, kind, weight, items)
        each, there = weight / len(items), [i for i in items if i.value is not None]
        every, known = Counter(i.source for i in items), Counter(i.source for i in there)
        for source, n in every.items():
            of, sure = decided.get(source, (_ZERO, _ZERO))
            decided[source] = (of + each * n, sure + each * known[source])
        part.low = _total(i.value for i in there) * each / 100
        part.high = part.low + each * (len(items) - len(there))
        parts.append(part)
    low = sum((p.low for p in parts), _ZERO)
    high = sum((p.high for p in parts), _ZERO)
    order = {source: place for place, source in enumerate(SOURCES)}
    decided = dict(sorted(decided.items(), key=lambda pair: order[pair[0]]))
    return Mark(parts, low, min(high, HUNDRED), decided, lost)
