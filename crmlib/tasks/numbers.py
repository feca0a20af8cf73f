"""把学生打的数字读成数：全角数字、％、千分位逗号、句号当小数点，都认得。"""

import ast
import math
import operator
import re
import unicodedata

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


_OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


def formula(text: str, values: dict) -> float | None:
    """Value of a formula of + - * / ( ), numbers and names; None if a name has no value.

    >>> formula("weight * rating", {"weight": 0.2, "rating": 4})
    0.8
    """

    def value(node):
        match node:
            case ast.Expression(body=body):
                return value(body)
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return number
            case ast.Name(id=name):
                return values[name]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -value(operand)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                return _OPERATORS[type(op)](value(left), value(right))
        raise ValueError(f"公式“{text}”里只能有列名、数字和 + - * / ( )")

    try:
        return value(ast.parse(text, mode="eval"))
    except (KeyError, TypeError, ZeroDivisionError, OverflowError):
        return None
    except SyntaxError:
        raise ValueError(f"公式“{text}”写得不完整") from None


def formula_names(text: str) -> set[str]:
    """Column names that a formula uses."""
    return {node.id for node in ast.walk(ast.parse(text, mode="eval")) if isinstance(node, ast.Name)}
