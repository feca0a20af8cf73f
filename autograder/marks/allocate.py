"""分派互评：谁给谁打分。从不给自己，人人评得一样多，也被评得一样多；有人走了，只补缺的。"""

import random
from collections import Counter, deque


def allocate(
    allowed: dict[str, list[str]], each: int, seed: str, kept: dict | None = None
) -> dict[str, list]:
    """{rater: targets}: every rater gets min(each, all he may) targets; targets' loads are as even as can be.

    ``allowed``: {rater: whom he may rate}. ``kept``: {rater: targets} given out before; those that are still
    allowed stay (a rater who has more than ``each`` keeps them). The same input and seed give the same
    result, in whatever order the input stands.

    >>> ring = {"a": ["b", "c"], "b": ["a", "c"], "c": ["a", "b"]}
    >>> sorted(Counter(t for targets in allocate(ring, 1, "x").values() for t in targets).values())
    [1, 1, 1]
    """
    dice = random.Random(f"{seed}")
    raters = sorted(allowed)
    lots = {t: dice.random() for t in sorted({t for targets in allowed.values() for t in targets})}
    choice = {r: {t for t in (kept or {}).get(r, ()) if t in set(allowed[r])} for r in raters}
    fixed = {r: set(targets) for r, targets in choice.items()}
    load = Counter({t: 0 for t in lots})
    load.update(t for targets in choice.values() for t in targets)
    dice.shuffle(raters)
    for turn in range(each):  # 一轮一个，轮流挑：谁被评得少，先挑谁
        for r in raters:
            free = [t for t in allowed[r] if t not in choice[r]]
            if len(choice[r]) <= turn and free:
                pick = min(free, key=lambda t: (load[t], lots[t]))
                choice[r].add(pick)
                load[pick] += 1
    while swaps := _evener(allowed, choice, fixed, load):
        for r, old, new in swaps:
            choice[r].remove(old)
            choice[r].add(new)
            load[old] -= 1
            load[new] += 1
    return {r: sorted(choice[r], key=lambda t: (lots[t], t)) for r in sorted(allowed)}


def top_up(allowed: dict, choice: dict, least: int, given: dict | None = None) -> dict[str, list]:
    """``choice`` with more raters for targets that have fewer than ``least``, from those with least to do.

    ``given``: {target: marks that it has already from raters who are gone}.
    """
    choice = {r: list(choice.get(r, ())) for r in sorted(allowed)}
    load = Counter(given or {})
    load.update(t for targets in choice.values() for t in targets)
    for t in sorted({t for targets in allowed.values() for t in targets}):
        while load[t] < least:
            free = [r for r in choice if t in allowed[r] and t not in choice[r]]
            if not free:
                break
            choice[min(free, key=lambda r: (len(choice[r]), r))].append(t)
            load[t] += 1
    return choice


def _evener(allowed, choice, fixed, load) -> list[tuple]:
    """Swaps (rater, old target, new target) that move one unit of load from a target to one that has at
    least two less, over others in between if need be; [] if there are none: then no split is more even."""
    for top in sorted(load, key=lambda t: (-load[t], t)):
        came, queue = {top: None}, deque([top])
        while queue:
            here = queue.popleft()
            if load[here] <= load[top] - 2:
                path = []
                while came[here]:
                    path.append((came[here][0], came[here][1], here))
                    here = came[here][1]
                return path
            for r in sorted(choice):
                if here in choice[r] and here not in fixed[r]:
                    for t in sorted(allowed[r]):
                        if t not in came and t not in choice[r]:
                            came[t] = (r, here)
                            queue.append(t)
    return []
