"""读课程数据：``crm.load("customers")``。

每张表、每一列是什么，写在 ``datasets/dictionary.toml`` 里；这里按它读表、查表。
"""

import tomllib
from difflib import get_close_matches
from functools import lru_cache

from crmlib import paths
from crmlib.cli import CourseError

TYPES = {
    "id": "编号", "text": "文字", "choice": "选项", "flag": "是/否", "whole": "整数",
    "number": "小数", "date": "日期", "time": "时间", "month": "月份",
}
_PATTERNS = {"month": r"\d{4}-(0[1-9]|1[0-2])", "flag": "是|否"}


class DataError(CourseError):
    """A table cannot be read. In a notebook it shows as one line of text, not as a traceback."""

    def _render_traceback_(self):  # IPython 认这个名字
        return [f"⚠ {self}"]


@lru_cache(maxsize=4)
def _parse(path, changed):
    try:
        return {k: v for k, v in tomllib.loads(path.read_text("utf-8")).items() if isinstance(v, dict)}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise DataError(f"数据字典 {path} 损坏了（{fault}）。从课程包里重新复制这个文件。") from None


def schema() -> dict:
    """The data dictionary as plain data: ``{table: {name, about, key, columns: {…}, …}}``."""
    path = paths.datasets() / "dictionary.toml"
    try:
        return _parse(path, path.stat().st_mtime_ns)
    except OSError:
        raise DataError(f"找不到数据字典：{path}。从课程包里重新复制 datasets 文件夹。") from None


def _entry(name):
    """(English name, entry) of a table asked for by its English or Chinese name."""
    known = schema()
    if name in known:
        return name, known[name]
    for key, entry in known.items():
        if name == entry["name"]:
            return key, entry
    names = [*known, *(e["name"] for e in known.values())]
    near = get_close_matches(str(name), names, n=1, cutoff=0.5)
    hint = f"你要的是不是“{near[0]}”？" if near else ""
    listed = "、".join(f"{k}（{e['name']}）" for k, e in known.items())
    raise DataError(f"没有“{name}”这张表。{hint}\n现有的表：{listed}")


def load(name):
    """Read one table of the course.

    Args:
        name: English or Chinese name of the table, e.g. ``"customers"`` or ``"客户"``.

    Returns:
        pandas.DataFrame with Chinese headings. Whole numbers are int64 (Int64 where cells may be
        empty), decimals float64, dates and times datetime64, everything else text.

    Raises:
        DataError: no such table (names the nearest), or its file is missing or damaged.
    """
    import pandas as pd

    key, entry = _entry(name)
    path = paths.datasets() / f"{key}.csv"
    mend = f"从课程包里重新复制 {path.name}。"
    try:
        table = pd.read_csv(path, dtype=str, encoding="utf-8-sig", keep_default_na=False, na_values=[""])
    except FileNotFoundError:
        raise DataError(f"找不到“{entry['name']}”表的文件：{path}。{mend}") from None
    except PermissionError:
        raise DataError(f"打不开 {path.name}。它是不是正在 Excel 或 WPS 里开着？关掉再试。") from None
    except UnicodeDecodeError:
        raise DataError(f"{path.name} 的文字编码变了，多半是用 Excel 另存过。{mend}") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError):
        raise DataError(f"{path.name} 损坏了，读不成一张表。{mend}") from None

    columns = entry["columns"]
    missing = [c for c in columns if c not in table.columns]
    if missing:
        raise DataError(f"{path.name} 少了列：{'、'.join(missing)}。{mend}")
    for heading, column in columns.items():
        try:
            table[heading] = _typed(table[heading], column)
        except (ValueError, TypeError):
            raise DataError(
                f"{path.name} 的“{heading}”列里有不是{TYPES[column['type']]}的内容。{mend}") from None
    return table


def _typed(values, column):
    import pandas as pd

    kind = column["type"]
    if kind == "whole":
        return pd.to_numeric(values).astype("Int64" if column.get("empty") else "int64")
    if kind == "number":
        return pd.to_numeric(values).astype("float64")
    if kind in ("date", "time"):
        return pd.to_datetime(values, format="%Y-%m-%d" if kind == "date" else "%Y-%m-%d %H:%M")
    return values


def tables():
    """List of all tables: DataFrame 表, 名称, 一行是, 说明."""
    import pandas as pd

    return pd.DataFrame(
        [(k, e["name"], e["row"], e["about"]) for k, e in schema().items()],
        columns=["表", "名称", "一行是", "说明"])


def dictionary(name):
    """The data dictionary of one table: DataFrame 列, 英文名, 类型, 单位, 允许的值, 含义."""
    import pandas as pd

    _, entry = _entry(name)
    rows = [(h, c["en"], TYPES[c["type"]], c.get("unit", ""), allowed(h, c, entry), c["about"])
            for h, c in entry["columns"].items()]
    return pd.DataFrame(rows, columns=["列", "英文名", "类型", "单位", "允许的值", "含义"])


def allowed(heading, column, entry) -> str:
    """What a column may hold, in words: keys, values, range, reference, emptiness."""
    parts = []
    if heading in entry["key"]:
        parts.append("主键" if len(entry["key"]) == 1 else "主键之一")
    if "ref" in column:
        parts.append(f"见 {column['ref']}")
    if "values" in column:
        parts.append("、".join(column["values"]))
    if "min" in column or "max" in column:
        parts.append(f"{column.get('min', '')}～{column.get('max', '')}")
    if column.get("empty"):
        parts.append("可为空")
    return "；".join(parts)


def validate(table, name):
    """Hold a DataFrame against the data dictionary.

    Args:
        table: DataFrame with Chinese headings, as ``load`` returns it or changed since.
        name: which table of the dictionary it should be.

    Returns:
        DataFrame 列, 问题, 行数, 例子: one row per kind of fault; empty if all is well.
    """
    import pandas as pd

    _, entry = _entry(name)
    found = []

    def report(heading, fault, where):
        if where.any():
            values = table.loc[where, heading] if heading in table else table.index[where].to_series()
            examples = "、".join(str(v) for v in values.dropna().unique()[:3])
            found.append((heading, fault, int(where.sum()), examples))

    for heading, column in entry["columns"].items():
        if heading not in table:
            found.append((heading, "缺少这一列", len(table), ""))
            continue
        values, kind = table[heading], column["type"]
        empty = values.isna()
        if not column.get("empty"):
            report(heading, "不该为空", empty)
        if kind in ("whole", "number"):
            numbers = pd.to_numeric(values, errors="coerce").astype("float64")
            report(heading, "不是数", numbers.isna() & ~empty)
            if "min" in column:
                report(heading, f"小于 {column['min']}", numbers < column["min"])
            if "max" in column:
                report(heading, f"大于 {column['max']}", numbers > column["max"])
        elif kind in ("date", "time"):
            report(heading, f"不是{TYPES[kind]}", pd.to_datetime(values, errors="coerce").isna() & ~empty)
        elif pattern := column.get("pattern") or _PATTERNS.get(kind):
            fits = values.astype("str").str.fullmatch(pattern, na=True)
            report(heading, "写法不对", ~fits.astype(bool) & ~empty)
        if "values" in column:
            report(heading, "不在允许的值里", ~values.isin(column["values"]) & ~empty)
        if "ref" in column:
            other, target = column["ref"].split(".")
            report(heading, f"在 {other} 里查不到", ~values.isin(load(other)[target]) & ~empty)
    keys = entry["key"]
    if all(k in table for k in keys):
        report(keys[0], f"{'＋'.join(keys)} 重复", table.duplicated(subset=keys))
    return pd.DataFrame(found, columns=["列", "问题", "行数", "例子"])
