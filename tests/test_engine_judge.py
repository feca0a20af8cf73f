"""判分的进程留给下一份用：快，可是谁也动不了别人的分；学生的函数叫得对，叫过不留痕迹。"""

import contextlib
import json

import pytest

from autograder.engine import course, grade, handover, pool
from autograder.engine.repair import Source

TESTS = {"t1": "assert value == 3", "t2": "assert double(2) == 4 and double('a') == 'aa'"}
RIGHT = "value = 3\ndef double(x):\n    return x + x"
WRONG = "value = 4\ndef double(x):\n    return x + x"


def notebook(code, tests=TESTS) -> bytes:
    def cell(name, source, **flags):
        meta = {"schema_version": 3, "grade_id": name, "locked": True, "task": False, **flags}
        return {"cell_type": "code", "id": name, "source": source, "outputs": [], "execution_count": None,
                "metadata": {"nbgrader": meta}}

    cells = [cell("answer", code, grade=False, solution=True),
             *(cell(n, s, grade=True, solution=False, points=1) for n, s in tests.items())]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


class Class:
    """One warm process and one plan, tried with the solution ``RIGHT``."""

    def __init__(self, tests=TESTS, solution=RIGHT, timeout=10):
        self.tests, self.extra = tests, {"data.csv": b"a,b\n1,2\n"}
        self.plan = grade.Plan.of("hw", Source.of(json.loads(notebook("pass", tests))), {})
        self.rules = grade.Rules(timeout)
        self.warm = pool.Warm(["cmath"], 1)
        first = self.grade(solution)
        made, seen = first.notebooks["hw"], first.seen["hw"]
        self.plan.fit = {c for c in tests if made["scores"][c] and c not in made["look"]}
        self.plan.usual, self.loaded = seen["usual"], seen["loaded"]

    def grade(self, code, files=None) -> grade.Result:
        handed = course.Handed("s", None, files or {}, {"hw": notebook(code, self.tests)})
        return grade.grade({"hw": self.plan}, handed, self.extra, self.rules, self.warm)

    def scores(self, code, files=None) -> tuple:
        made = self.grade(code, files).notebooks["hw"]
        return tuple(made["scores"][c] for c in self.tests)

    def kept(self) -> list[int]:
        return [child.pid for child in self.warm._idle]


@pytest.fixture
def room():
    made = []

    def make(*args, **named):
        made.append(Class(*args, **named))
        return made[-1]

    yield make
    for one in made:
        one.warm.close()


def test_one_process_judges_one_submission_after_another(room):
    a = room()
    assert a.kept() == [], "试标准答案的那个不留"
    assert a.scores(RIGHT) == (1, 1)
    [first] = a.kept()
    assert a.scores(WRONG) == (0, 1) and a.scores(RIGHT) == (1, 1) and a.scores("pass") == (0, 0)
    assert a.kept() == [first], "分满的、错的、空的都用同一个"


def test_it_forgets_what_the_last_one_handed_over(room):
    a = room({"t1": "hidden = value\nassert value == 3", "t2": "assert 'hidden' not in globals()"},
             "value = 3\nhidden = 0\ndel hidden")
    a.plan.fit = {"t1", "t2"}
    a.scores("value = 3")
    [child] = a.warm._idle
    child.ask({"do": "forget"}, 10)
    said = child.ask({"do": "run", "source": "print([n for n in ('hidden', 'value') if n in globals()])"}, 10)
    assert said["outputs"][0]["text"] == "[]\n"


@pytest.mark.parametrize("poison", ["import builtins\nbuiltins.str = None", "import os\nos._exit(1)",
                                    "import builtins\nbuiltins.AssertionError = ZeroDivisionError",
                                    "get_ipython().run_cell = lambda *a, **k: 1 / 0"])
def test_a_spoilt_one_never_costs_a_mark(room, poison):
    """Whatever happened to a kept process: if it disagrees, a new one judges again."""
    a = room()
    assert a.scores(RIGHT) == (1, 1)
    [child] = a.warm._idle
    with contextlib.suppress(pool.Died):
        child.ask({"do": "run", "source": poison}, 10)
    assert a.scores(RIGHT) == (1, 1) and a.scores(WRONG) == (0, 1)


def test_who_hands_over_functions_or_modules_gets_one_of_his_own(room):
    """They could change the judging process; ``usual`` is what the teacher's solution hands over too."""
    a = room({"t1": "assert tool.sqrt(9) == 3", "t2": "assert double(2) == 4"},
             "import math as tool\ndef double(x):\n    return x + x")
    assert a.plan.usual == {"tool": {"t": "module", "v": "math"}} and a.plan.fit == {"t1", "t2"}
    good = "import math as tool\ndef double(x):\n    return x + x"
    assert a.scores(good) == (1, 1)
    [kept] = a.kept()
    assert a.scores("import cmath as tool\ndef double(x):\n    return x + x") == (1, 1), "也对，只是不一样"
    assert a.kept() == [kept], "先看到是别的模块，就没有用它"
    assert a.scores(good + "\nimport operator\nold = double\ndouble = operator.index") == (1, 0)
    assert a.kept() == [], "用到一半才看到：留着的也不再用"
    assert a.scores(good.replace("x + x", "[len, x * 2][1]")) == (1, 1) and len(a.kept()) == 1
    assert a.scores("import math as tool\nimport os\ndef double(x):\n    return os.getcwd") == (1, 0)
    assert a.kept() == [], "函数交回来的也一样"


def test_files_of_his_own_need_a_folder_of_their_own(room):
    a = room({"t1": "assert open('data.csv').read()[0] == 'a'", "t2": "assert open(name).read() == 'mine'"},
             "name = 'mine.txt'\nopen(name, 'w').write('mine')")
    a.plan.fit = {"t1", "t2"}
    assert a.scores("name = 'data.csv'") == (1, 0)
    [kept] = a.kept()
    assert a.scores("name = 'own.txt'", {"own.txt": b"mine"}) == (1, 1)
    assert a.kept() == [kept], "他的那个用完就没了"


def test_a_file_named_like_a_library_is_not_run_by_the_judge(room):
    """The test loads the library only when the answer is wrong: the student brings his own."""
    a = room({"t1": "assert value == 3 or __import__('wave').right", "t2": "assert double(2) == 4"})
    forged = a.grade(WRONG, {"wave.py": b"right = True"})
    assert forged.notebooks["hw"]["scores"] == {"t1": 0, "t2": 1} and forged.notebooks["hw"]["look"] == ["t1"]


def test_calling_leaves_nothing_behind_in_his_own_process(room):
    """The test runs twice, the student's counter counts once."""
    code = "calls = []\ndef ticket():\n    calls.append(len(calls) + 1)\n    return calls[-1]"
    a = room({"t1": "assert ticket() == 1", "t2": "assert ticket() == 2 and calls == [1, 2]"}, code)
    assert a.plan.fit == {"t1"}, "t2 要看函数改了什么：只能在原地判"
    assert a.scores(code) == (1, 1)


def test_an_endless_function_is_stopped_once_for_each_test(room):
    a = room(timeout=2)
    made = a.grade("value = 3\ndef double(x):\n    while True: pass")
    assert made.notebooks["hw"]["scores"] == {"t1": 1, "t2": 0}
    assert [text for kind, text in made.notes if kind == "stopped"] == ["t2 格超过 2 秒。"]
    assert not any("重跑" in text for _, text in made.notes), "打断就停了，不用从头再来"


def test_what_the_solution_loads_is_loaded_for_all(room):
    a = room(solution="import wave\n" + RIGHT)
    assert "wave" in a.loaded
    a.warm.load(a.loaded)
    child = a.warm.open()
    said = child.ask({"do": "run", "source": "import sys\nprint('wave' in sys.modules)"}, 10)
    child.close()
    assert said["outputs"][0]["text"] == "True\n"


def _functions():
    source = {
        "plain": "def f(n):\n    return sum(i * i for i in range(n))",
        "default": "def f(n=3, *, names=('a',)[0]):\n    return sorted(names * n)",
        "helper": "def g(n):\n    return n + 1\ndef f(n):\n    return g(g(n))",
        "recursive": "def f(n):\n    return 1 if n < 2 else n * f(n - 1)",
        "nested": "def f(n):\n    def g(k):\n        return k + n\n    return [g(k) for k in range(n)]",
    }, {
        "global": "count = 0\ndef f(n):\n    global count\n    count += n",
        "shared list": "seen = []\ndef f(n):\n    seen.append(n)\n    return len(seen)",
        "mutable default": "def f(n, seen=[]):\n    seen.append(n)\n    return seen",
        "attribute": "def f(n):\n    f.n = n\nf.n = 0",
        "random": "import random\ndef f(n):\n    return random.random()",
        "import": "def f(n):\n    import random\n    return random.random()",
        "file": "def f(n):\n    open('x', 'w').write(n)",
        "shadowed": "class Sum:\n    pass\nsum = Sum()\ndef f(n):\n    return sum(n)",
        "helper that remembers": "seen = []\ndef g(n):\n    seen.append(n)\ndef f(n):\n    return g(n)",
        "inner global": "def f(n):\n    def g():\n        global x\n        x = n\n    g()",
        "closure": "def make(s):\n    def g(n):\n        s.append(n)\n    return g\nf = make([])",
    }
    return [(name, code, pure) for part, pure in zip(source, (True, False), strict=True)
            for name, code in part.items()]


@pytest.mark.parametrize(("name", "code", "pure"), _functions())
def test_which_functions_may_be_called_in_place(name, code, pure):
    names = {}
    exec(code, names)
    del names["__builtins__"]
    assert handover.is_pure(names["f"]) == pure
