"""``crm class new 文件夹``：建一个班级文件夹，发、收、批都在里面。"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from autograder.classroom.course import CONFIG, IGNORED, Classroom, fingerprint
from crmlib import paths
from crmlib.cli import CourseError, Parser

README = """\
# {name}

这个文件夹是一个班的作业和成绩。它也是一个普通的 nbgrader 课程目录。
在这个文件夹里打开命令行，按次序做：

| 要做什么 | 命令 |
|---|---|
| 发作业 | `{crm} class release 2.2`，把 `release/2.2-….zip` 发给学生 |
| 收作业 | 学生交来的 zip 放进一个文件夹，`{crm} class collect 那个文件夹` |
| 查损坏 | `{crm} class doctor 2.2` |
| 批作业 | `{crm} class grade 2.2` |
| 看进度 | `{crm} class status` |
| 写作题打分 | `{crm} lab --teacher`，菜单 Nbgrader，Formgrader |
| 发反馈 | `{crm} class feedback 2.2`，`return/` 里每人一个文件夹 |
| 看报告 | `{crm} class report 2.2`，`{crm} class similar 2.2` |

- `source/`、`release/` 以外的文件夹都装着学生的东西，不要手改。
- `source/` 里有答案，不要发给学生。
- `gradebook.db` 是成绩库，`class.json` 记着每份作业发布时的题目。两个都要备份：备份整个文件夹就行。
"""


def main(argv) -> int:
    """Make a class folder: nbgrader's configuration, the assignments, a README; never overwrites."""
    parser = Parser(prog="crm class new", description="建一个班级文件夹")
    parser.add_argument("folder", metavar="DIR", type=Path, help="新文件夹的名字，如 物流2601班")
    options = parser.parse_args(argv)
    made = make(options.folder, paths.root())
    print(f"班级文件夹建好了：{made.root}，里面有 {len(made.assignments)} 份作业。\n"
          "用法写在里面的 README.md。下一步：到里面去运行 crm class release 单元，例如 crm class release "
          f"{made.assignments[0].partition('-')[0] if made.assignments else '2.2'}")
    return 0


def make(folder: Path, course: Path) -> Classroom:
    """A class folder with all assignments of the course. CourseError if something is in the way."""
    folder = folder.absolute()
    master = course / "assignments"
    if not (master / CONFIG).is_file():
        raise CourseError(f"课程文件夹 {course} 里没有 assignments/：重新复制一份完整的课程。")
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise CourseError(f"{folder} 已经有了，不会盖掉它。换一个名字。")
    if not folder.parent.is_dir():
        raise CourseError(f"没有 {folder.parent} 这个文件夹，看看名字写对了没有。")
    if master == folder or master in folder.parents:
        raise CourseError("班级文件夹不能放在课程的 assignments/ 里面，换一个地方。")
    with tempfile.TemporaryDirectory(prefix=".班级-", dir=folder.parent) as scratch:
        # 在旁边做好，再一步换上：半路停电，不会留下半个班级
        draft = Classroom(Path(scratch) / folder.name)
        shutil.copytree(master / "source", draft.root / "source",
                        ignore=shutil.ignore_patterns(*IGNORED, "answers*.json"))
        for file in (p for p in master.glob("*") if p.suffix in (".py", ".ipynb")):
            shutil.copy(file, draft.root)
        crm = "crm" if Path(sys.prefix).resolve() != (course / ".venv").resolve() else _start(course)
        (draft.root / "README.md").write_text(README.format(name=folder.name, crm=crm), "utf-8")
        copied = {p.name: fingerprint(p) for p in sorted((draft.root / "source").iterdir()) if p.is_dir()}
        draft.write_record({"format": 1, "copied": copied, "released": {}})
        if folder.is_dir():
            folder.rmdir()  # 空的
        os.rename(draft.root, folder)
    return Classroom(folder)


def _start(course: Path) -> str:
    return f"python {course / 'start.py'}"

