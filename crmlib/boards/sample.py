"""样本板：60 次调研，每次问 n 家。份数管抖不抖，谁肯回管歪不歪。"""

from math import sqrt

from crmlib.cli import CourseError
from crmlib.data import load
from crmlib.methods.survey import sample_size, z_value

TITLE = "样本板"
SIZES = (20, 97, 385, 1000)
REPLY = (0.48, 0.23)  # 课程数据里两种客户的回收率：没有拖着的投诉、有拖着的投诉


def read(table="survey_market", column="对现状满意", least=4, ask="对现在的物流商满意") -> dict:
    """What the board shows, as plain JSON.

    The true share is that of the answers at ``least`` or more in a column of a course table; ``ask`` says it
    in words. {"ask", "share" (0 to 1), "reply": [of those who say yes, at start; of those who say no, at the
    lowest], "sizes", "z"}. Raises CourseError if the table has no such column, or all or none say yes.
    """
    values = load(table)
    if column not in values.columns:
        raise CourseError(f"样本板：“{table}”表里没有“{column}”这一列；有的是：{'、'.join(values.columns)}。")
    try:
        share = float((values[column] >= least).mean())
    except TypeError:
        raise CourseError(f"样本板：“{column}”不是数，没法和 {least} 比。换一列打分的。") from None
    if not 0 < share < 1:
        raise CourseError(f"样本板：“{column}”里没有人、或者人人都不低于 {least}，换一个界线。")
    return {"ask": ask, "share": share, "reply": list(REPLY), "sizes": list(SIZES), "z": z_value()}


# ---- 同样的算法，浏览器里（sample.js）也有一份；测试拿两份对答案 ----

def answered(share, yes, no) -> float:
    """The share of yes among those who answer, if ``yes`` and ``no`` are how many of each do.

    >>> answered(.48, .48, .48), round(answered(.48, .48, .23), 3)
    (0.48, 0.658)
    """
    return share * yes / (share * yes + (1 - share) * no)


def margin(share, n, z) -> float:
    """Half the width of a share's interval with n answers.

    >>> round(margin(.5, 385, 1.96), 3)
    0.05
    """
    return z * sqrt(share * (1 - share) / n)


def text(board: dict) -> str:
    """The board in words, for print and for readers without a screen."""
    share, (yes, no) = board["share"], board["reply"]
    lines = [f"全体“{board['ask']}”的占 {share:.0%}。做 60 次调研，每次问 n 家："]
    lines += [f"n = {n}：多数得数落在 {share - m:.0%} 到 {share + m:.0%}（误差 ±{100 * m:.1f} 个百分点）"
              for n in board["sizes"] for m in [margin(share, n, board["z"])]]
    lines.append(f"误差要小到 ±5 个百分点，至少 {sample_size(.05).n} 份。")
    lines.append(f"要是满意的 {yes:.0%} 肯回，不满意的只有 {no:.0%} 肯回，得数都围着 "
                 f"{answered(share, yes, no):.0%} 转：份数再多，也歪。")
    return "\n".join(lines)
