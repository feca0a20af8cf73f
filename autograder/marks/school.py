"""学校自己的方案：一张 .xlsx 表，或者一个 .toml 文件。填好才能用；报告上写明不是标准的原文。"""

import tomllib
from fractions import Fraction
from pathlib import Path

from autograder.marks import schemes, sheets, templates
from autograder.marks.exact import typed
from autograder.marks.schemes import KINDS, Component, Scheme, ours
from crmlib.cli import CourseError

_ROWS = 14
_YES = {"是": True, "否": False, "": False}
_TARGETS = {"个人": "student", "小组": "group", "": "student"}


def form(standard: str, root: Path, path: Path) -> Path:
    """Write the form. js and sw come without any number; kd and wl with what is printed."""
    if standard in schemes.PRINTED:
        base = schemes.printed(standard, root)
        rows = [(c.id, c.name, "过程" if c.group.startswith("过程") else "结果", float(c.weight),
                 {k: float(s * 100) for k, s in c.split.items()}, "是" if c.machine else "否",
                 "是" if c.attendance else "否", "小组" if c.target == "group" else "个人")
                for c in base.components]
    elif standard in schemes.UNPRINTED:
        base, content = None, tomllib.loads((root / "syllabus" / f"{standard}.toml").read_text("utf-8"))
        extra = ours()["components"]
        rows = [(c["id"], c["name"], "过程" if c["group"] == "过程" else "结果", None, {},
                 "是" if extra[c["id"]].get("machine") else "否",
                 "是" if extra[c["id"]].get("attendance") else "否", "个人")
                for c in content["assessment"]["components"]]
    else:
        raise CourseError(f"没有“{standard}”这份标准。可以写："
                          f"{'、'.join(schemes.PRINTED + schemes.UNPRINTED)}")
    rows += [(f"x{n}", None, None, None, {}, None, None, None) for n in range(1, _ROWS - len(rows) + 1)]
    return templates.scheme_book(base, standard, rows, path)


def read(path: Path, root: Path, places: int = 0) -> Scheme:
    """A school's scheme from its file; CourseError with everything that is missing or does not add up."""
    if path.suffix.lower() == ".toml":
        about, parts = _toml(path)
    else:
        about, parts = _workbook(path)
    blank = [name for name in ("学校", "方案名称", "定的人", "日期") if not about.get(name)]
    if blank:
        raise CourseError(f"{path.name}：还没有填“{'”“'.join(blank)}”。")
    standard = about.get("标准", "")
    if standard not in schemes.PRINTED + schemes.UNPRINTED:
        raise CourseError(f"{path.name}：标准写的是“{standard}”，要是 js、kd、wl、sw 中的一个。")
    notes = [*ours()["notes"][standard], f"{about['学校']} {about['方案名称']}，{about['定的人']} 定于 "
                                         f"{about['日期']}。"]
    scheme = Scheme(standard, f"{about['学校']}　{about['方案名称']}", tuple(parts), tuple(notes),
                    f"学校方案，不是课程标准（{standard}）的原文", places)
    if wrong := schemes.check(scheme):
        raise CourseError(f"{path.name} 还不能用：\n" + "\n".join(wrong))
    if standard in schemes.PRINTED and _same(scheme, schemes.printed(standard, root)):
        return schemes.printed(standard, root, places=places)  # 填得和标准一模一样
    return scheme


def _same(a: Scheme, b: Scheme) -> bool:
    def key(scheme):
        return {(c.id, c.name, c.weight, tuple(sorted(c.split.items()))) for c in scheme.components}

    return key(a) == key(b)


def _workbook(path):
    table = sheets.read(path, ("编号", "分项", "权重"), sheet="方案")
    about = {row[0].text: sheets.day(row[1].value) or row[1].text
             for row in sheets.load(path).get("说明", []) if len(row) > 1 and row[0].text}
    parts, faults = [], []
    for row in table.rows:
        name = row["分项"].text
        if not name:
            continue
        weight = _number(table, row, "权重", faults)
        split = {}
        for kind, title in KINDS.items():
            cell = row.get(f"{title}%")
            if cell is not None and (cell.text or cell.formula):
                share = _number(table, row, f"{title}%", faults, "%")
                if share:
                    split[kind] = share / 100
        extra = dict(ours()["components"].get(row["编号"].text, {}))
        for heading, field, known in (("机器批改", "machine", _YES), ("考勤算分", "attendance", _YES),
                                      ("评的是", "target", _TARGETS)):
            text = row[heading].text if heading in row else ""
            if text not in known:
                faults.append(table.fault(row[heading], heading, f"“{text}”不行，写 "
                                                                 f"{'、'.join(filter(None, known))}。"))
            extra[field] = known.get(text)
        if weight is not None:
            parts.append(Component(row["编号"].text or name, name, row["类别"].text if "类别" in row else "",
                                   weight, split, **extra))
    if faults:
        raise sheets.SheetError(faults)
    return about, parts


def _number(table, row, heading, faults, unit="分"):
    cell = row[heading]
    if cell.formula:
        faults.append(table.fault(cell, heading, "是公式，没有存下算好的数：在 Excel 里打开，保存一次。"))
        return None
    value = typed(cell.value, unit)
    if value is None or not 0 <= value <= 100:
        wrong = "还没有填" if not cell.text else f"“{cell.text}”不行"
        faults.append(table.fault(cell, heading, f"{row['分项'].text}：{wrong}，要写 0 到 100 的数。"))
        return None
    return value


def _toml(path):
    try:
        content = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as fault:
        raise CourseError(f"读不了 {path}（{fault.strerror}）。") from None
    except (ValueError, UnicodeDecodeError) as fault:
        raise CourseError(f"{path.name} 不是写对了的 TOML：{fault}") from None
    about = {k: str(v) for k, v in content.items() if k != "components"}
    about = {
        {"standard": "标准", "school": "学校", "title": "方案名称", "by": "定的人", "date": "日期"}.get(
            k, k
        ): v
        for k, v in about.items()
    }
    parts = []
    for place, c in enumerate(content.get("components", []), 1):
        try:
            extra = {**ours()["components"].get(c.get("id"), {}),
                     **{k: c[k] for k in ("machine", "attendance", "target", "rubric") if k in c}}
            parts.append(Component(c.get("id", f"x{place}"), c["name"], c.get("group", ""),
                                   Fraction(str(c["weight"])),
                                   {k: Fraction(str(s)) for k, s in c["split"].items() if s}, **extra))
        except (KeyError, TypeError, ValueError, AttributeError) as fault:
            raise CourseError(
                f"{path.name} 第 {place} 个 components：{fault} 没有写，或者写得不对。"
                "每个分项要有 name、group、weight、split（例如 {teacher = 0.6, self = 0.4}）。"
            ) from None
    return about, parts
