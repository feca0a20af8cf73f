"""客户和他们三年多的月度往来：全公司的故事从这里开始。

One block is 1,500 customers with everything that hangs on them. A company of scale s is s blocks; each is
made from its own streams, so blocks can be made alone, anywhere, in any order, and come out the same.

The order of causes, year by year: volume and on-time rate of January to September → complaints → in the
fourth quarter, when next year's price is talked over, some customers leave (the planted churn model) → the
rest go on. In April 2025 the hub in 苏北 is changed; lateness there doubles, and churn follows.
"""

from dataclasses import dataclass, field

import numpy as np

from autograder.company import names
from autograder.company.frames import MONTH_START, Coded, Ids, Maybe, day
from autograder.company.mess import Log
from autograder.company.streams import Stream
from autograder.company.truth import Truth, draw

CUSTOMERS = 1_500  # 一块有多少客户
MONTHS = 39  # 2023-01 … 2026-03；最后三个月是留出来检验的
SNAPSHOT = day(2025, 12, 31)
HUB_CHANGE = 27  # 2025-04
LINES = ["快递", "合同物流"]
SIZES = ["微型", "小型", "中型", "大型"]
ROLES = ["发货方", "收货方", "代理商"]
SOURCES = ["转介绍", "上门开发", "电话开发", "网络", "展会", "招投标"]
REASONS = ["价格", "服务质量", "业务萎缩", "转投同行", "搬迁停业"]
SALES = 18  # 销售员工 E001 … E018
REGION_SELLERS = np.array([[0, 8], [9, 12], [13, 17]])

# 每年的水平与价格（一块，1500 家客户）；前三季度按它定，四季度再加旺季、减流失。
# 2025 年收入约 2.6 亿元，快递、合同物流各一半；
# 快递件量的增长取全国可比口径（2024 年 +21.5 %，2025 年 +13.6 %）。
PARCELS = np.array([12.73e6, 15.46e6, 17.20e6, 18.9e6])
PARCEL_PRICE = np.array([9.10, 7.90, 7.40, 7.20])
ORDERS = np.array([0.737e6, 0.774e6, 0.797e6, 0.845e6])
ORDER_PRICE = np.array([168.0, 163.0, 160.0, 159.0])
# 月度起伏：春节在 2023 年 1 月、2024 年 2 月、2025 年 1 月末、2026 年 2 月
SEASON = np.array(
    [
        0.74,
        0.88,
        1.00,
        0.97,
        1.01,
        1.05,
        0.97,
        0.97,
        1.01,
        1.06,
        1.22,
        1.12,
        1.01,
        0.586,
        0.99,
        0.97,
        1.01,
        1.05,
        0.98,
        0.99,
        1.03,
        1.08,
        1.22,
        1.12,
        0.86,
        0.83,
        1.00,
        0.98,
        1.02,
        1.06,
        0.99,
        1.00,
        1.04,
        1.13,
        1.28,
        1.16,
        0.98,
        0.62,
        1.00,
    ]
)
# 江苏 2024 年件量：苏南 51.9 %、苏中 18.1 %、苏北约 30 %
REGION_SHARE = np.array([0.519, 0.181, 0.300])
# 每年流失水平（对数几率）：2023、2024 年低于 2025 年
CHURN_YEAR = (-0.60, -0.45, 0.0)

CONTRACT_SHARE = np.array([0.60, 0.60, 0.30, 0.40, 0.50, 0.35, 0.06, 0.15])
INDUSTRY_MIX = np.array(
    [[24, 18, 8, 6, 10, 10, 16, 8], [12, 16, 20, 10, 12, 12, 13, 5], [8, 14, 12, 24, 8, 12, 18, 4]], float
)
CITY_MIX = [np.array([38, 24, 16, 16, 6.0]), np.array([46, 26, 28.0]), np.array([28, 18, 24, 16, 14.0])]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def logit(p):
    return np.log(p / (1 - p))


def zscore(x):
    return (x - x.mean()) / x.std()


@dataclass
class World:
    """One block of customers as arrays; all tables of the block are read off it."""

    seed: str
    block: int
    truth: Truth
    n: int
    log: Log = field(default_factory=Log)
    city: np.ndarray = None  # 0 … 12
    region: np.ndarray = None  # 0 苏南, 1 苏中, 2 苏北
    industry: np.ndarray = None
    line: np.ndarray = None  # 0 快递, 1 合同物流
    size: np.ndarray = None
    start: np.ndarray = None  # 合作开始（天）
    end: np.ndarray = None  # 合作结束（天）；还在合作的是一个很大的数
    gap: np.ndarray = None  # 我方报价高出同行，千分之几
    monthly: np.ndarray = None  # 月结
    seller: np.ndarray = None  # 客户经理 1 … 18
    volume: np.ndarray = None  # n × 39 件（票）
    late: np.ndarray = None  # 其中晚点
    late_rate: np.ndarray = None  # 晚点的概率
    revenue: np.ndarray = None  # 元
    cost: np.ndarray = None  # 元
    complaint_customer: np.ndarray = None
    complaint_month: np.ndarray = None
    complaint_solved: np.ndarray = None
    features: dict = None  # 2025 年流失模型的五个因素（在合作的客户）
    loss_maker: int = -1
    parts: dict = field(default_factory=dict)

    def stream(self, name):
        return Stream(self.seed, name, self.block)

    def part(self, make):
        """What ``make(self)`` gives, made once: tables that hang together share such a part."""
        if make not in self.parts:
            self.parts[make] = make(self)
        return self.parts[make]

    @property
    def first(self):
        """Number of the block's first customer, less one."""
        return self.block * self.n

    def ids(self, where):
        """Customer identifiers for positions in the block."""
        return Ids("C", self.first + 1 + np.asarray(where), 4)

    def labels(self):
        """All customer identifiers of the block, spelt out."""
        return [f"C{self.first + 1 + i:04d}" for i in range(self.n)]

    @property
    def active(self):
        """n × 39: did the customer do business in the month?"""
        return self.volume > 0


FOREVER = day(2099, 1, 1)


def make_world(seed: str, block: int = 0, customers: int = CUSTOMERS, truth: Truth | None = None) -> World:
    """Make one block of customers and their months.

    Args:
        seed: any text.
        block: 0, 1, …
        customers: customers in a block (tests use fewer).
        truth: planted truths; drawn from the seed unless given.
    """
    w = World(seed, block, truth or draw(seed), customers)
    _who(w)
    latent = _latent(w)
    _months(w, latent)
    _money(w, latent)
    return w


def _who(w):
    s, n = w.stream("customers"), w.n
    w.region = s.choice([50, 20, 30], n)
    first_city = np.array([0, 5, 8])
    w.city = np.zeros(n, np.int64)
    for region in range(3):
        here = w.region == region
        w.city[here] = first_city[region] + s.choice(CITY_MIX[region], int(here.sum()))
    w.industry = s.pick(INDUSTRY_MIX[w.region])
    w.line = s.chance(CONTRACT_SHARE[w.industry]).astype(np.int64)
    # 四批客户：2023 年前、2023、2024、2025 年开始合作
    batch = s.choice([772, 86, 86, 56], n)
    years_before = np.minimum(0.1 + 2.3 * s.gamma(1.6, n), 9.0)
    old = day(2023, 1, 1) - (years_before * 365).astype(np.int64)
    year_start = np.array([0, day(2023, 1, 5), day(2024, 1, 5), day(2025, 1, 5)])
    fresh = year_start[batch] + s.whole(0, 340, n)
    w.start = np.where(batch == 0, old, np.where(batch == 3, np.minimum(fresh, day(2025, 11, 20)), fresh))
    w.end = np.full(n, FOREVER)
    w.gap = np.rint(s.normal(n, 25, 60)).astype(np.int64)
    span = REGION_SELLERS[w.region]
    w.seller = 1 + np.floor(span[:, 0] + s.uniform(n) * (span[:, 1] - span[:, 0] + 1)).astype(np.int64)


def _latent(w):
    """What moves a customer's months but stands in no table."""
    s, n = w.stream("latent"), w.n
    base = s.normal(n, 0, 1.25).clip(-2.6, 3.0)
    for region in range(3):  # 各区域件量占比按真实的江苏来，不让几个大户左右
        for line in range(2):
            here = (w.region == region) & (w.line == line)
            if here.any():
                total = np.exp(base[here]).sum()
                base[here] += np.log(REGION_SHARE[region] * n / total)
    w.size = np.searchsorted([-0.9, 0.6, 1.7], base + s.normal(n, 0, 0.5))
    w.monthly = np.zeros(n, bool)
    wish = base + 0.8 * w.line + s.normal(n, 0, 0.8)
    w.monthly[np.argsort(-wish, kind="stable")[: n * 380 // 1500]] = True
    growth = s.normal(n, 0, 0.10)
    turn = s.normal(n, 0, 0.22)  # 2025 年年中起的转折
    months = np.arange(MONTHS)
    ramp = np.clip((months - 28) / 3, 0, 1)
    level = base[:, None] + growth[:, None] * (months - 24) / 12 + turn[:, None] * ramp
    level = level + s.normal((n, MONTHS), 0, 0.11)
    return {
        "volume": np.exp(level) * SEASON,
        "base": base,
        "late": s.normal(n, 0, 0.42)[:, None] + s.normal((n, MONTHS), 0, 0.10),
        "price": s.normal(n, 0, 0.10) - 0.05 * base,
        "margin": s.normal(n, 0, 1.0),
    }


def _months(w, latent):
    s, t, n = w.stream("months"), w.truth, w.n
    first, last = MONTH_START[:-1][:MONTHS], MONTH_START[1:][:MONTHS]
    w.volume = np.zeros((n, MONTHS), np.int64)
    w.late = np.zeros((n, MONTHS), np.int64)
    w.late_rate = np.zeros((n, MONTHS))
    w.complaint_customer = w.complaint_month = np.zeros(0, np.int64)
    w.complaint_solved = np.zeros(0, bool)
    share = np.clip((last - w.start[:, None]) / (last - first), 0, 1)  # 开始的那个月只算一部分
    for year in range(4):
        months = range(12 * year, min(12 * year + 12, MONTHS))
        early = np.array(months[:9])
        x = latent["volume"][:, months] * share[:, months]
        x[w.end < first[months[0]]] = 0
        for line, totals in enumerate((PARCELS, ORDERS)):
            here = w.line == line
            weight = SEASON[early].sum() / SEASON[12:24].sum()
            x[here] *= totals[year] * n / CUSTOMERS * weight / x[here][:, : len(early)].sum()
        _fill(w, s, early, x[:, : len(early)], latent, t)
        if year < 3:
            _complain(w, s, early, year)
            _leave(w, s, year, t)
            late_months = np.array(months[9:])
            stay = np.clip(
                (np.minimum(w.end[:, None], last[late_months]) - first[late_months])
                / (last - first)[late_months],
                0,
                1,
            )
            _fill(w, s, late_months, x[:, 9:] * stay, latent, t)
            _complain(w, s, late_months, year)


def _fill(w, s, months, x, latent, t):
    """Volume, lateness rate and late parcels of some months."""
    volume = np.where(x > 0, np.maximum(np.rint(x), 1), 0).astype(np.int64)
    w.volume[:, months] = volume
    target = np.where((w.region[:, None] == 2) & (months >= HUB_CHANGE), t["hub_late"], t["base_late"])
    rate = sigmoid(logit(target) + latent["late"][:, months])
    for changed in (False, True):
        span = (months >= HUB_CHANGE) == changed
        if not span.any():
            continue
        for region in range(3):
            for line in range(2):  # 晚点占比在每个区域、每条业务线上都正好是埋下的那个数
                cells = np.ix_((w.region == region) & (w.line == line), span)
                parcels = volume[cells].sum()
                if parcels:
                    wanted = target[cells][0, 0]
                    rate[cells] *= wanted * parcels / (rate[cells] * volume[cells]).sum()
    rate = np.clip(rate, 0.005, 0.85)
    w.late_rate[:, months] = rate
    w.late[:, months] = s.binomial(volume, rate)


def _complain(w, s, months, year):
    volume = w.volume[:, months]
    heat = volume**0.40 * (w.late_rate[:, months] / 0.12) ** 0.7
    typical = (0.0425 * (1 + 0.14 * year)) / np.where(w.line, 5.6, 14.0)  # 每月约 0.05 起
    counts = s.poisson(heat * typical[:, None])
    customer, month = np.nonzero(counts)
    repeat = counts[customer, month]
    customer, month = np.repeat(customer, repeat), np.repeat(months[month], repeat)
    solved = ~s.chance(0.33 if year == 2 else 0.18, len(customer))
    w.complaint_customer = np.concatenate([w.complaint_customer, customer])
    w.complaint_month = np.concatenate([w.complaint_month, month])
    w.complaint_solved = np.concatenate([w.complaint_solved, solved])


def at_risk(w, year):
    """Positions of the customers whose fourth quarter of the year is at stake."""
    eve = day(2023 + year, 1, 1)
    return np.nonzero((w.start < eve) & (w.end > day(2023 + year, 9, 30)))[0]


def _features(w, year, who):
    months = np.arange(12 * year, 12 * year + 9)
    open_case = np.zeros(w.n, bool)
    mine = np.isin(w.complaint_month, months) & ~w.complaint_solved
    open_case[w.complaint_customer[mine]] = True
    volume = w.volume[who][:, months]
    on_time = 1 - w.late[who][:, months].sum(axis=1) / np.maximum(volume.sum(axis=1), 1)
    trend = np.log((volume[:, 6:].mean(axis=1) + 1e-9) / (volume[:, :6].mean(axis=1) + 1e-9))
    tenure = (day(2023 + year, 9, 30) - w.start[who]) / 365
    return {
        "complaint": open_case[who].astype(float),
        "on_time": on_time,
        "gap": w.gap[who] / 10,
        "tenure": tenure,
        "trend": trend,
    }


def _leave(w, s, year, t):
    who = at_risk(w, year)
    if len(who) < 2:
        return
    x = _features(w, year, who)
    log_odds = (
        t["churn_base"]
        + CHURN_YEAR[year]
        + t["churn_complaint"] * x["complaint"]
        + t["churn_on_time"] * zscore(x["on_time"])
        + t["churn_gap"] * zscore(x["gap"])
        + t["churn_tenure"] * zscore(x["tenure"])
        + t["churn_trend"] * zscore(x["trend"])
    )
    gone = s.chance(sigmoid(log_odds))
    w.end[who[gone]] = day(2023 + year, 10, 8) + s.whole(0, 52, int(gone.sum()))
    if year == 2:
        w.features = {"who": who, "gone": gone, "risk": sigmoid(log_odds), **x}
        # 2026 年一季度（留出检验）：剩下的人里还有一小部分离开
        later = ~gone & s.chance(sigmoid(log_odds) / 4)
        w.end[who[later]] = day(2026, 1, 5) + s.whole(0, 80, int(later.sum()))


def _money(w, latent):
    s, t, n = w.stream("money"), w.truth, w.n
    # 2026 年一季度离开的客户，离开后不再发货
    first, last = MONTH_START[:-1][:MONTHS], MONTH_START[1:][:MONTHS]
    held = np.arange(36, MONTHS)
    stay = np.clip((w.end[:, None] - first[held]) / (last - first)[held], 0, 1)
    w.volume[:, held] = np.rint(w.volume[:, held] * stay).astype(np.int64)
    w.late[:, held] = np.minimum(w.late[:, held], w.volume[:, held])
    years = np.minimum(np.arange(MONTHS) // 12, 3)
    drift = 1 - 0.004 * (np.arange(MONTHS) % 12)  # 年内也在慢慢降价
    price = np.exp(latent["price"])[:, None] * drift
    for line, levels in enumerate((PARCEL_PRICE, ORDER_PRICE)):
        here = w.line == line
        for year in range(4):
            cells = np.ix_(here, years == year)
            parcels = w.volume[cells].sum()
            if parcels:
                price[cells] *= levels[year] * parcels / (price[cells] * w.volume[cells]).sum()
    w.revenue = np.rint(w.volume * price).astype(np.int64)
    margin = np.where(w.line, 0.14, 0.10) - 0.03 * (w.region == 2) + 0.06 * latent["margin"]
    turnover = np.where(w.end > SNAPSHOT, w.revenue[:, 24:36].sum(axis=1), 0)
    ranking = np.argsort(-turnover, kind="stable")
    top = ranking[:20]
    margin[top] = np.maximum(margin[top], 0.055)
    if w.block == 0 and n > 20:
        w.loss_maker = int(ranking[t["loss_rank"] - 1])
        margin[w.loss_maker] = t["loss_margin"]
    squeeze = -0.010 * years  # 价格战：毛利一年比一年薄
    squeeze = np.where(np.arange(n)[:, None] == w.loss_maker, 0.0, squeeze)
    noise = np.exp(s.normal((n, MONTHS), 0, 0.02))
    w.cost = np.rint(w.revenue * (1 - margin[:, None] - squeeze) * noise).astype(np.int64)


# ── 表 ──────────────────────────────────────────────────────────────────────────────────────


def customers(w) -> dict:
    s, n = w.stream("customers.table"), w.n
    gone = w.end <= SNAPSHOT
    stems = names.company_names(w.stream("customers.names"), w.city, w.industry)
    spend = w.revenue[:, 24:33].sum(axis=1) / 9 * 12
    share = np.clip(s.beta(2.2, 2.6, n), 0.08, 0.97)
    consent = s.chance(0.72, n)
    return {
        "客户编号": w.ids(np.arange(n)),
        "客户名称": [stem + "有限公司" for stem in stems],
        "区域": Coded(w.region, names.REGIONS),
        "城市": Coded(w.city, names.CITIES),
        "行业": Coded(w.industry, names.INDUSTRIES),
        "规模": Coded(w.size, SIZES),
        "客户角色": Coded(s.choice([84, 8, 8], n), ROLES),
        "业务线": Coded(w.line, LINES),
        "来源": Coded(s.choice([28, 24, 14, 16, 8, 10], n), SOURCES),
        "合作开始": w.start,
        "合作结束": Maybe(np.minimum(w.end, SNAPSHOT), gone),
        "状态": Coded(gone.astype(int), ["在合作", "已流失"]),
        "关闭原因": Maybe(Coded(_reasons(w, s), REASONS), gone),
        "付款方式": Coded(w.monthly.astype(int), ["现结", "月结"]),
        "报价差": w.gap,
        "年物流支出": np.maximum(np.rint(spend / share / 1000), 1).astype(np.int64),
        "客户经理": Ids("E", w.seller, 3),
        "营销同意": consent,
        "同意日期": Maybe(np.maximum(w.start, day(2021, 11, 1)) + s.whole(0, 40, n), consent),
    }


def _reasons(w, s):
    """Why they left, as the account manager wrote it down afterwards."""
    open_case = np.zeros(w.n)
    np.add.at(open_case, w.complaint_customer[~w.complaint_solved], 1)
    late = (w.late.sum(axis=1) + 1) / (w.volume.sum(axis=1) + 8)
    weights = np.stack(
        [
            np.exp(w.gap / 60),
            np.exp(6 * (late - 0.13)) * (1 + open_case),
            np.full(w.n, 0.9),
            np.full(w.n, 1.0),
            np.full(w.n, 0.35),
        ],
        axis=1,
    )
    return s.pick(weights)


def contacts(w) -> dict:
    s = w.stream("contacts")
    more = 1 + s.chance(np.where(w.size >= 2, 0.45, 0.12)).astype(int)
    customer = np.repeat(np.arange(w.n), more)
    m = len(customer)
    role = s.pick(np.where((w.size[customer] >= 2)[:, None], [20, 25, 20, 15, 20], [45, 15, 15, 10, 15]))
    number = w.first * 2 + 1 + np.arange(m)
    return {
        "联系人编号": Ids("L", number, 4),
        "客户编号": w.ids(customer),
        "称呼": names.persons(s, m),
        "职务": Coded(role, ["总经理", "采购主管", "物流主管", "行政", "仓库主管"]),
        "采购角色": Coded(role, ["决策者", "采购者", "影响者", "把关者", "使用者"]),
        "手机": names.phones(number + 1000),
        "首选联系": Coded(s.choice([45, 40, 15], m), ["电话", "微信", "邮件"]),
        "同意联系": s.chance(0.8, m),
    }


def contracts(w) -> dict:
    """The yearly contract that came up last, of contract logistics and the larger express customers."""
    s = w.stream("contracts")
    wanted = np.nonzero((w.line == 1) | (w.size == 3))[0]
    who = np.sort(wanted[s.order(len(wanted))[: w.n * 420 // 1500]])
    m = len(who)
    gone = w.end[who] <= SNAPSHOT
    elapsed = (np.where(gone, w.end[who], SNAPSHOT) - w.start[who]) // 365
    years = np.where(gone, elapsed, np.maximum(elapsed - 1, 0))
    begin = w.start[who] + years * 365
    expiry = np.where(gone, w.end[who], begin + 364)
    status = np.where(gone, 1, np.where(expiry <= SNAPSHOT, 0, 2))
    months = (w.volume[who][:, 24:36] > 0).sum(axis=1)
    typical = w.volume[who][:, 24:36].sum(axis=1) / np.maximum(months, 1)
    volume = np.maximum(np.rint(typical * 12 * s.uniform(m, 0.8, 1.1)), 12).astype(np.int64)
    total, parcels = w.revenue[who].sum(axis=1), np.maximum(w.volume[who].sum(axis=1), 1)
    return {
        "合同编号": Ids("K", w.block * (w.n * 420 // 1500) + 1 + np.arange(m), 4),
        "客户编号": w.ids(who),
        "首次签约": w.start[who],
        "本期起": np.minimum(begin, expiry),
        "本期止": expiry,
        "已续签次数": years,
        "承诺年件量": volume,
        "合同单价": np.rint(total / parcels * 100).astype(np.int64),
        "准时承诺": s.choice([3, 4, 3], m) * 20 + 900,
        "续签结果": Coded(status, ["已续签", "未续签", "未到期"]),
    }


def shipments_month(w) -> dict:
    """Month by customer, January 2023 to December 2025."""
    month, customer = np.nonzero(w.active[:, :36].T)
    return {
        "客户编号": w.ids(customer),
        "月份": month,
        "件数": w.volume[customer, month],
        "准时件数": (w.volume - w.late)[customer, month],
        "收入": w.revenue[customer, month],
        "成本": w.cost[customer, month],
    }
