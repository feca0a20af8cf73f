"""学生代码在这里跑：暖进程先把库装好，每份作业分出一个进程，跑完就没了。

这个进程手里没有隐藏测试、标准答案、别人的作业：它只收到一格一格的代码，交回输出和变量的值。
所以它说的话只当作学生的答案，从不当作分数。

``python -m autograder.engine.runner zygote FD``   有 fork 的系统：一个暖进程，按要求分身
``python -m autograder.engine.runner once ADDRESS`` 没有 fork 的系统：预先起好的进程，一份作业用一个
第一行标准输入是 JSON：{"modules": [...], "folders": [...], "key": "…"}。
"""

import contextlib
import json
import os
import signal
import sys

CELL_TEXT = 1_000_000  # 一格最多留下这么多字符的输出
CELL_DATA = 4_000_000  # 图等，一格最多这么多字符
MESSAGE = 64 << 20  # 一封信最多这么多字节
CUT, TOO_LARGE = "\n（输出太多，后面的省略了）\n", "（这一格的图和表太大，没有留下）"

# 库第一次做这些事时还要再装东西：先做一遍，每份作业就不用各做一遍。1 / 0：第一次报错最慢
_FIRST = {
    "IPython": "1 / 0",
    "pandas": "import pandas\npandas.DataFrame({'a': [1.5], 'b': ['x']}).describe()",
    "matplotlib.pyplot": "import matplotlib.pyplot as plt\nplt.plot([0, 1])\nplt.title('x')\nplt.show()",
    "sklearn.linear_model": "from sklearn.linear_model import LinearRegression as R\n"
                            "R().fit([[0], [1]], [0, 1])",
    "sklearn.ensemble": "from sklearn.ensemble import RandomForestClassifier as F\n"
                        "F(2).fit([[0], [1]], [0, 1])",
    "sklearn.cluster": "from sklearn.cluster import KMeans as K\nK(1, n_init=1).fit([[0.0], [1.0]])",
}


# ---- 一格一格地跑 ----

class Cells:
    """An IPython without kernel: runs cells, keeps their outputs as nbformat has them."""

    def __init__(self):
        from IPython.core.displayhook import DisplayHook
        from IPython.core.displaypub import DisplayPublisher
        from IPython.core.interactiveshell import InteractiveShell
        from traitlets.config import Config

        cells, self.outputs, self.room, self.running, self.quiet = self, [], [0, 0], False, False

        class Publisher(DisplayPublisher):
            def publish(self, data, metadata=None, *, transient=None, update=False, **_):
                cells.add("display_data", data, metadata, transient, update)

            def clear_output(self, wait=False):
                cells.outputs.clear()

        class Hook(DisplayHook):
            def start_displayhook(self):
                pass

            def write_output_prompt(self):
                pass

            def write_format_data(self, data, metadata=None):
                cells.add("execute_result", data, metadata)

            def finish_displayhook(self):
                pass

            def log_output(self, data):
                pass

        class Shell(InteractiveShell):
            display_pub_class, displayhook_class = Publisher, Hook

            def enable_gui(self, gui=None):
                pass

            def ask_exit(self):
                pass

            def system(self, command):
                import subprocess

                done = subprocess.run(self.var_expand(command, depth=1), shell=True, capture_output=True)
                print(done.stdout.decode("utf-8", "replace"), end="")
                print(done.stderr.decode("utf-8", "replace"), end="", file=sys.stderr)
                self.user_ns["_exit_code"] = done.returncode

            def _showtraceback(self, kind, value, lines):
                cells.error(kind.__name__, str(value), lines)

            def showtraceback(self, exc_tuple=None, *args, **named):
                if not cells.quiet:
                    return super().showtraceback(exc_tuple, *args, **named)
                kind, value, _ = exc_tuple or sys.exc_info()
                cells.error(kind.__name__, str(value))

        settings = Config()
        settings.HistoryManager.enabled = False
        settings.HistoryManager.hist_file = ":memory:"
        self.shell = Shell.instance(config=settings)
        self.displays = {}
        self.first = dict(self.shell.user_ns)

    def forget(self) -> None:
        """As before the first cell. Much quicker than the shell's own ``reset``."""
        shell = self.shell
        shell.user_ns.clear()
        shell.user_ns.update(self.first)
        shell.history_manager.reset(new_session=False)
        shell.user_ns["_oh"].clear()
        shell.execution_count = 1
        self.displays.clear()
        if plots := sys.modules.get("matplotlib.pyplot"):
            plots.close("all")

    def add(self, kind, data, metadata, transient=None, update=False):
        data = {k: v for k, v in dict(data).items() if v is not None}
        self.room[1] += sum(len(v if isinstance(v, str) else json.dumps(v, default=str))
                            for v in data.values())
        if self.room[1] > CELL_DATA:
            data, metadata = {"text/plain": TOO_LARGE}, {}
        name = (transient or {}).get("display_id")
        output = {"output_type": kind, "data": data, "metadata": dict(metadata or {})}
        if kind == "execute_result":
            output["execution_count"] = self.shell.execution_count
        if update and name in self.displays:
            self.displays[name].update(output)
            return
        if not update:
            self.outputs.append(output)
        if name:
            self.displays[name] = output

    def error(self, name, value, lines=()):
        self.outputs.append({"output_type": "error", "ename": name, "evalue": value[:2000],
                             "traceback": [str(line)[:20_000] for line in list(lines)[-100:]]})

    def write(self, name, text):
        self.room[0] += len(text)
        if self.room[0] > CELL_TEXT:
            if self.room[0] - len(text) > CELL_TEXT:
                return
            text = text[:CELL_TEXT] + CUT
        if self.outputs and self.outputs[-1].get("name") == name:
            self.outputs[-1].setdefault("parts", []).append(text)
        else:
            self.outputs.append({"output_type": "stream", "name": name, "text": "", "parts": [text]})

    def run(self, source, quiet=False) -> dict:
        """Run one cell: {"ok": …, "outputs": […]}. Whatever it raises becomes an error output.

        ``quiet``: errors without their traceback, which takes longer than most cells.
        """
        self.outputs.clear()
        self.quiet = quiet
        self.room[:] = [0, 0]
        self.running, fault = True, None
        try:
            done = self.shell.run_cell(source, store_history=True)
            ok, fault = done.success, done.error_before_exec or done.error_in_exec
        except BaseException as other:
            ok, fault = False, other
        finally:
            self.running = False
        if not ok and not any(o["output_type"] == "error" for o in self.outputs):
            self.error(type(fault).__name__, str(fault))
        for output in self.outputs:
            if "parts" in output:
                output["text"] = "".join(output.pop("parts"))
        return {"ok": ok, "outputs": list(self.outputs)}


class _Stream:
    encoding, errors = "utf-8", "replace"

    def __init__(self, cells, name):
        self._cells, self._name = cells, name

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError("write() argument must be str")
        if text:
            self._cells.write(self._name, text)
        return len(text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def flush(self):
        pass

    def isatty(self):
        return False

    def writable(self):
        return True

    def fileno(self):
        import io

        raise io.UnsupportedOperation("fileno")


def answer(connection, cells) -> None:
    """Do what the grader's messages say, one answer each, until "end"."""
    from autograder.engine import handover

    send, receive = connection.send_bytes, connection.recv_bytes
    write, parse = json.dumps, json.loads

    def interrupted(*_):
        if cells.running:
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupted)
    ask = handover.Caller(connection)
    while True:
        message = parse(receive(MESSAGE))
        match message["do"]:
            case "run":
                reply = {**cells.run(message["source"], message.get("quiet")), "unfit": list(ask.unfit)}
            case "values":  # 本课程的代码题：几个变量的值
                from crmlib.tasks import code

                reply = {"values": code.collect(message, cells.shell.user_ns)}
            case "offer":  # 别人的评分格要读的名字
                reply = {"values": handover.offer(cells.shell.user_ns, message["names"])}
            case "take":  # 在判分的进程里：收下这些值
                reply = {"absent": handover.take(cells.shell.user_ns, message["values"], ask)}
            case "call":  # 判分的进程要调用学生的函数
                cells.running = True
                reply = handover.call(cells.shell.user_ns, message)
                cells.running = False
            case "forget":  # 判分的进程：下一份
                reply = {"forgot": cells.forget() is None}
            case "loaded":  # 装了哪些库
                reply = {"loaded": sorted(set(sys.modules) - cells.modules)}
            case "serve":  # 分出一个进程来答话，自己的状态不受影响
                reply = {"served": _serve(connection, cells)}
            case _:
                return
        send(write(reply, default=str).encode("utf-8", "replace"))


def _serve(connection, cells) -> bool:
    """Fork: the child goes on with the messages until "end"; here we wait for it."""
    if not hasattr(os, "fork"):
        return False
    pid = os.fork()
    if pid == 0:
        connection.send_bytes(b'{"served": true}')
        try:
            answer(connection, cells)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    return True


# ---- 装库，关门，开始 ----

def warm(modules) -> Cells:
    """Import what the assignment imports; the same state for every submission."""
    import gc

    gc.disable()  # 装库的时候不收拾内存，快两成；装好的从此都不用再看，装完也就不收拾
    # 图用内嵌的后端，和 Jupyter 的内核一样
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    cells = Cells()
    _lex_once()
    load(["autograder.engine.handover", "crmlib.tasks.code", *modules])
    for name, source in _FIRST.items():
        if name in sys.modules:
            cells.run(source)
    cells.forget()
    cells.modules = set(sys.modules)
    gc.freeze()
    gc.enable()
    return cells


def load(modules) -> None:
    """Import what can be imported; the student's own cell tells of the rest."""
    import importlib

    for name in modules:
        with contextlib.suppress(Exception):
            importlib.import_module(name)


def _lex_once() -> None:
    """Tracebacks in a third of the time: stack_data makes a new lexer class for each frame it draws.

    Such a class has no rules of its own, so those that its parent has worked out already do for it.
    """
    with contextlib.suppress(ImportError, AttributeError):
        from pygments.lexer import RegexLexerMeta

        work_out = RegexLexerMeta.process_tokendef

        def process_tokendef(cls, name, tokendefs=None):
            own, parent = vars(cls), vars(cls.__mro__[1])
            if "_tokens" in parent and not {"tokens", "flags", "token_variants"} & set(own):
                return parent["_tokens"]
            return work_out(cls, name, tokendefs)

        RegexLexerMeta.process_tokendef = process_tokendef


def start(connection, cells, folder, judge) -> None:
    """The last steps before student code: quiet descriptors, own folder, fresh random numbers.

    ``judge``: libraries come before the folder, whose files a student may have named like them.
    """
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    sys.stdin = open(os.devnull)  # noqa: SIM115
    sys.stdout, sys.stderr = _Stream(cells, "stdout"), _Stream(cells, "stderr")
    sys.__stdout__, sys.__stderr__ = sys.stdout, sys.stderr
    sys.path.insert(len(sys.path) if judge else 0, "")
    temporary = os.path.join(folder, ".tmp")
    with contextlib.suppress(OSError):
        os.makedirs(temporary, exist_ok=True)
    os.environ.update(HOME=folder, USERPROFILE=folder, TMPDIR=temporary, TEMP=temporary, TMP=temporary,
                      MPLCONFIGDIR=temporary, JOBLIB_TEMP_FOLDER=temporary, IPYTHONDIR=temporary,
                      NBGRADER_EXECUTION="autograde")
    import random
    import tempfile

    tempfile.tempdir = None
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()  # 不设种子的随机数，每份作业不一样
    answer(connection, cells)


def _first_line() -> dict:
    line = b""
    while not line.endswith(b"\n"):
        got = os.read(0, 1)
        if not got:
            sys.exit(0)
        line += got
    return json.loads(line)


def once(address) -> None:
    """Without fork: warm up, wait for one submission, end with it."""
    from multiprocessing.connection import Client

    about = _first_line()
    cells = warm(about["modules"])
    connection = Client(address, authkey=about["key"].encode())
    connection.send_bytes(json.dumps({"pid": os.getpid()}).encode())
    message = json.loads(connection.recv_bytes(MESSAGE))
    if message["do"] != "begin":
        return
    os.chdir(message["folder"])
    connection.send_bytes(json.dumps({"layers": []}).encode())
    start(connection, cells, message["folder"], message["judge"])
    connection.close()
    os._exit(0)


def zygote(number) -> None:
    """Fork one guarded process for each request on the control socket; end when it closes."""
    import gc
    import multiprocessing.connection  # noqa: F401  在这里装好，分出的每个进程就不用各装一遍
    import resource  # noqa: F401
    import socket

    from autograder.engine import sandbox

    about = _first_line()
    control = socket.socket(fileno=number)
    # 普通用户要在装库以前做：库会起线程，有线程就建不了用户命名空间。root 要在以后：它会遮住一些文件夹
    root, have = hasattr(os, "geteuid") and os.geteuid() == 0, set()
    if about["guard"] and not root:
        have = sandbox.prepare(about["folders"])
    cells = warm(about["modules"])
    if about["guard"] and root:
        have = sandbox.prepare(about["folders"])
    signal.signal(signal.SIGCHLD, _collect)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # 终端里的 Ctrl-C 由批改的进程处理
    control.sendall(b".")  # 暖好了
    while True:
        data, fds, _, _ = socket.recv_fds(control, 65536, 2)
        if not data:
            break
        request = json.loads(data)
        if modules := request.get("modules"):
            load(modules)
            cells.modules = set(sys.modules)
            gc.freeze()
            continue
        if os.fork() == 0:
            control.close()
            try:
                _guarded(request, fds, cells, have, about["folders"])
            finally:
                os._exit(1)
        for fd in fds:
            os.close(fd)
    os.killpg(0, signal.SIGTERM) if os.getpgid(0) == os.getpid() else None


def _collect(*_) -> None:
    """Bury the children that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _guarded(request, fds, cells, have, folders) -> None:
    """In the first child: start the guarded second one, wait for it, leave nothing of it behind."""
    from multiprocessing.connection import Connection

    from autograder.engine import sandbox

    connection, alive = Connection(fds[0]), fds[1]
    for fd in fds:
        os.set_inheritable(fd, False)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _prctl(36, 1)  # 学生起的后台进程成了孤儿，归这里管
    _prctl(1, signal.SIGTERM)  # 暖进程没了，也要收拾干净
    guard = request["guard"]
    made = sandbox.detach(have) if guard else set()
    first = os.getpid()
    pid = os.fork()
    if pid == 0:
        os.close(alive)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.setsid()
        with contextlib.suppress(EOFError, OSError, ValueError, KeyError, KeyboardInterrupt):
            message = json.loads(connection.recv_bytes(MESSAGE))
            folder = message["folder"]
            layers = sandbox.enter(folder, folders, have | made, request["slot"], request["memory"],
                                   request["seconds"]) if guard else set()
            _prctl(1, signal.SIGKILL)
            os.chdir(folder)
            connection.send_bytes(json.dumps({"layers": sorted(layers)}).encode())
            start(connection, cells, folder, message["judge"])
        os._exit(0)

    def stop(*_):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
        _reap(first)
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    connection.send_bytes(json.dumps({"pid": pid}).encode())
    connection.close()
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)
    _reap(first)
    os._exit(0)


def _prctl(option, value) -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(option, int(value), 0, 0, 0)


def _reap(parent) -> None:
    """Kill whatever still has ``parent`` (this process) as its parent, until nothing has."""
    for _ in range(200):
        with contextlib.suppress(ChildProcessError):
            if os.waitpid(-1, os.WNOHANG)[0]:
                continue
            for child in _children(parent):
                with contextlib.suppress(OSError):
                    os.kill(child, signal.SIGKILL)
            os.waitpid(-1, 0)
            continue
        return  # 一个也没有了：平常都是一问就知道，不用翻 /proc


def _children(parent) -> list[int]:
    found = []
    try:
        names = os.listdir("/proc")
    except OSError:
        return []
    for name in names:
        if name.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError), open(f"/proc/{name}/stat") as file:
                if int(file.read().rpartition(")")[2].split()[1]) == parent:
                    found.append(int(name))
    return found


if __name__ == "__main__":
    # 模块名固定：学生的笔记以为自己是 __main__
    from autograder.engine import runner

    getattr(runner, sys.argv[1])(int(sys.argv[2]) if sys.argv[1] == "zygote" else sys.argv[2])
