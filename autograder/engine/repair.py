"""修好交来的笔记：删掉的、复制的、换了类型的、改了名字的、改了内容的格子，照作业原样恢复。

只用标准库，只在内存里改；``nb`` 是 JSON 读出来的字典（nbformat 4），nbformat 的 NotebookNode 也行。
nbgrader 自己能处理的，结果和它一样；它会停下来的（复制的评分格、不认识的编号、改过的标记、不对的版本），
这里各有一个决定，写在 Finding 里。学生写的字一个也不丢：多出来的格子留着，只是不再算评分格。
"""

import hashlib
import re
import uuid
from dataclasses import dataclass, field, replace

SCHEMA = 3
_TYPES = ("code", "markdown", "raw")
_FLAGS = {"points": "分值", "grade": "评分标记", "solution": "作答标记", "task": "题目标记", "locked": "锁"}
_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_META = {"tags": list, "jupyter": dict, "name": str, "collapsed": bool, "format": str, "execution": dict}
_FIELDS = {"code": {"outputs", "execution_count"}, "markdown": {"attachments"}, "raw": {"attachments"}}


@dataclass(frozen=True)
class Finding:
    """One thing found and what was done: for the teacher, and for the student before handing in.

    ``kind``: deleted · copied · retyped · renamed · edited · unknown · flags · schema · structure · moved.
    ``lost``: the student's own work may be affected, so a person should look.
    """

    kind: str
    grade_id: str
    teacher: str
    student: str
    lost: bool = False


@dataclass(frozen=True)
class SourceCell:
    """What the assignment says of one nbgrader cell; ``points`` is None where nothing is scored."""

    name: str
    cell_type: str
    source: str
    locked: bool
    checksum: str = ""
    grade: bool = False
    solution: bool = False
    task: bool = False
    points: float | None = None
    cell_id: str = ""

    def metadata(self) -> dict:
        """The cell's nbgrader metadata as it should be."""
        scored = {"points": self.points} if self.points is not None else {}
        return {"grade_id": self.name, "grade": self.grade, "solution": self.solution, "locked": self.locked,
                "task": self.task, "cell_type": self.cell_type, "checksum": self.checksum,
                "schema_version": SCHEMA, **scored}


@dataclass
class Source:
    """One notebook of an assignment: its nbgrader cells in their order, {grade_id: SourceCell}."""

    cells: dict[str, SourceCell]
    kernelspec: dict | None = None

    @classmethod
    def of(cls, nb) -> "Source":
        """From a released notebook (or the teacher's), for who has no gradebook at hand.

        A released test cell has no hidden tests; scores still need the gradebook.
        """
        cells = {}
        for cell in nb["cells"]:
            meta = cell["metadata"].get("nbgrader") or {}
            if not (meta.get("grade") or meta.get("solution") or meta.get("locked") or meta.get("task")):
                continue
            scored = (meta.get("grade") or meta.get("task")) and "points" in meta
            points = float(meta["points"]) if scored else None
            made = SourceCell(
                meta["grade_id"], cell["cell_type"], _text(cell["source"]), is_locked(cell),
                meta.get("checksum", ""), bool(meta.get("grade")), bool(meta.get("solution")),
                bool(meta.get("task")), points, cell.get("id", ""))
            cells[made.name] = replace(made, checksum=made.checksum or checksum(cell))
        return cls(cells, nb["metadata"].get("kernelspec"))


@dataclass
class _Work:
    cells: list
    source: Source
    findings: list[Finding] = field(default_factory=list)

    def tell(self, kind, name, teacher, student, lost=False):
        self.findings.append(Finding(kind, name, teacher, student, lost))

    def at(self) -> dict[str, int]:
        """{grade_id: place} of the known cells."""
        return {name: place for place, cell in enumerate(self.cells)
                if (name := _name(cell)) in self.source.cells}


def repair(nb, source: Source) -> list[Finding]:
    """Mend a submitted notebook in place against ``source``; returns what was found, in reading order.

    Afterwards every nbgrader cell of the assignment is there once, of its type, with its flags and points;
    locked cells have their source; all outputs are cleared. Raises ValueError if ``nb`` has no cells at all.
    """
    if not isinstance(nb, dict) or not isinstance(nb.get("cells"), list):
        raise ValueError("这个文件不是 Jupyter 笔记")
    work = _Work(nb["cells"], source)
    _normalise(nb, work)
    _identify(work)
    _keep_one_of_each(work)
    _recognise(work)
    for cell in work.cells:
        if (name := _name(cell)) in source.cells:
            _restore(work, cell, source.cells[name])
    _add_missing(work)
    _order(work)
    if source.kernelspec:
        nb["metadata"]["kernelspec"] = dict(source.kernelspec)
    return work.findings


# ---- 一步一步 ----

def _normalise(nb, work) -> None:
    """Make it a notebook that every later step can read."""
    broken = 0
    if not isinstance(nb.get("metadata"), dict):
        nb["metadata"], broken = {}, broken + 1
    nb["nbformat"], nb["nbformat_minor"] = 4, 5
    cells, ids = [], set()
    for cell in nb["cells"]:
        if not isinstance(cell, dict):
            broken += 1
            continue
        if cell.get("cell_type") not in _TYPES:
            cell["cell_type"], broken = "code" if "outputs" in cell else "markdown", broken + 1
        if not isinstance(cell.get("metadata"), dict):
            cell["metadata"], broken = {}, broken + 1
        if "nbgrader" in cell["metadata"] and not isinstance(cell["metadata"]["nbgrader"], dict):
            del cell["metadata"]["nbgrader"]
            broken += 1
        source = _text(cell.get("source", ""))
        if source is None:
            source, broken = "", broken + 1
        cell["source"] = source.encode("utf-8", "replace").decode()  # 半个字符写不进文件
        if not isinstance(cell.get("id"), str) or not _ID.fullmatch(cell["id"]) or cell["id"] in ids:
            cell["id"] = uuid.uuid5(uuid.NAMESPACE_OID, f"{len(cells)} {cell['source']}").hex[:12]
        ids.add(cell["id"])
        _shape(cell)
        cells.append(cell)
    work.cells[:] = cells
    if broken:
        work.tell("structure", "", f"笔记里有 {broken} 处不合格式，已经改好。",
                  f"笔记文件里有 {broken} 处坏了。从作业里重新复制一份，把答案抄过去再交。", lost=True)


def _shape(cell) -> None:
    """Fields that belong to the cell's type, and no outputs."""
    allowed = {"cell_type", "id", "metadata", "source", *_FIELDS[cell["cell_type"]]}
    for extra in set(cell) - allowed:
        del cell[extra]
    meta = cell["metadata"]
    for name, kind in _META.items():
        if not isinstance(meta.get(name, kind()), kind):
            del meta[name]
    if not all(isinstance(tag, str) for tag in meta.get("tags", [])) or len({*meta.get("tags", [])}) < len(
            meta.get("tags", [])):
        del meta["tags"]
    if cell["cell_type"] == "code":
        cell["outputs"], cell["execution_count"] = [], None
    elif not _are_attachments(cell.get("attachments", {})):
        del cell["attachments"]


def _are_attachments(found) -> bool:
    return isinstance(found, dict) and all(
        isinstance(file, dict) and all(isinstance(data, str) for data in file.values())
        for file in found.values())


def _identify(work) -> None:
    """Take nbgrader metadata off cells that are none of the assignment's, and tell of odd versions."""
    old, new = [], []
    for cell in work.cells:
        meta = cell["metadata"].get("nbgrader")
        if meta is None:
            continue
        version = meta.get("schema_version", 0)
        if version != SCHEMA and _name(cell) in work.source.cells:
            (new if isinstance(version, int) and version > SCHEMA else old).append(_name(cell))
        if not isinstance(meta.get("grade_id"), str):
            del cell["metadata"]["nbgrader"]
    for names, said in ((old, "旧"), (new, "新")):
        if names:
            work.tell("schema", names[0], f"{len(names)} 个格子的 nbgrader 版本偏{said}，已经换成 {SCHEMA}。",
                      "笔记的版本不对，批改时会自动换好，不用管。")


def _keep_one_of_each(work) -> None:
    """Of copies, the last one counts (as nbgrader means it); of answer cells, the last that has an answer."""
    places: dict[str, list[int]] = {}
    for place, cell in enumerate(work.cells):
        if (name := _name(cell)) in work.source.cells:
            places.setdefault(name, []).append(place)
    for name, found in places.items():
        if len(found) == 1:
            continue
        known, kept = work.source.cells[name], found[-1]
        if not known.locked:
            kept = next((p for p in reversed(found) if work.cells[p]["source"].strip()
                         and work.cells[p]["source"] != known.source), kept)
        for place in found:
            if place != kept:
                del work.cells[place]["metadata"]["nbgrader"]
        which = "最后一个" if kept == found[-1] else f"第 {found.index(kept) + 1} 个"
        work.tell("copied", name, f"格子 {name} 有 {len(found)} 个，算{which}，其余当普通格子。",
                  f"格子 {name} 有 {len(found)} 个，只算{which}。把多余的删掉。", lost=not known.locked)


def _recognise(work) -> None:
    """Find renamed cells and cells whose metadata is lost, by cell id, by content, by place."""
    source = work.source.cells
    missing = [name for name in source if name not in work.at()]
    for name in missing:
        known = source[name]
        free = [c for c in work.cells if _name(c) not in source]
        same = [c for c in free if known.cell_id and c["id"] == known.cell_id] \
            or [c for c in free if _same_text(c["source"], known)]
        cell = same[0] if same else _between(work, name, free)
        if cell is None:
            continue
        was = _name(cell)
        cell["metadata"]["nbgrader"] = {"grade_id": name, **known.metadata()}
        if was:
            work.tell("renamed", name, f"格子 {name} 的编号被改成了 {was[:40]}，已经改回来。",
                      f"格子 {name} 的编号被改过，批改时会改回来。")
        else:
            work.tell("renamed", name, f"格子 {name} 的标记丢了，按内容或位置认了回来。",
                      f"格子 {name} 的标记丢了，批改时会认回来。")
    for cell in work.cells:
        if (name := _name(cell)) is not None and name not in source:
            del cell["metadata"]["nbgrader"]
            work.tell("unknown", name[:40], f"格子 {name[:40]} 不是这份作业的，当普通格子。",
                      f"格子 {name[:40]} 不是这份作业的，不算分。")


def _same_text(text, known) -> bool:
    given, full = text.strip().splitlines(), known.source.strip().splitlines()
    if not given or given == full:
        return bool(given)
    return known.locked and len(given) > 1 and given[0] == full[0] and _is_release_of(text, known.source)


def _between(work, name, free):
    """The one free cell of the right type between the missing cell's neighbours, if it bore a mark before.

    Only for answer cells: a locked cell is simply written again.
    """
    if work.source.cells[name].locked:
        return None
    order, at = list(work.source.cells), work.at()
    here = order.index(name)
    low = max((at[n] for n in order[:here] if n in at), default=-1)
    high = min((at[n] for n in order[here + 1:] if n in at), default=len(work.cells))
    found = [c for c in work.cells[low + 1:high] if any(c is f for f in free)
             and c["cell_type"] == work.source.cells[name].cell_type and _name(c) is not None]
    return found[0] if len(found) == 1 else None


def _restore(work, cell, known) -> None:
    """Type, flags, points and (locked) source of one cell as the assignment has them."""
    name, meta = known.name, cell["metadata"]["nbgrader"]
    if cell["cell_type"] != known.cell_type:
        work.tell("retyped", name,
                  f"格子 {name} 的类型成了 {cell['cell_type']}，已经换回 {known.cell_type}。",
                  f"格子 {name} 的类型换了，批改时会换回来。")
        cell["cell_type"] = known.cell_type
        _shape(cell)
    right = known.metadata()
    wrong = [flag for flag in ("grade", "solution", "task", "points") if flag in right | meta
             and meta.get(flag, False) != right.get(flag, False)]
    if is_locked(cell) != known.locked and "solution" not in wrong and "grade" not in wrong:
        wrong.append("locked")
    if wrong:
        what = "、".join(_FLAGS[flag] for flag in wrong)
        work.tell("flags", name, f"格子 {name} 的{what}被改过，已经改回来。",
                  f"格子 {name} 的{what}被改过，批改时会改回来，改了没有用。")
    cell["metadata"]["nbgrader"] = right
    if known.locked and cell["source"] != known.source:
        # 学生版的评分格没有隐藏测试，本来就和老师版不同：只有另外改过的才说
        if not _is_release_of(cell["source"], known.source):
            work.tell("edited", name, f"格子 {name} 被改过，已经换回原来的。",
                      f"格子 {name} 不能改，批改时会换回原来的。你写在里面的字不会算。")
        cell["source"] = known.source


def _is_release_of(given, full) -> bool:
    """Whether ``given`` is ``full`` with some of its lines taken out (hidden tests), or stubs for them."""
    wanted = iter(line.strip() for line in full.splitlines())
    return all(line.strip() in wanted for line in given.strip().splitlines())


def _add_missing(work) -> None:
    """Put deleted cells back behind their predecessor; a deleted answer is for a person to look at."""
    order = list(work.source.cells)
    for here, name in enumerate(order):
        known, at = work.source.cells[name], work.at()
        if name in at:
            continue
        if known.task and not any(n in at for n in order[:here]):
            place = len(work.cells)
        else:
            place = next((at[n] + 1 for n in reversed(order[:here]) if n in at), 0)
        text, lost = known.source, not known.locked
        if known.grade and known.solution:  # 和没动过的答案分得开：由老师看
            text = f"（这一格 {name} 在交来的笔记里没有，是批改时放回来的。）\n\n{text}"
            text = "# " + text if known.cell_type == "code" else text
        cell = {"cell_type": known.cell_type, "source": text, "metadata": {"nbgrader": known.metadata()},
                "id": uuid.uuid5(uuid.NAMESPACE_OID, f"missing {name}").hex[:12]}
        _shape(cell)
        work.cells.insert(place, cell)
        if known.grade or known.task or known.solution:
            work.tell("deleted", name, f"格子 {name} 被删掉了，已经放回来。",
                      f"格子 {name} 被删掉了。" + ("你的答案不在了，从备份里找回来。" if lost
                                                  else "批改时会放回来，不用管。"), lost)


def _order(work) -> None:
    at = work.at()
    places = [at[name] for name in work.source.cells if name in at]
    if places != sorted(places):
        name = next(n for n, a, b in zip(work.source.cells, places, places[1:], strict=False) if a > b)
        work.tell("moved", name, f"格子 {name} 换了位置，照交来的次序批。",
                  f"格子 {name} 换了位置。答案要在它的检查格前面，拖回去再交。", lost=True)


# ---- nbgrader 的几个小函数，字典版 ----

def is_locked(cell) -> bool:
    """As nbgrader.utils.is_locked."""
    meta = cell["metadata"].get("nbgrader") or {}
    return not meta.get("solution") and bool(meta.get("grade") or meta.get("locked"))


def checksum(cell) -> str:
    """As nbgrader.utils.compute_checksum."""
    meta = cell["metadata"]["nbgrader"]
    grade = meta.get("grade", False)
    parts = [_text(cell["source"]), cell["cell_type"], str(grade), str(meta.get("solution", False)),
             str(is_locked(cell) if not meta.get("solution") else False), meta["grade_id"]]
    parts += [str(float(meta["points"]))] if grade else []
    return hashlib.md5("".join(parts).encode()).hexdigest()


def _text(source) -> str | None:
    if isinstance(source, list) and all(isinstance(s, str) for s in source):
        return "".join(source)
    return source if isinstance(source, str) else None


def _name(cell) -> str | None:
    meta = cell["metadata"].get("nbgrader")
    return meta.get("grade_id") if isinstance(meta, dict) else None
