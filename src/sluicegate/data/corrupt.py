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
UNSEEN: tuple[str, ...] = ()
"""What it never learns from, so that its held-out AUROC also tells how it does on damage of other kinds."""
TRIES = 10

# A unit is one Chinese or Japanese character or punctuation mark, else a run of anything but space. It is read off
# the text and not off `lang`, so mixed text splits well too. Full-width digits and letters stay in their run.
_CJK = "\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff01-\uff0f\uff1a-\uff20\U00020000-\U0003ffff"
_UNIT = re.compile(rf"[{_CJK}]|[^\s{_CJK}]+")
# Bounded, because int() refuses 4,301 digits.
_NUMBER = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]{1,18}|[０-９]{1,18}")
_FRACTION = re.compile(r"(?<=[0-9０-９][.．])[0-9０-９]+")
_FULL_WIDTH = {ord("0") + digit: ord("０") + digit for digit in range(10)}
_STEPS = (-10, -5, -3, -2, -1, 1, 2, 3, 5, 10)


class Corruption(Protocol):
    """One way to damage a response."""

    def __call__(self, rng: random.Random, record: Record, others: Sequence[Record]) -> str | None:
        """The damaged text, or None where this kind does not apply to this record."""


def mismatch(rng: random.Random, record: Record, others: Sequence[Record]) -> str | None:
    """Another row's response; half of the time one of the same source, which is harder to tell."""
    same_source = rng.random() < 0.5
    donors = [o for o in others if o["id"] != record["id"] and (not same_source or o["source"] == record["source"])]
    return response(rng.choice(donors)) if donors else None


def number(rng: random.Random, record: Record, others: Sequence[Record]) -> str | None:
    """One number a little off: the last one, where an answer stands, four times in ten. Fractions keep their digits."""
    text = response(record)
    fractions = {m.start() for m in _FRACTION.finditer(text)}
    wholes = [m for m in _NUMBER.finditer(text) if m.start() not in fractions]
    if not wholes:
        return None
    chosen = wholes[-1] if rng.random() < 0.4 else rng.choice(wholes)
    return text[: chosen.start()] + _shifted(chosen.group(), rng.choice(_STEPS)) + text[chosen.end() :]


def truncate(rng: random.Random, record: Record, others: Sequence[Record]) -> str | None:
    """The first 10 to 85 % of the units."""
    text = response(record)
    spans = units(text)
    kept = max(1, int(len(spans) * rng.uniform(0.1, 0.85)))
    return text[: spans[kept - 1][1]] if len(spans) > 1 else None


def swap(rng: random.Random, record: Record, others: Sequence[Record]) -> str | None:
    """Two units in each other's place."""
    text = response(record)
    spans = units(text)
    if len(spans) < 2:
        return None
    (a, b), (c, d) = sorted(rng.sample(spans, 2))
    return text[:a] + text[c:d] + text[b:c] + text[a:b] + text[d:]


def replace(rng: random.Random, record: Record, others: Sequence[Record]) -> str | None:
    """One unit, the last one four times in ten, gives way to a random unit of another row of the same language."""
    text = response(record)
    spans = units(text)
    donors = [o for o in others if o["id"] != record["id"] and o["lang"] == record["lang"]]
    if not donors or not spans:
        return None
    donor = response(rng.choice(donors))
    start, end = spans[-1] if rng.random() < 0.4 else rng.choice(spans)
    a, b = rng.choice(units(donor) or [(0, len(donor))])
    return text[:start] + donor[a:b] + text[end:]


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


def _shifted(digits: str, step: int) -> str:
    """The number moved by `step` and never below 0, in the digits and the grouping it was written in."""
    value = max(0, int(digits.replace(",", "")) + step)
    text = f"{value:,}" if "," in digits else str(value)
    return text if digits.isascii() else text.translate(_FULL_WIDTH)
