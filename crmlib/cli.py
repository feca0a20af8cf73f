"""``crm``：本课程唯一的命令。子命令由安装包登记，这里只负责找到并运行它。"""

import argparse
import re
import sys
from importlib.metadata import entry_points


class CourseError(Exception):
    """A fault that the user can mend: its text says what is wrong and what would be right."""


class _Help(argparse.HelpFormatter):
    def add_usage(self, usage, actions, groups, prefix=None):
        super().add_usage(usage, actions, groups, prefix or "用法：")


_FAULTS = (
    (r"unrecognized arguments: (.*)", r"不认识“\1”。"),
    (r"the following arguments are required: (.*)", r"还要写明：\1。"),
    (r"argument (.*?): expected (?:one|at least one|\d+) arguments?", r"\1 后面要写一个值。"),
    (r"argument (.*?): ignored explicit argument '(.*)'", r"\1 后面不要写值。"),
    (r"argument (.*?): invalid int value: '(.*)'", r"\1 要写整数，不能是“\2”。"),
    (r"argument (.*?): invalid \w+ value: '(.*)'", r"\1 不能是“\2”。"),
    (r"argument (.*?): invalid choice: '(.*?)' \(choose from (.*)\)", r"\1 不能是“\2”，只能是：\3。"),
    (r"argument (.*?): not allowed with argument (.*)", r"\1 和 \2 只能写一个。"),
    (r"ambiguous option: (.*?) could match (.*)", r"\1 写得太短，可能是：\2。"),
    (r"one of the arguments (.*) is required", r"要写明一个：\1。"),
    (r"argument (.*?): (.*)", r"\1：\2。"),
)


class Parser(argparse.ArgumentParser):
    """argparse whose help and faults are in Chinese.

    >>> Parser(prog="crm x").parse_args(["--nein"])
    Traceback (most recent call last):
    SystemExit: 2
    """

    def __init__(self, **named):
        super().__init__(add_help=False, formatter_class=_Help, **named)
        self._positionals.title, self._optionals.title = "要写的", "可以加的"
        self.add_argument("-h", "--help", action="help", help="显示这份说明")

    def error(self, message):
        for said, ours in _FAULTS:
            if found := re.fullmatch(said, message, re.S):
                message = found.expand(ours)
                break
        self.exit(2, f"[出错] {message}\n{self.format_usage()}")


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
    except SystemExit as end:  # Parser：看完说明了，或者命令写错了
        return end.code
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
