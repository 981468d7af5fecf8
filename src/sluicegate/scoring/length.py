"""The number of response tokens, T: the control every quality score should be compared with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sluicegate.scoring.base import Shard, Signal


class Length(Signal):
    """Longer is better, as far as this signal knows."""

    name = "length"

    def score(self, shard: Shard, config: Any) -> Sequence[float | str]:
        return [float(e.n_label) if e.n_label else "no response token left" for e in shard.encoded]
