"""``crm doctor``: one line per check, with a remedy where something is wrong."""

import errno
import json
import shutil
import socket
import sys
from types import SimpleNamespace

import pytest

from crmlib import doctor, install, paths
from crmlib.doctor import FAIL, NOTE, OK


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A small sound course folder that the doctor looks at."""
    monkeypatch.setenv("CRM_COURSE", str(tmp_path))
    monkeypatch.setattr(doctor, "installed_set", lambda: "student")
    (tmp_path / "requirements.lock").write_text(
        "packaging==" + doctor.version("packaging") + "\nabsent==1 ; sys_platform == 'plan9'\n")
    shutil.copy(paths.Path(doctor.__file__).parent.parent / "pyproject.toml", tmp_path)
    (tmp_path / "notebooks" / "2").mkdir(parents=True)
    (tmp_path / "notebooks" / "2" / "a.ipynb").touch()
    (tmp_path / "notebooks" / "course.json").write_text(
        json.dumps({"modules": [{"units": [{"path": "2/a.ipynb"}]}]}))
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "dictionary.toml").write_text('[orders]\nname = "订单"\n', encoding="utf-8")
    (tmp_path / "datasets" / "orders.csv").touch()
    return tmp_path


def finding(check):
    found = doctor.examine(check)
    assert "\n" not in str(found)
    assert found.remedy or found.level == OK or "未知" in found.text
    return found


def test_every_line_has_a_mark_and_the_end_says_what_to_do(capsys):
    code = doctor.main([])
    _, *lines, last = capsys.readouterr().out.splitlines()
    assert len(lines) == len(doctor.CHECKS)
    assert all(line.startswith(("[OK] ", "[注意] ", "[FAIL] ")) for line in lines)
    assert code == any(line.startswith("[FAIL]") for line in lines)
    assert "上课" in last or "要修" in last


def test_one_failure_fails_the_whole(monkeypatch, capsys):
    def broken():
        """坏的一项"""
        raise ValueError("出了怪事")

    monkeypatch.setattr(doctor, "CHECKS", [doctor.disk, broken])
    assert doctor.main([]) == 1
    assert "[FAIL] 坏的一项：没查成（ValueError: 出了怪事）" in capsys.readouterr().out


def test_packages_of_a_sound_course(course):
    assert finding(doctor.packages) == (OK, "软件包：1 个，版本都和 requirements.lock 一致", "")


@pytest.mark.parametrize("lock, words", [
    ("absent==1\n", "缺 1 个：absent"),
    ("packaging==1.0\n", "1 个版本不对：packaging"),
])
def test_packages_that_differ_from_the_lock(course, lock, words):
    (course / "requirements.lock").write_text(lock)
    found = finding(doctor.packages)
    assert found.level == FAIL and words in found.text


def test_the_lock_of_the_installed_set_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert doctor.installed_set() == "student"
    (tmp_path / "crm-installed.json").write_text('{"set": "teacher"}')
    assert doctor.installed_set() == "teacher"
    (tmp_path / "crm-installed.json").write_text("{")
    assert doctor.installed_set() == "student"


def test_a_package_that_cannot_be_imported(monkeypatch):
    monkeypatch.setitem(sys.modules, "zmq", None)
    found = finding(doctor.imports)
    assert found.level == FAIL and "zmq" in found.text


def test_python_of_32_bits(monkeypatch):
    monkeypatch.setattr(doctor.sys, "maxsize", 2**31 - 1)
    assert finding(doctor.python).level == FAIL


def test_fonts(monkeypatch, tmp_path):
    assert finding(doctor.font).level == OK
    monkeypatch.setattr("crmlib.style.FONTS", tmp_path)
    assert finding(doctor.font).level == FAIL
    (tmp_path / "broken.ttf").write_bytes(b"not a font")
    assert finding(doctor.font).level == FAIL


def test_data(course):
    assert finding(doctor.data) == (OK, "课程数据：1 张表都在", "")
    (course / "datasets" / "orders.csv").unlink()
    assert "orders.csv" in finding(doctor.data).text
    (course / "datasets" / "dictionary.toml").write_text("[[")
    assert finding(doctor.data).level == FAIL
    (course / "datasets" / "dictionary.toml").unlink()
    assert finding(doctor.data).level == FAIL


def test_course_map(course):
    assert finding(doctor.course_map) == (OK, "课程地图：1 课", "")
    (course / "notebooks" / "2" / "a.ipynb").unlink()
    assert "2/a.ipynb" in finding(doctor.course_map).text
    for text in ("{", "[]", "{}"):
        (course / "notebooks" / "course.json").write_text(text)
        assert "损坏" in finding(doctor.course_map).text
    (course / "notebooks" / "course.json").unlink()
    assert "不在" in finding(doctor.course_map).text


def test_settings(course, tmp_path, monkeypatch):
    prefix = tmp_path / "prefix"
    monkeypatch.setattr(sys, "prefix", str(prefix))
    (course / "pyproject.toml").write_text(
        '[tool.hatch.build.targets.wheel.shared-data]\n"a.json" = "share/a.json"\n"more" = "share/more"\n')
    (course / "more").mkdir()
    for name in ("a.json", "more/b.js"):
        (course / name).write_text("1")
    assert finding(doctor.settings).level == FAIL
    (prefix / "share" / "more").mkdir(parents=True)
    for name in ("a.json", "more/b.js"):
        shutil.copy(course / name, prefix / "share" / name)
    assert finding(doctor.settings).level == OK
    (course / "more" / "b.js").write_text("2")
    assert finding(doctor.settings).level == NOTE


def test_writing(course, monkeypatch):
    assert finding(doctor.writing).level == OK
    assert list((course / "notebooks").iterdir()) != []

    def refuse(dir):
        raise OSError(errno.EACCES, "Permission denied", str(dir))

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    assert finding(doctor.writing).level == FAIL


@pytest.mark.parametrize("free, level", [(0.01, FAIL), (0.5, NOTE), (50, OK)])
def test_disk(monkeypatch, free, level):
    usage = SimpleNamespace(free=free * install.GIGABYTE)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: usage)
    assert finding(doctor.disk).level == level


def test_memory(monkeypatch):
    assert "GB" in finding(doctor.memory).text
    little = SimpleNamespace(total=4 * install.GIGABYTE, available=install.GIGABYTE / 4)
    monkeypatch.setattr("psutil.virtual_memory", lambda: little)
    assert finding(doctor.memory).level == NOTE
    monkeypatch.setitem(sys.modules, "psutil", None)
    assert finding(doctor.memory) == (NOTE, "内存：未知", "")


def test_a_taken_port_is_only_a_note(monkeypatch):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setattr(doctor, "PORT", other.getsockname()[1])
        assert finding(doctor.address).level == NOTE
    monkeypatch.setattr(doctor, "PORT", 0)
    assert finding(doctor.address).level == OK


def test_an_address_that_cannot_be_reached(monkeypatch):
    def refuse(*args, **options):
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(doctor, "PORT", 0)
    monkeypatch.setattr(doctor.socket, "create_connection", refuse)
    assert finding(doctor.address).level == FAIL


def test_no_browser_is_only_a_note(monkeypatch):
    import webbrowser

    def none():
        raise webbrowser.Error("could not locate runnable browser")

    monkeypatch.setattr(webbrowser, "get", none)
    assert finding(doctor.browser).level == NOTE
