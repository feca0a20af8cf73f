"""answers.json：几个程序一起写不丢；断电、写不了、被改坏，都有话说，原来的内容不丢。"""

import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from crmlib.tasks import answers


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_no_file_yet():
    assert answers.read() == {}
    assert answers.record("2.2-1") == {}


def test_saved_record_merges_and_leaves_others_alone(folder):
    answers.save("2.2-1", {"answer": ["a"], "tries": 1})
    answers.save("2.2-2", {"answer": {"c01": "P"}})
    answers.save("2.2-1", {"answer": ["b"]})
    content = json.loads((folder / "answers.json").read_text("utf-8"))
    assert content["format"] == 1
    assert content["answers"]["2.2-2"]["answer"] == {"c01": "P"}
    record = content["answers"]["2.2-1"]
    assert (record["answer"], record["tries"]) == (["b"], 1)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", record["saved"])
    assert {p.name for p in folder.iterdir()} == {"answers.json", ".answers.lock"}  # 没有留下临时文件


def test_file_is_readable_by_people_and_by_notepad(folder):
    answers.save("2.2-1", {"answer": "选甲"})
    text = (folder / "answers.json").read_text("utf-8")
    assert "选甲" in text
    (folder / "answers.json").write_text(text, "utf-8-sig")
    assert answers.record("2.2-1")["answer"] == "选甲"


DAMAGED = [b"", b"{", b"null", b"[]", b'{"answers": 3}', b"\xff\xfe\x00", b"[" * 200_000,
           "{“answers”：{}}".encode()]


@pytest.mark.parametrize("content", DAMAGED, ids=range(len(DAMAGED)))
def test_damaged_file_is_set_aside_whole_and_told(folder, content):
    (folder / "answers.json").write_bytes(content)
    with pytest.raises(answers.Damaged):
        answers.read()
    notice = answers.save("2.2-1", {"answer": ["a"]})
    aside, = folder.glob("answers.损坏-*.json")
    assert aside.read_bytes() == content
    assert aside.name in notice
    assert answers.record("2.2-1")["answer"] == ["a"]
    assert answers.save("2.2-1", {"answer": ["b"]}) is None


def test_two_damaged_files_in_one_second_are_both_kept(folder):
    for content in ("一", "二", "三"):
        (folder / "answers.json").write_text(content, "utf-8")
        answers.mend()
    assert {p.read_text("utf-8") for p in folder.glob("answers.损坏-*.json")} == {"一", "二", "三"}


def test_mend_leaves_a_sound_file(folder):
    answers.save("2.2-1", {"answer": ["a"]})
    assert answers.mend() is None
    assert not list(folder.glob("answers.损坏*"))


def test_file_of_a_newer_course_is_refused_and_left_alone(folder):
    content = '{"format": 2, "answers": {}}'
    (folder / "answers.json").write_text(content)
    with pytest.raises(answers.SaveError, match="另一个版本"):
        answers.save("2.2-1", {"answer": ["a"]})
    assert (folder / "answers.json").read_text() == content


def test_record_that_is_no_record_is_kept_under_old():
    Path("answers.json").write_text('{"format": 1, "answers": {"2.2-1": "手改的"}}', "utf-8")
    assert answers.record("2.2-1") == {}
    answers.save("2.2-1", {"answer": ["a"]})
    assert answers.record("2.2-1")["old"] == ["手改的"]


def test_stale_record_moves_to_old():
    answers.save("2.2-1", {"answer": ["a"], "task": "x", "tries": 2})
    answers.save("2.2-1", {"answer": ["b"], "task": "y"}, stale=lambda old: old["task"] != "y")
    answers.save("2.2-1", {"answer": ["c"], "task": "z"}, stale=lambda old: old["task"] != "z")
    record = answers.record("2.2-1")
    assert (record["answer"], record["tries"]) == (["c"], 0)
    assert [old["answer"] for old in record["old"]] == [["a"], ["b"]]


def test_half_a_character_does_not_stop_saving():
    answers.save("2.2-1", {"answer": "好\ud800"})
    assert answers.record("2.2-1")["answer"] == "好?"


WRITER = """
import sys
from crmlib.tasks import answers
for n in range(40):
    answers.save(f"{sys.argv[1]}-{n}", {"answer": n})
    answers.save("shared", {sys.argv[1]: n})
"""


def test_two_processes_writing_at_once_lose_nothing(folder):
    running = [subprocess.Popen([sys.executable, "-c", WRITER, name], cwd=folder) for name in ("a", "b")]
    assert [process.wait() for process in running] == [0, 0]
    found = answers.read()
    assert {f"{name}-{n}" for name in "ab" for n in range(40)} < found.keys()
    assert (found["shared"]["a"], found["shared"]["b"]) == (39, 39)


def test_lock_left_by_a_killed_program_does_not_stop_anyone(folder):
    hold = ("import sys, time; from pathlib import Path; from crmlib.tasks import answers\n"
            "with answers._locked(Path('.')): print('held', flush=True); time.sleep(60)")
    killed = subprocess.Popen([sys.executable, "-c", hold], cwd=folder, stdout=subprocess.PIPE, text=True)
    assert killed.stdout.readline() == "held\n"
    killed.kill()
    killed.wait()
    killed.stdout.close()
    assert (folder / ".answers.lock").exists()
    answers.save("2.2-1", {"answer": ["a"]})


def test_lock_held_too_long_is_told(folder, monkeypatch):
    monkeypatch.setattr(answers, "_PATIENCE", 0.05)
    with answers._locked(folder), pytest.raises(answers.SaveError, match="占着"):
        answers.save("2.2-1", {"answer": ["a"]})


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="管理员什么都能写，试不出只读的文件夹")
def test_read_only_folder_is_told(folder):
    folder.chmod(0o555)
    try:
        with pytest.raises(answers.SaveError, match="不能写"):
            answers.save("2.2-1", {"answer": ["a"]})
    finally:
        folder.chmod(0o755)


@pytest.mark.parametrize(("code", "said"), [
    (errno.EACCES, "不能写"), (errno.EROFS, "不能写"), (errno.ENOSPC, "磁盘满了"), (errno.EIO, "没有存上")])
def test_failed_write_is_told_and_the_old_file_stays(folder, monkeypatch, code, said):
    answers.save("2.2-1", {"answer": ["a"]})
    before = (folder / "answers.json").read_bytes()

    def fail(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(answers.SaveError, match=said):
        answers.save("2.2-1", {"answer": ["b"]})
    assert (folder / "answers.json").read_bytes() == before
    assert not list(folder.glob(".answers-*"))


def test_file_that_cannot_be_read_is_not_treated_as_damaged(folder):
    (folder / "answers.json").mkdir()
    with pytest.raises(answers.SaveError, match="读不了"):
        answers.save("2.2-1", {"answer": ["a"]})
    assert (folder / "answers.json").is_dir()


def test_notes_of_boards_stand_beside_the_answers(folder):
    answers.save("2.2-1", {"answer": ["a"]})
    assert answers.jotted("4.3") is None
    answers.jot("4.3", [{"offers": []}])
    answers.save("2.2-1", {"answer": ["b"]})
    assert answers.jotted("4.3") == [{"offers": []}] and answers.record("2.2-1")["answer"] == ["b"]
