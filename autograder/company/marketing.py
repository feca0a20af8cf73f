"""散客与营销：散客、下单记录、积分、营销活动、客户画像。"""

import numpy as np

from autograder.company.customers import FOREVER
from autograder.company.frames import Coded, Ids, Maybe, day
from autograder.company.names import REGIONS

COHORT = 1_500  # 2025 年一季度首次下单的散客：每一单都有记录
OTHERS = 3_800  # 老散客：营销活动的对象
START, END = day(2025, 1, 1), day(2025, 12, 31)
JOIN = day(2025, 7, 1)  # 会员计划上线
KINDS = ["个人", "微商", "小店"]


def orders(w):
    """Every order of the cohort, from the BG/NBD model itself (Fader, Hardie & Lee 2005).

    While alive a sender orders at a Poisson rate λ ~ Gamma(r, α); after each order but the first he drops
    out with probability p ~ Beta(a, b). Time runs in days from the first order to the end of the year.
    """
    s, t = w.stream("orders"), w.truth
    first = START + np.floor(s.uniform(COHORT) * 28)
    rate = s.gamma(t["orders_r"], COHORT) / t["orders_alpha"] / 7  # 每天
    drop = s.beta(t["orders_a"], t["orders_b"], COHORT)
    sender, when = [np.arange(COHORT)], [first]
    now = first + 0.5 * np.ones(COHORT)
    alive = np.arange(COHORT)
    while len(alive):
        now[alive] = now[alive] - np.log(1 - s.uniform(len(alive))) / rate[alive]
        alive = alive[now[alive] < END + 1]
        sender.append(alive)
        when.append(np.floor(now[alive]))
        alive = alive[~s.chance(drop[alive])]
    sender, when = np.concatenate(sender), np.concatenate(when).astype(np.int64)
    order = np.argsort(when * 10_000 + sender, kind="stable")
    sender, when = sender[order], when[order]
    fresh = np.concatenate([[True], (np.diff(sender) != 0) | (np.diff(when) != 0)])
    nth = np.arange(len(when)) - np.maximum.accumulate(np.where(fresh, np.arange(len(when)), 0))
    # 每单金额（Gamma-Gamma）：与下单多少无关
    p, q = t["spend_p"], t["spend_q"]
    scale = s.gamma(q, COHORT)
    gamma = t["spend_mean"] * (q - 1) / p
    money = s.gamma(p, len(sender)) / scale[sender] * gamma
    cents = np.maximum(np.rint(money * 10), 40).astype(np.int64)  # 角
    return {
        "sender": sender,
        "when": when,
        "nth": 1 + nth,
        "money": cents,
        "joined": _joined(w, sender, when),
        "first": first.astype(np.int64),
    }


def _joined(w, sender, when):
    """Who joins the loyalty plan depends only on orders before it began: it has no effect of its own."""
    before = np.bincount(sender[when < JOIN], minlength=COHORT)
    chance = 1 / (1 + np.exp(-(-1.9 + 0.42 * np.minimum(before, 8))))
    return w.stream("loyalty").chance(chance)


def small_orders(w) -> dict:
    a = w.part(orders)
    return {
        "寄件人编号": Ids("S", 1 + a["sender"], 4),
        "日期": a["when"],
        "当天第几单": a["nth"],
        "金额": a["money"],
    }


GROUPS = ("可说服", "必买", "无动于衷", "勿扰")  # 学生看不到的四类人
GROUP_MIX = np.array([25, 25, 30, 20], float)
BASE = np.array([0.07, 0.31, 0.02, 0.21])


def audience(w):
    """The older senders: hidden kind, and the columns that hint at it."""
    s = w.stream("audience")
    kind = s.choice(GROUP_MIX, OTHERS)
    often = np.array([4.5, 14.0, 1.2, 9.0])[kind]
    coupons = np.array([2.6, 1.2, 0.15, 0.0])[kind]
    return {
        "kind": kind,
        "orders": np.maximum(s.poisson(often * s.gamma(12.0, OTHERS) / 12), 1),
        "coupons": np.where(kind == 0, 1 + s.poisson(coupons), s.poisson(coupons)),
        "recency": np.minimum(
            np.rint(s.gamma(2.0, OTHERS) / 2 * np.array([40, 15, 120, 26])[kind]) + 1, 180
        ).astype(np.int64),
        "unsubscribed": s.chance(np.array([0.03, 0.03, 0.05, 0.80])[kind]),
        "consent": s.chance(0.88, OTHERS),
    }


def senders(w) -> dict:
    """Small senders: the cohort of 2025 and the older ones. Facts as of 2025-06-30."""
    s, a, b = w.stream("senders"), w.part(orders), w.part(audience)
    m = COHORT + OTHERS
    cohort = np.arange(m) < COHORT
    early = a["when"] < JOIN
    count = np.bincount(a["sender"][early], minlength=COHORT)
    last = np.zeros(COHORT, np.int64)
    np.maximum.at(last, a["sender"][early], a["when"][early])
    member = np.concatenate([a["joined"], np.zeros(OTHERS, bool)])
    registered = np.concatenate([a["first"], day(2022, 3, 1) + s.whole(0, 700, OTHERS)])
    return {
        "寄件人编号": Ids("S", 1 + np.arange(m), 4),
        "类型": Coded(s.choice([62, 24, 14], m), KINDS),
        "区域": Coded(s.choice([50, 20, 30], m), REGIONS),
        "首单日期": registered,
        "下单次数": np.concatenate([count, b["orders"]]),
        "用券次数": np.concatenate([s.poisson(0.3, COHORT), b["coupons"]]),
        "最近下单天数": np.concatenate([JOIN - last, b["recency"]]),
        "退订过短信": np.concatenate([s.chance(0.06, COHORT), b["unsubscribed"]]),
        "营销同意": np.concatenate([s.chance(0.80, COHORT), b["consent"]]),
        "会员": member,
        "入会日期": Maybe(np.where(cohort, JOIN, 0) + s.whole(0, 6, m), member),
    }


def loyalty_ledger(w) -> dict:
    """Points of the members: welcome gift, one point a yuan, and what they redeemed."""
    s, a = w.stream("loyalty_ledger"), w.part(orders)
    member = np.nonzero(a["joined"])[0]
    buys = a["joined"][a["sender"]] & (a["when"] >= JOIN + 7)
    who, when, points = a["sender"][buys], a["when"][buys], np.maximum(a["money"][buys] // 10, 1)
    until = END - s.whole(0, 25, COHORT)  # 兑换那天以前攒下的
    earned = np.bincount(who, points * (when < until[who]), COHORT).astype(np.int64)
    spender = member[(earned[member] > 60) & s.chance(0.45, len(member))]
    sender = np.concatenate([member, who, spender])
    date = np.concatenate([np.full(len(member), JOIN + 6), when, until[spender]])
    value = np.concatenate([np.full(len(member), 50), points, -(np.minimum(earned[spender], 400) // 50 * 50)])
    kind = np.concatenate([np.zeros(len(member)), np.ones(len(who)), np.full(len(spender), 2)]).astype(int)
    order = np.argsort(date * 10_000 + sender, kind="stable")
    return {
        "流水号": Ids("J", 1 + np.arange(len(order)), 4),
        "寄件人编号": Ids("S", 1 + sender[order], 4),
        "日期": date[order],
        "类型": Coded(kind[order], ["入会赠送", "下单积分", "兑换"]),
        "积分": value[order],
    }


CAMPAIGNS = [
    ("短信满减券", "短信", day(2025, 7, 14), 0.12),
    ("电子邮件新品", "邮件", day(2025, 9, 8), 0.05),
    ("电话回访优惠", "电话", day(2025, 10, 13), 1.80),
]


def campaigns(w) -> dict:
    name, way, when, cost = zip(*CAMPAIGNS, strict=True)
    return {
        "活动编号": Ids("A", np.array([1, 2, 3]), 1),
        "名称": list(name),
        "渠道": Coded(np.arange(3), list(way)),
        "开始日期": np.array(when),
        "观察天数": np.array([30, 30, 30]),
        "每人成本": np.rint(np.array(cost) * 100).astype(np.int64),
        "目标": ["多下单", "点开邮件", "多下单"],
    }


def contacts_sent(w) -> dict:
    """Three campaigns among the senders who consented, each with a random control group."""
    s, t, b = w.stream("contacts_sent"), w.truth, w.part(audience)
    change = np.array([t["uplift_persuadable"], 0.0, 0.0, t["uplift_sleeping"]])
    parts = []
    for k, works in enumerate((1.0, 0.0, 1.0)):
        who = np.nonzero(b["consent"] | s.chance(0.10, OTHERS))[0]  # 名单里混进了没同意的人
        m, kind = len(who), b["kind"][who]
        treated = s.chance(0.65, m)
        rate = BASE[kind] * (1.0 if works else 0.5) + np.where(treated, works * change[kind], 0.0)
        answered, subject = s.chance(rate), s.chance(0.5, m)
        opened = treated & s.chance(0.24 + t["subject_effect"] * subject)
        margin = np.where(answered, np.maximum(np.rint(10 * np.exp(s.normal(m, 1.9, 0.5))), 5), 0)
        parts.append((np.full(m, k), who, treated, subject, opened, answered, margin))
    which, who, treated, subject, opened, answered, margin = map(np.concatenate, zip(*parts, strict=True))
    bad = np.nonzero(treated & ~b["consent"][who])[0]
    keys = [f"A{which[i] + 1}/S{COHORT + 1 + who[i]:04d}" for i in bad]
    w.log.add("违反同意", "contacts_sent", keys, "组别", ["不应联系"] * len(bad), ["触达"] * len(bad))
    mail = (which == 1) & treated
    return {
        "活动编号": Ids("A", which + 1, 1),
        "寄件人编号": Ids("S", COHORT + 1 + who, 4),
        "组别": Coded(treated.astype(int), ["对照", "触达"]),
        "邮件标题": Maybe(Coded(subject.astype(int), ["甲", "乙"]), mail),
        "打开": Maybe(opened, mail),
        "响应": answered,
        "毛利": margin.astype(np.int64),
    }


# 四类客户的画像：月均件数（取对数）、件均重量、旺季系数、退货率、增值服务占比
PROFILE = np.array(
    [
        [7.2, 2.1, 1.10, 3.0, 26.0],  # 工厂：量稳、件重、要增值服务
        [8.6, 0.6, 2.10, 14.0, 8.0],  # 电商：量大、件轻、旺季翻倍、退货多
        [6.4, 1.3, 1.45, 7.5, 14.0],  # 商超分销
        [4.6, 0.4, 1.20, 4.0, 3.0],
    ]
)  # 小微
SPREAD = np.array([0.42, 0.30, 0.13, 1.5, 2.6])


def customer_profile(w) -> dict:
    """Two portraits of 600 accounts: 2023, when four kinds stood apart, and 2025, when they had blurred."""
    s = w.stream("customer_profile")
    known = np.nonzero((w.start < day(2023, 1, 1)) & (w.end == FOREVER))[0]
    known = known[s.order(len(known))[:600]]
    kind = s.choice([30, 28, 22, 20], len(known))
    # 2025 年各家的做法越来越像，界线模糊了：分三类、四类都说得通
    frames = [PROFILE[kind] + s.normal((len(known), 5)) * SPREAD * width for width in (1.0, 1.3)]
    x = np.concatenate(frames)
    order = np.argsort(np.tile(known, 2) + np.repeat([0, w.n], len(known)), kind="stable")
    x, who = x[order], np.tile(known, 2)[order]
    return {
        "客户编号": w.ids(who),
        "年份": np.repeat([2023, 2025], len(known)),
        "月均件数": np.maximum(np.rint(np.exp(x[:, 0])), 5).astype(np.int64),
        "件均重量": np.maximum(np.rint(np.exp(x[:, 1]) * 10), 2).astype(np.int64),
        "旺季系数": np.maximum(np.rint(x[:, 2] * 100), 60).astype(np.int64),
        "退货率": np.maximum(np.rint(x[:, 3] * 10), 0).astype(np.int64),
        "增值占比": np.maximum(np.rint(x[:, 4] * 10), 0).astype(np.int64),
    }
