"""精确的数：分数一路不舍入，最后舍一次。"""

from decimal import Decimal
from fractions import Fraction
from functools import cache
from math import floor

from crmlib.tasks.numbers import read_number

HUNDRED = Fraction(100)


@cache
def exact(mark: str) -> Fraction:
    """A mark as the log keeps it, on 0–100: ``"87.5"``, or ``"13.5/15"`` (points out of points).

    Extra credit above the full marks is capped at 100. ValueError if it is no mark.

    >>> exact("87.5"), exact("12/15"), exact("16/15")
    (Fraction(175, 2), Fraction(80, 1), Fraction(100, 1))
    """
    points, _, full = mark.partition("/")
    value = Fraction(points)
    if full:
        if Fraction(full) <= 0:
            raise ValueError(f"满分是 {full}")
        value = value * 100 / Fraction(full)
    return min(max(value, Fraction(0)), HUNDRED)


def typed(value, unit: str = "分") -> Fraction | None:
    """What a person typed or a spreadsheet holds, exactly as written; None if it is no number.

    >>> typed("８７．５ 分"), typed(0.1), typed("优")
    (Fraction(175, 2), Fraction(1, 10), None)
    """
    if isinstance(value, Decimal):
        value = float(value)
    number = read_number(value, unit)
    return None if number is None else Fraction(Decimal(repr(number)))


def plain(value: Fraction, places: int = 4) -> str:
    """A number for people: all its digits if there are few, else ``≈`` and ``places`` of them.

    >>> plain(Fraction(335, 4)), plain(Fraction(250, 3)), plain(Fraction(80))
    ('83.75', '≈83.3333', '80')
    """
    scaled = value * 10**places
    sign = "" if scaled.denominator == 1 else "≈"
    text = rounded(value, places)
    return sign + (text.rstrip("0").rstrip(".") if "." in text else text)


def rounded(value: Fraction, places: int) -> str:
    """Half up, as the report says.

    >>> rounded(Fraction(335, 4), 0), rounded(Fraction(335, 4), 1), rounded(Fraction(5, 2), 0)
    ('84', '83.8', '3')
    """
    return f"{Decimal(floor(value * 10**places + Fraction(1, 2))).scaleb(-places):f}"
