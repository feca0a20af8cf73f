"""考核方案：哪些分项，各占几分，谁来评。kd、wl 照标准所印；js、sw 没有印权重，要学校自己定。"""

import hashlib
import json
import tomllib
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path

from crmlib.cli import CourseError

KINDS = {"teacher": "教师", "self": "自评", "peer_within": "组内互评", "peer_between": "组间互评",
         "enterprise": "企业"}
PEERS = ("peer_within", "peer_between")
PRINTED = ("kd", "wl")  # 标准印了权重的
UNPRINTED = ("js", "sw")
_NEVER_MACHINE = ("态度", "素养", "思政", "品德")


@cache
def ours() -> dict:
    """What this course adds to the standards: see ours.toml."""
    return tomllib.loads(Path(__file__).with_name("ours.toml").read_text("utf-8"))


@dataclass(frozen=True)
class Component:
    """One line of a scheme. ``weight``: points of 100; ``split``: {assessor kind: share}, sum 1.

    ``target``: "student", or "group" where teacher and enterprise mark the group's product.
    """

    id: str
    name: str
    group: str
    weight: Fraction
    split: dict
    evidence: str = ""
    assessor: str = ""
    machine: bool = False
    attendance: bool = False
    target: str = "student"
    rubric: str = "general"

    def criteria(self, kind: str) -> list[dict]:
        """The rubric (ours) for one kind of assessor: [{name, points, good, poor}], points sum to 100."""
        name = "enterprise" if kind == "enterprise" else self.rubric
        if kind == "peer_within" and self.target == "group":  # 组内评的是人，不是成果
            name = "teamwork"
        return ours()["rubrics"][name]

    def is_group(self, kind: str) -> bool:
        """Whether what is marked is the group's product."""
        return kind == "peer_between" or (self.target == "group" and kind in ("teacher", "enterprise"))


@dataclass(frozen=True)
class Scheme:
    """A whole scheme. ``variant``: empty if as printed, else whose variant it is.

    ``places``: decimals of the final mark (half up); ``least``: raters that a peer mark needs;
    ``gap``: points between self and teacher that are worth a look.
    """

    id: str
    title: str
    components: tuple[Component, ...]
    notes: tuple[str, ...] = ()
    variant: str = ""
    places: int = 0
    least: int = 2
    gap: int = 20

    @property
    def version(self) -> str:
        """12 hex digits that change with anything in the scheme."""
        return hashlib.sha256(json.dumps(self.to_dict(), ensure_ascii=False, sort_keys=True).encode()
                              ).hexdigest()[:12]

    def component(self, name: str) -> Component:
        """By id or by name; CourseError names the ones there are."""
        for component in self.components:
            if name in (component.id, component.name):
                return component
        have = "、".join(f"{c.id} {c.name}" for c in self.components)
        raise CourseError(f"方案里没有分项“{name}”。有：{have}")

    def kind_points(self) -> dict[str, Fraction]:
        """{assessor kind: points of 100 that it decides}, only kinds that decide any."""
        points = {}
        for c in self.components:
            for kind, share in c.split.items():
                points[kind] = points.get(kind, 0) + c.weight * share
        return {kind: points[kind] for kind in KINDS if points.get(kind)}

    def rule(self) -> str:
        to = {0: "整数"}.get(self.places, f"{self.places} 位小数")
        return f"中间一律不舍入，最后四舍五入到{to}。"

    def to_dict(self) -> dict:
        parts = [{**c.__dict__, "weight": str(c.weight), "split": {k: str(v) for k, v in c.split.items()}}
                 for c in self.components]
        return {**self.__dict__, "components": parts, "notes": list(self.notes)}

    @staticmethod
    def from_dict(content: dict) -> "Scheme":
        parts = tuple(Component(**{**c, "weight": Fraction(c["weight"]),
                                   "split": {k: Fraction(v) for k, v in c["split"].items()}})
                      for c in content["components"])
        return Scheme(**{**content, "components": parts, "notes": tuple(content["notes"])})


def printed(name: str, root: Path, *, peer: str = "between", places: int = 0) -> Scheme:
    """kd or wl exactly as printed. ``peer``: how wl's 小组互评 is read, between groups or within.

    Raises CourseError for js and sw, which print no weights.
    """
    if name in UNPRINTED:
        raise CourseError(f"{name} 这份标准没有印权重，要学校自己定。先运行 crm class marks form {name}，"
                          f"把写出来的 方案-{name}.xlsx 填好，再运行 crm class marks --scheme "
                          f"方案-{name}.xlsx")
    if name not in PRINTED:
        raise CourseError(f"没有“{name}”这个方案。可以写 kd、wl，或者学校填好的方案文件（.xlsx、.toml）。")
    standard = tomllib.loads((root / "syllabus" / f"{name}.toml").read_text("utf-8"))
    section = standard["assessment"]
    parts = tuple(_component(c) for c in section["components"])
    scheme = Scheme(name, f"{standard['title']}（照课程标准的考核表）", parts, places=places)
    notes = list(ours()["notes"][name])
    if "enterprise_note" in section:
        notes.append(f"{section['enterprise_note']}。企业占 0 分，可以写评语。")
    if name == "wl":
        if peer == "within":
            scheme = replace(scheme, components=tuple(
                replace(c, split={{"peer_between": "peer_within"}.get(k, k): v for k, v in c.split.items()})
                for c in parts))
        notes.append(_overall(section["stated_overall_split"], scheme))
        notes.append("“小组互评”没有说是组内还是组间，"
                     + ("学校定为组内。" if peer == "within" else "本课程按组间读：评的是小组的成果。"))
    return replace(scheme, notes=tuple(notes))


def _component(printed: dict) -> Component:
    extra = ours()["components"].get(printed["id"], {})
    return Component(
        printed["id"], printed["name"], printed["group"], Fraction(str(printed["weight"])),
        {k: Fraction(str(v)) for k, v in printed["split"].items()},
        printed.get("evidence", ""), printed.get("assessor", ""), **extra)


def _overall(stated: dict, scheme: Scheme) -> str:
    points = scheme.kind_points()
    students = "、".join(f"{KINDS[k]} {points[k]}" for k in (*PEERS, "self") if k in points)
    return (f"正文说教师占 {stated['teacher']}、学生占 {stated['student']}；照表算，教师 "
            f"{points['teacher']}、"
            f"{students}。这里照表算。")


def check(scheme: Scheme) -> list[str]:
    """What keeps a scheme from being used; [] if nothing."""
    found, total = [], sum(c.weight for c in scheme.components)
    if not scheme.components:
        return ["方案里一个分项也没有。"]
    if total != 100:
        found.append(f"权重加起来是 {float(total):g}，要等于 100。")
    for c in scheme.components:
        unknown = [k for k in c.split if k not in KINDS]
        if unknown:
            found.append(f"{c.name}：没有“{'、'.join(unknown)}”这种评价人；可以写：{'、'.join(KINDS)}。")
        if c.weight <= 0:
            found.append(f"{c.name}：权重要大于 0。不用的分项删掉。")
        if any(share < 0 for share in c.split.values()) or sum(c.split.values()) != 1:
            found.append(f"{c.name}：各评价人的份额加起来是 {float(sum(c.split.values()) * 100):g}%，要等于 "
                         f"100%。")
        if c.machine and any(word in c.name for word in _NEVER_MACHINE):
            found.append(f"{c.name}：态度、素养要由人评，不能由机器批改。")
        if c.target not in ("student", "group") or c.rubric not in ours()["rubrics"]:
            found.append(f"{c.name}：target 要是 student 或 group，rubric 要是 "
                         f"{'、'.join(ours()['rubrics'])}。")
    ids, names = [c.id for c in scheme.components], [c.name for c in scheme.components]
    found += [f"“{x}”出现了两次。" for x in sorted({x for x in ids + names if (ids + names).count(x) > 1})]
    sides = {"过程" if c.group.startswith("过程") else "结果" for c in scheme.components}
    if scheme.id == "js" and len(sides) < 2:
        found.append("这份标准要过程和结果都算：至少各要一个分项（“类别”一栏写“过程”或“结果”）。")
    return found
