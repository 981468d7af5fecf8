from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from sluicegate.data.corrupt import Corruption
from sluicegate.schema import Record, make_record

Damage = Callable[..., Counter[str | None]]


def _row(text: str, source: str = "a", lang: str = "en") -> Record:
    turns = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": text}]
    return make_record(turns, source, lang)  # type: ignore[arg-type]


@pytest.fixture
def row() -> Callable[..., Record]:
    """`row(text, source="a", lang="en")`: a question with this answer."""
    return _row


@pytest.fixture
def damage() -> Damage:
    """`damage(maker, text, rows=())`: how often each text came out, over 300 seeds."""

    def made(maker: Corruption, text: str | Record, rows: Sequence[Record] = ()) -> Counter[str | None]:
        record = _row(text) if isinstance(text, str) else text
        return Counter(maker(random.Random(seed), record, rows) for seed in range(300))

    return made
