"""学到哪里了：数 ``answers.json`` 里的练习。只读文件，坏了的跳过并说出来。"""

import html
import os
from dataclasses import dataclass, field
from pathlib import Path

from crmlib.tasks import answers
from crmlib.tasks.core import TaskError


@dataclass
class Progress:
    """``done`` of ``total`` practice tasks, ``points`` of ``of``; task ``at`` was saved last, at ``last``."""

    done: int = 0
    total: int = 0
    points: float = 0.0
    of: float = 0.0
    last: str = ""
    at: str = ""

    def __add__(self, other: "Progress") -> "Progress":
        return Progress(self.done + other.done, self.total + other.total, self.points + other.points,
                        self.of + other.of, *max((self.last, self.at), (other.last, other.at)))

    @property
    def share(self) -> float:
        """Done tasks, 0 to 1."""
        return self.done / self.total if self.total else 0.0

    @property
    def started(self) -> bool:
        return bool(self.last)

    @property
    def finished(self) -> bool:
        return self.done == self.total > 0

    def __str__(self) -> str:
        points = f"，得 {self.points:g} / {self.of:g} 分" if self.of else ""
        return f"练习完成 {self.done} / {self.total}{points}"


@dataclass
class CourseProgress:
    """Progress of every unit by id; ``last``: the unit worked on last; ``damaged``: unreadable files."""

    units: dict[str, Progress] = field(default_factory=dict)
    last: str | None = None
    damaged: list[str] = field(default_factory=list)

    def of(self, ids) -> Progress:
        """The sum over some units, e.g. those of a module."""
        return sum((self.units[i] for i in ids if i in self.units), Progress())


def count(points: dict[str, float], records: dict) -> Progress:
    """Progress over the tasks ``{id: full points}``, given the records of an answers.json.

    A task is done when its answer is right, or once earned all points; a poll (no points), when it is saved.

    >>> count({"1.1-1": 2, "1.1-2": 0}, {"1.1-1": {"state": "partial", "points": 1, "saved": "2026-11-23"},
    ...                                  "1.1-2": {"state": "saved", "saved": "2026-11-24"}})
    Progress(done=1, total=2, points=1.0, of=2.0, last='2026-11-24', at='1.1-2')
    """
    found = Progress(total=len(points), of=float(sum(points.values())))
    for task, full in points.items():
        record = records.get(task)
        if not isinstance(record, dict):
            continue
        got = record.get("points")
        got = min(max(float(got), 0.0), full) if isinstance(got, int | float) else 0.0
        found.points += got
        found.done += record.get("state") == ("right" if full else "saved") or 0 < full <= got
        if isinstance(record.get("saved"), str) and record["saved"] > found.last:
            found.last, found.at = record["saved"], task
    return found


def read(course: dict, folder: Path) -> CourseProgress:
    """Progress in every unit of the course map; ``folder`` is ``notebooks/``."""
    result, records = CourseProgress(), {}
    for unit in (unit for module in course["modules"] for unit in module["units"]):
        place = (folder / unit["path"]).parent
        if place not in records:
            try:
                records[place] = answers.read(place)
            except TaskError:
                records[place] = {}
                result.damaged.append(f"{place.relative_to(folder).as_posix()}/{answers.NAME}")
        full = {task: unit.get("points", {}).get(task, 1) for task in unit["tasks"]}
        result.units[unit["id"]] = count(full, records[place])
    started = {i: p.last for i, p in result.units.items() if p.started}
    result.last = max(started, key=started.get, default=None)
    return result


def progress() -> "Card":
    """The present notebook's practice, as a small card."""
    from crmlib.tasks import full_points, read_tasks

    here, damaged, lines = Path.cwd(), "", {}
    try:
        records = answers.read(here)
    except TaskError as fault:
        records, damaged = {}, str(fault)
    files = sorted((here / "tasks").glob("*.json"))
    # 一个文件夹里可以有几个单元：只数正开着的这一个
    present = Path(os.environ.get("JPY_SESSION_NAME", "")).name.partition("-")[0]
    for file in [f for f in files if f.stem == present] or files:
        tasks = read_tasks(file).values()
        full = {t["id"]: full_points(t) for t in tasks if t.get("use", "practice") == "practice"}
        lines[file.stem] = count(full, records)
    return Card(lines, damaged)


@dataclass
class Card:
    """Progress of some units, shown by a notebook as HTML, elsewhere as text."""

    units: dict[str, Progress]
    damaged: str = ""

    def __repr__(self) -> str:
        lines = [f"单元 {unit}：{p}" for unit, p in self.units.items()]
        return "\n".join([*lines, *filter(None, [self.damaged])]) or "这里没有练习。"

    def _repr_html_(self) -> str:
        lines = "".join(
            f"<div style='display:flex;flex-wrap:wrap;gap:.4em 1em;align-items:center;margin:.3em 0'>"
            f"<b>单元 {html.escape(unit)}</b>{bar(p)}<span>{p}</span></div>"
            for unit, p in self.units.items()
        ) or "这里没有练习。"
        damaged = f"<div style='color:var(--jp-error-color1,#b71c1c)'>{html.escape(self.damaged)}</div>"
        return (
            "<div class='crm-progress' style='max-width:36em;padding:.6em 1em;border-radius:8px;"
            f"border:1px solid var(--jp-border-color2,#ddd)'>{lines}{damaged if self.damaged else ''}</div>"
        )


def bar(p: Progress, style: str = "flex:1;min-width:8em") -> str:
    """A progress bar; says its numbers to a screen reader."""
    return (
        f"<div role='progressbar' aria-valuemin='0' aria-valuemax='{p.total}' aria-valuenow='{p.done}' "
        f"aria-label='{p}' style='{style};height:8px;border-radius:4px;overflow:hidden;"
        "background:var(--jp-border-color2,#e0e0e0)'>"
        f"<div style='width:{p.share:.0%};height:100%;"
        "background:var(--jp-success-color1,#388e3c)'></div></div>"
    )
