"""成绩册的面板：给喜欢点按钮的老师。每个按钮就是一条命令，做的事、说的话都一样。

``assignments/gradebook.ipynb`` 一节调用这里的一个函数；名单是空的、什么都没有定，也能从头运行到尾。
"""

import io
import shlex
from contextlib import redirect_stdout
from html import escape
from pathlib import Path

from autograder.marks import cli
from autograder.marks.schemes import KINDS
from crmlib.cli import CourseError

_WIDE = {"description_width": "7em"}


def run(command: str, folder: str = ".") -> tuple[bool, str]:
    """(whether it worked, what it said) of ``marks …``, ``roster …``, ``peers …``."""
    name, *words = shlex.split(command)
    said, ok = io.StringIO(), True
    with redirect_stdout(said):
        try:
            {"marks": cli.marks, "roster": cli.roster_main, "peers": cli.peers_main}[name](
                [*words, "--course", folder])
        except CourseError as fault:
            ok = False
            print(fault)
    return ok, said.getvalue().strip()


def files(*patterns: str, folder: str = ".") -> list[str]:
    """Names of files in the class folder that may be meant, newest first."""
    place = Path(folder)
    found = {p for pattern in patterns for p in place.glob(pattern) if p.is_file() and p.name[:1] not in "~."}
    return [p.relative_to(place).as_posix() for p in sorted(found, key=lambda p: -p.stat().st_mtime)]


class Panel:
    """A row of controls over a place for what the commands say."""

    def __init__(self, folder: str = "."):
        import ipywidgets as w

        self.w, self.folder = w, folder
        self.said = w.HTML()

    def text(self, label, value="", hint=""):
        return self.w.Text(value, description=label, placeholder=hint, style=_WIDE, layout={"width": "24em"})

    def choose(self, label, options):
        return self.w.Dropdown(options=options, description=label, style=_WIDE, layout={"width": "30em"})

    def file(self, label, *patterns):
        """A drop-down of files in the class folder, looked up again at every click on 刷新."""
        box = self.choose(label, files(*patterns, folder=self.folder) or [("（文件夹里还没有）", "")])
        again = self.w.Button(description="刷新", layout={"width": "5em"}, tooltip="再看一遍文件夹里有什么")

        def look(_):
            box.options = files(*patterns, folder=self.folder) or [("（文件夹里还没有）", "")]

        again.on_click(look)
        return box, self.w.HBox([box, again])

    def button(self, label, command, main=False):
        """A button that runs ``command()`` (a string, or None after it said what is missing)."""
        made = self.w.Button(description=label, button_style="primary" if main else "",
                             layout={"width": "auto", "min_width": "8em"})

        def click(_):
            line = command()
            if line:
                made.disabled = True
                try:
                    self.tell(*run(line, self.folder))
                finally:
                    made.disabled = False

        made.on_click(click)
        return made

    def need(self, *boxes) -> bool:
        """Whether these are filled; says which is not."""
        for box in boxes:
            if not str(box.value or "").strip():
                self.tell(False, f"“{box.description}”还没有填。")
                return False
        return True

    def tell(self, ok, words) -> None:
        colour = "#1b5e20" if ok else "#b71c1c"
        self.said.value = (f"<pre style='white-space:pre-wrap;margin:.4em 0;color:{colour};font:inherit;"
                           f"line-height:1.6'>{escape(words)}</pre>")

    def show(self, *rows):
        from IPython.display import display

        display(
            self.w.VBox([r if isinstance(r, self.w.Widget) else self.w.HBox(r) for r in rows] + [self.said])
        )


def _q(box) -> str:
    return shlex.quote(str(box.value).strip())


def scheme(folder: str = ".") -> None:
    """开学：定考核方案。"""
    p = Panel(folder)
    which = p.choose(
        "方案",
        [
            ("kd 快递客户关系管理（照标准）", "kd"),
            ("wl 物流客户服务（照标准）", "wl"),
            *[(f"学校方案：{f}", f) for f in files("方案*.xlsx", "方案*.toml", folder=folder)],
        ],
    )
    by, until = p.text("姓名", hint="谁定的"), p.text("学期最后一天", hint="2027-01-15")
    form = p.choose("写一张表", [("js 江苏标准：没有印权重", "js"), ("sw 实务：没有考核一节", "sw"),
                             ("kd：在标准上改", "kd"), ("wl：在标准上改", "wl")])
    p.show(which, [by, until], [p.button(
        "定方案", lambda: p.need(by) and f"marks --scheme {_q(which)} --by {_q(by)}"
        + (f" --until {_q(until)}" if until.value.strip() else ""), main=True)],
        [form, p.button("写出来给学校填", lambda: f"marks form {form.value} --out {shlex.quote(folder)}")])


def roster(folder: str = ".") -> None:
    """名单和小组。"""
    p = Panel(folder)
    path, row = p.file("名单", "*.xlsx", "*.csv", "*.xlsm")
    who, group, why = p.text("学号"), p.text("换到小组"), p.text("退出原因")
    p.show(
        row,
        [
            p.button(
                "读名单",
                lambda: p.need(path) and f"roster {shlex.quote(_at(folder, path.value))}",
                main=True,
            ),
            p.button("看名单", lambda: "roster"),
            p.button("写一张空名单", lambda: f"roster template --out {shlex.quote(folder)}"),
        ],
        [who, group, p.button("换组", lambda: p.need(who, group) and f"roster move {_q(who)} {_q(group)}")],
        [why, p.button("退出", lambda: p.need(who, why) and f"roster leave {_q(who)} --reason {_q(why)}")],
    )


def sheets(folder: str = ".") -> None:
    """老师的打分表、考勤，nbgrader 的分。"""
    p = Panel(folder)
    path, row = p.file("打分表", "打分表/打分*.xlsx", "打分*.xlsx")
    register, row2 = p.file("考勤表", "打分表/考勤*.xlsx", "考勤*.xlsx")
    by = p.text("姓名", hint="谁读的")
    p.show(
        [
            p.button("写打分表和考勤表", lambda: "marks template", main=True),
            p.button("取机器批改的分", lambda: "marks pull"),
        ],
        row,
        [
            p.button(
                "读打分表", lambda: p.need(path) and f"marks read {shlex.quote(_at(folder, path.value))}"
            )
        ],
        row2,
        [
            by,
            p.button(
                "读考勤",
                lambda: (
                    p.need(register, by)
                    and f"marks attendance {shlex.quote(_at(folder, register.value))} --by {_q(by)}"
                ),
            ),
            p.button("考勤到此结束", lambda: p.need(by) and f"marks attendance --close --by {_q(by)}"),
        ],
    )


def peers(folder: str = ".") -> None:
    """自评和互评。"""
    p = Panel(folder)
    name, due = p.text("轮次", hint="期末"), p.text("哪天到期", hint="2027-01-10")
    p.show(
        [name, due],
        [
            p.button(
                "发表", lambda: p.need(name, due) and f"peers new {_q(name)} --due {_q(due)}", main=True
            ),
            p.button("有人变动，补表", lambda: p.need(name) and f"peers repair {_q(name)}"),
            p.button("读收回来的表", lambda: "peers read"),
            p.button("看交了多少", lambda: "peers"),
        ],
    )


def decide(folder: str = ".") -> None:
    """请假、确认零分、重新分配权重：记下是谁、为什么。"""
    p = Panel(folder)
    act = p.choose("决定", [("请假，等补交", "excuse"), ("确认没有理由没交，计零分", "zero"),
                          ("这一项不计，权重分给别的项", "reweight")])
    who, part = p.text("学号"), p.text("分项", hint="kd-A2 或 答疑")
    kind = p.choose("谁评的", [("（只有一种时不用选）", ""), *((title, k) for k, title in KINDS.items())])
    item, by, why = p.text("项目", hint="有几次作业时写哪一次"), p.text("姓名"), p.text("原因")

    def line():
        if not p.need(who, part, by, why):
            return None
        more = (f" --kind {kind.value}" if kind.value else "") + (
            f" --item {_q(item)}" if item.value.strip() else ""
        )
        return f"marks decide {act.value} {_q(who)} {_q(part)} --by {_q(by)} --reason {_q(why)}{more}"

    p.show(act, [who, part], [kind, item], [by, why], [p.button("记下来", line, main=True)])


def report(folder: str = ".") -> None:
    """看缺什么，写成绩表，定总分。"""
    p = Panel(folder)
    by = p.text("姓名", hint="谁定的")
    p.show([p.button("还缺什么", lambda: "marks", main=True), p.button("写成绩表", lambda: "marks report")],
           [by, p.button("定总分", lambda: p.need(by) and f"marks issue --by {_q(by)}")],
           [p.button("查记录有没有被改过", lambda: "marks log")])


def _at(folder, name) -> str:
    return str(Path(folder) / name)
