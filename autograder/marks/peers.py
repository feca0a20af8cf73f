"""自评和互评的表：每个学生一个文件夹，里面是一份小笔记本和一份题目文件，只有他自己的题、他该评的人。

学生像交作业一样交回来。读的时候不信学生的题目文件：该评谁、满分几分，按发表时的记录重新生成，
文件里多出来的名字、别的分项、超出的分，一概不读，并且说出来。每份表有一个口令，只写在他自己的表里；
口令对不上、放在别人文件夹里的表不收。（拿到别人整个文件夹的人，可以冒充他填表：文件夹要自己保管。）
"""

import hashlib
import io
import json
import secrets
import shutil
import tempfile
import zipfile
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from autograder.classroom.unpack import Refused, read
from autograder.marks.allocate import allocate, top_up
from autograder.marks.exact import plain, typed
from autograder.marks.schemes import KINDS, PEERS
from autograder.marks.state import State
from autograder.marks.store import Entry
from crmlib.cli import CourseError
from crmlib.tasks import answers, public
from crmlib.tasks.core import TaskError, alien

STUDENTS_RATE = ("self", *PEERS)
_FILE_LIMIT, _ALL = 2_000_000, 10_000
_SAY = "say"


# ---- 分派 ----

def new_round(state: State, name: str, *, kinds=(), each: int = 3, due: str = "", seed: str = "", day: str,
              by: str = "老师", title: str = "") -> tuple[list[Entry], list[str]]:
    """(entries of a round with a form for every student, what to tell). Without a seed, one is drawn."""
    if name in state.rounds:
        raise CourseError(f"“{name}”这一轮已经有了。换一个名字；有人变动就用 crm class peers repair {name}。")
    if not name.strip() or any(c in '\\/:*?"<>|.' for c in name) or len(name) > 30:
        raise CourseError(f"轮次的名字“{name}”不能用：它也是文件夹的名字，写“期中”“项目一”这样，不超过 30 "
                          f"个字。")
    wanted = kinds or STUDENTS_RATE
    parts = [(c, k) for c in state.scheme.components for k, share in c.split.items()
             if share and k in STUDENTS_RATE and k in wanted]
    if not parts:
        raise CourseError(
            "这个方案里没有要学生评的分项"
            + (f"（{'、'.join(KINDS[k] for k in kinds)}）" if kinds else "")
            + "。"
        )
    if not state.present:
        raise CourseError("名单还是空的。先导入名单：crm class roster 名单.xlsx")
    detail = {"due": due, "date": day, "seed": seed or secrets.token_hex(4), "each": each, "title": title,
              "parts": [[c.id, k] for c, k in parts]}
    made = [Entry("round", by, item=name, scheme=state.scheme.version, detail=detail)]
    made += [Entry("item", by, k, component=c.id, kind=k, item=name, scheme=state.scheme.version,
                   detail={"source": "rating", "due": due, "date": day}) for c, k in parts]
    plan, told = _plan(state, name, detail, {}, {})
    return made + _forms(state, name, plan, by, 1), told


def repair(state: State, name: str, day: str, by: str = "老师") -> tuple[list[Entry], list[str]]:
    """(extra forms for what is missing since people came, moved or left; what to tell). Old ones stay."""
    if name not in state.rounds:
        have = "、".join(state.rounds) or "（还没有）"
        raise CourseError(f"没有“{name}”这一轮。有：{have}")
    detail, kept, number, given = state.rounds[name], {}, 1, {}
    for e in (e for e in state.forms.values() if e.item == name):
        number = max(number, e.detail["number"])
        for part in e.detail["parts"]:
            kept.setdefault((part["component"], part["kind"]), {}).setdefault(e.whom, []).extend(
                part["targets"]
            )
    for (c, k, item), whom in state.ratings.items():
        if item == name:
            for target, by_rater in whom.items():
                gone = [r for r in by_rater if state.students[r].left]
                given.setdefault((c, k), {})[target] = len(gone)
    plan, told = _plan(state, name, {**detail, "date": day}, kept, given)
    for part, choice in plan.items():
        before = kept.get(part, {})
        plan[part] = {r: [t for t in targets if t not in before.get(r, ())] for r, targets in choice.items()}
    return _forms(state, name, plan, by, number + 1), told


def _plan(state, name, detail, kept, given):
    """({(component, kind): {rater: targets}}, what to tell)."""
    day, told, plan = "9999", [], {}
    groups = state.groups(day)
    klass = {s.id: s.klass for s in state.present}
    homes = {g: {klass[i] for i in ids} for g, ids in groups.items()}
    ids = list(klass)
    loose = [state.students[i].name for i in ids if not state.students[i].group(day)]
    peer = any(k in PEERS for _, k in detail["parts"])
    if peer and loose:
        told.append(f"还没有小组，没有发互评：{'、'.join(loose[:20])}。")
    small = [g for g, members in groups.items() if len(members) <= state.scheme.least]
    if small and any(k == "peer_within" for _, k in detail["parts"]):
        told.append(f"人太少，组内互评凑不够 {state.scheme.least} 个人评：{'、'.join(small)}。"
                    f"这一项要由你决定怎么办。")
    for component, kind in detail["parts"]:
        allowed = {}
        for i in ids:
            own = state.students[i].group(day)
            if kind == "self":
                allowed[i] = [i]
            elif own and kind == "peer_within":
                allowed[i] = [m for m in groups[own] if m != i]
            elif own:
                allowed[i] = [g for g in groups if g != own and klass[i] in homes[g]]
        each = _ALL if kind != "peer_between" else detail["each"]
        seed = f"{detail['seed']} {name} {component} {kind}"
        choice = allocate(allowed, each, seed, kept.get((component, kind)))
        if kind == "peer_between":
            choice = top_up(allowed, choice, state.scheme.least, given.get((component, kind)))
            if len(groups) < 2:
                told.append("只有一个小组，没有别的组可以评。")
        plan[component, kind] = choice
    return plan, told


def _forms(state, name, plan, by, number) -> list[Entry]:
    made = []
    for who in sorted({r for choice in plan.values() for r in choice}):
        parts = [{"component": c, "kind": k, "targets": choice[who]}
                 for (c, k), choice in plan.items() if choice.get(who)]
        if parts:
            made.append(Entry("form", by, whom=who, item=name, scheme=state.scheme.version,
                              detail={"token": secrets.token_hex(8), "number": number, "parts": parts}))
    return made


# ---- 写表 ----

def folder_name(form: Entry) -> str:
    extra = "" if form.detail["number"] == 1 else f"-补{form.detail['number']}"
    return f"互评-{form.item}{extra}"


def tasks(state: State, form: Entry) -> list[dict]:
    """The tables of one student's form: a row for each whom he rates, a column for each criterion."""
    made = []
    for number, part in enumerate(form.detail["parts"], 1):
        component, kind = state.scheme.component(part["component"]), part["kind"]
        criteria = component.criteria(kind)
        columns = [{"id": f"c{n}", "title": f"{c['name']}（0–{c['points']}）", "type": "number",
                    "min": 0, "max": c["points"]} for n, c in enumerate(criteria, 1)]
        columns.append({"id": _SAY, "title": "说明一件具体的事", "type": "long", "optional": True})
        rows = [{"id": t, "title": _called(state, form, t, kind)} for t in part["targets"]]
        made.append(
            public(
                {
                    "id": f"rate-{number}",
                    "kind": "form",
                    "use": "graded",
                    "points": 100,
                    "title": {
                        "self": _about_me(component),
                        "peer_within": f"我给同组的同学打分：{component.name}",
                        "peer_between": f"我给别的小组打分：{component.name}",
                    }[kind],
                    "prompt": _prompt(component, kind, criteria, len(rows)),
                    "columns": columns,
                    "rows": rows,
                    "show": [
                        {
                            "label": "我的总分",
                            "sum_of": " + ".join(c["id"] for c in columns[:-1]),
                            "decimals": 1,
                        }
                    ]
                    if kind == "self"
                    else [],
                    "rules": [],
                }
            )
        )
    return made


def _about_me(component) -> str:
    return "我给自己打分" if component.name == "学生" else f"我给自己打分：{component.name}"


def _called(state, form, target, kind) -> str:
    if kind == "peer_between":
        klass = state.students[form.whom].klass
        return target.removeprefix(f"{klass} ") if klass else target
    return "我自己" if kind == "self" else state.students[target].name


def _prompt(component, kind, criteria, count) -> str:
    lead = {"self": "按你自己这个学期做到的打分。老师也会打，分差太大时会找你谈。",
            "peer_within": f"同组的 {count} 位同学，每人一行。想他做过的事，不想关系好不好。",
            "peer_between": f"别的 {count} 个小组，每组一行。评的是他们的成果，不是人。"}[kind]
    after = {"self": "", "peer_within": "同学只看得到大家给他的平均分，看不到你打了几分。",
             "peer_between": "那个小组只看得到平均分，看不到你打了几分。"}[kind]
    table = "\n".join(f"| {c['name']} | {c['points']} | {c['good']} | {c['poor']} |" for c in criteria)
    return (f"{lead}{after}\n\n| 看什么 | 满分 | 满分的样子 | 低分的样子 |\n|---|---|---|---|\n{table}")


def write(state: State, form: Entry, out: Path) -> Path:
    """Write one student's folder ``out/<id>/互评-<round>/``; what stands there already is left as it is."""
    place = out / form.whom / folder_name(form)
    if place.exists():
        return place
    student, round_ = state.students[form.whom], state.rounds[form.item]
    made = tasks(state, form)
    content = {"format": 1, "assignment": place.name, "tasks": made,
               "form": {"round": form.item, "student": form.whom, "token": form.detail["token"]}}
    half = place.with_name(f".{place.name}")  # 写全了再改名：断了电，下次重写
    try:
        shutil.rmtree(half, ignore_errors=True)
        (half / "tasks").mkdir(parents=True)
        packed = json.dumps(content, ensure_ascii=False, indent=1)
        (half / "tasks" / "rate.json").write_text(packed, "utf-8", newline="\n")
        (half / f"{place.name}.ipynb").write_bytes(_notebook(student, form, round_, made))
        half.rename(place)
    except OSError as fault:
        raise CourseError(f"写不了 {place}（{fault.strerror}）。") from None
    return place


def _notebook(student, form, round_, made) -> bytes:
    due = f"\n- **{round_['due']}** 以前交。" if round_.get("due") else ""
    cells = [("markdown", f"# {escape(round_.get('title') or f'自评和互评：{form.item}')}\n\n"
              f"这份表是 **{escape(student.name)}**（{student.id}）的，只有你能填。{due}\n"
              "- 填在表里就自动保存，改到满意为止。\n"
              "- 不想评的人可以整行空着：空着不等于零分。\n"
              "- 填完，在最下面打包，把 zip 交给老师。"),
             ("code", "# 打开课程工具\nimport crmlib as crm\ncrm.setup()")]
    for task in made:
        cells += [("markdown", f"## {task['title']}"), ("code", f"# {task['title']}\ncrm.task(\"{task['id']}"
                                                                f"\")")]
    cells += [("markdown", "## 交上去\n\n全部填完，再点下面的按钮。"),
              ("code", "# 交上去：检查一遍，打成 zip\ncrm.hand_in()")]
    book = {"cells": [], "nbformat": 4, "nbformat_minor": 5, "metadata": {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"}, "crm": {"unit": "rate", "autorun": True}}}
    for number, (kind, source) in enumerate(cells):
        cell = {"cell_type": kind, "id": f"rate-{number}", "source": source,
                "metadata": {"editable": False, "deletable": False}}
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
            cell["metadata"]["jupyter"] = {"source_hidden": True}
        book["cells"].append(cell)
    return (json.dumps(book, ensure_ascii=False, indent=1) + "\n").encode()


# ---- 读回来 ----

@dataclass
class Handed:
    """One form that came back: where from, its raw files; ``owner`` and ``records`` once they are known."""

    where: str
    form: bytes
    answers: bytes
    names: set = field(default_factory=set)
    owner: Entry | None = None
    records: dict = field(default_factory=dict)


def read_back(state: State, folder: Path) -> tuple[list[Entry], list[str]]:
    """(new ratings, what to tell) from a folder of forms handed in: folders or zips, at any depth."""
    if not folder.is_dir():
        raise CourseError(f"没有文件夹 {folder}。写收来的表在哪里，例如 submitted。")
    told, found = [], []
    for handed in _collect(folder, told):
        if wrong := _identify(state, handed):
            told.append(f"{handed.where}：{wrong}")
        else:
            found.append(handed)
    newest: dict[str, Handed] = {}
    for handed in sorted(found, key=lambda h: (_saved(h.records), h.where)):
        token = handed.owner.detail["token"]
        if token in newest:
            told.append(f"{handed.owner.whom} 交了不止一份，用最后保存的：{handed.where}")
        newest[token] = handed
    if not newest and not told:
        told.append(f"{folder} 里没有找到自评、互评的表（tasks/rate.json）。")
    made = []
    for handed in sorted(newest.values(), key=lambda h: h.where):
        entries, said = _ratings(state, handed)
        made += entries
        told += [f"{handed.owner.whom} {state.students[handed.owner.whom].name}：{line}" for line in said]
    return made, told


def _collect(folder, told):
    for path in sorted(folder.rglob("rate.json")):
        place = path.parent.parent
        if path.parent.name != "tasks" or _linked(path, folder) or _linked(place / answers.NAME, folder):
            continue
        where = place.relative_to(folder).as_posix()
        try:
            files = [p.read_bytes() if p.is_file() and p.stat().st_size <= _FILE_LIMIT else b""
                     for p in (path, place / answers.NAME)]
        except OSError as fault:
            told.append(f"{where}：读不了（{fault.strerror}）。")
            continue
        yield Handed(where, *files, names=set(place.relative_to(folder).parts) | {folder.name})
    for path in sorted(folder.rglob("*.zip")):
        if _linked(path, folder):
            continue
        where = path.relative_to(folder).as_posix()
        try:
            with zipfile.ZipFile(path) as packed:
                inside = {i.filename: i for i in packed.infolist()}
                for name in [n for n in inside if n.replace("\\", "/").endswith("tasks/rate.json")]:
                    beside = name[: -len("tasks/rate.json")] + answers.NAME
                    files = [_unpack(packed, inside.get(n)) for n in (name, beside)]
                    names = set(path.relative_to(folder).parts[:-1]) | set(
                        path.stem.replace("_", "-").split("-")
                    )
                    yield Handed(f"{where}/{name}", *files, names=names | set(Path(name).parts))
        except (OSError, zipfile.BadZipFile, RuntimeError, Refused):
            told.append(f"{where}：这个 zip 打不开（坏了，或者有密码）。让他重新交一次。")


def _linked(path, folder) -> bool:
    """Whether a path leads through a link: out of the folder handed in, perhaps."""
    return any(p.is_symlink() for p in (path, *path.parents) if p != folder and folder in p.parents)


def _unpack(packed, info) -> bytes:
    if info is None or info.file_size > _FILE_LIMIT:
        return b""
    return read(packed, info, _FILE_LIMIT)


def _identify(state, handed) -> str:
    """Find whose form it is, and read its answers; what is wrong, or ""."""
    try:
        token = json.load(io.BytesIO(handed.form))["form"]["token"]
        handed.owner = state.forms.get(token)
    except (ValueError, KeyError, TypeError, RecursionError):
        return "题目文件读不出来，认不出是谁的表。没有读。"
    if handed.owner is None:
        return "不是老师发出去的表（口令对不上）。没有读。"
    strangers = {n for n in handed.names if n in state.students} - {handed.owner.whom}
    if strangers:
        return f"放在 {'、'.join(sorted(strangers))} 的文件夹里，却是 {handed.owner.whom} 的表。没有读。"
    if not handed.answers:
        return f"{handed.owner.whom} 的表里没有 answers.json（或者太大）：他还没有填，或者交漏了。"
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / answers.NAME).write_bytes(handed.answers)
        try:
            handed.records = answers.read(Path(place))
        except TaskError as fault:
            return f"{handed.owner.whom}：{fault}没有读，让他重新交一次。"
    return ""


def _saved(records) -> str:
    times = [r.get("saved") for r in records.values() if isinstance(r, dict)]
    return max((t for t in times if isinstance(t, str)), default="")


def _ratings(state, handed):
    """(entries, what to tell) of one form: only what its owner may give."""
    form, made, told = handed.owner, [], []
    proof = f"{handed.where} {hashlib.sha256(handed.answers).hexdigest()[:12]}"
    known = {task["id"] for task in tasks(state, form)}
    if extra := [str(t)[:30] for t in handed.records if t not in known]:
        told.append(f"文件里多了这份表没有的题，没有读：{'、'.join(extra[:5])}。")
    for task, part in zip(tasks(state, form), form.detail["parts"], strict=True):
        component, kind = state.scheme.component(part["component"]), part["kind"]
        record = handed.records.get(task["id"])
        answer = record.get("answer") if isinstance(record, dict) else None
        if answer is None:
            told.append(f"“{task['title']}”还没有填。")
            continue
        if (
            alien(answer)
            or not isinstance(answer, dict)
            or not all(isinstance(r, dict) for r in answer.values())
        ):
            told.append(f"“{task['title']}”的答案读不出来，没有读。")
            continue
        if strangers := [r[:30] for r in answer if r not in part["targets"]]:
            told.append(f"“{task['title']}”里有不该他评的：{'、'.join(strangers[:5])}。没有读这几行。")
        blank = 0
        for row in task["rows"]:
            target, filled = row["id"], answer.get(row["id"], {})
            if kind != "peer_between" and state.students[target].left:
                continue
            values, wrong = _values(component.criteria(kind), filled)
            if wrong:
                told.append(f"“{task['title']}”里“{row['title']}”：{wrong}没有读这一行。")
            elif not values:
                blank += 1
            else:
                say = filled.get(_SAY)
                detail = {"criteria": {n: plain(v) for n, v in values.items()},
                          **({"note": say.strip()[:500]} if isinstance(say, str) and say.strip() else {})}
                mark = plain(sum(values.values()))
                old = state.ratings.get((component.id, kind, form.item), {}).get(target, {}).get(form.whom)
                if old is None or (old.mark, old.detail) != (mark, detail):
                    made.append(Entry("rating", form.whom, kind, target, component.id, kind, form.item, mark,
                                      proof, state.scheme.version, detail))
        if blank:
            told.append(f"“{task['title']}”空着 {blank} 行。")
    return made, told


def _values(criteria, filled) -> tuple[dict, str]:
    """({criterion: points}, what is wrong or "")."""
    found = {}
    for n, c in enumerate(criteria, 1):
        raw = filled.get(f"c{n}")
        if raw is None or (isinstance(raw, str) and not raw.strip()):
            continue
        value = typed(raw)
        if value is None or not 0 <= value <= c["points"] or plain(value).startswith("≈"):
            return {}, f"{c['name']}写的是“{str(raw)[:20]}”，要是 0 到 {c['points']} 的数。"
        found[c["name"]] = value
    if found and len(found) < len(criteria):
        return {}, f"只填了一半，还差{'、'.join(c['name'] for c in criteria if c['name'] not in found)}。"
    return found, ""
