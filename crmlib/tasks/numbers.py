"""把学生打的数字读成数：全角数字、％、千分位逗号、句号当小数点，都认得；也算公式。"""

import ast
import math
import operator
import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?", re.IGNORECASE)
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
# 中文输入法打得出来的减号；NFKC 只认全角的那一个
_DASHES = str.maketrans({"−": "-", "–": "-", "—": "-", "。": ".", "、": ","})


def read_number(value, unit: str = "") -> float | None:
    """What a student typed, as a finite float; None if it is not a number.

    A trailing ``unit`` is ignored. ``%`` divides by 100, unless the unit itself is ``%``.

    >>> read_number("０。２５"), read_number("1，234.5"), read_number("20％"), read_number("3 分", "分")
    (0.25, 1234.5, 0.2, 3.0)
    >>> read_number("20%", "%"), read_number("3,5"), read_number("abc"), read_number(True)
    (20.0, None, None, None)
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        try:
            number = float(value)
        except OverflowError:
            return None
        return number if math.isfinite(number) else None
    if not isinstance(value, str) or len(value) > 60:
        return None
    text = unicodedata.normalize("NFKC", value).translate(_DASHES)
    text = "".join(text.split())
    unit = "".join(unicodedata.normalize("NFKC", unit).split())
    if unit and text.endswith(unit):
        text = text[: -len(unit)]
    percent = text.endswith("%")
    text = text.removesuffix("%")
    if _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    if percent and unit != "%":
        number /= 100
    return number if math.isfinite(number) else None


def close(a: float, b: float, tolerance=None) -> bool:
    """Whether two numbers agree. ``tolerance``: a number (absolute) or {"abs": x} or {"rel": x}.

    >>> close(2.6, 2.61, {"abs": 0.01}), close(98, 100, {"rel": 0.01}), close(0.1 + 0.2, 0.3)
    (True, False, True)
    """
    if isinstance(tolerance, dict):
        absolute, relative = tolerance.get("abs", 0), tolerance.get("rel", 0)
    else:
        absolute, relative = tolerance or 0, 0
    # 二进制小数自己的误差不能算学生的
    slack = 1e-9 * max(1, abs(a), abs(b))
    return abs(a - b) <= max(absolute, relative * abs(b)) + slack


def _round(number, places=0):
    # 四舍五入，和手算一样；Python 自己的 round 会把 2.5 变成 2
    rounded = Decimal(repr(number)).quantize(Decimal(1).scaleb(-int(places)), ROUND_HALF_UP)
    return float(rounded) if places > 0 else int(rounded)


_OPERATORS = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge,
}
_NODES = (ast.Expression, ast.Name, ast.Load, ast.UnaryOp, ast.USub, ast.Not, ast.BinOp, ast.Compare,
          ast.BoolOp, ast.And, ast.Or, ast.IfExp, *_OPERATORS)
_FUNCTIONS = {"min": min, "max": max, "abs": abs, "round": _round, "floor": math.floor, "ceil": math.ceil,
              "exp": math.exp, "log": math.log, "sqrt": math.sqrt}
_ALLOWED = ("能用的有：名字、数字、+ - * / // % ( )、比较、and or not、甲 if 条件 else 乙，"
            f"还有 {' '.join(_FUNCTIONS)}")


def formula(text: str, values: dict):
    """Value of a formula; None if a name has no value, or it cannot be worked out (1/0, log(-1)).

    Numbers, names, ``+ - * / // % ( )``, comparisons, ``and or not``, ``a if b else c``, text in quotes to
    compare with, and min max abs round floor ceil exp log sqrt; ``round`` rounds half away from zero, as
    people do. ValueError for anything else.

    >>> formula("weight * rating", {"weight": 0.2, "rating": 4}), formula("1 / late", {"late": 0})
    (0.8, None)
    >>> formula("max(0, 10 - late) if tone == 'soft' else 0", {"late": 3, "tone": "soft"})
    7
    >>> formula("round(2.675, 2) + round(2.5)", {}), formula("x > 1 and y", {"x": 2, "y": None})
    (5.68, None)
    """

    def value(node):
        match node:
            case ast.Constant(value=constant):
                return constant
            case ast.Name(id=name):
                if values[name] is None:
                    raise KeyError(name)
                return values[name]
            case ast.UnaryOp(op=op, operand=operand):
                return not value(operand) if isinstance(op, ast.Not) else -value(operand)
            case ast.BinOp(left=left, op=op, right=right):
                return _OPERATORS[type(op)](value(left), value(right))
            case ast.Compare(left=left, ops=ops, comparators=rights):
                parts = [value(left), *map(value, rights)]
                pairs = zip(ops, parts, parts[1:], strict=False)
                return all(_OPERATORS[type(op)](a, b) for op, a, b in pairs)
            case ast.BoolOp(op=op, values=parts):
                return (all if isinstance(op, ast.And) else any)(value(part) for part in parts)
            case ast.IfExp(test=test, body=body, orelse=other):
                return value(body) if value(test) else value(other)
            case ast.Call(func=ast.Name(id=name), args=args):
                return _call(_FUNCTIONS[name], [value(arg) for arg in args])

    try:
        found = value(_parse(text).body)
    except (KeyError, TypeError, ArithmeticError):
        return None
    return None if isinstance(found, float) and not math.isfinite(found) else found


def _call(function, args):
    try:
        return function(*args)
    except ValueError as fault:  # 负数开平方、取对数：算不出来，不是写错了公式
        raise ArithmeticError from fault


@cache
def _parse(text: str) -> ast.Expression:
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, MemoryError, RecursionError, ValueError):
        raise ValueError(f"公式“{text}”写得不完整") from None
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=bool()) | ast.Call(keywords=[_, *_]):
                known = False
            case ast.Constant(value=constant):
                known = isinstance(constant, int | float | str)
            case ast.Call(func=function):
                known = isinstance(function, ast.Name) and function.id in _FUNCTIONS
            case _:
                known = isinstance(node, _NODES)
        if not known:
            raise ValueError(f"公式“{text}”里有不认识的写法；{_ALLOWED}")
    return tree


def formula_names(text: str) -> set[str]:
    """Names that a formula uses; its functions are not among them. ValueError if it cannot be read.

    >>> sorted(formula_names("max(0, weight * rating)"))
    ['rating', 'weight']
    """
    return {node.id for node in ast.walk(_parse(text)) if isinstance(node, ast.Name)} - set(_FUNCTIONS)


def formula_fault(text: str, names) -> str | None:
    """What an author got wrong in a formula over ``names``; None if nothing.

    >>> formula_fault("a + c", ["a", "b"])
    '公式“a + c”用了没有的名字“c”'
    """
    try:
        strangers = sorted(formula_names(text) - set(names))
    except ValueError as fault:
        return str(fault)
    return f"公式“{text}”用了没有的名字“{'”“'.join(strangers)}”" if strangers else None
