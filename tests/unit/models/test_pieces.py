"""Pieces are text a reader knows, and no token is lost."""

from __future__ import annotations

from typing import Any

import pytest

from sluicegate.models.pieces import pieces
from sluicegate.models.tokenizer import train_bpe

TEXTS = ["一共有 12 个苹果。", "Janet’s ducks lay 16 eggs.\n\nSo 🦆🦆 = 2", "  spaced\tout  ", "a\ufffdb"]


def found(tokenizer: Any, text: str) -> list[tuple[str, int]]:
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    return pieces(tokenizer, ids, 0, len(ids))


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("vocabulary", [260, 400])
def test_the_pieces_are_the_text_and_their_sizes_its_tokens(text: str, vocabulary: int) -> None:
    tokenizer = train_bpe(TEXTS[:2] * 20, vocabulary)
    parts = found(tokenizer, text)
    assert "".join(piece for piece, _ in parts) == text
    assert sum(size for _, size in parts) == len(tokenizer(text)["input_ids"])


def test_a_character_of_several_byte_tokens_is_one_piece(tiny_tokenizer: Any) -> None:
    assert found(tiny_tokenizer, "a加🦆.") == [("a", 1), ("加", 3), ("🦆", 4), (".", 1)]


def test_a_token_across_two_characters_binds_them() -> None:
    tokenizer = train_bpe(["五五五五"] * 9, 265)
    parts = found(tokenizer, "五六五")
    assert "".join(text for text, _ in parts) == "五六五"
    assert all("\ufffd" not in text for text, _ in parts)


def test_special_tokens_are_written_out_and_the_middle_of_a_row_can_be_asked_for(tiny_tokenizer: Any) -> None:
    ids = tiny_tokenizer("加法<|im_end|>")["input_ids"]
    assert pieces(tiny_tokenizer, ids, 3, len(ids)) == [("法", 3), ("<|im_end|>", 1)]


def test_a_row_cut_inside_a_character_ends_in_a_broken_piece(tiny_tokenizer: Any) -> None:
    ids = tiny_tokenizer("a加")["input_ids"]
    assert pieces(tiny_tokenizer, ids, 0, 3) == [("a", 1), ("\ufffd", 2)]


def test_a_decoder_that_drops_the_first_space_keeps_those_between() -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.BPE({"▁": 0, "a": 1, "▁a": 2}, [("▁", "a")]))
    inner.pre_tokenizer, inner.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner)
    ids = tokenizer("a a aa")["input_ids"]
    assert [text for text, _ in pieces(tokenizer, ids, 1, len(ids))] == [" a", " a", "a"]
