"""渠道与跨境：加盟网点、每周揽收流向（有人窜货）、跨境线路和商家。"""

import numpy as np

from autograder.company import names
from autograder.company.frames import Coded, Ids, day

OUTLETS = 40
MONDAY = day(2024, 12, 30)


def outlets(w):
    s, t = w.stream("outlets"), w.truth
    city = np.sort(s.choice([8, 5, 4, 4, 2, 5, 4, 3, 4, 3, 4, 2, 3], OUTLETS))
    guilty = np.zeros(OUTLETS, bool)
    guilty[s.order(OUTLETS)[: t["diverters"]]] = True
    return {
        "city": city,
        "guilty": guilty,
        "size": np.exp(s.normal(OUTLETS, 6.6, 0.45)),
        "price": s.normal(OUTLETS, 7.4, 0.18),
    }


def distributors(w) -> dict:
    a, s = w.part(outlets), w.stream("distributors")
    target = np.rint(a["size"] * 4.3 / 100) * 100
    road = s.order(OUTLETS)
    return {
        "网点编号": Ids("G", 1 + np.arange(OUTLETS), 2),
        "网点名称": [
            f"{names.TOWNS[c]}{names.ROADS[k % 8][:-1]}{'一二三四五'[k // 8]}点"
            for c, k in zip(a["city"].tolist(), road.tolist(), strict=True)
        ],
        "授权城市": Coded(a["city"], names.CITIES),
        "类型": Coded(s.choice([70, 30], OUTLETS), ["加盟", "代理"]),
        "加盟日期": day(2024, 6, 1) - s.whole(60, 3000, OUTLETS),
        "保证金": (s.whole(3, 12, OUTLETS) * 5_000),
        "月目标件量": target.astype(np.int64),
        "返利比例": s.whole(10, 40, OUTLETS),
        "投诉率": np.rint(np.exp(s.normal(OUTLETS, 3.2, 0.4))).astype(np.int64),
        "回款天数": np.maximum(np.rint(s.normal(OUTLETS, 24, 9)), 3).astype(np.int64),
        "揽收准时率": np.clip(np.rint(s.normal(OUTLETS, 915, 35)), 700, 995).astype(np.int64),
    }


def channel_flows(w) -> dict:
    """Where each outlet picked parcels up, by week. A little outside its city is normal; a lot is not."""
    a, s, t = w.part(outlets), w.stream("channel_flows"), w.truth
    week, outlet = np.divmod(np.arange(52 * OUTLETS), OUTLETS)
    own = np.maximum(np.rint(a["size"][outlet] * np.exp(s.normal(len(week), 0, 0.12))), 20)
    monthend = (MONDAY + 7 * week + 6) % 30 < 8  # 冲月底返利
    rows = [(week, outlet, a["city"][outlet], own, a["price"][outlet] * np.exp(s.normal(len(week), 0, 0.02)))]
    for _ in range(3):
        guilty = a["guilty"][outlet]
        hit = np.where(guilty, s.chance(0.88, len(week)), s.chance(0.28, len(week)))
        share = np.where(
            guilty,
            t["divert_share"] / (1 - t["divert_share"]) / 3 / 0.88 * np.where(monthend, 1.9, 0.65),
            s.uniform(len(week), 0.004, 0.05),
        )
        away = (a["city"][outlet] + s.whole(1, 12, len(week))) % 13
        price = a["price"][outlet] * np.where(guilty, 1 - t["divert_discount"], 1.0)
        price = price * np.exp(s.normal(len(week), 0, 0.025))
        parcels = np.maximum(np.rint(own * share), 1)
        rows.append(tuple(x[hit] for x in (week, outlet, away, parcels, price)))
    week, outlet, city, parcels, price = map(np.concatenate, zip(*rows, strict=True))
    key = (week * OUTLETS + outlet) * 13 + city  # 同一周、同一网点、同一城市只留一行
    _, first = np.unique(key, return_index=True)
    return {
        "周一": MONDAY + 7 * week[first],
        "网点编号": Ids("G", 1 + outlet[first], 2),
        "揽收城市": Coded(city[first], names.CITIES),
        "件数": parcels[first].astype(np.int64),
        "单价": np.rint(price[first] * 100).astype(np.int64),
    }


COUNTRIES = [
    ("美国", "美元", 7.10),
    ("德国", "欧元", 8.20),
    ("英国", "英镑", 9.50),
    ("日本", "日元", 0.047),
    ("韩国", "韩元", 0.005),
    ("越南", "越南盾", 0.00028),
    ("泰国", "泰铢", 0.22),
    ("阿联酋", "迪拉姆", 1.93),
]
DISTANCE = np.array([1.5, 1.35, 1.35, 0.75, 0.7, 0.7, 0.75, 1.2])
MODES = ["邮政小包", "专线", "商业快递"]


def xborder_lanes(w) -> dict:
    """Eight countries by three modes. Rates of exchange and duty are round figures for practice."""
    s = w.stream("xborder_lanes")
    country, mode = np.divmod(np.arange(24), 3)
    far = DISTANCE[country]
    days = np.rint(np.array([17, 9, 4.5])[mode] * far**0.6 + s.uniform(24, -0.5, 0.5))
    first = np.array([150, 240, 780])[mode] * far + s.whole(-10, 10, 24)
    return {
        "线路编号": Ids("Z", 1 + np.arange(24), 2),
        "目的国": Coded(country, [c[0] for c in COUNTRIES]),
        "方式": Coded(mode, MODES),
        "平均天数": days.astype(np.int64),
        "首重价": np.rint(first).astype(np.int64),
        "续重价": np.rint(first * np.array([0.42, 0.36, 0.40])[mode]).astype(np.int64),
        "丢失率": np.maximum(np.rint(np.array([14, 6, 2])[mode] * far * s.uniform(24, 0.7, 1.3)), 1).astype(
            np.int64
        ),
        "清关延误率": np.maximum(np.rint(np.array([90, 50, 30])[mode] * s.uniform(24, 0.6, 1.5)), 5).astype(
            np.int64
        ),
        "关税率": np.array([10, 19, 20, 10, 8, 10, 7, 5])[country] * 10,
        "币种": Coded(country, [c[1] for c in COUNTRIES]),
        "汇率": np.rint(np.array([c[2] for c in COUNTRIES])[country] * 100_000).astype(np.int64),
    }


GOODS = ["服饰", "家居", "小家电", "美妆", "食品", "玩具", "手机配件", "户外用品"]


def xborder_merchants(w) -> dict:
    """80 sellers to be screened: what they sell, papers, volume."""
    s, m = w.stream("xborder_merchants"), 80
    goods = s.choice([20, 15, 14, 10, 8, 11, 14, 8], m)
    trait = np.select([goods == 2, goods == 3, goods == 4, goods == 6], [1, 2, 3, 1], 0)
    trait = np.where(s.chance(0.08, m), s.whole(0, 3, m), trait)
    papers = np.where(trait > 0, s.choice([62, 24, 14], m), s.choice([85, 10, 5], m))
    return {
        "商家编号": Ids("M", 1 + np.arange(m), 2),
        "类目": Coded(goods, GOODS),
        "货物属性": Coded(trait, ["普货", "带电", "液体", "食品"]),
        "证照": Coded(papers, ["齐全", "缺检测报告", "缺经营资质"]),
        "月件量": np.maximum(np.rint(np.exp(s.normal(m, 6.2, 1.0))), 10).astype(np.int64),
        "件均重量": np.maximum(np.rint(np.exp(s.normal(m, -0.4, 0.6)) * 100), 5).astype(np.int64),
        "件均货值": np.maximum(np.rint(np.exp(s.normal(m, 4.7, 0.6))), 15).astype(np.int64),
        "主销国": Coded(s.choice([30, 14, 12, 12, 9, 8, 8, 7], m), [c[0] for c in COUNTRIES]),
        "店龄": s.whole(1, 84, m),
        "平台评分": np.clip(np.rint(s.normal(m, 46, 3)), 30, 50).astype(np.int64),
        "账期要求": np.array([0, 7, 15, 30])[s.choice([30, 30, 25, 15], m)],
    }
