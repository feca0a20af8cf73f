"""埋下的真相找得回来吗：只用学生拿到的表，用课上教的方法，一项一项去找。

Each function takes the tables as ``crmlib.load`` gives them and the planted truths, and returns what it
estimated and whether that would count as found. ``power`` runs one of them over many seeds.
"""

import numpy as np
import pandas as pd

from autograder.company import channels, frames, tables, truth
from autograder.company.people import staff


def _z(x):
    return (x - x.mean()) / x.std(ddof=0)


def _logit(y, x):
    """Logistic regression: coefficients and p-values by name."""
    import statsmodels.api as sm

    fit = sm.Logit(np.asarray(y, float), sm.add_constant(x)).fit(disp=0)
    return fit.params, fit.pvalues


def _two_shares(a, b):
    """Difference of two shares (lists of 0/1) and its z value."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    error = np.sqrt(a.mean() * (1 - a.mean()) / len(a) + b.mean() * (1 - b.mean()) / len(b))
    return a.mean() - b.mean(), (a.mean() - b.mean()) / max(error, 1e-9)


def churn_table(t) -> pd.DataFrame:
    """Customers at risk on 2025-09-30: five features known then, and whether they left in the quarter."""
    c = t["customers"].set_index("客户编号")
    risk = c[(c["合作开始"] < "2025-01-01") & (c["合作结束"].isna() | (c["合作结束"] > "2025-09-30"))]
    m = t["shipments_month"]
    year = m[(m["月份"] >= "2025-01") & (m["月份"] <= "2025-09")]
    total = year.groupby("客户编号")[["件数", "准时件数"]].sum().reindex(risk.index)
    late = year["月份"] >= "2025-07"
    summer = year[late].groupby("客户编号")["件数"].mean().reindex(risk.index)
    spring = year[~late].groupby("客户编号")["件数"].mean().reindex(risk.index)
    p = t["complaints"]
    open_case = p[
        (p["受理时间"] >= "2025-01-01") & (p["受理时间"] < "2025-10-01") & (p["处理结果"] == "未解决")
    ]
    return pd.DataFrame(
        {
            "complaint": risk.index.isin(open_case["客户编号"]).astype(float),
            "on_time": total["准时件数"] / total["件数"],
            "gap": risk["报价差"],
            "tenure": (pd.Timestamp("2025-09-30") - risk["合作开始"]).dt.days / 365,
            "trend": np.log(summer / spring),
            "left": risk["合作结束"].notna().astype(float),
            "region": risk["区域"],
            "reason": risk["关闭原因"].notna().astype(float),
        }
    )


def churn(t, planted, seed):
    """All five effects of the churn model, each with the right sign and p < 0.05."""
    from sklearn.metrics import roc_auc_score

    d = churn_table(t)
    names = ["complaint", "on_time", "gap", "tenure", "trend"]
    x = pd.DataFrame({n: d[n] if n == "complaint" else _z(d[n]) for n in names})
    beta, p = _logit(d["left"], x)
    truths = [planted[f"churn_{n}"] for n in names]
    log_odds = planted["churn_base"] + (x * truths).sum(axis=1)
    found = {n: bool(p[n] < 0.05 and beta[n] * v > 0) for n, v in zip(names, truths, strict=True)}
    estimate = {n: float(beta[n]) for n in names} | {
        "rate": d["left"].mean(),
        "auc": roc_auc_score(d["left"], log_odds),
        "at_risk": len(d),
        "leak": roc_auc_score(d["left"], d["reason"]),
    }
    return estimate, found | {"leak": estimate["leak"] > 0.99}


def hub(t, planted, seed):
    """Share of late parcels since April 2025, 苏北 against the rest."""
    w = t["waybills"].merge(t["customers"][["客户编号", "区域"]], on="客户编号")
    w = w[w["签收时间"].notna() & (w["揽收时间"] >= "2025-04-01")]
    late = (w["签收时间"] - w["揽收时间"]).dt.total_seconds() > w["承诺时限"] * 3600
    north, rest = late[w["区域"] == "苏北"], late[w["区域"] != "苏北"]
    estimate = {"north": north.mean(), "rest": rest.mean()}
    near = abs(north.mean() - planted["hub_late"]) < 0.02 and abs(rest.mean() - planted["base_late"]) < 0.02
    return estimate, {"near": bool(near), "gap": _two_shares(north, rest)[1] > 3}


def bgnbd_loglik(log_params, x, tx, t):
    """Mean negative log-likelihood of BG/NBD (Fader, Hardie & Lee 2005, eq. 6)."""
    from scipy.special import betaln, gammaln, logsumexp

    r, alpha, a, b = np.exp(log_params)
    common = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    alive = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + t)
    dead = np.where(
        x > 0, betaln(a + 1, b + np.maximum(x, 1) - 1) - betaln(a, b) - (r + x) * np.log(alpha + tx), -np.inf
    )
    return -(common + logsumexp(np.stack([alive, dead]), axis=0)).mean()


def orders(t, planted, seed):
    """The four parameters of BG/NBD; money independent of how often."""
    from scipy.optimize import minimize

    d = (
        t["small_orders"]
        .groupby("寄件人编号")
        .agg(first=("日期", "min"), last=("日期", "max"), n=("日期", "size"), mean=("金额", "mean"))
    )
    x = (d["n"] - 1).to_numpy(float)
    tx = ((d["last"] - d["first"]).dt.days / 7).to_numpy()
    span = ((pd.Timestamp("2026-01-01") - d["first"]).dt.days / 7).to_numpy() - 0.5 / 7
    fit = minimize(bgnbd_loglik, np.log([1, 3, 1, 3]), (x, tx, span), method="L-BFGS-B")
    r, alpha, a, b = np.exp(fit.x)
    estimate = {
        "r": r - planted["orders_r"],
        "alpha": alpha - planted["orders_alpha"],
        "a": a - planted["orders_a"],
        "b": b - planted["orders_b"],
        "money": np.corrcoef(x, np.log(d["mean"]))[0, 1],
    }
    return estimate, {"fit": bool(fit.success), "money": abs(estimate["money"]) < 0.08}


def segments(t, planted, seed):
    """k-means on the portraits: four groups in 2023; three or four in 2025."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score
    from threadpoolctl import threadpool_limits

    score = {}
    for year, d in t["customer_profile"].groupby("年份"):
        x = d[["月均件数", "件均重量", "旺季系数", "退货率", "增值占比"]].copy()
        x[["月均件数", "件均重量"]] = np.log(x[["月均件数", "件均重量"]])
        x = ((x - x.mean()) / x.std(ddof=0)).to_numpy()
        with threadpool_limits(1):  # 这么小的表，多线程反而慢
            score[year] = {
                k: silhouette_score(x, KMeans(k, n_init=4, random_state=1).fit_predict(x))
                for k in (2, 3, 4, 5, 6)
            }
    clear, blurred = score[2023], score[2025]
    best = sorted(blurred, key=blurred.get)[-2:]
    return (
        {"clear4": clear[4], "blurred3": blurred[3], "blurred4": blurred[4]},
        {
            "clear": max(clear, key=clear.get) == 4,
            "blurred": set(best) == {3, 4} and abs(blurred[3] - blurred[4]) < 0.06,
        },
    )


def uplift(t, planted, seed):
    """Who gains from being contacted, who is put off; and that raw response points to the wrong people."""
    d = t["contacts_sent"].merge(t["senders"], on="寄件人编号")
    mail = d[d["活动编号"] == "A2"]
    d = d[d["活动编号"] != "A2"]
    group = np.select(
        [
            (d["退订过短信"] == "是") & (d["用券次数"] == 0),
            (d["用券次数"] >= 1) & (d["下单次数"] <= 9),
            d["下单次数"] >= 6,
        ],
        ["勿扰", "可说服", "必买"],
        "无动于衷",
    )
    yes, treated = d["响应"] == "是", d["组别"] == "触达"
    change = {
        g: _two_shares(yes[treated & (group == g)], yes[~treated & (group == g)]) for g in np.unique(group)
    }
    raw = {g: yes[treated & (group == g)].mean() for g in change}
    opened = mail[mail["打开"].notna()]
    first, second = ((opened["打开"] == "是")[opened["邮件标题"] == s] for s in "甲乙")
    _, z = _two_shares(first, second)
    return (
        {"persuadable": change["可说服"][0], "sleeping": change["勿扰"][0], "subject_z": z},
        {
            "persuadable": change["可说服"][1] > 1.96,
            "sleeping": change["勿扰"][1] < -1.96,
            "misleads": max(raw, key=raw.get) != "可说服",
            "subject": abs(z) < 1.96,
        },
    )


def loyalty(t, planted, seed):
    """Members order more, but not because they are members."""
    import statsmodels.api as sm

    o = t["small_orders"]
    s = t["senders"].set_index("寄件人编号").loc[sorted(o["寄件人编号"].unique())]
    before = o[o["日期"] < "2025-07-01"].groupby("寄件人编号").size().reindex(s.index)
    after = o[o["日期"] >= "2025-07-01"].groupby("寄件人编号").size().reindex(s.index).fillna(0)
    member = (s["会员"] == "是").astype(float)
    naive = after[member == 1].mean() - after[member == 0].mean()
    levels = pd.get_dummies(before.clip(upper=15), drop_first=True).astype(float)  # 按入会前的次数分层
    fit = sm.OLS(
        after,
        sm.add_constant(
            pd.concat([member.rename("member"), levels], axis=1).set_axis(
                ["member", *map(str, levels.columns)], axis=1
            )
        ),
    ).fit(cov_type="HC1")
    z = fit.params["member"] / fit.bse["member"]
    return {"naive": naive, "adjusted": fit.params["member"]}, {"naive": naive > 0.3, "none": abs(z) < 1.96}


def quality(t, planted, seed):
    """The week out of control in 苏南 (u chart) and the lasting shift in 苏中 (p chart)."""
    q = t["quality_week"]
    south = q[q["区域"] == "苏南"].set_index("周")
    rate = south["投诉件"] / south["件数"]
    centre = south["投诉件"].sum() / south["件数"].sum()
    z = (rate - centre) / np.sqrt(centre / south["件数"])
    middle = q[q["区域"] == "苏中"].set_index("周")
    ok, bad = middle["抽检件数"].to_numpy(float), middle["抽检破损"].to_numpy(float)

    def gain(k):
        parts = [(bad[:k].sum(), ok[:k].sum()), (bad[k:].sum(), ok[k:].sum())]
        return sum(b * np.log(b / n) for b, n in parts) - bad.sum() * np.log(bad.sum() / ok.sum())

    week = max(range(4, 49), key=gain) + 1
    return (
        {
            "spike_z": z.max(),
            "shift_error": week - planted["shift_week"],
            "false": int((z.drop(z.idxmax()) > 3).sum()),
        },
        {
            "spike": bool(z.idxmax() == planted["spike_week"] and z.max() > 3),
            "shift": abs(week - planted["shift_week"]) <= 2,
        },
    )


def loss_maker(t, planted, seed):
    """The big customer that loses money."""
    m = t["shipments_month"]
    year = m[m["月份"] >= "2025-01"].groupby("客户编号")[["收入", "成本"]].sum()
    here = t["customers"].set_index("客户编号")["状态"] == "在合作"
    top = year[here.reindex(year.index)].nlargest(20, "收入")
    margin = 1 - top["成本"] / top["收入"]
    rank = int(np.argmin(margin)) + 1
    return (
        {"margin": margin.min() - planted["loss_margin"]},
        {"one": bool((margin < 0).sum() == 1), "rank": rank == planted["loss_rank"]},
    )


def simpson(t, planted, seed):
    """Team 甲 is better at easy calls and at hard ones, and looks worse over all."""
    d = t["calls"].dropna(subset="一次解决")
    d = d[d["坐席"] != _gamer_by_kpi(t["kpi_month"])]
    solved = (d["一次解决"] == "是").groupby([d["班组"], d["难度"]]).mean().unstack()
    total = (d["一次解决"] == "是").groupby(d["班组"]).mean()
    edge = solved.loc["甲组"] - solved.loc["乙组"]
    return (
        {"edge": edge.mean() - planted["team_edge"], "overall": total["甲组"] - total["乙组"]},
        {"reversal": bool((edge > 0).all() and total["甲组"] < total["乙组"])},
    )


def _gamer_by_kpi(kpi):
    """The agent whose calls are short and whose callers ring again."""
    d = kpi.dropna(subset="平均通话秒").groupby("工号")[["平均通话秒", "重复来电率"]].mean().astype(float)
    return (_z(d["重复来电率"]) - _z(d["平均通话秒"])).idxmax()


def gamer(t, planted, seed):
    """The agent who cuts calls short, seen in the monthly figures."""
    world = tables.make_world(seed)
    return {}, {"found": _gamer_by_kpi(t["kpi_month"]) == f"E{world.part(staff)['gamer']:03d}"}


def diversion(t, planted, seed):
    """Outlets that take parcels elsewhere: destination, price and size of the flow together."""
    d = t["channel_flows"].merge(t["distributors"], on="网点编号")
    away = d["揽收城市"] != d["授权城市"]
    total = d.groupby("网点编号")["件数"].sum()
    share = d[away].groupby("网点编号")["件数"].sum().reindex(total.index).fillna(0) / total
    price = d[away].groupby("网点编号")["单价"].mean() / d[~away].groupby("网点编号")["单价"].mean() - 1
    named = set(total.index[(share > 0.12) & (price.reindex(total.index) < -0.06)])
    world = tables.make_world(seed)
    guilty = {f"G{k + 1:02d}" for k in np.nonzero(world.part(channels.outlets)["guilty"])[0]}
    hit = len(named & guilty)
    return ({"precision": hit / max(len(named), 1), "recall": hit / len(guilty)}, {"exact": named == guilty})


def discount(t, planted, seed):
    """2/10: worth offering to slow payers, a gift to quick ones (cost of money 12 % a year)."""
    b = t["invoices"].merge(t["payments"].groupby("账单编号")["回款日期"].max().reset_index(), on="账单编号")
    days = ((b["回款日期"] - b["开票日期"]).dt.days).groupby(b["客户编号"]).mean()
    gain = 0.12 * (days - 10) / 365 - 0.02
    return {"worth": (gain > 0).mean()}, {"both": 0.1 < (gain > 0).mean() < 0.9}


def satisfaction(t, planted, seed):
    """After-sales is the strongest path to overall satisfaction; the silent are the dissatisfied."""
    import statsmodels.api as sm

    d = t["survey_satisfaction"]
    names = ["受理", "揽收", "投递", "售后", "信息", "价格"]
    fit = sm.OLS(
        d["总体满意"].astype(float), sm.add_constant(d[[f"{n}满意" for n in names]].astype(float))
    ).fit()
    beta = fit.params[1:].set_axis(names)
    return (
        {"after_sales": beta["售后"] - planted["path_after_sales"]},
        {"strongest": beta.idxmax() == "售后", "clear": bool(beta["售后"] - beta.drop("售后").max() > 0.08)},
    )


def silence(t, planted, seed):
    """Late parcels and unsolved complaints go with not answering the questionnaire."""
    s = t["survey_sent"].set_index("客户编号")
    m = t["shipments_month"]
    year = (
        m[(m["月份"] >= "2025-01") & (m["月份"] <= "2025-10")].groupby("客户编号")[["件数", "准时件数"]].sum()
    )
    p = t["complaints"]
    p = p[(p["受理时间"] >= "2025-01-01") & (p["受理时间"] < "2025-11-01") & (p["处理结果"] == "未解决")]
    late = (1 - year["准时件数"] / year["件数"]).reindex(s.index)
    x = pd.DataFrame({"late": _z(late), "open": s.index.isin(p["客户编号"]).astype(float)}, index=s.index)
    beta, pv = _logit(s["已答复"] == "是", x)
    return (
        {"late": beta["late"], "open": beta["open"], "rate": (s["已答复"] == "是").mean()},
        {
            "late": bool(beta["late"] < 0 and pv["late"] < 0.05),
            "open": bool(beta["open"] < 0 and pv["open"] < 0.05),
        },
    )


def lead_score(t, planted, seed):
    """Need, money and authority all matter for winning a lead, need most."""
    d = t["leads"]
    x = pd.DataFrame(
        {
            "need": _z(d["需求迫切度"].astype(float)),
            "money": _z(np.log(d["月物流预算"])),
            "authority": d["决策权"].map({"低": 0, "中": 1, "高": 2}).astype(float),
        }
    )
    beta, p = _logit(d["成交"] == "是", x)
    return (
        {n: beta[n] - planted[f"lead_{n}"] for n in x} | {"rate": (d["成交"] == "是").mean()},
        {n: bool(beta[n] > 0 and p[n] < 0.05) for n in x},
    )


def credit(t, planted, seed):
    """Lawsuits, liquidity and past delay tell who will be late."""
    o = t["outcomes_2026q1"].dropna(subset="逾期")
    d = t["credit_files"].merge(o, on="客户编号")
    x = pd.DataFrame(
        {"lawsuits": d["涉诉次数"].astype(float), "current": _z(d["流动比率"]), "past": _z(d["平均拖延天数"])}
    )
    beta, p = _logit(d["逾期"] == "是", x)
    return (
        {n: beta[n] - planted[f"credit_{n}"] for n in x} | {"rate": (d["逾期"] == "是").mean(), "n": len(d)},
        {n: bool(beta[n] * planted[f"credit_{n}"] > 0 and p[n] < 0.05) for n in x},
    )


def process(t, planted, seed):
    """How much faster a claim is after the change."""
    d = t["process_log"].groupby(["版本", "工单编号"]).agg(a=("开始时间", "min"), z=("结束时间", "max"))
    hours = (d["z"] - d["a"]).dt.total_seconds() / 3600
    mean = hours.groupby("版本").mean()
    saving = 1 - mean["改造后"] / mean["改造前"]
    return {"saving": saving - planted["process_saving"]}, {"faster": saving > 0.15}


def kano(t, planted, seed):
    """The Kano class that most answers give each feature."""
    from autograder.company.surveys import KANO

    table = ["QAAAO", "RIIIM", "RIIIM", "RIIIM", "RRRRQ"]
    d, classes = t["survey_satisfaction"], {}
    for feature in KANO:
        pairs = zip(d[f"{feature}_有"], d[f"{feature}_没有"], strict=True)
        classes[feature] = pd.Series([table[a - 1][b - 1] for a, b in pairs]).mode()[0]
    return {}, {"classes": "".join(classes.values()) == "MOAIRA"}


CHECKS = {
    churn: ["customers", "shipments_month", "complaints"],
    hub: ["customers", "waybills"],
    orders: ["small_orders"],
    segments: ["customer_profile"],
    uplift: ["senders", "contacts_sent"],
    loyalty: ["senders", "small_orders"],
    quality: ["quality_week"],
    loss_maker: ["customers", "shipments_month"],
    simpson: ["calls", "kpi_month"],
    gamer: ["kpi_month"],
    diversion: ["channel_flows", "distributors"],
    discount: ["invoices", "payments"],
    satisfaction: ["survey_satisfaction"],
    silence: ["survey_sent", "shipments_month", "complaints"],
    lead_score: ["leads"],
    credit: ["credit_files", "outcomes_2026q1"],
    process: ["process_log"],
    kano: ["survey_satisfaction"],
}


def power(check, seeds, schema):
    """Run one check over many seeds.

    Returns:
        (DataFrame of estimates, one row per seed; {what: share of seeds in which it was found})
    """
    estimates, found = [], []
    for seed in seeds:
        made, _ = tables.make(seed, CHECKS[check])
        t = {name: frames.pandas(frame, schema[name]) for name, frame in made.items()}
        estimate, hit = check(t, truth.draw(seed), seed)
        estimates.append(estimate)
        found.append(hit)
    return pd.DataFrame(estimates, index=list(seeds)), pd.DataFrame(found).mean().to_dict()
