"""写代码。答案：学生的单元格留下的变量，{名字: 值}。只认数、文字、列表、字典。"""

import math

from crmlib.tasks.numbers import close

_TYPE_NAMES = {"number": "一个数", "text": "一段文字", "list": "一个列表", "dict": "一个字典"}
_LONGEST, _DEEPEST = 10_000, 4


def public(task) -> dict:
    return {"names": task["names"], "starter": task.get("starter", ""), "types": types(task)}


def collect(task, namespace: dict) -> dict:
    """The task's variables as plain values; a value of any other type becomes None.

    A blank that is still ``...`` counts as not written yet.
    """
    return {name: _plain(namespace[name]) for name in task["names"] if namespace.get(name, ...) is not ...}


def _plain(value, depth=0):
    # 学生的代码可以造出任何对象：只看真正的类型，只用内建类型自己的方法来读，不调用改写过的方法
    try:
        if type(value).__module__.partition(".")[0] in ("numpy", "pandas"):
            value = value.tolist() if hasattr(value, "tolist") else value.to_dict()
    except Exception:
        return None
    kind = type(value)
    if kind is bool or value is None:
        return None
    if issubclass(kind, int):
        return int.__pos__(value) if int.bit_length(value) < 1000 else None
    if issubclass(kind, float):
        number = float.__pos__(value)
        return number if math.isfinite(number) else None
    if issubclass(kind, str):
        return str.__str__(value)[:_LONGEST]
    if depth >= _DEEPEST:
        return None
    if issubclass(kind, list | tuple):
        items = list.__iter__(value) if issubclass(kind, list) else tuple.__iter__(value)
        return [_plain(v, depth + 1) for v, _ in zip(items, range(_LONGEST), strict=False)]
    if issubclass(kind, dict):
        items = zip(dict.items(value), range(_LONGEST), strict=False)
        return {str(k): _plain(v, depth + 1) for (k, v), _ in items if type(k) in (str, int)}
    return None


def type_of(value) -> str | None:
    if isinstance(value, bool):
        return None
    for name, kinds in (("number", int | float), ("text", str), ("list", list), ("dict", dict)):
        if isinstance(value, kinds):
            return name
    return None


def types(task) -> dict[str, str]:
    """{name: "number" | "text" | "list" | "dict"}; from the key, or as ``public`` left it."""
    return task.get("types") or {n: type_of(v) for n, v in task.get("key", {}).items()}


def _title(task, name) -> str:
    return f"{name}（{task['names'][name]}）" if task["names"].get(name) else name


def missing(task, answer) -> list[str]:
    answer = answer if isinstance(answer, dict) else {}
    return [f"还没有变量 {_title(task, n)}。先运行你的代码。" for n in task["names"] if n not in answer]


def unreadable(task, answer) -> str | None:
    if not isinstance(answer, dict) or any(name not in task["names"] for name in answer):
        return "这份答案读不出来，重新运行你的代码。"
    return None


def malformed(task, answer) -> list[str]:
    answer, expected = answer if isinstance(answer, dict) else {}, types(task)
    return [
        f"{_title(task, n)}应当是{_TYPE_NAMES[expected[n]]}。"
        for n in task["names"] if n in answer and n in expected and type_of(answer[n]) != expected[n]
    ]


def _same(a, b, tolerance) -> bool:
    if type_of(a) != type_of(b):
        return False
    match type_of(a):
        case "number":
            return close(a, b, tolerance)
        case "text":
            return "".join(a.split()) == "".join(b.split())
        case "list":
            return len(a) == len(b) and all(_same(x, y, tolerance) for x, y in zip(a, b, strict=True))
        case "dict":
            return a.keys() == b.keys() and all(_same(a[k], b[k], tolerance) for k in a)
    return a is b


def share(task, answer) -> tuple[float, dict]:
    answer = answer if isinstance(answer, dict) else {}
    where = {n: _same(answer[n], v, task.get("tolerance")) for n, v in task["key"].items() if n in answer}
    shares = task.get("shares") or dict.fromkeys(task["key"], 1)
    return sum(shares.get(n, 0) for n, ok in where.items() if ok) / sum(shares.values()), where


def general(task, answer, where) -> list[str]:
    return [f"{_title(task, n)}的值不对。" for n, ok in where.items() if not ok]


def matches(task, when, answer) -> bool:
    answer = answer if isinstance(answer, dict) else {}
    return all(n in answer and _same(answer[n], v, task.get("tolerance")) for n, v in when.items())


def overlay(task, when) -> dict:
    return {**task["key"], **when}


def key_answer(task) -> dict | None:
    return dict(task["key"]) if "key" in task else None


def text(task, answer) -> str:
    answer = answer if isinstance(answer, dict) else {}
    def shown(value):  # 2.0500000000000003 是电脑的零头，不是学生的
        return f"{value:.10g}" if type_of(value) == "number" else repr(value)

    return "\n".join(f"{_title(task, n)} = {shown(answer[n])}" for n in task["names"] if n in answer)


def faults(task) -> list[str]:
    names = task["names"]
    found = [f"key 里的“{n}”不在 names 里" for n in task.get("key", {}) if n not in names]
    found += [f"key 没有 {n} 的值" for n in names if n not in task.get("key", {})]
    found += [f"shares 里的“{n}”不在 names 里" for n in task.get("shares", {}) if n not in names]
    for mistake in task.get("mistakes", []):
        place = f"mistakes“{mistake['name']}”"
        found += [f"{place}里的“{n}”不在 names 里" for n in mistake["when"] if n not in names]
    return found
