"""我们的数据和公开的真实数字对得上吗：一项一项放在一起看。"""

from dataclasses import dataclass

import numpy as np

from autograder.company import money, surveys, waybills
from autograder.company.customers import make_world
from autograder.company.frames import day, month_of
from autograder.company.service import cases

BLOCKS = 10  # 按日的高峰要多一些运单才看得准，所以用十倍规模来量
POST = "国家邮政局"


@dataclass(frozen=True)
class Target:
    """A published figure, how near ours must come, and where it is from."""

    name: str
    key: str
    value: float
    tolerance: float
    unit: str
    source: str


TARGETS = [
    Target("快递件量增长，2024 年", "growth_2024", 21.5, 2.0, "%", f"{POST}，2024 年（可比口径）"),
    Target("快递件量增长，2025 年", "growth_2025", 13.6, 2.0, "%", f"{POST}，2025 年"),
    Target("每件收入，2023 年", "price_2023", 9.14, 0.30, "元", f"{POST}，2023 年，收入÷件量"),
    Target("每件收入，2024 年", "price_2024", 8.0, 0.30, "元", f"{POST}，2024 年，收入（约数）÷件量"),
    Target("每件收入，2025 年", "price_2025", 7.5, 0.30, "元", f"{POST}，2025 年，收入（约数）÷件量"),
    Target("件量占比：苏南", "share_0", 51.9, 2.0, "%", "江苏省，2024 年（转载，约数）"),
    Target("件量占比：苏中", "share_1", 18.1, 2.0, "%", "江苏省，2024 年（转载，约数）"),
    Target("件量占比：苏北", "share_2", 30.0, 2.0, "%", "江苏省，2024 年（约数）"),
    Target("同城件占比", "local", 7.9, 1.0, "%", f"{POST}，2025 年，157.9÷1989.5"),
    Target("异地件占比", "domestic", 89.9, 1.0, "%", f"{POST}，2025 年，1789.4÷1989.5"),
    Target("国际及港澳台件占比", "abroad", 2.1, 0.6, "%", f"{POST}，2025 年，42.2÷1989.5"),
    Target("二月件量÷一月件量", "trough", 0.58, 0.04, "", "全国，2024 年（春节在 2 月）"),
    Target("11 月 11 日÷平常一天", "peak_2024", 1.51, 0.10, "", f"{POST}，2024 年"),
    Target(
        "秋季旺季平均÷平常一天", "autumn_2025", 1.18, 0.06, "", f"{POST}，2025 年（10 月 21 日—11 月 11 日）"
    ),
    Target("秋季旺季最高一天÷平常一天", "peak_2025", 1.44, 0.10, "", f"{POST}，2025 年"),
    Target("异地件 72 小时送达率", "within_72", 83.95, 3.0, "%", f"{POST}，2024 年时限测试"),
    Target("异地件平均用时", "hours", 53.88, 4.0, "小时", f"{POST}，2024 年时限测试"),
    Target("投诉构成：丢失短少", "mix_0", 36.4, 3.0, "%", f"{POST}，2023 年四季度有效申诉"),
    Target("投诉构成：投递服务", "mix_1", 27.5, 3.0, "%", f"{POST}，2023 年四季度有效申诉"),
    Target("投诉构成：损毁", "mix_2", 18.6, 3.0, "%", f"{POST}，2023 年四季度有效申诉"),
    Target("满意度：受理", "mood_0", 89.5, 2.5, "分", f"{POST}，2023 年公众满意度"),
    Target("满意度：揽收", "mood_1", 88.7, 2.5, "分", f"{POST}，2023 年公众满意度"),
    Target("满意度：投递", "mood_2", 85.3, 2.5, "分", f"{POST}，2023 年公众满意度"),
    Target("满意度：售后", "mood_3", 76.3, 2.5, "分", f"{POST}，2023 年公众满意度"),
    Target("满意度：信息", "mood_4", 84.5, 2.5, "分", f"{POST}，2023 年公众满意度"),
    Target(
        "有过逾期超过 30 天的月结客户",
        "overdue",
        44.0,
        7.0,
        "%",
        "全行业企业付款调查，2024 年：44 % 的企业遇到过逾期",
    ),
    Target(
        "账期（按金额加权），2024 年", "term", 76.0, 12.0, "天", "全行业企业付款调查，2024 年：平均 76 天"
    ),
]


def measure(seed: str, blocks: int = BLOCKS) -> dict:
    """Our figures, by the keys of ``TARGETS``; the churn rate of 2025 too."""
    worlds = [make_world(seed, block) for block in range(blocks)]
    ours = {**_volume(worlds), **_days(worlds), **_complaints(worlds), **_paying(worlds)}
    answers = [surveys.survey_satisfaction(w) for w in worlds]
    for k, aspect in enumerate(surveys.ASPECTS[:5]):
        ours[f"mood_{k}"] = 10 * float(np.concatenate([a[f"{aspect}满意"] for a in answers]).mean())
    ours["churn"] = 100 * float(np.concatenate([w.features["gone"] for w in worlds]).mean())
    return ours


def _volume(worlds):
    express = np.concatenate([w.volume[w.line == 0] for w in worlds])
    income = np.concatenate([w.revenue[w.line == 0] for w in worlds])
    region = np.concatenate([w.region[w.line == 0] for w in worlds])
    year = [slice(12 * k, 12 * k + 12) for k in range(3)]
    total = [express[:, y].sum() for y in year]
    ours = {
        "growth_2024": 100 * (total[1] / total[0] - 1),
        "growth_2025": 100 * (total[2] / total[1] - 1),
        "trough": express[:, 13].sum() / express[:, 12].sum(),
    }
    for k in range(3):
        ours[f"price_{2023 + k}"] = income[:, year[k]].sum() / total[k]
        ours[f"share_{k}"] = 100 * express[region == k][:, year[1]].sum() / total[1]
    return {k: float(v) for k, v in ours.items()}


def _days(worlds):
    made = [waybills.make(w) for w in worlds]
    express = [w.line[a["customer"]] == 0 for w, a in zip(worlds, made, strict=True)]
    a = {
        k: np.concatenate([m[k][e] for m, e in zip(made, express, strict=True)])
        for k in ("pickup", "done", "destination", "trouble")
    }
    days = a["pickup"] // 1440
    counts = np.bincount(days - day(2024, 1, 1), minlength=731)

    def mean(first, last):
        return counts[first - day(2024, 1, 1) : last - day(2024, 1, 1) + 1].mean()

    normal_2024 = mean(day(2024, 9, 1), day(2024, 10, 20))
    normal_2025 = mean(day(2025, 9, 1), day(2025, 10, 20))
    autumn = slice(day(2025, 10, 21) - day(2024, 1, 1), day(2025, 11, 12) - day(2024, 1, 1))
    zone = np.array([d[2] for d in waybills.DESTINATIONS])[a["destination"]]
    this_year = month_of(days) >= 24
    away = (zone > 0) & (zone < 5) & ~this_year & (a["trouble"] != 1)
    hours = (a["done"] - a["pickup"])[away] / 60
    return {
        "peak_2024": float(counts[day(2024, 11, 11) - day(2024, 1, 1)] / normal_2024),
        "autumn_2025": float(counts[autumn].mean() / normal_2025),
        "peak_2025": float(counts[autumn].max() / normal_2025),
        "local": 100 * float((zone[this_year] == 0).mean()),
        "abroad": 100 * float((zone[this_year] == 5).mean()),
        "domestic": 100 * float(((zone > 0) & (zone < 5))[this_year].mean()),
        "within_72": 100 * float((hours <= 72).mean()),
        "hours": float(hours.mean()),
    }


def _complaints(worlds):
    kinds = []
    for w in worlds:
        c = cases(w)
        kinds.append(c["kind"][c["minute"] // 1440 < day(2025, 1, 1)])
    share = np.bincount(np.concatenate(kinds), minlength=6) / sum(map(len, kinds))
    return {f"mix_{k}": 100 * float(share[k]) for k in range(3)}


def _paying(worlds):
    customers, bad, weighted, total = 0, 0, 0.0, 0.0
    for w in worlds:
        a = w.part(money.ledger)
        year = (a["issued"] >= day(2024, 1, 1)) & (a["issued"] <= day(2024, 12, 31))
        settled = np.zeros(len(a["amount"]), np.int64)
        np.maximum.at(settled, a["invoice"], a["when"])
        paid = np.bincount(a["invoice"], a["money"], len(a["amount"]))
        late = (settled - a["due"] > 30) | (paid < a["amount"])
        customers += len(np.unique(a["customer"][year]))
        bad += len(np.unique(a["customer"][year & late]))
        weighted += float(((a["due"] - a["issued"]) * a["amount"])[year].sum())
        total += float(a["amount"][year].sum())
    return {"overdue": 100 * bad / customers, "term": weighted / total}


def page(seed: str) -> str:
    """The calibration page in Markdown: ours beside the published figure."""
    ours = measure(seed)
    lines = [
        "# 校准：我们的数据和真实数字",
        "",
        "公司是虚构的，可它的起伏、结构和快慢照着真实行业来。下面每一行：左边是公开的数字，右边是课程数据里算出来的。",
        f"（由 `crm data` 生成，按 {BLOCKS} 倍规模计算；“允许差”是测试里守住的界限。）",
        "",
        "| 指标 | 公开数字 | 我们的 | 允许差 | 来源和年份 |",
        "|---|---:|---:|---:|---|",
    ]
    for t in TARGETS:
        digits = 2 if t.value < 20 else 1
        unit = f" {t.unit}" if t.unit else ""
        figures = f"{t.value:g}{unit} | {ours[t.key]:.{digits}f}{unit} | ±{t.tolerance:g}"
        lines.append(f"| {t.name} | {figures} | {t.source} |")
    lines += [
        "",
        "## 没有公开数字可比的，是假定",
        "",
        f"- 客户年流失率：没有找到中国快递业公布的数。我们假定每年 12—18 %，这一份是 {ours['churn']:.1f} %。",
        "- 一家公司自己收到的投诉，比邮政管理部门收到的申诉多得多（2023 年各季每百万件 1.5—1.7 起）；"
        "这里只校准构成，不校准多少。",
        "- “逾期”的口径不同：调查问的是企业是否遇到过逾期，我们数的是 2024 年有过超过 30 天逾期的月结客户。",
        "- 江苏的分区占比来自转载，是约数。2024 年起全国快递口径有变，增长率用公布的可比数。",
        "",
    ]
    return "\n".join(lines)
