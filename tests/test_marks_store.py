"""成绩册的记录：只增不改，改了查得出来，导出导入一条不差。"""

import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile

import pytest
from fixtures.marks import PROJECT, Class, ids

from autograder.marks import store
from autograder.marks.store import Entry, Store, broken
from crmlib.cli import CourseError


def some(n=3):
    return [Entry("rating", "王老师", whom=f"0{i}", component="kd-A2", kind="teacher", mark="87.5",
                  detail={"note": "好"}) for i in range(n)]


@pytest.fixture
def log(tmp_path):
    with Store(f"sqlite:///{Class(tmp_path).folder / 'gradebook.db'}") as log:
        yield log


def test_rows_are_numbered_dated_and_chained(log):
    log.add(some())
    log.add(some(1))
    entries = log.read()
    assert [e.seq for e in entries] == [1, 2, 3, 4] and broken(entries) is None
    assert entries[0].detail == {"note": "好"} and entries[0].at[:2] == "20"
    entries[1].mark = "99"
    assert broken(entries) == 2
    assert broken(log.read()[:1] + log.read()[2:]) == 2


def test_the_database_refuses_to_change_a_row(log):
    from sqlalchemy import text
    from sqlalchemy.exc import DatabaseError

    log.add(some())
    for command in (f"UPDATE {store.TABLE} SET mark = '100'", f"DELETE FROM {store.TABLE} WHERE seq = 1"):
        with pytest.raises(DatabaseError, match="append-only"), log.engine.begin() as db:
            db.execute(text(command))
    assert [e.mark for e in log.read()] == ["87.5"] * 3


def test_a_tampered_log_is_found_out(tmp_path, capsys):
    """Whoever can write the file can drop the trigger; the chain still tells."""
    import sqlite3

    klass = Class(tmp_path / "班", capsys)
    klass.roll(4)
    assert "没有被改过" in klass.marks("log")
    with sqlite3.connect(klass.folder / "gradebook.db") as db:
        db.execute(f"DROP TRIGGER {store.TABLE}_update")
        db.execute(f"UPDATE {store.TABLE} SET detail = '{{}}' WHERE seq = 3")
    with pytest.raises(CourseError, match="第 3 条和指纹对不上"):
        klass.marks("log")


def test_writers_at_once_lose_nothing(tmp_path):
    url = f"sqlite:///{Class(tmp_path).folder / 'gradebook.db'}"
    with Store(url) as log:
        log.add(some(1))

    def write():
        with Store(url) as mine:
            for _ in range(5):
                mine.add(some(2))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    with Store(url) as log:
        entries = log.read()
    assert len(entries) == 41 and broken(entries) is None


def test_nbgrader_and_the_log_share_one_database(tmp_path, capsys):
    """Whichever comes first, nbgrader can work with the database: it finds its own version mark."""
    import sqlite3

    klass = Class(tmp_path / "班", capsys)
    klass.roll(4)
    klass.nbgrader({"2.2-swot-pest": {ids(4)[0]: 15}})
    with sqlite3.connect(klass.folder / "gradebook.db") as db:
        assert db.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
    assert "取到 1 个" in klass.marks("pull") and "取到 0 个" in klass.marks("pull")


def test_export_and_import_of_everything(tmp_path, capsys):
    klass = Class(tmp_path / "班", capsys)
    klass.marks("--scheme", "kd", "--by", "王老师")
    klass.roll(4)
    klass.nbgrader({"2.2-swot-pest": dict.fromkeys(ids(4), 15.5)})
    klass.marks("pull")
    packed = tmp_path / "成绩册.zip"
    assert "成绩册" in klass.marks("export", packed)
    with pytest.raises(CourseError, match="不覆盖"):
        klass.marks("export", packed)
    other = Class(tmp_path / "另一台", capsys)
    other.marks("import", packed)
    with klass.open() as a, other.open() as b:
        assert a.state.entries == b.state.entries and broken(b.state.entries) is None
        assert store._dump(a.store.engine) == store._dump(b.store.engine), "nbgrader 的表也一样"
    assert "取到 0 个" in other.marks("pull")
    with pytest.raises(CourseError, match="已经有内容"):
        other.marks("import", packed)


def test_a_changed_export_is_refused(tmp_path, capsys):
    klass = Class(tmp_path / "班", capsys)
    klass.roll(4)
    klass.marks("export", tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as old:
        lines = old.read("log.jsonl").decode().splitlines()
        others = old.read("nbgrader.json")
    entry = json.loads(lines[2])
    lines[2] = json.dumps({**entry, "whom": "别人"})
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as new:
        new.writestr("log.jsonl", "\n".join(lines))
        new.writestr("nbgrader.json", others)
    fresh = Class(tmp_path / "空", capsys)
    with pytest.raises(CourseError, match="第 3 条记录被改过"):
        fresh.marks("import", tmp_path / "b.zip")
    (tmp_path / "c.zip").write_bytes(b"not a zip")
    with pytest.raises(CourseError, match="不是成绩册导出的文件"):
        fresh.marks("import", tmp_path / "c.zip")
    assert fresh.state().entries == []


def test_where_the_database_is(tmp_path):
    with pytest.raises(CourseError, match="不是班级文件夹"):
        store.where(tmp_path)
    shutil.copy(PROJECT / "assignments" / "nbgrader_config.py", tmp_path)
    assert store.where(tmp_path) == f"sqlite:///{tmp_path / 'gradebook.db'}"
    (tmp_path / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.db_url = 'sqlite:"
                                                 "///x.db'\n")
    assert store.where(tmp_path) == "sqlite:///x.db"
    assert store.where(tmp_path, "postgresql://a@b/c") == "postgresql://a@b/c"
    with pytest.raises(CourseError, match="打不开成绩库"):
        Store("nonsense://user:secret@host/db")


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    """A private PostgreSQL, on a socket in a temporary folder; it refuses to run as root."""
    folder = next((p for p in map(shutil.which, ("initdb", "pg_ctl")) if p), None)
    found = [*sorted((PROJECT.__class__("/usr/lib/postgresql")).glob("*/bin/initdb"))]
    if not found and not folder:
        pytest.skip("没有装 PostgreSQL（Debian：apt-get install postgresql）")
    tools = found[-1].parent if found else PROJECT.__class__(folder).parent
    import pwd
    import tempfile

    place = tempfile.mkdtemp(prefix="pg")  # 套接字的路径不能长
    run = {}
    if os.geteuid() == 0:
        try:
            user = pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("PostgreSQL 不肯用 root 运行，这里又没有 postgres 这个用户")
        os.chown(place, user.pw_uid, user.pw_gid)
        run = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    data = f"{place}/data"
    subprocess.run([tools / "initdb", "-D", data, "-A", "trust", "-U", "crm", "--no-sync", "-E", "UTF8"],
                   check=True, capture_output=True, cwd=place, **run)
    options = f"-k {place} -c listen_addresses='' -c fsync=off"
    subprocess.run([tools / "pg_ctl", "-D", data, "-w", "-l", f"{place}/log", "-o", options, "start"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=place, **run)
    yield f"postgresql+psycopg://crm@/postgres?host={place}"
    subprocess.run([tools / "pg_ctl", "-D", data, "-m", "immediate", "stop"], cwd=place,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **run)
    shutil.rmtree(place, ignore_errors=True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows 上不装 PostgreSQL")
def test_the_same_on_postgresql(postgres, tmp_path, capsys):
    from sqlalchemy import text
    from sqlalchemy.exc import DatabaseError

    klass = Class(tmp_path / "班", capsys)
    klass.marks("--scheme", "kd", "--by", "王老师")
    klass.roll(4)
    klass.nbgrader({"2.2-swot-pest": dict.fromkeys(ids(4), 15.5)})
    klass.marks("items", "kd-A1", "2.2-swot-pest")
    klass.marks("pull")
    klass.marks("export", tmp_path / "a.zip")
    klass.marks("import", tmp_path / "a.zip", "--db", postgres)  # 从 SQLite 搬到 PostgreSQL
    assert "4 名学生" in klass.marks("--db", postgres) and "取到 0 个" in klass.marks(
        "pull", "--db", postgres
    )
    with Store(postgres) as log:
        threads = [threading.Thread(target=lambda: [log.add(some(2)) for _ in range(5)]) for _ in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        entries = log.read()
        with klass.open() as here:
            assert entries[: len(here.state.entries)] == here.state.entries
        assert broken(entries) is None and len(entries) == len(klass.state().entries) + 40
        for command in (f"UPDATE {store.TABLE} SET mark = '1'", f"DELETE FROM {store.TABLE}",
                        f"TRUNCATE {store.TABLE}"):
            with pytest.raises(DatabaseError, match="append-only"), log.engine.begin() as db:
                db.execute(text(command))
