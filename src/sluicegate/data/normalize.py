"""One spelling per text, so that equal conversations have equal ids: newlines, invisible characters, NFC."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from sluicegate.data.shapes import Unfit
from sluicegate.schema import Message

_NEWLINES = re.compile("\r\n|[\r\x85\u2028\u2029]")
# Controls but tab and newline, zero-width space, word joiner, byte-order mark. The zero-width joiners stay:
# emoji, Persian and the Indic scripts mean something by them.
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2060\ufeff]")


def normalize(text: str) -> str:
    """The text in NFC, with plain newlines and spaces, nothing invisible, and no space around it.

    NFC and not NFKC: `x²`, `①` and full-width punctuation mean something in formulas and in Chinese. Of the
    full-width signs only the space becomes a plain one. Idempotent.
    """
    text = _INVISIBLE.sub("", _NEWLINES.sub("\n", text)).replace("\u3000", " ")
    return unicodedata.normalize("NFC", text).strip()


def normalize_turns(messages: Sequence[Message], max_chars: int) -> list[Message]:
    """The turns normalised; an empty system turn is left out, for it says nothing.

    Raises:
        Unfit: no assistant turn, another turn that is empty, or more than `max_chars` characters in all.
    """
    turns = [Message(role=m["role"], content=normalize(m["content"])) for m in messages]
    turns = [m for m in turns if m["content"] or m["role"] != "system"]
    if empty := [m["role"] for m in turns if not m["content"]]:
        raise Unfit(f"empty turn: {empty[0]}")
    if not any(m["role"] == "assistant" for m in turns):
        raise Unfit("no assistant turn")
    if (n_chars := sum(len(m["content"]) for m in turns)) > max_chars:
        raise Unfit(f"too long: {n_chars:,} characters, max_chars is {max_chars:,}")
    return turns
