"""Minus the response's mean loss, in nats, under a copy of the base briefly tuned on trusted rows.

    reference(x, y) = −L(y | x; copy)

The reference half of RHO-LOSS (arXiv 2206.07137) on its own: low where trusted rows make a response likely. `excess`
is the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from sluicegate.scoring.base import Reads, Shard, Signal, or_reason, seen_by


class Reference(Signal):
    """Reads the copy the gate was warmed up on, in the pass the gate makes anyway unless it acts on what it reads.

    A gate without a copy read its base, for tuning did not make that fit the trusted rows clearly better; so does this.
    """

    name = "reference"
    reads: ClassVar[Reads] = "tuned"

    def score(self, shard: Shard, config: Any) -> Sequence[float | str]:
        return or_reason(-seen_by(shard).loss, shard)
