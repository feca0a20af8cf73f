"""各方法共用的几件小事：找列、查数、清楚地报错、把结果显示成卡片。"""

import dataclasses
import difflib
import html

import numpy as np
import pandas as pd

from crmlib.cli import CourseError


def column(table, name) -> pd.Series:
    """Column ``name`` of a table; if there is none, the error lists those there are.

    >>> column(pd.DataFrame({"运费": [1]}), "费用")
    Traceback (most recent call last):
    crmlib.cli.CourseError: 表里没有“费用”这一列。可用的列：运费。是不是“运费”？
    """
    if not isinstance(table, pd.DataFrame):
        raise CourseError(f"这里要一张表（DataFrame），得到的是 {type(table).__name__}。")
    if name not in table.columns:
        known = [str(c) for c in table.columns]
        near = difflib.get_close_matches(str(name), known, 1, .5)
        ask = f"是不是“{near[0]}”？" if near else ""
        raise CourseError(f"表里没有“{name}”这一列。可用的列：{'、'.join(known) or '（没有列）'}。{ask}")
    found = table[name]
    if isinstance(found, pd.DataFrame):
        raise CourseError(f"表里有 {found.shape[1]} 列都叫“{name}”。先给它们起不同的名字。")
    return found


def numeric(values, name, *, low=None, high=None, missing=False) -> np.ndarray:
    """Values as a float array. Text, infinity and values outside ``low``..``high`` are errors that quote one.

    A missing value is an error too, unless ``missing=True`` keeps it as NaN.

    >>> numeric([1, None], "金额")
    Traceback (most recent call last):
    crmlib.cli.CourseError: “金额”有 1 个空值。先查明原因，再填上或删去。
    """
    values = pd.Series(values)  # 也接受列表、数组和可以为空的扩展类型
    if values.dtype == np.float64 and np.isfinite(values.to_numpy().sum()):  # 大表的捷径：全是有限的数
        _within(values.to_numpy(), name, low, high)
        return values.to_numpy()
    asked = pd.to_numeric(values, errors="coerce").astype(float)
    odd = values[asked.isna() & values.notna()]
    if len(odd):
        raise CourseError(f"“{name}”要全是数，可是有 {len(odd)} 个不是，例如“{odd.iloc[0]}”。")
    blank = int(asked.isna().sum())
    if blank and not missing:
        raise CourseError(f"“{name}”有 {blank} 个空值。先查明原因，再填上或删去。")
    result = asked.to_numpy()
    known = result[~np.isnan(result)]
    if np.isinf(known).any():
        raise CourseError(f"“{name}”里有无穷大。多半是除以了 0。")
    _within(known, name, low, high)
    return result


def flags(values, name) -> np.ndarray:
    """Yes/no values as an array of 0.0 and 1.0; anything but 0, 1, True, False is an error.

    >>> flags([True, 0, 1], "流失").tolist()
    [1.0, 0.0, 1.0]
    """
    found = numeric(values, name)
    odd = found[(found != 0) & (found != 1)]
    if len(odd):
        raise CourseError(f"“{name}”只能是 0 和 1（1 表示是），里面有 {odd[0]:g}。")
    return found


def dates(values, name) -> pd.Series:
    """Values as dates. What is missing or cannot be read as a date is an error that quotes it.

    >>> dates(["2025-12-31", "昨天"], "日期")
    Traceback (most recent call last):
    crmlib.cli.CourseError: “日期”有 1 个读不成日期，例如“昨天”。写成 2025-12-31 这样。
    """
    values = pd.Series(values)
    if pd.api.types.is_numeric_dtype(values):
        raise CourseError(f"“{name}”要日期，得到的是数。写成 2025-12-31 这样。")
    read = pd.to_datetime(values, errors="coerce")
    if read.isna().any():
        odd = values[read.isna() & values.notna()]
        if len(odd):
            raise CourseError(f"“{name}”有 {len(odd)} 个读不成日期，例如“{odd.iloc[0]}”。"
                              "写成 2025-12-31 这样。")
        raise CourseError(f"“{name}”有 {int(read.isna().sum())} 个空值。先查明原因，再填上或删去。")
    return read


def number(value, name, *, low=None, high=None, above=None, below=None) -> float:
    """One number. ``low`` and ``high`` are allowed ends, ``above`` and ``below`` ends it must not touch.

    >>> number(1.2, "留存率", low=0, below=1)
    Traceback (most recent call last):
    crmlib.cli.CourseError: “留存率”是 1.2，应当小于 1。
    """
    try:
        value = float(value)
    except (TypeError, ValueError):
        raise CourseError(f"“{name}”要一个数，得到的是“{value}”。") from None
    if np.isnan(value):
        raise CourseError(f"“{name}”是空值。")
    _within(np.array([value]), name, low, high, "是")
    if above is not None and value <= above:
        raise CourseError(f"“{name}”是 {value:g}，应当大于 {above:g}。")
    if below is not None and value >= below:
        raise CourseError(f"“{name}”是 {value:g}，应当小于 {below:g}。")
    return value


def _within(values, name, low, high, verb="里有"):
    if low is not None and (values < low).any():
        raise CourseError(f"“{name}”{verb} {values[values < low][0]:g}，不能小于 {low:g}。")
    if high is not None and (values > high).any():
        raise CourseError(f"“{name}”{verb} {values[values > high][0]:g}，不能大于 {high:g}。")


def same_length(**named):
    """Error that states each length, unless all are equally long."""
    if len({len(v) for v in named.values()}) > 1:
        found = "、".join(f"{k} {len(v)} 个" for k, v in named.items())
        raise CourseError(f"几串数要一样长，现在是：{found}。")


def at_least(n, least, what):
    """Error if there are too few: better no number than one without meaning."""
    if n < least:
        raise CourseError(f"至少要有 {least:g} {what}，现在只有 {n:g}。")


def as_frame(rows, what) -> pd.DataFrame:
    """A table given as a DataFrame or as a list of rows, which must be equally long."""
    if not isinstance(rows, pd.DataFrame):
        rows = [list(row) for row in rows]
        if len({len(row) for row in rows}) > 1:
            raise CourseError(f"{what}每一行要一样长，现在是：{'、'.join(str(len(row)) for row in rows)}。")
        rows = pd.DataFrame(rows)
    return rows


def items_table(items, least=2) -> tuple[pd.DataFrame, int]:
    """Items (a row per answer sheet, a column per item): (complete rows as floats, rows dropped)."""
    items = as_frame(items, "题目表")
    if items.columns.has_duplicates:
        twice = items.columns[items.columns.duplicated()][0]
        raise CourseError(f"有两列都叫“{twice}”。先给它们起不同的名字。")
    at_least(items.shape[1], least, "道题（列）")
    table = pd.DataFrame({c: numeric(items[c], c, missing=True) for c in items}, index=items.index)
    kept = table.dropna()
    return kept, len(table) - len(kept)


def label(text):
    """A field of a ``Result``, with the Chinese name it has on screen."""
    return dataclasses.field(metadata={"label": text})


# 每个结果类都用它：表不能用 == 比较，显示由 Result 负责
result = dataclasses.dataclass(frozen=True, eq=False, repr=False)


@result
class Result:
    """Figures that belong together: by English name in code (``r.value``), as a Chinese table on screen.

    >>> @result
    ... class Share(Result):
    ...     value: float = label("比例")
    >>> Share(.3075)
    比例：0.3075
    """

    def __post_init__(self):
        for name, value in list(vars(self).items()):
            if isinstance(value, np.generic):  # 交出去的都是 Python 自己的数
                object.__setattr__(self, name, value.item())

    def _shown(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if "label" in field.metadata and value is not None and not (isinstance(value, str) and not value):
                yield field.metadata["label"], value

    def __repr__(self):
        return "\n".join(f"{k}：{show(v)}" for k, v in self._shown() if not isinstance(v, pd.DataFrame))

    def _repr_html_(self):
        cells = "".join(f"<tr><th style='text-align:left'>{html.escape(k)}</th>"
                        f"<td style='text-align:left'>{html.escape(show(v))}</td></tr>"
                        for k, v in self._shown() if not isinstance(v, pd.DataFrame))
        tables = "".join(f"<p><b>{html.escape(k)}</b></p>{v.to_html(float_format=show)}"
                         for k, v in self._shown() if isinstance(v, pd.DataFrame))
        return f"<table>{cells}</table>{tables}"


def show(value) -> str:
    """A value for people: four significant digits, separators and one decimal in large numbers.

    >>> show(0.30751), show(9582.43), show(1234567), show(2.95e-7), show(True)
    ('0.3075', '9,582.4', '1,234,567', '小于 0.0001', '是')
    """
    if isinstance(value, bool | np.bool_):
        return "是" if value else "否"
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    if isinstance(value, float | np.floating):
        if 0 < abs(value) < 1e-4:  # 多半是 p 值；2.95e-07 没人看得懂
            return "小于 0.0001" if value > 0 else "接近 0"
        return f"{value:,.1f}" if 1000 <= abs(value) < 1e15 else f"{value:.4g}"
    if isinstance(value, list | tuple):
        return "；".join(map(show, value)) or "无"
    return str(value)


def axes(ax=None):
    """The axes given, or those of a new figure. Colours and fonts come from rcParams (``crmlib.style``)."""
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(layout="constrained")
    return ax
