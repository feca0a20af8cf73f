"""核对一份数据：合不合数据字典，表和表之间对不对得上。脏数据记录里写明的除外。"""

import pandas as pd

from autograder.company.callcentre import WEEK
from autograder.company.customers import SNAPSHOT
from autograder.company.frames import EPOCH

TODAY = pd.Timestamp(EPOCH) + pd.Timedelta(days=SNAPSHOT)


def against_dictionary(tables: dict, schema: dict) -> pd.DataFrame:
    """Hold tables against the data dictionary with pandera.

    Args:
        tables: ``{name: DataFrame}``; tables that others refer to must be there too.

    Returns:
        DataFrame 表, 主键, 列, 问题, 值: one row per offending cell.
    """
    found = []
    for name, table in tables.items():
        entry = schema[name]
        found += [
            (name, key, column, fault, value) for key, column, fault, value in _failures(table, entry, tables)
        ]
    return pd.DataFrame(found, columns=["表", "主键", "列", "问题", "值"])


def pandera_schema(entry, tables):
    """The dictionary's entry of one table as a pandera schema."""
    import pandera.pandas as pa

    columns = {}
    for heading, spec in entry["columns"].items():
        kind, checks = spec["type"], []
        if "min" in spec:
            checks.append(pa.Check.ge(spec["min"]))
        if "max" in spec:
            checks.append(pa.Check.le(spec["max"]))
        if "values" in spec:
            checks.append(pa.Check.isin(spec["values"]))
        if kind == "flag":
            checks.append(pa.Check.isin(["是", "否"]))
        if kind == "month":
            checks.append(pa.Check.str_matches(r"^\d{4}-(0[1-9]|1[0-2])$"))
        if "pattern" in spec:
            checks.append(pa.Check.str_matches(f"^{spec['pattern']}$"))
        if "ref" in spec:
            other, target = spec["ref"].split(".")
            checks.append(pa.Check.isin(set(tables[other][target])))
        dtype = {"whole": "Int64" if spec.get("empty") else "int64", "number": "float64"}.get(kind)
        columns[heading] = pa.Column(dtype, checks, nullable=spec.get("empty", False))
    return pa.DataFrameSchema(columns, strict=True, ordered=True, unique=entry["key"])


def _failures(table, entry, tables):
    from pandera.errors import SchemaErrors

    try:
        pandera_schema(entry, tables).validate(table, lazy=True)
    except SchemaErrors as fault:
        cases = fault.failure_cases
        for place, heading, fault_name, value in zip(
            cases["index"], cases["column"], cases["check"], cases["failure_case"], strict=True
        ):
            key = "" if pd.isna(place) else "/".join(map(str, table.loc[place, entry["key"]]))
            yield key, heading, str(fault_name), value


def _both(a, b):
    return a.notna() == b.notna()


def against_each_other(t: dict) -> dict:
    """Rules that tie the tables together.

    Returns:
        {rule: keys of the rows that break it}
    """
    broken = {}

    def rule(name, keys, good):
        broken[name] = list(keys[~good.to_numpy()])

    c = t["customers"].set_index("客户编号")
    rule("合作先开始后结束", c.index, c["合作结束"].isna() | (c["合作结束"] >= c["合作开始"]))
    rule(
        "流失的才有结束日期和原因",
        c.index,
        (c["状态"] == "已流失").eq(c["合作结束"].notna()) & _both(c["合作结束"], c["关闭原因"]),
    )
    m = t["shipments_month"]
    rule("准时件数不多于件数", m["客户编号"], m["准时件数"] <= m["件数"])
    start, end = m["客户编号"].map(c["合作开始"]), m["客户编号"].map(c["合作结束"]).fillna(TODAY)
    rule(
        "只在合作期间发货",
        m["客户编号"],
        (m["月份"] >= start.dt.strftime("%Y-%m")) & (m["月份"] <= end.dt.strftime("%Y-%m")),
    )

    w = t["waybills"]
    rule("先揽收后签收", w["运单号"], w["签收时间"].isna() | (w["签收时间"] >= w["揽收时间"]))
    rule("丢失的没有签收", w["运单号"], w["签收时间"].isna() == (w["异常"] == "丢失"))
    cells = set(zip(m["客户编号"], m["月份"], strict=True))
    month = w["揽收时间"].dt.strftime("%Y-%m")
    rule(
        "有运单的月份有发货",
        w["运单号"],
        pd.Series([k in cells for k in zip(w["客户编号"], month, strict=True)])
        | ~w["客户编号"].isin(c.index),
    )

    p, linked = t["complaints"], t["complaints"].dropna(subset="运单号")
    bill = w.set_index("运单号").loc[linked["运单号"]].reset_index()
    rule(
        "投诉的运单是同一家客户的",
        linked["投诉编号"],
        (bill["客户编号"] == linked["客户编号"].to_numpy()) | ~bill["客户编号"].isin(c.index),
    )
    rule("揽收以后才有投诉", linked["投诉编号"], bill["揽收时间"] <= linked["受理时间"].to_numpy())
    rule("先受理后结案", p["投诉编号"], p["结案时间"].isna() | (p["结案时间"] > p["受理时间"]))
    rule(
        "赔付不超过损失或运费",
        p["投诉编号"],
        (p["赔付金额"] <= p[["实际损失"]].max(axis=1)) | (p["类型"] == "延误"),
    )
    v = t["service_events"]
    rule(
        "服务事件在合作期间",
        v["事件编号"],
        (v["日期"] >= v["客户编号"].map(c["合作开始"]))
        & (v["日期"] <= v["客户编号"].map(c["合作结束"]).fillna(TODAY)),
    )

    b = t["invoices"].set_index("账单编号")
    rule("应收＝运费＋增值－优惠", b.index, b["应收"] == b["运费"] + b["增值服务费"] - b["优惠"])
    income = m.set_index(["客户编号", "月份"])["收入"]
    rule(
        "应收＝当月收入",
        b.index,
        b["应收"] == income.loc[pd.MultiIndex.from_frame(b[["客户编号", "月份"]])].to_numpy(),
    )
    rule("月底以后开票", b.index, b["开票日期"].dt.strftime("%Y-%m") > b["月份"])
    rule("先开票后到期", b.index, b["到期日期"] > b["开票日期"])
    r = t["payments"]
    rule(
        "开票以后才回款",
        r["回款编号"],
        (r["回款日期"] >= r["账单编号"].map(b["开票日期"])) & (r["回款日期"] <= TODAY),
    )
    total = r.groupby("账单编号")["金额"].transform("sum")
    rule("回款不超过应收", r["回款编号"], total <= r["账单编号"].map(b["应收"]))
    o = t["outcomes_2026q1"]
    rule("结果表只有在合作的客户", o["客户编号"], o["客户编号"].map(c["状态"]) == "在合作")
    f = t["credit_files"]
    rule(
        "月结客户才有授信额度",
        f["客户编号"],
        (f["客户编号"].map(c["付款方式"]) == "月结") == f["授信额度"].notna(),
    )
    if "visits" in t:
        _single_rules(t, c, rule)
    return {name: keys for name, keys in broken.items() if keys}


def _single_rules(t, c, rule):
    n = t["visits"]
    rule("往来记录对一方", n["记录编号"], n["客户编号"].notna() != n["线索编号"].notna())
    rule(
        "承诺成套",
        n["记录编号"],
        _both(n["承诺"], n["承诺日期"]) & (n["完成日期"].isna() | n["承诺"].notna()),
    )
    rule(
        "承诺在往来之后",
        n["记录编号"],
        (n["承诺日期"].isna() | (n["承诺日期"] >= n["日期"]))
        & (n["完成日期"].isna() | (n["完成日期"] >= n["日期"])),
    )
    born = n["线索编号"].map(t["leads"].set_index("线索编号")["登记日期"])
    rule("登记以后才拜访线索", n["记录编号"], born.isna() | (n["日期"] >= born))
    d = t["deals"]
    inside = (d["成交单价"] >= d["我方底价"]) & (d["成交单价"] <= d["对方最高价"])
    rule("成交价在双方底价之间", d["洽谈编号"], d["成交单价"].isna() | inside)
    rule("成交的才有成交价", d["洽谈编号"], d["成交单价"].notna() == (d["成交"] == "是"))

    s = t["senders"].set_index("寄件人编号")
    order = t["small_orders"]
    rule(
        "首单日期是第一单",
        order["寄件人编号"],
        order.groupby("寄件人编号")["日期"].transform("min") == order["寄件人编号"].map(s["首单日期"]),
    )
    points = t["loyalty_ledger"]
    rule("积分不透支", points["流水号"], points.groupby("寄件人编号")["积分"].cumsum() >= 0)
    rule("会员才有积分", points["流水号"], points["寄件人编号"].map(s["会员"]) == "是")
    sent = t["contacts_sent"]
    mail = (sent["活动编号"] == "A2") & (sent["组别"] == "触达")
    rule(
        "收到邮件的才有标题",
        sent["寄件人编号"],
        (sent["邮件标题"].notna() == mail) & (sent["打开"].notna() == mail),
    )
    rule(
        "没同意的不联系",
        sent["活动编号"] + "/" + sent["寄件人编号"],
        (sent["组别"] == "对照") | (sent["寄件人编号"].map(s["营销同意"]) == "是"),
    )

    call, half = t["calls"], t["call_intervals"]
    rule("接通的才有坐席", call["通话编号"], call["坐席"].isna() == (call["放弃"] == "是"))
    week = half[(half["日期"] - pd.Timestamp(EPOCH)).dt.days.between(WEEK, WEEK + 6)].copy()
    label = call["来电时间"].dt.strftime("%Y-%m-%d ") + call["来电时间"].dt.floor("30min").dt.strftime(
        "%H:%M"
    )
    counted = (week["日期"].dt.strftime("%Y-%m-%d ") + week["时段"]).map(label.value_counts()).fillna(0)
    rule("逐通来电合计＝半小时话务", week["时段"], counted == week["来电量"])
    rule("话务不为负", half["时段"], half["20秒内接通"] + half["放弃量"] <= half["来电量"])
    busy = call.dropna(subset="坐席").copy()
    busy["起"] = busy["来电时间"].dt.floor("min") + pd.to_timedelta(busy["排队秒"], "s")
    busy["止"] = busy["起"] + pd.to_timedelta(busy["通话秒"] + busy["后处理秒"], "s")
    busy = busy.sort_values(["坐席", "通话编号"])  # 先来先接
    before = busy.groupby("坐席")["止"].shift()
    # 来电时间只记到分，允许差一分钟
    rule(
        "坐席不同时接两通",
        busy["通话编号"],
        before.isna() | (before <= busy["起"] + pd.Timedelta(seconds=62)),
    )
    team = busy["坐席"].map(t["employees"].set_index("工号")["班组"])
    rule("坐席在自己的班组", busy["通话编号"], team == busy["班组"])

    log = t["process_log"]
    earlier = log.groupby("工单编号")["结束时间"].shift()
    rule(
        "流程一步接一步",
        log["工单编号"],
        (log["结束时间"] > log["开始时间"]) & (earlier.isna() | (log["开始时间"] >= earlier)),
    )
    asked = t["survey_sent"].set_index("客户编号")["已答复"]
    answer = t["survey_satisfaction"]["客户编号"]
    rule("答卷来自收到问卷的客户", answer, answer.map(asked) == "是")
    q = t["quality_week"]
    rule("抽检数对得上", q["区域"], (q["抽检晚点"] <= q["抽检件数"]) & (q["抽检破损"] <= q["抽检件数"]))
    own = t["channel_flows"].merge(t["distributors"], on="网点编号")
    rule("加盟以后才揽收", own["网点编号"], own["周一"] >= own["加盟日期"])


def unexplained(tables, schema, manifest) -> list:
    """Faults of a data set that the log of mess does not account for.

    Args:
        manifest: the log as DataFrame 类别, 表, 主键, 列, 应为, 现为.
    """
    logged = set(zip(manifest["表"], manifest["主键"], manifest["列"], strict=True))
    faults = against_dictionary(tables, schema)
    left = [tuple(f) for f in faults.itertuples(index=False) if (f.表, f.主键, f.列) not in logged]
    twice = set(manifest.loc[manifest["类别"] == "重复付款", "主键"])
    bills = set(tables["payments"].set_index("回款编号")["账单编号"].reindex(list(twice)))
    late = set(manifest.loc[manifest["类别"] == "晚扫描", "主键"])
    no_consent = set(manifest.loc[manifest["类别"] == "违反同意", "主键"])
    paid = tables["payments"].set_index("回款编号")["账单编号"]
    excused = {
        "回款不超过应收": lambda k: paid[k] in bills,
        "先揽收后签收": lambda k: k in late,
        "没同意的不联系": lambda k: k in no_consent,
    }
    for name, keys in against_each_other(tables).items():
        excuse = excused.get(name, lambda k: False)
        left += [(name, k) for k in keys if not excuse(k)]
    return left
