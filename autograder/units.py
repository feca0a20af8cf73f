"""从 ``units/`` 读出单元：课文、练习、作业。

写错的地方在这里一次说完：哪个文件、哪一行、哪道题、怎样才对。
"""

import contextlib
import csv
import difflib
import hashlib
import io
import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml

from crmlib.cli import CourseError
from crmlib.tasks import public

FOLDER = re.compile(r"(\d+\.\d+)-[a-z0-9-]+")
FRONT = re.compile(r"---\n(.*?)\n---\n(.*)", re.S)
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```[ \t]*$", re.S | re.M)
CALL = re.compile(r"""\bcrm\.task\(\s*["']([^"']+)["']""")
FRONT_FIELDS = {"id": str, "title": str, "slug": str, "question": str, "hours": dict,
                "objectives": list, "covers": list}
TYPES = {"string": "文字", "number": "数字", "integer": "整数", "array": "列表（- 开头，或 [a, b]）",
         "object": "“名字: 内容”的表", "boolean": "true 或 false"}


class Broken(CourseError):
    """A unit that cannot be read; ``faults`` lists every reason."""

    def __init__(self, faults):
        self.faults = faults
        super().__init__("\n".join(faults))


@dataclass
class Unit:
    """One folder of ``units/``.

    ``tasks`` are complete (cards resolved), in the order of tasks.yaml; ``lines`` says where each begins.
    ``variants``: most rows that the ``vary`` of one of its tasks has.
    """

    folder: Path
    front: dict
    lesson: str
    tasks: list = field(default_factory=list)
    variants: int = 1
    assignment: str | None = None
    assignment_front: dict = field(default_factory=dict)
    lines: dict = field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.front["id"]

    @property
    def module(self) -> str:
        return self.id.partition(".")[0]

    @property
    def terms(self) -> dict:
        """{term: what it means, in plain words}: those that are first used here."""
        return self.front.get("terms", {})

    @property
    def practice(self) -> list:
        return [t for t in self.tasks if t["use"] == "practice"]

    @property
    def graded(self) -> list:
        return [t for t in self.tasks if t["use"] == "graded"]


def natural(text: str) -> list:
    """Sort key that puts 2.10 after 2.2."""
    return [int(p) if p.isdigit() else p for p in re.split(r"(\d+)", text)]


def folders(root: Path) -> list[Path]:
    """Every unit folder, in the order of the course."""
    found = (p for p in (root / "units").glob("*") if p.is_dir() and not p.name.startswith((".", "_")))
    return sorted(found, key=lambda p: natural(p.name))


def find(root: Path, names) -> list[Path]:
    """The folders of ``names`` (``2.2`` or ``2.2-swot-pest``; none = all)."""
    every = folders(root)
    if not names:
        return every
    chosen = []
    for name in names:
        hits = [p for p in every if name in (p.name, p.name.partition("-")[0])]
        if not hits:
            have = "、".join(p.name for p in every) or "（一个也没有）"
            raise CourseError(f"units/ 里没有单元“{name}”。现有：{have}")
        chosen += hits
    return chosen


def load_all(root: Path) -> tuple[list[Unit], list[str]]:
    """(units that could be read, in order; faults of the others)."""
    found, faults, taken, terms = [], [], {}, {}
    for folder in folders(root):
        try:
            unit = load(folder)
        except Broken as broken:
            faults += broken.faults
            continue
        if unit.id in taken:
            faults.append(f"units/{folder.name}：编号 {unit.id} 已经被 units/{taken[unit.id]} 用了，改一个")
        taken[unit.id] = folder.name
        faults += [f"{where(folder, 'lesson.md')}：术语“{t}”单元 {terms[t]} 已经解释过，从这里的 terms 去掉"
                   for t in unit.terms if t in terms]
        terms |= dict.fromkeys(unit.terms, unit.id)
        found.append(unit)
    return found, faults


def first(task: dict) -> int:
    """The row of ``vary`` that the course itself uses."""
    return 0


def by_seed(seed: str):
    """Which row of ``vary`` each task takes in a class with this seed: for ``load``.

    >>> by_seed("春风十里")({"id": "9.1-g3", "vary": [{"n": 400}, {"n": 300}, {"n": 250}]})
    2
    """
    def choose(task):
        lot = hashlib.sha256(f"{seed} {task['id']}".encode()).digest()
        return int.from_bytes(lot[:8]) % len(task["vary"])

    return choose


def load(folder: Path, choose=first) -> Unit:
    """Read one unit folder; raises `Broken` with every fault found.

    ``choose``: task → which row of its ``vary`` (`first`, or `by_seed`).
    """
    faults: list[str] = []
    root = folder.parent.parent
    name = FOLDER.fullmatch(folder.name)
    if not name:
        raise Broken([f"units/{folder.name}：文件夹要叫“编号-英文短名”，例如 2.2-swot-pest"])
    front, lesson = _read_text(folder / "lesson.md", faults)
    if front is not None:
        _check_front(folder, front, FRONT_FIELDS, faults)
        _check_terms(folder, front, lesson, faults)
    unit = Unit(folder, front or {"id": name[1]}, lesson)
    if (folder / "assignment.md").is_file():
        unit.assignment_front, unit.assignment = _read_text(folder / "assignment.md", faults)
        if unit.assignment_front is not None:
            _check_front(folder, unit.assignment_front, {"id": str, "title": str}, faults, "assignment.md")
    unit.tasks = _read_tasks(root, folder, name[1], faults, unit, choose)
    if faults:
        raise Broken(faults)
    return unit


def where(folder: Path, file: str, line: int | None = None) -> str:
    """``units/2.2-swot-pest/tasks.yaml 第 12 行``"""
    return f"units/{folder.name}/{file}" + (f" 第 {line} 行" if line else "")


# ---- 文字文件 ----

def _read(path: Path, faults):
    try:
        return path.read_text("utf-8-sig").replace("\r\n", "\n")
    except FileNotFoundError:
        faults.append(f"{where(path.parent, path.name)}：没有这个文件，要补上")
    except UnicodeDecodeError:
        faults.append(f"{where(path.parent, path.name)}：不是 UTF-8 编码，用编辑器另存为 UTF-8")
    return None


def _read_text(path: Path, faults):
    """(front matter, body); front matter is None where it cannot be read."""
    text = _read(path, faults)
    if text is None:
        return None, ""
    parts = FRONT.fullmatch(text)
    if not parts:
        faults.append(f"{where(path.parent, path.name)}：开头要有两行 --- 夹着的说明（id、title……）")
        return None, text
    front, _ = _parse(parts[1], path, faults, first_line=2)
    if front is not None and not isinstance(front, dict):
        faults.append(f"{where(path.parent, path.name, 2)}：开头的说明要写成“名字: 内容”")
        front = None
    return front, parts[2]


def _check_front(folder, front, fields, faults, file="lesson.md"):
    for key, kind in fields.items():
        if key not in front:
            faults.append(f"{where(folder, file)}：开头的说明缺少 {key}")
        elif not isinstance(front[key], kind) or not front[key]:
            hint = f"要加引号，写成 {key}: \"{front[key]}\"" if kind is str else f"要写成{_NAMES[kind]}"
            faults.append(f"{where(folder, file)}：{key} 的写法不对，{hint}")
    number, _, slug = folder.name.partition("-")
    for key, right in (("id", number), ("slug", slug)):
        if key in fields and isinstance(front.get(key), str) and front[key] != right:
            faults.append(f"{where(folder, file)}：{key} 是“{front[key]}”，和文件夹名对不上，应当是“{right}”")


def _check_terms(folder, front, lesson, faults):
    terms, say = front.get("terms", {}), where(folder, "lesson.md")
    if not isinstance(terms, dict) or not all(isinstance(m, str) and m for m in terms.values()):
        faults.append(f"{say}：terms 要写成“术语: 大白话”的表")
        return
    bold = {_bare(b) for b in re.findall(r"\*\*([^*\n]+)\*\*", lesson)}
    faults += [f"{say}：术语“{t}”在课文里没有用 **粗体** 写出来" for t in terms if _bare(t) not in bold]


def _bare(term: str) -> str:
    """A term without what stands in brackets, and without the mark behind it."""
    return re.sub(r"（.*?）|[：:。，]", "", term)


_NAMES = {list: "列表", dict: "“名字: 内容”的表"}


# ---- YAML ----

class _Loader(yaml.SafeLoader):
    """SafeLoader without dates; names are always text, and none may be written twice."""

    def construct_mapping(self, node, deep=False):
        seen = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                key.tag = "tag:yaml.org,2002:str"
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"“{key.value}”写了两次（第一次在第 {seen[key.value]} 行）", key.start_mark)
            seen[key.value] = key.start_mark.line + 1
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, rule) for tag, rule in rules if tag != "tag:yaml.org,2002:timestamp"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()}

_YAML = (("mapping values are not allowed", "一行里有两个“: ”；含冒号的文字要用引号括起来"),
         ("\\t", "用了 Tab 键缩进，要改成空格"),
         ("could not find expected ':'", "少了“: ”，或者缩进没对齐"),
         ("undefined alias", "* 开头的文字要用引号括起来"),
         ("cannot start any token", "这个符号开头的文字要用引号括起来"),
         ("found unexpected end of stream", "引号没有成对"),
         ("expected", "缩进没对齐，或者引号、括号没有成对"))


def _parse(text, path, faults, first_line=1):
    """(value, node tree) of a YAML text; the tree knows line numbers."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        return (loader.construct_document(node) if node else None), node
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = str(error.problem)
        told = next((zh for en, zh in _YAML if en in problem), problem)
        line = mark.line + first_line if mark else None
        faults.append(f"{where(path.parent, path.name, line)}：YAML 格式不对：{told}")
    except yaml.YAMLError as error:  # 不可见的控制字符
        faults.append(f"{where(path.parent, path.name)}：有不能用的字符：{error}")
    finally:
        loader.dispose()
    return None, None


def _line(node, path) -> int | None:
    """Line of the value at ``path`` (keys and indexes) in a YAML node tree."""
    for step in path:
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
        elif isinstance(node, yaml.MappingNode):
            hit = next((v for k, v in node.value if k.value == str(step)), None)
            if hit is None:
                break
            node = hit
        else:
            break
    return node.start_mark.line + 1 if node else None


# ---- 题目 ----

@cache
def schema() -> dict:
    """The JSON schema of tasks.yaml."""
    return json.loads((Path(__file__).parent / "tasks.schema.json").read_text("utf-8"))


def _read_tasks(root, folder, unit_id, faults, unit, choose) -> list:
    path = folder / "tasks.yaml"
    text = _read(path, faults)
    if text is None:
        return []
    tasks, node = _parse(text, path, faults)
    if node is None:
        if tasks is None and not text.strip():
            faults.append(f"{where(folder, path.name)}：一道题也没有")
        return []
    if not isinstance(tasks, list) or not all(isinstance(t, dict) for t in tasks):
        faults.append(f"{where(folder, path.name)}：要写成题目的列表，每道题以“- id:”开头")
        return []
    if told := [f"{where(folder, path.name, _line(node, [i]))}，任务 {task.get('id', '？')}：{message}"
                for i, task in enumerate(tasks) if "vary" in task and (message := _vary_fault(task))]:
        faults += told
        return []
    unit.variants = max(len(task.get("vary", [0])) for task in tasks)
    tasks = [varied(task, choose(task)) if "vary" in task else task for task in tasks]
    lines = unit.lines
    faults += _schema_faults(folder, tasks, node)
    for i, task in enumerate(tasks):
        tid, line = task.get("id"), _line(node, [i])
        say = f"{where(folder, path.name, line)}，任务 {tid}："
        if not isinstance(tid, str):
            continue
        if tid in lines:
            faults.append(f"{say}编号重复，第 {lines[tid]} 行已经用过；每道题的 id 只能用一次")
        lines.setdefault(tid, line)
        if not tid.startswith(unit_id + "-"):
            faults.append(f"{say}编号要以“{unit_id}-”开头")
        elif task.get("use") in ("practice", "graded"):
            graded = tid.startswith(unit_id + "-g")
            if graded != (task["use"] == "graded"):
                faults.append(f"{say}作业题（use: graded）的编号以“{unit_id}-g”开头，练习题不可以")
    if faults:  # 结构不对，就不往下看内容
        return tasks
    for place, task in enumerate(tasks):
        faults += [f"{where(folder, path.name, lines[task['id']])}，任务 {task['id']}：{message}"
                   for message in _resolve(root, task)]
        _add_sources(task, tasks[:place])
    return tasks


# ---- 换数：同一道作业题，每个班的数不一样 ----

_SLOT = re.compile(r"\{\{(\w+)\}\}")


def _vary_fault(task) -> str | None:
    rows = task["vary"]
    if task.get("use") != "graded":
        return "vary 只能用在作业题（use: graded）里"
    if not isinstance(rows, list) or len(rows) < 2 or not all(isinstance(r, dict) and r for r in rows):
        return "vary 要写成列表，至少两行，每行是“名字: 值”，例如 [{n: 400}, {n: 300}]"
    if any(set(row) != set(rows[0]) for row in rows):
        return "vary 每一行的名字要一样"
    for name, value in ((n, v) for row in rows for n, v in row.items()):
        if not isinstance(value, str | int | float):
            return f"vary 的 {name} 只能是数或文字，现在是 {value}"
    used = {name for text in texts({k: v for k, v in task.items() if k != "vary"})
            for name in _SLOT.findall(text)}
    for name in sorted(used ^ set(rows[0])):
        return (f"题里的 {{{{{name}}}}} 在 vary 里没有值" if name in used
                else f"vary 的 {name} 没有用上：在题里写 {{{{{name}}}}}")
    return None


def texts(value):
    """Every string in a tree of dicts and lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from texts(part)


def varied(task: dict, row: int) -> dict:
    """A task with the values of one row of its ``vary`` put in place of ``{{name}}``.

    >>> varied({"id": "9.1-g3", "prompt": "{{n}} 件", "key": ["{{n}}"], "vary": [{"n": 400}, {"n": 300}]}, 1)
    {'id': '9.1-g3', 'prompt': '300 件', 'key': [300]}
    """
    values = task["vary"][row]

    def put(value):
        if isinstance(value, str):
            whole = _SLOT.fullmatch(value)
            return values[whole[1]] if whole else _SLOT.sub(lambda slot: str(values[slot[1]]), value)
        if isinstance(value, list):
            return [put(part) for part in value]
        return {name: put(part) for name, part in value.items()} if isinstance(value, dict) else value

    return {name: put(value) for name, value in task.items() if name != "vary"}


def _add_sources(task, earlier) -> None:
    """Add, in place, the public part of each task that ``inputs`` reads from: the task then stands alone."""
    wanted = {spec["task"] for spec in task.get("inputs", {}).values()}
    if wanted:
        task["sources"] = {t["id"]: public(t) for t in earlier
                           if t["id"] in wanted and t["use"] == task["use"]}


def _schema_faults(folder, tasks, node) -> list[str]:
    from jsonschema import Draft202012Validator

    told = []
    errors = sorted(Draft202012Validator(schema()).iter_errors(tasks), key=lambda e: list(map(str, e.path)))
    for error in errors:
        path = list(error.absolute_path)
        message = _chinese(error)
        if not message:
            continue
        task = tasks[path[0]] if path else {}
        place = "".join(f"[{p}]" if isinstance(p, int) else f" › {p}" for p in path[1:]).removeprefix(" › ")
        told.append(f"{where(folder, 'tasks.yaml', _line(node, path))}，任务 {task.get('id', '？')}："
                    + (f"{place}：" if place else "") + message)
    return list(dict.fromkeys(told))


def _chinese(error) -> str:
    """One jsonschema error in plain Chinese: what is wrong and what would be right."""
    rule, value, got = error.validator, error.validator_value, error.instance
    if rule == "required":
        missing = [k for k in value if k not in got]
        return f"缺少 {'、'.join(missing)}"
    if rule == "unevaluatedProperties" or rule == "additionalProperties":
        known = _known(error, got)
        told = []
        for key in got if known else ():
            if key not in known:
                near = difflib.get_close_matches(str(key), known, 1)
                told.append(f"没有“{key}”这个写法" + (f"，是不是想写“{near[0]}”" if near else ""))
        return "；".join(told)
    if rule == "type":
        wanted = [TYPES[t] for t in ([value] if isinstance(value, str) else value)]
        return f"要写成{'或'.join(wanted)}，现在是 {json.dumps(got, ensure_ascii=False)[:40]}"
    if rule in ("enum", "const"):
        options = value if rule == "enum" else [value]
        return f"“{got}”不行，只能是：{'、'.join(map(str, options))}"
    if rule in ("minItems", "minProperties", "minLength"):
        return f"不能少于 {value} 个" if value > 1 else "不能是空的"
    if rule in ("minimum", "exclusiveMinimum"):
        return f"{got} 太小，要{'大于' if 'ex' in rule else '不小于'} {value}"
    if rule == "pattern":
        return f"“{got}”的写法不对" + (f"，{error.schema['title']}" if "title" in error.schema else "")
    if rule == "uniqueItems":
        return "有重复的项"
    if rule in ("anyOf", "oneOf"):
        return f"写法不对，{error.schema.get('title', '见出题手册')}"
    return error.message


def _known(error, got) -> set:
    """Every field that this task (or this part of it) may have; none where its kind is unknown."""
    branches = [b for b in error.schema.get("allOf", [])
                if all(got.get(k) == v["const"] for k, v in b["if"]["properties"].items())]
    special = [set(b["then"]["properties"]) for b in branches if "properties" in b["then"]]
    if "allOf" in error.schema and not special:
        return set()
    return set(error.schema.get("properties", {})).union(*special)


def _resolve(root: Path, task: dict) -> list[str]:
    """Fill in, in place, the texts of ``{table: …}`` cards and a missing code key; returns faults."""
    holders = [task] if "cards" in task else []
    holders += [c for c in task.get("columns", []) if "cards" in c]
    faults = []
    for holder in holders:
        cards = holder["cards"]
        if isinstance(cards.get("table"), str) and "text" in cards:
            try:
                holder["cards"] = table_cards(root, **cards)
            except CourseError as fault:
                faults.append(str(fault))
    if task["kind"] == "code" and "key" not in task:
        try:
            task["key"] = run_solution(task)
        except CourseError as fault:
            faults.append(str(fault))
    return faults


def run_solution(task: dict) -> dict:
    """{name: value} that the task's own solution leaves behind."""
    from crmlib.tasks.code import collect

    space: dict = {}
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(f"import crmlib as crm\n{task.get('starter', '')}\n{task['solution']}", space)
    except Exception as error:
        raise CourseError(f"solution 运行出错：{type(error).__name__}：{error}") from None
    return collect(task, space)


def table_cards(root: Path, table: str, text: str, ids: list | None = None,
                note: str | None = None) -> dict:
    """Cards from ``datasets/<table>.csv``: {id: text} or {id: {text, note}}.

    The first column holds the ids.
    """
    rows = _table(root, table)
    if not rows:
        raise CourseError(f"datasets/{table}.csv 是空的")
    columns = list(rows[0])
    for column in filter(None, (text, note)):
        if column not in columns:
            raise CourseError(f"datasets/{table}.csv 没有“{column}”这一列，有的是：{'、'.join(columns)}")
    by_id = {row[columns[0]]: row for row in rows}
    missing = [i for i in ids or [] if i not in by_id]
    if missing:
        raise CourseError(f"datasets/{table}.csv 里没有这些卡片：{'、'.join(map(str, missing))}")
    return {i: ({"text": by_id[i][text], "note": by_id[i][note]} if note else by_id[i][text])
            for i in ids or by_id}


def _table(root: Path, name: str) -> list[dict]:
    path = root / "datasets" / f"{name}.csv"
    if not path.is_file():
        raise CourseError(f"找不到数据表 datasets/{name}.csv；检查名字，或运行 crm data 生成它")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
