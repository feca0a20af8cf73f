"""``crm graph 单元 [题号…]``：把对话题画成一张图（SVG），给老师看：从上到下，每一句通向哪里。

分层画法：节点放在离起点最远的那一层；跨层的线从中间层的空当穿过去，通向同一个节点的并成一股；
每一层按前后邻居的平均位置排次序，再在不重叠的前提下尽量靠近邻居。往回走的线不画，写“回到”。
"""

from html import escape
from itertools import pairwise
from pathlib import Path

from autograder import units
from crmlib import paths
from crmlib.cli import CourseError, Parser
from crmlib.tasks import dialogue, faults, full_points

CELL, GAP, BETWEEN, MARGIN = 240, 64, 40, 36  # 一个选择的宽，层距，框距，四周
SIZE, SMALL, LINE, PAD = 15, 12, 21, 11  # 字号，小字号，行高，框里的空
HEAD = 100  # 标题和图例
SWEEPS = 12
FONT = "'Microsoft YaHei', 'PingFang SC', 'Noto Sans CJK SC', 'Noto Sans SC', sans-serif"
INK, QUIET, EDGE = "#1f2a36", "#5b6b7b", "#9aa8b6"
GOOD, GOOD_SOFT, BAD, BAD_SOFT = "#23764a", "#e5f4eb", "#b3362a", "#fcebe9"


def main(argv) -> int:
    """Write one SVG for each dialogue task of a unit; returns 0. Raises CourseError."""
    parser = Parser(prog="crm graph", description="把一个单元里的对话题画成图")
    parser.add_argument("unit", metavar="单元", help="例如 5.5")
    parser.add_argument("tasks", metavar="题号", nargs="*", help="例如 5.5-4；不写就是全部对话题")
    parser.add_argument("--out", default=".", metavar="文件夹", help="图放在哪里；不写就是当前文件夹")
    options = parser.parse_args(argv)
    unit = units.load(units.find(paths.root(), [options.unit])[0])
    talks = {task["id"]: task for task in unit.tasks if task["kind"] == "dialogue"}
    have = "、".join(talks)
    if not talks:
        raise CourseError(f"单元 {unit.id} 里没有对话题（kind: dialogue）")
    if strange := [name for name in options.tasks if name not in talks]:
        raise CourseError(f"单元 {unit.id} 里没有对话题 {'、'.join(strange)}；有的是：{have}")
    folder = Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    for name in options.tasks or talks:
        for fault in faults(talks[name]):
            print(f"[注意] {name}：{fault}")
        path = folder / f"{name}.svg"
        path.write_text(svg(talks[name]), "utf-8")
        print(f"写好 {path}（用浏览器打开）")
    return 0


def svg(task) -> str:
    """The picture of a dialogue task. Raises CourseError if a choice leads nowhere."""
    nodes = task["nodes"]
    named = {choice["to"] for node in nodes.values() for choice in node.get("choices", {}).values()}
    if lost := sorted({task["start"], *named} - set(nodes)):
        raise CourseError(f"{task['id']}：节点 {'、'.join(lost)} 不存在，补上它再画图")
    boxes = {name: Box(task, name) for name in nodes}
    layer, backward = layers(nodes, task["start"])
    chains = _chains(nodes, layer, backward)
    return _draw(task, boxes, layer, backward, chains, arrange(boxes, layer, chains))


# ---- 框 ----

class Box:
    """A node as text: what is said, and below it one cell for each choice, side by side. Sizes in pixels."""

    def __init__(self, task, name):
        node = task["nodes"][name]
        choices, speakers = node.get("choices", {}), {dialogue.ME: "你", **task["speakers"]}
        self.name, self.points = name, node.get("points", 0)
        self.width = CELL * max(len(choices), 1.3)
        room = (self.width - 2 * PAD) / SIZE
        self.says = [line for said in node.get("says", []) for line in
                     wrap((f"{speakers[said['who']]}：" if "who" in said else "") + said["text"], room)]
        self.ending = wrap(f"结局：{node['end']}{_earned(self.points)}", room) if "end" in node else []
        self.head = 2 * PAD + LINE * (1 + len(self.says) + len(self.ending))
        self.cells = {c: (wrap(f"{place}. {choice['text']}", (CELL - 2 * PAD) / SIZE), _notes(task, choice))
                      for place, (c, choice) in enumerate(choices.items(), 1)}
        lines = [LINE * len(text) + (SMALL + 6) * (len(notes) + 1) for text, notes in self.cells.values()]
        self.height = self.head + (max(lines) + 2 * PAD if lines else 0)

    def port(self, choice) -> float:
        """Where the line of a choice leaves, from the left end of the box."""
        return CELL * (list(self.cells).index(choice) + 0.5)


def _notes(task, choice) -> list[str]:
    """What a choice needs, and what it does to the meters."""
    title = {name: meter["title"] for name, meter in task.get("meters", {}).items()}
    needs = [f"{title[name]} {sign} {bound:g}" for name, bounds in choice.get("if", {}).items()
             for sign, bound in zip("≥≤", bounds, strict=True) if bound is not None]
    does = [f"{title[name]} {by:+g}" for name, by in choice.get("effects", {}).items()]
    room = (CELL - 2 * PAD) / SMALL
    return [*(wrap(f"要 {'，'.join(needs)}", room) if needs else []), *wrap("，".join(does), room)]


def _earned(points) -> str:
    return f"（{points:+g} 分）" if points else ""


def wrap(text: str, room: float) -> list[str]:
    """Break a text into lines of ``room`` Chinese letters; numbers stay whole, no line begins with a stop.

    >>> wrap("晚到 412 件，是我们的错。", 5)
    ['晚到 412', '件，是我们', '的错。']
    """
    lines, line = [], ""
    for letter in text:
        if _wide(line + letter) > room and letter not in "，。！？；：、”）…":
            word = len(line)
            while word and ((_joins(line[word - 1]) and _joins(letter)) or line[word - 1] in "（“"):
                word -= 1
            word = word or len(line)
            lines.append(line[:word].strip())
            line = line[word:]
        line += letter
    return [*lines, line.strip()] if line.strip() else lines


def _wide(text) -> float:
    return sum(1 if ord(letter) > 0x2000 else 0.56 for letter in text)


def _joins(letter) -> bool:
    return letter.isascii() and letter.isalnum()


# ---- 布局 ----

def layers(nodes, start) -> tuple[dict[str, int], set[tuple[str, str]]]:
    """({node: layer}, edges that lead back): a node lies one layer behind the furthest node before it."""
    after = {name: list(dict.fromkeys(c["to"] for c in node.get("choices", {}).values()))
             for name, node in nodes.items()}
    backward, done, path = set(), [], []

    def visit(name):
        path.append(name)
        for to in after[name]:
            if to in path:
                backward.add((name, to))
            elif to not in done:
                visit(to)
        path.pop()
        done.append(name)

    for name in (start, *nodes):
        if name not in done:
            visit(name)
    layer = dict.fromkeys(nodes, 0)
    for name in reversed(done):
        for to in after[name]:
            if (name, to) not in backward:
                layer[to] = max(layer[to], layer[name] + 1)
    return layer, backward


def _chains(nodes, layer, backward) -> dict:
    """{(node, choice): what its line passes}: the node, (target, layer) in between, the target."""
    chains = {}
    for name, node in nodes.items():
        for c, choice in node.get("choices", {}).items():
            to = choice["to"]
            if (name, to) not in backward:
                between = [(to, k) for k in range(layer[name] + 1, layer[to])]
                chains[name, c] = [name, *between, to]
    return chains


def arrange(boxes, layer, chains) -> dict:
    """{node or (target, layer): left end}: no overlap within a layer, and lines as straight as can be."""
    rows = [[] for _ in range(max(layer.values()) + 1)]
    for name in layer:
        rows[layer[name]].append(name)
    for via in dict.fromkeys(via for chain in chains.values() for via in chain[1:-1]):
        rows[via[1]].append(via)

    def width(item):
        return boxes[item].width if item in boxes else SIZE

    links = [(a, b, boxes[a].port(c) if a in boxes else SIZE / 2)
             for (_, c), chain in chains.items() for a, b in pairwise(chain)]
    left = {item: 0.0 for row in rows for item in row}
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            wish = {}
            for item in row:
                pulls = [left[a] + port - width(b) / 2 for a, b, port in links if down and b == item]
                pulls += [left[b] + width(b) / 2 - port for a, b, port in links if not down and a == item]
                wish[item] = sum(pulls) / len(pulls) if pulls else left[item]
            row.sort(key=lambda item: wish[item] + width(item) / 2)
            left.update(settle([wish[item] for item in row], row, width))
    outermost = min(left.values())
    return {item: x - outermost for item, x in left.items()}


def settle(wishes, row, width) -> dict:
    """Left ends nearest to the wished ones (least squares) that keep the order without overlap.

    >>> settle([0, 0], ["a", "b"], lambda item: 60)
    {'a': -50.0, 'b': 50.0}
    """
    shift, shifts, blocks = 0.0, [], []  # 一块：[平均位置, 几个]；挤在一起的并成一块
    for wish, item in zip(wishes, row, strict=True):
        shifts.append(shift)
        blocks.append([wish - shift, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            mean, n = blocks.pop()
            blocks[-1] = [(blocks[-1][0] * blocks[-1][1] + mean * n) / (blocks[-1][1] + n), blocks[-1][1] + n]
        shift += width(item) + BETWEEN
    spots = [mean for mean, n in blocks for _ in range(n)]
    return {item: spot + shift for item, spot, shift in zip(row, spots, shifts, strict=True)}


# ---- 画 ----

def _draw(task, boxes, layer, backward, chains, left) -> str:
    deep = [max(boxes[name].height for name in layer if layer[name] == k)
            for k in range(max(layer.values()) + 1)]
    tops = [MARGIN + HEAD + sum(deep[:k]) + GAP * k for k in range(len(deep) + 1)]
    left = {item: x + MARGIN for item, x in left.items()}
    width = max(760, MARGIN + max(left[name] + box.width for name, box in boxes.items()))
    height = tops[-1] - GAP + MARGIN
    good = {(node, choice) for node, _, choice in dialogue.replay(task, task["key"])[0]}
    parts = [_heading(task)]
    for at in sorted(chains, key=lambda at: at in good):  # 满分的走法画在上面
        parts.append(_line(task, at, chains[at], boxes, layer, left, tops, deep, at in good))
    parts += [_box(task, box, left[name], tops[layer[name]], good, backward) for name, box in boxes.items()]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
            f'width="{width:.0f}" height="{height:.0f}" font-family="{FONT}" font-size="{SIZE}" fill="{INK}">'
            f'<title>{escape(task["title"])}</title><rect width="100%" height="100%" fill="#fff"/>\n'
            + "\n".join(parts) + "\n</svg>\n")


def _words(x, y, text, colour=INK, size=SIZE, weight=400) -> str:
    return (f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" font-weight="{weight}" fill="{colour}">'
            f'{escape(text)}</text>')


def _block(x, y, width, height, fill, stroke="none") -> str:
    return (f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}" rx="6" fill="{fill}" '
            f'stroke="{stroke}" stroke-width="1.5"/>')


def _heading(task) -> str:
    full, of = dialogue.best(task), full_points(task)
    told = [f"最多 {full[0]:g} 分，折成题目的 {of:g} 分"] if full else []
    told += [f"{m['title']}从 {m.get('start', 0):g} 起，最低 {m.get('min', 0):g}，最高 {m.get('max', 100):g}"
             for m in task.get("meters", {}).values()]
    keys = ((0, GOOD, "key 的走法、好结局"), (170, BAD, "禁语、坏结局"),
            (300, EDGE, "别的走法。“最多 12”：选了这一句，全程最多还能得 12 分"))
    legend = "".join(_block(MARGIN + x, MARGIN + 44, 14, 14, colour)
                     + _words(MARGIN + x + 20, MARGIN + 56, name, QUIET, SMALL + 1)
                     for x, colour, name in keys)
    return (_words(MARGIN, MARGIN + 6, f"{task['id']}　{task['title']}", size=22, weight=700)
            + _words(MARGIN, MARGIN + 32, "；".join(told), QUIET) + legend)


def _line(task, at, chain, boxes, layer, left, tops, deep, good) -> str:
    name, choice = at
    x, y = left[name] + boxes[name].port(choice), tops[layer[name]] + boxes[name].height
    path = f"M{x:.0f},{y:.0f}"
    for item in chain[1:]:
        real = item in boxes
        k = layer[item] if real else item[1]
        to, y = left[item] + (boxes[item].width if real else SIZE) / 2, tops[k]
        path += f"V{y - GAP:.0f}C{x:.0f},{y - GAP / 3:.0f} {to:.0f},{y - GAP * 2 / 3:.0f} {to:.0f},{y:.0f}"
        x = to
        if not real:
            path += f"V{y + deep[k]:.0f}"
    bad = "forbidden" in task["nodes"][name]["choices"][choice]
    colour = GOOD if good else BAD if bad else EDGE
    return (f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{3 if good else 1.6}"/>'
            f'<path d="M{x:.0f},{y:.0f}l-5,-10h10z" fill="{colour}"/>')


def _box(task, box, x, y, good, backward) -> str:
    tone, soft = (GOOD, GOOD_SOFT) if box.points > 0 else (BAD, BAD_SOFT)
    fill, stroke = (soft, tone) if box.ending else ("#fff", QUIET)
    start, earned = "（起点）" if box.name == task["start"] else "", "" if box.ending else _earned(box.points)
    down = y + PAD + SMALL
    parts = [_block(x, y, box.width, box.height, fill, stroke),
             _words(x + PAD, down, box.name + start + earned, QUIET, SMALL + 1)]
    for line, colour, weight in [*((s, INK, 500) for s in box.says), *((s, tone, 700) for s in box.ending)]:
        down += LINE
        parts.append(_words(x + PAD, down, line, colour, weight=weight))
    for place, (c, (text, notes)) in enumerate(box.cells.items()):
        choice, at = task["nodes"][box.name]["choices"][c], x + CELL * place
        bad = "forbidden" in choice
        colour, fill = INK, "#f4f6f8"
        if bad or (box.name, c) in good:
            colour, fill = (BAD, BAD_SOFT) if bad else (GOOD, GOOD_SOFT)
        parts.append(_block(at + 3, y + box.head, CELL - 6, box.height - box.head - 4, fill))
        down = y + box.head + PAD + 2
        for line in text:
            parts.append(_words(at + PAD, down + SMALL, line, colour))
            down += LINE
        through = dialogue.best(task, {box.name: c})
        worth = ["禁语"] if bad else []
        worth += [f"{choice['points']:+g} 分"] if choice.get("points") else []
        worth += [f"最多 {through[0]:g}" if through else "走不到"]
        worth += [f"↩ 回到 {choice['to']}"] if (box.name, choice["to"]) in backward else []
        for line in ["，".join(worth), *notes]:
            down += SMALL + 6
            parts.append(_words(at + PAD, down - 4, line, colour if bad else QUIET, SMALL))
    return "".join(parts)
