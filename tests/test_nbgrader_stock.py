"""普通的 nbgrader 命令，从生成学生版到反馈页，在一份临时的课程目录里真跑一遍。

小单元 1.1 用来核对每一种学生得几分；真正的单元用标准答案（应当满分）和空答案（应当零分）各跑一遍。
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fixtures.course import PROJECT, UNIT, make
from nbgrader.api import Gradebook

from autograder import build, check, units
from autograder.check import with_given
from autograder.engine.session import Session
from crmlib.tasks import KINDS, text

NBGRADER = Path(sys.executable).with_name("nbgrader")
# 小单元借用了 1.1 的名字，真正的单元在这里另起名
REAL = {f"real-{folder.name}": units.load(folder) for folder in units.folders(PROJECT)}
REAL = {name: unit for name, unit in REAL.items() if unit.assignment is not None}

FULL = {"1.1-g1": {"k1": "c", "k2": "n", "k3": "c", "k4": "n"},
        "1.1-g2": {"r1": {"who": "发货的厂家", "weight": "0.6"},
                   "r2": {"who": "收货的商店", "weight": "４０％"}},
        "1.1-g4": "货收得好不好，影响下一次谁来付钱。"}
PARTLY = {"1.1-g1": {"k1": "c", "k2": "n", "k3": "c", "k4": "c"},
          "1.1-g2": {"r1": {"who": "厂家", "weight": "0.6"}, "r2": {"who": "商店", "weight": "0.6"}},
          "1.1-g4": "<b>因为</b>他们不满意就会换一家。"}
HOSTILE = {"1.1-g1": ["x"], "1.1-g2": {"r1": "<script>alert(1)</script>", "r9999": {"who": 10 ** 400}},
           "1.1-g4": 123}
NOISY = ("import sys, warnings\nwarnings.warn('x', FutureWarning)\nprint('x', file=sys.stderr)\n"
         "crm = None\ntotal, mean = float('nan'), object()")
# 学生：(答案, 代码, answers.json 的原文, g1、g2、g3 的分)
STUDENTS = {
    "full": (FULL, "total = first + second\nmean = total / 2", None, (40, 20, 30)),
    "empty": (None, None, None, (0, 0, 0)),
    "partly": (PARTLY, "total = 42\nmean = 5", None, (30, 10, 15)),
    "damaged": (None, "total, mean = 42, 21", b'{"format": 1, "answ', (0, 0, 30)),
    "hostile": (HOSTILE, NOISY, None, (0, 0, 0)),
    "crashing": (FULL, "raise ValueError('坏了')", None, (40, 20, 0)),
}


def run(folder, *command):
    """Run it as a teacher would: no activated environment, nothing of it on PATH."""
    env = {**os.environ, "PATH": "/usr/bin:/bin" if os.name != "nt" else os.environ["PATH"]}
    env.pop("CRM_COURSE", None)
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def nbgrader(folder, *command):
    return run(folder, NBGRADER, *command)


_MANY = """import sys
from nbgrader.apps import AutogradeApp, GenerateAssignmentApp, GenerateFeedbackApp
apps = {"generate_assignment": GenerateAssignmentApp, "autograde": AutogradeApp,
        "generate_feedback": GenerateFeedbackApp}
app = apps[sys.argv[1]]
for assignment in sys.argv[2:]:
    app.clear_instance()
    app.launch_instance([assignment])
"""


def nbgrader_each(folder, command, assignments):
    """The same command for many assignments: to start nbgrader takes longer than what it then does."""
    run(folder, sys.executable, "-c", _MANY, command, *assignments)


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    """A copy of assignments/ with both units, and their student versions."""
    root = make(tmp_path_factory.mktemp("course"))
    build.write(root, build.outputs(root))
    folder = root / "assignments"
    for name, unit in REAL.items():
        own = unit.folder.name
        shutil.copytree(PROJECT / "assignments" / "source" / own, folder / "source" / name)
        (folder / "source" / name / f"{own}.ipynb").rename(folder / "source" / name / f"{name}.ipynb")
    nbgrader(folder, "generate_assignment", UNIT)
    nbgrader_each(folder, "generate_assignment", REAL)
    return folder


@pytest.fixture(scope="module")
def graded(release):
    """The same after autograde and generate_feedback."""
    for student, (answers, code, raw, _) in STUDENTS.items():
        hand_in(release, UNIT, student, answers, {"t-1-1-g3-code": code}, raw)
    for name, unit in REAL.items():
        keys = keys_of(unit)
        codes = {build.grade_id(t["id"]) + "-code": t.get("starter", "") + "\n" + t["solution"]
                 for t in unit.graded if t["kind"] == "code"}
        hand_in(release, name, "full", keys, codes)
        hand_in(release, name, "empty")
    for command in ("autograde", "generate_feedback"):
        nbgrader(release, command, UNIT)
        nbgrader_each(release, command, REAL)
    return release


def keys_of(unit) -> dict:
    """The answers that earn all points; a task that uses an earlier one is keyed to that one's key."""
    keys = {}
    for task in unit.graded:
        if task["kind"] != "code":
            keys[task["id"]] = KINDS[task["kind"]].key_answer(with_given(task, keys))
    return keys


def hand_in(folder, assignment, student, answers=None, codes=None, raw=None):
    """Copy the released folder and answer it as a student would."""
    place = folder / "submitted" / student / assignment
    shutil.copytree(folder / "release" / assignment, place)
    if answers is not None:
        records = {task: {"answer": answer} for task, answer in answers.items()}
        raw = json.dumps({"format": 1, "answers": records}, ensure_ascii=False).encode()
    if raw is not None:
        (place / "answers.json").write_bytes(raw)
    path = place / f"{assignment}.ipynb"
    nb = json.loads(path.read_text("utf-8"))
    for cell in nb["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if (codes or {}).get(name):
            kept = "".join(cell["source"]) if name == "t-1-1-g3-code" else ""
            cell["source"] = kept + "\n" + codes[name]
    path.write_text(json.dumps(nb, ensure_ascii=False), "utf-8")


def grades(folder, assignment, student) -> dict:
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as book:
        [notebook] = book.find_submission(assignment, student).notebooks
        return {g.name: (g.auto_score, g.needs_manual_grade) for g in notebook.grades}


def feedback(folder, assignment, student) -> str:
    return (folder / "feedback" / student / assignment / f"{assignment}.html").read_text("utf-8")


@pytest.mark.parametrize("assignment", [UNIT, *REAL])
def test_the_student_version_keeps_every_secret(release, assignment):
    unit = REAL.get(assignment) or units.load(release.parent / "units" / UNIT)
    files = [p for p in (release / "release" / assignment).rglob("*") if p.is_file()]
    assert {p.name for p in files} == {f"{assignment}.ipynb", f"{unit.id}.json"}
    everything = "\n".join(p.read_text("utf-8") for p in files)
    everything += "\n".join(units.texts([json.loads(p.read_text("utf-8")) for p in files]))
    for word in ("HIDDEN", "SOLUTION", "MARK SCHEME", "crm.score", "NotImplementedError", "YOUR CODE"):
        assert word not in everything
    for task in unit.graded:
        for secret in check.secrets(task):
            assert secret not in everything, task["id"]
    assert ("# 要多写几行，就写在这里" in everything) == any(t["kind"] == "code" for t in unit.graded)


@pytest.mark.parametrize("student", STUDENTS)
def test_scores_of_each_student(graded, student):
    got, points = grades(graded, UNIT, student), STUDENTS[student][3]
    assert {n: score for n, (score, _) in got.items()} == dict(
        zip(("t-1-1-g1", "t-1-1-g2", "t-1-1-g3", "t-1-1-g4"), (*points, None), strict=True))
    assert {n for n, (_, manual) in got.items() if manual} == {"t-1-1-g4"}, "写作题等人评，别的题不用"


@pytest.mark.parametrize("assignment", REAL)
def test_the_key_gets_full_marks_and_nothing_gets_none(graded, assignment):
    points = {build.grade_id(t["id"]): t["points"] for t in REAL[assignment].graded}
    manual = {build.grade_id(t["id"]) for t in REAL[assignment].graded if t["kind"] == "write"}
    for student, share in (("full", 1), ("empty", 0)):
        got = grades(graded, assignment, student)
        assert got.keys() == points.keys()
        for name, (score, waiting) in got.items():
            right = (None, True) if name in manual else (share * points[name], False)
            assert (score, waiting) == right, name


def test_feedback_shows_answers_and_hints(graded):
    page = feedback(graded, UNIT, "partly")
    assert "得分 <strong>55</strong>" in page
    assert "还有 1 题等老师评分" in page and "等老师评分（满分 10）" in page
    assert "客户：发货人；收货人；邻居" in page and "权重：0.6" in page, "选了什么、填了什么"
    assert "邻居和这家公司有来往吗？" in page and "几个权重加起来不是 1。" in page, "错在哪里"
    assert "&lt;b&gt;因为&lt;/b&gt;他们不满意就会换一家。" in page and "<b>因为</b>" not in page
    assert "mean = 5" in page, "学生自己的代码"


@pytest.mark.parametrize(("assignment", "student"), [
    *((UNIT, s) for s in STUDENTS), *((name, s) for name in REAL for s in ("full", "empty"))])
def test_feedback_gives_no_key_away(graded, assignment, student):
    unit = REAL.get(assignment) or units.load(graded.parent / "units" / UNIT)
    page = feedback(graded, assignment, student)
    for word in ("HIDDEN TESTS", "MARK SCHEME", "crm.score", "<script"):
        assert word not in page
    if student not in ("crashing", "hostile"):  # 这两个学生自己的代码出错，错在哪里要让他看到
        assert "Traceback" not in page
    for task in unit.graded:
        assert build.encode_task(task)[:40] not in page
        secret = [task.get("explain"), task["key"] if task["kind"] == "write" and student != "full" else None]
        for words in filter(None, secret):
            assert words.strip().splitlines()[0] not in page, task["id"]
        if student == "empty" and task["kind"] != "code":
            assert text(task, keys_of(unit)[task["id"]]) not in page


def test_the_teachers_page_has_rubric_and_model_answer(graded):
    """What formgrader shows is the autograded notebook."""
    nb = json.loads((graded / "autograded" / "full" / UNIT / f"{UNIT}.ipynb").read_text("utf-8"))
    [cell] = [c for c in nb["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == "t-1-1-g4"]
    source = "".join(cell["source"])
    assert "| 理由 | 10 |" in source and "收货人不满意，发货人就会换一家物流公司。" in source
    shown = json.dumps(nb, ensure_ascii=False)
    assert FULL["1.1-g4"] in shown, "学生写的话要在页面上"
    answers = graded / "autograded" / "damaged" / UNIT
    assert list(answers.glob("answers*损坏*.json")) or (answers / "answers.json").is_file(), "坏文件不许丢"


def test_the_teachers_own_answers_stay_at_home(graded):
    source = graded / "source" / UNIT / "answers.json"
    source.write_text('{"format": 1, "answers": {}}', "utf-8")
    try:
        with pytest.raises(AssertionError, match="是老师试做时留下的答案，会发给全班"):
            nbgrader(graded, "generate_assignment", UNIT, "--force")
        nbgrader(graded, "autograde", UNIT, "--student=full", "--force")
        assert grades(graded, UNIT, "full")["t-1-1-g1"][0] == 40, "批改时也不许盖掉学生的答案"
    finally:
        source.unlink()


@pytest.fixture(scope="module")
def ours(graded, tmp_path_factory):
    """The same class graded by our engine, in a copy of the course in which nothing is graded yet."""
    folder = tmp_path_factory.mktemp("ours") / "assignments"
    shutil.copytree(graded, folder, ignore=shutil.ignore_patterns("autograded", "feedback"))
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as book:
        for student in book.students:
            book.remove_student(student.id)
    for name in [UNIT, *REAL]:
        Session(folder, name, jobs=2).run()
    return folder


@pytest.mark.parametrize(("assignment", "student"), [
    *((UNIT, s) for s in STUDENTS), *((name, s) for name in REAL for s in ("full", "empty"))])
def test_our_engine_gives_the_same_scores(graded, ours, assignment, student):
    assert grades(ours, assignment, student) == grades(graded, assignment, student)


def test_feedback_after_our_engine_is_the_same_page(graded, ours):
    nbgrader(ours, "generate_feedback", UNIT)
    for student in set(STUDENTS) - {"damaged", "crashing"}:  # 坏了的文件说得更明白；报错里的格子号不同
        assert _seen(feedback(ours, UNIT, student)) == _seen(feedback(graded, UNIT, student)), student


def _seen(page) -> str:
    """The page as a reader sees it: no scripts, no styles, tracebacks without addresses."""
    page = re.sub(r"<(script|style).*?</\1>", "", page, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", re.sub(r"/tmp/[^ <]*|ipython-input-[^ <]*", "", page)))
