"""本课程自己的题：卡片题不用内核，读 answers.json 就能评；代码题只要几个变量的值。

评分格是 ``crm.score("2.2-g1", "…")``：这里从老师那份（成绩库里的）认出它，在批改的进程里评，
学生的进程从来看不到它。
"""

import ast
import re
from functools import cache

from crmlib.tasks import TaskError, answers, decode_task, public, scored, unreadable
from crmlib.tasks.session import mine, printed

ANSWERS_BYTES = 16 << 20
_SHOWN = re.compile(r"""(?:import crmlib as crm|crm\.(?:setup|hand_in)\(\)"""
                    r"""|crm\.task\(\s*["']([^"'\n]+)["']\s*\))\s*(?:#.*)?""")


@cache
def task_of(source: str) -> dict | None:
    """The whole task that a test cell of ours scores; None if the cell is somebody else's."""
    if "crm.score(" not in source:
        return None
    try:
        *before, last = ast.parse(source).body
    except (SyntaxError, ValueError):
        return None
    for line in before:  # 只许有这些：别的语句会改变结果，就当作别人的评分格
        if not _is_import(line) and not _is_call(line, "handed"):
            return None
    if not _is_call(last, "score") or len(last.value.args) < 2:
        return None
    blob = last.value.args[1]
    try:
        return decode_task(blob.value) if isinstance(blob, ast.Constant) else None
    except TaskError:
        return None


def _is_import(node) -> bool:
    return isinstance(node, ast.Import) and [(n.name, n.asname) for n in node.names] == [("crmlib", "crm")]


def _is_call(node, name) -> bool:
    called = node.value.func if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) else None
    return isinstance(called, ast.Attribute) and called.attr == name and isinstance(
        called.value, ast.Name) and called.value.id == "crm"


def judge(task: dict, file: answers.Handed, values=None) -> tuple[float, list]:
    """(points, the test cell's outputs) of one task, exactly as ``crm.score`` in the notebook gives them.

    ``values``: a code task's variables as the student's process told them, {} if it told none.
    """
    namespace = values if isinstance(values, dict) else {}
    card, points = scored(task, file, namespace if task["kind"] == "code" else None)
    shown = {"output_type": "display_data", "metadata": {},
             "data": {"text/html": card._repr_html_(), "text/plain": repr(card)}}
    return points, [shown, {"output_type": "execute_result", "metadata": {}, "execution_count": 1,
                            "data": {"text/plain": repr(points)}}]


def show(source: str, tasks: dict, file: answers.Handed) -> tuple[list, str] | None:
    """For a cell that only shows tasks of ours: (the answers as text, what is left to run); else None."""
    outputs, left = [], []
    for line in source.splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        found = _SHOWN.fullmatch(line)
        if not found:
            return None
        if found[1]:
            outputs += _printed(tasks.get(found[1]), file)
        elif not line.startswith("crm.hand_in"):  # 交作业的按钮：批的时候没有用
            left.append(line)
    return outputs, "\n".join(left)


def _printed(task, file) -> list:
    if task is None:
        return []
    try:
        full = mine(public(task), grading=True, file=file)
        given = file.record(task["id"]).get("answer")
        page = printed(full, None if unreadable(full, given) else given)
    except Exception:  # 答案再离奇，也只是这一格没有文字
        return []
    return [{"output_type": "display_data", "metadata": {},
             "data": {"text/html": page, "text/plain": "<IPython.core.display.HTML object>"}}]
