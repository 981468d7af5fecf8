from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluicegate.evaluation.grading.chinese import NUMERAL, decimal


@pytest.mark.parametrize(
    ("numeral", "digits"),
    [
        ("三", "3"),
        ("十", "10"),
        ("十五", "15"),
        ("二十", "20"),
        ("三百零五", "305"),
        ("三百二十", "320"),
        ("两千零一十", "2010"),
        ("两万", "20000"),
        ("一万零三百", "10300"),
        ("三亿五千万", "350000000"),
        ("一点五", "1.5"),
        ("二〇二六", "2026"),
        ("百", None),
        ("十百", None),
        ("万", None),
    ],
)
def test_numerals(numeral: str, digits: str | None) -> None:
    assert decimal(numeral) == digits


def written(n: int) -> str:
    """A number below ten thousand, as Chinese writes it."""
    signs, out = "零一二三四五六七八九", ""
    for place, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = n // place % 10
        out += signs[digit] + name if digit else "零"
    return re.sub("零+", "零", out).strip("零")


@settings(deadline=None)
@given(st.integers(1, 9999))
def test_every_number_is_read_as_it_is_written(n: int) -> None:
    assert re.fullmatch(NUMERAL, written(n))
    assert decimal(written(n)) == str(n)
