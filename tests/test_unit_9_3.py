"""Unit 9.3: the numbers that lesson, tasks and teacher pack print are the numbers that come out."""

from pathlib import Path

import pandas as pd
import pytest

from autograder import units
from crmlib import methods
from crmlib.boards import segments as board
from crmlib.cli import CourseError
from crmlib.data import load, validate
from crmlib.tasks.core import score_task

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "units" / "9.3-segmentation"
TEACH = (FOLDER / "teach.md").read_text("utf-8")
LESSON = (FOLDER / "lesson.md").read_text("utf-8")


@pytest.fixture(scope="module")
def tasks():
    return {t["id"]: t for t in units.load(FOLDER).tasks}


@pytest.fixture(scope="module")
def shown():
    return board.read()


def trial(shown, k, scaled=True):
    return next(t for t in shown["trials"]["scaled" if scaled else "raw"] if t["k"] == k)


def sizes(shown, k, scaled=True):
    return [group["n"] for group in board.portrait(shown, k, scaled)]


def test_tables_are_clean():
    for name in ("small_orders", "customer_profile", "customers", "shipments_month"):
        assert len(validate(load(name), name)) == 0
    orders = load("small_orders")
    assert orders["寄件人编号"].nunique() == 1500 and len(board.accounts()) == 600


def test_three_cuts(tasks):
    shown = board.read("rfm")
    assert board.judge(shown)["重要价值客户"]["n"] == 303
    told = board.judge(shown, {"R": 30, "F": 8, "M": 200})
    money = sum(group["money"] for group in told.values())
    assert (told["重要价值客户"]["n"], told["重要保持客户"]["n"]) == (80, 96)
    assert round(100 * told["重要价值客户"]["money"] / money, 1) == 20.8
    assert round(100 * told["重要保持客户"]["money"] / money, 1) == 22.6
    wide = board.judge(shown, {"R": 60, "F": 8, "M": 200})
    assert (wide["重要价值客户"]["n"], wide["重要保持客户"]["n"]) == (105, 71)
    for said in ("303 位", "80 位，占金额 20.8%", "96 位，占 22.6%", "105 位和 71 位"):
        assert said in TEACH
    cuts = {"R": [30], "F": [8], "M": [200]}
    orders = load("small_orders")
    scores = methods.rfm(orders, "寄件人编号", "日期", "金额", at="2025-12-31", bins=2, cuts=cuts)
    counted = methods.rfm_groups(scores, 2).value_counts()
    assert {n: group["n"] for n, group in told.items()} == counted.to_dict()  # 板子和方法是一回事
    table = board.senders()  # 9.3-5 提示里的数
    money = table["金额"]
    assert (table["次数"].median(), round(money.median()), int(money.quantile(.9))) == (4, 64, 264)


def test_ten_senders_are_real(tasks):
    table = board.senders()
    lines = [line.strip("| ").split(" | ") for line in tasks["9.3-6"]["prompt"].splitlines() if "| S" in line]
    assert len(lines) == 10
    for who, days, orders, money in lines:
        assert table.loc[who].round(1).tolist() == [float(days), float(orders), float(money)]
    ten = table.loc[[line[0] for line in lines]]
    near, good = ten["间隔天数"] <= 30, (ten["次数"] >= 8) & (ten["金额"] >= 200)
    assert (near & good).sum() == 1 and (~near & good).sum() == 3 and near.sum() == 4
    assert table.loc["S0748", "间隔天数"] == 4 and table.loc["S0620", "间隔天数"] == 143


def test_the_clearest_number_is_a_trap(shown):
    assert [round(trial(shown, k, False)["silhouette"], 3) for k in (2, 3, 4)] == [.759, .737, .691]
    assert sizes(shown, 4, False) == [421, 103, 59, 17] and sizes(shown, 8, False)[0] == 252
    table, first = board.accounts(), pd.Series(trial(shown, 4, False)["labels"]) == 1
    mixed = table[first.to_numpy()]
    kinds = pd.Series(trial(shown, 4)["labels"])[first.to_numpy()].value_counts()
    assert sorted(kinds) == [9, 117, 130, 165]  # 三种人挤在一群
    assert (mixed["件均重量"].min(), round(mixed["件均重量"].max())) == (.6, 22)
    assert (mixed["退货率"].min(), mixed["退货率"].max()) == (0, 16.6)
    assert (table["月均件数"].min(), table["月均件数"].max()) == (28, 20446)


def test_three_or_four(shown, tasks):
    key = tasks["9.3-10"]["key"]
    for k, blank in ((3, "three"), (4, "four"), (5, "five")):
        assert trial(shown, k)["silhouette"] == pytest.approx(key[blank], abs=.001)
        assert trial(shown, k)["stability"] > .85
    assert sizes(shown, 4) == [195, 158, 130, 117] and sizes(shown, 3) == [237, 205, 158]
    assert sizes(shown, 5) == [158, 130, 116, 105, 91] and key["small"] == 117 / 6
    past = {t["k"]: t["silhouette"] for t in board.read(year=2023)["trials"]["scaled"]}
    assert max(past, key=past.get) == 4 and round(past[4], 2) == .61
    notes = tasks["9.3-11"]["left"].values()
    for note, group in zip(notes, board.portrait(shown, 4, True), strict=True):
        parcels, weight, peak, returns, extras = group["means"]
        assert note["note"] == (f"月均 {parcels:.0f} 件，每件 {weight:.1f} 千克，"
                                f"旺季 {peak:.1f} 倍，"
                                f"退货 {returns:.0f}%，增值 {extras:.0f}%")


def test_money_of_three_and_four(shown, tasks):
    each = {"工厂": (700, 1500), "电商": (800, 1800), "混合": (200, 300),
            "小微": (100, 150), "商超": (400, 700)}
    plans = {3: dict(zip(("混合", "工厂", "电商"), sizes(shown, 3), strict=True)),
             4: dict(zip(("工厂", "电商", "小微", "商超"), sizes(shown, 4), strict=True))}

    def account(k, start=6000):
        cost = sum(n * each[g][0] for g, n in plans[k].items()) + k * start
        return cost, sum(n * each[g][1] for g, n in plans[k].items()) - cost

    key = tasks["9.3-15"]["key"]
    assert (*account(3), *account(4)) == (key["cost3"], key["net3"], key["cost4"], key["net4"])
    assert account(4)[1] - account(3)[1] == 3900 and account(4, 9900)[1] == account(3, 9900)[1]
    assert account(3, 10000)[1] - account(4, 10000)[1] == 100
    assert account(4)[0] < 360000 and "346700" in LESSON and "3900" in LESSON
    plan = tasks["9.3-16"]["key"].values()
    assert sum(row["total"] for row in plan) == 322700 == 360000 - 37300


def test_value_grid_of_real_customers(tasks):
    months, task = load("shipments_month"), tasks["9.3-14"]
    year = months[months["月份"].astype(str).str[:4] == "2025"].groupby("客户编号")[["收入", "成本"]].sum()
    spend = load("customers").set_index("客户编号")["年物流支出"]
    names = {"重点投入": "invest", "用心保持": "keep", "培育关系": "grow", "控制成本": "hold"}
    for card, told in task["cards"].items():
        who = told["text"].split()[0]
        margin = round((year.loc[who, "收入"] - year.loc[who, "成本"]) / 1e4, 1)
        elsewhere = round(spend[who] - year.loc[who, "收入"] / 1e4, 1)
        assert told["note"] == f"毛利 {margin}，同行那里 {elsewhere}"
        place = methods.value_grid(pd.Series([margin]), pd.Series([elsewhere]), cuts=(2, 20))[0]
        assert task["key"][card] == names[place]


def test_either_number_of_groups_scores_in_full(tasks):
    form, money = tasks["9.3-g5"], tasks["9.3-g6"]
    assert money["inputs"]["k"] == {"task": "9.3-g5", "cell": ["mine", "k"]}
    for k, cost, net in ((3, 228600, 248040), (4, 237200, 253840)):
        row = {"k": k, "number": "轮廓系数比五群高得多", "use": "四个业务员管得过来"}
        assert score_task(form, {"mine": row}).points == form["points"]
        for blank, expected in (("cost", cost), ("net", net)):
            formula = money["key"][blank]["formula"]
            for name, value in money["vary"][0].items() if "vary" in money else ():
                formula = formula.replace("{{" + name + "}}", str(value))
            assert eval(formula, {"k": k, "max": max}) == expected
        assert f"花 {cost}、净 {net}" in TEACH


def test_wrong_options_are_named():
    for options in ({"view": "map"}, {"year": 2024}):
        with pytest.raises(CourseError):
            board.read(**options)
    assert "轮廓系数" in board.text(board.read()) and "重要价值客户" in board.text(board.read("rfm"))
