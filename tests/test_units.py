"""Every unit in ``units/``: what a finished unit has to have."""

import re

import pytest

from autograder import syllabus, units
from autograder.check import check_unit
from crmlib import paths
from crmlib.tasks import full_points

FOLDERS = units.folders(paths.root())
MACHINE = {"choose", "classify", "match", "order", "number", "form", "dialogue", "simulate"}


@pytest.fixture(scope="module", params=FOLDERS, ids=lambda folder: folder.name)
def unit(request):
    return units.load(request.param)


def test_passes_its_check(unit):
    told = check_unit(unit, syllabus.load(paths.root()))
    assert [text for kind, text in told if kind == "FAIL"] == []
    planned = syllabus.load(paths.root()).units[unit.id]["covers"]
    assert set(planned) <= set(unit.front["covers"])


def test_enough_of_everything(unit):
    assert len(unit.practice) >= 12 and len({t["kind"] for t in unit.practice}) >= 4
    assert len(unit.graded) >= 6 and sum(t["points"] for t in unit.graded) == 100
    assert sum(t["points"] for t in unit.graded if t["kind"] in MACHINE) >= 80


def test_mistakes(unit):
    """Three known mistakes a task, where the kind allows it; self-assessment and short choices have fewer."""
    few = [t["id"] for t in unit.tasks
           if "key" in t and t["kind"] != "write" and full_points(t) > 1 and len(t.get("mistakes", [])) < 3]
    assert few == []


def test_teacher_pack(unit):
    text = (unit.folder / "teach.md").read_text("utf-8")
    for part in ("分钟安排", "演示脚本", "参考答案", "常见的错", "讨论题", "怎么评"):
        assert part in text, part


def test_demo_cells(unit):
    assert len(re.findall(r"^:tags: \[demo\]", unit.lesson, re.M)) >= 2


def test_terms(unit):
    assert len(unit.terms) >= 5
