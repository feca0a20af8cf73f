"""四份课程标准、64 个单元和四条路线：把 ``syllabus/*.toml`` 读成查得到的样子。"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

STANDARDS = ("js", "kd", "wl", "sw")


@dataclass(frozen=True)
class Item:
    """One requirement of a standard, with the place where it is printed."""

    id: str
    verb: str
    level: str
    type: str
    text: str
    standard: str
    src: str


@dataclass(frozen=True)
class Syllabus:
    """``standards``, ``items``, ``units`` (in order) and ``routes`` by id; ``modules`` as a list."""

    standards: dict
    items: dict
    modules: list
    units: dict
    routes: dict


def load(root: Path) -> Syllabus:
    """Read ``root/syllabus``."""
    def read(name):
        return tomllib.loads((root / "syllabus" / f"{name}.toml").read_text("utf-8"))

    standards = {name: read(name) for name in STANDARDS}
    items = {}
    for name, standard in standards.items():
        for module in standard["modules"]:
            for part in module["units"]:
                for item in part["items"]:
                    items[item["id"]] = Item(**item, standard=name, src=part["src"])
    plan = read("units")
    return Syllabus(standards, items, plan["modules"], {u["id"]: u for u in plan["units"]}, read("routes"))


def hours(unit: dict) -> dict:
    """Hours of a unit per standard, one number each.

    Theory and practice are added. wl prints two accounts of the same hours that must not be added:
    the task table counts, and the schedule only where the task table has nothing.

    >>> hours({"hours": {"js": 2, "kd_t": 4, "kd_p": 2, "wl_c": 1, "wl_s": 3}})
    {'js': 2, 'kd': 6, 'wl': 1}
    """
    h = unit["hours"]
    total = {"js": h.get("js", 0), "kd": h.get("kd_t", 0) + h.get("kd_p", 0),
             "wl": h.get("wl_c", 0) or h.get("wl_s", 0), "sw": h.get("sw_t", 0) + h.get("sw_p", 0)}
    return {name: n for name, n in total.items() if n}
