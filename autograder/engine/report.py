"""给老师看的话：进度条、分数变化、最后的报告。"""

import sys
import time

from autograder.engine import sandbox


class Bar:
    """A progress bar on the terminal; silent where there is none."""

    def __init__(self):
        self.began, self.shown, self.on = time.monotonic(), 0.0, sys.stderr.isatty()

    def __call__(self, done, total) -> None:
        now = time.monotonic()
        if not self.on or not total or (now - self.shown < 0.1 and done < total):
            return
        self.shown, width = now, 30
        full = width * done // total
        left = (now - self.began) / done * (total - done) if done else 0
        more = f" 还要约 {_time(left)}" if done and left > 1 else ""
        sys.stderr.write(f"\r[{'█' * full}{'░' * (width - full)}] {done}/{total} 份{more}    ")
        sys.stderr.flush()

    def end(self) -> None:
        if self.on and self.shown:
            sys.stderr.write("\n")


def _time(seconds) -> str:
    if seconds < 90:
        return f"{seconds:.0f} 秒"
    return f"{seconds / 60:.0f} 分钟" if seconds < 5400 else f"{seconds / 3600:.1f} 小时"


def ask(question) -> bool:
    """Yes or no; no if nobody can answer."""
    if not sys.stdin or not sys.stdin.isatty():
        print(f"{question}（没有人回答：没有写。加 --yes 就直接写。）")
        return False
    return input(f"{question} 写“是”再按回车：").strip() in ("是", "y", "Y", "yes")


def points(value) -> str:
    return "待评" if value is None else f"{value:g}"


def difference(found) -> str:
    """The grades that would change, one a line."""
    if not found:
        return "重批的分和成绩册里的完全一样。"
    people = len({student for student, *_ in found})
    lines = [f"{people} 个人的 {len(found)} 个分会变："]
    for student, _, cell, old, new, manual in sorted(found, key=str)[:200]:
        kept = f"（老师改过，是 {manual:g} 分，照旧）" if manual is not None else ""
        lines.append(f"  {student}  {cell}：{points(old)} → {points(new)}{kept}")
    if len(found) > 200:
        lines.append(f"  ……还有 {len(found) - 200} 个")
    return "\n".join(lines)


def text(report, session) -> str:
    """The report at the end: graded, repaired, needs a look, why."""
    look, stopped, repaired, warnings, files = ({s: [t for k, t in r["notes"] if k == kind]
                                        for s, r in report.results.items()}
                                       for kind in ("look", "stopped", "repaired", "warning", "file"))
    count = len(report.results)
    speed = f"，用了 {_time(report.seconds)}" if count else ""
    lines = [f"{report.assignment}：批了 {count} 份{speed}。"]
    if report.kept:
        lines.append(f"以前批过、没有变的 {len(report.kept)} 份，没有再批。")
    if report.stale:
        lines.append(f"[注意] 其中 {len(report.stale)} 份是按旧的评分格批的。要按新的重批，加 --again。")
    if session.runs and count:
        lines.append("运行学生代码时的保护，" + sandbox.describe(set(report.layers)))
    for title, found in (("需要看一看", look), ("运行中被停下了", stopped), ("修好以后照常批了", repaired),
                         ("有警告，没有扣分", warnings), ("文件", files)):
        said = {s: t for s, t in found.items() if t}
        if said:
            lines.append(f"\n{title}：{len(said)} 份")
            lines += [f"  {s}  {t}" for s in sorted(said) for t in said[s]]
    if report.broken:
        lines.append("\n[注意] 标准答案也得不到分的评分格：" + "、".join(report.broken))
    if report.weak:
        lines.append(f"\n{len(report.weak)} 个评分格只能在学生自己的程序里判，防作弊弱一些："
                     + "、".join(report.weak[:20]))
    tasks = {name: sum(c.task for c in plan.source.cells.values()) for name, plan in session.plans.items()}
    waiting = sum(tasks[name] + sum(v is None for v in made["scores"].values())
                  for r in report.results.values() for name, made in r["notebooks"].items()
                  if not made["missing"])
    if waiting:
        lines.append(f"\n还有 {waiting} 题等老师评分：在 formgrader 里评。")
    if count and not any(look.values()) and not any(stopped.values()):
        lines.append("没有要另外看的。")
    return "\n".join(lines)
