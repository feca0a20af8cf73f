"""Unit 2.3: the numbers printed in the lesson, the tasks and the teacher pack are those that come out."""

import re
from math import ceil
from pathlib import Path

import pytest

from autograder import units
from crmlib import data, methods
from crmlib.boards import questionnaire, sample
from crmlib.cli import CourseError
from crmlib.tasks.core import KINDS
from crmlib.tasks.lint import lint_question, lint_questionnaire

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "units" / "2.3-survey-and-report"
TEACH = (FOLDER / "teach.md").read_text("utf-8")
LESSON = (FOLDER / "lesson.md").read_text("utf-8")


@pytest.fixture(scope="module")
def tasks():
    return {t["id"]: t for t in units.load(FOLDER).tasks}


@pytest.fixture(scope="module")
def sheets():
    return data.load("survey_satisfaction")


@pytest.fixture(scope="module")
def market():
    table = data.load("survey_market")
    food = table["行业"].isin(["食品农产", "医药健康"])
    return table.assign(行业组=food.map({True: "食品、医药", False: "其他行业"}),
                        想换=table["换一家意愿"] >= 4)


def said(*texts):
    for text in texts:
        assert text in LESSON + TEACH, text


def test_desk(tasks):
    facts = data.load("pest_facts").set_index("编号")["数值"]
    volume = facts["f25"] * facts["f29"] / 100
    price = facts["f26"] * facts["f32"] / 100 / volume
    assert tasks["2.3-3"]["key"] == {"volume": round(volume, 2), "price": round(price, 2)}
    assert round(facts["f26"] / facts["f25"], 2) == 7.31 and round(0.3 / price, 2) == 0.06


def test_planted_faults_and_the_model_questionnaires(tasks):
    """The lint names the planted faults it can see, and has nothing to say on good questions."""
    key, cards = tasks["2.3-5"]["key"], tasks["2.3-5"]["cards"]
    named = {"q1": "一题两问", "q2": "诱导", "q3": "带感情", "q4": "双重否定",
             "q5": "术语或缩写", "q6": "时间含糊", "q8": "问隐私"}
    for card, name in named.items():
        text = cards[card] if isinstance(cards[card], str) else cards[card]["text"]
        assert [a.name for a in lint_question(text)] == [name]
    assert "区间重叠" in [a.name for a in lint_question(cards["q7"]["text"], "1—10 件；10—50 件；50 件以上")]
    assert sum(bin != "ok" for bin in key.values()) == 8
    for task in ("2.3-6", "2.3-g4"):
        rows = [(row["ask"], row.get("pick")) for row in tasks[task]["key"].values()]
        assert lint_questionnaire(rows) == []


def test_sample_sizes(tasks):
    key = tasks["2.3-9"]["key"]
    assert (key["ten"], key["five"]) == (methods.sample_size(.1).n, methods.sample_size(.05).n)
    assert key["send"] == ceil(385 / .43)
    for points, n in ((4, 601), (6, 267), (8, 151)):
        assert methods.sample_size(points / 100).n == n


def test_dirty_sheets(tasks, sheets):
    items = sheets.loc[:, "期望01":"感受22"]
    assert set(data.validate(sheets, "survey_satisfaction")["例子"]) == {"-99"}
    score = sheets["感受05"]
    assert (round(score.mean(), 2), round(score[score != -99].mean(), 2)) == (3.29, 4.98)
    clean = items.replace(-99, float("nan"))
    found = methods.careless_answers(clean, seconds=sheets["填答秒数"], low=1, high=7)
    assert found["可疑"].sum() == 19 and len(sheets) == 432
    by = sheets.assign(可疑=found["可疑"], 空=(items == -99).sum(axis=1), 种=items.nunique(axis=1))
    by = by.set_index("问卷编号")
    for card, text in tasks["2.3-10"]["cards"].items():
        sheet = by.loc[text.split("：")[0]]
        bin = tasks["2.3-10"]["key"][card]
        assert f"{sheet['填答秒数']} 秒" in text
        assert bin == ("drop" if sheet["可疑"] else "cell" if sheet["空"] else "keep"), card
        if bin == "keep":
            assert f"{sheet['总体满意']} 分" in text
        elif bin == "drop":
            assert f"全打 {sheet['期望01']} 分" in text and sheet["种"] == 1
    assert by.loc["WJ006", "感受10"] == by.loc["WJ011", "感受17"] == -99
    five = clean.loc[:, "感受05":"感受09"]
    turned = methods.reverse_items(five, "感受07", low=1, high=7)
    assert [round(methods.cronbach_alpha(t).value, 2) for t in (five, turned)] == [0.48, 0.87]
    said("0.48，翻过来 0.87", "3.29，去掉以后 4.98")


def test_the_silent_are_dissatisfied(tasks, sheets):
    happy = sheets["总体满意"] >= 8
    share = methods.wilson_interval(happy.sum(), len(sheets))
    assert (int(happy.sum()), round(share.estimate, 3)) == (335, .775)
    assert (round(share.low, 3), round(share.high, 3)) == (.734, .812)
    late = data.load("complaints").query("处理结果 == '未解决' and '2025-01-01' <= 受理时间 < '2025-11-01'")
    sent = data.load("survey_sent").merge(sheets[["客户编号", "总体满意"]], how="left")
    assert len(sent) == 1000 and (sent["总体满意"].notna() == (sent["已答复"] == "是")).all()
    who = sent.groupby(sent["客户编号"].isin(late["客户编号"]))["总体满意"].agg(
        sent="size", back="count", happy=lambda s: int((s >= 8).sum()))
    assert who.to_numpy().tolist() == [[822, 391, 318], [178, 41, 17]]
    rates = (who["back"] / who["sent"] * 100).round(1).tolist()
    whole = (who["sent"] * who["happy"] / who["back"]).sum() / 10
    key = tasks["2.3-12"]["key"]
    assert rates == [key["clean"], key["open"]] and round(whole, 1) == key["all"]
    assert round((335 + 568) / 10, 1) == 90.3 and 432 + 568 == 1000
    wide = methods.wilson_interval(17, 41)
    said(f"{wide.low:.1%} 到 {wide.high:.1%}", "33.5%", "90.3%", "43.2%")


def test_remarks(tasks, sheets):
    said_so = sheets["意见"].dropna()
    assert len(said_so) == 245 and set(tasks["2.3-14"]["cards"].values()) <= set(said_so)
    book = {"下单": ["客服", "下单"], "取送": ["取件", "送货", "派送"], "通知": ["轨迹", "通知"],
            "赔付": ["理赔", "赔付", "出了问题"], "价格": ["贵", "价格"]}
    coded = methods.code_answers(said_so, book)
    assert coded["未编码"].sum() == 0 and (coded.drop(columns="未编码").sum(axis=1) == 1).all()
    counts = methods.code_frequencies(coded.drop(columns="未编码"))["回答数"].to_dict()
    assert counts == {"取送": 72, "通知": 58, "价格": 46, "赔付": 37, "下单": 32}
    key = {card: bin if isinstance(bin, str) else bin[0] for card, bin in tasks["2.3-14"]["key"].items()}
    lu = re.search(r'"([a-z ]+)"\.split\(\)', LESSON)[1].split()
    kappas = [methods.cohen_kappa(list((key | {"v5": v5}).values()), lu) for v5 in ("door", "info")]
    assert [round(k.value, 2) for k in kappas] == [0.79, 0.89]


def test_market(tasks, market):
    services = ["需要冷链", "需要代管库存", "需要快递柜", "需要全程可视"]
    assert list(data.load("survey_market").columns[-4:]) == services
    needs = {name: methods.wilson_interval((market[name] == "是").sum(), 400) for name in services}
    assert [round(100 * n.estimate, 1) for n in needs.values()] == [16.8, 29.5, 16.2, 48.8]
    visible = needs["需要全程可视"]
    assert (round(visible.low, 3), round(visible.high, 3)) == (.439, .536)
    table = methods.cross_table(market, "行业组", "需要冷链")
    assert table.loc["食品、医药"].tolist() == [36, 47] and table.loc["其他行业"].tolist() == [297, 20]
    key = tasks["2.3-15"]["key"]
    assert key["food"] == round(4700 / 83, 1) and key["other"] == round(2000 / 317, 1)
    assert key["gap"] == round(4700 / 83 - 2000 / 317, 1)
    market = market.assign(满意=market["对现状满意"] >= 4)

    def v(a, b):
        return round(methods.chi_square(methods.cross_table(market, a, b)).cramers_v, 2)

    pairs = [("行业组", "需要冷链"), ("区域", "需要全程可视"), ("区域", "想换"), ("满意", "想换")]
    assert [v(*pair) for pair in pairs] == [.55, .04, .07, .36]
    move = market.groupby("区域")["想换"].mean().round(3)
    assert (move["苏北"], move["苏南"]) == (.342, .291)
    assert market.groupby("满意")["想换"].mean().round(3).tolist() == [.486, .146]
    for name, low, high, share in (("时效", .257, .347, .3), ("价格", .234, .321, .275)):
        r = methods.wilson_interval((market["最看重"] == name).sum(), 400)
        assert (r.low, r.high, r.estimate) == pytest.approx((low, high, share), abs=.0006)
    food = market[market["行业"] == "食品农产"]
    assert len(food) == 48 and round((food["需要冷链"] == "是").mean(), 3) == .667


def test_graded_answers_in_the_teacher_pack():
    for place in range(3):
        unit = units.load(FOLDER, lambda task, place=place: place)
        given = {t["id"]: t for t in unit.tasks}
        for name in ("2.3-g3", "2.3-g5", "2.3-g6"):
            key = KINDS["number"].key_answer(given[name])
            for value in key.values():
                shown = f"{float(value):.1f}".removesuffix(".0")
                row = next(line for line in TEACH.splitlines() if line.startswith(f"| {name} |"))
                assert shown in row, (name, place, value)


def test_code_task(tasks):
    task = tasks["2.3-g8"]
    space = {}
    exec(task["starter"].split("# α =")[0], space)
    sheets, counts = space["sheets"], space["counts"]
    p = 48 / 120
    half = 1.96 * (p * (1 - p) / 120) ** .5
    by_hand = {"alpha": 1.5 * (1 - sheets.var().sum() / sheets.sum(axis=1).var()),
               "v": abs(48 * 105 - 72 * 15) / (120 * 120 * 63 * 177) ** .5, "low": p - half, "high": p + half}
    tools = {"alpha": methods.cronbach_alpha(sheets).value, "v": methods.chi_square(counts).cramers_v,
             "low": methods.wilson_interval(48, 120).low, "high": methods.wilson_interval(48, 120).high}
    for name in by_hand:
        assert abs(by_hand[name] - tools[name]) < .01
    said("α 0.944；V 0.313", "公式 0.312、0.488，工具箱 0.317、0.489")


# ---- 面板 ----

def test_sample_board():
    board = sample.read()
    assert board["share"] == .48 and sample.answered(.48, *board["reply"]) == pytest.approx(.658, abs=.001)
    margins = [f"±{100 * sample.margin(.48, n, board['z']):.1f}" for n in board["sizes"]]
    said("、".join(margins))
    assert "66%" in sample.text(board) and "385" in sample.text(board)
    for column, fault in (("没有", "没有“没有”这一列"), ("区域", "不是数"), ("月物流费", "换一个界线")):
        with pytest.raises(CourseError, match=fault):
            sample.read(column=column, least=10**6 if column == "月物流费" else 4)


def test_questionnaire_board(tmp_path, monkeypatch, tasks):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(questionnaire, "find_task", lambda task: tasks[task])
    board = questionnaire.read("2.3-6")
    assert len(board["questions"]) == 6 and board["notices"]
    assert not any(q["advice"] for q in board["questions"])
    assert board["questions"][0]["options"] == ["没有寄过", "1—9 次", "10—49 次", "50 次及以上"]
    assert board["questions"][-1]["options"] == []
    assert "□ 没有寄过" in questionnaire.text(board)
    paper = questionnaire.printed("2.3-6")
    assert paper.iloc[0].tolist() == ["1", "过去 3 个月，你的企业平均每月寄几次货？",
                                      "□ 没有寄过　□ 1—9 次　□ 10—49 次　□ 50 次及以上"]
    assert set(paper.iloc[-1, 2]) == {"＿"}
    with pytest.raises(CourseError, match="不是问卷"):
        questionnaire.read("2.3-7")
