"""由数据字典生成的页面：datasets/README.md（给学生看）和表与表关系的图。"""

from html import escape
from pathlib import Path

from crmlib.data import TYPES, allowed

GROUPS = [
    ("客户", "#1d6fb8", ["customers", "contacts", "contracts", "customer_forms", "customer_profile"]),
    (
        "发货与服务",
        "#0f8a6d",
        [
            "shipments_month",
            "waybills",
            "complaints",
            "service_events",
            "quality_week",
            "process_log",
            "promise_orders",
            "touchpoints",
            "service_costs",
        ],
    ),
    ("账款与信用", "#a06000", ["invoices", "payments", "credit_files", "outcomes_2026q1"]),
    (
        "销售",
        "#b03a48",
        ["leads", "visits", "deals", "deal_rounds", "deal_sheets", "interviews", "products", "benefit_costs"],
    ),
    ("散客与营销", "#7a4fb0", ["senders", "small_orders", "loyalty_ledger", "campaigns", "contacts_sent"]),
    (
        "调查与环境",
        "#2f7d95",
        ["survey_sent", "survey_satisfaction", "survey_market", "customer_cards", "swot_evidence",
         "pest_facts", "competitors"],
    ),
    (
        "呼叫中心与员工",
        "#5b6b1f",
        [
            "employees",
            "calls",
            "call_intervals",
            "call_quality",
            "callcentre_costs",
            "kpi_month",
            "ratings_360",
        ],
    ),
    (
        "渠道、跨境与系统",
        "#6b5344",
        ["distributors", "channel_flows", "xborder_lanes", "xborder_merchants", "crm_vendors", "field_map"],
    ),
]

STORY = """苏畅供应链是一家虚构的江苏公司，总部在昆山，一半做快递，一半做合同物流，一年收入两亿多元。
客户分布在苏南（苏州、无锡、常州、南京、镇江）、苏中（南通、扬州、泰州）和苏北（徐州、淮安、盐城、连云港、宿迁）。
数据从 2023 年 1 月到 2025 年 12 月，截止日是 2025-12-31；
`outcomes_2026q1` 是之后一个季度的结果，用来检验预测。

人、企业、电话、地址都是编的：县级地名不存在，手机号 120 开头，登记代码 S 开头，员工只有花名，联系人只有称呼。
有几张表原样保留了毛病（重复、写法不一、漏填、写错单位……），先对照字典检查，再动手算。"""


def groups(schema):
    """The groups with the tables that the dictionary has; tables in no group come last under 其他."""
    placed = {name for _, _, names in GROUPS for name in names}
    shown = [(title, colour, [n for n in names if n in schema]) for title, colour, names in GROUPS]
    rest = [name for name in schema if name not in placed]
    return shown + ([("其他", "#555555", rest)] if rest else [])


def files(root: Path, schema) -> dict:
    """The pages built from the dictionary: ``{path: bytes}``."""
    return {
        root / "datasets" / "README.md": readme(schema).encode(),
        root / "datasets" / "tables.svg": picture(schema).encode(),
    }


def readme(schema) -> str:
    """The data dictionary as a page for students."""
    lines = [
        "# 课程数据",
        "",
        STORY,
        "",
        '读一张表：`crm.load("customers")`，也可以写中文名：`crm.load("客户")`。',
        "",
        "（这一页由 `crm data` 从 dictionary.toml 生成。）",
        "",
        "## 表和表的关系",
        "",
        "![表和表的关系](tables.svg)",
        "",
        "## 全部的表",
        "",
    ]
    for title, _, names in groups(schema):
        lines += [f"### {title}", "", "| 表 | 名称 | 一行是 | 讲什么 |", "|---|---|---|---|"]
        lines += [
            f"| [{n}](#{n}) | {schema[n]['name']} | {schema[n]['row']} | {schema[n]['about']} |"
            for n in names
        ]
        lines.append("")
    lines += ["## 每一列", ""]
    for _, _, names in groups(schema):
        for name in names:
            entry = schema[name]
            lines += [
                f"### {name}",
                "",
                f"**{entry['name']}**：{entry['about']} 一行是{entry['row']}。",
                "",
                "| 列 | 英文名 | 类型 | 单位 | 允许的值 | 含义 |",
                "|---|---|---|---|---|---|",
            ]
            for heading, c in entry["columns"].items():
                cells = (
                    heading,
                    c["en"],
                    TYPES[c["type"]],
                    c.get("unit", ""),
                    allowed(heading, c, entry),
                    c["about"],
                )
                lines.append("| " + " | ".join(str(x).replace("|", "／") for x in cells) + " |")
            lines.append("")
    return "\n".join(lines)


# ── 图 ──────────────────────────────────────────────────────────────────────────────────────

WIDTH, GAP, HEAD, LINE, PAD = 372, 22, 44, 21, 12


def picture(schema) -> str:
    """Entity-relation picture: a card per table with its key and references; lines inside a group.

    References to 客户 and 员工, which almost every group has, are shown as marks on the card: lines to
    them would cover the picture.
    """
    columns = [[], [], [], []]
    heights = [0, 0, 0, 0]
    for group in sorted(groups(schema), key=lambda g: -_group_height(g, schema)):
        k = heights.index(min(heights))
        columns[k].append(group)
        heights[k] += _group_height(group, schema) + GAP
    order = [g[0] for g in groups(schema)]
    columns.sort(key=lambda column: min(order.index(g[0]) for g in column))
    body = []
    for k, column in enumerate(columns):
        y = 96
        for group in sorted(column, key=lambda g: order.index(g[0])):
            body.append(_panel(group, schema, 24 + k * (WIDTH + GAP), y))
            y += _group_height(group, schema) + GAP
    width, height = 24 + 4 * (WIDTH + GAP) + 2, 96 + max(heights) + 8
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" \
height="{height}" font-family="Noto Sans SC, Microsoft YaHei, PingFang SC, sans-serif" role="img" \
aria-label="课程数据：表和表的关系">
<rect width="{width}" height="{height}" fill="#ffffff"/>
<text x="24" y="40" font-size="26" font-weight="700" fill="#1b2733">课程数据：表和表的关系</text>
<text x="24" y="72" font-size="16" fill="#46535f"><tspan font-weight="700">粗体</tspan>是主键，一行靠它认；\
→ 是外键，这一列的值要在箭头所指的表里查得到。 \
<tspan fill="#1d6fb8">●</tspan> 连到“客户”　<tspan fill="#5b6b1f">■</tspan> 连到“员工”</text>
{"".join(body)}</svg>
"""


def _cards(names, schema):
    """For each table of a group: its lines of text and what it refers to."""
    for name in names:
        entry = schema[name]
        refs = [(h, *c["ref"].split(".")) for h, c in entry["columns"].items() if "ref" in c]
        targets = {}
        for heading, table, _ in refs:
            targets.setdefault(table, []).append(heading)
        yield name, entry, targets


def _card_height(targets):
    return HEAD + LINE * (1 + len([t for t in targets if t not in ("customers", "employees")])) + 8


def _group_height(group, schema):
    return 46 + sum(_card_height(t) + 10 for _, _, t in _cards(group[2], schema)) + 4


def _panel(group, schema, x, y):
    title, colour, names = group
    out = [
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{_group_height(group, schema)}" rx="12" '
        f'fill="{colour}" '
        f'fill-opacity="0.08" stroke="{colour}" stroke-opacity="0.5"/>',
        f'<text x="{x + PAD}" y="{y + 31}" font-size="20" font-weight="700" fill="{colour}">{title}</text>',
    ]
    top, places = y + 46, {}
    cards = list(_cards(names, schema))
    for name, _, targets in cards:
        places[name] = top
        top += _card_height(targets) + 10
    lane = 0
    for name, entry, targets in cards:
        out.append(_card(name, entry, targets, x + PAD, places[name], schema))
        line = places[name] + HEAD + LINE
        for target in [t for t in targets if t not in ("customers", "employees")]:
            line += LINE
            if target in places and target != name:  # 组内的外键画线，靠右边走
                right, turn = x + WIDTH - PAD - 16, x + WIDTH - 9 + (lane % 2) * 4
                end = places[target] + 22
                out.append(
                    f'<path d="M{right} {line - 10} H{turn} V{end} H{right + 3}" fill="none" '
                    f'stroke="{colour}" stroke-width="1.8"/>'
                    f'<path d="M{right + 9} {end - 5} L{right + 1} {end} '
                    f'L{right + 9} {end + 5} Z" fill="{colour}"/>'
                )
                lane += 1
    return "\n".join(out) + "\n"


def _card(name, entry, targets, x, y, schema):
    width = WIDTH - 2 * PAD - 16
    marks = ('<tspan fill="#1d6fb8">●</tspan>' if "customers" in targets else "") + (
        '<tspan fill="#5b6b1f">■</tspan>' if "employees" in targets else ""
    )
    out = [
        f'<rect x="{x}" y="{y}" width="{width}" height="{_card_height(targets)}" rx="7" fill="#ffffff" '
        f'stroke="#9aa7b2"/>',
        f'<text x="{x + 10}" y="{y + 27}" font-size="18" font-weight="700" fill="#1b2733">{entry["name"]}'
        f'<tspan font-size="14" font-weight="400" fill="#5a6772" dx="8">{name}</tspan></text>',
        f'<text x="{x + width - 10}" y="{y + 27}" font-size="17" text-anchor="end">{marks}</text>',
    ]
    line = y + HEAD + LINE - 8
    out.append(
        f'<text x="{x + 10}" y="{line}" font-size="15" font-weight="700" fill="#27343f">'
        f"{escape('＋'.join(entry['key']))}</text>"
    )
    for target, headings in targets.items():
        if target in ("customers", "employees"):
            continue
        line += LINE
        out.append(
            f'<text x="{x + 10}" y="{line}" font-size="15" fill="#27343f">{escape("、".join(headings))} → '
            f"{schema[target]['name']}</text>"
        )
    return "\n".join(out)
