from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.data.normalize import normalize, normalize_turns
from sluicegate.data.shapes import Unfit
from sluicegate.schema import Message

TURNS: list[Message] = [{"role": "user", "content": " q "}, {"role": "assistant", "content": "a\r\nb"}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("\u3000你好\u3000世界", "你好 世界"),
        ("\ufeffze\u200bro\u2060", "zero"),
        ("e\u0301 \u212b", "é Å"),
        ("e\u200b\u0301", "é"),
        ("a\x00\x08b\tc", "ab\tc"),
        ("  code:\n    indented  ", "code:\n    indented"),
    ],
)
def test_what_is_only_spelling_is_spelt_one_way(text: str, expected: str) -> None:
    assert normalize(text) == expected


@pytest.mark.parametrize(
    "text", ["x² ① ½", "（全角），１２３：", r"\frac{1}{2}", "👨\u200d👩\u200d👧", "می\u200cخواهم"]
)
def test_what_means_something_stays(text: str) -> None:
    assert normalize(text) == text


@given(st.text())
def test_normalising_twice_is_normalising_once(text: str) -> None:
    assert normalize(normalize(text)) == normalize(text)


def test_turns_are_normalised_and_an_empty_system_turn_is_left_out() -> None:
    turns = normalize_turns([{"role": "system", "content": " \u200b"}, *TURNS], 10)
    assert turns == [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a\nb"}]


@pytest.mark.parametrize(
    ("turns", "reason"),
    [
        ([], "no assistant turn"),
        (TURNS[:1], "no assistant turn"),
        ([*TURNS, {"role": "user", "content": "\u200b\u3000"}], "empty turn: user"),
        ([TURNS[0], {"role": "assistant", "content": ""}], "empty turn: assistant"),
        ([*TURNS, {"role": "user", "content": "x" * 1234}], "too long: 1,238 characters, max_chars is 1,000"),
    ],
)
def test_conversations_nothing_can_be_learnt_from_are_unfit(turns: list[Message], reason: str) -> None:
    with pytest.raises(Unfit) as caught:
        normalize_turns(turns, 1000)
    assert str(caught.value) == reason
