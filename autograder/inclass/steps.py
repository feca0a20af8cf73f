"""投影的一步一步：从课文笔记里取出演示格子和它上面的话；从教案里取出给老师看的几节。"""

import json
import re
from dataclasses import dataclass, field

from crmlib.cli import CourseError
from crmlib.tasks import KINDS, text
from crmlib.tasks.markup import markdown as small_markdown

_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*$", re.M)
_RULE = re.compile(r"^(?:---+|\*\*\*+|___+)\s*$", re.M)
_TASK_ONLY = re.compile(r"""(?:\s*#[^\n]*\n)*\s*(?:crm|crmlib)\.task\(\s*["'][^"']+["']\s*\)\s*""")
_LATEST = re.compile(r"\b(?:answer|progress|live_results|portfolio)\(")

# 教案里老师上课时要看的，排在前面；别的折起来
FIRST = ("分钟安排", "投影演示脚本")


@dataclass
class Step:
    """One screenful: the prose above a demo cell, and the cells on screen (places in ``cells``)."""

    title: str
    kicker: str  # 这一步在哪一节里
    lead: str  # HTML
    cells: list[int]
    tasks: list[str] = field(default_factory=list)


@dataclass
class Cell:
    """A code cell to run. ``fresh``: it shows saved answers, so it runs again whenever it comes up."""

    code: str
    demo: bool
    fresh: bool


def read(lesson) -> tuple[list[Cell], list[Step]]:
    """(code cells in order, steps) of a unit's notebook. Raises CourseError if nothing is to be shown."""
    try:
        notebook = json.loads(lesson.notebook.read_text("utf-8"))
        parts = [(cell["cell_type"], "".join(cell["source"]), cell["metadata"].get("tags", []))
                 for cell in notebook["cells"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise CourseError(f"笔记 {lesson.notebook} 读不出来。重新运行 crm build。") from None
    cells, steps, prose, part, section = [], [], [], "", ""
    for kind, source, tags in parts:
        if kind == "markdown":
            prose.append(source)
            for level, title in _HEADING.findall(source):
                part, section = (title, "") if len(level) <= 2 else (part, title)
        elif kind == "code" and source.strip():
            demo = "demo" in tags
            if demo or not _TASK_ONLY.fullmatch(source):  # 别的题只是显示，后面的格子用不着
                cells.append(Cell(source, demo, demo and bool(_LATEST.search(source))))
            if demo:
                lead = _lead("\n\n".join(prose))
                tasks = re.findall(r"""["'](\d+\.\d+-g?\d+)["']""", source)
                if not lead and steps and steps[-1].cells[-1] == len(cells) - 2:
                    # 紧挨着的两格是一件事：前一格留在屏幕上
                    before = steps[-1]
                    steps.append(Step(_title(source), before.kicker, before.lead,
                                      [*before.cells, len(cells) - 1], tasks))
                else:
                    kicker = " · ".join(t for t in (part, section) if t and f"# {t}" not in lead)
                    steps.append(Step(_title(source), kicker, prose_html(lead), [len(cells) - 1], tasks))
            prose = []
    if not steps:
        raise CourseError(f"单元 {lesson.id} 里没有标着 demo 的格子，没有可以投影的。"
                          "在 lesson.md 的格子里加一行 :tags: [demo]，再运行 crm build。")
    return cells, steps


def _title(source: str) -> str:
    line = source.strip().split("\n")[0]
    return line.lstrip("# ").strip() if line.startswith("#") else "这一步"


def _lead(prose: str) -> str:
    """Of the prose above a cell, what belongs to it: from the last heading (or rule) on."""
    prose = _RULE.split(prose)[-1].strip()
    headings = list(_HEADING.finditer(prose))
    return prose[headings[-1].start():] if headings else prose


def prose_html(source: str) -> str:
    """Markdown of a lesson or a plan as HTML; raw HTML in it stays text."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("table").render(source)


def plan(lesson) -> dict:
    """The teacher's pack: {"first": [{title, html}], "more": [{title, html}]}; empty if there is none."""
    try:
        source = (lesson.source / "teach.md").read_text("utf-8")
    except (OSError, ValueError):
        return {"first": [], "more": []}
    sections = {}
    for piece in re.split(r"^## ", source, flags=re.M)[1:]:
        title, _, content = piece.partition("\n")
        sections[title.strip()] = prose_html(content)
    return {"first": [{"title": t, "html": sections[t]} for t in FIRST if t in sections],
            "more": [{"title": t, "html": h} for t, h in sections.items() if t not in FIRST]}


def expected(task: dict) -> str:
    """A task's answer and the mistakes to expect, as HTML for the teacher's eyes only."""
    lines = [f"**{task['id']} {task['title']}**"]
    try:
        kind = KINDS[task["kind"]]
        key = kind.key_answer(task) if task["kind"] not in ("dialogue", "simulate", "code") else None
        answer = text(task, key) if key is not None else ""
    except (KeyError, TypeError, ValueError, AttributeError):  # 得数要用学生自己填的数来算
        answer = ""
    lines += ["参考答案：", answer.replace("\n", "\n\n")] if answer else ["没有唯一的答案。"]
    if task.get("explain"):
        lines.append(task["explain"])
    if mistakes := task.get("mistakes"):
        lines.append("常见的错：\n" + "\n".join(f"- {m['name']}：{m['hint']}" for m in mistakes))
    return small_markdown("\n\n".join(lines))
