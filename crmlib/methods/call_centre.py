"""呼叫中心：Erlang B、C、A，要几个坐席，一天怎么排，排队模拟，三种建法的成本。

Calls arrive at random (Poisson), calls last an exponential time, first come first served. Times are in
seconds; ``interval`` is the length of the period that the call count belongs to (half an hour: 1800).

Sources: Erlang 1917; Cooper, Introduction to Queueing Theory (B, C); Mandelbaum & Zeltyn 2007, Service
engineering in action: the Palm/Erlang-A queue (A).
"""

from heapq import heappop, heappush, heapreplace
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import special

from crmlib.cli import CourseError
from crmlib.methods._common import Result, at_least, axes, column, label, number, numeric, result, same_length


@result
class Queue(Result):
    load: float = label("话务量（爱尔兰）")
    agents: int = label("坐席")
    occupancy: float = label("占用率")
    wait_probability: float = label("要等的来电占")
    mean_wait: float = label("平均等待（秒）")
    service_level: float = label("服务水平（按时接起的占）")
    abandoned: float | None = label("放弃率")
    note: str = label("注意")


# ---------------------------------------------------------------- Erlang B、C、A

def erlang_b(load, agents) -> float:
    """Share of calls that find all lines busy and are lost (no waiting). load: erlangs; agents: lines.

    >>> round(erlang_b(10, 15), 4)
    0.0365
    """
    load = number(load, "话务量", low=0)
    agents = _whole(agents, "线数", 0)
    return 0. ** agents if load == 0 else float(np.exp(_log_blocked(load, agents)))


def lines_needed(load, blocked=.01) -> int:
    """Fewest trunk lines that lose at most the share ``blocked`` of the calls (Erlang B).

    >>> lines_needed(10, .01)
    18
    """
    load = number(load, "话务量", low=0)
    blocked = number(blocked, "打不进来的比例", above=0, below=1)
    lines, share = 0, 1.
    while share > blocked:
        lines += 1
        share = load * share / (lines + load * share)
    return lines


def erlang_c(calls, handle, agents, *, interval=1800, within=20) -> Queue:
    """Queue in which everybody waits until answered (Erlang C).

    calls: calls in ``interval`` seconds; handle: mean handling time (talk + after-call work); within: target
    seconds of the service level. mean_wait is the average speed of answer (ASA), over all calls. With no more
    agents than the load the queue grows without end: occupancy and wait_probability 1, mean_wait infinite,
    service_level 0, and note says so.

    >>> q = erlang_c(360, 240, 55, within=15)
    >>> q.load, round(q.occupancy, 3), round(q.wait_probability, 3), round(q.mean_wait, 2)
    (48.0, 0.873, 0.239, 8.18)
    """
    return _one_queue(calls, handle, agents, None, interval, within)


def erlang_a(calls, handle, agents, patience, *, interval=1800, within=20) -> Queue:
    """Queue in which callers hang up after an exponential time, ``patience`` seconds on average (Erlang A).

    Arguments as in ``erlang_c``. mean_wait is over all calls, also those given up; service_level is the share
    of all calls that were answered within the target.

    >>> q = erlang_a(360, 240, 48, patience=120)
    >>> round(q.abandoned, 3), round(q.mean_wait, 1), round(q.service_level, 3)
    (0.067, 8.1, 0.788)
    """
    return _one_queue(calls, handle, agents, number(patience, "耐心（秒）", above=0), interval, within)


def _one_queue(calls, handle, agents, patience, interval, within):
    calls = number(calls, "来电量", above=0)
    handle = number(handle, "平均处理时间", above=0)
    agents = _whole(agents, "坐席", 1)
    load = calls * handle / number(interval, "时段长度", above=0)
    found = _queues(load, agents, handle, patience, number(within, "接起的目标", low=0))
    found = {name: float(x) for name, x in found.items()}
    if patience is None:
        found["abandoned"] = None
    full = patience is None and load >= agents
    note = f"{agents} 个坐席接不完：队伍会越排越长，至少要 {int(load) + 1} 个。" if full else ""
    return Queue(load, agents, **found, note=note)


def _whole(value, name, low):
    value = number(value, name, low=low)
    if value != int(value):
        raise CourseError(f"“{name}”要整数，得到的是 {value:g}。")
    return int(value)


def _log_blocked(load, lines):
    """Log of Erlang B for arrays; load > 0. It is a Poisson probability over its cumulative probability."""
    with np.errstate(divide="ignore"):
        below = np.log(special.gammaincc(lines + 1., load))
    return np.minimum(lines * np.log(load) - load - special.gammaln(lines + 1.) - below, 0)


def _queues(load, agents, handle, patience, within):
    """Measures of Erlang C (patience None) or A for arrays of load > 0 and agents ≥ 1, by field of Queue."""
    if patience is not None:
        return _queues_with_patience(load, agents, handle, patience, within)
    spare = np.maximum(agents - load, 0)
    blocked = np.exp(_log_blocked(load, agents))
    with np.errstate(divide="ignore"):  # 坐席不够：等待无穷大
        delay = np.where(spare > 0, agents * blocked / (spare + load * blocked), 1)
        wait = np.where(spare > 0, delay * handle / spare, np.inf)
    level = 1 - delay * np.exp(-spare * within / handle)
    return {"occupancy": np.minimum(load / agents, 1), "wait_probability": delay, "mean_wait": wait,
            "service_level": np.where(spare > 0, level, 0), "abandoned": np.zeros_like(delay)}


def _queues_with_patience(load, agents, handle, patience, within):
    # Mandelbaum & Zeltyn：J、ε 各除以到达率；x = λ/θ，c = nμ/θ，积分写成合流超几何函数
    x, c, t = load * patience / handle, agents * patience / handle, within / patience
    idle = -_log_blocked(load, agents - 1)  # ln ε
    queue = np.log(x) + _log_series(c, x)   # ln λJ
    total = np.logaddexp(idle, queue)
    with np.errstate(over="ignore", invalid="ignore"):
        gentle = np.log(x) + np.log(special.hyp1f1(2, c + 2, np.minimum(x, c))) - np.log(c) - np.log(c + 1)
    steep = np.log(np.maximum(x - c, 1e-300)) + _log_series(c, x)
    steep = np.logaddexp(0, steep)          # ln(1 + (λ − nμ)J)，来电多于接得完的时候用
    abandoned = np.exp(np.where(x > c, steep, gentle) - total)
    late = x * -np.expm1(-t) - (c + 1) * t + _log_series(c + 1, x * np.exp(-t))
    answered_late = np.exp(np.log(x) + late - total)  # 等了超过目标才接起的
    return {"occupancy": load * (1 - abandoned) / agents, "wait_probability": np.exp(queue - total),
            "mean_wait": abandoned * patience, "service_level": 1 - abandoned - answered_late,
            "abandoned": abandoned}


def _log_series(c, z):
    """ln Σ zᵏ/(c(c+1)…(c+k)), k = 0, 1, …: = M(1, c+1, z)/c = e^z z^−c γ(c, z)."""
    small = np.log(special.hyp1f1(1, c + 1, np.minimum(z, c))) - np.log(c)
    large = np.maximum(z, c)  # 这一支只在 z > c 时用，那里 γ(c, z)/Γ(c) 在一半以上
    return np.where(z > c, large - c * np.log(large) + special.gammaln(c)
                    + np.log(special.gammainc(c, large)), small)


# ---------------------------------------------------------------- 要几个坐席

@result
class Staffing(Queue):
    scheduled: int = label("排班人数（算上休息、培训、请假）")


def agents_needed(calls, handle, *, patience=None, service_level=.8, within=20, max_occupancy=None,
                  max_wait=None, max_abandoned=None, shrinkage=0, interval=1800) -> Staffing:
    """Fewest agents that meet every target, and how many to put on the roster.

    Erlang C, or Erlang A where ``patience`` (mean seconds until a caller hangs up) is given.
    service_level: share answered ``within`` seconds; max_occupancy: highest share of time on calls;
    max_wait: longest mean wait in seconds; max_abandoned: highest share that hang up (needs patience).
    shrinkage: share of paid time not on the phone (breaks, training, leave); scheduled =
    agents / (1 − shrinkage), rounded up.

    >>> s = agents_needed(360, 240, service_level=.8, within=20, shrinkage=.3)
    >>> s.agents, s.scheduled, round(s.service_level, 3)
    (54, 78, 0.817)
    """
    calls = number(calls, "来电量", above=0)
    targets = _targets(service_level, max_occupancy, max_wait, max_abandoned, patience)
    handle = number(handle, "平均处理时间", above=0)
    load = calls * handle / number(interval, "时段长度", above=0)
    agents = int(_fewest(np.array([load]), np.array([handle]), patience, within, targets)[0])
    q = _one_queue(calls, handle, agents, patience, interval, within)
    return Staffing(**vars(q), scheduled=int(_on_roster(agents, shrinkage)))


def _on_roster(agents, shrinkage):
    shrinkage = number(shrinkage, "损耗率", low=0, below=1)
    return np.ceil(np.round(agents / (1 - shrinkage), 9)).astype(int)


def _targets(service_level, max_occupancy, max_wait, max_abandoned, patience):
    """Targets as dict measure → (sign, limit): met where sign × measure ≥ sign × limit."""
    if max_abandoned is not None and patience is None:
        raise CourseError("要限制放弃率，先给出 patience：来电的人平均等多少秒就挂断。")
    if patience is not None:
        number(patience, "耐心（秒）", above=0)
    found = {"service_level": (1, number(service_level, "服务水平", low=0, below=1))}
    for name, value, shown, low in (("occupancy", max_occupancy, "占用率上限", 0),
                                    ("mean_wait", max_wait, "平均等待上限", 0),
                                    ("abandoned", max_abandoned, "放弃率上限", 0)):
        if value is not None:
            found[name] = (-1, number(value, shown, above=low))
    return found


def _fewest(load, handle, patience, within, targets):
    """For each load > 0 the fewest agents that meet the targets: each target is easier with more agents."""
    within = number(within, "接起的目标", low=0)

    def enough(agents):
        found = _queues(load, agents, handle, patience, within)
        return np.all([sign * found[name] >= sign * limit for name, (sign, limit) in targets.items()], axis=0)

    low, high = np.zeros(len(load)), np.ceil(load + 3 * np.sqrt(load) + 2)
    while not (met := enough(high)).all():
        if high.max() > 1e6:
            raise CourseError("一百万个坐席也达不到这些目标。把目标放宽一点。")
        low, high = np.where(met, low, high), np.where(met, high, 2 * high)
    while (high - low > 1).any():  # 二分：low 不够，high 够
        middle = np.maximum(np.floor((low + high) / 2), 1)
        met = enough(middle)
        low, high = np.where(met, low, middle), np.where(met, middle, high)
    return high.astype(int)


# ---------------------------------------------------------------- 一天

def day_curve(table, slot="时段", calls="来电量", handle="平均处理秒", peak=.9) -> pd.DataFrame:
    """The usual day from many days of intervals: a row per slot of the day, by its name.

    Columns: 来电量 (mean), 忙时来电量 (the ``peak`` quantile: days that busy or less), 平均处理秒 (weighted
    by calls; where a slot never had a call, that of the whole day), 天数.

    >>> t = pd.DataFrame({"时段": ["09:00", "09:00"], "来电量": [10, 30], "平均处理秒": [200, 240]})
    >>> day_curve(t).loc["09:00"].tolist()
    [20.0, 28.0, 230.0, 2.0]
    """
    at_least(len(table), 1, "个时段")
    number(peak, "忙时分位数", above=0, below=1)
    n = numeric(column(table, calls), calls, low=0)
    seconds = n * numeric(column(table, handle), handle, low=0)
    if n.sum() == 0:
        raise CourseError(f"“{calls}”全是 0，看不出一天的样子。")
    of = pd.DataFrame({"n": n, "s": seconds}).groupby(column(table, slot).to_numpy())
    total = of.sum()
    usual = (total["s"] / total["n"].where(total["n"] > 0)).fillna(seconds.sum() / n.sum())
    return pd.DataFrame({"来电量": of["n"].mean(), "忙时来电量": of["n"].quantile(peak),
                         "平均处理秒": usual, "天数": of.size()}).rename_axis(slot)


def staff_day(curve, calls="来电量", handle="平均处理秒", *, agents=None, patience=None, service_level=.8,
              within=20, max_occupancy=None, max_wait=None, max_abandoned=None, shrinkage=0, least=1,
              hourly=0, interval=1800) -> pd.DataFrame:
    """Agents and service of every interval of a day (a row each, such as ``day_curve`` gives).

    Targets as in ``agents_needed``; ``agents`` (a column, or numbers) shows what given agents achieve
    instead. Never fewer than ``least``. Each interval is taken as settled and apart from its neighbours; with
    Erlang C an interval with too few agents has an infinite wait. hourly: pay for an hour, yuan.
    Columns: 来电量, 话务量, 坐席, 排班人数, 占用率, 服务水平, 平均等待, 放弃率 (these three are empty where
    nobody calls), 人工费. ``.attrs["totals"]``: the day's 服务水平, 平均等待, 放弃率 (weighted by calls),
    坐席工时, 人工费.

    >>> day = staff_day(pd.DataFrame({"来电量": [360, 0], "平均处理秒": [240, 240]}), hourly=30)
    >>> day["坐席"].tolist(), day["人工费"].tolist(), round(day.attrs["totals"]["服务水平"], 3)
    ([54, 1], [810.0, 15.0], 0.817)
    """
    at_least(len(curve), 1, "个时段")
    n = numeric(column(curve, calls), calls, low=0)
    mean = numeric(column(curve, handle), handle, low=0)
    busy = n > 0
    if (mean[busy] == 0).any():
        raise CourseError(f"有来电的时段，“{handle}”不能是 0。")
    if not busy.any():
        raise CourseError(f"“{calls}”全是 0，不用排班。")
    load = n * mean / number(interval, "时段长度", above=0)
    least = _whole(least, "最少坐席", 0)
    targets = _targets(service_level, max_occupancy, max_wait, max_abandoned, patience)
    if agents is None:
        seats = np.full(len(n), least)
        seats[busy] = np.maximum(_fewest(load[busy], mean[busy], patience, within, targets), least)
    else:
        seats = numeric(column(curve, agents) if isinstance(agents, str) else agents, "坐席", low=0)
        same_length(坐席=seats, 时段=n)
        if (seats != seats.round()).any():
            raise CourseError(f"“坐席”要整数，里面有 {seats[seats != seats.round()][0]:g}。")
        if (busy & (seats < 1)).any():
            raise CourseError(f"“{curve.index[busy & (seats < 1)][0]}”有来电，却一个坐席也没有。")
        seats = seats.astype(int)
    found = _queues(load[busy], seats[busy], mean[busy], patience, within)
    roster = _on_roster(seats, shrinkage)
    hours = roster * interval / 3600
    cost = hours * number(hourly, "每小时工资", low=0)
    columns = {"来电量": n, "话务量": load, "坐席": seats, "排班人数": roster}
    totals = {"坐席工时": float(hours.sum()), "人工费": float(cost.sum())}
    for name, field, empty in (("占用率", "occupancy", 0.), ("服务水平", "service_level", np.nan),
                               ("平均等待", "mean_wait", np.nan), ("放弃率", "abandoned", np.nan)):
        columns[name] = np.full(len(n), empty)
        columns[name][busy] = found[field]
        if name != "占用率":
            totals[name] = float(np.average(found[field], weights=n[busy]))
    day = pd.DataFrame(columns | {"人工费": cost}, curve.index)
    day.attrs["totals"] = totals
    return day


def queue_curve(calls, handle, *, patience=None, within=20, hourly=0, per_lost=0, agents=None,
                interval=1800) -> pd.DataFrame:
    """What one agent more or less does: a row per number of agents.

    agents: the numbers to try (default: from just above the load up to where hardly anyone waits).
    hourly: pay for an agent's hour; per_lost: yuan lost with each caller who hangs up.
    Columns: 占用率, 要等的占, 平均等待, 服务水平, 放弃率, 人工费, 放弃损失, 合计 (yuan for the interval).

    >>> t = queue_curve(360, 240, agents=[49, 55])
    >>> t["服务水平"].round(3).tolist()
    [0.23, 0.867]
    """
    calls = number(calls, "来电量", above=0)
    handle = number(handle, "平均处理时间", above=0)
    hours = number(interval, "时段长度", above=0) / 3600
    load = calls * handle / interval
    if patience is not None:
        patience = number(patience, "耐心（秒）", above=0)
    if agents is None:
        wide = np.sqrt(load)
        first = load - 2 * wide if patience else load
        agents = range(max(int(first) + 1, 1), int(load + 3 * wide) + 4)
    n = np.array([_whole(a, "坐席", 1) for a in agents])
    at_least(len(n), 1, "个坐席数")
    found = _queues(load, n.astype(float), handle, patience, number(within, "接起的目标", low=0))
    table = pd.DataFrame({"占用率": found["occupancy"], "要等的占": found["wait_probability"],
                          "平均等待": found["mean_wait"], "服务水平": found["service_level"],
                          "放弃率": found["abandoned"]}, pd.Index(n, name="坐席"))
    table["人工费"] = n * hours * number(hourly, "每小时工资", low=0)
    table["放弃损失"] = calls * table["放弃率"] * number(per_lost, "每个放弃的损失", low=0)
    table["合计"] = table["人工费"] + table["放弃损失"]
    return table


# ---------------------------------------------------------------- 模拟

@result
class Simulation(Result):
    service_level: float = label("服务水平（按时接起的占）")
    low: float | None = label("下限")
    high: float | None = label("上限")
    mean_wait: float = label("平均等待（秒）")
    abandoned: float = label("放弃率")
    occupancy: float = label("占用率")
    calls: int = label("来电")
    slots: pd.DataFrame = label("各时段")


def simulate_calls(calls, handle, agents, *, patience=None, days=1, within=20, interval=1800,
                   seed=0) -> Simulation:
    """Play the queue call by call; unlike the formulas it knows how one interval burdens the next.

    calls, handle, agents: one number, or one per interval of the day (in order). Each of ``days`` days begins
    empty. An agent whose shift ends finishes the call first (the idle go first); after the last interval its
    agents stay until the queue is empty. Answers count for the interval of arrival. slots: 来电量, 接起,
    服务水平, 平均等待, 放弃率 by interval, per day. low, high: 95 % of the service level from the spread
    between days (two days or more). Calls that nobody is there to answer, ever, are an error.

    Exact without an event list: callers are served in order of arrival, so each one's wait follows from the
    moments when the agents become free (Kiefer & Wolfowitz 1955, On the theory of queues with many servers).

    >>> s = simulate_calls([360] * 200, 240, 55, within=15, seed=1)
    >>> abs(s.service_level - erlang_c(360, 240, 55, within=15).service_level) < .02
    True
    """
    offered, mean, seats = (np.atleast_1d(numeric(np.atleast_1d(v), name, low=0)) for v, name in (
        (calls, "来电量"), (handle, "平均处理时间"), (agents, "坐席")))
    size = max(len(offered), len(mean), len(seats))
    for values, name in ((offered, "来电量"), (mean, "平均处理时间"), (seats, "坐席")):
        if len(values) not in (1, size):
            raise CourseError(f"“{name}”有 {len(values)} 个，时段有 {size} 个：要一样多，或者只给一个数。")
    offered, mean, seats = (np.broadcast_to(v, size) for v in (offered, mean, seats))
    if (seats != seats.round()).any():
        raise CourseError(f"“坐席”要整数，里面有 {seats[seats != seats.round()][0]:g}。")
    if (mean[offered > 0] == 0).any():
        raise CourseError("有来电的时段，平均处理时间不能是 0。")
    if patience is None and seats[-1] == 0 and offered.any():
        raise CourseError("最后一个时段没有坐席：留在队里的人永远等不到。给出 patience，或排上人。")
    patience = np.inf if patience is None else number(patience, "耐心（秒）", above=0)
    within, days = number(within, "接起的目标", low=0), _whole(days, "天数", 1)
    number(interval, "时段长度", above=0)
    rng = np.random.default_rng(seed)
    total = np.zeros((4, size))  # 来电、接起、按时接起、等待秒
    levels, worked = [], 0.
    for _ in range(days):
        slot = np.repeat(np.arange(size), rng.poisson(offered))
        arrive = np.sort((slot + rng.random(len(slot))) * interval)
        talk = rng.exponential(mean[slot])
        give_up = rng.exponential(patience, len(slot))
        wait = np.array(_waits(arrive.tolist(), talk.tolist(), give_up.tolist(), seats.astype(int).tolist(),
                               interval))
        answered = wait <= give_up
        in_time = answered & (wait <= within)
        for row, weight in zip(total, (None, answered, in_time, np.minimum(wait, give_up)), strict=True):
            row += np.bincount(slot, weight, size)
        worked += talk[answered].sum()
        if len(slot):
            levels.append(in_time.mean())
    n, answered, in_time, waited = total
    if n.sum() == 0:
        raise CourseError("模拟里一通来电也没有。来电量太小，多模拟几天。")
    with np.errstate(invalid="ignore"):  # 没有来电的时段，下面三列空着
        slots = pd.DataFrame({"来电量": n / days, "接起": answered / days, "服务水平": in_time / n,
                              "平均等待": waited / n, "放弃率": 1 - answered / n})
    level, half = in_time.sum() / n.sum(), None
    if len(levels) > 1:
        half = special.stdtrit(len(levels) - 1, .975) * np.std(levels, ddof=1) / np.sqrt(len(levels))
    return Simulation(level, half and max(level - half, 0), half and min(level + half, 1),
                      waited.sum() / n.sum(), 1 - answered.sum() / n.sum(),
                      worked / (seats.sum() * interval * days), int(n.sum()), slots)


def _waits(arrive, talk, give_up, seats, interval):
    """How long each caller would have to wait, were he to stay; plain lists, which the heap likes best."""
    free = [0.] * seats[0]  # 每个坐席什么时候空下来；接满的也在里面
    changes = [(k * interval, b - a) for k, (a, b) in enumerate(pairwise(seats), 1)][::-1]
    wait = []
    for at, lasts, patience in zip(arrive, talk, give_up, strict=True):
        start = max(at, free[0]) if free else np.inf
        while changes and changes[-1][0] <= start:  # 轮到他以前，先换班
            moment, change = changes.pop()
            for _ in range(change):
                heappush(free, moment)
            for _ in range(-change):
                heappop(free)
            start = max(at, free[0]) if free else np.inf
        wait.append(start - at)
        if start - at <= patience:
            heapreplace(free, start + lasts)
    return wait


# ---------------------------------------------------------------- 自建、外包、云托管

def centre_cost(plans, seats, calls, months=36, *, setup="开办费", seat="每席每月", per_call="每通费用",
                solved="一次解决率") -> pd.DataFrame:
    """Compare ways to run a call centre over ``months`` months, the cheapest per solved call first.

    plans: a row per plan; setup: once, yuan; seat: yuan a seat and month; per_call: yuan a call; solved:
    percent solved at the first call. seats and calls: seats and calls a month.
    Columns: 总成本, 每月, 每通成本, 每解决一通 (yuan for a call that solves the matter).

    >>> plans = pd.DataFrame({"开办费": [36000, 0], "每席每月": [1000, 1200], "每通费用": [0, .5],
    ...                       "一次解决率": [80, 60]}, ["自建", "外包"])
    >>> centre_cost(plans, 10, 5000)["每解决一通"].round(3).to_dict()
    {'自建': 2.75, '外包': 4.833}
    """
    at_least(len(plans), 1, "种方案")
    months, calls = number(months, "月数", above=0), number(calls, "每月来电", above=0)
    once, rent, each = (numeric(column(plans, c), c, low=0) for c in (setup, seat, per_call))
    share = numeric(column(plans, solved), solved, low=0, high=100) / 100
    if (share == 0).any():
        raise CourseError(f"“{plans.index[share == 0][0]}”的{solved}是 0：一通也解决不了，没法比。")
    monthly = once / months + number(seats, "坐席数", low=0) * rent + calls * each
    return pd.DataFrame({"总成本": monthly * months, "每月": monthly, "每通成本": monthly / calls,
                         "每解决一通": monthly / calls / share}, plans.index).sort_values("每解决一通")


# ---------------------------------------------------------------- 图

def plot_queue_curve(curve, target=.8, ax=None):
    """Service level and occupancy by number of agents, from ``queue_curve``; a mark where the target is first
    met; returns the Axes."""
    ax = axes(ax)
    ax.plot(curve.index, 100 * curve["服务水平"], "o-", color="C0", label="服务水平")
    ax.plot(curve.index, 100 * curve["占用率"], "s--", color="C1", label="坐席占用率")
    if curve["放弃率"].any():
        ax.plot(curve.index, 100 * curve["放弃率"], "^-.", color="C3", label="放弃率")
    ax.axhline(100 * target, color="0.5", linewidth=1.5)
    met = curve.index[curve["服务水平"] >= target]
    if len(met):
        level = 100 * curve.loc[met[0], "服务水平"]
        ax.plot(met[0], level, "o", markersize=16, markerfacecolor="none", markeredgecolor="C3",
                markeredgewidth=2.5)
        ax.annotate(f"{met[0]} 个坐席：{level:.0f}%", (met[0], level), (14, -26), textcoords="offset points",
                    color="C3", fontweight="bold")
    ax.set(ylim=(0, 103), xlabel="坐席（个）", ylabel="%", title=f"多一个坐席差多少（目标 {target:.0%}）")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend(loc="center right")
    return ax


def plot_day_curve(day, ax=None):
    """A day of ``staff_day``: calls as bars, agents as steps on the right-hand scale; intervals whose service
    level is under 80 % are hatched. Returns the Axes of the bars."""
    ax = axes(ax)
    x = np.arange(len(day))
    poor = (day["服务水平"] < .8).to_numpy()
    for part, colour, hatch, name in ((~poor, "C4", "", "来电量"), (poor, "C3", "//", "服务水平不到 80%")):
        if part.any():
            ax.bar(x[part], day["来电量"][part], width=.9, color=colour, hatch=hatch, edgecolor="white",
                   linewidth=.5, label=name)
    seats = ax.twinx()
    seats.step(np.r_[x - .5, x[-1] + .5], np.r_[day["坐席"], day["坐席"].iloc[-1]], where="post",
               color="C0", label="在线坐席")
    seats.set(ylim=(0, None), ylabel="坐席（个）")
    seats.grid(visible=False)
    seats.spines["right"].set_visible(True)
    every = max(len(day) // 12, 1)
    ax.set_xticks(x[::every], day.index[::every].astype(str), rotation=45 if len(day) > 8 else 0)
    ax.grid(axis="x", visible=False)
    ax.set(xlabel="时段", ylabel="来电量（通）")
    handles = [pair for each in (ax, seats) for pair in zip(*each.get_legend_handles_labels(), strict=True)]
    ax.legend(*zip(*handles, strict=True), loc="upper left")
    return ax
