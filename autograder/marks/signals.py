"""值得老师看一眼的地方。只显示，不改分，学生看不到。"""

from dataclasses import dataclass

from autograder.marks.compute import Mark
from autograder.marks.exact import exact, plain
from autograder.marks.schemes import KINDS, PEERS
from autograder.marks.state import State


@dataclass(frozen=True)
class Signal:
    """``kind``: what was noticed; ``who``: ids or group concerned; ``text``: the whole sentence."""

    kind: str
    who: str
    text: str


def signals(state: State, marks: dict[str, Mark]) -> list[Signal]:
    """All signals, in a fixed order."""
    found = [*_equal_and_full(state), *_self_far(state, marks), *_silent(state), *_changed(state, marks),
             *_after_zero(state)]
    return sorted(found, key=lambda s: (s.kind, s.who, s.text))


def _name(state, who) -> str:
    return f"{who} {state.students[who].name}" if who in state.students else who


def _equal_and_full(state):
    full_groups: dict[tuple, list] = {}
    for (component, kind, item), whom in state.ratings.items():
        if kind not in PEERS:
            continue
        by_rater: dict[str, dict] = {}
        for target, given in whom.items():
            for rater, e in given.items():
                by_rater.setdefault(rater, {})[target] = exact(e.mark)
        name = state.scheme.component(component).name if _known(state, component) else component
        for rater, given in sorted(by_rater.items()):
            if len(given) > 1 and len(set(given.values())) == 1:
                yield Signal("互评全一样", rater, f"{_name(state, rater)} 在“{name}”（{item}）里给 "
                                                  f"{len(given)} 个"
                                                f"都打了 {plain(next(iter(given.values())))} 分。")
            if kind == "peer_within" and rater in state.students:
                group = state.students[rater].group(state.rounds.get(item, {}).get("date") or "9999")
                full_groups.setdefault((group, name, item), []).extend(given.values())
    for (group, name, item), given in sorted(full_groups.items()):
        if group and len(given) > 1 and min(given) == 100:
            yield Signal("组内全满分", group, f"{group} 在“{name}”（{item}）里互相打的 {len(given)} "
                                              f"个分全是满分。")


def _known(state, component) -> bool:
    return any(c.id == component for c in state.scheme.components)


def _self_far(state, marks):
    """Self against the teacher's mark for the same component, else against all that teachers gave."""
    for who, mark in marks.items():
        teacher, whole = {}, []
        for part in mark.parts:
            if part.kind == "teacher" and not part.open:
                value = part.low * 100 / part.weight
                teacher[part.component] = value
                whole.append((part.weight, part.low))
        for part in mark.parts:
            if part.kind != "self" or part.open:
                continue
            own = part.low * 100 / part.weight
            other, what = teacher.get(part.component), "老师同一项"
            if other is None and whole:
                other, what = sum(low for _, low in whole) * 100 / sum(w for w, _ in whole), "老师各项平均"
            if other is not None and abs(own - other) > state.scheme.gap:
                moved = abs(own - other) * part.weight / 100
                yield Signal("自评离老师远", who,
                             f"{_name(state, who)} “{part.name}”自评 {plain(own, 1)}，{what} "
                             f"{plain(other, 1)}，"
                             f"差 {plain(abs(own - other), 1)} 分；在总分里是 {plain(moved, 2)} 分。")


def _silent(state):
    """Who was given a form and has given no mark at all in it."""
    done = {(e_who, item) for (_, _, item), whom in state.ratings.items()
            for given in whom.values() for e_who in given}
    missing: dict[str, list] = {}
    for e in state.forms.values():
        student = state.students.get(e.whom)
        if student and not student.left and e.detail["number"] == 1 and (e.whom, e.item) not in done:
            missing.setdefault(e.item, []).append(_name(state, e.whom))
    for item, names in missing.items():
        listed = "、".join(sorted(names)[:30]) + ("……" if len(names) > 30 else "")
        said = f"“{item}”的自评和互评表还有 {len(names)} 人没有交：{listed}。"
        yield Signal("还没交评价表", item, said)


def _changed(state, marks):
    for who, e in state.issued.items():
        mark = marks.get(who)
        if mark and (mark.final is None or plain(mark.final, 6) != e.detail["raw"]):
            now = mark.shown(state.scheme.places)
            yield Signal("定了以后又变", who, f"{_name(state, who)} 的总分 {e.at[:10]} 定为 {e.mark}，"
                                            f"后来的记录算出来是 {now}。要改，再定一次。")


def _after_zero(state):
    for who, decided in state.decisions.items():
        for e in decided:
            handed = state.machine.get(e.item, {}).get(who) if e.item else None
            if e.detail["act"] == "zero" and handed and handed.seq > e.seq:
                yield Signal("零分以后又交了", who, f"{_name(state, who)} 的“{e.item}”确认零分以后，"
                                                    f"又有了成绩 "
                                                 f"{handed.mark}。要算它，就作废第 {e.seq} 条记录。")


def inflation(state: State, points: int = 20) -> str:
    """What a self mark can move, in one sentence; "" if there is none."""
    share = state.scheme.kind_points().get("self")
    if not share:
        return ""
    more = plain(share * points / 100)
    return f"{KINDS['self']}占 {plain(share)} 分：自己多打 {points} 分，总分多 {more} 分。"
