"""填数。答案：{空: 学生打的字}；全角数字、％、千分位、单位都可以打，打“3 万元”会按这个空的单位换算。

key 里每个空是一个数，或一个公式 {formula: "ife - efe"}。公式里的名字来自 inputs：
学生自己在别的题里填的数。所以“算出你自己那张表的总分”，每个学生的对答案各不相同。
得分 = 对的空 ÷ 空的个数。误差在 tolerance 以内算对（不写是 0.005，即两位小数）。
"""

import math
import re

from crmlib.tasks import form
from crmlib.tasks.numbers import close, formula, formula_fault, read_number

BANK = "blanks"

_TOLERANCE = 0.005
_SHOWN = ("title", "unit")


def public(task) -> dict:
    """``inputs`` and ``sources`` say where numbers come from; how they are combined is in the key."""
    blanks = {n: {f: blank[f] for f in _SHOWN if f in blank} for n, blank in task["blanks"].items()}
    return {"blanks": blanks, **{f: task[f] for f in ("inputs", "sources") if f in task}}


# ---- 单位 ----

# 单位 → (基本单位, 等于几个基本单位)；前面还可以加 千、万……
_UNITS = {"克": ("克", 1), "g": ("克", 1), "斤": ("克", 500), "公斤": ("克", 1000), "kg": ("克", 1000),
          "吨": ("克", 10**6), "t": ("克", 10**6),
          "米": ("米", 1), "m": ("米", 1), "公里": ("米", 1000), "km": ("米", 1000),
          "秒": ("秒", 1), "分钟": ("秒", 60), "小时": ("秒", 3600), "天": ("秒", 86400),
          "%": ("", 0.01), "‰": ("", 0.001), "": ("", 1)}
_TIMES = {"千万": 10**7, "百万": 10**6, "亿": 10**8, "万": 10**4, "千": 10**3, "百": 100}
_TYPED = re.compile(r"(.*[\d.。．])\s*([^\d\s.,，。．、]*)\s*", re.S)


def _unit(name: str) -> tuple[str, float]:
    """(base unit, how many of it): 万元 → (元, 10000), kg → (克, 1000)."""
    name = name.strip().replace("％", "%")
    if name in _UNITS:
        return _UNITS[name]
    for word, times in _TIMES.items():
        if name.startswith(word):
            base, many = _unit(name.removeprefix(word))
            return base, times * many
    return name, 1


def quantity(raw, unit: str = "") -> float | None:
    """What a student typed, in ``unit``; None if it is no number, or its unit is of another kind.

    >>> quantity("３万元", "元"), quantity("2.5kg", "克"), quantity("300 万", "元"), quantity("25%", "%")
    (30000.0, 2500.0, 3000000.0, 25.0)
    >>> quantity("25%"), quantity("0.5小时", "分钟"), quantity("3 元", "公斤")
    (0.25, 30.0, None)
    """
    number = read_number(raw, unit)
    typed = _TYPED.fullmatch(raw) if isinstance(raw, str) and len(raw) < 60 else None
    if not typed or not typed[2] or typed[2] == unit:
        return number
    name = typed[2]
    if name in _TIMES:  # 只打了“万”，没打“元”
        name += re.sub("^(百万|千万|万|亿)", "", unit)
    number, (base, many), (wanted, scale) = read_number(typed[1]), _unit(name), _unit(unit)
    return None if number is None or base != wanted else number * many / scale


# ---- 读答案 ----

def _title(task, name) -> str:
    return f"“{task['blanks'][name]['title']}”"


def _filled(task, answer) -> dict:
    """Blanks with something in them, as typed."""
    if not isinstance(answer, dict):
        return {}
    return {n: v for n, v in answer.items() if n in task["blanks"] and v is not None and str(v).strip()}


def _values(task, answer) -> dict[str, float | None]:
    return {n: quantity(raw, task["blanks"][n].get("unit", "")) for n, raw in _filled(task, answer).items()}


def value(task, answer) -> dict[str, float | None] | None:
    """The answer as ``crm.answer`` gives it: numbers in the units of the blanks."""
    return _values(task, answer) or None


def _waiting(task) -> list[str]:
    """Tasks whose answers are needed and not there yet."""
    given, inputs = task.get("given", {}), task.get("inputs", {})
    return list(dict.fromkeys(inputs[n]["task"] for n, v in given.items() if v is None))


def missing(task, answer) -> list[str]:
    if waiting := _waiting(task):
        return [f"这道题要用你在第 {'、'.join(waiting)} 题里填的数：先把它填完。"]
    filled = _filled(task, answer)
    return [f"{_title(task, n)}还没有填。" for n in task["blanks"] if n not in filled]


def unreadable(task, answer) -> str | None:
    if not isinstance(answer, dict) or any(n not in task["blanks"] for n in answer):
        return "这份答案读不出来，重新填一次。"
    return None


def malformed(task, answer) -> list[str]:
    said = []
    for name, number in _values(task, answer).items():
        if number is None:
            unit = task["blanks"][name].get("unit")
            said.append(f"{_title(task, name)}要写一个数，例如 12.5{f'；单位是{unit}' if unit else ''}。")
    return said


# ---- 对答案 ----

def given(task, answer_of) -> dict[str, float | None]:
    """{input: the student's own number}; None where it is not there yet.

    ``answer_of(task id)``: his saved answer to that task, whatever it is.
    """
    return {name: _input(task["sources"][spec["task"]], answer_of(spec["task"]), spec)
            for name, spec in task.get("inputs", {}).items()}


def _input(source, answer, spec) -> float | None:
    from crmlib.tasks.core import unreadable

    if answer is None or unreadable(source, answer):
        return None
    if "blank" in spec:
        return _values(source, answer).get(spec["blank"])
    rows = form.rows(source, answer)
    if "cell" in spec:
        row, column = spec["cell"]
        return rows.get(row, {}).get(column)
    parts = [formula(spec["sum_of"], rows[row]) for row in spec.get("rows", rows) if row in rows]
    return sum(parts) if parts and None not in parts and math.isfinite(sum(parts)) else None


def _wanted(task, cells) -> dict[str, float | None]:
    """The numbers that key or mistake stand for; None where an input is missing."""
    known = task.get("given", {})
    return {n: formula(v["formula"], known) if isinstance(v, dict) else float(v) for n, v in cells.items()}


def _agrees(task, name, number, wanted) -> bool:
    tolerance = task["blanks"][name].get("tolerance", task.get("tolerance", _TOLERANCE))
    return number is not None and wanted is not None and close(number, wanted, tolerance)


def share(task, answer) -> tuple[float, dict]:
    wanted = _wanted(task, task["key"])
    where = {n: _agrees(task, n, number, wanted[n]) for n, number in _values(task, answer).items()}
    return sum(where.values()) / len(task["blanks"]), where


def general(task, answer, where) -> list[str]:
    wanted, said = _wanted(task, task["key"]), []
    for name, number in _values(task, answer).items():
        if where[name] or number is None:
            continue
        if wanted[name] is None:
            said.append(f"{_title(task, name)}要用你前面填的数来算：先把前面那道题填完。")
        elif slip := _slip(number, wanted[name], task["blanks"][name].get("unit", "")):
            said.append(f"{_title(task, name)}差了整整 {slip[0]:g} 倍：{slip[1]}")
        elif wanted[name] and _agrees(task, name, -number, wanted[name]):
            said.append(f"{_title(task, name)}的正负号反了。")
        else:
            said.append(f"{_title(task, name)}不对，再算一次。")
    return said


def _slip(number, wanted, unit) -> tuple[float, str] | None:
    """(times, what to look at) where a number is off by just the step between two units."""
    base, scale = _unit(unit)
    near = {"": {100: "看看该写百分数还是小数。"},
            "克": {1000: "看看是克还是千克。", 500: "看看是斤还是克。", 2: "看看是斤还是公斤。"},
            "米": {1000: "看看是米还是公里。"}, "秒": {60: "看看是分钟还是小时（或者秒）。"}}
    steps = near.get(base, {10_000: f"看看是{base}还是万{base}。"} if scale in (1, 10_000) else {})
    if not wanted or not number or (not unit and min(abs(number), abs(wanted)) > 1):
        return None
    for times, words in steps.items():
        if any(close(number * factor, wanted, {"rel": 0.002}) for factor in (times, 1 / times)):
            return times, words
    return None


def matches(task, when, answer) -> bool:
    values, known = _values(task, answer), _wanted(task, when)
    return all(_agrees(task, n, values.get(n), known[n]) for n in when)


def _typed(number: float | None) -> str:
    return "" if number is None else f"{round(number, 6):.6f}".rstrip("0").rstrip(".")


def overlay(task, when) -> dict[str, str]:
    return {**key_answer(task), **{n: _typed(v) for n, v in _wanted(task, when).items()}}


def key_answer(task) -> dict[str, str] | None:
    return {n: _typed(v) for n, v in _wanted(task, task["key"]).items()} if "key" in task else None


def text(task, answer) -> str:
    filled, lines = _filled(task, answer), []
    for name, blank in task["blanks"].items():
        raw, unit = str(filled.get(name, "（空）")), blank.get("unit", "")
        lines.append(f"{blank['title']}：{raw}" + (f" {unit}" if unit and raw[-1:].isdigit() else ""))
    return "\n".join(lines) if filled else ""


def faults(task) -> list[str]:
    blanks, inputs, sources = task["blanks"], task.get("inputs", {}), task.get("sources", {})
    found = [f"key 没有“{n}”的值" for n in blanks if n not in task["key"]]
    for name, spec in inputs.items():
        found += _input_faults(f"inputs 里的“{name}”", sources.get(spec["task"]), spec)
    for place, cells in [("key", task["key"]),
                         *((f"mistakes“{m['name']}”", m["when"]) for m in task.get("mistakes", []))]:
        for name, wanted in cells.items():
            if name not in blanks:
                found.append(f"{place} 里的空“{name}”不存在")
            if isinstance(wanted, dict) and (fault := formula_fault(wanted["formula"], inputs)):
                found.append(f"{place} 里“{name}”的{fault}")
    return found


def _input_faults(place, source, spec) -> list[str]:
    if source is None:
        return [f"{place}：前面没有第 {spec['task']} 题；练习题只能用练习题的数，作业题只能用作业题的数"]
    if "draw" in source:
        return [f"{place}：第 {spec['task']} 题是抽题（draw），不是每个学生都有这个数"]
    if "blank" in spec:
        good = source["kind"] == "number" and spec["blank"] in source["blanks"]
        return [] if good else [f"{place}：第 {spec['task']} 题没有空“{spec['blank']}”"]
    if source["kind"] != "form":
        return [f"{place}：第 {spec['task']} 题不是填表题；sum_of 和 cell 只用于填表题，填数题写 blank"]
    numbers = {c["id"] for c in source["columns"] if c.get("type") == "number"}
    fixed = {row["id"] for row in source["rows"]} if not form.is_free(source) else None
    named = [spec["cell"][0]] if "cell" in spec else spec.get("rows", [])
    found = [f"{place}：第 {spec['task']} 题没有行“{row}”" for row in named
             if fixed is not None and row not in fixed]
    if "cell" in spec and spec["cell"][1] not in numbers:
        found.append(f"{place}：第 {spec['task']} 题没有数字列“{spec['cell'][1]}”")
    if "sum_of" in spec and (fault := formula_fault(spec["sum_of"], numbers)):
        found.append(f"{place}：{fault}")
    return found
