"""填表。答案：{行: {列: 值}}。值照学生打的原样保存（"20%" 还是 "20%"），用的时候才读成数。

得分 = 满足的规则的份额之和（rules 里没写 share 的，平分剩下的份额）。
每条规则只看写得出来的格子；一格没填，看它的规则就不算满足。
"""

import re
from collections import Counter

from crmlib.tasks.classify import card_text
from crmlib.tasks.lint import lint_questionnaire
from crmlib.tasks.numbers import close, formula, formula_names, read_number

_LONGEST = 2_000
_MOST_ADVICE = 10  # 再多，学生就不看了
_FREE_ROW = re.compile(r"r\d{1,3}")


# ---- 表的样子 ----

def columns(task) -> dict[str, dict]:
    return {c["id"]: c for c in task["columns"]}


def is_free(task) -> bool:
    """Whether the student adds the rows; then ``rows`` is {min, max}."""
    return isinstance(task["rows"], dict)


def rows(task, answer) -> dict[str, dict]:
    """The whole table, given cells and answered ones, with the values ready for use.

    Numbers are floats, texts are stripped, cards are lists; what cannot be read is None.
    """
    answer, table = answer if isinstance(answer, dict) else {}, {}
    for name, given in _layout(task, answer).items():
        row = {c: _value(column, given.get(c, _raw(answer, name, c))) for c, column in columns(task).items()}
        if not is_free(task) or any(v not in (None, "", []) for v in row.values()):
            table[name] = row
    return table


def value(task, answer) -> dict[str, dict] | None:
    """The answer as ``crm.answer`` gives it: like ``rows``."""
    return rows(task, answer) if answer else None


def _layout(task, answer) -> dict[str, dict]:
    if is_free(task):
        names = [n for n in answer if isinstance(n, str) and _FREE_ROW.fullmatch(n)]
        return {n: {} for n in names[: task["rows"].get("max", 30)]}
    return {row["id"]: row for row in task["rows"]}


def _value(column, raw):
    match column.get("type", "text"):
        case "number":
            return read_number(raw, column.get("unit", ""))
        case "cards":
            return [c for c in raw if c in column["cards"]] if _is_names(raw) else []
        case "choose":
            return raw if isinstance(raw, str) and raw in column["options"] else None
    return raw.strip() if isinstance(raw, str) else None


def _is_names(raw) -> bool:
    return isinstance(raw, list) and all(isinstance(c, str) for c in raw)


def _raw(answer, row, column):
    """What the student put into a cell; None if nothing."""
    filled = answer.get(row) if isinstance(answer, dict) else None
    return filled.get(column) if isinstance(filled, dict) else None


def _empty(raw) -> bool:
    return raw is None or raw == [] or (isinstance(raw, str) and not raw.strip())


def _titles(task, answer) -> dict[str, str]:
    """How messages call each row."""
    answer = answer if isinstance(answer, dict) else {}
    named = {}
    for place, (name, given) in enumerate(_layout(task, answer).items(), 1):
        named[name] = f"“{given['title']}”" if given.get("title") else f"第 {place} 行"
    return named


def required_columns(task) -> list[str]:
    """Columns that every row must fill: the ``required`` rules', or else all but the optional ones."""
    if "required" in task:
        return task["required"]
    rules = [r for r in task.get("rules", []) if r["rule"] == "required"]
    if rules:
        return [c for r in rules for c in r["columns"]]
    return [c for c, column in columns(task).items() if not column.get("optional")]


# ---- 三种不对：没答完、格式不对、答错 ----

def missing(task, answer) -> list[str]:
    answer = answer if isinstance(answer, dict) else {}
    table, titles, said = rows(task, answer), _titles(task, answer), []
    if is_free(task) and len(table) < task["rows"].get("min", 1):
        said.append(f"至少要填 {task['rows'].get('min', 1)} 行，现在有 {len(table)} 行。")
    given = {row["id"]: row for row in task["rows"]} if not is_free(task) else {}
    for name in table:
        gaps = [columns(task)[c].get("title", c) for c in required_columns(task)
                if c not in given.get(name, {}) and _empty(_raw(answer, name, c))]
        if gaps:
            said.append(f"{titles[name]}还没有填：{'、'.join(gaps)}。")
    if len(said) > 2:
        said = [said[0], f"另外还有 {len(said) - 1} 行没有填完。"]
    return said


def unreadable(task, answer) -> str | None:
    if not isinstance(answer, dict) or not all(isinstance(r, dict) for r in answer.values()):
        return "这份答案读不出来，重新填一次。"
    layout, known = _layout(task, answer), columns(task)
    if any(name not in layout for name in answer) or any(c not in known for r in answer.values() for c in r):
        return "答案里有这张表没有的行或列，重新填一次。"
    if any(c in layout[name] for name, filled in answer.items() for c in filled):
        return "表里印好的格子不能改，重新填一次。"
    return None


def malformed(task, answer) -> list[str]:
    """Cells that hold something of the wrong type, row by row."""
    answer, known, titles = answer if isinstance(answer, dict) else {}, columns(task), _titles(task, answer)
    return [
        f"{titles[name]}的“{known[c].get('title', c)}”{fault}"
        for name, filled in answer.items() if name in titles and isinstance(filled, dict)
        for c, raw in filled.items() if c in known and (fault := _cell_fault(known[c], raw))
    ]


def _cell_fault(column, raw) -> str | None:
    if _empty(raw):
        return None
    kind = column.get("type", "text")
    if kind == "number":
        number = read_number(raw, column.get("unit", ""))
        if number is None:
            return "要写一个数，例如 0.25 或 25%。"
        low, high = column.get("min"), column.get("max")
        if (low is not None and number < low) or (high is not None and number > high):
            return f"要在 {'…' if low is None else low} 到 {'…' if high is None else high} 之间。"
    elif kind == "cards":
        if not _is_names(raw) or any(c not in column["cards"] for c in raw):
            return "要从列出的卡片里选。"
    elif kind == "choose":
        if not isinstance(raw, str) or raw not in column["options"]:
            return "要从列出的选项里选。"
    elif not isinstance(raw, str):
        return "要写文字。"
    elif len(raw) > _LONGEST:
        return f"太长了，最多 {_LONGEST} 个字。"
    return None


# ---- 规则 ----
# 每条规则：在整张表上找出不满足的格子 → {(行, 列), …}；空集就是满足。

def _each(rule, table, ok):
    """Cells of the rule's column(s) for which ``ok(row, value)`` does not hold."""
    names = rule.get("columns") or [rule["column"]]
    return {(r, c) for r, row in table.items() for c in names if not ok(row, row[c])}


def _filled(value) -> bool:
    return value not in (None, "", [])


def _required(task, rule, table):
    return _each(rule, table, lambda row, v: _filled(v))


def _sum(task, rule, table):
    values = [row[rule["column"]] for row in table.values()]
    good = None not in values and close(sum(values), rule["equals"], rule.get("tolerance", 1e-6))
    return set() if good else _each(rule, table, lambda row, v: False)


def _range(task, rule, table):
    low, high = rule.get("min", float("-inf")), rule.get("max", float("inf"))
    return _each(rule, table, lambda row, v: v is not None and low <= v <= high)


def _cites(task, rule, table):
    among, least = rule.get("among"), rule.get("at_least", 1)
    return _each(rule, table, lambda row, v: len({c for c in v if among is None or c in among}) >= least)


def _unique(task, rule, table):
    def mark(v):
        return tuple(sorted(v)) if isinstance(v, list) else v

    seen = Counter(mark(row[rule["column"]]) for row in table.values())
    return _each(rule, table, lambda row, v: _filled(v) and seen[mark(v)] == 1)


def _length(task, rule, table):
    low, high = rule.get("min", 1), rule.get("max", _LONGEST)
    return _each(rule, table, lambda row, v: v is not None and low <= len("".join(v.split())) <= high)


def _equals(task, rule, table):
    def ok(r, c, wanted):
        return r in table and _same(table[r][c], _value(columns(task)[c], wanted), rule.get("tolerance"))

    wanted = [(r, c, v) for r, cells in rule["cells"].items() for c, v in cells.items()]
    return {(r, c) for r, c, v in wanted if not ok(r, c, v)}


def _computed(task, rule, table):
    def ok(row, v):
        wanted = formula(rule["formula"], row)
        return None not in (v, wanted) and close(v, wanted, rule.get("tolerance", 0.005))

    return _each(rule, table, ok)


def _same(a, b, tolerance) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return close(a, b, tolerance)
    if isinstance(a, list) and isinstance(b, list):
        return set(a) == set(b)
    return a is not None and a == b


# 规则只能用在这些类型的列上
_NEEDS = {"sum": ["number"], "range": ["number"], "computed": ["number"], "cites": ["cards"],
          "length": ["text", "long"]}
_RULES = {"required": _required, "sum": _sum, "range": _range, "cites": _cites, "unique": _unique,
          "length": _length, "equals": _equals, "computed": _computed}


def _broken(task, rule, table) -> set[tuple[str, str]]:
    if "rows" in rule:  # 只看这几行
        table = {r: row for r, row in table.items() if r in rule["rows"]}
    if not table:
        return {("", "")}  # 一行也没有，就谈不上满足
    return _RULES[rule["rule"]](task, rule, table)


def _shares(rules) -> list[float]:
    left = 1 - sum(r["share"] for r in rules if "share" in r)
    rest = sum("share" not in r for r in rules)
    return [r.get("share", left / rest if rest else 0) for r in rules]


def share(task, answer) -> tuple[float, dict]:
    if not answer or not isinstance(answer, dict):
        return 0.0, {}
    table, score, faulty, seen = rows(task, answer), 0.0, set(), set()
    for rule, part in zip(task["rules"], _shares(task["rules"]), strict=True):
        broken = _broken(task, rule, table)
        faulty |= broken
        score += 0 if broken else part
        names = rule.get("columns") or ([rule["column"]] if "column" in rule else [])
        seen |= {(r, c) for r in rule.get("rows", table) for c in names}
        seen |= {(r, c) for r, cells in rule.get("cells", {}).items() for c in cells}
    touched = [(r, c) for r, c in seen | faulty if not _empty(_raw(answer, r, c))]
    return score, {f"{r}.{c}": (r, c) not in faulty for r, c in touched}


def general(task, answer, where) -> list[str]:
    """The hints of the rules that are not met."""
    table = rows(task, answer)
    return [r.get("hint") or f"“{r['name']}”还没有做到。" for r in task["rules"] if _broken(task, r, table)]


def advice(task, answer) -> list[str]:
    """What to improve in the wording of the columns with ``lint: question``; never part of the score."""
    titles, said = _titles(task, answer), []
    for column in columns(task).values():
        if column.get("lint") != "question":
            continue
        table = [(name, row[column["id"]], row.get(column.get("options_column")))
                 for name, row in rows(task, answer).items() if row[column["id"]]]
        said += [f"{titles[table[place][0]]}：**{found.name}**。{found.message}"
                 for place, found in lint_questionnaire([(text, options) for _, text, options in table])]
    left = len(said) - _MOST_ADVICE
    return said if left <= 0 else [*said[:_MOST_ADVICE], f"还有 {left} 条，改好这些再检查。"]


def matches(task, when, answer) -> bool:
    table = rows(task, answer)
    return all(
        r in table and _same(table[r][c], _value(columns(task)[c], wanted), None)
        for r, cells in when.items() for c, wanted in cells.items()
    )


def overlay(task, when) -> dict:
    merged = {r: dict(cells) for r, cells in task["key"].items()}
    for r, cells in when.items():
        merged[r] = {**merged.get(r, {}), **cells}
    return merged


def key_answer(task) -> dict | None:
    return task.get("key")


def _shown(column, raw) -> str:
    if column.get("type") == "cards" and _is_names(raw):
        return "、".join(card_text(column["cards"][c]) for c in raw if c in column["cards"])
    if column.get("type") == "choose" and isinstance(raw, str):
        return str(column["options"].get(raw, raw))
    if isinstance(raw, str | int | float) and not isinstance(raw, bool):
        return f"{raw}{column.get('unit', '') if not isinstance(raw, str) else ''}"
    return ""


def text(task, answer) -> str:
    if not answer or not isinstance(answer, dict):
        return ""
    titles, lines = _titles(task, answer), []
    for name, given in _layout(task, answer).items():
        cells = []
        for c, column in columns(task).items():
            shown = _shown(column, given.get(c, _raw(answer, name, c)))
            cells.append(f"{column.get('title', c)}：{shown or '（空）'}")
        lines.append(f"{titles[name]} " + "；".join(cells))
    return "\n".join(lines)


def public(task) -> dict:
    """Without rules: all that a graded table says is which columns must be filled."""
    return {"columns": task["columns"], "rows": task["rows"], "show": task.get("show", []),
            "required": required_columns(task)}


def faults(task) -> list[str]:
    known, found = columns(task), []
    fixed = None if is_free(task) else {row["id"] for row in task["rows"]}

    def names(place, row, cells):
        if fixed is not None and row not in fixed:
            found.append(f"{place} 里的行“{row}”不存在")
        if fixed is None and not _FREE_ROW.fullmatch(str(row)):
            found.append(f"{place} 里的行“{row}”应当叫 r1、r2 ……")
        for c in cells:
            if c not in known:
                found.append(f"{place} 里的列“{c}”不存在")
            elif fault := _cell_fault(known[c], cells[c]):
                found.append(f"{place} 里 {row} 行 {c} 列的值{fault}")

    for c, column in known.items():
        for wanted in {"choose": ["options"], "cards": ["cards"]}.get(column.get("type"), []):
            if not column.get(wanted):
                found.append(f"列“{c}”要有 {wanted}")
        if "lint" in column:
            for other in [c, *([column["options_column"]] if "options_column" in column else [])]:
                if other not in known:
                    found.append(f"列“{c}”的 options_column“{other}”不存在")
                elif known[other].get("type", "text") not in ("text", "long"):
                    found.append(f"列“{c}”的 lint 只看文字，列“{other}”要是 text 或 long")
        elif "options_column" in column:
            found.append(f"列“{c}”写了 options_column，还要写 lint: question")
    for row, cells in task.get("key", {}).items():
        names("key", row, cells)
    for mistake in task.get("mistakes", []):
        for row, cells in mistake["when"].items():
            names(f"mistakes“{mistake['name']}”", row, cells)
    for rule in task.get("rules", []):
        place = f"规则“{rule['name']}”"
        if rule["rule"] not in _RULES:
            found.append(f"{place}的 rule“{rule['rule']}”不认识；可以用：{'、'.join(_RULES)}")
            continue
        for c in [*rule.get("columns", []), *([rule["column"]] if "column" in rule else [])]:
            if c not in known:
                found.append(f"{place}里的列“{c}”不存在")
            elif (kind := known[c].get("type", "text")) not in _NEEDS.get(rule["rule"], [kind]):
                found.append(f"{place}（{rule['rule']}）不能用在列“{c}”上，它的类型是 {kind}")
        for row in rule.get("rows", []):
            names(place, row, {})
        for row, cells in rule.get("cells", {}).items():
            names(place, row, cells)
        cards = known.get(rule.get("column"), {}).get("cards", {})
        found += [f"{place}里的卡片“{c}”不存在" for c in rule.get("among", []) if c not in cards]
        if "formula" in rule:
            strangers = sorted(formula_names(rule["formula"]) - set(known))
            found += [f"{place}的公式用了不存在的列“{c}”" for c in strangers]
    for line in task.get("show", []):
        strangers = sorted(formula_names(line["sum_of"]) - set(known))
        found += [f"show“{line['label']}”用了不存在的列“{c}”" for c in strangers]
    if not task.get("rules"):
        found.append("form 要有 rules")
    return found
