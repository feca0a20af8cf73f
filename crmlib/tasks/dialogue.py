"""对话：一张图，一步一步选怎么说。答案：选过的编号，从头到尾排成列表。

每个节点有几句台词，再有几个选择，或者就是结尾。选择会改变几个量表（信任、用时、花费……）；
选择可以有条件（if：量表在范围里才说得出口），可以是禁语（forbidden：绝不能说的话，写明理由）。
得分 = 一路得到的分 ÷ 这张图里最多能得的分，最低零分。
一步走得对不对，看走完这一步，最后还能不能得到走之前能得的最多的分；所以好结局、好走法都可以不止一个。
"""

LONGEST = 60  # 一次对话最多走这么多步
WIDEST = 20_000  # 节点 × 量表的情形最多这么多种；再多，检查一次就要等
ME = "me"  # 学生自己的编号；speakers 里没有写它，就叫“你”

_SHOWN = ("text", "to", "effects", "if")


def public(task) -> dict:
    nodes = {name: _public_node(node) for name, node in task["nodes"].items()}
    return {"scene": task.get("scene", ""), "speakers": task["speakers"], "meters": task.get("meters", {}),
            "start": task["start"], "nodes": nodes}


def _public_node(node) -> dict:
    shown = {name: node[name] for name in ("says", "end") if name in node}
    if "choices" in node:
        shown["choices"] = {c: {name: choice[name] for name in _SHOWN if name in choice}
                            for c, choice in node["choices"].items()}
    return shown


# ---- 走一遍 ----

def begin(task) -> tuple[str, tuple]:
    """Where a talk begins: (node, levels of the meters in the order of the task)."""
    return task["start"], tuple(meter.get("start", 0) for meter in task.get("meters", {}).values())


def choices(task, node: str, levels: tuple) -> dict[str, dict]:
    """The choices that may be taken now: {id: choice}."""
    level = dict(zip(task.get("meters", {}), levels, strict=True))

    def open_now(choice):
        return all((low is None or level[m] >= low) and (high is None or level[m] <= high)
                   for m, (low, high) in choice.get("if", {}).items())

    return {c: choice for c, choice in task["nodes"][node].get("choices", {}).items() if open_now(choice)}


def step(task, node: str, levels: tuple, choice: str) -> tuple[str, tuple]:
    """Where a choice leads: (node, levels); a meter never leaves its min … max (0 … 100 by default)."""
    taken = task["nodes"][node]["choices"][choice]
    effects = taken.get("effects", {})
    moved = (min(max(level + effects.get(name, 0), meter.get("min", 0)), meter.get("max", 100))
             for (name, meter), level in zip(task.get("meters", {}).items(), levels, strict=True))
    return taken["to"], tuple(moved)


def replay(task, log) -> tuple[list[tuple[str, tuple, str]], str, tuple, bool]:
    """Walk a log: ([(node, levels, choice), …], last node, last levels, whether it could be walked whole)."""
    node, levels = begin(task)
    walked = []
    for choice in log if isinstance(log, list) else []:
        if len(walked) >= LONGEST or not isinstance(choice, str) or choice not in choices(task, node, levels):
            return walked, node, levels, False
        walked.append((node, levels, choice))
        node, levels = step(task, node, levels, choice)
    return walked, node, levels, isinstance(log, list)


# ---- 最好能得几分 ----

def _worth(task, node, choice) -> float:
    taken = task["nodes"][node]["choices"][choice]
    return taken.get("points", 0) + task["nodes"][taken["to"]].get("points", 0)


def _ahead(task, must=None):
    """A function (node, levels) → (most points from there to an end, the choices that get them), or None."""
    must, known = must or {}, {}

    def search(node, levels, left, depth):
        may = choices(task, node, levels)
        if not may:
            return (0.0, ()) if "end" in task["nodes"][node] and not left else None
        top = None
        for choice in may if depth < LONGEST else ():
            if node in must and choice != must[node]:
                continue
            rest = look(*step(task, node, levels, choice), left - {node}, depth + 1)
            if rest is not None and (top is None or _worth(task, node, choice) + rest[0] > top[0] + 1e-9):
                top = _worth(task, node, choice) + rest[0], (choice, *rest[1])
        return top

    def look(node, levels, left=frozenset(must), depth=0):
        state = node, levels, left
        if state not in known:
            known[state] = None  # 正走在这条路上：绕回来的不算一条路
            known[state] = search(node, levels, left, depth)
        return known[state]

    return look


def best(task, must=None) -> tuple[float, list[str]] | None:
    """The most points of a whole talk and a log that gets them; None if there is no such way.

    ``must`` {node: choice}: only talks that come through each of these nodes, and make that choice there.

    >>> task = {"speakers": {}, "start": "hello", "nodes": {"bye": {"end": "再见"}, "hello": {"choices": {
    ...     "a": {"text": "先听", "to": "bye", "points": 1}, "b": {"text": "抢话", "to": "bye"}}}}}
    >>> best(task), best(task, {"hello": "b"})
    ((1.0, ['a']), (0.0, ['b']))
    """
    found = _ahead(task, must)(*begin(task))
    return None if found is None else (found[0], list(found[1]))


def _lost(task, look, node, levels, choice) -> float:
    """Points that a choice gives away for good: the most before it less the most after it."""
    before, after = look(node, levels), look(*step(task, node, levels, choice))
    lost = (before[0] if before else 0) - _worth(task, node, choice) - (after[0] if after else 0)
    return lost if lost > 1e-9 else 0.0


def losses(task, log) -> list[float]:
    """Points that each step of a log gave away for good."""
    look = _ahead(task)
    return [_lost(task, look, *at) for at in replay(task, log)[0]]


# ---- 评分 ----

def missing(task, answer) -> list[str]:
    walked, node, _, _ = replay(task, answer)
    if not walked:
        return ["对话还没有开始。"]
    return [] if "end" in task["nodes"][node] else ["对话还没有走到结尾。"]


def unreadable(task, answer) -> str | None:
    return None if replay(task, answer)[3] else "这份对话记录和题目对不上，从头再谈一次。"


def malformed(task, answer) -> list[str]:
    return []


def share(task, answer) -> tuple[float, dict]:
    walked, _, _, whole = replay(task, answer)
    if not whole:
        return 0.0, {}
    got = sum(_worth(task, node, choice) for node, _, choice in walked)
    where = {str(place): not lost for place, lost in enumerate(losses(task, answer))}
    return min(max(0.0, got / best(task)[0]), 1.0), where


def general(task, answer, where) -> list[str]:
    """What was wrong with the steps that cost most: three at most, in their order."""
    walked, lost, said = replay(task, answer)[0], losses(task, answer), remarks(task, answer)
    worst = sorted(range(len(walked)), key=lambda place: -lost[place])[:3]
    told = []
    for place in sorted(place for place in worst if lost[place]):
        why = said.get(str(place), "还有更好的说法。")
        told.append(f"第 {place + 1} 步“{_taken(task, walked[place])['text']}”：{why}")
    return told


def remarks(task, answer) -> dict[str, str]:
    """{step from "0", or "end": what there is to say about it once the talk has been checked}."""
    walked, node, _, _ = replay(task, answer)
    said = {str(place): _why(_taken(task, at)) for place, at in enumerate(walked)}
    return {place: why for place, why in {**said, "end": _why(task["nodes"][node])}.items() if why}


def _taken(task, at) -> dict:
    node, _, choice = at
    return task["nodes"][node]["choices"][choice]


def _why(part) -> str:
    return f"**禁语**：{part['forbidden']}" if "forbidden" in part else part.get("why", "")


def matches(task, when, answer) -> bool:
    return set(when.items()) <= {(node, choice) for node, _, choice in replay(task, answer)[0]}


def overlay(task, when) -> list[str] | None:
    """The best talk that makes this mistake."""
    found = best(task, when)
    return None if found is None else found[1]


def key_answer(task) -> list[str] | None:
    return list(task["key"]) if "key" in task else None


def text(task, answer) -> str:
    walked, node, levels, _ = replay(task, answer)
    if not walked:
        return ""
    lines = [f"{place}. {_taken(task, at)['text']}" for place, at in enumerate(walked, 1)]
    lines.append(f"结局：{task['nodes'][node].get('end', '（还没有走到结尾）')}")
    if levels:
        lines.append("，".join(f"{meter['title']} {level:g}{_unit(meter)}"
                              for meter, level in zip(task["meters"].values(), levels, strict=True)))
    return "\n".join(lines)


def _unit(meter) -> str:
    return f" {meter['unit']}" if meter.get("unit") else ""


# ---- 题目本身站得住吗 ----

def faults(task) -> list[str]:
    found = _name_faults(task)
    if not found:
        reached, found = _walk(task)
    if found:
        return found
    if best(task)[0] <= 0:
        return ["没有一条路能得分：给好的选择写上 points"]
    return [*_key_faults(task), *_choice_faults(task, reached), *_careless(task), *_mistake_faults(task)]


def _name_faults(task) -> list[str]:
    nodes, meters, found = task["nodes"], task.get("meters", {}), []
    if task["start"] not in nodes:
        found.append(f"start“{task['start']}”不在 nodes 里")
    for name, meter in meters.items():
        if not meter.get("min", 0) <= meter.get("start", 0) <= meter.get("max", 100):
            found.append(f"量表“{name}”的 start 不在 min 和 max 之间（不写就是 0 到 100）")
    for name, node in nodes.items():
        found += [f"节点“{name}”里说话的“{line['who']}”不在 speakers 里" for line in node.get("says", [])
                  if line.get("who", ME) not in {ME, *task["speakers"]}]
        if "end" in node and node.get("choices"):
            found.append(f"节点“{name}”是结尾（end），不能再有 choices")
        if "end" not in node and not node.get("choices"):
            found.append(f"节点“{name}”没有 choices，也不是结尾（end）：对话会卡在这里")
        for c, choice in node.get("choices", {}).items():
            place = f"节点“{name}”的选择“{c}”"
            if choice["to"] not in nodes:
                found.append(f"{place}通向不存在的节点“{choice['to']}”")
            found += [f"{place}用了不存在的量表“{m}”"
                      for m in {**choice.get("effects", {}), **choice.get("if", {})} if m not in meters]
    if not found and "end" in nodes[task["start"]]:
        found.append(f"start“{task['start']}”就是结尾：一句话也说不上")
    return found


def _walk(task) -> tuple[set, list[str]]:
    """Every way through: (all (node, levels) that can be reached, faults of the map)."""
    reached, waiting = set(), [begin(task)]
    onward = {}  # 每种情形的下一步
    while waiting:
        state = waiting.pop()
        if state in reached:
            continue
        reached.add(state)
        if len(reached) > WIDEST:
            return reached, [f"量表的变化太多了，情形超过 {WIDEST} 种：让 effects 的数整一些，或者少一个量表"]
        onward[state] = [step(task, *state, choice) for choice in choices(task, *state)]
        waiting += onward[state]
    found = _circles(onward)
    found |= {f"节点“{node}”有时一个选择也没有：至少要有一个不带条件的" for (node, _), after in onward.items()
              if not after and "end" not in task["nodes"][node]}
    met = {node for node, _ in reached}
    taken = {(node, choice) for node, levels in reached for choice in choices(task, node, levels)}
    found |= {f"节点“{name}”永远走不到" for name in task["nodes"] if name not in met}
    found |= {f"节点“{name}”的选择“{c}”永远选不了：看看它的 if" for name in met
              for c in task["nodes"][name].get("choices", {}) if (name, c) not in taken}
    return reached, sorted(found)


def _circles(onward) -> set[str]:
    """Faults of ways that never end, or end too late. ``onward``: {state: the states after it}."""
    before = dict.fromkeys(onward, 0)
    for after in onward.values():
        for state in after:
            before[state] += 1
    ready, longest = [state for state, n in before.items() if not n], dict.fromkeys(onward, 0)
    while ready:  # 前面都走过了，才轮到它；绕圈子的永远轮不到
        state = ready.pop()
        for after in onward[state]:
            longest[after] = max(longest[after], longest[state] + 1)
            before[after] -= 1
            if not before[after]:
                ready.append(after)
    stuck = {state for state, n in before.items() if n}
    while leaving := {state for state in stuck if not stuck & set(onward[state])}:
        stuck -= leaving  # 圈子后面的，不在圈子里
    if stuck:
        names = "、".join(sorted({node for node, _ in stuck}))
        return {f"会一直绕圈子，走不到结尾：{names}。往回走的选择要让量表变，再用 if 限住次数"}
    most = max(longest.values())
    return {f"最长的一条路要 {most} 步，最多 {LONGEST} 步"} if most > LONGEST else set()


def _key_faults(task) -> list[str]:
    walked, node, _, whole = replay(task, task["key"])
    most, log = best(task)
    told = f"能得满分的走法：[{', '.join(log)}]"
    if not whole:
        return [f"key 走到第 {len(walked) + 1} 步（节点“{node}”）就走不下去了。{told}"]
    if "end" not in task["nodes"][node]:
        return [f"key 没有走到结尾，停在节点“{node}”。{told}"]
    got = sum(_worth(task, node, choice) for node, _, choice in walked)
    return [f"key 只得 {got:g} 分，最多能得 {most:g} 分。{told}"] if got < most - 1e-9 else []


def _choice_faults(task, reached) -> list[str]:
    """A forbidden thing must always cost; whoever loses points is told why."""
    look, found, costs = _ahead(task), [], {}
    for node, levels in sorted(reached):
        for choice in choices(task, node, levels):
            costs.setdefault((node, choice), []).append(_lost(task, look, node, levels, choice))
    for (node, c), lost in costs.items():
        choice, place = task["nodes"][node]["choices"][c], f"节点“{node}”的选择“{c}”"
        if "forbidden" in choice and not min(lost):
            found.append(f"{place}是禁语，说了却可以不丢分：给它扣分（points 写负数）")
        if max(lost) and not _why(choice):
            found.append(f"{place}会丢分，要写 why 说明为什么不好")
    return found


def _careless(task) -> list[str]:
    """Faults of maps in which one can get full marks without reading."""
    ways = {"总选第一个": lambda may: may[0], "总选最后一个": lambda may: may[-1],
            "总选字最多的": lambda may: max(may, key=lambda c: len(c[1]["text"]))}
    found = []
    for name, pick in ways.items():
        (node, levels), got = begin(task), 0
        while may := list(choices(task, node, levels).items()):
            choice = pick(may)[0]
            got += _worth(task, node, choice)
            node, levels = step(task, node, levels, choice)
        if got > best(task)[0] - 1e-9:
            found.append(f"不看内容，{name}，就能得满分：换一换选择的次序或长短")
    return found


def _mistake_faults(task) -> list[str]:
    found = []
    for mistake in task.get("mistakes", []):
        place = f"mistakes“{mistake['name']}”"
        unknown = [f"{node}: {c}" for node, c in mistake["when"].items()
                   if c not in task["nodes"].get(node, {}).get("choices", {})]
        found += [f"{place}里的 {name} 不存在：要写“节点: 选择”" for name in unknown]
        if not unknown and best(task, mistake["when"]) is None:
            found.append(f"{place}走不到：没有一条路经过它的每一步")
    return found
