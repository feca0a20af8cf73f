"""批改的一侧：管着暖进程，给每份作业要一个新进程，一格一格地问，到时间就打断。"""

import contextlib
import errno
import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from multiprocessing.connection import Connection, Listener
from pathlib import Path

from autograder.engine import course, sandbox
from autograder.engine.runner import MESSAGE
from crmlib.cli import CourseError

GRACE = 5  # 秒：打断以后，再等这么久才强行结束
_STALE = "crm-grade-"


class Died(Exception):
    """The student's process is gone; the text says why: "timeout", "exit" or "garbled"."""


class _Watch:
    """Kills processes that stop in the middle of a message: one thread for all of them.

    A timer for each message costs more than most messages do.
    """

    def __init__(self):
        self.deadlines: dict[Child, float] = {}
        self._lock, self._thread, self._pid = threading.Lock(), None, 0

    def is_alive(self) -> bool:
        return self._pid == os.getpid() and self._thread.is_alive()

    def begin(self) -> None:
        with self._lock:
            if not self.is_alive():
                self._pid, self._thread = os.getpid(), threading.Thread(target=self._go, daemon=True)
                self._thread.start()

    def _go(self) -> None:
        while True:
            time.sleep(0.5)
            now = time.monotonic()
            for child, deadline in list(self.deadlines.items()):
                if now > deadline and self.deadlines.get(child) == deadline:
                    child.kill()


_watch = _Watch()


class Child:
    """One submission's process and its folder.

    ``layers``: the guards that hold; ``late``: a cell had to be interrupted; ``uses``: for whoever keeps it.
    """

    def __init__(self, connection, alive, folder):
        self.connection, self.alive, self.folder, self.give_back = connection, alive, folder, lambda: None
        self.pid, self.layers, self.late, self.process, self.uses = 0, set(), False, None, 0

    def begin(self, judge=False) -> None:
        self.pid = self.receive(60)["pid"]
        message = {"do": "begin", "folder": str(self.folder), "judge": judge}
        self.layers = set(self.ask(message, 60)["layers"])

    def ask(self, message, seconds) -> dict:
        """Send a message and wait for the answer; interrupt after ``seconds``. Raises Died."""
        self.send(message)
        return self.receive(seconds)

    def send(self, message: dict | bytes) -> None:
        data = message if isinstance(message, bytes) else json.dumps(message).encode()
        try:
            with self._guillotine(GRACE * 2):
                self.connection.send_bytes(data)
        except OSError:
            raise Died("exit") from None

    def receive(self, seconds) -> dict:
        """The next message; interrupts after ``seconds``. Raises Died."""
        self.late = False
        try:
            if not self.connection.poll(max(0.01, seconds)):
                self.late = True
                self._interrupt()
                if not self.connection.poll(GRACE):
                    raise Died("timeout")
            with self._guillotine(GRACE * 2):
                reply = json.loads(self.connection.recv_bytes(MESSAGE))
            if not isinstance(reply, dict):
                raise ValueError
            return reply
        except (EOFError, OSError):
            raise Died("timeout" if self.late else "exit") from None
        except (ValueError, RecursionError):
            raise Died("garbled") from None

    @contextlib.contextmanager
    def _guillotine(self, seconds):
        """A process that stops in the middle of a message must not stop the grader."""
        _watch.deadlines[self] = time.monotonic() + seconds
        if not _watch.is_alive():
            _watch.begin()
        try:
            yield
        finally:
            _watch.deadlines.pop(self, None)

    def _interrupt(self) -> None:
        if os.name == "posix" and self.pid:
            with contextlib.suppress(OSError):
                os.killpg(self.pid, signal.SIGINT)  # 答话的分身也要听到
        else:
            self.kill()

    def kill(self) -> None:
        with contextlib.suppress(OSError):
            if self.process is not None:
                self.process.kill()
            elif self.pid:
                os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the process and wait until nothing of it is left, its folder neither."""
        self.kill()
        self.connection.close()
        if self.alive is not None:
            with contextlib.suppress(OSError):
                self.alive.settimeout(30)
                self.alive.recv(1)
            self.alive.close()
        if self.process is not None:
            self.process.wait()
        remove(self.folder)
        self.give_back()


class Warm:
    """Gives out one fresh, warm process for each submission; safe to use from several threads.

    ``modules``: what to import beforehand; ``fork=False``: spawn each process (Windows); ``guard=False``:
    no sandbox. Raises OSError if the warm process cannot be started.
    """

    def __init__(self, modules, jobs, guard=True, fork=None, memory=4 << 30, seconds=3600):
        self.modules, self.jobs, self.memory, self.seconds = list(modules), jobs, memory, seconds
        self.fork = hasattr(os, "fork") if fork is None else fork
        self.guard = guard and self.fork
        clear_stale()
        self.base = Path(tempfile.mkdtemp(prefix=f"{_STALE}{os.getpid()}-"))
        self.base.chmod(0o711)  # 学生进程换了用户，也要走得到自己的那个文件夹
        self._slots: queue.Queue = queue.Queue()
        for slot in range(3 * jobs + 2):  # 每份作业：学生的、判分的，还有留着的
            self._slots.put(slot)
        self._lock, self._made, self._processes = threading.Lock(), 0, []
        self._idle, self._closed = [], False
        self._start_zygote() if self.fork else self._start_spawning()

    # ---- 分身 ----

    def _start_zygote(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET
                                         if sys.platform == "linux" else socket.SOCK_DGRAM)
        self._control = ours
        self._zygote = self._launch("zygote", str(theirs.fileno()), pass_fds=(theirs.fileno(),))
        theirs.close()
        self._tell(self._zygote)

    def wait_ready(self) -> None:
        if self.fork and self._control is not None and not getattr(self, "_ready", False):
            with self._lock:
                if not getattr(self, "_ready", False):
                    self._control.settimeout(120)
                    if self._control.recv(1) != b".":
                        raise OSError("暖进程没有起来")
                    self._control.settimeout(None)
                    self._ready = True

    def open(self, files=None, judge=False) -> Child:
        """A fresh process in a folder of its own, with ``files`` in it, {path: real path or bytes}.

        ``judge``: a student's file must not pass for a library there. Raises Died if it cannot start.
        """
        slot, folder = self._slots.get(), None
        try:
            folder = self._folder(files or {})
            child = self._fork(folder, slot) if self.fork else self._take_spawned(folder)
        except BaseException:
            self._slots.put(slot)
            remove(folder) if folder else None
            raise
        child.give_back = lambda: self._slots.put(slot)
        try:
            child.begin(judge)
        except BaseException:
            child.close()
            raise
        if not self.fork:
            with self._lock:
                child.process = next(p for p in self._processes if p.pid == child.pid)
                self._processes.remove(child.process)
        return child

    def _fork(self, folder, slot) -> Child:
        self.wait_ready()
        ours, theirs = socket.socketpair()
        alive, held = socket.socketpair()
        request = {"slot": slot, "guard": self.guard, "memory": self.memory, "seconds": int(self.seconds)}
        try:
            self._request(request, [theirs.fileno(), held.fileno()])
        finally:
            theirs.close()
            held.close()
        return Child(Connection(ours.detach()), alive, folder)

    def _request(self, request, fds=()) -> None:
        try:
            with self._lock:
                socket.send_fds(self._control, [json.dumps(request).encode()], fds)
        except OSError:
            raise CourseError("批改用的暖进程没了（可能内存不够，被系统结束了）。"
                              "关掉别的程序，或者用 --jobs 1，再运行一次，会接着批。") from None

    def load(self, modules) -> None:
        """Import more modules, for the processes that start from now on."""
        for start in range(0, len(modules) if self.fork else 0, 500):
            self._request({"modules": modules[start:start + 500]})

    # ---- 留给下一份用的 ----

    def keep(self, child) -> None:
        """Take a process back for ``idle`` to give out again."""
        with self._lock:
            if not self._closed:
                self._idle.append(child)
                return
        child.close()

    def idle(self) -> Child | None:
        """A process that was kept, None if there is none."""
        with self._lock:
            return self._idle.pop() if self._idle else None

    # ---- 不能分身：预先起好，用一个扔一个 ----

    def _start_spawning(self) -> None:
        self._key = os.urandom(16).hex()
        self._listener = Listener(None, authkey=self._key.encode(), backlog=64)
        self._arrived: queue.Queue = queue.Queue()
        threading.Thread(target=self._welcome, daemon=True).start()
        for _ in range(self.jobs + 1):
            self._spawn()

    def _spawn(self) -> None:
        process = self._launch("once", str(self._listener.address))
        with self._lock:
            self._processes.append(process)
        self._tell(process)

    def _welcome(self) -> None:
        while True:
            try:
                self._arrived.put(self._listener.accept())
            except OSError:
                return
            except Exception:  # 口令不对：不是我们起的进程
                continue

    def _take_spawned(self, folder) -> Child:
        self._spawn()
        deadline = time.monotonic() + 300
        while True:
            with contextlib.suppress(queue.Empty):
                return Child(self._arrived.get(timeout=1), None, folder)
            if time.monotonic() > deadline:
                raise Died("exit")

    # ---- 共同的 ----

    def _launch(self, *argv, **more):
        """A Python without secrets in its environment and without the course's folder on its path."""
        kept = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SYSTEMROOT", "CRM_COURSE", "LD_LIBRARY_PATH",
                "PYTHONDONTWRITEBYTECODE")
        env = {name: os.environ[name] for name in kept if name in os.environ}
        env |= {"HOME": str(self.base), "IPYTHONDIR": str(self.base / ".ipython"), "PYTHONSAFEPATH": "1",
                "MPLCONFIGDIR": str(self.base / ".mpl"), "PYTHONUTF8": "1",
                "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",  # 大页：分身、收尾都快一些
                **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
                                 "NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1")}
        session = {"start_new_session": True} if os.name == "posix" else {}
        return subprocess.Popen([sys.executable, "-m", "autograder.engine.runner", *argv], env=env,
                                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                stderr=None if os.environ.get("CRM_ENGINE_DEBUG") else subprocess.DEVNULL,
                                cwd=self.base, **session, **more)

    def _tell(self, process) -> None:
        about = {"modules": self.modules, "folders": sandbox.readable(), "guard": self.guard,
                 **({} if self.fork else {"key": self._key})}
        process.stdin.write(json.dumps(about).encode() + b"\n")
        process.stdin.flush()
        process.stdin.close()

    def _folder(self, files) -> Path:
        with self._lock:
            self._made += 1
            folder = self.base / f"s{self._made}"
        try:
            folder.mkdir(mode=0o700)
            for inside, content in files.items():
                place = folder / inside
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content if isinstance(content, bytes) else course.read(content, 1 << 30))
        except OSError as fault:
            remove(folder)
            if fault.errno in (errno.ENOSPC, errno.EDQUOT, errno.EMFILE):
                raise CourseError(f"临时文件夹写不进了（{fault.strerror}）。清出一些地方，"
                                  "再运行一次，会接着批。") from None
            raise
        return folder

    def layers(self) -> set[str]:
        """The guards that really hold, found by starting a process."""
        try:
            child = self.open()
        except Died:
            return set()
        child.close()
        return child.layers

    def close(self) -> None:
        """End the warm process and all that it started; may be called twice."""
        with self._lock:
            idle, self._idle, self._closed = self._idle, [], True
        for child in idle:
            child.close()
        if self.fork:
            self._control.close()
            try:
                self._zygote.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._zygote.kill()
                self._zygote.wait()
        else:
            self._listener.close()
            for process in self._processes:
                process.kill()
                process.wait()
        remove(self.base)


def remove(folder) -> None:
    """Remove a folder whatever permissions a student's program gave its parts; nothing if it is not there."""
    for place, names, _ in os.walk(folder):  # 先从外往里打开，再删；os.walk 不跟链接
        for name in names:
            inside = os.path.join(place, name)
            if not os.path.islink(inside):
                with contextlib.suppress(OSError):
                    os.chmod(inside, 0o700)
    for _ in range(3):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.lexists(folder):
            return
        time.sleep(0.1)


def clear_stale() -> None:
    """Remove what graders that were killed left in the temporary folder."""
    for left in Path(tempfile.gettempdir()).glob(f"{_STALE}*"):
        pid = left.name.removeprefix(_STALE).partition("-")[0]
        with contextlib.suppress(OSError):
            mine = os.name != "posix" or left.stat().st_uid == os.getuid()
            if pid.isdigit() and mine and not _running(int(pid)):
                remove(left)


def _running(pid) -> bool:
    if os.name != "posix":
        return True  # Windows 上这样问会把它结束掉；留给系统清理
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
