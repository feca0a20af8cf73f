"""投诉台：几张真的投诉单，排先后，看几点轮到谁；办完揭开，当时是怎么办的。"""

from functools import lru_cache

import pandas as pd

from crmlib.cli import CourseError
from crmlib.data import load
from crmlib.tasks import find_task
from crmlib.tasks.classify import card_text
from crmlib.tasks.numbers import read_number
from crmlib.tasks.session import open_saved

TITLE = "投诉台"
# 办一张要几分钟（课堂假设）
MINUTES = {"丢失短少": 75, "损毁": 60, "延误": 40, "投递服务": 30, "收寄服务": 30, "其他": 20}
FIRST = 5  # 回第一句话
DAYS = 7  # 《快递暂行条例》：接到投诉之日起 7 日内处理并告知
OPEN, LUNCH, BACK, SOON = 8 * 60 + 30, 12 * 60, 13 * 60, 10 * 60 + 30  # 开台、午休；2 小时内要回第一句话
SORTS = {"came": "按来的先后", "loss": "按损失大小", "loud": "先办严重的", "level": "按红黄绿"}
SEVERITY = ["严重", "较重", "一般"]


def read(tickets, day, priority: str | None = None, pay: str | None = None) -> dict:
    """What the board shows, as plain JSON.

    tickets: ids of complaints; day: the morning on which they are worked off (all must have come in before).
    priority: id of a classify task with the tickets as cards and the bins red, yellow, green; pay: id of a
    number task with tickets as blanks. What the student has not answered stays open: no key is shown.

    {"day", "tickets": [{"id", "words", "channel", "kind", "severity", "came", "order", "left" (days to the
    last of the seven, the day of receipt not counted; below 0: overdue), "loss", "insured", "signed",
    "minutes", "level", "pay", "then": {"paid", "result", "days", "mood"}}], "levels": {bin: title}, …}.
    Raises CourseError for a ticket that is not in the table or came later.
    """
    day = pd.Timestamp(day)
    shown = [dict(ticket) for ticket in _facts(tuple(tickets), day)]
    notices, levels, bins, paid, title = [], {}, {}, {}, "赔付"
    if priority:
        task = find_task(priority)
        bins = {name: card_text(text).partition("：")[0] for name, text in task["bins"].items()}
        levels = {name: level for name, level in _answer(task).items()
                  if isinstance(level, str) and level in bins}
        if not set(tickets) <= set(levels):
            notices.append(f"第 {priority} 题还没有放完，没放的单子没有颜色。")
    if pay:
        task = find_task(pay)
        answer = _answer(task)
        paid = {name: read_number(answer.get(name), blank.get("unit", ""))
                for name, blank in task["blanks"].items()}
        title = f"第 {pay} 题你写的"
    for ticket in shown:
        ticket.update(level=levels.get(ticket["id"]), pay=paid.get(ticket["id"]))
    return {"day": f"{day.month} 月 {day.day} 日", "tickets": shown, "levels": bins, "pay_title": title,
            "first": FIRST, "hours": [OPEN, LUNCH, BACK, SOON], "sorts": SORTS, "severity": SEVERITY,
            "notices": notices}


@lru_cache(maxsize=4)  # 板子每次滚进屏幕都要再读一次答案；单子不变，不必再读两张大表
def _facts(tickets, day) -> list[dict]:
    table = load("complaints").set_index("投诉编号")
    if odd := [name for name in tickets if name not in table.index]:
        raise CourseError(f"投诉表里没有 {'、'.join(odd)} 这张单。编号像 T2568，在 complaints 表里查。")
    found = table.loc[list(tickets)].sort_values("受理时间")
    if len(late := found.index[found["受理时间"].dt.normalize() >= day]):
        raise CourseError(f"{'、'.join(late)} 是 {day:%Y-%m-%d} 或以后才来的，这天早上还不在台上。")
    signed = load("waybills").set_index("运单号")["签收时间"]
    shown = []
    for place, (name, row) in enumerate(found.iterrows()):
        waybill = signed.get(row["运单号"]) if pd.notna(row["运单号"]) else None
        days = (row["结案时间"] - row["受理时间"]).total_seconds() / 86400
        shown.append({
            "id": name, "words": row["投诉内容"], "channel": row["渠道"], "kind": row["类型"],
            "severity": row["严重程度"], "came": _clock(row["受理时间"]), "order": place,
            "left": DAYS - (day - row["受理时间"].normalize()).days, "loss": float(row["实际损失"]),
            "insured": float(row["保价金额"]), "minutes": MINUTES[row["类型"]],
            "signed": _clock(waybill) if waybill is not None and waybill < day else "",
            "then": {"paid": float(row["赔付金额"]), "result": row["处理结果"],
                     "days": None if pd.isna(days) else round(days, 1),
                     "mood": None if pd.isna(row["满意度"]) else int(row["满意度"])},
        })
    return shown


def _answer(task) -> dict:
    answer = open_saved(task).answer
    return answer if isinstance(answer, dict) else {}


def _left(days: int) -> str:
    return f"超期 {-days} 天" if days < 0 else "今天到期" if days == 0 else f"还剩 {days} 天"


def _clock(moment) -> str:
    return f"{moment.month} 月 {moment.day} 日 {moment:%H:%M}"


# ---- 同样的算法，浏览器里（desk.js）也有一份；测试拿两份对答案 ----

def sort(board: dict, how: str) -> list[str]:
    """Ids of the tickets in the order that a preset of ``SORTS`` gives; equal ones as they came."""
    grades = list(board["levels"])
    keys = {"came": lambda t: t["order"], "loss": lambda t: -t["loss"],
            "loud": lambda t: SEVERITY.index(t["severity"]),
            "level": lambda t: grades.index(t["level"]) if t["level"] else len(grades)}
    return [t["id"] for t in sorted(board["tickets"], key=lambda t: (keys[how](t), t["order"]))]


def plan(board: dict, order, hello=False) -> dict[str, tuple[int, int, int]]:
    """{ticket: (minute of the day of the first word to its customer, work begun, work done)}.

    One person works one ticket after the other from the opening on, with a lunch break. hello: everybody
    hears a first word (``FIRST`` minutes each) before the first ticket is worked off.
    """
    opening, lunch, back, _ = board["hours"]

    def clock(worked):
        return opening + worked + (back - lunch if opening + worked > lunch else 0)

    tickets = {t["id"]: t for t in board["tickets"]}
    said, worked = {}, 0
    if hello:
        for name in order:
            worked += board["first"]
            said[name] = clock(worked)
    times = {}
    for name in order:
        begun = worked
        worked += tickets[name]["minutes"] + (0 if hello else board["first"])
        times[name] = (said.get(name) or clock(begun + board["first"]), clock(begun), clock(worked))
    return times


def text(board: dict) -> str:
    """The board in words, for print and for readers without a screen."""
    lines = [*board["notices"], f"{board['day']}早上 8:30，台上有 {len(board['tickets'])} 张单。"]
    for t in board["tickets"]:
        mine = "" if t["pay"] is None else f"，你算的 {t['pay']:g} 元"
        lines.append(f"{t['id']}（{t['came']}，{t['channel']}，{t['severity']}）：{t['words']}。{_left(t['left'])}；"
                     f"损失 {t['loss']:g} 元，保价 {t['insured']:g} 元{mine}。")
    for how, title in board["sorts"].items():
        times = plan(board, sort(board, how))
        soon = sum(said <= board["hours"][3] for said, _, _ in times.values())
        urgent = [times[t["id"]][2] for t in board["tickets"] if t["left"] <= 0]
        tail = f"，到期的最晚 {_hour(max(urgent))} 办完" if urgent else ""
        lines.append(f"{title}办：{soon} 人在 2 小时内听到第一句话{tail}。")
    return "\n".join(lines)


def _hour(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02d}"
