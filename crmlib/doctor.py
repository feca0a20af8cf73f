"""``crm doctor``：给这台电脑做体检。一行一项，有问题的写明怎么办。"""

import json
import os
import platform
import shutil
import socket
import sys
import tempfile
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from crmlib import paths
from crmlib.cli import Parser
from crmlib.install import GIGABYTE, LOCKS, read_lock

OK, NOTE, FAIL = "OK", "注意", "FAIL"
PORT = 8888  # crm lab 从这个端口起找空的
REDO = "删掉课程文件夹里的 .venv，再运行 python start.py。"
COPY = "从课程包里重新复制 {} 文件夹。"


class Finding(NamedTuple):
    level: str
    text: str
    remedy: str = ""

    def __str__(self):
        return f"[{self.level}] {self.text}" + (f" → {self.remedy}" if self.remedy else "")


def main(argv=None) -> int:
    """Print one line per check; returns 1 if any failed."""
    Parser(prog="crm doctor",
           description="给这台电脑做体检：[OK] 正常，[注意] 能用，[FAIL] 要修").parse_args(argv)
    print(f"{platform.platform()} · Python {platform.python_version()} · {paths.root()}")
    findings = []
    for check in CHECKS:
        findings.append(examine(check))
        print(findings[-1], flush=True)
    failed = sum(f.level == FAIL for f in findings)
    noted = sum(f.level == NOTE for f in findings)
    print(f"有 {failed} 项要修，先看 [FAIL] 的那一行。" if failed
          else f"可以上课。有 {noted} 项值得留意。" if noted else "一切正常，可以上课。")
    return 1 if failed else 0


def examine(check) -> Finding:
    """The finding of one check; a check that itself breaks down is a finding too."""
    try:
        return check()
    except Exception as error:
        return Finding(FAIL, f"{check.__doc__}：没查成（{type(error).__name__}: {error}）", REDO)


def python() -> Finding:
    """Python 版本"""
    text = f"Python {platform.python_version()}"
    if sys.version_info >= (3, 14):
        return Finding(NOTE, text, "课程在 3.11～3.13 上试过；遇到怪事，换成其中一个再试。")
    if sys.maxsize <= 2**32:
        return Finding(FAIL, f"{text} 是 32 位的", "请改装 64 位的 Python。")
    return Finding(OK, text)


def packages() -> Finding:
    """软件包"""
    from packaging.requirements import Requirement

    level = installed_set()
    wanted = [Requirement(text) for text, _ in read_lock(paths.root() / LOCKS[level])]
    wanted = [r for r in wanted if r.marker is None or r.marker.evaluate()]
    missing, other = [], []
    for requirement in wanted:
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            missing.append(requirement.name)
        else:
            if not requirement.specifier.contains(found, prereleases=True):
                other.append(f"{requirement.name} {found}（应为 {str(requirement.specifier)[2:]}）")
    if missing:
        return Finding(FAIL, f"软件包：缺 {len(missing)} 个：{_some(missing)}", REDO)
    if other:
        return Finding(FAIL, f"软件包：{len(other)} 个版本不对：{_some(other)}", REDO)
    return Finding(OK, f"软件包：{len(wanted)} 个，版本都和 {LOCKS[level]} 一致")


def installed_set() -> str:
    """The set of packages that start.py put into this environment; ``student`` if it was not start.py."""
    try:
        return json.loads((Path(sys.prefix) / "crm-installed.json").read_text("utf-8"))["set"]
    except (OSError, ValueError, KeyError):
        return "student"


def imports() -> Finding:
    """软件包能不能装入"""
    from importlib import import_module

    broken = []
    for name in ("zmq", "lxml.etree", "numpy", "pandas", "matplotlib", "jupyterlab", "anywidget"):
        try:
            import_module(name)
        except Exception as error:  # 多半是杀毒软件删了文件，或者缺系统运行库
            broken.append(f"{name}（{error}）")
    if broken:
        return Finding(FAIL, f"软件包装了却用不了：{_some(broken, 2)}",
                       f"让杀毒软件信任课程文件夹；Windows 再装一次微软 VC++ 运行库。然后{REDO}")
    return Finding(OK, "软件包都能装入")


def font() -> Finding:
    """图表的中文字体"""
    from matplotlib.ft2font import FT2Font

    from crmlib.style import FONTS

    files = sorted(FONTS.glob("*.ttf"))
    if not files:
        return Finding(FAIL, f"图表的中文字体不在：{FONTS}", COPY.format("crmlib"))
    for file in files:
        face = FT2Font(str(file))
        if not all(face.get_char_index(ord(c)) for c in "物流客户关系管理"):
            return Finding(FAIL, f"字体文件 {file.name} 不完整", COPY.format("crmlib"))
    return Finding(OK, "图表的中文字体：" + "、".join(file.stem for file in files))


def data() -> Finding:
    """课程数据"""
    from crmlib.data import schema

    tables = schema()
    if not tables:
        return Finding(FAIL, "数据字典是空的", COPY.format("datasets"))
    missing = [f"{name}.csv" for name in tables if not (paths.datasets() / f"{name}.csv").is_file()]
    if missing:
        return Finding(FAIL, f"课程数据缺 {len(missing)} 张表：{_some(missing)}", COPY.format("datasets"))
    return Finding(OK, f"课程数据：{len(tables)} 张表都在")


def course_map() -> Finding:
    """课程地图"""
    file = paths.notebooks() / "course.json"
    try:
        course = json.loads(file.read_text("utf-8"))
        units = [unit for module in course["modules"] for unit in module["units"]]
        missing = [u["path"] for u in units if not (paths.notebooks() / u["path"]).is_file()]
    except FileNotFoundError:
        return Finding(FAIL, f"课程地图不在：{file}", COPY.format("notebooks"))
    except (ValueError, KeyError, TypeError):
        return Finding(FAIL, f"课程地图损坏了：{file}", COPY.format("notebooks"))
    if missing:
        text = f"课程地图里的 {len(missing)} 课不在：{_some(missing)}"
        return Finding(FAIL, text, COPY.format("notebooks"))
    return Finding(OK, f"课程地图：{len(units)} 课")


def settings() -> Finding:
    """JupyterLab 的课程设置"""
    project = tomllib.loads((paths.root() / "pyproject.toml").read_text("utf-8"))
    copies = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    for source, target in copies.items():
        source, target = paths.root() / source, Path(sys.prefix) / target
        files = [p for p in source.rglob("*") if p.is_file()] if source.is_dir() else [source]
        for file in files:
            copy = target / file.relative_to(source) if source.is_dir() else target
            if not copy.is_file():
                return Finding(FAIL, f"JupyterLab 的课程设置没有装上：{copy}", REDO)
            if copy.read_bytes() != file.read_bytes():
                text = f"JupyterLab 的课程设置不是最新的：{copy.name}"
                return Finding(NOTE, text, "运行 python start.py。")
    return Finding(OK, "JupyterLab 的课程设置（中文界面、运行全部按钮）")


def writing() -> Finding:
    """写入权限"""
    folder = paths.notebooks()
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"1")
    except OSError as error:
        text = f"不能在 {folder} 里保存（{error.strerror}）"
        return Finding(FAIL, text, "把课程文件夹复制到桌面或 D 盘再用。")
    return Finding(OK, "可以保存答案")


def disk() -> Finding:
    """磁盘空间"""
    free = shutil.disk_usage(paths.root()).free / GIGABYTE
    text = f"磁盘还剩 {free:.1f} GB"
    if free < 0.1:
        return Finding(FAIL, text, "清理磁盘，否则答案存不下来。")
    return Finding(NOTE, text, "清理出 1 GB 以上更稳妥。") if free < 1 else Finding(OK, text)


def memory() -> Finding:
    """内存"""
    try:
        import psutil
    except ImportError:
        return Finding(NOTE, "内存：未知")
    state = psutil.virtual_memory()
    text = f"内存共 {state.total / GIGABYTE:.1f} GB，可用 {state.available / GIGABYTE:.1f} GB"
    if state.available < GIGABYTE / 2:
        return Finding(NOTE, text, "关掉不用的程序和网页。")
    return Finding(OK, text)


def address() -> Finding:
    """本机地址"""
    with socket.socket() as server:
        if os.name == "posix":  # 刚关掉的课程不算占用；Windows 上这个选项的意思正好相反
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind(("127.0.0.1", PORT))
        except OSError:
            text = f"端口 {PORT} 有程序在用（也许课程已经打开了）"
            return Finding(NOTE, text, "不用管，课程会自动换一个端口。")
        server.listen()
        try:
            socket.create_connection(server.getsockname(), timeout=5).close()
        except OSError as error:
            text = f"浏览器连不上本机地址 127.0.0.1（{error}）"
            return Finding(FAIL, text, "让防火墙或杀毒软件放行 Python。")
    return Finding(OK, "本机地址 127.0.0.1 可用")


def browser() -> Finding:
    """浏览器"""
    import webbrowser

    try:
        webbrowser.get()
    except webbrowser.Error:
        return Finding(NOTE, "没有找到浏览器", "打开课程时会印出网址，把它复制到别的电脑或浏览器里打开。")
    return Finding(OK, "浏览器会自动打开")


CHECKS = [
    python, packages, imports, font, data, course_map, settings, writing, disk, memory, address, browser,
]


def _some(names: list[str], most: int = 4) -> str:
    return "、".join(names[:most]) + ("……" if len(names) > most else "")
