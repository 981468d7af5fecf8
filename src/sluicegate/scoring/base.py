"""What a signal is: one number per record, higher is better, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from sluicegate import config
from sluicegate.schema import Record

if TYPE_CHECKING:
    import numpy as np

    from sluicegate.models.encode import Encoded

Reads = Literal["nothing", "base", "tuned", "gate"]
HIDDEN = "meta"
"""The column of a record that is never read while scoring: a known fault stands there."""


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


@dataclass(frozen=True)
class Shard:
    """B rows on their way through the pass a signal asked for."""

    records: Sequence[Record]
    """Without their `meta`, which may hold what is to be measured: see `HIDDEN`."""
    encoded: Sequence[Encoded]
    seen: Seen | None
    """What the model the signal reads saw; None for a signal that reads nothing."""


class Signal:
    """Subclass it, say which model it `reads`, write `score`. Signals that read the same model share its one pass."""

    name: ClassVar[str]
    reads: ClassVar[Reads] = "nothing"
    """`base` the model as it is; `tuned` the gate's reference copy; `gate` whichever of the two the gate reads."""
    version: ClassVar[int] = 1

    class Config(config.Config):
        """What it can be told; subclasses inherit from this one."""

    def score(self, shard: Shard, config: Any) -> Sequence[float | str]:
        """For each of the shard's rows a number, higher is better, or a sentence saying why there is none."""
        raise NotImplementedError


def seen_by(shard: Shard) -> Seen:
    """The pass a model-reading signal was promised."""
    assert shard.seen is not None, "a signal that reads a model is only called on its pass"
    return shard.seen


def or_reason(values: np.ndarray, shard: Shard) -> list[float | str]:
    """The values, and for rows without a response token the reason instead."""
    return [float(v) if e.n_label else "no response token left" for v, e in zip(values, shard.encoded, strict=True)]
