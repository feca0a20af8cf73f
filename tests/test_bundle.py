"""``crm bundle``: the wheels for another system, and the list that ``start.py --offline`` checks."""

import hashlib
import json
import re
from types import SimpleNamespace

import pytest

from autograder import bundle
from crmlib import install, paths
from crmlib.cli import CourseError
from crmlib.install import Course

ROOT = paths.root()


def names(target, python, level="student"):
    return {n.partition("==")[0] for n, _ in bundle.needed(ROOT / install.LOCKS[level], target, python)}


def test_conditions_are_those_of_the_target_not_of_this_computer():
    windows, linux = names("windows", "3.12.0"), names("linux", "3.12.0")
    assert {"colorama", "pywinpty"} <= windows - linux
    assert {"pexpect", "ptyprocess"} <= linux - windows
    assert "appnope" in names("macos", "3.12.0")


def test_conditions_on_the_python_version():
    def numpy(python):
        lock = bundle.needed(ROOT / "requirements.lock", "windows", python)
        return [n for n, _ in lock if n.startswith("numpy==")]

    assert len(numpy("3.11.9")) == len(numpy("3.13.0")) == 1


@pytest.fixture
def course(tmp_path):
    """A course folder whose lock has a package for all, one for Windows, one by small Python version."""
    root = tmp_path / "course"
    root.mkdir()
    lock = "\n".join([
        entry("plain"), entry("winonly") + " ; sys_platform == 'win32'",
        entry("old") + " ; python_full_version < '3.11.5'",
        entry("new") + " ; python_full_version >= '3.11.5'",
    ])
    for name in install.LOCKS.values():
        (root / name).write_text(hashed(lock), encoding="utf-8")
    (root / "requirements-teacher.lock").write_text(hashed(lock + "\n" + entry("uv")), encoding="utf-8")
    return Course(root)


def entry(name):
    return f"{name}==1.0"


def hashed(lock):
    """The lock with the hash of each made-up wheel (its content is its own name)."""
    lines = []
    for line in lock.splitlines():
        sha256 = hashlib.sha256(line.partition("=")[0].encode()).hexdigest()
        lines.append(f"{line} --hash=sha256:{sha256}")
    return "\n".join(lines)


@pytest.fixture
def index(monkeypatch):
    """Stand-in for the package index: what was asked for, per full Python version."""
    asked = []

    def download(folder, target, full_version, wanted):
        asked.append((full_version, sorted(wanted)))
        for requirement in wanted:
            name = requirement.partition("==")[0]
            (folder / f"{name}-1.0-py3-none-any.whl").write_text(name)

    monkeypatch.setattr(bundle, "download", download)
    return asked


def test_a_bundle_holds_its_wheels_uv_pip_a_list_and_a_note(course, index, tmp_path):
    manifest = bundle.make_bundle(course, tmp_path, "windows", "3.12", "student")
    files = {f["name"].partition("-")[0] for f in manifest["files"]}
    assert files == {"plain", "winonly", "new", "uv", "pip"}
    assert json.loads((tmp_path / "bundle.json").read_text("utf-8")) == manifest
    assert (manifest["system"], manifest["python"]) == ("win32", "3.12")
    assert manifest["locks"] == {"student": install.digest(course.lock("student"))}
    note = (tmp_path / "说明.txt").read_bytes()
    assert note.startswith(b"\xef\xbb\xbf")  # Windows 记事本认得出 UTF-8
    assert "python start.py --offline" in note.decode("utf-8-sig")
    assert b"\n" not in note.replace(b"\r\n", b"")


def test_both_packages_of_a_small_version_condition_go_in(course, index, tmp_path):
    manifest = bundle.make_bundle(course, tmp_path, "linux", "3.11", "student")
    assert {f["name"].partition("-")[0] for f in manifest["files"]} == {"plain", "old", "new", "uv", "pip"}
    assert [version for version, _ in index] == ["3.11.99", "3.11.0", "3.11.99"]


def test_a_larger_set_serves_the_smaller_too(course, index, tmp_path):
    manifest = bundle.make_bundle(course, tmp_path, "linux", "3.12", "teacher")
    assert list(manifest["locks"]) == ["student", "teacher"]


def test_what_start_py_checks_is_what_the_bundle_says(course, index, tmp_path, monkeypatch):
    monkeypatch.setitem(bundle.TARGETS, "here", (
        install.sys.platform, install.machine(), ("posix", "Linux", "x86_64"), []))
    python = "{}.{}".format(*install.sys.version_info)
    bundle.make_bundle(course, tmp_path, "here", python, "student")
    install.check_bundle(tmp_path, course, "student")
    (tmp_path / "plain-1.0-py3-none-any.whl").write_text("cut short or longer")
    with pytest.raises(install.Fault, match="不完整"):
        install.check_bundle(tmp_path, course, "student")


def test_wheels_of_an_older_lock_are_not_listed(course, index, tmp_path, capsys):
    (tmp_path / "plain-0.9-py3-none-any.whl").write_text("older")
    manifest = bundle.make_bundle(course, tmp_path, "linux", "3.12", "student")
    assert "plain-0.9-py3-none-any.whl" not in {f["name"] for f in manifest["files"]}
    assert "1 个用不到的安装包" in capsys.readouterr().out


def test_a_bundle_broken_off_has_no_list(course, index, tmp_path, monkeypatch):
    bundle.make_bundle(course, tmp_path, "linux", "3.12", "student")

    def fail(*args):
        raise CourseError("没有网络")

    monkeypatch.setattr(bundle, "download", fail)
    with pytest.raises(CourseError):
        bundle.make_bundle(course, tmp_path, "linux", "3.12", "student")
    assert not (tmp_path / "bundle.json").exists()


def test_a_damaged_wheel_is_missing(course, index, tmp_path, monkeypatch):
    good = bundle.download

    def damage(folder, *args):
        good(folder, *args)
        (folder / "plain-1.0-py3-none-any.whl").write_text("damaged")

    monkeypatch.setattr(bundle, "download", damage)
    with pytest.raises(CourseError, match="还缺 1 个"):
        bundle.make_bundle(course, tmp_path, "linux", "3.12", "student")


@pytest.mark.parametrize("argv, words", [
    (["--python", "3.10", "x"], "--python 3.10 不对"),
    (["--python", "3.12.1", "x"], "--python 3.12.1 不对"),
    (["--python", "新的", "x"], "--python 新的 不对"),
])
def test_a_wrong_python_is_refused(argv, words):
    with pytest.raises(CourseError, match=re.escape(words)):
        bundle.main(argv)


def test_a_file_is_not_a_folder(tmp_path):
    (tmp_path / "x").touch()
    with pytest.raises(CourseError, match="不是文件夹"):
        bundle.main([str(tmp_path / "x")])


@pytest.mark.parametrize("words, message", [
    ("ERROR: No matching distribution found for six==1.0", r"没有 six==1\.0 给 windows、Python 3\.12"),
    ("NewConnectionError\nERROR: No matching distribution found for six==1.0", "再运行一次会接着来"),
    ("/x/python: No module named pip", "python start.py bundle"),
    ("THESE PACKAGES DO NOT MATCH THE HASHES", "DO NOT MATCH"),
])
def test_what_pip_says_is_explained(monkeypatch, tmp_path, words, message):
    commands = []

    def run(command, **options):
        commands.append(command)
        return SimpleNamespace(returncode=1, stdout="", stderr=words)

    monkeypatch.setattr(bundle.subprocess, "run", run)
    with pytest.raises(CourseError, match=message):
        bundle.download(tmp_path, "windows", "3.12.99", {"six==1.0": ["sha256:00"]})
    assert "--require-hashes" in commands[0] and "win_amd64" in commands[0] and "cp312" in commands[0]
