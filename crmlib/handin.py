"""``crm hand-in``：交作业以前检查一遍，打成一个 zip，给一个回执号。笔记本里是 ``crm.hand_in()``。

只提醒，从不拦着：坏了的作业也能交，老师那边会修。只用标准库和 ``crmlib.tasks``。
zip 里多一个 ``hand-in.json``：谁的、哪份作业、什么时候、每个文件的 SHA-256。
"""

import base64
import hashlib
import json
import os
import re
import sys
import zipfile
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from crmlib import paths
from crmlib.cli import CourseError, Parser
from crmlib.tasks import answers, score_task
from crmlib.tasks.core import TaskError, fingerprint
from crmlib.tasks.session import mine

RECEIPT = "hand-in.json"
MOST_FILE, MOST_ALL, MOST_FILES = 20_000_000, 50_000_000, 500  # 字节、字节、个；收作业的那一边也按这个
_SKIPPED = (".ipynb_checkpoints", "__pycache__", "__MACOSX", "Thumbs.db", "desktop.ini")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f\\/:*?"<>|+]+')


@dataclass
class Look:
    """What a folder holds: damage, and tasks that are not answered, each told to the student in one line."""

    folder: Path
    assignment: str
    damage: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        count = f"有 {len(self.open)} 题没有答好：" if self.open else ""
        return [*(f"[注意] {line}" for line in self.damage), *filter(None, [count]),
                *(f"  {line}" for line in self.open)] or ["[OK] 文件齐全，每道题都答了。"]


def main(argv=None) -> int:
    """Check an assignment folder and pack it; damage is told, never a reason to refuse."""
    parser = Parser(prog="crm hand-in", description="交作业：检查一遍，打成 zip")
    parser.add_argument("folder", metavar="作业", nargs="?", help="文件夹或编号，如 2.2；只有一份时不用写")
    parser.add_argument("--as", metavar="学号或姓名", dest="who", help="你是谁；不写就会问你")
    options = parser.parse_args(argv)
    look = inspect(choose(options.folder))
    print(f"作业 {look.assignment}，在 {look.folder}")
    print("\n".join(look.lines()))
    who = options.who
    if who is None and sys.stdin and sys.stdin.isatty():
        who = input("你的学号或姓名：")
    path, code, left_out = pack(look, who or "")
    for line in left_out:
        print(f"[注意] {line}")
    print(f"打包好了：{path}\n回执号：{code}\n"
          "把这个 zip 交给老师，记下回执号。改了答案，就再打一次包，交最新的。")
    return 0


def hand_in() -> None:
    """In a notebook: a panel that checks and packs this assignment; elsewhere the check as text."""
    from crmlib.tasks import _in_notebook

    look = inspect(Path.cwd())
    if not _in_notebook():
        print("\n".join(look.lines()))
        return
    from IPython.display import display

    display(_panel()(look))


# ---- 找到作业 ----

def choose(wanted: str | None) -> Path:
    """The assignment folder meant: a path, a unit's number, or the only one in reach. CourseError if none."""
    if wanted and Path(wanted).is_dir():
        folder = Path(wanted).resolve()
        if not _assignment(folder):
            raise CourseError(f"{folder} 里没有作业：要有笔记和 tasks 文件夹。看看是不是选错了文件夹。")
        return folder
    found = {}
    for top in (Path.cwd(), paths.notebooks()):
        for tasks in [top / "tasks", *top.glob("*/tasks"), *top.glob("*/*/tasks")]:
            if tasks.is_dir() and (name := _assignment(tasks.parent)):
                found.setdefault(tasks.parent.resolve(), name)
    if wanted:
        fits = [f for f, name in found.items() if wanted in (name, name.partition("-")[0], f.name)]
    else:
        here = Path.cwd().resolve()
        fits = [here] if here in found else list(found)
    if len(fits) == 1:
        return fits[0]
    if not fits:
        have = "、".join(sorted(set(found.values()))) or "一份也没有"
        raise CourseError(f"没有找到作业{f'“{wanted}”' if wanted else ''}（找到的：{have}）。"
                          "在作业的文件夹里运行，或者写出它的位置。")
    raise CourseError("这里有几份作业，写明交哪一份："
                      + "；".join(f"crm hand-in {os.path.relpath(f)}" for f in sorted(fits)))


def _assignment(folder: Path) -> str | None:
    """The name of the assignment that a folder holds, None if it holds none."""
    for content in _task_files(folder):
        if content.get("assignment"):
            return str(content["assignment"])
        if any(t.get("use") == "graded" for t in content["tasks"]):
            return folder.name
    return None


def _task_files(folder: Path):
    for path in sorted((folder / "tasks").glob("*.json")):
        try:
            content = json.loads(path.read_text("utf-8-sig"))
            if all(isinstance(t, dict) and isinstance(t["id"], str) for t in content["tasks"]):
                yield content
        except (OSError, ValueError, KeyError, TypeError):
            continue


# ---- 检查 ----

def inspect(folder: Path) -> Look:
    """Look through an assignment folder. Never raises because of what is in it."""
    folder = Path(folder).resolve()
    contents = list(_task_files(folder))
    tasks = [t for content in contents for t in content["tasks"] if t.get("use") == "graded"]
    look = Look(folder, _assignment(folder) or folder.name)
    if not tasks:
        look.damage.append("tasks 文件夹不在，或者坏了，没法检查答全了没有。从老师发的 zip 里重新复制它。")
    # 互评的表没有评分格
    sources = _look_at_notebook(look, [] if any("form" in c for c in contents) else tasks)
    file = _answers(look, any(t.get("kind") != "code" for t in tasks))
    for task in tasks:
        if why := _open(task, file, sources):
            look.open.append(f"第 {task['id']} 题“{task.get('title', '')}”：{why}")
    return look


def _answers(look: Look, wanted: bool) -> answers.Handed:
    """The answers file, an empty one where it is missing or damaged; tells which."""
    try:
        raw = (look.folder / answers.NAME).read_bytes()
        file = answers.Handed(raw)
        file.seed()
        return file
    except FileNotFoundError:
        if wanted:
            look.damage.append("没有 answers.json：卡片题、表格题的答案都在里面。"
                               "是不是在别的文件夹里做的？到那个文件夹里去交。")
    except OSError as fault:
        look.damage.append(f"answers.json 读不了（{fault.strerror}）。关掉正在用它的程序，再检查一遍。")
    except TaskError as fault:
        look.damage.append(f"{fault}先别删它，一起交给老师。")
    return answers.Handed(None)


def _look_at_notebook(look: Look, tasks) -> dict[str, dict]:
    """Tell what is wrong with the notebook; returns its cells by nbgrader's name."""
    right = look.folder / f"{look.assignment}.ipynb"
    others = [p for p in sorted(look.folder.glob("*.ipynb")) if p != right]
    if not right.is_file():
        if not others:
            look.damage.append(f"没有笔记 {right.name}。从老师发的 zip 里重新复制一份，放进这个文件夹。")
            return {}
        look.damage.append(f"笔记的名字改过了，要叫 {right.name}。现在这里有："
                           f"{'、'.join(p.name for p in others)}。改回来最好；不改也能交。")
        right = others[0]
    elif others:
        look.damage.append(f"这里有 {len(others) + 1} 份笔记，批的是 {right.name}。"
                           f"做在 {others[0].name} 里的，要复制过去。")
    try:
        cells = json.loads(right.read_text("utf-8-sig"))["cells"]
        cells = [c for c in cells if isinstance(c.get("metadata", {}).get("nbgrader"), dict)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        look.damage.append(f"笔记 {right.name} 打不开，坏了。别删，照样交；另外告诉老师一声。")
        return {}
    found: dict[str, list] = {}
    for cell in cells:
        found.setdefault(str(cell["metadata"]["nbgrader"].get("grade_id")), []).append(cell)
    for name, title in _expected(tasks).items():
        if name not in found:
            mended = "你的代码补不回来，重写一遍。" if name.endswith("-code") else "老师那边能补回来。"
            look.damage.append(f"{title}不见了（可能删掉了）。{mended}")
        elif len(found[name]) > 1:
            look.damage.append(f"{title}有 {len(found[name])} 份，可能复制过。留下第一份，删掉多出来的。")
    for name, copies in found.items():
        meta = copies[0]["metadata"]["nbgrader"]
        if meta.get("cell_type") and copies[0].get("cell_type") != meta["cell_type"]:
            look.damage.append(f"格子 {name} 变了类型（代码变成了文字，或者反过来）。把它改回来。")
        elif meta.get("locked") and meta.get("checksum") and _checksum(copies[0]) != meta["checksum"]:
            look.damage.append(f"格子 {name} 不是你该写的，内容改过了。批作业时按原来的算。")
    return {name: copies[0] for name, copies in found.items()}


def _expected(tasks) -> dict[str, str]:
    """{nbgrader's name of a cell: what to call it}, as autograder.build makes them."""
    found = {}
    for task in tasks:
        name = "t-" + re.sub(r"[^A-Za-z0-9]", "-", task["id"])
        found[name] = f"第 {task['id']} 题的{'评分说明' if task.get('kind') == 'write' else '评分格'}"
        if task.get("kind") == "code":
            found[name + "-code"] = f"第 {task['id']} 题写代码的格子"
    return found


def _checksum(cell) -> str:
    """nbgrader's checksum of a cell (nbgrader.utils.compute_checksum)."""
    meta, source = cell["metadata"]["nbgrader"], cell.get("source", "")
    grade, solution = bool(meta.get("grade")), bool(meta.get("solution"))
    locked = not solution and (grade or bool(meta.get("locked")))
    parts = ["".join(source) if isinstance(source, list) else str(source), str(cell.get("cell_type")),
             str(grade), str(solution), str(locked), str(meta.get("grade_id"))]
    if meta.get("grade"):
        try:
            parts.append(str(float(meta.get("points"))))
        except (TypeError, ValueError):
            parts.append("?")
    return hashlib.md5("".join(parts).encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


def _open(task, file, sources) -> str | None:
    """Why a task is not answered well, None if it is."""
    if task.get("kind") == "code":
        cell = sources.get("t-" + re.sub(r"[^A-Za-z0-9]", "-", task["id"]) + "-code")
        if cell is None:
            return "笔记里找不到写代码的那一格"
        source = "".join(cell.get("source", ""))
        for name in task.get("names", {}):  # 看最后一次给它的值：starter 留着，写在下面也行
            given = re.findall(rf"^[ \t]*{re.escape(name)}[ \t]*=[ \t]*([^=#\n]*)", source, re.M)
            if given and given[-1].strip() == "...":
                return f"{name} 的 ... 还没有换掉"
        return "还没有写" if _checksum(cell) == cell["metadata"]["nbgrader"].get("checksum") else None
    record = file.record(task["id"])
    try:
        task = mine(task, grading=True, file=file)
        result = score_task(task, record.get("answer"))
    except Exception as fault:  # 题目文件被改坏了：提醒就够了，照样能交
        return f"没法检查（{type(fault).__name__}）"
    if record.get("answer") in (None, "", [], {}):
        return "还没有答"
    if result.state in ("empty", "malformed"):
        return (result.messages or ["还没有答完"])[0]
    if record.get("task") not in (None, fingerprint(task)):
        return "答的是改动以前的题。打开它，看一遍，再存一次"
    return None


# ---- 打包 ----

def pack(look: Look, who: str) -> tuple[Path, str, list[str]]:
    """(the zip beside the folder, receipt code, what was left out). Never overwrites a zip."""
    who = _UNSAFE.sub("", who).strip(" .")[:40]
    if not who:
        raise CourseError("还没有写你是谁：加上 --as 学号或姓名，例如 crm hand-in --as 20260101。")
    chosen, left_out = _contents(look.folder)
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in chosen.items()}
    code = receipt_code(look.assignment, who, sums)
    receipt = {"format": 1, "student": who, "assignment": look.assignment, "code": code,
               "time": datetime.now().astimezone().isoformat(timespec="seconds"), "files": sums}
    for number in range(1, 1000):
        path = look.folder.parent / f"{who}-{look.assignment}{f'-{number}' if number > 1 else ''}.zip"
        try:
            file = open(path, "xb")  # noqa: SIM115  x：已有的 zip 绝不覆盖
        except FileExistsError:
            if _code_of(path) == code:
                return path, code, left_out
            continue
        except OSError as fault:
            raise CourseError(f"写不了 {path}（{fault.strerror}）。"
                              "把作业复制到自己的文件夹里，再交。") from None
        try:
            with file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
                for name, content in chosen.items():
                    packed.writestr(f"{look.assignment}/{name}", content)
                packed.writestr(f"{look.assignment}/{RECEIPT}",
                                json.dumps(receipt, ensure_ascii=False, indent=1))
        except OSError as fault:
            path.unlink(missing_ok=True)
            raise CourseError(f"打包没有做完（{fault.strerror}）。看看磁盘满没满，再试一次。") from None
        return path, code, left_out
    raise CourseError(f"这里已经有 999 个 {who}-{look.assignment} 的 zip，删掉旧的再交。")


def _code_of(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as packed:
            name = next(n for n in packed.namelist() if n.endswith("/" + RECEIPT))
            return json.loads(packed.read(name))["code"]
    except Exception:  # 是别的 zip，或者坏了：不碰它
        return None


def receipt_code(assignment: str, who: str, sums: dict[str, str]) -> str:
    """8 letters and digits that change whenever a file, the student or the assignment does.

    >>> receipt_code("2.2-swot-pest", "20260101", {"answers.json": "0f"})
    'UBGC-5I4N'
    """
    whole = json.dumps([assignment, who, sorted(sums.items())], ensure_ascii=False)
    word = base64.b32encode(hashlib.sha256(whole.encode()).digest()).decode()[:8]
    return f"{word[:4]}-{word[4:]}"


def _contents(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """({name in the folder: content}, what was left out and why)."""
    chosen, left_out, total = {}, [], 0
    paths_ = sorted(folder.rglob("*"), key=lambda p: (p.suffix not in (".ipynb", ".json"), p))
    for path in paths_:
        name = path.relative_to(folder).as_posix()
        hidden = any(part in _SKIPPED or part.startswith((".", "~$")) for part in name.split("/"))
        if hidden or name == RECEIPT:
            continue
        if path.is_symlink() or not path.is_file():
            if path.is_symlink():
                left_out.append(f"{name} 是一个链接，没有打进去。")
            continue
        try:
            size = path.stat().st_size
            if size > MOST_FILE or total + size > MOST_ALL:
                left_out.append(f"{name} 有 {size / 1e6:.0f} MB，太大，没有打进去。要交它，另外给老师。")
            elif len(chosen) >= MOST_FILES:
                left_out.append(f"文件太多，只打了前 {MOST_FILES} 个。")
                break
            else:
                chosen[name] = path.read_bytes()
                total += size
        except OSError as fault:
            left_out.append(f"{name} 读不了（{fault.strerror}），没有打进去。关掉正在用它的程序，再打一次。")
    return chosen, left_out


# ---- 笔记本里的面板 ----

def _panel():
    import anywidget
    import traitlets

    from crmlib.widgets import script, style

    here = Path(__file__).parent

    class HandIn(anywidget.AnyWidget):
        """``look``: what the check found; ``packed``: {name, code, left_out}, or {trouble}."""

        _esm, _css = script("handin", here), style("handin", here)
        look = traitlets.Dict().tag(sync=True)
        packed = traitlets.Dict().tag(sync=True)

        def __init__(self, look):
            super().__init__(look=_shown(look))
            self._folder = look.folder
            self.on_msg(self._receive)

        def __repr__(self) -> str:
            return "交作业的按钮"

        def _receive(self, _, content, buffers) -> None:
            look = inspect(self._folder)
            self.look = _shown(look)
            if content.get("do") != "pack":
                return
            try:
                path, code, left_out = pack(look, str(content.get("who", "")))
                self.packed = {"name": path.name, "code": code, "left_out": left_out}
            except CourseError as fault:
                self.packed = {"trouble": str(fault), "at": datetime.now().isoformat()}

    return HandIn


def _shown(look: Look) -> dict:
    return {"assignment": look.assignment, "damage": look.damage, "open": look.open}
