"""控制图板：每周的投诉、晚点、破损，拖动基准，看哪几周真的出了事。"""

from crmlib.cli import CourseError
from crmlib.data import load
from crmlib.methods.service import p_chart, u_chart

TITLE = "控制图板"
MEASURES = {  # 名字 → (数的是什么, 除以什么, 每多少)
    "投诉": ("投诉件", "件数", 10_000), "抽检晚点": ("抽检晚点", "抽检件数", 100),
    "抽检破损": ("抽检破损", "抽检件数", 100)}
UNIT = {10_000: "起／万件", 100: "%"}
SHORTEST = 6  # 基准至少几周


def read(region: str = "苏南", measure: str = "投诉", baseline: int = 52) -> dict:
    """What the board shows, as plain JSON; ``region``, ``measure`` and ``baseline`` (weeks) come up first.

    {"series": [{"region", "measure", "unit", "per", "kind" (u | p), "counts", "sizes"}], "weeks": [1 … 52],
    "start": [number of the series, baseline], "shortest"}. Raises CourseError for a choice that is not there.
    """
    table = load("quality_week").sort_values("周")
    regions = list(dict.fromkeys(load("quality_week")["区域"]))
    if region not in regions:
        raise CourseError(f"没有“{region}”这一片；有的是：{'、'.join(regions)}。")
    if measure not in MEASURES:
        raise CourseError(f"没有“{measure}”这一样；有的是：{'、'.join(MEASURES)}。")
    weeks = sorted(int(w) for w in table["周"].unique())
    if not SHORTEST <= baseline <= len(weeks):
        raise CourseError(f"基准是 {SHORTEST} 到 {len(weeks)} 周，不能是 {baseline}。")
    series = []
    for place in regions:
        part = table[table["区域"] == place]
        for name, (count, size, per) in MEASURES.items():
            series.append({"region": place, "measure": name, "unit": UNIT[per], "per": per,
                           "kind": "u" if per == 10_000 else "p",
                           "counts": [int(x) for x in part[count]], "sizes": [int(x) for x in part[size]]})
    start = next(i for i, s in enumerate(series) if (s["region"], s["measure"]) == (region, measure))
    return {"series": series, "weeks": weeks, "start": [start, baseline], "shortest": SHORTEST}


def chart(series: dict, baseline: int):
    """The control chart of one series (``methods.u_chart`` or ``p_chart``): points beyond 3σ only, as the
    browser computes it too; p charts stay within 0 … 1 until they are scaled to per cent."""
    if series["kind"] == "u":
        return u_chart(series["counts"], series["sizes"], baseline=baseline, rules="limits",
                       per=series["per"])
    found = p_chart(series["counts"], series["sizes"], baseline=baseline, rules="limits")
    found[["值", "中心", "下限", "上限"]] *= series["per"]
    return found


def text(board: dict) -> str:
    """The board in words, for print and for readers without a screen."""
    at, baseline = board["start"]
    lines = []
    for place, series in enumerate(board["series"]):
        weeks = baseline if place == at else len(board["weeks"])
        found = chart(series, weeks)
        out = [str(w) for w, s in zip(board["weeks"], found["信号"], strict=True) if s]
        red = f"越线的周：{'、'.join(out)}" if out else "没有一周越线"
        lines.append(f"{series['region']}　{series['measure']}：前 {weeks} 周平均 "
                     f"{found['中心'].iloc[0]:.2f} {series['unit']}；{red}。")
    return "\n".join(lines)
