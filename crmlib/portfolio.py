"""学习档案：学生自己的进度、选择和文字，排成一两张 A4 纸。只读 ``answers.json``，不改它。"""

import html
import json
import os
import re
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from urllib.parse import quote

from crmlib import paths
from crmlib.cli import CourseError
from crmlib.learned import CourseProgress, Progress, read
from crmlib.tasks import answers, choose, text, unreadable
from crmlib.tasks.core import TaskError
from crmlib.tasks.definitions import read_tasks
from crmlib.tasks.write import length

NAME = "学习档案"
_LONGEST = 240  # 每篇文字至少印这么多字符：八篇连同六十几个单元的表，正好两张纸
_ROOMY = 600  # 篇数少，每篇就多印些
_TEXTS, _CHOICES = 8, 10  # 直接印出来的篇数；更早的折起来，学生点开哪一叠就印哪一叠
_MADE = re.compile(r"<time>[^<]*</time>")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass
class Work:
    """What a student made in one unit: opening and final choices, written texts, unreadable answers."""

    choices: list[tuple[str, str, str]] = field(default_factory=list)  # (题目, 开头选的, 最后选的)
    texts: list[tuple[str, str]] = field(default_factory=list)  # (题目, 文字)
    faults: list[str] = field(default_factory=list)


@dataclass
class Written:
    """The written page; a notebook shows it as a link."""

    path: Path

    def __repr__(self):
        return f"写好了：{self.path}"

    def _repr_html_(self):
        try:
            link = Path(os.path.relpath(self.path)).as_posix()
        except ValueError:  # Windows：笔记本和课程不在同一个盘
            return f"<p>写好了：{html.escape(str(self.path))}</p>"
        return (f"<p>写好了：<a href='{quote(link)}' download>{html.escape(self.path.name)}</a><br><small>"
                f"在文件夹 {html.escape(str(self.path.parent))} 里，双击用浏览器打开，按 Ctrl + P 打印。"
                "</small></p>")


def portfolio() -> Written:
    """Write the page as ``学习档案.html`` into ``notebooks/``.

    An existing file is never overwritten: a page that differs (its date aside) is called …-2, …-3.
    Raises CourseError if the course map cannot be read or the page cannot be written.
    """
    folder = paths.notebooks()
    content = _encoded(build(folder))
    for number in range(1, 1000):
        path = folder / (NAME + (f"-{number}" if number > 1 else "") + ".html")
        try:
            file = open(path, "xb")  # noqa: SIM115  x：已有的文件绝不覆盖
            try:
                with file:
                    file.write(content)
            except OSError:
                path.unlink(missing_ok=True)  # 磁盘满了：半份文件不留
                raise
            return Written(path.absolute())
        except FileExistsError:
            if _same(path, content):
                return Written(path.absolute())
        except OSError as fault:
            raise CourseError(f"写不了 {path.name}（{fault.strerror}）。"
                              "看看磁盘满没满；文件夹不能写，就把课程复制到自己的文件夹里再打开。") from None
    raise CourseError(f"{NAME}.html 已经有 999 份了。删掉旧的，再运行一次。")


def page(served: bool = True) -> bytes:
    """The page for the browser, UTF-8; always readable, whatever is broken."""
    try:
        return _encoded(build(paths.notebooks(), served))
    except CourseError as fault:
        return _encoded(_wrap(f"<h1>{NAME}</h1><p role='alert'>{html.escape(str(fault))}</p>"))


def build(folder: Path, served: bool = False) -> str:
    """The page of the course in ``folder`` (``notebooks/``). CourseError if there is no course map."""
    try:
        course = json.loads((folder / "course.json").read_text("utf-8"))
        progress = read(course, folder)
        works, damaged = collect(course, folder, progress)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise CourseError("课程地图 course.json 不在，或者坏了。重新复制一份课程文件夹，"
                          "把自己的 answers.json 放回原处。") from None
    return render(course, progress, works, damaged, served=served)


def collect(course: dict, folder: Path, progress: CourseProgress) -> tuple[dict[str, Work], list[str]]:
    """({unit id: what the student made}, names of damaged files) over the units that were started."""
    works, damaged = {}, list(progress.damaged)
    places = dict.fromkeys((folder / u["path"]).parent for m in course["modules"] for u in m["units"])
    for place in places:  # 课程修好答案文件时放到一边的旧文件
        damaged += [f.relative_to(folder).as_posix() for f in sorted(place.glob("answers.损坏-*.json"))]
    for unit in (u for m in course["modules"] for u in m["units"] if progress.units[u["id"]].started):
        place = (folder / unit["path"]).parent
        file = place / "tasks" / f"{unit['id']}.json"
        try:
            works[unit["id"]] = _work(read_tasks(file).values(), answers.read(place))
        except (TaskError, KeyError, TypeError, AttributeError):
            damaged.append(file.relative_to(folder).as_posix())
    return works, damaged


def _work(tasks, records) -> Work:
    work, asked = Work(), {}
    for task in tasks:
        poll = task.get("kind") == "choose" and choose.is_poll(task)
        record = records.get(task["id"])
        answer = record.get("answer") if isinstance(record, dict) else None
        if not answer or not (poll or task.get("kind") == "write"):
            continue
        if unreadable(task, answer):
            work.faults.append(f"第 {task['id']} 题的答案读不出来，没有印在这里。")
        elif poll:  # 选项一样的投票是同一个问题：先问一次，学完再问一次
            asked.setdefault(tuple(task["options"].items()), []).append((task["title"], text(task, answer)))
        elif said := text(task, answer):
            work.texts.append((task["title"], said))
    for votes in asked.values():
        (title, first), (_, last) = votes[0], votes[-1]
        work.choices.append((title, first, last if len(votes) > 1 else ""))
    return work


def render(course: dict, progress: CourseProgress, works: dict[str, Work], damaged=(), *,
           served: bool = False, today: date | None = None) -> str:
    """The whole page as one HTML file without any outside parts.

    ``served``: with a print button and a link that downloads the page; else it is that download.
    """
    units = {u["id"]: u for m in course["modules"] for u in m["units"]}
    newest = sorted((i for i in units if progress.units[i].started),
                    key=lambda i: progress.units[i].last, reverse=True)
    parts = [_tools(served), _head(course, today or date.today())]
    faults = [line for i in newest if i in works for line in works[i].faults]
    faults += [f"{file} 读不出来，没有算进来。不要删它，交给老师看看。" for file in damaged]
    parts += [f"<p class='fault' role='alert'>{html.escape(line)}</p>" for line in faults]
    if newest:
        parts.append(_table(course, progress, len(newest)))
        parts.append(_choices([(units[i], c) for i in newest if i in works for c in works[i].choices]))
        parts.append(_texts([(units[i], t) for i in newest if i in works for t in works[i].texts]))
    else:
        parts.append("<p class='empty'>这里还是空的，很正常：你还没有开始练习。<br>"
                     "打开课程首页，挑一个单元做第一题，再回来看，它就记在这里了。</p>")
    return _wrap("".join(parts))


def _tools(served: bool) -> str:
    buttons = ("<button type='button' onclick='print()'>打印</button>"
               f"<a href='?download=1' download='{NAME}.html'>下载 {NAME}.html</a>") if served else ""
    return (f"<div class='tools'>{buttons}<span>姓名、班级、学号点一下就能填，也可以印出来再写。"
            "打印按 Ctrl + P，纸选 A4。</span></div>")


def _head(course, today) -> str:
    blanks = "".join(f"<span class='blank'>{name}：<span contenteditable='true' role='textbox' "
                     f"spellcheck='false' aria-label='{name}'></span></span>"
                     for name in ("姓名", "班级", "学号"))
    return (f"<header><h1>{NAME}</h1><p>{html.escape(course['title'])}</p>"
            f"<div class='blanks'>{blanks}<span>日期：<time>{today:%Y-%m-%d}</time></span></div></header>")


def _table(course, progress, started) -> str:
    units = [u["id"] for m in course["modules"] for u in m["units"]]
    tables = "".join(_module(m, progress) for m in course["modules"])
    return (f"<section><h2>学到哪里了</h2><p>学过 {started} 个单元，全课程写好的有 {len(units)} 个。"
            f"{progress.of(units)}。</p><div class='{'two' if started > 12 else 'one'}'>{tables}</div>"
            "</section>")


def _module(module, progress) -> str:
    units = [u for u in module["units"] if progress.units[u["id"]].started]
    if not units:
        return ""
    rows = "".join(f"<tr><th scope='row'>{html.escape(u['id'])} {html.escape(u['title'])}</th>"
                   f"{_cells(progress.units[u['id']])}</tr>" for u in units)
    name = html.escape(f"模块 {module['id']}　{module['title']}")
    return (f"<table><thead><tr><th scope='col'>{name}</th>"
            f"{_cells(progress.of(u['id'] for u in module['units']))}</tr></thead>"
            f"<tbody>{rows}</tbody></table>")


def _cells(p: Progress) -> str:
    day = p.last[:10] if _DAY.match(p.last) else ""
    points = f"{p.points:g} / {p.of:g} 分" if p.of else ""
    return f"<td>{p.done} / {p.total} 题</td><td>{points}</td><td>{day}</td>"


def _choices(rows) -> str:
    def item(unit, choice) -> str:
        title, first, last = choice
        said = f"{html.escape(title)}：{html.escape(_short(first, 40))}"
        if last:
            changed = "改选" if last != first else "学完还是选"
            said += f" → <b>{changed}</b>：{html.escape(_short(last, 40))}"
        return f"<li><b>{html.escape(unit['id'])}</b> {said}</li>"

    return _list("我的选择：开头怎么猜，最后怎么选", [item(*row) for row in rows], _CHOICES)


def _texts(rows) -> str:
    most = max(_LONGEST, min(_ROOMY, _TEXTS * _LONGEST // max(len(rows), 1)))

    def item(unit, written) -> str:
        title, said = written
        count = length(said)
        more = f"<small>（全文 {count} 个字，在课文里）</small>" if len(_flat(said)) > most else ""
        return (f"<li><b>{html.escape(unit['id'])} {html.escape(title)}</b>"
                f"<p>{html.escape(_short(said, most))}{more}</p></li>")

    return _list("我写的", [item(*row) for row in rows], _TEXTS)


def _list(heading, items, shown) -> str:
    """The newest items; the older ones folded, so that they are printed only if the student unfolds them."""
    if not items:
        return ""
    rest = items[shown:]
    folded = (f"<details><summary>更早的 {len(rest)} 条（打开了才会打印）</summary><ul>{''.join(rest)}</ul>"
              "</details>") if rest else ""
    return f"<section><h2>{heading}</h2><ul>{''.join(items[:shown])}</ul>{folded}</section>"


def _flat(said: str) -> str:
    return " ".join(said.split())


def _short(said: str, most: int) -> str:
    """One paragraph of at most ``most`` characters.

    >>> _short("投甲。\\n因为晚点多。", 5)
    '投甲。 因……'
    """
    said = _flat(said)
    return said if len(said) <= most else said[:most].rstrip() + "……"


def _same(path: Path, content: bytes) -> bool:
    """Whether an existing file is the same page, made perhaps on another day."""
    try:
        return _MADE.sub("", path.read_bytes().decode()) == _MADE.sub("", content.decode())
    except (OSError, ValueError):
        return False


def _encoded(made: str) -> bytes:
    return made.encode("utf-8", errors="replace")  # 半个字符写不进 UTF-8：换成问号


def _wrap(content: str) -> str:
    return ("<!DOCTYPE html><html lang='zh-CN'><head><meta charset='utf-8'>"
            "<meta name='viewport' content='width=device-width'>"
            f"<title>{NAME}</title><style>{_CSS}</style></head><body><main>{content}</main></body></html>\n")


_CSS = """
@page { size: A4; margin: 13mm 14mm; }
:root { color-scheme: light; }
body { margin: 0; background: #eceff1; color: #212121; font: 15px/1.6 "Microsoft YaHei", "PingFang SC",
  "Noto Sans CJK SC", sans-serif; }
main { box-sizing: border-box; max-width: 860px; margin: 20px auto; padding: 28px 40px 40px;
  background: #fff; }
header { text-align: center; }
h1 { margin: 0; font-size: 1.8em; line-height: 1.3; letter-spacing: .2em; text-indent: .2em; }
h2 { margin: 1.1em 0 .3em; padding-left: .5em; border-left: 4px solid #1565c0; font-size: 1.15em;
  line-height: 1.3; break-after: avoid; }
p { margin: 0 0 .3em; }
ul { margin: 0; padding: 0; list-style: none; }
li { margin-bottom: .4em; break-inside: avoid; overflow-wrap: anywhere; }
small, td:last-child { color: #616161; }
.tools { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; margin-bottom: 18px;
  padding-bottom: 12px; border-bottom: 1px solid #e0e0e0; color: #616161; font-size: 14px; }
.tools button { padding: 6px 22px; border: 0; border-radius: 6px; background: #1565c0; color: #fff;
  font: inherit; font-size: 16px; cursor: pointer; }
.tools a { color: #1565c0; font-size: 16px; }
.tools span { flex-basis: 100%; }
.blanks { display: flex; justify-content: center; flex-wrap: wrap; gap: 4px 1.6em; margin-top: .4em; }
.blank > span { display: inline-block; min-width: 7em; border-bottom: 1px solid #616161; }
.fault { margin-top: .8em; padding: .3em .8em; border-left: 4px solid #ef6c00; background: #fff8e1;
  overflow-wrap: anywhere; }
.empty { margin: 3em 0; text-align: center; font-size: 1.1em; }
table { width: 100%; margin-bottom: .5em; border-collapse: collapse; font-variant-numeric: tabular-nums; }
thead { display: table-row-group; }
tr { break-inside: avoid; border-bottom: 1px solid #e0e0e0; }
thead tr { background: #eef2f6; font-weight: 600; break-after: avoid; }
th, td { padding: .12em .4em; text-align: left; font-weight: inherit; vertical-align: baseline; }
td { text-align: right; white-space: nowrap; }
.two { columns: 2; column-gap: 1.4em; font-size: .8em; }
summary { color: #616161; cursor: pointer; }
:focus-visible { outline: 3px solid #1976d2; outline-offset: 2px; }
@media print {
  body { background: none; font-size: 9pt; line-height: 1.5; }
  main { max-width: none; margin: 0; padding: 0; }
  .tools, details:not([open]) { display: none; }
  details[open] > summary { display: none; }
  thead tr, .fault { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
