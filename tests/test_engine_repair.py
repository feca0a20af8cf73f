"""修复：每一种损坏修成什么样、说了什么；nbgrader 能处理的，修完和它一样。"""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.utils import compute_checksum

from autograder.engine import repair


def cell(name, kind="code", source="", **flags):
    return {
        "cell_type": kind,
        "source": source,
        "id": f"id-{name}",
        "metadata": {
            "nbgrader": {
                "schema_version": 3,
                "grade_id": name,
                "cell_type": kind,
                "task": False,
                "grade": False,
                "solution": False,
                "locked": False,
                **flags,
            }
        },
        **(
            {"outputs": [{"output_type": "stream", "name": "stdout", "text": "x"}], "execution_count": 3}
            if kind == "code"
            else {}
        ),
    }


def plain(source, kind="markdown", **more):
    return {"cell_type": kind, "source": source, "id": f"p{len(source)}{kind[0]}", "metadata": {}, **more}


def teacher():
    """source/ 里的笔记：一道代码题、它的检查格、一道写作题、一格只读、一道人评的题。"""
    test = {"grade": True, "locked": True, "points": 5}
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}},
        "cells": [
            plain("# 作业"),
            cell("setup", source="import math", locked=True),
            cell("sol", source="# 写在这里", solution=True),
            cell("test", source="# 检查\nassert x\nassert x == 42", **test),
            cell("essay", "markdown", "写在这里。", grade=True, solution=True, points=3),
            cell("task", "markdown", "**任务**", task=True, locked=True, points=2),
        ],
    }


def source():
    nb = teacher()
    made = repair.Source.of(nb)
    assert list(made.cells) == ["setup", "sol", "test", "essay", "task"]
    return made


def handed():
    nb = teacher()
    nb["cells"][2]["source"] = "x = 42"
    nb["cells"][3]["source"] = "# 检查\nassert x"  # 学生版没有隐藏测试
    nb["cells"][4]["source"] = "我觉得要先道歉。"
    return nb


def at(nb, name):
    [found] = [c for c in nb["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == name]
    return found


def sound(nb):
    """What must hold after every repair: nbgrader's own validator agrees, and every cell is there once."""
    import nbformat

    node = nbformat.from_dict(copy.deepcopy(nb))
    nbformat.validate(node)
    MetadataValidator().validate_nb(node)
    for name, known in source().cells.items():
        found = at(nb, name)
        assert found["metadata"]["nbgrader"] == known.metadata()
        if known.locked:
            assert found["source"] == known.source
            assert compute_checksum(nbformat.from_dict(found)) == known.checksum == repair.checksum(found)


def mended(change):
    nb = handed()
    change(nb["cells"])
    found = repair.repair(nb, source())
    sound(nb)
    return nb, [(f.kind, f.grade_id) for f in found], found


def test_sound_work_is_left_alone():
    nb, kinds, _ = mended(lambda cells: None)
    assert kinds == []
    assert at(nb, "sol")["source"] == "x = 42" and at(nb, "sol")["outputs"] == []
    assert at(nb, "test")["source"].endswith("assert x == 42"), "隐藏测试放回来了"


def _drop(name):
    return lambda cells: cells.remove(at({"cells": cells}, name))


def _set(name, **meta):
    return lambda cells: at({"cells": cells}, name)["metadata"]["nbgrader"].update(meta)


def _edit(name, **fields):
    return lambda cells: at({"cells": cells}, name).update(fields)


def _lose(name, **fields):
    def change(cells):
        found = at({"cells": cells}, name)
        del found["metadata"]["nbgrader"]
        found.update(fields)

    return change


def _copy(name, **fields):
    return lambda cells: cells.append(copy.deepcopy(at({"cells": cells}, name)) | {"id": "copy"} | fields)


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        (_drop("test"), [("deleted", "test")]),
        (_drop("setup"), []),  # 只读的说明格没有分，放回来就是
        (_drop("sol"), [("deleted", "sol")]),
        (_drop("essay"), [("deleted", "essay")]),
        (_drop("task"), [("deleted", "task")]),
        (_copy("test"), [("copied", "test"), ("moved", "test")]),
        (_copy("essay"), [("copied", "essay"), ("moved", "essay")]),
        (_set("test", points=500), [("flags", "test")]),
        (_set("test", grade=False), [("flags", "test")]),
        (_set("test", solution=True), [("flags", "test")]),
        (_set("test", locked=False, checksum="0" * 32, extra="x"), []),
        (_set("test", schema_version=4), [("schema", "test")]),
        (_set("test", schema_version=1), [("schema", "test")]),
        (_set("test", grade_id="t2"), [("renamed", "test")]),
        (_set("sol", grade_id="s2"), [("renamed", "sol")]),
        (_set("essay", grade_id=["x"]), [("renamed", "essay")]),
        (_lose("test"), [("renamed", "test")]),
        (_lose("test", id="other"), [("renamed", "test")]),
        (_lose("sol", id="other"), [("deleted", "sol")]),
        (_edit("test", source="assert True"), [("edited", "test")]),
        (_edit("setup", source="import os"), [("edited", "setup")]),
        (_edit("test", cell_type="markdown"), [("retyped", "test")]),
        (_edit("essay", cell_type="code"), [("retyped", "essay")]),
        (_edit("task", cell_type="raw"), [("retyped", "task")]),
        (
            _edit("sol", metadata={"tags": [{}], "jupyter": 5, "nbgrader": {"grade_id": "sol"}}),
            [("flags", "sol"), ("schema", "sol")],
        ),
        (_edit("sol", source=["x = ", "42"]), []),
        (_edit("sol", source=5), [("structure", "")]),
        (_edit("sol", metadata=None), [("structure", ""), ("renamed", "sol")]),
        (lambda cells: cells.append("我不是格子"), [("structure", "")]),
        (
            lambda cells: cells.append(cell("bonus", grade=True, locked=True, points=100)),
            [("unknown", "bonus")],
        ),
        (lambda cells: cells.insert(1, cells.pop(3)), [("moved", "sol")]),
        (lambda cells: cells.clear(), [("deleted", n) for n in ("sol", "test", "essay", "task")]),
    ],
)
def test_each_kind_of_damage(change, kinds):
    _, got, found = mended(change)
    assert sorted(got) == sorted(kinds)
    for finding in found:
        assert finding.teacher.endswith("。") and finding.student.endswith("。")


def test_of_two_answers_the_one_with_an_answer_counts():
    def change(cells):
        cells.append(copy.deepcopy(at({"cells": cells}, "essay")) | {"id": "copy", "source": "写在这里。"})

    nb, _, [found] = mended(change)
    assert at(nb, "essay")["source"] == "我觉得要先道歉。"
    assert found.lost and "有 2 个" in found.teacher


def test_what_was_written_is_never_lost():
    nb, _, _ = mended(_lose("sol", id="other"))
    assert any(c["source"] == "x = 42" for c in nb["cells"])


def test_a_deleted_essay_waits_for_a_person():
    nb, _, [found] = mended(_drop("essay"))
    assert found.lost and at(nb, "essay")["source"].startswith("（这一格 essay 在交来的笔记里没有")
    assert repair.checksum(at(nb, "essay")) != source().cells["essay"].checksum


def test_it_is_the_same_the_second_time():
    nb, _, _ = mended(_drop("test"))
    before = json.dumps(nb, sort_keys=True)
    assert repair.repair(nb, source()) == [] and json.dumps(nb, sort_keys=True) == before


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
FIELDS = ["source", "metadata", "cell_type", "id", "nbgrader", "outputs", "attachments", "x"]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(FIELDS), JUNK), max_size=4))
def test_whatever_stands_in_the_file(changes):
    nb = handed()
    for place, field, value in changes:
        target = nb["cells"][place]
        if field == "nbgrader" and isinstance(target.get("metadata"), dict):
            target["metadata"]["nbgrader"] = value
        else:
            target[field] = value
    repair.repair(nb, source())
    sound(nb)


@pytest.mark.parametrize("nb", [None, [], {}, {"cells": 5}, "x"])
def test_what_is_no_notebook_is_said(nb):
    with pytest.raises(ValueError, match="不是 Jupyter 笔记"):
        repair.repair(nb, source())
