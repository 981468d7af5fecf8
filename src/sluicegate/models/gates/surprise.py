"""The surprise gate, the default: it reads a token's state, the state before it, and how surprised the model was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sluicegate.models.gates.base import Gate, Tokens

N_SURPRISE = 4
N_CONTEXT_GAIN = 4


class SurpriseGate(Gate):
    """One layer's gate: `z_t = out · SiLU(now x_t + before x_{t-1} + surprise s_t + bias) + out_bias`.

    Args:
        width: H, the size of the residual stream.
        rank: R, the size of the gate's hidden layer.
        n_surprise: S, how many numbers tell a token's surprise.
    """

    kind: ClassVar[str] = "surprise"

    def __init__(self, width: int, rank: int, n_surprise: int) -> None:
        super().__init__()
        fan_in = 2 * width + n_surprise
        self.now = nn.Parameter(torch.randn(rank, width) / fan_in**0.5)  # (R, H)
        self.before = nn.Parameter(torch.randn(rank, width) / fan_in**0.5)  # (R, H)
        self.surprise = nn.Parameter(torch.randn(rank, n_surprise) / fan_in**0.5)  # (R, S)
        self.bias = nn.Parameter(torch.zeros(rank))  # (R,)
        self.out = nn.Parameter(0.3 * torch.randn(rank))  # (R,)
        self.out_bias = nn.Parameter(torch.zeros(1))  # FSDP2 shards no scalars
        self.projected: tuple[Tensor, Tensor] | None = None
        """(B, T, R) twice, from the last forward of the model the gate hangs on."""

    @classmethod
    def of_state(cls, state: Mapping[str, Tensor]) -> SurpriseGate:
        """A gate of the sizes a saved state has."""
        return cls(state["now"].shape[1], state["now"].shape[0], state["surprise"].shape[1])

    def watch(self, x: Tensor, output: Any) -> None:
        """Keep two rank-sized projections of every token, never the states."""
        self.projected = self.project(self.kept(x))  # 2 × (B, T, R)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The state's part of the gate, at rank size: (..., H) to two of (..., R)."""
        x = x.to(self.now.dtype)
        return x @ self.now.T, x @ self.before.T

    def token_logits(self, tokens: Tokens) -> Tensor:
        """(T,) from the projections of the last forward."""
        assert self.projected is not None, "run the model first"
        now, before = self.projected
        return self.logits(now[tokens.row, tokens.position], before[tokens.row, tokens.position - 1], tokens.surprise)

    def pool(self, z: Tensor, row: Tensor, n_rows: int) -> Tensor:
        """Soft-min: a response is as good as its worst tokens."""
        return soft_min(z, row, n_rows)

    def logits(self, now: Tensor, before: Tensor, surprise: Tensor) -> Tensor:
        """Token logits from projections at t (T, R) and t-1 (T, R) and surprise (T, S): (T,)."""
        hidden = F.silu(now + before + surprise @ self.surprise.T + self.bias)  # (T, R)
        return hidden @ self.out + self.out_bias

    @torch.no_grad()
    def fold(self, state: tuple[Tensor, Tensor], surprise: tuple[Tensor, Tensor]) -> None:
        """Take the standardisation of the inputs, (mean, deviation) of each, into the weights."""
        for weight, (mean, deviation) in ((self.now, state), (self.before, state), (self.surprise, surprise)):
            weight.div_(deviation)
            self.bias.sub_(weight @ mean)


def soft_min(z: Tensor, row: Tensor, n_rows: int) -> Tensor:
    """−log mean exp(−z) over the tokens of each row: (T,) to (B,); +inf for a row without tokens."""
    top = torch.full((n_rows,), -torch.inf, dtype=z.dtype, device=z.device).scatter_reduce(0, row, -z.detach(), "amax")
    mass = torch.zeros_like(top).index_add(0, row, torch.exp(-z - top[row]))
    count = torch.bincount(row, minlength=n_rows).to(z.dtype)
    return count.log() - mass.log() - top


def surprise_features(loss: Tensor, entropy: Tensor, row: Tensor, free_loss: Tensor | None) -> Tensor:
    """How surprising each response token was: (T, 4), or (T, 8) with the context gain.

    Args:
        loss: (T,) cross-entropy of the token, in nats.
        entropy: (T,) of the distribution it was drawn from, in nats.
        row: (T,) non-decreasing; the tokens of a row stand together.
        free_loss: (T,) the loss without the prompt before it; None leaves the context gain out.
    """
    columns = [loss, entropy, loss - entropy, loss.clamp(max=3.0)]
    if free_loss is not None:
        gain = free_loss - loss
        clipped = gain.clamp(-3.0, 3.0)
        columns += [free_loss, gain, clipped, _running_mean(clipped, row)]
    return torch.stack(columns, -1)


def _running_mean(values: Tensor, row: Tensor) -> Tensor:
    """The mean of a row's values up to and with each token: (T,) to (T,)."""
    total = values.double().cumsum(0)
    first = torch.searchsorted(row, row)  # (T,) where each token's row begins
    before = torch.where(first > 0, total[(first - 1).clamp(min=0)], 0.0)
    count = torch.arange(1, len(row) + 1, device=row.device) - first
    return ((total - before) / count).to(values.dtype)
