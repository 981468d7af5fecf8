from __future__ import annotations

from typing import Any

import pytest

from sluicegate.data.corruptions.negate import negate


@pytest.mark.parametrize(
    ("text", "negated"),
    [
        ("It is red", "It is not red"),
        ("It is not red", "It is red"),
        ("It isn't red", "It is red"),
        ("It doesn't fit", "It does fit"),
        ("You can go", "You can not go"),
        ("You cannot go", "You can go"),
        ("You can't go", "You can go"),
        ("这是糖", "这不是糖"),
        ("这不是糖", "这是糖"),
        ("他有糖", "他没有糖"),
        ("他没有糖", "他有糖"),
        ("可以走", "不可以走"),
    ],
)
def test_a_verb_is_turned_into_its_opposite(text: str, negated: str, damage: Any) -> None:
    assert set(damage(negate, text)) == {negated}


@pytest.mark.parametrize("text", ["He did it", "canal", "但所有社会可能", "5 + 7"])
def test_words_that_only_hold_a_verb_are_left_alone(text: str, damage: Any) -> None:
    assert set(damage(negate, text)) == {None}


def test_one_of_many_at_random(damage: Any) -> None:
    assert set(damage(negate, "A is B, 甲是乙")) == {"A is not B, 甲是乙", "A is B, 甲不是乙"}
