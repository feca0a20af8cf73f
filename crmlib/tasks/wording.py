"""把公式说成中文，给学生看：电脑算的是哪一条，屏幕上写的就是哪一条。"""

import ast
import re

_SIGNS = {
    ast.Add: "+", ast.Sub: "−", ast.Mult: "×", ast.Div: "÷", ast.FloorDiv: "整除", ast.Mod: "除余",
    ast.Eq: "是", ast.NotEq: "不是", ast.Lt: "<", ast.LtE: "≤", ast.Gt: ">", ast.GtE: "≥",
}
# 汉字和半角的字母、数字之间，空一格
_BORDER = re.compile(r"(?<=[\u4e00-\u9fff])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9])(?=[\u4e00-\u9fff])")
_NUMERIC = {ast.Eq: "=", ast.NotEq: "≠"}
_CALLS = {
    "abs": "{}的绝对值", "floor": "{}（小数舍去）", "ceil": "{}（有小数就进一）", "sqrt": "{}的平方根",
    "exp": "e 的（{}）次方", "log": "{}的自然对数",
}


def in_words(text: str, titles: dict) -> str:
    """A formula in Chinese. ``titles``: {name: what people call it}, also for texts in quotes.

    >>> in_words("max(0, demand - 2 * price)", {"demand": "需求", "price": "价格"})
    '需求 − 2 × 价格，最低 0'
    >>> in_words("cash + 5 if how == 'call' else cash", {"how": "办法", "call": "打电话", "cash": "现金"})
    '办法是“打电话”时：现金 + 5；否则：现金'
    """
    said = _say(ast.parse(text.strip(), mode="eval").body, titles)
    said = said.replace(" （", "（").replace("） ", "）")  # 全角括号自己带着空白
    return _BORDER.sub(" ", said)


def _say(node, titles) -> str:
    match node:
        case ast.Constant(value=str() as word):
            return f"“{titles.get(word, word)}”"
        case ast.Constant(value=number):
            return f"{number:g}"
        case ast.Name(id=name):
            return titles.get(name, name)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return f"不是（{_say(operand, titles)}）"
        case ast.UnaryOp(operand=operand):
            return f"−{_part(operand, titles)}"
        case ast.BinOp(left=left, op=op, right=right):
            sums = isinstance(op, ast.Add | ast.Sub)
            after = isinstance(op, ast.Div | ast.FloorDiv | ast.Mod) and isinstance(right, ast.BinOp)
            parts = [_part(left, titles, sums), _part(right, titles, isinstance(op, ast.Add))]
            if after and not parts[1].endswith("）"):  # a ÷ （b × c）
                parts[1] = f"（{parts[1]}）"
            return f" {_SIGNS[type(op)]} ".join(parts)
        case ast.Compare(left=left, ops=ops, comparators=rights):
            said = _part(left, titles, True)
            for op, right in zip(ops, rights, strict=True):
                word = isinstance(right, ast.Constant) and isinstance(right.value, str)
                sign = _SIGNS[type(op)] if word else f" {_NUMERIC.get(type(op), _SIGNS[type(op)])} "
                said += sign + _part(right, titles, True)
            return said
        case ast.BoolOp(op=op, values=parts):
            words = [(_say(part, titles), isinstance(part, ast.BoolOp | ast.IfExp)) for part in parts]
            join = "，并且" if isinstance(op, ast.And) else "，或者"
            return join.join(f"（{word}）" if mixed else word for word, mixed in words)
        case ast.IfExp(test=test, body=body, orelse=other):
            return f"{_say(test, titles)}时：{_part(body, titles, True)}；否则：{_say(other, titles)}"
        case ast.Call(func=ast.Name(id=name), args=args):
            return _call(name, args, titles)
    return ast.unparse(node)


def _part(node, titles, loose: bool = False) -> str:
    """A part of a larger formula, in brackets where reading it would go wrong. ``loose``: sums need none."""
    said = _say(node, titles)
    sums = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)
    close = isinstance(node, ast.Name | ast.Constant) or (isinstance(node, ast.BinOp) and not sums)
    return said if close or (sums and loose) else f"（{said}）"


def _call(name, args, titles) -> str:
    said = [_say(arg, titles) for arg in args]
    if name in ("min", "max"):
        bounds = [s for s, arg in zip(said, args, strict=True) if isinstance(arg, ast.Constant)]
        others = [s for s, arg in zip(said, args, strict=True) if not isinstance(arg, ast.Constant)]
        if len(bounds) == len(others) == 1:  # max(0, x)：x，最低 0
            return f"{others[0]}，{'最低' if name == 'max' else '最高'} {bounds[0]}"
        return f"{'、'.join(said)}里最{'小' if name == 'min' else '大'}的"
    if name == "round":
        places = f"到 {said[1]} 位小数" if len(said) > 1 and said[1] != "0" else ""
        return f"{said[0]}（四舍五入{places}）"
    return _CALLS[name].format(said[0])
