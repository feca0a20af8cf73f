"""问卷面板：学生写的问卷在手机里的样子、用词的建议，发给 100 家模拟的企业会怎样。"""

from crmlib.cli import CourseError
from crmlib.tasks import find_task, form
from crmlib.tasks.lint import choices, lint_questionnaire
from crmlib.tasks.session import open_saved

TITLE = "问卷面板"
_INTRO = "占你两分钟。不写姓名，只报合计；不想答的题可以空着。"


def read(task: str, ask="ask", pick="pick", title="展会问卷", intro=_INTRO) -> dict:
    """What the board shows, as plain JSON.

    task: id of the form task that holds the questionnaire; ask, pick: its columns with the question and its
    options. Where the student has written nothing yet, the model answer stands in, and the board says so.

    {"task", "title", "intro", "notices": […], "questions": [{"ask", "options": [text], "advice": [{"name",
    "message"}]}]}. A question without options is an open one. Raises CourseError if the task is no such form.
    """
    found = find_task(task)
    names = {column["id"] for column in found.get("columns", [])}
    if not {ask, pick} <= names:
        raise CourseError(f"第 {task} 题不是问卷：它要有“{ask}”（问题）和“{pick}”（选项）两列。")
    rows, notices = _written(form.rows(found, open_saved(found).answer), ask, pick), []
    if not rows:
        rows = _written(form.rows(found, found.get("key", {})), ask, pick)
        notices.append(f"第 {task} 题你还没写，先看陆姐的。")
    questions = [{"ask": text, "options": choices(options), "advice": []} for text, options in rows]
    for place, advice in lint_questionnaire(rows):
        questions[place]["advice"].append({"name": advice.name, "message": advice.message})
    return {"task": task, "title": title, "intro": intro, "notices": notices, "questions": questions}


def _written(table, ask, pick) -> list[tuple[str, str]]:
    return [(row[ask], row[pick] or "") for row in table.values() if row[ask]]


def printed(task: str, **options):
    """The questionnaire as people get it on paper: DataFrame 题号, 问题, 请勾选. Options as for ``read``."""
    import pandas as pd

    rows = [(str(number), question["ask"], _boxes(question))
            for number, question in enumerate(read(task, **options)["questions"], 1)]
    return pd.DataFrame(rows, columns=["题号", "问题", "请勾选"])


def _boxes(question) -> str:
    return "　".join(f"□ {option}" for option in question["options"]) or "＿" * 20


def text(board: dict) -> str:
    """The questionnaire and the advice in words, for print and for readers without a screen."""
    lines = [*board["notices"], board["title"], board["intro"]]
    for number, question in enumerate(board["questions"], 1):
        lines.append(f"{number}. {question['ask']}")
        lines.append(_boxes(question))
        lines += [f"（建议·{advice['name']}：{advice['message']}）" for advice in question["advice"]]
    return "\n".join(lines)
