"""``crm lock``：按 pyproject.toml 重新算出三个锁文件。

Each set is a superset of the one before with equal versions, and no file names a host or a path:
schools install from whatever mirror they have, the hashes guard the contents.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from crmlib import paths
from crmlib.cli import CourseError, Parser
from crmlib.install import LOCKS, Course, pip_config, read_lock, uv_environment

OPTIONS = [
    "--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url",
    "--no-emit-find-links", "--no-header", "--no-annotate", "--quiet",
]


def main(argv=None) -> int:
    """Recompile the locks; all three are replaced, or none. Needs the network."""
    parser = Parser(prog="crm lock", description="按 pyproject.toml 重算锁文件（要联网）")
    parser.add_argument("--upgrade", action="store_true", help="升到最新版本；不写就尽量保持现在的版本")
    options = parser.parse_args(argv)
    course = Course(paths.root())
    with tempfile.TemporaryDirectory() as folder:
        drafts = compile_locks(course, Path(folder), options.upgrade)
        for level, draft in drafts.items():
            report(course.lock(level), draft)
            shutil.copy(draft, course.lock(level))
    return 0


def compile_locks(course: Course, folder: Path, upgrade: bool) -> dict[str, Path]:
    """New lock files in ``folder``, each bound to the versions of the set it contains."""
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if uv is None:
        raise CourseError("找不到 uv：请运行 python start.py lock，它会先装好。")
    env = uv_environment(pip_config(sys.executable, os.environ)) | os.environ
    drafts, bound = {}, []
    for level, name in LOCKS.items():
        print(f"计算 {name} ……", flush=True)
        draft = shutil.copy(course.lock(level), folder / name)  # uv 从旧文件里取现在的版本
        extra = [] if level == "student" else ["--extra", level]
        command = [uv, "pip", "compile", *OPTIONS, *extra, *bound, *["--upgrade"] * upgrade]
        ended = subprocess.run([*command, "pyproject.toml", "-o", draft], cwd=course.root, env=env,
                               capture_output=True, text=True, encoding="utf-8", errors="replace")
        if ended.returncode:
            raise CourseError(f"{name} 算不出来，三个锁文件都没有改动。uv 说：\n{ended.stderr.strip()}")
        check_lock(draft)
        drafts[level], bound = draft, ["-c", draft]
    return drafts


def report(old: Path, new: Path) -> None:
    before, after = ({text for text, _ in read_lock(file)} for file in (old, new))
    print(f"{old.name}：{len(after)} 项" + ("，没有变化" if before == after else ""))
    for text in sorted(before ^ after):
        print("  " + ("＋ " if text in after else "− ") + text)


def check_lock(path: Path) -> None:
    """Raise CourseError if a lock names a host or a path, or has an entry without version or hash."""
    for text, hashes in read_lock(path):
        if not re.match(r"[A-Za-z0-9._-]+(\[[\w,-]+\])?==\S+( ; |$)", text) or "://" in text:
            raise CourseError(f"{path.name} 里的“{text}”不是“包名==版本”：锁文件里不许有网址和路径。")
        if not hashes or not all(re.fullmatch("sha256:[0-9a-f]{64}", h) for h in hashes):
            raise CourseError(f"{path.name} 里的 {text} 没有 sha256 指纹。")
