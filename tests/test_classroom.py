"""一个班走一遍：建班、发、交、收、查、批、看进度、反馈、报告、雷同。"""

import io
import json
import shutil
import zipfile

import pytest
from fixtures.classroom import FULL, PARTLY, STUDENTS, UNIT, course, fill, handed, released, work
from fixtures.course import edit
from openpyxl import load_workbook

from autograder.classroom import cli, doctor, feedback, new, report, similar, status
from autograder.classroom import collect as collecting
from autograder.classroom.course import Classroom, find
from autograder.classroom.release import release
from autograder.engine.cli import main as grade
from crmlib.cli import CourseError, main


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return released(tmp_path_factory)[0]


def _copy(root, target) -> Classroom:
    return Classroom(shutil.copytree(root / "物流2601班", target))


@pytest.fixture(scope="module")
def whole(root, tmp_path_factory):
    """A class with three submissions, graded by the engine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRM_COURSE", str(root))
        room = _copy(root, tmp_path_factory.mktemp("class") / "班")
        inbox, desk = tmp_path_factory.mktemp("inbox"), tmp_path_factory.mktemp("desk")

        def lose_test(nb):
            nb["cells"] = [c for c in nb["cells"]
                           if c["metadata"].get("nbgrader", {}).get("grade_id") != "t-1-1-g3"]

        for student, answers, change in (("20260101", FULL, None), ("20260102", PARTLY, lose_test)):
            shutil.move(handed(work(room, desk / student / UNIT, answers, change=change), student), inbox)
        shutil.move(handed(work(room, desk / "x" / UNIT, PARTLY, "total = 30\nmean = 15"), "20260103"), inbox)
        collecting.collect(room, inbox)
        assert grade([UNIT, "--course", str(room.root)]) in (0, 1)
        return room


@pytest.fixture
def room(whole, root, tmp_path, monkeypatch):
    monkeypatch.setenv("CRM_COURSE", str(root))
    return Classroom(shutil.copytree(whole.root, tmp_path / "班"))


@pytest.fixture
def crm(room, capsys):
    """crm("status") → (exit code, what it said)."""
    def run(*argv):
        code = main(["class", *argv, "--course", str(room.root)])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


# ---- 命令 ----

def test_the_help_names_every_command_in_chinese(capsys):
    assert main(["class"]) == 0
    lines = [line.split(None, 1) for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    told = dict(lines)
    assert {"new", "release", "collect", "doctor", "grade", "status", "feedback", "report",
            "similar"} <= told.keys()
    for text in told.values():
        assert any("\u4e00" <= c <= "\u9fff" for c in text) and "缺" not in text, told
    order = [name for name, _ in lines]
    assert order.index("new") < order.index("release") < order.index("collect") < order.index("grade")


def test_a_wrong_command_is_told(capsys):
    assert main(["class", "relase"]) == 2
    assert "没有“relase”这个命令。可用的命令：" in capsys.readouterr().err


def test_a_missing_package_is_told(monkeypatch, capsys):
    class Entry:
        def load(self):
            raise ModuleNotFoundError("No module named 'nbgrader'", name="nbgrader")

    monkeypatch.setattr(cli, "commands", lambda group: {"grade": Entry()})
    assert main(["class", "grade", "2.2"]) == 1
    assert "“crm class grade”要用到 nbgrader" in capsys.readouterr().err
    assert main(["class"]) == 0
    assert "缺 nbgrader" in capsys.readouterr().out


# ---- 班级文件夹 ----

def test_a_new_class_is_an_nbgrader_course(room):
    inside = {p.name for p in room.root.iterdir()}
    assert {"nbgrader_config.py", "README.md", "class.json", "source"} <= inside
    readme = (room.root / "README.md").read_text("utf-8")
    assert "crm class release" in readme and "source/` 里有答案" in readme


def test_nothing_is_overwritten(root, tmp_path, monkeypatch):
    monkeypatch.setenv("CRM_COURSE", str(root))
    taken = tmp_path / "一班"
    taken.mkdir()
    assert new.make(taken, root).assignments == [UNIT], "空文件夹可以用"
    for folder, why in ((taken, "已经有了"), (tmp_path / "没有" / "班", "没有"),
                        (root / "assignments" / "班", "不能放在")):
        with pytest.raises(CourseError, match=why):
            new.make(folder, root)
    assert not list(tmp_path.glob(".班级-*")), "不留半成品"


def test_where_the_class_is(room, monkeypatch, tmp_path):
    monkeypatch.chdir(room.root / "release")
    assert find().root == room.root
    monkeypatch.chdir(tmp_path)
    assert find().root == room.root, "下面只有一个班"
    shutil.copytree(room.root, tmp_path / "二班")
    with pytest.raises(CourseError, match="2 个班级文件夹：二班、班"):
        find()
    monkeypatch.chdir(room.root.parent.parent)
    (tmp_path / "空").mkdir()
    with pytest.raises(CourseError, match="不是班级文件夹"):
        find(tmp_path / "空")


def test_a_broken_configuration_is_told(room, crm):
    (room.root / "nbgrader_config.py").write_text("c = get_config(\n", "utf-8")
    code, said = crm("status")
    assert code == 1 and "nbgrader_config.py 读不了" in said


# ---- 发 ----

def test_the_zip_to_hand_out(room):
    packed = room.folder("release", ".", UNIT).with_name(f"{UNIT}.zip")
    with zipfile.ZipFile(packed) as file:
        assert set(file.namelist()) == {f"{UNIT}/{UNIT}.ipynb", f"{UNIT}/tasks/1.1.json"}
        notebook = file.read(f"{UNIT}/{UNIT}.ipynb").decode()
    assert "crm.score" not in notebook and "crm.hand_in()" in notebook and "101 号" not in notebook
    before = packed.read_bytes()
    assert release(room, "1.1")[2] is False, "再发一次：不重新生成"
    assert packed.read_bytes() == before


def test_another_seed_or_changed_tasks_never_slip_in(room, root, tmp_path):
    with pytest.raises(CourseError, match="已经不带种子发过，不能再换数"):
        release(room, "1.1", "2026秋")
    with pytest.raises(CourseError, match=r"没有作业“9\.9”。现有：1\.1-know-your-customer"):
        release(room, "9.9")
    with pytest.raises(CourseError, match="不要空格"):
        release(room, "1.1", "a b")
    source = room.folder("source", ".", UNIT) / "tasks" / "1.1.json"
    edit(source, "分四张卡", "分五张卡")
    with pytest.raises(CourseError, match=r"题目后来改了.*--again"):
        release(room, "1.1")
    (source.parent.parent / "answers.json").write_text("{}", "utf-8")
    with pytest.raises(CourseError, match="是老师试做时留下的答案"):
        release(room, "1.1", again=True)


def test_a_seed_gives_other_numbers_and_stays(root, tmp_path, monkeypatch):
    monkeypatch.setenv("CRM_COURSE", str(root))
    room = new.make(tmp_path / "二班", root)
    seed = next(s for s in ("a", "b", "c", "d", "e") if "202 号" in _tasks_with(room, root, s))
    name, packed, fresh = release(room, "1.1", seed)
    assert (name, fresh) == (UNIT, True)
    with zipfile.ZipFile(packed) as file:
        assert "202 号" in file.read(f"{UNIT}/tasks/1.1.json").decode()
    assert room.read_record()["released"][UNIT]["seed"] == seed
    assert release(room, "1.1")[2] is False and release(room, "1.1", seed)[2] is False
    with pytest.raises(CourseError, match=f"已经用种子 {seed} 发过"):
        release(room, "1.1", "另一个")
    # 课程更新了也一样：发过的题不动
    assert "202 号" in (room.folder("source", ".", UNIT) / "tasks" / "1.1.json").read_text("utf-8")


def _tasks_with(room, root, seed) -> str:
    from autograder import units

    unit = units.load(root / "units" / UNIT, units.by_seed(seed))
    return json.dumps([t["prompt"] for t in unit.graded], ensure_ascii=False)


def test_a_seed_without_numbers_to_change_is_told(root, tmp_path, monkeypatch):
    plain = course(tmp_path / "课程")
    monkeypatch.setenv("CRM_COURSE", str(plain))
    with pytest.raises(CourseError, match="没有可以换的数"):
        release(new.make(tmp_path / "班", plain), "1.1", "2026秋")


# ---- 进度 ----

def test_status_by_name(crm):
    code, said = crm("status")
    assert code == 0
    assert "3 / 4  3     0       3           0" in said
    assert "没交（1 人）：20260104 赵六" in said and "写作题等老师评分（3 人）：20260101 张三" in said


def test_a_newer_submission_must_be_graded_again(room, crm):
    stamp = room.folder("submitted", "20260101", UNIT) / "timestamp.txt"
    stamp.write_text("2099-01-01 00:00:00.000000 UTC\n", "utf-8")
    assert "交了新的，要重批（1 人）：20260101 张三" in crm("status", "1.1")[1]


def test_before_anything_is_handed_in(root, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CRM_COURSE", str(root))
    room = new.make(tmp_path / "新班", root)
    place = ["--course", str(room.root)]
    assert main(["class", "status", *place]) == 0
    assert "还没有发过作业" in capsys.readouterr().out
    for command, why in (("doctor", "还没有人交"), ("feedback", "还没有批过"), ("report", "还没有批过"),
                         ("similar", "没有可以比的")):
        assert main(["class", command, "1.1", *place]) == 1
        assert why in capsys.readouterr().err


# ---- 医生 ----

def test_the_doctor_sees_what_grading_mends(room, crm):
    code, said = crm("doctor", "1.1")
    assert code == 0
    assert "[能修] 20260102 李四：格子 t-1-1-g3 被删掉了" in said and "查了 3 份，2 份完好" in said


def test_the_doctor_mends_a_copy_and_keeps_the_original(room, crm):
    folder = room.folder("submitted", "20260102", UNIT)
    before = (folder / f"{UNIT}.ipynb").read_bytes()
    code, said = crm("doctor", "1.1", "--repair")
    assert code == 0 and "[修好了] 20260102 李四：格子 t-1-1-g3" in said
    assert (folder / f"{UNIT}.ipynb.original").read_bytes() == before
    mended = json.loads((folder / f"{UNIT}.ipynb").read_text("utf-8"))
    assert "t-1-1-g3" in json.dumps(mended) and "crm.score" not in json.dumps(mended), "不带隐藏测试"
    assert "3 份完好" in crm("doctor", "1.1", "--repair")[1]
    assert (folder / f"{UNIT}.ipynb.original").read_bytes() == before, "原来的只留一份，不会被修过的盖掉"


@pytest.mark.parametrize(("damage", "why"), [
    (lambda f: (f / f"{UNIT}.ipynb").unlink(), "没有笔记"),
    (lambda f: (f / f"{UNIT}.ipynb").write_bytes(b'{"cells": ['), "打不开"),
    (lambda f: (f / f"{UNIT}.ipynb").write_bytes(b'{"a": 1}'), "不是 Jupyter 笔记"),
    (lambda f: (f / "answers.json").write_bytes(b'{"format": 1, "answ'), "损坏了"),
    (lambda f: (f / "answers.json").unlink(), "没有 answers.json"),
    (lambda f: (f / "answers.json").write_bytes(b'{"format": 1, "answers": {}}'), "一道卡片题也没有答"),
    (lambda f: (f / "answers.损坏-20261126.json").write_bytes(b"{"), "坏过一次"),
    (lambda f: edit(f / "tasks" / "1.1.json", "分四张卡", "分三张卡"), "别的班"),
    (lambda f: (f / "x.txt").symlink_to("/etc/hostname"), "是一个链接")])
def test_the_doctor_calls_the_teacher(room, damage, why):
    damage(room.folder("submitted", "20260101", UNIT))
    [health] = [h for h in doctor.examine(room, UNIT) if h.student == "20260101"]
    assert any(why in line for line in health.serious), health
    if "笔记" in why or why == "打不开":
        [health] = [h for h in doctor.examine(room, UNIT, mend=True) if h.student == "20260101"]
        assert json.loads((room.folder("submitted", "20260101", UNIT) / f"{UNIT}.ipynb").read_text("utf-8"))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gbk"])
def test_the_doctor_reads_odd_encodings(room, encoding):
    path = room.folder("submitted", "20260101", UNIT) / f"{UNIT}.ipynb"
    path.write_bytes(path.read_text("utf-8").replace("　", " ").encode(encoding, "ignore"))
    [health] = [h for h in doctor.examine(room, UNIT, mend=True) if h.student == "20260101"]
    assert not health.serious and json.loads(path.read_text("utf-8-sig"))


# ---- 反馈 ----

def test_feedback_for_each_student_and_only_where_marks_changed(room, monkeypatch):
    asked = []
    real = Classroom.nbgrader
    monkeypatch.setattr(Classroom, "nbgrader", lambda self, *c: asked.append(c) or real(self, *c))
    made, kept, waiting, lost = feedback.give_back(room, UNIT)
    assert (made, kept, len(waiting), lost) == (3, 0, 3, [])
    page = room.root / "return" / UNIT / "20260101 张三" / f"{UNIT}.html"
    assert "crm.score" not in page.read_text("utf-8")
    from nbgrader.api import Gradebook

    with Gradebook(room.db_url) as book:
        mark = book.find_grade("t-1-1-g4", UNIT, UNIT, "20260101")
        mark.manual_score, mark.needs_manual_grade = 7, False
        book.db.commit()
    made, kept, waiting, lost = feedback.give_back(room, UNIT, packed=True)
    assert (made, kept, len(waiting), lost) == (1, 2, 2, [])
    assert "得分 <strong>97</strong>" in page.parent.parent.parent.parent.joinpath(
        "feedback", "20260101", UNIT, f"{UNIT}.html").read_text("utf-8")
    with zipfile.ZipFile(page.parent.parent / f"20260101 张三-{UNIT}.zip") as file:
        assert file.namelist() == [f"{UNIT}.html"]
    assert len(asked) == 2
    assert feedback.give_back(room, UNIT)[:2] == (0, 3) and len(asked) == 2, "没有变，就不重做"


# ---- 报告 ----

def test_the_report_names_mistakes(room, crm):
    code, said = crm("report", "1.1")
    assert code == 0 and "3 人，平均得" in said
    page = (room.root / "reports" / f"{UNIT}.html").read_text("utf-8")
    for words in ("邻居当客户", "邻居和这家公司有来往吗？", "2 人", "只取了一个月",
                  "只有 3 人，区分度只供参考", "<svg"):
        assert words in page, words
    assert "张三" not in page and "http" not in page.replace("http://www.w3.org", "")
    book = load_workbook(room.root / "reports" / f"{UNIT}.xlsx")
    assert book.sheetnames == ["概况", "每题", "常见错误", "学生"]
    mistakes = {row[1]: row[4] for row in book["常见错误"].iter_rows(min_row=2, values_only=True)}
    assert mistakes == {"邻居当客户": "李四、王小五", "只取了一个月": "王小五"}
    rows = {row[0]: row for row in book["学生"].iter_rows(min_row=2, values_only=True)}
    assert rows["20260101"][1:6] == ("张三", 40, 20, 30, None)


def test_a_report_that_the_teacher_changed_is_kept(room, crm):
    crm("report", "1.1")
    path = room.root / "reports" / f"{UNIT}.xlsx"
    path.write_bytes(b"my notes")
    crm("report", "1.1")
    assert path.read_bytes() == b"my notes" and path.with_stem(f"{UNIT}-2").is_file()


def test_text_like_a_formula_stays_text(room):
    made = report.gather(room, UNIT)
    made.names["20260101"] = '=HYPERLINK("x")\x07'
    cell = load_workbook(io.BytesIO(report.workbook(made)))["学生"]["B2"]
    assert (cell.value, cell.data_type) == ('=HYPERLINK("x")', "s")


def question(own, rest, n_items=2):
    items = [report.Item(f"q{i}", f"题{i}", 1) for i in range(n_items)]
    found = [report.Student(str(k), {"q0": own[k], "q1": rest[k]}) for k in range(len(own))]
    return report.analyse(items, found)[0]


def test_items_that_do_not_discriminate():
    half = [0.0, 1.0] * 40
    rest = [k / 80 for k in range(80)]
    assert "不区分" in question(half, rest).verdict
    good = question([float(r > 0.5) for r in rest], rest)
    assert good.verdict == "" and good.link > 0.8 and good.gap == 1
    assert "反着来" in question([float(r < 0.5) for r in rest], rest).verdict
    assert "几乎人人都对" in question([1.0] * 40, rest[:40]).verdict
    assert "没有人做对" in question([0.0] * 40, rest[:40]).verdict
    assert "只有 10 人" in question(half[:10], rest[:10]).verdict
    unsure = question([*half[:24]], rest[:24])
    assert "还不够下结论" in unsure.verdict or "不区分" in unsure.verdict


# ---- 雷同 ----

def copying(rng, room, students=30):
    """Independent students, most of them with the common misconception, and one pair that copied."""
    cards, found, code = ["k1", "k2", "k3", "k4"], {}, {}
    for n in range(students):
        g1 = {c: rng.choice("cn") for c in cards}
        weight = f"0.{rng.randrange(10, 99)}"
        said = "".join(rng.sample([chr(0x4E00 + k) for k in range(2000)], 50))
        found[f"s{n:02}"] = {"1.1-g1": g1, "1.1-g4": said,
                             "1.1-g2": {"r1": {"who": "厂家", "weight": weight}}}
        code[f"s{n:02}"] = (f"total = {rng.random()}\nmean = total / {n}", 0.0)
    found["s07"]["1.1-g4"] = found["s03"]["1.1-g4"][:45] + "我自己加了几个字。"
    code["s11"] = code["s12"] = ("best = first * 3 + second // 7\nfor k in range(4): best += k * second\n"
                                 "total = best if best else first\nmean = [total, best][0] / 2\n", 0.0)
    fill(room, UNIT, found, code=code)


def test_copied_text_and_code_are_found_and_nobody_else(root, tmp_path, monkeypatch):
    import random

    monkeypatch.setenv("CRM_COURSE", str(root))
    room = _copy(root, tmp_path / "班")
    copying(random.Random(5), room)
    pairs, _, count = similar.look(room, UNIT)
    assert count == 30
    assert {(p.a, p.b): [k for k, *_ in p.alike] for p in pairs} == {
        ("s03", "s07"): ["字句"], ("s11", "s12"): ["代码"]}
    page = similar.render(UNIT, pairs, similar.Roster({}), count)
    assert "给老师看，不自动处罚" in page and "不要投影" in page


def judged(students, cards=12):
    """Students with given wrong cards: {name: {card: wrong answer}}."""
    from crmlib.tasks import score_task

    key = {f"k{i}": "a" for i in range(cards)}
    task = {"id": "9.9-g1", "kind": "classify", "title": "分卡", "bins": {b: b for b in "abcdef"},
            "cards": {k: k for k in key}, "key": key, "points": 10}
    item = similar.Item("t", "分卡", 10, task)
    found = []
    for name, wrong in students.items():
        answer = {**key, **wrong}
        result = score_task(task, answer, final=True)
        found.append(similar.Student(name, {}, {"t": result}, {"9.9-g1": answer}))
    return similar.compare(found, [item])


def test_rare_errors_weigh_common_ones_do_not():
    import random

    rng = random.Random(1)
    common = {f"s{n:02}": {"k0": "b", "k1": "b", "k2": "b", f"k{rng.randrange(3, 12)}": rng.choice("bcdef")}
              for n in range(40)}
    assert judged(common) == [], "大家都犯的错，不说明什么"
    common["s05"] = common["s17"] = {"k4": "d", "k6": "f", "k8": "c", "k9": "e"}
    [pair] = judged(common)
    assert (pair.a, pair.b) == ("s05", "s17") and "4 处错得一样" in pair.alike[0][1]
    assert judged({"a": {}, "b": {}, "c": {}}) == [], "全对的人一样，是应该的"


def test_the_same_answers_file_in_two_hands():
    times = {f"1.1-g{n}": f"2026-11-23T19:0{n}:00" for n in range(3)}
    found = [similar.Student("a", seed="9f2c41d07be3", saved=times),
             similar.Student("b", seed="9f2c41d07be3", saved={**times}),
             similar.Student("c", seed="000000000000")]
    [pair] = similar.compare(found, [])
    assert [line for _, line, _ in pair.alike] == [
        "答案文件是同一份复制来的（抽题用的种子一样，各人的本来不会一样）", "有 3 题的保存时间一秒不差"]


def test_the_class_list_is_in_the_order_of_numbers(room):
    from autograder.classroom import database

    with database.opened(room) as book:
        assert status.Roster.read(book).names == STUDENTS
