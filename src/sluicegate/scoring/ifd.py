"""Instruction-following difficulty (arXiv 2308.12032): loss of the response given its prompt, over its loss without.

    IFD = s(A | Q) / s(A)

where s is the mean loss of the response's tokens; of s(A) they have nothing before them but the header of the reply.
`ratio: perplexity` is exp(s(A | Q)) / exp(s(A)), as Superfiltering (arXiv 2402.00530) has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from sluicegate.scoring.base import Batch, Reads, Shard, Signal, rate

if TYPE_CHECKING:
    from torch import Tensor

    from sluicegate.models.encode import Encoded


class Ifd(Signal):
    """High is what the paper calls good: a response that stays hard though its prompt helps.

    From 1 on the prompt does not help at all. The paper takes that for an answer to another question and leaves such
    rows out; here they have no score, and so are never kept. Nor have texts without a prompt, whose ratio is 1.
    """

    name = "ifd"
    reads: ClassVar[Reads] = "base"
    reads_alone = True

    class Config(Signal.Config):
        ratio: Literal["loss", "perplexity"] = "loss"
        """Of mean losses, as in the paper, or of their exponentials."""
        keep_unhelped: bool = False
        """Score rows from 1 on, and those without a prompt, like any other."""

    def observe(self, batch: Batch, config: Any) -> Tensor:
        """The mean loss with the prompt, and without: (B, 2)."""
        import torch

        assert batch.free is not None
        given, free = (batch.per_row(loss) for loss in (batch.reading.loss, batch.free))
        return torch.stack([torch.stack([a.mean(), b.mean()]) for a, b in zip(given, free, strict=True)])

    def score(self, shard: Shard, config: Any) -> Sequence[float | str]:
        ratios = rate(_perplexities if config.ratio == "perplexity" else _losses, shard)
        return ratios if config.keep_unhelped else [*map(_or_unhelped, ratios, shard.encoded)]


def _losses(observed: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):  # a response the model knows by heart has no finite ratio
        return observed[:, 0] / observed[:, 1]


def _perplexities(observed: np.ndarray) -> np.ndarray:
    return np.exp(np.minimum(observed[:, 0] - observed[:, 1], 80.0))


def _or_unhelped(ratio: float | str, encoded: Encoded) -> float | str:
    if isinstance(ratio, str):
        return ratio
    if encoded.spans[0][0] <= max(1, encoded.n_header):
        return "it has no prompt"
    return f"its prompt does not help: IFD {ratio:.2f}" if ratio >= 1 else ratio
