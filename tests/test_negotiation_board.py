"""The negotiation board's Python half: what it reads, what it keeps, what it refuses."""

import doctest
import json

import pytest

from crmlib import boards
from crmlib.boards import negotiation
from crmlib.boards.negotiation import better, points, read, text
from crmlib.cli import CourseError
from crmlib.methods.negotiation import packages
from crmlib.paths import notebooks
from crmlib.tasks import answers

CASE, CRAB = "玉峰汽配续约", "螃蟹季"
SIDES = ("苏畅", "玉峰汽配")
OFFERS = [{"side": 0, "pick": [4, 1, 0, 1], "said": "最怕哪一天？"},
          {"side": 1, "pick": [0, 0, 2, 3], "said": ""},
          {"side": 0, "pick": [2, 0, 0, 1], "said": ""}]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "4.3.json").write_bytes((notebooks() / "4" / "tasks" / "4.3.json").read_bytes())
    return tmp_path


def test_examples_in_docstrings():
    assert doctest.testmod(negotiation).failed == 0


def test_points_are_those_of_packages():
    ours, theirs, limits = negotiation.sheets(CASE)
    table, board = packages(ours, theirs, *limits), read(CASE)
    for row in table.sample(40, random_state=1).to_dict("records"):
        pick = [[o["title"] for o in i["options"]].index(row[i["title"]]) for i in board["issues"]]
        assert points(board, pick) == (pytest.approx(row["我方"]), pytest.approx(row["对方"]))
        assert (better(board, pick) == 0) == row["有效"]


def test_before_the_game_the_other_sheet_stays_covered(folder):
    board = read(CASE, SIDES, game="4.3-14")
    assert board["veil"] and "还没谈完" in text(board) and "分）" not in text(board)
    assert len(board["offers"]) == 8 and board["end"] == "deal"  # 范例，点了才看


def test_the_students_own_game(folder):
    log = [{"price": 8.2, "volume": 10, "days": 45, "claim": "b"},
           {"price": 8, "volume": 15, "days": 90, "claim": "c"}]
    answers.save("4.3-14", {"answer": {"seed": 2, "log": log}})
    board = read(CASE, SIDES, game="4.3-14")
    assert not board["veil"] and board["end"] == "deal" and "合作" in board["notices"][0]
    assert [o["pick"] for o in board["offers"]] == [[8, 0, 1, 1], [6, 1, 4, 2]] and board["wants"][0] == 72
    said = text(board)
    assert "第 2 次，苏畅：单价 8，保底件量 15，账期 90，货损怎么赔 按货值赔" in said
    assert "至少一边更好的，还有" in said


def test_two_people_are_kept_and_read_again(folder):
    answers.save("4.3-1", {"answer": {"old": 59.5}})
    games = [{"offers": OFFERS, "end": "deal"}, {"offers": OFFERS[:1], "end": None}]
    assert negotiation.keep({"games": games}, case=CRAB, sides=SIDES, pair="4.3") is None
    board = read(CRAB, ("苏畅", "合作社"), pair="4.3")
    assert board["games"] == games and board["offers"] == OFFERS[:1] and board["end"] is None
    assert "分）" not in text(board)  # 没谈完，不说分
    assert answers.record("4.3-1")["answer"] == {"old": 59.5}
    negotiation.keep({"games": games[:1]}, case=CRAB, pair="4.3")
    said = text(read(CRAB, ("苏畅", "合作社"), pair="4.3"))
    assert "（苏畅 70 分，合作社 58 分）" in said
    assert "苏畅的让步：只让过一次" in said and "在有效边界上" in said


@pytest.mark.parametrize("note", [
    None, 7, {"games": 3}, {"games": [None, {"offers": 1}]},
    {"games": [{"offers": [{"side": 2, "pick": [0] * 4}]}]},
    {"games": [{"offers": [{"side": 0, "pick": [99, 0, 0, 0]}], "end": "deal"}]},
    {"games": [{"offers": [{"side": 0, "pick": [True, 0, 0, 0]}], "end": ["deal"]}]},
    {"games": [{"offers": [{"side": [], "pick": None}], "end": "deal"}]}])
def test_strange_notes_do_no_harm(folder, note):
    negotiation.keep(note, case=CRAB, pair="4.3")
    board = read(CRAB, pair="4.3")
    assert board["offers"] == [] and board["end"] is None and text(board)


def test_what_was_changed_by_hand_does_no_harm(folder):
    (folder / "answers.json").write_text('{"format": 1, "boards": [1], "answers": {}}', "utf-8")
    assert read(CRAB, pair="4.3")["games"] == []
    negotiation.keep({"games": [{"offers": OFFERS, "end": "none"}]}, case=CRAB, pair="4.3")
    assert "没有谈成，两边各拿没谈成的分：45、45" in text(read(CRAB, pair="4.3"))
    (folder / "answers.json").write_text("坏了", "utf-8")
    assert "损坏" in read(CRAB, pair="4.3")["notices"][0]


def test_the_widget_says_whether_it_was_kept(folder, monkeypatch):
    widget = boards._class("negotiation")(lambda: read(CRAB, pair="4.3"),
                                          lambda note: negotiation.keep(note, case=CRAB, pair="4.3"))
    heard = []
    monkeypatch.setattr(widget, "send", heard.append)
    note = {"games": [{"offers": OFFERS, "end": "deal"}]}
    widget._hear(widget, {"do": "keep", "note": note, "stamp": 3}, [])
    assert heard == [{"stamp": 3, "trouble": ""}] and widget.board["end"] == "deal"
    assert json.loads((folder / "answers.json").read_text("utf-8"))["boards"]["4.3"] == note["games"]

    def full(*_):
        raise answers.SaveError("磁盘满了")

    monkeypatch.setattr(answers, "jot", full)
    widget._hear(widget, {"do": "keep", "note": note, "stamp": 4}, [])
    assert heard[-1] == {"stamp": 4, "trouble": "磁盘满了"}


def test_unknown_case_is_named():
    with pytest.raises(CourseError, match="没有案例“买车”；有的是：玉峰汽配续约、螃蟹季"):
        read("买车")
