"""``crm class report 单元``：全班得分、常见错误、分不出高低的题；一页图表和一个 .xlsx。"""

import hashlib
import html
import io
import json
import math
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from autograder.classroom import database
from autograder.classroom.course import Classroom, add_course, find, write_whole
from autograder.classroom.results import Item, Student, item_text, items, students
from autograder.classroom.roster import Roster
from crmlib.cli import CourseError, Parser

REPORTS = "reports"
FEW = 20  # 人数比这个少，区分度只供参考
PASS = 0.6


@dataclass
class Question:
    """One scored cell over the class. Shares are 0 to 1; None where it cannot be said.

    ``link``: correlation of this cell with the rest of the marks (corrected point-biserial), ``link_range``
    its 95 % interval; ``gap``: mean share of the upper 27 % minus that of the lower 27 %.
    """

    item: Item
    n: int = 0
    waiting: int = 0
    mean: float | None = None
    full: int = 0
    zero: int = 0
    link: float | None = None
    link_range: tuple[float, float] | None = None
    gap: float | None = None
    mistakes: list[tuple[str, str, list[str]]] = field(default_factory=list)  # (名字, 提示, 谁)
    missed: list[tuple[str, int]] = field(default_factory=list)  # (小项, 错了几人)

    @property
    def verdict(self) -> str:
        """What a teacher should look at, "" if nothing; cautious where there are few students."""
        if self.mean is None:
            return "还没有评完" if self.waiting else ""
        if self.n < FEW:
            return f"只有 {self.n} 人，区分度只供参考"
        if self.mean > 0.95:
            return "几乎人人都对，分不出高低"
        if self.mean < 0.1:
            return "几乎没有人做对：题目说清楚了吗，答案对吗"
        if self.link is None:
            return ""
        if self.link_range[1] < 0:
            return "反着来：总分高的人这题反而低，先查答案"
        if self.link_range[1] < 0.3:
            return "不区分：总分高的人和低的人，这题做得差不多"
        return "看着不太区分，人数还不够下结论" if self.link < 0.1 else ""


@dataclass
class Report:
    assignment: str
    questions: list[Question]
    students: list[Student]
    shares: list[float]  # 每个学生的总分 ÷ 满分；没评的题不算进满分
    names: dict[str, str]
    ungraded: list[str]
    missing: list[str]

    @property
    def most(self) -> float:
        return sum(q.item.points for q in self.questions)


def main(argv) -> int:
    """Write the page and the workbook of one assignment."""
    parser = Parser(prog="crm class report", description="全班的得分、常见错误、题目好不好")
    parser.add_argument("unit", metavar="单元", help="2.2 或 2.2-swot-pest")
    add_course(parser)
    options = parser.parse_args(argv)
    room = find(options.course)
    name = room.assignment(options.unit)
    report = gather(room, name)
    page = save(room.root / REPORTS, f"{name}.html", render(report).encode("utf-8", "replace"))
    book = save(room.root / REPORTS, f"{name}.xlsx", workbook(report))
    mean = sum(report.shares) / len(report.shares)
    print(f"{name}：{len(report.students)} 人，平均得 {mean:.0%} 的分。")
    for q in report.questions:
        if q.verdict and q.n >= FEW:
            print(f"[注意] {q.item.label}：{q.verdict}")
    if report.ungraded:
        print(f"[注意] {len(report.ungraded)} 人交了还没有批，没有算进来。")
    print(f"图表：{page}（双击用浏览器打开）\n表格：{book}")
    return 0


def gather(room: Classroom, name: str) -> Report:
    """Everything the report says. CourseError if nobody has been graded."""
    wanted = items(room, name)
    with database.opened(room) as book:
        roster = Roster.read(book)
        found = students(room, book, name, wanted)
    if not found:
        raise CourseError(f"{name} 还没有批过，没有可以报告的。先批：crm class grade "
                          f"{name.partition('-')[0]}")
    handed = room.students_in("submitted", name)
    graded = {s.id for s in found}
    return Report(name, analyse(wanted, found), found, [_share(s, wanted) for s in found], roster.names,
                  [s for s in handed if s not in graded], sorted(set(roster.names) - set(handed) - graded))


def _share(student: Student, wanted) -> float:
    marked = [i for i in wanted if student.scores.get(i.name) is not None]
    most = sum(i.points for i in marked)
    return sum(student.scores[i.name] for i in marked) / most if most else 0.0


def analyse(wanted: list[Item], found: list[Student]) -> list[Question]:
    """Difficulty, discrimination and mistakes of each scored cell."""
    questions = []
    for item in wanted:
        marked = [s for s in found if s.scores.get(item.name) is not None and item.points]
        q = Question(item, len(marked), len(found) - len(marked))
        if marked and q.waiting <= len(found) / 2:
            own = [s.scores[item.name] / item.points for s in marked]
            rest = [_share(s, [i for i in wanted if i is not item]) for s in marked]
            q.mean = sum(own) / len(own)
            q.full, q.zero = sum(x > 1 - 1e-9 for x in own), sum(x < 1e-9 for x in own)
            q.link = correlation(own, rest)
            q.link_range = interval(q.link, len(own))
            q.gap = gap(own, rest)
        _count_mistakes(q, found)
        questions.append(q)
    return questions


def correlation(a: list[float], b: list[float]) -> float | None:
    """Pearson's; None for fewer than 3 pairs or where one side is constant.

    >>> correlation([0, 1, 1, 0], [0.2, 0.9, 0.8, 0.1])
    0.9899494936611664
    """
    n = len(a)
    if n < 3:
        return None
    mean_a, mean_b = sum(a) / n, sum(b) / n
    over_a, over_b = [x - mean_a for x in a], [x - mean_b for x in b]
    spread = math.sqrt(sum(x * x for x in over_a) * sum(x * x for x in over_b))
    return sum(x * y for x, y in zip(over_a, over_b, strict=True)) / spread if spread > 1e-12 else None


def interval(r: float | None, n: int) -> tuple[float, float] | None:
    """95 % interval of a correlation, by Fisher's transformation."""
    if r is None or n < 4:
        return None if r is None else (-1.0, 1.0)
    z, half = math.atanh(max(min(r, 0.999999), -0.999999)), 1.96 / math.sqrt(n - 3)
    return math.tanh(z - half), math.tanh(z + half)


def gap(own: list[float], rest: list[float]) -> float | None:
    """Mean of ``own`` in the upper 27 % by ``rest`` minus the lower 27 %; None for fewer than 4."""
    if len(own) < 4:
        return None
    k = max(1, round(0.27 * len(own)))
    ranked = [x for _, x in sorted(zip(rest, own, strict=True), key=lambda pair: pair[0])]
    return sum(ranked[-k:]) / k - sum(ranked[:k]) / k


def _count_mistakes(q: Question, found: list[Student]) -> None:
    hints = {m["name"]: m["hint"] for m in q.item.task.get("mistakes", [])}
    who: dict[str, list[str]] = {}
    wrong = Counter()
    for student in found:
        result = student.results.get(q.item.name)
        if result is None:
            continue
        for mistake in result.mistakes:
            who.setdefault(mistake, []).append(student.id)
        wrong.update(place for place, right in result.where.items() if not right)
    q.mistakes = [(name, hints.get(name, ""), people) for name, people in
                  sorted(who.items(), key=lambda pair: -len(pair[1]))]
    q.missed = [(item_text(q.item.task, place), count)
                for place, count in wrong.most_common(3) if count > max(1, 0.2 * len(found))]


# ---- 存 ----

def save(folder: Path, name: str, content: bytes) -> Path:
    """Write a report; a file that the teacher has changed since is left alone, and the new one is …-2.

    Raises CourseError if the file is open in another program.
    """
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / ".made.json"
    try:
        made = json.loads(record.read_text("utf-8"))
    except (OSError, ValueError):
        made = {}
    for number in range(1, 1000):
        path = folder / name
        if number > 1:
            path = path.with_stem(f"{path.stem}-{number}")
        if path.exists() and made.get(path.name) != hashlib.sha256(path.read_bytes()).hexdigest():
            continue
        try:
            write_whole(path, content)
        except PermissionError:
            raise CourseError(f"{path.name} 正被别的程序（Excel？）打开，关掉它，再运行一次。") from None
        made[path.name] = hashlib.sha256(content).hexdigest()
        write_whole(record, json.dumps(made))
        return path
    raise CourseError(f"{folder} 里的 {name} 太多了，删掉旧的，再运行一次。")


def workbook(report: Report) -> bytes:
    """The report as .xlsx: 概况、每题、常见错误、学生."""
    from openpyxl import Workbook

    book = Workbook()
    points = sorted(report.shares)
    middle = points[len(points) // 2] if len(points) % 2 else sum(points[len(points) // 2 - 1:][:2]) / 2
    overview = [["作业", report.assignment], ["做报告的时间", f"{datetime.now():%Y-%m-%d %H:%M}"],
                ["批了", len(report.students)], ["交了没批", len(report.ungraded)],
                ["没交", len(report.missing)],
                ["满分", report.most], ["平均得分率", round(sum(points) / len(points), 4)],
                ["中位得分率", round(middle, 4)],
                [f"得分率到 {PASS:.0%} 的人", sum(s >= PASS for s in points)]]
    _sheet(book, "概况", ["", ""], overview, [24, 30])
    _sheet(book, "每题", ["题", "满分", "人数", "等评分", "平均得分率", "满分人数", "零分人数",
                          "和其余题的相关", "95% 下限", "95% 上限", "前 27% 减后 27%", "留意"],
           [[q.item.label, q.item.points, q.n, q.waiting, _round(q.mean), q.full, q.zero, _round(q.link),
             *map(_round, q.link_range or (None, None)), _round(q.gap), q.verdict] for q in report.questions],
           [28, 8, 8, 8, 12, 10, 10, 14, 10, 10, 16, 40])
    _sheet(book, "常见错误", ["题", "错误", "人数", "提示", "谁"],
           [[q.item.label, name, len(people), hint, "、".join(_name(report, p) for p in people)]
            for q in report.questions for name, hint, people in q.mistakes], [28, 24, 8, 50, 60])
    _sheet(book, "学生", ["学号", "姓名", *(q.item.label for q in report.questions), "合计", "犯过的错误"],
           [[s.id, report.names.get(s.id, ""), *(s.scores.get(q.item.name) for q in report.questions),
             round(s.total, 2), "；".join(n for r in s.results.values() for n in r.mistakes)]
            for s in report.students], [14, 10, *(12 for _ in report.questions), 8, 60])
    del book["Sheet"]
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _sheet(book, title, head, rows, widths) -> None:
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    sheet = book.create_sheet(title)
    for row, values in enumerate([head, *rows] if any(head) else rows, 1):
        for column, value in enumerate(values, 1):
            cell = sheet.cell(row, column)
            cell.alignment = Alignment(vertical="top", wrap_text=True)
            if isinstance(value, str):
                cell.value = re.sub(r"[\x00-\x08\x0b-\x1f]", "", value)
                cell.data_type = "s"  # “=” 开头的学生文字不许变成公式
            else:
                cell.value = value
            if row == 1 and any(head):
                cell.font = Font(bold=True)
    if any(head):
        sheet.freeze_panes = "B2"
    for column, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(column)].width = width


def _round(value):
    return None if value is None else round(value, 3)


def _name(report: Report, student: str) -> str:
    return report.names.get(student) or student


# ---- 一页 ----

def render(report: Report) -> str:
    """The page: one HTML file, charts inside, no names of students on it (it may be projected)."""
    e = html.escape
    n, mean = len(report.students), sum(report.shares) / len(report.shares)
    passed = sum(s >= PASS for s in report.shares)
    figures = [(f"{n}", "人批过"), (f"{mean:.0%}", "平均得分率"), (f"{passed}", f"人得分率到 {PASS:.0%}"),
               (f"{len(report.missing)}", "人没交"), (f"{len(report.ungraded)}", "人交了没批")]
    top = "".join(f"<div><b>{e(a)}</b><span>{e(b)}</span></div>" for a, b in figures)
    rows = "".join(
        f"<tr><th scope='row'>{e(q.item.label)}</th><td>{q.item.points:g}</td><td>{q.n}</td>"
        f"<td>{_percent(q.mean)}</td><td>{q.full}</td><td>{q.zero}</td><td>{_link(q)}</td>"
        f"<td>{_signed(q.gap)}</td><td class='note'>{e(q.verdict)}</td></tr>" for q in report.questions)
    return (
        "<!DOCTYPE html><html lang='zh-CN'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'>"
        f"<title>{e(report.assignment)} 全班报告</title><style>{CSS}</style></head><body><main>"
        f"<h1>{e(report.assignment)} 全班报告</h1><p class='quiet'>{datetime.now():%Y-%m-%d %H:%M} 做成。"
        f"这一页没有学生的名字，可以投影。名字在同名的 .xlsx 里。</p><div class='top'>{top}</div>"
        f"<section><h2>得分分布</h2>{_histogram(report)}</section>"
        f"<section><h2>每题得了几成分</h2>{_bars(report)}</section>"
        "<section><h2>题目好不好</h2><table><thead><tr><th>题</th><td>满分</td><td>人数</td><td>平均得分率</td>"
        "<td>满分的人</td><td>零分的人</td><td>和其余题的相关</td><td>前 27% 减后 27%</td>"
        f"<td class='note'>留意</td></tr></thead><tbody>{rows}</tbody></table>"
        "<p class='quiet'>相关（−1 到 1）：这题做得好的人，其余的题是不是也好。括号里是 95% 的范围。"
        f"0.3 以上算好；接近 0，这题分不出高低。人数少于 {FEW}，范围很宽，不要只凭它改题。</p></section>"
        f"<section><h2>常见错误</h2>{_mistakes(report)}</section></main></body></html>\n")


def _mistakes(report: Report) -> str:
    e, parts = html.escape, []
    for q in report.questions:
        rows = "".join(f"<li><span class='count'>{len(people)} 人</span><div><b>{e(name)}</b>"
                       f"<span class='quiet'>{e(hint)}</span></div></li>"
                       for name, hint, people in q.mistakes)
        missed = "；".join(f"“{e(what)}”{count} 人" for what, count in q.missed)
        if rows or missed:
            more = f"<p class='quiet'>错得最多的：{missed}</p>" if missed else ""
            parts.append(f"<h3>{e(q.item.label)}</h3><ul>{rows}</ul>{more}")
    return "".join(parts) or "<p>没有人犯已知的错误。</p>"


def _percent(value) -> str:
    return "—" if value is None else f"{value:.0%}"


def _signed(value) -> str:
    return "—" if value is None else f"{value:+.0%}".replace("-", "−")


def _link(q: Question) -> str:
    if q.link is None:
        return "—"
    low, high = q.link_range
    return f"{q.link:.2f} <small>（{low:.2f}～{high:.2f}）</small>".replace("-", "−")


def _histogram(report: Report) -> str:
    bins = [0] * 10
    for share in report.shares:
        bins[min(int(share * 10 + 1e-9), 9)] += 1

    def draw(ax):
        from crmlib.style import PALETTE

        colours = [PALETTE[3] if i < PASS * 10 else PALETTE[0] for i in range(10)]
        ax.bar(range(10), bins, width=0.92, color=colours)
        ax.set_xticks(range(10), [f"{10 * i}–{10 * i + (10 if i == 9 else 9)}" for i in range(10)])
        ax.set_xlabel("得分率（%）")
        ax.set_ylabel("人数")
        ax.yaxis.get_major_locator().set_params(integer=True)
        ax.grid(axis="x", visible=False)
        for i, count in enumerate(bins):
            if count:
                ax.text(i, count, str(count), ha="center", va="bottom", fontsize=13)

    words = "；".join(f"{10 * i}% 起 {c} 人" for i, c in enumerate(bins) if c)
    return figure(draw, (9, 3.4), f"得分分布：{words}")


def _bars(report: Report) -> str:
    shown = [q for q in report.questions if q.mean is not None]

    def draw(ax):
        from crmlib.style import PALETTE

        places = range(len(shown))
        colours = [PALETTE[0] if q.mean >= PASS else PALETTE[1] for q in shown]
        ax.barh(places, [q.mean for q in shown], color=colours)
        ax.set_yticks(places, [_cut(q.item.label) for q in shown])
        ax.invert_yaxis()
        ax.set_xlim(0, 1.08)
        ax.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1], ["0", "20%", "40%", "60%", "80%", "100%"])
        ax.grid(axis="y", visible=False)
        for place, q in zip(places, shown, strict=True):
            ax.text(q.mean + 0.01, place, f"{q.mean:.0%}", va="center", fontsize=13)

    if not shown:
        return "<p>还没有评完的题。</p>"
    words = "；".join(f"{q.item.label} {q.mean:.0%}" for q in shown)
    return figure(draw, (9, 0.8 + 0.5 * len(shown)), f"每题平均得分率：{words}")


def _cut(text: str) -> str:
    return text if len(text) <= 18 else text[:17] + "…"


def figure(draw, size, words: str) -> str:
    """A chart in the course's style as inline SVG; ``words`` say it to a screen reader."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    from crmlib.style import _prepare_figures

    with matplotlib.rc_context():
        _prepare_figures()
        # 字画成轮廓：没有中文字体的电脑也看得见
        matplotlib.rcParams.update({"svg.fonttype": "path", "svg.hashsalt": "crm"})
        made = Figure(figsize=size)
        FigureCanvasSVG(made)
        draw(made.add_subplot())
        buffer = io.StringIO()
        made.savefig(buffer, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    svg = buffer.getvalue()
    said = html.escape(words, quote=True)
    return f"<figure role='img' aria-label='{said}'>{svg[svg.index('<svg'):]}</figure>"


CSS = """
:root { color-scheme: light; }
body { margin: 0; background: #eceff1; color: #212121; font: 17px/1.6 "Microsoft YaHei", "PingFang SC",
  "Noto Sans CJK SC", sans-serif; }
main { box-sizing: border-box; max-width: 1080px; margin: 20px auto; padding: 28px 40px 40px;
  background: #fff; }
h1 { margin: 0; font-size: 1.7em; }
h2 { margin: 1.4em 0 .5em; padding-left: .5em; border-left: 5px solid #0072B2; font-size: 1.25em;
  line-height: 1.3; }
h3 { margin: 1em 0 .2em; font-size: 1.05em; }
.quiet, small { color: #5f6b76; font-size: .88em; }
.top { display: flex; flex-wrap: wrap; gap: 12px; margin-top: 16px; }
.top div { flex: 1 1 130px; padding: 10px 16px; border-radius: 8px; background: #f1f5f9; }
.top b { display: block; font-size: 1.7em; line-height: 1.2; }
figure { margin: 0; }
figure svg { display: block; width: 100%; height: auto; }
table { width: 100%; border-collapse: collapse; font-size: .88em; font-variant-numeric: tabular-nums; }
tr { border-bottom: 1px solid #dde3e8; }
thead tr { background: #f1f5f9; font-weight: 600; }
th, td { padding: .35em .5em; text-align: right; font-weight: inherit; vertical-align: top; }
th, .note { text-align: left; }
tbody .note { color: #a04000; }
ul { margin: 0; padding: 0; list-style: none; }
li { display: flex; gap: 1em; padding: .3em 0; border-bottom: 1px solid #edf1f4; }
li .quiet { display: block; }
.count { flex: none; width: 4.2em; font-weight: 700; color: #a04000; text-align: right; }
@media print { body { background: none; font-size: 10pt; } main { margin: 0; padding: 0; max-width: none; }
  h2, h3, li, tr, figure { break-inside: avoid; } }
"""
