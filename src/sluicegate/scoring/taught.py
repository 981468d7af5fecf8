"""Signals that learn, as a gate does, to tell trusted rows from damage done to those same rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import Field, field_validator

from sluicegate.data.corrupt import KINDS, make_corruptions
from sluicegate.errors import DataError
from sluicegate.registry import CORRUPTIONS
from sluicegate.schema import Record
from sluicegate.scoring.base import Read, Reads, Shard, Signal, rate


class Taught(Signal):
    """Subclasses say what they `observe` of a row, and with which classifier they learn from it."""

    reads: ClassVar[Reads] = "base"
    needs = frozenset({"trusted"})

    class Config(Signal.Config):
        corruptions: list[str] = Field(list(KINDS), min_length=1)
        """Kinds of damage to learn from (sluice ls corruptions)."""
        copies: int = Field(8, ge=1)
        """Copies of every trusted row with such damage."""
        seed: int = 0
        """Another seed, other damage."""

        @field_validator("corruptions")
        @classmethod
        def _are_known(cls, kinds: list[str]) -> list[str]:
            for kind in kinds:
                CORRUPTIONS.get(kind)
            return kinds

    def classifier(self, config: Any) -> Any:
        """One of scikit-learn's, not fitted yet, that has a `decision_function`."""
        raise NotImplementedError

    def fit(self, read: Read, trusted: Sequence[Record], config: Any) -> Any:
        """The classifier, taught that a trusted row is good and a damaged copy of one is not."""
        damaged = [record for record, _ in make_corruptions(trusted, config.copies, config.seed, config.corruptions)]
        found = read([*trusted, *damaged]).observed
        good = np.arange(len(trusted) + len(damaged)) < len(trusted)  # (R,)
        usable = np.zeros_like(good) if found is None else np.isfinite(found).all(1)
        if found is None or len(set(good[usable])) < 2:
            raise DataError(
                f"signal '{self.name}' has no trusted row, or no damaged copy of one, to learn from",
                "give it rows whose replies are longer, or a larger max_length",
            )
        return self.classifier(config).fit(found[usable], good[usable])

    def score(self, shard: Shard, config: Any) -> Sequence[float | str]:
        return rate(lambda observed: shard.learned.decision_function(observed), shard)
