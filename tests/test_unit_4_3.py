"""Unit 4.3: the numbers that lesson, tasks and teacher pack print are the numbers that come out."""

from pathlib import Path

import pytest

from autograder import units
from crmlib import load, methods
from crmlib.boards.negotiation import better, points, read, sheets
from crmlib.data import validate
from crmlib.tasks import score_task, simulate

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "units" / "4.3-negotiation-techniques"
LESSON = (FOLDER / "lesson.md").read_text("utf-8")
TEACH = (FOLDER / "teach.md").read_text("utf-8")
CASE = "玉峰汽配续约"
ISSUES = ["单价（元/件）", "保底件量（千件/月）", "账期（天）", "货损怎么赔"]
OLD, HALF = ["8.2", "10", "45", "赔运费的 3 倍"], ["7.8", "10", "45", "赔运费的 3 倍"]
SIGNED = ["8.1", "25", "90", "按货值赔"]


@pytest.fixture(scope="module")
def tasks():
    return {t["id"]: t for t in units.load(FOLDER).tasks}


@pytest.fixture(scope="module")
def every():
    ours, theirs, limits = sheets(CASE)
    return methods.packages(ours, theirs, *limits)


def worth(every, package):
    """Both sides' points of a package."""
    row = every[(every[ISSUES] == package).all(axis=1)]
    assert len(row) == 1
    return tuple(row.iloc[0][["我方", "对方"]].round(2))


# ---- 得分表 ----

@pytest.mark.parametrize("case", [CASE, "螃蟹季"])
def test_score_sheets_are_whole(case):
    ours, theirs, limits = sheets(case)
    for side in (ours, theirs):
        assert sum(weight for weight, _ in side.values()) == pytest.approx(1)
        assert {min(v.values()) for _, v in side.values()} == {0}
    assert limits == (45, 45) and methods.packages(ours, theirs, *limits)["可接受"].any()
    assert not len(validate(load("deal_sheets"), "deal_sheets"))


def test_half_way_is_below_our_limit(tasks, every):
    key = tasks["4.3-1"]["key"]
    assert worth(every, OLD) == (key["old"], 31.75) and worth(every, HALF) == (key["half"], 46.75)
    only = {p: worth(every, [p, *OLD[1:]]) for p in every[ISSUES[0]].unique()}
    assert min(float(p) for p, (mine, _) in only.items() if mine >= 45) == key["low"]
    assert max(float(p) for p, (_, yours) in only.items() if yours >= 45) == 7.8
    assert not any(mine >= 45 and yours >= 45 for mine, yours in only.values())  # 只谈单价，没有区间
    assert "39.5 分" in LESSON and "31.75 分" in LESSON


def test_together_there_is_a_zone(every):
    assert len(every) == 540 and every["可接受"].sum() == 129
    best = methods.best_package(every)
    assert best[ISSUES].tolist() == SIGNED and worth(every, SIGNED) == (65, 58.75)
    for number in ("540 套", "129 套", "苏畅 65 分，玉峰 58.75 分"):
        assert number in LESSON
    trades = methods.trade_offs(*sheets(CASE)[:2])
    assert trades.loc[ISSUES[2], ["我方看重", "对方看重", "建议"]].tolist() == [10, 35, "我方让"]
    assert trades.loc[ISSUES[1], "建议"] == "我方要"


def test_numbers_on_the_board(every):
    board = read(CASE)
    assert [better(board, pick) for pick in ([4, 0, 1, 1], [4, 3, 4, 1])] == [157, 1]
    assert "两边都更好的还有 157 套" in TEACH and "两边都更好的还有 1 套" in TEACH
    assert points(board, [4, 2, 2, 1]) == (57, 45.5) and better(board, [4, 2, 2, 1])  # 4.3-15
    mine, yours = worth(every, HALF)
    assert ((every["我方"] >= mine + 10) & (every["对方"] >= yours + 10)).any()  # “两边都多 10 分”


def test_the_model_advice(tasks, every):
    assert worth(every, ["8.2", "20", "90", "按货值赔"]) == (60, 60)
    assert "也有 60 分" in tasks["4.3-17"]["key"]
    sheet = tasks["4.3-13"]["key"].values()
    assert (sum(r["open"] for r in sheet), sum(r["least"] for r in sheet)) == (97.5, 50)


# ---- 2025 年的续约 ----

def test_sixty_renewals(tasks):
    deals = load("deals")
    ends = methods.zopa_table(deals)
    assert len(deals) == 60 and len(load("deal_rounds")) == 359
    assert ends["结果"].value_counts().to_dict() == {"谈成": 43, "谈不拢": 15, "错过": 2}
    assert (ends["卖方分到"] == 0).sum() == 14 and round(100 * 43 / 60) == 72
    by = deals.join(ends).groupby("负责人")
    assert (by["卖方分到"].mean()[["E014", "E018"]] * 100).round().tolist() == [13, 74]
    assert by.size()[["E014", "E018"]].tolist() == [5, 7]
    assert by["卖方分到"].count()[["E014", "E018"]].tolist() == [5, 5]
    theirs = deals.join(ends).query("负责人 == 'E018' and 结果 != '谈成'")
    assert theirs["洽谈编号"].tolist() == ["D09", "D60"] and not theirs["有区间"].any()
    assert (deals.join(ends).query("负责人 == 'E014'")["卖方分到"] == 0).sum() == 4


def test_eight_renewals_are_those_of_the_table(tasks):
    deals = load("deals").set_index("洽谈编号")
    ends = methods.zopa_table(deals)
    task = tasks["4.3-2"]
    for card, place in task["key"].items():
        deal, end = deals.loc[card.upper()], ends.loc[card.upper()]
        text = task["cards"][card]["text"]
        assert text.startswith(f"底价 {deal['我方底价']:.2f}，最高价 {deal['对方最高价']:.2f}，")
        assert "没有成交" in text or text.endswith(f"成交 {deal['成交单价']:.2f}")
        made = "floor" if end["卖方分到"] == 0 else "deal"
        assert place == {"谈不拢": "none", "错过": "miss"}.get(end["结果"], made)


def test_the_drawn_talks(tasks):
    rounds = load("deal_rounds")

    def offers(deal, side="我方"):
        return rounds.query("洽谈编号 == @deal and 报价方 == @side")["单价"].tolist()

    assert offers("D06") == [7.08, 6.77, 6.58, 6.47]
    found, zone = methods.concession_pattern(offers("D06")), methods.zopa(6.29, 6.50, price=6.47)
    assert [round(s, 2) for s in found.steps] == [0.31, 0.19, 0.11] and found.pattern == "先大后小"
    key = tasks["4.3-12"]["key"]
    assert (key["first"], key["last"]) == (0.31, 0.11) and key["share"] == round(100 * zone.seller_share, 1)
    assert (offers("D25")[-1], offers("D25", "对方")[-1]) == (7.92, 7.60)
    assert methods.zopa(7.75, 7.79).width == pytest.approx(0.04)


def test_concession_curves(tasks):
    names = {"先大后小": "shrink", "一次让完": "once", "先小后大": "grow", "匀速": "even", "出尔反尔": "back"}
    for card, place in tasks["4.3-11"]["key"].items():
        offers = [float(x) for x in tasks["4.3-11"]["cards"][card].split(" → ")]
        assert names[methods.concession_pattern(offers).pattern] == place


# ---- 模拟 ----

def play(task, policy, seed):
    game = simulate.play(task, policy, seed)
    states, known, _ = simulate.replay(task, game)
    return known[-1]["style"], len(game["log"]), states[-1], known[-1]


def test_the_game_counts_points_as_the_sheets_do(tasks, every):
    task = tasks["4.3-14"]
    claims = task["actions"]["claim"]["options"]
    start = simulate.begin(task)
    for price in (7.4, 7.7, 8.2):
        for volume, days, claim in ((10, 30, "a"), (20, 75, "b"), (25, 90, "c")):
            action = {"price": price, "volume": volume, "days": days, "claim": claim}
            end = simulate.step(task, start, action, seed=1, turn=1)[0]
            mine, yours = worth(every, [f"{price:g}", str(volume), str(days), claims[claim]])
            assert end["own"] == pytest.approx(mine, abs=0.051)
            assert end["theirs"] == pytest.approx(yours, abs=0.011)


def test_three_opponents_as_the_teacher_pack_says(tasks):
    task = tasks["4.3-14"]
    ends = {style: (turns, known["price"], state["own"])
            for style, turns, state, known in (play(task, task["key"], seed) for seed in task["seeds"])}
    assert ends == {"强硬": (8, 7.8, 62), "合作": (6, 8, 72), "得寸进尺": (7, 7.9, 67)}
    lazy = {style: (state["deal"], known["price"], state["own"]) for style, _, state, known in (
        play(task, task["mistakes"][0]["example"], seed) for seed in task["seeds"])}
    assert lazy["合作"] == (1, 7.6, 29.5) and lazy["得寸进尺"] == (1, 7.7, 34.5) and lazy["强硬"][0] == 0
    for said in ("8 轮，7.8 元，62 分", "6 轮，8 元，72 分", "7 轮，7.9 元，67 分", "7.6 元成交，29.5 分",
                 "7.7 元，34.5 分"):
        assert said in TEACH


def test_the_buyer_may_win_against_all_three(tasks):
    task = tasks["4.3-g5"]
    ends = [play(task, task["key"], seed) for seed in task["seeds"]]
    assert [state["own"] for _, _, state, _ in ends] == [62, 67, 62]
    assert {style for style, *_ in ends} == {"强硬", "合作", "得寸进尺"}
    # 课上那一路搬过来（高价、长账期）：签不成，或者签了也过不了 60 分
    lesson = [{"price": 60, "volume": v, "days": d, "claim": c} for v, d, c in
              ((8, 45, "a"), (10, 60, "a"), (10, 60, "b"), (12, 60, "b"))]
    assert all(score_task(task, simulate.play(task, lesson, seed), final=True).points < 15
               for seed in task["seeds"])


def test_graded_numbers(tasks):
    zone = methods.zopa(54, 58, price=55)
    steps = methods.concession_pattern([51, 53, 54.2, 55], seller=False).steps
    assert (zone.width, 1 - zone.seller_share, steps[-1] / steps[0]) == (4, 0.75, pytest.approx(0.4))
    assert "4 元；75%；40%" in TEACH


def test_somebody_speaks_every_turn_and_the_name_fits_the_style(tasks):
    names = {"强硬": "谭经理", "合作": "孟主管", "得寸进尺": "贺副总"}
    for task in (tasks["4.3-14"], tasks["4.3-g5"]):
        for seed in task["seeds"]:
            game = simulate.play(task, task["key"], seed)
            style, lines = simulate.replay(task, game)[1][-1]["style"], simulate.view(task, game)["lines"]
            assert all(lines)
            if task["id"] == "4.3-14":
                assert lines[1][0].startswith(names[style])
