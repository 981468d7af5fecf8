from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluicegate.evaluation.grading.nesting import MAX_DEPTH, Group, closing, group, is_unwieldy, split


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("1, 2; 3", ["1", "2", "3"]),
        ("(1, 2), [3, 4)", ["(1, 2)", "[3, 4)"]),
        (r"\{1, 2\}, 3", [r"\{1, 2\}", "3"]),
        (r"\begin{pmatrix} 1, 2 \end{pmatrix}, 3", [r"\begin{pmatrix} 1, 2 \end{pmatrix}", "3"]),
        ("), 1", [")", "1"]),
        (",,", []),
        ("", []),
    ],
)
def test_parts_stand_between_separators_outside_of_brackets(text: str, parts: list[str]) -> None:
    assert split(text) == parts


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("(1, 2]", Group("(", "1, 2", "]")),
        (r"\{ 1 \}", Group(r"\{", "1", r"\}")),
        ("((1), 2)", Group("(", "(1), 2", ")")),
        ("(1)(2)", None),
        ("(1) + 2", None),
        ("2(1)", None),
        ("(1", None),
        ("1)", None),
        (")(", None),
        ("", None),
    ],
)
def test_a_group_is_in_brackets_as_a_whole(text: str, found: Group | None) -> None:
    assert group(text) == found


def test_a_brace_closes_where_its_partner_stands() -> None:
    assert closing(r"{a{b}\}c}d", 1) == 8
    assert closing("{a{b}", 1) is None


def test_what_is_too_deep_or_too_long_is_unwieldy() -> None:
    assert not is_unwieldy("(" * MAX_DEPTH)
    assert is_unwieldy("(" * (MAX_DEPTH + 2))
    assert is_unwieldy("1" * 10_000)


@settings(deadline=None)
@given(st.text("()[]{},;\\ 1x"))
def test_no_brackets_break_it(text: str) -> None:
    found = group(text)
    assert found is None or len(found.inner) < len(text)
    assert all(split(text))
