"""埋在数据里的真相：每个种子从写明的范围里抽一组。只给老师看（crm data --truth）。

The ranges are public, the values drawn from a class's seed are not: reading this file tells what kind of
thing is hidden, not how large it is in the tables of one class.
"""

from dataclasses import dataclass

from autograder.company.streams import Stream


@dataclass(frozen=True)
class Planted:
    """One planted truth: the range its value is drawn from, and what it means."""

    low: float
    high: float
    meaning: str
    whole: bool = False


RANGES = {
    # 流失（2025 年 9 月末在合作、2024 年底前开始合作的客户，四季度是否离开）
    "churn_base": Planted(-2.55, -2.35, "流失：截距（各因素取平均值时）"),
    "churn_complaint": Planted(1.05, 1.25, "流失：今年有未解决的投诉"),
    "churn_on_time": Planted(-0.62, -0.50, "流失：今年1—9月准时率，每高一个标准差"),
    "churn_gap": Planted(0.42, 0.50, "流失：我方报价高出同行的百分比，每高一个标准差"),
    "churn_tenure": Planted(-0.46, -0.36, "流失：合作年数，每长一个标准差"),
    "churn_trend": Planted(-0.76, -0.66, "流失：件量走势 ln(7—9月月均÷1—6月月均)，每高一个标准差"),
    # 分拨中心
    "hub_late": Planted(0.230, 0.250, "2025年4月起，苏北晚点件占比"),
    "base_late": Planted(0.114, 0.126, "其他时间和地区，晚点件占比"),
    # 散客下单（BG/NBD，单位：周）和每单金额（Gamma-Gamma）
    "orders_r": Planted(0.82, 0.98, "散客下单率的伽马分布：形状 r"),
    "orders_alpha": Planted(2.7, 3.3, "散客下单率的伽马分布：尺度 alpha（周）"),
    "orders_a": Planted(0.72, 0.88, "散客流失概率的贝塔分布：a"),
    "orders_b": Planted(3.1, 3.9, "散客流失概率的贝塔分布：b"),
    "spend_p": Planted(5.6, 7.0, "每单金额的 Gamma-Gamma：p"),
    "spend_q": Planted(3.6, 4.4, "每单金额的 Gamma-Gamma：q"),
    "spend_mean": Planted(16.0, 22.0, "每单平均金额（元）"),
    # 营销
    "uplift_persuadable": Planted(0.11, 0.14, "可说服的人：触达后响应率变化"),
    "uplift_sleeping": Planted(-0.12, -0.095, "勿扰的人：触达后响应率变化"),
    "loyalty_effect": Planted(0.0, 0.0, "入会对下单的真实作用（入会的人本来就下单多）"),
    "subject_effect": Planted(0.0, 0.0, "邮件标题 A/B 对打开率的真实作用"),
    # 满意度
    "path_after_sales": Planted(0.40, 0.48, "总体满意对售后满意的系数（最大的一条）"),
    "path_delivery": Planted(0.18, 0.24, "总体满意对投递满意的系数"),
    "path_information": Planted(0.10, 0.16, "总体满意对信息满意的系数"),
    "silence": Planted(0.75, 0.95, "越不满越不回卷：满意每高一个标准差，答复的对数几率变化"),
    # 质量控制图
    "shift_week": Planted(28, 32, "苏中破损率从哪一周起变高（2025年第几周）", whole=True),
    "shift_size": Planted(1.65, 1.90, "苏中破损率变为原来的几倍"),
    "spike_week": Planted(9, 20, "苏南投诉率单周异常在哪一周", whole=True),
    "spike_size": Planted(1.90, 2.20, "苏南那一周的投诉率是平时的几倍"),
    # 客户与渠道
    "loss_rank": Planted(3, 8, "收入排名前几的大客户里，第几名其实亏损", whole=True),
    "loss_margin": Planted(-0.09, -0.05, "那家大客户的毛利率"),
    "diverters": Planted(3, 3, "窜货的加盟网点个数", whole=True),
    "divert_share": Planted(0.26, 0.38, "窜货网点：区外件占比"),
    "divert_discount": Planted(0.12, 0.18, "窜货网点：区外件单价低多少"),
    # 呼叫中心
    "team_edge": Planted(0.07, 0.10, "同样难度下，甲组一次解决率比乙组高多少"),
    "team_hard": Planted(0.66, 0.76, "甲组来电里疑难件的占比（乙组正好相反）"),
    # 线索与信用
    "lead_need": Planted(0.80, 1.00, "线索转化：需求迫切度每高一个标准差"),
    "lead_money": Planted(0.40, 0.55, "线索转化：预算每高一个标准差"),
    "lead_authority": Planted(0.45, 0.60, "线索转化：联系人决策权每高一级"),
    "credit_lawsuits": Planted(0.95, 1.15, "逾期：涉诉次数每多一件"),
    "credit_current": Planted(-0.85, -0.65, "逾期：流动比率每高一个标准差"),
    "credit_past": Planted(0.60, 0.80, "逾期：过去付款拖延天数每高一个标准差"),
    # 流程
    "process_saving": Planted(0.28, 0.38, "理赔流程改造后，平均用时减少的比例"),
}

Truth = dict


def draw(seed: str) -> Truth:
    """The truths planted in the tables of this seed: ``{name: value}``."""
    stream = Stream(seed, "truth")
    values = {}
    for name, planted in RANGES.items():
        u = stream.uniform()
        if planted.whole:
            values[name] = int(planted.low + int(u * (planted.high - planted.low + 1)))
        else:
            values[name] = round(planted.low + u * (planted.high - planted.low), 4)
    return values


def report(seed: str) -> str:
    """The truths of a seed as a table for the teacher."""
    values = draw(seed)
    lines = [f"种子“{seed}”里埋的真相（只给老师看）", ""]
    for name, planted in RANGES.items():
        low, high = planted.low, planted.high
        span = "固定" if low == high else f"{low:g}～{high:g}"
        lines.append(f"{values[name]:>9g}  {planted.meaning}（范围 {span}）")
    return "\n".join(lines)
