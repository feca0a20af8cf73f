"""员工、月度绩效、360 度评价。"""

import numpy as np

from autograder.company import names
from autograder.company.customers import SALES
from autograder.company.frames import Coded, Ids, Maybe, day

STAFF = 60
AGENTS = np.arange(19, 49)  # E019 … E048：甲组 15 人，乙组 15 人
DEPARTMENTS = ["销售部", "呼叫中心", "客户关系部", "质控部"]
POSTS = ["销售经理", "客户经理", "客服主管", "坐席", "客户关系专员", "质检员", "总监"]


def staff(w):
    """Department, post and superior of E001 … E060, and two hidden traits."""
    s = w.stream("staff")
    number = np.arange(1, STAFF + 1)
    department = np.select([number <= SALES, number <= 48, number <= 54], [0, 1, 2], 3)
    post = np.select([number <= SALES, number <= 48, number <= 54, number <= 56], [1, 3, 4, 5], 0)
    post[56:] = [0, 2, 5, 6]
    department[56:] = [0, 1, 3, 2]
    boss = np.select([number <= SALES, number <= 48, number <= 54, number <= 56], [57, 58, 60, 59], 60)
    return {
        "number": number,
        "department": department,
        "post": post,
        "boss": boss,
        "ability": s.normal(STAFF),
        "gamer": int(AGENTS[15 + int(s.whole(0, 14))]),
    }


def employees(w) -> dict:
    a, s = w.part(staff), w.stream("employees")
    team = np.where(a["number"] <= 33, 0, 1)
    agent = (a["number"] >= 19) & (a["number"] <= 48)
    hired = day(2025, 1, 1) - np.rint(np.minimum(60 + s.gamma(1.5, STAFF) * 900, 5000)).astype(np.int64)
    return {
        "工号": Ids("E", a["number"], 3),
        "花名": names.nicknames(s, STAFF),
        "部门": Coded(a["department"], DEPARTMENTS),
        "岗位": Coded(a["post"], POSTS),
        "班组": Maybe(Coded(team, ["甲组", "乙组"]), agent),
        "上级": Maybe(Ids("E", a["boss"], 3), a["number"] != 60),
        "入职日期": hired,
    }


def kpi_month(w) -> dict:
    """Twelve months of 2025 by person. One agent keeps calls short, and the callers ring again."""
    a, s = w.part(staff), w.stream("kpi_month")
    month, person = np.divmod(np.arange(12 * STAFF), STAFF)
    agent = (person >= 18) & (person < 48)
    gamer = person == a["gamer"] - 1
    ability = a["ability"][person] + s.normal(720, 0, 0.5)
    base = np.array([40, 950, 60, 120])[a["department"][person]]
    target = np.rint(base * np.array([0.9, 0.85, 1, 1, 1, 1.05, 1, 1, 1.02, 1.05, 1.15, 1.1])[month])
    days = s.whole(19, 23, 720)
    load = target * (0.97 + 0.07 * ability) * days / 21.5 * np.where(gamer, 1.28, 1.0)
    load = np.maximum(np.rint(load), 1).astype(np.int64)
    talk = np.where(gamer, 96, 178) - 6 * ability + s.normal(720, 0, 8)
    repeat = np.clip(np.where(gamer, 0.31, 0.115) - 0.018 * ability + s.normal(720, 0, 0.015), 0.02, 0.6)
    happy = np.clip(4.15 + 0.16 * ability - 0.55 * gamer + s.normal(720, 0, 0.12), 1, 5)
    return {
        "工号": Ids("E", person + 1, 3),
        "月份": 24 + month,
        "出勤天数": days,
        "目标量": target.astype(np.int64),
        "工作量": load,
        "及时率": np.clip(np.rint(1000 * (0.90 + 0.025 * ability) + s.normal(720, 0, 12)), 600, 1000).astype(
            np.int64
        ),
        "差错数": s.poisson(np.exp(0.9 - 0.3 * ability)),
        "被投诉数": s.poisson(np.exp(-0.5 - 0.4 * ability + gamer)),
        "客户评分": np.rint(happy * 100).astype(np.int64),
        "平均通话秒": Maybe(np.rint(np.maximum(talk, 40)).astype(np.int64), agent),
        "重复来电率": Maybe(np.rint(repeat * 1000).astype(np.int64), agent),
    }


RELATIONS = ["自评", "上级", "同级", "下级或协作", "内部客户"]
QUALITIES = ["责任心", "沟通", "专业", "协作", "客户导向"]


def ratings_360(w) -> dict:
    """Ten ratings of each person. Raters differ in leniency; people are kind to themselves."""
    a, s = w.part(staff), w.stream("ratings_360")
    lenient = s.normal(STAFF, 0, 0.35)
    rows = []
    for person in range(STAFF):
        boss = a["boss"][person] - 1 if person != 59 else 56
        mates = np.nonzero(
            (a["department"] == a["department"][person])
            & (np.arange(STAFF) != person)
            & (np.arange(STAFF) != boss)
        )[0]
        others = np.nonzero((a["department"] != a["department"][person]) & (np.arange(STAFF) != boss))[0]
        mates, others = mates[s.order(len(mates))], others[s.order(len(others))]
        peers = min(4, len(mates))
        raters = [person, boss, *mates[:peers], *others[: 8 - peers]]
        kinds = [0, 1, *[2] * peers, *[3] * (6 - peers), 4, 4]
        rows += [(person, int(r), k) for r, k in zip(raters, kinds, strict=True)]
    person, rater, kind = map(np.array, zip(*rows, strict=True))
    m = len(rows)
    level = 3.7 + 0.40 * a["ability"][person] + lenient[rater] + np.where(kind == 0, 0.45, 0)
    scores = {q: np.clip(np.rint(level + s.normal(m, 0, 0.45)), 1, 5).astype(np.int64) for q in QUALITIES}
    return {
        "被评人": Ids("E", person + 1, 3),
        "评分人": Ids("E", rater + 1, 3),
        "关系": Coded(kind, RELATIONS),
        **scores,
    }
