"""名单：学校导出的表，各种样子都读得进来；读不了的，说清哪一行哪一列。"""

import csv
import io

import openpyxl
import pytest
from fixtures.marks import Class

from autograder.marks import roster, sheets
from crmlib.cli import CourseError

ROWS = [
    ["学号", "姓名", "班级", "小组"],
    ["0240101", "李晓明", "物流1班", "甲"],
    ["0240102", "王芳", "物流1班", "乙"],
]
WANT = [("0240101", "李晓明", "物流1班", "甲"), ("0240102", "王芳", "物流1班", "乙")]


def listed(path, **options):
    return [tuple(s.values()) for s in roster.read(path, **options)]


def comma(path, rows, encoding, delimiter=","):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def book(path, rows, merge=(), formats=None):
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    for area in merge:
        made.active.merge_cells(area)
    for place, look in (formats or {}).items():
        made.active[place].number_format = look
    made.save(path)
    return path


@pytest.mark.parametrize(("encoding", "mark"), [
    ("gbk", ","), ("utf-8-sig", ","), ("utf-8", ","), ("utf-16", "\t"), ("gb18030", ";")])
def test_text_lists_of_every_encoding(tmp_path, encoding, mark):
    assert listed(comma(tmp_path / "名单.csv", ROWS, encoding, mark)) == WANT


def test_a_list_as_schools_export_it(tmp_path):
    """Title rows, a wide merged header, full-width digits, spaces in names, group merged down, a footer."""
    rows = [
        ["昆山某校 2026 秋学生名单"],
        ["打印时间：2026-09-01"],
        [],
        ["基本信息", None, None, "分组", "备注"],
        ["学　号*", "姓 名", "行政班", "组别（必填）", "备注"],
        ["０２４０１０１", "李晓明", "物流1班", "甲", None],
        ["0240102", "王　芳", "物流1班", None, "团员"],
        [None] * 5,
        ["学号", "姓名", "行政班", "组别", "备注"],
        ["0240103", "阿依努尔·买买提", "物流1班", "乙", None],
        ["合计 3 人"],
        ["制表人：教务处"],
    ]
    path = book(tmp_path / "名单.xlsx", rows, ["A1:E1", "A4:C4", "D6:D7"])
    assert listed(path) == [("0240101", "李晓明", "物流1班", "甲"), ("0240102", "王芳", "物流1班", "甲"),
                            ("0240103", "阿依努尔·买买提", "物流1班", "乙")]
    two = [["物流客户关系管理名单"], ["班级：物流2401"], ["学号", "姓名"], ["001", "张三"]]
    assert listed(book(tmp_path / "二.xlsx", two)) == [("001", "张三", "物流2401", None)]
    tall = [["学号", "姓名", "成绩", None], [None, None, "平时", "期末"], ["001", "张三", 80, 90]]
    assert listed(book(tmp_path / "三.xlsx", tall, ["A1:A2", "B1:B2", "C1:D1"]))[0][:2] == ("001", "张三")


def test_ids_that_lost_their_zeros(tmp_path):
    numbers = [["学号", "姓名"], [240101, "李晓明"], [1240102, "王芳"]]
    path = book(tmp_path / "名单.xlsx", numbers)
    with pytest.raises(CourseError, match=r"第 2 行 A 列（学号）：240101 比别人的短.*--width 7"):
        listed(path)
    assert listed(path, width=7)[0][0] == "0240101"
    shown = book(tmp_path / "样式.xlsx", numbers, formats={"A2": "0000000"})
    assert listed(shown)[0][0] == "0240101", "单元格自己写着要 7 位"
    assert listed(path, known={"0240101": 1})[0][0] == "0240101", "名单里已经有它"


@pytest.mark.parametrize(("rows", "said"), [
    ([["学号", "姓名"], ["01", "张三"], ["01", "李四"]], "第 3 行 A 列（学号）：01 在第 2 行已经有了"),
    ([["学号", "姓名"], ["01", None]], "第 2 行 B 列（姓名）：学号 01 没有姓名"),
    ([["学号", "姓名"], [None, "张三"]], "第 2 行 A 列（学号）：张三 没有学号"),
    ([["学号", "姓名"], ["../../etc", "张三"]], "不像学号"),
    ([["学号", "姓名"], [2.0240101e18, "张三"]], "超过 15 位|科学计数法"),
    ([["学号", "姓名"], ["2.02E+15", "张三"]], "科学计数法"),
    ([["学号", "姓名"], ["=A9&1", "张三"]], "第 2 行 A 列（学号）：这里是公式，文件里没有存算好的数"),
    ([["学号", "姓名"]], "一个学生也没有"),
    ([["编码", "名称"], ["01", "张三"]], "没有找到表头“学号”“姓名”"),
    ([["学号", "名称"], ["01", "张三"]], "少了“姓名”这一列"),
    ([], "没有找到表头"),
])
def test_what_is_wrong_is_named_with_row_and_column(tmp_path, rows, said):
    with pytest.raises(CourseError, match=said):
        listed(book(tmp_path / "名单.xlsx", rows))


def test_files_that_are_no_lists(tmp_path):
    for name, content, said in [
        ("旧.xls", b"\xd0\xcf\x11\xe0xxxx", "另存为 .xlsx"),
        ("密.xlsx", b"\xd0\xcf\x11\xe0xxxx", "密码"),
        ("坏.xlsx", b"PK\x03\x04xxx", "打不开"),
        ("空.csv", b"", "没有找到表头"),
        ("图.csv", bytes(range(256)) * 9, "编码|表头"),
    ]:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CourseError, match=said):
            listed(tmp_path / name)
    with pytest.raises(CourseError, match="读不了"):
        listed(tmp_path / "没有.xlsx")


def test_formulas_are_read_as_their_values_and_macros_not_at_all(tmp_path):
    """A saved formula has its value beside it; openpyxl cannot write one, so the file is made by hand."""
    import zipfile

    path = book(tmp_path / "名单.xlsx", [["学号", "姓名"], ["X1", "张三"]])
    with zipfile.ZipFile(path) as old:
        parts = {n: old.read(n) for n in old.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"].decode()
    cell = sheet[sheet.index('<c r="A2"'):]
    cell = cell[: cell.index("</c>") + 4]
    parts["xl/worksheets/sheet1.xml"] = sheet.replace(
        cell, '<c r="A2" t="str"><f>CONCATENATE("0","7")</f><v>07</v></c>').encode()
    parts["xl/vbaProject.bin"] = b"macro"
    with zipfile.ZipFile(tmp_path / "宏.xlsm", "w") as new:
        for name, content in parts.items():
            new.writestr(name, content)
    assert listed(tmp_path / "宏.xlsm") == [("07", "张三", "", None)]


def test_a_bomb_and_a_giant_are_refused(tmp_path, monkeypatch):
    path = book(tmp_path / "名单.xlsx", ROWS)
    monkeypatch.setattr(sheets, "_BIGGEST", 100)
    with pytest.raises(CourseError, match="太大了"):
        listed(path)
    monkeypatch.undo()
    monkeypatch.setattr(sheets, "_MOST_ROWS", 2)
    with pytest.raises(CourseError, match="3 行 4 列，太大了"):
        listed(path)


def test_reading_again_adds_only_what_changed(tmp_path, capsys):
    klass = Class(tmp_path / "班", capsys)
    assert "还是空的" in klass.roster()
    book(tmp_path / "名单.xlsx", ROWS)
    assert "2 名学生；新来或改了 2 人，分组变了 2 人" in klass.roster(
        tmp_path / "名单.xlsx", "--date", "2026-9-1"
    )
    assert "新来或改了 0 人，分组变了 0 人" in klass.roster(tmp_path / "名单.xlsx")
    book(
        tmp_path / "名单.xlsx",
        [ROWS[0], ["0240101", "李晓明", "物流1班", "乙"], ["0240103", "张伟", "物流1班", "乙"]],
    )
    said = klass.roster(tmp_path / "名单.xlsx", "--date", "2026-10-1")
    assert "新来或改了 1 人，分组变了 2 人" in said and "没有：0240102 王芳。没有删" in said
    state = klass.state()
    assert state.students["0240101"].groups == [("2026-09-01", "物流1班 甲"), ("2026-10-01", "物流1班 乙")]
    assert state.groups("2026-09-30") == {"物流1班 乙": ["0240102"], "物流1班 甲": ["0240101"]}
    klass.roster("move", "王芳", "甲", "--date", "2026-11-01")
    klass.roster("leave", "0240103", "--date", "2026-12-01", "--reason", "转专业")
    state = klass.state()
    assert state.students["0240102"].group("2026-11-02") == "物流1班 甲"
    assert [s.id for s in state.present] == ["0240101", "0240102"]
    assert "转专业" in klass.marks("log", "0240103") and "2026-12-01 退出" in klass.roster()
    with pytest.raises(CourseError, match="名单里没有“张三”"):
        klass.roster("move", "张三", "甲")
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{klass.folder / 'gradebook.db'}") as nb:
        assert nb.find_student("0240101").first_name == "李晓明", "formgrader 也看得到名字"
