"""给老师的空表（.xlsx）：锁住表头，能填的格子有下拉和范围，另有一页说明。"""

from pathlib import Path

from autograder.marks.exact import plain
from autograder.marks.schemes import KINDS, Component, Scheme
from autograder.marks.state import State
from crmlib.cli import CourseError

EXCUSED, ZERO = "请假", "确认零分"
EVENTS = ("缺课", "迟到", "早退", "违纪")
OURS = "评分标准由本课程拟定，不是课程标准的原文；学校可以改用自己的。"
_MORE = 200  # 名单以外再留这么多空行的下拉


class Book:
    """A workbook of ours: one style, headings locked, what users type is never taken for a formula."""

    def __init__(self):
        from openpyxl import Workbook

        self.book = Workbook()
        self.book.remove(self.book.active)

    def sheet(self, name: str, widths=(), landscape: bool = True):
        sheet = self.book.create_sheet(name)
        sheet.page_setup.paperSize, sheet.page_setup.fitToHeight = sheet.PAPERSIZE_A4, 0
        sheet.page_setup.orientation = "landscape" if landscape else "portrait"
        sheet.sheet_properties.pageSetUpPr.fitToPage = True
        for number, width in enumerate(widths, 1):
            sheet.column_dimensions[_letter(number)].width = width
        return sheet

    def title(self, sheet, text: str, columns: int, row: int = 1, small: bool = False) -> None:
        from openpyxl.styles import Alignment, Font

        cell = put(sheet, row, 1, text)
        cell.font = Font(name="微软雅黑", size=10 if small else 15, bold=not small,
                         color="616161" if small else "212121")
        cell.alignment = Alignment(wrap_text=True, vertical="center")
        if columns > 1:
            sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=columns)
        per_line = sum(sheet.column_dimensions[_letter(c)].width for c in range(1, columns + 1)) / 2.1
        sheet.row_dimensions[row].height = max(
            18 if small else 26, 15 * -(-len(text) // max(int(per_line), 10))
        )

    def header(self, sheet, row: int, names) -> None:
        from openpyxl.styles import Alignment, Font, PatternFill

        for column, name in enumerate(names, 1):
            cell = put(sheet, row, column, name)
            cell.font = Font(name="微软雅黑", bold=True)
            cell.fill = PatternFill("solid", fgColor="E3EAF1")
            cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal="center")
            cell.border = _border()
        sheet.freeze_panes = sheet.cell(row + 1, min(3, len(names)))
        sheet.print_title_rows = f"{row}:{row}"

    def row(self, sheet, row: int, values, open_from: int | None = None, number_format: str = "") -> None:
        """One line; cells from column ``open_from`` on may be typed in."""
        from openpyxl.styles import Alignment, PatternFill, Protection

        for column, value in enumerate(values, 1):
            cell = put(sheet, row, column, value)
            cell.border = _border()
            wide = isinstance(value, str) and len(value) > 12
            cell.alignment = Alignment(wrap_text=wide, vertical="center")
            if number_format and isinstance(value, int | float):
                cell.number_format = number_format
            if open_from and column >= open_from:
                cell.protection = Protection(locked=False)
                cell.fill = PatternFill("solid", fgColor="FFFDE7")

    def choose(self, sheet, area: str, options) -> None:
        from openpyxl.worksheet.datavalidation import DataValidation

        rule = DataValidation(
            "list", formula1=f'"{",".join(options)}"', allow_blank=True, showErrorMessage=True
        )
        rule.errorTitle, rule.error = "不能这样填", f"从下拉里选：{'、'.join(options)}"
        sheet.add_data_validation(rule)
        rule.add(area)

    def between(self, sheet, area: str, low, high) -> None:
        from openpyxl.worksheet.datavalidation import DataValidation

        rule = DataValidation(
            "decimal",
            operator="between",
            formula1=str(low),
            formula2=str(high),
            allow_blank=True,
            showErrorMessage=True,
        )
        rule.errorTitle, rule.error = "超出范围", f"填 {low} 到 {high} 之间的数"
        sheet.add_data_validation(rule)
        rule.add(area)

    def lock(self, sheet) -> None:
        sheet.protection.sheet = True  # 没有密码：防手误，不防人
        sheet.protection.formatColumns = sheet.protection.formatRows = False

    def save(self, path: Path) -> Path:
        """Write the file; an existing one is never overwritten."""
        try:
            with open(path, "xb") as file:
                self.book.save(file)
        except FileExistsError:
            raise CourseError(f"{path} 已经有了，不覆盖它。移走，或者用 --out 写到别的文件夹。") from None
        except OSError as fault:
            raise CourseError(f"写不了 {path}（{fault.strerror}）。") from None
        return path


def put(sheet, row: int, column: int, value):
    """Write a cell. Text stays text: a name that begins with = is no formula."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    if isinstance(value, str):
        value = ILLEGAL_CHARACTERS_RE.sub("", value)
    cell = sheet.cell(row, column, value)
    if isinstance(value, str):
        cell.data_type = "s"
        if value[:1] in ("=", "+", "-", "@"):
            cell.quotePrefix = True
        if value.isdigit():  # 学号：按文本存，前面的零不会丢
            cell.number_format = "@"
    return cell


def _letter(column: int) -> str:
    from autograder.marks.sheets import letter

    return letter(column)


def _border():
    from openpyxl.styles import Border, Side

    side = Side(style="thin", color="B0BEC5")
    return Border(left=side, right=side, top=side, bottom=side)


# ---- 打分表 ----

def mark_book(state: State, component: Component, kind: str, item: str, path: Path) -> Path:
    """The table in which a teacher or an enterprise marks one component."""
    scheme, book = state.scheme, Book()
    criteria = component.criteria(kind)
    names = ["得分（0–100）"] if len(criteria) == 1 else [f"{c['name']}（0–{c['points']}）" for c in criteria]
    whole = component.is_group(kind)
    lead = ["小组", "成员"] if whole else ["学号", "姓名", "班级", "小组"]
    columns = [*lead, *names, "合计", "备注（学生看得到）", "情况"]
    widths = ([14, 40] if whole else [15, 11, 14, 12]) + [13] * len(names) + [8, 32, 11]
    sheet = book.sheet("打分", widths)
    book.title(
        sheet, f"{component.name}　{KINDS[kind]}打分表" + (f"（{item}）" if item else ""), len(columns)
    )
    book.title(sheet, f"{scheme.title}。黄色的格子可以填；没有填的学生，这一项就空着，不会当零分。"
                      "评分标准见“说明”。", len(columns), 2, small=True)
    book.header(sheet, 3, columns)
    if whole:
        rows = [
            [name, "、".join(state.students[i].name for i in ids)] for name, ids in state.groups().items()
        ]
    else:
        rows = [[s.id, s.name, s.klass, s.group()] for s in state.present]
    first, last = 4, 3 + len(rows)
    start, end = len(lead) + 1, len(lead) + len(names)
    for number, values in enumerate(rows, first):
        total = f"=IF(COUNT({_letter(start)}{number}:{_letter(end)}{number})={len(names)}," \
                f"SUM({_letter(start)}{number}:{_letter(end)}{number}),\"\")"
        book.row(sheet, number, [*values, *[None] * len(names), None, None, None], open_from=start)
        sheet.cell(number, end + 1, total).protection = _locked()  # 只给老师看；读的时候不用它
    if rows:
        for place, criterion in enumerate(criteria):
            column = _letter(start + place)
            book.between(sheet, f"{column}{first}:{column}{last}", 0, criterion["points"])
        mark = _letter(len(columns))
        book.choose(sheet, f"{mark}{first}:{mark}{last}", (EXCUSED, ZERO))
    book.lock(sheet)
    _explain_marks(book, scheme, component, kind, item, criteria)
    return book.save(path)


def _locked():
    from openpyxl.styles import Protection

    return Protection(locked=True)


def _explain_marks(book, scheme, component, kind, item, criteria) -> None:
    sheet = book.sheet("说明", (18, 60, 50), landscape=False)
    book.title(sheet, "这张表怎么填", 3)
    share = component.weight * component.split[kind]
    facts = [
        ("分项编号", component.id),
        ("评价人", KINDS[kind]),
        ("项目", item),
        ("方案版本", scheme.version),
        ("评分人", ""),
    ]
    for row, (name, value) in enumerate(facts, 2):
        book.row(sheet, row, [name, value], open_from=2 if name == "评分人" else None)
    lines = [f"“评分人”写上你的姓名：每个分数都记着是谁给的。这一项占总分 {plain(share)} 分。",
             f"“情况”选“{EXCUSED}”：这一项等补交，不计零分。选“{ZERO}”：确认没有理由没交。"
             f"两种都要在备注里写原因。",
             "填错了？改好再读一次。旧的分数留在记录里，按新的算。",
             "不要改学号、小组、表头和这一页的编号。"]
    row = len(facts) + 2
    for line in lines:
        book.title(sheet, line, 3, row, small=True)
        row += 1
    if len(criteria) > 1:
        book.title(sheet, OURS, 3, row, small=True)
        book.header(sheet, row + 1, ["评分标准", "满分的样子", "低分的样子"])
        sheet.freeze_panes = None
        for number, c in enumerate(criteria, row + 2):
            book.row(sheet, number, [f"{c['name']}（{c['points']} 分）", c["good"], c["poor"]])
    book.lock(sheet)


# ---- 名单、考勤 ----

def roster_book(path: Path) -> Path:
    book = Book()
    sheet = book.sheet("名单", (18, 14, 18, 14))
    book.title(sheet, "学生名单", 4)
    book.title(sheet, "学校系统里导出的名单也能直接读，不用抄到这里。小组可以先空着。", 4, 2, small=True)
    book.header(sheet, 3, ["学号", "姓名", "班级", "小组"])
    for row in range(4, 64):
        book.row(sheet, row, [None] * 4, open_from=1)
        sheet.cell(row, 1).number_format = "@"
    book.lock(sheet)
    return book.save(path)


def attendance_book(state: State, path: Path) -> Path:
    """Register of absences, and the school's own table of points, which is left empty."""
    book = Book()
    sheet = book.sheet("考勤", (14, 15, 11, 12, 8, 36))
    book.title(sheet, "考勤记录", 6)
    book.title(sheet, "只记缺了什么。全勤的不用写。“事件”要和“扣分表”里的一样。", 6, 2, small=True)
    book.header(sheet, 3, ["日期", "学号", "姓名", "事件", "次数", "备注"])
    for row in range(4, 4 + _MORE):
        book.row(sheet, row, [None] * 6, open_from=1)
        sheet.cell(row, 2).number_format = "@"
    book.choose(sheet, f"D4:D{3 + _MORE}", list(state.points) or EVENTS)
    book.between(sheet, f"E4:E{3 + _MORE}", 1, 50)
    book.lock(sheet)
    table = book.sheet("扣分表", (16, 16, 50))
    book.title(table, "学校的扣分表", 3)
    book.title(table, "从 100 分往下扣，扣完为止。课程标准没有印每次扣几分，要填学校自己的规定；"
                      "不填就算不出出勤分。",
               3, 2, small=True)
    book.header(table, 3, ["事件", "每次扣分", "备注"])
    rows = list(state.points.items()) or [(event, None) for event in EVENTS]
    for number, (event, points) in enumerate(rows + [(None, None)] * 6, 4):
        book.row(table, number, [event, float(points) if points else None, None], open_from=1)
    book.between(table, "B4:B20", 0, 100)
    book.lock(table)
    return book.save(path)


# ---- 学校自己的方案 ----

def scheme_book(base: Scheme | None, standard: str, rows, path: Path) -> Path:
    """The form for a school; ``rows``: (id, name, group, weight, {kind: %}, machine, attendance, target)."""
    book = Book()
    kinds = list(KINDS.values())
    names = ["编号", "分项", "类别", "权重", *(f"{k}%" for k in kinds), "机器批改", "考勤算分", "评的是"]
    sheet = book.sheet("方案", (10, 18, 10, 9, *[10] * len(kinds), 10, 10, 10))
    what = "学校自己的考核方案" if base is None else "学校在标准上改的考核方案"
    book.title(sheet, f"{what}（{standard}）", len(names))
    book.title(sheet, "黄色的格子由学校填。权重加起来是 100；每行各评价人的百分数加起来是 100。"
                      "不用的行清空“分项”。"
                      "详见“说明”。", len(names), 2, small=True)
    book.header(sheet, 3, names)
    for number, (cid, name, group, weight, split, machine, attendance, target) in enumerate(rows, 4):
        shares = [split.get(k) for k in KINDS]
        book.row(sheet, number, [cid, name, group, weight, *shares, machine, attendance, target], open_from=2)
    last = 3 + len(rows)
    book.choose(sheet, f"C4:C{last}", ("过程", "结果"))
    book.between(sheet, f"D4:D{last}", 0, 100)
    book.between(sheet, f"E4:I{last}", 0, 100)
    book.choose(sheet, f"J4:K{last}", ("是", "否"))
    book.choose(sheet, f"L4:L{last}", ("个人", "小组"))
    book.lock(sheet)
    note = book.sheet("说明", (18, 70), landscape=False)
    book.title(note, "这张表怎么填", 2)
    for row, (name, value) in enumerate((("标准", standard), ("学校", ""), ("方案名称", ""), ("定的人", ""),
                                         ("日期", "")), 2):
        book.row(note, row, [name, value], open_from=2 if name != "标准" else None)
    lines = ["“学校”“方案名称”“定的人”“日期”都要写：报告上会印“学校方案，不是课程标准的原文”。",
             "“机器批改”选“是”：这一项可以由作业分算出来。态度、素养不能由机器批改。",
             "“考勤算分”选“是”：这一项由考勤记录和学校的扣分表算。",
             "“评的是”选“小组”：老师、企业给小组的成果打分，组员同分。组间互评评的总是小组。",
             "组内互评、组间互评是两件事，不会合成一个数。没有企业评价，就不要给企业百分数。"]
    if standard == "js":
        lines.append("这份标准要过程和结果都算：两种“类别”至少各一行。")
    if standard == "sw":
        lines.append("这份标准唯一的数字是学时：实践 32、共 80，占 40%。这不是权重，只供参考。")
    for row, line in enumerate(lines, 8):
        book.title(note, line, 2, row, small=True)
    book.lock(note)
    return book.save(path)
