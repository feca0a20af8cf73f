"""``crm class similar 单元``：找出很像的作业，给老师看，不自动处罚。

对的答案本来就一样，不算像；看的是一样的**错**（越少见的错，分量越重）、一样的字句、一样的代码、
同一个答案文件的痕迹。很像不等于抄：也许一起做的，也许同一个地方没听懂。
"""

import html
import io
import json
import math
import re
import tokenize
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import combinations

from autograder.classroom import database
from autograder.classroom.course import Classroom, add_course, find
from autograder.classroom.report import CSS, REPORTS, save
from autograder.classroom.results import Item, Student, item_text, items, read, students
from autograder.classroom.roster import Roster
from crmlib.cli import CourseError, Parser
from crmlib.tasks import text

SHINGLE = 6  # 字
CODE_SHINGLE = 5  # 记号
COMMON = 0.2  # 全班两成以上的人都有的字句，是题目教的，不算
TEXT_LEAST, TEXT_SHARE = 15, 0.5  # 至少共有这么多段；占短的那一份的这么多
WRONG_LEAST, WRONG_SHARE = 3, 0.6
CROWD = 60  # 一个错有这么多人犯，就不再两两比


@dataclass
class Pair:
    """Two students and what is alike: [(kind, sentence, quotes)]; ``weight`` sorts the list."""

    a: str
    b: str
    weight: float = 0.0
    alike: list[tuple[str, str, list[str]]] = field(default_factory=list)


def main(argv) -> int:
    """List pairs of submissions that are alike beyond what right answers explain."""
    parser = Parser(prog="crm class similar", description="很像的作业，给老师看，不自动处罚")
    parser.add_argument("unit", metavar="单元", help="2.2 或 2.2-swot-pest")
    add_course(parser)
    options = parser.parse_args(argv)
    room = find(options.course)
    name = room.assignment(options.unit)
    pairs, roster, count = look(room, name)
    written = render(name, pairs, roster, count).encode("utf-8", "replace")
    page = save(room.root / REPORTS, f"{name}-雷同.html", written)
    print(f"{name}：比了 {count} 份，有 {len(pairs)} 对很像。给老师看，不自动处罚。")
    for pair in pairs[:20]:
        said = "；".join(line for _, line, _ in pair.alike)
        print(f"  {roster.shown(pair.a)} 和 {roster.shown(pair.b)}：{said}")
    print(f"像在哪里，逐条写在：{page}")
    return 0


def look(room: Classroom, name: str) -> tuple[list[Pair], Roster, int]:
    """(pairs, class list, number of submissions compared). Graded or not does not matter."""
    wanted = items(room, name)
    with database.opened(room) as book:
        roster = Roster.read(book)
        found = {s.id: s for s in students(room, book, name, wanted)}
    for student in room.students_in("submitted", name):
        if student not in found:
            places = (room.folder(step, student, name) for step in ("submitted", "autograded"))
            found[student] = read(Student(student), *places, wanted)
    if len(found) < 2:
        raise CourseError(f"{name} 只收到 {len(found)} 份，没有可以比的。")
    return compare(list(found.values()), wanted, _given(room, name)), roster, len(found)


def _given(room: Classroom, name: str) -> str:
    """All text that everybody was given: what is copied from it is no sign of anything."""
    source = room.folder("source", ".", name)
    parts = []
    for path in [*source.glob("*.ipynb"), *source.glob("tasks/*.json")]:
        content = json.loads(path.read_text("utf-8"))
        parts += ["".join(c["source"]) for c in content.get("cells", [])]
        parts += _strings(content.get("tasks", []))
    return "\n".join(parts)


def _strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inside in value.values() if isinstance(value, dict) else value:
            yield from _strings(inside)


def compare(found: list[Student], wanted: list[Item], given: str = "") -> list[Pair]:
    """Pairs that are alike, the most alike first."""
    pairs: dict[tuple[str, str], Pair] = {}

    def tell(a, b, kind, weight, line, quotes=()):
        pair = pairs.setdefault(tuple(sorted((a, b))), Pair(*sorted((a, b))))
        pair.weight += weight
        pair.alike.append((kind, line, list(quotes)))

    _same_file(found, tell)
    _same_mistakes(found, wanted, tell)
    texts = {s.id: _texts(s, wanted) for s in found}
    _same_shingles(texts, _text_shingles, given, "字句", tell)
    _same_shingles({s.id: s.code for s in found}, _code_shingles, given, "代码", tell)
    return sorted(pairs.values(), key=lambda p: (-p.weight, p.a, p.b))


# ---- 同一个文件 ----

def _same_file(found, tell) -> None:
    """Traces of one answers.json in two hands: its seed, or its times to the second."""
    by_seed = defaultdict(list)
    for s in found:
        if s.seed:
            by_seed[s.seed].append(s.id)
    for people in by_seed.values():
        for a, b in combinations(people[:CROWD], 2):
            tell(a, b, "文件", 30, "答案文件是同一份复制来的（抽题用的种子一样，各人的本来不会一样）")
    by_time = defaultdict(set)
    for s in found:
        for task, when in s.saved.items():
            by_time[task, when].add(s.id)
    shared = Counter(pair for people in by_time.values() if 1 < len(people) <= CROWD
                     for pair in combinations(sorted(people), 2))
    for (a, b), count in shared.items():
        if count >= 3:
            tell(a, b, "文件", 20, f"有 {count} 题的保存时间一秒不差")


# ---- 一样的错 ----

def _same_mistakes(found, wanted, tell) -> None:
    """Equal wrong answers, each weighed by how rare it is: −log of the share of the class that has it."""
    wrong = {s.id: _wrong(s, wanted) for s in found}
    who = defaultdict(list)
    for student, answers in wrong.items():
        for answer in answers:
            who[answer].append(student)
    n = len(found)
    weights = {answer: math.log(n / len(people)) for answer, people in who.items()}
    shared = defaultdict(list)
    for answer, people in who.items():
        if 1 < len(people) <= max(3, min(CROWD, n / 2)):
            for pair in combinations(sorted(people), 2):
                shared[pair].append(answer)
    # 门槛跟着班走：人多，碰巧一样的对数就多；要比“全班随便哪一对”都少见
    bar = max(6.0, 1.5 * math.log(max(n * (n - 1) / 2, 1)))
    for (a, b), answers in shared.items():
        weight = sum(weights[x] for x in answers)
        fewer = min(sum(weights[x] for x in wrong[s]) for s in (a, b))
        if len(answers) >= WRONG_LEAST and weight >= bar and weight >= WRONG_SHARE * fewer:
            rarest = sorted(answers, key=lambda x: -weights[x])[:8]
            tell(a, b, "错法", weight, f"{len(answers)} 处错得一样，而且少见",
                 [f"{answer[2]}（全班 {len(who[answer])} 人这样错）" for answer in rarest])


def _wrong(student: Student, wanted) -> set[tuple[str, str, str]]:
    """Wrong small answers: {(cell, which, what he answered in words)}."""
    found = set()
    for item in wanted:
        result, answer = student.results.get(item.name), student.answers.get(item.task.get("id"))
        if result is None or answer in (None, "", [], {}) or result.state == "right":
            continue
        if isinstance(answer, dict):
            for place, right in result.where.items():
                if not right and place in answer:
                    said = json.dumps(answer[place], ensure_ascii=False, sort_keys=True)[:80]
                    found.add((item.name, place, f"{item.label} 的 {_words(item.task, place)}：答 "
                                                 f"{_choice(item.task, said)}"))
        else:
            said = text(item.task, answer).replace("\n", "；") or json.dumps(answer, ensure_ascii=False)
            found.add((item.name, "", f"{item.label}：答 {said[:120]}"))
    return found


def _words(task, place) -> str:
    said = item_text(task, place)
    return said if len(said) <= 24 else said[:23] + "…"


def _choice(task, said) -> str:
    for holder in ("bins", "right", "options"):
        inside = task.get(holder)
        if isinstance(inside, dict) and said.strip('"') in inside:
            value = inside[said.strip('"')]
            return str(value.get("text", said) if isinstance(value, dict) else value)
    return said


# ---- 一样的字句、代码 ----

def _texts(student: Student, wanted) -> dict[str, str]:
    """{where: free text} of the open answers and of the text columns of tables."""
    found = {}
    for item in wanted:
        task, answer = item.task, student.answers.get(item.task.get("id"))
        if task.get("kind") == "write" and isinstance(answer, str):
            found[item.label] = answer
        elif task.get("kind") == "form" and isinstance(answer, dict):
            columns = [c["id"] for c in task.get("columns", []) if c.get("type") in ("text", "long")]
            said = [row[c] for row in answer.values() if isinstance(row, dict) for c in columns
                    if isinstance(row.get(c), str)]
            found[item.label] = "\n".join(said)
    return found


def _text_shingles(said: str) -> set[str]:
    """Every run of 6 characters; blanks and punctuation do not count.

    >>> sorted(_text_shingles("投甲，因为晚点多。"))
    ['投甲因为晚点', '甲因为晚点多']
    """
    said = re.sub(r"[\W_]+", "", said.casefold())[:20_000]
    return {said[i:i + SHINGLE] for i in range(len(said) - SHINGLE + 1)}


def _code_shingles(source: str) -> set[str]:
    """Every run of 5 tokens; comments and layout do not count, names do."""
    words = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(source[:50_000]).readline):
            if token.type in (tokenize.NAME, tokenize.OP, tokenize.NUMBER, tokenize.STRING):
                words.append(token.string)
    except (tokenize.TokenError, SyntaxError, ValueError):
        words += re.findall(r"\w+|[^\w\s]", source[:50_000])
    return {" ".join(words[i:i + CODE_SHINGLE]) for i in range(len(words) - CODE_SHINGLE + 1)}


def _same_shingles(works: dict[str, dict[str, str]], shingles, given, kind, tell) -> None:
    """Pairs whose texts share many runs that neither the assignment nor much of the class has."""
    n = len(works)
    handed_out = shingles(given)
    sets = {s: set().union(*(shingles(t) for t in texts.values())) - handed_out if texts else set()
            for s, texts in works.items()}
    who = defaultdict(list)
    for student, own in sets.items():
        for run in own:
            who[run].append(student)
    many = max(3, COMMON * n)  # 很小的班里，三个人也可以是一伙
    rare = {run for run, people in who.items() if len(people) <= many}
    shared = Counter(pair for run in rare if len(who[run]) > 1 for pair in combinations(sorted(who[run]), 2))
    for (a, b), count in shared.items():
        shorter = min(len(sets[a] & rare), len(sets[b] & rare))
        if count >= TEXT_LEAST and count >= TEXT_SHARE * shorter:
            quotes = [q for place in works[a] if place in works[b]
                      for q in _common(works[a][place], works[b][place]) if shingles(q) & rare]
            tell(a, b, kind, 5 + 10 * count / shorter, f"{kind}有 {count / shorter:.0%} 一样",
                 [f"“{q}”" for q in quotes[:5]])


def _common(a: str, b: str) -> list[str]:
    """The longest pieces that two texts share, as written in the first."""
    a, b = a[:3000], b[:3000]
    blocks = SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    found = sorted((a[m.a:m.a + m.size].strip() for m in blocks), key=len, reverse=True)
    return [f if len(f) <= 120 else f[:119] + "…" for f in found[:2] if len(f) >= 10]


# ---- 一页 ----

def render(name: str, pairs: list[Pair], roster: Roster, count: int) -> str:
    """The page for the teacher alone."""
    e = html.escape
    parts = []
    for pair in pairs:
        parts.append(f"<section><h2>{e(roster.shown(pair.a))} 和 {e(roster.shown(pair.b))}</h2>")
        for kind, line, quotes in pair.alike:
            listed = "".join(f"<li>{e(quote)}</li>" for quote in quotes)
            parts.append(f"<h3>{e(kind)}：{e(line)}</h3><ul>{listed}</ul>")
        parts.append("</section>")
    body = "".join(parts) or "<p>没有很像的。</p>"
    return ("<!DOCTYPE html><html lang='zh-CN'><head><meta charset='utf-8'>"
            f"<title>{e(name)} 雷同</title><style>{CSS}</style></head><body><main>"
            f"<h1>{e(name)} 很像的作业</h1>"
            f"<p><b>给老师看，不自动处罚。</b>比了 {count} 份，列出 {len(pairs)} 对。</p>"
            "<p class='quiet'>对的答案本来就一样，不算像。看的是：少见的错错得一样，字句或代码大段一样，"
            "答案文件是同一份。很像不等于抄：也许一起做的，也许同一句话没听懂。先当面问，再下结论。"
            f"这一页有学生的名字，不要投影。</p>{body}</main></body></html>\n")
