"""课程首页和学习进度。"""

import json
from html.parser import HTMLParser

import pytest

from crmlib import home
from crmlib.learned import Card, Progress, count, progress, read


def unit(ident, title="环境分析", **more):
    return {"id": ident, "title": title, "path": f"2/{ident}-unit.ipynb", "question": "投给哪个方案？",
            "hours": {"js": 4}, "tasks": [f"{ident}-1", f"{ident}-2"],
            "points": {f"{ident}-1": 2, f"{ident}-2": 1}, **more}


@pytest.fixture
def course():
    return {
        "title": "物流客户关系管理",
        "modules": [
            {"id": "1", "title": "基本知识", "units": [], "planned": [{"id": "1.1", "title": "认识客户"}]},
            {"id": "2", "title": "市场调查", "units": [unit("2.2"), unit("2.3", "调研分析")],
             "planned": [{"id": "2.1", "title": "调研概述"}]},
        ],
        "routes": {"js": {"title": "江苏中职《客户关系管理》", "units": ["1.1", "2.1", "2.2", "2.3"]},
                   "kd": {"title": "高职《快递客户关系管理》", "units": ["2.3", "1.1", "2.2"]},
                   "sw": {"title": "高职《客户关系管理实务》", "units": ["1.1"]}},
    }


@pytest.fixture
def folder(tmp_path, monkeypatch, course):
    """A course folder with a map and an answers.json."""
    monkeypatch.setenv("CRM_COURSE", str(tmp_path))
    (tmp_path / "notebooks" / "2").mkdir(parents=True)
    (tmp_path / "notebooks" / "course.json").write_text(json.dumps(course), "utf-8")
    return tmp_path / "notebooks"


def answer(folder, records):
    (folder / "2" / "answers.json").write_text(json.dumps({"format": 1, "answers": records}), "utf-8")


class Page(HTMLParser):
    """Links as [text, attributes]; all text; names of tags and attributes; every tag must be closed."""

    def __init__(self, html):
        super().__init__()
        self.links, self.text, self.open, self.names = [], "", [], set()
        self.feed(html)
        assert not self.open, f"没有关上的标签：{self.open}"

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.names |= {tag, *dict(attrs)}
        if tag == "a":
            self.links.append(["", dict(attrs)])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data
            if "a" in self.open:
                self.links[-1][0] += data


def opened(page):
    return [attrs["data-crm-open"] for _, attrs in page.links if "data-crm-open" in attrs]


def test_every_unit_has_a_card_and_planned_units_have_no_link(folder):
    page = Page(home.page())
    # 第一个是“从这里开始”
    assert opened(page) == ["2/2.2-unit.ipynb", "2/2.2-unit.ipynb", "2/2.3-unit.ipynb"]
    for words in ("投给哪个方案？", "4 课时", "未开始", "编写中：2.1 调研概述", "还在编写的单元（1 个）",
                  "练习完成 0 / 2"):
        assert words in page.text
    assert not any("2.1" in text or "1.1" in text for text, _ in page.links)


def test_a_route_keeps_its_own_order_and_says_so_when_it_has_nothing_yet(folder):
    assert opened(Page(home.page("kd")))[1:] == ["2/2.3-unit.ipynb", "2/2.2-unit.ipynb"]
    assert "还在编写" in Page(home.page("sw")).text
    assert opened(Page(home.page("sw"))) == []
    current = [text for text, attrs in Page(home.page("kd")).links if attrs.get("aria-current")]
    assert current == ["高职《快递客户关系管理》"]
    assert opened(Page(home.page("<script>"))) == opened(Page(home.page("")))


def test_progress_and_the_unit_worked_on_last(folder):
    answer(folder, {"2.2-1": {"state": "right", "points": 2, "saved": "2026-11-23T10:00:00"},
                    "2.3-1": {"state": "wrong", "points": 0, "saved": "2026-11-24T10:00:00"}})
    page = Page(home.page())
    assert page.links[0][0] == "继续上次的学习2.3 调研分析"
    assert "练习完成 1 / 2，得 2 / 3 分" in page.text
    assert "进行中" in page.text
    assert "练习完成 1 / 4，得 2 / 6 分" in page.text  # 整个模块


@pytest.mark.parametrize("content", ["{", "[]", '{"format": 1, "answers": []}', '{"format": 9}'])
def test_a_damaged_answers_file_is_named_and_costs_nothing_else(folder, content):
    (folder / "2" / "answers.json").write_text(content, "utf-8")
    page = Page(home.page())
    assert "2/answers.json 读不出来" in page.text
    assert len(opened(page)) == 3


def test_a_record_of_any_shape_is_no_trouble():
    records = {"a": None, "b": {"points": "1", "saved": 3}, "c": {"points": 99, "state": []}, "d": {}}
    found = count(dict.fromkeys("abcd", 1), records)
    assert (found.done, found.points, found.last) == (1, 1.0, "")  # c：不会超过满分


def test_once_right_stays_done():
    found = count({"a": 2, "b": 0}, {"a": {"state": "empty", "points": 2}, "b": {"state": "saved"}})
    assert (found.done, found.finished) == (2, True)


def test_a_missing_or_broken_map_is_one_clear_line(folder):
    (folder / "course.json").write_text("{", "utf-8")
    assert "坏了" in Page(home.page()).text
    (folder / "course.json").write_text('{"modules": 1}', "utf-8")
    assert "坏了" in Page(home.page()).text
    (folder / "course.json").unlink()
    assert "还没有课程地图" in Page(home.page()).text


def test_everything_from_outside_is_escaped(folder, course):
    evil = "<img src=x onerror=alert(1)>'\""
    course["modules"][1]["units"] = [unit("2.2", evil, question=evil, path=f"2/{evil}.ipynb")]
    course["modules"][1]["planned"] = [{"id": evil, "title": evil}]
    course["routes"] = {evil: {"title": evil, "note": evil, "units": ["2.2"]}}
    course["title"] = evil
    for route in ("", evil):
        page = Page(home.render(course, read(course, folder), route, handouts=[evil], notice=evil))
        assert not page.names & {"img", "src", "onerror"}
        assert evil in page.text


def test_links_work_below_another_root_and_plainly(folder):
    page = Page(home.page(base="/user/li/", prefix="课程/notebooks"))
    attributes = page.links[0][1]
    assert attributes["data-crm-open"] == "课程/notebooks/2/2.2-unit.ipynb"
    assert attributes["href"].startswith("/user/li/lab/tree/%E8%AF%BE")
    assert "打不开课文" in Page(home.page(prefix=None)).text


def test_assignments_that_the_teacher_handed_out_are_listed(folder):
    for name in ("2/2.2-unit.ipynb", "2.2-swot-pest/2.2-swot-pest.ipynb"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("{}", "utf-8")
    page = Page(home.page())
    assert opened(page)[-1] == "2.2-swot-pest/2.2-swot-pest.ipynb"
    assert len(opened(page)) == 4


def test_progress_card_counts_the_present_unit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tasks").mkdir()
    for ident in ("2.2", "2.3"):
        tasks = [{"id": f"{ident}-1", "kind": "choose", "use": "practice", "options": {"a": "一", "b": "二"},
                  "key": ["a"], "points": 2},
                 {"id": f"{ident}-g1", "kind": "choose", "use": "graded", "options": {"a": "一"}}]
        (tmp_path / "tasks" / f"{ident}.json").write_text(json.dumps({"format": 1, "tasks": tasks}), "utf-8")
    records = {"2.3-1": {"state": "right", "points": 2, "saved": "2026-11-23T10:00:00"}}
    (tmp_path / "answers.json").write_text(json.dumps({"format": 1, "answers": records}), "utf-8")
    monkeypatch.setenv("JPY_SESSION_NAME", "2/2.3-survey.ipynb")
    assert repr(progress()) == "单元 2.3：练习完成 1 / 1，得 2 / 2 分"
    monkeypatch.delenv("JPY_SESSION_NAME")
    assert repr(progress()).splitlines()[0] == "单元 2.2：练习完成 0 / 1，得 0 / 2 分"
    Page(progress()._repr_html_())
    (tmp_path / "answers.json").write_text("{", "utf-8")
    assert "损坏" in repr(progress()) and "损坏" in progress()._repr_html_()


def test_progress_can_be_called_again_and_again(tmp_path, monkeypatch):
    import crmlib as crm

    monkeypatch.chdir(tmp_path)
    assert repr(crm.progress()) == repr(crm.progress()) == "这里没有练习。"


def test_progress_card_without_tasks():
    assert repr(Card({})) == "这里没有练习。"
    assert Progress().share == 0
