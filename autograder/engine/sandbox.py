"""把跑学生代码的进程关起来。只用标准库和 ctypes；每一层装得上就装，装上了哪几层如实说。

层：``files`` Landlock，只能读 Python 和课程的公开文件，只能写自己的文件夹；``network`` 空的网络命名空间，
再加 seccomp；``processes`` 进程数上限；``tree`` 进程号命名空间，一个不剩地收走；``disk`` 自己的文件夹是
有上限的内存盘；``limits`` 内存、时间、文件大小的上限；``signals`` 打扰不了外面的进程。
Windows 和 macOS 一层也没有，所以没有 ``--unsafe`` 就不批代码。
"""

import contextlib
import ctypes
import os
import platform
import struct
import sys
from pathlib import Path

_NEWNS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = 0x20000, 0x08000000, 0x10000000, 0x20000000, 0x40000000
_REC, _PRIVATE, _BIND, _NOSUID, _NODEV = 1 << 14, 1 << 18, 1 << 12, 2, 4
_FIRST_UID = 61_000  # root 批改时，学生进程用的用户号：每个位置一个，系统里没有这些用户
PROCESSES = 96  # 同时最多这么多进程和线程
FILE_BYTES, DISK_BYTES = 64 << 20, 256 << 20

# x86-64 和 arm64 的系统调用号：学生的代码用不着的
_DENIED = {
    "x86_64": (0xC000003E, 41, (101, 155, 161, 165, 166, 246, 248, 250, 272, 298, 304, 308, 310, 311, 321,
                                323, 425, 426, 427, 428, 429, 430, 431, 432, 438, 442), (62, 200, 234, 424)),
    "aarch64": (0xC00000B7, 198, (39, 40, 41, 51, 97, 104, 117, 217, 219, 241, 265, 268, 270, 271, 280, 282,
                                  425, 426, 427, 428, 429, 430, 431, 432, 438, 442), (129, 130, 131, 424)),
}


def _libc():
    return ctypes.CDLL(None, use_errno=True)


def _ok(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def readable(extra=()) -> list[str]:
    """What student code may read: Python, the system's libraries, crmlib and the course's tables."""
    import crmlib
    from crmlib import paths

    own = [Path(crmlib.__file__).parent, paths.datasets(), sys.prefix, sys.base_prefix, *extra]
    system = ["/usr", "/lib", "/lib64", "/bin", "/proc", "/dev/urandom", "/dev/zero", "/dev/null",
              "/etc/localtime", "/etc/timezone", "/etc/fonts", "/etc/passwd", "/etc/nsswitch.conf",
              "/etc/ld.so.cache", "/etc/ssl", "/etc/mime.types", "/sys/devices/system/cpu"]
    return [str(Path(p).resolve()) for p in [*own, *system] if Path(p).exists()]


# ---- 暖进程一次做好的事 ----

def prepare(folders) -> set[str]:
    """In the warm process, before it forks: namespaces that the children share. Returns what works."""
    have = set()
    if sys.platform != "linux":
        return have
    with contextlib.suppress(OSError, AttributeError):
        uid, gid = os.geteuid(), os.getegid()
        _ok(_libc().unshare(_NEWNS if uid == 0 else _NEWUSER | _NEWNS), "unshare")
        if uid != 0:
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
            Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
        _ok(_libc().mount(b"none", b"/", None, _REC | _PRIVATE, None), "mount")
        have.add("namespaces")
        with contextlib.suppress(OSError):
            # 空的网络：学生进程合用一个，每份新建一个太慢；互相说话由 seccomp 和 Landlock 拦
            _ok(_libc().unshare(_NEWNET | _NEWIPC), "unshare")
            have.add("network")
        if uid == 0 and _open_way(folders):
            have.add("uid")
    return have


def _open_way(folders) -> bool:
    """For root: make ``folders`` reachable for an ordinary user, though a parent (/root) is closed to it.

    A closed parent is covered by an empty tmpfs in this mount namespace, and only ``folders`` put back.
    """
    closed = {}
    for folder in folders:
        parents = [p for p in reversed(Path(folder).parents) if not p.stat().st_mode & 0o001]
        if parents:
            closed.setdefault(parents[0], []).append(folder)
    for parent, inside in closed.items():
        held = {folder: os.open(folder, os.O_PATH) for folder in inside}
        kinds = {folder: Path(folder).is_dir() for folder in inside}
        _ok(_libc().mount(b"none", os.fsencode(parent), b"tmpfs", _NOSUID | _NODEV, b"mode=755"), "tmpfs")
        for folder, fd in held.items():
            if kinds[folder]:
                Path(folder).mkdir(parents=True, exist_ok=True)
            else:
                Path(folder).parent.mkdir(parents=True, exist_ok=True)
                Path(folder).touch()
            here = f"/proc/self/fd/{fd}".encode()
            _ok(_libc().mount(here, os.fsencode(folder), None, _BIND | _REC, None), "bind")
            os.close(fd)
    return True


# ---- 每份作业的进程 ----

def detach(have) -> set[str]:
    """Before the second fork: fresh namespaces for one submission. Returns what works."""
    made = set()
    if "namespaces" in have:
        with contextlib.suppress(OSError):
            _ok(_libc().unshare(_NEWPID | _NEWNS), "unshare")
            made.add("tree")
    return made


def enter(folder: str, folders, have, slot: int, memory: int, seconds: int) -> set[str]:
    """Close the present process in: it may write in ``folder`` only. Returns the layers that hold.

    ``have``: what ``prepare`` and ``detach`` returned; ``slot``: a number that no other running
    submission has; ``memory`` bytes of address space; ``seconds`` of processor time.
    Must be called before any thread starts. Never undone.
    """
    made = have & {"tree", "network"}
    if sys.platform != "linux":
        return made | _limits(memory, seconds, PROCESSES)
    uid = _FIRST_UID + slot if "uid" in have else None
    if "tree" in made:
        with contextlib.suppress(OSError):
            _small_disk(folder, uid)
            made.add("disk")
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    _drop_capabilities()
    processes = _process_room(have, uid)
    abi = landlock([folder, "/dev/null", *(["/dev/shm"] if "disk" in made else [])], folders)
    made |= ({"files"} if abi else set()) | ({"signals"} if abi >= 6 or "tree" in made else set())
    if seccomp(mute="signals" not in made):
        made |= {"network", "signals"}
    if processes and (uid is not None or os.geteuid() != 0):
        made.add("processes")
    return made | _limits(memory, seconds, processes)


def _process_room(have, uid) -> int:
    """The limit to set: what this user runs already counts too, unless he is alone in his namespace."""
    if uid is not None or "namespaces" in have:
        return PROCESSES
    mine = sum(1 for p in Path("/proc").iterdir() if p.name.isdigit() and _owner(p) == os.getuid())
    return mine * 4 + PROCESSES


def _owner(path) -> int:
    try:
        return path.stat().st_uid
    except OSError:
        return -1


def _small_disk(folder, uid) -> None:
    """Cover the folder with a bounded tmpfs that holds a copy of it; it vanishes with the namespace."""
    import shutil

    behind = os.open(folder, os.O_RDONLY)
    owner = os.getuid() if uid is None else uid
    group = os.getgid() if uid is None else uid
    options = f"size={DISK_BYTES},nr_inodes=20000,mode=700,uid={owner},gid={group}"
    _ok(_libc().mount(b"none", os.fsencode(folder), b"tmpfs", _NOSUID | _NODEV, options.encode()), "tmpfs")
    shutil.copytree(f"/proc/self/fd/{behind}", folder, dirs_exist_ok=True)
    os.close(behind)
    if uid is not None:
        for place, _, files in os.walk(folder):
            os.chown(place, uid, uid)
            for name in files:
                os.chown(os.path.join(place, name), uid, uid)
    shared = options.replace(str(DISK_BYTES), str(64 << 20)).replace("mode=700", "mode=1777")
    _ok(_libc().mount(b"none", b"/dev/shm", b"tmpfs", _NOSUID | _NODEV, shared.encode()), "tmpfs")


def _drop_capabilities() -> None:
    """No capability is left, not even inside the user namespace, and none can be gained."""
    libc = _libc()
    for number in range(64):
        libc.prctl(24, number, 0, 0, 0)  # PR_CAPBSET_DROP
    header = struct.pack("Ii", 0x20080522, 0)
    libc.capset(header, bytes(24))
    libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    libc.prctl(4, 1, 0, 0, 0)  # 换了用户以后 /proc/self 还要读得了；别人的进程由 Landlock 拦


def _limits(memory, seconds, processes) -> set[str]:
    try:
        import resource
    except ImportError:
        return set()
    wanted = {"RLIMIT_AS": memory, "RLIMIT_CPU": seconds, "RLIMIT_FSIZE": FILE_BYTES, "RLIMIT_CORE": 0,
              "RLIMIT_NOFILE": 256, **({"RLIMIT_NPROC": processes} if processes else {})}
    for name, value in wanted.items():
        with contextlib.suppress(OSError, ValueError, AttributeError):
            most = resource.getrlimit(getattr(resource, name))[1]
            value = value if most == resource.RLIM_INFINITY else min(value, most)
            resource.setrlimit(getattr(resource, name), (value, value))
    return {"limits"} if 0 <= resource.getrlimit(resource.RLIMIT_FSIZE)[0] <= FILE_BYTES else set()


def landlock(writable, folders) -> int:
    """Restrict this process's files (and TCP and signals, where the kernel can); its ABI, 0 if it cannot."""
    libc = _libc()
    abi = libc.syscall(444, None, ctypes.c_size_t(0), 1)
    if abi < 1:
        return 0
    everything = (1 << 13) - 1 | (1 << 13 if abi >= 2 else 0) | (1 << 14 if abi >= 3 else 0) | (
        1 << 15 if abi >= 5 else 0)
    rules = struct.pack("QQQ", everything, 3 if abi >= 4 else 0, 3 if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    ruleset = libc.syscall(444, rules, ctypes.c_size_t(size), 0)
    if ruleset < 0:
        return 0
    for path, access in [(p, 0b1101) for p in folders] + [(p, everything) for p in writable]:
        try:
            fd = os.open(path, os.O_PATH)
        except OSError:
            continue
        on_files = 0b111 | (1 << 14 if abi >= 3 else 0) | (1 << 15 if abi >= 5 else 0)
        rule = struct.pack("=Qi", access if os.path.isdir(path) else access & on_files, fd)
        libc.syscall(445, ruleset, 1, rule, 0)
        os.close(fd)
    held = libc.syscall(446, ruleset, 0) == 0
    os.close(ruleset)
    return abi if held else 0


def seccomp(mute: bool) -> bool:
    """Refuse sockets other than local ones, tracing, mounting and the like; ``mute``: signals too."""
    if platform.machine() not in _DENIED:
        return False
    arch, socket, denied, signals = _DENIED[platform.machine()]
    load, equal, more, back = 0x20, 0x15, 0x35, 0x06
    allow, refuse = 0x7FFF0000, 0x00050000 | 1
    program = [(load, 0, 0, 4), (equal, 1, 0, arch), (back, 0, 0, refuse), (load, 0, 0, 0)]
    program += [(more, 0, 1, 0x40000000), (back, 0, 0, refuse)]
    for number in denied + (signals if mute else ()):
        program += [(equal, 0, 1, number), (back, 0, 0, refuse)]
    program += [(equal, 0, 3, socket), (load, 0, 0, 16), (equal, 1, 0, 1), (back, 0, 0, refuse)]
    program += [(back, 0, 0, allow)]
    code = b"".join(struct.pack("HBBI", *line) for line in program)
    kept = ctypes.create_string_buffer(code, len(code))
    whole = struct.pack("HxxxxxxP", len(program), ctypes.addressof(kept))
    return _libc().prctl(22, 2, ctypes.c_char_p(whole), 0, 0) == 0


# ---- 说出来 ----

_WORDS = {"files": "只能读写自己的文件夹", "network": "不能上网", "limits": "内存、时间、文件大小有上限",
          "processes": "进程数有上限", "tree": "结束时一个进程也不留", "disk": "总共写多少有上限",
          "signals": "打扰不了别的程序"}
NEEDED = {"files", "network", "limits"}


def describe(layers) -> str:
    """One line for the teacher."""
    held = [words for name, words in _WORDS.items() if name in layers]
    absent = [words for name, words in _WORDS.items() if name not in layers]
    return ("有：" + "、".join(held) if held else "一层保护也没有") + (
        "。没有：" + "、".join(absent) if absent and held else "") + "。"
