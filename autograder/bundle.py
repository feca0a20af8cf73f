"""``crm bundle``：把安装要用的软件包下载到一个文件夹，给没有网络的电脑用。

The bundle is a wheelhouse: the wheels of one lock for one system and Python, uv and pip to install
them, ``bundle.json`` (what it is for; name, size and SHA-256 of every file) and a note in Chinese.
``python start.py --offline DIR`` checks the list and installs from it.
"""

import hashlib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from packaging import tags
from packaging.requirements import Requirement
from packaging.utils import parse_wheel_filename

from crmlib import paths
from crmlib.cli import CourseError, Parser
from crmlib.install import SETS, Course, digest, explain, machine, read_lock

# 名称 → sys.platform、start.py 所说的机型、锁文件里的条件用到的值、wheel 的平台标签
TARGETS = {
    "windows": ("win32", "x86_64", ("nt", "Windows", "AMD64"), ["win_amd64"]),
    "linux": ("linux", "x86_64", ("posix", "Linux", "x86_64"),
              [f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)]),
    "linux-arm": ("linux", "arm64", ("posix", "Linux", "aarch64"),
                  [f"manylinux_2_{minor}_aarch64" for minor in range(28, 16, -1)]),
    "macos": ("darwin", "arm64", ("posix", "Darwin", "arm64"), list(tags.mac_platforms((14, 0), "arm64"))),
}

NOTE = """\
物流客户关系管理 互动课程：离线包
适用：{system}，Python {python}（64 位）

怎样用（每台电脑做一次，不用联网）：
1. 装好 Python {python}（64 位）。Windows 安装时勾选 Add python.exe to PATH。
2. 把课程文件夹和这个文件夹一起复制到电脑上（磁盘要空出 2 GB）。
3. 在课程文件夹里打开命令行，运行：
   python start.py --offline 这个文件夹的路径
   例如：python start.py --offline D:\\离线包
4. 以后打开课程，只要运行：python start.py

这个文件夹里的 {count} 个文件一个也不能少；清单是 bundle.json。
课程更新以后，离线包也要重新制作：python start.py bundle {arguments}
"""


def main(argv=None) -> int:
    """Download a bundle; running it again takes up where it was broken off."""
    parser = Parser(prog="crm bundle", description="制作离线包，给没有网络的电脑安装课程用")
    parser.add_argument("folder", metavar="DIR", type=Path, help="放离线包的文件夹")
    parser.add_argument("--platform", choices=[*TARGETS, "here"], default="windows",
                        help="给哪种系统用；here 是和这台一样；缺省 windows")
    parser.add_argument("--python", default="3.12", help="那些电脑上的 Python 版本；缺省 3.12")
    parser.add_argument("--set", choices=SETS, default="student", dest="level",
                        help="student 学生机，teacher 教师机，test 连同测试；缺省 student")
    options = parser.parse_args(argv)
    if not re.fullmatch(r"3\.\d+", options.python) or int(options.python[2:]) < 11:
        raise CourseError(f"--python {options.python} 不对：写 3.11 或更新的版本，如 3.12。")
    if options.folder.exists() and not options.folder.is_dir():
        raise CourseError(f"{options.folder} 是一个文件，不是文件夹：请换一个名字。")
    target = here() if options.platform == "here" else options.platform
    options.folder.mkdir(parents=True, exist_ok=True)
    make_bundle(Course(paths.root()), options.folder, target, options.python, options.level)
    return 0


def here() -> str:
    """The target that this computer is."""
    for name, (system, kind, _, _) in TARGETS.items():
        if (system, kind) == (sys.platform, machine()):
            return name
    raise CourseError(f"没有这种电脑的离线包：{sys.platform} {machine()}。")


def needed(lock: Path, target: str, full_version: str) -> list[tuple[str, list[str]]]:
    """Entries of a lock that apply on the target, without their conditions: ``[("six==1.17.0", hashes)]``."""
    system, _, (os_name, platform_system, platform_machine), _ = TARGETS[target]
    conditions = {
        "os_name": os_name, "sys_platform": system, "platform_system": platform_system,
        "platform_machine": platform_machine, "python_full_version": full_version,
        "python_version": full_version.rpartition(".")[0], "implementation_name": "cpython",
        "platform_python_implementation": "CPython", "implementation_version": full_version,
        "platform_release": "", "platform_version": "",
    }
    found = []
    for text, hashes in read_lock(lock):
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate(conditions):
            found.append((f"{requirement.name}{requirement.specifier}", hashes))
    return found


def make_bundle(course: Course, folder: Path, target: str, python: str, level: str) -> dict:
    """Fill ``folder``; returns the list that ``bundle.json`` holds. The list is written last."""
    (folder / "bundle.json").unlink(missing_ok=True)
    uv = [entry for entry in read_lock(course.lock("teacher")) if entry[0].startswith("uv==")]
    # 锁文件里的条件有的细到 3.11.5 这样的小版本；不知道那些电脑是哪个，就都带上
    wanted = {}
    for full_version in (f"{python}.99", f"{python}.0"):
        entries = dict(needed(course.lock(level), target, full_version) + uv)
        new = {name: hashes for name, hashes in entries.items() if name not in wanted}
        if new:
            print(f"给 {target}、Python {python} 下载 {len(new)} 个软件包……", flush=True)
            download(folder, target, full_version, new)
        wanted |= new
    download(folder, target, f"{python}.99", {"pip": []})

    owners = {sha256: name for name, hashes in wanted.items() for sha256 in hashes}
    newest_pip = max(folder.glob("pip-*.whl"), key=lambda wheel: parse_wheel_filename(wheel.name)[1])
    files, spare, present = [], 0, set()
    for wheel in sorted(folder.glob("*.whl")):
        sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if f"sha256:{sha256}" in owners or wheel == newest_pip:
            present.add(owners.get(f"sha256:{sha256}"))
            files.append({"name": wheel.name, "size": wheel.stat().st_size, "sha256": sha256})
        else:
            spare += 1
    if left := [name for name in wanted if name not in present]:
        raise CourseError(f"离线包还缺 {len(left)} 个软件包（{'、'.join(left[:3])}）：请再运行一次。")

    system, kind, _, _ = TARGETS[target]
    manifest = {
        "format": 1, "system": system, "machine": kind, "python": python,
        "locks": {name: digest(course.lock(name)) for name in SETS[: SETS.index(level) + 1]},
        "files": files,
    }
    note = NOTE.format(system=target, python=python, count=len(files),
                       arguments=f"--platform {target} --python {python} --set {level} 文件夹")
    (folder / "说明.txt").write_text(note, encoding="utf-8-sig", newline="\r\n")  # 老记事本也认得
    (folder / "bundle.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")
    size = sum(f["size"] for f in files) / 1e6
    print(f"离线包做好了：{folder}，{len(files)} 个文件，{size:.0f} MB。用法见里面的“说明.txt”。")
    if spare:
        print(f"文件夹里另有 {spare} 个用不到的安装包，可以删掉。")
    return manifest


def download(folder: Path, target: str, full_version: str, wanted: dict[str, list[str]]) -> None:
    """Wheels of the packages (name → hashes) into ``folder``; what is there already is not fetched again."""
    lines = [" ".join([name, *(f"--hash={h}" for h in hashes)]) for name, hashes in wanted.items()]
    hashed = ["--require-hashes"] if all(wanted.values()) else []
    compact = "cp" + full_version.rpartition(".")[0].replace(".", "")
    fits = ["--python-version", full_version, "--implementation", "cp"]
    for abi in (compact, "abi3", "none"):
        fits += ["--abi", abi]
    for platform in TARGETS[target][3]:
        fits += ["--platform", platform]
    with tempfile.TemporaryDirectory() as scratch:
        listed = Path(scratch) / "wanted.txt"
        listed.write_text("\n".join(lines), encoding="utf-8")
        ended = subprocess.run(
            [sys.executable, "-I", "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", *hashed,
             "--disable-pip-version-check", "--no-input", "--quiet", *fits, "-d", folder, "-r", listed],
            capture_output=True, text=True, encoding="utf-8", errors="replace")
    if ended.returncode:
        words = ended.stdout + ended.stderr
        if "No module named pip" in words:
            raise CourseError("这个环境里没有 pip：请用 python start.py bundle 来运行。")
        missing = re.search(r"No matching distribution found for (\S+)", words)
        if missing and explain(words, "").kind != "network":
            python = full_version.rpartition(".")[0]
            raise CourseError(f"软件源里没有 {missing[1]} 给 {target}、Python {python} 的安装包："
                              "请换一个 Python 版本或软件源。")
        raise CourseError(f"下载没有成功，再运行一次会接着来。pip 说：\n{words.strip()[-600:]}")
