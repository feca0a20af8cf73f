"""对话题：走图、得分、每一步丢了多少；走不通、绕圈子、写不全的图，一张也出不了门。"""

import copy
import doctest
import json
import random
from pathlib import Path

import pytest
from fixtures.course import UNIT, make

from autograder import check, graph, syllabus, units
from crmlib import tasks
from crmlib.cli import main
from crmlib.tasks import dialogue, session

FILE = Path(__file__).parent / "fixtures" / "dialogue.yaml"


@pytest.fixture
def talk():
    """The example, free to spoil."""
    return units.yaml.load(FILE.read_text("utf-8"), units._Loader)[0]


@pytest.fixture
def small():
    """Two questions; the better way needs trust."""
    return {
        "id": "1.1-9", "kind": "dialogue", "use": "practice", "title": "小", "prompt": "说",
        "speakers": {"w": "王经理"}, "meters": {"trust": {"title": "信任", "start": 50}}, "start": "one",
        "nodes": {
            "one": {"says": [{"who": "w", "text": "又晚了！"}], "choices": {
                "a": {"text": "这不归我管，你去问问分拨中心的人吧", "to": "two", "points": -1,
                      "effects": {"trust": -20}, "forbidden": "推责任"},
                "b": {"text": "对不起，我来查", "to": "two", "points": 1}}},
            "two": {"says": [{"who": "w", "text": "怎么办？"}], "choices": {
                "a": {"text": "今天 5 点前回话", "to": "good", "points": 1, "if": {"trust": [50, None]}},
                "b": {"text": "等通知", "to": "bad", "why": "没有时间"}}},
            "good": {"end": "留下了", "points": 1}, "bad": {"end": "走了"},
        },
        "key": ["b", "a"],
    }


def every_way(task):
    """All talks that end: [(log, points), …]."""
    def onward(state, log, points):
        may = dialogue.choices(task, *state)
        if not may:
            yield log, points
        for choice, taken in may.items():
            worth = taken.get("points", 0) + task["nodes"][taken["to"]].get("points", 0)
            yield from onward(dialogue.step(task, *state, choice), [*log, choice], points + worth)

    return list(onward(dialogue.begin(task), [], 0))


def test_examples_in_docstrings():
    assert doctest.testmod(dialogue).failed == doctest.testmod(graph).failed == 0


def test_the_example_is_sound_and_proves_itself(talk):
    assert units.Path(FILE).is_file() and tasks.faults(talk) == [] and check.proofs(talk) == []
    assert len(talk["nodes"]) >= 12 and len(talk["meters"]) == 2
    ends = [node.get("points", 0) > 0 for node in talk["nodes"].values() if "end" in node]
    assert sorted(ends) == [False, True, True]
    assert sum("forbidden" in c for n in talk["nodes"].values() for c in n.get("choices", {}).values()) >= 3


# ---- 得分 ----

def test_full_marks_are_the_most_of_all_ways(talk):
    ways = every_way(talk)
    most, log = dialogue.best(talk)
    assert len(ways) > 1000
    assert most == max(points for _, points in ways) == 16
    assert (log, most) in ways
    assert dialogue.best(talk, {"open": "a", "now": "a"})[0] == max(
        points for log, points in ways if {("open", "a"), ("now", "a")} <= {
            (node, choice) for node, _, choice in dialogue.replay(talk, log)[0]})


def test_the_losses_of_the_steps_are_all_that_was_lost(talk):
    for log, points in random.Random(5).sample(every_way(talk), 30):
        lost = dialogue.losses(talk, log)
        assert sum(lost) == pytest.approx(16 - points)
        share, where = dialogue.share(talk, log)
        assert share == pytest.approx(max(0, points) / 16)
        assert all(where.values()) == (points == 16)
        assert [where[str(n)] for n in range(len(log))] == [not x for x in lost]


def test_more_than_one_way_can_be_full(small):
    found = small["nodes"]["two"]["choices"]
    small["nodes"]["two"]["choices"] = {"c": {"text": "现在就查", "to": "good", "points": 1}, **found}
    assert tasks.faults(small) == []
    assert [tasks.score_task(small, log).state for log in (["b", "a"], ["b", "c"])] == ["right", "right"]


def test_a_step_is_judged_by_what_can_still_be_had(small):
    # 第一步当场不丢分，却堵死了后面的好路：这一步就不算对
    small["nodes"]["one"]["choices"]["a"]["points"] = 1
    assert dialogue.share(small, ["a", "b"])[1] == {"0": False, "1": True}
    assert dialogue.losses(small, ["a", "b"]) == [2, 0]


def test_meters_stay_in_their_range(talk):
    rude = ["c", "a", "a", "b", "b", "a", "a", "c", "c"]
    walked, node, levels, whole = dialogue.replay(talk, rude)
    assert whole and node == "door" and levels == (5, 10)
    assert min(level for _, (level, _), _ in walked) == 0


def test_a_condition_opens_and_closes_a_choice(talk):
    log = ["b", "c", "a", "c", "b", "b"]
    assert list(dialogue.choices(talk, *dialogue.replay(talk, log)[1:3])) == ["a", "b", "c"]
    log = ["a", "a", "a", "c", "a", "c", "b", "b"]  # 信任够了，可是她要装车了
    assert list(dialogue.choices(talk, *dialogue.replay(talk, log)[1:3])) == ["b", "c"]
    assert tasks.unreadable(talk, [*log, "a"])


def test_what_is_said_of_the_steps(talk):
    log = ["b", "a", "b", "c", "b", "c", "c"]
    result = tasks.score_task(talk, log)
    assert result.state == "partial" and not result.mistakes
    assert [m[:5] for m in result.messages] == ["第 2 步", "第 3 步", "第 6 步"]
    assert "没有人名，没有时间" in result.messages[1]
    said = dialogue.remarks(talk, log)
    assert said["end"].startswith("挽回客户不是一通电话") and set(said) == {*map(str, range(7)), "end"}
    assert dialogue.remarks(talk, ["b", "c", "c"])["2"].startswith("**禁语**：不能答应")
    feedback = session.feedback(talk, log, result, 1)
    assert "没有人名" in feedback["remarks"]["2"] and feedback["where"]["2"] is False


# ---- 三种失败 ----

def test_not_begun_not_ended_and_not_readable(talk):
    for nothing in (None, []):
        assert tasks.score_task(talk, nothing).messages == ["对话还没有开始。"]
    half = tasks.score_task(talk, ["b", "c"])
    assert (half.state, half.messages, half.points) == ("empty", ["对话还没有走到结尾。"], 2.0)
    assert tasks.score_task(talk, ["b", "c"], final=True).state == "partial"
    for strange in (["z"], ["b", "c", "a", "z"], [*talk["key"], "a"], ["b", 1], ["b", None], ["b", ["c"]],
                    "bca", {"open": "b"}, 7, True, ["<img src=x onerror=alert(1)>"], ["b"] * 5000,
                    ["b" * 10**6]):
        result = tasks.score_task(talk, strange)
        assert result.state == "malformed" and result.messages, strange
        assert result.points == tasks.score_task(talk, strange, final=True).points == 0
        assert isinstance(tasks.text(talk, strange), str)


def test_text_says_steps_end_and_meters(talk):
    lines = tasks.text(talk, talk["key"]).splitlines()
    assert lines[0].startswith("1. 季姐好") and lines[8] == "结局：季姐把星期天的件交回来试四周。"
    assert lines[9] == "信任 100，用时 9 分钟"
    assert "还没有走到结尾" in tasks.text(talk, ["b"]) and tasks.text(talk, []) == ""


def test_the_public_part_gives_nothing_away(talk):
    shown = json.dumps(tasks.public({**talk, "use": "graded"}), ensure_ascii=False)
    for node in talk["nodes"].values():
        for part in (node, *node.get("choices", {}).values()):
            assert all(part[field] not in shown for field in ("why", "forbidden") if field in part)
    hidden = ("why", "forbidden", "key", "explain", "mistakes", "review")
    assert not any(f'"{field}"' in shown for field in hidden)
    assert shown.count('"points"') == 1  # 题目的分，不是选择的分
    assert tasks.score_task(tasks.public(talk), talk["key"]).state == "saved"


# ---- 题目写错 ----

def spoil(task, path, value=None):
    """Set (or with None, delete) one field, given as ``nodes.open.choices.a.to``."""
    *way, last = path.split(".")
    for name in way:
        task = task[name]
    if value is None:
        del task[last]
    else:
        task[last] = value


@pytest.mark.parametrize(("path", "value", "told"), [
    ("start", "nowhere", "start“nowhere”不在 nodes 里"),
    ("start", "bad", "start“bad”就是结尾"),
    ("meters.trust.start", 300, "量表“trust”的 start 不在 min 和 max 之间"),
    ("nodes.one.says", [{"who": "x", "text": "喂"}], "节点“one”里说话的“x”不在 speakers 里"),
    ("nodes.good.choices", {"a": {"text": "再", "to": "two"}}, "节点“good”是结尾（end），不能再有 choices"),
    ("nodes.bad.end", None, "节点“bad”没有 choices，也不是结尾"),
    ("nodes.one.choices.b.to", "zz", "节点“one”的选择“b”通向不存在的节点“zz”"),
    ("nodes.one.choices.b.effects", {"money": 1}, "节点“one”的选择“b”用了不存在的量表“money”"),
    ("nodes.two.choices.a.if", {"trust": [90, None]}, "节点“two”的选择“a”永远选不了"),
    ("nodes.two.choices.b.if", {"trust": [50, None]}, "节点“two”有时一个选择也没有"),
    ("nodes.two.choices.b.to", "one", "会一直绕圈子，走不到结尾：one、two"),
    ("nodes.more", {"end": "没有人来"}, "节点“more”永远走不到"),
    ("key", ["b"], "key 没有走到结尾，停在节点“two”。能得满分的走法：[b, a]"),
    ("key", ["b", "b"], "key 只得 1 分，最多能得 3 分。能得满分的走法：[b, a]"),
    ("key", ["a", "a"], "key 走到第 2 步（节点“two”）就走不下去了"),
    ("nodes.one.choices.a.points", 3, "节点“one”的选择“a”是禁语，说了却可以不丢分"),
    ("nodes.two.choices.b.why", None, "节点“two”的选择“b”会丢分，要写 why"),
    ("nodes.one.choices.b.text", "对不起，是我们的错。我现在就打开系统，替你查这一单",
     "不看内容，总选字最多的，就能得满分"),
    ("mistakes", [{"name": "错", "when": {"one": "z"}, "hint": "。"}], "mistakes“错”里的 one: z 不存在"),
    ("mistakes", [{"name": "错", "when": {"one": "a", "two": "a"}, "hint": "。"}], "mistakes“错”走不到"),
])
def test_a_faulty_map_is_told(small, path, value, told):
    assert tasks.faults(small) == []
    spoil(small, path, value)
    found = tasks.faults(small)
    assert any(told in fault for fault in found), found


def test_no_points_anywhere(small):
    for node in small["nodes"].values():
        for part in (node, *node.get("choices", {}).values()):
            part.pop("points", None)
    assert tasks.faults(small) == ["没有一条路能得分：给好的选择写上 points"]


def test_going_back_is_sound_while_a_meter_limits_it(small):
    again = {"text": "等一下，我再问一句", "to": "one", "effects": {"trust": -1}, "points": -1, "why": "绕",
             "if": {"trust": [48, None]}}
    small["nodes"]["two"]["choices"] = {"c": again, **small["nodes"]["two"]["choices"]}
    small["nodes"]["two"]["choices"]["a"].pop("if")
    assert tasks.faults(small) == []
    assert tasks.score_task(small, ["b", "c", "b", "b"]).state == "partial"
    again["if"] = {"trust": [0, None]}  # 信任掉到 0 就不再变：可以永远问下去
    assert "会一直绕圈子" in tasks.faults(small)[0]
    again["if"] = {"trust": [1, None]}
    assert tasks.faults(small) == ["最长的一条路要 102 步，最多 60 步"]
    assert tasks.score_task(small, ["b", "c"] * 200).state == "malformed"


def test_too_many_cases_are_told(small):
    small["meters"] = {m: {"title": m, "start": 0, "max": 10**6} for m in ("trust", "x", "y")}
    for place, c in enumerate(("trust", "x", "y")):
        small["nodes"]["one"]["choices"][c] = {
            "text": "问", "to": "one", "effects": {c: 0.1 + place}, "if": {c: [None, 10**5]}}
    small["nodes"]["two"]["choices"]["a"].pop("if")
    assert "量表的变化太多了" in tasks.faults(small)[0]


# ---- 单元、作业、图 ----

@pytest.fixture
def course(tmp_path, monkeypatch, talk):
    """A small course whose unit has the talk, as practice and as graded task."""
    monkeypatch.setenv("CRM_COURSE", str(tmp_path))
    make(tmp_path)
    path = tmp_path / "units" / UNIT / "tasks.yaml"
    mine = [t | {"covers": ["js-1.1-1a"]} for t in (
        talk | {"id": "1.1-5"}, talk | {"id": "1.1-g1", "use": "graded", "points": 40, "title": "打电话"})]
    others = [t for t in units.yaml.safe_load(path.read_text("utf-8")) if t["id"] != "1.1-g1"]
    path.write_text(units.yaml.safe_dump(others + mine, allow_unicode=True, sort_keys=False), "utf-8")
    lesson = tmp_path / "units" / UNIT / "lesson.md"
    cell = '\n```{code-cell}\n# 打电话\ncrm.task("1.1-5")\n```\n'
    lesson.write_text(lesson.read_text("utf-8") + cell, "utf-8")
    return tmp_path


def test_a_unit_with_a_talk_passes_and_its_release_leaks_nothing(course, talk):
    unit = units.load(course / "units" / UNIT)
    told = [text for kind, text in check.check_unit(unit, syllabus.load(course)) if kind == "FAIL"]
    assert told == []
    released = check.release(unit)
    parts = [part for node in talk["nodes"].values() for part in (node, *node.get("choices", {}).values())]
    whys = [part[field] for part in parts for field in ("why", "forbidden") if field in part]
    assert whys and not any(why in released for why in whys)
    assert main(["build"]) == 0


@pytest.mark.parametrize(("path", "value", "told"), [
    ("nodes.open.choices.a.too", "angry", "没有“too”这个写法，是不是想写“to”"),
    ("nodes.open.choices.a.to", None, "缺少 to"),
    ("nodes.trial.choices.a.if", {"trust": 60}, "if › trust：要写成列表"),
    ("nodes.open.choices.a.effects", {"trust": "高"}, "要写成数字"),
    ("meters.trust.title", None, "缺少 title"),
    ("key", None, "缺少 key"),
    ("nodes.open.says", ["喂"], "要写成“名字: 内容”的表"),
])
def test_the_schema_names_the_place(course, path, value, told):
    file = course / "units" / UNIT / "tasks.yaml"
    every = units.yaml.safe_load(file.read_text("utf-8"))
    spoil(next(t for t in every if t["id"] == "1.1-5"), path, value)
    file.write_text(units.yaml.safe_dump(every, allow_unicode=True, sort_keys=False), "utf-8")
    with pytest.raises(units.Broken) as broken:
        units.load(course / "units" / UNIT)
    assert any(told in fault and "任务 1.1-5" in fault for fault in broken.value.faults), broken.value.faults


def test_crm_graph_draws_each_talk(course, capsys, monkeypatch):
    monkeypatch.chdir(course)
    assert main(["graph", "1.1"]) == 0
    assert {p.name for p in course.glob("*.svg")} == {"1.1-5.svg", "1.1-g1.svg"}
    assert main(["graph", "1.1", "1.1-5", "--out", "图"]) == 0
    drawn = next(t for t in units.load(course / "units" / UNIT).tasks if t["id"] == "1.1-5")
    assert (course / "图" / "1.1-5.svg").read_text("utf-8") == graph.svg(drawn)
    assert "[注意]" not in capsys.readouterr().out
    assert main(["graph", "1.1", "1.1-2"]) == 1
    assert "没有对话题 1.1-2；有的是：1.1-5、1.1-g1" in capsys.readouterr().err


def test_the_picture_shows_all_and_nothing_overlaps(talk):
    from xml.etree import ElementTree

    picture = graph.svg(talk)
    words = "".join(ElementTree.fromstring(picture).itertext()).replace("\n", "")
    for name, node in talk["nodes"].items():
        assert name in words
        for choice in node.get("choices", {}).values():
            assert choice["text"].replace(" ", "") in words.replace(" ", "")
    assert words.count("禁语，") == 5 and "要 信任 ≥ 60，用时 ≤ 8" in words and "（起点）" in words
    boxes = {name: graph.Box(talk, name) for name in talk["nodes"]}
    layer, backward = graph.layers(talk["nodes"], talk["start"])
    left = graph.arrange(boxes, layer, graph._chains(talk["nodes"], layer, backward))
    assert not backward and layer["open"] == 0 and layer["win"] == max(layer.values())
    spans = {item: (layer.get(item, item[1]), x, x + (boxes[item].width if item in boxes else 0))
             for item, x in left.items()}
    for a, (row, begin, end) in spans.items():
        for b, (other, start, stop) in spans.items():
            assert a == b or row != other or stop <= begin or end <= start, (a, b)


def test_a_picture_of_a_map_that_goes_back_or_nowhere(small):
    small["nodes"]["two"]["choices"]["c"] = {"text": "再问", "to": "one", "effects": {"trust": -50}}
    assert "↩ 回到 one" in graph.svg(small)
    small["nodes"]["two"]["choices"]["c"]["to"] = "zz"
    with pytest.raises(units.CourseError, match="节点 zz 不存在"):
        graph.svg(small)


def test_the_talk_in_a_notebook(tmp_path, monkeypatch, capsys, talk):
    """crm.check, handed and score say the same as the widget; hostile text is only text."""
    import crmlib as crm

    graded = {**talk, "id": "5.5-g1", "use": "graded"}
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "5.5.json").write_text(
        json.dumps({"format": 1, "tasks": [talk, tasks.public(graded)]}, ensure_ascii=False), "utf-8")
    monkeypatch.chdir(tmp_path)
    session.keep(talk, ["b", "c", "a", "c", "b", "b", "a", "b"])
    crm.check("5.5-4")
    said = capsys.readouterr().out
    assert "部分正确 · 7.5/8 分" in said and "第 8 步“太好了" in said
    blob = tasks.encode_task(graded)
    session.keep(tasks.find_task("5.5-g1"), ["b", "c"])
    crm.handed("5.5-g1")
    assert "还没有走到结尾" in capsys.readouterr().out
    assert crm.score("5.5-g1", blob) == 2.0
    session.keep(tasks.find_task("5.5-g1"), talk["key"])
    crm.handed("5.5-g1")
    assert "答完了，可以交" in capsys.readouterr().out
    assert crm.score("5.5-g1", blob) == 8.0
    session.keep(tasks.find_task("5.5-g1"), ["<script>alert(1)</script>"])
    assert crm.score("5.5-g1", blob) == 0.0
    assert session.open_saved(graded).answer is None


def test_an_answer_to_a_map_that_changed_is_kept_or_told(tmp_path, monkeypatch, talk):
    monkeypatch.chdir(tmp_path)
    session.keep(talk, talk["key"])
    changed = copy.deepcopy(talk)
    changed["nodes"]["win"]["end"] = "季姐先试四周。"
    opened = session.open_saved(changed)
    assert opened.answer == talk["key"] and "改过了" in opened.notices[0]
    del changed["nodes"]["close"]["choices"]["a"]
    opened = session.open_saved(changed)
    assert opened.answer is None and "对不上" in opened.notices[0]


def test_the_example_in_the_manual_is_sound():
    from jsonschema import Draft202012Validator

    manual = (Path(__file__).parents[1] / "docs" / "authoring.md").read_text("utf-8")
    section = manual.partition("## dialogue")[2].partition("\n## ")[0]
    example = units.yaml.load(section.partition("```yaml\n")[2].partition("```")[0], units._Loader)
    assert list(Draft202012Validator(units.schema()).iter_errors(example)) == []
    assert tasks.faults(example[0]) == [] and check.proofs(example[0]) == []
