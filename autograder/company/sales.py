"""销售：线索、拜访、洽谈、访谈、客户登记表、交期承诺。"""

import numpy as np

from autograder.company import names
from autograder.company.customers import FOREVER, SALES, SNAPSHOT, SOURCES, sigmoid, zscore
from autograder.company.frames import Coded, Ids, Maybe, day, spell_date

LEADS = 1_500
LEAD_COST = np.array([60, 180, 45, 30, 260, 320])  # 每条线索的平均获客成本（元），次序同 SOURCES
STAGES = ["新登记", "已联系", "已拜访", "已报价", "成交", "放弃"]


def prospects(w):
    """The leads as arrays; who became a customer follows the planted model."""
    s, t, m = w.stream("leads"), w.truth, LEADS
    region = s.choice([50, 20, 30], m)
    source = s.choice([18, 20, 26, 22, 8, 6], m)
    industry = s.choice([18, 15, 12, 12, 10, 12, 15, 6], m)
    need = np.clip(np.rint(s.normal(m, 3.0, 1.15) + 0.25 * (source == 0)), 1, 5)
    authority = np.clip(s.choice([40, 36, 24], m) + ((source == 0) & s.chance(0.2, m)), 0, 2)
    budget = np.maximum(np.rint(np.exp(s.normal(m, 0.9, 0.8)) * 10), 2)  # 0.1 万元
    log_odds = (
        -2.75
        + t["lead_need"] * zscore(need)
        + t["lead_money"] * zscore(np.log(budget))
        + t["lead_authority"] * authority
    )
    born = day(2024, 1, 2) + np.floor(np.sort(s.uniform(m)) * 700).astype(np.int64)
    return {
        "region": region,
        "source": source,
        "industry": industry,
        "need": need.astype(np.int64),
        "authority": authority,
        "budget": budget.astype(np.int64),
        "born": born,
        "won": s.chance(sigmoid(log_odds)),
        "town": s.whole(0, 12, m),
    }


def leads(w) -> dict:
    """Prospective customers with money, authority, need; a few typed in twice or with a short number."""
    a, s, m = w.part(prospects), w.stream("leads.table"), LEADS
    # 没成交的停在哪一步
    stage = np.where(a["won"], 4, np.where(s.chance(0.45, m), 5, s.choice([30, 40, 20, 10], m)))
    stems = names.company_names(w.stream("leads.names"), a["town"], a["industry"])
    volume = np.maximum(np.rint(np.exp(s.normal(m, 0, 0.5)) * a["budget"] * 14), 5).astype(np.int64)
    phone = names.phones(60_000 + np.arange(m))
    number = 1 + np.arange(m)
    name = [stem + "有限公司" for stem in stems]
    twice = np.nonzero((np.arange(m) > 200) & s.chance(0.02, m))[0]
    first = twice - s.whole(20, 200, len(twice))
    keys = [f"X{n:04d}" for n in number[twice].tolist()]
    w.log.add("重复线索", "leads", keys, "企业名称", [name[i] for i in twice], [name[i] for i in first])
    for i, j in zip(twice.tolist(), first.tolist(), strict=True):
        name[i], phone[i] = name[j], phone[j]
    short = np.nonzero(s.chance(0.015, m))[0]
    keys = [f"X{n:04d}" for n in number[short].tolist()]
    w.log.add("错号码", "leads", keys, "电话", [phone[i] for i in short], [phone[i][:-1] for i in short])
    for i in short:
        phone[i] = phone[i][:-1]
    cost = np.maximum(np.rint(LEAD_COST[a["source"]] * np.exp(s.normal(m, 0, 0.35))), 5).astype(np.int64)
    return {
        "线索编号": Ids("X", number, 4),
        "企业名称": name,
        "区域": Coded(a["region"], names.REGIONS),
        "行业": Coded(a["industry"], names.INDUSTRIES),
        "来源": Coded(a["source"], SOURCES),
        "登记日期": a["born"],
        "电话": phone,
        "月物流预算": a["budget"],
        "月发货量": volume,
        "决策权": Coded(a["authority"], ["低", "中", "高"]),
        "需求迫切度": a["need"],
        "获客成本": cost,
        "跟进人": Ids("E", 1 + s.whole(0, SALES - 1, m), 3),
        "阶段": Coded(stage, STAGES),
        "成交": a["won"],
    }


WAYS = ["上门拜访", "来访接待", "电话", "来函"]
PURPOSES = ["初次接触", "了解需求", "方案报价", "续约", "回访", "处理问题", "催款"]
RESULTS = ["约定下次", "索要报价", "达成意向", "暂无需求", "未见到人"]
PROMISES = ["发报价单", "提供样单试发", "查清破损原因", "安排参观分拨中心", "补开发票", "调整取件时间"]


def visits(w) -> dict:
    """Visits, calls and letters of 2025, to customers and to leads, with the promises made."""
    s, m, a = w.stream("visits"), 3_200, w.part(prospects)
    to_lead = s.chance(0.3, m)
    alive = np.nonzero((w.start < day(2025, 1, 1)) & (w.end > day(2025, 3, 1)))[0]
    customer = alive[np.floor(s.uniform(m) * len(alive)).astype(int)]
    recent = np.nonzero(a["born"] > day(2024, 10, 1))[0]
    lead = recent[np.floor(s.uniform(m) * len(recent)).astype(int)]
    low = np.where(to_lead, np.maximum(a["born"][lead], day(2025, 1, 2)), day(2025, 1, 2))
    high = np.where(to_lead, SNAPSHOT, np.minimum(w.end[customer], SNAPSHOT))
    when = np.floor(low + s.uniform(m) * np.maximum(high - low, 1)).astype(np.int64)
    when = np.maximum(when - ((when + 3) % 7 == 6), low)  # 星期日不上班
    order = np.argsort(when, kind="stable")
    to_lead, customer, lead, when = (x[order] for x in (to_lead, customer, lead, when))
    way = s.choice([46, 12, 34, 8], m)
    seller = np.where(to_lead, 1 + s.whole(0, SALES - 1, m), w.seller[customer])
    promised = s.chance(0.42, m)
    due = when + s.whole(1, 10, m)
    finished = due + np.where(s.chance(0.78, m), -np.minimum(s.whole(0, 3, m), due - when), s.whole(1, 9, m))
    done = promised & (finished <= SNAPSHOT) & s.chance(0.95, m)
    purpose = np.where(to_lead, s.choice([40, 35, 25], m), 3 + s.choice([15, 45, 28, 12], m))
    return {
        "记录编号": Ids("N", 1 + np.arange(m), 4),
        "客户编号": Maybe(w.ids(customer), ~to_lead),
        "线索编号": Maybe(Ids("X", 1 + lead, 4), to_lead),
        "日期": when,
        "时长": np.array([45, 60, 9, 0])[way] + np.where(way < 3, s.whole(-5, 30, m), 0),
        "方式": Coded(way, WAYS),
        "员工": Ids("E", seller, 3),
        "目的": Coded(purpose, PURPOSES),
        "结果": Coded(s.choice([34, 16, 14, 26, 10], m), RESULTS),
        "承诺": Maybe(Coded(s.choice([30, 15, 20, 10, 12, 13], m), PROMISES), promised),
        "承诺日期": Maybe(due, promised),
        "完成日期": Maybe(finished, done),
    }


def bargains(w):
    """60 negotiations by round: both sides concede in shrinking steps, and close in the zone or not."""
    s = w.stream("deals")
    big = np.nonzero((w.size >= 2) & (w.start < day(2024, 6, 1)) & (w.end > day(2025, 1, 1)))[0]
    who = big[s.order(len(big))[:60]]
    price = np.maximum(w.revenue[who].sum(axis=1) / np.maximum(w.volume[who].sum(axis=1), 1), 1.0)
    walk = s.uniform(60, 0.93, 0.99)  # 我方底价 ÷ 原价
    their = walk + s.normal(60, 0.035, 0.04)  # 对方能接受的最高价 ÷ 原价
    deals, rounds = [], []
    for k in range(60):
        ours, yours = 1.06 + s.uniform(None, 0, 0.04), walk[k] - 0.10 - s.uniform(None, 0, 0.05)
        pace = s.uniform(None, 0.35, 0.6)
        agreed = None
        for turn in range(1, 9):
            buyer = turn % 2 == 0
            offer = yours if buyer else ours
            days = int(30 + 15 * np.floor(s.uniform(None, 0, 3)) + (15 if buyer else 0))
            rounds.append((k, turn, buyer, round(offer * price[k] * 100), days))
            if buyer:
                yours += (their[k] - yours) * pace
                if their[k] >= walk[k] and (yours >= ours - 0.012 or offer >= walk[k] + 0.02):
                    agreed = max(offer, walk[k])
            else:
                ours += (walk[k] - ours) * pace
                if their[k] >= offer:
                    agreed = offer
            if agreed is not None and turn >= 3:
                break
            agreed = None
        deals.append((agreed is not None, round((agreed or 0) * price[k] * 100)))
    won, final = map(np.array, zip(*deals, strict=True))
    return {
        "who": who,
        "price": np.rint(price * 100).astype(np.int64),
        "walk": np.rint(walk * price * 100).astype(np.int64),
        "their": np.rint(their * price * 100).astype(np.int64),
        "won": won,
        "final": final,
        "rounds": rounds,
    }


def deals(w) -> dict:
    a, s = w.part(bargains), w.stream("deals.table")
    when = day(2025, 1, 8) + np.sort(np.floor(s.uniform(60) * 340)).astype(np.int64)
    last = np.minimum(w.end[a["who"]], SNAPSHOT) - 5
    return {
        "洽谈编号": Ids("D", 1 + np.arange(60), 2),
        "客户编号": w.ids(a["who"]),
        "日期": np.minimum(when, last),
        "负责人": Ids("E", w.seller[a["who"]], 3),
        "原单价": a["price"],
        "我方底价": a["walk"],
        "对方最高价": a["their"],
        "成交": a["won"],
        "成交单价": Maybe(a["final"], a["won"]),
    }


def deal_rounds(w) -> dict:
    case, turn, buyer, offer, days = map(np.array, zip(*w.part(bargains)["rounds"], strict=True))
    return {
        "洽谈编号": Ids("D", 1 + case, 2),
        "轮次": turn,
        "报价方": Coded(buyer.astype(int), ["我方", "对方"]),
        "单价": offer,
        "账期": days,
    }


NEEDS = ["价格", "时效", "安全", "服务响应", "信息透明"]
SCRAPS = [
    [
        "比来比去还是看单价，差两毛一年就是几万",
        "老板每季度都问物流费占了多少",
        "有没有量大再优惠的方案",
        "别的都能谈，预算就这么多",
    ],
    [
        "产线停一小时损失好几万，几点到必须准",
        "下午五点前要能截单，第二天要到",
        "客户催得紧，慢一天就丢单",
        "旺季能不能保证不压货",
    ],
    [
        "上次碎了三箱，赔得还没货值一半",
        "贵的件要有人盯着装车",
        "包装你们帮着看看，别再压坏了",
        "丢一件我要写半个月说明",
    ],
    [
        "出了问题找得到人，这点最要紧",
        "别让我打三个电话讲三遍",
        "希望有个固定的人管我们的单",
        "回复快，贵一点也行",
    ],
    [
        "货到哪了我得随时看得到",
        "系统能不能直接对上我们的订单号",
        "签收单每次都要翻半天",
        "异常要先告诉我，别等我问",
    ],
]
SERVICES = ["阶梯折扣", "定时达", "保价", "专属客服", "系统对接"]


def interviews(w) -> dict:
    """60 scraps from talks with 20 accounts: three people each, and what the account bought later."""
    s = w.stream("interviews")
    big = np.nonzero((w.size >= 2) & (w.end == FOREVER) & (w.start < day(2025, 1, 1)))[0]
    who = np.repeat(big[s.order(len(big))[:20]], 3)
    role = np.tile(np.arange(3), 20)
    main = np.repeat(s.choice([26, 24, 18, 17, 15], 20), 3)
    lean = np.array([0, 3, 1])[role]  # 采购偏价格，仓库偏响应，物流主管偏时效
    need = np.where(s.chance(0.62, 60), main, np.where(s.chance(0.6, 60), lean, s.choice([1] * 5, 60)))
    bought = np.repeat(np.where(s.chance(0.78, 20), main[::3], s.choice([1] * 5, 20)), 3)
    words = np.repeat(s.whole(0, 3, 20), 3) + role  # 同一家的三个人不说同一句
    return {
        "摘录编号": Ids("Y", 1 + np.arange(60), 2),
        "客户编号": w.ids(who),
        "受访人": Coded(role, ["采购主管", "仓库主管", "物流主管"]),
        "日期": day(2025, 3, 3) + np.repeat(np.sort(s.whole(0, 150, 20)), 3),
        "摘录": [SCRAPS[k][i % 4] for k, i in zip(need.tolist(), words.tolist(), strict=True)],
        "后来购买": Coded(bought, SERVICES),
    }


# 不该收集的信息（与办理物流业务无关）：单元 8.1 里要划掉
GREEDY = ["身份证号", "婚姻状况", "宗教信仰"]
SLOPPY_DATES = ["{y}/{m}/{d}", "{y}.{m:02d}.{d:02d}", "{y}年{m}月{d}日", "{d}/{m}/{y}"]


def customer_forms(w) -> dict:
    """The register as eight offices typed it: duplicates, mixed dates and units, gaps, greedy questions."""
    s = w.stream("customer_forms")
    alive = np.nonzero((w.end == FOREVER) & (w.start < day(2025, 7, 1)))[0]
    stems = names.company_names(w.stream("customers.names"), w.city, w.industry)
    twins = np.sort(alive[s.order(len(alive))[: round(len(alive) * 0.031)]])
    who = np.concatenate([alive, twins])
    m, original = len(who), len(alive)
    shuffled = np.sort(s.uniform(m)).argsort()  # 登记次序：先登记的在前，重复的散落其中
    position = np.concatenate([s.uniform(original), 0.3 + 0.7 * s.uniform(m - original)])
    shuffled = np.argsort(position, kind="stable")
    number = np.empty(m, np.int64)
    number[shuffled] = 1 + np.arange(m)
    key = [f"F{n:04d}" for n in number.tolist()]

    name = [stems[i] + "有限公司" for i in who.tolist()]
    style = s.whole(0, 3, m - original)
    for k, i in enumerate(range(original, m)):
        stem = stems[who[i]]
        right = name[i]
        name[i] = [
            stem + "(有限)",
            stem + "（有限）公司",
            " " + stem + "有限公司",
            stem[:2] + "　" + stem[2:] + "有限公司",
        ][style[k]]
        w.log.add("重复客户", "customer_forms", [key[i]], "客户名称", [right], [name[i]])

    phone = names.phones(100_000 + who)
    full = str.maketrans("0123456789", "０１２３４５６７８９")
    for i in range(original, m):
        if s.chance(0.35):  # 重复登记的，有的号码打成了全角
            right, phone[i] = phone[i], phone[i].translate(full)
            w.log.add("全角号码", "customer_forms", [key[i]], "联系电话", [right], [phone[i]])
    short = np.nonzero(s.chance(0.02, original))[0]
    w.log.add(
        "错号码",
        "customer_forms",
        [key[i] for i in short],
        "联系电话",
        [phone[i] for i in short],
        [phone[i][:-1] for i in short],
    )
    for i in short:
        phone[i] = phone[i][:-1]

    days = w.start[who]
    dates = [spell_date(int(d)) for d in days]
    odd = np.nonzero(s.chance(0.12, m))[0]
    for i in odd.tolist():
        y, mo, d = map(int, dates[i].split("-"))
        now = SLOPPY_DATES[int(s.whole(0, 3))].format(y=y, m=mo, d=d)
        w.log.add("日期写法", "customer_forms", [key[i]], "登记日期", [dates[i]], [now])
        dates[i] = now

    months = np.maximum((w.volume[who][:, 24:36] > 0).sum(axis=1), 1)
    spend = w.revenue[who][:, 24:36].sum(axis=1) // months
    money = [str(v) for v in spend.tolist()]
    cents = np.nonzero(s.chance(0.02, m))[0]
    for i in cents.tolist():
        w.log.add("单位混用", "customer_forms", [key[i]], "月均运费", [money[i]], [money[i] + "00"])
        money[i] += "00"

    city = [names.CITIES[k] for k in w.city[who].tolist()]
    industry = [names.INDUSTRIES[k] for k in w.industry[who].tolist()]
    for column, cells, share in (("城市", city, 0.015), ("行业", industry, 0.025)):
        gaps = np.nonzero(s.chance(share, m))[0]
        w.log.add(
            "缺填",
            "customer_forms",
            [key[i] for i in gaps],
            column,
            [cells[i] for i in gaps],
            [""] * len(gaps),
        )
        for i in gaps:
            cells[i] = ""
    greedy = {heading: [""] * m for heading in GREEDY}
    for i in np.nonzero(s.chance(0.06, m))[0].tolist():
        column = GREEDY[int(s.choice([60, 30, 10], 1)[0])]
        # 身份证号用不存在的地区代码 999999，不会是任何人的
        cell = {
            "身份证号": f"999999190001{i % 28 + 1:02d}{i % 10000:04d}",
            "婚姻状况": "已婚",
            "宗教信仰": "无",
        }[column]
        greedy[column][i] = cell
        w.log.add("过度收集", "customer_forms", [key[i]], column, [""], [cell])

    code = [
        f"S{3200 + c:04d}{w.first + 1 + i:010d}"
        for c, i in zip(w.city[who].tolist(), who.tolist(), strict=True)
    ]
    road, house = s.whole(0, 7, m), s.whole(1, 900, m)
    columns = {
        "客户名称": name,
        "登记代码": code,
        "城市": city,
        "行业": industry,
        "地址": [
            f"{names.TOWNS[c]}市{names.ROADS[r]}{h}号"
            for c, r, h in zip(w.city[who].tolist(), road.tolist(), house.tolist(), strict=True)
        ],
        "联系人": names.persons(s, m),
        "联系电话": phone,
        "登记日期": dates,
        "月均运费": money,
        **greedy,
        "登记网点": [f"{'甲乙丙丁戊己庚辛'[k]}点" for k in s.whole(0, 7, m).tolist()],
    }
    frame = {heading: [cells[i] for i in shuffled.tolist()] for heading, cells in columns.items()}
    return {"登记号": Ids("F", 1 + np.arange(m), 4), **frame}


def promise_orders(w) -> dict:
    """300 warehouse orders: date promised with or without a look at the stock, and date met."""
    s, m = w.stream("promise_orders"), 300
    depot = np.nonzero((w.line == 1) & (w.end == FOREVER) & (w.start < day(2025, 7, 1)))[0]
    who = depot[np.floor(s.uniform(m) * min(len(depot), 40)).astype(int)]
    when = day(2025, 9, 1) + np.sort(s.whole(0, 100, m))
    wanted, stock = s.whole(20, 300, m), s.whole(0, 420, m)
    arrives = s.whole(2, 9, m)
    looked = s.chance(0.5, m)
    needs = np.where(stock >= wanted, 1, arrives + 1)
    promised = np.where(looked, needs, 2) + s.whole(0, 1, m)
    actual = needs + s.choice([70, 22, 8], m)
    return {
        "订单编号": Ids("O", 1 + np.arange(m), 3),
        "客户编号": w.ids(who),
        "下单日期": when,
        "订购数量": wanted,
        "当时库存": stock,
        "在途到货天数": arrives,
        "承诺方式": Coded(looked.astype(int), ["不看库存", "看库存"]),
        "承诺日期": when + promised,
        "实际发货": when + actual,
    }
