"""``python start.py``: what it installs when, and that each failure is one line in two languages."""

import ast
import errno
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from crmlib import install, paths, start
from crmlib.install import Course, Fault, InstallFailed

ROOT = paths.root()
STARTERS = ["start.py", "crmlib/__init__.py", "crmlib/install.py", "crmlib/start.py"]

# 软件源上的一个小包，和会建造“本项目”的小后端：不联网也能走完真正的安装
BACKEND = '''
import zipfile
from pathlib import Path
INFO = "crm_course-1.dist-info/"
FILES = {
    "crm_course.pth": str(Path(__file__).parent),
    INFO + "METADATA": "Metadata-Version: 2.1\\nName: crm-course\\nVersion: 1\\n",
    INFO + "WHEEL": "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
}
def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "crm_course-1-py3-none-any.whl"
    with zipfile.ZipFile(Path(folder) / name, "w") as wheel:
        for path, text in FILES.items():
            wheel.writestr(path, text)
        record = "".join(f"{path},,\\n" for path in [*FILES, INFO + "RECORD"])
        wheel.writestr(INFO + "RECORD", record)
    return name
'''
PYPROJECT = '''
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "crm-course"
version = "1"
[project.entry-points."crm.commands"]
lab = "crmlib.lab:main"
build = "autograder.build:main"
'''


@pytest.fixture
def course(tmp_path):
    """A course folder with the real starter and made-up contents, in a folder with an awkward name."""
    root = tmp_path / "课程 一"
    (root / "crmlib" / "jupyter").mkdir(parents=True)
    for name in STARTERS:
        shutil.copy(ROOT / name, root / name)
    (root / "crmlib" / "__main__.py").write_text(
        "import os, shutil, sys\n"
        "print('ran', *sys.argv[1:], shutil.which('pip'), os.environ['PYTHONUTF8'])\n")
    (root / "crmlib" / "jupyter" / "overrides.json").write_text("{}")
    (root / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (root / "backend.py").write_text(BACKEND, encoding="utf-8")
    for level, name in install.LOCKS.items():
        write_lock(root / name, ["tiny"] if level == "student" else ["tiny", "uv"])
    return Course(root)


def write_lock(path, names, digit="0"):
    path.write_text("".join(f"{n}==1.0 --hash=sha256:{digit * 64}\n" for n in names), encoding="utf-8")


def stamped(course, level="student", python="3.11.7"):
    """Make ``course`` look installed."""
    course.venv.mkdir(exist_ok=True)
    stamp = {"python": python, "folder": str(course.venv), "set": level,
             "lock": install.digest(course.lock(level)), "project": course.project_digest()}
    course.stamp.write_text(json.dumps(stamp), encoding="utf-8")


@pytest.fixture
def runs(monkeypatch):
    """Stand-in for the outside programs: a list of what was run; ``runs.fail[word]`` makes one fail."""
    class Runs(list):
        def __init__(self):
            self.fail = {}

        def __call__(self, course, command, env):
            line = " ".join(map(str, command))
            self.append(line)
            for word, words in self.fail.items():
                if word in line:
                    raise install.explain(words, "log")
            if "--target" in line:
                target = Path(command[command.index("--target") + 1]) / "bin"
                target.mkdir(parents=True)
                (target / ("uv.exe" if os.name == "nt" else "uv")).touch()

    runs = Runs()
    monkeypatch.setattr(install, "run", runs)
    monkeypatch.setattr(install, "pip_config", lambda python, env: {})
    monkeypatch.setattr(install, "_version_of", lambda python: "3.11.7")
    monkeypatch.delenv("CRM_INSTALLER", raising=False)
    return runs


# ── 旧 Python，只用标准库 ──────────────────────────────────────────────


def old_python(version):
    """A Python of that version on this machine, or None."""
    candidates = [shutil.which(f"python{version}")]
    candidates += Path.home().glob(f".pyenv/versions/{version}.*/bin/python")
    for candidate in filter(None, candidates):
        code = "import sys; sys.stdout.write('%d.%d' % sys.version_info[:2])"
        found = subprocess.run([candidate, "-c", code], capture_output=True, text=True)
        if found.stdout == version:
            return candidate
    return None


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.8", "3.10"])
def test_an_old_python_is_told_so_in_two_lines(version):
    python = old_python(version)
    if python is None:
        pytest.skip(f"这台电脑没有 Python {version}")
    ended = subprocess.run([python, ROOT / "start.py"], capture_output=True)
    chinese, english = ended.stderr.decode("utf-8").splitlines()
    assert ended.returncode == 1
    assert ended.stdout == b""
    assert chinese.startswith(f"[出错] 这里的 Python 是 {version}.")
    assert english.startswith(f"[Error] This Python is {version}.")


def test_start_py_keeps_to_the_oldest_syntax():
    tree = ast.parse((ROOT / "start.py").read_text("utf-8"))
    newer = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.FunctionDef)
    for node in ast.walk(tree):
        assert not isinstance(node, newer), ast.dump(node)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and not node.value.isascii():
            assert node.kind == "u" or node is tree.body[0].value, f"第 {node.lineno} 行：汉字前面要写 u"


@pytest.mark.parametrize("name", STARTERS)
def test_the_starter_uses_the_standard_library_only(name):
    for node in ast.walk(ast.parse((ROOT / name).read_text("utf-8"))):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else \
            [node.module] if isinstance(node, ast.ImportFrom) else []
        for imported in names:
            assert imported in ("crmlib.install", "crmlib.start") or \
                imported.partition(".")[0] in sys.stdlib_module_names, f"{name}: {imported}"


# ── 命令行 ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize("argv, expected", [
    ([], (None, "lab", [])),
    (["--no-browser", "--port", "9"], (None, "lab", ["--no-browser", "--port", "9"])),
    (["test", "-k", "a"], (None, "test", ["-k", "a"])),
    (["--offline", "/d", "build", "--check"], (Path("/d"), "build", ["--check"])),
    (["lab", "--offline=/d"], (Path("/d"), "lab", [])),
])
def test_the_command_line(argv, expected):
    folder, *rest = expected
    folder = folder and folder.resolve()
    assert start.parse(argv, {"lab": "student", "build": "teacher"}) == (folder, *rest)


@pytest.mark.parametrize("argv, words", [
    (["buidl"], "没有“buidl”这个命令"),
    (["--offline"], "--offline 后面"),
    (["--offline", "--port"], "--offline 后面"),
])
def test_a_wrong_command_line_is_explained(course, capsys, monkeypatch, argv, words):
    monkeypatch.setattr(start, "Course", lambda root: course)
    assert start.main(argv) == 1
    chinese, english = capsys.readouterr().err.splitlines()
    assert chinese.startswith("[出错] ") and words in chinese
    assert english.startswith("[Error] ")


def test_crmlib_commands_need_the_student_set_all_others_the_teacher_set():
    commands = Course(ROOT).commands()
    assert commands["lab"] == commands["doctor"] == "student"
    assert commands["build"] == commands["bundle"] == commands["lock"] == "teacher"


@pytest.mark.parametrize("argv, level", [
    ([], "student"), (["lab", "--teacher"], "teacher"), (["build"], "teacher"), (["test"], "test"),
])
def test_the_set_that_a_command_gets(course, monkeypatch, argv, level):
    asked, run = [], []
    monkeypatch.setattr(start, "ensure", lambda course, need, offline: asked.append(need))
    monkeypatch.setattr(start, "hand_over", lambda command, env: run.append(command) or 0)
    monkeypatch.chdir(course.root)
    assert start.start(course, argv) == 0
    assert asked == [level]
    assert run[0][0] == str(course.python)


# ── 现在是什么样，要做什么 ─────────────────────────────────────────────


def test_plan_of_an_installed_course_is_to_do_nothing(course, runs):
    stamped(course)
    assert install.plan(course, "student") == ("good", None, False)
    install.ensure(course, "student")
    assert runs == []
    assert not course.log.exists()


def test_plan_by_state(course, runs):
    assert install.plan(course, "student") == ("none", "student", True)
    course.venv.mkdir()
    assert install.plan(course, "student")[0] == "none"  # 空文件夹
    (course.venv / "pyvenv.cfg").touch()
    assert install.plan(course, "student")[0] == "foreign"
    stamped(course)
    assert install.plan(course, "student")[0] == "good"
    course.unfinished.touch()
    assert install.plan(course, "student") == ("unfinished", "student", True)


@pytest.mark.parametrize("change", [
    {"python": "3.11.1"}, {"folder": "/elsewhere/.venv"}, "not json", "[]", '{"set": "student"}',
])
def test_another_python_a_moved_folder_or_a_damaged_stamp_mean_a_new_venv(course, runs, change):
    stamped(course)
    if isinstance(change, dict):
        change = json.dumps(json.loads(course.stamp.read_text("utf-8")) | change)
    course.stamp.write_text(change, encoding="utf-8")
    assert install.plan(course, "student") == ("broken", "student", True)


def test_a_venv_whose_python_is_gone_is_broken(course):
    stamped(course)
    assert install.plan(course, "student")[0] == "broken"


def test_sets_are_added_never_taken_away(course, runs):
    stamped(course, "teacher")
    assert install.plan(course, "student") == ("good", None, False)
    assert install.plan(course, "test") == ("good", "test", False)
    write_lock(course.lock("teacher"), ["tiny", "uv"], digit="1")
    assert install.plan(course, "student") == ("good", "teacher", False)


def test_the_project_is_reinstalled_only_when_what_is_copied_changed(course, runs):
    stamped(course)
    (course.root / "crmlib" / "other.py").write_text("new")
    assert install.plan(course, "student") == ("good", None, False)
    (course.root / "crmlib" / "jupyter" / "overrides.json").write_text('{"a": 1}')
    assert install.plan(course, "student") == ("good", None, True)
    install.ensure(course, "student")
    assert ["-e" in line for line in runs] == [True]
    assert install.plan(course, "student") == ("good", None, False)


def test_line_endings_of_git_on_windows_do_not_count(course, runs):
    stamped(course)
    for path in [course.lock("student"), course.root / "pyproject.toml"]:
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert install.plan(course, "student") == ("good", None, False)


# ── 安装 ───────────────────────────────────────────────────────────────


def test_a_fresh_install_uses_uv_and_leaves_no_uv_behind(course, runs, capsys):
    install.ensure(course, "student")
    make_venv, fetch_uv, packages, project = runs
    assert "-m venv" in make_venv
    assert "--require-hashes" in fetch_uv and "--target" in fetch_uv
    assert "uv pip install" in packages.replace(".exe", "") and "requirements.lock" in packages
    assert "--compile-bytecode" in packages and "--require-hashes" in packages
    assert "--no-build-isolation" in project
    assert install.plan(course, "student") == ("good", None, False)
    assert list(course.root.glob(".venv-tmp-*")) == []
    assert "第一次使用" in capsys.readouterr().out


@pytest.mark.parametrize("step, words", [
    ("--target", "No matching distribution found for uv==1.0"),
    ("uv pip install", "error: something went wrong inside"),
    ("uv pip install", "error sending request for url: client error (Connect)"),
])
def test_pip_takes_over_when_uv_fails_and_says_so(course, runs, capsys, step, words):
    runs.fail[step] = words
    install.ensure(course, "student")
    assert "-m pip install" in runs[-2] and "requirements.lock" in runs[-2]
    assert "改用 pip" in capsys.readouterr().out
    assert install.plan(course, "student") == ("good", None, False)


@pytest.mark.parametrize("words", ["NewConnectionError", "No space left on device", "Permission denied"])
def test_pip_does_not_repeat_what_cannot_work(course, runs, words):
    runs.fail["--target"] = words
    with pytest.raises(InstallFailed):
        install.ensure(course, "student")
    assert "--target" in runs[-1]


def test_a_failed_first_install_is_redone(course, runs, capsys):
    runs.fail["requirements.lock"] = "error: killed"
    with pytest.raises(Fault):
        install.ensure(course, "student")
    (course.venv / "half").touch()
    runs.fail.clear()
    install.ensure(course, "student")
    assert "上次没有装完" in capsys.readouterr().out
    assert not (course.venv / "half").exists()
    assert install.plan(course, "student") == ("good", None, False)


@pytest.mark.parametrize("words, usable", [
    ("Temporary failure in name resolution", True),
    ("hash mismatch", True),
    ("No space left on device", False),
])
def test_failing_to_add_a_set_leaves_a_working_venv_alone(course, runs, words, usable):
    """Without network nothing was touched; a disk that fills up may have left anything behind."""
    stamped(course)
    runs.fail["requirements-teacher.lock"] = words
    with pytest.raises(InstallFailed):
        install.ensure(course, "teacher")
    assert (install.plan(course, "student")[0] == "good") is usable


def test_a_venv_of_someone_else_is_moved_aside(course, runs, capsys):
    for number in (1, 2):
        shutil.rmtree(course.venv, ignore_errors=True)
        course.venv.mkdir()
        (course.venv / "theirs").write_text(str(number))
        install.ensure(course, "student")
        assert (course.root / f".venv-旧-{number}" / "theirs").read_text() == str(number)
    assert "现在叫 .venv-旧-2" in capsys.readouterr().out


def test_only_one_start_installs_at_a_time_and_a_killed_one_frees_the_way(course):
    code = ("import sys, time; from pathlib import Path; from crmlib import install\n"
            "with install.one_at_a_time(install.Course(Path(sys.argv[1]))):\n"
            "    print('holds', flush=True); time.sleep(600)")
    holder = subprocess.Popen([sys.executable, "-c", code, course.root], stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline().strip() == b"holds"
        with open(course.root / ".venv-lock", "a") as handle:
            assert not install._try_lock(handle)
            holder.kill()
            holder.wait()
            assert install._try_lock(handle)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


def test_who_waits_is_told_for_whom(course, monkeypatch, capsys):
    answers = iter([False, True])
    monkeypatch.setattr(install, "_try_lock", lambda handle: next(answers))
    course.venv.mkdir()
    course.unfinished.write_text('{"process": 4711}')
    with install.one_at_a_time(course):
        pass
    assert "（进程 4711）正在安装" in capsys.readouterr().out


def test_pip_from_the_bundle_helps_where_ensurepip_is_missing(course, runs, monkeypatch, tmp_path):
    monkeypatch.setattr(install, "_has_module", lambda name: name == "venv")
    with pytest.raises(Fault, match="ensurepip"):
        install.make_venv(course, "none", None)
    (tmp_path / "pip-1.0-py3-none-any.whl").touch()
    install.make_venv(course, "none", tmp_path)
    assert "--without-pip" in runs[0] and "pip-1.0" in runs[1]


# ── 出错的话 ───────────────────────────────────────────────────────────

# 安装程序的原话，2026 年 11 月录下
WORDS = {
    "disk": [
        "error: Failed to install: jedi\n  cause: failed to copy file: No space left on device (os error 28)",
        "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
        "error: Failed to install\n  cause: 磁盘空间不足。 (os error 112)",
    ],
    "permission": [
        "error: Failed to install\n  cause: Permission denied (os error 13)",
        "ERROR: Could not install packages due to an OSError: [WinError 5] 拒绝访问。: 'D:\\\\crm\\\\.venv'",
        "ERROR: Could not install packages due to an OSError: [Errno 30] Read-only file system: '/x'",
    ],
    "hash": [
        "  cause: Hash mismatch for `six==1.17.0`\n\n         Expected:\n           sha256:0000",
        "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated",
    ],
    "network": [
        "error: Request failed after 3 retries in 5.9s\n  cause: client error (Connect)\n  cause: dns error",
        "  cause: tunnel error: failed to create connection\n  cause: Connection refused (os error 111)",
        "WARNING: Retrying after connection broken by 'NewConnectionError(Temporary failure)'\n"
        "ERROR: No matching distribution found for six==1.17.0",
    ],
    "missing": [
        "ERROR: Could not find a version that satisfies the requirement six==1.17.0 (from versions: none)\n"
        "ERROR: No matching distribution found for six==1.17.0",
        "  cause: Because six was not found in the provided package locations and you require six==1.17.0,",
        "  cause: Because there is no version of six==1.9, so your requirements are unsatisfiable.",
    ],
    "build": ["  × Failed to build `lxml==6.1.3`", "error: subprocess-exited-with-error"],
    "unknown": ["Segmentation fault", ""],
}


@pytest.mark.parametrize("kind, words", [(k, w) for k, many in WORDS.items() for w in many])
def test_the_cause_is_read_from_the_words_of_the_installer(kind, words):
    fault = install.explain(words, ".venv-install.log")
    assert fault.kind == kind
    for line in (fault.chinese, fault.english):
        assert "\n" not in line
        assert ".venv-install.log" in line
    assert fault.english.isascii()


def test_too_little_space_is_said_before_downloading(course, runs, monkeypatch):
    little = SimpleNamespace(free=10**9)
    monkeypatch.setattr(install.shutil, "disk_usage", lambda folder: little)
    with pytest.raises(Fault, match=r"2 GB.*0\.9 GB"):
        install.ensure(course, "student")
    assert runs == []


def test_a_course_folder_without_its_locks_is_incomplete(course, runs):
    course.lock("teacher").unlink()
    with pytest.raises(Fault, match=r"缺少 requirements-teacher\.lock"):
        install.ensure(course, "student")


def test_a_32_bit_python_and_a_long_windows_path_are_refused(course, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(install.sys, "maxsize", 2**31 - 1)
        with pytest.raises(Fault, match="32 位"):
            install.check_machine(course)
    course.root = Path("/" + "长" * 100)
    with monkeypatch.context() as patch:
        patch.setattr(install.os, "name", "nt")
        with pytest.raises(Fault, match="路径太长"):
            install.check_machine(course)


@pytest.mark.parametrize("number, words", [
    (errno.ENOSPC, "磁盘满了"), (errno.EACCES, "不能写入"), (errno.EROFS, "不能写入"),
    (errno.EIO, "系统报告"),
])
def test_every_system_error_becomes_two_lines(course, monkeypatch, capsys, number, words):
    def fail(course, argv):
        raise OSError(number, os.strerror(number), "file")

    monkeypatch.setattr(start, "start", fail)
    assert start.main([]) == 1
    chinese, english = capsys.readouterr().err.splitlines()
    assert chinese.startswith("[出错]") and words in chinese
    assert english.startswith("[Error]")


def test_ctrl_c_ends_without_traceback(monkeypatch, capsys):
    def stop(course, argv):
        raise KeyboardInterrupt

    monkeypatch.setattr(start, "start", stop)
    assert start.main([]) == 130
    assert "已停止" in capsys.readouterr().err


def test_a_failing_program_ends_in_the_log(course):
    with pytest.raises(InstallFailed) as failed:
        code = "print('hash mismatch'); raise SystemExit(3)"
        install.run(course, [sys.executable, "-c", code], dict(os.environ))
    assert failed.value.kind == "hash"
    assert "hash mismatch" in course.log.read_text("utf-8")


# ── 离线包 ─────────────────────────────────────────────────────────────


def make_bundle(course, folder, level="student", **changes):
    """A bundle for this very machine holding the package ``tiny``; the lock gets its real hash."""
    folder.mkdir()
    wheel = folder / "tiny-1.0-py3-none-any.whl"
    info = "tiny-1.0.dist-info/"
    with zipfile.ZipFile(wheel, "w") as content:
        content.writestr("tiny.py", "")
        content.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        content.writestr(info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        content.writestr(info + "RECORD", f"tiny.py,,\n{info}METADATA,,\n{info}WHEEL,,\n{info}RECORD,,\n")
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    course.lock("student").write_text(f"tiny==1.0 --hash=sha256:{sha256}\n", encoding="utf-8")
    manifest = {
        "format": 1, "system": sys.platform, "machine": install.machine(),
        "python": "{}.{}".format(*sys.version_info), "locks": {level: install.digest(course.lock(level))},
        "files": [{"name": wheel.name, "size": wheel.stat().st_size, "sha256": sha256}],
    }
    (folder / "bundle.json").write_text(json.dumps(manifest | changes), encoding="utf-8")
    return folder


@pytest.mark.parametrize("changes, words", [
    ({"system": "plan9"}, "给 plan9"),
    ({"machine": "z80"}, "z80"),
    ({"python": "3.5"}, "Python 3.5 做的"),
    ({"locks": {"teacher": ""}}, "只有 teacher"),
    ({"locks": {"student": "0"}}, "不是同一个版本"),
    ({"files": [{"name": "gone.whl", "size": 1}]}, r"1 个文件缺失.*gone\.whl"),
    ({"files": [{"name": "tiny-1.0-py3-none-any.whl", "size": 1}]}, "没复制完"),
    ({"files": 3}, "清单"),
])
def test_a_bundle_that_does_not_fit_is_refused(course, tmp_path, changes, words):
    install.check_bundle(make_bundle(course, tmp_path / "good"), course, "student")
    with pytest.raises(Fault, match=words):
        install.check_bundle(make_bundle(course, tmp_path / "bundle", **changes), course, "student")


def test_no_bundle_or_no_list_is_said(course, tmp_path):
    with pytest.raises(Fault, match="找不到离线包"):
        install.check_bundle(tmp_path / "nowhere", course, "student")
    with pytest.raises(Fault, match="清单"):
        install.check_bundle(tmp_path, course, "student")
    (tmp_path / "bundle.json").write_text("{")
    with pytest.raises(Fault, match="清单"):
        install.check_bundle(tmp_path, course, "student")


def test_a_real_offline_install_from_start_to_second_start(course, tmp_path):
    """venv, pip and the starter as they are; only the packages are made up."""
    bundle = make_bundle(course, tmp_path / "离线包")

    def begin(*argv):
        env = os.environ | {"PYTHONHOME": "", "PIP_INDEX_URL": "http://127.0.0.1:9/"}
        command = [sys.executable, course.root / "start.py", *argv]
        return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=env,
                              stdin=subprocess.DEVNULL, cwd=tmp_path)

    first = begin("--offline", str(bundle), "lab", "--port", "1")
    assert first.returncode == 0, first.stderr + course.log.read_text("utf-8")
    assert "第一次使用" in first.stdout and "改用 pip" in first.stdout  # 离线包里没有 uv
    assert f"ran lab --port 1 {course.scripts}" in first.stdout
    assert subprocess.run([course.python, "-I", "-c", "import tiny, crmlib.install"]).returncode == 0
    stamp = json.loads(course.stamp.read_text("utf-8"))
    assert stamp["python"] == platform.python_version() and stamp["set"] == "student"
    assert not course.unfinished.exists()

    logged = course.log.stat().st_mtime_ns
    second = begin("--no-browser")
    assert second.returncode == 0, second.stderr
    pip = shutil.which("pip", path=course.scripts)
    assert second.stdout.splitlines() == [f"ran lab --no-browser {pip} 1"]
    assert course.log.stat().st_mtime_ns == logged


# ── 传给程序的环境 ─────────────────────────────────────────────────────


def test_programs_find_the_scripts_of_the_venv_first(course, monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/wrong")
    monkeypatch.setenv("PYTHONPATH", "/wrong")
    env = install.environment(course)
    assert env["PATH"].split(os.pathsep)[0] == str(course.scripts)
    assert env["VIRTUAL_ENV"] == str(course.venv)
    assert "PYTHONHOME" not in env and "PYTHONPATH" not in env


def test_uv_learns_the_mirror_from_pip_but_its_own_settings_win(course, monkeypatch):
    told = "global.index-url='https://mirror.example/simple'\n" \
           "global.extra-index-url='https://a.example https://b.example'\n" \
           "install.trusted-host='mirror.example'\n:env:.find-links='/w1 /w2'\nnonsense\n"
    config = install.parse_pip_config(told)
    monkeypatch.setattr(install, "pip_config", lambda python, env: config)
    monkeypatch.setenv("UV_INSECURE_HOST", "own.example")
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    env = install.installer_environment(course)
    assert env["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert env["UV_INDEX"] == "https://a.example https://b.example"
    assert env["UV_FIND_LINKS"] == "/w1,/w2"
    assert env["UV_INSECURE_HOST"] == "own.example"


def test_offline_nothing_configured_counts(course, monkeypatch, tmp_path):
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://mirror.example/simple")
    env = install.installer_environment(course, tmp_path)
    assert not any("mirror.example" in value for value in env.values())
    assert env["PIP_CONFIG_FILE"] == os.devnull
    assert env["UV_OFFLINE"] == "1"
