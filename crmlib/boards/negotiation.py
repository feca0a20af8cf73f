"""洽谈板：两边的得分、可谈的组合、有效边界、让步曲线；还能当书记员，记两个人面对面的一局。"""

from crmlib.cli import CourseError
from crmlib.data import load
from crmlib.methods.negotiation import best_package, concession_pattern, packages
from crmlib.tasks import answers, find_task, simulate
from crmlib.tasks.session import open_saved

TITLE = "洽谈板"
_LIMITS = "底线"
_MOST = {"games": 50, "offers": 40, "said": 80}  # 存进 answers.json 的，不许没有边


def sheets(case: str) -> tuple[dict, dict, tuple[float, float]]:
    """Both sides' score sheets of a case of the table deal_sheets, ready for ``packages``, and the limits.

    A sheet: {issue: (weight, {option: value 0 … 100})}; the limits: each side's points without a deal.

    >>> ours, theirs, limits = sheets("玉峰汽配续约")
    >>> ours["账期（天）"][0], theirs["账期（天）"][0], limits
    (0.1, 0.35, (45.0, 45.0))
    """
    rows = load("deal_sheets")
    if case not in set(rows["案例"]):
        have = "、".join(rows["案例"].unique())
        raise CourseError(f"表 deal_sheets 里没有案例“{case}”；有的是：{have}。")
    rows = rows[rows["案例"] == case]
    limits = rows[rows["议题"] == _LIMITS].iloc[0]
    found = []
    for who in ("我方", "对方"):
        sheet = {}
        for issue, part in rows[rows["议题"] != _LIMITS].groupby("议题", sort=False):
            most = float(part[who].max())
            values = {o: 100 * p / most for o, p in zip(part["选择"], part[who], strict=True)}
            sheet[issue] = most / 100, values
        found.append(sheet)
    return *found, (float(limits["我方"]), float(limits["对方"]))


def read(case: str, sides=("我方", "对方"), game: str | None = None, pair: str | None = None) -> dict:
    """What the board shows, as plain JSON.

    case: of the table deal_sheets. sides: what the two are called. game: id of the simulate task whose
    finished game is shown; its actions stand in the order of the issues, its state ``want`` (points that
    the other side asks for) and chance ``style`` are used where it has them. pair: name under which two
    people's talks are kept. One of game and pair; with neither, only the map.

    {"mode", "case", "sides", "issues": [{"title", "options": [{"title", "points": [ours, theirs]}]}],
    "limits", "best": pick, "offers": [{"side", "pick", "said"}], "end": "deal" | "none" | None, "wants",
    "games", "patterns", "notices", "veil"}. A pick: one option's place for each issue. Points 0 … 100.
    """
    ours, theirs, limits = sheets(case)

    def worth(issue, option):
        return [round(side[issue][0] * side[issue][1][option], 2) for side in (ours, theirs)]

    issues = [{"title": issue, "options": [{"title": option, "points": worth(issue, option)}
                                           for option in ours[issue][1]]} for issue in ours]
    best = best_package(packages(ours, theirs, *limits))
    board = {"mode": "pair" if pair else "game" if game else "map", "case": case, "sides": list(sides),
             "issues": issues, "limits": list(limits), "offers": [], "end": None, "wants": [], "games": [],
             "patterns": [], "notices": [], "veil": False,
             "best": [list(ours[issue][1]).index(best[issue]) for issue in ours]}
    if game:
        _take_game(board, find_task(game))
    elif pair:
        try:
            board["games"] = _sound(answers.jotted(pair), issues)
        except CourseError as fault:
            board["notices"].append(str(fault))
        if board["games"]:
            board |= {name: board["games"][-1][name] for name in ("offers", "end")}
    if board["end"]:
        board["patterns"] = _patterns(board)
    return board


def _take_game(board, task) -> None:
    answer = open_saved(task).answer
    played = simulate.counted(task, answer) if answer else None
    if played is None or not simulate.finished(task, played):
        board["veil"] = True
        board["notices"].append(f"第 {task['id']} 题你还没谈完。先去谈，再回来看图；现在点开，看到的是范例。")
        played = simulate.key_answer(task)
    states, known, _ = simulate.replay(task, played)
    for turn, action in enumerate(played["log"], 1):
        titles = [task["actions"][n].get("options", {}).get(v) or f"{v:g}" for n, v in action.items()]
        board["offers"].append({"side": 0, "pick": _pick(board["issues"], titles), "said": ""})
        if "want" in states[0]:
            board["wants"].append(states[turn - 1]["want"])
    board["end"] = "deal" if known[-1].get("deal") else "none"
    if "style" in known[-1] and not board["veil"]:
        board["notices"].append(f"这一局的对手：{known[-1]['style']}。")


def _pick(issues, titles) -> list[int]:
    picked = []
    for issue, title in zip(issues, titles, strict=True):
        options = [option["title"] for option in issue["options"]]
        if title not in options:
            raise CourseError(f"得分表的“{issue['title']}”里没有“{title}”；有的是：{'、'.join(options)}。")
        picked.append(options.index(title))
    return picked


def keep(note, case: str, pair: str | None = None, **options) -> str | None:
    """Save the talks of two people, {"games": [{"offers", "end"}]}; whatever does not fit is left out."""
    games = note.get("games") if isinstance(note, dict) else None
    return answers.jot(pair, _sound(games, read(case)["issues"])) if pair else None


def _sound(games, issues) -> list[dict]:
    """The games as far as they can be read; anything strange is left out."""
    found = []
    for game in games[-_MOST["games"]:] if isinstance(games, list) else []:
        offers = game.get("offers") if isinstance(game, dict) else None
        if not isinstance(offers, list):
            continue
        kept = [{"side": o["side"], "pick": o["pick"], "said": str(o.get("said", ""))[:_MOST["said"]]}
                for o in offers[:_MOST["offers"]] if _is_offer(o, issues)]
        end = game.get("end") if kept and game.get("end") in ("deal", "none") else None
        found.append({"offers": kept, "end": end})
    return found


def _is_offer(offer, issues) -> bool:
    if not isinstance(offer, dict) or offer.get("side") not in (0, 1):
        return False
    pick = offer.get("pick")
    return (isinstance(pick, list) and len(pick) == len(issues)
            and all(type(p) is int and 0 <= p < len(i["options"]) for p, i in zip(pick, issues, strict=True)))


# ---- 同样的算法，浏览器里（negotiation.js）也有一份；测试拿两份对答案 ----

def points(board: dict, pick) -> tuple[float, float]:
    """Both sides' points of a package."""
    chosen = [issue["options"][place]["points"] for issue, place in zip(board["issues"], pick, strict=True)]
    return tuple(round(sum(p[side] for p in chosen), 2) for side in (0, 1))


def better(board: dict, pick) -> int:
    """How many packages are at least as good for both sides, and better for one."""
    from itertools import product

    mine, yours = points(board, pick)
    every = (points(board, p) for p in product(*(range(len(i["options"])) for i in board["issues"])))
    return sum(a >= mine and b >= yours and (a, b) != (mine, yours) for a, b in every)


def _patterns(board) -> list[str]:
    """How each side gave way: by the points that its offers left to the other side."""
    said = []
    for side, name in enumerate(board["sides"]):
        asked = [100 - points(board, o["pick"])[1 - side] for o in board["offers"] if o["side"] == side]
        if len(asked) > 1:
            found = concession_pattern(asked)
            said.append(f"{name}的让步：{found.pattern}。{found.note}")
    return said


def _terms(board, pick) -> str:
    return "，".join(f"{issue['title'].partition('（')[0]} {issue['options'][place]['title']}"
                    for issue, place in zip(board["issues"], pick, strict=True))


def text(board: dict) -> str:
    """The board in words, for print and for readers without a screen. Secret points only after the end."""
    def got(pick):
        return "，".join(f"{s} {p:g} 分" for s, p in zip(board["sides"], points(board, pick), strict=True))

    lines = list(board["notices"])
    if board["veil"]:
        return "\n".join(lines)
    ended = board["mode"] == "map" or board["end"] is not None
    for turn, offer in enumerate(board["offers"], 1):
        points_told = f"（{got(offer['pick'])}）" if ended else ""
        words = f"“{offer['said']}”" if offer["said"] else ""
        who = board["sides"][offer["side"]]
        lines.append(f"第 {turn} 次，{who}：{_terms(board, offer['pick'])}{points_told}{words}")
    if board["end"] == "deal":
        count = better(board, board["offers"][-1]["pick"])
        more = f"两边都不吃亏、至少一边更好的，还有 {count} 套。" if count else "这一套在有效边界上。"
        lines.append(f"谈成了。{more}")
    elif board["end"]:
        lines.append("没有谈成，两边各拿没谈成的分：" + "、".join(f"{p:g}" for p in board["limits"]) + "。")
    lines += board["patterns"]
    if ended:
        lines.append(f"两边都划算的一套：{_terms(board, board['best'])}（{got(board['best'])}）。")
    elif not board["offers"]:
        lines.append("两个人面对面谈，这里记下每一次报价；谈完以后算两边的分。")
    return "\n".join(lines)
