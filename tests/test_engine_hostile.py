# ruff: noqa: E501
"""坏的和使坏的作业：四十多种，一个班一次批完。每一种的分要么对，要么明说“需要看一看”；别人的分一个不少。"""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from fixtures import foreign
from nbgrader.api import Gradebook

from autograder.engine import pool, sandbox, session
from autograder.engine import report as texts

NAME = "hw"
CELLS = [
    foreign.answer("a-sq", "def squares(n):", "    return [i * i for i in range(n)]"),
    foreign.check("t-sq", 3, "assert squares", "assert squares(4) == [0, 1, 4, 9]"),
    foreign.answer("a-val", "answer = None", "answer = 42"),
    foreign.check("t-val", 2, "assert answer is not None", "assert answer == 42"),
    foreign.answer("a-ok", "other = None", "other = 7"),
    foreign.check("t-ok", 1, "assert other", "assert other == 7"),
]
SQ, VAL, OK = "def squares(n):\n    return [i * i for i in range(n)]", "answer = 42", "other = 7"
ALL, REST, NONE = (3, 2, 1), (0, 2, 1), (0, 0, 0)

# 学生：(写在第一题里的代码, 该得的分)；第二、三题都答对
CODE = {
    "loop": ("while True: pass", REST),
    "stubborn": ("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass", REST),
    "forks": ("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", REST),
    "memory": ("x = []\nwhile True: x.append(bytearray(1 << 28))", REST),
    "flood": ("while True: print('水' * 1000)", REST),
    "wide": ("print('x' * 50_000_000)\n" + SQ, ALL),
    "leave": ("import os\nos._exit(0)", REST),
    "exit": ("exit()", REST),
    "sysexit": ("import sys\nsys.exit('再见')", REST),
    "killer": (
        "import os, signal\nfor p in (os.getppid(), -1, 1):\n"
        "    try: os.kill(p, signal.SIGKILL)\n    except OSError: pass\n" + SQ,
        ALL,
    ),
    "crash": ("import ctypes\nctypes.string_at(0)", REST),
    "daemon": (
        "import subprocess\nsubprocess.Popen(['sleep', '987654'], start_new_session=True)\n" + SQ,
        ALL,
    ),
    "thread": (
        "import threading, time\nthreading.Thread(target=time.sleep, args=(999,)).start()\n" + SQ,
        ALL,
    ),
    "input": ("input('几岁？')", REST),
    "deep": ("import sys\nsys.setrecursionlimit(10**9)\ndef f(): f()\nf()", REST),
    "wipe": ("import shutil, os\nshutil.rmtree('.', ignore_errors=True)\nos.chdir('/')\n" + SQ, ALL),
    "chmod": ("import os\nos.makedirs('a/b')\nos.chmod('a/b', 0)\nos.chmod('a', 0)\n" + SQ, ALL),
    "fullwidth": ("def squares（n）：\n    return [i * i for i in range(n)]", REST),
    "weird": (
        "from IPython.display import publish_display_data as p\np({'a/b': object(), 5: 'x', "
        "'text/html': 'y' * 10_000_000})\n" + SQ,
        ALL,
    ),
    "disk": (
        "n = 0\ntry:\n    while n < 3000:\n        open(f'f{n}', 'wb').write(bytes(1 << 20)); n += 1\n"
        "except OSError: pass\nassert n < 1000\n" + SQ,
        ALL,
    ),
    "network": (
        "import socket\nfor kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):\n"
        "    try: s = socket.socket(socket.AF_INET, kind); s.connect(('1.1.1.1', 53)); raise SystemExit\n"
        "    except OSError: pass\n" + SQ,
        ALL,
    ),
    "spy": (
        "import glob, os\nseen = []\nfor root in ({course!r}, '/etc/shadow', '/root', '/tmp', '/proc/1'):\n"
        "    for place, _, names in os.walk(root):\n        for n in names:\n"
        "            try: seen.append(open(os.path.join(place, n), 'rb') and n)\n"
        "            except OSError: pass\n"
        "for p in ({course!r} + '/gradebook.db', {course!r} + '/nbgrader_config.py', '/etc/shadow',\n"
        "          {course!r} + '/source/hw/hw.ipynb', {course!r} + '/submitted/right/hw/hw.ipynb'):\n"
        "    try: open(p, 'rb'); seen.append(p)\n    except OSError: pass\n"
        "assert not [s for s in seen if s in ('gradebook.db', 'nbgrader_config.py') or s.startswith('/')], seen\n"
        + SQ,
        ALL,
    ),
    "vandal": (
        "for p in ({course!r} + '/gradebook.db', {course!r} + '/VANDAL', '/tmp/VANDAL', '/dev/shm/VANDAL',\n"
        "          {course!r} + '/nbgrader_config.py'):\n    try: open(p, 'ab').write(b'x')\n"
        "    except OSError: pass\n" + SQ,
        ALL,
    ),
    "trace": (
        "import os\ntry:\n    open(f'/proc/{os.getppid()}/mem', 'rb'); raise SystemExit\n"
        "except OSError: pass\n" + SQ,
        ALL,
    ),
}

# 想骗分的：第一、二题的答案是错的，一分也不该有（或者明说要看）
FORGED = {
    "equal": "class A:\n    def __eq__(self, other): return True\ndef squares(n): return A()\nanswer = A()",
    "liar": "class L(list):\n    def __eq__(self, other): return True\ndef squares(n): return L()\n"
    "class I(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\nanswer = I(3)",
    "builtins": "import builtins\nbuiltins.AssertionError = ZeroDivisionError\nbuiltins.range = lambda *a: []\n"
    "squares, answer = None, None",
    "ipython": "ip = get_ipython()\nold = ip.run_cell\nclass Good:\n    success, error_in_exec = True, None\n"
    "    error_before_exec = None\ntype(ip).run_cell = lambda *a, **k: Good()\nsquares = answer = 1",
    "quiet": "import autograder.engine.runner as r\nr.Cells.run = lambda self, source: {'ok': True, 'outputs': []}\n"
    "squares = answer = 1",
    "frames": "import os, json, struct\nm = json.dumps({'ok': True, 'outputs': []}).encode()\n"
    "for fd in range(3, 64):\n    try: os.write(fd, (struct.pack('!i', len(m)) + m) * 9)\n"
    "    except OSError: pass\nsquares = answer = 1",
    "hooks": "import sys\nsys.excepthook = lambda *a: None\nip = get_ipython()\nip.showtraceback = ip._showtraceback "
    "= lambda *a, **k: None\nip.set_custom_exc((Exception,), lambda *a, **k: None)\nsquares = answer = 1",
    "rewrite": "ip = get_ipython()\nip.input_transformers_cleanup.append(lambda lines: ['pass\\n'])\n"
    "squares = answer = 1",
    "ast": "import ast\nclass Gone(ast.NodeTransformer):\n    def visit_Assert(self, node): return ast.Pass()\n"
    "get_ipython().ast_transformers.append(Gone())\nsquares = answer = 1",
    "encoder": "import autograder.engine.handover as h\nh.offer = lambda ns, names: {'squares': {'t': 'reference', "
    "'module': 'unittest.mock', 'v': 'MagicMock'}, 'answer': {'t': 'reference', 'module': "
    "'unittest.mock', 'v': 'ANY'}}\nsquares = answer = 1",
}


def _renamed(place):
    (place / f"{NAME}.ipynb").rename(place / "我的作业.ipynb")


def _linked(place):
    (place / f"{NAME}.ipynb").unlink()
    (place / f"{NAME}.ipynb").symlink_to(place.parent.parent / "right" / NAME / f"{NAME}.ipynb")


def _big(place):
    with open(place / "电影.mp4", "wb") as file:
        file.truncate(200 << 20)
    os.mkfifo(place / "pipe")
    (place / "passwords").symlink_to("/etc/passwd")


def _old(nb):
    nb.update(nbformat=9, nbformat_minor=0)


def _metadata(nb):
    for name in ("t-sq", "t-val"):
        foreign.cell(nb, name)["metadata"]["nbgrader"].update(
            points=99, grade=False, solution=True, schema_version=7
        )
    nb["metadata"]["kernelspec"] = {"name": "bash", "language": "bash", "display_name": "x"}


def _extra(nb):
    made = json.loads(json.dumps(foreign.cell(nb, "t-ok")))
    made["metadata"]["nbgrader"].update(grade_id="bonus", points=1000)
    nb["cells"] += [{**made, "source": "1000"}] * 3


def _twice(nb):
    nb["cells"].append(json.loads(json.dumps(foreign.cell(nb, "t-sq"))))


# 学生：(改笔记, 文件的原文, 改文件夹, 该得的分)；答案都是对的
FILES = {
    "right": (None, None, None, ALL),
    "zoe": (None, None, None, ALL),
    "O'Neil <b>": (None, None, None, ALL),
    "renamed": (None, None, _renamed, NONE),
    "linked": (None, None, _linked, NONE),
    "big": (None, None, _big, ALL),
    "badjson": (None, b'{"cells": [', None, NONE),
    "nothing": (None, b"", None, NONE),
    "list": (None, b"[]", None, NONE),
    "nested": (None, b"[" * 200_000, None, NONE),
    "binary": (None, b"\x00\xff\xfe" * 99, None, NONE),
    "utf16": (None, "utf-16", None, ALL),
    "gbk": (None, "gb18030", None, ALL),
    "bom": (None, "utf-8-sig", None, ALL),
    "future": (_old, None, None, NONE),
    "metadata": (_metadata, None, None, ALL),
    "extra": (_extra, None, None, ALL),
    "twice": (_twice, None, None, ALL),
    "many": (
        lambda nb: nb["cells"].extend(
            {"cell_type": "code", "source": "1", "metadata": {}, "outputs": [], "execution_count": None}
            for _ in range(1500)
        ),
        None,
        None,
        ALL,
    ),
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    root = foreign.make(tmp_path_factory.mktemp("hostile"), timeout=3, cells=CELLS, name=NAME)
    for student, (code, _) in CODE.items():
        answers = {"a-sq": code.replace("{course!r}", repr(str(root))), "a-val": VAL, "a-ok": OK}
        foreign.hand_in(root, student, answers, name=NAME)
    for student, code in FORGED.items():
        foreign.hand_in(root, student, {"a-sq": code, "a-val": "pass", "a-ok": OK}, name=NAME)
    for student, (change, raw, folder, _) in FILES.items():
        answers = {"a-sq": SQ + "\n# 苏北的班车", "a-val": VAL, "a-ok": OK}
        place = foreign.hand_in(
            root, student, answers, change, raw if isinstance(raw, bytes) else None, name=NAME
        )
        if isinstance(raw, str):
            path = place / f"{NAME}.ipynb"
            path.write_bytes(path.read_text("utf-8").encode(raw))
        if folder:
            folder(place)
    (root / "submitted" / "empty-folder" / NAME).mkdir(parents=True)
    patch = pytest.MonkeyPatch()
    patch.setattr(pool, "GRACE", 1)
    began = time.time()
    try:
        report = session.Session(root, NAME, jobs=3).run()
    finally:
        patch.undo()
    yield root, report, began
    shutil.rmtree(root, ignore_errors=True)


def scores(root, student) -> tuple:
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as book:
        [nb] = book.find_submission(NAME, student).notebooks
        found = {g.name: g.auto_score for g in nb.grades}
    return found["t-sq"], found["t-val"], found["t-ok"]


def looks(report, student) -> list[str]:
    return [text for kind, text in report.results[student]["notes"] if kind == "look"]


@pytest.mark.parametrize("student", CODE)
def test_hostile_code_costs_only_its_own_question(graded, student):
    root, report, _ = graded
    assert scores(root, student) == CODE[student][1], report.results[student]["notes"]


@pytest.mark.parametrize("student", FORGED)
def test_tampering_gains_nothing(graded, student):
    root, report, _ = graded
    first, second, _ = scores(root, student)
    assert (first, second) == (0, 0), report.results[student]["notes"]


@pytest.mark.parametrize("student", FILES)
def test_broken_files(graded, student):
    root, report, _ = graded
    assert scores(root, student) == FILES[student][3], report.results[student]["notes"]
    if FILES[student][3] == NONE:
        assert looks(report, student), "没有分的，要说为什么"


def test_what_a_person_must_look_at_is_said(graded):
    _, report, _ = graded
    for student in ("stubborn", "leave", "crash", "forks"):
        assert any("跳过它重跑了一遍" in text for text in looks(report, student)), student
    for student in ("equal", "liar"):
        assert len(looks(report, student)) == 2
    assert not looks(report, "right") and not looks(report, "zoe") and not looks(report, "big")
    assert any("我的作业.ipynb" in text or "没有交" in text for text in looks(report, "renamed"))
    assert any("电影.mp4" in text for kind, text in report.results["big"]["notes"] if kind == "file")
    assert "没有交" in looks(report, "empty-folder")[0]


def test_what_ran_into_a_limit_or_a_guard_is_named(graded):
    root, report, _ = graded
    stops = {s: [t for k, t in r["notes"] if k == "stopped"] for s, r in report.results.items()}
    assert "a-sq 格超过 3 秒。" in stops["loop"]
    assert "a-sq 格印的字太多，后面的没有留下。" in stops["wide"]
    assert stops["memory"], "内存用完或超过时间，看机器快慢：总要说一样"
    assert any("弄停了整个程序" in text for text in stops["leave"])
    assert not stops["right"] and not stops["sysexit"] and not stops["input"]
    said = texts.text(report, session.Session(root, NAME, jobs=1))
    part = said.partition("\n运行中被停下了：")[2].partition("\n\n")[0]
    assert "loop  a-sq 格超过 3 秒。" in part and "right" not in part


def test_nothing_is_left_behind(graded):
    root, _, began = graded
    for _ in range(50):
        running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
        if "987654" not in running:
            break
        time.sleep(0.1)
    assert "987654" not in running, "学生的后台进程"
    assert not [p for p in Path("/tmp").glob(f"crm-grade-{os.getpid()}-*") if p.stat().st_mtime > began]
    left = [p for place in ("/tmp", "/dev/shm", root) for p in Path(place).glob("VANDAL")]
    assert not left and b"xx" not in (root / "nbgrader_config.py").read_bytes()
    assert not list((root / ".crm-grade").glob("tmp-*"))
    assert not (root / "autograded" / "big" / NAME / "passwords").exists()


def test_the_guards_hold_here():
    """On the machines that CI uses, all layers; the report names them."""
    warm = pool.Warm([], 1)
    try:
        layers = warm.layers()
    finally:
        warm.close()
    assert layers >= sandbox.NEEDED and "只能读写自己的文件夹" in sandbox.describe(layers)
