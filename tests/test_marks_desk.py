"""成绩册的面板：空的班级从头运行到尾不出错；按钮和命令说一样的话。"""

import json
import shutil

import nbformat
from fixtures.marks import PROJECT, Class

from autograder.marks import desk

NOTEBOOK = PROJECT / "assignments" / "gradebook.ipynb"


def test_the_notebook_runs_on_an_empty_class(tmp_path, monkeypatch, capsys):
    shutil.copy(PROJECT / "assignments" / "nbgrader_config.py", tmp_path)
    monkeypatch.chdir(tmp_path)
    nbformat.validate(nbformat.read(NOTEBOOK, 4))
    space = {}
    for cell in json.loads(NOTEBOOK.read_text("utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), space)
            assert not cell["outputs"] and "".join(cell["source"]).startswith("# ")
    assert capsys.readouterr().err == ""


def test_buttons_say_what_the_commands_say(tmp_path):
    klass = Class(tmp_path / "班 级")
    panel = desk.Panel(str(klass.folder))
    name, by = panel.text("姓名"), panel.text("方案", "kd")
    button = panel.button(
        "定方案", lambda: panel.need(name) and f"marks --scheme {by.value} --by {desk._q(name)}"
    )
    button.click()
    assert "“姓名”还没有填" in panel.said.value
    name.value = "王 <b>老师'"
    button.click()
    assert "定下来了：快递客户关系管理" in panel.said.value and "<b>" not in panel.said.value
    assert klass.state().versions[0].who == "王 <b>老师'"
    by.value = "js"
    button.click()
    assert "没有印权重" in panel.said.value and "#b71c1c" in panel.said.value
    (klass.folder / "打分表").mkdir()
    for file in ("打分表/打分-kd-A2.xlsx", "打分表/~$打分-kd-A2.xlsx", "名单.csv"):
        (klass.folder / file).write_bytes(b"x")
    assert desk.files("打分表/打分*.xlsx", folder=klass.folder) == ["打分表/打分-kd-A2.xlsx"]
    ok, said = desk.run("roster 名单.csv", str(klass.folder))
    assert not ok and "读不了" in said
