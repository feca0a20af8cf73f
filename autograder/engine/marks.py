"""一格的输出值几分：和 nbgrader.utils.determine_grade 一样，只有一处不同：警告不扣分，只列出来。"""

from dataclasses import dataclass

from autograder.engine.repair import checksum

NO_RESPONSE = "No response."


@dataclass(frozen=True)
class Mark:
    """``points`` of a graded cell (None: a person marks it).

    ``warned``: nbgrader would have given 0 for a mere warning; ``odd``: where nbgrader would have crashed.
    """

    points: float | None
    warned: bool = False
    odd: str = ""


def of_cell(cell) -> Mark:
    """The mark of an executed grade cell (a dict)."""
    meta = cell["metadata"]["nbgrader"]
    most = float(meta["points"])
    if meta.get("solution"):
        return Mark(0.0 if meta.get("checksum") == checksum(cell) else None)
    if cell["cell_type"] != "code":
        return Mark(None)
    return of_outputs(cell["outputs"], most)


def of_outputs(outputs, most: float) -> Mark:
    """Points that a test cell's outputs stand for: an error 0, a number that number, anything else all.

    >>> of_outputs([{"output_type": "execute_result", "data": {"text/plain": "2.5"}}], 5)
    Mark(points=2.5, warned=False, odd='')
    """
    warned = False
    for output in outputs:
        if output["output_type"] == "error":
            return Mark(0.0)
        if output["output_type"] == "stream" and output.get("name") == "stderr":
            warned = True
        elif output["output_type"] == "execute_result":
            points, odd = _partial(output, most)
            return Mark(points, warned and points > 0, odd)
    return Mark(most, warned and most > 0)


def _partial(output, most) -> tuple[float, str]:
    """nbgrader's partial credit; where it crashes (more than all points, no text), all points and why."""
    text = output["data"].get("text/plain")
    if isinstance(text, list):
        if len(text) > 1:
            return most, ""
        text = text[0] if text else None
    if not text:
        return most, "评分格的结果没有文字"
    try:
        points = float(text)
    except ValueError:
        return most, ""
    if points > most:
        return most, f"评分格给了 {points:g} 分，比满分 {most:g} 还多"
    return (points, "") if points >= 0 else (most, "")


def comment(cell) -> str | None:
    """The automatic comment of an answer cell, as nbgrader writes it."""
    meta = cell["metadata"]["nbgrader"]
    same = meta.get("checksum") == checksum(cell) and not meta.get("task")
    return NO_RESPONSE if same else None
