"""成绩册的速度：5,000 名学生 × 64 个单元，从数据库读出、叠成现状、算出每个人的分。

用法：python benchmarks/marks.py [--students 5000] [--units 64]

墙上时间和处理器时间都印；机器上有别的事时，看处理器时间。算错了就停下来。
"""

import argparse
import os
import random
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

from autograder.marks import schemes, store
from autograder.marks.compute import mark
from autograder.marks.facts import Facts
from autograder.marks.state import fold
from autograder.marks.store import Entry, Store

ROOT = Path(__file__).resolve().parent.parent


def entries(students, units, seed=0):
    """A full log of a kd class: everyone has everything."""
    dice, scheme = random.Random(seed), schemes.printed("kd", ROOT)
    made = [
        Entry("scheme", "老师", detail={"scheme": scheme.to_dict(), "date": "2026-09-01", "settings": {}})
    ]
    people = [f"{n:08d}" for n in range(students)]
    for n, who in enumerate(people):
        made.append(
            Entry(
                "student", "老师", whom=who, detail={"name": f"学生{n}", "klass": "", "date": "2026-09-01"}
            )
        )
        made.append(Entry("group", "老师", whom=who, item=f"组{n // 5}", detail={"date": "2026-09-01"}))
    made.append(Entry("points", "老师", detail={"points": {"缺课": "5"}}))
    made.append(Entry("attendance", "老师", item="close", detail={"date": "2027-01-14"}))
    names = [f"单元{n}" for n in range(units)]
    made += [Entry("item", "老师", component="kd-A1", kind="teacher", item=n,
                   detail={"source": "machine", "due": "2026-12-20"}) for n in names]
    for name in names:
        made += [
            Entry(
                "machine",
                "nbgrader",
                "machine",
                who,
                item=name,
                mark=f"{dice.randrange(40, 101)}/100",
                detail={"handed": "", "attempt": 1, "checker": "x"},
            )
            for who in people
        ]
    for part in ("kd-A2", "kd-A5", "kd-A6", "kd-A7", "kd-A8"):
        made += [
            Entry(
                "rating",
                "老师",
                whom=who,
                component=part,
                kind="teacher",
                mark=str(dice.randrange(40, 101)),
            )
            for who in people
        ]
    for n, who in enumerate(people):
        made.append(Entry("rating", who, "self", who, "kd-A9", "self", "期末", str(dice.randrange(60, 101))))
        made += [Entry("rating", other, "peer_within", who, "kd-A4", "peer_within", "期末",
                       str(dice.randrange(60, 101)))
                 for other in people[n // 5 * 5: n // 5 * 5 + 5] if other != who]
    made += [Entry("item", "老师", component=c, kind=k, item="期末",
                   detail={"source": "rating", "due": "2027-01-10", "date": "2026-12-20"})
             for c, k in (("kd-A4", "peer_within"), ("kd-A9", "self"))]
    return made


def timed(title, call):
    wall, cpu = time.perf_counter(), time.process_time()
    result = call()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"  {title:<28}{wall:>8.2f} 秒{cpu:>8.2f} 秒（处理器）")
    return result, wall, cpu


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--students", type=int, default=5000)
    parser.add_argument("--units", type=int, default=64)
    options = parser.parse_args()
    made = entries(options.students, options.units)
    print(f"{options.students} 名学生 × {options.units} 个单元，{len(made):,} 条记录；"
          f"{os.cpu_count()} 核，负载 {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as place, Store(f"sqlite:///{place}/gradebook.db") as log:
        timed("写进数据库（一次）", lambda: log.add(made))
        read, *first = timed("读出全部记录", log.read)
        state, *second = timed("叠成现状", lambda: fold(read))
        marks, *third = timed("算分", lambda: Facts(state, "2027-01-20").marks())
        timed("核对记录的指纹", lambda: store.broken(read))
    sums = [sum(x) for x in zip(first, second, third, strict=True)]
    print(f"  {'读、叠、算合计':<28}{sums[0]:>8.2f} 秒{sums[1]:>8.2f} 秒（处理器）；目标 10 秒以内")
    if len(marks) != options.students or any(m.final is None for m in marks.values()):
        sys.exit("有人的分没有算出来")
    who = next(iter(marks))
    given = [Fraction(e.mark.split("/")[0]) for e in made if e.what == "machine" and e.whom == who]
    if marks[who].component("kd-A1")[1] != sum(given) / len(given) / 20:
        sys.exit("算错了")
    found, _ = Facts(state, "2027-01-20").of(who)
    if mark(state.scheme, found).trace() != marks[who].trace():
        sys.exit("两次算的来路不一样")


if __name__ == "__main__":
    main()
