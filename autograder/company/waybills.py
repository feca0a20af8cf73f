"""运单：全公司最大的表，也是唯一要按每秒几十万行来做的表。

Every random column is 16 bits of one raw draw, looked up in a quantile table; all arithmetic is on whole
numbers. So the rows are the same on every machine, and a block of 60,000 takes some tens of milliseconds.
"""

from datetime import date, timedelta
from functools import lru_cache

import numpy as np

from autograder.company.frames import MONTH_START, Coded, Ids, Maybe, spell_date
from autograder.company.streams import normal_quantile, quantiles

ROWS = 40  # 每个客户平均抽多少张运单：一块 60,000 张
FIRST, LAST = 12, 36  # 2024-01 … 2025-12
CONTRACT_WEIGHT = 5  # 合同物流的票少，抽样比例是快递的 5 倍
PRODUCTS = ["标快", "电商件", "零担", "仓配"]
EXCEPTIONS = ["破损", "丢失", "拒收", "错分"]
# 目的地：占比（千分之几）与距离段。同城约 8 %、境外约 2 %，其余异地（国家邮政局，2025 年）
DESTINATIONS = [
    ("本市", 80, 0),
    ("江苏", 205, 1),
    ("上海", 105, 2),
    ("浙江", 125, 2),
    ("安徽", 60, 2),
    ("山东", 60, 3),
    ("河南", 45, 3),
    ("湖北", 35, 3),
    ("福建", 35, 3),
    ("江西", 30, 3),
    ("河北", 30, 3),
    ("北京", 30, 3),
    ("广东", 55, 4),
    ("湖南", 25, 4),
    ("四川", 27, 4),
    ("陕西", 17, 4),
    ("辽宁", 16, 4),
    ("境外", 20, 5),
]
PROMISE = np.array([24, 48, 48, 72, 96, 240], np.int32)  # 承诺时限（小时），按距离段
ZONE_PRICE = np.array([820, 900, 960, 1060, 1220, 2600], np.int64)  # 千分之几
ZONE_COST = np.array([800, 880, 960, 1070, 1230, 2600], np.int64)
UNKNOWN = 99_000_000  # 孤儿运单的客户编号从这里起，任何规模都没有这个客户


@lru_cache(maxsize=1)
def _tables():
    """Quantile tables (4096 steps) of all waybill columns."""
    share = np.array([d[1] for d in DESTINATIONS], float)
    steps = np.cumsum(share) / share.sum()
    light = quantiles(lambda u: np.clip(10 * 1.25 * np.exp(0.85 * normal_quantile(u)), 1, 500))
    heavy = quantiles(lambda u: np.clip(10 * 55 * np.exp(0.95 * normal_quantile(u)), 30, 20_000))
    factors = []
    for weight in (light, heavy):  # 首重加续重，平均正好是 1
        raw = 0.72 + 0.28 * weight / weight.mean()
        factors.append(np.rint(1000 * raw / raw.mean()).astype(np.int64))
    return {
        "destination": quantiles(lambda u: np.searchsorted(steps, u)).astype(np.uint8),
        "weight": np.stack([light, heavy]),
        "factor": np.stack(factors),
        "minute": quantiles(lambda u: 540 + 660 * np.where(u < 0.35, u * 0.9, 0.315 + (u - 0.35) * 1.0538)),
        "used": quantiles(lambda u: 1000 * (0.68 + 0.32 * u)),  # 按时件：用掉承诺时限的千分之几
        "extra": quantiles(lambda u: 25 - 960 * np.log(1 - u)),  # 晚点件：超出多少分钟
        "dwell": quantiles(lambda u: 120 + 140 * u),  # 中转停留占全程的千分之几
        "noise": quantiles(lambda u: 1000 * np.exp(0.06 * normal_quantile(u))),
        "day": np.stack([_day_table(m) for m in range(FIRST, LAST)]),
    }


def _day_table(month):
    """Which day of the month, for each of 4096 equal chances: week-days, festivals, 6·18, 11·11."""
    first = date.fromisoformat(spell_date(int(MONTH_START[month])))
    days = int(MONTH_START[month + 1] - MONTH_START[month])
    weights = []
    for k in range(days):
        today = first + timedelta(days=k)
        weight = (1.02, 1.03, 1.02, 1.01, 1.01, 0.97, 0.94)[today.weekday()]
        weights.append(weight * _event(today))
    steps = np.cumsum(weights) / sum(weights)
    return quantiles(lambda u: np.searchsorted(steps, u)).astype(np.uint8)


def _event(today):
    span = (today.year, today.month, today.day)
    if (2024, 2, 9) <= span <= (2024, 2, 15) or (2025, 1, 28) <= span <= (2025, 2, 2):
        return 0.25
    if today.month == 6 and today.day <= 18:
        return 1.08
    if today.month == 10 and today.day >= 21:
        return 1.14 if today.year == 2025 else 1.10
    if today.month == 11 and today.day <= 16:
        if today.day == 11:
            return 1.37 if today.year == 2024 else 1.27
        return 1.12 if today.day < 11 else 1.10
    if today.month == 12 and today.day in (11, 12):
        return 1.12
    return 1.0


def make(w):
    """The waybills of a block as plain arrays, sorted by time of pick-up."""
    table, total = _tables(), ROWS * w.n
    s = w.stream("waybills")
    # 抽样：按件量等距抽，每个客户、每个月抽到的张数与件量成比例
    volume = w.volume[:, FIRST:LAST].T * np.where(w.line, CONTRACT_WEIGHT, 1)
    steps = np.concatenate([[0], np.cumsum(volume.ravel())])
    offset = int(s.uniform() * steps[-1])
    counts = np.diff((steps * total + offset) // steps[-1])
    cell = np.repeat(np.arange(volume.size, dtype=np.int32), counts)
    bits = s.bits16(total, 12)
    u = bits[:8] >> 4

    month = cell // w.n
    start = table["day"][month, u[0]].astype(np.int32) + MONTH_START[FIRST:LAST].astype(np.int32)[month]
    pickup = start * np.int32(1440) + table["minute"][u[1]]
    packed = (pickup.astype(np.int64) << 20) | np.arange(total)  # 同一分钟的按原次序：处处一样
    packed.sort()
    pickup, order = (packed >> 20).astype(np.int32), packed & 0xFFFFF
    cell = cell[order]
    month, customer = np.divmod(cell, np.int32(w.n))
    line = w.line.astype(np.int32)[customer]

    destination = table["destination"][u[2]]
    zone = np.array([d[2] for d in DESTINATIONS], np.uint8)[destination]
    promise = PROMISE[zone]
    weight = table["weight"][line, u[3]]
    chance = np.rint(w.late_rate[:, FIRST:LAST].T.ravel() * 65536).astype(np.int32)
    late = bits[8] < chance[cell]
    minutes = np.where(late, promise * 60 + table["extra"][u[4]], promise * 60 * table["used"][u[4]] // 1000)
    done = _daytime(pickup + minutes, late)
    done = np.maximum(done, pickup + 90)
    # 中转停留：晚点的件，多出来的时间大多耗在分拨中心
    over = np.maximum(done - pickup - promise * 60, 0)
    dwell = ((done - pickup - over) * table["dwell"][u[5]] // 1000 + over * 7 // 10) // 6  # 0.1 小时

    volume, revenue, cost = (a[:, FIRST:LAST].T.ravel() for a in (w.volume, w.revenue, w.cost))
    price = np.rint(1000 * revenue / np.maximum(volume, 1)).astype(np.int64)  # 厘
    expense = np.rint(1000 * cost / np.maximum(volume, 1)).astype(np.int64)
    factor = table["factor"][line, u[3]]
    fee = np.maximum(price[cell] * ZONE_PRICE[zone] * factor // 100_000_000, 1)  # 角
    paid = expense[cell] * ZONE_COST[zone] * factor // 1_000_000 * table["noise"][u[6]]
    paid = np.maximum(paid // 100_000, 1)
    # 异常：破损 0.6 %、丢失 0.15 %、拒收 0.8 %、错分 0.5 %
    trouble = np.searchsorted([393, 491, 1015, 1343], bits[9], side="right")
    product = 2 * line + (u[7] < np.where(line, 1400, 2600))
    return {
        "customer": customer,
        "product": product,
        "destination": destination,
        "weight": weight,
        "fee": fee,
        "cost": paid,
        "promise": promise,
        "pickup": pickup,
        "dwell": dwell,
        "done": done,
        "trouble": trouble,
        "late": late,
        "mess": bits[10],
    }


def _daytime(done, late):
    """Nobody signs at night: on-time parcels come earlier, late ones later, always between 8 and 21."""
    minute = done % 1440
    night, evening = minute < 480, minute > 1260
    earlier = np.where(night, 660, np.where(evening, 180, 0))
    later = np.where(night, 480, np.where(evening, 660, 0))
    return done + np.where(late, later, -earlier)


def waybills(w) -> dict:
    """Sample of waybills with their stage times; mess planted and logged."""
    a = w.part(make)
    total = len(a["pickup"])
    number = w.block * ROWS * w.n + 1 + np.arange(total)
    labels = w.labels()
    customer, weight, fee, done = (a[k].copy() for k in ("customer", "weight", "fee", "done"))
    dice, signed = a["mess"], a["trouble"] != 1

    def spot(low, share):
        """Rows hit by one kind of mess: a share (of 65536) of the rows."""
        return np.nonzero((dice >= low) & (dice < low + share))[0]

    def waybill(rows):
        return [f"W{n:05d}" for n in number[rows].tolist()]

    def tenths(values):
        return [f"{v / 10:.1f}" for v in values.tolist()]

    def clock(values):
        return [f"{spell_date(m // 1440)} {m % 1440 // 60:02d}:{m % 60:02d}" for m in values.tolist()]

    rows = spot(0, 130)  # 0.2 %
    orphans = [f"C{UNKNOWN + w.first + int(k)}" for k in rows]
    w.log.add("孤儿运单", "waybills", waybill(rows), "客户编号", [labels[c] for c in customer[rows]], orphans)
    labels = labels + orphans
    customer[rows] = w.n + np.arange(len(rows))

    rows = spot(1000, 65)  # 0.1 %
    w.log.add("负运费", "waybills", waybill(rows), "运费", tenths(fee[rows]), tenths(-fee[rows]))
    fee[rows] = -fee[rows]

    rows = spot(2000, 197)  # 0.3 %
    rows = rows[a["product"][rows] < 2]
    w.log.add(
        "单位混用", "waybills", waybill(rows), "重量", tenths(weight[rows]), tenths(weight[rows] * 1000)
    )
    weight[rows] *= 1000

    rows = spot(3000, 262)  # 0.4 %：第二天 23:59 统一补扫
    rows = rows[signed[rows]]
    scanned = (done[rows] // 1440 + 1) * 1440 + 1439
    w.log.add("晚扫描", "waybills", waybill(rows), "签收时间", clock(done[rows]), clock(scanned))
    done[rows] = scanned
    return {
        "运单号": Ids("W", number, 5),
        "客户编号": Coded(customer, labels),
        "产品": Coded(a["product"], PRODUCTS),
        "目的地": Coded(a["destination"], [d[0] for d in DESTINATIONS]),
        "重量": weight,
        "运费": fee,
        "成本": a["cost"],
        "承诺时限": a["promise"],
        "揽收时间": a["pickup"],
        "中转停留": a["dwell"],
        "签收时间": Maybe(done, signed),
        "异常": Maybe(Coded(np.minimum(a["trouble"], 3), EXCEPTIONS), a["trouble"] < 4),
    }
