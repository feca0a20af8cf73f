"""交作业：查出坏的、没答的，打成 zip；什么都不拦。"""

import errno
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from fixtures.course import UNIT, make

from autograder import build
from crmlib import handin
from crmlib.cli import CourseError, main

FULL = {"1.1-g1": {"k1": "c", "k2": "n", "k3": "c", "k4": "n"},
        "1.1-g2": {"r1": {"who": "厂家", "weight": "0.6"}, "r2": {"who": "商店", "weight": "0.4"}},
        "1.1-g4": "货收得好不好，影响下一次谁来付钱。"}


@pytest.fixture(scope="module")
def master(tmp_path_factory):
    """The student version, made as nbgrader makes it: hidden parts out, checksums in."""
    import nbformat
    from nbgrader.utils import compute_checksum, is_grade, is_locked, is_solution

    root = make(tmp_path_factory.mktemp("course"))
    build.write(root, build.outputs(root))
    folder = root / "assignments" / "source" / UNIT
    path = folder / f"{UNIT}.ipynb"
    nb = nbformat.read(path, 4)
    for cell in nb.cells:
        cell.source = build.HIDDEN.sub("", cell.source)
        if "nbgrader" in cell.metadata and (is_grade(cell) or is_solution(cell) or is_locked(cell)):
            cell.metadata.nbgrader["checksum"] = compute_checksum(cell)
    nbformat.write(nb, path)
    return folder


@pytest.fixture
def work(master, tmp_path):
    """work(answers, change) → an answered copy; ``change(cells by grade_id, nb)`` alters the notebook."""
    import shutil

    def make(answers=FULL, change=None, code="first, second = 12, 30\ntotal = 42\nmean = 21"):
        folder = tmp_path / "notebooks" / UNIT
        shutil.copytree(master, folder)
        if answers is not None:
            records = {task: {"answer": answer} for task, answer in answers.items()}
            (folder / "answers.json").write_text(json.dumps({"format": 1, "answers": records}), "utf-8")
        path = folder / f"{UNIT}.ipynb"
        nb = json.loads(path.read_text("utf-8"))
        cells = {c["metadata"]["nbgrader"]["grade_id"]: c for c in nb["cells"] if "nbgrader" in c["metadata"]}
        if code:
            cells["t-1-1-g3-code"]["source"] = code
        if change:
            change(cells, nb)
        path.write_text(json.dumps(nb), "utf-8")
        return folder

    return make


def test_right_work_has_nothing_to_tell(work):
    look = handin.inspect(work())
    assert (look.assignment, look.damage, look.open) == (UNIT, [], [])
    assert look.lines() == ["[OK] 文件齐全，每道题都答了。"]


def test_what_is_not_answered_is_named(work):
    look = handin.inspect(work({"1.1-g1": {"k1": "c"}, "1.1-g2": {"r1": {"who": "厂家", "weight": "很多"}},
                                "1.1-g4": "短"}, code=None))
    assert not look.damage and len(look.open) == 4
    told = "\n".join(look.open)
    for words in ("第 1.1-g1 题“分四张卡”：", "第 1.1-g2 题“写两条”：",
                  "第 1.1-g3 题“算总数”：total 的 ... 还没有换掉", "第 1.1-g4 题“说说理由”："):
        assert words in told, told


def test_an_answer_below_the_starter_counts(work):
    code = "first, second = 12, 30\ntotal = ...\nmean = ...\ntotal = 42  # 和\nmean = total / 2"
    assert handin.inspect(work(code=code)).open == []


def test_nothing_done_at_all(work):
    look = handin.inspect(work(None, code=None))
    assert "没有 answers.json" in look.damage[0] and len(look.open) == 4


DAMAGE = {
    "deleted": (lambda cells, nb: nb["cells"].remove(cells["t-1-1-g1"]), "第 1.1-g1 题的评分格不见了"),
    "code deleted": (lambda cells, nb: nb["cells"].remove(cells["t-1-1-g3-code"]),
                     "第 1.1-g3 题写代码的格子不见了"),
    "manual deleted": (lambda cells, nb: nb["cells"].remove(cells["t-1-1-g4"]),
                       "第 1.1-g4 题的评分说明不见了"),
    "copied": (lambda cells, nb: nb["cells"].append(cells["t-1-1-g1"]), "第 1.1-g1 题的评分格有 2 份"),
    "retyped": (lambda cells, nb: cells["t-1-1-g1"].update(cell_type="markdown"), "格子 t-1-1-g1 变了类型"),
    "edited": (lambda cells, nb: cells["t-1-1-g1"].update(source="pass"), "格子 t-1-1-g1 不是你该写的"),
    "points": (lambda cells, nb: cells["t-1-1-g1"]["metadata"]["nbgrader"].update(points=99), "内容改过了"),
    "no cells": (lambda cells, nb: nb.pop("cells"), "打不开，坏了"),
    "odd cells": (lambda cells, nb: nb.update(cells=[1, None, {"metadata": 3}]), "打不开，坏了")}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damaged_notebooks(work, kind):
    change, told = DAMAGE[kind]
    folder = work(change=change)
    assert any(told in line for line in handin.inspect(folder).damage)
    assert handin.pack(handin.inspect(folder), "张三")[0].is_file(), "坏了也能交"


def _rename(folder):
    (folder / f"{UNIT}.ipynb").rename(folder / "作业.ipynb")


@pytest.mark.parametrize(("damage", "told"), [
    (_rename, f"要叫 {UNIT}.ipynb。现在这里有：作业.ipynb"),
    (lambda f: (f / f"{UNIT}.ipynb").unlink(), "没有笔记"),
    (lambda f: (f / f"{UNIT} 副本.ipynb").write_text("{}"), "这里有 2 份笔记"),
    (lambda f: (f / f"{UNIT}.ipynb").write_bytes(b'{"cells": [{'), "打不开，坏了"),
    (lambda f: (f / f"{UNIT}.ipynb").write_bytes(b"[" * 100_000), "打不开，坏了"),
    (lambda f: (f / "answers.json").write_bytes(b'{"format": 1, "answe'), "损坏了，读不出来。先别删它"),
    (lambda f: (f / "answers.json").write_bytes(b'{"format": 9, "answers": {}}'), "另一个版本"),
    (lambda f: (f / "tasks" / "1.1.json").write_text("{"), "tasks 文件夹不在，或者坏了"),
    (lambda f: (f / "tasks" / "1.1.json").unlink(), "tasks 文件夹不在，或者坏了")])
def test_damaged_folders(work, damage, told):
    folder = work()
    damage(folder)
    look = handin.inspect(folder)
    assert any(told in line for line in look.damage), look
    path, code, _ = handin.pack(look, "20260101")
    assert len(code) == 9 and zipfile.ZipFile(path).testzip() is None


def test_hostile_answers_and_tasks_never_stop_it(work):
    folder = work({"1.1-g1": ["x" * 9], "1.1-g2": {"r1": {"who": 3}}, "1.1-g4": {"a": [[[[[[[1]]]]]]]}})
    content = json.loads((folder / "tasks" / "1.1.json").read_text("utf-8"))
    content["tasks"][1]["columns"] = 7
    (folder / "tasks" / "1.1.json").write_text(json.dumps(content), "utf-8")
    look = handin.inspect(folder)
    assert len(look.open) == 3 and any("没法检查" in line for line in look.open)


# ---- 打包 ----

def test_the_zip_holds_the_work_and_a_receipt(work):
    folder = work()
    (folder / "截图.png").write_bytes(b"png")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "x.ipynb").write_text("{}")
    (folder / "录像.mp4").write_bytes(b"\0" * (handin.MOST_FILE + 1))
    path, code, left_out = handin.pack(handin.inspect(folder), "20260101 张三")
    assert path == folder.parent / f"20260101 张三-{UNIT}.zip"
    assert left_out == ["录像.mp4 有 20 MB，太大，没有打进去。要交它，另外给老师。"]
    with zipfile.ZipFile(path) as file:
        names = {n.removeprefix(UNIT + "/") for n in file.namelist()}
        receipt = json.loads(file.read(f"{UNIT}/{handin.RECEIPT}"))
    assert names == {f"{UNIT}.ipynb", "answers.json", "tasks/1.1.json", "截图.png", handin.RECEIPT}
    assert receipt["code"] == code == handin.receipt_code(UNIT, "20260101 张三", receipt["files"])


def test_packing_again_keeps_the_earlier_zip(work):
    folder = work()
    first, code, _ = handin.pack(handin.inspect(folder), "张三")
    assert handin.pack(handin.inspect(folder), "张三")[:2] == (first, code), "没有改，就是同一个"
    before = first.read_bytes()
    (folder / "answers.json").write_text('{"format": 1, "answers": {}}', "utf-8")
    second, other, _ = handin.pack(handin.inspect(folder), "张三")
    assert second.name == f"张三-{UNIT}-2.zip" and other != code and first.read_bytes() == before
    (folder.parent / f"李四-{UNIT}.zip").write_bytes(b"something else")
    assert handin.pack(handin.inspect(folder), "李四")[0].name == f"李四-{UNIT}-2.zip"


@pytest.mark.parametrize(("who", "called"), [
    ("../../张三", "张三"), ("张 三", "张 三"), ("a/b:c*", "abc"), ("x" * 99, "x" * 40)])
def test_a_name_is_only_a_name(work, who, called):
    folder = work()
    assert handin.pack(handin.inspect(folder), who)[0] == folder.parent / f"{called}-{UNIT}.zip"


@pytest.mark.parametrize("who", ["", "  ", "../..", "\n"])
def test_without_a_name_nothing_is_packed(work, who):
    with pytest.raises(CourseError, match="还没有写你是谁"):
        handin.pack(handin.inspect(work()), who)


def test_a_full_disk_leaves_no_half_zip(work, monkeypatch):
    folder = work()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(CourseError, match=r"打包没有做完.*看看磁盘满没满"):
        handin.pack(handin.inspect(folder), "张三")
    assert not list(folder.parent.glob("*.zip"))


# ---- 命令 ----

def test_the_command(work, monkeypatch, capsys):
    folder = work({**FULL, "1.1-g4": ""})
    monkeypatch.setenv("CRM_COURSE", str(folder.parent.parent))
    monkeypatch.chdir(folder.parent.parent)
    for place in ([], ["1.1"], [str(folder)]):
        assert main(["hand-in", *place, "--as", "张三"]) == 0
        out = capsys.readouterr().out
        assert "有 1 题没有答好：\n  第 1.1-g4 题“说说理由”：还没有答" in out
        assert f"张三-{UNIT}.zip" in out and "回执号：" in out
    assert main(["hand-in"]) == 1, "没有终端可以问"
    assert "--as 学号或姓名" in capsys.readouterr().err
    for place, why in (("9.9", f"没有找到作业“9.9”（找到的：{UNIT}）"),
                       (str(folder / "tasks"), "里没有作业")):
        assert main(["hand-in", place, "--as", "x"]) == 1
        assert why in capsys.readouterr().err


def test_several_assignments_are_asked_about(work, monkeypatch, capsys):
    import shutil

    folder = work()
    monkeypatch.setenv("CRM_COURSE", str(folder.parent.parent))
    monkeypatch.chdir(folder.parent.parent)
    shutil.copytree(folder, folder.with_name("另一份"))
    assert main(["hand-in", "--as", "x"]) == 1
    assert "这里有几份作业，写明交哪一份：crm hand-in notebooks" in capsys.readouterr().err
    monkeypatch.chdir(folder)
    assert main(["hand-in", "--as", "x"]) == 0, "在哪份的文件夹里，就交哪份"


def test_it_needs_nothing_that_a_students_computer_lacks(work):
    """No nbgrader, nothing heavy: only the standard library and crmlib."""
    folder = work()
    code = ("import sys\nfor name in ('nbgrader', 'autograder', 'nbformat', 'pandas', 'anywidget'):\n"
            "    sys.modules[name] = None\nfrom crmlib.cli import main\n"
            f"sys.exit(main(['hand-in', {str(folder)!r}, '--as', '张三']))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8",
                          env={**os.environ, "PYTHONUTF8": "1"}, cwd=Path(__file__).parent.parent)
    assert done.returncode == 0 and "打包好了" in done.stdout, done.stderr


def test_the_panel_checks_and_packs(work, monkeypatch):
    folder = work({**FULL, "1.1-g4": ""})
    panel = handin._panel()(handin.inspect(folder))
    assert panel.look["open"] == ["第 1.1-g4 题“说说理由”：还没有答"] and panel.packed == {}
    panel._receive(None, {"do": "pack", "who": ""}, [])
    assert "还没有写你是谁" in panel.packed["trouble"]
    panel._receive(None, {"do": "pack", "who": "张三"}, [])
    assert panel.packed["name"] == f"张三-{UNIT}.zip" and len(panel.packed["code"]) == 9
    (folder / "answers.json").write_text(json.dumps({"format": 1, "answers": {}}), "utf-8")
    panel._receive(None, {"do": "look"}, [])
    assert len(panel.look["open"]) == 3


def test_outside_a_notebook_it_is_text(work, monkeypatch, capsys):
    monkeypatch.chdir(work())
    handin.hand_in()
    assert capsys.readouterr().out == "[OK] 文件齐全，每道题都答了。\n"
