"""How long a row is: its characters, and by their language a guess at its tokens where no tokenizer counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from sluicegate.schema import Pair, Record

CHARS_PER_TOKEN = {"zh": 1.8, "en": 3.5, "other": 2.7}
"""Measured with the vocabulary of Qwen over 17,604 published rows, half of the English ones mathematics. Of single sets
it is off by up to a third: Chinese prose has 1.8 and word problems 1.3, English prose 4.3 and mathematics 2.7."""


def chars_of(record: Record | Pair) -> int:
    """Characters of a conversation, or of a prompt and both its continuations."""
    found = cast(Mapping[str, Any], record)
    if "n_chars" in found:
        return int(found["n_chars"])
    return sum(len(message["content"]) for side in ("prompt", "chosen", "rejected") for message in found[side])


def guessed_tokens(n_chars: int, lang: str) -> int:
    """About how many tokens so many characters of a language are."""
    return round(n_chars / CHARS_PER_TOKEN[lang])
