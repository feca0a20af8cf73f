"""``crm data``：生成公司的数据。"""

import argparse
import os
import shutil
import sys
import tomllib
from difflib import get_close_matches
from pathlib import Path

from autograder.company import calibration, frames, pages, scale, tables, truth, write
from autograder.company.streams import COURSE_SEED
from crmlib import paths
from crmlib.cli import CourseError
from crmlib.data import schema

MESS = "脏数据记录-给老师"

USAGE = """crm data                                重新生成课程自带的表（datasets）、记录和说明页
crm data --check                        核对：现有的表和重新生成的逐字节相同吗
crm data --seed 暗号 --out 文件夹       给一个班生成另一份数据（数不同，结构相同）
crm data --seed 暗号 --truth            看这份数据里埋了什么（只给老师）
crm data --scale 100 --out 文件夹       100 倍规模，写成 Parquet
  还可以加：--tables 运单,客户（只要这几张）  --workers 2（几个进程）  --cluster tcp://…:8786（Dask 集群）"""


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        flag = message.partition("argument ")[2].partition(":")[0] or message.partition(": ")[2]
        raise CourseError(f"命令写错了：{flag} 这里看不懂。用法：\n{USAGE}")


def _options(argv):
    parser = _Parser(prog="crm data", add_help=False, allow_abbrev=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--seed", default=COURSE_SEED)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--scale", default="1")
    parser.add_argument("--tables", default="")
    parser.add_argument("--workers", default=str(os.cpu_count() or 1))
    parser.add_argument("--cluster")
    parser.add_argument("--truth", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(argv)
    options.scale = _count("--scale", options.scale, "规模（1 是教学用的 6 万张运单，100 是 600 万张）")
    options.workers = _count("--workers", options.workers, "进程数")
    return options


def _count(flag, text, meaning):
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise CourseError(f"{flag} {text} 不行：{meaning}要是 1 或更大的整数。")
    return number


def main(argv) -> int:
    options = _options(argv)
    if options.help:
        print(USAGE)
        return 0
    if not options.seed.strip():
        raise CourseError("--seed 是空的。随便写一个暗号，例如 --seed 春风十里。")
    if options.truth:
        print(truth.report(options.seed))
        return 0
    if options.check:
        return check()
    wanted = _wanted(options.tables)
    if options.out is None:
        if options.seed != COURSE_SEED or options.scale != 1 or options.tables or options.cluster:
            raise CourseError(
                "换种子、换规模或只要几张表时，用 --out 文件夹 说明写到哪里；课程自带的表不会被改动。"
            )
        return build()
    if options.scale == 1 and not options.cluster:
        return _class_set(options, wanted)
    return _large(options, wanted)


def _wanted(text):
    """Names of tables from a list like “运单,customers”."""
    if not text:
        return list(tables.ALL)
    known = schema()
    by_name = {known[k]["name"]: k for k in tables.ALL}
    wanted = []
    for name in text.replace("，", ",").split(","):
        key = by_name.get(name.strip(), name.strip())
        if key not in tables.ALL:
            near = get_close_matches(key, [*tables.ALL, *by_name], n=1, cutoff=0.4)
            hint = f"你要的是不是“{near[0]}”？" if near else ""
            listed = "、".join(f"{k}（{known[k]['name']}）" for k in tables.ALL)
            raise CourseError(f"没有“{key}”这张表，或者它是人写的、不能生成。{hint}\n可以生成的表：{listed}")
        wanted.append(key)
    return wanted


# ── 课程自带的一份 ──────────────────────────────────────────────────────────────────────────


def derived() -> dict:
    """Every file that ``crm data`` writes for the course: ``{path: bytes}``."""
    known, root = schema(), paths.root()
    made, world = tables.make(COURSE_SEED)
    files = {
        root / "datasets" / f"{name}.csv": frames.csv_bytes(frame, known[name])
        for name, frame in made.items()
    }
    files[manifest_path()] = world.log.csv_bytes()
    files |= pages.files(root, known)
    files[root / "docs" / "calibration.md"] = calibration.page(COURSE_SEED).encode()
    return files


def manifest_path() -> Path:
    return Path(__file__).with_name("manifest.csv")


def build() -> int:
    files = derived()
    for folder in sorted({path.parent for path in files}):
        write.replace_files({p.name: data for p, data in files.items() if p.parent == folder}, folder)
    size = sum(
        len(data) for path, data in files.items() if path.suffix == ".csv" and path.parent.name == "datasets"
    )
    print(f"写好了 {len(tables.ALL)} 张表（{size / 1e6:.1f} MB）、脏数据记录、数据字典页和校准页。")
    return 0


def check() -> int:
    wrong = []
    for path, data in derived().items():
        try:
            if path.read_bytes() != data:
                wrong.append(path)
        except OSError:
            wrong.append(path)
    if wrong:
        names = "、".join(str(p.relative_to(paths.root())) for p in wrong)
        print(f"这些文件和重新生成的不一样：{names}。运行 crm data 重新生成。", file=sys.stderr)
        return 1
    print("逐字节相同。")
    return 0


# ── 给一个班的一份，和大规模的一份 ──────────────────────────────────────────────────────────


def _class_set(options, wanted) -> int:
    _refuse_foreign(options.out)
    known = schema()
    with write.staging(options.out) as stage:
        made, world = tables.make(options.seed, wanted)
        place = stage / "datasets"
        place.mkdir()
        for name, frame in made.items():
            (place / f"{name}.csv").write_bytes(frames.csv_bytes(frame, known[name]))
        _companions(place)
        (stage / MESS).mkdir()
        (stage / MESS / "manifest.csv").write_bytes(world.log.csv_bytes())
        _put(stage, options.out)
    print(f"写好了：{options.out / 'datasets'}（整个发给学生）、{options.out / MESS}（自己留着）。")
    return 0


def _large(options, wanted) -> int:
    _refuse_foreign(options.out)
    with write.staging(options.out) as stage:
        total = scale.generate(
            options.seed,
            options.scale,
            wanted,
            schema(),
            stage,
            MESS,
            options.workers,
            options.cluster,
            report=scale.Progress(f"{options.scale} 倍规模"),
        )
        shutil.copyfile(paths.datasets() / "dictionary.toml", stage / "datasets" / "dictionary.toml")
        _put(stage, options.out)
    rows = "、".join(f"{name} {count:,}" for name, count in total.items())
    print(f"写好了 {options.out}：{rows} 行。")
    return 0


def _companions(place: Path):
    """The dictionary and the hand-written tables, so that the folder can replace a student's datasets."""
    source = paths.datasets()
    shutil.copyfile(source / "dictionary.toml", place / "dictionary.toml")
    for name, entry in tomllib.loads((source / "dictionary.toml").read_text("utf-8")).items():
        if isinstance(entry, dict) and entry["origin"] == "authored":
            shutil.copyfile(source / f"{name}.csv", place / f"{name}.csv")


def _refuse_foreign(out: Path):
    """Never write over a folder that this command did not make, nor over the course's own tables."""
    if (out / "datasets").resolve() == paths.datasets().resolve():
        raise CourseError(f"{out} 是课程自己的文件夹。换一个文件夹名。")
    ours = {*schema(), "dictionary", "manifest"}
    for part in ("datasets", MESS):
        if (out / part).is_file():
            raise CourseError(f"{out / part} 是一个文件，占了要用的名字。换一个文件夹名。")
        for path in (out / part).iterdir() if (out / part).exists() else ():
            if path.stem.partition("-")[0] not in ours:
                raise CourseError(f"{out / part} 里有别的东西（{path.name}），怕盖掉它。换一个文件夹名。")


def _put(stage: Path, out: Path):
    for part in ("datasets", MESS):
        write.swap_folder(stage / part, out / part)
