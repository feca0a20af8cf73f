"""成绩册的记录：只增不改，和 nbgrader 的成绩库放在同一个数据库里（SQLite 或 PostgreSQL）。

每个输入、每个决定是一行；改错就再写一行，旧的留着。每一行带着上一行的指纹，删一行、改一行都查得出来；
数据库自己也拒绝改和删。现在的成绩是把全部记录从头叠一遍（state.py）。
"""

import hashlib
import io
import json
import zipfile
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from crmlib.cli import CourseError

TABLE = "crm_marks_log"
_CHUNK = 5_000
_COLUMNS = ("at", "who", "role", "what", "whom", "component", "kind", "item", "mark", "evidence", "scheme")


@dataclass(slots=True)
class Entry:
    """One row: who gave whom what mark for what, when, on what evidence, under which version of the scheme.

    ``what``: scheme points student group leave item round form rating machine attendance decision comment
    void issue. ``role``: teacher, self, peer_within, peer_between, enterprise, machine.
    ``mark``: as `exact` reads it. ``detail``: what else belongs to it. ``seq``, ``at``, ``hash`` come from
    the store.
    """

    what: str
    who: str
    role: str = "teacher"
    whom: str = ""
    component: str = ""
    kind: str = ""
    item: str = ""
    mark: str = ""
    evidence: str = ""
    scheme: str = ""
    detail: dict = field(default_factory=dict)
    at: str = ""
    seq: int = 0
    hash: str = ""


def fingerprint(entry: Entry, before: str) -> str:
    """SHA-256 of a row and of the row before it."""
    parts = [before, str(entry.seq), *(getattr(entry, c) for c in _COLUMNS), _json(entry.detail)]
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()


def _json(detail) -> str:
    return json.dumps(detail, ensure_ascii=False, sort_keys=True) if detail else "{}"


class Store:
    """The log in one database. Use as a context manager, or ``close()`` it."""

    def __init__(self, url: str):
        """``url``: an SQLAlchemy URL. A database that is not there is made. CourseError if it cannot be."""
        from sqlalchemy import create_engine, inspect
        from sqlalchemy.exc import SQLAlchemyError

        self.url = url
        try:
            options = {"connect_args": {"timeout": 30}} if url.startswith("sqlite") else {}
            self.engine = create_engine(url, **options)
            self.table = _table()
            found = inspect(self.engine).get_table_names()
            if not found:
                _make_nbgrader(url)
            if TABLE not in found:
                self.table.metadata.create_all(self.engine)
                self._forbid_changes()
        except (SQLAlchemyError, ImportError, OSError) as fault:
            why = str(getattr(fault, "orig", None) or fault).strip().splitlines()[0]
            raise CourseError(f"打不开成绩库 {_without_password(url)}：{why}") from None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        self.engine.dispose()

    def _forbid_changes(self) -> None:
        """The database itself refuses to change or delete a row."""
        from sqlalchemy import text

        with self.engine.begin() as db:
            if db.dialect.name == "sqlite":
                for act in ("UPDATE", "DELETE"):
                    db.execute(text(
                        f"CREATE TRIGGER IF NOT EXISTS {TABLE}_{act.lower()} BEFORE {act} ON {TABLE} "
                        f"BEGIN SELECT RAISE(ABORT, 'append-only'); END"))
            elif db.dialect.name == "postgresql":
                db.execute(text(
                    f"CREATE OR REPLACE FUNCTION {TABLE}_keep() RETURNS trigger AS $$ "
                    "BEGIN RAISE EXCEPTION 'append-only'; END $$ LANGUAGE plpgsql"))
                db.execute(text(
                    f"CREATE OR REPLACE TRIGGER {TABLE}_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON {TABLE} "
                    f"FOR EACH STATEMENT EXECUTE FUNCTION {TABLE}_keep()"))

    def add(self, entries) -> list[Entry]:
        """Append rows, all or none; they come back numbered. Two writers at once take turns."""
        from sqlalchemy import text

        entries = list(entries)
        if not entries:
            return []
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        with self.engine.connect() as db:
            if db.dialect.name == "sqlite":  # 先占住写的位置，再看最后一行是第几行
                db.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                db.execute(text(f"LOCK TABLE {TABLE} IN EXCLUSIVE MODE"))
            last = db.execute(self.table.select().order_by(self.table.c.seq.desc()).limit(1)).first()
            seq, chain = (last.seq, last.hash) if last else (0, "")
            rows = []
            for entry in entries:
                seq += 1
                entry.seq, entry.at = seq, entry.at or now
                entry.hash = chain = fingerprint(entry, chain)
                rows.append({**asdict(entry), "detail": _json(entry.detail)})
            for start in range(0, len(rows), _CHUNK):
                db.execute(self.table.insert(), rows[start: start + _CHUNK])
            db.commit()
        return entries

    def read(self) -> list[Entry]:
        """Every row, oldest first."""
        from sqlalchemy import select

        order = ("what", "who", "role", "whom", "component", "kind", "item", "mark", "evidence", "scheme",
                 "detail", "at", "seq", "hash")
        columns, load, empty = [self.table.c[name] for name in order], json.loads, "{}"
        with self.engine.connect() as db:
            rows = db.execute(select(*columns).order_by(self.table.c.seq)).all()
        return [Entry(*row[:10], load(row[10]) if row[10] != empty else {}, *row[11:]) for row in rows]


def _table():
    from sqlalchemy import Column, Integer, MetaData, String, Table, Text

    def short(name, size=64):
        return Column(name, String(size), nullable=False, default="")

    return Table(TABLE, MetaData(), Column("seq", Integer, primary_key=True, autoincrement=False),
                 short("at", 32), short("who", 128), short("role", 16), short("what", 16),
                 short("whom", 128), short("component"), short("kind", 16), short("item", 128),
                 short("mark"), Column("evidence", Text, nullable=False, default=""), short("scheme", 16),
                 Column("detail", Text, nullable=False, default="{}"), short("hash"))


def _make_nbgrader(url) -> None:
    """An empty database becomes nbgrader's first: it would not take one that already has tables."""
    import os
    import sys

    from nbgrader.api import Gradebook

    # nbgrader 另外运行 alembic；它和 Python 装在同一个文件夹里
    tools = os.path.dirname(sys.executable)
    if tools not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = tools + os.pathsep + os.environ.get("PATH", "")
    Gradebook(url).close()


def _without_password(url) -> str:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "（地址写错了）"


def broken(entries) -> int | None:
    """Number of the first row that was changed, or after which one is missing; None if all is sound."""
    chain = ""
    for place, entry in enumerate(entries, 1):
        if entry.seq != place or fingerprint(entry, chain) != entry.hash:
            return place
        chain = entry.hash
    return None


def where(folder: Path, db: str | None = None) -> str:
    """The database of a class folder: ``db``, else what nbgrader_config.py says, else gradebook.db."""
    if db:
        return db if "://" in db else f"sqlite:///{Path(db).absolute()}"
    config = folder / "nbgrader_config.py"
    if config.is_file():
        from traitlets.config import PyFileConfigLoader

        said = PyFileConfigLoader(config.name, str(folder.absolute())).load_config()
        url = said.get("CourseDirectory", {}).get("db_url")
        if isinstance(url, str) and url:
            return url
    elif not (folder / "gradebook.db").is_file():
        raise CourseError(f"{folder.absolute()} 不是班级文件夹：这里没有 nbgrader_config.py，也没有 "
                          f"gradebook.db。"
                          "进到班级文件夹里再运行，或者用 --course 写明它在哪里。")
    return f"sqlite:///{(folder / 'gradebook.db').absolute()}"


# ---- 全部导出、导入 ----

def export(store: Store, path: Path) -> tuple[int, int]:
    """Write log and nbgrader's tables into one new .zip; (rows of the log, rows of nbgrader)."""
    entries = store.read()
    tables = _dump(store.engine)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        lines = (json.dumps(asdict(e), ensure_ascii=False, sort_keys=True) for e in entries)
        file.writestr("log.jsonl", "\n".join(lines) + "\n" if entries else "")
        file.writestr("nbgrader.json", json.dumps(tables, ensure_ascii=False, indent=0))
    try:
        with open(path, "xb") as out:
            out.write(packed.getvalue())
    except FileExistsError:
        raise CourseError(f"{path} 已经有了，不覆盖它。换一个文件名。") from None
    except OSError as fault:
        raise CourseError(f"写不了 {path}（{fault.strerror}）。") from None
    return len(entries), sum(map(len, tables.values()))


def restore(store: Store, path: Path) -> tuple[int, int]:
    """Read such a .zip into an empty database; refuses one that has anything in it, or a changed file."""
    if store.read() or any(rows for name, rows in _dump(store.engine).items() if name != "course"):
        raise CourseError("这个成绩库里已经有内容，不能导入：导入只能进一个空的库，免得盖掉谁的分。"
                          "换一个新的文件夹，或者用 --db 写一个新的库。")
    try:
        with zipfile.ZipFile(path) as file:
            lines = file.read("log.jsonl").decode().splitlines()
            entries = [Entry(**json.loads(line)) for line in lines]
            tables = json.loads(file.read("nbgrader.json"))
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile):
        raise CourseError(f"{path} 不是成绩册导出的文件，或者已经损坏。") from None
    if place := broken(entries):
        raise CourseError(f"{path} 的第 {place} 条记录被改过或者缺了，没有导入。用原来导出的那一份。")
    _load(store.engine, tables)
    with store.engine.begin() as db:
        for start in range(0, len(entries), _CHUNK):
            db.execute(store.table.insert(), [{**asdict(e), "detail": _json(e.detail)}
                                              for e in entries[start: start + _CHUNK]])
    return len(entries), sum(map(len, tables.values()))


def _nbgrader_tables():
    from nbgrader.api import Base

    return Base.metadata.sorted_tables


def _dump(engine) -> dict[str, list[dict]]:
    from sqlalchemy import inspect

    have = set(inspect(engine).get_table_names())
    with engine.connect() as db:
        return {t.name: [{k: _plain(v) for k, v in row._mapping.items()}
                         for row in db.execute(t.select().order_by(*t.primary_key.columns))]
                for t in _nbgrader_tables() if t.name in have}


def _load(engine, tables) -> None:
    from sqlalchemy import DateTime, Interval

    with engine.begin() as db:
        for table in _nbgrader_tables():
            rows = tables.get(table.name, [])
            for column in table.columns:
                read = {DateTime: datetime.fromisoformat,
                        Interval: lambda s: timedelta(seconds=s)}.get(type(column.type))
                for row in rows if read else ():
                    row[column.name] = None if row[column.name] is None else read(row[column.name])
            if table.name == "course":  # 空库里已经有一门课：同名的不再加
                have = {r.id for r in db.execute(table.select())}
                rows = [r for r in rows if r["id"] not in have]
            for start in range(0, len(rows), _CHUNK):
                db.execute(table.insert(), rows[start: start + _CHUNK])


def _plain(value):
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value.total_seconds() if isinstance(value, timedelta) else value
