"""算分：标准的例子分毫不差；权重、次序、区间的性质对任何输入都成立。"""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.marks import schemes
from autograder.marks.compute import STATES, Item, mark
from autograder.marks.exact import exact, plain, rounded, typed
from crmlib.cli import CourseError

ROOT = Path(__file__).resolve().parent.parent
KD, WL = (schemes.printed(name, ROOT) for name in ("kd", "wl"))

KD_EXAMPLE = {"kd-A1": 80, "kd-A2": 90, "kd-A3": 100, "kd-A4": 85, "kd-A5": 78, "kd-A6": 70, "kd-A7": 88,
              "kd-A8": 82, "kd-A9": 95}
WL_EXAMPLE = {("wl-A1", "self"): 90, ("wl-A1", "teacher"): 80, ("wl-A2", "teacher"): 95,
              ("wl-A3", "teacher"): 70, ("wl-A4", "peer_between"): 88, ("wl-A4", "teacher"): 76,
              ("wl-A5", "teacher"): 68}


def facts(values):
    return {part: [Item("", Fraction(v), source=part[1])] for part, v in values.items()}


def kd(values):
    return facts({(c.id, next(iter(c.split))): values[c.id] for c in KD.components if c.id in values})


def test_the_worked_example_of_kd():
    found = mark(KD, kd(KD_EXAMPLE))
    assert found.final == Fraction("83.75") and found.shown(0) == "84" and found.shown(2) == "83.75"
    assert found.trace() == ("5%×80 + 5%×90 + 10%×100 + 15%×85 + 30%×78 + 10%×70 + 5%×88 + 10%×82 + 10%×95"
                             " = 83.75")
    assert found.decided == {"teacher": (75, 75), "self": (10, 10), "peer_within": (15, 15)}


def test_kd_without_the_self_mark_is_an_interval():
    found = mark(KD, kd({k: v for k, v in KD_EXAMPLE.items() if k != "kd-A9"}))
    assert (found.low, found.high) == (Fraction("74.25"), Fraction("84.25"))
    assert found.final is None and found.shown(0) == "74.25–84.25"
    assert [(p.component, i.state) for p, i in found.open] == [("kd-A9", "rater")]
    # 只有记录在案的决定，才会重新分配权重
    again = mark(KD, kd({k: v for k, v in KD_EXAMPLE.items() if k != "kd-A9"}), {("kd-A9", "self", "")})
    assert again.final == Fraction("82.5") and again.dropped == [("kd-A9", "self", "")]


def test_the_worked_example_of_wl():
    found = mark(WL, facts(WL_EXAMPLE))
    points = [found.component(c.id)[1] for c in WL.components]
    assert points == [Fraction(x) for x in ("8.4", "9.5", "7", "32.32", "20.4")]
    assert found.final == Fraction("77.62") and found.shown(0) == "78"
    assert found.decided == {"teacher": (80, 80), "self": (4, 4), "peer_between": (16, 16)}


def test_what_self_inflation_moves():
    for scheme, part, moved in ((KD, ("kd-A9", "self"), 2), (WL, ("wl-A1", "self"), Fraction("0.8"))):
        def total(value, scheme=scheme, part=part):
            every = {(c.id, k): 50 for c in scheme.components for k in c.split}
            return mark(scheme, facts({**every, part: value})).final
        assert total(90) - total(70) == moved


def test_schemes_are_as_printed():
    for scheme in (KD, WL):
        assert schemes.check(scheme) == [] and not scheme.variant
        assert sum(c.weight for c in scheme.components) == 100
        assert all(sum(c.split.values()) == 1 for c in scheme.components)
        assert all(sum(r["points"] for r in c.criteria(k)) == 100 for c in scheme.components for k in c.split)
        assert schemes.Scheme.from_dict(scheme.to_dict()) == scheme
    assert "教师 80、组间互评 16、自评 4" in "".join(WL.notes)
    assert "没有企业一行" in "".join(KD.notes)
    within = schemes.printed("wl", ROOT, peer="within")
    assert within.version != WL.version and within.kind_points()["peer_within"] == 16
    for name in ("js", "sw", "xx"):
        with pytest.raises(CourseError, match="方案"):
            schemes.printed(name, ROOT)


def test_numbers_are_exact():
    assert exact("12/15") == 80 and exact("0.1") * 3 == Fraction("0.3") and exact("-3") == 0
    assert typed("８７．５分") == Fraction("87.5") and typed(0.1) == Fraction("0.1") and typed("优") is None
    assert [rounded(Fraction(x), 0) for x in ("59.5", "59.49", "83.75")] == ["60", "59", "84"]
    assert plain(Fraction(250, 3), 2) == "≈83.33" and plain(Fraction("74.25")) == "74.25"


# ---- 性质 ----


@st.composite
def any_scheme(draw):
    """Weights that sum to 100, any split."""
    cuts = sorted(draw(st.lists(st.integers(1, 99), max_size=7, unique=True)))
    weights = [b - a for a, b in zip([0, *cuts], [*cuts, 100], strict=True)]
    parts = []
    for n, weight in enumerate(weights):
        kinds = draw(st.lists(st.sampled_from(list(schemes.KINDS)), min_size=1, max_size=3, unique=True))
        sizes = [draw(st.integers(1, 9)) for _ in kinds]
        split = {k: Fraction(s, sum(sizes)) for k, s in zip(kinds, sizes, strict=True)}
        parts.append(schemes.Component(f"c{n}", f"分项{n}", "过程", Fraction(weight), split))
    return schemes.Scheme("x", "", tuple(parts))


@st.composite
def any_case(draw):
    """A scheme and facts in which anything may be missing."""
    scheme = draw(any_scheme())
    value = st.fractions(0, 100, max_denominator=60)
    found = {}
    for c in scheme.components:
        for kind in c.split:
            found[c.id, kind] = [
                Item(f"i{n}", v, "" if v is not None else draw(st.sampled_from(list(STATES))), kind)
                for n, v in enumerate(draw(st.lists(st.none() | value, min_size=1, max_size=4)))]
    return scheme, found


@given(any_case(), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=80)
def test_order_changes_nothing(case, random):
    scheme, found = case
    shuffled = {k: random.sample(v, len(v)) for k, v in random.sample(list(found.items()), len(found))}
    a, b = mark(scheme, found), mark(scheme, shuffled)
    assert (a.low, a.high, a.decided, a.final) == (b.low, b.high, b.decided, b.final)


@given(any_case(), st.data())
@settings(deadline=None, max_examples=80)
def test_a_mark_never_leaves_its_interval(case, data):
    """Missing things arrive one by one, in any order: each interval lies within the one before."""
    scheme, found = case
    before = mark(scheme, found)
    assert 0 <= before.low <= before.high <= 100
    assert schemes.check(scheme) == []
    assert sum(p.weight for p in before.parts) == 100 == sum(of for of, _ in before.decided.values())
    while before.open:
        part, item = data.draw(st.sampled_from(before.open))
        value = data.draw(st.fractions(0, 100, max_denominator=60))
        items = found[part.component, part.kind]
        found[part.component, part.kind] = [replace(i, value=value) if i is item else i for i in items]
        now = mark(scheme, found)
        assert before.low <= now.low <= now.high <= before.high
        before = now
    assert before.final == before.low == before.high


@given(any_case(), st.data())
@settings(deadline=None, max_examples=60)
def test_reweighting_keeps_a_whole_mark(case, data):
    scheme, found = case
    every = [(c.id, k, "") for c in scheme.components for k in c.split]
    gone = set(data.draw(st.lists(st.sampled_from(every), max_size=len(every) - 1, unique=True)))
    after = mark(scheme, found, gone)
    assert sum(p.weight for p in after.parts) == 100 and 0 <= after.low <= after.high <= 100
    assert gone == set(after.dropped)


def test_doctests():
    import doctest

    from autograder.marks import allocate, compute, exact, roster, sheets

    for module in (allocate, compute, exact, roster, sheets):
        result = doctest.testmod(module)
        assert result.attempted and not result.failed, module.__name__
