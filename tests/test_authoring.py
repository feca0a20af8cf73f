"""出题手册里的每道例题都能用：合乎写法，证明得了自己；每种题型都有一节、一道例题。"""

import re
from pathlib import Path

import pytest
from fixtures.samples import samples
from jsonschema import Draft202012Validator

from autograder import check, units
from crmlib import tasks

TEXT = (Path(__file__).parents[1] / "docs" / "authoring.md").read_text("utf-8")
BLOCKS = [units.yaml.load(b, units._Loader) for b in re.findall(r"```yaml\n(.*?)```", TEXT, re.S)]
EXAMPLES = [task for block in BLOCKS if isinstance(block, list) for task in block if "kind" in task]


def test_every_kind_has_its_section_and_an_example():
    assert re.findall(r"^## (\w+)　", TEXT, re.M) == [
        "choose", "classify", "match", "order", "number", "form", "dialogue", "simulate", "code", "write"]
    assert {task["kind"] for task in EXAMPLES} == set(tasks.KINDS)


@pytest.mark.parametrize("task", EXAMPLES, ids=[f"{t['kind']} {t['id']}" for t in EXAMPLES])
def test_example_works_as_it_stands(task):
    assert [e.message for e in Draft202012Validator(units.schema()).iter_errors([task])] == []
    task = units.varied(task, 0) if "vary" in task else dict(task)
    before = samples()
    units._add_sources(task, list(before.values()))
    if task["kind"] == "code":
        units._resolve(Path(), task)
    keys = {name: tasks.KINDS[t["kind"]].key_answer(t) for name, t in before.items() if "inputs" not in t}
    task = check.with_given(task, keys)
    assert tasks.faults(task) == []
    assert check.proofs(task) == []
