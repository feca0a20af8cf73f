"""评分的核心：一道题 + 一份答案 → 结果。每种题型是一个模块，函数名都一样。

每个题型模块有：
``public(task)``            学生可以看到的那部分（不含公共字段）
``missing(task, answer)``   还没答的，一句一条
``unreadable(task, answer)`` 整份答案不成样子：为什么（成样子则 None）
``malformed(task, answer)`` 哪里格式不对，一句一条
``share(task, answer)``     (得分比例 0..1, {小项: 对不对})
``general(task, answer, where)``  没有对上已知错误时说的话
``matches(task, when, answer)``   是不是这个已知错误
``overlay(task, when)``     标准答案换上错误的部分，用来证明这个错误会被认出来
``key_answer(task)``        标准答案（没有则 None）
``text(task, answer)``      答案的文字版
``faults(task)``            题目本身写错的地方
``BANK``                    （可以没有）题库在哪个字段里：写了 draw 的题，每个学生只抽其中几项
``remarks(task, answer)``   （可以没有）检查以后，对每个小项说的话 {小项: 话}
``advice(task, answer)``    （可以没有）检查以后给的建议，一句一条；从不影响得分
``solution(task, answer)``  （可以没有）在这个学生的局面里，标准答案是怎样的
``screen(shown)``           （可以没有）公开部分里，送进浏览器的是哪些
``view(task, answer)``      （可以没有）内核替浏览器算好的、要显示的东西；答案每变一次，算一次

加一种题型：在这里加一个模块，写进 KINDS；在 widgets/ 加一个同名的 .js。
"""

import base64
import hashlib
import json
from dataclasses import dataclass, field

from crmlib.cli import CourseError
from crmlib.tasks import choose, classify, code, dialogue, form, match, number, order, simulate, write

KINDS = {"choose": choose, "classify": classify, "match": match, "order": order, "number": number,
         "form": form, "dialogue": dialogue, "simulate": simulate, "code": code, "write": write}

_COMMON = ("id", "kind", "use", "title", "prompt", "points", "covers", "draw")
_BIGGEST = 200_000  # 一份答案最多这么多字符；一张写满的大表不到它的十分之一


class TaskError(CourseError):
    """A task that cannot be shown or scored; the text says why and what to do."""


@dataclass
class Result:
    """What a check found.

    ``state``: empty 还没答完 · malformed 格式不对 · saved 已保存（不评分）· wrong · partial · right.
    ``points`` of ``of``; ``where``: {item: right or not}; ``mistakes``: names of the known mistakes.
    """

    state: str
    points: float = 0.0
    of: float = 0.0
    messages: list[str] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    where: dict[str, bool] = field(default_factory=dict)


def full_points(task) -> float:
    """Points that a task can give; a poll (choose without key) gives none."""
    return 0 if task["kind"] == "choose" and choose.is_poll(task) else task.get("points", 1)


def score_task(task: dict, answer, final: bool = False) -> Result:
    """Score one answer. Never raises because of the answer, whatever it is.

    An unfinished answer (state ``empty``) is not judged yet, but has the points of what is right in it;
    only an answer that cannot be read at all has none. ``final``: judge it as it stands (grading).

    >>> task = {"id": "1.1-1", "kind": "choose", "options": {"a": "对", "b": "错"}, "key": ["a"]}
    >>> score_task(task, ["a"]).state, score_task(task, ["b"]).points, score_task(task, None).state
    ('right', 0.0, 'empty')
    """
    kind, of = KINDS[task["kind"]], full_points(task)
    if trouble := alien(answer):
        return Result("malformed", 0.0, of, [trouble])
    share, where = kind.share(task, answer) if "key" in task else (0.0, {})
    points = of if share > 1 - 1e-9 else round(of * share, 2)
    malformed, missing = _malformed(task, answer), kind.missing(task, answer)
    if not answer or "key" not in task or task["kind"] == "write" or not final:
        if malformed:
            return Result("malformed", points, of, malformed)
        if missing:
            return Result("empty", points, of, missing)
        if "key" not in task or task["kind"] == "write":
            return Result("saved", points, of)
    if share > 1 - 1e-9:
        return Result("right", of, of, where=where)
    known = [m for m in task.get("mistakes", []) if kind.matches(task, m["when"], answer)]
    messages = [m["hint"] for m in known] or kind.general(task, answer, where)
    state = "partial" if points > 0 else "wrong"
    return Result(state, points, of, malformed + missing + messages, [m["name"] for m in known], where)


def _malformed(task, answer) -> list[str]:
    trouble = unreadable(task, answer)
    return [trouble] if trouble else KINDS[task["kind"]].malformed(task, answer)


def unreadable(task, answer) -> str | None:
    """Why an answer is no answer to this task at all; None if it can be shown in its widget."""
    return None if answer is None else alien(answer) or KINDS[task["kind"]].unreadable(task, answer)


def alien(answer) -> str | None:
    """Why an answer is not plain, modest JSON; None if it is."""
    size, waiting = 0, [(answer, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > 6:
            return "这份答案读不出来，重新答一次。"
        if isinstance(value, dict):
            if not all(isinstance(k, str) for k in value):
                return "这份答案读不出来，重新答一次。"
            size += sum(map(len, value)) + len(value)
            waiting += [(v, depth + 1) for v in value.values()]
        elif isinstance(value, list):
            size += len(value)
            waiting += [(v, depth + 1) for v in value]
        elif isinstance(value, str):
            size += len(value)
        elif isinstance(value, int | float) and not abs(value) < 10**300:  # 也拦下 NaN 和无穷大
            return "这份答案里有读不出来的数，重新答一次。"
        elif not isinstance(value, int | float | None):
            return "这份答案读不出来，重新答一次。"
        if size > _BIGGEST:
            return f"这份答案太长了，最多 {_BIGGEST // 10000} 万个字符。"
    return None


def text(task: dict, answer) -> str:
    """The answer in plain Chinese; empty if there is none or it cannot be read."""
    if answer is None or alien(answer):
        return ""
    return KINDS[task["kind"]].text(task, answer)


def public(task: dict) -> dict:
    """The part of a task that a student may see: no key, hints, explanation or rules.

    A list of what is allowed, not of what is forbidden, so that a new field never leaks.
    """
    shown = {name: task[name] for name in _COMMON if name in task}
    return {**shown, "points": full_points(task), **KINDS[task["kind"]].public(task)}


# ---- 抽题 ----

def bank(task: dict) -> dict:
    """The items that a task with ``draw`` draws from, {id: item}."""
    return task[KINDS[task["kind"]].BANK]


def narrow(task: dict, seed: str) -> dict:
    """The task as one student has it: with the ``draw`` items that his seed draws from the bank.

    Needs no key, so that student and grader draw alike. Items added to a bank later push out few others.

    >>> task = {"id": "1.1-1", "kind": "match", "draw": 2, "left": {"a": "车", "b": "人", "c": "仓"}}
    >>> [list(narrow(task, seed)["left"]) for seed in ("ann", "bo")]
    [['b', 'c'], ['a', 'b']]
    """
    if "draw" not in task:
        return task
    lots = {item: hashlib.sha256(f"{seed} {task['id']} {item}".encode()).digest() for item in bank(task)}
    return only(task, sorted(lots, key=lots.get)[: task["draw"]])


def only(task: dict, items) -> dict:
    """A task with just these items of its bank, no ``draw``; of key and mistakes, what is about them."""
    kind, drawn = KINDS[task["kind"]], set(items)
    left = {item: content for item, content in bank(task).items() if item in drawn}
    whole, key = {name: value for name, value in task.items() if name != "draw"}, task.get("key")
    narrowed = {**whole, kind.BANK: left}
    if kind is choose:
        narrowed["many"] = choose.many(task)
    if key is None:
        return narrowed
    narrowed["key"] = _about(key, drawn)
    if "mistakes" in task:
        # 选择题的 when 是整个答案：没抽到的正确选项去掉，仍然是这个错误
        goes = drawn | set(key) if kind is choose else drawn
        narrowed["mistakes"] = [{**m, "when": _about(m["when"], drawn)} for m in task["mistakes"]
                                if goes >= set(m["when"])]
        if kind is choose:
            narrowed["mistakes"] = [m for m in narrowed["mistakes"]
                                    if m["when"] and set(m["when"]) != set(narrowed["key"])]
    return narrowed


def _about(part, drawn):
    """What a key or a mistake says about the drawn items: {item: …}, or a list of items and small lists."""
    if isinstance(part, dict):
        return {item: value for item, value in part.items() if item in drawn}
    kept = ([i for i in p if i in drawn] if isinstance(p, list) else p for p in part)
    return [p for p in kept if (p if isinstance(p, list) else p in drawn)]


def fingerprint(task: dict) -> str:
    """12 hex digits that change when what the student sees changes."""
    shown = json.dumps(public(task), ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(shown.encode()).hexdigest()[:12]


def encode_task(task: dict) -> str:
    """A task as one printable word, for the hidden test cell.

    >>> decode_task(encode_task({"id": "2.2-g1"}))
    {'id': '2.2-g1'}
    """
    # 不压缩：不同版本的 zlib 压出来的字节不一样，重新生成的作业就不能逐字节相同
    return base64.b64encode(json.dumps(task, ensure_ascii=False).encode()).decode()


def decode_task(blob: str) -> dict:
    """Inverse of ``encode_task``; TaskError if the word is damaged."""
    try:
        return json.loads(base64.b64decode(blob, validate=True))
    except ValueError:
        raise TaskError("这个评分格里的题目数据损坏了：重新运行 crm build，再发布一次作业。") from None


def faults(task: dict) -> list[str]:
    """What is wrong with a task itself (names that do not exist and the like); [] if nothing.

    The shape (required fields, types) is the schema's business; this looks at what fields say together.
    """
    if task["kind"] not in KINDS:
        return [f"kind“{task['kind']}”不认识；可以用：{'、'.join(KINDS)}"]
    found = KINDS[task["kind"]].faults(task) + _draw_faults(task)
    names = [m["name"] for m in task.get("mistakes", [])]
    found += [f"mistakes 里“{n}”出现了两次" for n in sorted({n for n in names if names.count(n) > 1})]
    return found


def _draw_faults(task) -> list[str]:
    draw, kind = task.get("draw"), KINDS[task["kind"]]
    if draw is None:
        return []
    if not hasattr(kind, "BANK"):
        return [f"{task['kind']} 不能抽题（draw）"]
    found, items = [], bank(task)
    if draw >= len(items):
        found.append(f"draw 是 {draw}，要比全部 {len(items)} 项少")
    if kind is choose and "key" in task:
        if not choose.many(task):
            found.append("单选题不能抽题（draw）：抽掉的可能正是对的那一个；写成多选")
        elif draw <= len(set(items) - set(task["key"])):
            found.append("draw 太小：抽到的选项可能一个也不该选；draw 要比错误选项的个数多")
    return found
