"""``python start.py`` 的内核：准备 ``.venv``，再在里面运行命令。只用标准库。

The environment is described by one stamp in ``.venv``: which Python, which set of packages (with the
fingerprint of its lock file), which version of the project. If the stamp agrees with the course
folder, nothing is installed; everything else is mended here, and every failure is a :class:`Fault`.
"""

import ast
import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from contextlib import contextmanager
from pathlib import Path

# 三套软件包，后一套包含前一套，版本相同（tests/test_environment.py 守着这一点）
LOCKS = {
    "student": "requirements.lock",
    "teacher": "requirements-teacher.lock",
    "test": "requirements-test.lock",
}
SETS = list(LOCKS)
GIGABYTE = 1 << 30


class Fault(Exception):
    """A failure that the user can mend: one line in Chinese, one in English."""

    def __init__(self, chinese: str, english: str):
        super().__init__(chinese)
        self.chinese, self.english = chinese, english


class Course:
    """Where things are in a course folder."""

    def __init__(self, root: Path):
        self.root = Path(root).resolve()
        self.venv = self.root / ".venv"
        self.scripts = self.venv / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.scripts / ("python.exe" if os.name == "nt" else "python")
        self.stamp = self.venv / "crm-installed.json"
        self.unfinished = self.venv / "crm-unfinished.json"  # 有它，就是装到一半
        self.log = self.root / ".venv-install.log"

    def lock(self, level: str) -> Path:
        return self.root / LOCKS[level]

    def commands(self) -> dict[str, str]:
        """``crm`` commands and the set each needs: those of crmlib run on a student's machine."""
        project = tomllib.loads((self.root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        entries = project["entry-points"]["crm.commands"]
        return {k: "student" if target.startswith("crmlib") else "teacher" for k, target in entries.items()}

    def project_digest(self) -> str:
        """Fingerprint of what is copied at install: the metadata and the Jupyter settings."""
        settings = (p for p in (self.root / "crmlib" / "jupyter").rglob("*") if p.is_file())
        return digest(self.root / "pyproject.toml", *sorted(settings))


def digest(*files: Path) -> str:
    """SHA-256 of names and contents; line endings do not count (Git on Windows changes them)."""
    total = hashlib.sha256()
    for file in files:
        total.update(file.name.encode() + b"\0" + file.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return total.hexdigest()


def read_lock(path: Path) -> list[tuple[str, list[str]]]:
    """Requirements of a lock file, in its order: ``[("numpy==2.4.6 ; python_version…", ["sha256:…"])]``."""
    entries = []
    for line in path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        text, *hashes = line.split("--hash=")
        if text.strip() and not text.startswith("#"):
            entries.append((text.strip(), [h.strip() for h in hashes]))
    return entries


# ── 现在是什么样，要做什么 ─────────────────────────────────────────────


def diagnose(course: Course) -> tuple[str, dict]:
    """State of ``.venv`` and its stamp.

    States: good; none; unfinished (an install was broken off); broken (its Python is gone or another
    one, or the folder was moved); foreign (not made by us).
    """
    if not course.venv.exists() or (course.venv.is_dir() and not any(course.venv.iterdir())):
        return "none", {}
    if course.unfinished.exists():
        return "unfinished", {}
    try:
        stamp = json.loads(course.stamp.read_text(encoding="utf-8"))
        folder, version = stamp["folder"], stamp["python"]
    except FileNotFoundError:
        return "foreign", {}
    except (ValueError, KeyError, TypeError):
        return "broken", {}
    if os.path.normcase(folder) != os.path.normcase(course.venv) or version != _version_of(course.python):
        return "broken", {}
    return "good", stamp


def _version_of(python: Path) -> str | None:
    try:
        code = "import platform; print(platform.python_version())"
        answer = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def plan(course: Course, need: str) -> tuple[str, str | None, bool]:
    """``(state, set of packages to install or None, whether to install the project)``.

    A set that is there stays: a teacher's ``.venv`` whose lock changed gets the new teacher set.
    """
    state, stamp = diagnose(course)
    if state != "good":
        return state, need, True
    level = max(need, stamp["set"], key=SETS.index)
    current = (stamp["set"], stamp["lock"]) == (level, digest(course.lock(level)))
    return state, None if current else level, stamp["project"] != course.project_digest()


# ── 安装 ───────────────────────────────────────────────────────────────


def ensure(course: Course, need: str, offline: Path | None = None) -> None:
    """Make ``.venv`` hold at least the set ``need``; does nothing if it does."""
    if plan(course, need) == ("good", None, False):
        return
    check_machine(course)
    with one_at_a_time(course):
        state, level, project = plan(course, need)  # 等的时候，别人可能已经装好了
        if (state, level, project) == ("good", None, False):
            return
        if offline and level:
            check_bundle(offline, course, level)
        started = time.monotonic()
        course.log.write_text(f"{_now()} Python {sys.version}\n", encoding="utf-8")
        for rubbish in course.root.glob(".venv-tmp-*"):
            shutil.rmtree(rubbish, ignore_errors=True)
        fresh = state != "good"
        check_space(course.root, 2 if fresh else 1 if level else 0)
        if fresh:
            say({
                "none": "第一次使用，先准备环境（约 1～5 分钟，只做这一次）。",
                "unfinished": "上次没有装完，现在重新来。",
                "broken": "这里的 .venv 已经不能用了（换了位置，或者换了 Python），现在重新来。",
                "foreign": "这里的 .venv 不是本课程建的，先把它放到一边。",
            }[state])
            make_venv(course, state, offline)
        else:
            say("先补装需要的部分……")
            begin(course)
        if level:
            install_packages(course, level, offline, fresh)
        if project:
            say("登记课程……")
            options = ["--no-deps", "--no-build-isolation", "--no-index", "-e", course.root]
            run(course, [*pip_install(course), *options], environment(course))
        finish(course, level)
        say(f"准备好了，用了 {time.monotonic() - started:.0f} 秒。")


def check_machine(course: Course) -> None:
    """What would fail after minutes of downloading is said at once."""
    if sys.maxsize <= 2**32:
        raise Fault("这里的 Python 是 32 位的，装不了科学计算软件包：请改装 64 位的 Python 3.11 或更新版本。",
                    "This Python is 32-bit; please install a 64-bit Python 3.11 or newer.")
    if os.name == "nt" and len(str(course.root)) > 90:  # 最长的文件再加 165 个字符，Windows 只许 260
        raise Fault(f"课程文件夹的路径太长（{len(str(course.root))} 个字）：请把它搬到短的位置，如 D:\\crm。",
                    "The path of the course folder is too long: move it somewhere short, such as D:\\crm.")
    missing = [name for name in LOCKS.values() if not (course.root / name).is_file()]
    if missing:
        raise Fault(f"课程文件夹不完整，缺少 {'、'.join(missing)}：请重新下载或复制整个课程文件夹。",
                    f"The course folder is incomplete ({', '.join(missing)} missing): please copy it again.")


def check_space(folder: Path, gigabytes: int) -> None:
    free = shutil.disk_usage(folder).free / GIGABYTE
    if free < gigabytes:
        raise Fault(f"磁盘空间不够：安装要 {gigabytes} GB，{folder} 只剩 {free:.1f} GB。请清理后再运行。",
                    f"Not enough disk space: {gigabytes} GB needed, {free:.1f} GB free at {folder}.")


def check_bundle(folder: Path, course: Course, level: str) -> None:
    """A bundle made by ``crm bundle`` must suit this machine and be copied completely."""
    if not folder.is_dir():
        raise Fault(f"找不到离线包文件夹 {folder}：请检查 --offline 后面写的路径。",
                    f"The bundle folder {folder} does not exist: please check the path after --offline.")
    try:
        manifest = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
        there = {key: manifest[key] for key in ("system", "machine", "python")}
        locks, files = manifest["locks"], [(folder / f["name"], f["size"]) for f in manifest["files"]]
    except (OSError, ValueError, KeyError, TypeError):
        raise Fault(f"{folder} 不是完整的离线包（清单 bundle.json 没有或损坏）：请重新复制或重新制作离线包。",
                    f"{folder} is not a complete bundle (bundle.json missing or damaged): copy it again.",
                    ) from None
    here = {"system": sys.platform, "machine": machine(), "python": "{}.{}".format(*sys.version_info)}
    if here != there:
        ours, theirs = (f"{d['system']} {d['machine']} Python {d['python']}" for d in (here, there))
        raise Fault(f"离线包是给 {theirs} 做的，这台电脑是 {ours}：请换一个离线包，或换装相应的 Python。",
                    f"The bundle is for {theirs}, this computer is {ours}: please use a matching one.")
    if level not in locks:
        raise Fault(f"离线包里只有 {'、'.join(locks)} 这套软件包，这里要用 {level} 这套：请重新制作离线包。",
                    f"The bundle holds only {', '.join(locks)}, not “{level}”: please make a new one.")
    if locks[level] != digest(course.lock(level)):
        raise Fault("离线包和课程不是同一个版本：请用这一版课程重新制作离线包。",
                    "The bundle belongs to another version of the course: please make a new one.")
    bad = [file.name for file, size in files if not file.is_file() or file.stat().st_size != size]
    if bad:
        raise Fault(f"离线包不完整，{len(bad)} 个文件缺失或没复制完（例如 {bad[0]}）：请重新复制离线包。",
                    f"The bundle is incomplete: {len(bad)} files missing or cut short (such as {bad[0]}).")


def machine() -> str:
    """``x86_64`` or ``arm64``, whatever the system calls it."""
    import platform

    name = platform.machine().lower()
    return {"amd64": "x86_64", "aarch64": "arm64"}.get(name, name)


@contextmanager
def one_at_a_time(course: Course):
    """Only one installer per course folder; the system frees the lock when its holders are gone.

    uv and pip inherit it: if this process alone is killed, the next start waits for them.
    """
    with open(course.root / ".venv-lock", "a") as handle:
        os.set_inheritable(handle.fileno(), True)
        told = False
        while not _try_lock(handle):
            if not told:
                say(f"另一个窗口{_who_installs(course)}正在安装，等它装完…… Another start installs; waiting.")
                told = True
            time.sleep(0.3)
        yield


def _try_lock(handle) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # 有的网络盘不支持锁：那就不锁，照样安装
        return error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
    return True


def _who_installs(course: Course) -> str:
    try:
        return f"（进程 {json.loads(course.unfinished.read_text(encoding='utf-8'))['process']}）"
    except (OSError, ValueError, KeyError):
        return ""


def make_venv(course: Course, state: str, offline: Path | None) -> None:
    if state == "foreign":
        number = 1
        while (aside := course.root / f".venv-旧-{number}").exists():
            number += 1
        _move(course.venv, aside)
        say(f"原来的 .venv 现在叫 {aside.name}。")
    elif state in ("unfinished", "broken"):
        # 先改名再删：删到一半断电，剩下的也不会被当成环境
        rubbish = Path(tempfile.mkdtemp(prefix=".venv-tmp-", dir=course.root))
        _move(course.venv, rubbish / "venv")
        shutil.rmtree(rubbish, ignore_errors=True)
    course.venv.mkdir(exist_ok=True)
    begin(course)
    base, env = getattr(sys, "_base_executable", None) or sys.executable, environment(course)
    pip_wheel = next(offline.glob("pip-*.whl"), None) if offline else None
    if _has_module("venv") and _has_module("ensurepip"):
        run(course, [base, "-I", "-m", "venv", course.venv], env)
    elif _has_module("venv") and pip_wheel:
        run(course, [base, "-I", "-m", "venv", "--without-pip", course.venv], env)
        # 安装包形式的 pip 不用安装就能运行，先用它把自己装进去
        run(course, [course.python, pip_wheel / "pip", "install", "--no-index", pip_wheel], env)
    else:
        version = "{}.{}".format(*sys.version_info)
        raise Fault("这里的 Python 缺少 venv 或 ensurepip 模块：Debian、Ubuntu 请运行 "
                    f"sudo apt install python{version}-venv，其他系统请安装 Python 官网的版本。",
                    "This Python lacks the venv or ensurepip module: on Debian or Ubuntu run "
                    f"sudo apt install python{version}-venv, elsewhere use Python's official installer.")


def _has_module(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(name) is not None


def _move(old: Path, new: Path) -> None:
    try:
        old.rename(new)
    except OSError as error:
        raise Fault(f"不能替换 {old}（{error.strerror}）：请先关掉所有正在运行的课程窗口，再运行一次。",
                    f"Cannot replace {old}: please close every window of the course and run again.") from None


def install_packages(course: Course, level: str, offline: Path | None, fresh: bool) -> None:
    """Install the lock of ``level`` with uv; with pip if there is no uv, it fails, or CRM_INSTALLER=pip."""
    options = ["--require-hashes", "--no-deps", "-r", course.lock(level)]
    if offline:
        options += ["--no-index", "--find-links", offline]
    env = installer_environment(course, offline)
    total = len(read_lock(course.lock(level)))
    try:
        if os.environ.get("CRM_INSTALLER") != "pip":
            with borrowed_uv(course, env, offline) as uv:
                if uv:
                    say(f"用 uv 安装约 {total} 个软件包……")
                    command = [uv, "pip", "install", "--python", course.python, "--compile-bytecode"]
                    try:
                        return run(course, [*command, *options], env)
                    except InstallFailed as failed:
                        if failed.kind in ("disk", "permission", "hash"):
                            raise
                say("uv 用不了（原因见 .venv-install.log），改用 pip，会慢一些。")
        say(f"用 pip 安装约 {total} 个软件包，大约要 2～5 分钟……")
        run(course, [*pip_install(course), *options], env)
    except InstallFailed as failed:
        if not fresh and failed.kind in ("network", "missing", "hash"):
            course.unfinished.unlink()  # 还没有动过 .venv，原来的照样能用
        raise


def pip_install(course: Course) -> list:
    quiet = ["--no-input", "--disable-pip-version-check", "--no-warn-script-location", "--progress-bar=off"]
    return [course.python, "-I", "-m", "pip", "install", *quiet]


@contextmanager
def borrowed_uv(course: Course, env: dict, offline: Path | None):
    """uv (60 MB) for this install only, in the version that the teacher's lock names; or None."""
    name, hashes = next(e for e in read_lock(course.lock("teacher")) if e[0].startswith("uv=="))
    folder = Path(tempfile.mkdtemp(prefix=".venv-tmp-", dir=course.root))
    try:
        (folder / "uv.lock").write_text(" ".join([name, *(f"--hash={h}" for h in hashes)]), encoding="utf-8")
        options = ["--require-hashes", "--only-binary", ":all:", "--target", folder / "uv"]
        options += ["-r", folder / "uv.lock"]
        if offline:
            options += ["--no-index", "--find-links", offline]
        say("取安装工具 uv……")
        try:
            run(course, [*pip_install(course), *options], env)
        except InstallFailed as failed:
            if failed.kind in ("network", "disk", "permission"):
                raise
        name = "uv.exe" if os.name == "nt" else "uv"
        yield next((p for p in folder.glob(f"uv/*/{name}") if p.parent.name in ("bin", "Scripts")), None)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def begin(course: Course) -> None:
    about = {"process": os.getpid(), "began": _now()}
    course.unfinished.write_text(json.dumps(about), encoding="utf-8")


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S")


def finish(course: Course, level: str | None) -> None:
    """Write the stamp; only then is the mark of an unfinished install taken away."""
    if level is None:
        level = json.loads(course.stamp.read_text(encoding="utf-8"))["set"]
    stamp = {
        "python": _version_of(course.python),
        "folder": str(course.venv),
        "set": level,
        "lock": digest(course.lock(level)),
        "project": course.project_digest(),
    }
    draft = course.stamp.with_suffix(".new")
    draft.write_text(json.dumps(stamp, ensure_ascii=False, indent=1), encoding="utf-8")
    os.replace(draft, course.stamp)
    course.unfinished.unlink()


# ── 外部程序 ───────────────────────────────────────────────────────────


class InstallFailed(Fault):
    """An installer ended badly; ``kind`` names the cause as far as its words show it."""

    def __init__(self, kind: str, chinese: str, english: str):
        super().__init__(chinese, english)
        self.kind = kind


# 顺序要紧：越靠前越确定（没有网络时，pip 最后也会说“找不到这个软件包”）
CAUSES = [
    ("disk",
     r"No space left|os error 28\b|errno 28\b|os error 112\b|not enough space|磁盘空间不足|Disk quota",
     "磁盘满了：请清理出至少 2 GB 空间",
     "The disk is full: free at least 2 GB"),
    ("permission",
     r"Permission denied|os error (5|13|32)\b|errno 13\b|WinError (5|32)\b|Access is denied|拒绝访问"
     r"|Read-only file system",
     "没有写入权限，或者文件正被占用：请关掉正在运行的课程窗口，并确认课程文件夹可以写",
     "No permission to write, or a file is in use: close the course and make sure its folder is writable"),
    ("hash",
     r"DO NOT MATCH THE HASHES|hash mismatch",
     "下载到的文件和课程登记的指纹不一致（镜像不完整或文件损坏）：请换一个软件源，或重新复制离线包",
     "A downloaded file does not match its recorded hash: use another mirror, or copy the bundle again"),
    ("network",
     r"NewConnectionError|ConnectTimeout|ReadTimeout|Max retries|Temporary failure|timed out|getaddrinfo"
     r"|connection (reset|refused)|dns error|error sending request|client error|Failed to fetch"
     r"|CERTIFICATE_VERIFY|ProxyError|Network is unreachable|network connectivity",
     "连不上软件源：请检查网络（没有网络的电脑请用 python start.py --offline 离线包文件夹）",
     "The package index cannot be reached: check the network (without one: python start.py --offline DIR)"),
    ("missing",
     r"No matching distribution|not found in the (package registry|provided)|No solution found|unsatisfiable",
     "软件源（或离线包）里缺少需要的软件包：请换一个软件源，或重新制作离线包",
     "The package index or bundle lacks a package: use another mirror, or make a new bundle"),
    ("build",
     r"Failed to build|Failed building wheel|subprocess-exited-with-error|build backend",
     "有软件包没有现成的安装文件（多半是 Python 版本太新）：请改用 Python 3.11～3.13",
     "A package has no ready-made file, most likely because this Python is too new: use Python 3.11 to 3.13"),
]


def explain(words: str, log: str) -> InstallFailed:
    """The failure that an installer's output tells of."""
    for kind, pattern, chinese, english in CAUSES:
        if re.search(pattern, words, re.IGNORECASE):
            return InstallFailed(kind, f"{chinese}，再运行一次。详情见 {log}。",
                                 f"{english}; then run again. Details: {log}.")
    return InstallFailed("unknown", f"安装没有成功：请再运行一次；还是不行，就把 {log} 发给老师看。",
                         f"The installation failed: run it again; if that fails, show {log} to a teacher.")


def run(course: Course, command: list, env: dict) -> None:
    """Run one installer; its words go to the log. Raises InstallFailed."""
    command = [str(part) for part in command]
    with open(course.log, "ab") as log:
        log.write(f"\n$ {' '.join(command)}\n".encode())
        log.flush()
        began = log.tell()
        process = subprocess.Popen(command, cwd=course.root, env=env, stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=log, close_fds=False)
        try:
            _wait_visibly(process)
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if process.returncode:
        words = course.log.read_bytes()[began:].decode("utf-8", "replace")
        if shutil.disk_usage(course.root).free < GIGABYTE // 20:  # 磁盘全满时，日志也写不进去
            words += "No space left on device"
        raise explain(words, course.log.name)


def _wait_visibly(process: subprocess.Popen) -> None:
    began = time.monotonic()
    while True:
        try:
            process.wait(timeout=1)
            break
        except subprocess.TimeoutExpired:
            if sys.stdout.isatty():
                print(f"\r  已经 {time.monotonic() - began:.0f} 秒", end="", flush=True)
    if sys.stdout.isatty():
        print("\r" + " " * 20 + "\r", end="", flush=True)


def say(text: str) -> None:
    print(text, flush=True)


def environment(course: Course) -> dict[str, str]:
    """Variables for programs in ``.venv``; its scripts come first (nbgrader calls alembic by name)."""
    foreign = ("PYTHONHOME", "PYTHONPATH", "__PYVENV_LAUNCHER__")
    env = {name: value for name, value in os.environ.items() if name not in foreign}
    env["VIRTUAL_ENV"] = str(course.venv)
    env["PATH"] = str(course.scripts) + os.pathsep + env.get("PATH", "")
    env["PYTHONUTF8"] = "1"  # 中文 Windows 默认 GBK：文件读写一律按 UTF-8
    return env


def installer_environment(course: Course, offline: Path | None = None) -> dict[str, str]:
    """As :func:`environment`; offline nothing configured counts, online uv learns what pip was told."""
    env = environment(course)
    if offline:
        env = {k: v for k, v in env.items() if not k.startswith(("PIP_", "UV_")) or k == "UV_CACHE_DIR"}
        return env | {"PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1", "UV_OFFLINE": "1"}
    return uv_environment(pip_config(course.python, env)) | env


def pip_config(python: Path, env: dict[str, str]) -> dict[str, str]:
    told = subprocess.run([python, "-I", "-m", "pip", "config", "list"], env=env, capture_output=True,
                          text=True, encoding="utf-8", errors="replace")
    return parse_pip_config(told.stdout)


def parse_pip_config(words: str) -> dict[str, str]:
    """Settings in the output of ``pip config list``; a variable outranks ``install.``, that ``global.``.

    >>> parse_pip_config("global.index-url='https://a/simple'\\\\n:env:.index-url='https://b/simple'")
    {'index-url': 'https://b/simple'}
    """
    ranks = {"global": 0, "install": 1, ":env:": 2}
    found = []
    for line in words.splitlines():
        key, equals, value = line.partition("=")
        scope, dot, name = key.partition(".")
        if equals and dot and scope in ranks:
            found.append((ranks[scope], name, str(ast.literal_eval(value))))
    return {name: value for _, name, value in sorted(found)}


def uv_environment(pip: dict[str, str]) -> dict[str, str]:
    """pip's settings as uv's variables: schools set their mirror with ``pip config``, uv does not read it.

    >>> uv_environment({"index-url": "https://mirror/simple"})["UV_DEFAULT_INDEX"]
    'https://mirror/simple'
    """
    names = {
        "index-url": ["UV_DEFAULT_INDEX"],
        "extra-index-url": ["UV_INDEX"],
        "find-links": ["UV_FIND_LINKS"],
        "trusted-host": ["UV_INSECURE_HOST"],
        "cert": ["SSL_CERT_FILE"],
        "proxy": ["HTTP_PROXY", "HTTPS_PROXY"],
    }
    # 像 pip 一样在所有来源里找；有指纹把关，混用来源也安全
    env = {"UV_INDEX_STRATEGY": "unsafe-best-match", "UV_HTTP_TIMEOUT": "120"}
    for setting, variables in names.items():
        if pip.get(setting):
            separator = "," if setting == "find-links" else " "
            env.update(dict.fromkeys(variables, separator.join(pip[setting].split())))
    return env
