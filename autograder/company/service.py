"""服务：投诉、服务事件、每周质量、理赔流程。"""

import numpy as np

from autograder.company.customers import SNAPSHOT
from autograder.company.frames import MONTH_START, Coded, Ids, Maybe, day
from autograder.company.names import REGIONS
from autograder.company.waybills import FIRST, ROWS, make

# 申诉构成照国家邮政局 2023 年四季度有效申诉：丢失短少 36.4 %、投递服务 27.5 %、损毁 18.6 %
TYPES = ["丢失短少", "投递服务", "损毁", "延误", "收寄服务", "其他"]
MIX = np.array([364, 275, 186, 70, 60, 45], float)
STAGES = ["揽收", "分拨", "干线运输", "派送", "客服"]
STAGE_MIX = np.array(
    [
        [5, 40, 20, 30, 5],
        [0, 5, 0, 80, 15],
        [15, 35, 30, 20, 0],
        [10, 40, 30, 20, 0],
        [80, 5, 0, 0, 15],
        [10, 10, 5, 15, 60],
    ],
    float,
)
CHANNELS = ["电话", "微信", "平台转办", "邮政申诉", "当面"]
GOODS = [
    "手机配件",
    "茶叶",
    "面料样品",
    "汽车零件",
    "奶粉",
    "陶瓷餐具",
    "大米",
    "文件",
    "显示屏",
    "冷冻水饺",
    "药品",
    "衣服",
]
PHRASES = {
    "丢失短少": [
        "{g}整件找不到了，物流停在分拨中心{d}天没动",
        "箱子到了，里面的{g}少了{k}件，封口有重新贴过的痕迹",
        "显示已签收，但我们没收到{g}，也没人打过电话",
        "一票{k}箱{g}，只到了一部分，剩下的没人说得清在哪",
    ],
    "投递服务": [
        "没打电话就把{g}放在门口，我们要求送到仓库",
        "快递员说超时不上楼，{g}让我们自己搬",
        "{g}被送到了隔壁公司，我们自己找回来的",
        "没经同意放进了驿站，{g}放了{d}天才知道",
        "派送员态度差，催了{k}次才送{g}",
    ],
    "损毁": [
        "外箱压扁，{g}碎了{k}个",
        "{g}受潮发霉，客户拒收",
        "打木架的{g}还是变形了，修要花钱",
        "{g}外包装破了个洞，里面有划痕",
    ],
    "延误": [
        "说好的时限过了{d}天，{g}还没到，产线在等",
        "{g}在苏北分拨停了{d}天，催了没人理",
        "晚到{d}天，{g}错过了活动，平台罚了我们钱",
        "{g}天天显示派送中，就是不来",
    ],
    "收寄服务": [
        "约好上门取{g}，等了半天没人来",
        "揽收时没称重，{g}后来按两倍重量收费",
        "面单打错了，{g}差点寄到别处",
    ],
    "其他": ["账单里多收了{k}笔{g}的运费", "{g}查不到轨迹，客服每次说的都不一样", "要发票要了{d}天还没开"],
}


def cases(w):
    """The complaints of a block as arrays, in order of receipt."""
    s = w.stream("complaints")
    a = w.part(make)
    kept = (w.complaint_month < 36) & (w.volume[w.complaint_customer, np.minimum(w.complaint_month, 35)] > 0)
    customer, month = w.complaint_customer[kept], w.complaint_month[kept]
    solved, m = w.complaint_solved[kept], int(kept.sum())
    # 六成能对上一张抽到的运单：同一客户、同一个月揽收
    cell = (np.searchsorted(MONTH_START, a["pickup"] // 1440, side="right") - 1) * w.n + a["customer"]
    order = np.argsort(cell, kind="stable")
    low = np.searchsorted(cell[order], month * w.n + customer, side="left")
    high = np.searchsorted(cell[order], month * w.n + customer, side="right")
    linked = (high > low) & (month >= FIRST) & s.chance(0.75, m)
    waybill = order[np.minimum(low + np.floor(s.uniform(m) * (high - low)).astype(int), len(order) - 1)]
    late = linked & (a["done"][waybill] > a["pickup"][waybill] + 60 * a["promise"][waybill])
    kind = s.choice(MIX, m)
    kind[late & s.chance(0.55, m)] = 3
    open_days = s.uniform(m)
    first = np.where(linked, a["pickup"][waybill] // 1440 + 1, MONTH_START[month])
    last = np.minimum(MONTH_START[month + 1] - 1, SNAPSHOT)
    received = np.floor(first + open_days * np.maximum(last - first + 1, 1)).astype(np.int64)
    # 未解决的投诉决定流失，必须落在客户还在的时候
    received = np.minimum(np.minimum(received, last), np.maximum(w.end[customer] - 1, first))
    minute = received * 1440 + 500 + np.floor(s.uniform(m) * 640).astype(np.int64)
    linked &= minute > a["pickup"][waybill]
    order = np.argsort(minute, kind="stable")
    return {
        "customer": customer[order],
        "solved": solved[order],
        "kind": kind[order],
        "waybill": waybill[order],
        "linked": linked[order],
        "minute": minute[order],
    }


def complaints(w) -> dict:
    c = w.part(cases)
    s, m, kind, solved = w.stream("complaints.table"), len(c["kind"]), c["kind"], c["solved"]
    value = np.rint(np.exp(s.normal(m, 5.6, 0.9))).astype(np.int64)
    loss = np.where(kind == 0, value, np.where(kind == 2, np.rint(value * s.uniform(m, 0.2, 0.9)), 0)).astype(
        np.int64
    )
    insured = np.where(s.chance(0.35, m), value, 0)
    fee = 12 + np.floor(s.uniform(m) * 20).astype(np.int64)
    paid = np.where(
        loss > 0,
        np.where(insured > 0, np.minimum(loss, insured), np.minimum(loss, 5 * fee)),
        np.where(kind == 3, fee, 0),
    )
    paid = np.where(solved, paid, 0)
    severity = np.searchsorted([0.55, 0.88], s.uniform(m) * (1 + 0.15 * (loss > 400)), side="right")
    response = np.maximum(np.rint(np.exp(s.normal(m, 2.55, 0.8))), 1).astype(np.int64)
    hours = np.maximum(np.rint(np.exp(s.normal(m, 3.4, 0.8))), 1).astype(np.int64)
    closed = c["minute"] + response + hours * 60
    done = solved & (closed // 1440 <= SNAPSHOT)
    mood = np.clip(np.rint(4.3 - 0.45 * np.log(hours / 24 + 1) - 0.5 * severity + s.normal(m, 0, 0.8)), 1, 5)
    number = w.block * 10_000 + 1 + np.arange(m)
    return {
        "投诉编号": Ids("T", number, 4),
        "客户编号": w.ids(c["customer"]),
        "运单号": Maybe(Ids("W", w.block * ROWS * w.n + 1 + c["waybill"], 5), c["linked"]),
        "受理时间": c["minute"],
        "渠道": Coded(s.choice([46, 24, 16, 6, 8], m), CHANNELS),
        "类型": Coded(kind, TYPES),
        "责任环节": Coded(s.pick(STAGE_MIX[kind]), STAGES),
        "严重程度": Coded(severity, ["一般", "较重", "严重"]),
        "投诉内容": _words(s, kind),
        "首次响应": response,
        "实际损失": loss,
        "保价金额": insured,
        "赔付金额": paid,
        "处理结果": Coded(solved.astype(int), ["未解决", "已解决"]),
        "结案时间": Maybe(closed, done),
        "满意度": Maybe(mood.astype(np.int64), done & s.chance(0.6, m)),
    }


def _words(s, kind):
    m = len(kind)
    phrase, goods = s.uniform(m), s.whole(0, len(GOODS) - 1, m).tolist()
    days, pieces = s.whole(2, 6, m).tolist(), s.whole(2, 5, m).tolist()
    words = []
    for i, (k, u) in enumerate(zip(kind.tolist(), phrase.tolist(), strict=True)):
        choices = PHRASES[TYPES[k]]
        words.append(choices[int(u * len(choices))].format(g=GOODS[goods[i]], d=days[i], k=pieces[i]))
    return words


TOUCHPOINTS = ["咨询下单", "上门揽收", "在途查询", "派送签收", "售后理赔", "对账开票"]
EVENTS = ["延误", "破损", "错派", "信息不符", "收费差错", "主动告知", "加急成功", "回访问候"]
EVENT_POINT = np.array([3, 3, 3, 2, 5, 2, 3, 4])


def service_events(w) -> dict:
    """Service moments, good and bad, of 2025, with what was done about them and whether they came back."""
    s, m = w.stream("service_events"), w.n * 2
    months = w.active[:, 24:36]
    weight = np.cumsum((months * w.volume[:, 24:36] ** 0.5).ravel())
    cell = np.searchsorted(weight / weight[-1], s.uniform(m), side="right")
    customer, month = np.divmod(cell, 12)
    hub = (w.region[customer] == 2) & (month >= 3)
    kind = s.pick(np.where(hub[:, None], [34, 8, 7, 8, 5, 14, 10, 14], [18, 9, 8, 9, 6, 19, 13, 18]))
    failure = kind < 5
    last = np.minimum(MONTH_START[24 + month + 1], np.minimum(w.end[customer], SNAPSHOT) + 1) - 1
    first = np.maximum(MONTH_START[24 + month], w.start[customer])
    when = np.floor(first + s.uniform(m) * np.maximum(last - first + 1, 1)).astype(np.int64)
    remedy = np.where(failure, 1 + s.choice([30, 30, 25, 15], m), 0)
    hours = np.maximum(np.rint(np.exp(s.normal(m, 3.0, 0.9))), 1).astype(np.int64)
    money = np.where(remedy == 3, 10 + 5 * s.whole(0, 18, m), 0)
    again = np.where(~failure, 0.88, np.where(remedy == 1, 0.66, np.where(hours <= 24, 0.84, 0.74)))
    order = np.argsort(when, kind="stable")
    number = w.block * m + 1 + np.arange(m)
    frame = {
        "客户编号": w.ids(customer[order]),
        "日期": when[order],
        "触点": Coded(EVENT_POINT[kind[order]], TOUCHPOINTS),
        "事件": Coded(kind[order], EVENTS),
        "是失误": failure[order],
        "挽回措施": Maybe(
            Coded(np.maximum(remedy[order] - 1, 0), ["没有处理", "道歉说明", "补偿", "重新派送"]),
            failure[order],
        ),
        "挽回用时": Maybe(hours[order], (remedy > 1)[order]),
        "补偿金额": money[order],
        "30天内再发货": s.chance(again)[order],
    }
    return {"事件编号": Ids("V", number, 4), **frame}


def quality_week(w) -> dict:
    """Weekly quality sheet of 2025 by region; two signals are planted."""
    s, t = w.stream("quality_week"), w.truth
    week, region = np.divmod(np.arange(52 * 3), 3)
    monday = day(2024, 12, 30) + 7 * week
    month = np.minimum(np.searchsorted(MONTH_START, monday + 3, side="right") - 1, 35)
    totals = np.array([[w.volume[w.region == r, m].sum() for r in range(3)] for m in range(36)])
    days = (MONTH_START[1:37] - MONTH_START[:36])[month]
    parcels = np.rint(totals[month, region] * 7 / days * s.uniform(156, 0.97, 1.03)).astype(np.int64)
    checked = s.whole(1800, 2200, 156)
    late = np.where((region == 2) & (week >= 13), t["hub_late"], t["base_late"])
    broken = np.array([0.010, 0.011, 0.012])[region]
    broken = np.where((region == 1) & (week + 1 >= t["shift_week"]), broken * t["shift_size"], broken)
    calls = np.array([2.6, 4.6, 3.4])[region] * np.where((region == 2) & (week >= 13), 1.25, 1)
    calls = np.where((region == 0) & (week + 1 == t["spike_week"]), calls * t["spike_size"], calls)
    return {
        "周": week + 1,
        "周一": monday,
        "区域": Coded(region, REGIONS),
        "件数": parcels,
        "投诉件": s.poisson(calls * parcels / 10_000),
        "抽检件数": checked,
        "抽检晚点": s.binomial(checked, late),
        "抽检破损": s.binomial(checked, broken),
    }


STEPS = ["受理登记", "核对运单", "查看监控", "主管审批", "财务审批", "总经理审批", "赔付打款", "回访客户"]
WAIT = np.array([20, 240, 420, 600, 700, 1100, 500, 300.0])  # 平均等待（分钟）
WORK = np.array([12, 15, 25, 8, 10, 6, 15, 10.0])  # 平均处理（分钟）
REWORK = 0.18  # 改造前，材料不齐退回重来的比例
POSTS = ["客服", "客服", "质控", "客服主管", "财务", "总经理", "财务", "客服"]


def process_log(w) -> dict:
    """Event log of 200 claims: 100 before the process was changed, 100 after."""
    s, t = w.stream("process_log"), w.truth
    each = WAIT + WORK
    before = each.sum() + REWORK * each[1:4].sum()
    cut = (1 - t["process_saving"]) * before / np.delete(each, 5).sum()
    rows = []
    for case in range(200):
        after = case >= 100
        clock = float(day(2025, 7, 1) if after else day(2025, 1, 6)) * 1440
        clock += (case % 100) * 1440 * 1.4 + 540 + s.uniform(None, 0, 480)
        step, position = 0, 0
        while step < len(STEPS):
            if after and step == 5:
                step += 1
                continue
            speed = cut if after else 1.0
            begin = clock + speed * WAIT[step] * s.gamma(1.6) / 1.6
            finish = begin + max(1.0, speed * WORK[step] * s.gamma(3.0) / 3.0)
            position += 1
            rows.append((case + 1, after, position, step, round(begin), max(round(finish), round(begin) + 1)))
            clock = finish
            # 材料不齐要退回重来：改造前更常见
            step = 1 if step == 3 and position < 6 and s.chance(0.0 if after else REWORK) else step + 1
    case, after, position, step, begin, finish = map(np.array, zip(*rows, strict=True))
    return {
        "工单编号": Ids("P", case, 3),
        "版本": Coded(after.astype(int), ["改造前", "改造后"]),
        "序号": position,
        "环节": Coded(step, STEPS),
        "岗位": [POSTS[k] for k in step.tolist()],
        "开始时间": begin,
        "结束时间": finish,
    }
