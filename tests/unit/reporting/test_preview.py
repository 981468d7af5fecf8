"""The pieces of a row are its tokens, each seen as a trainer sees it."""

from __future__ import annotations

from typing import Any

import pytest

from sluicegate.models.encode import Encoder
from sluicegate.reporting.preview import ENDLESS, TAIL, Part, plain_view, token_view
from sluicegate.schema import Message, make_pair, make_record


def turns(*texts: str, first: int = 0) -> list[Message]:
    return [{"role": ("user", "assistant")[(n + first) % 2], "content": text} for n, text in enumerate(texts)]


ROW = make_record(turns("几个？", "Two.", "And\nnow?", "四。"), "s", "zh")
PAIR = make_pair(turns("Hi.", "Hello.", "How many?"), turns("Two.", first=1), turns("Ten\n.", first=1), "s", "en")


def said(part: Part, **looks: bool) -> list[str]:
    return [p.text for p in part.pieces if all(getattr(p, name) == value for name, value in looks.items())]


@pytest.mark.parametrize("template", ["chatml", "marked", "llama3", "inst", "none"])
def test_the_pieces_are_the_text_the_template_renders(template: str, make_tokenizer: Any) -> None:
    encoder = Encoder(make_tokenizer(template), ENDLESS)
    (part,) = token_view(ROW, encoder, ENDLESS).parts
    encoded = encoder.encode(ROW)
    assert "".join(said(part)) == encoder.tokenizer.decode(encoded.ids)
    assert "".join(said(part, label=True)) == "".join(
        encoder.tokenizer.decode(encoded.ids[a:b]) for a, b in encoded.spans
    )
    assert (part.tokens, part.labels, part.cut) == (len(encoded.ids), encoded.n_label, 0)


def test_special_tokens_stand_alone_and_the_end_of_a_turn_is_a_label(tiny_tokenizer: Any) -> None:
    (part,) = token_view(ROW, Encoder(tiny_tokenizer, ENDLESS), ENDLESS).parts
    assert said(part, special=True) == ["<|im_start|>", "<|im_end|>"] * 4
    assert said(part, special=True, label=True) == ["<|im_end|>"] * 2
    assert said(part, label=True) == ["Two.", "<|im_end|>", "四。", "<|im_end|>"]


@pytest.mark.parametrize("max_length", [1, 20, 40, 60])
def test_labels_are_those_a_trainer_has_at_the_same_length(max_length: int, tiny_tokenizer: Any) -> None:
    (part,) = token_view(ROW, Encoder(tiny_tokenizer, ENDLESS), max_length).parts
    trained = Encoder(tiny_tokenizer, max_length).encode(ROW)
    assert (part.tokens, part.labels, part.cut) == (len(trained.ids), trained.n_label, trained.truncated)
    assert "".join(said(part, cut=False)) == tiny_tokenizer.decode(trained.ids)
    assert not said(part, cut=True, label=True)


def test_of_a_long_tail_only_the_beginning_is_shown(tiny_tokenizer: Any) -> None:
    row = make_record(turns("Why?", "四" * 200), "s", "zh")  # three tokens each
    (part,) = token_view(row, Encoder(tiny_tokenizer, ENDLESS), 98).parts
    assert "".join(said(part, cut=True)) == "四" * (TAIL // 3)
    assert part.cut > 400


def test_a_pair_is_one_prompt_and_two_continuations_that_alone_have_labels(tiny_tokenizer: Any) -> None:
    prompt, chosen, rejected = token_view(PAIR, Encoder(tiny_tokenizer, ENDLESS), ENDLESS).parts
    assert [part.title for part in (prompt, chosen, rejected)] == ["prompt", "chosen", "rejected"]
    assert "".join(said(prompt)).endswith("How many?<|im_end|>\n<|im_start|>assistant\n")
    assert not said(prompt, label=True), "an answer inside the prompt is no label"
    assert said(chosen) == ["Two.", "<|im_end|>", "\n"]
    assert said(rejected, label=True) == ["Ten\n.", "<|im_end|>"]
    assert (chosen.labels, rejected.labels) == (5, 6)


def test_a_continuation_is_cut_where_prompt_and_continuation_are_too_long(tiny_tokenizer: Any) -> None:
    encoder = Encoder(tiny_tokenizer, ENDLESS)
    whole = token_view(PAIR, encoder, ENDLESS).parts[0].tokens or 0
    prompt, chosen, rejected = token_view(PAIR, encoder, whole + 2).parts
    assert (prompt.tokens, prompt.cut) == (whole, 0)
    assert [(part.tokens, part.labels, said(part, cut=False)) for part in (chosen, rejected)] == [
        (2, 2, ["Tw"]),
        (2, 2, ["Te"]),
    ]
    prompt, chosen, _ = token_view(PAIR, encoder, whole - 3).parts
    assert (prompt.cut, chosen.tokens, chosen.labels, chosen.cut) == (3, 0, 0, 6)


def test_without_a_model_a_row_is_its_turns() -> None:
    (part,) = plain_view(ROW).parts
    assert [(p.role, p.text) for p in part.pieces] == [(m["role"], m["content"]) for m in ROW["messages"]]
    assert part.tokens is None
    titles = [(part.title, [p.text for p in part.pieces]) for part in plain_view(PAIR).parts]
    assert titles == [("prompt", ["Hi.", "Hello.", "How many?"]), ("chosen", ["Two."]), ("rejected", ["Ten\n."])]
