"""Unit 1.1: the numbers that the lesson and the teacher pack print are the numbers that come out."""

import csv
import re
from pathlib import Path

import pytest

import crmlib as crm
from autograder import units
from crmlib.boards import customers
from crmlib.cli import CourseError
from crmlib.tasks.session import Opened

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "units" / "1.1-know-your-customer"
TEACH = (FOLDER / "teach.md").read_text("utf-8")
CUTS = {"按角色": "1.1-5", "按时间": "1.1-8", "按身份": "1.1-10", "按付钱多少": "1.1-11"}


@pytest.fixture(scope="module")
def tasks():
    return {t["id"]: t for t in units.load(FOLDER).tasks}


@pytest.fixture
def board(tasks, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # 没有学生的答案：按参考答案摆
    monkeypatch.setattr(customers, "find_task", lambda task_id: tasks[task_id])
    return customers.read(CUTS)


def table():
    with open(ROOT / "datasets" / "customer_cards.csv", encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_cards():
    cards = table()
    assert [c["卡号"] for c in cards] == [f"k{i:02d}" for i in range(1, 25)]
    assert list(cards[0]) == ["卡号", "内容", "2025年付的运费", "标注"]  # 没有一列会说出答案
    for card in cards:
        money = float(card["2025年付的运费"])
        said = f"{money / 10000:g} 万元" if money >= 10000 else f"{money:g} 元"
        assert len(card["内容"]) <= 40 and card["标注"] == f"2025 年付给苏畅 {said}"


def test_four_cuts_as_the_teacher_pack_says(board):
    for place, said in enumerate(([("发货方", 13, 175.0), ("收货方", 4, 2.5), ("代理商", 3, 91.0)],
                                  [("潜在", 2, 0), ("新", 4, 34.4), ("老", 11, 224.6), ("流失", 3, 9.4)],
                                  [("个人", 4, 0.2)],
                                  [("大客户", 5, 235.0), ("中客户", 4, 31.1), ("零散", 11, 2.3)])):
        found = {row["path"][0]: row for row in customers.rows(board, place)}
        for name, count, money in said:
            row = next(row for title, row in found.items() if title.startswith(name))
            assert (len(row["cards"]), round(row["money"] / 10000, 1)) == (count, money), name
            assert place == 2 or f"{name} {count} 张" in TEACH
    assert round(sum(c["money"] for c in board["cards"]) / 10000, 1) == 268.4
    assert round(customers.rows(board, 0)[2]["share"], 3) == 0.339
    assert round(customers.rows(board, 3)[0]["share"], 3) == 0.875


def test_size_cut_is_the_money_on_the_cards(tasks):
    for card in table():
        if card["卡号"] in tasks["1.1-11"]["cards"]:
            money = float(card["2025年付的运费"])
            right = "big" if money >= 200_000 else "mid" if money >= 10_000 else "few"
            assert tasks["1.1-11"]["key"][card["卡号"]] == right


def test_two_cuts_make_a_tree(board):
    tree = customers.rows(board, 0, 3)
    assert all(len(row["path"]) == 2 for row in tree)
    assert sorted(c for row in tree for c in row["cards"]) == sorted(c["id"] for c in board["cards"])
    assert sum(row["money"] for row in tree) == sum(c["money"] for c in board["cards"])
    assert ("内部客户", "—") in [row["path"] for row in tree]


def test_a_student_s_own_piles_and_odd_answers(tasks, board, monkeypatch):
    given = {"k01": "a", "k02": "nowhere", "zz": "s"}
    monkeypatch.setattr(customers, "open_saved", lambda task: Opened(task, given))
    own = customers.read({"按角色": "1.1-5"})
    assert own["cuts"][0]["of"]["k01"] == "a" and own["cuts"][0]["of"]["k02"] == "s"
    assert own["notices"] == ["“按角色”里你没有分到的卡，照参考答案摆。"]
    with pytest.raises(CourseError, match=r"1\.1-6 题不是"):
        customers.read({"错": "1.1-6"})
    assert "代理商 4 张" in customers.text(own)


def test_the_real_table(tasks):
    people = crm.load("customers")
    months = crm.load("shipments_month").query("月份 >= '2025-01'")
    money = people["客户编号"].map(months.groupby("客户编号")["收入"].sum()).fillna(0)
    by = money.groupby(people["付款方式"]).agg(["size", "sum"])
    assert by["size"].to_dict() == {"月结": 380, "现结": 1120}
    assert (by["sum"] / 10000).round().to_dict() == {"月结": 16106, "现结": 9898}
    key = tasks["1.1-12"]["key"]
    assert round(100 * 380 / 1500, 1) == key["count"]
    assert round(100 * by["sum"]["月结"] / by["sum"].sum(), 1) == key["money"]


def test_the_station_s_sums_add_up_in_every_class():
    for row in range(4):
        task = {t["id"]: t for t in units.load(FOLDER, lambda task, row=row: row).tasks}["1.1-g4"]
        wrong = task["mistakes"][0]["when"]["share"]
        people = [int(n) for n in re.findall(r"(\d+) (?:家|位)", task["prompt"])]
        assert round(100 * people[0] / sum(people), 3) == wrong
