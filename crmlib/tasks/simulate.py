"""模拟：一回合一回合地经营。规则写在题目里，是公开的；种子一定，结果就一定。

答案：{"seed": 种子, "log": [{动作: 值}, …], "last": 上一局走完的 {"seed", "log"}（可以没有）}，一回合一条。
记录重走一遍，得到完全一样的结局：所以存的只是记录，状态和得分都是重算出来的。
算分的是这一局；这一局没走完，就算上一局走完的。没走完的不得分。
得分 = 每个目标的份额 × 达到的程度（0 到 1）之和。

每回合：抽运气（chance）→ 查这一回合的表（by_turn）→ 依次算 updates → 状态四舍五入到各自的小数位。
屏幕上看到的数，就是接着往下算的数；不同的电脑、不同的 Python，走出来也一样。
"""

from crmlib.tasks.numbers import formula, formula_fault, read_number
from crmlib.tasks.wording import in_words

_KERNEL = ("turns", "turn_name", "turn_labels", "state", "by_turn", "actions", "chance", "updates", "stop",
           "says", "seeds")
_SCREEN = ("turns", "turn_name", "turn_labels", "by_turn", "actions", "seeds", "goals")


def public(task) -> dict:
    """All that is needed to play. How goals are turned into points is not told."""
    shown = {name: task[name] for name in _KERNEL if name in task}
    return {**shown, "goals": [{"name": g["name"]} for g in task["goals"]]}


def screen(task) -> dict:
    """What the browser gets: the rules in words, no hidden variable, nothing that is only for computing."""
    kept = {name: value for name, value in task.items() if name in _SCREEN or name not in public(task)}
    return {**kept, "turn_name": turn_name(task), "seeds": seeds(task), "rules": rules(task),
            "state": {name: spec for name, spec in task["state"].items() if not spec.get("hidden")},
            "secrets": [spec["title"] for spec in _hidden(task).values()]}


def turn_name(task) -> str:
    return task.get("turn_name", "回合")


def seeds(task) -> list[int]:
    return task.get("seeds", [1])


def _hidden(task) -> dict[str, dict]:
    both = {**task["state"], **task.get("chance", {})}
    return {name: spec for name, spec in both.items() if spec.get("hidden")}


# ---- 走一遍 ----

def begin(task) -> dict:
    return {name: spec["start"] for name, spec in task["state"].items()}


def draws(task, seed: int, turn: int) -> dict:
    """This turn's chances: always the same for the same seed and turn, whatever the student does.

    A chance drawn ``once`` keeps its value through the whole game.
    """
    return {name: _draw(how, f"{seed}/{0 if how.get('once') else turn}/{name}")
            for name, how in task.get("chance", {}).items()}


def _draw(how, place: str):
    from random import Random
    from statistics import NormalDist

    luck = Random(place).random()  # 用文字做种子，各版 Python 抽到的一样
    if "pick" in how:
        for value, weight in how["pick"].items():
            luck -= weight
            if luck < 0:
                return value
        return value
    if "between" in how:
        low, high = how["between"]
        drawn = low + luck * (high - low)
    else:
        mean, spread = how["normal"]
        drawn = NormalDist(mean, spread).inv_cdf(min(max(luck, 1e-6), 1 - 1e-6)) if spread else mean
    return formula("round(x, places)", {"x": drawn, "places": how.get("decimals", 2)})


def read_action(task, action) -> dict | None:
    """A turn's decisions, ready to compute with; None if one is missing or not among what may be chosen."""
    if not isinstance(action, dict) or set(action) != set(task["actions"]):
        return None
    read = {name: _read_choice(spec, action[name]) for name, spec in task["actions"].items()}
    return None if None in read.values() else read


def _read_choice(spec, raw):
    if "options" in spec:
        return raw if isinstance(raw, str) and raw in spec["options"] else None
    number, step = read_number(raw, spec.get("unit", "")), spec.get("step", 1)
    # 7.4 + 8 × 0.1 比 8.2 大一点点：也算选得到
    if number is None or not spec["min"] - 1e-6 <= number <= spec["max"] + 1e-6:
        return None
    steps = (number - spec["min"]) / step
    if abs(steps - round(steps)) > 1e-6:
        return None
    exact = round(spec["min"] + round(steps) * step, 6)  # 3.3000000000000003 → 3.3
    return int(exact) if exact == int(exact) else exact


def ahead(task, turn: int) -> dict:
    """What the tables say of a turn (from 1)."""
    return {name: spec["values"][turn - 1] for name, spec in task.get("by_turn", {}).items()}


def step(task, state: dict, action: dict, seed: int, turn: int) -> tuple[dict, dict]:
    """One turn: (state after it, all that was known while it was worked out)."""
    known = {**state, **action, **ahead(task, turn), **draws(task, seed, turn), "turn": turn}
    for update in task["updates"]:
        value = formula(update["to"], known)
        if value is not None:  # 算不出来的（crm check 会指出来），就不变
            known[update["set"]] = int(value) if isinstance(value, bool) else value
    for name, spec in task["state"].items():
        if isinstance(known[name], int | float):
            known[name] = formula("round(x, places)", {"x": known[name], "places": spec.get("decimals", 2)})
    return {name: known[name] for name in task["state"]}, known


def over(task, state: dict, turn: int) -> bool:
    return turn >= task["turns"] or bool("stop" in task and formula(task["stop"], {**state, "turn": turn}))


def replay(task, game) -> tuple[list[dict], list[dict], bool]:
    """Walk a game: (states from the start on, what was known at each, whether it could be walked whole)."""
    states, known = [begin(task)], [{**begin(task), "turn": 0}]
    log, seed = (game.get("log"), game.get("seed")) if isinstance(game, dict) else (None, None)
    if not isinstance(log, list) or type(seed) is not int or seed not in seeds(task):
        return states, known, False
    for turn, raw in enumerate(log, 1):
        action = read_action(task, raw)
        if action is None or over(task, states[-1], turn - 1):
            return states, known, False
        state, seen = step(task, states[-1], action, seed, turn)
        states.append(state)
        known.append(seen)
    return states, known, True


def finished(task, game) -> bool:
    states, _, whole = replay(task, game)
    return whole and over(task, states[-1], len(states) - 1)


def counted(task, answer):
    """The game that counts: the present one, or the last finished one if the present is not finished."""
    last = answer.get("last") if isinstance(answer, dict) else None
    return last if last is not None and not finished(task, answer) else answer


def told(task, known: dict) -> list[str]:
    """Lines of the story that hold now, with the numbers put in."""
    lines = [line["text"] for line in task.get("says", []) if formula(line["if"], known)]
    return [_fill(task, line, known) for line in lines]


def _fill(task, line: str, known: dict) -> str:
    for name, value in known.items():
        if f"{{{name}}}" in line:
            line = line.replace(f"{{{name}}}", _shown(_spec(task, name), value))
    return line


# ---- 给浏览器看 ----

def view(task, answer) -> dict:
    """The game as played so far, for the screen: hidden variables come only when it is over."""
    game = answer if isinstance(answer, dict) else {"seed": _first_seed(task), "log": []}
    states, known, _ = replay(task, game)
    visible = [{n: v for n, v in state.items() if not task["state"][n].get("hidden")} for state in states]
    done = over(task, states[-1], len(states) - 1)
    return {
        "seed": game["seed"], "turn": len(states) - 1, "over": done, "states": visible,
        "lines": [told(task, seen) for seen in known],
        "log": [{n: seen[n] for n in task["actions"]} for seen in known[1:]],
        "goals": _reached(task, game) if done and "key" in task and task.get("use") != "graded" else [],
        "secrets": [{"title": spec["title"], "text": _shown(spec, known[-1][n])}
                    for n, spec in _hidden(task).items()] if done else [],
        "last": isinstance(answer, dict) and counted(task, answer) is not answer,
    }


def _first_seed(task) -> int:
    """Practice begins with the first seed; in an assignment each student draws one."""
    from random import choice

    return choice(seeds(task)) if task.get("use") == "graded" else seeds(task)[0]


def _spec(task, name: str) -> dict:
    update = next((u for u in task["updates"] if u["set"] == name), {})
    parts = (task["state"], task["actions"], task.get("by_turn", {}), task.get("chance", {}))
    return next((part[name] for part in parts if name in part), update)


def _shown(spec, value) -> str:
    if isinstance(value, str):
        return str(spec.get("options", {}).get(value, value))
    value = formula("round(x, places)", {"x": value, "places": spec.get("decimals", 2)})
    unit = spec.get("unit", "")
    return f"{value:,.10g}{' ' * bool(unit)}{unit}".replace(" %", "%")


def rules(task) -> list[dict]:
    """The rules in words: [{about, say, how}], in the order in which a turn is worked through."""
    titles = {name: spec.get("title", name) for part in ("state", "actions", "by_turn", "chance")
              for name, spec in task.get(part, {}).items()}
    titles |= {u["set"]: u["title"] for u in task["updates"] if "title" in u}
    titles["turn"] = f"第几{turn_name(task)}"
    for spec in task["actions"].values():
        titles |= spec.get("options", {})
    told = [{"about": how["title"], "say": how.get("say", ""), "how": _luck(task, how)}
            for how in task.get("chance", {}).values()]
    told += [{"about": titles[u["set"]], "say": u.get("say", ""), "how": in_words(u["to"], titles)}
             for u in task["updates"]]
    ends = f"走完第 {task['turns']} {turn_name(task)}"
    early = f"，或者：{in_words(task['stop'], titles)}" if "stop" in task else ""
    return [*told, {"about": "什么时候结束", "say": "", "how": ends + early}]


def _luck(task, how) -> str:
    when = "开局时抽一次，以后不变" if how.get("once") else f"每{turn_name(task)}抽一次"
    if how.get("hidden"):
        return f"{when}；现在看不见，结束时揭开"
    if "pick" in how:
        return f"{when}：" + "，".join(f"{value} {weight:.0%}" for value, weight in how["pick"].items())
    if "between" in how:
        low, high = how["between"]
        return f"{when}：{low:g} 到 {high:g} 之间，哪个数都一样可能"
    mean, spread = how["normal"]
    return f"{when}：多半在 {mean - spread:g} 到 {mean + spread:g} 之间，平均 {mean:g}"


# ---- 评分 ----

def missing(task, answer) -> list[str]:
    if finished(task, counted(task, answer)):
        return []
    turns = len(replay(task, answer)[0]) - 1
    return [f"才走到第 {turns} {turn_name(task)}，还没有走完。"] if turns else ["还没有开始。"]


def unreadable(task, answer) -> str | None:
    last = answer.get("last") if isinstance(answer, dict) else None
    sound = replay(task, answer)[2] and (last is None or finished(task, last))
    return None if sound else "这份记录和题目对不上，从头再来一次。"


def malformed(task, answer) -> list[str]:
    return []


def summary(task, game) -> dict:
    """What goals and mistakes may ask about a finished game.

    The end state and ``turn``; of each number NAME_min, NAME_max, NAME_mean over the turns; of each numeric
    action also NAME_first, NAME_last; of each choice NAME_OPTION: in which part of the turns it was taken.
    """
    states, known, _ = replay(task, game)
    seen = {**states[-1], "turn": len(states) - 1}
    for name in (*task["state"], *task["actions"]):
        values = [turn[name] for turn in known[1:]]
        options = task["actions"].get(name, {}).get("options")
        if options:
            seen |= {f"{name}_{option}": values.count(option) / len(values) for option in options}
        elif all(isinstance(v, int | float) for v in values):
            seen |= {f"{name}_min": min(values), f"{name}_max": max(values),
                     f"{name}_mean": sum(values) / len(values)}
            if name in task["actions"]:
                seen |= {f"{name}_first": values[0], f"{name}_last": values[-1]}
    return seen


def _reached(task, game) -> list[dict]:
    seen = summary(task, game)
    got = [min(max(float(formula(g["formula"], seen) or 0), 0.0), 1.0) for g in task["goals"]]
    return [{"name": g["name"], "reached": part} for g, part in zip(task["goals"], got, strict=True)]


def _shares(task) -> list[float]:
    given = [g.get("share") for g in task["goals"]]
    left, rest = 1 - sum(s for s in given if s is not None), given.count(None)
    return [left / rest if s is None else s for s in given]


def share(task, answer) -> tuple[float, dict]:
    game = counted(task, answer)
    if unreadable(task, answer) or not finished(task, game):
        return 0.0, {}
    reached = _reached(task, game)
    score = sum(part * goal["reached"] for part, goal in zip(_shares(task), reached, strict=True))
    return score, {goal["name"]: goal["reached"] > 1 - 1e-9 for goal in reached}


def general(task, answer, where) -> list[str]:
    """The hints of the goals that were not reached."""
    failed = (g for g in task["goals"] if not where.get(g["name"], True))
    return [g.get("hint") or f"“{g['name']}”没有做到。" for g in failed]


def matches(task, when, answer) -> bool:
    """``when``: a formula over the ``summary`` of the game."""
    game = counted(task, answer)
    return finished(task, game) and bool(formula(when, summary(task, game)))


# ---- 标准走法 ----

def play(task, policy: list[dict], seed: int) -> dict:
    """A whole game: one entry of ``policy`` a turn, the last one again and again to the end.

    A decision is a value, or a formula over what is on the screen: visible state, tables, ``turn``.
    """
    state, log = begin(task), []
    while not over(task, state, len(log)):
        action = decide(task, policy[min(len(log), len(policy) - 1)], state, len(log) + 1)
        read = read_action(task, action)
        if read is None:
            raise ValueError(f"第 {len(log) + 1} {turn_name(task)}的动作不合规则：{action}")
        log.append(read)
        state, _ = step(task, state, read, seed, len(log))
    return {"seed": seed, "log": log}


def decide(task, entry: dict, state: dict, turn: int) -> dict:
    """One turn's decisions of a policy; numbers worked out by a formula are moved to what can be set."""
    known = {n: v for n, v in state.items() if not task["state"][n].get("hidden")}
    known |= {**ahead(task, turn), "turn": turn}
    return {name: _decide(task["actions"].get(name, {}), value, known) for name, value in entry.items()}


def _decide(spec, value, known):
    if not isinstance(value, str) or value in spec.get("options", {}):
        return value
    found = formula(value, known)
    if "min" in spec and isinstance(found, int | float):
        steps = formula("round(x)", {"x": (min(max(found, spec["min"]), spec["max"]) - spec["min"])
                                     / spec.get("step", 1)})
        return spec["min"] + steps * spec.get("step", 1)
    return found


def overlay(task, when) -> dict:
    """A game in which the mistake is made: its ``example`` played."""
    mistake = next(m for m in task["mistakes"] if m["when"] == when)
    return play(task, mistake["example"], seeds(task)[0])


def key_answer(task) -> dict | None:
    return play(task, task["key"], seeds(task)[0]) if "key" in task else None


def solution(task, answer) -> dict | None:
    """A game with full marks, in the same situation as the student's."""
    return play(task, task["key"], counted(task, answer)["seed"]) if "key" in task else None


def value(task, answer) -> dict:
    """For later cells: {"end": visible state, "turns": played, "over": whether finished, "seed", "log"}."""
    game = counted(task, answer)
    shown = view(task, game)
    return {"end": shown["states"][-1], "turns": shown["turn"], "over": shown["over"],
            "seed": shown["seed"], "log": shown["log"]}


def text(task, answer) -> str:
    game = counted(task, answer)
    states, known, whole = replay(task, game)
    if not whole or len(states) == 1:
        return ""
    did, now = task["actions"], task["state"]
    lines = [f"{turn_label(task, turn)}：{_of(task, did, seen)} → {_of(task, now, seen)}"
             for turn, seen in enumerate(known[1:], 1)]
    if not over(task, states[-1], len(states) - 1):
        lines.append("（还没有走完）")
    return "\n".join(lines)


def turn_label(task, turn: int) -> str:
    """What a turn is called: “第 3 周”, or its own name."""
    return task["turn_labels"][turn - 1] if "turn_labels" in task else f"第 {turn} {turn_name(task)}"


def _of(task, part, seen) -> str:
    return "，".join(f"{spec['title']} {_shown(spec, seen[name])}" for name, spec in part.items()
                    if not spec.get("hidden"))


# ---- 题目本身站得住吗 ----

def faults(task) -> list[str]:
    return _shape_faults(task) or _formula_faults(task) or _play_faults(task)


def _shape_faults(task) -> list[str]:
    found, turns = [], task["turns"]
    groups = [task["state"], task["actions"], task.get("by_turn", {}), task.get("chance", {})]
    names = [name for group in groups for name in group] + ["turn"]
    found += [f"名字“{n}”用了两次：状态、动作、表、运气不能同名，也不能叫 turn"
              for n in sorted({n for n in names if names.count(n) > 1})]
    found += [f"名字“{n}”要用英文字母开头，只含字母、数字、下划线" for n in names if not n.isidentifier()]
    for name, spec in task.get("by_turn", {}).items():
        if len(spec["values"]) != turns:
            found.append(f"by_turn“{name}”有 {len(spec['values'])} 个数，turns 是 {turns}，要一样多")
    if len(task.get("turn_labels", range(turns))) != turns:
        found.append(f"turn_labels 有 {len(task['turn_labels'])} 个，turns 是 {turns}，要一样多")
    for name, spec in task["actions"].items():
        if _read_choice(spec, default(spec)) is None:
            found.append(f"动作“{name}”的 start“{default(spec)}”选不出来：看看 options，或者 min、max、step")
    for name, how in task.get("chance", {}).items():
        if "pick" in how and abs(sum(how["pick"].values()) - 1) > 1e-9:
            found.append(f"运气“{name}”的可能性加起来是 {sum(how['pick'].values()):g}，应当是 1")
    own = {name for group in groups[1:] for name in group}
    for update in task["updates"]:
        if update["set"] in own or update["set"] == "turn":
            found.append(f"updates 里的“{update['set']}”是动作、表或运气，不能改；换个名字")
        elif update["set"] not in task["state"] and "title" not in update:
            found.append(f"updates 里的“{update['set']}”不是状态，要有 title：学生要读得懂规则")
    if len({g["name"] for g in task["goals"]}) < len(task["goals"]):
        found.append("goals 里有两个目标同名")
    given = [g["share"] for g in task["goals"] if "share" in g]
    if sum(given) > 1 - 1e-9 if len(given) < len(task["goals"]) else abs(sum(given) - 1) > 1e-9:
        found.append("goals 的 share 加起来应当是 1（没有写的，平分剩下的）")
    return found


def default(spec):
    """Where a control stands before anyone touches it: its ``start``, the first option, the minimum."""
    return spec.get("start", next(iter(spec["options"])) if "options" in spec else spec.get("min"))


def _formula_faults(task) -> list[str]:
    known = {*task["state"], *task["actions"], *task.get("by_turn", {}), *task.get("chance", {}), "turn"}
    found = []

    def look(place, text, names):
        fault = formula_fault(str(text), names)
        if fault:
            found.append(f"{place}：{fault}")

    for update in task["updates"]:
        look(f"updates“{update['set']}”", update["to"], known)
        known.add(update["set"])
    if "stop" in task:
        look("stop", task["stop"], {*task["state"], "turn"})
    for line in task.get("says", []):
        look("says", line["if"], known)
        found += [f"says“{line['text'][:12]}…”里的 {{{name}}} 不存在"
                  for name in sorted(_blanks(line["text"]) - known)]
    if not found and not over(task, begin(task), 0):
        ended = summary(task, _defaults(task, seeds(task)[0]))
        for goal in task["goals"]:
            look(f"目标“{goal['name']}”", goal["formula"], ended)
        for mistake in task.get("mistakes", []):
            look(f"mistakes“{mistake['name']}”的 when", mistake["when"], ended)
    return found


def _blanks(line: str) -> set[str]:
    return {part.split("}")[0] for part in line.split("{")[1:]}


def _defaults(task, seed) -> dict:
    return play(task, [{name: default(spec) for name, spec in task["actions"].items()}], seed)


def _play_faults(task) -> list[str]:
    if over(task, begin(task), 0):
        return ["一开始就满足 stop：一回合也走不了"]
    found = _broken_sums(task)
    policies = [("key", task["key"]), *((f"mistakes“{m['name']}”的 example", m["example"])
                                        for m in task.get("mistakes", []))]
    for place, policy in policies:
        try:
            games = [(seed, play(task, policy, seed)) for seed in seeds(task)]
        except ValueError as fault:
            found.append(f"{place}{fault}")
            continue
        if place == "key":
            found += _key_faults(task, games)
        else:
            found += _mistake_faults(task, place, games)
    found += [f"种子 {seed} 下，什么也不改，一直点下去就能得满分：换一换 start，或者把目标定高"
              for seed in seeds(task) if share(task, _defaults(task, seed))[0] > 1 - 1e-9]
    return found


def _key_faults(task, games) -> list[str]:
    # 每个种子都要能得满分，否则学生抽到的题不公平
    found = []
    for seed, game in games:
        score, where = share(task, game)
        if score < 1 - 1e-9:
            bad = "、".join(name for name, ok in where.items() if not ok)
            end = _of(task, task["state"], summary(task, game))
            found.append(f"种子 {seed} 下，key 得不到满分（{bad}）；结局：{end}")
    return found


def _mistake_faults(task, place, games) -> list[str]:
    found = []
    for seed, game in games:
        known = [m["name"] for m in task["mistakes"] if matches(task, m["when"], game)]
        if f"mistakes“{'、'.join(known)}”的 example" != place:
            found.append(f"种子 {seed} 下，{place}认成了：{'、'.join(known) or '哪个错误都不是'}")
        if share(task, game)[0] > 1 - 1e-9:
            found.append(f"种子 {seed} 下，{place}没有丢分")
    return found


def _broken_sums(task, games: int = 20) -> list[str]:
    """Updates that cannot be worked out in some game (division by zero …), found by playing at random."""
    from random import Random

    broken = set()
    for number in range(games):
        luck, seed, state, turn = Random(number), seeds(task)[number % len(seeds(task))], begin(task), 0
        while not over(task, state, turn):
            turn += 1
            action = {n: _anything(spec, luck) for n, spec in task["actions"].items()}
            known = {**state, **action, **ahead(task, turn), **draws(task, seed, turn), "turn": turn}
            for update in task["updates"]:
                known[update["set"]] = formula(update["to"], known)
                if known[update["set"]] is None:
                    broken.add(f"updates“{update['set']}”有时算不出来（除以 0，或者文字当了数），"
                               f"例如第 {turn} {turn_name(task)}")
                    known[update["set"]] = 0
            state, _ = step(task, state, action, seed, turn)
    return sorted(broken)


def _anything(spec, luck):
    if "options" in spec:
        return luck.choice(list(spec["options"]))
    steps = round((spec["max"] - spec["min"]) / spec.get("step", 1))
    return _read_choice(spec, spec["min"] + luck.randint(0, steps) * spec.get("step", 1))
