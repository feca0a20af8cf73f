"""把表里的列变成回归用的数；多个主题共用。"""

import numpy as np
import pandas as pd

from crmlib.cli import CourseError
from crmlib.methods._common import at_least, column, numeric


def design(table, columns, levels=None) -> pd.DataFrame:
    """Columns as numbers for a regression; text becomes 0/1 columns "列=值", without its first value.

    levels: dict text column → its values, if a new table must match an old one; a value that was not among
    them is an error. ``.attrs["levels"]`` holds those used (sorted).

    >>> design(pd.DataFrame({"区": ["北", "南", "北"], "价": [1, 2, 3]}), ["区", "价"]).columns.tolist()
    ['区=南', '价']
    """
    parts, used = [], {}
    for name in [columns] if isinstance(columns, str) else columns:
        x = column(table, name)
        if levels is None and not pd.api.types.is_numeric_dtype(x):
            used[name] = sorted(x.dropna().unique().tolist(), key=str)
        elif levels and name in levels:
            used[name] = levels[name]
        if name not in used:
            parts.append(pd.Series(numeric(x, name, missing=True), table.index, name=name))
            continue
        if len(used[name]) > 20:
            raise CourseError(f"“{name}”有 {len(used[name])} 种文字，太多了（像编号或原话），先归类。")
        if new := set(x.dropna()) - set(used[name]):
            raise CourseError(f"“{name}”里有“{new.pop()}”，拟合时没见过。见过的是：{'、'.join(used[name])}。")
        parts += [(x == v).astype(float).mask(x.isna()).rename(f"{name}={v}") for v in used[name][1:]]
    if not parts:
        raise CourseError("没有可用的列：至少要一列，而且不能所有行都一样。")
    found = pd.concat(parts, axis=1)
    found.attrs["levels"] = used
    return found


def complete_design(table, columns, *also):
    """Complete rows: design, the other arrays, number dropped. Constant or redundant columns: errors."""
    x = design(table, columns)
    kept = x.notna().all(axis=1).to_numpy()
    x = x[kept]
    at_least(len(x), x.shape[1] + 2, "行没有空值的数据（要比列数多）")
    for name in x:
        if x[name].nunique() < 2:
            raise CourseError(f"“{name}”所有行都一样，看不出它的作用。先去掉它。")
    z = (x - x.mean()) / x.std()
    for j in range(1, z.shape[1]):
        rest, this = z.iloc[:, :j].to_numpy(), z.iloc[:, j].to_numpy()
        left = this - rest @ np.linalg.lstsq(rest, this, rcond=None)[0]
        if left @ left < 1e-10 * (this @ this):
            raise CourseError(f"“{z.columns[j]}”可以由前面的列完全算出来（像合计列、重复的列）。"
                              "先去掉它。")
    return x, *(a[kept] for a in also), int((~kept).sum())


def both_values(y, name):
    if len(np.unique(y)) < 2:
        raise CourseError(f"“{name}”全是 {y[0]:g}：要既有流失的、也有没流失的，才能比较。" if len(y)
                          else f"“{name}”一行也没有。")
