"""``crm coverage``：课程标准的条目，教了多少、验了多少。

一个条目算数，要两样都有：做完的单元在课文开头的 covers 里写了它；这个单元有一道题在题目的 covers 里写了它。
“做完”就是 ``crm check`` 全部通过。
"""

from autograder import syllabus, units
from crmlib import paths
from crmlib.cli import Parser


def main(argv) -> int:
    """Print one line per standard; units that do not pass the check count nothing, and are named."""
    Parser(prog="crm coverage", description="各课程标准讲到了多少条").parse_args(argv)
    root = paths.root()
    plan, (found, _) = syllabus.load(root), units.load_all(root)
    done = finished(plan, found)
    for name, items in count(plan, done).items():
        every = [i for i in plan.items.values() if i.standard == name]
        print(f"{plan.routes[name]['title']}（{name}）：{len(every)} 条，"
              f"教了 {len(items)} 条，验了 {sum(map(bool, items.values()))} 条")
    print(f"单元：计划 {len(plan.units)} 个，做完 {len(done)} 个。")
    names = {u.folder.name for u in done}
    for folder in units.folders(root):
        if folder.name not in names:
            print(f"[注意] {folder.name} 还没有通过 crm check，没有算进去")
    return 0


def finished(plan, found) -> list:
    """The units that pass the check."""
    from autograder.check import check_unit

    return [u for u in found if not any(kind == "FAIL" for kind, _ in check_unit(u, plan))]


def count(plan, done) -> dict[str, dict[str, list]]:
    """Per standard {item id: ids of the tasks tied to it}; taught items only, [] = taught, not proven."""
    table = {name: {} for name in syllabus.STANDARDS}
    for unit in done:
        for item in unit.front["covers"]:
            if item in plan.items:
                # 投票没有对错，验不了什么
                ties = [t["id"] for t in unit.tasks if "key" in t and item in t.get("covers", [])]
                table[plan.items[item].standard].setdefault(item, []).extend(ties)
    return table


def page(plan, found) -> str:
    """docs/coverage.md, for teachers."""
    done = finished(plan, found)
    table = count(plan, done)
    lines = ["# 课程标准覆盖表", "", "这一页由 `crm build` 生成，不要手改。", "",
             "“教了”：做完的单元写明教这一条。“验了”：这个单元至少有一道题对着这一条。两样都有才算覆盖。", "",
             "| 课程标准 | 条目 | 教了 | 验了 |", "|---|---|---|---|"]
    for name, items in table.items():
        every = sum(i.standard == name for i in plan.items.values())
        title = plan.routes[name]["title"]
        lines.append(f"| {title}（{name}） | {every} | {len(items)} | {sum(map(bool, items.values()))} |")
    lines += ["", f"单元：计划 {len(plan.units)} 个，做完 {len(done)} 个。"]
    for unit in done:
        lines += ["", f"## {unit.id} {unit.front['title']}", "",
                  "| 条目 | 要求 | 内容 | 出处 | 题目 |", "|---|---|---|---|---|"]
        for item_id in unit.front["covers"]:
            item = plan.items[item_id]
            source = f"{plan.routes[item.standard]['title']} {item.src}"
            ties = "、".join(table[item.standard][item_id]) or "（还没有题）"
            lines.append(f"| {item.id} | {item.verb} | {item.text} | {source} | {ties} |")
    return "\n".join(lines) + "\n"
