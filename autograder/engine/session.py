"""一次批改：一份作业，全班。谁要批、分给几个核、成批写库、记账、最后的报告。"""

import contextlib
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from autograder.engine import course as courses
from autograder.engine import journal as journals
from autograder.engine import pool, sandbox
from autograder.engine.book import Book, Score
from autograder.engine.grade import Plan, Result, Rules, grade, modules
from crmlib.cli import CourseError
from crmlib.tasks import read_tasks

VERSION = 1  # 引擎换了评法就加一：以前批的会提醒重批
LOT, EVERY = 200, 2.0  # 每批最多这么多份，或者这么多秒


@dataclass
class Report:
    """What a run did. ``results``: {student: Result.summary()}; ``kept``: graded before and unchanged."""

    assignment: str
    results: dict = field(default_factory=dict)
    kept: list = field(default_factory=list)
    stale: list = field(default_factory=list)
    weak: list = field(default_factory=list)
    broken: list = field(default_factory=list)
    layers: list = field(default_factory=list)
    changed: int = 0
    seconds: float = 0.0


class Session:
    """One assignment of one course, read once. CourseError says what is missing.

    ``guard=False``: run student code without a sandbox; ``fork=False``: as on Windows.
    """

    def __init__(self, root: Path, assignment: str, jobs=None, guard=True, fork=None):
        self.course, self.assignment = courses.load(root), assignment
        if not assignment or any(c in assignment for c in "/\\+\0") or assignment.startswith("."):
            raise CourseError(f"作业的名字 {assignment!r} 不对：写 source/ 里的文件夹名。")
        self.jobs, self.guard, self.fork = jobs or os.cpu_count() or 1, guard, fork
        self.source = self.course.folder("source", ".", assignment)
        self.book = Book(self.course.db_url)
        sources = self.book.sources(assignment, self._order())
        self.extra = self._extra()
        shown = self._tasks()
        self.plans = {name: Plan.of(name, source, shown) for name, source in sources.items()}
        for plan in self.plans.values():
            language = (plan.source.kernelspec or {}).get("language", "python")
            if plan.runs and str(language).lower() not in ("python", "python3"):
                raise CourseError(f"{plan.name}.ipynb 用的是 {language}，这里只会运行 Python。"
                                  "用 nbgrader autograde 批。")
        self.runs = any(plan.runs for plan in self.plans.values())
        self.rules = Rules(self.course.timeout, self.course.on_timeout, self.course.max_lines,
                           guard and fork is not False)
        self.journal = journals.Journal(self.course.root, assignment)
        self.mark = self._fingerprint()

    def _order(self) -> dict:
        """The nbgrader cells' order from the released (or the teacher's) notebooks."""
        order = {}
        for step in ("release", "source"):
            for path in self.course.folder(step, ".", self.assignment).glob("*.ipynb"):
                with contextlib.suppress(ValueError, KeyError, TypeError, OSError):
                    cells = json.loads(path.read_text("utf-8"))["cells"]
                    order.setdefault(path.stem, [
                        c["metadata"]["nbgrader"]["grade_id"] for c in cells
                        if c.get("metadata", {}).get("nbgrader", {}).get("grade_id")])
        return order

    def _extra(self) -> dict[str, Path]:
        """The teacher's files, which replace the student's of the same name (as in nbgrader)."""
        kept, found = set(self.course.keep.get(self.assignment, [])), {}
        for place, folders, names in os.walk(self.source):
            folders[:] = [f for f in folders if not courses._ignored(f, self.course.ignore)]
            for name in names:
                path = Path(place, name)
                inside = path.relative_to(self.source).as_posix()
                if not courses._ignored(name, [*self.course.ignore, "*.ipynb"]) and inside not in kept:
                    found[inside] = path
        return found

    def _tasks(self) -> dict:
        shown = {}
        for path in sorted((self.source / "tasks").glob("*.json")):
            with contextlib.suppress(CourseError):
                shown |= read_tasks(path)
        return shown

    def _fingerprint(self) -> str:
        """Changes when tests, points, the teacher's files or the engine change."""
        mark = hashlib.sha256(f"{VERSION}".encode())
        for name, plan in sorted(self.plans.items()):
            for cell in plan.source.cells.values():
                mark.update(f"{name}\0{cell.name}\0{cell.cell_type}\0{cell.source}\0{cell.points}\0".encode())
        for inside, path in sorted(self.extra.items()):
            mark.update(inside.encode() + path.read_bytes())
        return mark.hexdigest()[:24]

    # ---- 谁要批 ----

    def handed(self, student) -> courses.Handed:
        return courses.handed(self.course, self.assignment, student, self.plans)

    def todo(self, students=None, again=False) -> tuple[list[str], Report]:
        """(students to grade, report that knows the others). CourseError if a name is unknown."""
        everyone = self.course.students(self.assignment)
        if students and (unknown := [s for s in students if s not in everyone]):
            raise CourseError(f"{'、'.join(unknown)} 没有交 {self.assignment}"
                              f"（{self.course.folder('submitted', unknown[0], self.assignment)} 不在）。")
        if not everyone:
            raise CourseError(f"还没有人交 {self.assignment}：{self.course.root} 里没有 "
                              f"submitted/学号/{self.assignment}/。")
        report, chosen = Report(self.assignment), []
        known = {student for student, _, _ in self.book.marks(self.assignment)}
        for student in students or everyone:
            entry = self.journal.entries.get(student)
            same = entry and student in known and self._published(student, entry) \
                and entry["handed"] == journals.fingerprint(self.handed(student))
            if again or not same:
                chosen.append(student)
                continue
            report.kept.append(student)
            if entry["mark"] != self.mark:
                report.stale.append(student)
        return chosen, report

    def _published(self, student, entry) -> bool:
        folder = self.course.folder("autograded", student, self.assignment)
        try:
            return all((folder / f"{n}.ipynb").stat().st_size == size for n, size in entry["sizes"].items()) \
                and folder.is_dir()
        except OSError:
            return False

    # ---- 批 ----

    def modules(self) -> list[str]:
        """What the assignment's code cells import."""
        code = [c.source for plan in self.plans.values() for c in plan.source.cells.values()
                if c.cell_type == "code"]
        for path in self.source.glob("*.ipynb"):
            with contextlib.suppress(ValueError, KeyError, TypeError, OSError):
                code += ["".join(c["source"]) for c in json.loads(path.read_text("utf-8"))["cells"]
                         if c["cell_type"] == "code"]
        return modules(code)

    def trial(self, grade_one: Callable, report: Report) -> list[str]:
        """Grade the teacher's own solution: which foreign tests can be judged apart, which fail it.

        Sets ``fit`` and ``usual`` of the plans, ``weak`` and ``broken`` of the report; returns the modules
        that the solution loaded beyond those of the warm process.
        """
        foreign = {name: plan for name, plan in self.plans.items() if plan.foreign}
        notebooks = {n: path.read_bytes() for n in foreign if (path := self.source / f"{n}.ipynb").is_file()}
        for plan in foreign.values():
            plan.fit, plan.usual = set(plan.foreign), None
        handed, loaded = courses.Handed("（标准答案）", self.source, {}, notebooks), []
        result = grade_one({n: self.plans[n] for n in notebooks}, handed) if notebooks else Result("")
        for name, plan in foreign.items():
            made = result.notebooks.get(name, {"scores": {}, "look": list(plan.foreign)})
            seen = result.seen.get(name, {})
            plan.fit = {c for c in plan.foreign if made["scores"].get(c) and c not in made["look"]}
            plan.usual = seen.get("usual", {})
            loaded += seen.get("loaded") or []
            for cell in plan.foreign:
                if cell not in plan.fit:
                    (report.weak if cell in made["look"] else report.broken).append(f"{name}/{cell}")
        return loaded

    def results(self, students, report: Report) -> Iterator[tuple[Result, courses.Handed]]:
        """Grade ``students`` on this machine, as they finish.

        The trial goes first; while it runs, the other cores begin with the students.
        """
        warm = pool.Warm(self.modules(), self.jobs, self.guard, self.fork) if self.runs else None
        stop, tried = threading.Event(), threading.Event()

        def one(plans, handed, settled=lambda: None):
            return grade(plans, handed, self.extra, self.rules, warm, settled)

        def trial():
            try:
                warm.load(self.trial(one, report))
            finally:
                tried.set()

        def by_name(student):
            if stop.is_set():
                return None
            if student is None:
                return trial()
            handed = self.handed(student)
            return one(self.plans, handed, tried.wait), handed

        try:
            if warm:
                report.layers = sorted(self._guarded(warm))
                yield from filter(None, _parallel(by_name, [None, *students], self.jobs, stop, warm.close))
            elif self.jobs > 1 and len(students) > 100 and hasattr(os, "fork") and self.fork is not False:
                yield from self._in_processes(students)
            else:
                tried.set()
                yield from map(by_name, students)
        finally:
            stop.set()
            if warm:
                warm.close()

    def _in_processes(self, students) -> Iterator:
        """Cards are the grader's own work, and Python threads share one core: use processes.

        Forked before any thread is started here; they only read and reckon.
        """
        import multiprocessing

        global _session
        _session = self
        try:
            with multiprocessing.get_context("fork").Pool(self.jobs) as processes:
                yield from processes.imap_unordered(_cards, students, chunksize=16)
        finally:
            _session = None

    def _guarded(self, warm) -> set[str]:
        layers = warm.layers()
        if self.rules.guard and not layers >= sandbox.NEEDED:
            raise CourseError(unsafe(layers))
        return layers

    def save(self, lot: list[tuple[Result, courses.Handed]], report: Report) -> None:
        """Write a lot: gradebook first, then autograded/, then the journal; each step may be repeated."""
        if not lot:
            return
        rows = [(r.student, h.timestamp, {
            n: Score(made["scores"], made["comments"], set(made["look"]), made["missing"])
            for n, made in r.notebooks.items()}) for r, h in lot]
        report.changed += self.book.write(self.assignment, self.course.course_id, rows, self._penalty())
        try:
            entries = []
            with journals.workshop(self.course.root) as place:
                for result, handed in lot:
                    target = self.course.folder("autograded", result.student, self.assignment)
                    journals.publish(place, target, result.written, {**handed.files, **self.extra},
                                     self.course.permissions)
                    entries.append({"student": result.student, "mark": self.mark,
                                    "handed": journals.fingerprint(handed),
                                    "sizes": {n: len(raw) for n, raw in result.written.items()},
                                    "notes": result.notes})
            self.journal.add(entries)
        except OSError as fault:
            raise CourseError(f"批好的笔记写不进 {self.course.root}（{fault.strerror}）。"
                              "看看磁盘满没满、能不能写；再运行一次，会接着批。已经写好的不会丢。") from None
        report.results |= {r.student: r.summary() for r, _ in lot}

    def _penalty(self):
        """The late penalty plugin, if the configuration asks for one."""
        wanted = {"LateSubmissionPlugin", "AssignLatePenalties"} & set(self.course.config)
        if not wanted:
            return None
        from nbgrader.preprocessors import AssignLatePenalties

        made = AssignLatePenalties(config=self.course.config)
        made.init_plugin()
        return made.plugin_inst.late_submission_penalty

    def run(self, students=None, again=False, progress=lambda done, total: None, source=None,
            confirm=None) -> Report:
        """Grade and save. ``confirm(differences)``: asked before anything is written when ``again``.

        ``source(students, report)``: yields (Result, Handed), by default ``results`` on this machine.
        """
        began = time.monotonic()
        chosen, report = self.todo(students, again)
        self.journal.clear_temporary()
        lot, last, held = [], time.monotonic(), []
        progress(0, len(chosen))
        if chosen:
            for done, pair in enumerate((source or self.results)(chosen, report), 1):
                progress(done, len(chosen))
                (held if confirm else lot).append(pair)
                if len(lot) >= LOT or time.monotonic() - last > EVERY:
                    self.save(lot, report)
                    lot, last = [], time.monotonic()
        if confirm and held and not confirm(self.differences([r for r, _ in held])):
            report.seconds = time.monotonic() - began
            return report
        for start in range(0, len(held), LOT):
            self.save(held[start:start + LOT], report)
        self.save(lot, report)
        report.seconds = time.monotonic() - began
        return report

    def differences(self, results) -> list[tuple]:
        """[(student, notebook, cell, old points, new points, manual points)] where points change."""
        before, found = self.book.marks(self.assignment), []
        for result in results:
            for name, made in result.notebooks.items():
                cells = self.plans[name].source.cells.values()
                for cell in (c for c in cells if c.grade):
                    new = 0.0 if made["missing"] else made["scores"].get(cell.name)
                    old, manual, _ = before.get((result.student, name, cell.name), (None, None, True))
                    if old != new:
                        found.append((result.student, name, cell.name, old, new, manual))
        return found


_session = None  # 分身出来的进程从这里认得自己在批哪一份


def _cards(student):
    handed = _session.handed(student)
    return grade(_session.plans, handed, _session.extra, _session.rules), handed


def unsafe(layers) -> str:
    """What the teacher reads when code cannot be run safely here."""
    missing = [sandbox._WORDS[n] for n in ("files", "network", "limits") if n not in layers]
    return (f"这份作业里有学生的代码，这台电脑关不住它（做不到：{'、'.join(missing)}）。"
            "换一台 Linux 电脑批，或者在没有别的资料的电脑上加 --unsafe 批。卡片作业不受影响。")


_END = object()


def _parallel(work, items, jobs, stop, abort) -> Iterator:
    """``map`` in threads, in the order in which they finish, with no more than a few waiting.

    On Ctrl-C or a fault ``abort()`` ends what is running, so that nobody waits for an endless loop.
    """
    with ThreadPoolExecutor(jobs) as threads:
        waiting, left = set(), iter(items)
        try:
            while True:
                while len(waiting) < 2 * jobs and (item := next(left, _END)) is not _END:
                    waiting.add(threads.submit(work, item))
                if not waiting:
                    return
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except BaseException:
            stop.set()
            abort()
            raise
