"""一份作业从头到尾：读、修、跑、评，得出分和 autograded/ 里的那本笔记。不碰成绩库，也不写课程文件夹。"""

import ast
import builtins
import json
import re
import time
from dataclasses import dataclass, field
from pathlib import Path

from autograder.engine import cards, course, marks, outputs, pool
from autograder.engine.judge import Judge
from autograder.engine.repair import Source, repair
from crmlib.cli import CourseError
from crmlib.tasks import answers

TRIES = 3  # 一份作业最多从头跑这么多遍：哪一格弄死了进程，下一遍就跳过它
LOST = "没有运行"
DOUBT = "留用的判分进程给的分不一样"


@dataclass
class Plan:
    """One notebook of an assignment, worked out once for the whole class.

    ``tasks``: {grade_id: our task that it scores}; ``foreign``: {grade_id: names that its test reads};
    ``fit``: those of them that a clean process can judge from values, and ``usual``: {name: library function
    or module that they read} (both found with the teacher's own solution; until then all fit and ``usual`` is
    None); ``runs``: whether student code must be run at all.
    """

    name: str
    source: Source
    tasks: dict[str, dict] = field(default_factory=dict)
    foreign: dict[str, list[str]] = field(default_factory=dict)
    fit: set[str] = field(default_factory=set)
    usual: dict | None = None
    runs: bool = False
    shown: dict[str, dict] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, source: Source, shown: dict) -> "Plan":
        plan = cls(name, source, shown=shown)
        for cell in source.cells.values():
            if cell.cell_type != "code":
                continue
            if cell.grade and not cell.solution:
                task = cards.task_of(cell.source)
                if task is None:
                    plan.foreign[cell.name] = _names(cell.source)
                else:
                    plan.tasks[cell.name] = task
                    plan.runs |= task["kind"] == "code"
            elif cell.solution:
                plan.runs = True
        plan.runs |= bool(plan.foreign)
        plan.fit, plan.usual = set(plan.foreign), None if plan.foreign else {}
        return plan


@dataclass
class Result:
    """What came of one submission.

    ``notes``: [(kind, Chinese sentence)], kind: repaired · look · stopped · warning · file;
    ``notebooks``: {name: {"scores", "comments", "look", "missing"}};
    ``written``: {name: the graded notebook}; ``seen``: {name: {"usual", "loaded"}}, what the judge and the
    student's process came to know, for the trial of the teacher's solution.
    """

    student: str
    timestamp: str | None = None
    notebooks: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)
    written: dict = field(default_factory=dict)
    layers: list = field(default_factory=list)
    seen: dict = field(default_factory=dict)
    seconds: float = 0.0

    def note(self, kind, text) -> None:
        if [kind, text] not in self.notes:
            self.notes.append([kind, text])

    def summary(self) -> dict:
        """For the journal: everything but the notebooks themselves."""
        return {k: v for k, v in vars(self).items() if k not in ("written", "seen")}


@dataclass
class Rules:
    """What of the course's settings one submission needs; small, so that it can travel to another machine."""

    timeout: int = 30
    on_timeout: dict = field(default_factory=dict)
    max_lines: int = 1000
    guard: bool = True


def grade(plans: dict[str, Plan], handed: course.Handed, extra: dict, rules: Rules, warm=None,
          settled=lambda: None) -> Result:
    """Grade one submission. Never raises because of what is in it.

    ``extra``: the teacher's files, {path: real path or bytes}, which replace the student's; ``warm``: where
    code is run (None: no code may be run); ``settled()`` waits until the plans' ``fit`` is known.
    """
    began = time.perf_counter()
    result = Result(handed.student, handed.timestamp.isoformat() if handed.timestamp else None)
    for said in handed.skipped:
        result.note("file", said + "。")
    for name, plan in plans.items():
        raw = handed.notebooks.get(name)
        if raw is None:
            near = [n for n in handed.notebooks if n not in plans]
            result.note("look", f"没有交 {name}.ipynb（文件改了名，或者忘了放进来）{_named(near)}，"
                                "这本记 0 分。")
            result.notebooks[name] = {"scores": {}, "comments": {}, "look": [], "missing": True}
            continue
        try:
            _notebook(result, plan, raw, _Files(handed.files, extra), rules, warm, settled)
        except CourseError:  # 这台电脑的毛病，不是这份作业的：停下来，不给全班记 0 分
            raise
        except Exception as fault:  # 引擎自己的错也只影响这一份，并且说出来
            _unread(result, plan, f"批改时出了意外（{type(fault).__name__}: {str(fault)[:100]}）")
    result.seconds = time.perf_counter() - began
    return result


def _named(names) -> str:
    return f"；有 {'、'.join(sorted(names)[:3])}.ipynb" if names else ""


def _unread(result, plan, why) -> None:
    """A notebook that cannot be graded at all: no points, and a person must look."""
    result.note("look", f"{plan.name}.ipynb：{why}，暂记 0 分，等老师看。")
    cells = plan.source.cells.values()
    result.notebooks[plan.name] = {
        "scores": {c.name: 0.0 for c in cells if c.grade}, "comments": {}, "missing": False,
        "look": [c.name for c in cells if c.grade]}
    nb = {"cells": [{"cell_type": "markdown", "id": "why", "metadata": {},
                     "source": f"交来的 {plan.name}.ipynb 批不了：{why}。原来的文件在 submitted/ 里。"}],
          "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    repair(nb, plan.source)
    result.written[plan.name] = _dump(nb)


class _Files(dict):
    """What lies in the submission's folder: the student's files, the teacher's over them.

    ``common``: the teacher's alone; None if the student has files of his own.
    """

    def __init__(self, handed, extra):
        super().__init__({**handed, **extra})
        self.common = extra if set(handed) - set(extra) <= {"timestamp.txt"} else None


def _notebook(result, plan, raw, files, rules, warm, settled) -> None:
    nb, why = course.parse(raw)
    if nb is None:
        return _unread(result, plan, why)
    for finding in repair(nb, plan.source):
        result.note("look" if finding.lost else "repaired", finding.teacher)
    file = answers.Handed(_answers(files.get("answers.json"), result))
    if any(task["kind"] != "code" for task in plan.tasks.values()):
        if file.fault:
            result.note("look", f"{file.fault}卡片题先记 0 分，让他再交一次。")
        elif files.get("answers.json") is None:
            result.note("file", "没有 answers.json，卡片题记 0 分：没有做，或者忘了交这个文件。")
    look: set[str] = set()
    if plan.runs and warm is None:
        return _unread(result, plan, "里面有要运行的代码，这次没有运行")
    judged = {}
    if plan.runs:
        _Run(result, plan, nb, files, rules, warm, file, look, judged).go()
    else:
        _without_kernel(plan, nb, file)
    settled()
    _mark(result, plan, nb, look, rules, judged)


def _answers(found, result) -> bytes | None:
    if found is None:
        return None
    raw = found if isinstance(found, bytes) else course.read(Path(found), cards.ANSWERS_BYTES)
    if not raw and not isinstance(found, bytes) and Path(found).stat().st_size:
        result.note("look", f"answers.json 太大或读不了，没有读（{Path(found).stat().st_size >> 20} MB）。")
    return raw


def _without_kernel(plan, nb, file) -> None:
    """Only cards: score them here, and show the answers as the notebook would."""
    for count, cell in enumerate((c for c in nb["cells"] if c["cell_type"] == "code"), 1):
        task = plan.tasks.get(_id(cell))
        if task:
            cell["outputs"] = cards.judge(task, file)[1]
        elif found := cards.show(cell["source"], plan.shown, file):
            cell["outputs"] = found[0]
        _count(cell, count)


def _id(cell) -> str | None:
    return (cell["metadata"].get("nbgrader") or {}).get("grade_id")


def _count(cell, count) -> None:
    cell["execution_count"] = count
    for output in cell["outputs"]:
        if output["output_type"] == "execute_result":
            output["execution_count"] = count


# ---- 跑学生的代码 ----

@dataclass
class _Run:
    result: Result
    plan: Plan
    nb: dict
    files: _Files
    rules: Rules
    warm: pool.Warm
    file: answers.Handed
    look: set
    judged: dict  # {评分格: 干净的进程里判的分，None 判不了}
    _late: bool = False  # 正在跑的这一格超过了时间
    _alone: bool = False  # 用一个全新的进程判分

    def go(self) -> None:
        dead: dict[int, str] = {}
        while len(dead) < TRIES:
            fatal = self._once(dead)
            if fatal is None:
                return
            if fatal is DOUBT:
                self._alone = True
                continue
            place, why = fatal
            dead[place] = why
            words = {"timeout": "停不下来，打断也没有用", "garbled": "弄坏了和批改程序的联系"}.get(
                why, "弄停了整个程序（退出、内存用完或崩溃）")
            label = f"第 {place + 1} 格"
            self.result.note("look", f"{label}{words}：这一格没有算，跳过它重跑了一遍。")
            self.result.note("stopped", f"{self._label(place)}{words}。")
        self.result.note("look", f"跳过 {len(dead)} 格以后还是跑不完，后面的格子没有算。")
        for cell in self.nb["cells"][max(dead):]:
            if cell["cell_type"] == "code" and not cell["outputs"]:
                cell["outputs"] = [outputs.error(LOST, "前面的格子弄停了程序")]
                self._watch(cell)

    def _watch(self, cell) -> None:
        """A graded cell that could not be run: its 0 is not a verdict."""
        if name := self._graded(cell):
            self.look.add(name)

    def _graded(self, cell) -> str | None:
        name = _id(cell)
        known = self.plan.source.cells.get(name)
        return name if known and known.grade else None

    def _label(self, place) -> str:
        """How the teacher finds a cell: by its nbgrader name, else by its number."""
        name = _id(self.nb["cells"][place])
        return f"{name} 格" if name else f"第 {place + 1} 格"

    def _stopped(self, place, late) -> None:
        """Tell of a limit or a guard that a cell ran into; its score stands."""
        if late:
            self.result.note("stopped", f"{self._label(place)}超过 {self.rules.timeout} 秒。")
        for output in self.nb["cells"][place]["outputs"]:
            if why := outputs.stopped(output):
                self.result.note("stopped", f"{self._label(place)}{why}。")

    def _once(self, dead) -> tuple[int, str] | str | None:
        """Run all cells in a fresh process; (place, why) of the cell that ended it, None if all went well.

        DOUBT: all went well, but the judge that was used before must not have the last word.
        """
        place, child, judge = -1, None, None
        deadline = time.monotonic() + 10 * self.rules.timeout
        self.judged.clear()
        try:
            child = self.warm.open(self.files)
            self._check(child)
            if self.plan.fit:
                common = None if self._alone else self.files.common
                judge = Judge(self.warm, self.plan, self.files if common is None else common,
                              common is not None, self.rules.timeout)
            count = 0
            for place, cell in enumerate(self.nb["cells"]):
                if cell["cell_type"] != "code" or not cell["source"].strip():
                    continue
                count += 1
                if place in dead:
                    cell["outputs"] = [outputs.error(LOST, "这一格会弄停程序")]
                    self._watch(cell)
                elif time.monotonic() > deadline:
                    cell["outputs"] = [outputs.error(LOST, "这份作业总共用的时间太长")]
                    self._watch(cell)
                    self.result.note("look", f"总时间超过 {10 * self.rules.timeout} 秒，后面的格子没有算。")
                else:
                    self._late = False
                    self._cell(child, judge, cell)
                    self._stopped(place, self._late)
                _count(cell, count)
            if self.plan.usual is None:
                loaded = child.ask({"do": "loaded"}, self.rules.timeout).get("loaded")
                self.result.seen[self.plan.name] = {"usual": judge.usual if judge else {}, "loaded": loaded}
            return DOUBT if judge and judge.kept and self._doubtful() else None
        except pool.Died as fault:
            if place < 0:
                raise CourseError("跑学生代码的进程起不来（这台电脑太忙，或者内存不够）。"
                                  "用 --jobs 1 再运行一次，会接着批。") from fault
            return place, str(fault)
        finally:
            if judge:
                judge.close()
            if child:
                child.close()

    def _check(self, child) -> None:
        from autograder.engine.sandbox import NEEDED

        if self.rules.guard and not child.layers >= NEEDED:
            raise CourseError("保护没有装上，没有运行学生的代码。再运行一次；还是这样，就换一台电脑。")
        self.result.layers = sorted(child.layers)

    def _doubtful(self) -> bool:
        """Whether the judge would take points away."""
        return any((points := marks.of_cell(cell).points) and self.judged[name] != points
                   for cell in self.nb["cells"] if (name := _id(cell)) in self.judged)

    def _cell(self, child, judge, cell) -> None:
        name = _id(cell)
        known, timeout = self.plan.source.cells.get(name), self.rules.timeout
        if task := self.plan.tasks.get(name):
            values = None
            self._run(child, "import crmlib as crm", timeout)
            if task["kind"] == "code":
                values = child.ask({"do": "values", "names": dict(task["names"])}, timeout).get("values")
                self._late |= child.late
            cell["outputs"] = cards.judge(task, self.file, values)[1]
        elif name in self.plan.foreign:
            if judge and name in self.plan.fit:
                self.judged[name] = judge.mark(child, name)
            cell["outputs"] = self._run(child, cell["source"], timeout)
        elif found := cards.show(cell["source"], self.plan.shown, self.file):
            self._run(child, found[1], timeout) if found[1] else None
            cell["outputs"] = found[0]
        else:
            cell["outputs"] = self._run(child, cell["source"], timeout)
            if judge and known and known.locked:
                judge.prepare(cell["source"])

    def _run(self, child, source, timeout) -> list:
        reply = child.ask({"do": "run", "source": source}, timeout)
        made = outputs.clean(reply.get("outputs"))
        if child.late:
            self._late = True
            late = {"ename": "CellTimeoutError", "evalue": "", "traceback": [], **self.rules.on_timeout}
            made.append({"output_type": "error", **late})
        return made


# ---- 评 ----

def _mark(result, plan, nb, look, rules, judged) -> None:
    scores, comments = {}, {}
    for cell in nb["cells"]:
        meta = cell["metadata"].get("nbgrader")
        if not meta:
            continue
        name = meta["grade_id"]
        if meta["grade"]:
            mark = marks.of_cell(cell)
            scores[name] = mark.points
            if mark.warned:
                result.note("warning", f"{name}：代码运行时有警告（不是错误），没有扣分；"
                                       "nbgrader 会记 0 分。")
            if mark.odd:
                result.note("look", f"{name}：{mark.odd}，先给了满分。")
                look.add(name)
            if name in judged and name in plan.fit and mark.points and judged[name] != mark.points:
                _disagree(result, name, mark.points, judged[name], scores, look)
        if meta["solution"] or meta["task"]:
            comments[name] = marks.comment(cell)
    for cell in nb["cells"]:
        for output in cell.get("outputs", []):
            outputs.shorten(output, rules.max_lines)
    result.notebooks[plan.name] = {"scores": scores, "comments": comments, "look": sorted(look),
                                   "missing": False}
    result.written[plan.name] = _dump(nb)


def _disagree(result, name, points, clean_points, scores, look) -> None:
    """In the student's own process the test passed, in a clean one it did not: the clean one counts."""
    scores[name] = min(points, clean_points or 0.0)
    look.add(name)
    why = "它读的值交不出来" if clean_points is None else f"在干净的程序里是 {clean_points:g} 分"
    result.note("look", f"{name}：在学生自己的程序里是 {points:g} 分，{why}。"
                        f"先记 {scores[name]:g} 分，看一看代码。")


def _dump(nb) -> bytes:
    # 不缩进：Python 的 JSON 一缩进就慢六倍，全班几千份时看得出来
    return (json.dumps(nb, ensure_ascii=False) + "\n").encode("utf-8", "replace")


# ---- 作业里读哪些名字、装哪些库 ----

def _names(source: str) -> list[str]:
    """Names that a test cell reads from outside; [] if it is not plain Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return []
    found = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return sorted(n for n in found if not hasattr(builtins, n))


def modules(sources) -> list[str]:
    """What the code cells of an assignment import, for the warm process; only installed libraries count."""
    import importlib.util

    found = {}
    for source in sources:
        for line in source.splitlines():
            if names := re.match(r"\s*(?:import\s+([\w., ]+)|from\s+([\w.]+)\s+import\s)", line):
                for part in (names[1] or names[2]).split(","):
                    found.setdefault(part.split(" as ")[0].strip())
    found = {n: None for n in found if n and n.isascii()}
    if "crmlib" in found:
        found |= dict.fromkeys(["crmlib.tasks", "crmlib.data", "crmlib.style", "pandas"])
    known = []
    for name in found:
        try:
            if importlib.util.find_spec(name.partition(".")[0]) and name.partition(".")[0] not in (
                    "autograder", "antigravity", "this", "idlelib"):
                known.append(name)
        except (ImportError, ValueError):
            continue
    if any(n.split(".")[0] in ("matplotlib", "seaborn") for n in known):
        known.append("matplotlib.pyplot")
    return known
