"""``python start.py [--offline DIR] [COMMAND …]``：准备好环境，再运行命令。只用标准库。"""

import errno
import os
import subprocess
import sys
from pathlib import Path

from crmlib.install import Course, Fault, ensure, environment

HELP = """\
用法 Usage: python start.py [--offline DIR] [COMMAND …]

  python start.py                   打开课程 open the course
  python start.py --no-browser      只印出网址 print the address only（--port N：换一个端口 another port）
  python start.py --offline DIR     不连网，从离线包安装 install from a bundle, without network
  python start.py test [ARGS]       运行测试 run the tests
  python start.py COMMAND [ARGS]    运行其他命令 run another command: {commands}
"""


def parse(argv: list[str], commands: dict[str, str]) -> tuple[Path | None, str, list[str]]:
    """``(bundle folder or None, command, its arguments)``; without a command it is ``lab``."""
    offline, rest, words = None, [], iter(argv)
    for word in words:
        if word == "--offline" or word.startswith("--offline="):
            folder = word[10:] if "=" in word else next(words, "")
            if not folder or folder.startswith("-"):
                raise Fault("--offline 后面要写离线包文件夹，例如 python start.py --offline D:\\离线包。",
                            "--offline needs the folder of the bundle, such as --offline D:\\bundle.")
            offline = Path(folder).expanduser().resolve()
        else:
            rest.append(word)
    if not rest or (rest[0].startswith("-") and rest[0] not in ("-h", "--help")):
        return offline, "lab", rest
    command, *rest = rest
    if command not in (*commands, "test", "-h", "--help"):
        raise Fault(f"没有“{command}”这个命令；可用的有 test、{'、'.join(sorted(commands))}。",
                    f"There is no command “{command}”; there are test, {', '.join(sorted(commands))}.")
    return offline, command, rest


def start(course: Course, argv: list[str]) -> int:
    commands = course.commands()
    offline, command, rest = parse(argv, commands)
    if command in ("-h", "--help"):
        print(HELP.format(commands=" ".join(sorted(commands))))
        return 0
    if command == "test":
        level, program = "test", ["-m", "pytest", "-n", "2", "--dist", "loadfile"]
        os.chdir(course.root)
    else:
        level, program = commands[command], ["-P", "-m", "crmlib", command]
        if "--teacher" in rest:  # crm lab --teacher
            level = "teacher"
    ensure(course, level, offline)
    return hand_over([str(course.python), *program, *rest], environment(course))


def hand_over(command: list[str], env: dict[str, str]) -> int:
    """Become the program (POSIX), or wait for it (Windows has no exec); Ctrl-C is the program's affair."""
    sys.stdout.flush()
    if os.name == "posix":
        os.execve(command[0], command, env)
    process = subprocess.Popen(command, env=env)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def main(argv: list[str] | None = None) -> int:
    for stream in (sys.stdout, sys.stderr):  # Windows 的老终端印不出的字，宁可印问号也不要崩溃
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    course = Course(Path(__file__).parent.parent)
    try:
        return start(course, sys.argv[1:] if argv is None else argv)
    except Fault as fault:
        complain(fault)
    except OSError as error:
        complain(fault_of(error, course))
    except KeyboardInterrupt:
        print("\n已停止，下次运行会接着来。Stopped; the next run takes it up again.", file=sys.stderr)
        return 130
    return 1


def fault_of(error: OSError, course: Course) -> Fault:
    place = error.filename or course.root
    if error.errno == errno.ENOSPC:
        return Fault(f"磁盘满了：请在 {course.root} 所在的磁盘上清理出至少 2 GB 空间，再运行一次。",
                     "The disk is full: free at least 2 GB and run again.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Fault(f"不能写入 {place}：请把课程文件夹复制到自己可以写的位置（例如桌面），在那里运行。",
                     f"Cannot write {place}: copy the course to a folder of your own and run it there.")
    return Fault(f"系统报告了一个问题（{error}）：请再运行一次；还是不行，就请老师看看。",
                 f"The system reports a problem ({error}): run again; if it persists, ask your teacher.")


def complain(fault: Fault) -> None:
    print(f"[出错] {fault.chinese}\n[Error] {fault.english}", file=sys.stderr, flush=True)
    # 双击打开的窗口会马上关掉，让人来得及看（命令提示符里有 PROMPT，不用等）
    if os.name == "nt" and sys.stdin and sys.stdin.isatty() and "PROMPT" not in os.environ:
        input("按回车键关闭。Press Enter to close. ")
