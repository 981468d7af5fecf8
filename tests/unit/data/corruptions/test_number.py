from __future__ import annotations

import re
from typing import Any

import pytest

from sluicegate.data.corruptions.number import _shifted, number


def test_one_number_moves_by_a_named_step_and_most_often_the_last(damage: Any) -> None:
    text, last = "From 20 take 8: 12 left. The answer is 12.", 0
    for changed, times in damage(number, text).items():
        before, after = ([int(d) for d in re.findall(r"\d+", t)] for t in (text, changed))
        moved = [b - a for a, b in zip(before, after, strict=True) if a != b]
        assert [abs(m) in (1, 2, 3, 5, 8, 10) for m in moved] == [True]
        assert min(after) >= 0
        last += times * (before[-1] != after[-1])
    assert 130 < last < 200  # .4 + .6 / 4 of 300 = 165


@pytest.mark.parametrize(
    ("digits", "step", "expected"),
    [("12", 5, "17"), ("3", -10, "0"), ("1,234", 10, "1,244"), ("999", 1, "1000"), ("１２", -3, "９"), ("０", 1, "１")],
)
def test_the_writing_of_the_number_is_kept(digits: str, step: int, expected: str) -> None:
    assert _shifted(digits, step) == expected


def test_fractions_and_texts_without_numbers_are_left_alone(damage: Any) -> None:
    assert {t[-8:] for t in damage(number, "It costs 3.50 now") if t} <= {f" {n}.50 now"[-8:] for n in range(14)}
    assert set(damage(number, "no digits")) == {None}
