"""Minus the base's perplexity of the response given the prompt; arXiv 2309.04564 prunes by it.

    perplexity(x, y) = −exp L(y | x; base), L the mean loss of the response's tokens in nats

Whether low, high or middle is best is the rule's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from sluicegate.scoring.base import Reads, Shard, Signal, or_reason, seen_by


class Perplexity(Signal):
    """High for what the base would have written itself."""

    name = "perplexity"
    reads: ClassVar[Reads] = "base"

    def score(self, shard: Shard, config: Any) -> Sequence[float | str]:
        return or_reason(-np.exp(np.minimum(seen_by(shard).loss, 80.0)), shard)
