from __future__ import annotations

import hashlib
import json
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from sluicegate.schema import Kind, Message, Role, content_id, make_pair, make_record, record_id

MESSAGES = st.lists(st.builds(Message, role=st.sampled_from(get_args(Role)), content=st.text()), min_size=1, max_size=4)


def test_an_id_is_the_hash_of_roles_and_contents() -> None:
    turns: list[Message] = [{"role": "user", "content": "Ω?"}, {"role": "assistant", "content": "是"}]
    text = '[["user", "Ω?"], ["assistant", "是"]]'
    assert record_id(turns) == hashlib.sha256(text.encode()).hexdigest()[:16]


@given(messages=MESSAGES, other=MESSAGES)
def test_ids_are_equal_when_conversations_are(messages: list[Message], other: list[Message]) -> None:
    assert (record_id(messages) == record_id(other)) == (messages == other)


def test_a_turn_cut_in_two_is_another_conversation() -> None:
    one: list[Message] = [{"role": "user", "content": "ab"}]
    assert record_id(one) != record_id([{"role": "user", "content": "a"}, {"role": "user", "content": "b"}])


@given(messages=MESSAGES)
def test_a_record_has_its_derived_columns(messages: list[Message]) -> None:
    record = make_record(messages, "s", "en", "7", {"b": 1, "a": "é"})
    assert record["id"] == record_id(messages)
    assert record["n_chars"] == sum(len(m["content"]) for m in messages)
    assert record["meta"] == '{"a": "é", "b": 1}'
    assert (record["source"], record["lang"], record["answer"]) == ("s", "en", "7")


def test_a_record_keeps_nothing_but_role_and_content_of_a_turn() -> None:
    turn = {"role": "user", "content": "a", "tool_calls": None}
    record = make_record([turn], "s", "en")  # type: ignore[list-item]
    assert record["messages"] == [{"role": "user", "content": "a"}]
    assert record["id"] == record_id([{"role": "user", "content": "a"}])
    assert json.loads(record["meta"]) == {}


def test_copies_share_the_id_of_their_content() -> None:
    assert content_id("00ab.2") == content_id("00ab.13") == content_id("00ab") == "00ab"


def test_kinds_are_the_folder_names_of_artifacts() -> None:
    assert all(kind.isalpha() and kind.islower() for kind in get_args(Kind)), "an id is `<kind>-<fingerprint>`"


def _said(text: str) -> list[Message]:
    return [{"role": "assistant", "content": text}]


def test_a_pair_is_another_one_with_its_sides_swapped() -> None:
    prompt: list[Message] = [{"role": "user", "content": "?"}]
    pair = make_pair(prompt, _said("a"), _said("b"), "s", "en", {"score": 1})
    swapped = make_pair(prompt, _said("b"), _said("a"), "s", "en")
    assert pair["id"] != swapped["id"]
    assert (pair["prompt"], pair["chosen"], pair["rejected"]) == (prompt, _said("a"), _said("b"))
    assert pair["meta"] == '{"score": 1}'
