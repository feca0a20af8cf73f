"""营销环境分析：内部因素评价（IFE）、外部因素评价（EFE）、IE 矩阵、TOWS 配对、权重敏感性。

“因素表”有什么就用什么，这里不装 pandas：

- 表格任务的答案：``{"c01": {"weight": 0.2, "rating": 4}, …}``
- 一行一个字典的列表：``[{"因素": "准时率", "权重": 0.2, "评分": 4}, …]``
- 列名相同的 DataFrame

列名：weight 或 权重（0 到 1，合计是 1）；rating 或 评分（1 到 4）；要分象限时还要 group 或 类别
（S/W/O/T 或 优势/劣势/机会/威胁）。每行的名字取自 id、编号、卡号或因素，都没有就叫“第几行”。

出处：Fred R. David, *Strategic Management: Concepts and Cases*，外部评价、内部评价、
战略分析与选择三章（EFE、IFE、TOWS、IE 矩阵）。
"""

from crmlib.cli import CourseError
from crmlib.tasks.numbers import read_number

AVERAGE = 2.5  # 评分 1～4 的中点：总分高于它，说明应对得比平均好
GROUPS = {"S": "优势", "W": "劣势", "O": "机会", "T": "威胁"}

_HEADINGS = {"weight": ("weight", "权重"), "rating": ("rating", "评分"), "group": ("group", "类别"),
             "id": ("id", "编号", "卡号", "因素")}
_CELLS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")
_ADVICE = {"增长和建设": ("I", "II", "IV"), "坚持和保持": ("III", "V", "VII"),
           "收割或剥离": ("VI", "VIII", "IX")}


def factor_score(weights, ratings) -> float:
    """加权总分：各因素的 权重 × 评分 加起来，在 1 到 4 之间；高于 2.5 就是比平均好。

    weights：0 到 1 的数，合计是 1（允许差 0.005）；ratings：同样多个 1 到 4 的数。
    哪个数不对，CourseError 会指名说出来。

    >>> factor_score([0.5, 0.3, 0.2], [4, 2, 1])
    2.8
    """
    weights, ratings = list(weights), list(ratings)
    if len(weights) != len(ratings):
        raise CourseError(f"权重有 {len(weights)} 个，评分有 {len(ratings)} 个：要一样多。")
    rows = {f"第 {i} 个因素": {"weight": w, "rating": r}
            for i, (w, r) in enumerate(zip(weights, ratings, strict=True), 1)}
    return _score(_factors(rows))


def ife(table) -> float:
    """内部因素评价（IFE）：优势和劣势的加权总分。table 是因素表（见本文件开头）。

    写了类别的行还要查评分：优势只能是 3 或 4，劣势只能是 1 或 2。

    >>> ife([{"类别": "优势", "权重": 0.6, "评分": 4}, {"类别": "劣势", "权重": 0.4, "评分": 1}])
    2.8
    """
    rows = _factors(table, allowed="SW")
    for name, row in rows.items():
        low, high = {"S": (3, 4), "W": (1, 2)}.get(row.get("group"), (1, 4))
        if not low <= row["rating"] <= high:
            raise CourseError(f"{name}：{GROUPS[row['group']]}的评分只能是 {low} 或 {high}，"
                              f"现在是 {row['rating']:g}。")
    return _score(rows)


def efe(table) -> float:
    """外部因素评价（EFE）：机会和威胁的加权总分。table 是因素表（见本文件开头）。

    评分说的是企业现在应对得怎么样：1 很差，4 很好；机会和威胁都一样。

    >>> efe({"e01": {"weight": 0.7, "rating": 2}, "e02": {"weight": 0.3, "rating": 3}})
    2.3
    """
    return _score(_factors(table, allowed="OT"))


def ie_cell(internal: float, external: float) -> tuple[str, str]:
    """两个总分落在 IE 矩阵的哪一格：返回（格号 I 到 IX，这一格的建议）。

    两条轴都在 2 和 3 处分开；正好压线的，算高的那一边。

    >>> ie_cell(2.8, 2.3), ie_cell(3.0, 3.0), ie_cell(1.5, 1.2)
    (('V', '坚持和保持'), ('I', '增长和建设'), ('IX', '收割或剥离'))
    """
    for name, score in (("内部总分", internal), ("外部总分", external)):
        if not 1 <= score <= 4:
            raise CourseError(f"{name}是 {score:g}，应当在 1 到 4 之间。")
    column, row = (sum(score < cut - 1e-9 for cut in (3, 2)) for score in (internal, external))
    cell = _CELLS[3 * row + column]
    return cell, next(advice for advice, cells in _ADVICE.items() if cell in cells)


def tows_pairs(internal, external) -> list[dict]:
    """内部因素和外部因素两两配对，权重大的排在前面。

    两张表的每一行都要写类别。返回的每一行是 ``{"strategy": "SO" | "WO" | "ST" | "WT",
    "inside": 名字, "outside": 名字, "importance": 两个权重的乘积}``。
    排序只为了好读，不是 TOWS 的规定：哪几对说得通，还要人来判断。

    >>> pairs = tows_pairs({"c1": {"group": "S", "weight": .6, "rating": 4},
    ...                     "c2": {"group": "W", "weight": .4, "rating": 1}},
    ...                    {"e1": {"group": "T", "weight": 1, "rating": 2}})
    >>> [(p["strategy"], p["inside"], p["outside"], p["importance"]) for p in pairs]
    [('ST', 'c1', 'e1', 0.6), ('WT', 'c2', 'e1', 0.4)]
    """
    inside, outside = _factors(internal, allowed="SW"), _factors(external, allowed="OT")
    for name, row in [*inside.items(), *outside.items()]:
        if "group" not in row:
            raise CourseError(f"{name} 没有写类别；配对之前，每个因素都要标明优势、劣势、机会或威胁。")
    pairs = [{"strategy": a["group"] + b["group"], "inside": i, "outside": o,
              "importance": round(a["weight"] * b["weight"], 6)}
             for i, a in inside.items() for o, b in outside.items()]
    return sorted(pairs, key=lambda pair: -pair["importance"])


def weight_sensitivity(table, id, weight) -> dict[str, dict]:
    """一个因素要是更重要（或更不重要）会怎样？改它的权重，其余的按原来的比例分剩下的。

    id：那一行的名字；weight：新权重，0 到 1。返回一张新的因素表，可以再交给 ife 或 efe。

    >>> after = weight_sensitivity({"c1": {"weight": .5, "rating": 4}, "c2": {"weight": .3, "rating": 2},
    ...                             "c3": {"weight": .2, "rating": 1}}, "c1", 0.75)
    >>> [round(row["weight"], 3) for row in after.values()], round(ife(after), 3)
    ([0.75, 0.15, 0.1], 3.4)
    """
    rows = _factors(table)
    new = read_number(weight)
    if id not in rows:
        raise CourseError(f"没有 {id} 这个因素；有的是：{'、'.join(rows)}。")
    if new is None or not 0 <= new <= 1:
        raise CourseError(f"{id} 的新权重是 {weight}，应当在 0 到 1 之间。")
    rest = sum(row["weight"] for name, row in rows.items() if name != id)
    if rest == 0 and new < 1:
        raise CourseError(f"除了 {id}，别的因素权重都是 0，没法按比例分剩下的 {1 - new:g}。")
    return {name: row | {"weight": new if name == id else row["weight"] / rest * (1 - new) if rest else 0.0}
            for name, row in rows.items()}


def _factors(table, allowed="SWOT") -> dict[str, dict]:
    """各种写法的因素表 → 查过的 ``{名字: {"weight": 数, "rating": 数[, "group": 字母]}}``。"""
    if hasattr(table, "to_dict") and hasattr(table, "columns"):
        table = table.to_dict("records")
    if isinstance(table, dict) and all(isinstance(row, dict) for row in table.values()):
        named = [(str(name), row) for name, row in table.items()]
    elif isinstance(table, list | tuple) and all(isinstance(row, dict) for row in table):
        named = [(str(_cell(row, "id") or f"第 {i} 行"), row) for i, row in enumerate(table, 1)]
    else:
        raise CourseError("这里要一张因素表：每行一个因素，有“权重”和“评分”两列。")
    if not named:
        raise CourseError("因素表是空的，至少要有一个因素。")
    rows = {}
    for name, row in named:
        if name in rows:
            raise CourseError(f"因素 {name} 出现了两次，每个因素只能有一行。")
        rows[name] = {"weight": _number(row, "weight", name, 0, 1),
                      "rating": _number(row, "rating", name, 1, 4)}
        if group := _cell(row, "group"):
            letter = next((k for k, title in GROUPS.items() if group in (k, title)), None)
            if letter is None or letter not in allowed:
                right = "、".join(GROUPS[k] for k in allowed)
                raise CourseError(f"{name} 的类别是“{group}”，这张表里只能是：{right}。")
            rows[name]["group"] = letter
    total = sum(row["weight"] for row in rows.values())
    if abs(total - 1) > 0.005 + 1e-9:
        raise CourseError(f"权重合计是 {total:.3f}，应当是 1（允许差 0.005）。")
    return rows


def _cell(row, heading):
    return next((row[name] for name in _HEADINGS[heading] if name in row), None)


def _number(row, heading, name, low, high) -> float:
    value = _cell(row, heading)
    title = _HEADINGS[heading][1]
    number = read_number(value.item() if hasattr(value, "item") else value)
    if number is None:
        raise CourseError(f"{name} 的{title}{'没有填' if value in (None, '') else f'“{value}”不是一个数'}。")
    if not low <= number <= high:
        raise CourseError(f"{name} 的{title}是 {number:g}，应当在 {low} 到 {high} 之间。")
    return number


def _score(rows) -> float:
    return round(sum(row["weight"] * row["rating"] for row in rows.values()), 6)
