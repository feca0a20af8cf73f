"""一种题型至少一道的样题：题目测试、控件测试、截图都用它。"""

CARDS = {
    "c01": {"text": "苏北分拨中心改线后，苏北件晚点的占 24%，其他地区占 12%", "note": "苏畅运单系统，2025 年 4—12 月"},
    "c02": {"text": "新条例施行：大型企业向中小企业付款，没有另外约定的，60 天内付清",
            "note": "国务院令第 802 号《保障中小企业款项支付条例》"},
    "c03": {"text": "澄舟物流撤出昆山 A 厂的厂内物流，A 厂正在找新的物流商", "note": "A 厂采购部来函"},
    "c04": {"text": "柴油涨价：2026 年 1 月起，签约油站每升上调 0.4 元", "note": "签约油站书面通知"},
    "c12": {"text": "2023 年末，江苏 60 岁及以上的常住老人占 24.5%", "note": "《江苏省老龄事业发展报告（2024）》"},
    "c13": {"text": "新一代视觉分拣线：每万件分错的从 8 件降到 2 件", "note": "设备商现场演示，苏畅两人在场"},
    "c15": {"text": "2025 年全国快递收入约 1.5 万亿元，只增长 6.5%，比件量慢",
            "note": "国家邮政局，2025 年邮政行业运行情况"},
    "c16": {"text": "国家邮政局召集快递企业开会，要求依法治理“内卷式”竞争", "note": "国家邮政局，快递企业座谈会"},
    "c18": {"text": "昆山两个小区问了 312 户，65% 更愿意送到家门口", "note": "苏畅市场部入户调查"},
    "c19": {"text": "物流园充电桩：夜里充电，电价是白天的一半", "note": "昆山物流园通知"},
    "c22": {"text": "修订后的《快递暂行条例》施行，新增“快递包装”一章", "note": "国务院，《快递暂行条例》（2025 年修订）"},
    "c24": {"text": "2024 年，全行业用上了近千辆无人车、300 多架无人机",
            "note": "国家邮政局，2025 年全国邮政工作会议"},
    "c30": {"text": "昆山三所职校的物流毕业生，愿意上夜班分拣的不到一成", "note": "校企座谈问卷，206 人"},
    "c32": {"text": "《快递市场管理办法》施行：没经用户同意，不得放快递柜或驿站",
            "note": "交通运输部，《快递市场管理办法》"},
    "c37": {"text": "2025 年网上卖实物 13.1 万亿元，增长 5.2%，其中吃的增长 14.5%",
            "note": "国家统计局，2025 年社会消费品零售总额"},
    "c38": {"text": "《个人信息保护法》施行：用别人的个人信息，要有合法理由",
            "note": "全国人大常委会，《个人信息保护法》"},
}

POLL = {
    "id": "2.2-0", "kind": "choose", "use": "practice", "title": "先猜一个",
    "prompt": "300 万元，你会投给哪个方案？现在只凭感觉。",
    "options": {"a": "修好苏北分拨中心", "b": "苏南降价，抢电商件", "c": "进 A 厂做厂内物流", "d": "换 20 辆电动短驳车"},
}

ONE = {
    "id": "2.2-1", "kind": "choose", "use": "practice", "title": "机会还是优势", "points": 1,
    "prompt": "“A 厂正在找新的物流商。”对苏畅来说，这是 SWOT 里的哪一格？",
    "options": {"s": "优势 S：公司自己的长处", "w": "劣势 W：公司自己的短处", "o": "机会 O：外面来的好事",
                "t": "威胁 T：外面来的坏事"},
    "key": ["o"], "explain": "A 厂换不换物流商，苏畅管不着，所以是**外部**；对苏畅有利，所以是**机会**。",
    "review": "“内部还是外部”那张图",
    "mistakes": [{"name": "把外部的好事当优势", "when": ["s"],
                  "hint": "好事没错。可这件事是苏畅自己的，还是外面发生的？"}],
}

MANY = {
    "id": "2.2-2", "kind": "choose", "use": "practice", "title": "哪些是宏观环境", "points": 2, "many": True,
    "prompt": "下面哪些属于**宏观环境**？问一句：\n\n- 换一家物流公司，这件事还在吗？\n- 还在，就是宏观环境。",
    "options": {"a": "柴油涨价", "b": "淮穗快运上门拉客户", "c": "江苏的老人越来越多", "d": "客服平均 18 分钟回复"},
    "key": ["a", "c"], "explain": "油价、人口，哪家公司都躲不开。",
    "mistakes": [{"name": "把对手当宏观", "when": ["a", "b", "c"], "hint": "淮穗是冲着谁的客户来的？"}],
}

SORT = {
    "id": "2.2-3", "kind": "classify", "use": "practice", "title": "PEST：把 16 张证据卡放进四个格子", "points": 4,
    "prompt": "每张卡片只说一件事。先看它**说的是什么**，再放进格子。",
    "bins": {"P": "政治法律 P", "E": "经济 E", "S": "社会文化 S", "T": "技术 T"},
    "cards": CARDS,
    "key": {"c01": "T", "c02": "P", "c03": "E", "c04": "E", "c12": "S", "c13": "T", "c15": "E", "c16": "P", "c18": "S",
            "c19": ["E", "T"], "c22": "P", "c24": "T", "c30": "S", "c32": "P", "c37": ["E", "S"], "c38": "P"},
    "review": "“四个字母各问什么”那张表",
    "explain": "法规和监管看 **P**；价格、收入、需求看 **E**；人口、习惯、就业看 **S**；新设备、新办法看 **T**。",
    "mistakes": [
        {"name": "行业开会当经济", "when": {"c16": "E"}, "hint": "开会的是谁？**国家邮政局**要求“依法”治理，这是政府在管。"},
        {"name": "油价当政策", "when": {"c04": "P"}, "hint": "柴油每升贵了 0.4 元，说的是**价格**。"},
    ],
}

TABLE = {
    "id": "2.2-4", "kind": "form", "use": "practice", "title": "内部因素评价表（IFE）", "points": 4,
    "prompt": "给每个因素定**权重**（加起来等于 1）和**评分**（1–4 分），再算加权得分。",
    "columns": [
        {"id": "side", "title": "优势还是劣势", "type": "choose", "options": {"S": "优势", "W": "劣势"}, "width": 8},
        {"id": "weight", "title": "权重", "type": "number", "min": 0, "max": 1},
        {"id": "rating", "title": "评分", "type": "number", "min": 1, "max": 4, "unit": "分"},
        {"id": "score", "title": "加权得分", "type": "number"},
        {"id": "why", "title": "为什么这样打分", "type": "long", "optional": True},
    ],
    "rows": [
        {"id": "van", "title": "每晚 9 点的自营班车"},
        {"id": "staff", "title": "苏北快递员熟路、熟客户"},
        {"id": "late", "title": "苏北件晚点的占 24%", "side": "W"},
        {"id": "debt", "title": "客户拖欠运费 860 万元", "side": "W"},
    ],
    "show": [{"label": "权重合计", "sum_of": "weight"}, {"label": "IFE 总分", "sum_of": "weight * rating"}],
    "rules": [
        {"name": "四格都填", "rule": "required", "columns": ["side", "weight", "rating", "score"], "share": 0.1,
         "hint": "每行都要填满。"},
        {"name": "权重合计为 1", "rule": "sum", "column": "weight", "equals": 1, "share": 0.3,
         "hint": "权重加起来要等于 1。看表下面的“权重合计”。"},
        {"name": "得分算对", "rule": "computed", "column": "score", "formula": "weight * rating", "share": 0.3,
         "hint": "加权得分 = 权重 × 评分。"},
        {"name": "优势打 3–4 分", "rule": "range", "column": "rating", "min": 3, "max": 4, "rows": ["van", "staff"],
         "hint": "优势打 3 分或 4 分。"},
        {"name": "劣势打 1–2 分", "rule": "range", "column": "rating", "min": 1, "max": 2, "rows": ["late", "debt"],
         "hint": "劣势打 1 分或 2 分。"},
        {"name": "分清优势", "rule": "equals", "cells": {"van": {"side": "S"}, "staff": {"side": "S"}},
         "hint": "班车和快递员是苏畅自己的长处。"},
    ],
    "key": {
        "van": {"side": "S", "weight": 0.3, "rating": 4, "score": 1.2},
        "staff": {"side": "S", "weight": 0.2, "rating": 3, "score": 0.6},
        "late": {"weight": 0.3, "rating": 1, "score": 0.3},
        "debt": {"weight": 0.2, "rating": 2, "score": 0.4},
    },
    "mistakes": [{"name": "给劣势打高分", "when": {"late": {"rating": 4, "score": 1.2}},
                  "hint": "晚点是短处，打 4 分就成了最大的长处。"}],
    "explain": "权重说这件事**多重要**，评分说苏畅**做得多好**。",
}

PLAN = {
    "id": "2.2-5", "kind": "form", "use": "practice", "title": "写策略，每条都要有证据", "points": 3,
    "prompt": "每行写一条策略，再选**至少两张**证据卡。",
    "columns": [
        {"id": "what", "title": "策略", "type": "long"},
        {"id": "cards", "title": "证据", "type": "cards", "cards": CARDS, "width": "45%"},
    ],
    "rows": {"min": 1, "max": 4},
    "rules": [
        {"name": "每条两张卡", "rule": "cites", "column": "cards", "at_least": 2, "hint": "每条策略至少要有两张证据卡。"},
        {"name": "写清楚", "rule": "length", "column": "what", "min": 8, "max": 80,
         "hint": "一条策略写 8–80 个字：谁，做什么。"},
        {"name": "不重复", "rule": "unique", "column": "what", "hint": "有两条策略写得一样。"},
    ],
    "key": {"r1": {"what": "夜里用低价电充电，换 20 辆电动短驳车", "cards": ["c04", "c19"]}},
    "mistakes": [{"name": "只有一张卡", "when": {"r1": {"cards": ["c04"]}}, "hint": "一张卡撑不住一条策略，再找一张。"}],
}

WRITE = {
    "id": "2.2-6", "kind": "write", "use": "practice", "title": "用三句话说服经理", "points": 3,
    "prompt": "300 万元投给哪里？写出**选什么、凭什么、怕什么**。", "min": 30, "max": 200,
    "must": [{"any": ["因为", "证据", "%"], "hint": "还没有写凭什么：用上一张卡片里的数字。"}],
    "rubric": [
        {"criterion": "选定一个方案", "points": 1, "levels": ["没有选", "选了，但有两可的话", "明确选了一个"]},
        {"criterion": "用证据支持", "points": 1, "levels": ["没有证据", "有证据，没说出处", "有证据，有出处"]},
        {"criterion": "说出风险", "points": 1, "levels": ["没有", "提到了", "提到了，还说了怎么办"]},
    ],
    "key": "选甲：先修好苏北分拨中心。因为苏北件晚点的占 24%，是其他地区的两倍，丢掉的 132 家客户里有 71 家在苏北。"
           "怕的是修好了客户也不回来，所以先修最挤的一段，三个月后看晚点率再投下一笔。",
}

CODE = {
    "id": "2.2-7", "kind": "code", "use": "practice", "title": "用代码算 IFE 总分", "points": 2,
    "prompt": "表 `t` 有“权重”和“评分”两列。算出加权总分，存进 `ife`。",
    "names": {"ife": "内部因素总分", "rows": "一共几个因素"},
    "starter": 'ife = (t["权重"] * t["评分"]).sum()\nrows = len(t)',
    "solution": "ife = 2.5\nrows = 4",
    "key": {"ife": 2.5, "rows": 4}, "tolerance": {"abs": 0.01}, "shares": {"ife": 0.5, "rows": 0.5},
    "mistakes": [{"name": "没乘权重", "when": {"ife": 10}, "hint": "10 是评分直接加起来。每个评分要先乘权重。"}],
}

GRADED_SORT = {
    "id": "2.2-g1", "kind": "classify", "use": "graded", "title": "内部还是外部", "points": 3,
    "prompt": "把卡片放进两个格子。", "bins": {"in": "内部", "out": "外部"},
    "cards": {c: CARDS[c] for c in ("c01", "c03", "c04", "c18")},
    "key": {"c01": "in", "c03": "out", "c04": "out", "c18": "out"},
    "mistakes": [{"name": "油价当内部", "when": {"c04": "in"}, "hint": "油价是公司能定的吗？"}],
    "explain": "公司自己管得了的是内部。",
}

GRADED_TABLE = {**TABLE, "id": "2.2-g2", "use": "graded", "title": "外部因素评价表"}
GRADED_WRITE = {**WRITE, "id": "2.2-g3", "use": "graded", "title": "给经理的一段话"}

TASKS = [POLL, ONE, MANY, SORT, TABLE, PLAN, WRITE, CODE, GRADED_SORT, GRADED_TABLE, GRADED_WRITE]
SCORED = [t for t in TASKS if "key" in t]
