"""题目：显示、检查、保存、评分。笔记本里用 ``crm.task``、``crm.check``、``crm.answer``、``crm.handed``。

这里只用标准库；到 ``task()`` 真要显示控件时才装入 anywidget。
"""

from crmlib.tasks.core import (
    KINDS,
    Result,
    TaskError,
    decode_task,
    encode_task,
    faults,
    fingerprint,
    full_points,
    public,
    score_task,
    text,
)
from crmlib.tasks.definitions import find_task, read_tasks

__all__ = [
    "KINDS", "Result", "TaskError", "decode_task", "encode_task", "faults", "find_task", "fingerprint",
    "full_points", "public", "read_tasks", "score_task", "text",
]
