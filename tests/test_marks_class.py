"""一个班从开学到成绩单：方案、打分表、考勤、五种缺分、决定、提示、报告。"""

import datetime
import json
import re
import shutil
from fractions import Fraction

import openpyxl
import pytest
from fixtures.marks import AFTER, DUE, PROJECT, START, Class, fill, hand_in, ids

from autograder.marks import cli
from autograder.marks.facts import Facts
from crmlib.cli import CourseError

A, B, C, D = ids()[:4]
UNITS = ("2.2-swot-pest", "3.1-find")


def mark_of(klass, who, today=AFTER):
    with klass.open() as found:
        return Facts(found.state, today).mark(who)


def states(klass, who, today=AFTER):
    return {(p.component, i.name): i.state for p, i in mark_of(klass, who, today).open}


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    """kd: scheme, roster, nbgrader scores, templates; B has not handed in the second unit."""
    klass = Class(tmp_path_factory.mktemp("班") / "kd")
    klass.marks("--scheme", "kd", "--by", "王老师", "--until", "2027-01-15", "--date", START)
    klass.roll()
    shutil.copytree(PROJECT / "assignments" / "source", klass.folder / "source")
    tasks = klass.folder / "source" / UNITS[0] / "tasks" / "2.2.json"
    content = json.loads(tasks.read_text("utf-8"))
    content["tasks"][0]["covers"] += ["kd-G-a"]
    tasks.write_text(json.dumps(content), "utf-8")
    klass.nbgrader({UNITS[0]: dict.fromkeys(ids(), 16)}, cell="t-2-2-g1")
    klass.nbgrader({UNITS[1]: {who: 18 for who in ids() if who != B}})
    klass.marks("items", "kd-A1", *UNITS, "--due", "2026-12-20", "--by", "王老师")
    klass.marks("items", "kd-A7", UNITS[0])
    klass.marks("pull")
    klass.marks("template")
    return klass


@pytest.fixture
def klass(ready, tmp_path, capsys):
    shutil.copytree(ready.folder, tmp_path / "kd")
    copy = Class.__new__(Class)
    copy.folder, copy.capsys = tmp_path / "kd", capsys
    capsys.readouterr()
    return copy


def table(klass, part):
    [path] = (klass.folder / "打分表").glob(f"打分-{part}-*.xlsx")
    return path


def everything(klass, skip=()):
    """Every mark that kd wants, from every source."""
    for part, points in (
        ("kd-A2", [27, 36, 27]),
        ("kd-A5", [30, 30, 18]),
        ("kd-A6", [70]),
        ("kd-A8", [32, 25, 25]),
    ):
        path = table(klass, part)
        klass.marks("read", fill(path, {who: points for who in ids() if (part, who) not in skip}))
    klass.marks("attendance", attendance(klass, []), "--by", "王老师")
    klass.marks("attendance", "--close", "--by", "王老师", "--date", "2027-01-14")
    klass.peers("new", "期末", "--due", DUE, "--date", "2026-12-20", "--seed", "秋")
    for who in ids():
        if ("forms", who) not in skip:
            hand_in(klass, who, (34, 26, 25))
    klass.peers("read")


def attendance(klass, rows, points=(5, 2, 2, 10)):
    book = openpyxl.load_workbook(klass.folder / "打分表" / "考勤.xlsx")
    for n, (day, who, event, times) in enumerate(rows, 4):
        for column, value in ((1, day), (2, who), (4, event), (5, times)):
            book["考勤"].cell(n, column).value = value
    for n, value in enumerate(points, 4):
        book["扣分表"].cell(n, 2).value = value
    path = klass.folder / "考勤.xlsx"
    book.save(path)
    return path


def test_the_scheme_is_fixed_once(klass):
    first = klass.state().scheme.version
    assert "没有变" in klass.marks("--scheme", "kd", "--by", "王老师")
    with pytest.raises(CourseError, match=r"学期中不改.*--new-version --reason"):
        klass.marks("--scheme", "kd", "--by", "王老师", "--places", "1")
    with pytest.raises(CourseError, match="写原因"):
        klass.marks("--scheme", "kd", "--by", "王老师", "--places", "1", "--new-version")
    klass.marks(
        "--scheme", "kd", "--by", "王老师", "--places", "1", "--new-version", "--reason", "教务处要求"
    )
    state = klass.state()
    assert [e.scheme for e in state.versions] == [first, state.scheme.version] and state.scheme.places == 1
    with pytest.raises(CourseError, match="加上 --by 姓名"):
        klass.marks("--scheme", "wl")
    with pytest.raises(CourseError, match="没有“数学”这个方案"):
        klass.marks("--scheme", "数学", "--by", "王老师")


def test_before_and_after_the_due_date(klass):
    """Five states; nothing turns into a zero by itself."""
    before, after = states(klass, B, "2026-12-01"), states(klass, B)
    assert set(before.values()) == {"not_due"} and ("kd-A1", UNITS[1]) in before
    assert after["kd-A1", UNITS[1]] == "due" and after["kd-A9", ""] == after["kd-A2", ""] == "rater"
    assert states(klass, A).get(("kd-A1", UNITS[1])) is None
    known = mark_of(klass, A).component("kd-A1")
    assert known == (5, Fraction("4.25"), Fraction("4.25")), "两次作业 80% 和 90% 的平均"
    low, high = mark_of(klass, B).component("kd-A1")[1:]
    assert (low, high) == (2, Fraction("4.5"))


def test_decisions_are_recorded_and_can_be_voided(klass):
    act = (
        "kd-A1",
        "--item",
        UNITS[1],
        "--by",
        "王老师",
        "--reason",
        "三次提醒没有交",
        "--date",
        "2027-01-16",
    )
    klass.marks("decide", "excuse", B, *act)
    assert states(klass, B)["kd-A1", UNITS[1]] == "excused"
    said = klass.marks("decide", "zero", B, *act)
    assert "确认零分" in said and mark_of(klass, B).component("kd-A1")[1:] == (2, 2)
    number = re.search(r"^(\d+)　.*决定：确认零分", klass.marks("log", B), re.M)[1]
    klass.marks("void", number, "--by", "王老师", "--reason", "他交了纸质的")
    assert states(klass, B)["kd-A1", UNITS[1]] == "excused" and "已作废" in klass.marks("log", B)
    klass.marks("decide", "reweight", B, *act)
    assert mark_of(klass, B).component("kd-A1")[1:] == (4, 4), "另一次作业顶上"
    klass.nbgrader({UNITS[1]: {B: 10}})
    assert "取到 1 个" in klass.marks("pull")
    for words, said in [
        (("zero", A, "kd-A1", "--by", "王", "--reason", "x"), "已经有分了"),
        (("zero", B, "kd-A2", "--by", "王"), "为什么"), (("zero", B, "kd-A2", "--reason", "x"), "是谁定的"),
        (("zero", B, "kd-A4", "--kind", "self", "--by", "王", "--reason", "x"), "由组内互评评"),
        (("zero", B, "kd-A1", "--item", "x", "--by", "王", "--reason", "x"), "没有“x”"),
        (("zero", "没有", "kd-A1"), "名单里没有"), (("zero", B, "kd-Z"), "没有分项“kd-Z”"),
        (("pardon", B, "kd-A1"), "zero|excuse|reweight"), (("reweight", B, "kd-A1"), "是谁定的"),
    ]:
        with pytest.raises(CourseError, match=re.escape(said)):
            klass.marks("decide", *words)
    for words in (("99999", "--by", "王", "--reason", "x"), ("1", "--by", "王", "--reason", "x"), ("x",)):
        with pytest.raises(CourseError):
            klass.marks("void", *words)


def test_the_mark_tables_check_what_is_typed(klass):
    path = table(klass, "kd-A2")
    book = openpyxl.load_workbook(path)
    assert [c.value for c in book["打分"][3]][4:7] == ["主动（0–30）", "说得对（0–40）", "说得清（0–30）"]
    assert book["打分"].protection.sheet and not book["打分"]["E4"].protection.locked
    assert book["打分"]["A4"].protection.locked and len(book["打分"].data_validations.dataValidation) == 4
    fill(path, {A: [31, 40, 30], B: [10, None, 30], C: {"备注": "病", "情况": "请假", "主动": 3},
                D: {"情况": "确认零分"}}, by="王老师")
    with pytest.raises(CourseError) as found:
        klass.marks("read", path)
    said = str(found.value)
    for words in ("第 4 行 E 列（主动）：“31”不行，要写 0 到 30 的数", "第 5 行 F 列（说得对）：还没有填",
                  "第 7 行 J 列（情况）", "备注里还没有写原因"):
        assert words in said, said
    assert not klass.state().ratings, "有一处不对，整张不收"
    clean = {A: [30, 40, 30], B: ["２５", "30.5", 20], C: {"备注": "住院，期末补", "情况": "请假"}}
    shutil.copy(table(klass, "kd-A8"), klass.folder / "x.xlsx")
    path.unlink()
    klass.marks("template", "kd-A2")
    fill(path, clean, by="")
    with pytest.raises(CourseError, match="“评分人”还没有填"):
        klass.marks("read", path)
    assert "记下 2 个分、1 个决定" in klass.marks("read", path, "--by", "王老师")
    assert "记下 0 个分" in klass.marks("read", path, "--by", "王老师")
    assert klass.state().ratings["kd-A2", "teacher", ""][B]["王老师"].mark == "75.5"
    assert states(klass, C)["kd-A2", ""] == "excused"
    assert "住院，期末补" in [e.detail.get("reason") for e in klass.state().decisions[C]]


def test_a_teachers_own_table(klass):
    """学号 as numbers, a formula with no saved value, a stranger, a wrong name."""
    book = openpyxl.Workbook()
    for row in (["学号", "姓名", "成绩"], [int(A), "李晓明", 88], [int(B), "张三", 70], ["999", "赵六", 60],
                [C, None, "=80+8"], [D, None, "优"]):
        book.active.append(row)
    path = klass.folder / "我的表.xlsx"
    book.save(path)
    with pytest.raises(CourseError, match="看不出是哪一项的分"):
        klass.marks("read", path)
    with pytest.raises(CourseError) as found:
        klass.marks("read", path, "--part", "期末理论", "--by", "王老师")
    for words in (
        f"{B} 是王芳，这一行写的是“张三”",
        "名单里没有学号 999",
        "第 5 行 C 列（得分）：是公式",
        "“优”不行",
    ):
        assert words in str(found.value)
    for row in (6, 5, 4, 3):
        book.active.delete_rows(row)
    book.save(path)
    assert "记下 1 个分" in klass.marks("read", path, "--part", "期末理论", "--by", "王老师")
    for part, words in (("kd-A4", "不由教师评"), ("kd-A9", "不由教师评"), ("x", "没有分项")):
        with pytest.raises(CourseError, match=words):
            klass.marks("read", path, "--part", part, "--by", "王老师")
    with pytest.raises(CourseError, match="要由学生自己的评价表来"):
        klass.marks("read", path, "--part", "kd-A9", "--kind", "self", "--by", "王老师")


def test_attendance_needs_the_schools_table(klass):
    path = attendance(
        klass,
        [("2026-10-12", A, "迟到", 2), (datetime.date(2026, 10, 13), int(B), "缺课", None)],
        points=(),
    )
    assert "扣分表还没有填" in klass.marks("attendance", path, "--by", "王老师")
    klass.marks("attendance", "--close", "--by", "王老师")
    assert states(klass, A)["kd-A3", ""] == "rater"
    path = attendance(
        klass, [("2026-10-12", A, "迟到", 2), ("2026-10-13", B, "缺课", 30)], points=(-5, 2, 2, 10)
    )
    assert "新记 29 次。扣分表记下了" in klass.marks("attendance", path, "--by", "王老师"), "记过的不重复记"
    for who, points in ((A, 96), (B, 0), (C, 100)):
        assert mark_of(klass, who).component("kd-A3")[1] == Fraction(points, 10)
    with pytest.raises(CourseError, match="“早恋”不在扣分表里"):
        klass.marks("attendance", attendance(klass, [("2026-10-12", A, "早恋", 1)]), "--by", "王老师")
    with pytest.raises(CourseError, match="不是日期"):
        klass.marks("attendance", attendance(klass, [("国庆后", A, "迟到", 1)]), "--by", "王老师")


def test_machine_marks_only_where_they_may(klass):
    for part in ("kd-A2", "kd-A8", "kd-A3"):
        with pytest.raises(CourseError, match="要由人评"):
            klass.marks("items", part, UNITS[0])
    with pytest.raises(CourseError, match=r"没有作业“2\.2”"):
        klass.marks("items", "kd-A5", "2.2")
    entry = klass.state().machine[UNITS[0]][A]
    assert entry.mark == "16/20" and entry.detail["attempt"] == 1 and "crm-course" in entry.detail["checker"]
    klass.nbgrader({UNITS[0]: {A: 12}}, waiting=(A,), cell="t-2-2-g1")
    klass.marks("pull")
    [item] = [i for p, i in mark_of(klass, A).open if i.name == UNITS[0] and p.component == "kd-A7"]
    assert item.state == "rater" and "等老师评分" in item.said


def test_the_whole_term(klass):
    everything(klass, skip={("kd-A8", D), ("forms", C)})
    marks = {who: mark_of(klass, who) for who in ids()}
    expected = (
        Fraction(5) * Fraction("0.85")
        + Fraction("4.5")
        + 10
        + Fraction("12.75")
        + Fraction("23.4")
        + 7
        + 4
        + Fraction("8.2")
        + Fraction("8.5")
    )
    assert marks[A].final == expected == Fraction("82.6")
    assert [i.state for _, i in marks[D].open] == ["rater"] and marks[C].open
    said = klass.marks("issue", "--by", "王老师", "--today", AFTER)
    assert "定下 9 人的总分；还有 3 人有没定的项" in said
    assert klass.state().issued[A].mark == "83" and D not in klass.state().issued
    assert "定下 0 人" in klass.marks("issue", "--by", "王老师", "--today", AFTER)
    klass.marks("read", fill(table(klass, "kd-A8"), {A: [10, 10, 10]}))
    with klass.open() as found:
        from autograder.marks.signals import signals

        kinds = {(s.kind, s.who) for s in signals(found.state, Facts(found.state, AFTER).marks())}
    assert ("定了以后又变", A) in kinds and ("还没交评价表", "期末") in kinds and ("互评全一样", B) in kinds


def test_signals_change_nothing(klass):
    everything(klass)
    klass.marks("read", fill(table(klass, "kd-A5"), {key: [20, 20, 10] for key in ids()}))
    before = {who: mark_of(klass, who).final for who in ids()}
    for who in ids()[:4]:
        hand_in(klass, who, (40, 30, 30))
    klass.peers("read")
    with klass.open() as found:
        from autograder.marks.signals import inflation, signals

        marks = Facts(found.state, AFTER).marks()
        text = "\n".join(s.text for s in signals(found.state, marks))
        assert inflation(found.state) == "自评占 10 分：自己多打 20 分，总分多 2 分。"
    assert "物流2401 第1组 在“小组合作”（期末）里互相打的 12 个分全是满分" in text
    assert "“学生”自评 100" in text and "在总分里是" in text
    assert marks[A].final == before[A] + Fraction("2.25") + Fraction("1.5"), "互评 15 分、自评 10 分，照样算"


@pytest.fixture(scope="module")
def reported(ready, tmp_path_factory):
    folder = tmp_path_factory.mktemp("报告") / "kd"
    shutil.copytree(ready.folder, folder)
    klass = Class.__new__(Class)
    klass.folder, klass.capsys = folder, None
    everything(klass, skip={("kd-A8", D)})
    klass.marks(
        "decide",
        "reweight",
        D,
        "kd-A8",
        "--by",
        "王老师",
        "--reason",
        "<b>借调</b>",
        "--date",
        "2027-01-16",
    )
    klass.marks("comment", D, "入仓盘点做得稳。", "--by", "周师傅", "--kind", "企业")
    klass.marks("report", "--today", AFTER, "--out", folder / "成绩表")
    return klass, folder / "成绩表" / AFTER


def test_the_class_report(reported):
    _klass, out = reported
    page = (out / "全班-给老师.html").read_text("utf-8")
    for words in (
        "82.6",
        "自己多打 20 分，总分多 2 分",
        "值得看一眼（只给老师）",
        "互评全一样",
        "四舍五入到整数",
        "没有企业一行",
        "这个方案不设：组间互评、企业",
        "&lt;b&gt;借调&lt;/b&gt;",
        "标准条目",
    ):
        assert words in page, words
    assert "<b>借调" not in page and "<script" not in page and "http" not in page
    assert page.index(A) < page.index(ids()[11]), "按学号，不按分数"
    book = openpyxl.load_workbook(out / "全班-给老师.xlsx")
    assert book.sheetnames == ["总表", "明细", "决定", "提示", "单元掌握", "标准条目", "方案"]
    row = next(r for r in book["总表"].iter_rows(values_only=True) if r[0] == A)
    assert row[-3:] == (82.6, 83, None) and row[0] == A and book["单元掌握"]["C3"].value == 80
    items = [r[0] for r in book["标准条目"].iter_rows(min_row=3, values_only=True)]
    assert items == ["kd-G-a"], "只有这份标准的条目"
    assert not any(c.data_type == "f" for sheet in book for r in sheet.iter_rows() for c in r)


def test_a_students_own_page_has_nobody_else_in_it(reported):
    klass, out = reported
    state = klass.state()
    for who in ids():
        page = (out / "学生" / who / f"成绩单-{who}.html").read_text("utf-8")
        book = openpyxl.load_workbook(out / "学生" / who / f"成绩单-{who}.xlsx")
        text = page + json.dumps([[str(c) for c in r] for r in book.active.iter_rows(values_only=True)],
                                 ensure_ascii=False)
        assert state.students[who].name in text
        for other in ids():
            if other != who:
                assert other not in text and state.students[other].name not in text
        for word in ("互评全一样", "名次", "排名", "值得看一眼"):
            assert word not in text
        assert "3 人评，这是平均分" in page
    page = (out / "学生" / D / f"成绩单-{D}.html").read_text("utf-8")
    assert "重新分配权重：教师（教师）。王老师，2027-01-16" in page and "入仓盘点做得稳。" in page


def test_reports_never_overwrite(reported):
    klass, out = reported
    klass.marks("report", A, "--today", AFTER, "--out", out.parent)
    assert (out.parent / f"{AFTER}-2" / "学生" / A).is_dir() and len(list(out.parent.iterdir())) == 2


def test_a_schools_own_scheme(tmp_path, capsys):
    klass = Class(tmp_path / "js", capsys)
    with pytest.raises(CourseError, match=r"没有印权重，要学校自己定.*marks form js"):
        klass.marks("--scheme", "js", "--by", "王老师")
    klass.marks("form", "js")
    path = klass.folder / "方案-js.xlsx"
    with pytest.raises(CourseError, match="还没有填"):
        klass.marks("--scheme", path, "--by", "王老师")
    book = openpyxl.load_workbook(path)
    sheet, note = book["方案"], book["说明"]
    rows = {r[1].value: r[0].row for r in sheet.iter_rows(min_row=4) if r[1].value}
    assert list(rows) == ["考勤", "学习态度", "学生作业", "平时测验", "实验实训"]
    assert all(sheet.cell(r, c).value is None for r in rows.values() for c in range(4, 10)), (
        "一个数也没有预填"
    )

    def put(weights, splits):
        for row, weight, split in zip(rows.values(), weights, splits, strict=True):
            sheet.cell(row, 4).value = weight
            for column, value in zip(range(5, 10), split, strict=True):
                sheet.cell(row, column).value = value
        book.save(path)

    teacher = (100, None, None, None, None)
    put((10, 10, 20, 20, 30), [teacher] * 5)
    with pytest.raises(CourseError, match="还没有填“学校”“方案名称”“定的人”“日期”"):
        klass.marks("--scheme", path, "--by", "王老师")
    for row, value in zip((3, 4, 5, 6), ("昆山某校", "2026 方案", "李主任", "2026-08-30"), strict=True):
        note.cell(row, 2).value = value
    book.save(path)
    with pytest.raises(CourseError, match="权重加起来是 90，要等于 100"):
        klass.marks("--scheme", path, "--by", "王老师")
    put(
        (10, 10, 20, 20, 40),
        [teacher, (50, 20, 30, None, None), teacher, teacher, (60, None, None, 30, None)],
    )
    with pytest.raises(CourseError, match="实验实训：各评价人的份额加起来是 90%"):
        klass.marks("--scheme", path, "--by", "王老师")
    put(
        (10, 10, 20, 20, 40),
        [teacher, (50, 20, 30, None, None), teacher, teacher, (60, None, None, 40, None)],
    )
    said = klass.marks("--scheme", path, "--by", "王老师")
    assert "学校方案，不是课程标准（js）的原文" in said and "没有权重" in said
    points = klass.state().scheme.kind_points()
    assert points == {"teacher": 79, "self": 2, "peer_within": 3, "peer_between": 16}
    klass.roll(4)
    assert "学校方案" in (klass.marks("report", "--today", AFTER) and
                      (klass.folder / "成绩表" / AFTER / "全班-给老师.html").read_text("utf-8"))


def test_a_variant_of_a_printed_scheme(tmp_path, capsys):
    from autograder.marks import school

    path = tmp_path / "方案.toml"
    text = ('standard = "kd"\nschool = "昆山某校"\ntitle = "校企方案"\nby = "李主任"\ndate = "2026-08-30"\n'
            '[[components]]\nid = "kd-A1"\nname = "作业"\ngroup = "过程"\nweight = 40\nsplit = {teacher = '
            '1}\n'
            '[[components]]\nname = "期末"\ngroup = "结果"\nweight = 60\nsplit = {teacher = 0.7, enterprise '
            '= 0.3}\n')
    path.write_text(text, "utf-8")
    scheme = school.read(path, PROJECT)
    assert scheme.variant == "学校方案，不是课程标准（kd）的原文" and scheme.kind_points()["enterprise"] == 18
    for old, new, said in (
        ("0.3", "0.2", "加起来是 90%"),
        ("weight = 60", "", "weight"),
        ("enterprise", "boss", "boss"),
        ('"kd"\n', '"xx"\n', "js、kd、wl、sw"),
        ("split", "=", "TOML"),
    ):
        path.write_text(text.replace(old, new, 1), "utf-8")
        with pytest.raises(CourseError, match=said):
            school.read(path, PROJECT)
    same = school.form("kd", PROJECT, tmp_path / "kd.xlsx")
    book = openpyxl.load_workbook(same)
    for row in (3, 4, 5, 6):
        book["说明"].cell(row, 2).value = "2026-08-30"
    book.save(same)
    assert not school.read(same, PROJECT).variant, "填得和标准一样，就是标准"
    school.form("sw", PROJECT, tmp_path / "sw.xlsx")
    with pytest.raises(CourseError, match="没有“xx”这份标准"):
        school.form("xx", PROJECT, tmp_path / "xx.xlsx")


@pytest.mark.parametrize(
    "words",
    [
        ("marks", "--nonsense"),
        ("marks", "dance"),
        ("marks", "read"),
        ("marks", "read", "没有.xlsx"),
        ("marks", "issue"),
        ("marks", "items", "kd-A1"),
        ("marks", "export"),
        ("marks", "--today", "明天"),
        ("marks", "template", "kd-A9"),
        ("marks", "--scheme", "kd", "--by", "王", "--peer", "x"),
        ("peers", "new"),
        ("peers", "dance"),
        ("peers", "new", "x", "--each", "0"),
        ("peers", "new", "x", "--kinds", "boss"),
        ("roster", "没有.xlsx"),
        ("roster", "move", "x"),
        ("roster", "leave", "x"),
        ("roster", "a", "b"),
        ("marks", "form"),
    ],
)
def test_wrong_commands_say_what_is_right(klass, words):
    name, *rest = words
    with pytest.raises(CourseError) as found:
        getattr(klass, name)(*rest)
    assert len(str(found.value)) > 8


def test_names_are_never_formulas_or_markup(tmp_path, capsys):
    klass = Class(tmp_path / "班", capsys)
    klass.marks("--scheme", "kd", "--by", "=HYPERLINK(1)")
    (klass.folder / "名单.csv").write_text(
        "学号,姓名,班级,小组\n001,=1+1,<b>班</b>,@组\n002,<script>x</script>,<b>班</b>,@组\n", "utf-8")
    klass.roster(klass.folder / "名单.csv")
    klass.marks("template")
    klass.peers("new", "期末")
    klass.marks("report", "--today", AFTER)
    for path in klass.folder.rglob("*.xlsx"):
        cells = [c for sheet in openpyxl.load_workbook(path) for row in sheet.iter_rows() for c in row]
        assert all(str(c.value).startswith("=IF(COUNT(") for c in cells if c.data_type == "f"), path.name
    for path in [*klass.folder.rglob("*.html"), *klass.folder.rglob("*.ipynb")]:
        assert "<script" not in path.read_text("utf-8") and "<b>班" not in path.read_text("utf-8")


def test_help_and_an_empty_class(tmp_path, capsys):
    klass = Class(tmp_path / "空", capsys)
    assert "还没有定考核方案" in klass.marks() and "还是空的" in klass.roster()
    klass.marks("--scheme", "wl", "--by", "王老师")
    assert "名单还是空的" in klass.marks() and "还没有发过" in klass.peers()
    klass.marks("report", "--today", AFTER)
    assert "名单还是空的" in (klass.folder / "成绩表" / AFTER / "全班-给老师.html").read_text("utf-8")
    for main, text in (
        (cli.marks, "--scheme kd"),
        (cli.roster_main, "名单.xlsx"),
        (cli.peers_main, "repair"),
    ):
        assert main(["--help"]) == 0 and text in capsys.readouterr().out
    klass.roster("template", "--out", tmp_path)
    assert openpyxl.load_workbook(tmp_path / "名单.xlsx").active["A3"].value == "学号"
