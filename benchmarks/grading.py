"""批改有多快：同一个班，nbgrader 和本课程的引擎各批一遍，分数必须一样。

    python benchmarks/grading.py                 三种作业，一个班 40 份，各和 nbgrader 比一次
    python benchmarks/grading.py --linear        只用我们的引擎：50、500、5000 份
    python benchmarks/grading.py --sizing        一个省要几台机器（用 --linear 测到的数算）

“底线”是学生的格子自己要算的时间 ÷ 处理器个数：再快也快不过它。
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
from fixtures import foreign  # noqa: E402
from nbformat.v4 import new_code_cell  # noqa: E402

DATA = """rng = np.random.default_rng(7)
n = 5040
orders = pd.DataFrame({"customer": rng.integers(0, 420, n), "weight": rng.gamma(2, 8, n),
                       "km": rng.uniform(5, 900, n), "express": rng.random(n) < 0.3})
orders["fee"] = 6 + 0.9 * orders.weight + 0.02 * orders.km + 4 * orders.express + rng.normal(0, 2, n)
orders["late"] = rng.random(n) < 0.05 + 0.0002 * orders.km
orders.loc[rng.choice(n, 60, replace=False), "weight"] = np.nan"""
IMPORTS = """import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, silhouette_score
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.preprocessing import StandardScaler"""
FEATURES = "features = ['weight', 'km', 'express']"
SIMPLE = [
    ("clean", "clean = orders.dropna()", "len(clean)", "len(clean) == 4980"),
    (
        "people",
        "people = clean.groupby('customer').agg(fee=('fee', 'sum'), n=('fee', 'size'))",
        "len(people) > 0",
        "abs(people.fee.sum() - clean.fee.sum()) < 1e-6 and people.n.sum() == 4980",
    ),
    (
        "fit",
        f"{FEATURES}\nlinear = LinearRegression().fit(clean[features], clean.fee)\nr2 = linear.score("
        "clean[features], clean.fee)",
        "0 <= r2 <= 1",
        "0.9 < r2 < 1",
    ),
    (
        "split",
        "train, test = train_test_split(clean, test_size=0.3, random_state=1)",
        "len(train) > len(test)",
        "len(test) == 1494",
    ),
    (
        "logit",
        "logit = LogisticRegression(max_iter=1000).fit(train[features], train.late)\n"
        "right = accuracy_score(test.late, logit.predict(test[features]))",
        "0 <= right <= 1",
        "0.8 < right < 0.95",
    ),
    (
        "forest",
        "forest = RandomForestClassifier(60, random_state=1).fit(train[features], train.late)\n"
        "scores = cross_val_score(forest, train[features], train.late, cv=3)",
        "len(scores) == 3",
        "0.7 < scores.mean() < 0.95",
    ),
    (
        "scaled",
        "scaled = StandardScaler().fit_transform(people)",
        "scaled.shape[1] == 2",
        "abs(scaled.mean()) < 1e-9 and scaled.shape == (420, 2)",
    ),
    (
        "groups",
        "groups = KMeans(4, n_init=5, random_state=1).fit_predict(scaled)\n"
        "how = silhouette_score(scaled, groups)",
        "len(set(groups)) == 4",
        "how > 0.2",
    ),
]
PLOTS = [
    "orders.describe()",
    "clean.fee.hist(bins=40)\nplt.show()",
    "people.plot.scatter('n', 'fee')\nplt.show()",
]
LIGHT = [
    (
        f"f{k}",
        f"def f{k}(n):\n    return sum(i ** {k} for i in range(n + 1))",
        f"f{k}(1) == 1",
        f"f{k}(4) == {sum(i**k for i in range(5))}",
    )
    for k in range(1, 6)
]


def heavy_cells():
    cells = [new_code_cell(IMPORTS), new_code_cell(DATA)]
    for name, solution, seen, hidden in SIMPLE:
        cells += [
            foreign.answer(name, f"{name} = None", solution),
            foreign.check(f"t-{name}", 5, f"assert {seen}", f"assert {hidden}"),
        ]
    return cells + [new_code_cell(p) for p in PLOTS]


def light_cells():
    cells = []
    for name, solution, seen, hidden in LIGHT:
        head, body = solution.split("\n", 1)
        cells += [
            foreign.answer(name, head, body),
            foreign.check(f"t-{name}", 2, f"assert {seen}", f"assert {hidden}"),
        ]
    return cells


def course(folder, kind, people) -> Path:
    """A course folder with a released assignment and ``people`` submissions, right and partly right."""
    if kind == "cards":
        return cards_course(folder, people)
    solutions = {n: s for n, s, *_ in (SIMPLE if kind == "heavy" else LIGHT)}
    root = foreign.make(folder / kind, cells=heavy_cells() if kind == "heavy" else light_cells(), name=kind)
    last = list(solutions)[-1]
    for n in range(people):
        answers = dict(solutions)
        if n % 3 == 1:
            answers[last] = "raise ValueError('不会')"
        foreign.hand_in(root, f"s{n:05}", answers, name=kind)
    return root


def cards_course(folder, people) -> Path:
    """The card tasks of a real assignment: only answers.json counts."""
    from autograder import build, units
    from crmlib.tasks import KINDS

    unit = next(u for u in map(units.load, units.folders(ROOT)) if u.assignment is not None)
    tasks = {t["id"]: t for t in unit.graded if t["kind"] not in ("code", "write")}
    real = ROOT / "assignments" / "source" / unit.folder.name
    root, name = folder / "cards", "cards"
    (root / "source" / name).mkdir(parents=True)
    shutil.copytree(real / "tasks", root / "source" / name / "tasks")
    (root / "nbgrader_config.py").write_text("c = get_config()\nc.Execute.timeout = 60\n")
    nb = json.loads((real / f"{unit.folder.name}.ipynb").read_text("utf-8"))
    wanted = {build.grade_id(t) for t in tasks}
    keep = [
        c
        for c in nb["cells"]
        if not c["metadata"].get("nbgrader") or c["metadata"]["nbgrader"]["grade_id"] in wanted
    ]
    (root / "source" / name / f"{name}.ipynb").write_text(json.dumps(nb | {"cells": keep}), "utf-8")
    foreign.stock(root, "generate_assignment", name)
    keys = {i: {"answer": KINDS[t["kind"]].key_answer(t)} for i, t in tasks.items()}
    for n in range(people):
        some = dict(list(keys.items())[: len(keys) - n % 3])
        raw = json.dumps({"format": 1, "seed": f"{n:012x}", "answers": some}, ensure_ascii=False).encode()
        foreign.hand_in(root, f"s{n:05}", {}, name=name, files={"answers.json": raw})
        place = root / "submitted" / f"s{n:05}" / name
        shutil.copytree(root / "source" / name / "tasks", place / "tasks")
    return root


def marks(root, name) -> dict:
    from autograder.engine.book import Book

    with Book(f"sqlite:///{root / 'gradebook.db'}") as book:
        return {key: auto for key, (auto, _, _) in book.marks(name).items()}


def timed(work) -> tuple[float, float]:
    """(seconds on the clock, processor seconds of all processes) of one command.

    On a machine that others use too, only the second says much.
    """
    before, began = os.times(), time.perf_counter()
    work()
    seconds, after = time.perf_counter() - began, os.times()
    return (
        seconds,
        after.children_user + after.children_system - before.children_user - before.children_system,
    )


def ours(root, name, jobs) -> None:
    """The whole command, start-up included."""
    code = "import sys; from autograder.engine.cli import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, "--course", str(root), name, "--jobs", str(jobs)],
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 1) and "批了" in done.stdout, done.stdout + done.stderr


def compute(root, name, jobs=1, rounds=5) -> float:
    """Seconds on the clock that one submission's cells need with everything imported, one thread each.

    ``jobs`` processes run them at once: cores that share caches are slower together than one alone.
    """
    code = (
        "import sys, json, time, statistics\nfrom autograder.engine.runner import warm\n"
        "from autograder.engine.grade import modules\nnb = json.load(open(sys.argv[1]))\n"
        "code = [''.join(c['source']) for c in nb['cells'] if c['cell_type'] == 'code']\n"
        "cells, took = warm(modules(code)), []\nfor s in code: cells.run(s)\n"
        "sys.__stdout__.write('.')\nsys.__stdout__.flush()\nsys.stdin.readline()\n"
        "for _ in range(int(sys.argv[2])):\n    began = time.perf_counter()\n"
        "    for s in code: cells.run(s)\n    took.append(time.perf_counter() - began)\n"
        "sys.__stdout__.write('@' + str(statistics.mean(took)))"
    )
    env = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    path = root / "submitted" / "s00000" / name / f"{name}.ipynb"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": env}
    running = [subprocess.Popen([sys.executable, "-c", code, str(path), str(rounds)], **pipes)
               for _ in range(jobs)]
    for process in running:  # 都暖好了，再一起开始
        while process.stdout.read(1) != ".":
            pass
    for process in running:
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate()[0] for process in running]
    return sum(float(out.rpartition("@")[2]) for out in said) / jobs


def against_stock(kind, people, jobs, folder) -> None:
    root = course(folder, kind, people)
    mine = folder / f"{kind}-ours"
    shutil.copytree(root, mine)
    stock, stock_cpu = timed(lambda: foreign.stock(root, "autograde", kind))
    code = kind != "cards"
    before = compute(root, kind, jobs) if code else 0
    took, cpu = timed(lambda: ours(mine, kind, jobs))
    assert marks(mine, kind) == marks(root, kind), "分数不一样，测速不算数"
    print(
        f"{kind:6} {people} 份，分数全部一样。负载 {os.getloadavg()[0]:.1f}，{jobs} 个核\n"
        f"       nbgrader {stock:7.1f} 秒，占核 {stock_cpu:6.1f} 秒，每份 {stock / people:.2f} 秒\n"
        f"       我们     {took:7.1f} 秒，占核 {cpu:6.1f} 秒，每份 {took / people:.3f} 秒\n"
        f"       快 {stock / took:.1f} 倍；按占核的时间算，省到 1/{stock_cpu / cpu:.1f}"
    )
    if code:
        after, alone = compute(root, kind, jobs), compute(root, kind)
        floor = (before + after) / 2 * people / jobs
        print(
            f"       底线：格子自己一份要算 {before:.3f}、{after:.3f} 秒（前后各测一次，{jobs} 个进程一起跑；"
            f"一个单独跑 {alone:.3f}），全班 {floor:.1f} 秒；我们是底线的 {took / floor:.2f} 倍"
            f"（照单独跑的算 {took * jobs / alone / people:.2f} 倍）"
        )


def linear(kind, sizes, jobs, folder) -> list[tuple[int, float]]:
    found = []
    root = course(folder, kind, max(sizes))
    everyone = sorted(p.name for p in (root / "submitted").iterdir())
    for size in sizes:
        part = folder / f"{kind}-{size}"
        shutil.copytree(root, part, ignore=lambda _, names, n=size: set(everyone[n:]) & set(names))
        took, cpu = timed(lambda part=part: ours(part, kind, jobs))
        assert len({s for s, _, _ in marks(part, kind)}) == size
        found.append((size, cpu))
        print(
            f"{kind:6} {size:5} 份：{took:7.1f} 秒，每份占核 {1000 * cpu / size:.1f} 毫秒，"
            f"每秒 {size / took:.0f} 份。负载 {os.getloadavg()[0]:.1f}"
        )
        shutil.rmtree(part)
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--linear", action="store_true")
    parser.add_argument("--sizing", action="store_true")
    parser.add_argument("--only", choices=["heavy", "light", "cards"])
    parser.add_argument("--people", type=int, default=40, help="一个班几个人")
    parser.add_argument("--sizes", type=int, nargs="+")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    kinds = [options.only] if options.only else ["cards", "light", "heavy"]
    with tempfile.TemporaryDirectory() as place:
        if options.sizing:
            sizing(Path(place), options.jobs)
        elif options.linear:
            for kind in kinds:
                linear(
                    kind,
                    options.sizes or ([50, 500, 5000] if kind == "cards" else [50, 500]),
                    options.jobs,
                    Path(place),
                )
        else:
            for kind in kinds:
                against_stock(kind, options.people, options.jobs, Path(place))


def sizing(folder, jobs) -> None:
    """What a province needs: 100,000 students × 27 assignments, from what this machine does now."""
    people, units = 100_000, 27
    rates = {}
    for kind, size in (("cards", 500), ("light", 50), ("heavy", 20)):
        [(_, small), (_, large)] = linear(kind, [size // 5, size], jobs, folder)
        rates[kind] = (large - small) / (size - size // 5)  # 一份占一个核几秒，起步不算
    print(
        "\n| 作业 | 一份占一个核 | 10 万份 | 1 台 16 核，一次 | 8 台，27 次 |\n|---|---|---|---|---|"
    )
    for kind, each in rates.items():
        hours = each * people / 3600
        print(
            f"| {kind} | {each:.4f} 秒 | {hours:.2f} 核·小时 | {hours / 16:.2f} 小时"
            f" | {hours * units / 128:.1f} 小时 |"
        )


if __name__ == "__main__":
    main()
