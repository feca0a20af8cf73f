"""``crm class 命令 …``：带一个班要用的命令。"""

import re
import sys

from crmlib.cli import commands, dispatch

GROUP = "crm.class"
# 帮助按用的先后排；别的包登记的命令排在后面
ORDER = ["new", "roster", "release", "collect", "doctor", "grade", "status", "feedback", "report", "similar",
         "peers", "marks"]


def main(argv) -> int:
    """Run one of the commands that are registered in the group ``crm.class``; without one, list them."""
    known = commands(GROUP)
    if argv and argv[0] not in ("-h", "--help"):
        return dispatch("crm class", known, list(argv))
    names = [n for n in ORDER if n in known] + [n for n in known if n not in ORDER]
    width = max(map(len, names), default=0)
    print("用法：crm class 命令 …　　在班级文件夹里运行，或者加 --course 班级文件夹\n")
    for name in names:
        print(f"  {name:<{width}}  {_about(name, known[name])}")
    print("\n每个命令后面加 -h，看它的写法。")
    return 0


def _about(name: str, entry) -> str:
    """What a command does, in one Chinese line: the first of its function's or else its module's text."""
    try:
        run = entry.load()
    except ImportError as missing:
        return f"（这台电脑还缺 {missing.name}）"
    for doc in (run.__doc__, sys.modules[run.__module__].__doc__):
        line = (doc or "").strip().partition("\n")[0]
        if re.search(r"[\u4e00-\u9fff]", line):
            return (line.partition("：")[2] if line.startswith("``crm") else line).replace("``", "")
    return ""
