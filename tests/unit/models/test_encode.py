from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sluicegate.errors import DataError
from sluicegate.models.encode import IGNORED, Encoded, Encoder, collate, end_ids, length_batches
from sluicegate.schema import Record, make_record

Make = Callable[..., Any]

TEMPLATES = ["chatml", "marked", "thinking", "llama3", "inst", "none"]
TEXT = st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"])
CLOSERS = {"llama3": "<|eot_id|>", "inst": "</s>", "none": "</s>"}


def chat(*contents: str, system: str | None = None) -> Record:
    """Contents in turn of a user and an assistant."""
    opening = [{"role": "system", "content": system}] if system else []
    roles = ["user", "assistant"] * len(contents)
    turns = [{"role": role, "content": text} for role, text in zip(roles, contents, strict=False)]
    return make_record([*opening, *turns], "test", "en")  # type: ignore[list-item]


def spans_in_text(tokenizer: Any, row: Encoded) -> list[str]:
    return [tokenizer.decode(row.ids[start:end]) for start, end in row.spans]


@pytest.mark.parametrize("trim_offsets", [False, True])
@pytest.mark.parametrize("name", TEMPLATES)
def test_spans_hold_the_replies_and_their_end_tokens(name: str, trim_offsets: bool, make_tokenizer: Make) -> None:
    tokenizer = make_tokenizer(name, trim_offsets=trim_offsets)
    row = Encoder(tokenizer).encode(chat("How many?", "Two.", "And 你好 now?", "Three\nof 数."))
    closer = CLOSERS.get(name, "<|im_end|>")
    thought = "<think>\n\n</think>\n\n" if name == "thinking" else ""
    assert spans_in_text(tokenizer, row) == [f"Two.{closer}", f"{thought}Three\nof 数.{closer}"]


@pytest.mark.parametrize("name", [name for name in TEMPLATES if name != "none"])
def test_ids_are_what_the_tokenizer_itself_gives(name: str, make_tokenizer: Make) -> None:
    tokenizer = make_tokenizer(name)
    record = chat("One?", "Two.", "Three?", "Four.", system="Be brief." if name != "inst" else None)
    assert Encoder(tokenizer).encode(record).ids == tokenizer.apply_chat_template(record["messages"])["input_ids"]


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_prompt_is_what_stands_before_the_last_span(name: str, make_tokenizer: Make) -> None:
    encoder = Encoder(make_tokenizer(name))
    record = chat("One?", "Two.", "Three?", "Four.")
    row, prompt = encoder.encode(record), encoder.encode_prompt(record["messages"][:-1])
    assert row.ids[: len(prompt)] == prompt
    if name != "inst":  # its reply opens with a space that is in no prompt
        assert row.n_prompt == len(prompt)


def test_the_header_is_counted(tiny_tokenizer: Any) -> None:
    row = Encoder(tiny_tokenizer).encode(chat("One?", "Two."))
    start = row.n_prompt
    assert tiny_tokenizer.decode(row.ids[start - row.n_header : start]) == "<|im_start|>assistant\n"


def test_marks_change_nothing(make_tokenizer: Make) -> None:
    record = chat("One?", "Two.", "Three?", "Four.")
    assert Encoder(make_tokenizer("chatml")).encode(record) == Encoder(make_tokenizer("marked")).encode(record)


@settings(deadline=None, max_examples=60)
@given(contents=st.lists(st.text(TEXT, max_size=30), min_size=2, max_size=6))
def test_any_text_is_found_again(contents: list[str], make_tokenizer: Make) -> None:
    tokenizer = make_tokenizer("chatml")
    record = chat(*contents[: len(contents) // 2 * 2])
    row = Encoder(tokenizer).encode(record)
    replies = [m["content"] + "<|im_end|>" for m in record["messages"] if m["role"] == "assistant"]
    assert spans_in_text(tokenizer, row) == replies


def test_a_reply_that_quotes_the_end_marker_is_whole(tiny_tokenizer: Any) -> None:
    row = Encoder(tiny_tokenizer).encode(chat("Quote it.", "It is <|im_end|> here.", "Again?", "No."))
    assert spans_in_text(tiny_tokenizer, row)[0] == "It is <|im_end|> here.<|im_end|>"


def test_tools_and_system_turns_are_no_labels(tiny_tokenizer: Any) -> None:
    messages = [("system", "S"), ("user", "U"), ("assistant", "call"), ("tool", "result"), ("assistant", "done")]
    record = make_record([{"role": r, "content": c} for r, c in messages], "test", "en")
    row = Encoder(tiny_tokenizer).encode(record)
    assert spans_in_text(tiny_tokenizer, row) == ["call<|im_end|>", "done<|im_end|>"]


def test_a_document_needs_no_template(tiny_tokenizer: Any) -> None:
    record = make_record([{"role": "assistant", "content": "Plain text."}], "test", "en")
    row = Encoder(tiny_tokenizer).encode(record)
    assert tiny_tokenizer.decode(row.ids) == "<s>Plain text.</s>"
    assert (row.spans, row.n_header) == ([(1, len(row.ids))], 0)


def test_labels_are_the_ids_inside_spans_only(tiny_tokenizer: Any) -> None:
    row = Encoder(tiny_tokenizer).encode(chat("One?", "Two."))
    kept = [i for i, label in enumerate(row.labels) if label != IGNORED]
    assert kept == list(range(*row.spans[0]))
    assert [row.labels[i] for i in kept] == [row.ids[i] for i in kept]
    assert row.n_label == len("Two.") + 1


def test_the_end_token_is_a_label_though_it_is_the_pad_token(make_tokenizer: Make) -> None:
    tokenizer = make_tokenizer("none")
    tokenizer.pad_token = tokenizer.eos_token
    rows = [Encoder(tokenizer).encode(chat("One?", text)) for text in ("Two.", "Two and more.")]
    batch = collate(rows, tokenizer.pad_token_id)
    assert (batch["labels"] == tokenizer.eos_token_id).sum(1).tolist() == [1, 1]
    assert batch["attention_mask"].sum(1).tolist() == [len(row.ids) for row in rows]


def test_truncation_is_counted_and_told(tiny_tokenizer: Any, capsys: pytest.CaptureFixture[str]) -> None:
    whole = Encoder(tiny_tokenizer).encode(chat("One?", "Two."))
    rows = Encoder(tiny_tokenizer, max_length=len(whole.ids) - 4).encode_all([chat("One?", "Two.")], "encode")
    assert (rows[0].truncated, rows[0].ids, rows[0].n_label) == (4, whole.ids[:-4], whole.n_label - 3)
    assert "1 row is longer" in capsys.readouterr().err


def test_a_row_without_labels_stops_the_run_and_is_named(tiny_tokenizer: Any) -> None:
    good, bad = chat("One?", "Two."), chat("A very long question indeed " * 3, "Two.")
    encoder = Encoder(tiny_tokenizer, max_length=60)
    with pytest.raises(DataError, match=bad["id"]) as err:
        encoder.encode_all([good, bad], "encode")
    assert "max_length" in err.value.hint
    assert encoder.encode_all([good, bad], "encode", need_labels=False)[1].n_label == 0


def test_what_a_template_refuses_is_named(make_tokenizer: Make) -> None:
    tokenizer = make_tokenizer()
    tokenizer.chat_template = (
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system turn') }}{% endif %}"
        + tokenizer.chat_template
    )
    record = chat("One?", "Two.", system="S")
    with pytest.raises(DataError, match=record["id"]):
        Encoder(tokenizer).encode(record)


def test_generation_stops_at_the_template_s_own_end(make_tokenizer: Make) -> None:
    tokenizer = make_tokenizer("chatml")
    assert set(tokenizer.convert_ids_to_tokens(end_ids(tokenizer))) == {"</s>", "<|im_end|>"}
    assert end_ids(make_tokenizer("none")) == [tokenizer.eos_token_id]


def test_padding_does_not_change_the_loss(tiny_tokenizer: Any, make_model: Make) -> None:
    model = make_model("Qwen2", len(tiny_tokenizer))
    encoder = Encoder(tiny_tokenizer)
    rows = [encoder.encode(chat("One?", "Two.")), encoder.encode(chat("A longer question?", "A much longer answer."))]
    with torch.no_grad():
        alone = [model(**collate([row], 0)).loss.item() * row.n_label for row in rows]
        together = model(**collate(rows, 0)).loss.item() * sum(row.n_label for row in rows)
    assert together == pytest.approx(sum(alone), rel=1e-5)


@given(st.lists(st.integers(1, 300), max_size=60), st.integers(1, 16), st.integers(1, 2000))
def test_batches_hold_every_row_once_within_their_limits(lengths: list[int], size: int, tokens: int) -> None:
    batches = length_batches(lengths, batch_size=size, batch_tokens=tokens)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) <= size
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= tokens
    order = [lengths[i] for batch in batches for i in batch]
    assert order == sorted(order, reverse=True)
