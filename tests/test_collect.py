"""收作业：Windows 机房里会收到的每一种东西，好的、改了名的、坏的、使坏的。"""

import csv
import json
import os
import shutil
import stat
import zipfile
from datetime import datetime, timedelta

import pytest
from fixtures.classroom import FULL, PARTLY, STUDENTS, UNIT, enrol, handed, released, work, zipped
from fixtures.marks import answer, form_of

from autograder.classroom import collect as collecting
from autograder.classroom.course import Classroom
from autograder.marks import cli as marks
from crmlib.cli import CourseError, main
from crmlib.handin import MOST_FILE, RECEIPT, inspect, pack


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    """A class that has released its assignment; copied for every test."""
    return released(tmp_path_factory)[1]


@pytest.fixture
def room(ready, tmp_path, monkeypatch):
    monkeypatch.setenv("CRM_COURSE", str(ready.root.parent))
    return Classroom(shutil.copytree(ready.root, tmp_path / "班"))


@pytest.fixture
def inbox(tmp_path):
    folder = tmp_path / "交来的"
    folder.mkdir()
    return folder


def collect(room, inbox, **options):
    """{file or folder: (state, student, notes)}"""
    found = collecting.collect(room, inbox, **options)
    return {o.item: (o.state, o.student, "；".join(o.notes)) for o in found}


def held(room, student="20260101", name="answers.json"):
    return room.folder("submitted", student, UNIT) / name


def everything(folder):
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*")}


def test_a_hand_in_zip_by_number_and_by_name(room, inbox, tmp_path):
    first = handed(work(room, tmp_path / "w1" / UNIT, FULL), "20260101")
    other = handed(work(room, tmp_path / "w2" / UNIT, PARTLY), "李四")
    shutil.move(first, inbox / "下载 (3).zip")  # 改了文件名，回执还在
    shutil.move(other, inbox / other.name)
    got = collect(room, inbox)
    assert got == {"下载 (3).zip": ("收下", "20260101 张三", ""), other.name: ("收下", "20260102 李四", "")}
    assert json.loads(held(room).read_text("utf-8"))["answers"]["1.1-g1"]["answer"] == FULL["1.1-g1"]
    assert room.students_in("submitted", UNIT) == ["20260101", "20260102"]
    with (room.root / "collected.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["学生"] for r in rows] == ["20260101 张三", "20260102 李四"]
    assert all(len(r["回执号"]) == 9 for r in rows)


@pytest.mark.parametrize("called", [
    "20260103-1.1.zip", "1.1 王小五.zip", "25物流1班王小五作业.zip", "王小五_1.1-know-your-customer (1).zip",
    "【王小五】.zip"])
def test_names_as_students_write_them(room, inbox, tmp_path, called):
    zipped(work(room, tmp_path / UNIT, FULL), inbox / called)
    assert collect(room, inbox)[called][:2] == ("收下", "20260103 王小五")


def test_folders_of_every_shape(room, inbox, tmp_path):
    work(room, inbox / "张三", FULL)  # 学生/笔记
    work(room, inbox / "20260102" / UNIT, FULL)  # 学生/作业/笔记
    (inbox / "20260103").mkdir()
    zipped(work(room, tmp_path / UNIT, FULL), inbox / "20260103" / "作业.zip")  # 学生/作业.zip
    work(room, inbox / "1.1" / "赵六" / "作业" / UNIT, FULL)  # 单元/学生/…
    got = {student: state for state, student, _ in collect(room, inbox).values()}
    assert got == dict.fromkeys(
        ["20260101 张三", "20260102 李四", "20260103 王小五", "20260104 赵六"], "收下")


def test_one_unit_with_everybodys_folders(room, inbox):
    for who in ("张三", "李四", "王小五"):
        work(room, inbox / "1.1 作业" / who, FULL)
    assert {student for _, student, _ in collect(room, inbox).values()} == {
        "20260101 张三", "20260102 李四", "20260103 王小五"}


def test_gbk_names_and_a_nested_zip(room, inbox, tmp_path):
    folder = work(room, tmp_path / UNIT, FULL)
    (folder / "截图.txt").write_text("图", "utf-8")
    plain = zipped(folder, tmp_path / "里面.zip", top="我的作业")
    raw = plain.read_bytes()
    for name in ("我的作业", "截图"):  # 老 Windows：GBK，不写 UTF-8 标志
        utf8, gbk = name.encode(), name.encode("gbk")
        raw = raw.replace(utf8, gbk + b"_" * (len(utf8) - len(gbk)))
    with zipfile.ZipFile(plain) as file:
        offsets = [i.header_offset for i in file.infolist() if i.flag_bits & 0x800]
    data = bytearray(raw)
    for at in offsets:
        data[at + 6:at + 8] = b"\0\0"
    at = data.find(b"PK\1\2")
    while at >= 0:
        data[at + 8:at + 10] = b"\0\0"
        at = data.find(b"PK\1\2", at + 4)
    with zipfile.ZipFile(inbox / "20260101-1.1.zip", "w") as outer:
        outer.writestr("压缩了两次.zip", bytes(data))
    assert collect(room, inbox)["20260101-1.1.zip"][0] == "收下"
    assert "截图__.txt" in everything(room.folder("submitted", "20260101", UNIT))


def test_the_latest_wins_and_the_older_is_kept(room, inbox, tmp_path):
    now = datetime.now()

    def hand_in(number, answers, hours):
        folder = work(room, tmp_path / str(number) / UNIT, answers)
        when = (now + timedelta(hours=hours)).timestamp()
        for path in folder.rglob("*"):
            os.utime(path, (when, when))
        zipped(folder, inbox / f"张三-1.1-{number}.zip")

    hand_in(1, PARTLY, -5)
    assert collect(room, inbox)["张三-1.1-1.zip"][0] == "收下"
    hand_in(2, FULL, -2)
    hand_in(3, {"1.1-g1": {}}, -9)
    got = collect(room, inbox)
    assert [got[f"张三-1.1-{n}.zip"][0] for n in (1, 2, 3)] == ["重复", "更新", "旧的"]
    assert json.loads(held(room).read_text("utf-8"))["answers"]["1.1-g1"]["answer"] == FULL["1.1-g1"]
    kept = sorted((room.root / "older" / UNIT / "20260101").glob("*/answers.json"))
    answers = [json.loads(p.read_text("utf-8"))["answers"]["1.1-g1"]["answer"] for p in kept]
    assert answers == [{}, PARTLY["1.1-g1"]]
    again = collect(room, inbox)
    assert {o[0] for o in again.values()} <= {"重复", "旧的"}, "再收一次，什么也不变"
    assert len(list((room.root / "older" / UNIT / "20260101").iterdir())) == 2


def test_a_time_in_the_future_counts_as_now(room, inbox, tmp_path):
    made = handed(work(room, tmp_path / UNIT, FULL), "20260101")
    folder = tmp_path / "x"
    with zipfile.ZipFile(made) as file:
        file.extractall(folder)
    receipt = json.loads((folder / UNIT / RECEIPT).read_text("utf-8"))
    receipt["time"] = "2099-01-01T00:00:00+08:00"
    (folder / UNIT / RECEIPT).write_text(json.dumps(receipt), "utf-8")
    zipped(folder / UNIT, inbox / "20260101.zip")
    assert "还没有到，按收到的时间算" in collect(room, inbox)["20260101.zip"][2]
    assert held(room, name="timestamp.txt").read_text().startswith(str(datetime.now().year))


def test_a_renamed_notebook_gets_its_name_back(room, inbox, tmp_path):
    folder = work(room, tmp_path / UNIT, FULL)
    (folder / f"{UNIT}.ipynb").rename(folder / "我的作业-最终版(2).ipynb")
    shutil.move(handed(folder, "张三"), inbox)
    got = collect(room, inbox)
    [(state, _, notes)] = got.values()
    assert state == "收下" and "笔记改过名，叫“我的作业-最终版(2).ipynb”" in notes and "对不上" not in notes
    assert held(room, name=f"{UNIT}.ipynb").is_file()


def test_without_a_notebook_the_answers_still_come_in(room, inbox, tmp_path):
    folder = work(room, tmp_path / "张三", FULL)
    (folder / f"{UNIT}.ipynb").unlink()
    shutil.move(folder, inbox / "张三")
    assert "没有笔记" in collect(room, inbox)["张三"][2]
    assert held(room).is_file()


def test_someone_elses_package_under_my_name(room, inbox, tmp_path):
    made = handed(work(room, tmp_path / UNIT, FULL), "20260101")
    shutil.copy(made, inbox / "李四-1.1.zip")
    [(state, _, notes)] = collect(room, inbox).values()
    assert state == "没收" and "不是一个人" in notes and "20260101" in notes
    assert not (room.root / "submitted").exists()


def test_changed_after_packing_is_told(room, inbox, tmp_path):
    made = handed(work(room, tmp_path / UNIT, PARTLY), "20260101")
    with zipfile.ZipFile(made) as file:
        file.extractall(tmp_path / "x")
    folder = tmp_path / "x" / UNIT
    changed = '{"format": 1, "answers": {"1.1-g1": {"answer": {"k1": "c"}}}}'
    (folder / "answers.json").write_text(changed, "utf-8")
    zipped(folder, inbox / "20260101.zip")
    assert "打包以后又改过" in collect(room, inbox)["20260101.zip"][2]


def test_several_assignments_or_two_copies_in_one(room, inbox, tmp_path):
    folder = tmp_path / "20260101"
    old = work(room, folder / "旧" / UNIT, PARTLY)
    work(room, folder / "新" / UNIT, FULL)
    for path in old.rglob("*"):
        os.utime(path, (1_700_000_000, 1_700_000_000))
    zipped(folder, inbox / "20260101.zip")
    state, _, notes = collect(room, inbox)["20260101.zip"]
    assert state == "收下" and "里面有两份" in notes
    assert json.loads(held(room).read_text("utf-8"))["answers"]["1.1-g1"]["answer"] == FULL["1.1-g1"]


@pytest.mark.parametrize(("called", "why"), [
    ("20269999-1.1.zip", "不在名单里"), ("作业.zip", "不在名单里"),
    ("张三和李四.zip", "可能是")])
def test_unknown_students_are_told_and_nothing_is_taken(room, inbox, tmp_path, called, why):
    zipped(work(room, tmp_path / UNIT, FULL), inbox / called)
    state, _, notes = collect(room, inbox)[called]
    assert state == "没收" and why in notes and not (room.root / "submitted").exists()


def test_new_students_when_asked(room, inbox, tmp_path):
    zipped(work(room, tmp_path / UNIT, FULL), inbox / "20269999-1.1.zip")
    assert collect(room, inbox, accept_new=True)["20269999-1.1.zip"][:2] == ("收下", "20269999")


def test_names_within_names(room, inbox, tmp_path):
    enrol(room, {"20260105": "张三丰"})
    zipped(work(room, tmp_path / "a" / UNIT, FULL), inbox / "物流班张三丰.zip")
    zipped(work(room, tmp_path / "b" / UNIT, FULL), inbox / "物流班张三作业.zip")
    got = collect(room, inbox)
    assert got["物流班张三丰.zip"][1] == "20260105 张三丰"
    assert got["物流班张三作业.zip"][1] == "20260101 张三"


# ---- 坏的、使坏的 ----

def hostile(target, entries):
    """A zip whose entries are (name or ZipInfo, content)."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in entries:
            packed.writestr(name, content)


def link(name):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(("name", "why"), [
    ("../../逃出去.txt", "想写到文件夹外面去"), ("..\\..\\逃出去.txt", "想写到文件夹外面去"),
    ("/tmp/逃出去.txt", "绝对路径"), ("C:\\Windows\\逃出去.txt", "绝对路径"),
    (link("逃出去.txt"), "是一个链接"), ("a/CON.txt", "Windows 上不能用"),
    ("a/x:y.txt", "Windows 上不能用"), ("a\nb/逃出去.txt", "Windows 上不能用")])
def test_nothing_gets_outside(room, inbox, tmp_path, name, why):
    folder = work(room, tmp_path / UNIT, FULL)
    entries = [(f"{UNIT}/{p.relative_to(folder).as_posix()}", p.read_bytes())
               for p in folder.rglob("*") if p.is_file()]
    hostile(inbox / "20260101.zip", [*entries, (name, "/etc/passwd")])
    before = everything(tmp_path) - everything(room.root)
    state, _, notes = collect(room, inbox)["20260101.zip"]
    assert state == "收下" and why in notes, notes
    assert held(room).is_file()
    assert not any("逃出去" in n for n in everything(room.root))
    outside = {n for n in everything(tmp_path) if not n.startswith("班")}
    assert outside == {n for n in before if not n.startswith("班")}


def test_bombs_and_big_attachments(room, inbox, tmp_path):
    folder = work(room, tmp_path / UNIT, FULL)
    entries = [(f"{UNIT}/{p.relative_to(folder).as_posix()}", p.read_bytes())
               for p in folder.rglob("*") if p.is_file()]
    hostile(inbox / "张三.zip", [(f"{UNIT}/录像.mp4", b"\0" * (MOST_FILE + 1)), *entries])
    hostile(inbox / "李四.zip", [(f"{n}.txt", "") for n in range(5001)])
    with zipfile.ZipFile(inbox / "王小五.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in entries:
            packed.writestr(name, content)
        for n in range(6):
            packed.writestr(f"{UNIT}/{n}.bin", b"\0" * (MOST_FILE // 2))
    got = collect(room, inbox)
    assert got["张三.zip"][0] == "收下" and "录像.mp4” 有 20 MB，太大，没有收" in got["张三.zip"][2]
    assert got["李四.zip"] == ("没收", "", "里面有 5001 个文件，太多，没有打开")
    assert got["王小五.zip"][0] == "收下" and "加起来超过了 50 MB" in got["王小五.zip"][2]
    assert held(room).is_file() and held(room, "20260103").is_file()


def test_a_200_mb_zip_is_told(room, inbox):
    with (inbox / "张三.zip").open("wb") as file:
        file.truncate(600_000_000)  # 空洞文件，不占磁盘
    with (inbox / "李四.zip").open("wb") as file:
        file.truncate(200_000_000)
    got = collect(room, inbox)
    assert "600 MB，太大" in got["张三.zip"][2] and "打不开" in got["李四.zip"][2]


def test_what_is_no_zip(room, inbox, tmp_path):
    (inbox / "张三.zip").write_bytes(b"PK\x03\x04 half a zip")
    (inbox / "李四.rar").write_bytes(b"Rar!")
    (inbox / "王小五.docx").write_bytes(b"doc")
    (inbox / "赵六").mkdir()
    (inbox / "赵六" / "作业.txt").write_text("我做完了", "utf-8")
    hostile(inbox / "空.zip", [])
    whole = zipped(work(room, tmp_path / UNIT, FULL), tmp_path / "a.zip").read_bytes()
    (inbox / "20260101.zip").write_bytes(whole[: len(whole) // 2])
    at = whole.find(b"answers.json") + 60
    spoilt = whole[:at] + bytes(b ^ 0xFF for b in whole[at:at + 40]) + whole[at + 40:]
    (inbox / "20260102.zip").write_bytes(spoilt)
    (inbox / ".DS_Store").write_bytes(b"")
    got = collect(room, inbox)
    assert {n: s for n, (s, _, _) in got.items()} == dict.fromkeys(
        ["张三.zip", "李四.rar", "王小五.docx", "赵六", "空.zip", "20260101.zip", "20260102.zip"], "没收")
    assert "只认 zip" in got["李四.rar"][2] and "里面没有作业" in got["赵六"][2]
    assert "没有传完" in got["20260101.zip"][2]
    assert not (room.root / "submitted").exists()


def test_a_password(room, inbox, tmp_path):
    path = zipped(work(room, tmp_path / UNIT, FULL), inbox / "张三.zip")
    data = bytearray(path.read_bytes())
    at = data.find(b"PK\1\2")
    data[at + 8] |= 1
    path.write_bytes(data)
    assert "有密码" in collect(room, inbox)["张三.zip"][2]


def test_links_in_a_folder_are_not_followed(room, inbox, tmp_path):
    secret = tmp_path / "秘密.txt"
    secret.write_text("别人的", "utf-8")
    folder = work(room, inbox / "张三", FULL)
    os.symlink(secret, folder / "链接.txt")
    os.symlink(tmp_path, inbox / "李四")
    got = collect(room, inbox)
    assert got["张三"][0] == "收下" and "是一个链接" in got["张三"][2]
    assert "是一个链接" in got["李四"][2]
    assert not held(room, name="链接.txt").exists()


def test_junk_in_the_files(room, inbox, tmp_path):
    """Whatever stands in notebook, answers or receipt, it is taken in or told; nobody else suffers."""
    bad = [b"", b"{", b"[1]", b'{"cells": 1}', b'{"cells": [1, {"metadata": []}]}', b"\xff\xfe\0",
           b"[" * 100_000]
    for n, content in enumerate(bad):
        folder = work(room, tmp_path / f"{n}" / UNIT, FULL)
        (folder / f"{UNIT}.ipynb").write_bytes(content)
        (folder / "answers.json").write_bytes(content)
        (folder / RECEIPT).write_bytes(content)
        (folder / "timestamp.txt").write_text("1999-01-01 00:00:00 UTC")
        zipped(folder, inbox / f"新人{n}.zip")
    zipped(work(room, tmp_path / "ok" / UNIT, FULL), inbox / "张三.zip")
    got = collect(room, inbox, accept_new=True)
    assert {s for s, _, _ in got.values()} == {"收下"}
    assert not held(room, "新人0", "timestamp.txt").read_text().startswith("1999"), "时间不由学生写"


def test_clear_errors(room, inbox, tmp_path, capsys):
    for folder, why in ((tmp_path / "没有", "没有"), (inbox, "没有可以收的"), (room.root, "班级文件夹自己")):
        with pytest.raises(CourseError, match=why):
            collecting.collect(room, folder)
    assert main(["class", "collect", "--course", str(room.root)]) == 1
    assert "写明到哪个文件夹去收" in capsys.readouterr().err


def test_the_command_names_the_faulty_ones(room, inbox, tmp_path, capsys):
    zipped(work(room, tmp_path / UNIT, FULL), inbox / "张三.zip")
    (inbox / "李四.rar").write_bytes(b"Rar!")
    assert main(["class", "collect", str(inbox), "--course", str(room.root), "--unit", "1.1"]) == 1
    out = capsys.readouterr().out
    assert "[FAIL] 李四.rar（不知道是谁的）没收：是 .rar 格式" in out
    assert "新收下 1 份，没有收 1 件" in out


def test_without_a_list_the_receipt_is_believed_and_a_foreign_name_told(room, inbox, tmp_path):
    (room.root / "gradebook.db").unlink()
    made = handed(work(room, tmp_path / UNIT, FULL), "张三")
    shutil.copy(made, inbox / "吴十-1.1.zip")
    shutil.copy(made, inbox)
    got = collect(room, inbox)
    assert got[f"张三-{UNIT}.zip"] == ("重复", "张三", "")
    assert got["吴十-1.1.zip"] == ("收下", "张三", "按回执算 张三 的；文件名写的是“吴十”")


def test_forms_for_peer_marks_come_in_the_same_way(room, inbox, tmp_path, capsys):
    """Packed by the student like an assignment, collected with the others, then read by ``peers read``."""
    here = ["--course", str(room.root)]
    names = tmp_path / "名单.csv"
    names.write_text("学号,姓名,班级,小组\n" + "".join(
        f"{s},{n},物流2601,一组\n" for s, n in STUDENTS.items()), "utf-8-sig")
    marks.roster_main([str(names), *here])
    marks.marks(["--scheme", "kd", "--by", "王老师", "--until", "2027-01-15", *here])
    marks.peers_main(["new", "期末", "--due", "2027-01-10", "--kinds", "self,peer_within", *here])
    a, b, c, _ = STUDENTS
    for who in (a, b):
        place, tasks = form_of(room.root, who)
        look = inspect(answer(place, {t: {r["id"]: (30, 25, 25) for r in task["rows"]}
                                      for t, task in tasks.items()}))
        assert look.lines() == ["[OK] 文件齐全，每道题都答了。"], "没有评分格，也不说少了"
        shutil.move(pack(look, who)[0], inbox)
    foreign = answer(shutil.copytree(form_of(room.root, c)[0], tmp_path / "互评-期末"), {})
    forged = json.loads((foreign / "tasks" / "rate.json").read_text("utf-8"))
    for n, name in enumerate(("../../../越界", "互评-../../越界", "互评-期末")):
        (foreign / "tasks" / "rate.json").write_text(json.dumps(forged | {"assignment": name}), "utf-8")
        zipped(foreign, inbox / f"{a if n == 2 else c}-{n}.zip")
    capsys.readouterr()
    collecting.report(found := collecting.collect(room, inbox))
    assert "收齐了，运行 crm class peers read" in capsys.readouterr().out
    assert [o.state for o in found] == ["没收", "收下", "收下", "没收", "没收"], found
    assert f"里面是 {c} 的互评表" in found[0].notes[0]
    assert not list(tmp_path.rglob("越界*"))
    marks.peers_main(["read", *here])
    assert "来自 2 名学生" in capsys.readouterr().out
