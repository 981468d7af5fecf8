"""What a signal is: one number per record, higher is better, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from sluicegate import config
from sluicegate.schema import Record

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from torch import Tensor

    from sluicegate.models.encode import Encoded
    from sluicegate.models.surprise import Reading

Reads = Literal["nothing", "base", "tuned", "gate"]
HIDDEN = "meta"
"""The column of a record that is never read while scoring: a known fault stands there."""


@dataclass(frozen=True)
class Batch:
    """B rows with T response tokens in all, while the model's states of them exist."""

    encoded: Sequence[Encoded]
    """Each with a response token; others are never read."""
    reading: Reading
    """Loss, entropy and place of every response token."""
    hidden: Tensor
    """(B, W, H) the final state of every token, padding behind each row's own."""
    free: Tensor | None
    """(T,) the loss of each response token with no prompt before it; None where no one `reads_alone`."""

    def per_row(self, values: Tensor) -> list[Tensor]:
        """Cut values (T, ...) of the response tokens into each row's own."""
        return list(values.split([e.n_label for e in self.encoded]))


@dataclass(frozen=True)
class Seen:
    """What one forward pass of one model saw of a shard of B rows."""

    loss: np.ndarray
    """(B,) mean cross-entropy of the response tokens in nats; NaN for a row without any.

    Like the gate's score it is not finite where the model's own numbers are not. Such a score is never written.
    """
    gate: np.ndarray | None
    """(B,) the gate's score, where this model carries one."""
    prompt_state: np.ndarray
    """(B, P) the prompt's mean hidden state, P at most 128; zeros for a row not read, or read to no finite state."""
    entropy: np.ndarray | None = None
    """(B,) mean entropy, in nats, of what the model expected in place of each response token; NaN like the loss."""
    gate_layers: np.ndarray | None = None
    """(B, L) each gated layer's score, whose mean is the gate's."""
    nll: Sequence[np.ndarray] = ()
    """B times (T,), float16: the loss of each response token; none where tokens were not asked for."""
    gate_logits: Sequence[np.ndarray] = ()
    """B times (L, T), float16: each gated layer's logit of each response token."""
    observed: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Signal to what it kept of the rows: (B, F), float32; nothing where no row was read."""


@dataclass(frozen=True)
class Shard:
    """B rows on their way through the pass a signal asked for."""

    records: Sequence[Record]
    """Without their `meta`, which may hold what is to be measured: see `HIDDEN`."""
    encoded: Sequence[Encoded]
    seen: Seen | None
    """What the model the signal reads saw; None for a signal that reads nothing."""
    observed: np.ndarray | None = None
    """(B, F) float32, what the signal's `observe` kept; NaN for a row not read, None where it kept nothing of any."""
    learned: Any = None
    """What the signal's `fit` returned."""
    notes: Path | None = None
    """A file for the signal's `Notes` on these rows, gone once the table stands; None where there will be no table."""


Read: TypeAlias = Callable[[Sequence[Record]], Shard]
"""Takes rows through the pass that a signal's scores are made in."""


class Signal:
    """Subclass it, say which model it `reads`, write `score`. Signals that read the same model share its one pass.

    What more it wants than the losses of that pass it keeps of each batch in `observe`; what it must know beforehand
    it learns in `fit`. Both are handed to `score`, so a signal itself remembers nothing.
    """

    name: ClassVar[str]
    reads: ClassVar[Reads] = "nothing"
    """`base` the model as it is; `tuned` the gate's reference copy; `gate` whichever of the two the gate reads."""
    minus: ClassVar[Reads | None] = None
    """A second model, whose pass gives a score of its own that is taken away from the first's."""
    reads_alone: ClassVar[bool] = False
    """Whether its model reads every response once more without its prompt: see `Batch.free`."""
    needs: ClassVar[frozenset[str]] = frozenset()
    """Inputs of the score stage it cannot do without, beside data and model: `trusted`."""
    elsewhere: ClassVar[bool] = False
    """Whether a model elsewhere does its work, so that nobody here knows what that costs in forward passes."""
    version: ClassVar[int] = 1

    class Config(config.Config):
        """What it can be told; subclasses inherit from this one."""

    def fit(self, read: Read, trusted: Sequence[Record], config: Any) -> Any:
        """Learn what `score` has to know, before the first shard; every process that scores learns it anew.

        Args:
            read: takes rows, and damaged copies of rows, through the pass.
            trusted: sorted by id; none where the score stage was given none.

        Raises:
            DataError: there is nothing to be learned from them.
        """
        return None

    def observe(self, batch: Batch, config: Any) -> Tensor | None:
        """What is kept of each row of a batch of the pass: (B, F)."""
        return None

    def score(self, shard: Shard, config: Any) -> Sequence[float | str]:
        """For each of the shard's rows a number, higher is better, or a sentence saying why there is none."""
        raise NotImplementedError

    def further(self, shard: Shard, config: Any) -> Mapping[str, np.ndarray]:
        """Columns for rules to read beside the score, (B,) or (B, M), NaN where there is no number; a column `targets`
        of the signal `rds` is `rds_targets` in the table."""
        return {}


def seen_by(shard: Shard) -> Seen:
    """The pass a model-reading signal was promised."""
    assert shard.seen is not None, "a signal that reads a model is only called on its pass"
    return shard.seen


def or_reason(values: np.ndarray, shard: Shard) -> list[float | str]:
    """The values, and for rows without a response token the reason instead."""
    return [float(v) if e.n_label else "no response token left" for v, e in zip(values, shard.encoded, strict=True)]


def rate(values: Callable[[np.ndarray], np.ndarray], shard: Shard) -> list[float | str]:
    """What `values` makes of the rows (R, F) that were observed and are finite; the reason, or NaN, for the others."""
    import numpy as np

    scores = np.full(len(shard.encoded), np.nan)
    if shard.observed is not None and (good := np.isfinite(shard.observed).all(1)).any():
        scores[good] = values(shard.observed[good])
    return or_reason(scores, shard)
