"""Damage done on purpose to trusted rows: the negatives a gate learns from at warm-up.

Each maker is a plug-in of the group `sluicegate.corruptions`: `(rng, record, others) -> text | None`, the damaged
text of the record's last assistant turn, or None where this kind of damage does not apply. Makers draw from `rng`
alone, so a seed repeats them. `others` are the trusted rows, the record itself among them or not.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from itertools import chain
from typing import Protocol

from sluicegate.registry import CORRUPTIONS
from sluicegate.schema import Message, Record, make_record

KINDS = ("mismatch", "number", "truncate", "swap", "replace")
"""What a gate learns from unless told otherwise."""
UNSEEN = ("numeral", "negate", "gibberish", "repeat", "homophone", "mojibake")
"""What it never learns from, so that its held-out AUROC also tells how it does on damage of other kinds."""
TRIES = 10

# A unit is one Chinese or Japanese character or punctuation mark, else a run of anything but space. It is read off
# the text and not off `lang`, so mixed text splits well too. Full-width digits and letters stay in their run.
_CJK = "\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff01-\uff0f\uff1a-\uff20\U00020000-\U0003ffff"
_UNIT = re.compile(rf"[{_CJK}]|[^\s{_CJK}]+")


class Corruption(Protocol):
    """One way to damage a response."""

    def __call__(self, rng: random.Random, record: Record, others: Sequence[Record]) -> str | None:
        """The damaged text, or None where this kind does not apply to this record."""


def make_corruptions(
    records: Sequence[Record], per_row: int, seed: int, kinds: Sequence[str] = KINDS
) -> list[tuple[Record, str]]:
    """Up to `per_row` damaged copies of every record, each with the kind of its damage.

    Kinds take turns over rows and copies; where one does not apply, or gives a text this row already had, the next
    is tried. A row too short for any damage gives fewer copies. `meta` names the record a copy was made of.
    """
    rng = random.Random(seed)
    makers: list[tuple[str, Corruption]] = [(kind, CORRUPTIONS.get(kind)) for kind in kinds]
    return list(chain.from_iterable(_copies(rng, row, records, per_row, makers) for row in range(len(records))))


def _copies(
    rng: random.Random, row: int, records: Sequence[Record], per_row: int, makers: Sequence[tuple[str, Corruption]]
) -> list[tuple[Record, str]]:
    record = records[row]
    seen = {response(record)}
    out: list[tuple[Record, str]] = []
    for turn in range(row, row + per_row):
        for attempt in range(TRIES):
            kind, maker = makers[(turn + attempt) % len(makers)]
            text = maker(rng, record, records)
            if text is not None and text not in seen:
                seen.add(text)
                out.append((with_response(record, text, kind), kind))
                break
    return out


def response(record: Record) -> str:
    """The content of the last assistant turn."""
    return next(m["content"] for m in reversed(record["messages"]) if m["role"] == "assistant")


def with_response(record: Record, text: str, kind: str) -> Record:
    """The record with another last assistant turn, under the id of the conversation this makes."""
    last = max(i for i, m in enumerate(record["messages"]) if m["role"] == "assistant")
    changed = Message(role="assistant", content=text)
    messages = [changed if i == last else m for i, m in enumerate(record["messages"])]
    meta: dict[str, object] = {"corruption": kind, "of": record["id"]}
    return make_record(messages, record["source"], record["lang"], record["answer"], meta)


def units(text: str) -> list[tuple[int, int]]:
    """[start, end) of every unit: a word, or a character where the text is Chinese."""
    return [m.span() for m in _UNIT.finditer(text)]
