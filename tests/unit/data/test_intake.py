from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluicegate.data import intake
from sluicegate.data.intake import Candidate, Shaped, from_file, from_records, language_of
from sluicegate.data.normalize import normalize
from sluicegate.data.readers import Row
from sluicegate.data.shapes import Conversation, Found, Several
from sluicegate.data.shapes.base import Columns
from sluicegate.schema import Message, Record, make_pair, make_record, record_id

TURNS, SAID = [Message(role="user", content="q")], Message(role="assistant", content="a")
TEXT = st.text(st.characters(codec="utf-8")).map(normalize).filter(bool)
CONVERSATION = st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=3).map(
    lambda pairs: [Message(role=r, content=c) for p in pairs for r, c in zip(("user", "assistant"), p, strict=True)]
)


def made(row: Any, **keys: Any) -> Candidate:
    (candidate,) = Shaped("s", 100, **keys).candidates([Row(1, row)], "f")
    return candidate


# Records ------------------------------------------------------------------------------------------------------------


def test_a_row_becomes_a_record() -> None:
    found = made({"question": "How\u3000many?", "answer": "1+1=2\r\n#### 2", "id": "g1"})
    messages: list[Message] = [
        {"role": "user", "content": "How many?"},
        {"role": "assistant", "content": "1+1=2\n#### 2"},
    ]
    assert found.record == make_record(messages, "s", "en", "2", {"id": "g1"})


@pytest.mark.parametrize(("given_answer", "answer"), [("7", "7"), (7, "7"), (None, None), (True, None), ([7], None)])
def test_an_answer_column_is_the_answer(given_answer: Any, answer: str | None) -> None:
    found = made({"prompt": "q", "completion": "a", "answer": given_answer}).record
    assert found == make_record([*TURNS, SAID], "s", "en", answer, {})


def test_unreadable_rows_pass_their_reason_on() -> None:
    (found,) = Shaped("s", 100).candidates([Row(3, None, "invalid JSON: Expecting value", "{")], "f")
    assert (found.record, found.reason, found.place) == (None, "invalid JSON: Expecting value", "f line 3")
    assert list(found.all_dropped(found.reason)) == [{"source": "s", "line": 3, "reason": found.reason, "text": "{"}]


def test_the_language_is_that_of_the_responses() -> None:
    asked, said = (
        Message(role="user", content="请翻译成英文：你好吗？"),
        Message(role="assistant", content="How are you today?"),
    )
    assert language_of([asked, said]) == "en"
    assert language_of([asked, Message(role="assistant", content="42")]) == "zh"
    both: Any = made({"prompt": "请算：六乘七等于几？", "chosen": "42", "rejected": "41"}, make="pairs").record
    assert both["lang"] == "zh", "that of what is asked, where the answers have no letters"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(conversations=st.lists(CONVERSATION, min_size=1, max_size=4))
def test_normalised_messages_come_back_as_they_went(tmp_path: Path, conversations: list[list[Message]]) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps({"messages": c}) + "\n" for c in conversations), encoding="utf-8")
    found: list[Any] = [c.record for c in from_file(path, "x", "auto", 10_000)]
    assert [r["messages"] for r in found] == conversations
    assert [r["id"] for r in found] == [record_id(c) for c in conversations]


def test_records_keep_what_they_say_of_themselves_and_are_tidied() -> None:
    messages: list[Message] = [{"role": "user", "content": "q "}, {"role": "assistant", "content": "a"}]
    rows = [make_record(messages, "world/kb", "other", "7", {"fault": "clean"}), make_record(messages[:1], "w", "en")]
    good, bad = from_records(rows, "world", 100)
    tidied: list[Message] = [{"role": "user", "content": "q"}, messages[1]]
    assert good.record == make_record(tidied, "world/kb", "other", "7", {"fault": "clean"})
    assert (bad.record, bad.reason, bad.place) == (None, "no assistant turn", "world line 2")


def test_a_record_written_out_is_read_as_itself(tmp_path: Path) -> None:
    record: Record = make_record(
        [{"role": "assistant", "content": "The sky is blue."}], "s", "en", "blue", {"fault": "clean"}
    )
    path = tmp_path / "s.jsonl"
    path.write_text(json.dumps(record), encoding="utf-8")
    found: Any
    (found,) = (candidate.record for candidate in from_file(path, "s", "auto", 100))
    assert (found["id"], found["answer"], json.loads(found["meta"])["fault"]) == (record["id"], "blue", "clean")


# Pairs --------------------------------------------------------------------------------------------------------------


def test_a_row_becomes_a_pair() -> None:
    found = made({"prompt": "q ", "chosen": "a\u3000", "rejected": "b", "id": 7}, make="pairs").record
    assert found == make_pair(TURNS, [SAID], [Message(role="assistant", content="b")], "s", "en", {"id": 7})


def test_an_empty_system_turn_is_left_out_of_a_pair_as_well() -> None:
    opening = [Message(role="system", content=" "), *TURNS]
    sides = {name: [*opening, Message(role="assistant", content=name)] for name in ("chosen", "rejected")}
    found: Any = made(sides, make="pairs").record
    assert [[m["content"] for m in found[name]] for name in ("prompt", "chosen")] == [["q"], ["chosen"]]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"prompt": "q", "chosen": "a", "rejected": "a "}, "no preference: both answers are the same"),
        ({"chosen": [SAID], "rejected": [{**SAID, "content": "b"}]}, "no prompt: nobody asks anything"),
        ({"prompt": "q", "chosen": "a", "rejected": " "}, "empty turn: assistant"),
        ({"prompt": "q", "chosen": "a", "rejected": "x" * 100}, "too long: 101 characters, max_chars is 100"),
        ({"prompt": "q", "completion": "a"}, "no preference: one answer, where pairs are made"),
    ],
)
def test_a_row_that_makes_no_pair_says_why(row: Any, reason: str) -> None:
    assert made(row, make="pairs").reason == reason


def test_of_a_preference_a_conversation_is_made_where_asked_for() -> None:
    row = {"prompt": "q", "chosen": "a", "rejected": "b"}
    assert made(row).reason == "a preference: two answers, where messages are made"
    assert made(row, pairs_as="chosen").record == make_record([*TURNS, SAID], "s", "en")


# The account --------------------------------------------------------------------------------------------------------


class Forgetful(Several):
    """Says nothing of its second row, and two things of its third."""

    name = "forgetful"
    columns = ("text",)

    def read_all(self, rows: Sequence[Columns], config: Any) -> Iterator[Found]:
        yield Found(Conversation([SAID]), (0, 2))
        yield Found(Conversation([SAID]), (2,))


def test_no_row_is_lost_to_a_shape_that_forgets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    forgetful = Forgetful()
    monkeypatch.setattr(intake, "find", lambda row, shape: forgetful)
    monkeypatch.setattr(intake, "extras", lambda row, shape: {})
    monkeypatch.setattr(intake, "config_of", lambda shape, options: None)
    rows = [Row(n, {"tree": "t", "text": "x"}) for n in (1, 2, 3)]
    found = list(Shaped("s", 100, gathers="tree").candidates(rows, "f"))
    assert [(c.row.line, c.reason, c.again, [r.line for r in c.earlier]) for c in found] == [
        (3, "", False, [1]),
        (3, "", True, []),
        (2, "not read: 'forgetful' says nothing of it", False, []),
    ]
    assert [c.n_rows for c in found] == [2, 0, 1]
    assert [d["line"] for d in found[0].all_dropped("x")] == [1, 3]
