"""crm.deliver：学生自己的答案 → 一页 Word 备忘录。"""

import json
import zipfile

import pytest

from crmlib.cli import CourseError
from crmlib.deliver import _save, deliver
from crmlib.tasks import fingerprint

docx = pytest.importorskip("docx")

TASKS = [
    {"id": "9.9-1", "kind": "write", "use": "practice", "title": "结论", "prompt": "", "min": 2, "max": 300,
     "key": "范例"},
    {"id": "9.9-2", "kind": "form", "use": "practice", "title": "外部因素", "prompt": "",
     "columns": [
         {"id": "group", "title": "类别", "type": "choose", "options": {"O": "机会", "T": "威胁"}},
         {"id": "weight", "title": "权重", "type": "number", "min": 0, "max": 1},
         {"id": "cash", "title": "占用", "type": "number", "unit": "万元"},
         {"id": "why", "title": "依据", "type": "cards",
          "cards": {"c1": {"text": "柴油涨价"}, "c2": "冷库补贴"}},
     ],
     "rows": [{"id": "e1", "title": "油价", "group": "T"}, {"id": "e2", "title": "补贴", "group": "O"}],
     "rules": [{"name": "齐", "rule": "required", "columns": ["weight", "cash", "why"]}],
     "show": [{"label": "权重合计", "sum_of": "weight", "decimals": 2}],
     "key": {"e1": {"weight": 0.6, "cash": 1, "why": ["c1"]},
             "e2": {"weight": 0.4, "cash": 2, "why": ["c2"]}}},
    {"id": "9.9-3", "kind": "choose", "use": "practice", "title": "选", "prompt": "",
     "options": {"a": "投甲", "b": "投乙"}, "key": ["a"]},
]
PARTS = [("建议", "9.9-1"), ("外部因素", "9.9-2"), ("选择", "9.9-3")]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "9.9.json").write_text(json.dumps({"format": 1, "tasks": TASKS}), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def answered(folder, *given):
    """The saved answers to 9.9-1, 9.9-2, 9.9-3; None = not answered."""
    records = {task["id"]: {"answer": answer, "task": fingerprint(task)}
               for task, answer in zip(TASKS, given, strict=False) if answer is not None}
    (folder / "answers.json").write_text(json.dumps({"format": 1, "answers": records}), encoding="utf-8")


def words(memo):
    return [p.text for p in docx.Document(memo.path).paragraphs if p.text.strip()]


def test_own_answers_in_order(folder):
    answered(folder, "投甲。\n苏北先修好。",
             {"e1": {"weight": "60%", "cash": "１，０００", "why": ["c1", "c2"]},
              "e2": {"weight": 0.35, "cash": "2.5", "why": ["c2"]}}, ["a"])
    memo = deliver("苏畅环境分析备忘录", PARTS, unit="9.9")
    assert memo.path == folder / "苏畅环境分析备忘录.docx" and memo.missing == []
    said = words(memo)
    assert said[0] == "苏畅环境分析备忘录" and said[1].endswith("单元 9.9")
    assert all(blank in said[2] for blank in ("姓名：＿", "班级：＿", "日期：＿"))
    assert said[3:] == ["建议", "投甲。", "苏北先修好。", "外部因素", "权重合计：0.95", "选择", "投甲"]
    table = docx.Document(memo.path).tables[0]
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["项目", "类别", "权重", "占用（万元）", "依据"],
        ["油价", "威胁", "0.60", "1000.0", "c1 柴油涨价\nc2 冷库补贴"],
        ["补贴", "机会", "0.35", "2.5", "c2 冷库补贴"]]


def test_chinese_fonts_and_a4(folder):
    memo = deliver("备忘录", PARTS)
    styles = zipfile.ZipFile(memo.path).read("word/styles.xml").decode()
    assert 'w:eastAsia="宋体"' in styles and 'w:eastAsia="黑体"' in styles
    page = docx.Document(memo.path).sections[0]
    assert (round(page.page_width.cm, 1), round(page.page_height.cm, 1)) == (21.0, 29.7)


def test_what_is_missing_is_said_on_paper_and_on_screen(folder):
    answered(folder, None, {"e1": {"weight": "多", "why": []}})
    memo = deliver("备忘录", PARTS)
    said = words(memo)
    assert said.count("（还没有写）") == 2 and "范例" not in "".join(said)
    assert docx.Document(memo.path).tables[0].rows[1].cells[2].text == "—"
    assert {"建议（第 9.9-1 题）：还没有做。", "选择（第 9.9-3 题）：还没有做。"} < set(memo.missing)
    assert any("“油价”" in line and "权重" in line for line in memo.missing)
    assert all(line in repr(memo) for line in memo.missing)
    assert "还没有做" in memo._repr_html_() and "download" in memo._repr_html_()


def test_never_overwrites(folder):
    (folder / "备忘录.docx").write_bytes(b"mine")
    assert deliver("备忘录", PARTS[:1]).path.name == "备忘录-2.docx"
    assert deliver("备忘录", PARTS[:1]).path.name == "备忘录-2.docx"  # 没有改动，不多写一份
    answered(folder, "改了主意")
    assert deliver("备忘录", PARTS[:1]).path.name == "备忘录-3.docx"
    assert (folder / "备忘录.docx").read_bytes() == b"mine"


@pytest.mark.parametrize("text", [
    "\x00\x07\x1b[31m红字\ud800\ufffe", "<b>&amp;</b>]]>", "长" * 19000, "a" * 9000, "\n\n\n", "😀",
])
def test_odd_text(folder, text):
    answered(folder, text)
    memo = deliver("备忘录", PARTS)
    assert zipfile.ZipFile(memo.path).testzip() is None
    body = "".join(words(memo))
    for kept in ("红字", "<b>&amp;</b>]]>", "😀"):
        assert (kept in text) == (kept in body)


@pytest.mark.parametrize(("title", "name"), [
    ("a/b\\c:d*e?\"f<g>h|i\x00j", "abcdefghij.docx"),
    ("..", "备忘录.docx"),
    ("", "备忘录.docx"),
    ("长" * 300, "长" * 60 + ".docx"),
])
def test_odd_titles(folder, title, name):
    assert deliver(title, PARTS[:1]).path.name == name


def test_wrong_shape_is_not_fatal(folder):
    for broken in ([1, 2], {"e1": 3}, 7, {"e9": {"weight": 1}}, {"e1": {"weight": {"x": 1}}}):
        answered(folder, broken, broken, broken)
        assert deliver("备忘录", PARTS).missing


def test_unknown_task_and_unwritable_folder_are_named(folder, monkeypatch):
    with pytest.raises(CourseError, match=r"9\.9-7"):
        deliver("备忘录", [("建议", "9.9-7")])

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(CourseError, match="写不了 备忘录"):
        _save(b"", "备忘录")


def test_own_figure_and_table(folder):
    import matplotlib.pyplot as plt
    import pandas as pd

    def memo(height):
        figure, axes = plt.subplots()
        axes.bar([1, 2], [3, height])
        plt.close(figure)
        table = pd.DataFrame({"片区": ["苏北", "苏南"], "人数": [120, 80]})
        return deliver("报告", [("图", figure), ("表", table), ("选择", "9.9-3")])

    answered(folder, None, None, ["a"])
    first = memo(1)
    paper = docx.Document(first.path)
    assert len(paper.inline_shapes) == 1
    assert [[c.text for c in row.cells] for row in paper.tables[0].rows] == [
        ["片区", "人数"], ["苏北", "120"], ["苏南", "80"]]
    assert memo(1).path == first.path and memo(2).path.name == "报告-2.docx"  # 图换了，就是另一份
    with pytest.raises(CourseError, match="要给题号、图或表"):
        deliver("报告", [("数", 3)])


def test_a_page_for_customers_names_no_student(folder):
    answered(folder, "用过苏畅吗？")
    signed, plain = (words(deliver(title, [("请勾选", "9.9-1")], signed=title == "备忘录"))
                     for title in ("备忘录", "问卷"))
    assert any("姓名" in line for line in signed)
    assert plain == ["问卷", "请勾选", "用过苏畅吗？"]
