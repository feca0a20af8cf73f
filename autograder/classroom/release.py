"""``crm class release 单元``：生成学生版，打成一个可以发的 zip；``--seed`` 换一套数。"""

import io
import os
import re
import shutil
import zipfile
from datetime import datetime
from pathlib import Path

from autograder.classroom.course import (
    IGNORED,
    Classroom,
    add_course,
    files,
    find,
    fingerprint,
    match,
    write_whole,
)
from crmlib import paths
from crmlib.cli import CourseError, Parser

SEED = re.compile(r"[\w.-]{1,40}")


def main(argv) -> int:
    """Make the student version of an assignment and pack it."""
    parser = Parser(prog="crm class release", description="生成学生版，打成 zip")
    parser.add_argument("unit", metavar="单元", help="2.2 或 2.2-swot-pest")
    parser.add_argument("--seed", metavar="种子", help="换一套数：一个词，如 2026秋；词一样，数就一样")
    parser.add_argument("--again", action="store_true", help="课程改过了，把新的题再发一次")
    add_course(parser)
    options = parser.parse_args(argv)
    room = find(options.course)
    name, packed, fresh = release(room, options.unit, options.seed, options.again)
    seed = room.read_record()["released"][name]["seed"]
    said = "学生版做好了" if fresh else "以前发过，题目没有变，重新打了包"
    print(f"{said}：{packed}" + (f"（种子 {seed}）" if seed else ""))
    print("把这个 zip 发给学生：解开，放进课程的 notebooks 文件夹。source/ 里有答案，不要发。")
    return 0


def release(room: Classroom, unit: str, seed: str | None = None, again=False) -> tuple[str, Path, bool]:
    """(assignment, the zip, whether it was generated anew).

    What was handed out once is not changed silently: another seed, or a source that has changed since,
    is a CourseError; ``again`` allows the changed source. The seed is kept in class.json.
    """
    if seed is not None and not SEED.fullmatch(seed):
        raise CourseError(f"种子“{seed}”不行：1 到 40 个字母、数字或汉字，不要空格，例如 2026秋。")
    name = _refresh(room, unit, seed)
    source, target = room.folder("source", ".", name), room.folder("release", ".", name)
    if (source / "answers.json").exists():
        raise CourseError(f"{source / 'answers.json'} 是老师试做时留下的答案，会发给全班。"
                          "把它删掉，再发一次。")
    record = room.read_record()
    before, present = record["released"].get(name), fingerprint(source)
    if before and target.is_dir() and before["source"] != present and not again:
        when = before["time"][:16].replace("T", " ")
        raise CourseError(f"{name} 在 {when} 发过，题目后来改了。学生手里的还是旧题。"
                          "真要换成新题：加上 --again，再通知学生换新的。")
    fresh = not (before and target.is_dir() and before["source"] == present)
    if fresh:
        room.nbgrader("generate_assignment", name, "--force")
        record["released"][name] = {"time": datetime.now().isoformat(timespec="seconds"),
                                    "seed": seed or (before or {}).get("seed"), "source": present}
        room.write_record(record)
    return name, pack(target), fresh


def _refresh(room: Classroom, unit: str, seed: str | None) -> str:
    """Bring source/ up to date with the course, unless it was handed out or the teacher edited it."""
    master = paths.root() / "assignments" / "source"
    known = [p.name for p in master.glob("*") if p.is_dir()]
    name = match(unit, room.assignments) or match(unit, known)
    if not name:
        have = "、".join(sorted({*room.assignments, *known})) or "（一个也没有）"
        raise CourseError(f"没有作业“{unit}”。现有：{have}")
    record = room.read_record()
    before, source = record["released"].get(name), room.folder("source", ".", name)
    if before:
        if seed is not None and seed != before["seed"]:
            used = f"用种子 {before['seed']} 发过" if before["seed"] else "不带种子发过"
            raise CourseError(f"{name} 已经{used}，不能再换数：学生手里的题和成绩都跟着它。"
                              "要用别的数，另建一个班级文件夹。")
        return name
    mine = source.is_dir() and fingerprint(source) != record["copied"].get(name)
    if seed is not None:
        if mine:
            raise CourseError(f"{source} 是你改过的题，不能再用种子换数：换数是从课程的题目重新生成。"
                              "不加 --seed 就照你改的发。")
        _vary(name, seed, source)
    elif not mine and (master / name).is_dir():
        new = source.with_name(f".{name}.new")
        shutil.rmtree(new, ignore_errors=True)
        shutil.copytree(master / name, new, ignore=shutil.ignore_patterns(*IGNORED, "answers*.json"))
        _swap(new, source)
    record["copied"][name] = fingerprint(source)
    room.write_record(record)
    return name


def _vary(name: str, seed: str, source: Path) -> None:
    """Write the assignment with the numbers of a class seed into ``source``, from units/."""
    from autograder import build, units

    folder = paths.root() / "units" / name
    if not folder.is_dir():
        raise CourseError(f"换数要用课程里的 units/{name}，这里没有：重新复制一份完整的课程。")
    unit = units.load(folder, units.by_seed(seed))
    if unit.variants < 2:
        raise CourseError(f"{name} 的题里没有可以换的数，种子不起作用：不加 --seed 再发。")
    new = source.with_name(f".{name}.new")
    shutil.rmtree(new, ignore_errors=True)
    build.write(new, build.assignment(unit))
    _swap(new, source)


def _swap(new: Path, place: Path) -> None:
    old = place.with_name(f".{place.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if place.is_dir():
        os.rename(place, old)
    os.rename(new, place)
    shutil.rmtree(old, ignore_errors=True)


def pack(folder: Path) -> Path:
    """``folder`` as ``folder.zip`` beside it; the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in files(folder):
            name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            packed.writestr(entry, path.read_bytes())
    target = folder.with_name(folder.name + ".zip")
    write_whole(target, buffer.getvalue())
    return target

