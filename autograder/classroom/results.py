"""一份作业的成绩和答案，读进内存：报告和雷同都从这里看。只读，什么也不改。"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from autograder.build import grade_id
from autograder.classroom.course import Classroom
from crmlib.cli import CourseError
from crmlib.tasks import answers, decode_task, full_points, score_task
from crmlib.tasks.core import Result, TaskError
from crmlib.tasks.session import mine

_SCORE = re.compile(r"""crm\.score\(\s*["']([^"']+)["'],\s*["']([A-Za-z0-9+/=]+)["']""")


@dataclass
class Item:
    """One scored cell: ``task`` is the whole task with its key, {} where it is not one of the course's."""

    name: str
    title: str
    points: float
    task: dict = field(default_factory=dict)

    @property
    def label(self) -> str:
        return f"{self.task['id']} {self.title}" if self.task else self.title


@dataclass
class Student:
    """One student's work for the assignment.

    ``scores``: {cell: points, None while nobody has marked it}; ``results``: {cell: what scoring the answer
    said}; ``answers``: {task id: answer}; ``code``: {cell: source}; ``seed``, ``saved``: from answers.json.
    """

    id: str
    scores: dict[str, float | None] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)
    answers: dict[str, object] = field(default_factory=dict)
    code: dict[str, str] = field(default_factory=dict)
    seed: str = ""
    saved: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> float:
        return sum(score or 0 for score in self.scores.values())


def items(room: Classroom, name: str) -> list[Item]:
    """The scored cells of an assignment, in its order, from the class's own source."""
    source = room.folder("source", ".", name)
    public = {}
    for path in sorted((source / "tasks").glob("*.json")):
        public |= {grade_id(t["id"]): t for t in json.loads(path.read_text("utf-8"))["tasks"]}
    found = []
    for path in sorted(source.glob("*.ipynb")):
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            meta = cell.get("metadata", {}).get("nbgrader") or {}
            if not (meta.get("grade") or meta.get("task")):
                continue
            key, hit = meta["grade_id"], _SCORE.search("".join(cell["source"]))
            task = decode_task(hit[2]) if hit else public.get(key, {})
            found.append(Item(key, task.get("title", key), float(meta.get("points", 0)), task))
    if not found:
        raise CourseError(f"{source} 里没有评分的格子，看不出这份作业有哪些题。")
    return found


def students(room: Classroom, book, name: str, wanted: list[Item]) -> list[Student]:
    """Everyone whose work for the assignment is in the gradebook, answers read and scored again.

    Scoring again says which known mistake it was; the points are the gradebook's.
    """
    from nbgrader.api import Assignment, BaseCell, Grade, SubmittedAssignment, SubmittedNotebook

    found: dict[str, Student] = {}
    rows = book.db.execute(
        select(SubmittedAssignment.student_id, BaseCell.name, Grade.score, Grade.needs_manual_grade)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
        .join(BaseCell, Grade.cell_id == BaseCell.id)
        .where(Assignment.name == name))
    for student, cell, score, waiting in rows:
        scores = found.setdefault(student, Student(student)).scores
        scores[cell] = None if waiting else float(score or 0)
    for one in found.values():
        one.scores = {i.name: one.scores.get(i.name) for i in wanted}
        read(one, room.folder("submitted", one.id, name), room.folder("autograded", one.id, name), wanted)
    return sorted(found.values(), key=lambda s: s.id)


def read(one: Student, submitted: Path, autograded: Path, wanted: list[Item]) -> Student:
    """Fill in what a student handed in; returns him. Whatever is broken is simply not there."""
    try:
        file = answers.Handed((submitted / answers.NAME).read_bytes())
        one.seed = file.seed()
    except (OSError, TaskError):
        file = answers.Handed(None)
    for item in wanted:
        record = file.record(item.task.get("id", ""))
        if not record:
            continue
        one.answers[item.task["id"]] = record.get("answer")
        if isinstance(record.get("saved"), str):
            one.saved[item.task["id"]] = record["saved"]
        if "key" in item.task and item.task["kind"] not in ("code", "write"):
            try:
                given = mine(item.task, grading=True, file=file)
                one.results[item.name] = score_task(given, record.get("answer"), final=True)
            except Exception:  # 再离奇的答案也不许让报告停下来
                one.results[item.name] = Result("malformed", 0.0, full_points(item.task))
    codes = {grade_id(i.task["id"]): i for i in wanted if i.task.get("kind") == "code"}
    for cell in _cells(submitted):
        key = _key(cell)
        if key.removesuffix("-code") in codes and key.endswith("-code"):
            one.code[key.removesuffix("-code")] = "".join(cell.get("source", ""))
    if codes:  # 代码题的错误写在批过的笔记里：提示就是学生看到的那一句
        for cell in _cells(autograded):
            if item := codes.get(_key(cell)):
                said = json.dumps(cell.get("outputs", []), ensure_ascii=False)
                names = [m["name"] for m in item.task.get("mistakes", []) if m["hint"] in said]
                score = one.scores.get(item.name)
                state = "right" if score == item.points else "partial" if score else "wrong"
                one.results[item.name] = Result(state, score or 0.0, item.points, mistakes=names)
    return one


def _cells(folder: Path):
    for path in sorted(folder.glob("*.ipynb")):
        try:
            cells = json.loads(path.read_text("utf-8-sig"))["cells"]
            yield from (c for c in cells if isinstance(c, dict))
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue


def _key(cell) -> str:
    meta = cell.get("metadata")
    meta = meta.get("nbgrader") if isinstance(meta, dict) else None
    return str(meta.get("grade_id", "")) if isinstance(meta, dict) else ""


def item_text(task: dict, item: str) -> str:
    """What a small item (a card, an option, a blank) says, for a list of what went wrong most."""
    for holder in ("cards", "left", "options", "items", "blanks", "names", "rows"):
        inside = task.get(holder)
        if isinstance(inside, dict) and item in inside:
            said = inside[item]
            return str(said.get("text") or said.get("title") or item) if isinstance(said, dict) else str(said)
    return item
