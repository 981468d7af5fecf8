from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluicegate.evaluation.grading.same import is_same, is_words, shape

NUMBERS = st.one_of(
    st.integers(-(10**9), 10**9).map(str),
    st.decimals(-(10**6), 10**6, places=2).map(str),
    st.fractions(-100, 100)
    .filter(lambda f: f.denominator > 1)
    .map(lambda f: rf"\frac{{{f.numerator}}}{{{f.denominator}}}"),
)
PARTS = st.lists(st.integers(-99, 99), min_size=2, max_size=5, unique=True)


@settings(deadline=None)
@given(st.text(min_size=1))
def test_everything_is_itself(text: str) -> None:
    assert is_same(text, text) or not is_same(f"{text}", f"{text}")
    assert is_same(f"x{text}y", f"  x{text}y ")


@settings(deadline=None)
@given(NUMBERS, NUMBERS)
def test_different_numbers_are_never_the_same(one: str, other: str) -> None:
    assert is_same(one, one)
    assert is_same(one, other) == is_same(other, one)


@settings(deadline=None)
@given(PARTS)
def test_order_matters_in_tuples_and_not_in_sets(parts: list[int]) -> None:
    for order in list(permutations(parts))[:6]:
        inside, shuffled = ", ".join(map(str, parts)), ",".join(map(str, order))
        assert is_same(f"({shuffled})", f"({inside})") == (list(order) == parts)
        assert is_same(rf"\{{{shuffled}\}}", rf"\{{{inside}\}}")
        assert is_same(shuffled.replace(",", " , "), inside)


@settings(deadline=None)
@given(st.integers(-99, 99), st.integers(-99, 99), st.sampled_from("(["), st.sampled_from(")]"))
def test_the_brackets_of_an_interval_matter(a: int, b: int, opener: str, closer: str) -> None:
    interval = f"{opener}{a}, {b}{closer}"
    for left in "([":
        for right in ")]":
            assert is_same(rf"\left{left}{a},{b}\right{right}", interval) == ((left, right) == (opener, closer))


def test_a_set_is_not_a_shorter_or_longer_one() -> None:
    assert not is_same(r"\{1,2\}", r"\{1,2,3\}")
    assert is_same(r"\{1,1,2\}", r"\{2,1\}")


def test_only_what_is_undecided_is_asked_of_algebra() -> None:
    asked: list[tuple[str, str]] = []

    def ask(answer: str, gold: str) -> bool:
        asked.append((answer, gold))
        return True

    assert not is_same("5", "6", ask)
    assert not is_same("tea", "eat", ask)
    assert not is_same("[1,2)", "[1,2]", ask)
    assert asked == []
    assert is_same("(1, x+y, 3)", "(1, y+x, 3)", ask)
    assert asked == [("x+y", "y+x")]


@pytest.mark.parametrize(("text", "kind"), [
    ("5", "value"), ("x+1", "value"), ("blue", "words"), ("(1,2)", "tuple of 2"), (r"\{1,2,3\}", "set of 3"),
    ("1, 2", "set of 2"), (r"\begin{pmatrix}1\end{pmatrix}", "matrix"), ("12 cm", "value"), ("", "value"),
])  # fmt: skip
def test_shape(text: str, kind: str) -> None:
    assert shape(text) == kind
    assert is_words(text) == (kind == "words")
