"""The gate's score, a design of our own: what each gated layer makes of its response tokens, mean over layers.

    gate(x) = mean over layers l of −log mean over tokens t of exp(−zₗₜ)

where zₗₜ is the logit of layer l's gate, of kind `surprise`, at token t: a soft minimum, for one bad token spoils a
response. Gates of the earlier kinds pool by their own formulas: see models/gates and docs/design.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from sluicegate.scoring.base import Reads, Shard, Signal, or_reason, seen_by


class Gate(Signal):
    """Finds cut, junk, off-language and off-topic rows, and wrong steps where the model knows the domain."""

    name = "gate"
    reads: ClassVar[Reads] = "gate"

    def score(self, shard: Shard, config: Any) -> Sequence[float | str]:
        values = seen_by(shard).gate
        assert values is not None
        return or_reason(values, shard)
