"""一个单元里能在手机上答的题：选择、分类、排序、填数、短文字，还有问卷（写着 lint: question 的填表题）。"""

import json
import re
from itertools import pairwise
from pathlib import Path

from crmlib import paths
from crmlib.cli import CourseError
from crmlib.tasks import KINDS, answers, form, public, read_tasks
from crmlib.tasks.core import alien, narrow
from crmlib.tasks.lint import choices, scale
from crmlib.tasks.markup import markdown

ASKED = ("choose", "classify", "order", "number", "write")
LONGEST = 200  # 手机上打的一段话
_BIGGEST = 6_000  # 一份答案的字符数
_ITEMS = 30


def of_unit(lesson, wanted=(), sheet: Path | None = None) -> tuple[list[dict], list[str]]:
    """(questions in order, what to tell the teacher) of a unit's practice tasks.

    A question: {"id", "kind", "title", "prompt_html", "task" or "items", "key"}; only ``for_phone`` of it
    leaves this computer. ``wanted``: ids; none = all that can be asked.
    ``sheet``: the answers.json in which a questionnaire was drawn up; none = the teacher's own.
    Raises CourseError if a wanted task is not there or cannot be asked.
    """
    tasks, found, notes = read_tasks(lesson.tasks), [], []
    for name in wanted:
        if name not in tasks:
            raise CourseError(f"单元 {lesson.id} 里没有练习 {name}。有的是：{'、'.join(tasks)}")
    for task in [tasks[name] for name in wanted] or tasks.values():
        if task["kind"] in ASKED and not task.get("inputs"):
            found.append(_asked(task))
        elif task["kind"] == "form" and _question_column(task):
            question, note = _survey(task, lesson, sheet)
            notes += note
            found += [question] if question else []
        elif wanted:
            raise CourseError(f"{task['id']} 不能在手机上答。能答的：选择、分类、排序、填数、写作，"
                              "还有写着 lint: question 的问卷草稿。")
    if not found:
        raise CourseError(f"单元 {lesson.id} 里没有能在手机上答的练习。")
    return found, notes


def _asked(task) -> dict:
    task = narrow(task, "inclass")  # 抽题：全班答一样的
    shown = {**public(task), "poll": True}
    if task["kind"] == "write":  # 课堂上只写短的；评分标准、字数下限是书面作业用的
        for name in ("min", "must", "rubric"):
            shown.pop(name, None)
        shown["max"] = min(task.get("max", LONGEST), LONGEST)
    prompt = task["prompt"]
    if task["kind"] == "write":
        prompt += f"\n\n**课堂上写一两句话就行，最多 {shown['max']} 个字。**"
    key = task.get("key") if task["kind"] != "write" else None
    return {"id": task["id"], "kind": task["kind"], "title": task["title"], "task": shown, "key": key,
            "prompt_html": markdown(prompt), "explain_html": markdown(task.get("explain", "")),
            "tolerance": task.get("tolerance"),
            "blanks": task.get("blanks") if task["kind"] == "number" else None}


# ---- 问卷 ----

def _question_column(task) -> dict | None:
    return next((c for c in task["columns"] if c.get("lint") == "question"), None)


def _survey(task, lesson, sheet):
    """(question or None, notes): a questionnaire as somebody drew it up in a form task."""
    rows, notes = None, []
    places = [sheet] if sheet else [lesson.notebook.parent, paths.root() / "inclass" / "present" / lesson.id]
    for place in places:
        rows = _drawn_up(task, place)
        if rows:
            break
    if not rows and sheet:
        raise CourseError(f"{sheet} 里没有写好的问卷 {task['id']}。要的是做问卷的人的 answers.json。")
    if not rows and task.get("key"):
        rows, notes = form.rows(task, task["key"]), [f"{task['id']}：还没有写好的问卷，先用范例。"]
    items = _items(task, rows or {})
    if not items:
        return None, [f"{task['id']}：还没有写好的问卷，这一题先不问。"]
    question = {"id": task["id"], "kind": "survey", "title": task["title"], "key": None, "explain_html": "",
                "prompt_html": "<p>每题都答，按自己的实际情况。没有对错。</p>", "items": items}
    return {**question, "quadrant": _quadrant(items)}, notes


def _drawn_up(task, place: Path):
    """The filled rows of a questionnaire in an answers.json (or in that of a folder); None if it has none."""
    path = place / answers.NAME if place.is_dir() else place
    try:
        content = json.loads(path.read_text("utf-8-sig"))
        given = content["answers"].get(task["id"], {}).get("answer")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise CourseError(f"{path} 读不出来，里面的问卷用不了。") from None
    if given is None or alien(given) or form.unreadable(task, given):
        return None
    return form.rows(task, given)


def _items(task, rows) -> list[dict]:
    column, items = _question_column(task), []
    for name, row in list(rows.items())[:_ITEMS]:
        ask = (row.get(column["id"]) or "").strip()
        if ask:
            written = row.get(column.get("options_column", "")) or ""
            options = choices(written)
            scores = scale(options)  # 一项一个分数，次序一样
            stem = next((s for s in ("满意", "重要", "同意") if scores and any(s in o for o in options)), "")
            many = bool(options) and not scores and bool(_SEVERAL.search(ask + written))
            items.append({"id": name, "ask": ask[:200], "options": options, "scores": scores, "stem": stem,
                          "many": many})
    return items


_SEVERAL = re.compile(r"多选|可选多|选几个|选.{0,3}多项")
_ABOUT = re.compile(r"您|你|觉得|认为|对于?|这一项|有多|非常|满意度?|重要性?|程度|怎么样|如何|总体上?|来说|"
                    r"是否|[吗呢的？?，,。、“”\"（）()]")


def _quadrant(items) -> dict | None:
    """How importance and performance of several things are asked; None if they are not.

    {"points": [{"name", "does": item, "needs": item or None}], "overall": item or None}: importance asked
    directly, or else to be worked out from how each goes with overall satisfaction.
    """
    does = [i for i in items if i["stem"] == "满意"]
    needs = [i for i in items if i["stem"] == "重要"]
    if len(does) == len(needs) > 1:
        left = {_about(i): i for i in needs}
        same = len(left) == len(needs) and all(_about(i) in left for i in does)
        pairs = [(i, left[_about(i)]) for i in does] if same else zip(does, needs, strict=True)
        return {"points": [{"name": _about(i), "does": i["id"], "needs": j["id"]} for i, j in pairs],
                "overall": None}
    overall = [i for i in does if re.search("总体|整体|总的|全部服务", i["ask"])]
    parts = [i for i in does if i not in overall]
    if len(overall) == 1 and len(parts) > 1:
        return {"points": [{"name": _about(i), "does": i["id"], "needs": None} for i in parts],
                "overall": overall[0]["id"]}
    return None


def _about(item) -> str:
    """What a question is about, in a few characters: “您对送货准时满意吗？” → “送货准时”."""
    return (_ABOUT.sub("", item["ask"]) or item["ask"])[:10]


# ---- 手机看到的，手机交来的 ----

def for_phone(question: dict) -> dict:
    """The part of a question that goes to the phones: no key, no explanation."""
    shown = {name: question[name] for name in ("id", "kind", "title", "prompt_html")}
    if question["kind"] == "survey":
        seen = ("id", "ask", "options", "many")
        return {**shown, "items": [{name: item[name] for name in seen} for item in question["items"]]}
    return {**shown, "task": question["task"]}


def handed_out(question: dict) -> dict:
    """A question as it goes to the students with the class's answers."""
    return {name: value for name, value in question.items() if name not in ("key", "explain_html")}


def refused(question: dict, answer) -> str:
    """Why an answer is not taken; empty if it is. Never raises, whatever a phone sent."""
    if answer is None or alien(answer):
        return "这份答案读不出来，重新答一次。"
    written = json.dumps(answer, ensure_ascii=False)
    if len(written) > _BIGGEST:
        return "写得太长了。"
    if written.encode(errors="replace") != written.encode(errors="surrogatepass"):  # 半个字符：哪里也写不进去
        return "里面有显示不了的字，重新写一次。"
    if question["kind"] == "survey":
        return _refused_survey(question, answer)
    task, kind = question["task"], KINDS[question["kind"]]
    if trouble := kind.unreadable(task, answer):
        return trouble
    if question["kind"] == "number" and any(len(str(v)) > 40 for v in answer.values()):
        return "一个空里最多写 40 个字。"
    return "".join((kind.malformed(task, answer) or kind.missing(task, answer))[:2])


def _refused_survey(question, answer) -> str:
    known = {item["id"]: item for item in question["items"]}
    if not isinstance(answer, dict) or not set(answer) <= set(known):
        return "这份答案读不出来，重新答一次。"
    for place, (name, item) in enumerate(known.items(), 1):
        given, number = answer.get(name), len(item["options"])
        if not number:
            if given is not None and (not isinstance(given, str) or len(given) > LONGEST):
                return f"第 {place} 题最多写 {LONGEST} 个字。"
        elif given is None:
            return f"第 {place} 题还没有答。"
        elif item["many"]:
            if not isinstance(given, list) or not given or not all(_is_place(g, number) for g in given) \
                    or any(a >= b for a, b in pairwise(given)):
                return f"第 {place} 题重新选一次。"
        elif not _is_place(given, number):
            return f"第 {place} 题重新选一次。"
    return ""


def _is_place(value, number) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < number
