"""模拟题：同一份记录，走到哪台电脑、哪版 Python 都是同一个结局；不公平、算不出来的题，一张也出不了门。"""

import copy
import doctest
import json
import random
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import crmlib as crm
from autograder import check, units
from crmlib import tasks
from crmlib.tasks import answers, session, simulate, wording

ROOT = Path(__file__).parents[1]
DEAL, DEBTS, STAFF = GAMES = units.yaml.load(
    (ROOT / "tests" / "fixtures" / "simulate.yaml").read_text("utf-8"), units._Loader)
every = pytest.mark.parametrize("task", GAMES, ids=[t["id"] for t in GAMES])


@pytest.fixture
def deal():
    """The example, free to spoil."""
    return copy.deepcopy(DEAL)


@pytest.fixture
def small():
    """Two days, a price, a hidden demand: the smallest sound game."""
    return {
        "id": "1.1-9", "kind": "simulate", "use": "practice", "title": "小", "prompt": "卖", "points": 2,
        "turns": 2, "state": {"cash": {"title": "现金", "unit": "元", "start": 0, "decimals": 1},
                              "mood": {"title": "心情", "start": 3, "hidden": True}},
        "actions": {"price": {"title": "价格", "unit": "元", "min": 1, "max": 5, "step": 0.5, "start": 1},
                    "how": {"title": "怎么说", "options": {"soft": "和气", "hard": "生硬"}}},
        "updates": [{"set": "sold", "title": "卖出", "to": "max(0, 10 - 2 * price)"},
                    {"set": "cash", "to": "cash + price * sold"},
                    {"set": "mood", "to": "mood - (how == 'hard')"}],
        "goals": [{"name": "现金 25 元", "formula": "min(1, cash / 25)", "share": 0.75, "hint": "价格再试试"},
                  {"name": "心情不变", "formula": "mood == 3", "hint": "和气一点"}],
        "key": [{"price": 2.5, "how": "soft"}],
    }


def finished(task, seed=None, policy=None):
    return simulate.play(task, policy or task["key"], seed or simulate.seeds(task)[0])


def test_examples_in_docstrings():
    assert doctest.testmod(simulate).failed == doctest.testmod(wording).failed == 0


@every
def test_examples_are_sound(task):
    assert list(Draft202012Validator(units.schema()).iter_errors([task])) == []
    assert tasks.faults(task) == [] and check.proofs(task) == []


def test_the_example_in_the_manual_is_sound():
    manual = (ROOT / "docs" / "authoring.md").read_text("utf-8")
    section = manual.partition("## simulate")[2].partition("\n## ")[0]
    example = units.yaml.load(section.partition("```yaml\n")[2].partition("```")[0], units._Loader)
    assert list(Draft202012Validator(units.schema()).iter_errors(example)) == []
    assert tasks.faults(example[0]) == [] and check.proofs(example[0]) == []


# ---- 走一遍：哪里都一样 ----

def test_chance_is_the_same_on_every_python():
    # 这些数是定下来的：变了，学生以前的记录就走不到原来的结局
    assert simulate.draws(DEAL, 1, 1) == {"top": 4.4, "need": 9, "style": "爽快"}
    assert simulate.draws(DEAL, 12, 5) == {"top": 4.5, "need": 10, "style": "强硬"}
    assert [simulate.draws(DEBTS, 1, turn)["flow"] for turn in (1, 2)] == [1.08, 1.1]
    assert [simulate.draws(STAFF, seed, 1)["wave"] for seed in (1, 3)] == [0.94, 1.02]


def test_end_states_are_the_same_on_every_python():
    def end(task):
        return simulate.view(task, finished(task))["states"][-1]

    assert end(DEAL) == {"bid": 4.18, "patience": 38, "last": 4.1, "profit": 6}
    assert end(DEBTS) == {"got": 95.9, "owe_a": 1.2, "owe_b": 1, "owe_c": 1.9,
                          "tie_a": 80, "tie_b": 78, "tie_c": 64}
    assert end(STAFF) == {"level": 100, "cost": 3610, "tired": 0, "waiting": 0, "calls": 40, "answered": 40,
                          "served": 803, "lost": 0}


def anything(task, luck):
    seed, state, log = luck.choice(simulate.seeds(task)), simulate.begin(task), []
    while not simulate.over(task, state, len(log)):
        log.append({name: simulate._anything(spec, luck) for name, spec in task["actions"].items()})
        state, _ = simulate.step(task, state, log[-1], seed, len(log))
    return {"seed": seed, "log": log}, state


@every
def test_a_log_leads_to_exactly_the_same_end_again(task):
    luck = random.Random(1)
    for _ in range(40):
        game, end = anything(task, luck)
        stored = json.loads(json.dumps(game))
        states, _, whole = simulate.replay(json.loads(json.dumps(task)), stored)
        assert whole and states[-1] == end
        assert tasks.score_task(task, stored).state in ("right", "partial", "wrong")


def test_chances_do_not_depend_on_each_other_or_on_what_is_done(deal):
    del deal["chance"]["top"]
    assert simulate.draws(deal, 1, 3) == {"need": 9, "style": "爽快"}


def test_a_sum_is_rounded_as_shown_and_goes_on_from_there(small):
    small["updates"][1]["to"] = "cash + price * sold / 3"
    states = simulate.replay(small, finished(small))[0]
    assert [s["cash"] for s in states] == [0, 4.2, 8.4]


def test_truth_is_a_number_and_what_cannot_be_worked_out_stays(small):
    small["updates"][2]["to"] = "price > 1"
    small["updates"][1]["to"] = "cash / 0"
    assert simulate.replay(small, finished(small))[0][-1] == {"cash": 0, "mood": 1}


@pytest.mark.parametrize(("price", "read"), [
    (2, 2), (2.5, 2.5), ("2.5 元", 2.5), ("２", 2), (2.25, None), (0.5, None), (9, None), ("x", None),
    (None, None), (True, None), ([2], None), (float("nan"), None)])
def test_decisions_outside_of_what_may_be_chosen_are_refused(small, price, read):
    action = simulate.read_action(small, {"price": price, "how": "soft"})
    assert action == (None if read is None else {"price": read, "how": "soft"})


# ---- 评分 ----

def test_points_are_shares_of_goals_and_goals_may_be_reached_in_part(small):
    assert tasks.score_task(small, finished(small)).points == 2
    result = tasks.score_task(small, finished(small, policy=[{"price": 1, "how": "soft"}]))
    assert result.points == 2 * (0.75 * 16 / 25 + 0.25)
    assert (result.messages, result.where) == (["价格再试试"], {"现金 25 元": False, "心情不变": True})


@every
@pytest.mark.parametrize("final", [False, True])
def test_a_game_that_is_not_finished_gives_nothing(task, final):
    game = finished(task)
    for turns in range(len(game["log"])):
        result = tasks.score_task(task, {**game, "log": game["log"][:turns]}, final=final)
        assert result.points == 0
        assert result.messages == ["还没有开始。" if not turns else
                                   f"才走到第 {turns} {task['turn_name']}，还没有走完。"]


def test_the_last_finished_game_counts_when_the_present_one_is_not(small):
    good, bad = finished(small), finished(small, policy=[{"price": 1, "how": "hard"}])
    assert tasks.score_task(small, {**bad, "log": bad["log"][:1], "last": good}).points == 2
    assert tasks.score_task(small, {"seed": 1, "log": [], "last": good}).points == 2
    assert tasks.score_task(small, {**bad, "last": good}).points < 1
    half = {**good, "log": good["log"][:1]}
    assert tasks.score_task(small, {**half, "last": half}).state == "malformed"


@every
def test_goals_and_mistakes_hold_for_every_seed(task):
    for seed in simulate.seeds(task):
        assert tasks.score_task(task, finished(task, seed)).state == "right"
        for mistake in task["mistakes"]:
            result = tasks.score_task(task, finished(task, seed, mistake["example"]))
            assert (result.messages, result.mistakes) == ([mistake["hint"]], [mistake["name"]])
            assert result.points < result.of


def test_what_goals_may_ask(small):
    game = {"seed": 1, "log": [{"price": 1, "how": "hard"}, {"price": 4, "how": "soft"}]}
    assert simulate.summary(small, game) == {
        "cash": 16, "mood": 2, "turn": 2, "cash_min": 8, "cash_max": 16, "cash_mean": 12, "mood_min": 2,
        "mood_max": 2, "mood_mean": 2, "price_min": 1, "price_max": 4, "price_mean": 2.5, "price_first": 1,
        "price_last": 4, "how_soft": 0.5, "how_hard": 0.5}


def test_the_solution_is_played_in_the_students_own_situation():
    game = finished(DEAL, 9, DEAL["mistakes"][0]["example"])
    shown = session.feedback(DEAL, game, tasks.score_task(DEAL, game), 3)["solution"]
    assert shown["answer"] == finished(DEAL, 9)
    assert shown["text"] == tasks.text(DEAL, finished(DEAL, 9))


GAME = finished(STAFF)


@every
@pytest.mark.parametrize("final", [False, True])
@pytest.mark.parametrize("hostile", [
    7, "x", [], [1], {"log": GAME["log"]}, {"seed": 1}, {"seed": True, "log": []}, {"seed": 1.0, "log": []},
    {"seed": 99, "log": []}, {"seed": [1], "log": []}, {"seed": 1, "log": {}}, {"seed": 1, "log": [None]},
    {"seed": 1, "log": [{"staff": "<script>"}]}, {"seed": 1, "log": [{"staff": 3, "x": 1}]},
    {"seed": 1, "log": [{"staff": 1e9}]}, {"seed": 1, "log": [*GAME["log"], GAME["log"][0]]},
    {**GAME, "last": 5}, {**GAME, "last": {}}, {**GAME, "last": {"seed": 1, "log": []}},
    {"seed": 1, "log": [{"staff": 3}] * 60_000}, {"seed": 1, "log": [{"staff": "9" * 100_000}]},
    {"__class__": 1}, {"seed": 10**400, "log": []}, "字" * 1_000_000], ids=lambda h: repr(h)[:30])
def test_hostile_answers_never_raise_and_never_score(task, hostile, final):
    result = tasks.score_task(task, hostile, final=final)
    assert result.points == 0 and result.state in ("malformed", "empty", "wrong")
    assert isinstance(tasks.text(task, hostile), str)


# ---- 学生看到的 ----

@every
def test_public_part_plays_alike_and_knows_no_goals(task):
    shown = tasks.public(task)
    assert tasks.public(shown) == shown
    assert not {"key", "mistakes", "explain", "rules"} & shown.keys()
    told = json.dumps(shown, ensure_ascii=False)
    assert not any(goal.get("hint", "?!") in told for goal in task["goals"])
    assert not any(secret in told for secret in check.secrets({**task, "use": "graded"}))
    assert all(list(goal) == ["name"] for goal in shown["goals"])
    game = finished(task)
    assert simulate.replay(shown, game) == simulate.replay(task, game)
    assert tasks.score_task(shown, game).state == "saved"
    assert simulate.view(shown, game)["goals"] == []


def test_hidden_variables_come_to_the_screen_at_the_end_only():
    game = finished(DEAL)
    on_screen = json.dumps(simulate.screen(tasks.public(DEAL)), ensure_ascii=False)
    assert "4.5" not in on_screen.replace("4.5,", "") and '"deal"' not in on_screen
    half = simulate.view(DEAL, {**game, "log": game["log"][:2]})
    assert half["secrets"] == [] and "deal" not in half["states"][-1]
    assert {"title": "A 厂采购经理的脾气", "text": "爽快"} in simulate.view(DEAL, game)["secrets"]


def test_stories_are_filled_with_numbers():
    lines = simulate.view(DEAL, finished(DEAL))["lines"]
    assert lines[1] == ["“你让一点，我也让一点：3.85 元/件。”"]
    assert "4.1 元/件，每月 8 万件/月" in lines[-1][0]


@pytest.mark.parametrize(("formula", "words"), [
    ("a - (b - 1)", "甲 −（乙 − 1）"), ("a / (b * 2)", "甲 ÷（乙 × 2）"),
    ("2 * (a + b)", "2 ×（甲 + 乙）"),
    ("a * b / 2", "甲 × 乙 ÷ 2"), ("-a", "−甲"), ("not a", "不是（甲）"), ("0 <= a < 5", "0 ≤ 甲 < 5"),
    ("a == 1 or b != 2 and a > 0", "甲 = 1，或者（乙 ≠ 2，并且甲 > 0）"), ("min(a, b)", "甲、乙里最小的"),
    ("max(0, min(100, a))", "甲，最高 100，最低 0"), ("round(a, 1)", "甲（四舍五入到 1 位小数）"),
    ("1 if how != 'hard' else 2", "办法不是“生硬”时：1；否则：2"), ("exp(a)", "e 的（甲）次方"),
    ("a + max(0, b)", "甲 +（乙，最低 0）"), ("ceil(a) // 2", "（甲（有小数就进一））整除 2")])
def test_formulas_in_words(formula, words):
    assert wording.in_words(formula, {"a": "甲", "b": "乙", "how": "办法", "hard": "生硬"}) == words


@every
def test_every_rule_can_be_read_without_a_name_of_the_program(task):
    for rule in simulate.rules(task):
        words = rule["how"].replace("A 厂", "")
        assert not any(c.isascii() and c.isalpha() for c in words), words


def test_values_for_later_cells(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tasks").mkdir()
    content = {"format": 1, "tasks": [STAFF]}
    (tmp_path / "tasks" / "13.4.json").write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    session.keep(STAFF, GAME)
    found = crm.answer("13.4-6")
    assert (found["end"]["cost"], found["turns"], found["over"]) == (3610, 10, True)
    answers.save("13.4-6", {"answer": {"seed": 1, "log": "x"}})
    assert crm.answer("13.4-6") is None


def test_score_in_a_hidden_test_cell(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    graded = {**STAFF, "id": "13.4-g1", "use": "graded"}
    blob = tasks.encode_task(graded)
    assert crm.score("13.4-g1", blob) == 0.0
    answers.save("13.4-g1", {"answer": finished(STAFF, 2, STAFF["mistakes"][0]["example"])})
    assert 0 < crm.score("13.4-g1", blob) < 6
    answers.save("13.4-g1", {"answer": finished(STAFF, 3)})
    assert crm.score("13.4-g1", blob) == 6.0
    heard = capsys.readouterr()
    assert heard.err == "" and STAFF["mistakes"][0]["hint"] in heard.out


def test_every_student_draws_a_situation_in_an_assignment(small):
    small |= {"use": "graded", "seeds": [4, 5, 6]}
    assert {simulate.view(small, None)["seed"] for _ in range(200)} == {4, 5, 6}
    assert simulate.view({**small, "use": "practice"}, None)["seed"] == 4


# ---- 题目站不站得住 ----

def spoil(task, path, value):
    *way, last = path
    for step in way:
        task = task[step]
    if value is None:
        del task[last]
    else:
        task[last] = value


def test_the_small_game_is_sound(small):
    assert tasks.faults(small) == [] and check.proofs(small) == []


@pytest.mark.parametrize(("path", "value", "said"), [
    (("updates", 1, "to"), "cash + prize", "用了没有的名字“prize”"),
    (("updates", 1, "to"), "cash +", "写得不完整"), (("updates", 1, "to"), "open('x')", "不认识的写法"),
    (("updates", 0, "title"), None, "要有 title"), (("updates", 0, "set"), "price", "不能改"),
    (("updates", 1, "to"), "cash + 10 / (price - 2)", "有时算不出来"),
    (("updates", 1, "to"), "cash + how", "有时算不出来"), (("stop",), "sold > 1", "用了没有的名字“sold”"),
    (("stop",), "cash == 0", "一回合也走不了"), (("says",), [{"if": "x", "text": "好"}], "名字“x”"),
    (("says",), [{"if": "turn == 1", "text": "{zz} 元"}], "{zz} 不存在"),
    (("goals", 0, "formula"), "sold > 1", "用了没有的名字“sold”"),
    (("goals", 0, "share"), 1, "加起来应当是 1"), (("goals", 1, "name"), "现金 25 元", "两个目标同名"),
    (("goals", 0, "formula"), "cash >= 26", "key 得不到满分"),
    (("actions", "price", "start"), 1.2, "选不出来"),
    (("actions", "price", "start"), 2.5, "一直点下去就能得满分"),
    (("chance",), {"luck": {"title": "运气", "pick": {"a": 0.5, "b": 0.4}}}, "加起来是 0.9"),
    (("chance",), {"cash": {"title": "运气", "between": [0, 1]}}, "用了两次"),
    (("by_turn",), {"plan": {"title": "计划", "values": [1]}}, "要一样多"),
    (("turn_labels",), ["早"], "要一样多"),
    (("state", "a b"), {"title": "x", "start": 1}, "要用英文字母"), (("key",), [{"price": 2.5}], "不合规则"),
    (("key",), [{"price": "mood", "how": "soft"}], "不合规则"),  # 标准走法不能看看不见的数
    (("key",), [{"price": 2.5, "how": "zz"}], "不合规则"),
    (("mistakes",), [{"name": "贵", "when": "price_min > 4", "example": [{"price": 3, "how": "soft"}],
                      "hint": "h"}], "哪个错误都不是"),
    (("mistakes",), [{"name": "准", "when": "price_min > 2", "example": [{"price": 2.5, "how": "soft"}],
                      "hint": "h"}], "没有丢分"),
    (("mistakes",), [{"name": "贵", "when": "dear", "example": [{"price": 3, "how": "soft"}],
                      "hint": "h"}], "名字“dear”"),
])
def test_faults_of_a_game_are_named(small, path, value, said):
    spoil(small, path, value)
    assert any(said in fault for fault in tasks.faults(small)), tasks.faults(small)


def test_unfair_seed_is_named(deal):
    deal["goals"][1]["formula"] = "profit >= 6"
    assert any(fault.startswith("种子 7 下，key 得不到满分（每月毛利") for fault in tasks.faults(deal))


@pytest.mark.parametrize(("path", "value"), [
    (("turns",), 0), (("turns",), None), (("updates",), []), (("state", "cash", "colour"), "red"),
    (("actions", "price", "options"), {"a": "x", "b": "y"}), (("chance",), {"x": {"title": "x"}}),
    (("chance",), {"x": {"title": "x", "between": [1]}}),
    (("mistakes",), [{"name": "n", "when": "1 > 0", "hint": "h"}]),
    (("key",), []), (("goals", 0, "formula"), 1), (("surprise",), 1)])
def test_schema_refuses(small, path, value):
    spoil(small, path, value)
    assert list(Draft202012Validator(units.schema()).iter_errors([small]))


def test_the_last_step_of_a_range_may_be_taken(small):
    # 二进制里 7.4 + 8 × 0.1 比 8.2 大一点点：也算选得到
    small["actions"]["price"] = {"title": "价格", "min": 7.4, "max": 8.2, "step": 0.1, "start": 8.2}
    assert simulate.read_action(small, {"price": 7.4 + 8 * 0.1, "how": "soft"})["price"] == 8.2
    assert simulate.read_action(small, {"price": 8.3, "how": "soft"}) is None
