"""``crm``：本课程唯一的命令。子命令由安装包登记，这里只负责找到并运行它。"""

import sys
from importlib.metadata import entry_points


class CourseError(Exception):
    """A fault that the user can mend: its text says what is wrong and what would be right."""


def commands(group: str = "crm.commands") -> dict:
    """The commands that installed packages register in a group, {name: entry point}."""
    return {e.name: e for e in sorted(entry_points(group=group), key=lambda e: e.name)}


def main(argv=None) -> int:
    """Run ``crm COMMAND …``; returns the exit code (0 = 成功, 1 = 有问题, 2 = 命令写错)."""
    for stream in (sys.stdout, sys.stderr):  # Windows 控制台默认 GBK，遇到生僻字符也不许崩溃
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    argv = list(sys.argv[1:] if argv is None else argv)
    known = commands()
    if not argv or argv[0] in ("-h", "--help"):
        print("用法：crm 命令 …\n可用的命令：" + "、".join(known))
        return 0
    try:
        return dispatch("crm", known, argv)
    except CourseError as fault:
        print(f"[出错] {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\n已停止。", file=sys.stderr)
        return 130


def dispatch(program: str, known: dict, argv: list[str]) -> int:
    """Run ``argv[0]``, one of the ``known`` commands of ``program``, with the rest; returns its exit code."""
    name, *rest = argv
    if name not in known:
        print(f"没有“{name}”这个命令。可用的命令：{'、'.join(known)}", file=sys.stderr)
        return 2
    try:
        run = known[name].load()
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] in ("crmlib", "autograder"):
            raise
        start = f"python start.py {program} {name}".replace(" crm ", " ")
        print(f"“{program} {name}”要用到 {missing.name}，这台电脑还没装。"
              f"请在课程文件夹里运行：{start}", file=sys.stderr)
        return 1
    return run(rest) or 0


if __name__ == "__main__":
    sys.exit(main())
