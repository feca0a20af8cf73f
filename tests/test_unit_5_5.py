"""Unit 5.5: the numbers that lesson, tasks and teacher pack print are the numbers that come out."""

import re
from pathlib import Path

import pandas as pd
import pytest

from autograder import units
from crmlib import load, methods
from crmlib.boards import call_list, churn_rule
from crmlib.boards.churn_rule import SIGNS, judge, lamps, only, signs
from crmlib.cli import CourseError

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "units" / "5.5-churn-winback"
LESSON, TEACH, TASKS = (FOLDER.joinpath(file).read_text("utf-8")
                        for file in ("lesson.md", "teach.md", "tasks.yaml"))
COLUMNS = [sign["id"] for sign in SIGNS]


@pytest.fixture(scope="module")
def tasks():
    return {t["id"]: t for t in units.load(FOLDER).tasks}


@pytest.fixture(scope="module")
def before():
    return signs("2025-09-30")


@pytest.fixture(scope="module")
def rule():
    return churn_rule.read("customers")


@pytest.fixture(scope="module")
def senders():
    return churn_rule.read("senders")


@pytest.fixture(scope="module")
def calls():
    return call_list.read()


def printed(*texts, where=LESSON + TEACH + TASKS):
    missing = [text for text in texts if str(text) not in where]
    assert not missing, missing


# ---- 走了没有 ----

def test_the_rule_of_days(senders, tasks):
    """The board agrees with the method, and the numbers read off it are in the task and the pack."""
    table = methods.churn_definitions(load("small_orders"), "寄件人编号", "日期", "2025-09-30",
                                      [30, 60, 90, 120, 150])
    for days, row in table.iterrows():
        told = judge(senders, {"几天没下单": days})
        assert (told["caught"] + told["wrong"], told["wrong"], told["missed"]) == tuple(
            row[["判为流失", "误判", "漏判"]])
        printed(f"| {days} | {told['caught']} | {told['wrong']} | {told['missed']} | {told['money']:.0f} |",
                where=TEACH)
    key = tasks["5.5-3"]["key"]
    assert [key["wrong60"], key["missed60"]] == table.loc[60, ["误判", "漏判"]].tolist()
    assert [key["wrong120"], key["missed120"]] == table.loc[120, ["误判", "漏判"]].tolist()


def test_fewest_errors_is_not_most_money(senders):
    found = {days: judge(senders, {"几天没下单": days}) for days in range(10, 181, 5)}
    fewest = min(found, key=lambda d: found[d]["wrong"] + found[d]["missed"])
    richest = max(found, key=lambda d: found[d]["money"])
    assert (fewest, richest) == (35, 95)
    few, rich = found[35], found[95]
    printed(f"{few['wrong'] + few['missed']} 位，最少；净赚 {few['money']:.0f} 元",
            f"净赚 {rich['money']:.0f} 元，最多；误判 {rich['wrong']} 位，漏判 {rich['missed']} 位",
            where=TEACH)


def test_churn_rates(before, tasks):
    key, north = tasks["5.5-5"]["key"], before[before["区域"] == "苏北"]
    assert (len(before), before["流失"].sum(), len(north), north["流失"].sum()) == (1240, 172, 380, 71)
    assert key["all"] == round(100 * before["流失"].mean(), 2)
    assert key["north"] == round(100 * north["流失"].mean(), 2)
    assert key["year"] == round(100 * methods.annual_churn(.01), 2)
    assert round(before.loc[before["流失"] == 1, "年毛利"].sum() / 10_000) == 287


# ---- 为什么走 ----

def test_two_survival_curves(tasks):
    old = load("customers").query("合作开始 < '2023-01-01'")
    end = old["合作结束"].fillna(pd.Timestamp("2025-12-31"))
    stayed = (end - pd.Timestamp("2023-01-01")).dt.days / 30.4375
    north, gone = old["区域"] == "苏北", old["合作结束"].notna()
    curve, other = (methods.kaplan_meier(stayed[who], gone[who]) for who in (north, ~north))
    key = tasks["5.5-6"]["key"]
    assert [key["y1"], key["y2"], key["y3"]] == [round(100 * curve.at(t), 2) for t in (12, 24, 35.9)]
    years = old.loc[north, "合作结束"].dt.year.value_counts()
    assert [north.sum(), *(years[y] for y in (2023, 2024, 2025))] == [336, 24, 21, 47]
    assert key["last"] == round(100 * 244 / 291, 2)
    assert f"{100 * other.at(35.9):.1f}%" == "78.4%"
    assert abs(100 * (other.at(24) - curve.at(24))) < 0.5  # 前两级贴在一起
    assert round(methods.log_rank(stayed, gone, north).p, 3) == 0.049


def test_registered_reasons(before, tasks):
    reasons = before["关闭原因"].value_counts()
    assert reasons.to_dict() == {"价格": 60, "服务质量": 42, "转投同行": 35, "业务萎缩": 29, "搬迁停业": 6}
    for text in tasks["5.5-8"]["options"].values():
        who = before.loc[text[:5]]
        assert f"登记：{who['关闭原因']}。" in text
        if said := re.search(r"准时率 ([\d.]+)%", text):
            assert float(said[1]) == round(who["准时率"], 1)
        if said := re.search(r"未解决投诉 (\d) 起", text):
            assert int(said[1]) == who["未解决投诉"]
        if said := re.search(r"比同行(?:只)?高 ([\d.]+)%|只比同行高 ([\d.]+)%", text):
            assert float(said[1] or said[2]) == who["报价差"]
    assert before.loc["C0776", "报价差"] == -1.0 and round(before.loc["C0087", "件量变化"], 1) == 24.7


def test_lamps(before, rule):
    share = before["流失"].groupby(lamps(before)).mean()
    assert [f"{100 * share[n]:.1f}%" for n in (0, 3)] == ["3.4%", "33.6%"]
    told = judge(rule, least=2)
    assert (told["caught"], told["wrong"], round(told["money"])) == (105, 374, 371_868)
    start = {sign["id"]: sign["start"] for sign in SIGNS}
    better = judge(rule, start | {"准时率": 80}, least=2)
    assert (better["caught"], better["wrong"], round(better["money"])) == (93, 282, 406_516)


def test_the_leak(before):
    found = methods.leakage_check(before, "流失", [*COLUMNS, "关闭原因"])
    found = found[["单独AUC", "填没填AUC"]].max(axis=1)
    assert found["关闭原因"] == 1 and found.drop("关闭原因").max() < .7
    assert only("关闭原因").iloc[:, 1].tolist() == [172, 0]
    assert only("件量变化").iloc[0].tolist() == [1240, 250, 54]
    with pytest.raises(CourseError, match="没有“客户名称”这一列"):
        only("客户名称")


# ---- 去谁那里 ----

def test_calibration(before, tasks):
    learn, exam = before.iloc[::2], before.iloc[1::2]
    model = methods.logit(learn, "流失", COLUMNS)
    groups = methods.calibration(exam["流失"], model.predict(exam), groups=5).groups
    last = groups.loc[5]
    assert (last["人数"], f"{last['预测']:.1%}", f"{last['实际']:.1%}") == (124, "30.0%", "41.1%")
    assert (groups["预测"] - groups["实际"]).abs()[:4].max() < .03  # 前四组说得准
    key = tasks["5.5-13"]["key"]
    assert [key["said"], key["real"]] == [round(124 * last["预测"]), round(124 * last["实际"])]


def test_four_customers(calls, tasks):
    rows = {row["id"].lower(): row for row in calls["rows"]}
    for name, value in tasks["5.5-14"]["key"].items():
        chance, margin = round(rows[name]["chance"], 2), rows[name]["margin"]
        assert value == pytest.approx(chance * .3 * margin - 500, abs=.01)
        printed(f"| {name.upper()} | {100 * chance:.0f}% | {str(margin).replace('-', '−')} 元 |", where=TASKS)


def test_three_orders(calls):
    lists = {order: call_list.called(calls, order, 20_000) for order in calls["orders"]}
    sums = {order: round(sum(call_list.gain(calls, row) for row in rows)) for order, rows in lists.items()}
    assert len(calls["rows"]) == 1068 and len(lists["worth"]) == 40
    assert sums == {"worth": 187_258, "chance": 51_589, "margin": 123_066}
    loss = {order: sum(call_list.gain(calls, row) < 0 for row in rows) for order, rows in lists.items()}
    assert loss == {"worth": 0, "chance": 15, "margin": 3}
    gains = [call_list.gain(calls, row) for row in calls["rows"]]
    assert sum(gain > 0 for gain in gains) == 215 and 215 * 500 == 107_500
    assert round(sum(gain for gain in gains if gain > 0)) == 288_805 and round(sum(gains)) == -50_394
    consent = load("customers").set_index("客户编号").loc[[row["id"] for row in lists["worth"]], "营销同意"]
    assert (consent == "否").sum() == 11
    profit = methods.profit_curve([row["chance"] for row in calls["rows"]],
                                  [row["margin"] for row in calls["rows"]], contact_cost=500, save_rate=.3)
    assert (profit.contacted, round(profit.profit)) == (215, 288_805)  # 同一个算法，课上的方法也这么说


def test_the_end_of_march(calls):
    assert len(calls["left"]) == 40
    gone = [int(row["id"] in calls["left"]) for row in calls["rows"]]
    fifths = methods.lift_table(gone, [row["chance"] for row in calls["rows"]], groups=5)["响应数"]
    assert (fifths[1], fifths[5]) == (18, 1)


def test_the_list_of_the_memo(calls):
    best = [row["id"] for row in call_list.called(calls, "worth", 1_000)]
    assert best == ["C1454", "C0621"]
    now = signs("2025-12-31").loc[[*best, "C0062"]]
    assert now["未解决投诉"].iloc[0] == 2 and now["报价差"].iloc[0] == 16
    assert round(now["准时率"].iloc[1]) == 74 and round(now["年毛利"].iloc[2], -3) == -12_000


# ---- 作业 ----

def test_the_list_within_budget():
    """Each row of the vary: the key is the best three, the mistakes are the best by chance and by margin."""
    for n in range(3):
        unit = units.load(FOLDER, lambda t, n=n: n % len(t["vary"]))
        task = next(t for t in unit.tasks if t["id"] == "5.5-g7")
        shops = {name: tuple(map(int, re.findall(r"(-?\d+)[%\s]", text)))
                 for name, text in task["options"].items()}
        gain = {name: chance / 100 * .4 * margin - 200 for name, (chance, margin) in shops.items()}

        def first(by):
            return set(sorted(by, key=by.get)[-3:])

        assert set(task["key"]) == first(gain)
        by_chance, by_margin, too_many = (set(m["when"]) for m in task["mistakes"])
        assert by_chance == first({k: v[0] for k, v in shops.items()})
        assert by_margin == first({k: v[1] for k, v in shops.items()})
        assert too_many == {k for k, v in gain.items() if v > 0}


def test_numbers_of_the_first_class(tasks):
    """The answers in the teacher pack are those of the first row of each vary."""
    from crmlib.tasks import KINDS

    said = {"5.5-g2": "15.0%、12.0%、30.6%", "5.5-g3": "90.0%、78.0%、60.0%；23.1%",
            "5.5-g6": "724、808、−32"}
    for name, text in said.items():
        values = KINDS["number"].key_answer(tasks[name]).values()
        numbers = [float(x.replace("−", "-")) for x in re.findall(r"−?[\d.]+", text)]
        assert [float(v) for v in values] == pytest.approx(numbers, abs=.06)
        printed(text, where=TEACH)


# ---- 板子 ----

def test_boards_in_words(rule, senders, calls):
    assert "亮 2 盏以上就报警：抓到 105，误判 374，漏判 67，放对 694" in churn_rule.text(rule)
    assert "净赚 371,868 元" in churn_rule.text(rule)
    assert "90 天没下单就算走了：抓到 880，误判 129" in churn_rule.text(senders)
    assert "按预期净值：预期净值合计 187,258 元" in call_list.text(calls)


@pytest.mark.parametrize(("call", "says"), [
    (lambda: churn_rule.read("老客户"), "流失规则板没有“老客户”"),
    (lambda: signs("2025-09-15"), "截止日是 2025-09-15"),
    (lambda: signs("昨天"), "截止日是 昨天"),
    (lambda: call_list.read(budget=100), "预算写成 500"),
])
def test_bad_options(call, says):
    with pytest.raises(CourseError, match=says):
        call()
