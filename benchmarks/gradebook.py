"""成绩库在 3000 个学生时有多快：nbgrader 原样的，和加了索引的。

python benchmarks/gradebook.py [--students 3000] [--url postgresql+psycopg://…]
"""

import argparse
import os
import sys
import tempfile
import time
import warnings
from pathlib import Path

TASKS = 8


def fill(url: str, students: int, assignments: int = 2):
    """A stock gradebook: one notebook an assignment, 8 graded cells, every student graded."""
    from nbgrader import api

    os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]  # 给 alembic
    book = api.Gradebook(url)
    rows: dict = {t: [] for t in (api.SubmittedAssignment, api.SubmittedNotebook, api.Grade, api.Comment)}
    for n in range(students):
        book.db.add(api.Student(id=f"s{n:05d}", first_name="某", last_name="同学"))
    for a in range(assignments):
        book.add_assignment(f"a{a}")
        book.add_notebook("p", f"a{a}")
        for t in range(TASKS):
            add = book.add_task_cell if t == TASKS - 1 else book.add_grade_cell
            add(f"t{t}", "p", f"a{a}", max_score=10, cell_type="markdown" if t > TASKS - 3 else "code")
            book.add_solution_cell(f"c{t}", "p", f"a{a}")
        notebook = book.find_notebook("p", f"a{a}")
        cells = [book.find_graded_cell(f"t{t}", "p", f"a{a}").id for t in range(TASKS)]
        comments = [book.find_solution_cell(f"c{t}", "p", f"a{a}").id for t in range(TASKS)]
        for n in range(students):
            made, inside = api.new_uuid(), api.new_uuid()
            rows[api.SubmittedAssignment].append(
                {"id": made, "assignment_id": notebook.assignment.id, "student_id": f"s{n:05d}"})
            rows[api.SubmittedNotebook].append(
                {"id": inside, "assignment_id": made, "notebook_id": notebook.id})
            rows[api.Grade] += [{"id": api.new_uuid(), "cell_id": c, "notebook_id": inside,
                                 "auto_score": float((n + k) % 11), "needs_manual_grade": False}
                                for k, c in enumerate(cells)]
            rows[api.Comment] += [
                {"id": api.new_uuid(), "cell_id": c, "notebook_id": inside} for c in comments]
    book.db.commit()
    for table, values in rows.items():
        book.db.execute(table.__table__.insert(), values)
    book.db.commit()
    return book


def timed(book, students: int) -> dict[str, float]:
    took = {}
    for name, ask in (
            ("formgrader 的名单 submission_dicts", lambda: book.submission_dicts("a0")),
            ("formgrader 一份笔记 notebook_submission_dicts",
             lambda: book.notebook_submission_dicts("p", "a0")),
            ("全班总分 student_dicts", book.student_dicts)):
        start = time.perf_counter()
        found = ask()
        took[name] = time.perf_counter() - start
        assert len(found) == students, (name, len(found))
    return took


def export(url: str, folder: Path, ours: bool) -> float:
    """``nbgrader export`` to CSV: with nbgrader's own plugin, or with ours (nbgrader_config.py names it)."""
    from nbgrader.api import Gradebook
    from nbgrader.plugins.export import CsvExportPlugin

    from autograder.classroom.export import ExportCsv

    plugin = (ExportCsv if ours else CsvExportPlugin)()
    plugin.to = str(folder / "grades.csv")
    with Gradebook(url) as book:
        start = time.perf_counter()
        plugin.export(book)
        return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=3000)
    parser.add_argument("--url", help="一个空的数据库；不写就用临时的 SQLite")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    from autograder.classroom.database import add_indexes

    with tempfile.TemporaryDirectory() as folder:
        url = options.url or f"sqlite:///{folder}/gradebook.db"
        start = time.perf_counter()
        book = fill(url, options.students)
        print(f"{options.students} 个学生，2 份作业，每份 {TASKS} 题；"
              f"造数据 {time.perf_counter() - start:.1f} 秒", flush=True)
        exported = "导出成绩 nbgrader export"
        before = {**timed(book, options.students), exported: export(url, Path(folder), ours=False)}
        start = time.perf_counter()
        made = add_indexes(book.engine)
        print(f"建了 {len(made)} 个索引，{time.perf_counter() - start:.2f} 秒")
        after = {**timed(book, options.students), exported: export(url, Path(folder), ours=True)}
        for name in before:
            print(f"{name:<48} 原样 {before[name]:7.2f} 秒  改后 {after[name]:6.2f} 秒")
        book.close()


if __name__ == "__main__":
    main()
