"""Unit 2.2: the numbers that the lesson and the teacher pack print are the numbers that come out."""

import csv
import re
from pathlib import Path

import pytest

from autograder import units
from crmlib import methods
from crmlib.boards.swot import read, scores, stands, turned

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "units" / "2.2-swot-pest"
TEACH = (FOLDER / "teach.md").read_text("utf-8")


@pytest.fixture(scope="module")
def unit():
    return units.load(FOLDER)


@pytest.fixture(scope="module")
def tasks(unit):
    return {t["id"]: t for t in unit.tasks}


def table(name):
    with open(ROOT / "datasets" / f"{name}.csv", encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_evidence_cards():
    cards = table("swot_evidence")
    assert [c["卡号"] for c in cards] == [f"c{i:02d}" for i in range(1, 41)]
    assert list(cards[0]) == ["卡号", "日期", "内容", "来源", "性质", "标注"]  # 没有一列会说出答案
    for card in cards:
        assert len(card["内容"]) <= 60 and card["来源"] and card["日期"] <= "2026-01-26"
        assert card["标注"] == f"{card['卡号']}　{card['日期']}　{card['来源']}"


def test_growth_only_within_one_definition():
    volume = {f["年份"]: f for f in table("pest_facts") if f["指标"] == "快递业务量" and f["地区"] == "全国"}

    def growth(year):
        return round((float(volume[str(year)]["数值"]) / float(volume[str(year - 1)]["数值"]) - 1) * 100, 1)

    for year in (2022, 2023, 2025):
        assert volume[str(year)]["口径"] == volume[str(year - 1)]["口径"]
        assert growth(year) == float(volume[str(year)]["公布的同比"])
    assert volume["2023"]["口径"] != volume["2024"]["口径"]
    assert growth(2024) == 32.6 and float(volume["2024"]["公布的同比"]) == 21.5


def test_counting_and_weighing_disagree(tasks):
    ife, efe = tasks["2.2-8"]["key"], tasks["2.2-9"]["key"]
    counted = methods.factor_score([1 / 8] * 8, [row["rating"] for row in ife.values()])
    assert counted == 2.625 and methods.ife(ife) == 2.14 and methods.efe(efe) == 2.03
    for number in ("2.625", "2.14", "2.03"):
        assert number in TEACH
    # 苏北晚点的权重降到 0.08 左右，总分才过 2.5
    assert methods.ife(methods.weight_sensitivity(ife, "c01", 0.09)) < 2.5
    assert methods.ife(methods.weight_sensitivity(ife, "c01", 0.07)) > 2.5
    assert methods.ie_cell(methods.ife(ife), methods.efe(efe))[0] == "V"


def test_flipping_fuel_fells_one_strategy(tasks, tmp_path, monkeypatch):
    from crmlib.boards import swot

    monkeypatch.chdir(tmp_path)  # 没有学生的答案：面板用范例
    monkeypatch.setattr(swot, "find_task", lambda task_id: tasks[task_id])
    lesson = (FOLDER / "lesson.md").read_text("utf-8")
    flips = eval(re.search(r"flips=(\{.*?\}\})", lesson, re.S)[1])
    board = read("2.2-8", "2.2-9", "2.2-10", flips)
    fuel, plant = flips
    before, after = turned(board), turned(board, [fuel])
    assert [s["id"] for s in board["strategies"] if not stands(s, before)] == []
    assert [s["id"] for s in board["strategies"] if not stands(s, after)] == ["WT"]
    assert scores(after) == scores(before)
    assert round(scores(turned(board, [plant]))[1], 2) == 1.72


def test_sums_of_the_four_plans(tasks):
    key = tasks["2.2-12"]["key"]
    assert key["jia"]["gain"] == 700 * 15 / 100
    assert key["yi"]["gain"] == pytest.approx(400 * 0.6 - 1000 * 0.3)
    for row, days in (("bing", 90), ("bing60", 60)):
        assert key[row] == {"gain": 900 * 12 / 100, "cash": 120 + 900 * days / 360}
    assert key["ding"]["gain"] == 20 * (5 - 2)
    assert key["ding20"]["gain"] == pytest.approx(20 * (5 * 0.8 - 2))
    within = {row for row, cells in key.items() if cells["cash"] <= 300}
    assert "bing" not in within and "bing60" in within


def test_the_card_on_lost_customers_is_what_the_tables_say():
    import crmlib as crm

    customers = crm.load("customers")
    lost = customers.query("'2025-04-01' <= 合作结束 <= '2025-12-31'")
    months = crm.load("shipments_month").query("'2024-01' <= 月份 <= '2024-12'")
    north = lost[lost["区域"] == "苏北"]
    paid = months[months["客户编号"].isin(north["客户编号"])]["收入"].sum() / 10000
    card = next(c["内容"] for c in table("swot_evidence") if c["卡号"] == "c23")
    assert f"走了{len(lost)}家客户，{len(north)}家在苏北" in card
    assert abs(paid - 1070) < 5 and "约1070万元" in card
