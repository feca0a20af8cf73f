"""crm build：生成的东西只由 units/ 决定；谁过期、缺少、多余，--check 点名。"""

import json
import re

import nbformat
import pytest
from fixtures.course import PROJECT, UNIT, edit, make
from nbgrader.nbgraderformat import MetadataValidator

from autograder import build, units
from crmlib.cli import CourseError, main
from crmlib.tasks import decode_task, read_tasks

NOTEBOOK = f"notebooks/1/{UNIT}.ipynb"
SOURCE = f"assignments/source/{UNIT}/{UNIT}.ipynb"


@pytest.fixture
def course(tmp_path, monkeypatch):
    monkeypatch.setenv("CRM_COURSE", str(tmp_path))
    return make(tmp_path)


def cells(root, name):
    return nbformat.read(root / name, as_version=4).cells


def test_what_is_committed_is_up_to_date():
    assert build.compare(PROJECT, build.outputs(PROJECT)) == []


def test_a_rebuild_changes_no_byte(course, capsys):
    assert main(["build"]) == 0
    first = {p: p.read_bytes() for p in course.rglob("*") if p.is_file()}
    assert main(["build"]) == 0
    assert {p: p.read_bytes() for p in course.rglob("*") if p.is_file()} == first
    assert main(["build", "--check"]) == 0
    assert "[OK] 生成的 7 个文件都是最新的" in capsys.readouterr().out


def test_check_names_stale_missing_and_extra_files(course, capsys):
    main(["build"])
    (course / NOTEBOOK).write_text("{}")
    (course / "notebooks/course.json").unlink()
    (course / "notebooks/1/9.9-old.ipynb").write_text("{}")
    (course / f"assignments/source/{UNIT}/answers.json").write_text("{}")
    capsys.readouterr()
    assert main(["build", "--check"]) == 1
    told = capsys.readouterr().out.splitlines()
    assert told == [
        f"[FAIL] {NOTEBOOK} 过期了，或者被手改过；改 units/ 里的源头，再运行 crm build",
        "[FAIL] notebooks/course.json 还没有生成；运行 crm build",
        f"[FAIL] assignments/source/{UNIT}/answers.json 不是由 units/ 生成的；删掉它",
        "[FAIL] notebooks/1/9.9-old.ipynb 不是由 units/ 生成的；删掉它"]
    assert not (course / "notebooks/course.json").exists(), "--check 不许写文件"


def test_windows_line_ends_are_not_stale(course):
    files = build.outputs(course)
    build.write(course, {name: content.replace(b"\n", b"\r\n") for name, content in files.items()})
    assert build.compare(course, files) == []


def test_a_change_in_one_unit_makes_just_its_files_stale(course):
    build.write(course, build.outputs(course))
    edit(course / "units" / UNIT / "lesson.md", "谁付钱？", "谁付运费？")
    stale = build.compare(course, build.outputs(course))
    assert len(stale) == 1 and stale[0].startswith(NOTEBOOK)


def test_a_new_unit_is_a_new_folder_and_nothing_else(course):
    new = course / "units" / "1.2-crm-concepts"
    (course / "units" / UNIT).rename(new)
    make_again = [("1.1", "1.2"), ("know-your-customer", "crm-concepts")]
    for path in new.iterdir():
        text = path.read_text("utf-8")
        for old, right in make_again:
            text = text.replace(old, right)
        path.write_text(text, "utf-8")
    assert f"notebooks/1/{new.name}.ipynb" in build.outputs(course)


def test_lesson_notebook(course):
    main(["build"])
    nb = nbformat.read(course / NOTEBOOK, as_version=4)
    nbformat.validate(nb)
    assert nb.metadata.crm == {"unit": "1.1", "autorun": True}
    assert nb.metadata.kernelspec.name == "python3"
    code = [c for c in nb.cells if c.cell_type == "code"]
    assert all(c.metadata.jupyter.source_hidden and not c.outputs for c in code)
    assert code[1].metadata.tags == ["demo"]
    assert len({c.id for c in nb.cells}) == len(nb.cells)
    practice = read_tasks(course / "notebooks/1/tasks/1.1.json")
    assert list(practice) == ["1.1-1", "1.1-2"] and practice["1.1-2"]["key"] == ["a"]
    assert practice["1.1-1"]["cards"] == {"p1": {"text": "发货人", "note": "合同"},
                                          "p2": {"text": "路人", "note": "街上"}}


def test_cell_ids_stay_when_another_cell_changes(course):
    main(["build"])
    before = {c.id: c.source for c in cells(course, NOTEBOOK)}
    edit(course / "units" / UNIT / "lesson.md", "# 认识客户\n", "# 认识客户\n\n新的一段。\n")
    main(["build"])
    after = {c.id: c.source for c in cells(course, NOTEBOOK)}
    assert len(after.items() - before.items()) == 1


def test_assignment_notebook_is_sound_for_nbgrader(course):
    main(["build"])
    nb = nbformat.read(course / SOURCE, as_version=4)
    MetadataValidator().validate_nb(nb)
    marked = {c.metadata.nbgrader.grade_id: c for c in nb.cells if "nbgrader" in c.metadata}
    assert list(marked) == ["t-1-1-g1", "t-1-1-g2", "t-1-1-g3-code", "t-1-1-g3", "t-1-1-g4"]
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name) for name in marked)
    assert {n: c.metadata.nbgrader.get("points") for n, c in marked.items()} == {
        "t-1-1-g1": 40, "t-1-1-g2": 20, "t-1-1-g3-code": None, "t-1-1-g3": 30, "t-1-1-g4": 10}
    assert marked["t-1-1-g4"].metadata.nbgrader.task and marked["t-1-1-g4"].cell_type == "markdown"
    for cell in nb.cells:  # 只有写代码的那一格可以改、可以删
        own = cell.metadata.get("nbgrader", {}).get("solution", False)
        assert cell.metadata.get("editable", True) == own == cell.metadata.get("deletable", True)
    sources = [c.source for c in nb.cells]
    at = sources.index(marked["t-1-1-g3-code"].source)
    assert sources[at - 1].startswith("算出两个数的和") and 'crm.task("1.1-g3")' not in "".join(sources)
    assert 'crm.handed("1.1-g3")' in sources[at + 1] and "crm.handed" not in marked["t-1-1-g1"].source
    blob = re.search(r'crm\.score\("1.1-g3", "([^"]+)", globals\(\)\)', marked["t-1-1-g3"].source)[1]
    assert decode_task(blob)["key"] == {"total": 42, "mean": 21.0}, "key 由 solution 算出来"


def test_public_tasks_have_no_keys(course):
    main(["build"])
    text = (course / f"assignments/source/{UNIT}/tasks/1.1.json").read_text("utf-8")
    assert json.loads(text)["tasks"][0].keys() == {"id", "kind", "use", "title", "prompt", "points", "covers",
                                                   "bins", "cards"}
    for secret in ("邻居和这家公司", "发货和收货的人都", "加起来是 1.3", "first + second", "换一家物流公司"):
        assert secret not in text


def test_course_map(course):
    main(["build"])
    course_map = json.loads((course / "notebooks/course.json").read_text("utf-8"))
    module = course_map["modules"][0]
    assert module["units"] == [{
        "id": "1.1", "title": "认识客户", "path": f"1/{UNIT}.ipynb", "question": "谁是这家公司的客户？",
        "hours": {"js": 2, "kd": 6}, "tasks": ["1.1-1", "1.1-2"], "points": {"1.1-1": 2, "1.1-2": 1}}]
    assert [u["id"] for u in module["planned"]] == ["1.2", "1.3"]
    assert course_map["routes"]["js"]["units"][0] == "1.1"


@pytest.mark.parametrize(("file", "old", "new", "told"), [
    ("tasks.yaml", 'id: "1.1-2"', 'id: "1.1-1"', "编号重复，第 1 行已经用过"),
    ("tasks.yaml", "kind: choose", "kind: chose", "“chose”不行，只能是：choose、classify"),
    ("tasks.yaml", "prompt: 谁付钱？", "promt: 谁付钱？", "没有“promt”这个写法，是不是想写“prompt”"),
    ("tasks.yaml", "  options: {a: 发货人, b: 路人}\n", "", "缺少 options"),
    ("tasks.yaml", "key: [a]", "key: a", "要写成列表"),
    ("tasks.yaml", "key: {p1: c, p2: [n]}", "key: {p1: 1, p2: [n]}", "写一个格子的编号"),
    ("tasks.yaml", "points: 40", "points: 四十", "要写成数字，现在是 \"四十\""),
    ("tasks.yaml", "  points: 40\n", "", "缺少 points"),
    ("tasks.yaml", 'id: "1.1-g1"', 'id: "1.1-7"', "作业题（use: graded）的编号以“1.1-g”开头"),
    ("tasks.yaml", 'id: "1.1-2"', 'id: "2.1-2"', "编号要以“1.1-”开头"),
    ("tasks.yaml", "table: toy", "table: toys", "找不到数据表 datasets/toys.csv"),
    ("tasks.yaml", "text: 内容", "text: 正文", "没有“正文”这一列，有的是：编号、内容、来源"),
    ("tasks.yaml", "ids: [p1, p2]", "ids: [p1, p9]", "没有这些卡片：p9"),
    ("tasks.yaml", "explain: 付钱的是客户。", "explain: 付钱的是: 客户。", "一行里有两个“: ”"),
    ("tasks.yaml", "  title: 选一个", "\ttitle: 选一个", "用了 Tab 键缩进"),
    ("tasks.yaml", "p1: c, p2: [n]", "p1: c, p1: n", "“p1”写了两次"),
    ("tasks.yaml", "total = first + second", "total = frist + second", "solution 运行出错：NameError"),
    ("lesson.md", 'id: "1.1"', "id: 1.1", "id 的写法不对，要加引号"),
    ("lesson.md", "question: 谁是这家公司的客户？\n", "", "缺少 question"),
    ("lesson.md", "slug: know-your-customer", "slug: customer", "应当是“know-your-customer”"),
    ("lesson.md", "objectives: [能分清客户和用户]", "objectives: [能分清", "YAML 格式不对"),
    ("lesson.md", "---\n# 认识客户", "# 认识客户", "开头要有两行 ---"),
])
def test_bad_input_is_named_with_file_place_and_remedy(course, capsys, file, old, new, told):
    edit(course / "units" / UNIT / file, old, new)
    assert main(["build"]) == 1
    said = capsys.readouterr().err
    assert told in said and f"units/{UNIT}/{file}" in said and "Traceback" not in said
    if file == "tasks.yaml":
        assert re.search(r"tasks\.yaml 第 \d+ 行", said)
    assert not (course / "notebooks").exists(), "有错就一个文件也不写"


def test_every_fault_is_told_at_once(course):
    edit(course / "units" / UNIT / "tasks.yaml", "kind: choose", "kind: chose")
    edit(course / "units" / UNIT / "tasks.yaml", "points: 40", "points: 0")
    edit(course / "units" / UNIT / "lesson.md", "title: 认识客户\n", "")
    with pytest.raises(CourseError) as fault:
        build.outputs(course)
    assert len(str(fault.value).splitlines()) == 4


def test_missing_and_odd_files(course):
    folder = course / "units" / UNIT
    (folder / "tasks.yaml").write_text("", "utf-8")
    with pytest.raises(units.Broken, match="一道题也没有"):
        units.load(folder)
    (folder / "tasks.yaml").write_text("只有一句话", "utf-8")
    with pytest.raises(units.Broken, match="要写成题目的列表"):
        units.load(folder)
    (folder / "tasks.yaml").write_bytes("- id: 题".encode("gbk"))
    with pytest.raises(units.Broken, match="不是 UTF-8 编码"):
        units.load(folder)
    (folder / "tasks.yaml").unlink()
    with pytest.raises(units.Broken, match="没有这个文件"):
        units.load(folder)
    odd = folder.rename(folder.parent / "一单元")
    with pytest.raises(units.Broken, match="文件夹要叫"):
        units.load(odd)
    with pytest.raises(CourseError, match="没有单元“9"):
        units.find(course, ["9.9"])


def test_units_sort_like_numbers(tmp_path):
    for name in ("2.10-b", "2.2-a", "10.1-c", ".git", "_draft"):
        (tmp_path / "units" / name).mkdir(parents=True)
    assert [p.name for p in units.folders(tmp_path)] == ["2.2-a", "2.10-b", "10.1-c"]
