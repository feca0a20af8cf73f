"""课堂投票的结果：``crm.live_results("2.2-0")``，一台手机一行。投票开着、关了都能读。

老师的电脑上，答案在 ``inclass/live/`` 的 SQLite 文件里（``crm live`` 写的）；
学生的电脑上，读笔记旁边老师发的 ``课堂-2.2-0.json``（老师窗口里“给学生的数据”）。
"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from crmlib import paths
from crmlib.cli import CourseError
from crmlib.tasks import number
from crmlib.tasks.classify import card_text

FOLDER = ("inclass", "live")
HANDED_OUT = "课堂-{}.json"


def live_results(task_id: str, scores: bool = False, file=None):
    """What the class answered to one question, as a DataFrame: one row per phone, in the order of joining.

    Columns: 编号 (of the phone), 交的时间, and the answer: 选项; one column of 0/1 per option where several
    may be chosen; one per card (its bin), per step (its place), per blank (a number), per question of a
    questionnaire; 文字. ``scores``: answers on a rating scale as numbers, the best the highest.
    ``file``: a certain session's file; otherwise the newest session in which this question was answered.
    An empty DataFrame if there is none. Raises CourseError if a file cannot be read.

    >>> live_results("9.9-0").empty
    True
    """
    import pandas as pd

    found = _find(str(task_id), Path(file) if file else None)
    if not found:
        return pd.DataFrame()
    question, answers = found
    names, rows = table(question, answers, scores)
    return pd.DataFrame(rows, columns=names)


def _find(task_id: str, file: Path | None):
    """(question, [(device, saved, answer)]) or None."""
    if file:
        if not file.is_file():
            raise CourseError(f"没有文件 {file}。课堂投票的文件在 {paths.root().joinpath(*FOLDER)}。")
        return _read_handed_out(file) if file.suffix == ".json" else read_session(file, task_id)
    for session in sessions():
        found = read_session(session, task_id)
        if found and found[1]:
            return found
    handed_out = Path(HANDED_OUT.format(task_id))
    return _read_handed_out(handed_out) if handed_out.is_file() else None


def sessions(unit: str = "") -> list[Path]:
    """Files of all live sessions (of one unit), the newest first."""
    found = paths.root().joinpath(*FOLDER).glob(f"{unit or '*'}-*.sqlite")
    return sorted(found, key=lambda path: path.stem.rpartition("-")[0][-8:] + path.stem[-6:], reverse=True)


def read_session(path: Path, task_id: str):
    """One question of a session's file: (question, [(device, saved, answer)]); None if it is not in it."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as base:
            row = base.execute("SELECT question FROM questions WHERE id = ?", [task_id]).fetchone()
            answers = base.execute("SELECT device, saved, answer FROM answers WHERE question = ? "
                                   "ORDER BY device", [task_id]).fetchall()
            return row and (json.loads(row[0]), [(d, saved, json.loads(a)) for d, saved, a in answers])
    except (sqlite3.Error, ValueError) as fault:
        raise CourseError(f"课堂投票的文件 {path} 读不出来（{fault}）。") from None


def _read_handed_out(path: Path):
    try:
        content = json.loads(path.read_text("utf-8"))
        return content["question"], [(a["device"], a["saved"], a["answer"]) for a in content["answers"]]
    except (OSError, ValueError, KeyError, TypeError):
        raise CourseError(f"{path.name} 读不出来。向老师再要一份。") from None


def table(question: dict, answers, scores: bool = False) -> tuple[list[str], list[list]]:
    """(column names, rows) of a question's answers. Columns of the same name are numbered."""
    names, cells = {"choose": _choose, "classify": _classify, "order": _order, "number": _number,
                    "write": _write, "survey": _survey}[question["kind"]](question, scores)
    names = ["编号", "交的时间", *names]
    seen: dict[str, int] = {}
    for place, name in enumerate(names):
        seen[name] = seen.get(name, 0) + 1
        names[place] = name if seen[name] == 1 else f"{name}（{seen[name]}）"
    return names, [[device, saved, *cells(answer)] for device, saved, answer in answers]


def _choose(question, scores):
    options = question["task"]["options"]
    if not question["task"]["many"]:
        return ["选项"], lambda answer: [options[answer[0]]]
    return list(map(str, options.values())), lambda answer: [int(o in answer) for o in options]


def _classify(question, scores):
    cards, bins = question["task"]["cards"], question["task"]["bins"]
    return [card_text(card) for card in cards.values()], lambda answer: [bins[answer[c]] for c in cards]


def _order(question, scores):
    items = question["task"]["items"]
    return [card_text(item) for item in items.values()], lambda answer: [answer.index(i) + 1 for i in items]


def _number(question, scores):
    blanks = question["task"]["blanks"]
    return [blank["title"] for blank in blanks.values()], \
        lambda answer: [number.quantity(answer[n], blank.get("unit", "")) for n, blank in blanks.items()]


def _write(question, scores):
    return ["文字"], lambda answer: [answer]


def _survey(question, scores):
    def cell(item, given):
        if given is None or not item["options"]:
            return given
        if item["many"]:
            return "；".join(item["options"][place] for place in given)
        return item["scores"][given] if scores and item["scores"] else item["options"][given]

    items = question["items"]
    return [item["ask"] for item in items], \
        lambda answer: [cell(item, answer.get(item["id"])) for item in items]
