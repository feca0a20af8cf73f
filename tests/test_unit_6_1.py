"""Unit 6.1: the numbers that lesson, tasks and teacher pack print are the numbers that come out."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from autograder import units
from crmlib import load, methods
from crmlib.boards import pairwise, pareto
from crmlib.cli import CourseError
from crmlib.data import validate
from crmlib.paths import notebooks

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "units" / "6.1-customer-grading-abc"
LESSON, TEACH, TASKS = (FOLDER.joinpath(file).read_text("utf-8")
                        for file in ("lesson.md", "teach.md", "tasks.yaml"))


@pytest.fixture(scope="module")
def tasks():
    return {t["id"]: t for t in units.load(FOLDER).tasks}


@pytest.fixture(scope="module")
def board():
    return pareto.read()


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unit")
    (folder / "tasks").mkdir()
    (folder / "tasks" / "6.1.json").write_bytes((notebooks() / "6" / "tasks" / "6.1.json").read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield pairwise.read("6.1-8")


def counts(board, order, cuts=(.8, .95)):
    found = list(pareto.grades(board, order, cuts).values())
    return [found.count(g) for g in "ABC亏"]


def printed(*texts, where=LESSON + TEACH + TASKS):
    missing = [text for text in texts if str(text) not in where]
    assert not missing, missing


def test_the_tables_are_clean():
    for name in ["客户", "月度发货", "投诉", "往来记录", "信用档案"]:
        assert len(validate(load(name), name)) == 0, name


def test_grades(board, tasks):
    assert len(board["rows"]) == 1161
    assert counts(board, "收入") == [424, 355, 382, 0] and counts(board, "贡献") == [323, 297, 395, 146]
    assert counts(board, "收入", (.79, .95))[0] == 409 and counts(board, "贡献", (.79, .95))[0] == 311
    assert tasks["6.1-6"]["key"] == {"a": 323, "bad": 146, "move": 323 - 311}
    printed("A 424 家，B 355 家，C 382 家", "A 323，B 297，C 395，亏 146", "A 剩 409 家",
            "A 剩 311 家", where=TEACH)
    by_revenue, by_gain = pareto.grades(board, "收入"), pareto.grades(board, "贡献")
    assert {by_revenue[i] for i in board["watch"]} == {"A"}
    assert by_gain["C0813"] == "亏" and by_gain["C0386"] == "B"


def test_the_big_customer_that_loses_money(tasks):
    table = pareto.values()
    who, key = table.loc["C0813"], tasks["6.1-5"]["key"]
    assert list(table.index[:6]) == ["C0526", "C0922", "C1454", "C0813", "C0827", "C0386"]
    assert [key["serve"], key["gain"]] == [who["服务成本"], who["贡献"]]
    assert key["rate"] == round(100 * who["贡献"] / who["收入"], 2)
    assert table["贡献"].idxmin() == "C0813" and round(who["垫款利息"] / who["服务成本"], 2) == .98
    printed(*(f"{who[c]:.0f}" for c in ("收入", "直接成本", "垫款利息")), where=TASKS)
    twelve = pareto.candidates()
    assert twelve["贡献"].rank(ascending=False)["C0924"] == 1 and list(twelve.index).index("C0924") == 9
    assert twelve.loc["C0386", "潜力"] == 781 and twelve.loc["C0401", "潜力"] == 428
    assert twelve.loc["C0386", "名次"] == 11 and twelve.loc["C0401", "名次"] == 6


def test_two_rankings(pairs, tasks):
    found = pairwise.judged(pairs)
    weights = found.scores["权重"]
    assert weights.tolist() == [.4, .3, .1, .2, 0] and found.circular == 0
    order = pairwise.ranking(pairs, weights)
    printed("，".join(f"{i} {s:.1f}" for i, s in list(order.items())[:7]), where=TEACH)
    gains = sorted(pairs["rank"], key=pairs["rank"].get)[:6]
    printed(f"| 甲 | {' | '.join(gains)} |", f"| 乙 | {' | '.join(list(order)[:6])} |", where=TASKS)
    cards, key = tasks["6.1-12"]["cards"], tasks["6.1-12"]["key"]
    for card, who in cards.items():
        inside = who in gains, who in list(order)[:6]
        assert key[card] == {(True, True): "both", (True, False): "one", (False, True): "two",
                             (False, False): "none"}[inside]


def test_circles_and_ratio(pairs, tasks):
    bent = pairwise.judged({**pairs, "wins": [1, 0, *pairs["wins"][2:]]})
    assert (bent.circular, round(bent.consistence, 2)) == (2, .6)
    ahp = {**pairs, "mode": "ahp"}
    first = pairwise.judged(ahp).consistency_ratio
    second = pairwise.judged({**ahp, "times": [1 / 5, *ahp["times"][1:]]}).consistency_ratio
    printed(f"CR 先是 {first:.3f}，然后 {second:.3f}", "绕成圈 2 个，判断一致系数 0.60", where=TEACH)
    said = {("贡", "付"): 3, ("贡", "潜"): 1 / 2, ("付", "潜"): 3}
    three = methods.ahp(methods.pairs_matrix(list("贡付潜"), said))
    key = tasks["6.1-11"]["key"]
    assert abs(three.lambda_max - 4.002) < .001 and abs(three.consistency_ratio - key["cr"]) < .005


def test_the_graded_abc():
    written = {t["id"]: t for t in yaml.safe_load(TASKS)}
    for row in written["6.1-g3"]["vary"]:
        gains = [row["a"], row["b"], 12, 8, 6, 5, 4, 3, 2]
        table = pd.DataFrame({"客户": list("甲乙丙丁戊己庚辛壬"), "贡献": gains})
        grade = methods.abc_analysis(table, "客户", "贡献")["等级"]
        assert [(grade == "A").sum(), (grade == "B").sum()] == [row["na"], row["nb"]]


def test_bad_options_are_told():
    for call in (lambda: pareto.read(cuts=(.9, .5)), lambda: pareto.read(order="件数"),
                 lambda: pareto.values(2030), lambda: pairwise.read("6.1-8", mode="x")):
        with pytest.raises(CourseError):
            call()
