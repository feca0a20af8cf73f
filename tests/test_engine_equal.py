"""和真的 nbgrader 逐格比分：同一批作业，两边各批一遍。nbgrader 批不了的，另写明我们怎么定。"""

import shutil

import pytest
from fixtures import foreign, zoo
from nbgrader.api import Gradebook
from nbgrader.utils import determine_grade

from autograder.engine import marks, session


def _cell(name, **fields):
    return lambda nb: foreign.cell(nb, name).update(fields)


def _flags(name, **flags):
    return lambda nb: foreign.cell(nb, name)["metadata"]["nbgrader"].update(flags)


def _drop(*names):
    return lambda nb: [nb["cells"].remove(foreign.cell(nb, name)) for name in names]


def _but(**answers):
    return {**foreign.RIGHT, **answers}


STUDENTS = {
    "right": (foreign.RIGHT, None),
    "empty": ({}, None),
    "wrong": (_but(squares="def squares(n):\n    return [1]", total="total = 5.0"), None),
    "crash": (_but(table="1 / 0", box="raise SystemExit"), None),
    "deleted": (foreign.RIGHT, _drop("t-squares", "t-box")),
    "edited": (_but(squares="squares = None"), _cell("t-squares", source="pass")),
    "retyped": (foreign.RIGHT, _cell("t-table", cell_type="markdown")),
    "points": (_but(table="table = 3"), _flags("t-table", points=500, locked=False)),
    "shadow": (_but(total="total = 12\nlimit = 0\nsum = print = None"), None),
    "loop": (_but(box="while True:\n    pass"), None),
}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """(stock's gradebook, ours, our report) over the same class."""
    theirs = foreign.make(tmp_path_factory.mktemp("stock") / "course", timeout=6)
    for student, (answers, change) in STUDENTS.items():
        foreign.hand_in(theirs, student, answers, change)
    ours = theirs.parent / "ours"
    shutil.copytree(theirs, ours)
    foreign.stock(theirs, "autograde", foreign.NAME)
    report = session.Session(ours, foreign.NAME, jobs=2).run()
    return theirs, ours, report


def rows(root, student, assignment=foreign.NAME) -> dict:
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as book:
        found = {}
        for nb in book.find_submission(assignment, student).notebooks:
            found |= {g.name: (g.auto_score, g.manual_score, g.needs_manual_grade) for g in nb.grades}
            found |= {f"评语 {c.name}": c.auto_comment for c in nb.comments}
    return found


@pytest.mark.parametrize("student", STUDENTS)
def test_every_cell_has_the_score_that_nbgrader_gives(both, student):
    theirs, ours, _ = both
    assert rows(ours, student) == rows(theirs, student)


def test_the_class_is_graded_and_told(both):
    _, ours, report = both
    scores = {
        s: sum(v[0] or 0 for k, v in rows(ours, s).items() if not k.startswith("评语")) for s in STUDENTS
    }
    assert scores["right"] == scores["deleted"] == sum(foreign.FULL.values()) and scores["empty"] == 0
    assert "被删掉了，已经放回来" in str(report.results["deleted"]["notes"])
    assert report.broken == [] and report.weak == [f"{foreign.NAME}/t-box"], "类的对象交不过去，只能在原地判"
    assert not any(
        kind == "look" for s in ("right", "wrong", "crash") for kind, _ in report.results[s]["notes"]
    )


def test_nbgraders_other_commands_go_on_from_here(both):
    """The autograded folder is like stock's, and feedback can be made from it."""
    theirs, ours, _ = both
    for student in ("right", "crash"):
        made, wanted = (root / "autograded" / student / foreign.NAME for root in (ours, theirs))
        assert {(p.name, p.stat().st_mode) for p in made.iterdir()} == {
            (p.name, p.stat().st_mode) for p in wanted.iterdir()
        }
    foreign.stock(ours, "generate_feedback", foreign.NAME, "--student=right")
    page = (ours / "feedback" / "right" / foreign.NAME / f"{foreign.NAME}.html").read_text("utf-8")
    assert "11.0" in page and "squares" in page
    # nbgrader 认为这些已经批过：不再批一遍
    assert "Skipping existing assignment" in foreign.stock(ours, "autograde", foreign.NAME, "--student=right")


@pytest.mark.parametrize(
    "outputs",
    [
        [],
        [{"output_type": "error", "ename": "E", "evalue": "", "traceback": []}],
        *(
            [
                {
                    "output_type": "execute_result",
                    "data": {"text/plain": text},
                    "metadata": {},
                    "execution_count": 1,
                }
            ]
            for text in ("2.5", "0", "-1", "True", "'x'", "nan", "5", "np.float64(2.0)", ["1.5"], ["1", "2"])
        ),
        [
            {"output_type": "stream", "name": "stdout", "text": "x"},
            {
                "output_type": "execute_result",
                "data": {"text/plain": "1"},
                "metadata": {},
                "execution_count": 1,
            },
            {"output_type": "error", "ename": "E", "evalue": "", "traceback": []},
        ],
        [{"output_type": "display_data", "data": {"text/plain": "3"}, "metadata": {}}],
    ],
)
def test_a_cells_outputs_are_worth_what_nbgrader_says(outputs):
    import nbformat

    made = {
        "cell_type": "code",
        "source": "x",
        "outputs": outputs,
        "execution_count": 1,
        "id": "a",
        "metadata": {
            "nbgrader": {"grade": True, "locked": True, "solution": False, "points": 5, "grade_id": "t"}
        },
    }
    wanted, _ = determine_grade(nbformat.from_dict(made))
    got = marks.of_cell(made).points
    assert got == wanted or (got != got and wanted != wanted)


@pytest.fixture(scope="module")
def zoos(tmp_path_factory):
    """The same, over all the ways in which other people's assignments are written."""
    cells = []
    for name, (starter, solution, visible, hidden, _) in zoo.CASES.items():
        cells += [foreign.answer(name, starter, solution.removeprefix(starter + "\n")),
                  foreign.check(f"t-{name}", 2, visible, hidden)]
    theirs = foreign.make(tmp_path_factory.mktemp("zoo") / "course", cells=cells, name="zoo")
    for inside, content in zoo.FILES.items():
        (theirs / "source" / "zoo" / inside).write_bytes(content)
    right, wrong = ({n: case[place] for n, case in zoo.CASES.items()} for place in (1, 4))
    mixed = [{n: (right, wrong)[k % 2 == odd][n] for k, n in enumerate(zoo.CASES)} for odd in (0, 1)]
    for student, answers in {"right": right, "wrong": wrong, "odd": mixed[0], "even": mixed[1]}.items():
        foreign.hand_in(theirs, student, answers, name="zoo")
    ours = theirs.parent / "ours"
    shutil.copytree(theirs, ours)
    foreign.stock(theirs, "autograde", "zoo")
    graded = session.Session(ours, "zoo", jobs=2)
    return theirs, ours, graded.run(), graded


@pytest.mark.parametrize("student", ["right", "wrong", "odd", "even"])
def test_whatever_the_cells_look_like_the_scores_are_the_same(zoos, student):
    theirs, ours, report, _ = zoos
    wanted, got = rows(theirs, student, "zoo"), rows(ours, student, "zoo")
    warned = any(kind == "warning" and "t-warnit" in text for kind, text in report.results[student]["notes"])
    assert warned == (got["t-warnit"] != wanted["t-warnit"]), "只有这一处故意不同，说出来了"
    assert {**got, "t-warnit": None} == {**wanted, "t-warnit": None}
    assert not [text for kind, text in report.results[student]["notes"] if kind == "look"]


def test_what_can_be_judged_apart_is(zoos):
    """Live objects cannot; everything that plain values and calls can carry is."""
    *_, report, graded = zoos
    assert report.broken == ["zoo/t-timeit"], "标准答案自己就错：%%time 不在第一行"
    assert {w.removeprefix("zoo/t-") for w in report.weak} == {
        "shell", "aio", "custom", "klass", "asks", "tz", "model", "plot", "write", "helper", "closure",
        "counter", "setdt", "data", "deep", "fun", "disp"}
    again = graded.run(["right"], again=True)
    assert (again.weak, again.broken) == (report.weak, report.broken), "同一个 Session 再批，试出来的一样"
