"""How long a row is: its characters, and by their language a guess at its tokens where no tokenizer counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from sluicegate.schema import Pair, Record

CHARS_PER_TOKEN = {"zh": 1.5, "en": 4.0, "other": 3.0}
"""What a token is guessed to be where no tokenizer counts."""


def chars_of(record: Record | Pair) -> int:
    """Characters of a conversation, or of a prompt and both its continuations."""
    found = cast(Mapping[str, Any], record)
    if "n_chars" in found:
        return int(found["n_chars"])
    return sum(len(message["content"]) for side in ("prompt", "chosen", "rejected") for message in found[side])


def guessed_tokens(n_chars: int, lang: str) -> int:
    """About how many tokens so many characters of a language are."""
    return round(n_chars / CHARS_PER_TOKEN[lang])
