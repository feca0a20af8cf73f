"""排序：把几步排成先后。答案：编号的列表，从先到后。

key 是编号的列表；可以并列的几步写成一个小列表，谁先谁后都对：[a, [b, c], d]。
得分看“两两比先后”：每两步比一次，先后对了记 1；并列的两步不比。全凭猜也能对一半，
所以得分 = 2 × 对的比例 − 1，最低零分。例如 4 步有 6 对，只颠倒相邻的两步，对 5 对，得 2 × 5/6 − 1 = 2/3。
"""

from hashlib import sha256
from itertools import combinations, pairwise

from crmlib.tasks.classify import card_text

BANK = "items"


def public(task) -> dict:
    return {"items": task["items"], "shown": _shown(task)}


def _shown(task) -> list[str]:
    """How the items stand at first: mixed by the task's id, and where the key is known, not as in the key.

    A released task has no key, so the order found at the build travels with it.
    """
    if "shown" in task:
        return [item for item in task["shown"] if item in task["items"]]
    for salt in range(100):
        mixed = sorted(task["items"], key=lambda item: _hash(f"{task['id']} {salt} {item}"))
        if "key" not in task or share(task, mixed)[0] < 0.5:
            break
    return mixed


def _hash(name: str) -> bytes:
    return sha256(name.encode()).digest()


def _groups(key) -> list[list[str]]:
    return [group if isinstance(group, list) else [group] for group in key]


def _rank(task) -> dict[str, int]:
    return {item: place for place, group in enumerate(_groups(task["key"])) for item in group}


def _listed(task, answer) -> list[str]:
    if not isinstance(answer, list):
        return []
    return list(dict.fromkeys(a for a in answer if isinstance(a, str) and a in task["items"]))


def missing(task, answer) -> list[str]:
    listed = _listed(task, answer)
    if not listed:
        return ["还没有排。"]
    left = len(task["items"]) - len(listed)
    return [f"还有 {left} 步没有排进去。"] if left else []


def unreadable(task, answer) -> str | None:
    if not isinstance(answer, list):
        return "这份答案读不出来，重新排一次。"
    if len(_listed(task, answer)) < len(answer):
        return "答案里有重复的步骤，或者这道题没有的步骤，重新排一次。"
    return None


def malformed(task, answer) -> list[str]:
    return []


def _compared(task, listed) -> tuple[int, int]:
    """(pairs in the right order, pairs that have an order); an item left out is in no right pair."""
    rank, place = _rank(task), {item: n for n, item in enumerate(listed)}
    pairs = [(a, b) for a, b in combinations(task["items"], 2) if rank[a] != rank[b]]
    right = sum((place[a] < place[b]) == (rank[a] < rank[b]) for a, b in pairs if a in place and b in place)
    return right, len(pairs)


def share(task, answer) -> tuple[float, dict]:
    listed = _listed(task, answer)
    right, pairs = _compared(task, listed)
    stays = _longest_run(listed, _rank(task))
    part = max(0.0, 2 * right / pairs - 1) if pairs else float(bool(listed))
    return part, {item: item in stays for item in listed}


def _longest_run(listed, rank) -> set[str]:
    """The most items that are in order among themselves; moving only the others puts all in order."""
    runs: list[list[str]] = []  # runs[n]：排到第 n 个为止、以它结尾的最长的一串
    for item in listed:
        before = [run for run in runs if rank[run[-1]] <= rank[item]]
        runs.append([*max(before, key=len, default=[]), item])
    return set(max(runs, key=len, default=[]))


def general(task, answer, where) -> list[str]:
    rank, listed = _rank(task), _listed(task, answer)
    right, pairs = _compared(task, listed)
    said = [f"两两比先后，{pairs} 对里对了 {right} 对。把带 ✗ 的挪一挪。"]
    for a, b in pairwise(listed):
        if rank[a] > rank[b]:
            titles = [card_text(task["items"][item]) for item in (a, b)]
            return [*said, f"先看这两步：“{titles[0]}”和“{titles[1]}”，谁应当在前？"]
    return said


def matches(task, when, answer) -> bool:
    """``when`` is a list: these items, in this order, one straight after the other."""
    listed = _listed(task, answer)
    return any(listed[n: n + len(when)] == list(when) for n in range(len(listed)))


def overlay(task, when) -> list[str]:
    """The key with the items of ``when`` put together, where the first of them stood."""
    listed, when = key_answer(task), list(when)
    rest = [item for item in listed if item not in when]
    start = min(listed.index(item) for item in when)
    start = sum(item in rest for item in listed[:start])
    return [*rest[:start], *when, *rest[start:]]


def key_answer(task) -> list[str] | None:
    return [item for group in _groups(task["key"]) for item in group] if "key" in task else None


def text(task, answer) -> str:
    steps = [card_text(task["items"][item]) for item in _listed(task, answer)]
    return "\n".join(f"{n}. {step}" for n, step in enumerate(steps, 1))


def faults(task) -> list[str]:
    items, listed = task["items"], key_answer(task)
    found = [f"key 里的“{k}”不存在" for k in listed if k not in items]
    found += [f"key 里没有“{k}”" for k in items if k not in listed]
    if len(listed) != len(set(listed)):
        found.append("key 里有重复的步骤")
    if len(task["key"]) < 2:
        found.append("key 里的步骤全都并列，没有先后可排")
    if task.get("draw", len(items)) <= max(map(len, _groups(task["key"]))):
        found.append("draw 太小：抽到的几步可能全是并列的，没有先后可排")
    for mistake in task.get("mistakes", []):
        place = f"mistakes“{mistake['name']}”"
        found += [f"{place}里的“{w}”不存在" for w in mistake["when"] if w not in items]
        if len(set(mistake["when"])) < 2:
            found.append(f"{place}的 when 至少写两步")
    return found
