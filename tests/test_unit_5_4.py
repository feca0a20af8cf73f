"""Unit 5.4: the numbers that lesson, tasks and teacher pack print are the numbers that come out."""

import re
from math import sqrt
from pathlib import Path

import pandas as pd
import pytest

from autograder import units
from crmlib.boards import control, desk
from crmlib.cli import CourseError
from crmlib.data import load, validate
from crmlib.methods import cause_pareto

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "units" / "5.4-complaints"
TEACH, LESSON = ((FOLDER / name).read_text("utf-8") for name in ("teach.md", "lesson.md"))
DESK = ["T2547", "T2551", "T2554", "T2556", "T2558", "T2559", "T2567", "T2568"]
DAY = "2025-12-25"


@pytest.fixture(scope="module")
def tasks():
    return {t["id"]: t for t in units.load(FOLDER).tasks}


@pytest.fixture(scope="module")
def tickets():
    return load("complaints").set_index("投诉编号")


@pytest.fixture
def board(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # 没有学生的答案
    return desk.read(DESK, DAY)


def test_tables_are_clean(tickets):
    assert len(validate(tickets.reset_index(), "complaints")) == 0 and len(tickets) == 2609
    assert len(validate(load("quality_week"), "quality_week")) == 0
    assert "查了 2609 行，0 处问题" in TEACH


def test_types_are_those_of_the_data(tasks, tickets):
    title = {"lost": "丢失短少", "broken": "损毁", "late": "延误", "deliver": "投递服务",
             "collect": "收寄服务", "other": "其他"}
    for ticket, accepted in tasks["5.4-3"]["key"].items():
        accepted = accepted if isinstance(accepted, list) else [accepted]
        assert title[accepted[0]] == tickets.loc[ticket, "类型"]


def test_priorities_follow_the_rule(tasks, tickets):
    day = pd.Timestamp(DAY)
    for ticket, level in tasks["5.4-6"]["key"].items():
        row = tickets.loc[ticket]
        left = desk.DAYS - (day - row["受理时间"].normalize()).days
        yellow = row["严重程度"] == "严重" or row["实际损失"] >= 300
        assert level == ("red" if left <= 0 else "yellow" if yellow else "green")
        note = tasks["5.4-6"]["cards"][ticket]["note"]
        assert f"12 月 {row['受理时间'].day} 日{row['渠道']}｜{row['严重程度']}" in note
        if row["实际损失"]:
            assert f"损失 {row['实际损失']:g} 元" in note
    signed = load("waybills").set_index("运单号").loc[tickets.loc["T2558", "运单号"], "签收时间"]
    assert (signed.month, signed.day) == (12, 10)  # 药早就签收了


def test_amounts_follow_the_card(tasks, tickets):
    fees = load("waybills").set_index("运单号")["运费"]
    key = tasks["5.4-7"]["key"]
    for ticket, amount in key.items():
        row = tickets.loc[ticket]
        loss, insured = row["实际损失"], row["保价金额"]
        if loss:
            assert amount == (min(loss, insured) if insured else loss)
        else:
            assert amount == fees[row["运单号"]]
        cells = tasks["5.4-7"]["prompt"]
        assert f"| {ticket} |" in cells and (not loss or f"| {loss:g} 元 |" in cells)
    for ticket, fee in {"T2554": 13, "T2556": 23}.items():  # 老习惯：运费的 5 倍
        assert tickets.loc[ticket, "赔付金额"] == 5 * fee
        assert tickets.loc[ticket, "保价金额"] == 0
    late = load("waybills").set_index("运单号").loc[tickets.loc["T2558", "运单号"]]
    hours = (late["签收时间"] - late["揽收时间"]).total_seconds() / 3600 - late["承诺时限"]
    assert round(hours) == 31
    form = tasks["5.4-5"]["key"]["t"]
    assert [form["loss"], form["insured"]] == tickets.loc["T2568", ["实际损失", "保价金额"]].tolist()
    received = tickets.loc["T2568", "受理时间"]
    assert (received.normalize() + pd.Timedelta(days=desk.DAYS)).strftime("%m-%d") == "12-31"


def test_what_the_old_habit_cost(tickets):
    year = tickets[tickets["受理时间"] >= "2025"]
    plain = year.query("保价金额 == 0 and 实际损失 > 0 and 处理结果 == '已解决'")
    loss, paid = int(plain["实际损失"].sum()), int(plain["赔付金额"].sum())
    assert (len(plain), loss, paid) == (250, 82475, 24528)
    assert f"{len(plain)} 起损失 {loss} 元，只赔 {paid} 元，差 {loss - paid} 元" in TEACH
    assert paid / loss < 0.3  # “不到三成”


def test_remedies_and_speed(tickets):
    events = load("service_events").query("是失误 == '是'")
    assert len(events) == 1612 and "1612 次失误" in LESSON
    back = events["30天内再发货"].eq("是") * 100
    quick = events["挽回用时"].le(24)

    def share(remedy, fast=None):
        mine = events["挽回措施"].eq(remedy)
        return round(back[mine if fast is None else mine & (quick if fast else quick.eq(False))].mean())

    assert share("没有处理") == 67 and share("补偿") == 80
    assert share("道歉说明", True) == 82 and share("补偿", True) == 83
    assert share("重新派送", True) - share("重新派送", False) == 15
    days = (tickets["结案时间"] - tickets["受理时间"]).dt.total_seconds() / 86400
    for of, cuts in ((tickets["首次响应"], [0, 10, 30, 999]), (days, [0, 1, 3, 99])):
        mood = tickets.groupby(pd.cut(of, cuts), observed=True)["满意度"].mean()
        assert "、".join(f"{m:.2f}" for m in mood) in TEACH
    assert tickets["满意度"].notna().sum() == 1215 and "1215 张单" in LESSON


def test_two_paretos(tasks, tickets):
    year = tickets[tickets["受理时间"] >= "2025"]
    count, paid = cause_pareto(year["责任环节"]), cause_pareto(year["责任环节"], year["赔付金额"])
    assert len(year) == 1071 and int(year["赔付金额"].sum()) == 68411
    assert count.index[0] == "派送" and paid.index[0] == "分拨"
    key = tasks["5.4-16"]["key"]
    assert key["most"] == round(100 * count.loc["派送", "占比"], 1)
    assert key["money"] == round(100 * paid.loc["分拨", "占比"], 1)
    assert key["each"] == round(paid.loc["分拨", "数量"] / count.loc["分拨", "数量"], 1)
    assert round(paid.loc["派送", "数量"] / count.loc["派送", "数量"]) == 44
    deliver = year[year["责任环节"] == "派送"]
    assert (len(deliver), int((deliver["类型"] == "投递服务").sum())) == (408, 218)
    assert deliver.loc[deliver["类型"] == "投递服务", "赔付金额"].sum() == 0
    region = load("customers").set_index("客户编号")["区域"]
    sort = year[(year["责任环节"] == "分拨") & (year["客户编号"].map(region) == "苏北")]
    assert (sort["赔付金额"].sum(), paid.loc["分拨", "数量"]) == (6745, 21994)
    assert "苏北客户只占 6745 元" in LESSON and round(6745 / 21994, 2) == 0.31
    kinds = year["类型"].value_counts(normalize=True)
    assert "、".join(f"{100 * kinds[k]:.1f}%" for k in ("丢失短少", "投递服务", "损毁")) in TEACH


def test_control_charts():
    weeks = {s: control.read(*s) for s in (("苏南", "投诉"), ("苏中", "抽检破损"), ("苏北", "抽检晚点"))}

    def out(which, baseline):
        series = weeks[which]["series"][weeks[which]["start"][0]]
        found = control.chart(series, baseline)
        return found, [w for w, signal in enumerate(found["信号"], 1) if signal]

    south, red = out(("苏南", "投诉"), 52)
    assert red == [10] and "（5.66，上限 3.92）；中心 2.73" in TEACH
    assert south.loc[10, ["值", "上限", "中心"]].round(2).tolist() == [5.66, 3.92, 2.73]
    table = load("quality_week").query("区域 == '苏南'").set_index("周")
    assert table.loc[47, ["投诉件", "件数"]].tolist() == [68, 227122]
    assert round(south.loc[47, "值"], 2) == 2.99
    assert table["投诉件"].nlargest(4).index.tolist() == [10, 47, 32, 50]
    first, second = table.query("周 <= 26 and 周 != 10"), table.query("周 > 26")
    more = second[["投诉件", "件数"]].mean() / first[["投诉件", "件数"]].mean()
    assert 1.2 < more["投诉件"] < 1.3 and 1.1 < more["件数"] < 1.2  # 两成多；一成多
    assert [round(1e4 * t["投诉件"].sum() / t["件数"].sum(), 1) for t in (first, second)] == [2.6, 2.8]
    assert 0.45 < (table["投诉件"].diff() > 0).sum() / 52 < 0.6  # 差不多一半的周比上一周多

    assert out(("苏中", "抽检破损"), 52)[1] == [16, 29, 30, 38, 41]
    broken, red = out(("苏中", "抽检破损"), 26)
    assert red == [*range(28, 35), *range(36, 44), *range(45, 52)]
    assert len(red) == 22 and round(broken.loc[1, "中心"], 2) == 1.08
    assert out(("苏北", "抽检晚点"), 13)[1] == list(range(14, 53))


def test_the_iceberg(tickets):
    mid = load("quality_week").query("区域 == '苏中'")
    late, early = mid[mid["周"] >= 28], mid[mid["周"] < 28]
    rates = [part["抽检破损"].sum() / part["抽检件数"].sum() for part in (early, late)]
    assert [round(100 * r, 1) for r in rates] == [1.1, 2.1]
    assert round((rates[1] - rates[0]) * late["件数"].mean(), -2) == 700
    year = tickets[tickets["受理时间"] >= "2025"]
    assert (year["类型"] == "损毁").sum() == 195


def test_graded_numbers(tasks):
    g8 = units.run_solution(tasks["5.4-g8"])
    assert [round(g8[name], 2) for name in ("centre", "limit")] == [3.22, 5.01]
    assert g8["limit"] == pytest.approx(193 / 60 + 3 * sqrt(193 / 60 / 9))
    row = tasks["5.4-g4"]
    assert "第一套数：300、760、310、16、1386" in TEACH and "1800 元 | 900 元 | 600 元" in row["prompt"]
    assert [round(x, 1) for x in (100 * 84 / 200, 100 * 5740 / 10000, 5740 / 52)] == [42.0, 57.4, 110.4]
    assert 46 / 8 == 5.75


def test_sources_are_named():
    for name in ("快递暂行条例", "快递市场管理办法", "民法典", "消费者权益保护法"):
        assert name in LESSON and name in TEACH
    assert not re.search(r"https?://", LESSON + TEACH)


# ---- 投诉台 ----

def test_desk(board):
    assert [t["id"] for t in board["tickets"]] == DESK
    assert {t["id"]: t["left"] for t in board["tickets"]} == {
        "T2547": -2, "T2551": 0, "T2554": 2, "T2556": 3, "T2558": 3, "T2559": 3, "T2567": 6, "T2568": 6}
    assert all(t["level"] is None and t["pay"] is None for t in board["tickets"])
    times = desk.plan(board, desk.sort(board, "came"))
    assert times["T2551"][2] == 9 * 60 + 40 and times["T2568"] == (15 * 60 + 50, 15 * 60 + 45, 16 * 60 + 50)
    by_loss = desk.sort(board, "loss")
    assert by_loss[:2] == ["T2568", "T2554"]
    assert desk.plan(board, by_loss)["T2551"][2] == 15 * 60 + 30
    greeted = desk.plan(board, by_loss, hello=True)
    assert greeted["T2551"][2] == 15 * 60 + 40 and max(said for said, _, _ in greeted.values()) == 9 * 60 + 10
    assert max(done for *_, done in greeted.values()) == 16 * 60 + 50  # 话早说，活没有变多
    assert "3 人在 2 小时内听到第一句话" in desk.text(board)


def test_desk_shows_the_students_own_work(tmp_path, monkeypatch, tasks):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(desk, "find_task", lambda task_id: tasks[task_id])

    class Saved:
        def __init__(self, answer):
            self.answer = answer

    answers = {"5.4-6": {"T2547": "red", "T2568": "yellow", "T2554": "purple", "T2551": ["red"]},
               "5.4-7": {"T2568": "1456 元", "T2554": "x"}}
    monkeypatch.setattr(desk, "open_saved", lambda task: Saved(answers[task["id"]]))
    shown = desk.read(DESK, DAY, priority="5.4-6", pay="5.4-7")
    mine = {t["id"]: (t["level"], t["pay"]) for t in shown["tickets"]}
    assert mine["T2547"] == ("red", None) and mine["T2568"] == ("yellow", 1456)
    assert mine["T2554"] == mine["T2551"] == (None, None)
    assert desk.sort(shown, "level")[:2] == ["T2547", "T2568"] and "还没有放完" in shown["notices"][0]


def test_desk_and_control_say_what_is_wrong():
    with pytest.raises(CourseError, match="投诉表里没有 T9999"):
        desk.read(["T9999"], DAY)
    with pytest.raises(CourseError, match="还不在台上"):
        desk.read(["T2568"], "2025-12-24")
    wrong = {("苏东",): "没有“苏东”", ("苏南", "丢失"): "没有“丢失”", ("苏南", "投诉", 3): "6 到 52 周"}
    for options, told in wrong.items():
        with pytest.raises(CourseError, match=told):
            control.read(*options)
    assert "苏南　投诉：前 52 周平均 2.73" in control.text(control.read())
