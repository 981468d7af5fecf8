"""Equations in plain text, LaTeX and Chinese."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluicegate.scoring.equations import equations, final_answer_said

RIGHT = [
    "48/2 = 24",
    "He pays $1,200 - $200 = $1,000 today.",
    "5 red apples * 3 = 15 apples",
    "5 snakes/jaguar * 6 jaguars = 30 snakes",
    "because 2 x 16 = 32",
    "50% of 30 = 15",
    "1/2 of 10 = 5",
    "20/50*100 = 40%",
    "1/3 = 0.33",
    "7.5 + .5 = 8",
    "2(3 + 4) = 14",
    "2^3 = 8",
    "2**3 = 8",
    "17 / 5 = 3 remainder 2",
    "17÷5=3……2",
    r"\frac{1}{2} + \frac{1}{3} = \boxed{\frac{5}{6}}",
    r"3\frac{1}{2} \times 2 = 7",
    r"2^{10} - 24 &= 1{,}000",
    "（3＋4）×2＝14",
    "3个苹果+5个苹果=8个苹果",
    "12 除以 4 等于 3。",
    "3加5等于8",
]
WRONG = [
    "48/2 = 25",
    "$1,200 - $200 = $100",
    "17 / 5 = 3 remainder 3",
    "3加5等于9",
    r"2 \cdot 3 = 5",
    "1/3 = 0.35",
    "2*2 = 4.1",
]
NONE = [
    "x + 3 = 5",
    "5x = 10",
    "x = 5",
    "14 hours = 14 * 60 minutes",
    "a 3:5 = 6 mix",
    "2 + = 4",
    "1/0 = 3",
    "no sums here",
    "",
]


@pytest.mark.parametrize("text", RIGHT)
def test_what_holds(text: str) -> None:
    assert [equation.holds for equation in equations(text)] == [True]


@pytest.mark.parametrize("text", WRONG)
def test_what_does_not(text: str) -> None:
    assert [equation.holds for equation in equations(text)] == [False]


@pytest.mark.parametrize("text", NONE)
def test_what_says_nothing_of_numbers(text: str) -> None:
    assert equations(text) == []


def test_a_chain_is_as_many_equations_as_it_has_steps() -> None:
    assert [e.holds for e in equations("2 + 2 + 2 = 3 * 2 = 6 = 7")] == [True, True]
    assert [e.holds for e in equations("15/hour = 15*7 = 106\n1 + 1 = 2")] == [False, True]


def test_a_final_answer_has_been_said_before() -> None:
    assert final_answer_said("3 + 4 = 7\n#### 7") is True
    assert final_answer_said("3 + 4 = 7\n#### 1,008") is False
    assert final_answer_said("3加4等于7。答案是 7。") is True
    assert final_answer_said("3 + 4 = 7") is None


@given(st.integers(0, 999), st.integers(1, 99), st.sampled_from("+-*"), st.integers(-3, 3))
def test_sums_are_worked_out(a: int, b: int, op: str, off: int) -> None:
    exact = {"+": a + b, "-": a - b, "*": a * b}[op]
    assert [e.holds for e in equations(f"So {a} {op} {b} = {exact + off}.")] == [off == 0]


@settings(deadline=2000)
@given(st.text(alphabet="0123456789+-*/^()=%., x余等于{}\\frac$", max_size=400))
def test_any_text_is_read_in_time(text: str) -> None:
    equations(text)


@pytest.mark.parametrize(
    "text", ["9^9^9^9 = 1", "(" * 5000 + "1+1=2", "9" * 5000 + "+1=2", "1+" * 5000 + "1=2", "1=" * 3000]
)
def test_a_monster_is_no_equation(text: str) -> None:
    assert all(len(e.text) < 1000 for e in equations(text))
