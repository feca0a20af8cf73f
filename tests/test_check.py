"""crm check：每一种写错的单元，都要有一条说得清楚的 [FAIL]；每道题要证明自己。"""

import pytest
import yaml
from fixtures.course import UNIT, edit, make

from autograder import check, syllabus, units
from crmlib.cli import main


@pytest.fixture
def course(tmp_path, monkeypatch):
    monkeypatch.setenv("CRM_COURSE", str(tmp_path))
    return make(tmp_path)


@pytest.fixture
def tasks():
    """The fixture's tasks by id, free to spoil."""
    text = (units.Path(__file__).parent / "fixtures" / "units" / UNIT / "tasks.yaml").read_text("utf-8")
    return {t["id"]: t for t in yaml.safe_load(text)}


def failures(course):
    told = check.check_unit(units.load(course / "units" / UNIT), syllabus.load(course))
    return [text for kind, text in told if kind == "FAIL"]


def test_a_sound_unit_passes(course, capsys):
    assert main(["check"]) == 0
    out = capsys.readouterr().out
    assert f"== {UNIT}" in out and "[FAIL]" not in out and "全部通过。" in out
    assert "[OK] 每道题的证明" in out and "[OK] 学生版里没有答案" in out
    assert main(["check", "1.1"]) == 0
    assert main(["check", "9.9"]) == 1
    assert main(["check", "--all"]) == 2


def test_an_unreadable_unit_fails_without_a_traceback(course, capsys):
    edit(course / "units" / UNIT / "tasks.yaml", "kind: choose", "kind: chose")
    assert main(["check"]) == 1
    out = capsys.readouterr()
    assert "[FAIL] units/1.1-know-your-customer/tasks.yaml 第 16 行，任务 1.1-2：kind：“chose”不行" in out.out
    assert "Traceback" not in out.out + out.err


@pytest.mark.parametrize(("file", "old", "new", "told"), [
    ("tasks.yaml", "key: {p1: c, p2: [n]}", "key: {p1: c, p2: [x]}", "格子“x”不存在"),
    ("tasks.yaml", "key: {p1: c, p2: [n]}", "key: {p1: c, p3: n}", "卡片“p3”不存在"),
    ("tasks.yaml", "key: [a]", "key: [z]", "“z”不是选项"),
    ("tasks.yaml", "when: {p2: c}", "when: {p9: c}", "卡片“p9”不存在"),
    ("tasks.yaml", "when: {p2: c}", "when: {p2: n}", "已知错误“路人当客户”没有扣分"),
    ("tasks.yaml", "when: {r1: {weight: 0.9}}", "when: {r1: {weight: 9}}", "要在 0 到 1 之间"),
    ("tasks.yaml", "when: {r1: {weight: 0.9}}", "when: {r1: {who: 老客户}}",
     "已知错误“合计超过一”没有扣分"),
    ("tasks.yaml", "r2: {who: 收货的商店, weight: 0.4}", "r2: {who: 收货的商店, weight: 0.3}",
     "标准答案只得 10/20 分"),
    ("tasks.yaml", "  tolerance: {abs: 0.01}", "  key: {total: 41, mean: 21}",
     "solution 算出来的和 key 不一样"),
    ("tasks.yaml", "criterion: 理由, points: 10", "criterion: 理由, points: 9",
     "rubric 的分加起来是 9，points 是 10"),
    ("tasks.yaml", "  min: 8", "  min: 50", "参考答案自己都不合格"),
    ("tasks.yaml", "points: 40", "points: 30", "作业题的分加起来是 90，应当是 100"),
    ("tasks.yaml", "prompt: 把四张卡放进格子。", "prompt: 邻居和这家公司有来往吗？",
     "学生版里能看到“邻居和这家公司"),
    ("assignment.md", "第一题。", "发货和收货的人都在和公司来往。", "学生版里能看到“发货和收货的人"),
    ("assignment.md", "第一题。", "收货人不满意，发货人就会换一家物流公司。",
     "任务 1.1-g4：学生版里能看到"),
    ("assignment.md", 'crm.task("1.1-g4")', 'crm.task("1.1-g3")', "没有用上第 1.1-g4 题"),
    ("assignment.md", 'crm.task("1.1-g4")', 'crm.task("1.1-1")', "不能放在这里"),
    ("assignment.md", '# 第 4 题\n', '# 第 4 题\ncrm.task("1.1-g2")\n', 'crm.task("1.1-g2") 出现了 2 次'),
    ("lesson.md", 'crm.task("1.1-2")', 'crm.task("1.1-3")', "tasks.yaml 里没有这道题"),
    ("lesson.md", 'crm.task("1.1-2")', 'crm.load("toys")', "数据字典里没有这张表，有的是：toy、玩具表"),
    ("lesson.md", "# 选一选\n", "# choose\n", "代码单元格要以一行中文注释开头：# choose"),
    ("lesson.md", "# 选一选\n", "# 选一选\n" + "x = 1\n" * 9, "90% 不超过 11 行"),
    ("lesson.md", "谁付钱？", "```{note}\n谁付钱？\n```", "JupyterLab 不认识 ```{note}"),
    ("lesson.md", "covers: [js-1.1-1a, kd-1.1-1]", "covers: [js-1.1-1a, kd-1.1-9]",
     "kd-1.1-9 在 syllabus 里查不到"),
    ("tasks.yaml", "points: 2\n  covers: [js-1.1-1a]", "points: 2\n  covers: [js-2.2-1a]",
     "js-2.2-1a lesson.md 的 covers 里没有它"),
    ("lesson.md", "title: 认识客户\n", "title: 认识顾客\n", "应当和 syllabus 一样：认识客户"),
    ("lesson.md", "hours: {js: 2, kd: 6}", "hours: {js: 3}", "应当和 syllabus 一样：{js: 2, kd: 6}"),
])
def test_each_fault_is_found(course, file, old, new, told):
    edit(course / "units" / UNIT / file, old, new)
    found = failures(course)
    assert any(told in text for text in found), found
    assert all(f"units/{UNIT}" in text or "个代码单元格" in text for text in found)


def test_missing_files_and_tables(course):
    folder = course / "units" / UNIT
    (folder / "teach.md").unlink()
    (folder / "assignment.md").unlink()
    edit(folder / "lesson.md", 'crm.task("1.1-2")', 'crm.task("1.1-2"); crm.load("玩具表")')
    tables = folder / "tasks.yaml"
    edit(tables, "{table: toy, ids: [p1, p2], text: 内容, note: 来源}", "{p1: 发货人, p2: 路人}")
    (course / "datasets" / "toy.csv").unlink()
    found = "\n".join(failures(course))
    assert "没有教案" in found and "可是 tasks.yaml 里有作业题 1.1-g1、" in found
    assert "找不到 datasets/toy.csv；运行 crm data 生成它" in found


def test_long_reads_are_noticed_but_do_not_fail(course):
    edit(course / "units" / UNIT / "lesson.md", "谁付钱？", "谁付钱？" * 80)
    told = check.check_unit(units.load(course / "units" / UNIT), syllabus.load(course))
    assert [t for k, t in told if k == "注意" and "连着 240 个字" in t] == []
    edit(course / "units" / UNIT / "lesson.md", "谁付钱？" * 80, "谁付钱呢？" * 80)
    told = check.check_unit(units.load(course / "units" / UNIT), syllabus.load(course))
    assert [t for k, t in told if k == "注意" and "连着 320 个字" in t] and not failures(course)


def test_proofs_find_a_form_that_pays_for_nothing(tasks):
    form = tasks["1.1-g2"]
    assert check.proofs(form) == []
    given = dict(form, rows=[{"id": "r1", "weight": 0.6}, {"id": "r2", "weight": 0.4}],
                 key={"r1": {"who": "发货的厂家"}, "r2": {"who": "收货的商店"}}, mistakes=[])
    assert [t for t in check.proofs(given) if "空答案" in t and "得了 10 分，应当是 0 分" in t]


def test_proofs_want_exactly_the_own_hint(tasks):
    task = tasks["1.1-g1"]
    task["mistakes"].append({"name": "两张都错", "when": {"k4": "c", "k2": "c"}, "hint": "再看路人。"})
    told = check.proofs(task)
    assert len(told) == 1 and told[0].startswith("已知错误“两张都错”应当只显示它自己的提示，实际显示：邻居")


def test_coverage_counts_only_what_is_taught_and_proven(course, capsys):
    assert main(["coverage"]) == 0
    out = capsys.readouterr().out
    assert "（js）：197 条，教了 1 条，验了 1 条" in out and "（wl）：360 条，教了 0 条" in out
    assert "计划 64 个，做完 1 个" in out
    edit(course / "units" / UNIT / "lesson.md", "covers: [js-1.1-1a, kd-1.1-1]",
         "covers: [js-1.1-1a, kd-1.1-1, js-1.1-1b]")
    main(["coverage"])
    assert "（js）：197 条，教了 2 条，验了 1 条" in capsys.readouterr().out
    edit(course / "units" / UNIT / "tasks.yaml", "  key: [a]\n", "")  # 成了投票；kd-1.1-1 还有 g3、g4
    main(["coverage"])
    assert "（kd）：239 条，教了 1 条，验了 1 条" in capsys.readouterr().out
    edit(course / "units" / UNIT / "tasks.yaml", "  covers: [kd-1.1-1]\n  min: 8", "  min: 8")
    edit(course / "units" / UNIT / "tasks.yaml", "  covers: [kd-1.1-1]\n  names", "  names")
    main(["coverage"])
    assert "（kd）：239 条，教了 1 条，验了 0 条" in capsys.readouterr().out, "只剩投票，不算验了"
    (course / "units" / UNIT / "teach.md").unlink()
    main(["coverage"])
    out = capsys.readouterr().out
    assert "（js）：197 条，教了 0 条，验了 0 条" in out
    assert f"[注意] {UNIT} 还没有通过 crm check，没有算进去" in out
