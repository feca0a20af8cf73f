"""``crm check [单元…]``：一个单元合不合格。

结构、编号、引用先查；再让每道题证明自己：标准答案满分，空答案零分，每个已知错误都扣分、只显示它自己的提示；
最后看作业的学生版里有没有泄露答案。
"""

import itertools
import json
import math
import re
import statistics
import tomllib

from autograder import syllabus, units
from autograder.build import HIDDEN, notebook, task_file
from crmlib import paths
from crmlib.cli import Parser
from crmlib.tasks import KINDS, faults, full_points, public, score_task
from crmlib.tasks.core import bank, narrow, only

CHINESE = re.compile(r"[\u4e00-\u9fff]")
LOAD = re.compile(r"""\bcrm\.load\(\s*["']([^"']+)["']""")
DIRECTIVE = re.compile(r"^```\{(?!code-cell\})[^}]*\}", re.M)
MEDIAN, NINETIETH, LONGEST_READ = 3, 6, 250


def main(argv) -> int:
    """Print [OK] / [FAIL] / [注意] lines for the named units (all by default)."""
    parser = Parser(prog="crm check", description="检查单元的写法、题目、代码")
    parser.add_argument("units", metavar="单元", nargs="*", help="例如 2.2；不写就全部检查")
    options = parser.parse_args(argv)
    root = paths.root()
    plan, failed = syllabus.load(root), 0
    for folder in units.find(root, options.units):
        print(f"== {folder.name}")
        try:
            told = check_unit(units.load(folder), plan)
        except units.Broken as broken:
            told = [("FAIL", fault) for fault in broken.faults]
        for kind, text in told:
            print(f"[{kind}] {text}")
        failed += any(kind == "FAIL" for kind, _ in told)
    print("全部通过。" if not failed else f"{failed} 个单元没有通过，按 [FAIL] 逐条改。")
    return 1 if failed else 0


def check_unit(unit, plan) -> list[tuple[str, str]]:
    """Every finding about a unit that could be read: (OK | FAIL | 注意, text)."""
    told = []
    for title, find in (("文件和说明", _front), ("题目的引用", _task_faults), ("每道题的证明", _proofs),
                        ("题目都用上了", _usage), ("数据表", _tables), ("学生版里没有答案", _leaks),
                        ("课文的写法", _lesson)):
        found = list(find(unit, plan))
        if not any(kind == "FAIL" for kind, _ in found):
            told.append(("OK", title))
        elif find is _task_faults:  # 引用都不对，就谈不上证明
            return told + found
        told += found
    return told


def _task(unit, task) -> str:
    return f"{units.where(unit.folder, 'tasks.yaml', unit.lines.get(task['id']))}，任务 {task['id']}："


def _front(unit, plan):
    lesson = units.where(unit.folder, "lesson.md")
    planned = plan.units.get(unit.id)
    if planned is None:
        yield "FAIL", f"{lesson}：syllabus/units.toml 里没有单元 {unit.id}"
        return
    if unit.folder.name != f"{unit.id}-{planned['slug']}":
        yield "FAIL", f"units/{unit.folder.name}：文件夹应当叫 {unit.id}-{planned['slug']}"
    if unit.front["title"] != planned["title"]:
        yield "FAIL", f"{lesson}：title 应当和 syllabus 一样：{planned['title']}"
    if unit.front["hours"] != syllabus.hours(planned):
        right = ", ".join(f"{k}: {v}" for k, v in syllabus.hours(planned).items())
        yield "FAIL", f"{lesson}：hours 应当和 syllabus 一样：{{{right}}}"
    covers = unit.front["covers"]
    for item in covers:
        if item not in plan.items:
            yield "FAIL", f"{lesson}：covers 里的 {item} 在 syllabus 里查不到"
        elif not any("key" in t and item in t.get("covers", []) for t in unit.tasks):
            yield "注意", f"{lesson}：{item} 教了，还没有一道有对错的题在 covers 里写着它，不算覆盖"
    if left := [item for item in planned["covers"] if item not in covers]:
        yield "注意", f"{lesson}：计划由这个单元教的还不在 covers 里：{'、'.join(left)}"
    for task in unit.tasks:
        for item in task.get("covers", []):
            if item not in covers:
                known = "lesson.md 的 covers 里没有它" if item in plan.items else "在 syllabus 里查不到"
                yield "FAIL", f"{_task(unit, task)}covers 里的 {item} {known}"
    if not (unit.folder / "teach.md").is_file():
        yield "FAIL", f"{units.where(unit.folder, 'teach.md')}：没有教案，要补上"


def _task_faults(unit, plan):
    for task in unit.tasks:
        for fault in faults(task):
            yield "FAIL", _task(unit, task) + fault


# ---- 证明 ----

def _proofs(unit, plan):
    yield from _proofs_of_all(unit)
    for row in range(1, unit.variants):  # 换了数，每道题还要再证明一次
        varied = units.load(unit.folder, lambda task, row=row: row % len(task["vary"]))
        for kind, text in _proofs_of_all(varied):
            yield kind, f"vary 第 {row + 1} 行：{text}"


def _proofs_of_all(unit):
    keys = {}
    for task in unit.tasks:
        task = with_given(task, keys)
        keys[task["id"]] = KINDS[task["kind"]].key_answer(task)
        for fault in proofs(task):
            yield "FAIL", _task(unit, task) + fault


def with_given(task, keys) -> dict:
    """A task with ``inputs`` as a student has it who answered the tasks before by their keys {id: answer}."""
    return {**task, "given": KINDS["number"].given(task, keys.get)} if "inputs" in task else task


def proofs(task) -> list[str]:
    """What a task fails to prove about itself; [] if all is proven. An item bank: in every draw of it."""
    if "key" not in task:
        return []
    if "draw" not in task:
        return _proofs_of_one(task)
    for items in _draws(task):
        if told := _proofs_of_one(only(task, items)):
            return [f"抽到 {'、'.join(items)} 时，{fault}" for fault in told]
    return []


def _draws(task):
    """Every draw of a bank; of a large bank enough for each item, each mistake, and a hundred students."""
    items, draw = list(bank(task)), task["draw"]
    if math.comb(len(items), draw) <= 200:
        yield from itertools.combinations(items, draw)
        return
    yield from ((items + items)[n: n + draw] for n in range(len(items)))
    for mistake in task.get("mistakes", []):
        named = [item for item in items if item in mistake["when"]]
        yield [*named, *(item for item in items if item not in named)][:draw]
    yield from (list(bank(narrow(task, str(seed)))) for seed in range(100))


def _proofs_of_one(task) -> list[str]:
    kind, of, told = KINDS[task["kind"]], full_points(task), []
    key = kind.key_answer(task)
    result = score_task(task, key)
    if task["kind"] == "write":
        if result.state != "saved":
            told.append(f"参考答案自己都不合格：{'；'.join(result.messages)}")
        total = sum(r["points"] for r in task["rubric"])
        if task["use"] == "graded" and total != of:
            told.append(f"rubric 的分加起来是 {total:g}，points 是 {of:g}，要一样")
    elif result.state != "right" or result.points != of:
        told.append(f"标准答案只得 {result.points:g}/{of:g} 分：{'；'.join(result.messages)}")
    if task["kind"] == "code" and task["solution"]:
        result = score_task(task, units.run_solution(task))
        if result.points != of:
            told.append(f"solution 算出来的和 key 不一样：{'；'.join(result.messages)}")
    for empty in (None, [], {}, "", *_hollow(task, key)):
        got = score_task(task, empty, final=True).points
        if got:
            told.append(f"空答案 {json.dumps(empty, ensure_ascii=False)[:60]} 得了 {got:g} 分，应当是 0 分")
    for mistake in task.get("mistakes", []):
        result = score_task(task, kind.overlay(task, mistake["when"]))
        if result.points >= of:
            told.append(f"已知错误“{mistake['name']}”没有扣分，得了满分")
        if result.messages != [mistake["hint"]]:
            shown = "；".join(result.messages) or "（什么也没有）"
            told.append(f"已知错误“{mistake['name']}”应当只显示它自己的提示，实际显示：{shown}")
    return told


def _hollow(task, key):
    """Answers of the right shape with nothing in them."""
    if task["kind"] == "form":
        yield {row: {} for row in key}
        yield {row: dict.fromkeys(cells, "") for row, cells in key.items()}


# ---- 课文、作业 ----

def _usage(unit, plan):
    known = {t["id"]: t["use"] for t in unit.tasks}
    texts = (("lesson.md", unit.lesson, "practice"), ("assignment.md", unit.assignment, "graded"))
    for file, body, use in texts:
        say = units.where(unit.folder, file) + "："
        wanted = [t for t in known if known[t] == use]
        if body is None:
            if wanted:
                yield "FAIL", f"{say}没有这个文件，可是 tasks.yaml 里有作业题 {'、'.join(wanted)}"
            continue
        called = [c for cell in units.CELL.findall(body) for c in units.CALL.findall(cell)]
        for tid in dict.fromkeys(called):
            if tid not in known:
                yield "FAIL", f"{say}crm.task(\"{tid}\")：tasks.yaml 里没有这道题"
            elif known[tid] != use:
                yield "FAIL", f"{say}crm.task(\"{tid}\")：tasks.yaml 里写的是 use: {known[tid]}，不能放在这里"
            elif called.count(tid) > 1:
                yield "FAIL", f"{say}crm.task(\"{tid}\") 出现了 {called.count(tid)} 次，只要一次"
        for tid in wanted:
            if tid not in called:
                yield "FAIL", f"{say}没有用上第 {tid} 题；加一个单元格：crm.task(\"{tid}\")"
        if use == "graded":
            total = sum(full_points(t) for t in unit.graded)
            if total != 100:
                yield "FAIL", f"{say}作业题的分加起来是 {total:g}，应当是 100"


def _tables(unit, plan):
    folder = unit.folder.parent.parent / "datasets"
    dictionary = folder / "dictionary.toml"
    tables = tomllib.loads(dictionary.read_text("utf-8")) if dictionary.is_file() else {}
    file_of = {name: key for key, t in tables.items() if isinstance(t, dict) for name in (key, t["name"])}
    for file, body in (("lesson.md", unit.lesson), ("assignment.md", unit.assignment or "")):
        for name in dict.fromkeys(LOAD.findall(body)):
            say = f"{units.where(unit.folder, file)}：crm.load(\"{name}\")："
            if name not in file_of:
                yield "FAIL", f"{say}数据字典里没有这张表，有的是：{'、'.join(file_of)}"
            elif not (folder / f"{file_of[name]}.csv").is_file():
                yield "FAIL", f"{say}找不到 datasets/{file_of[name]}.csv；运行 crm data 生成它"


def release(unit) -> str:
    """Everything that students get of an assignment, as one text."""
    cells = json.loads(notebook(unit, unit.assignment, graded=True))["cells"]
    shown = [HIDDEN.sub("", "".join(cell["source"])) for cell in cells]
    return "\n".join([*shown, *units.texts(json.loads(task_file(map(public, unit.graded))))])


def secrets(task) -> list[str]:
    """Texts of a graded task that no student may see."""
    texts = [task.get("explain"), task.get("solution")]
    texts += [m["hint"] for m in task.get("mistakes", [])] + [r.get("hint") for r in task.get("rules", [])]
    texts += [s for s in units.texts(task.get("key")) if len(s) > 15]  # 编号、短词不算：题目里本来就有
    return [t.strip() for t in texts if t]


def _leaks(unit, plan):
    if unit.assignment is None:
        return
    text = release(unit)
    for task in unit.graded:
        for field in {"key", "mistakes", "explain", "rules", "solution"} & set(public(task)):
            yield "FAIL", f"{_task(unit, task)}{field} 会发到学生手里"
        for secret in secrets(task):
            if secret in text:
                yield "FAIL", f"{_task(unit, task)}学生版里能看到“{secret.splitlines()[0][:30]}”，要改写"


def _lesson(unit, plan):
    lengths = []
    for file, body in (("lesson.md", unit.lesson), ("assignment.md", unit.assignment or "")):
        say = units.where(unit.folder, file)
        for directive in dict.fromkeys(DIRECTIVE.findall(body)):
            yield "FAIL", f"{say}：JupyterLab 不认识 {directive}，改成普通的 Markdown"
        for cell in units.CELL.findall(body):
            lines = [x for x in cell.splitlines() if x.strip() and not x.startswith(":")]
            if not lines:
                yield "FAIL", f"{say}：有一个空的代码单元格"
                continue
            if not (lines[0].startswith("#") and CHINESE.search(lines[0])):
                yield "FAIL", f"{say}：代码单元格要以一行中文注释开头：{lines[0][:40]}"
            if file == "lesson.md":
                lengths.append(len(lines))
        if file == "lesson.md":
            for prose in units.CELL.split(body)[::2]:
                if (n := len(CHINESE.findall(prose))) > LONGEST_READ:
                    start = _first_words(prose)
                    yield "注意", f"{say}：“{start}……”起连着 {n} 个字没有事做，最好不超过 {LONGEST_READ}"
    if lengths:
        middle, high = statistics.median(lengths), sorted(lengths)[-(-len(lengths) * 9 // 10) - 1]
        kind = "FAIL" if middle > MEDIAN or high > NINETIETH else "OK"
        yield kind, (f"{len(lengths)} 个代码单元格：行数中位数 {middle:g}（≤ {MEDIAN}），"
                     f"90% 不超过 {high} 行（≤ {NINETIETH}）")


def _first_words(prose: str) -> str:
    return next((x.strip("# *") for x in prose.splitlines() if CHINESE.search(x)), "")[:12]
