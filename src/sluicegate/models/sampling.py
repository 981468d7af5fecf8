"""How the next token of a reply is chosen: greedily, or at random from the head of the distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from sluicegate.config import Config

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor


class Draws(Config):
    """How the next token is chosen."""

    temperature: float = Field(default=0.0, ge=0)
    """0 takes the likeliest token; 1 draws from the model's distribution, less makes it sharper, more flatter."""
    top_k: int | None = Field(default=None, ge=1)
    """Draw among so many likeliest tokens."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    """Draw among the likeliest tokens that together have this probability (arXiv 1904.09751)."""
    repetition_penalty: float = Field(default=1.0, ge=1)
    """What the scores of tokens that came up before are divided by, or multiplied where below 0 (arXiv 1909.05858)."""
    seed: int = 0
    """Decides the draws. Those of a prompt hang on its place among the prompts, not on what else is in its batch."""


class Sampling(Draws):
    """How replies are written, and where they end."""

    max_new_tokens: int = Field(default=256, ge=1)
    """Tokens after which a reply that does not end is cut."""
    stop: list[str] = []
    """Texts at which a reply ends; they are not part of it."""


def chances(sampling: Draws, places: Sequence[int], n: int) -> np.ndarray:
    """What decides the first `n` draws of some prompts, uniform in [0, 1), (B, n); float32."""
    import numpy as np

    rows = [np.random.default_rng([sampling.seed, place]).random(n, dtype=np.float32) for place in places]
    return np.stack(rows)


def choose(scores: Tensor, sampling: Draws, chance: Tensor) -> Tensor:
    """The next tokens, (B,).

    Args:
        scores: what the model makes of every token, (B, V).
        chance: uniform in [0, 1), (B,): each draw is the token at which its row's cumulated probability exceeds it.
    """
    if sampling.temperature == 0:
        return scores.argmax(-1)
    ordered, tokens = (scores.float() / sampling.temperature).sort(-1, descending=True)  # (B, V)
    ordered, tokens = ordered[:, : sampling.top_k], tokens[:, : sampling.top_k]
    shares = ordered.softmax(-1)
    before = shares.cumsum(-1) - shares  # of the likelier tokens; 0 for the first, which is always in
    if sampling.top_p is not None:
        shares = shares.masked_fill(before >= sampling.top_p, 0.0)
    reached = shares.cumsum(-1)
    drawn = (reached <= chance[:, None] * reached[:, -1:]).sum(-1, keepdim=True)  # (B, 1)
    return tokens.gather(-1, drawn.clamp(max=tokens.shape[-1] - 1))[:, 0]


def penalise(scores: Tensor, seen: Tensor, penalty: float) -> Tensor:
    """Scores (B, V) with those of the tokens that were `seen` there, (B, V), made worse."""
    return scores.where(~seen, (scores / penalty).where(scores > 0, scores * penalty))
