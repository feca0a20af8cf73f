"""两两比板：几项指标两两比，比出权重；绕成圈的当场指出来；权重一变，十二家的名次跟着变。"""

from itertools import combinations

from crmlib.cli import CourseError
from crmlib.tasks import find_task, form
from crmlib.tasks.session import open_saved

TITLE = "两两比板"
# 指标叫什么 → 候选表里的列；付款天数、投诉越少越好
INDICATORS = {"贡献": "贡献", "潜力": "潜力", "付款": "付款天数", "年数": "合作年数", "投诉": "投诉"}
LESS = ("付款天数", "投诉")
SEATS = 6


def read(task: str, mode: str = "win") -> dict:
    """What the board shows, as plain JSON. task: the form whose rows ``p01`` … compare two indicators.

    mode: "win" 成对比较法, "ahp" 层次分析法. {"mode", "names", "wins": [for each pair (0, 1), (0, 2) … 1, 0.5
    or 0], "times": [the same as 3, 1, 1/3 to begin with], "points": {id: [0 to 100 of each indicator]},
    "rank": {id: by 贡献}, "titles", "seats", "notices"}. Raises CourseError if the form does not fit.
    """
    from crmlib.boards.pareto import candidates
    from crmlib.methods import composite_score

    if mode not in ("win", "ahp"):
        raise CourseError(f"两两比板没有“{mode}”这种比法；有的是 win（成对比较法）、ahp（层次分析法）。")
    names, notices = list(INDICATORS), []
    wanted = [f"p{i + 1}{j + 1}" for i, j in combinations(range(len(names)), 2)]
    found = find_task(task)
    if [row["id"] for row in found.get("rows", []) if isinstance(row, dict)] != wanted:
        raise CourseError(f"第 {task} 题不是两两比较的表：行要是 {'、'.join(wanted)}。")
    answer = open_saved(found).answer
    table = form.rows(found, answer)
    if not answer or form.malformed(found, answer) or any(r["win"] not in (0, .5, 1) for r in table.values()):
        table = form.rows(found, found["key"])
        notices.append(f"第 {task} 题你还没填完，先用陆姐的。")
    wins = [table[row]["win"] for row in wanted]
    twelve = candidates()
    points = composite_score(twelve, dict.fromkeys(INDICATORS.values(), 1 / len(names)), LESS)
    return {"mode": mode, "names": names, "wins": wins, "times": [{1: 3, .5: 1, 0: 1 / 3}[w] for w in wins],
            "points": {i: [round(points.loc[i, c], 4) for c in INDICATORS.values()] for i in points.index},
            "rank": twelve["名次"].to_dict(), "titles": twelve["客户名称"].to_dict(), "seats": SEATS,
            "notices": notices}


# ---- 同样的算法，浏览器里（pairwise.js）也有一份；测试拿两份对答案 ----

def judged(board: dict):
    """The PairedComparison or AHP of the board as it stands."""
    import pandas as pd

    from crmlib.methods import ahp, paired_comparison, pairs_matrix

    names = board["names"]
    if board["mode"] == "ahp":
        return ahp(pairs_matrix(names, dict(zip(combinations(names, 2), board["times"], strict=True))))
    matrix = pd.DataFrame(0., names, names)
    for (a, b), win in zip(combinations(names, 2), board["wins"], strict=True):
        matrix.loc[a, b], matrix.loc[b, a] = win, 1 - win
    return paired_comparison(matrix)


def ranking(board: dict, weights) -> dict[str, float]:
    """Composite score of each candidate, the best first."""
    total = {i: sum(w * p for w, p in zip(weights, points, strict=True))
             for i, points in board["points"].items()}
    return dict(sorted(total.items(), key=lambda item: (-round(item[1], 9), item[0])))


def text(board: dict) -> str:
    """The board in words, for print and for readers without a screen."""
    found = judged(board)
    table = found.scores if board["mode"] == "win" else found.weights
    lines = [*board["notices"], "权重：" + "；".join(f"{n} {w:.3f}" for n, w in table["权重"].items()) + "。"]
    if board["mode"] == "win":
        lines.append(f"绕成圈的：{'；'.join(found.triads) or '没有'}。判断一致系数 {found.consistence:.2f}。")
    else:
        good = "可以用" if found.consistent else "要改"
        lines.append(f"一致性比率 CR {found.consistency_ratio:.3f}，{good}。{found.advice}")
    order = enumerate(ranking(board, table["权重"]).items(), 1)
    said = [f"{k} {i}（{s:.1f} 分，按贡献第 {board['rank'][i]}）" for k, (i, s) in order]
    lines.append(f"综合名次：{'；'.join(said)}。")
    return "\n".join(lines)
