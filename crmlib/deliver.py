"""把学生自己的答案排成一页 Word 备忘录，交给老师或贴到墙上。"""

import html
import io
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from crmlib.cli import CourseError
from crmlib.tasks import find_task, form, text
from crmlib.tasks.classify import card_text
from crmlib.tasks.core import KINDS
from crmlib.tasks.numbers import formula
from crmlib.tasks.session import open_saved

_UNWRITTEN = "（还没有写）"
_NOT_XML = re.compile("[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")
_NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|\x00-\x1f]')
_TEXT_WIDTH = 18.0  # 厘米：A4 纸减去左右各 1.5
_SHADE = '<w:shd {} w:val="clear" w:fill="EEF2F6"/>'
_BORDERS = (
    "<w:tblBorders {}>"
    + "".join(f'<w:{side} w:val="single" w:sz="4" w:color="9AA5B1"/>'
              for side in ("top", "left", "bottom", "right", "insideH", "insideV"))
    + '</w:tblBorders>'
)


@dataclass
class Memo:
    """A written memo: its file, and what is still missing in it. Shows itself as a link."""

    path: Path
    missing: list[str] = field(default_factory=list)

    def __repr__(self):
        return "\n".join([f"写好了：{self.path}", *(f"还差：{line}" for line in self.missing)])

    def _repr_html_(self):
        left = "".join(f"<li>{html.escape(line)}</li>" for line in self.missing)
        left = f"<p>还差这些，补上以后再运行一次：</p><ul>{left}</ul>" if left else ""
        name, folder = html.escape(self.path.name), html.escape(str(self.path.parent))
        return (f'<p>写好了：<a href="{quote(self.path.name)}" download>{name}</a><br>'
                f"<small>在文件夹 {folder} 里，用 Word 或 WPS 打开。</small></p>{left}")


def deliver(title: str, parts: list[tuple], unit: str | None = None, signed: bool = True) -> Memo:
    """Write a one-page .docx from the student's own answers, next to the notebook.

    title: heading and file name. parts: (heading, what) in their order. what: a task id (a table task becomes
    a table, any other its text), or the student's own figure or DataFrame (shown without its index).
    unit: named under the title. signed: whether the page says whose work it is (course, name, class, date);
    a questionnaire for customers does not. A part without an answer says so. An existing file is never
    overwritten: a memo that differs from it is called …-2, …-3. Raises CourseError if it cannot be written.
    """
    paper, missing = _Paper(title, unit, signed), []
    for heading, what in parts:
        paper.heading(heading)
        if hasattr(what, "savefig"):
            paper.figure(what)
            continue
        if hasattr(what, "columns"):
            paper.table([list(map(str, row)) for row in (what.columns, *what.itertuples(index=False))])
            continue
        if not isinstance(what, str):
            raise CourseError(f"“{heading}”这一部分要给题号、图或表，现在给的是 {type(what).__name__}。")
        task = find_task(what)
        saved = open_saved(task)
        if not saved.answer:
            paper.lines([_UNWRITTEN])
            gaps = ["还没有做。"]
        else:
            if task["kind"] == "form":
                paper.table(_table(task, saved.answer))
                paper.lines([_totals(task, saved.answer)])
            else:
                paper.lines(text(task, saved.answer).splitlines())
            kind = KINDS[task["kind"]]
            gaps = kind.missing(task, saved.answer) + kind.malformed(task, saved.answer)
        missing += [f"{heading}（第 {task['id']} 题）：{gap}" for gap in saved.notices + gaps]
    return Memo(_save(paper.content(), title), missing)


def _table(task, answer) -> list[list[str]]:
    """An answered form as rows of cells, the headings first."""
    filled, columns = form.rows(task, answer), []
    if not form.is_free(task) and any(row.get("title") for row in task["rows"]):
        columns.append(["项目", *(row.get("title", "") for row in task["rows"])])
    for column in task["columns"]:
        heading = column.get("title", column["id"]) + (f"（{column['unit']}）" if column.get("unit") else "")
        columns.append([heading, *_cells(column, [row[column["id"]] for row in filled.values()])])
    return [list(row) for row in zip(*columns, strict=True)]


def _cells(column, values) -> list[str]:
    match column.get("type", "text"):
        case "number":  # 同一列小数位数一样：0.10、0.12
            decimals = (f"{v:.4f}".rstrip("0").partition(".")[2] for v in values if v is not None)
            places = max(map(len, decimals), default=0)
            said = ["" if v is None else f"{v:.{places}f}" for v in values]
        case "cards":
            said = ["\n".join(f"{c} {card_text(column['cards'][c])}" for c in v) for v in values]
        case "choose":
            said = [str(column["options"].get(v, "")) for v in values]
        case _:
            said = [v or "" for v in values]
    return [cell or "—" for cell in said]


def _totals(task, answer) -> str:
    """What the form computes on screen, such as the weighted score."""
    said = []
    for line in task.get("show", []):
        parts = [formula(line["sum_of"], row) for row in form.rows(task, answer).values()]
        if None not in parts:
            said.append(f"{line['label']}：{sum(parts):.{line.get('decimals', 2)}f}")
    return "　　".join(said)


def _save(content: bytes, title: str) -> Path:
    stem = _NOT_IN_NAMES.sub("", _NOT_XML.sub("", title)).strip(" .")[:60] or "备忘录"
    for number in range(1, 1000):
        path = Path(stem + (f"-{number}" if number > 1 else "") + ".docx").absolute()
        try:
            file = open(path, "xb")  # noqa: SIM115  x：已有的文件绝不覆盖
            try:
                with file:
                    file.write(content)
            except OSError:
                path.unlink(missing_ok=True)  # 磁盘满了：半份文件不留
                raise
            return path
        except FileExistsError:
            if _same(path, content):  # 重新打开这一课会再运行一次：没有改动，就不多写一份
                return path
        except OSError as fault:
            raise CourseError(f"写不了 {path.name}（{fault.strerror}）。"
                              "看看磁盘满没满；文件夹不能写，就把课程复制到自己的文件夹里再打开。") from None
    raise CourseError(f"{stem}.docx 已经有 999 份了。删掉旧的，再运行一次。")


def _same(path, content) -> bool:
    """Whether an existing file holds the same memo (its date of saving aside)."""
    try:
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(io.BytesIO(content)) as new:
            return all(old.read(part) == new.read(part) for part in new.namelist()
                       if part == "word/document.xml" or part.startswith("word/media/"))
    except Exception:  # 不是 Word 文件，或者坏了、锁着：那就不是同一份
        return False


class _Paper:
    """An A4 page: 黑体 headings, 宋体 text; if signed, one line for name, class and date."""

    def __init__(self, title, unit, signed):
        from docx import Document
        from docx.enum.text import WD_ALIGN_PARAGRAPH
        from docx.shared import Cm, Pt

        self.document = Document()
        page = self.document.sections[0]
        page.page_width, page.page_height = Cm(21), Cm(29.7)
        page.left_margin = page.right_margin = Cm((21 - _TEXT_WIDTH) / 2)
        page.top_margin = page.bottom_margin = Cm(1.4)
        self._style("Normal", "宋体", "Times New Roman", Pt(10.5), after=Pt(2))
        self._style("Title", "黑体", "Arial", Pt(18), after=Pt(2))
        self._style("Heading 1", "黑体", "Arial", Pt(12), before=Pt(6), after=Pt(2))
        self.document.core_properties.title = _clean(title)[:255]
        self.document.core_properties.author = ""
        self.document.core_properties.language = "zh-CN"
        self.document.add_paragraph(_clean(title), style="Title").alignment = WD_ALIGN_PARAGRAPH.CENTER
        if not signed:
            return
        course = "物流客户关系管理" + (f" · 单元 {_clean(unit)}" if unit else "")
        self.document.add_paragraph(course).alignment = WD_ALIGN_PARAGRAPH.CENTER
        blanks = "　　".join(f"{name}：{'＿' * 8}" for name in ("姓名", "班级", "日期"))
        self.document.add_paragraph(blanks).alignment = WD_ALIGN_PARAGRAPH.CENTER

    def _style(self, name, chinese, latin, size, before=0, after=0):
        from docx.oxml.ns import qn
        from docx.shared import RGBColor

        style = self.document.styles[name]
        style.font.size, style.font.name, style.font.bold = size, latin, False
        style.font.color.rgb = RGBColor(0, 0, 0)
        fonts = style.element.rPr.rFonts
        for attribute in list(fonts.attrib):  # 模板里的主题字体会盖过我们的，先去掉
            if attribute.lower().endswith("theme"):
                del fonts.attrib[attribute]
        fonts.set(qn("w:eastAsia"), chinese)  # python-docx 只写西文字体，中文的要自己写
        style.paragraph_format.space_before, style.paragraph_format.space_after = before, after
        for border in style.element.findall(f".//{qn('w:pBdr')}"):
            border.getparent().remove(border)

    def heading(self, text):
        self.document.add_paragraph(_clean(text), style="Heading 1")

    def lines(self, lines):
        for line in lines:
            if line.strip():
                self.document.add_paragraph(_clean(line))

    def figure(self, figure):
        from docx.shared import Cm

        image, (wide, high) = io.BytesIO(), figure.get_size_inches()
        figure.savefig(image, format="png", dpi=200, bbox_inches="tight")
        width = min(_TEXT_WIDTH * 0.8, 8.0 * wide / high)  # 一页纸：图最高 8 厘米
        self.document.add_picture(image, width=Cm(width))

    def table(self, rows):
        from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT
        from docx.oxml import parse_xml
        from docx.oxml.ns import nsdecls
        from docx.shared import Cm, Pt

        widths = [Cm(width) for width in _widths(rows)]
        table = self.document.add_table(len(rows), len(widths), style="Table Grid")
        table.autofit = False
        table._tbl.tblPr.append(parse_xml(_BORDERS.format(nsdecls("w"))))
        for column, width in zip(table.columns, widths, strict=True):
            column.width = width
        for number, (row, words) in enumerate(zip(table.rows, rows, strict=True)):
            extras = ["cantSplit", *(["tblHeader"] if number == 0 else [])]  # 一行不拆到两页；标题每页都有
            for name in extras:
                row._tr.get_or_add_trPr().append(parse_xml(f"<w:{name} {nsdecls('w')}/>"))
            for cell, said, width in zip(row.cells, words, widths, strict=True):
                cell.width, cell.vertical_alignment = width, WD_CELL_VERTICAL_ALIGNMENT.CENTER
                if number == 0:
                    cell._tc.get_or_add_tcPr().append(parse_xml(_SHADE.format(nsdecls("w"))))
                spacing = cell.paragraphs[0].paragraph_format
                spacing.space_before = spacing.space_after = Pt(1.5)
                run = cell.paragraphs[0].add_run(_clean(said))
                run.font.size, run.font.bold = Pt(9), number == 0
        self.document.add_paragraph().paragraph_format.line_spacing = Pt(4)

    def content(self) -> bytes:
        file = io.BytesIO()
        self.document.save(file)
        return file.getvalue()


def _widths(rows) -> list[float]:
    """Column widths in cm: a short column gets what its text needs, the long ones share the rest."""
    needs = [0.7 + 0.32 * max(sum(1 if ord(c) > 0x2E80 else 0.55 for c in line)
                              for cell in column for line in cell.split("\n"))
             for column in zip(*rows, strict=True)]
    widths, left = list(needs), _TEXT_WIDTH
    for done, column in enumerate(sorted(range(len(needs)), key=needs.__getitem__)):
        widths[column] = min(needs[column], left / (len(needs) - done))
        left -= widths[column]
    widths[widths.index(max(widths))] += left
    return widths


def _clean(text) -> str:
    """Without the characters that a Word file cannot hold."""
    return _NOT_XML.sub("", str(text))
