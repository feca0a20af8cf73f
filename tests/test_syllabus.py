"""四份标准作为数据：条目一条不少，单元、路线、学时、权重互相对得上。"""

from collections import Counter
from pathlib import Path

import pytest

from autograder import syllabus

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def s():
    return syllabus.load(ROOT)


def test_every_item_is_there_once(s):
    assert Counter(i.standard for i in s.items.values()) == {"js": 197, "kd": 239, "wl": 360, "sw": 112}
    parts = [u for t in s.standards.values() for m in t["modules"] for u in m["units"]]
    printed = [i["id"] for u in parts for i in u["items"]]
    assert len(printed) == len(set(printed)) == 908
    for item in s.items.values():
        assert item.id.startswith(item.standard + "-")
        assert item.type in {"knowledge", "skill", "attitude", "political-ideological", "deliverable"}
        assert item.level in {"know", "understand", "state", "master", "can", "make", "hold", "unstated"}
        assert item.text and item.verb and item.src


def test_units_cover_every_item_and_nothing_else(s):
    assert len(s.units) == 64 and len(s.modules) == 17
    assert list(s.units)[:27] == s.routes["js"]["units"]
    assert {i for u in s.units.values() for i in u["covers"]} == set(s.items)
    modules = {m["id"] for m in s.modules}
    for unit in s.units.values():
        assert unit["module"] in modules and unit["id"].startswith(unit["module"] + ".")
        assert len(unit["covers"]) == len(set(unit["covers"]))


@pytest.mark.parametrize("name", syllabus.STANDARDS)
def test_a_route_reaches_every_item_of_its_standard(s, name):
    route = s.routes[name]
    on_route = route["units"] + route["also"]
    assert len(on_route) == len(set(on_route))
    reached = {i for u in on_route for i in s.units[u]["covers"]}
    assert {i.id for i in s.items.values() if i.standard == name} <= reached


def test_printed_hours_are_placed_once(s):
    total = Counter()
    for unit in s.units.values():
        total.update(unit["hours"])
    assert total == {"js": 72, "kd_t": 48, "kd_p": 17, "wl_c": 53, "wl_s": 46, "sw_t": 42, "sw_p": 32}
    for module in s.standards["js"]["modules"]:
        if module["kind"] == "content":
            split = sum(u["hours"]["js"] for u in s.units.values() if u["module"] == module["id"])
            assert split == int(module["hours"])


def test_weights_sum_to_100_where_the_standard_prints_any(s):
    for name in ("kd", "wl"):
        parts = s.standards[name]["assessment"]["components"]
        assert sum(p["weight"] for p in parts) == 100
        assert all(abs(sum(p["split"].values()) - 1) < 1e-9 for p in parts)
    for name in ("js", "sw"):  # 这两份没有权重：学校自己定，这里不许冒出一个默认值
        assert not any("weight" in p for p in s.standards[name]["assessment"]["components"])
