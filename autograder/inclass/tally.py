"""把全班的答案数成投影上的图：条、四象限、格子、次序、分布、词表。只数数，不画图。"""

from collections import Counter
from math import floor, log10, sqrt

from crmlib.tasks import KINDS, number
from crmlib.tasks.classify import card_text

MOST_TEXTS = 60  # 投影上一次显示这么多条；全部的在表格里
MOST_WORDS = 24


def tally(question: dict, rows, revealed: bool = False) -> dict:
    """What the projector draws for one question: {"kind": bars · bins · ranks · numbers · words · survey, …}.

    rows: [(device, answer, hidden, name)]. ``revealed``: with the right answers marked.
    """
    answers = [answer for _, answer, _, _ in rows]
    match question["kind"]:
        case "choose":
            return _choose(question, answers, revealed)
        case "classify":
            return _classify(question, answers, revealed)
        case "order":
            return _order(question, answers, revealed)
        case "number":
            return _number(question, answers, revealed)
        case "write":
            return {"kind": "words", "words": words(rows_text(rows)), "texts": texts(rows)}
    return _survey(question, rows)


def _choose(question, answers, revealed):
    counts = Counter(o for answer in answers for o in set(answer))
    key = question["key"] if revealed else None
    return {"kind": "bars", "of": len(answers), "rows": [
        {"label": str(label), "n": counts[o], "right": o in key if key else None}
        for o, label in question["task"]["options"].items()]}


def _classify(question, answers, revealed):
    bins, cards = question["task"]["bins"], []
    for name, card in question["task"]["cards"].items():
        counts = Counter(answer[name] for answer in answers)
        key = question["key"][name] if revealed and question["key"] else None
        right = [place for place, b in enumerate(bins) if b in (key if isinstance(key, list) else [key])]
        cards.append({"text": card_text(card), "counts": [counts[b] for b in bins],
                      "right": right if key else None})
    return {"kind": "bins", "of": len(answers), "bins": list(bins.values()), "cards": cards}


def _order(question, answers, revealed):
    items, places = question["task"]["items"], len(question["task"]["items"])
    rank = {}
    if revealed and question["key"]:
        for place, group in enumerate(question["key"], 1):
            rank |= dict.fromkeys(group if isinstance(group, list) else [group], place)
    rows = []
    for name, item in items.items():
        at = [answer.index(name) for answer in answers]
        counts = Counter(at)
        rows.append({"text": card_text(item), "mean": sum(at) / len(at) + 1 if at else None,
                     "counts": [counts[p] for p in range(places)], "right": rank.get(name)})
    rows.sort(key=lambda r: (r["mean"] is None, r["mean"]))
    return {"kind": "ranks", "of": len(answers), "rows": rows}


def _number(question, answers, revealed):
    whole = {**question["task"], "blanks": question["blanks"], "key": question["key"]}
    if question["tolerance"] is not None:
        whole["tolerance"] = question["tolerance"]
    wanted = number.key_answer(whole) if revealed and question["key"] else {}
    right = Counter(n for answer in answers for n, ok in number.share(whole, answer)[1].items() if ok) \
        if revealed and question["key"] else {}
    blanks = []
    for name, blank in question["blanks"].items():
        values = [number.quantity(answer[name], blank.get("unit", "")) for answer in answers]
        values = sorted(v for v in values if v is not None)
        blanks.append({"title": blank["title"], "unit": blank.get("unit", ""), "bins": spread(values),
                       "median": _median(values), "key": wanted.get(name), "right": right.get(name, 0)})
    return {"kind": "numbers", "of": len(answers), "blanks": blanks, "revealed": bool(wanted)}


def _median(values):
    half = len(values) // 2
    return None if not values else values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2


def spread(values, most: int = 9) -> list[dict]:
    """Sorted numbers in classes of a round width: [{"label", "n"}]; few different ones each for itself.

    >>> spread([1, 1, 2]), [b["n"] for b in spread([1, 2, 3, 4, 5, 6, 7, 8, 9, 25])]
    ([{'label': '1', 'n': 2}, {'label': '2', 'n': 1}], [4, 5, 0, 0, 0, 1])
    """
    counts = Counter(values)
    if len(counts) <= most:
        return [{"label": f"{v:.10g}", "n": n} for v, n in sorted(counts.items())]
    # 一两个乱填的数不能把别人的都挤成一条：只看中间九成的宽窄，两头各归一类
    low, high = values[len(values) // 20], values[-1 - len(values) // 20]
    if low == high:
        low, high = values[0], values[-1]
    rough = (high - low) / (most - 3)
    step = 10.0 ** floor(log10(rough))
    step *= next(m for m in (1, 2, 5, 10) if m * step >= rough * (1 - 1e-9))
    first, last = floor(low / step), floor(high / step)
    classes = Counter(max(first - 1, min(last + 1, floor(v / step))) for v in values)
    found = []
    for place in range(min(classes), max(classes) + 1):
        a, b = place * step, (place + 1) * step
        ends = f"不到 {b:.10g}" if place < first else f"{a:.10g} 以上" if place > last else ""
        found.append({"label": ends or f"{a:.10g}–{b:.10g}", "n": classes[place]})
    return found


# ---- 文字 ----

def rows_text(rows):
    return [answer for _, answer, hidden, _ in rows if not hidden]


def texts(rows) -> list[dict]:
    """The latest texts first; a hidden one keeps its place for the teacher, without its words."""
    return [{"device": device, "name": name, "text": "" if hidden else answer, "hidden": bool(hidden)}
            for device, answer, hidden, name in list(rows)[::-1][:MOST_TEXTS]]


def words(given) -> list[dict]:
    """Words by the number of answers that use them."""
    from crmlib.words import tokens

    counts = Counter(word for text in given for word in set(tokens(text)) if len(word) > 1)
    ranked = sorted(counts.items(), key=lambda c: (-c[1], c[0]))
    return [{"word": word, "n": n} for word, n in ranked[:MOST_WORDS]]


# ---- 问卷 ----

def _survey(question, rows):
    items = []
    for item in question["items"]:
        given = [(device, answer.get(item["id"]), hidden, name) for device, answer, hidden, name in rows]
        given = [g for g in given if g[1] is not None and g[1] != ""]
        if not item["options"]:
            items.append({"ask": item["ask"], "n": len(given), "words": words(rows_text(given))[:10],
                          "texts": texts(given)[:8]})
            continue
        counts = Counter(p for _, g, _, _ in given for p in (g if item["many"] else [g]))
        scores, mean = item["scores"], None
        if scores and given:
            mean = sum(scores[g] for _, g, _, _ in given) / len(given)
        items.append({"ask": item["ask"], "n": len(given), "mean": mean, "top": scores and max(scores),
                      "rising": bool(scores) and scores[0] < scores[-1],
                      "rows": [{"label": o, "n": counts[p]} for p, o in enumerate(item["options"])]})
    return {"kind": "survey", "of": len(rows), "items": items,
            "quadrant": quadrant(question, [answer for _, answer, _, _ in rows])}


def quadrant(question: dict, answers) -> dict | None:
    """Importance and performance of each thing asked: as ``crmlib.methods.importance_performance`` has them.

    {"points": [{"name", "x": importance, "y": performance}], "cuts": (x, y), "derived": bool}; points are
    empty until there is enough to compute with; None if the questionnaire asks for no such thing.
    """
    plan = question["quadrant"]
    if not plan:
        return None
    scores = {item["id"]: item["scores"] for item in question["items"]}

    def column(name):
        return [scores[name][answer[name]] for answer in answers]

    points = []
    for point in plan["points"] if answers else []:
        does = column(point["does"])
        if point["needs"]:
            x = sum(column(point["needs"])) / len(answers)
        else:
            x = _correlation(does, column(plan["overall"]))
        if x is not None:
            points.append({"name": point["name"], "x": x, "y": sum(does) / len(does)})
    cuts = [sum(p[axis] for p in points) / len(points) for axis in "xy"] if points else None
    return {"points": points, "cuts": cuts, "derived": bool(plan["overall"])}


def _correlation(x, y) -> float | None:
    if len(x) < 4 or len(set(x)) < 2 or len(set(y)) < 2:
        return None
    mx, my = sum(x) / len(x), sum(y) / len(y)
    both = sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True))
    return both / sqrt(sum((a - mx) ** 2 for a in x) * sum((b - my) ** 2 for b in y))


def right_share(question: dict, answers) -> float | None:
    """Share of the answers that are all right; None where there is no right one."""
    if not question.get("key") or question["kind"] not in ("choose", "classify", "order"):
        return None
    whole = {**question["task"], "key": question["key"]}
    full = [KINDS[question["kind"]].share(whole, answer)[0] > 1 - 1e-9 for answer in answers]
    return sum(full) / len(full) if full else None
