"""换数（vary）：同一道作业题，每个班的数不一样，每一行都要证明自己。"""

import pytest
from fixtures import course as fixture

from autograder import syllabus, units
from autograder.check import check_unit

VARIED = """
- id: "1.1-g9"
  kind: number
  use: graded
  title: 丢一位客户，丢多少钱
  prompt: 老周每月寄 {{n}} 件，每件收 {{price}} 元。他走了，一年少收多少？
  points: 10
  vary: [{n: 400, price: 8}, {n: 250, price: 7.5}]
  blanks:
    revenue: {title: 一年少收的运费, unit: 元}
  key: {revenue: {formula: "{{n}} * {{price}} * 12"}}
  mistakes:
    - {name: 只算了一个月, when: {revenue: {formula: "{{n}} * {{price}}"}}, hint: 问的是一年。}
"""


@pytest.fixture
def folder(tmp_path):
    return fixture.make(tmp_path) / "units" / fixture.UNIT


def write(folder, text, old="", new=""):
    path = folder / "tasks.yaml"
    assert old in text
    path.write_text(path.read_text("utf-8") + text.replace(old, new) if old else
                    path.read_text("utf-8") + text, "utf-8")


def task(folder, choose=units.first):
    return units.load(folder, choose).tasks[-1]


def test_the_first_row_is_the_course_s_own(folder):
    write(folder, VARIED)
    assert "寄 400 件，每件收 8 元" in task(folder)["prompt"]
    assert task(folder)["key"] == {"revenue": {"formula": "400 * 8 * 12"}}
    assert "vary" not in task(folder) and units.load(folder).variants == 2


def test_a_class_seed_chooses_a_row_and_always_the_same(folder):
    write(folder, VARIED)
    prompts = {seed: task(folder, units.by_seed(seed))["prompt"] for seed in "甲乙丙丁戊己"}
    assert len(set(prompts.values())) == 2
    assert prompts == {seed: task(folder, units.by_seed(seed))["prompt"] for seed in prompts}


def unproven(folder):
    plan = syllabus.load(folder.parent.parent)
    return [text for kind, text in check_unit(units.load(folder), plan) if kind == "FAIL" and "g9" in text
            and "没有用上" not in text]


def test_every_row_is_proven(folder):
    write(folder, VARIED)
    assert unproven(folder) == []


def test_a_row_in_which_a_mistake_is_right_fails(folder):
    write(folder, VARIED, '{formula: "{{n}} * {{price}}"}', "3200")
    path = folder / "tasks.yaml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("n: 250, price: 7.5", "n: 400, price: 0.666666666667"), "utf-8")
    assert ["vary 第 2 行" in text and "没有扣分" in text for text in unproven(folder)][:1] == [True]


@pytest.mark.parametrize(("old", "new", "said"), [
    ("use: graded", "use: practice", "只能用在作业题"),
    ("[{n: 400, price: 8}, {n: 250, price: 7.5}]", "[{n: 400, price: 8}]", "至少两行"),
    ("{n: 250, price: 7.5}", "{n: 250}", "名字要一样"),
    ("{n: 250, price: 7.5}", "{n: [1], price: 7.5}", "只能是数或文字"),
    ("每件收 {{price}} 元", "每件收 {{prise}} 元", "{{prise}} 在 vary 里没有值"),
    ("{n: 400, price: 8}, {n: 250, price: 7.5}", "{n: 1, price: 8, q: 2}, {n: 2, price: 7, q: 3}",
     "q 没有用上"),
])
def test_what_is_wrong_is_named(folder, old, new, said):
    write(folder, VARIED, old, new)
    with pytest.raises(units.Broken, match=r"1\.1-g9") as broken:
        units.load(folder)
    assert said in str(broken.value)
