from __future__ import annotations

import pytest

from sluicegate.evaluation.grading.ranges import Ranges, read_ranges
from sluicegate.evaluation.grading.same import is_same


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (r"1 < x \le 2", Ranges({"x"}, ["(1, 2]"])),
        (r"2 \ge x > 1", Ranges({"x"}, ["(1, 2]"])),
        ("x < 3", Ranges({"x"}, [r"(-\infty, 3)"])),
        (r"3 \le x", Ranges({"x"}, [r"[3, \infty)"])),
        (r"x \in [0, 1) \cup (2, 3)", Ranges(set(), ["[0, 1)", "(2, 3)"])),
        (r"\{x \mid x > 2\}", Ranges({"x"}, [r"(2, \infty)"])),
        ("1 < x > 2", None),
        ("x < y", None),
        ("x < 3, 5", None),
        ("(1, 2, 3)", None),
        ("<", None),
        ("5", None),
        ("", None),
    ],
)
def test_ranges_are_read(text: str, found: Ranges | None) -> None:
    assert read_ranges(text) == found


@pytest.mark.parametrize(
    ("answer", "gold", "same"),
    [
        ("x < -1 or x > 3", r"(3, \infty) \cup (-\infty, -1)", True),
        ("x < -1 or x > 3", r"(3, \infty) \cup (-\infty, -1]", False),
        (r"\{t : t > 2\}", r"(2, \infty)", True),
        (r"\{t : t > 2\}", "t > 2", True),
        ("2 < x", "y > 2", False),
        ("0 < x < 1", "[0, 1]", False),
    ],
)
def test_inequalities_are_intervals(answer: str, gold: str, same: bool) -> None:
    assert is_same(answer, gold) == is_same(gold, answer) == same
