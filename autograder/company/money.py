"""账单、回款、信用档案，和 2026 年一季度的结果。"""

import numpy as np

from autograder.company.customers import CUSTOMERS, MONTHS, SNAPSHOT, sigmoid, zscore
from autograder.company.frames import MONTH_START, Coded, Ids, Maybe, day
from autograder.company.names import INDUSTRIES

INVOICED = 35  # 2025-11 及以前的月份已经开账单
TERMS = np.array([15, 30, 45, 60, 90, 120])
TERM_MIX = np.array(
    [[60, 35, 5, 0, 0, 0], [45, 42, 13, 0, 0, 0], [16, 34, 27, 17, 6, 0], [0, 0, 6, 18, 40, 36]], float
)
APPLICANTS = 60  # 想转月结的现结客户
FAIR_TERMS = day(2025, 6, 1)  # 国务院令第 802 号施行：大型企业付中小企业，账期不超过 60 天
HOLDOUT = day(2026, 3, 31)


def ledger(w):
    """Invoices and payments of the block as arrays."""
    s = w.stream("ledger")
    who = np.nonzero(w.monthly)[0]
    position = np.full(w.n, -1)
    position[who] = np.arange(len(who))
    term = TERMS[s.pick(TERM_MIX[w.size[who]])]
    # 付款习惯：多数人准时，约三成拖延，少数停付
    slow = s.chance(0.26, len(who))
    habit = np.where(slow, 4 + 13 * s.gamma(1.4, len(who)), s.normal(len(who), -4, 4))
    stopped = s.chance(0.030, len(who))
    stop_day = day(2023, 1, 10) + s.whole(0, 1060, len(who))

    month, customer = np.nonzero(w.active[:, :INVOICED].T)
    mine = w.monthly[customer]
    month, customer = month[mine], customer[mine]
    p, m = position[customer], int(mine.sum())
    amount = w.revenue[customer, month]
    extra = np.rint(amount * np.where(s.chance(0.4, m), s.uniform(m, 0.02, 0.08), 0)).astype(np.int64)
    rebate = np.rint(amount * np.where(s.chance(0.3, m), s.uniform(m, 0.005, 0.03), 0)).astype(np.int64)
    issued = MONTH_START[month + 1] + s.whole(1, 5, m) - 1
    days = np.where((issued >= FAIR_TERMS) & (w.size[customer] == 3), np.minimum(term[p], 60), term[p])
    due = issued + days
    worse = np.where(month >= 24, 1.15, 1.0)
    lateness = np.rint(habit[p] * np.where(habit[p] > 0, worse, 1) + 9 * (s.gamma(1.2, m) - 1.0))
    paid = np.maximum(due + lateness.astype(np.int64), issued + 2)
    dispute = s.chance(np.where(slow[p], 0.12, 0.006))  # 有争议的账单，拖几个月
    paid += np.where(dispute, s.whole(40, 240, m), 0)
    paid[stopped[p] & (paid > stop_day[p])] = day(2099, 1, 1)

    # 约 8 % 的账单分两次付，多半是拖延的客户
    split = s.chance(np.where(slow[p], 0.20, 0.03))
    part = np.where(split, np.rint(amount * s.uniform(m, 0.4, 0.7)).astype(np.int64), amount)
    second = paid + s.whole(15, 45, m)
    invoice = np.concatenate([np.arange(m), np.nonzero(split)[0]])
    when = np.concatenate([paid, second[split]])
    money = np.concatenate([part, (amount - part)[split]])
    real = (money > 0) & (when <= HOLDOUT)
    invoice, when, money = invoice[real], when[real], money[real]
    order = np.argsort(when, kind="stable")
    return {
        "who": who,
        "term": term,
        "customer": customer,
        "month": month,
        "amount": amount,
        "extra": extra,
        "rebate": rebate,
        "issued": issued,
        "due": due,
        "invoice": invoice[order],
        "when": when[order],
        "money": money[order],
    }


def _invoice_numbers(w, k):
    return w.block * 20_000 + 1 + k


def invoices(w) -> dict:
    a = w.part(ledger)
    return {
        "账单编号": Ids("B", _invoice_numbers(w, np.arange(len(a["amount"]))), 5),
        "客户编号": w.ids(a["customer"]),
        "月份": a["month"],
        "开票日期": a["issued"],
        "到期日期": a["due"],
        "运费": a["amount"] - a["extra"] + a["rebate"],
        "增值服务费": a["extra"],
        "优惠": a["rebate"],
        "应收": a["amount"],
    }


def payments(w) -> dict:
    """Payments up to the snapshot. A few invoices were paid twice by mistake (logged)."""
    a, s = w.part(ledger), w.stream("payments")
    seen = a["when"] <= SNAPSHOT
    invoice, when, money = a["invoice"][seen], a["when"][seen], a["money"][seen]
    twice = np.nonzero(s.chance(0.0015, len(when)) & (when < SNAPSHOT - 20))[0]
    again = when[twice] + s.whole(1, 15, len(twice))
    invoice = np.concatenate([invoice, invoice[twice]])
    when, money = np.concatenate([when, again]), np.concatenate([money, money[twice]])
    order = np.argsort(when, kind="stable")
    surplus = np.nonzero(order >= len(when) - len(twice))[0]
    number = w.block * 20_000 + 1 + np.arange(len(order))
    w.log.add(
        "重复付款",
        "payments",
        [f"R{n:05d}" for n in number[surplus]],
        "金额",
        ["0"] * len(surplus),
        money[order][surplus],
    )
    return {
        "回款编号": Ids("R", number, 5),
        "账单编号": Ids("B", _invoice_numbers(w, invoice[order]), 5),
        "回款日期": when[order],
        "金额": money[order],
        "方式": Coded(s.choice([62, 22, 16], len(order)), ["转账", "承兑", "支付宝"]),
    }


def standing(w):
    """Credit files: monthly customers with their paying record, and applicants; who was late in 2026."""
    s, a, t = w.stream("credit"), w.part(ledger), w.truth
    cash = np.nonzero(~w.monthly & (w.end > HOLDOUT) & (w.start < day(2025, 7, 1)))[0]
    ask = np.sort(cash[s.order(len(cash))[: w.n * APPLICANTS // CUSTOMERS]])
    who = np.concatenate([a["who"], ask])
    m, known = len(who), len(a["who"])
    # 平均拖延天数：已付账单的回款日减到期日；申请人的由征信报告给出
    seen = a["when"] <= SNAPSHOT
    delay = np.zeros(w.n)
    count = np.zeros(w.n)
    customer = a["customer"][a["invoice"][seen]]
    np.add.at(delay, customer, (a["when"] - a["due"][a["invoice"]])[seen])
    np.add.at(count, customer, 1)
    past = delay[who] / np.maximum(count[who], 1)
    past[known:] = np.where(
        s.chance(0.3, m - known), 4 + 13 * s.gamma(1.4, m - known), s.normal(m - known, -2, 4)
    )
    past = np.rint(past * 10).astype(np.int64)
    lawsuits = s.poisson(0.35, m)
    current = np.rint(100 * np.exp(s.normal(m, 0.35, 0.35))).astype(np.int64)
    log_odds = (
        -1.45
        + t["credit_lawsuits"] * lawsuits
        + t["credit_current"] * zscore(current)
        + t["credit_past"] * zscore(past)
    )
    return {
        "who": who,
        "known": known,
        "past": past,
        "lawsuits": lawsuits,
        "current": current,
        "late": s.chance(sigmoid(log_odds)),
    }


def credit_files(w) -> dict:
    c, a, s = w.part(standing), w.part(ledger), w.stream("credit_files")
    who, m, known = c["who"], len(c["who"]), c["known"]
    yearly = w.revenue[who][:, 24:36].sum(axis=1)
    term = np.concatenate([a["term"], np.full(m - known, 30)])
    limit = np.maximum(np.rint(yearly / 365 * (term + 30) / 1000) * 1000, 2000).astype(np.int64)
    capital = np.maximum(np.rint(np.exp(s.normal(m, 5.2, 0.7) + 0.5 * (w.size[who] - 1)) / 10) * 10, 10)
    return {
        "客户编号": w.ids(who),
        "类别": Coded((np.arange(m) >= known).astype(int), ["月结客户", "申请人"]),
        "行业": Coded(w.industry[who], INDUSTRIES),
        "成立年数": np.maximum((SNAPSHOT - w.start[who]) // 365 + s.whole(1, 9, m), 1),
        "注册资本": capital.astype(np.int64),
        "流动比率": c["current"],
        "资产负债率": np.clip(np.rint(62 - 0.12 * (c["current"] - 140) + s.normal(m, 0, 11)), 12, 97).astype(
            np.int64
        ),
        "涉诉次数": c["lawsuits"],
        "有担保": s.chance(0.3, m),
        "平均拖延天数": c["past"],
        "账期": term,
        "授信额度": Maybe(limit, np.arange(m) < known),
        "申请额度": Maybe(limit, np.arange(m) >= known),
    }


def outcomes_2026q1(w) -> dict:
    """What happened next: volume, who left, who paid. For checking forecasts made on 2025-12-31."""
    c, a, s = w.part(standing), w.part(ledger), w.stream("outcomes")
    here = np.nonzero(w.end > SNAPSHOT)[0]
    held = slice(36, MONTHS)
    in_time = a["when"] <= SNAPSHOT
    paid_before = np.bincount(a["invoice"][in_time], a["money"][in_time], len(a["amount"])).astype(np.int64)
    open_amount = np.where(a["due"] <= HOLDOUT, a["amount"] - paid_before, 0)
    owed = np.bincount(a["customer"], open_amount, w.n).astype(np.int64)
    late = np.zeros(w.n, bool)
    late[c["who"]] = c["late"]
    trial = np.zeros(w.n, bool)
    trial[c["who"][c["known"] :]] = True  # 申请人：一季度试开月结
    owed = np.where(trial, w.revenue[:, 36:38].sum(axis=1), owed)
    filed = np.isin(here, c["who"]) & (owed[here] > 0)
    share = np.where(late[here], s.uniform(len(here), 0.0, 0.7), 1.0)
    return {
        "客户编号": w.ids(here),
        "件数": w.volume[here, held].sum(axis=1),
        "收入": w.revenue[here, held].sum(axis=1),
        "已流失": w.end[here] <= HOLDOUT,
        "到期应收": Maybe(owed[here], filed),
        "按期收回": Maybe(np.rint(owed[here] * share).astype(np.int64), filed),
        "逾期": Maybe(late[here], filed),
    }
