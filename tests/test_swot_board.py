"""SWOT 权重板：读学生的答案、没填就用范例、翻牌、文字版。浏览器里的那一半见 tests/browser。"""

import copy
import json

import pytest

from crmlib import boards
from crmlib.boards.swot import read, scores, stands, text, turned
from crmlib.cli import CourseError
from crmlib.methods.environment import efe, ife
from crmlib.paths import notebooks
from crmlib.tasks import find_task, fingerprint


def _factor_task(number, rows, key):
    groups = {"S": "优势", "W": "劣势"} if number == 1 else {"O": "机会", "T": "威胁"}
    return {
        "id": f"9.9-{number}", "kind": "form", "use": "practice", "title": "评价表", "prompt": "",
        "columns": [{"id": "text", "title": "因素", "type": "text"},
                    {"id": "group", "title": "类别", "type": "choose", "options": groups},
                    {"id": "now", "title": "现在怎么应对", "type": "text"},
                    {"id": "weight", "title": "权重", "type": "number", "min": 0, "max": 1},
                    {"id": "rating", "title": "评分", "type": "number", "min": 1, "max": 4}],
        "rows": [{"id": i, "title": t, "text": f"{t}的全文", "group": g, "now": "没有对策"}
                 for i, t, g in rows],
        "key": {i: {"weight": w, "rating": r} for i, (w, r) in key.items()},
        "rules": [{"name": "合计", "rule": "sum", "column": "weight", "equals": 1, "hint": "等于 1"}],
    }


def _plan(plan, inside, outside):
    return {"plan": plan, "inside": inside, "outside": outside}


TASKS = [
    _factor_task(1, [("c1", "班组", "S"), ("c2", "自有仓", "S"), ("c3", "晚点", "W")],
                 {"c1": (0.3, 4), "c2": (0.2, 3), "c3": (0.5, 1)}),
    _factor_task(2, [("e1", "A厂招标", "O"), ("e2", "柴油涨价", "T"), ("e3", "对手降价", "T")],
                 {"e1": (0.5, 3), "e2": (0.3, 1), "e3": (0.2, 2)}),
    {"id": "9.9-3", "kind": "form", "use": "practice", "title": "TOWS", "prompt": "",
     "columns": [{"id": "how", "title": "怎么配", "type": "text"},
                 {"id": "plan", "title": "策略", "type": "long"},
                 {"id": "inside", "title": "内部依据", "type": "cards",
                  "cards": {"c1": "班组", "c2": "自有仓", "c3": "晚点", "c9": {"text": "表外的卡"}}},
                 {"id": "outside", "title": "外部依据", "type": "cards",
                  "cards": {"e1": "A厂招标", "e2": "柴油涨价", "e3": "对手降价"}}],
     "rows": [{"id": k, "title": f"{k} 策略", "how": "怎么配"} for k in ("SO", "WO", "ST", "WT")],
     "key": {"SO": _plan("接下A厂", ["c1", "c2"], ["e1"]), "WO": _plan("修好分拨", ["c3"], ["e1"]),
             "ST": _plan("守住老客户", ["c2", "c9"], ["e3"]), "WT": _plan("换电动车", ["c3"], ["e2"])},
     "rules": [{"name": "齐", "rule": "required", "columns": ["plan"], "hint": "写"}]},
]
FLIPS = {"柴油跌 20%": {"e2": "O"}, "A厂不招标了": {"e1": None}, "班组散了": {"c1": "W"}}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "tasks").mkdir()
    monkeypatch.chdir(tmp_path)
    publish(tmp_path, TASKS)
    return tmp_path


def publish(folder, tasks):
    (folder / "tasks" / "9.9.json").write_text(json.dumps({"format": 1, "tasks": tasks}), encoding="utf-8")


def answered(folder, answers):
    records = {name: {"answer": answer, "task": fingerprint(find_task(name))}
               for name, answer in answers.items()}
    (folder / "answers.json").write_text(json.dumps({"format": 1, "answers": records}), encoding="utf-8")


def board(flips=None):
    return read("9.9-1", "9.9-2", "9.9-3", FLIPS if flips is None else flips)


def standing(board, *titles):
    cards = turned(board, titles)
    return [s["id"] for s in board["strategies"] if stands(s, cards)]


def test_model_answers_stand_in_and_it_says_so(folder):
    shown = board()
    assert shown["notices"] == ["第 9.9-1、9.9-2、9.9-3 题你还没填完，先用范例。"]
    assert scores(turned(shown)) == (pytest.approx(ife(TASKS[0]["key"])), pytest.approx(efe(TASKS[1]["key"])))
    card = next(c for c in shown["cards"] if c["id"] == "e2")
    assert (card["title"], card["group"], card["side"]) == ("柴油涨价", "T", "outside")
    assert card["lines"] == ["柴油涨价的全文", "现在怎么应对：没有对策"]


def test_own_answers_are_shown_each_task_by_itself(folder):
    answered(folder, {
        "9.9-1": {"c1": {"weight": "60%", "rating": "４"}, "c2": {"weight": "0.3", "rating": 3},
                  "c3": {"weight": 0.3, "rating": "1"}},
        "9.9-3": {"SO": _plan("我的策略", ["c1"], ["e1"])},
    })
    shown = board()
    assert shown["notices"] == ["第 9.9-2 题你还没填完，先用范例。",
                                "第 9.9-1 题的权重合计是 1.20，这里先按比例折成 1。"]
    assert [round(c["weight"], 2) for c in shown["cards"][:3]] == [0.5, 0.25, 0.25]
    assert [s["plan"] for s in shown["strategies"]] == ["我的策略", "", "", ""]
    assert standing(shown) == ["SO"]


@pytest.mark.parametrize("broken", [
    {"c1": {"weight": 0.5}}, {"c1": {"weight": "多", "rating": 1}}, [1, 2], "x", {"zz": {"weight": 1}},
    {c: {"weight": 0, "rating": 3} for c in ("c1", "c2", "c3")},
    {c: {"weight": 0.3, "rating": 9} for c in ("c1", "c2", "c3")},
])
def test_half_done_or_broken_answers_fall_back(folder, broken):
    answered(folder, {"9.9-1": broken, "9.9-3": broken})
    assert board()["notices"][0].startswith("第 9.9-1、9.9-2、9.9-3 题")


def test_a_fact_flips_and_a_strategy_loses_its_support(folder):
    shown = board()
    assert standing(shown) == ["SO", "WO", "ST", "WT"]
    assert standing(shown, "柴油跌 20%") == ["SO", "WO", "ST"]
    assert standing(shown, "A厂不招标了") == ["ST", "WT"]
    assert standing(shown, "班组散了") == ["SO", "WO", "ST", "WT"]  # 还有自有仓
    assert standing(shown, *FLIPS) == ["ST"]


def test_weights_after_a_flip(folder):
    after = turned(board(), ["A厂不招标了", "班组散了"])
    assert [round(after[c]["weight"], 2) for c in ("e1", "e2", "e3")] == [0, 0.6, 0.4]
    assert (after["c1"]["group"], after["c1"]["rating"]) == ("W", 1)
    assert scores(after) == (pytest.approx(0.3 * 1 + 0.2 * 3 + 0.5 * 1), pytest.approx(0.6 * 1 + 0.4 * 2))


def test_wrong_cards_do_not_hold_a_strategy(folder):
    answered(folder, {"9.9-3": {"SO": _plan("用劣势", ["c3"], ["e1"]), "WT": _plan("没有依据", [], [])}})
    assert standing(board()) == []


def test_text_for_print(folder):
    said = text(board())
    assert "内部总分（IFE）2.30（低于 2.5）" in said and "IE 矩阵第 V 格：坚持和保持" in said
    assert "威胁：柴油涨价（权重 0.30，评分 1）；对手降价（权重 0.20，评分 2）" in said
    assert "假如柴油跌 20%：WT 策略站不住了" in said
    assert "WT 策略：换电动车。依据：晚点、柴油涨价。站得住。" in said


@pytest.mark.parametrize(("flips", "said"), [
    ({"x": {"e7": None}}, "e7 不在评价表里"),
    ({"x": {"e1": "S"}}, "只能变成 O 或 T"),
    ({"x": {"e1": "好"}}, "只能变成 O 或 T"),
])
def test_bad_flips_are_named(folder, flips, said):
    with pytest.raises(CourseError, match=said):
        board(flips)


def test_bad_tasks_are_named(folder):
    tasks = copy.deepcopy(TASKS)
    del tasks[0]["rows"][0]["group"], tasks[1]["key"]
    publish(folder, tasks)
    with pytest.raises(CourseError, match=r"9\.9-1 题的 c1 行没有写对类别"):
        board()
    tasks[0] = TASKS[0]
    publish(folder, tasks)
    with pytest.raises(CourseError, match=r"9\.9-2 题没有范例"):
        board()


def test_without_tows_and_flips(folder):
    shown = read("9.9-1", "9.9-2")
    assert shown["strategies"] == shown["flips"] == [] and "策略" not in text(shown)


def test_scrolling_into_view_shows_the_latest_answers(folder):
    widget = boards._class("swot")(board)
    answered(folder, {"9.9-3": {"SO": _plan("刚写的策略", ["c1"], ["e1"])}})
    widget._look_again(widget, {"do": "look"}, [])
    assert widget.board["strategies"][0]["plan"] == "刚写的策略"
    (folder / "tasks" / "9.9.json").unlink()
    widget._look_again(widget, {"do": "look"}, [])  # 读不到，也不能在学生面前报错
    assert widget.board["strategies"][0]["plan"] == "刚写的策略"


def test_unit_2_2(monkeypatch, tmp_path):
    """The lesson's own board: diesel falls, and only the strategy that lived on it goes dark."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "2.2.json").write_bytes((notebooks() / "2" / "tasks" / "2.2.json").read_bytes())
    shown = read("2.2-8", "2.2-9", "2.2-10", {"柴油跌 20%": {"c04": "O"}})
    assert standing(shown) == ["SO", "WO", "ST", "WT"]
    assert standing(shown, "柴油跌 20%") == ["SO", "WO", "ST"]
