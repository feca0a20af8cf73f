"""读学校的表：.xlsx、.xlsm、.csv。标题行、合并的表头、空行、GBK、丢了前导零的学号，都照样读；读不了的说清哪一行哪一列。

公式和宏从不运行，只取存着的数。
"""

import csv
import io
import re
import unicodedata
import zipfile
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from crmlib.cli import CourseError

_MOST_ROWS, _MOST_COLUMNS = 50_000, 200
_BIGGEST = 200_000_000  # 解压以后最多这么多字节：再大就不是名单，是炸弹
_HEADER_WITHIN = 30  # 标题和说明占的行，不会比这更多
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_FOOTER = re.compile(r"合计|总计|共计|制表|说明|备注|注[:：]|打印|填表|审核|第.*页|班主任|任课")
_HAN_GAP = re.compile(r"(?<=[\u3400-\u9fff])\s+(?=[\u3400-\u9fff])")

# 表头的各种叫法
NAMES = {
    "学号": ("学号", "学生学号", "学籍号", "学生编号"),
    "姓名": ("姓名", "学生姓名", "名字"),
    "班级": ("班级", "行政班", "行政班级", "班级名称", "教学班"),
    "小组": ("小组", "组别", "组", "分组", "小组名称", "所在小组", "组名"),
    "日期": ("日期", "时间", "上课日期"),
    "事件": ("事件", "考勤", "考勤情况", "类型", "情况", "出勤情况"),
    "次数": ("次数", "节数", "节次数"),
    "备注": ("备注", "说明", "原因"),
    "得分": ("得分", "分数", "成绩", "总评", "总分"),
    "每次扣分": ("每次扣分", "扣分", "每次扣几分"),
}


class SheetError(CourseError):
    """A table that cannot be taken as it is; ``faults`` lists every reason with row and column."""

    def __init__(self, faults):
        self.faults = faults
        more = f"\n……还有 {len(faults) - 20} 处" if len(faults) > 20 else ""
        super().__init__("\n".join(faults[:20]) + more)


@dataclass(slots=True)
class Cell:
    """A cell as found: ``value`` (str, int, float, date, None), where it is, and how it is meant to look."""

    value: object
    row: int
    column: int
    digits: int = 0  # 数字格式里的位数：00000000 是 8
    formula: bool = False  # 有公式，却没有存下算好的数

    @property
    def place(self) -> str:
        return f"第 {self.row} 行 {letter(self.column)} 列"

    @property
    def text(self) -> str:
        return clean(self.value)


@dataclass
class Table:
    """Rows under one header: [{heading: Cell}]; ``file`` and ``sheet`` for messages; cells above it."""

    file: str
    sheet: str
    headings: list[str]
    rows: list[dict[str, Cell]]
    above: list[list[Cell]]

    def fault(self, cell: Cell, heading: str, wrong: str) -> str:
        return f"{self.file}{f'（{self.sheet}）' if self.sheet else ''} {cell.place}（{heading}）：{wrong}"


def letter(column: int) -> str:
    """Spreadsheet name of a column, from 1.

    >>> letter(1), letter(28)
    ('A', 'AB')
    """
    name = ""
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def clean(value) -> str:
    """Text of a cell: half-width, without the spaces that line names up, without invisible characters.

    >>> clean("王　伟 "), clean(" ２０２６０１ "), clean(20260101.0), clean(None)
    ('王伟', '202601', '20260101', '')
    """
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    text = unicodedata.normalize("NFKC", str(value))
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Cc") or c in " \t\n")
    return _HAN_GAP.sub("", " ".join(text.split()))


def heading(value) -> str:
    """The name under which a column heading is known: without brackets, stars, spaces.

    >>> heading("学 号*"), heading("组别（必填）"), heading("期末成绩")
    ('学号', '小组', '期末成绩')
    """
    text = clean(value).replace(" ", "").strip("*:")
    bare = re.sub(r"[(\[【].*?[)\]】]", "", text).strip("*:")
    for name, other in NAMES.items():
        if bare in other:
            return name
    return bare or text


def read(path: Path, need: tuple[str, ...], sheet: str | None = None, optional: bool = False) -> Table | None:
    """The first table in a file whose header has all of ``need``. ``sheet``: only the sheet of that name.

    Raises CourseError where the file cannot be read or has no such header (``optional``: None instead).
    """
    closest: list[str] = []
    for name, grid in load(path).items():
        if sheet is not None and name != sheet:
            continue
        place, best = None, 0
        for number, row in enumerate(grid[:_HEADER_WITHIN]):
            hits = len({heading(c.value) for c in row if c.text} & set(need))
            if hits > best or (hits and hits == best and number == place + 1):  # 两层表头：用下面的一层
                place, best = number, hits
        if place is None:
            continue
        names = _headings(grid, place)
        if missing := [n for n in need if n not in names]:
            closest = closest or missing
            continue
        rows = []
        for row in grid[place + 1:]:
            cells = {n: c for n, c in zip(names, row, strict=False) if n}
            same = all(heading(c.value) == n for n, c in cells.items() if n in need)
            if any(c.text or c.formula for c in cells.values()) and not same:  # 每页重复的表头跳过
                rows.append(cells)
        return Table(path.name, name, [n for n in names if n], rows, grid[:place])
    if optional:
        return None
    lack = f"少了“{'”“'.join(closest)}”这一列" if closest else f"没有找到表头“{'”“'.join(need)}”"
    raise CourseError(f"{path.name}：{lack}。表头要在前 {_HEADER_WITHIN} 行里，每列一个名字。")


def _headings(grid, place) -> list[str]:
    """Names of the columns; a name twice counts once. Under a wide heading, the lower line is the name."""
    names, above = [], grid[place - 1] if place else []
    for n, cell in enumerate(grid[place]):
        name = heading(cell.value)
        if not name and n < len(above) and heading(above[n].value) in NAMES:
            name = heading(above[n].value)  # “学号”竖着合并两行，名字在上面一行
        names.append("" if name in names else name)
    return names


def load(path: Path) -> dict[str, list[list[Cell]]]:
    """{sheet name: rows of cells} of a file; hidden sheets are left out. CourseError if it cannot be read."""
    path, kind = Path(path), Path(path).suffix.lower()
    try:
        raw = path.read_bytes()
    except OSError as fault:
        raise CourseError(
            f"读不了 {path}（{fault.strerror}）。看看文件名对不对，有没有在 Excel 里开着。"
        ) from None
    if raw[:4] == b"PK\x03\x04":
        return _workbook(path.name, raw)
    if kind in (".xls", ".et", ".xlsx", ".xlsm") or raw[:4] == b"\xd0\xcf\x11\xe0":
        what = "有密码，或者是旧的格式" if kind in (".xlsx", ".xlsm") else "是旧的格式"
        raise CourseError(f"{path.name} {what}，读不了。用 Excel 或 WPS 打开，另存为 .xlsx（不加密码）。")
    return {"": _csv(path.name, raw)}


def _csv(name, raw) -> list[list[Cell]]:
    text = _decode(name, raw).replace("\x00", "")
    first = next((line for line in text.splitlines() if line.strip()), "")
    head = text[:5000]
    mark = max(",\t;|", key=lambda c: (head.count(c), c == ","))
    if not first:
        return []
    csv.field_size_limit(1_000_000)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark))
    except csv.Error as fault:
        raise CourseError(f"{name} 读不成表（{fault}）。用 Excel 打开，另存为 .xlsx 再试。") from None
    wide = max(map(len, rows), default=0)
    _modest(name, len(rows), wide)
    return [[Cell(_csv_value(v), r, c) for c, v in enumerate(row + [""] * (wide - len(row)), 1)]
            for r, row in enumerate(rows, 1)]


def _csv_value(value: str):
    # 有的系统为了不丢零，导出成 ="00123"
    kept = re.fullmatch(r'="?([^"]*)"?', value.strip())
    return kept[1] if kept else value.strip().lstrip("'")


def _decode(name, raw) -> str:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", errors="replace")
    for code in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(code)
        except UnicodeDecodeError:
            continue
    raise CourseError(f"{name} 的编码认不出来。用 Excel 打开，另存为 .xlsx 再试。")


def _workbook(name, raw) -> dict[str, list[list[Cell]]]:
    import openpyxl

    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            size = sum(info.file_size for info in packed.infolist())
        if size > _BIGGEST:
            raise CourseError(f"{name} 解开以后有 {size // 10**6} MB，太大了，不像一张名单。")
        # 宏不装入；公式取存着的数
        book = openpyxl.load_workbook(io.BytesIO(raw), data_only=True, keep_vba=False, keep_links=False)
    except CourseError:
        raise
    except Exception as fault:  # openpyxl 对坏文件抛各种各样的错
        raise CourseError(f"{name} 打不开（{type(fault).__name__}）。用 Excel 或 WPS 打开，另存一份 .xlsx "
                          f"再试。"
                          ) from None
    formulas = openpyxl.load_workbook(io.BytesIO(raw), keep_links=False) if _has_formulas(raw) else None
    found = {}
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            continue
        if sheet.max_row * sheet.max_column > 5_000_000:
            _modest(name, sheet.max_row, sheet.max_column)
        unsaved = set()
        if formulas is not None:
            unsaved = {(c.row, c.column) for row in formulas[sheet.title].iter_rows() for c in row
                       if c.data_type == "f" and sheet.cell(c.row, c.column).value is None}
        # 大小照有内容的格子算：只设过格式的行和列不算
        used = {(c.row, c.column) for row in sheet.iter_rows() for c in row if c.value is not None} | unsaved
        bottom, right = max((r for r, _ in used), default=0), max((c for _, c in used), default=0)
        _modest(name, bottom, right)
        grid = [[_cell(sheet.cell(r, c), (r, c) in unsaved) for c in range(1, right + 1)]
                for r in range(1, bottom + 1)]
        _fill_merged(sheet, grid)
        found[sheet.title] = grid
    return found


def _has_formulas(raw) -> bool:
    with zipfile.ZipFile(io.BytesIO(raw)) as packed:
        return any(b"<f>" in (part := packed.read(n)) or b"<f " in part or b"<f/>" in part
                   for n in packed.namelist() if n.startswith("xl/worksheets/"))


def _cell(cell, unsaved) -> Cell:
    look = str(getattr(cell, "number_format", ""))
    return Cell(cell.value, cell.row, cell.column, len(look) if re.fullmatch("0{2,}", look) else 0, unsaved)


def _fill_merged(sheet, grid) -> None:
    """A value merged downwards (one group's name over its members) belongs to every row."""
    for area in sheet.merged_cells.ranges:
        if area.min_col == area.max_col and area.min_row <= len(grid) and area.max_col <= len(grid[0]):
            top = grid[area.min_row - 1][area.min_col - 1]
            for r in range(area.min_row, min(area.max_row, len(grid))):
                grid[r][area.min_col - 1].value = top.value


def _modest(name, rows, columns) -> None:
    if rows > _MOST_ROWS or columns > _MOST_COLUMNS:
        raise CourseError(f"{name} 有 {rows} 行 {columns} 列，太大了：最多 {_MOST_ROWS} 行、{_MOST_COLUMNS} "
                          f"列。"
                          "删掉多余的行和列（连同格式）再试。")


# ---- 学号、日期 ----

def student_id(cell: Cell, known=(), width: int = 0) -> tuple[str, str]:
    """(id, what is wrong with it or ""). A number that lost its zeros gets them back only where that is sure:

    from the cell's own format, from ``width`` (digits that every id has), or from the one ``known`` id that
    it can be.
    """
    if cell.formula:
        return "", "这里是公式，文件里没有存算好的数。用 Excel 打开，保存一次；或者复制，选择性粘贴为数值。"
    value, text = cell.value, cell.text
    if (isinstance(value, float) and not value.is_integer()) or re.fullmatch(r"[\d.]+[eE]\+\d+", text):
        return "", f"“{text}”不是学号：数字被写成了小数或科学计数法。把这一列设成“文本”，重新填。"
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    if numeric and len(text) > 15:
        return "", f"“{text}”超过 15 位，Excel 当数字存，末尾几位已经不准了。把这一列设成“文本”，重新填。"
    if not _ID.fullmatch(text):
        return "", f"“{text[:20]}”不像学号：只能有字母、数字、- 和 _，最多 32 个。"
    wanted = cell.digits or width
    if text.isdigit() and len(text) < wanted:
        text = text.zfill(wanted)
    if known and text not in known:
        alike = [k for k in known if k.lstrip("0") == text.lstrip("0")] if text.isdigit() else []
        if len(alike) == 1:
            return alike[0], ""
    return text, ""


def is_footer(row: dict[str, Cell]) -> bool:
    """Whether a row is “合计 40 人”, “制表人：……” and the like, and no student."""
    first = next((c.text for c in row.values() if c.text), "")
    return bool(_FOOTER.match(first)) and not _ID.fullmatch(row["学号"].text or "合计")


def day(value) -> str | None:
    """A date as ISO text; None if it is none.

    >>> day("2026年9月1日"), day("2026/9/1"), day("20260901"), day("九月")
    ('2026-09-01', '2026-09-01', '2026-09-01', None)
    """
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    text = clean(value)
    found = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?: .*)?", text) or re.fullmatch(
        r"(\d{4})(\d\d)(\d\d)", text)
    try:
        return date(*map(int, found.groups())).isoformat() if found else None
    except ValueError:
        return None
