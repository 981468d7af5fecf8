"""Tokens as text that can be read: a character cut into byte tokens stays in one piece."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

BROKEN = "\ufffd"
"""What a decoder writes for bytes that are no whole character."""


def pieces(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int], start: int, end: int) -> list[tuple[str, int]]:
    """(text, how many tokens it is) for the tokens [start, end) of a row, the shortest runs of whole characters.

    The texts in a row are what the tokens decode to; special tokens are written out. Only a row cut inside a
    character ends in a piece that is none.
    """
    found = []
    while start < end:
        stop = start + 1
        while (text := _text(tokenizer, ids, start, stop)).endswith(BROKEN) and stop < end:
            stop += 1
        found.append((text, stop - start))
        start = stop
    return found


def _text(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int], start: int, stop: int) -> str:
    """Decoded behind the token before, for some decoders drop the space a text begins with."""
    before = max(0, start - 1)
    decode = [str(tokenizer.decode(list(ids[before:to]), clean_up_tokenization_spaces=False)) for to in (start, stop)]
    return decode[1][len(decode[0]) :]
