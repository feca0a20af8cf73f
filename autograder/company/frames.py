"""一张表在内存里的样子，以及怎样写成 CSV 和 Parquet。

A frame is a dict: heading → column. A column is one of
- a numpy array of whole numbers: for ``number`` in units of the last decimal place (money in fen), for
  ``date`` in days since 1970, for ``time`` in minutes since 1970, for ``month`` in months since 2023-01;
- a boolean array (``flag``), a list of texts, or one of the three classes below.
Whole numbers inside mean that nothing is rounded on the way out, so every machine writes the same bytes.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

EPOCH = date(1970, 1, 1)
FIRST_MONTH = (2023, 1)


@dataclass
class Ids:
    """Identifiers: prefix and number, e.g. C0012."""

    prefix: str
    numbers: np.ndarray
    width: int


@dataclass
class Coded:
    """A choice: one small number per row, and what the numbers stand for."""

    codes: np.ndarray
    labels: list


@dataclass
class Maybe:
    """A column some of whose cells are empty."""

    values: object
    present: np.ndarray


def day(year, month, dayofmonth=1) -> int:
    """Days since 1970-01-01."""
    return (date(year, month, dayofmonth) - EPOCH).days


def month_label(month: int) -> str:
    year, rest = divmod(FIRST_MONTH[0] * 12 + FIRST_MONTH[1] - 1 + month, 12)
    return f"{year}-{rest + 1:02d}"


# 每个月的第一天（2023-01 起，往后 60 个月）
MONTH_START = np.array([day(*map(int, month_label(m).split("-"))) for m in range(61)])


def month_of(days):
    """Month number (0 = 2023-01) of days since 1970."""
    return np.searchsorted(MONTH_START, days, side="right") - 1


def length(column) -> int:
    if isinstance(column, Ids):
        return len(column.numbers)
    if isinstance(column, Coded):
        return len(column.codes)
    if isinstance(column, Maybe):
        return len(column.present)
    return len(column)


def rows(frame) -> int:
    return length(next(iter(frame.values())))


def take(column, where):
    """The rows of a column at the given positions."""
    if isinstance(column, Ids):
        return Ids(column.prefix, column.numbers[where], column.width)
    if isinstance(column, Coded):
        return Coded(column.codes[where], column.labels)
    if isinstance(column, Maybe):
        return Maybe(take(column.values, where), column.present[where])
    if isinstance(column, np.ndarray):
        return column[where]
    return [column[i] for i in np.arange(len(column))[where]]


def select(frame, where):
    return {heading: take(column, where) for heading, column in frame.items()}


# ── 写成文字 ────────────────────────────────────────────────────────────────────────────────


def _lookup(values, spell):
    """Spell each distinct value once."""
    distinct, places = np.unique(np.asarray(values), return_inverse=True)
    words = [spell(int(v)) for v in distinct]
    return [words[i] for i in places.tolist()]


def spell_date(days: int) -> str:
    return (EPOCH + timedelta(days=days)).isoformat()


def texts(column, spec) -> list:
    """The cells of a column as they stand in the CSV file (unquoted)."""
    if isinstance(column, Maybe):
        words = texts(column.values, spec)
        return [w if p else "" for w, p in zip(words, column.present.tolist(), strict=True)]
    if isinstance(column, Ids):
        return [f"{column.prefix}{n:0{column.width}d}" for n in column.numbers.tolist()]
    if isinstance(column, Coded):
        return [column.labels[i] for i in column.codes.tolist()]
    kind = spec["type"]
    if kind == "whole":
        return list(map(str, np.asarray(column).tolist()))
    if kind == "number":
        places = spec.get("decimals", 2)
        return [f"{v / 10**places:.{places}f}" for v in np.asarray(column).tolist()]
    if kind == "date":
        return _lookup(column, spell_date)
    if kind == "time":
        days, minutes = np.divmod(np.asarray(column), 1440)
        clock = [f" {m // 60:02d}:{m % 60:02d}" for m in range(1440)]
        return [d + clock[m] for d, m in zip(_lookup(days, spell_date), minutes.tolist(), strict=True)]
    if kind == "month":
        return _lookup(column, month_label)
    if kind == "flag":
        return ["是" if v else "否" for v in np.asarray(column).tolist()]
    return list(column)


def csv_bytes(frame, spec) -> bytes:
    """The whole table as CSV: UTF-8 with BOM, lines end in CR LF, as Excel and WPS write it.

    Raises:
        ValueError: the frame's columns are not those of the dictionary.
    """
    columns = spec["columns"]
    if list(frame) != list(columns):
        raise ValueError(f"表头与数据字典不同：{list(frame)} / {list(columns)}")
    cells = []
    for heading, column in frame.items():
        words = texts(column, columns[heading])
        if columns[heading]["type"] == "text":
            words = [quote(w) for w in words]
        cells.append(words)
    lines = [",".join(columns), *map(",".join, zip(*cells, strict=True)), ""]
    return b"\xef\xbb\xbf" + "\r\n".join(lines).encode()


def quote(word: str) -> str:
    if any(mark in word for mark in ',"\r\n'):
        return '"' + word.replace('"', '""') + '"'
    return word


# ── 写成 Parquet ────────────────────────────────────────────────────────────────────────────


def arrow(column, spec):
    """The column as a pyarrow array of the type that ``arrow_type(spec)`` names."""
    import pyarrow as pa

    mask = None
    if isinstance(column, Maybe):
        mask, column = ~column.present, column.values
    if isinstance(column, Ids):
        return _id_array(column, mask)
    if isinstance(column, Coded):
        codes = pa.array(np.asarray(column.codes, np.int32), mask=mask)
        return pa.DictionaryArray.from_arrays(codes, pa.array(column.labels, pa.string()), safe=False)
    kind = spec["type"]
    if kind == "whole":
        return pa.array(np.asarray(column, np.int32), mask=mask)
    if kind == "number":
        return pa.array(np.asarray(column) / 10 ** spec.get("decimals", 2), mask=mask)
    if kind == "date":
        return pa.array(np.asarray(column, np.int32), pa.date32(), mask=mask)
    if kind == "time":
        return pa.array(np.asarray(column, np.int64) * 60_000, pa.timestamp("ms"), mask=mask)
    if kind == "month":
        low, codes = int(np.min(column, initial=0)), np.asarray(column, np.int32)
        labels = [month_label(m) for m in range(low, int(np.max(column, initial=0)) + 1)]
        return pa.DictionaryArray.from_arrays(pa.array(codes - low, mask=mask), pa.array(labels))
    if kind == "flag":
        codes = pa.array(np.asarray(column, np.int32), mask=mask)
        return pa.DictionaryArray.from_arrays(codes, pa.array(["否", "是"]))
    return pa.array(column, pa.string(), mask=mask)


def word_type():
    """The type of a column of words that come again and again."""
    import pyarrow as pa

    return pa.dictionary(pa.int32(), pa.string())


def arrow_type(spec):
    import pyarrow as pa

    names = word_type()
    if "ref" in spec:  # 外键反复出现：存成字典编码，又小又快
        return names
    return {
        "id": pa.string(),
        "text": pa.string(),
        "choice": names,
        "flag": names,
        "month": names,
        "whole": pa.int32(),
        "number": pa.float64(),
        "date": pa.date32(),
        "time": pa.timestamp("ms"),
    }[spec["type"]]


def arrow_table(frame, spec):
    """The frame as a pyarrow table with the dictionary's columns and types."""
    import pyarrow as pa

    arrays, fields = [], []
    for heading, column in frame.items():
        kind = arrow_type(spec["columns"][heading])
        array = arrow(column, spec["columns"][heading])
        if array.type != kind:
            array = array.dictionary_encode() if pa.types.is_dictionary(kind) else array.cast(kind)
        arrays.append(array)
        fields.append(pa.field(heading, kind))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def pandas(frame, spec):
    """The frame as ``crmlib.load`` would return it after writing and reading."""
    import pyarrow as pa

    table = arrow_table(frame, spec)
    words = pa.schema(
        [pa.field(f.name, pa.string() if f.type == word_type() else f.type) for f in table.schema]
    )
    table = table.cast(words).to_pandas(types_mapper={pa.string(): _words()}.get)
    for heading, column in spec["columns"].items():
        if column["type"] in ("date", "time"):
            table[heading] = table[heading].astype("datetime64[us]")
        elif column["type"] == "whole":
            table[heading] = table[heading].astype("Int64" if column.get("empty") else "int64")
        elif column["type"] == "text":
            table[heading] = table[heading].replace("", None)
    return table


def _words():
    import pandas as pd

    return pd.StringDtype(na_value=float("nan"))


def _id_array(ids, mask):
    """Identifiers as a string array, built from bytes: no Python text is made."""
    import pyarrow as pa

    numbers = np.asarray(ids.numbers, np.int64)
    top = int(numbers.max(initial=0))
    width = max(ids.width, len(str(top)))
    if width > ids.width and int(numbers.min(initial=top)) < 10 ** (width - 1):
        words = [f"{ids.prefix}{n:0{ids.width}d}" for n in numbers.tolist()]  # 位数不齐：少见
        return pa.array(words, pa.string(), mask=mask)
    prefix = ids.prefix.encode()
    text = np.empty((len(numbers), len(prefix) + width), np.uint8)
    text[:, : len(prefix)] = np.frombuffer(prefix, np.uint8)
    rest = numbers.astype(np.uint32) if top < 2**32 else numbers
    for place in range(len(prefix) + width - 1, len(prefix) - 1, -1):
        rest, digit = np.divmod(rest, rest.dtype.type(10))
        text[:, place] = digit + ord("0")
    offsets = np.arange(len(numbers) + 1, dtype=np.int32) * text.shape[1]
    array = pa.StringArray.from_buffers(len(numbers), pa.py_buffer(offsets), pa.py_buffer(text))
    if mask is not None:
        import pyarrow.compute as pc

        array = pc.if_else(pa.array(mask), pa.scalar(None, pa.string()), array)
    return array
