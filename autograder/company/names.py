"""虚构的名字：地名不存在，号码不可能被分配，人只有称呼。

Why nothing here can be anyone's: company names begin with a county that does not exist, so they cannot
be registered; mobile numbers begin with 120, which no operator may issue; land lines begin with 0 after the
area code; plates use the letter I, which is never used; registration codes begin with S, a letter that
the national code does not contain; people have a form of address (陆女士) or a nickname, never a full name.
"""

import numpy as np

# 真实的设区市（按区域统计要用），虚构的县级地名
CITIES = [
    "苏州",
    "无锡",
    "常州",
    "南京",
    "镇江",
    "南通",
    "扬州",
    "泰州",
    "徐州",
    "淮安",
    "盐城",
    "连云港",
    "宿迁",
]
REGIONS = ["苏南", "苏中", "苏北"]
CITY_REGION = np.array([0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2])
TOWNS = [
    "澜浦",
    "禾泾",
    "芷塘",
    "霁桥",
    "洛渚",
    "汀荻",
    "蘅岸",
    "渌湾",
    "苇堰",
    "皋霖",
    "汐渡",
    "菱浒",
    "沐垛",
]
ROADS = ["禾风路", "汀兰街", "云帆路", "望泽路", "青荷巷", "启航路", "芦花路", "晨渡街"]

FIRST = "澄禾岚霁汀芷沐蘅澜璟昀珩翎翊隽筠岑苒茗棠"
SECOND = "舟穗帆朵岩霖桐沅葭韵衡樾洲屿峤沚墨栩泓霏"
INDUSTRIES = ["电子制造", "机械汽配", "纺织服装", "食品农产", "医药健康", "日化家居", "电商零售", "跨境电商"]
TRADES = {
    "电子制造": ["电子", "光电", "精密电子"],
    "机械汽配": ["机械", "汽配", "精工"],
    "纺织服装": ["纺织", "服饰", "家纺"],
    "食品农产": ["食品", "农产品", "粮油"],
    "医药健康": ["医药", "医疗器械", "健康用品"],
    "日化家居": ["日化", "家居", "日用品"],
    "电商零售": ["电子商务", "网络零售", "优品商贸"],
    "跨境电商": ["跨境贸易", "进出口", "国际贸易"],
}
SURNAMES = "陆沈顾朱徐钱孙周吴郑王冯陈褚卫蒋韩杨许何吕施张孔曹严华金魏陶姜"
NICKNAMES_A = "青远晨云星暖明安知乐"
NICKNAMES_B = "禾帆舟岚野溪朗宁夏柚"


def company_names(stream, towns, industries):
    """Distinct company names (without the legal form) for customers in the given towns and trades."""
    n = len(towns)
    first, second = stream.order(20), stream.order(20)
    trades = stream.whole(0, 2, n)
    names, seen = [], {}
    for i in range(n):
        town, industry = TOWNS[towns[i]], INDUSTRIES[industries[i]]
        stem = town + industry
        k = seen[stem] = seen.get(stem, -1) + 1  # 同地同业的第几家：换一个字号
        brand = FIRST[first[(k + i) % 20]] + SECOND[second[(k // 20 + k + i // 20) % 20]]
        names.append(f"{town}{brand}{TRADES[industry][trades[i]]}")
    used = {}
    for i, name in enumerate(names):
        again = used[name] = used.get(name, 0) + 1
        if again > 1:
            names[i] = name + "第一二三四五六七八九"[min(again, 9)] + "分公司"
    return names


def phones(numbers):
    """Mobile numbers that cannot exist: 120 and eight digits."""
    return [f"120{n:08d}" for n in np.asarray(numbers).tolist()]


def persons(stream, n):
    """Forms of address: surname with 女士 or 先生."""
    surname, female = stream.whole(0, len(SURNAMES) - 1, n), stream.chance(0.5, n)
    return [
        SURNAMES[s] + ("女士" if f else "先生")
        for s, f in zip(surname.tolist(), female.tolist(), strict=True)
    ]


def nicknames(stream, n):
    """Up to 100 distinct nicknames, as employees use them at work."""
    order = stream.order(100)[:n]
    return [NICKNAMES_A[k // 10] + NICKNAMES_B[k % 10] for k in order.tolist()]
