"""nbgrader 的成绩库：一次读出作业的样子，成批写回成绩。直接用 SQLAlchemy 的表，任何数据库地址都行。

只碰 nbgrader 自己的表，写的和 ``nbgrader autograde`` 写的一样；人工的分和评语从不动。
"""

import contextlib
import json
import random
import time
import uuid
from dataclasses import dataclass, field

from autograder.engine.repair import Source, SourceCell
from crmlib.cli import CourseError

_TABLES = ("assignment", "notebook", "base_cell", "grade_cells", "solution_cells", "task_cells",
           "source_cell", "student", "submitted_assignment", "submitted_notebook", "grade", "comment")

_COLLISIONS = ("40001", "40P01")  # PostgreSQL：撞车了、互相等住了，退回去再写一次就好


@dataclass
class Score:
    """What the engine decided for one notebook: {cell: points, or None for a person to mark}.

    ``comments``: {answer or task cell: automatic comment or None}; ``look``: cells a person should look at.
    ``missing``: there was no such file, so everything is 0 (as in nbgrader).
    """

    scores: dict[str, float | None]
    comments: dict[str, str | None] = field(default_factory=dict)
    look: set[str] = field(default_factory=set)
    missing: bool = False


class Book:
    """The gradebook of one course. Use it as a context; safe to open in several processes."""

    def __init__(self, url: str):
        import sqlalchemy as sa

        self.sa, self.url = sa, url
        try:
            lite = url.startswith("sqlite")
            options = {"connect_args": {"timeout": 60}} if lite else {"pool_pre_ping": True}
            self.engine = sa.create_engine(url, **options)
            meta = sa.MetaData()
            meta.reflect(self.engine, only=lambda name, _: name in _TABLES)
            self.tables = meta.tables
        except ImportError as fault:
            raise CourseError(f"成绩库 {self.where()} 要用到 {fault.name}，这台电脑还没装。") from None
        except (sa.exc.SQLAlchemyError, OSError) as fault:
            raise CourseError(f"打不开成绩库 {self.where()}：{_first_line(fault)}") from None
        if not set(_TABLES) <= set(self.tables):
            raise CourseError(f"成绩库 {self.where()} 里还没有作业。先运行 nbgrader generate_assignment。")

    def where(self) -> str:
        """The database without the password in its address."""
        with contextlib.suppress(Exception):
            return self.sa.engine.make_url(self.url).render_as_string(hide_password=True)
        return "（地址写错了）"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.engine.dispose()

    # ---- 读 ----

    def sources(self, assignment: str, order=None) -> dict[str, Source]:
        """{notebook: its nbgrader cells}; ``order``: {notebook: [grade_id, …]} as the released file has them.

        CourseError if the assignment is not in the gradebook.
        """
        sa, t = self.sa, self.tables
        with self.engine.connect() as db:
            named = t["assignment"].c.name == assignment
            row = db.execute(sa.select(t["assignment"].c.id).where(named)).first()
            if row is None:
                have = db.execute(sa.select(t["assignment"].c.name)).scalars().all()
                known = f"里面有：{'、'.join(sorted(have)[:20])}。" if have else "里面还没有作业。"
                raise CourseError(f"成绩库里没有作业 {assignment}。{known}"
                                  f"没有发布过，就先运行 crm class release {assignment}"
                                  "（不是本课程的作业：nbgrader generate_assignment）。")
            made = {}
            for nb in db.execute(sa.select(t["notebook"]).where(t["notebook"].c.assignment_id == row.id)):
                made[nb.name] = self._source(db, nb, (order or {}).get(nb.name, []))
        if not made:
            raise CourseError(f"成绩库里的作业 {assignment} 一本笔记也没有。"
                              f"再运行一次 nbgrader generate_assignment {assignment}。")
        return made

    def _source(self, db, nb, order) -> Source:
        sa, t = self.sa, self.tables
        base, grade, task = t["base_cell"], t["grade_cells"], t["task_cells"]
        points, kinds = {}, {}
        rows = sa.select(
            base.c.name, base.c.type, grade.c.max_score, task.c.max_score.label("task_score")
        ).select_from(
            base.outerjoin(grade, grade.c.id == base.c.id).outerjoin(task, task.c.id == base.c.id)
        ).where(base.c.notebook_id == nb.id)
        for cell in db.execute(rows):
            kinds.setdefault(cell.name, set()).add(cell.type)
            if cell.type in ("GradeCell", "TaskCell"):
                points[cell.name] = float(cell.max_score if cell.type == "GradeCell" else cell.task_score)
        cells = {}
        for c in db.execute(sa.select(t["source_cell"]).where(t["source_cell"].c.notebook_id == nb.id)):
            kind = kinds.get(c.name, set())
            cells[c.name] = SourceCell(
                c.name, c.cell_type, c.source or "", bool(c.locked), c.checksum or "", "GradeCell" in kind,
                "SolutionCell" in kind, "TaskCell" in kind, points.get(c.name))
        place = {name: i for i, name in enumerate(order)}
        names = sorted(cells, key=lambda n: place.get(n, len(place)))
        spec = nb.kernelspec
        spec = json.loads(spec) if isinstance(spec, str) and spec.startswith("{") else None
        return Source({n: cells[n] for n in names}, spec)

    def marks(self, assignment: str) -> dict[tuple[str, str, str], tuple]:
        """What stands in the gradebook: {(student, notebook, cell): (auto, manual, needs manual)}."""
        sa, t = self.sa, self.tables
        sub, nb, grade = t["submitted_assignment"], t["submitted_notebook"], t["grade"]
        rows = sa.select(
            sub.c.student_id, t["notebook"].c.name, t["base_cell"].c.name.label("cell"), grade.c.auto_score,
            grade.c.manual_score, grade.c.needs_manual_grade,
        ).select_from(
            sub.join(t["assignment"], t["assignment"].c.id == sub.c.assignment_id)
            .join(nb, nb.c.assignment_id == sub.c.id)
            .join(t["notebook"], t["notebook"].c.id == nb.c.notebook_id)
            .join(grade, grade.c.notebook_id == nb.c.id)
            .join(t["base_cell"], t["base_cell"].c.id == grade.c.cell_id)
        ).where(t["assignment"].c.name == assignment)
        with self.engine.connect() as db:
            return {(r.student_id, r.name, r.cell): (r.auto_score, r.manual_score, bool(r.needs_manual_grade))
                    for r in db.execute(rows)}

    # ---- 写 ----

    def write(self, assignment: str, course_id: str, results, penalty=None) -> int:
        """Write ``results``, [(student, timestamp, {notebook: Score})], in one transaction.

        Creates students, submissions and their rows as nbgrader does. Only rows that differ are changed;
        manual scores, comments and extra credit are never touched. Returns how many grades changed.
        ``penalty(student, score, seconds late)`` gives the late penalty. Two graders writing at once
        are tried again. Raises CourseError if the database refuses (full disk and the like).
        """
        # 人人按同一个次序写，两个批改就不会互相等着对方
        results = sorted(results, key=lambda r: r[0])
        for attempt in range(5):
            try:
                with self.engine.begin() as db:
                    if self.url.startswith("sqlite"):  # 先拿写锁：读了再升级会和别的批改撞车
                        db.connection.driver_connection.isolation_level = None
                        db.exec_driver_sql("BEGIN IMMEDIATE")
                        try:
                            changed = self._write(db, assignment, course_id, results, penalty)
                        except BaseException:
                            db.exec_driver_sql("ROLLBACK")
                            raise
                        db.exec_driver_sql("COMMIT")
                        return changed
                    return self._write(db, assignment, course_id, results, penalty)
            except self.sa.exc.IntegrityError:  # 另一个批改刚刚添了同一行：再读一次就看得见
                if attempt == 4:
                    raise CourseError(f"成绩库 {self.where()} 一直有别的程序在写同一份成绩。"
                                      "等一等再批。") from None
            except (self.sa.exc.OperationalError, self.sa.exc.DatabaseError) as fault:
                if attempt < 4 and getattr(fault.orig, "sqlstate", None) in _COLLISIONS:
                    time.sleep(random.random() * 0.2 * (attempt + 1))
                    continue
                raise CourseError(f"成绩没有写进 {self.where()}：{_first_line(fault)}。"
                                  "看看磁盘满没满、文件能不能写；再运行一次，会接着批。") from None
        return 0

    def _write(self, db, assignment, course_id, results, penalty) -> int:
        sa, t = self.sa, self.tables
        about = db.execute(sa.select(t["assignment"]).where(t["assignment"].c.name == assignment)).first()
        notebooks = {n.name: n.id for n in db.execute(
            sa.select(t["notebook"]).where(t["notebook"].c.assignment_id == about.id))}
        cells = {}
        for c in self._among(db, t["base_cell"], "notebook_id", notebooks.values()):
            cells.setdefault(c.notebook_id, []).append(c)
        students = [student for student, _, _ in results]
        subs, ids = self._submissions(db, about, students, results), {}
        known = {(r.assignment_id, r.notebook_id): r.id for r in self._among(
            db, t["submitted_notebook"], "assignment_id", [s.id for s in subs.values()])}
        new_nb, new_grade, new_comment = [], [], []
        for sub in subs.values():
            for nb_id in notebooks.values():
                if (sub.id, nb_id) not in known:
                    known[sub.id, nb_id] = ids[sub.id, nb_id] = _id()
                    new_nb.append({"id": known[sub.id, nb_id], "assignment_id": sub.id, "notebook_id": nb_id,
                                   "flagged": False})
        self._insert(db, "submitted_notebook", new_nb)
        grades = {(r.notebook_id, r.cell_id): r for r in self._among(
            db, t["grade"], "notebook_id", list(known.values()))}
        comments = {(r.notebook_id, r.cell_id): r for r in self._among(
            db, t["comment"], "notebook_id", list(known.values()))}
        updates, comment_updates, changed = [], [], 0
        for student, _, scored in results:
            for name, nb_id in notebooks.items():
                place, score = known[subs[student].id, nb_id], scored.get(name)
                for cell in cells.get(nb_id, []):
                    if cell.type in ("GradeCell", "TaskCell"):
                        old = grades.get((place, cell.id))
                        row = _grade_row(old, score, cell)
                        if old is None:
                            new_grade.append({"id": _id(), "cell_id": cell.id, "notebook_id": place, **row})
                            changed += row["auto_score"] is not None
                        elif (old.auto_score, bool(old.needs_manual_grade)) != tuple(row.values()):
                            updates.append({"b_id": old.id, **row})
                            changed += 1
                    if cell.type in ("SolutionCell", "TaskCell"):
                        old = comments.get((place, cell.id))
                        said = score.comments.get(cell.name) if score else old.auto_comment if old else None
                        if old is None:
                            new_comment.append({"id": _id(), "cell_id": cell.id, "notebook_id": place,
                                                "auto_comment": said})
                        elif old.auto_comment != said:
                            comment_updates.append({"b_id": old.id, "auto_comment": said})
        self._insert(db, "grade", new_grade)
        self._insert(db, "comment", new_comment)
        for table, rows in (("grade", updates), ("comment", comment_updates)):
            if rows:
                names = [n for n in rows[0] if n != "b_id"]
                rows = sorted(rows, key=lambda r: r["b_id"])
                db.execute(sa.update(t[table]).where(t[table].c.id == sa.bindparam("b_id"))
                           .values({n: sa.bindparam(n) for n in names}), rows)
        if penalty:
            self._penalties(db, about, subs, notebooks, known, penalty)
        return changed

    def _submissions(self, db, about, students, results) -> dict:
        """{student: submission row}, made where they are missing, with the timestamps handed in."""
        sa, t = self.sa, self.tables
        have = {r.id for r in self._among(db, t["student"], "id", students)}
        self._insert(db, "student", [{"id": s} for s in dict.fromkeys(students) if s not in have])
        table = t["submitted_assignment"]

        def found():
            rows = self._among(db, table, "student_id", students, table.c.assignment_id == about.id)
            return {r.student_id: r for r in rows}

        subs = found()
        self._insert(db, "submitted_assignment", [
            {"id": _id(), "assignment_id": about.id, "student_id": s, "timestamp": when}
            for s, when, _ in results if s not in subs])
        late = [{"b_id": subs[s].id, "timestamp": when} for s, when, _ in results
                if s in subs and when and subs[s].timestamp != when]
        if late:
            db.execute(sa.update(table).where(table.c.id == sa.bindparam("b_id")).values(
                timestamp=sa.bindparam("timestamp")), late)
        return found()

    def _penalties(self, db, about, subs, notebooks, known, penalty) -> None:
        sa, t = self.sa, self.tables
        grade, nb = t["grade"], t["submitted_notebook"]
        for student, sub in subs.items():
            due = about.duedate + sub.extension if about.duedate and sub.extension else about.duedate
            late = max(0, (sub.timestamp - due).total_seconds()) if sub.timestamp and due else 0
            for nb_id in notebooks.values():
                rows = db.execute(sa.select(grade).where(grade.c.notebook_id == known[sub.id, nb_id])).all()
                score = sum((r.manual_score if r.manual_score is not None else r.auto_score or 0)
                            + (r.extra_credit or 0) for r in rows)
                off = penalty(student, score, late) if late > 0 else None
                off = min(max(0, off), score) if off is not None else None
                db.execute(sa.update(nb).where(nb.c.id == known[sub.id, nb_id]).values(
                    late_submission_penalty=off))

    def _among(self, db, table, column, values, *more) -> list:
        """Rows whose ``column`` is one of ``values``, asked in lots (SQLite takes only so many at once)."""
        rows, values = [], list(dict.fromkeys(values))
        for start in range(0, len(values), 500):
            rows += db.execute(self.sa.select(table).where(
                table.c[column].in_(values[start:start + 500]), *more)).all()
        return rows

    def _insert(self, db, table, rows) -> None:
        if rows:
            db.execute(self.sa.insert(self.tables[table]), rows)


def _grade_row(old, score, cell) -> dict:
    """The columns that autograding sets, by nbgrader's rules."""
    manual = old.manual_score if old is not None else None
    if score is None:
        return {"auto_score": old.auto_score if old is not None else None,
                "needs_manual_grade": bool(old.needs_manual_grade) if old is not None else True}
    if score.missing:
        return {"auto_score": 0.0, "needs_manual_grade": False}
    if cell.type == "TaskCell" or cell.name not in score.scores:  # 人评的题：老师评过就不碰
        return {"auto_score": None, "needs_manual_grade": manual is None or bool(old.needs_manual_grade)}
    auto = score.scores[cell.name]
    auto = None if auto is None else float(auto)
    # 老师改过分的，自动的分没有变，就不必再看一遍
    again = manual is not None and (auto != old.auto_score or bool(old.needs_manual_grade))
    return {"auto_score": auto,
            "needs_manual_grade": again or (manual is None and (auto is None or cell.name in score.look))}


def _id() -> str:
    return uuid.uuid4().hex


def _first_line(fault) -> str:
    return str(getattr(fault, "orig", None) or fault).strip().splitlines()[0][:200]
