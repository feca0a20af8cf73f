"""成绩表（.xlsx）：全班一本，每个学生一本。只有数，没有公式。"""

from fractions import Fraction
from pathlib import Path

from autograder.marks.compute import SOURCES, between
from autograder.marks.exact import plain
from autograder.marks.report import Report, value_text, why
from autograder.marks.schemes import KINDS
from autograder.marks.templates import Book


def number(value: Fraction | None):
    """A value for a cell: shown with two decimals, kept with all a spreadsheet can hold."""
    return None if value is None else float(value)


def class_book(report: Report, path: Path) -> Path:
    """全班成绩表 with marks, parts, decisions, signals, mastery and the scheme."""
    book = Book()
    _marks(book, report)
    _parts(book, report)
    _list(book, "决定", "老师的决定", ("记录", "学号", "姓名", "决定"), (8, 15, 11, 100),
          [(e.seq, e.whom, report.state.students[e.whom].name, report.decision_text(e))
           for e in report.decisions() if e.whom in report.state.students], "没有。")
    _list(book, "提示", "值得看一眼的地方（只给老师；程序没有改任何分）", ("类别", "说明"), (16, 110),
          [(s.kind, s.text) for s in report.signals], "没有。")
    _list(book, "单元掌握", "各单元作业平均得分率", ("作业", "单元", "平均", "交了几人"), (26, 30, 10, 10),
          [(n, t, round(float(v), 1), c) for n, t, v, c in report.mastery()], "还没有机器批改的作业。")
    everyone = max(len(report.marks), 1)
    _list(
        book,
        "标准条目",
        "课程标准的条目：对着它的题平均得到 60% 算达到",
        ("条目", "内容", "达到", "做过", "占全班"),
        (12, 60, 8, 8, 10),
        [
            (
                i,
                report.texts.get(i, ""),
                sum(v >= 60 for v in given.values()),
                len(given),
                f"{sum(v >= 60 for v in given.values()) * 100 / everyone:.0f}%",
            )
            for i, given in report.items.items()
        ],
        "还没有对着标准条目的成绩。",
    )
    _about(book, report)
    return book.save(path)


def _marks(book, report):
    names = [f"{c.name}\n（{plain(c.weight)}）" for c in report.scheme.components]
    columns = ["学号", "姓名", "班级", "小组", *names, "合计", "总分", "未定"]
    sheet = book.sheet("总表", (15, 10, 13, 15, *[11] * len(names), 9, 14, 46))
    book.title(sheet, f"学期成绩　{report.scheme.title}", len(columns))
    book.title(sheet, "　".join(filter(None, (report.scheme.variant, f"{report.today}，方案版本 "
                                                                     f"{report.scheme.version}。",
                                            report.scheme.rule(), "按学号排，不排名次。各项是得到的分（满分在"
                                                                  "表头）。")))
               , len(columns), 2, small=True)
    book.header(sheet, 3, columns)
    for row, student in enumerate(report.students, 4):
        mark = report.marks[student.id]
        cells = []
        for c in report.scheme.components:
            weight, low, high = mark.component(c.id)
            cells.append("不计" if not weight else number(low) if low == high else between(low, high, 2))
        final = mark.final
        missing = "、".join(dict.fromkeys(p.name for p, _ in mark.open))
        total = float(report.shown(student.id)) if final is not None else report.shown(student.id)
        book.row(sheet, row, [student.id, student.name, student.klass, report.group(student), *cells,
                              number(final), total, missing], number_format="0.00")
        if final is not None:
            sheet.cell(row, len(columns) - 1).number_format = "0" + "." * bool(report.scheme.places) \
                + "0" * report.scheme.places


def _parts(book, report):
    rows = []
    for student in report.students:
        for part in report.marks[student.id].parts:
            for item in part.items:
                rows.append((student.id, student.name, part.name, SOURCES[item.source], item.name,
                             plain(part.weight / len(part.items), 2), number(item.value), why(item)))
    _list(
        book,
        "明细",
        "每一个分数的来路",
        ("学号", "姓名", "分项", "评价人", "项目", "占总分", "得分", "来路"),
        (15, 10, 14, 11, 22, 9, 9, 60),
        rows,
        "名单还是空的。",
    )


def _list(book, name, title, columns, widths, rows, empty):
    sheet = book.sheet(name, widths)
    book.title(sheet, title, len(columns))
    book.header(sheet, 2, columns)
    for row, values in enumerate(rows, 3):
        book.row(sheet, row, values, number_format="0.00" if name == "明细" else "")
    if not rows:
        book.row(sheet, 3, [empty])


def _about(book, report):
    scheme = report.scheme
    sheet = book.sheet("方案", (22, 14, 16, 14, 60))
    book.title(sheet, "考核方案", 5)
    book.header(sheet, 2, ["分项", "权重", "类别", "评价人", "标准里的说法"])
    row = 3
    for c in scheme.components:
        who = "、".join(f"{KINDS[k]} {plain(s * 100)}%" for k, s in c.split.items())
        book.row(
            sheet, row, [c.name, plain(c.weight), c.group, who, f"{c.evidence}；{c.assessor}".strip("；")]
        )
        row += 1
    for line in (
        scheme.variant,
        scheme.rule(),
        *scheme.notes,
        "各评价人决定多少分：" + "、".join(f"{n} {plain(v, 1)}" for n, v in report.decided()) + "。",
    ):
        if line:
            book.title(sheet, line, 5, row, small=True)
            row += 1


def student_book(report: Report, who: str, path: Path) -> Path:
    """One student's own sheet: no other name, no ranking; peers as means."""
    student, mark, book = report.state.students[who], report.marks[who], Book()
    sheet = book.sheet("成绩单", (16, 12, 22, 10, 14, 54), landscape=False)
    book.title(sheet, f"{student.name}（{who}）学期成绩", 6)
    state = "总分" if mark.final is not None else "还没有定，现在在这个范围里"
    book.title(sheet, f"{report.scheme.title}　{report.scheme.variant}　{report.today}", 6, 2, small=True)
    book.title(sheet, f"{state}：{report.shown(who)}", 6, 3)
    book.title(sheet, f"{mark.trace()}。{report.scheme.rule()}", 6, 4, small=True)
    book.header(sheet, 5, ["分项", "评价人", "项目", "占总分", "得分", "来路"])
    row = 6
    for part in mark.parts:
        for item in part.items:
            value = "" if item.value is None else plain(item.value, 2)
            book.row(
                sheet,
                row,
                [
                    part.name,
                    SOURCES[item.source],
                    item.name,
                    plain(part.weight / len(part.items), 2),
                    value or value_text(part),
                    why(item),
                ],
            )
            row += 1
    for e in report.decisions(who):
        book.title(sheet, report.decision_text(e), 6, row, small=True)
        row += 1
    for name, note in report.notes(who):
        book.title(sheet, f"{name}的评语：{note}", 6, row, small=True)
        row += 1
    return book.save(path)
