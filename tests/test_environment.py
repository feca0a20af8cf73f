"""The three locks, pyproject.toml and environment.yml say the same thing."""

import re
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from autograder import lock
from autograder.bundle import TARGETS, needed
from autograder.lock import check_lock
from crmlib import paths
from crmlib.cli import CourseError
from crmlib.install import LOCKS, SETS, read_lock

ROOT = paths.root()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
MACHINES = [(target, f"3.{minor}.8") for target in TARGETS for minor in (11, 12, 13, 14)]


def versions(level, target, python):
    """Name → exact version of everything a set installs on a machine."""
    found = {}
    for text, _ in needed(ROOT / LOCKS[level], target, python):
        requirement = Requirement(text)
        name = canonicalize_name(requirement.name)
        assert name not in found, f"{LOCKS[level]}: {name} twice on {target} {python}"
        found[name] = str(requirement.specifier).removeprefix("==")
    return found


def declared(level):
    extras = [] if level == "student" else SETS[1 : SETS.index(level) + 1]
    lines = PROJECT["dependencies"] + [d for e in extras for d in PROJECT["optional-dependencies"][e]]
    return [r for r in map(Requirement, lines) if canonicalize_name(r.name) != PROJECT["name"]]


@pytest.mark.parametrize("level", SETS)
def test_every_declared_dependency_is_satisfied_by_its_lock(level):
    for target, python in MACHINES:
        locked = versions(level, target, python)
        for requirement in declared(level):
            name = canonicalize_name(requirement.name)
            assert name in locked, f"{LOCKS[level]} lacks {name} on {target} {python}: run crm lock"
            assert requirement.specifier.contains(locked[name], prereleases=True), \
                f"{LOCKS[level]}: {name} {locked[name]} does not satisfy {requirement}: run crm lock"


@pytest.mark.parametrize("target, python", MACHINES)
def test_each_set_contains_the_one_before_with_equal_versions(target, python):
    student, teacher, test = (versions(level, target, python).items() for level in SETS)
    assert student <= teacher <= test


@pytest.mark.parametrize("name", LOCKS.values())
def test_locks_are_hashed_and_name_no_host_or_path(name):
    text = (ROOT / name).read_text("utf-8")
    assert not re.search(r"://|^-|^\s*/|file:|@", text, re.MULTILINE)
    check_lock(ROOT / name)


@pytest.mark.parametrize("line", [
    "six @ https://example.org/six.whl --hash=sha256:" + "0" * 64,
    "six==1.17.0",
    "six==1.17.0 --hash=sha256:123",
    "six>=1.17.0 --hash=sha256:" + "0" * 64,
    "-e . --hash=sha256:" + "0" * 64,
])
def test_a_bad_lock_line_is_refused(tmp_path, line):
    (tmp_path / "bad.lock").write_text(line, encoding="utf-8")
    with pytest.raises(CourseError, match=r"bad\.lock"):
        check_lock(tmp_path / "bad.lock")


def test_the_installer_of_the_project_itself_is_in_the_student_set():
    """The project is installed without network and build isolation: its backend must be there."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["build-system"]["requires"]
    wanted = {canonicalize_name(Requirement(b).name) for b in build}
    for target, python in MACHINES:
        assert wanted <= versions("student", target, python).keys()


def test_environment_yml_agrees():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    assert environment["name"] == PROJECT["name"]
    assert environment["channels"] == ["conda-forge"]
    python, pip, rest = environment["dependencies"]
    assert SpecifierSet(PROJECT["requires-python"]).contains(python.removeprefix("python=") + ".0")
    assert pip == "pip"
    assert rest == {"pip": [f"-r {LOCKS['student']}"]}


def test_read_lock_joins_lines_and_skips_comments(tmp_path):
    path = tmp_path / "some.lock"
    text = "# note\na==1 ; python_version < '4' \\\n    --hash=sha256:11 \\\n    --hash=sha256:22\nb==2\n"
    path.write_text(text, newline="\r\n")
    assert read_lock(path) == [("a==1 ; python_version < '4'", ["sha256:11", "sha256:22"]), ("b==2", [])]


@pytest.fixture
def relock(tmp_path, monkeypatch):
    """``crm lock`` on a copied course with a stand-in for uv: returns (folder, commands, run)."""
    (tmp_path / "pyproject.toml").touch()
    for name in LOCKS.values():
        (tmp_path / name).write_text(f"six==1.0 --hash=sha256:{'0' * 64}\n")
    monkeypatch.setenv("CRM_COURSE", str(tmp_path))
    monkeypatch.setattr(lock, "pip_config", lambda python, env: {})
    commands = []

    def uv(command, **options):
        commands.append([str(part) for part in command])
        failed = "test" in command
        Path(command[-1]).write_text(f"six==2.0 --hash=sha256:{'1' * 64}\n")
        return SimpleNamespace(returncode=int(failed and uv.fails), stderr="no solution")

    uv.fails = False
    monkeypatch.setattr(lock.subprocess, "run", uv)
    return tmp_path, commands, uv


def test_crm_lock_binds_each_set_to_the_one_it_contains(relock, capsys):
    folder, commands, _ = relock
    lock.main([])
    assert all((folder / name).read_text().startswith("six==2.0") for name in LOCKS.values())
    bounds = [Path(c[c.index("-c") + 1]).name if "-c" in c else None for c in commands]
    assert bounds == [None, LOCKS["student"], LOCKS["teacher"]]
    assert "＋ six==2.0" in capsys.readouterr().out


def test_crm_lock_changes_all_locks_or_none(relock):
    folder, _, uv = relock
    uv.fails = True
    with pytest.raises(CourseError, match=r"(?s)requirements-test\.lock 算不出来.*no solution"):
        lock.main([])
    assert all((folder / name).read_text().startswith("six==1.0") for name in LOCKS.values())
