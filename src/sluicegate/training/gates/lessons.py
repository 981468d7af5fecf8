"""What a gate learns from and is examined on: trusted rows, and damage done to those same rows."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass

from sluicegate.data.corrupt import make_corruptions
from sluicegate.models.encode import Encoded, Encoder
from sluicegate.schema import Record
from sluicegate.training.gates.warmup_config import WarmupConfig

CLEAN = "clean"
UNSEEN_COPIES = 2
"""Damaged copies of every row that are made for the examination only."""


@dataclass(frozen=True)
class Lesson:
    """A trusted row, or a damaged copy of one."""

    record: Record
    encoded: Encoded
    of: str
    """Id of the trusted row."""
    kind: str
    """Of damage; `clean` for the row itself."""
    taught: bool
    """Whether a gate may learn from it; if not, it is there for the examination."""

    @property
    def good(self) -> bool:
        """Whether it is undamaged."""
        return self.kind == CLEAN


def shuffled(trusted: Sequence[Record], seed: int) -> list[Record]:
    """The rows in an order that only they and the seed decide."""
    rows = sorted(trusted, key=lambda r: r["id"])
    random.Random(seed).shuffle(rows)
    return rows


def make_lessons(rows: Sequence[Record], encoder: Encoder, config: WarmupConfig, taught: bool = True) -> list[Lesson]:
    """The rows, damaged copies of the kinds in `corruptions`, then copies of kinds that are never taught.

    Args:
        taught: False where nothing of it is to be learned from.
    """
    shown = make_corruptions(rows, config.copies, config.seed, config.corruptions)
    unseen = make_corruptions(rows, UNSEEN_COPIES, config.seed, config.unseen_kinds) if config.unseen_kinds else []
    found = [Lesson(r, encoder.encode(r), r["id"], CLEAN, taught) for r in rows]
    for damaged, may_learn in ((shown, taught), (unseen, False)):
        found += [Lesson(r, encoder.encode(r), json.loads(r["meta"])["of"], kind, may_learn) for r, kind in damaged]
    return [x for x in found if x.encoded.n_label]
