"""``crm lab``：打开课程。启动 JupyterLab，停在课程首页，只说中文，只说要紧的话。"""

import logging
import os
import secrets
import signal
import socket
import sys
import unicodedata
from pathlib import Path

# jsonschema 一见到这个包就编译一大套网址语法，占去启动时间的近一半；这里没有要查的网址
sys.modules.setdefault("rfc3987_syntax", None)

from jupyter_core.paths import jupyter_config_dir, jupyter_data_dir  # noqa: E402
from jupyter_server.serverapp import ServerApp  # noqa: E402
from jupyter_server.services.kernels.kernelmanager import ServerKernelManager  # noqa: E402
from tornado.netutil import bind_sockets  # noqa: E402
from traitlets.config import Config  # noqa: E402

from crmlib import paths  # noqa: E402
from crmlib.cli import CourseError, Parser  # noqa: E402

FIRST_PORT, TRIES = 8888, 50
TEACHER_SETTINGS = Path(__file__).parent / "jupyter" / "teacher"


def main(argv=None) -> int:
    """Run the server until it is stopped; returns 0.

    Raises CourseError when the course's folder is missing or no port is free.
    """
    options = _parser().parse_args(argv)
    klass = _class_folder(options.course) if options.teacher else None
    folder = paths.root() if options.teacher else paths.notebooks()
    if klass and not klass.is_relative_to(folder.resolve()):
        folder = klass
    if not folder.is_dir():
        raise CourseError(f"找不到课程文件夹 {folder}。请在课程文件夹里运行 crm lab"
                          f"（Course folder not found: {folder}）")
    port = _free_port(options.ip, options.port)
    _prepare_environment(options.teacher)
    if klass:
        os.chdir(klass)  # nbgrader 在当前文件夹里找 nbgrader_config.py

    server = CourseServer(
        config=_config(folder.resolve(), options.ip, port, browser=not options.no_browser),
        jpserver_extensions={"jupyterlab": True, "crmlib.server": True},
    )
    # 学生机只装这两个扩展：打开快，也没有终端和老师面板；老师那边装上全部
    server.initialize(argv=[], find_extensions=options.teacher, starter_extension="lab")
    server.start()
    print("课程已关闭。")
    return 0


def _parser() -> Parser:
    parser = Parser(prog="crm lab", description="打开课程（JupyterLab 和课程首页）")
    parser.add_argument("--port", type=int, metavar="端口", help="端口号；不写就从 8888 起找一个空的")
    parser.add_argument("--ip", default="127.0.0.1", help="监听的地址；默认只有本机能打开")
    parser.add_argument("--no-browser", action="store_true", help="不自动打开浏览器，只显示地址")
    parser.add_argument("--teacher", action="store_true", help="老师用：打开整个课程文件夹和批改面板")
    parser.add_argument("--course", metavar="文件夹", type=Path, help="老师用：批改面板打开哪个班级文件夹")
    return parser


def _class_folder(wanted: Path | None) -> Path | None:
    """The class folder (an nbgrader course) that the grading panel opens.

    The named one, the one that we are in, the only one just below, or the course's own assignments/;
    None if there is none. CourseError if the named one is no class folder, or it is not clear which.
    """
    config = "nbgrader_config.py"
    if wanted is not None:
        if not (wanted / config).is_file():
            raise CourseError(f"{wanted} 不是班级文件夹（里面没有 {config}）。"
                              "要建一个：crm class new 文件夹名")
        return wanted.resolve()
    here = Path.cwd().resolve()
    below = sorted(p.parent for p in here.glob("*/class.json"))
    if not (here / config).is_file() and len(below) > 1:
        names = "、".join(p.name for p in below)
        raise CourseError(f"这里有 {len(below)} 个班级文件夹：{names}。加上 --course 班级，写明是哪一个。")
    places = [here, *below, paths.root() / "assignments"]
    return next((p.resolve() for p in places if (p / config).is_file()), None)


def _free_port(ip: str, wanted: int | None) -> int:
    """The wanted port, or the first free one from FIRST_PORT on; CourseError if there is none."""
    if wanted is not None and not 0 <= wanted <= 65535:
        raise CourseError(f"没有 {wanted} 号端口，应在 1 到 65535 之间（No such port）")
    for port in [wanted] if wanted is not None else range(FIRST_PORT, FIRST_PORT + TRIES):
        try:
            for sock in bind_sockets(port, ip):
                port = sock.getsockname()[1]  # 0 号端口：系统给哪个就是哪个
                sock.close()
        except socket.gaierror:
            raise CourseError(f"地址 {ip} 不对，应像 127.0.0.1 这样（Bad --ip address: {ip}）") from None
        except OSError:
            continue
        return port
    if wanted is None:
        raise CourseError(f"{FIRST_PORT} 到 {FIRST_PORT + TRIES - 1} 的端口都被占用了，请先关掉别的 Jupyter"
                          "（No free port）")
    raise CourseError(f"端口 {wanted} 打不开，多半是别的程序在用。换一个端口，或者不写 --port，让程序自己找"
                      f"（Port {wanted} is not available）")


def _prepare_environment(teacher: bool) -> None:
    """Point this process and its kernels at the course's own programs and settings."""
    scripts = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join([scripts, os.environ.get("PATH", "")])
    # 自己一套设置：这台电脑上别的 Jupyter 留下的密码、语言、坏扩展都影响不到课程
    os.environ.setdefault("JUPYTER_CONFIG_DIR", str(Path(jupyter_config_dir()) / "crm-course"))
    os.environ.setdefault("JUPYTER_DATA_DIR", str(Path(jupyter_data_dir()) / "crm-course"))
    os.environ.setdefault("CRM_COURSE", str(paths.root().resolve()))
    if teacher:
        os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(
            filter(None, [str(TEACHER_SETTINGS), os.environ.get("JUPYTER_CONFIG_PATH")]))


def _config(folder: Path, ip: str, port: int, browser: bool) -> Config:
    return Config({
        "Application": {"log_level": logging.ERROR},
        "ServerApp": {
            "root_dir": str(folder),
            "ip": ip,
            "port": port,
            "port_retries": 0,
            "open_browser": browser,
            "default_url": "/crm",  # crmlib.server 从这里转到首页
            "allow_root": True,
            "terminals_enabled": False,
        },
        "AsyncMultiKernelManager": {"kernel_manager_class": "crmlib.lab.QuietKernel"},
        # 自己给口令，启动时就不会再打印一大段英文地址
        "IdentityProvider": {"token": os.environ.get("JUPYTER_TOKEN") or secrets.token_hex(16)},
        # 不联网：不查新闻，不查更新，不找扩展
        "LabApp": {
            "news_url": None,
            "check_for_updates_class": "jupyterlab.handlers.announcements.NeverCheckForUpdate",
            "extension_manager": "readonly",
        },
    })


class QuietKernel(ServerKernelManager):
    """A Python kernel that does not print its own advice to developers in the student's window."""

    def format_kernel_cmd(self, extra_arguments=None):
        return super().format_kernel_cmd([*(extra_arguments or []), "--log-level=ERROR"])


class CourseServer(ServerApp):
    """Jupyter's server, speaking Chinese to whoever looks at the black window."""

    @property
    def address(self) -> str:
        """Where the course opens, token included."""
        host = socket.gethostname() if self.ip in ("", "0.0.0.0", "::") else self.ip
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.port}{self.base_url}crm?token={self.identity_provider.token}"

    def start_app(self) -> None:
        super().start_app()
        # 排在“开始监听”后面：地址一显示出来，就真的打得开
        self.io_loop.add_callback(print, _banner(self.address), flush=True)

    def init_signal(self) -> None:
        super().init_signal()
        if os.name == "posix":  # Windows 上 Ctrl+C 由 start_ioloop 接住
            signal.signal(signal.SIGINT, self._signal_stop)

    def _signal_stop(self, sig, frame) -> None:
        """Stop at once: answers are saved at every click, so nothing needs confirming."""
        print("\n正在关闭课程……", flush=True)
        self.stop(from_signal=True)


def _banner(address: str) -> str:
    lines = [
        "课程打开了：物流客户关系管理",
        "",
        "浏览器没有自动弹出？把下面这行地址复制到浏览器的地址栏：",
        "",
        f"  {address}",
        "",
        "上课时不要关这个窗口。下课了，在这里按 Ctrl+C 关闭课程。",
    ]
    rule = "=" * (4 + max(map(_width, lines)))
    return "\n".join(["", rule, *(f"  {line}" for line in lines), rule, ""])


def _width(text: str) -> int:
    """Columns that a terminal needs for the text: 汉字占两格."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
