"""批到一半被杀、磁盘满、改了评分格重批、没有 fork、在集群上：最后的成绩册都一样。"""

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time

import pytest
from fixtures import foreign
from nbgrader.api import Gradebook

from autograder.engine import cli, journal, pool, report, session
from crmlib.cli import CourseError

NAME = "hw"
CELLS = [
    foreign.answer("a", "answer = None", "answer = 42"),
    foreign.check("t-a", 3, "assert answer", "assert answer == 42"),
    foreign.answer("b", "other = None", "other = 7"),
    foreign.check("t-b", 1, "assert other", "assert other == 7"),
]
CLASS = {f"s{n:02}": {"a": f"answer = {42 if n % 3 else 41}", "b": f"other = {n % 8}"} for n in range(1, 13)}


@pytest.fixture(scope="module")
def ungraded(tmp_path_factory):
    root = foreign.make(tmp_path_factory.mktemp("durable") / "course", cells=CELLS, name=NAME)
    for student, answers in CLASS.items():
        foreign.hand_in(root, student, answers, name=NAME)
    return root


@pytest.fixture
def course(ungraded, tmp_path):
    shutil.copytree(ungraded, tmp_path / "course")
    return tmp_path / "course"


def wanted() -> dict:
    return {
        (s, t): float(points * (answers[t[-1]].endswith(right)))
        for s, answers in CLASS.items()
        for t, points, right in (("t-a", 3, "42"), ("t-b", 1, "= 7"))
    }


def marks(root) -> dict:
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as book:
        return {
            (s.student.id, g.name): g.auto_score
            for s in book.assignment_submissions(NAME)
            for nb in s.notebooks
            for g in nb.grades
        }


def command(root, *more, **options):
    code = (
        "import sys\nfrom crmlib.cli import CourseError\nfrom autograder.engine.cli import main\n"
        "try: sys.exit(main(sys.argv[1:]))\nexcept CourseError as fault: sys.exit(f'[出错] {fault}')"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, "--course", str(root), NAME, *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


def test_killed_at_any_moment(course):
    chance = random.Random(5)
    for _ in range(4):
        process = command(course, "--jobs", "2", start_new_session=True)
        time.sleep(chance.uniform(0.6, 4))
        process.send_signal(signal.SIGKILL)
        process.wait()
    process = command(course)
    said = process.communicate(timeout=120)[0]
    assert process.returncode == 0, said
    assert marks(course) == wanted()
    assert len(list((course / "autograded").glob(f"*/{NAME}/{NAME}.ipynb"))) == len(CLASS)
    assert not list((course / ".crm-grade").glob("tmp-*"))
    again = command(course).communicate(timeout=60)[0]
    assert f"以前批过、没有变的 {len(CLASS)} 份" in again


def test_full_disk(course, monkeypatch):
    """A write that the system refuses: one line that says so; afterwards it goes on."""
    # 也写不了 .pyc：写一半的 .pyc，Python 3.11 不认作错误，以后谁装这个模块谁停
    process = command(course, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
                      env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 1 and "[出错] 成绩没有写进" in said and "再运行一次，会接着批" in said, said
    assert "Traceback" not in said
    real, room = journal.publish, iter(range(5))

    def full(*args):
        if next(room, None) is None:
            raise OSError(28, "No space left on device")
        return real(*args)

    monkeypatch.setattr(journal, "publish", full)
    with pytest.raises(CourseError, match=r"No space left.*再运行一次，会接着批"):
        session.Session(course, NAME).run()
    monkeypatch.setattr(journal, "publish", real)
    made = session.Session(course, NAME).run()
    assert set(made.results) | set(made.kept) == set(CLASS) and marks(course) == wanted()


def edit_test(root, old, new):
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as book:
        cell = book.find_source_cell("t-a", NAME, NAME)
        assert old in cell.source
        cell.source = cell.source.replace(old, new)
        book.db.commit()


def test_regrading_after_a_corrected_test(course, capsys, monkeypatch):
    monkeypatch.chdir(course)
    assert cli.main([NAME]) == 0
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:  # 老师改过两个人的分
        for student, points in (("s01", 2.0), ("s03", 1.5)):
            grade = book.find_grade("t-a", NAME, NAME, student)
            grade.manual_score, grade.needs_manual_grade = points, False
        book.db.commit()
    edit_test(course, "answer == 42", "answer == 41")
    path = course / "source" / NAME / f"{NAME}.ipynb"  # 老师的答案也改了
    path.write_text(path.read_text("utf-8").replace("42", "41"), "utf-8")
    capsys.readouterr()
    before = marks(course)
    assert cli.main([NAME]) == 0
    assert "12 份是按旧的评分格批的。要按新的重批，加 --again" in capsys.readouterr().out
    assert cli.main([NAME, "--again"]) == 0
    said = capsys.readouterr().out
    assert "12 个人的 12 个分会变" in said and "s01  t-a：3 → 0（老师改过，是 2 分，照旧）" in said
    assert "加 --yes 就直接写" in said and marks(course) == before, "没有答应，就不写"
    assert cli.main([NAME, "--again", "--yes"]) == 0
    after = marks(course)
    assert {k for k in after if after[k] != before[k]} == {(s, "t-a") for s in CLASS}
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        grade = book.find_grade("t-a", NAME, NAME, "s01")
        assert (grade.manual_score, grade.auto_score, grade.needs_manual_grade) == (2.0, 0.0, True)
        assert not book.find_grade("t-b", NAME, NAME, "s01").needs_manual_grade
    capsys.readouterr()
    assert cli.main([NAME, "--again"]) == 0 and "完全一样" in capsys.readouterr().out


def test_a_new_hand_in_is_graded_and_the_rest_is_kept(course, capsys):
    session.Session(course, NAME).run()
    shutil.rmtree(course / "submitted" / "s03")
    foreign.hand_in(course, "s03", {"a": "answer = 42", "b": "other = 7"}, name=NAME)
    shutil.rmtree(course / "autograded" / "s04")
    made = session.Session(course, NAME).run()
    assert set(made.results) == {"s03", "s04"} and len(made.kept) == len(CLASS) - 2
    assert marks(course) == wanted() | {("s03", "t-a"): 3.0, ("s03", "t-b"): 1.0}


def test_without_fork_the_scores_are_the_same(course):
    made = session.Session(course, NAME, jobs=2, guard=False, fork=False).run(["s01", "s02", "s03"])
    assert set(made.results) == {"s01", "s02", "s03"} and made.layers == []
    assert marks(course) == {k: v for k, v in wanted().items() if k[0] in made.results}
    assert made.weak == [] and made.broken == []


def test_without_guards_code_is_refused_and_cards_are_not(course, monkeypatch):
    monkeypatch.setattr(pool.Warm, "layers", lambda self: {"limits"})
    with pytest.raises(CourseError, match=r"关不住它（做不到：只能读写自己的文件夹、不能上网）.*--unsafe"):
        session.Session(course, NAME).run()
    with pytest.raises(CourseError, match="--unsafe"):
        cli.main(["--course", str(course), NAME, "--no-fork"])


def test_on_a_cluster_with_a_worker_killed(course):
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster:
        from autograder.engine import cluster as grading

        graded = session.Session(course, NAME)
        inner, killed = grading.source(graded, cluster.scheduler_address), []

        def source(students, made):
            for n, pair in enumerate(inner(students, made)):
                if n == 2:
                    worker = next(iter(cluster.workers.values()))
                    os.kill(worker.pid, signal.SIGKILL)
                    killed.append(worker.pid)
                yield pair

        made = graded.run(source=source)
    assert killed and len(made.results) == len(CLASS) and made.changed == 2 * len(CLASS), "一份也没有批两遍"
    assert marks(course) == wanted()
    assert {"files", "network"} <= set(made.layers)


def test_no_scheduler_is_told(course, monkeypatch):
    from autograder.engine import cluster

    monkeypatch.setattr(cluster, "PATIENCE", "2s")
    with pytest.raises(CourseError, match="连不上 Dask 调度器"):
        list(cluster.source(session.Session(course, NAME), "tcp://127.0.0.1:1")(["s01"], None))


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["没有"], "成绩库里没有作业 没有。里面有：hw"),
        ([NAME, "--student", "x"], "x 没有交 hw"),
        (["../hw"], "作业的名字"),
        ([NAME, "--course", "/no/such"], "没有 nbgrader 课程"),
    ],
)
def test_wrong_commands_are_told(course, argv, said, monkeypatch):
    monkeypatch.chdir(course)
    with pytest.raises(CourseError, match=said):
        cli.main(argv)


def test_a_torn_journal_line_is_graded_again(course):
    session.Session(course, NAME).run()
    path = course / ".crm-grade" / f"{NAME}.jsonl"
    lines = path.read_text("utf-8").splitlines()
    path.write_text("\n".join(lines[:-1]) + "\n" + lines[-1][:20], "utf-8")
    made = session.Session(course, NAME).run()
    assert set(made.results) == {json.loads(lines[-1])["student"]} and marks(course) == wanted()
    assert not session.Session(course, NAME).run().results


def test_the_report_reads_well(course):
    foreign.hand_in(course, "zz", raw=b"{", name=NAME)
    graded = session.Session(course, NAME)
    said = report.text(graded.run(["s01", "zz"]), graded)
    assert "hw：批了 2 份" in said and "需要看一看：1 份" in said and "不是完整的 JSON" in said
