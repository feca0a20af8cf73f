"""题目在哪里：笔记本旁边的 ``tasks/<单元>.json``。"""

import json
from pathlib import Path

from crmlib.tasks.core import KINDS, TaskError


def read_tasks(path: Path) -> dict[str, dict]:
    """Tasks of one file, {id: task}, in their order. The file: {"format": 1, "tasks": [task, …]}."""
    try:
        content = json.loads(path.read_text("utf-8"))
        tasks = {task["id"]: task for task in content["tasks"]}
    except OSError:
        raise TaskError(f"读不了题目文件 {path.parent.name}/{path.name}：看看它还在不在。") from None
    except (ValueError, KeyError, TypeError):
        raise TaskError(
            f"题目文件 {path.parent.name}/{path.name} 损坏了：从课程里重新复制一份，再运行一次。"
        ) from None
    return tasks


def find_task(task_id: str, folder: Path | None = None) -> dict:
    """The task with this id, looked up in ``folder`` (the notebook's own folder by default)."""
    folder = Path(folder or ".") / "tasks"
    task_id = str(task_id)
    unit = task_id.partition("-")[0]
    path = folder / f"{unit}.json"
    if not path.is_file():
        have = sorted(p.stem for p in folder.glob("*.json"))
        seen = f"这里有的单元：{'、'.join(have)}。" if have else "这里没有 tasks 文件夹，或者里面是空的。"
        raise TaskError(f"找不到题目 {task_id}：没有 tasks/{unit}.json。{seen}"
                        "笔记本要放在原来的文件夹里打开。")
    tasks = read_tasks(path)
    if task_id not in tasks:
        raise TaskError(f"没有编号是 {task_id} 的题。这个单元有：{'、'.join(tasks)}。")
    task = tasks[task_id]
    if task.get("kind") not in KINDS:
        raise TaskError(f"题目 {task_id} 的题型“{task.get('kind')}”还不会显示：更新课程再试。")
    return task
