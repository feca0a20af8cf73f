"""抽题：每个学生按自己的种子抽；同一个人不变，同桌不同；批改时抽出同样的几项。"""

import json
import threading

import pytest
import yaml
from fixtures.course import UNIT, make
from fixtures.samples import samples

import crmlib as crm
from autograder import check, units
from crmlib import tasks
from crmlib.tasks import answers, core, session
from crmlib.tasks.definitions import read_tasks

TASKS = samples()
SORT, PICK, MATCH, GRADED = (TASKS[f"9.1-{n}"] for n in ("7", "8", "9", "g1"))
drawn = pytest.mark.parametrize("task", [SORT, PICK, MATCH, GRADED], ids=lambda t: t["id"])


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tasks").mkdir()
    given = [t if t["use"] == "practice" else tasks.public(t) for t in TASKS.values()]
    (tmp_path / "tasks" / "9.1.json").write_text(json.dumps({"format": 1, "tasks": given}), "utf-8")
    return tmp_path


def items(task):
    return list(core.bank(task))


# ---- 抽 ----

@drawn
def test_a_draw_is_stable_and_neighbours_differ(task):
    draws = [tuple(items(core.narrow(task, f"{seed:012x}"))) for seed in range(200)]
    assert draws == [tuple(items(core.narrow(task, f"{seed:012x}"))) for seed in range(200)]
    assert all(len(d) == task["draw"] and set(d) <= set(items(task)) for d in draws)
    assert len(set(draws)) > 3
    assert {item for d in draws for item in d} == set(items(task))  # 每一项都有人抽到


@drawn
def test_students_side_draws_what_the_grader_draws(task):
    for seed in ("0" * 12, "9f2c41d07be3"):
        assert items(core.narrow(tasks.public(task), seed)) == items(core.narrow(task, seed))
        narrowed = core.narrow(task, seed)
        assert tasks.fingerprint(core.narrow(tasks.public(task), seed)) == tasks.fingerprint(narrowed)


def test_an_item_added_later_pushes_out_at_most_one():
    more = {**SORT, "cards": {**SORT["cards"], "z": "新来的"}}
    for seed in map(str, range(50)):
        assert len(set(items(core.narrow(SORT, seed))) - set(items(core.narrow(more, seed)))) <= 1


def test_key_and_mistakes_follow_the_draw():
    narrowed = core.only(SORT, ["a", "e", "f", "g"])
    assert narrowed["key"] == {"a": "c", "e": "n", "f": "n", "g": "c"}
    assert [m["name"] for m in narrowed["mistakes"]] == ["供应商当客户"]
    picked = core.only(PICK, ["a", "b", "d", "f", "e"])
    assert picked["key"] == ["a", "e"] and picked["many"]
    assert picked["mistakes"][0]["when"] == ["a", "e", "d"]
    assert core.only(PICK, ["a", "b", "c", "e", "f"])["mistakes"] == []
    order = core.only(TASKS["9.1-2"], ["calm", "photo", "visit", "fix"])
    assert order["key"] == ["calm", ["photo"], ["visit", "fix"]]
    assert tasks.score_task(order, ["calm", "photo", "fix", "visit"]).state == "right"


@drawn
def test_every_draw_proves_itself(task):
    assert tasks.faults(task) == [] and check.proofs(task) == []


def test_proofs_name_the_draw_that_fails():
    spoilt = {**SORT, "mistakes": [{"name": "没错", "when": {"d": "n"}, "hint": "h"}]}
    told = check.proofs(spoilt)
    assert told and told[0].startswith("抽到 a、b、d、e 时，已知错误“没错”没有扣分")


def test_proofs_of_a_large_bank_see_every_item_and_mistake():
    cards = {f"c{n}": f"卡片 {n}" for n in range(30)}
    big = {**SORT, "cards": cards, "key": dict.fromkeys(cards, "c"),
           "mistakes": [{"name": "两张", "when": {"c3": "n", "c28": "n"}, "hint": "h"}]}
    draws = [set(d) for d in check._draws(big)]
    assert set().union(*draws) == set(cards) and any({"c3", "c28"} <= d for d in draws)
    assert all(len(d) == 4 for d in draws) and len(draws) < 200
    assert check.proofs(big) == []


@pytest.mark.parametrize(("task", "changes", "said"), [
    (SORT, {"draw": 8}, "draw 是 8，要比全部 8 项少"), (PICK, {"draw": 3}, "可能一个也不该选"),
    (PICK, {"key": ["a"], "many": False}, "单选题不能抽题"), (TASKS["9.1-4"], {"draw": 1}, "form 不能抽题")])
def test_draw_faults(task, changes, said):
    assert said in "\n".join(tasks.faults({**task, **changes}))


def test_a_unit_with_a_draw_passes_check_and_builds(tmp_path, monkeypatch):
    monkeypatch.setenv("CRM_COURSE", str(tmp_path / "course"))
    (tmp_path / "course").mkdir()
    path = make(tmp_path / "course") / "units" / UNIT / "tasks.yaml"
    raw = yaml.safe_load(path.read_text("utf-8"))
    sort = next(t for t in raw if t["kind"] == "classify" and t["use"] == "graded")
    sort["draw"] = len(sort["cards"]) - 1
    path.write_text(yaml.safe_dump(raw, allow_unicode=True, sort_keys=False), "utf-8")
    unit = units.load(path.parent)
    assert next(t for t in unit.tasks if t["id"] == sort["id"])["draw"] == sort["draw"]
    assert not list(check._proofs(unit, None))


# ---- 种子 ----

def test_seed_is_made_once_and_survives_every_rewrite(folder):
    assert answers.seed(make=False) == ""
    seed = answers.seed()
    assert len(seed) == 12 and answers.seed() == answers.seed(make=False) == seed
    answers.save("9.1-1", {"answer": {"w": "time"}})
    session.keep(TASKS["9.1-2"], ["calm"])
    assert answers.seed() == seed
    assert list(json.loads((folder / "answers.json").read_text("utf-8"))) == ["format", "seed", "answers"]
    assert answers.record("9.1-1")["answer"] == {"w": "time"}


def test_what_stands_beside_the_answers_is_kept(folder):
    (folder / "answers.json").write_text('{"format": 1, "note": "我的", "answers": {}}', "utf-8")
    seed = answers.seed()
    answers.save("9.1-1", {"answer": {}})
    content = json.loads((folder / "answers.json").read_text("utf-8"))
    assert content["note"] == "我的" and content["seed"] == seed


def test_seed_of_a_damaged_file_is_rescued(folder):
    seed = answers.seed()
    answers.save("9.1-1", {"answer": {"w": "time"}})
    text = (folder / "answers.json").read_text("utf-8")
    (folder / "answers.json").write_text(text[:-9], "utf-8")
    with pytest.raises(answers.Damaged):
        answers.seed()
    assert "改名" in answers.mend()
    assert answers.seed(make=False) == seed


@pytest.mark.parametrize("seed", [7, None, [], "", "x" * 12, "a" * 13])
def test_foreign_seed_is_replaced(folder, seed):
    (folder / "answers.json").write_text(json.dumps({"format": 1, "seed": seed, "answers": {}}), "utf-8")
    assert answers.seed(make=False) == ""
    assert answers.seed() == answers.seed() != seed


def test_notebooks_opened_at_once_agree_on_the_seed():
    found = []
    threads = [threading.Thread(target=lambda: found.append(answers.seed())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len(set(found)) == 1


# ---- 从打开到批改 ----

def test_the_student_sees_his_draw_and_keeps_his_answer():
    from crmlib.widgets import TaskWidget

    task = tasks.find_task("9.1-7")
    shown = TaskWidget.of(task).task
    assert len(shown["cards"]) == 4 and "draw" not in shown
    key = {card: tasks.KINDS["classify"]._accepted(TASKS["9.1-7"], card)[0] for card in shown["cards"]}
    widget = TaskWidget.of(task)
    widget.set_state({"answer": key, "stamp": 1, "checked": 1})
    assert widget.result["state"] == "right" and widget.status["saved"]
    again = TaskWidget.of(task)
    assert again.task["cards"] == shown["cards"] and again.answer == key
    assert crm.answer("9.1-7") == key


def test_graded_draw_is_scored_by_the_seed_that_was_handed_in(folder, capsys):
    blob = tasks.encode_task(GRADED)
    nobody = set(items(core.narrow(GRADED, "")))
    seed = next(s for n in range(99) if set(items(core.narrow(GRADED, s := f"{n:012x}"))) != nobody)
    (folder / "answers.json").write_text(json.dumps({"format": 1, "seed": seed, "answers": {}}), "utf-8")
    mine = session.mine(tasks.find_task("9.1-g1"))
    right = {item: GRADED["key"][item] for item in mine["left"]}
    session.keep(mine, right)
    assert crm.score("9.1-g1", blob) == 25.0
    session.keep(mine, dict(list(right.items())[:2]))
    assert crm.score("9.1-g1", blob) == 16.67
    crm.handed("9.1-g1")
    assert "还有 1 项没有配" in capsys.readouterr().out

    # 把种子换成别人的，或者删掉：题目对不上，得不了分，也不崩溃
    session.keep(mine, right)
    others = (f"{n:012x}" for n in range(99))
    other = next(s for s in others if set(items(core.narrow(GRADED, s))) != set(items(mine)))
    for seed in (other, None):
        content = json.loads((folder / "answers.json").read_text("utf-8"))
        content["seed"] = seed
        (folder / "answers.json").write_text(json.dumps(content), "utf-8")
        assert crm.score("9.1-g1", blob) < 25
    assert answers.seed(make=False) == ""  # 批改时不掷新的种子


def test_nbgrader_runs_the_notebook_and_draws_nothing(folder, monkeypatch):
    """Else the score of a file without seed would be a matter of luck."""
    from crmlib.widgets import TaskWidget

    key = {item: GRADED["key"][item] for item in core.narrow(GRADED, "")["left"]}
    raw = json.dumps({"format": 1, "answers": {"9.1-g1": {"answer": key}}})
    (folder / "answers.json").write_text(raw, "utf-8")
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    shown = TaskWidget.of(tasks.find_task("9.1-g1"))
    assert list(shown.task["left"]) == list(key) and shown.answer == key
    assert crm.score("9.1-g1", tasks.encode_task(GRADED)) == 25.0
    assert (folder / "answers.json").read_text("utf-8") == raw


def test_graded_number_is_recomputed_from_the_table_that_was_handed_in():
    full = TASKS["9.1-g4"]
    blob = tasks.encode_task(full)
    table = {"n": {"count": "70", "margin": "3"}, "s": {"count": "30", "margin": "1"}}
    session.keep(tasks.find_task("9.1-g4"), {"total": "240", "mean": "2.4"})
    assert crm.score("9.1-g4", blob) == 0  # 表还没有填
    session.keep(tasks.find_task("9.1-g3"), table)
    assert crm.score("9.1-g4", blob) == 30.0
    session.keep(tasks.find_task("9.1-g4"), {"total": "240", "mean": "240"})
    assert crm.score("9.1-g4", blob) == 15.0
    # 学生改了自己那份题目文件，也改不了评分
    path = answers.Path("tasks/9.1.json")
    path.write_text(path.read_text("utf-8").replace("count*margin", "count*0"), "utf-8")
    assert crm.score("9.1-g4", blob) == 15.0


def test_damaged_answers_and_a_draw_still_open(folder):
    seed = answers.seed()
    (folder / "answers.json").write_text('{"seed": "' + seed + '", broken', "utf-8")
    opened = session.open_saved(read_tasks(folder / "tasks" / "9.1.json")["9.1-7"])
    assert "改名" in opened.notices[0] and items(opened.task) == items(core.narrow(SORT, seed))
