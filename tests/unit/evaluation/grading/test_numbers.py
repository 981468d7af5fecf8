from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluicegate.evaluation.grading.numbers import is_equal, read_number
from sluicegate.evaluation.grading.spelling import spell


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,234,567", 1234567),
        ("12 345", 12345),
        ("0,111", Fraction(111, 1000)),
        (".5", Fraction(1, 2)),
        ("-3 1/2", Fraction(-7, 2)),
        (r"918\frac{1}{2}", Fraction(1837, 2)),
        (r"\frac{-1}{4}", Fraction(-1, 4)),
        (r"7.8 \times 10^{2}", 780),
        ("1e-3", Fraction(1, 1000)),
        ("1.5 million", 1500000),
        ("1.2万元", 12000),
        ("负三", None),
        ("十五个", 15),
        ("百分之12.5", Fraction(25, 2)),
        ("五分之三", Fraction(3, 5)),
        ("120千米", 120),
        ("5 miles per hour", 5),
        ("3rd", 3),
        ("5 x", None),
        ("2 sin x", None),
        ("1,23", None),
        ("12:00", None),
        (r"3\frac{4}{2}", None),
        ("1/0", None),
        ("x", None),
        ("", None),
        ("三角形", None),
        ("9" * 500, None),
    ],
)
def test_a_number_is_read_exactly(text: str, value: Fraction | int | None) -> None:
    found = read_number(text)
    assert (found and found.value) == value


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("28%", "0.28", True),
        ("28%", "28", True),
        ("28%", "2.8", False),
        ("28%", "0.28%", False),
        ("2/3", "0.6667", True),
        ("2/3", "0.667", False),
        ("2/3", "0.6666", False),
        ("1/4", "0.2500", True),
        ("1/4", "0.2501", False),
        ("1234.5678", "1234.5679", False),
        ("0.3", "0.30000000000000004", True),
        ("0.3000000000001", "0.3000000000002", False),
        ("5 cm", "5 centimeters", True),
        ("5 cm", "5 m", False),
        ("4 cm^2", "4 square centimeters", True),
        ("4 cm^2", "4 cm", False),
        ("5 apples", "5 pears", True),
        ("5元", "5 yuan", True),
    ],
)
def test_numbers_are_equal_or_not(one: str, other: str, equal: bool) -> None:
    left, right = read_number(spell(one)), read_number(spell(other))
    assert left
    assert right
    assert is_equal(left, right) == is_equal(right, left) == equal


@settings(deadline=None)
@given(st.decimals(-(10**9), 10**9, places=6), st.decimals(-(10**9), 10**9, places=6))
def test_two_plain_numbers_are_equal_if_and_only_if_they_are(one: object, other: object) -> None:
    left, right = read_number(f"{one:f}"), read_number(f"{other:,f}")
    assert left
    assert right
    assert is_equal(left, right) == (one == other)
