"""呼叫中心：一个旺季周的每一通来电（排队是真排出来的）、90 天的半小时话务、质检评分。"""

import numpy as np

from autograder.company.customers import SNAPSHOT
from autograder.company.frames import Coded, Ids, Maybe, day
from autograder.company.people import staff

FIRST_DAY, DAYS = day(2025, 10, 1), 90
WEEK = day(2025, 11, 10)  # 11 月 10—16 日：逐通记录
WEEK_CALLS = 12_000
TOPICS = ["查件", "催件", "改址", "理赔", "咨询", "投诉"]
EASY_MIX, HARD_MIX = np.array([46, 20, 12, 2, 20, 0.0]), np.array([8, 26, 8, 30, 8, 20.0])
# 48 个半小时的来电比例
CURVE = np.array(
    [1] * 14
    + [
        4,
        8,
        20,
        34,
        46,
        50,
        48,
        44,
        34,
        28,
        30,
        38,
        44,
        46,
        45,
        44,
        42,
        38,
        34,
        30,
        26,
        23,
        20,
        17,
        14,
        11,
        8,
        6,
        4,
        3,
        2,
        2,
        1,
        1,
    ],
    float,
)
WEEKDAY = np.array([1.14, 1.06, 1.04, 1.02, 1.03, 0.90, 0.81])
# 每组 15 名坐席的班次：（起、止，半小时为单位），每人每周休两天
SHIFTS = [(16, 33)] * 6 + [(18, 35)] * 2 + [(23, 40)] * 4 + [(30, 46)] * 2 + [(0, 48)]


def day_factor(days):
    """Calls of a day, relative to the average of the peak week."""
    weekday = (days + 3) % 7
    month = np.where(days < day(2025, 11, 1), 0.80, np.where(days < day(2025, 12, 1), 0.92, 0.84))
    peak = np.where((days >= WEEK) & (days < WEEK + 7), 1.0, month)
    return WEEKDAY[weekday] * np.where(days == day(2025, 11, 11), 1.12, 1.0) * peak


def on_duty(days):
    """Agents of one team on duty, for each day and half-hour."""
    table = np.zeros((len(days), 48), int)
    for agent, (start, stop) in enumerate(SHIFTS):
        works = ((days + agent) % 7 < 5) | (agent == 14)
        table[works, start:stop] += 1
    return table


def calls_of_week(w):
    """Every call of the peak week, queued first come first served for the agents on duty in its team."""
    s, t = w.stream("calls"), w.truth
    days = WEEK + np.arange(7)
    shape = (day_factor(days)[:, None] * CURVE).ravel()
    counts = s.poisson(WEEK_CALLS * shape / shape.sum())
    m = int(counts.sum())
    slot = np.repeat(np.arange(7 * 48), counts)
    second = np.sort(slot * 1800 + np.floor(s.uniform(m) * 1800).astype(np.int64), kind="stable")
    hard = s.chance(0.5, m)
    team = np.where(s.chance(np.where(hard, t["team_hard"], 1 - t["team_hard"])), 0, 1)
    topic = np.where(hard, s.choice(HARD_MIX, m), s.choice(EASY_MIX, m))
    patience = -np.log(1 - s.uniform(m)) * 170
    talk = np.where(hard, 235, 120) * s.gamma(4.0, m) / 4 + 12
    wrap = np.where(hard, 50, 22) * s.gamma(2.0, m) / 2 + 4
    gamer = w.part(staff)["gamer"] - 34  # 乙组里的第几名坐席
    wait, agent, gone = np.zeros(m, np.int64), np.full(m, -1), np.zeros(m, bool)
    off = [
        [day_number for day_number in range(7) if k != 14 and (WEEK + day_number + k) % 7 >= 5]
        for k in range(15)
    ]
    free = [[0.0] * 15, [0.0] * 15]
    busy = (talk + wrap).tolist()
    for i, (now, g, limit) in enumerate(zip(second.tolist(), team.tolist(), patience.tolist(), strict=True)):
        today, half = divmod(now // 1800, 48)
        best, soonest = -1, float("inf")
        for k, (start, stop) in enumerate(SHIFTS):
            if start <= half < stop and today not in off[k] and free[g][k] < soonest:
                best, soonest = k, free[g][k]
        delay = max(0.0, soonest - now)
        if delay > limit:
            gone[i], wait[i] = True, int(limit)
            continue
        work = busy[i]
        if g == 1 and best == gamer:
            talk[i] *= 0.55
            work = talk[i] + wrap[i]
        free[g][best] = now + delay + work
        wait[i], agent[i] = int(delay), best
    rate = np.where(hard, 0.44, 0.84) + np.where(team == 0, t["team_edge"], 0)
    rate -= np.where((team == 1) & (agent == gamer), 0.20, 0)
    return {
        "second": second,
        "hard": hard,
        "team": team,
        "topic": topic,
        "talk": talk,
        "wrap": wrap,
        "wait": wait,
        "agent": agent,
        "gone": gone,
        "solved": s.chance(rate),
    }


def calls(w) -> dict:
    a, s = w.part(calls_of_week), w.stream("calls.table")
    m = len(a["second"])
    alive = np.nonzero((w.end > SNAPSHOT) & (w.start < WEEK))[0]
    weight = np.cumsum(w.volume[alive, 34] ** 0.5)
    customer = alive[np.searchsorted(weight / weight[-1], s.uniform(m), side="right")]
    served = ~a["gone"]
    return {
        "通话编号": Ids("H", 1 + np.arange(m), 5),
        "来电时间": WEEK * 1440 + a["second"] // 60,
        "客户编号": Maybe(w.ids(customer), s.chance(0.55, m)),
        "类型": Coded(a["topic"], TOPICS),
        "难度": Coded(a["hard"].astype(int), ["简单", "疑难"]),
        "班组": Coded(a["team"], ["甲组", "乙组"]),
        "坐席": Maybe(Ids("E", 19 + 15 * a["team"] + np.maximum(a["agent"], 0), 3), served),
        "排队秒": a["wait"],
        "放弃": a["gone"],
        "通话秒": Maybe(np.rint(a["talk"]).astype(np.int64), served),
        "后处理秒": Maybe(np.rint(a["wrap"]).astype(np.int64), served),
        "一次解决": Maybe(a["solved"], served),
    }


def erlang_c(agents, load):
    """Probability of waiting in M/M/c; 1 where the load is at or above the agents."""
    blocked = np.ones_like(load)
    for k in range(1, int(agents.max(initial=1)) + 1):
        step = load * blocked / (k + load * blocked)
        blocked = np.where(k <= agents, step, blocked)
    spare = np.maximum(1 - load / np.maximum(agents, 1), 1e-9)
    return np.where(load < agents, np.minimum(blocked / (spare + (1 - spare) * blocked), 1.0), 1.0)


def call_intervals(w) -> dict:
    """90 days by half-hour. The peak week is counted from the calls; the other days follow Erlang C."""
    s, a = w.stream("call_intervals"), w.part(calls_of_week)
    days = FIRST_DAY + np.arange(DAYS)
    shape = day_factor(days)[:, None] * CURVE
    scale = WEEK_CALLS / (day_factor(WEEK + np.arange(7)).sum() * CURVE.sum())
    agents = 2 * on_duty(days)
    volume = s.poisson(shape * scale)
    handle = np.where(
        volume > 0, np.rint(214 + s.normal(shape.shape) * 90 / np.sqrt(np.maximum(volume, 1))), 0
    )
    handle = np.where(volume > 0, np.clip(handle, 90, 420), 0).astype(np.int64)
    load = volume * handle / 1800
    waits = erlang_c(agents, load)
    spare = np.maximum(agents - load, 0.15)
    slow = waits * np.exp(-np.minimum(spare * 20 / np.maximum(handle, 1), 50))
    lost = s.binomial(volume, np.clip(waits * np.minimum(handle / spare / 170, 1) * 0.5, 0, 0.6))
    quick = s.binomial(volume - lost, np.clip(1 - slow, 0, 1))

    first = WEEK - FIRST_DAY
    slot = a["second"] // 1800
    served = ~a["gone"]

    def count(where):
        return np.bincount(slot[where], minlength=7 * 48).reshape(7, 48)

    here = slice(first, first + 7)
    volume[here], lost[here] = count(slice(None)), count(a["gone"])
    quick[here] = count(served & (a["wait"] <= 20))
    seconds = np.bincount(slot[served], (np.rint(a["talk"]) + np.rint(a["wrap"]))[served], 7 * 48)
    handle[here] = np.rint(seconds / np.maximum(count(served).ravel(), 1)).reshape(7, 48)
    half = np.tile(np.arange(48), DAYS)
    return {
        "日期": np.repeat(days, 48),
        "时段": [f"{k // 2:02d}:{k % 2 * 30:02d}" for k in half.tolist()],
        "在岗坐席": agents.ravel(),
        "来电量": volume.ravel(),
        "放弃量": lost.ravel(),
        "20秒内接通": quick.ravel(),
        "平均处理秒": handle.ravel(),
    }


ASPECTS = ["开场", "倾听", "业务", "解决", "结束"]


def call_quality(w) -> dict:
    """60 calls scored by three graders: one lenient, one strict, one who judges like the panel."""
    s, a = w.stream("call_quality"), w.part(calls_of_week)
    served = np.nonzero(~a["gone"])[0]
    picked = np.sort(served[s.order(len(served))[:60]])
    call, grader = np.repeat(picked, 3), np.tile(np.arange(3), 60)
    quality = np.repeat(s.normal(60, 3.7, 0.7) + 0.4 * a["solved"][picked], 3)
    bias = np.array([0.45, -0.40, 0.0])[grader]
    scores = {
        k: np.clip(np.rint(quality + bias + s.normal(180, 0, 0.55)), 1, 5).astype(np.int64) for k in ASPECTS
    }
    total = sum(scores.values())
    return {
        "通话编号": Ids("H", 1 + call, 5),
        "质检员": Ids("E", np.array([55, 56, 59])[grader], 3),
        **scores,
        "合格": total >= 18,
    }
