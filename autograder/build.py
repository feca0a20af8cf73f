"""``crm build [--check]``：由 ``units/`` 生成学生的笔记本和老师的作业。

生成的东西只由源头决定：再生成一次，一个字节也不变。``--check`` 只比较，不写文件。
"""

import hashlib
import json
import re
from pathlib import Path

from autograder import syllabus, units
from crmlib import paths
from crmlib.cli import CourseError, Parser
from crmlib.tasks import encode_task, full_points, public

# 发给学生以前，nbgrader 从每一格里去掉的那几段
HIDDEN = re.compile(r"^[^\n]*BEGIN (SOLUTION|HIDDEN TESTS|MARK SCHEME).*?END \1[^\n]*$\n?", re.S | re.M)


def main(argv) -> int:
    """Build everything, or with ``--check`` name each derived file that is stale, missing or extra."""
    parser = Parser(prog="crm build", description="由 units/ 生成笔记本和作业")
    parser.add_argument("--check", action="store_true", help="只检查生成的文件是不是最新，不写文件")
    options = parser.parse_args(argv)
    root = paths.root()
    files = outputs(root)
    if options.check:
        stale = compare(root, files)
        for line in stale:
            print(f"[FAIL] {line}")
        if not stale:
            print(f"[OK] 生成的 {len(files)} 个文件都是最新的")
        return 1 if stale else 0
    changed = write(root, files)
    for name in changed:
        print(f"写好 {name}")
    print(f"共 {len(files)} 个文件，改了 {len(changed)} 个。")
    for name in extra(root, files):
        print(f"[注意] {name} 不是由 units/ 生成的；不用了就删掉它")
    return 0


def outputs(root: Path) -> dict[str, bytes]:
    """Every derived file: {path from ``root``: content}. Raises CourseError with all faults of all units."""
    from autograder.coverage import page

    plan, (found, faults) = syllabus.load(root), units.load_all(root)
    if faults:
        raise CourseError("单元里有写错的地方，没有生成：\n" + "\n".join(faults))
    files = {}
    for unit in found:
        name = unit.folder.name
        files[f"notebooks/{unit.module}/{name}.ipynb"] = notebook(unit, unit.lesson)
        files[f"notebooks/{unit.module}/tasks/{unit.id}.json"] = task_file(unit.practice)
        files |= {f"assignments/source/{name}/{path}": made for path, made in assignment(unit).items()}
    files["notebooks/course.json"] = _json(course(plan, found))
    files["docs/coverage.md"] = page(plan, found).encode()
    files["docs/glossary.md"] = glossary(found).encode()
    return files


def assignment(unit) -> dict[str, bytes]:
    """The nbgrader source of a unit's assignment, {path in its folder: content}; {} if it has none.

    The task file names the assignment, so that ``crm hand-in`` knows what a student's folder should hold.
    """
    if unit.assignment is None:
        return {}
    name = unit.folder.name
    return {f"{name}.ipynb": notebook(unit, unit.assignment, graded=True),
            f"tasks/{unit.id}.json": task_file(map(public, unit.graded), assignment=name)}


def compare(root: Path, files: dict[str, bytes]) -> list[str]:
    """One line for each derived file on disk that is not what ``files`` says."""
    told = []
    for name, content in sorted(files.items()):
        path = root / name
        if not path.is_file():
            told.append(f"{name} 还没有生成；运行 crm build")
        elif path.read_bytes().replace(b"\r\n", b"\n") != content:  # git 在 Windows 上可能换了行尾
            told.append(f"{name} 过期了，或者被手改过；改 units/ 里的源头，再运行 crm build")
    return told + [f"{name} 不是由 units/ 生成的；删掉它" for name in extra(root, files)]


def extra(root: Path, files) -> list[str]:
    """Files where only derived files belong, left over from a unit that was renamed or removed."""
    derived = ("notebooks/*/*.ipynb", "notebooks/*/tasks/*.json", "assignments/source/*/**/*")
    places = [p for pattern in derived for p in root.glob(pattern)
              if p.is_file() and ".ipynb_checkpoints" not in p.parts]
    return sorted(name for p in places if (name := p.relative_to(root).as_posix()) not in files)


def write(root: Path, files: dict[str, bytes]) -> list[str]:
    """Write what differs; returns the names written."""
    changed = []
    for name, content in sorted(files.items()):
        path = root / name
        if path.is_file() and path.read_bytes() == content:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        changed.append(name)
    return changed


def _json(value) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def task_file(tasks, **about) -> bytes:
    """tasks/<unit>.json as `crmlib.tasks.read_tasks` reads it."""
    return _json({"format": 1, **about, "tasks": list(tasks)})


def course(plan, found) -> dict:
    """The course map that the home page shows."""
    modules = []
    for module in plan.modules:
        made = [u for u in found if u.module == module["id"]]
        ready = {u.id for u in made}
        modules.append({
            "id": module["id"], "title": module["title"],
            "units": [{"id": u.id, "title": u.front["title"], "path": f"{u.module}/{u.folder.name}.ipynb",
                       "question": u.front["question"], "hours": u.front["hours"],
                       "tasks": [t["id"] for t in u.practice],
                       "points": {t["id"]: full_points(t) for t in u.practice}} for u in made],
            "planned": [{"id": u["id"], "title": u["title"]} for u in plan.units.values()
                        if u["module"] == module["id"] and u["id"] not in ready]})
    routes = {name: {field: route[field] for field in ("title", "note", "units")}
              for name, route in plan.routes.items()}
    terms = [{"term": term, "means": meaning, "unit": unit.id}
             for unit in found for term, meaning in unit.terms.items()]
    return {"title": "物流客户关系管理", "modules": modules, "routes": routes, "terms": terms}


def glossary(found) -> str:
    """docs/glossary.md: the terms of all units."""
    rows = [f"| {term} | {meaning} | {unit.id} |" for unit in found for term, meaning in unit.terms.items()]
    return "\n".join([
        "# 术语表", "", "全课程只有这一张表。课文里第一次出现的**术语**，都能在这里找到。", "",
        "这一页由 `crm build` 生成。要改，改 `units/单元/lesson.md` 开头的 terms。", "",
        "| 术语 | 大白话 | 第一次出现的单元 |", "|---|---|---|", *rows]) + "\n"


# ---- 笔记本 ----

def notebook(unit, body: str, graded: bool = False) -> bytes:
    """A notebook from MyST text: folded code, fixed cell ids, no outputs.

    ``graded``: the nbgrader source, in which each graded task brings its test cell.
    """
    import jupytext
    import nbformat

    cells = jupytext.reads(body, fmt="md:myst").cells
    tasks = {t["id"]: t for t in unit.graded}
    if graded:
        cells = [made for cell in cells for made in _graded(cell, tasks)] + _hand_in_cells()
    seen: dict[str, int] = {}
    for cell in cells:
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
        seen[digest] = seen.get(digest, 0) + 1
        cell["id"] = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
        if cell.cell_type == "code" and not cell.metadata.get("nbgrader", {}).get("solution"):
            cell.metadata["jupyter"] = {"source_hidden": True}
        if graded and not cell.metadata.get("nbgrader", {}).get("solution"):
            cell.metadata.update(editable=False, deletable=False)
    nb = nbformat.v4.new_notebook(cells=cells, metadata={
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "crm": {"unit": unit.id, "autorun": True}})
    nbformat.validate(nb)
    return (nbformat.writes(nb, version=4).rstrip("\n") + "\n").encode()


def grade_id(task_id: str) -> str:
    """nbgrader's name of a task: a letter first, then letters, digits and ``-`` only.

    >>> grade_id("2.2-g1")
    't-2-2-g1'
    """
    return "t-" + re.sub(r"[^A-Za-z0-9]", "-", task_id)


def _graded(cell, tasks) -> list:
    """The cells that stand for one cell of assignment.md.

    A widget brings its test cell. Work that people mark is led by its task cell. A code task has no widget,
    which would repeat the code below it: its question is text, then come the student's cell and the test.
    """
    called = units.CALL.findall(cell.source) if cell.cell_type == "code" else []
    wanted = [tasks[t] for t in called if t in tasks]
    if not wanted:
        return [cell]
    before, after = [], []
    for task in wanted:
        if task["kind"] == "write":
            before.append(_manual_cell(task))
        elif task["kind"] == "code":
            after += [_question_cell(task), _solution_cell(task), _test_cell(task)]
        else:
            after.append(_test_cell(task))
    shown = [] if all(t["kind"] == "code" for t in wanted) else [cell]
    return before + shown + after


def _hand_in_cells() -> list:
    """The end of every assignment: the button that checks and packs it."""
    from nbformat.v4 import new_code_cell, new_markdown_cell

    return [new_markdown_cell("## 交作业\n\n全部做完，再点下面的按钮。"),
            new_code_cell("# 交作业：检查一遍，打成 zip\nimport crmlib as crm\ncrm.hand_in()")]


def _nbgrader(name, cell_type="code", **flags) -> dict:
    return {"nbgrader": {"schema_version": 3, "grade_id": name, "cell_type": cell_type,
                         "grade": False, "solution": False, "locked": True, "task": False, **flags}}


def _test_cell(task):
    """The score, hidden, as the value of the cell (partial credit).

    A widget itself says whether the answer is complete; only code needs a visible check of its own,
    which a card under a widget would contradict as soon as the student goes on answering.
    """
    from nbformat.v4 import new_code_cell

    title, visible, space = f"# 第 {task['id']} 题的评分格，不用动", "", ""
    if task["kind"] == "code":  # 代码题读学生的变量
        title = f"# 检查第 {task['id']} 题：答全了没有"
        visible, space = f"crm.handed(\"{task['id']}\")\n", ", globals()"
    return new_code_cell(
        f"{title}\nimport crmlib as crm\n{visible}"
        "### BEGIN HIDDEN TESTS\n"
        f"crm.score(\"{task['id']}\", \"{encode_task(task)}\"{space})\n"
        "### END HIDDEN TESTS",
        metadata=_nbgrader(grade_id(task["id"]), grade=True, points=task["points"]))


def _question_cell(task):
    from nbformat.v4 import new_markdown_cell

    return new_markdown_cell(_lines(task["prompt"]))


def _lines(text) -> str:
    """Markdown in which each line break is kept, as the widgets keep it."""
    return re.sub(r"\n(?!\n)", "  \n", text.rstrip())


def _solution_cell(task):
    from nbformat.v4 import new_code_cell

    starter = task.get("starter", f"# 写代码，算出：{'、'.join(task['names'])}").rstrip()
    return new_code_cell(f"{starter}\n### BEGIN SOLUTION\n{task['solution'].rstrip()}\n### END SOLUTION",
                         metadata=_nbgrader(grade_id(task["id"]) + "-code", solution=True, locked=False))


def _manual_cell(task):
    """A task that people mark: its points, and for the teacher's eyes question, rubric and model answer."""
    from nbformat.v4 import new_markdown_cell

    rows = [f"| {r['criterion']} | {r['points']:g} | {'；'.join(r['levels'])} |" for r in task["rubric"]]
    return new_markdown_cell(
        f"**{task['title']}**（{task['points']:g} 分）：写在下面，由老师评分。\n\n"
        f"<!-- BEGIN MARK SCHEME -->\n\n{_lines(task['prompt'])}\n\n"
        "| 评分标准 | 满分 | 从好到差 |\n|---|---|---|\n" + "\n".join(rows) + "\n\n"
        f"**参考答案**（学生看不到）\n\n{_lines(task['key'])}\n\n"
        "<!-- END MARK SCHEME -->",
        metadata=_nbgrader(grade_id(task["id"]), "markdown", task=True, points=task["points"]))
