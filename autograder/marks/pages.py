"""成绩页：打开就能看、按 Ctrl + P 就能印的一个 HTML 文件。全班一页给老师，每个学生一页给他自己。"""

from html import escape

from autograder.marks import signals
from autograder.marks.compute import SOURCES, between
from autograder.marks.exact import plain
from autograder.marks.report import BANDS, Report, assessor, is_peer, value_text, why
from autograder.marks.schemes import KINDS
from autograder.marks.templates import OURS

_COLOURS = {"teacher": "#0072B2", "machine": "#56B4E9", "attendance": "#4D4D4D", "peer_within": "#009E73",
            "peer_between": "#CC79A7", "self": "#E69F00", "enterprise": "#D55E00"}


# ---- 全班 ----

def class_page(report: Report) -> str:
    """The teacher's page of a class."""
    scheme, n = report.scheme, len(report.marks)
    done = sum(m.final is not None for m in report.marks.values())
    head = (f"<h1>学期成绩</h1><p class='sub'>{_e(scheme.title)}{_variant(scheme)}</p>"
            f"<p class='sub'>{report.today}　{n} 名学生，{done} 人的总分已经可以定，{n - done} "
            f"人还有没定的项。"
            f"方案版本 {scheme.version}。</p>")
    parts = [head, _table(report), _charts(report), _waiting(report), _decisions(report), _signals(report),
             _scheme(report)]
    return _wrap(f"学期成绩 {report.today}", "".join(parts), wide=True)


def _table(report) -> str:
    if not report.marks:
        return "<p class='empty'>名单还是空的。先导入名单：crm class roster 名单.xlsx</p>"
    scheme = report.scheme
    heads = "".join(
        f"<th scope='col'>{_e(c.name)}<small>{plain(c.weight)}</small></th>" for c in scheme.components
    )
    rows = []
    for s in report.students:
        mark, cells = report.marks[s.id], []
        for c in scheme.components:
            weight, low, high = mark.component(c.id)
            if not weight:
                cells.append("<td class='open'>不计</td>")
            elif low == high:
                cells.append(f"<td>{between(low, high, 2)}</td>")
            else:
                cells.append(f"<td class='open'>{between(low, high, 1)}</td>")
        final = mark.final is not None
        star = "*" if mark.dropped else ""
        exactly = f"<td><small>{between(mark.low, mark.low, 2)}</small></td>" if final else "<td></td>"
        rows.append(f"<tr><th scope='row'>{_e(s.id)}</th><td class='name'>{_e(s.name)}</td>"
                    f"<td class='name'>{_e(report.group(s))}</td>{''.join(cells)}"
                    f"<td class='{'total' if final else 'total open'}'>{report.shown(s.id)}{star}</td>"
                    f"{exactly}</tr>")
    return (f"<section><h2>每个人</h2><p class='sub'>按学号排，不排名次。格子里是得到的分，表头下是满分；"
            f"斜体的是范围：缺的部分按 0 到 100 都有可能。带 * 的有一项不计，权重分给了别的项，见“老师的决定”"
            f"。{_e(scheme.rule())}</p><div class='scroll'><table class='marks'>"
            f"<thead><tr><th scope='col'>学号</th><th scope='col'>姓名</th><th scope='col'>小组</th>{heads}"
            f"<th scope='col'>总分</th><th scope='col'><small>未舍入</small></th></tr></thead><tbody>"
            f"{''.join(rows)}</tbody></table></div></section>")


def _charts(report) -> str:
    made = []
    bands = report.bands()
    if any(bands):
        made.append(_figure("总分分布", columns(BANDS, bands, "人"), f"已经定得下来的 {sum(bands)} 人。"))
    made.append(_figure("谁决定多少分", stack(report.decided()), signals.inflation(report.state)))
    if mastery := report.mastery():
        rows = [(title or name, float(v), f"{between(v, v, 0)}%　{n} 人") for name, title, v, n in mastery]
        made.append(_figure("各单元作业平均得分率", bars(rows), ""))
    if report.items:
        made.append(_figure("标准条目", _items(report), "对着这一条的题，平均得到 60% 算达到。"))
    return f"<section><h2>看全班</h2><div class='figures'>{''.join(made)}</div></section>"


def _items(report) -> str:
    n = len(report.marks)
    share = {i: sum(v >= 60 for v in given.values()) / max(n, 1) * 100 for i, given in report.items.items()}
    reached = sum(v >= 60 for v in share.values())
    low = sorted(share.items(), key=lambda pair: (pair[1], pair[0]))[:8]
    rows = [(f"{i} {report.texts.get(i, '')}", v, f"{v:.0f}%") for i, v in low]
    return f"<p>做过题的 {len(share)} 条里，有 {reached} 条超过六成的学生达到。最低的几条：</p>" + bars(
        rows
    )


def _waiting(report) -> str:
    rows = "".join(f"<li><b>{n} 人</b>　{_e(what)}：{_e(state)}</li>" for what, state, n in report.waiting())
    text = f"<ul>{rows}</ul>" if rows else "<p>都有了。</p>"
    return f"<section><h2>还没有定的</h2>{text}</section>"


def _decisions(report) -> str:
    rows = "".join(f"<li>{_e(e.whom)} {_e(report.state.students[e.whom].name)}　{_e(report.decision_text(e))}"
                   f"</li>"
                   for e in report.decisions() if e.whom in report.state.students)
    return f"<section><h2>老师的决定</h2><ul>{rows}</ul></section>" if rows else ""


def _signals(report) -> str:
    rows = "".join(f"<li><b>{_e(s.kind)}</b>　{_e(s.text)}</li>" for s in report.signals)
    text = f"<ul>{rows}</ul>" if rows else "<p>没有。</p>"
    return ("<section><h2>值得看一眼（只给老师）</h2><p class='sub'>程序没有因此改任何分。要不要改、怎么改，"
            "由老师定。</p>"
            f"{text}</section>")


def _scheme(report) -> str:
    scheme = report.scheme
    rows = "".join(
        f"<tr><th scope='row'>{_e(c.name)}</th><td>{plain(c.weight)}</td><td class='name'>{_e(c.group)}</td>"
        f"<td class='name'>{'、'.join(f'{KINDS[k]} {plain(s * 100)}%' for k, s in c.split.items())}</td>"
        f"<td class='name'>{_e(c.evidence)}</td></tr>" for c in scheme.components)
    notes = "".join(f"<li>{_e(n)}</li>" for n in (*scheme.notes, OURS, scheme.rule()))
    missing = [title for kind, title in KINDS.items() if kind not in scheme.kind_points()]
    none = f"<li>这个方案不设：{'、'.join(missing)}。可以写评语，不计分。</li>" if missing else ""
    versions = "".join(
        f"<li>{_e(e.detail['date'])} 起：版本 {_e(e.scheme)}，{_e(e.who)} 定"
        f"{'，原因：' + _e(e.detail['reason']) if e.detail.get('reason') else ''}</li>"
        for e in report.state.versions)
    return (f"<section><h2>方案</h2><p class='sub'>{_e(scheme.title)}{_variant(scheme)}</p>"
            f"<table class='scheme'><thead><tr><th scope='col'>分项</th><th scope='col'>权重</th><th "
            f"scope='col'>类别</th>"
            f"<th scope='col'>评价人</th><th scope='col'>评什么</th></tr></thead><tbody>{rows}</tbody></table"
            f">"
            f"<ul>{notes}{none}{versions}</ul></section>")


# ---- 一个学生 ----

def student_page(report: Report, who: str) -> str:
    """A student's own page: nobody else's name, no ranking, peers' marks only as their mean."""
    student, mark, scheme = report.state.students[who], report.marks[who], report.scheme
    final = mark.final is not None
    note = ("总分" if final else "总分还没有定，现在在这个范围里")
    head = (f"<h1>学期成绩</h1><p class='who'>{_e(student.name)}（{_e(who)}）　{_e(student.klass)}</p>"
            f"<p class='sub'>{_e(scheme.title)}{_variant(scheme)}　{report.today}</p>"
            f"<p class='result'><span>{note}</span><b>{report.shown(who)}</b></p>"
            f"<p class='trace'>{_e(mark.trace())}</p><p class='sub'>{_e(scheme.rule())}</p>")
    rows = []
    for part in mark.parts:
        share = plain(part.weight, 2)
        rows.append(f"<tr><th scope='row'>{_e(part.name)}</th><td class='name'>{assessor(part)}</td><td>"
                    f"{share}</td>"
                    f"<td class='{'open' if part.open else ''}'>{value_text(part)}</td>"
                    f"<td class='name'>{_bar(part)}</td><td class='name'>{_why(part)}</td></tr>")
    table = ("<section><h2>每一项</h2><table class='own'><thead><tr><th scope='col'>分项</th><th "
             "scope='col'>谁评</th>"
             "<th scope='col'>占总分</th><th scope='col'>得分</th><th scope='col'></th><th "
             "scope='col'>怎么来的</th>"
             f"</tr></thead><tbody>{''.join(rows)}</tbody></table></section>")
    decisions = "".join(f"<li>{_e(report.decision_text(e))}</li>" for e in report.decisions(who))
    decisions = f"<section><h2>老师的决定</h2><ul>{decisions}</ul></section>" if decisions else ""
    decided = "".join(
        f"<li>{SOURCES[k]}决定 {plain(of, 2)} 分"
        + (f"，已经评了 {plain(known, 2)} 分" if known != of else "")
        + "</li>"
        for k, (of, known) in mark.decided.items()
    )
    notes = "".join(f"<li><b>{_e(a)}</b>　{_e(b)}</li>" for a, b in report.notes(who))
    notes = f"<section><h2>写给你的话</h2><ul>{notes}</ul></section>" if notes else ""
    printed = "".join(f"<li>{_e(n)}</li>" for n in (*scheme.notes, OURS))
    return _wrap(f"{student.name} 学期成绩", head + table + decisions + notes + _own_charts(report, who)
                 + f"<section class='quiet'><h2>谁决定多少分</h2><ul class='line'>{decided}</ul></section>"
                 + f"<section class='quiet'><h2>这个方案</h2><ul>{printed}</ul></section>")


def _bar(part) -> str:
    """Known points in full colour, what is still possible in a light one."""
    low, high = (float(x * 100 / part.weight) for x in (part.low, part.high))
    return (f"<span class='meter'><i style='width:{low:.1f}%'></i>"
            f"<i class='may' style='width:{high - low:.1f}%'></i></span>")


def _why(part) -> str:
    said = []
    for item in part.items:
        text = why(item)
        if is_peer(part) and item.value is not None:
            text = f"{text.partition('，')[0]}，这是平均分"
        if len(part.items) > 1 or item.source in ("machine", "attendance"):
            text = f"{item.name} {text}".strip()
        if text:
            said.append(text)
    shown, more = said[:4], len(said) - 4
    return _e("；".join(shown) + (f"；另有 {more} 项" if more > 0 else ""))


def _own_charts(report, who) -> str:
    made = []
    rows = [(report.titles.get(name) or name, float(given[who]), f"{between(given[who], given[who], 0)}%")
            for name, given in report.units.items() if who in given]
    if rows:
        made.append(_figure("各单元作业", bars(rows), "得分率。"))
    if report.items:
        got, of = report.reached(who)
        again = [
            f"{report.texts.get(i, i)}"
            for i, given in report.items.items()
            if who in given and given[who] < 60
        ]
        more = (
            ("<p>可以再练的：</p><ul>" + "".join(f"<li>{_e(t)}</li>" for t in again[:6]) + "</ul>")
            if again
            else ""
        )
        made.append(
            _figure("课程标准的要求", f"<p>做过题的 {of} 条里，达到了 <b>{got}</b> 条。</p>{more}", "")
        )
    return f"<section><h2>学得怎样</h2><div class='figures'>{''.join(made)}</div></section>" if made else ""


# ---- 图 ----

def columns(names, counts, unit: str) -> str:
    """A small column chart as inline SVG; each column bears its number."""
    width, height, most = 88, 130, max(max(counts), 1)
    made = []
    for place, (name, n) in enumerate(zip(names, counts, strict=True)):
        tall, x = n / most * height, place * width + 14
        made.append(f"<rect x='{x}' y='{20 + height - tall:.1f}' width='{width - 28}' height='{tall:.1f}' "
                    f"rx='3' "
                    f"fill='#0072B2'/><text x='{x + width / 2 - 14}' y='{14 + height - tall:.1f}' "
                    f"class='n'>{n}</text>"
                    f"<text x='{x + width / 2 - 14}' y='{height + 38}'>{_e(name)}</text>")
    label = "，".join(f"{name} {n} {unit}" for name, n in zip(names, counts, strict=True))
    return (f"<svg viewBox='0 0 {width * len(counts)} {height + 46}' role='img' aria-label='{_e(label)}'>"
            f"<line x1='6' x2='{width * len(counts) - 6}' y1='{height + 20}' y2='{height + 20}' "
            f"stroke='#90a4ae'/>"
            f"{''.join(made)}</svg>")


def bars(rows) -> str:
    """Horizontal bars 0–100: [(name, value, what to write)]."""
    made = "".join(f"<tr><th scope='row'>{_e(name)}</th><td><span class='meter'><i style='width:"
                   f"{value:.1f}%'></i>"
                   f"</span></td><td>{_e(text)}</td></tr>" for name, value, text in rows)
    return f"<table class='bars'><tbody>{made}</tbody></table>"


def stack(rows) -> str:
    """One bar of 100 points, divided among assessors, with its legend."""
    if not rows:
        return "<p>名单还是空的。</p>"
    keys = {title: key for key, title in SOURCES.items()}
    made = "".join(
        f"<i style='width:{float(v):.2f}%;background:{_COLOURS[keys[name]]}'></i>" for name, v in rows
    )
    legend = "".join(f"<li><i style='background:{_COLOURS[keys[name]]}'></i>{_e(name)} "
                     f"{between(v, v, 1)}</li>"
                     for name, v in rows)
    return f"<span class='meter stack'>{made}</span><ul class='legend'>{legend}</ul>"


def _figure(title, content, note) -> str:
    more = f"<figcaption>{_e(note)}</figcaption>" if note else ""
    return f"<figure><h3>{_e(title)}</h3>{content}{more}</figure>"


def _variant(scheme) -> str:
    return f"　<strong class='variant'>{_e(scheme.variant)}</strong>" if scheme.variant else ""


def _e(text) -> str:
    return escape(str(text), quote=True)


def _wrap(title, content, wide=False) -> str:
    return ("<!DOCTYPE html><html lang='zh-CN'><head><meta charset='utf-8'>"
            "<meta name='viewport' content='width=device-width'>"
            f"<title>{_e(title)}</title><style>{_CSS}{'@page { size: A4 landscape; }' if wide else ''}</style"
            f"></head>"
            f"<body><main class='{'wide' if wide else ''}'>{content}</main></body></html>\n")


_CSS = """
@page { size: A4; margin: 12mm 13mm; }
:root { color-scheme: light; }
body { margin: 0; background: #eceff1; color: #212121; font: 15px/1.6 "Microsoft YaHei", "PingFang SC",
  "Noto Sans CJK SC", sans-serif; }
main { box-sizing: border-box; max-width: 880px; margin: 20px auto; padding: 26px 36px 36px;
  background: #fff; }
main.wide { max-width: 1240px; }
h1 { margin: 0; font-size: 1.7em; line-height: 1.3; }
h2 { margin: 1.2em 0 .35em; padding-left: .5em; border-left: 4px solid #1565c0;
  font-size: 1.15em; line-height: 1.3; break-after: avoid; }
h3 { margin: 0 0 .4em; font-size: 1em; }
p { margin: 0 0 .3em; }
ul { margin: 0; padding-left: 1.2em; }
li { margin-bottom: .2em; overflow-wrap: anywhere; }
small { color: #616161; font-weight: normal; }
.sub, figcaption, .quiet { color: #616161; font-size: .92em; }
.who { font-size: 1.1em; }
.variant { color: #b71c1c; }
.empty { margin: 3em 0; text-align: center; }
.result { display: flex; gap: .8em; align-items: baseline; margin: .6em 0 .2em; }
.result b { font-size: 2.4em; line-height: 1.2; color: #1565c0; font-variant-numeric: tabular-nums; }
.trace { padding: .4em .8em; background: #f4f6f8; border-radius: 6px; font-variant-numeric: tabular-nums;
  overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .22em .45em; text-align: right; font-weight: inherit; vertical-align: baseline;
  border-bottom: 1px solid #e0e0e0; }
th[scope=row], .name, td.name { text-align: left; }
thead th { background: #eef2f6; font-weight: 600; text-align: center; vertical-align: bottom; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
thead th small { display: block; }
.marks td { white-space: nowrap; }
.marks { font-size: .93em; }
.total { font-weight: 600; }
.open { color: #6d4c00; font-style: italic; }
.scroll { overflow-x: auto; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(340px, 1fr)); gap: 14px 26px;
  align-items: start; }
figure { margin: 0; break-inside: avoid; min-width: 0; }
svg { width: 100%; max-width: 440px; height: auto; }
svg text { font-size: 13px; text-anchor: middle; fill: #424242; }
svg .n { font-weight: 600; fill: #212121; }
.meter { display: flex; height: .85em; border-radius: 3px; overflow: hidden; background: #eceff1;
  min-width: 70px; }
.meter i { display: block; background: #0072B2; }
.meter .may { background: repeating-linear-gradient(135deg, #f3c87a 0 4px, #fbe7c0 4px 8px); }
.meter.stack { height: 1.3em; }
.legend { display: flex; flex-wrap: wrap; gap: .2em 1.2em; margin-top: .4em; padding: 0; list-style: none; }
.legend i { display: inline-block; width: .8em; height: .8em; margin-right: .35em; border-radius: 2px; }
.bars th { max-width: 15em; font-size: .92em; line-height: 1.35; }
.bars td:nth-child(2) { width: 45%; vertical-align: middle; }
.bars td:last-child { white-space: nowrap; }
.own td:nth-child(5) { width: 90px; vertical-align: middle; }
.own th, .own td:nth-child(2) { white-space: nowrap; }
.own td:last-child { font-size: .9em; color: #616161; }
.line { display: flex; flex-wrap: wrap; gap: 0 1.6em; padding: 0; list-style: none; }
@media print {
  body { background: none; font-size: 9pt; line-height: 1.45; }
  main, main.wide { max-width: none; margin: 0; padding: 0; }
  .scroll { overflow: visible; }
  .marks { font-size: 8pt; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
