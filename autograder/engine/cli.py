"""``crm class grade``：批一份作业。"""

import argparse
import sys

from autograder.engine import course, report
from crmlib.cli import CourseError, Parser


def main(argv) -> int:
    """Grade an assignment of any nbgrader course; returns 0, or 1 if a submission needs a look."""
    parser = Parser(prog="crm class grade", description="批改一份作业（全班）")
    parser.add_argument("assignment", metavar="作业", help="source/ 里的文件夹名，如 2.2-swot-pest；2.2 也行")
    parser.add_argument("--course", metavar="文件夹", help="nbgrader 课程文件夹；不写就是当前文件夹")
    parser.add_argument("--jobs", type=_jobs, metavar="N", help="同时批几份；不写就和处理器一样多")
    parser.add_argument("--scheduler", metavar="地址", help="Dask 调度器的地址，如 tcp://10.0.0.5:8786")
    parser.add_argument("--unsafe", action="store_true", help="没有保护也运行学生的代码")
    parser.add_argument("--student", nargs="+", metavar="学号", help="只批这几个人")
    parser.add_argument("--again", action="store_true", help="全部重批；先显示哪些分会变，再问要不要写")
    parser.add_argument("--yes", action="store_true", help="和 --again 一起用：不问，直接写")
    parser.add_argument("--no-fork", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    from autograder.engine.session import Session, unsafe

    root = course.find(options.course)
    session = Session(root, course.assignment(root, options.assignment), options.jobs, not options.unsafe,
                      False if options.no_fork else None)
    if session.runs and not options.unsafe and (options.no_fork or sys.platform != "linux"):
        raise CourseError(unsafe(set()))
    source = None
    if options.scheduler:
        from autograder.engine import cluster

        source = cluster.source(session, options.scheduler)
    confirm = None
    if options.again:
        def confirm(found):
            print(report.difference(found))
            return options.yes or not found or report.ask("要把这些分写进成绩册吗？")
    bar = report.Bar()
    try:
        made = session.run(options.student, options.again, bar, source, confirm)
    finally:
        bar.end()
    print(report.text(made, session))
    return 1 if any(kind == "look" for r in made.results.values() for kind, _ in r["notes"]) else 0


def _jobs(text) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 512:
        raise argparse.ArgumentTypeError("写 1 到 512 的整数")
    return int(text)
