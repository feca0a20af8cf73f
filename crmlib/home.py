"""课程首页：把课程地图和学习进度画成一段 HTML。JupyterLab 里的首页用的就是它。"""

import json
from html import escape
from pathlib import Path
from urllib.parse import quote

from crmlib import paths
from crmlib.learned import CourseProgress, Progress, bar, read


def page(route: str = "", base: str = "/", prefix: str | None = "") -> str:
    """The home page of the course on this computer, always readable, whatever is broken.

    ``base``: the server's base URL; ``prefix``: where ``notebooks/`` is below the server's root,
    None if it is elsewhere.
    """
    folder = paths.notebooks()
    try:
        course = json.loads((folder / "course.json").read_text("utf-8"))
        progress = read(course, folder)
        astray = f"在这里打不开课文。关掉它，到课程文件夹 {paths.root()} 里运行 crm lab。"
        return render(course, progress, route, base=base, prefix=prefix or "",
                      handouts=handouts(course, folder), notice=astray if prefix is None else "")
    except FileNotFoundError:
        fault = f"还没有课程地图：{folder / 'course.json'} 不在。"
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        fault = f"课程地图 {folder / 'course.json'} 坏了，读不出来。"
    fault += "重新复制一份课程文件夹；维护者运行 crm build。"
    return _wrap(f"<p class='crm-home-notice' role='alert'>{escape(fault)}</p>")


def handouts(course: dict, folder: Path) -> list[str]:
    """Notebooks in the folders of ``notebooks/`` that are no units: assignments, the student's own."""
    units = {unit["path"] for module in course["modules"] for unit in module["units"]}
    found = (p.relative_to(folder) for depth in ("*/*.ipynb", "*/*/*.ipynb") for p in folder.glob(depth))
    return sorted(path.as_posix() for path in found
                  if path.as_posix() not in units and not any(part.startswith(".") for part in path.parts))


def render(course: dict, progress: CourseProgress, route: str = "", *, base: str = "/", prefix: str = "",
           handouts=(), notice: str = "") -> str:
    """The home page as one HTML fragment.

    ``course``: course.json; ``route``: js, kd, wl, sw, or anything else for all units.
    Links to notebooks carry ``data-crm-open`` (and the task to go to), links to routes
    ``data-crm-route``; both also work plainly.
    """
    def link(path: str, text: str, css: str = "", task: str = "") -> str:
        place = f"{prefix}/{path}" if prefix else path
        return (f"<a id='{escape(css or 'crm-home-' + path)}' class='{css}' "
                f"href='{escape(base)}lab/tree/{quote(place)}' "
                f"data-crm-open='{escape(place)}' data-crm-task='{escape(task)}'>{text}</a>")

    route = route if route in course["routes"] else ""
    sections, waiting = _sections(course, route)
    shown = [unit for _, units, _ in sections for unit in units]
    parts = [
        f"<header><h1>{escape(course['title'])}</h1>"
        "<p class='crm-home-lead'>每个单元有一个要你拍板的问题。做一步，就知道对不对；答案自动保存。</p>"
        f"{_continue(course, progress, shown, link)}"
        f"<a id='crm-home-portfolio' class='crm-home-portfolio' href='{escape(base)}crm/portfolio' "
        "target='_blank' rel='noopener'>我的学习档案</a>"
        f"<a id='crm-home-glossary' class='crm-home-portfolio' href='{escape(base)}crm/glossary' "
        "target='_blank' rel='noopener'>术语表</a></header>"
    ]
    if notice:
        parts.append(f"<p class='crm-home-notice' role='alert'>{escape(notice)}</p>")
    for file in progress.damaged:
        parts.append(f"<p class='crm-home-notice' role='alert'>{escape(file)} 读不出来，没有算上它的进度。"
                     "打开那一课，课程会告诉你怎么办。</p>")
    parts.append(_first_time(open_=progress.last is None))
    parts.append(_routes(course, route, base))
    for module, units, planned in sections:
        parts.append(_section(module, units, planned, progress, route, link))
    if not shown:
        parts.append("<p class='crm-home-empty'>这条路线的单元还在编写。点上面的“全部”，看看已经写好的。</p>")
    if waiting:
        number = sum(len(planned) for _, planned in waiting)
        lines = "".join(f"<p class='crm-home-planned'>{escape(_module_name(m))}：{_titles(planned)}</p>"
                        for m, planned in waiting)
        parts.append(f"<details class='crm-home-waiting'><summary>还在编写的单元（{number} 个）</summary>"
                     f"{lines}</details>")
    parts.append(_more(handouts, link))
    return _wrap("".join(parts))


def _wrap(content: str) -> str:
    css = (Path(__file__).parent / "home.css").read_text("utf-8")
    return f"<style>{css}</style><div class='crm-home' lang='zh-CN'>{content}</div>"


def _sections(course: dict, route: str):
    """([(module, its units, its planned units)], [(module, planned)] of modules with nothing to open).

    All units: in the order of the course. On a route: in the order of the route, so that a module
    may come twice.
    """
    modules = course["modules"]
    if not route:
        rows = [(m, m["units"], m["planned"]) for m in modules]
    else:
        home = {u["id"]: (m, u, kind) for m in modules for kind in ("units", "planned") for u in m[kind]}
        rows = []
        for ident in course["routes"][route]["units"]:
            if ident not in home:
                continue
            module, unit, kind = home[ident]
            if not rows or rows[-1][0] is not module:
                rows.append((module, [], []))
            rows[-1][1 if kind == "units" else 2].append(unit)
    return [r for r in rows if r[1]], [(m, planned) for m, units, planned in rows if planned and not units]


def _continue(course, progress, shown, link) -> str:
    """The one big button: the task where the student left off, or the first unit."""
    units = {u["id"]: u for m in course["modules"] for u in m["units"]}
    if progress.last in units:
        word, unit, task = "继续上次的学习", units[progress.last], progress.units[progress.last].at
    elif shown:
        word, unit, task = "从这里开始", shown[0], ""
    else:
        return ""
    return link(unit["path"], f"<span>{word}</span>{escape(unit['id'])} {escape(unit['title'])}",
                "crm-home-continue", task)


def _first_time(open_: bool) -> str:
    return (
        f"<details class='crm-home-first'{' open' if open_ else ''}><summary>第一次来？三步就会</summary><ol>"
        "<li><b>点一个单元。</b>课文会自己运行，等几秒，卡片和按钮就出来了；没出来就点上方的 "
        "<b>▶ 运行全部</b>。左上角的<b>课程首页</b>随时带你回到这里。</li>"
        "<li><b>边读边做。</b>鼠标拖、手指点都行。用键盘：<kbd>Tab</kbd> 走到下一个，<kbd>1</kbd> 到 "
        "<kbd>9</kbd> 选答案、放卡片，<kbd>↑</kbd> <kbd>↓</kbd> 换一张卡片。</li>"
        "<li><b>点“检查”</b>，或者按 <kbd>Ctrl</kbd> + <kbd>Enter</kbd>。错了会告诉你错在哪里，改了再查。"
        "答案自动保存，关机也不丢。</li></ol></details>"
    )


def _routes(course: dict, route: str, base: str) -> str:
    def tab(ident: str, title: str) -> str:
        current = " aria-current='page'" if ident == route else ""
        return (f"<a id='crm-home-route-{escape(ident)}' href='{escape(base)}crm/home?route={quote(ident)}' "
                f"data-crm-route='{escape(ident)}'{current}>{escape(title)}</a>")

    tabs = tab("", "全部") + "".join(tab(i, r["title"]) for i, r in course["routes"].items())
    note = course["routes"][route].get("note", "") if route else ""
    return (f"<nav class='crm-home-routes' aria-label='按哪一份课程标准排列'>{tabs}</nav>"
            + (f"<p class='crm-home-note'>{escape(note)}</p>" if note else ""))


def _section(module, units, planned, progress, route, link) -> str:
    total = progress.of(u["id"] for u in units)
    cards = "".join(_card(u, progress.units.get(u["id"], Progress()), route, link) for u in units)
    later = f"<p class='crm-home-planned'>编写中：{_titles(planned)}</p>" if planned else ""
    return (f"<section aria-label='{escape(_module_name(module))}'>"
            f"<h2>{escape(_module_name(module))}<small>{total}</small></h2>"
            f"<div class='crm-home-cards'>{cards}</div>{later}</section>")


def _card(unit: dict, done: Progress, route: str, link) -> str:
    state = "已完成" if done.finished else "进行中" if done.started else "未开始"
    title = link(unit["path"], f"{escape(unit['id'])} {escape(unit['title'])}")
    about = "　".join(filter(None, [_hours(unit.get("hours", {}), route), str(done)]))
    return (f"<article class='crm-home-card' data-unit='{escape(unit['id'])}'>"
            f"<h3>{title}<small class='crm-home-state'>{state}</small></h3>"
            f"<p>{escape(unit.get('question', ''))}</p>"
            f"{bar(done, '')}<p class='crm-home-about'>{escape(about)}</p></article>")


def _hours(hours: dict, route: str) -> str:
    """``"4 课时"`` on a route; the largest of them where no route is chosen."""
    number = hours.get(route) if route else max(hours.values(), default=None)
    return f"{number:g} 课时" if number else ""


def _titles(units) -> str:
    return "、".join(escape(f"{u['id']} {u['title']}") for u in units)


def _module_name(module: dict) -> str:
    return f"模块 {module['id']}　{module['title']}"


def _more(handouts, link) -> str:
    """Assignments to open; how to hand them in; where the tables are."""
    given = "".join(f"<li>{link(path, escape(path))}</li>" for path in handouts)
    return (
        "<section class='crm-home-more' aria-label='作业和数据'><h2>作业和数据</h2>"
        + (f"<p>文件夹里的作业和其他笔记：</p><ul>{given}</ul>" if given else "")
        + "<p><b>交作业：</b>把老师发的作业文件夹放进 "
        f"<code>{escape(str(paths.notebooks()))}</code>，回到这一页，它就列在这里。"
        "做完后把整个文件夹交给老师，不要改文件名：里面的 answers.json 就是你的答案。</p>"
        f"<p><b>数据表</b>在 <code>{escape(str(paths.datasets()))}</code>，"
        "用 WPS 或 Excel 能直接打开。想改，先复制一份到别处再改：课文读的就是这里的表。</p></section>"
    )
