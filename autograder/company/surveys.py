"""调查：满意度问卷（谁收到、谁答了、怎么答的）和市场调查。"""

import numpy as np

from autograder.company import names
from autograder.company.customers import SIZES, SNAPSHOT, zscore
from autograder.company.frames import Coded, Ids, day
from autograder.company.service import TOUCHPOINTS

SENT = 1_000
ITEMS = 22
DIMENSION = np.repeat(np.arange(5), [4, 5, 4, 4, 5])  # 有形性、可靠性、响应性、保证性、移情性
REVERSED = (7, 14)  # 感受 07、14 是反着问的
ASPECTS = ["受理", "揽收", "投递", "售后", "信息", "价格"]
# 公众满意度（国家邮政局，2023 年）：受理 89.5、揽收 88.7、投递 85.3、售后 76.3、信息 84.5
ASPECT_MEAN = np.array([8.95, 8.87, 8.53, 7.63, 8.45, 7.90])
CCSI = [("品牌形象", 3), ("预期质量", 3), ("感知质量", 3), ("感知价值", 2), ("满意", 3), ("忠诚", 2)]
KANO = ["准时送达", "全程轨迹", "免费上门取退", "生日祝福短信", "推销电话", "环保包装"]
# 每项功能的（有、没有）最常见的一对回答：1 喜欢 2 理应如此 3 无所谓 4 能忍受 5 不喜欢
KANO_PAIR = np.array([(2, 5), (1, 5), (1, 3), (3, 3), (5, 3), (1, 4)])
REMARKS = [
    ["客服电话有时要等", "下单页面不好找"],
    ["希望周末也能上门取件", "取件时间能不能再准一点"],
    ["送货前先打个电话", "派送员换得太勤，每次都要重新说路"],
    ["理赔太慢，催了三次", "破损赔付的标准说不清", "出了问题没人主动联系我们"],
    ["轨迹更新慢", "异常件没有提前通知"],
    ["比别家贵一点", "续约时希望价格有商量"],
]


def mailing(w):
    """Who got the questionnaire in November 2025 and who answered: the dissatisfied keep silent."""
    s, t = w.stream("survey_sent"), w.truth
    alive = np.nonzero((w.end > SNAPSHOT) & (w.start < day(2025, 7, 1)))[0]
    who = np.sort(alive[s.order(len(alive))[:SENT]])
    late = w.late[who][:, 24:34].sum(axis=1) / np.maximum(w.volume[who][:, 24:34].sum(axis=1), 1)
    mine = (w.complaint_month >= 24) & (w.complaint_month < 34) & ~w.complaint_solved
    unsolved = np.bincount(w.complaint_customer[mine], minlength=w.n)[who] > 0
    mood = zscore(-0.60 * zscore(late) - 0.45 * zscore(unsolved.astype(float)) + s.normal(len(who), 0, 0.66))
    log_odds = -0.40 + t["silence"] * mood
    answered = s.chance(1 / (1 + np.exp(-log_odds)))
    return {"who": who, "mood": mood, "answered": answered}


def survey_sent(w) -> dict:
    a, s = w.part(mailing), w.stream("survey_sent.table")
    m = len(a["who"])
    return {
        "客户编号": w.ids(a["who"]),
        "寄出日期": day(2025, 11, 17) + s.whole(0, 4, m),
        "方式": Coded(s.choice([55, 30, 15], m), ["微信", "邮件", "电话"]),
        "已答复": a["answered"],
    }


def _scale(x, low, high):
    return np.clip(np.rint(x), low, high).astype(np.int64)


def survey_satisfaction(w) -> dict:
    """The answered questionnaires, careless answers and codes for 'no answer' left in."""
    s, t, a = w.stream("survey_satisfaction"), w.truth, w.part(mailing)
    who, mood = a["who"][a["answered"]], a["mood"][a["answered"]]
    m = len(who)
    mood = mood - mood.mean()

    # SERVQUAL 22 对：五个维度，各有自己的起伏
    dimension = 0.55 * mood[:, None] + 0.70 * s.normal((m, 5))
    expect = _scale(6.15 + 0.35 * s.normal(m)[:, None] + 0.55 * s.normal((m, ITEMS)), 1, 7)
    level = np.array([5.5, 5.0, 4.9, 5.3, 4.8])[DIMENSION]
    perceive = _scale(level + 0.95 * dimension[:, DIMENSION] + 0.60 * s.normal((m, ITEMS)), 1, 7)

    # 六个方面 1—10 分，总体满意由它们决定，售后最重
    aspect = 0.62 * mood[:, None] + 0.90 * s.normal((m, 6))
    scores = _scale(ASPECT_MEAN + np.array([0.17, 0.15, 0.07, -0.04, 0.04, 0.0]) + 1.05 * aspect, 1, 10)
    path = np.array([0.05, 0.08, t["path_delivery"], t["path_after_sales"], t["path_information"], 0.09])
    overall = 8.1 + (path * (scores - ASPECT_MEAN)).sum(axis=1) + 0.45 * s.normal(m)
    values = 0.55 * (scores[:, 5] - 7.9) + 0.4 * s.normal(m)
    loyal = 0.7 * (overall - 8.1) + 0.3 * values + 0.5 * s.normal(m)
    factors = [
        0.5 * mood + 0.6 * s.normal(m),
        0.25 * mood + 0.7 * s.normal(m),
        0.8 * aspect.mean(axis=1) + 0.4 * s.normal(m),
        values,
        overall - 8.1,
        loyal,
    ]
    heart = np.array([8.0, 8.3, 7.9, 7.4, 7.8, 7.6])
    ccsi = {
        f"{name}{k + 1}": _scale(heart[j] + 1.1 * factors[j] + 0.7 * s.normal(m), 1, 10)
        for j, (name, count) in enumerate(CCSI)
        for k in range(count)
    }

    kano = {}
    for j, feature in enumerate(KANO):
        for side, word in enumerate(("有", "没有")):
            usual = s.chance(0.80, m)
            kano[f"{feature}_{word}"] = np.where(usual, KANO_PAIR[j, side], s.whole(1, 5, m))
    feeling = np.array([0.9, 1.2, 0.5, 0.8, -0.9, 0.2])
    points = {
        f"触点_{p}": _scale(feeling[k] + 0.6 * mood + 0.9 * s.normal(m), -3, 3)
        for k, p in enumerate(TOUCHPOINTS)
    }

    seconds = np.maximum(np.rint(np.exp(s.normal(m, 6.25, 0.35))), 150).astype(np.int64)
    perceive, expect, seconds = _careless(w, s, perceive, expect, seconds)
    weakest = np.argmin(scores - ASPECT_MEAN + 0.5 * s.normal((m, 6)), axis=1)
    spoke, pick = s.chance(0.55, m), s.uniform(m)
    remarks = [
        REMARKS[k][int(u * len(REMARKS[k]))] if said else ""
        for k, u, said in zip(weakest.tolist(), pick.tolist(), spoke.tolist(), strict=True)
    ]
    return {
        "问卷编号": Ids("WJ", 1 + np.arange(m), 3),
        "客户编号": w.ids(who),
        "填答秒数": seconds,
        **{f"期望{k + 1:02d}": expect[:, k] for k in range(ITEMS)},
        **{f"感受{k + 1:02d}": perceive[:, k] for k in range(ITEMS)},
        **{f"{name}满意": scores[:, k] for k, name in enumerate(ASPECTS)},
        "总体满意": _scale(overall, 1, 10),
        **ccsi,
        **kano,
        **points,
        "推荐意愿": _scale(overall + 0.35 * s.normal(m) - 0.2, 0, 10),
        "再次使用": _scale(4.0 + 0.55 * loyal + 0.4 * s.normal(m), 1, 5),
        "意见": remarks,
    }


def _careless(w, s, perceive, expect, seconds):
    m = len(seconds)
    perceive = perceive.copy()
    key = [f"WJ{n:03d}" for n in range(1, m + 1)]
    missed = s.chance(0.035, m)
    for k in REVERSED:
        right = 8 - perceive[:, k - 1]
        wrong = np.nonzero(missed)[0]
        w.log.add(
            "反向题未反",
            "survey_satisfaction",
            [key[i] for i in wrong],
            f"感受{k:02d}",
            right[wrong],
            perceive[wrong, k - 1],
        )
        perceive[:, k - 1] = np.where(missed, perceive[:, k - 1], right)
    lazy = np.nonzero(s.chance(0.045, m) & ~missed)[0]
    same = s.whole(3, 7, len(lazy))
    w.log.add(
        "直线作答",
        "survey_satisfaction",
        [key[i] for i in lazy],
        "期望01—感受22",
        ["认真作答"] * len(lazy),
        same,
    )
    expect[lazy], perceive[lazy] = same[:, None], same[:, None]
    seconds[lazy] = s.whole(28, 75, len(lazy))
    for block, heading in ((expect, "期望"), (perceive, "感受")):
        blank = s.chance(0.012, block.shape)
        blank[lazy] = False
        block[blank] = -99
        for k in range(ITEMS):
            rows = np.nonzero(blank[:, k])[0]
            w.log.add(
                "代码-99",
                "survey_satisfaction",
                [key[i] for i in rows],
                f"{heading}{k + 1:02d}",
                [""] * len(rows),
                ["-99"] * len(rows),
            )
    return perceive, expect, seconds


CARES = ["价格", "时效", "安全", "服务", "网点"]
CARE_MIX = np.array(
    [  # 行业 × 最看重什么
        [14, 40, 26, 14, 6],
        [18, 36, 26, 14, 6],
        [34, 24, 12, 16, 14],
        [24, 38, 18, 10, 10],
        [8, 30, 44, 14, 4],
        [30, 24, 18, 16, 12],
        [46, 20, 8, 12, 14],
        [28, 26, 20, 16, 10],
    ],
    float,
)
PROVIDERS = ["苏畅", "淮穗快运", "吴漪速递", "澄舟物流", "其他"]


def survey_market(w) -> dict:
    """400 firms asked about logistics: what they care for, what they pay, would they change."""
    s, m = w.stream("survey_market"), 400
    industry, region = s.choice([18, 15, 12, 12, 9, 12, 16, 6], m), s.choice([50, 20, 30], m)
    care, size = s.pick(CARE_MIX[industry]), s.choice([34, 36, 22, 8], m)
    provider = s.pick(
        np.array([[16, 2, 34, 22, 26], [16, 14, 16, 12, 42], [18, 36, 8, 6, 32]], float)[region]
    )
    happy = np.clip(np.rint(s.normal(m, 3.5, 0.9)), 1, 5).astype(np.int64)
    spend = np.maximum(np.rint(np.exp(s.normal(m, 0.0, 0.6) + 0.75 * size) * 10), 2).astype(np.int64)
    price = np.exp(s.normal(m, 1.95, 0.22) - 0.10 * (care == 0) + 0.08 * (care == 1))
    steps = np.stack([price * 0.62, price * 0.85, price * 1.12, price * 1.38]) * np.exp(
        s.normal((4, m), 0, 0.05)
    )
    steps = np.sort(np.rint(steps * 10), axis=0).astype(np.int64)
    wish = np.clip(np.rint(3.0 - 0.65 * (happy - 3.5) + 0.35 * (care == 1) + s.normal(m, 0, 0.8)), 1, 5)
    return {
        "受访编号": Ids("MK", 1 + np.arange(m), 3),
        "区域": Coded(region, names.REGIONS),
        "行业": Coded(industry, names.INDUSTRIES),
        "规模": Coded(size, SIZES),
        "现用物流商": Coded(provider, PROVIDERS),
        "月物流费": spend,
        "最看重": Coded(care, CARES),
        "对现状满意": happy,
        "换一家意愿": wish.astype(np.int64),
        "太便宜": steps[0],
        "便宜": steps[1],
        "贵": steps[2],
        "太贵": steps[3],
        "需要冷链": s.chance(np.where((industry == 3) | (industry == 4), 0.55, 0.05)),
        "需要代管库存": s.chance(np.array([0.42, 0.36, 0.18, 0.2, 0.3, 0.22, 0.34, 0.3])[industry]),
        "需要快递柜": s.chance(np.array([0.05, 0.05, 0.18, 0.12, 0.1, 0.2, 0.48, 0.22])[industry]),
        "需要全程可视": s.chance(np.array([0.62, 0.55, 0.35, 0.4, 0.66, 0.3, 0.42, 0.6])[industry]),
    }
