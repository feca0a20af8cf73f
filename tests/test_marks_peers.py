"""自评和互评：分派公平，表里只有自己的，读回来只认该他评的。"""

import json
import shutil
import zipfile
from collections import Counter

import pytest
from fixtures.marks import AFTER, DUE, Class, answer, fill, form_of, hand_in, ids
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.marks import peers
from autograder.marks.allocate import allocate, top_up
from crmlib.cli import CourseError
from crmlib.tasks.core import score_task

A, B = ids()[:2]
GROUP = ids()[:4]


# ---- 分派 ----

def others(sizes):
    """{student: the groups that he may rate} for groups of these sizes."""
    groups = {f"g{n}": [f"g{n}s{i}" for i in range(size)] for n, size in enumerate(sizes)}
    return groups, {s: [g for g in groups if g != own] for own, members in groups.items() for s in members}


@given(st.lists(st.integers(1, 7), min_size=2, max_size=7), st.integers(1, 4), st.text(max_size=5))
@settings(deadline=None, max_examples=40)
def test_groups_are_rated_evenly_and_never_by_their_own(sizes, each, seed):
    groups, allowed = others(sizes)
    given_out = allocate(allowed, each, seed)
    load = Counter(t for targets in given_out.values() for t in targets)
    for own, members in groups.items():
        for s in members:
            assert own not in given_out[s] and set(given_out[s]) <= set(groups)
            assert len(given_out[s]) == len(set(given_out[s])) == min(each, len(groups) - 1)
    if len(set(sizes)) == 1 and len(groups) > 2:
        assert max(load.values()) - min(load[g] for g in groups) <= 1
    assert given_out == allocate(dict(reversed(allowed.items())), each, seed), "名单的次序不影响分派"


@given(st.lists(st.integers(2, 6), min_size=3, max_size=6), st.data())
@settings(deadline=None, max_examples=40)
def test_a_repair_keeps_what_was_given_out(sizes, data):
    groups, allowed = others(sizes)
    before = allocate(allowed, 2, "x")
    left = data.draw(st.sampled_from(sorted(allowed)))
    now = {s: targets for s, targets in allowed.items() if s != left}
    after = top_up(now, allocate(now, 2, "x", before), 2)
    assert left not in after and all(set(before[s]) <= set(after[s]) for s in now)
    load = Counter(t for targets in after.values() for t in targets)
    able = Counter(t for targets in now.values() for t in targets)
    assert all(load[g] >= min(2, able[g]) for g in groups)


# ---- 表 ----

@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    """A kd class of 12 in 3 groups with forms written, not handed in."""
    klass = Class(tmp_path_factory.mktemp("班") / "kd")
    klass.marks("--scheme", "kd", "--by", "王老师", "--until", "2027-01-15")
    klass.roll()
    klass.peers("new", "期末", "--due", DUE, "--date", "2026-12-20", "--seed", "秋")
    return klass


@pytest.fixture
def klass(ready, tmp_path, capsys):
    shutil.copytree(ready.folder, tmp_path / "kd")
    (tmp_path / "empty").mkdir()
    copy = Class.__new__(Class)
    copy.folder, copy.capsys = tmp_path / "kd", capsys
    capsys.readouterr()
    return copy


def test_a_form_has_only_its_owners_data(ready):
    state = ready.state()
    for who in ids():
        place, tasks = form_of(ready.folder, who)
        everything = "".join(p.read_text("utf-8") for p in place.rglob("*") if p.is_file())
        mates = state.members(state.students[who].group())
        for other in ids():
            assert (other in everything) == (other in mates), "只有自己和同组的人"
        assert [len(t["rows"]) for t in tasks.values()] == [3, 1]
        assert {r["id"] for r in tasks["rate-1"]["rows"]} == set(mates) - {who}, "从不给自己"
        tokens = [e.detail["token"] for e in state.forms.values() if e.whom != who]
        assert not any(token in everything for token in tokens), "别人的口令不在里面"
        assert sorted(p.name for p in place.rglob("*") if p.is_file()) == ["rate.json", f"{place.name}.ipynb"]


def test_a_form_is_an_ordinary_task_of_the_course(ready):
    from crmlib.tasks import faults, fingerprint, text

    _, tasks = form_of(ready.folder, A)
    task = tasks["rate-1"]
    full = {r["id"]: {"c1": "40", "c2": "３０", "c3": "25.5"} for r in task["rows"]}
    assert score_task(task, full).state == "saved" and "王芳" in text(task, full)
    assert score_task(task, {B: {"c1": "50"}}).state == "malformed"
    assert fingerprint(task) and faults({**task, "rules": [], "required": []}) == ["form 要有 rules"]


def test_marks_come_back(klass):
    for who in ids():
        hand_in(klass, who)
    assert "记下 48 个分，来自 12 名学生" in klass.peers("read", "--today", "2027-01-05")
    assert "记下 0 个分" in klass.peers("read"), "再读一次，不重复记"
    given = klass.state().ratings["kd-A4", "peer_within", "期末"]
    assert sorted(given[A]) == [i for i in GROUP if i != A] and {e.mark for e in given[A].values()} == {"80"}
    assert "发 12 人，交 12 人" in klass.peers()
    hand_in(klass, A, (40, 30, 30))
    assert "记下 4 个分，来自 1 名" in klass.peers("read"), "改了再交，按新的算"
    state = klass.state()
    assert state.ratings["kd-A4", "peer_within", "期末"][B][A].mark == "100"
    assert sum(e.what == "rating" for e in state.entries) == 52, "旧的还在记录里"


def test_a_file_sets_only_what_its_owner_may(klass):
    """A student edits his files as he likes: other names, tasks, too many points, the teacher's part."""
    place = hand_in(klass, A)
    stranger = ids()[8]
    form = json.loads((place / "tasks" / "rate.json").read_text("utf-8"))
    form["tasks"][0]["rows"].append({"id": A, "title": "我"})
    form["tasks"].append({**form["tasks"][0], "id": "kd-A8"})
    for column in form["tasks"][0]["columns"]:
        column["max"] = 10**6
    form["form"]["student"] = stranger
    (place / "tasks" / "rate.json").write_text(json.dumps(form), "utf-8")
    good = {"c1": "30", "c2": "20", "c3": "20"}
    answer(place, {"rate-1": {A: good, stranger: good, GROUP[1]: {"c1": "1000", "c2": "30", "c3": "30"},
                              GROUP[2]: {"c1": "30"}, GROUP[3]: good},
                   "rate-2": {A: good, B: good}, "kd-A8": {A: good}, "rate-9": 3})
    said = klass.peers("read")
    assert "记下 2 个分，来自 1 名学生" in said
    for words in ("多了这份表没有的题，没有读：kd-A8、rate-9", f"有不该他评的：{A}、{stranger}。没有读这几行",
                  f"“我给自己打分”里有不该他评的：{B}", "写的是“1000”，要是 0 到 40 的数", "只填了一半"):
        assert words in said
    given = {(c, k, w, e.who) for (c, k, _), whom in klass.state().ratings.items()
             for w, by in whom.items() for e in by.values()}
    assert given == {("kd-A4", "peer_within", GROUP[3], A), ("kd-A9", "self", A, A)}


def test_forms_in_wrong_hands(klass, tmp_path):
    place, _ = form_of(klass.folder, A)
    wrong = klass.folder / "submitted" / B / place.name
    shutil.copytree(place, wrong)
    answer(wrong, {"rate-2": {A: {"c1": "40", "c2": "30", "c3": "30"}}})
    assert f"放在 {B} 的文件夹里，却是 {A} 的表。没有读" in klass.peers("read")
    forged = json.loads((wrong / "tasks" / "rate.json").read_text("utf-8"))
    forged["form"] |= {"token": "0" * 16, "student": B}
    (wrong / "tasks" / "rate.json").write_text(json.dumps(forged), "utf-8")
    assert "口令对不上" in klass.peers("read")
    for broken in (b"", b"[]", b'{"form": {"token": ["x"]}}', b"{" * 5000, b'{"form": null}'):
        (wrong / "tasks" / "rate.json").write_bytes(broken)
        assert "记下 0 个分" in klass.peers("read")
    shutil.copy(place / "tasks" / "rate.json", wrong / "tasks" / "rate.json")
    (wrong / "answers.json").unlink()
    (wrong / "answers.json").symlink_to(klass.folder / "gradebook.db")
    assert "记下 0 个分" in klass.peers("read")
    assert "记下 0 个分" in klass.peers("read", tmp_path / "empty")
    with pytest.raises(CourseError, match="没有文件夹"):
        klass.peers("read", tmp_path / "没有")
    assert not klass.state().ratings


@pytest.mark.parametrize("raw", [b"", b"{", b'{"format": 1, "answers": []}', b'{"format": 9, "answers": {}}',
                                 b'{"format": 1, "answers": {"rate-1": {"answer": [1]}, "rate-2": 7}}',
                                 b'{"format": 1, "answers": {"rate-1": {"answer": {"x": 1}}}}'])
def test_damaged_answers_stop_nobody_else(klass, raw):
    place = hand_in(klass, A)
    (place / "answers.json").write_bytes(raw)
    hand_in(klass, B)
    said = klass.peers("read")
    assert "记下 4 个分，来自 1 名学生" in said and A in said


def test_zips_are_read_without_unpacking(klass):
    place = hand_in(klass, A)
    packed = klass.folder / "submitted" / f"{A}-{place.name}.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for part in place.rglob("*"):
            file.write(part, f"{place.name}/{part.relative_to(place).as_posix()}")
        file.writestr("../../escape/tasks/rate.json", "{}")
    shutil.rmtree(place.parent)
    (klass.folder / "submitted" / "坏.zip").write_bytes(b"PK\x03\x04")
    said = klass.peers("read")
    assert "记下 4 个分" in said and "坏.zip：这个 zip 打不开" in said and "读不出来" in said
    raw = bytearray(packed.read_bytes())
    start = raw.index(b"rate.json") + len(b"rate.json")
    raw[start:start + 20] = b"\xff" * 20  # 目录还在，压缩的内容坏了
    broken = packed.with_name("半坏.zip")
    broken.write_bytes(raw)
    assert "半坏.zip：这个 zip 打不开" in klass.peers("read")
    broken.unlink()
    packed.rename(packed.with_name(f"{B}-x.zip"))
    assert f"放在 {B} 的文件夹里" in klass.peers("read")


def test_people_come_move_and_leave(klass):
    hand_in(klass, A)
    klass.peers("read")
    new = ids()[11]
    klass.roster("leave", GROUP[3], "--reason", "转学", "--date", "2026-12-28")
    klass.roster("move", new, "第1组", "--date", "2026-12-28")
    assert "4 份表" in klass.peers("repair", "期末")
    _place, tasks = form_of(klass.folder, A, "期末-补2")
    assert [r["id"] for r in tasks["rate-1"]["rows"]] == [new] and list(tasks) == ["rate-1"], "只补缺的"
    _, tasks = form_of(klass.folder, new, "期末-补2")
    assert {r["id"] for r in tasks["rate-1"]["rows"]} == set(GROUP[:3])
    hand_in(klass, A, name="期末-补2")
    assert "记下 1 个分" in klass.peers("read"), "旧表交过的还算数"
    assert "没有要补的表" in klass.peers("repair", "期末")
    assert (klass.folder / "peers" / A / "互评-期末").is_dir()
    with pytest.raises(CourseError, match="没有“期中”这一轮。有：期末"):
        klass.peers("repair", "期中")
    with pytest.raises(CourseError, match="这一轮已经有了"):
        klass.peers("new", "期末")
    for name in ("../x", "a/b", " "):
        with pytest.raises(CourseError, match="不能用"):
            klass.peers("new", name)


def test_between_groups(tmp_path, capsys):
    klass = Class(tmp_path / "wl", capsys)
    klass.marks("--scheme", "wl", "--by", "王老师")
    klass.roll(8, 2)
    klass.peers("new", "项目一", "--due", DUE, "--date", "2026-12-20", "--each", "2")
    state = klass.state()
    for who in ids(8):
        _, tasks = form_of(klass.folder, who, "项目一")
        [own, them] = tasks.values()
        assert state.students[who].group() not in {r["id"] for r in them["rows"]} and len(them["rows"]) == 2
        assert all(r["title"].startswith("第") for r in them["rows"]) and own["rows"][0]["id"] == who
        hand_in(klass, who, (20, 20, 40), "项目一") if who != ids()[0] else None
    klass.peers("read")
    klass.marks("template", "wl-A4")
    table = klass.folder / "打分表" / "打分-wl-A4-项目成果-教师.xlsx"
    klass.marks("read", fill(table, {g: [20, 25, 40] for g in klass.state().groups()}))
    with klass.open() as found:
        from autograder.marks.facts import Facts

        marks = Facts(found.state, AFTER).marks()
    by_group = {}
    for who, mark in marks.items():
        by_group.setdefault(state.students[who].group(), set()).add(mark.component("wl-A4")[1:])
    assert all(len(points) == 1 for points in by_group.values()), "组里每个人一样"
    assert {low for points in by_group.values() for low, _ in points} == {
        peers.typed("0.4") * (peers.typed("0.4") * 80 + peers.typed("0.6") * 85)}
    with pytest.raises(CourseError, match="没有要学生评的分项（组内互评）"):
        klass.peers("new", "再来", "--kinds", "组内互评")
