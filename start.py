# -*- coding: utf-8 -*-
# ruff: noqa: UP009, UP025, UP036
"""一条命令打开课程：python start.py

The one command: sets up .venv and opens the course. ``python start.py --help`` lists the rest.
真正的工作在 crmlib/start.py；这个文件只用最老的语法，好让旧版 Python 也能说清楚它太旧了。
"""

import sys

if sys.version_info < (3, 11):
    found = ".".join(str(n) for n in sys.version_info[:3])
    stream = getattr(sys.stderr, "buffer", sys.stderr)
    for line in (
        u"[出错] 这里的 Python 是 {0}，太旧了：请装 Python 3.11 或更新的版本"
        u"（64 位，安装时勾选 Add python.exe to PATH），再运行 python start.py。\n",
        u"[Error] This Python is {0}, which is too old: install Python 3.11 or newer (64-bit, tick "
        u"\"Add python.exe to PATH\"), then run python start.py again.\n",
    ):
        stream.write(line.format(found).encode(getattr(sys.stderr, "encoding", None) or "utf-8", "replace"))
    sys.exit(1)

from crmlib.start import main

if __name__ == "__main__":
    sys.exit(main())
