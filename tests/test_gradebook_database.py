"""成绩库：缺的索引、打不开时的话、真的 PostgreSQL、四个批改同时写。"""

import csv
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from fixtures import postgres
from fixtures.classroom import FULL, PARTLY, UNIT, enrol, handed, released, work
from fixtures.writers import grader
from nbgrader.api import Gradebook
from nbgrader.plugins.export import CsvExportPlugin
from sqlalchemy import create_engine, inspect, text

from autograder.classroom import collect as collecting
from autograder.classroom import database, feedback
from autograder.classroom.course import Classroom
from autograder.classroom.export import ExportCsv
from autograder.engine.book import Book, Score
from autograder.engine.cli import main as grade
from crmlib.cli import CourseError, main

CELLS, GRADERS = 6, 4
_stock: dict[str, bytes] = {}


@pytest.fixture(scope="module")
def server():
    with postgres.server() as pattern:
        yield pattern


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """A database of each kind, as stock nbgrader makes it, with nothing in it."""
    if request.param == "postgresql":
        return empty(request.getfixturevalue("server"))
    return sqlite(tmp_path)


def sqlite(folder) -> str:
    """A new file; nbgrader takes seconds to make its first database, so that one is copied."""
    if "sqlite" not in _stock:
        os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]  # 给 alembic
        place = Path(tempfile.mkdtemp(prefix="crm-db-"))
        Gradebook(f"sqlite:///{place / 'gradebook.db'}").close()
        _stock["sqlite"] = (place / "gradebook.db").read_bytes()
        shutil.rmtree(place)
    (folder / "gradebook.db").write_bytes(_stock["sqlite"])
    return f"sqlite:///{folder / 'gradebook.db'}"


def empty(pattern) -> str:
    """A new database on the server, copied from a first one that nbgrader made."""
    engine = create_engine(pattern.format("postgres"), isolation_level="AUTOCOMMIT")
    name = f"t{random.getrandbits(40):x}"
    with engine.connect() as db:
        if "postgresql" not in _stock:
            db.execute(text("CREATE DATABASE stock"))
            os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
            with Gradebook(pattern.format("stock")) as book:
                book.engine.dispose()
            _stock["postgresql"] = b""
        db.execute(text(f"CREATE DATABASE {name} TEMPLATE stock"))
    engine.dispose()
    return pattern.format(name)


def fill(url, students=12):
    """One assignment with graded cells; students of whom all but the last have handed in."""
    with database.open_gradebook(url) as book:
        book.add_assignment("a")
        book.add_notebook("p", "a")
        for n in range(CELLS):
            book.add_grade_cell(f"t{n}", "p", "a", max_score=10, cell_type="code")
            book.add_source_cell(f"t{n}", "p", "a", cell_type="code", source="")
        book.add_task_cell("m", "p", "a", max_score=10, cell_type="markdown")
        book.add_source_cell("m", "p", "a", cell_type="markdown", source="")
        for n in range(students):
            book.add_student(f"s{n:02}", first_name=f'名"{n}', last_name="姓,")
    with Book(url) as book:
        results = [(f"s{n:02}", None, {"p": Score({f"t{k}": float((n + k) % 11) for k in range(CELLS)})})
                   for n in range(students - 1)]
        book.write("a", "", results)


# ---- 索引 ----

def test_indexes_are_made_once_and_in_the_database(url):
    with Gradebook(url) as stock:
        before = {t: inspect(stock.engine).get_indexes(t) for t in ("grade", "submitted_notebook")}
    with database.open_gradebook(url) as book:
        names = {i["name"] for t in ("grade", "submitted_notebook", "base_cell")
                 for i in inspect(book.engine).get_indexes(t)}
        assert {"crm_ix_grade_notebook_id", "crm_ix_base_cell_notebook_id"} <= names
        assert database.add_indexes(book.engine) == [], "再来一次，什么也不做"
    assert not any(i["name"].startswith("crm_ix") for rows in before.values() for i in rows)
    with Gradebook(url) as stock:  # nbgrader 自己照常用
        assert stock.students == []


def test_other_databases_get_no_indexes(tmp_path):
    database.open_gradebook(sqlite(tmp_path)).close()
    (tmp_path / "b").mkdir()
    with Gradebook(sqlite(tmp_path / "b")) as stock:
        assert not any(i["name"].startswith("crm_ix") for i in inspect(stock.engine).get_indexes("grade"))


def test_the_list_asks_the_indexes(tmp_path):
    url = sqlite(tmp_path)
    fill(url)
    with database.open_gradebook(url) as book:
        plan = book.db.execute(text("EXPLAIN QUERY PLAN SELECT * FROM grade WHERE notebook_id = 'x'")).all()
        assert "crm_ix_grade_notebook_id" in str(plan)
        assert len(book.submission_dicts("a")) == 11


@pytest.mark.parametrize(("url", "why"), [
    ("gradebook.db", "写得不对"), ("oracle+nothing://x", "写得不对"),
    ("sqlite:////没有/这个/文件夹/x.db", "打不开"),
    ("postgresql+psycopg://crm:geheim@/x?host=/没有", "打不开")])
def test_a_database_that_cannot_be_opened_is_told(url, why):
    with pytest.raises(CourseError, match=why) as told:
        database.open_gradebook(url)
    assert "\n" not in str(told.value) and "geheim" not in str(told.value)


def test_a_damaged_file_is_told(tmp_path):
    (tmp_path / "gradebook.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(CourseError, match="打不开"):
        database.open_gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}")


# ---- 导出 ----

def test_the_export_says_what_nbgraders_own_says(url, tmp_path):
    fill(url)
    with database.open_gradebook(url) as book:
        for plugin, name in ((CsvExportPlugin(), "stock.csv"), (ExportCsv(), "ours.csv")):
            plugin.to = str(tmp_path / name)
            plugin.export(book)
    ours = list(csv.DictReader((tmp_path / "ours.csv").open(encoding="utf-8-sig", newline="")))
    stock = (tmp_path / "stock.csv").read_text("utf-8").splitlines()
    assert stock[0] == ",".join(ours[0])
    # nbgrader 自己不加引号，姓里的逗号会串列：比的是把值连起来
    assert sorted(stock[1:]) == sorted(",".join(row.values()) for row in ours)
    assert ours[0]["last_name"] == "姓," and {r["score"] for r in ours if r["student_id"] == "s11"} == {"0.0"}


# ---- 同时写 ----

def test_four_graders_at_once_lose_nothing(url):
    fill(url, students=3)
    with Gradebook(url) as book:
        mark = book.find_grade("m", "p", "a", "s01")
        mark.manual_score, mark.needs_manual_grade = 7.5, False
        book.db.commit()
    spawn = multiprocessing.get_context("spawn")
    ready, told = spawn.Barrier(GRADERS), spawn.Queue()
    graders = [spawn.Process(target=grader, args=(url, n, ready, told)) for n in range(GRADERS)]
    for process in graders:
        process.start()
    faults = [told.get(timeout=120) for _ in graders]
    for process in graders:
        process.join()
    assert faults == [None] * GRADERS
    with Gradebook(url) as book:
        scores = {s.student_id: s.score for s in book.assignment_submissions("a")}
        right = {f"s{n:02}": sum(float((n + k) % 11) for k in range(CELLS)) for n in range(20)}
        right["s01"] += 7.5
        right |= {f"g{g}-{lap}": sum(float((g + k) % 11) for k in range(CELLS))
                  for g in range(GRADERS) for lap in range(4)}
        assert scores == right
        assert book.find_grade("m", "p", "a", "s01").manual_score == 7.5, "老师的分还在"


# ---- 一个班放在 PostgreSQL 里 ----

def test_a_whole_class_on_postgresql(server, tmp_path, tmp_path_factory, monkeypatch, capsys):
    root, ready = released(tmp_path_factory)
    monkeypatch.setenv("CRM_COURSE", str(root))
    room = Classroom(shutil.copytree(ready.root, tmp_path / "班"))
    (room.root / "gradebook.db").unlink()
    with (room.root / "nbgrader_config.py").open("a", encoding="utf-8") as file:
        file.write(f"\nc.CourseDirectory.db_url = {empty(server)!r}\n")
    shutil.rmtree(room.root / "release")
    place = ["--course", str(room.root)]
    assert main(["class", "release", "1.1", *place]) == 0
    enrol(room, {"20260101": "张三", "20260102": "李四"})
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for student, answers in (("20260101", FULL), ("20260102", PARTLY)):
        shutil.move(handed(work(room, tmp_path / student / UNIT, answers), student), inbox)
    collecting.collect(room, inbox)
    assert grade([UNIT, *place]) in (0, 1)
    capsys.readouterr()
    assert main(["class", "status", *place]) == 0
    assert "2 / 2  2     0       2" in capsys.readouterr().out
    with Gradebook(room.db_url, "crm") as stock:
        assert {s["student"]: s["score"] for s in stock.submission_dicts(UNIT)} == {
            "20260101": 90, "20260102": 80}
    assert feedback.give_back(room, UNIT)[0] == 2
    assert not (room.root / "gradebook.db").exists()
