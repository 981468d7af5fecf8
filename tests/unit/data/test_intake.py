from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluicegate.data.intake import from_file, from_records, language_of, to_record
from sluicegate.data.normalize import normalize
from sluicegate.data.readers import Row
from sluicegate.data.shapes import Unfit
from sluicegate.schema import Message, Record, make_record, record_id

SHARED = Path(__file__).parents[4] / "shared" / "data"
TEXT = st.text(st.characters(codec="utf-8")).map(normalize).filter(bool)
CONVERSATION = st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=3).map(
    lambda pairs: [Message(role=r, content=c) for p in pairs for r, c in zip(("user", "assistant"), p, strict=True)]
)


def test_a_row_becomes_a_record() -> None:
    record = to_record(
        Row(1, {"question": "How\u3000many?", "answer": "1+1=2\r\n#### 2", "id": "g1"}), "gsm8k", "auto", 100
    )
    messages: list[Message] = [
        {"role": "user", "content": "How many?"},
        {"role": "assistant", "content": "1+1=2\n#### 2"},
    ]
    assert record == make_record(messages, "gsm8k", "en", "2", {"id": "g1"})


def test_unreadable_rows_pass_their_reason_on() -> None:
    with pytest.raises(Unfit, match="invalid JSON"):
        to_record(Row(3, None, "invalid JSON: Expecting value"), "s", "auto", 100)


def test_the_language_is_that_of_the_responses() -> None:
    asked, said = (
        Message(role="user", content="请翻译成英文：你好吗？"),
        Message(role="assistant", content="How are you today?"),
    )
    assert language_of([asked, said]) == "en"
    assert language_of([asked, Message(role="assistant", content="42")]) == "zh"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(conversations=st.lists(CONVERSATION, min_size=1, max_size=4))
def test_normalised_messages_come_back_as_they_went(tmp_path: Path, conversations: list[list[Message]]) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps({"messages": c}) + "\n" for c in conversations), encoding="utf-8")
    found = [c.record for c in from_file(path, "x", "auto", 10_000)]
    assert [r["messages"] for r in found if r] == conversations
    assert [r["id"] for r in found if r] == [record_id(c) for c in conversations]


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
    (candidate,) = from_file(path, "s", "auto", 100)
    assert candidate.record is not None
    assert candidate.record["id"] == record["id"]
    assert candidate.record["answer"] == "blue"
    assert json.loads(candidate.record["meta"])["fault"] == "clean"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data is not here")
@pytest.mark.parametrize(
    ("name", "rows", "kept", "answers"),
    [
        ("math/gsm8k_test.jsonl", 1319, 1319, 1319),
        ("math/math500.jsonl", 500, 500, 500),
        ("instruct/oasst_zh_sft.json", 766, 766, 0),
        ("instruct/sharegpt_zh_1k.jsonl", 1000, 994, 0),
        ("instruct/fastchat_dummy_conversation.json", 500, 500, 0),
        ("math/mgsm_zh.jsonl", 250, 0, 0),
        ("preference/oasst_zh_pairs.json", 775, 0, 0),
    ],
)
def test_real_files_are_read_to_the_last_row(name: str, rows: int, kept: int, answers: int) -> None:
    found = list(from_file(SHARED / name, "s", "auto", 100_000))
    records = [c.record for c in found if c.record]
    assert (len(found), len(records), sum(r["answer"] is not None for r in records)) == (rows, kept, answers)
    assert all(c.reason for c in found if not c.record)
