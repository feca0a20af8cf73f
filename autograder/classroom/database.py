"""成绩库：nbgrader 自己的数据库，加上它缺的索引。SQLite 是缺省，PostgreSQL 用网址。

nbgrader 的表在外键上没有索引，人一多，formgrader 的名单就要等半分钟。索引建在数据库里，
以后 nbgrader 自己去查也快，不用经过这里的代码。
"""

import os
import sys
from contextlib import contextmanager, suppress

from crmlib.cli import CourseError

_PREFIX = "crm_ix"


@contextmanager
def opened(room):
    """nbgrader's Gradebook of a class folder, indexes made; closed at the end.

    Raises CourseError if the database cannot be reached or is not nbgrader's.
    """
    book = open_gradebook(room.db_url, room.directory.course_id)
    try:
        yield book
    finally:
        book.close()


def open_gradebook(url: str, course: str = "default_course"):
    """nbgrader's Gradebook at a database URL, with indexes. CourseError if it cannot be opened."""
    sys.modules.setdefault("rfc3987_syntax", None)  # 见 crmlib.lab
    from nbgrader.api import Gradebook
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

    # nbgrader 建新库时另外运行 alembic，它和 Python 装在同一个文件夹里
    os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ.get("PATH", "")
    try:
        shown = make_url(url).render_as_string(hide_password=True)
        book = Gradebook(url, course)
    except (ArgumentError, NoSuchModuleError):
        raise CourseError(f"成绩库的网址“{url}”写得不对：应当像 sqlite:///D:/班级/gradebook.db，"
                          "或者 postgresql+psycopg://用户:密码@服务器/库。") from None
    except ModuleNotFoundError as missing:
        raise CourseError(f"成绩库 {shown} 要用到 {missing.name}，这台电脑还没装。") from None
    except SQLAlchemyError as fault:
        why = str(getattr(fault, "orig", None) or fault).strip().splitlines()[0]
        raise CourseError(f"成绩库 {shown} 打不开（{why}）。看看服务器开了没有，网址、用户、密码对不对，"
                          "文件坏了就从备份里找回来。") from None
    with suppress(SQLAlchemyError):  # 只读的库、没有建索引的权限：慢一些，照样能用
        add_indexes(book.engine)
    return book


def add_indexes(engine) -> list[str]:
    """Make the missing indexes on foreign keys; returns the names made. Safe to repeat, and to race."""
    from nbgrader.api import Base
    from sqlalchemy import Index, inspect
    from sqlalchemy.exc import OperationalError, ProgrammingError
    from sqlalchemy.schema import CreateIndex

    looked, made = inspect(engine), []
    tables = set(looked.get_table_names())
    for table in Base.metadata.sorted_tables:
        if table.name not in tables:
            continue
        # 已有的索引、唯一约束、主键，打头的那一列已经查得快了
        ready = {i["column_names"][0] for i in looked.get_indexes(table.name) if i["column_names"]}
        ready |= {c["column_names"][0] for c in looked.get_unique_constraints(table.name)}
        ready |= set(looked.get_pk_constraint(table.name)["constrained_columns"][:1])
        for column in table.columns:
            if not column.foreign_keys or column.name in ready:
                continue
            name = f"{_PREFIX}_{table.name}_{column.name}"
            # 不挂在 nbgrader 的表上：别的数据库不该跟着有这个索引
            index = CreateIndex(_detached(Index, name, column), if_not_exists=True)
            try:
                with engine.begin() as connection:
                    connection.execute(index)
            except (OperationalError, ProgrammingError):
                if name not in {i["name"] for i in inspect(engine).get_indexes(table.name)}:
                    raise
            else:
                made.append(name)
    if made:
        _analyse(engine)
    return made


def _detached(index, name, column):
    from sqlalchemy import Column, MetaData, Table

    twin = Table(column.table.name, MetaData(), Column(column.name, column.type))
    return index(name, twin.c[column.name])


def _analyse(engine) -> None:
    from sqlalchemy import text

    with engine.begin() as connection:
        connection.execute(text("ANALYZE"))
