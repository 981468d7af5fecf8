from __future__ import annotations

import re

import pytest

from sluicegate.evaluation.grading.units import PATTERN, measure, without_unit


@pytest.mark.parametrize(
    "text", [" miles", " cm^2", "cm", "m^2", r"^\circ", r"^\circ C", " miles per hour", "平方米", "元"]
)
def test_a_unit_is_known_by_its_looks(text: str) -> None:
    assert re.fullmatch(PATTERN, text)


@pytest.mark.parametrize("text", ["x", "ab", " x", "N", " sin x", "m", "^2", " a b c"])
def test_a_variable_is_none(text: str) -> None:
    assert not re.fullmatch(PATTERN, text)


@pytest.mark.parametrize(
    ("unit", "name"),
    [("cm", "cm"), ("square meters", "m2"), ("m^2", "m2"), ("平方米", "m2"), ("feet", "ft"), ("apples", ""), ("", "")],
)
def test_a_measure_has_one_name(unit: str, name: str) -> None:
    assert measure(unit) == name


def test_the_unit_behind_an_expression_is_dropped() -> None:
    assert without_unit(r"6\pi square units") == r"6\pi"
    assert without_unit("x + m") == "x + m"
