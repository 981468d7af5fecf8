from __future__ import annotations

import pytest

from sluicegate.data.lengths import chars_of, guessed_tokens
from sluicegate.schema import Message, make_pair, make_record


def turn(role: str, text: str) -> list[Message]:
    return [{"role": role, "content": text}]


def test_a_pair_is_as_long_as_its_prompt_and_both_sides() -> None:
    assert chars_of(make_record([*turn("user", "1234"), *turn("assistant", "12")], "s", "en")) == 6
    pair = make_pair(turn("user", "1234"), turn("assistant", "12"), turn("assistant", "1"), "s", "en")
    assert chars_of(pair) == 7


@pytest.mark.parametrize(("lang", "tokens"), [("zh", 350), ("en", 180), ("other", 233)])
def test_a_token_of_chinese_has_fewer_characters(lang: str, tokens: int) -> None:
    assert guessed_tokens(630, lang) == tokens
