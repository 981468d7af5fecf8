"""The loss of the linear and trash gates: LM loss + w · mean gate, as a sum over response tokens with known weights."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sluicegate.models.encode import Encoded, collate
from sluicegate.training.gates.warmup_config import WarmupConfig

EPOCHS = 1
"""Where the config leaves them open."""


@dataclass(frozen=True)
class Weighed:
    """A row in its optimizer step. A step's weights each add up to 1, so it may be taken in parts, which are summed."""

    encoded: Encoded
    trusted: bool
    token_weight: float
    """Of the loss of each of its response tokens."""
    gate_weight: float
    """Of what the loss makes of the gate at each of them."""


def lay_out(rows: Sequence[tuple[Encoded, bool]], config: WarmupConfig) -> list[list[Weighed]]:
    """Optimizer steps: whole passes over `rows`, shuffled, that follow one another; only the last may be short.

    Args:
        rows: each with whether it is trusted.
    """
    rng = random.Random(config.seed)
    stream = [row for _ in range(config.epochs or EPOCHS) for row in rng.sample(rows, len(rows))]
    steps = [stream[at : at + config.batch_size] for at in range(0, len(stream), config.batch_size)]
    return [_weigh(step, config.average == "token") for step in steps]


def _weigh(step: Sequence[tuple[Encoded, bool]], by_token: bool) -> list[Weighed]:
    """Rows of like length stand together, for the parts of a step."""
    per_token = 1 / sum(e.n_label for e, _ in step)
    return [
        Weighed(e, trusted, per_token, per_token if by_token else 1 / (len(step) * e.n_label))
        for e, trusted in sorted(step, key=lambda row: len(row[0].ids))
    ]


def collate_weighed(part: Sequence[Weighed], pad_id: int) -> dict[str, Tensor]:
    """What `collate` gives, and `trusted`, `token_weight` and `gate_weight`, (B,) each."""
    return collate([row.encoded for row in part], pad_id) | row_tensors(part)


def row_tensors(part: Sequence[Weighed]) -> dict[str, Tensor]:
    """`trusted`, `token_weight` and `gate_weight`, (B,) each."""
    return {
        name: torch.tensor([getattr(row, name) for row in part]) for name in ("trusted", "token_weight", "gate_weight")
    }


def gate_loss(g: Tensor, row: Tensor, rows: dict[str, Tensor], balance: float | None) -> Tensor:
    """The mean gate, or with a balance b the target-task loss: b · g on data and (2 − b)(1 − g) on trusted rows.

    Args:
        g: (L, T) of every gated layer at every response token.
        row: (T,) the token's row.
        rows: see `row_tensors`.
    """
    if balance is not None:
        g = torch.where(rows["trusted"][row], (2 - balance) * (1 - g), balance * g)
    return (g @ rows["gate_weight"][row]).mean()
