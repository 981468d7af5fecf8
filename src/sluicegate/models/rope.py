"""Rotary positions (arXiv 2104.09864), and four ways to read on past the length a model was trained at.

Channels i and i + d/2 of a head are a point in the plane, and position p turns it by p · f_i: the product of a query
and a key then knows only how far apart they stand. A method is a choice of the d/2 frequencies f, in radians a token.
The fast pairs come full circle many times within a training text and have seen every angle; past its end the slow ones
reach angles no training showed.

Shapes: B rows, T tokens, H heads, d channels of a head.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from sluicegate.models.gpt_shape import Rope

Turn: TypeAlias = tuple[Tensor, Tensor]
"""Cosines and signed sines of the angles of tokens, each (B or 1, T, 1, d)."""
FAST, SLOW = 32, 1
"""YaRN's bounds, in full circles within the training length: faster pairs are left alone, slower ones interpolated."""


def rotation(positions: Tensor, rope: Rope, dim: int, trained: int) -> Turn:
    """The turn of positions (B or 1, T).

    Args:
        dim: channels of a head, d.
        trained: tokens the model was trained to read at once, where `rope` does not say.
    """
    lengths = positions.amax(-1)[:, None, None, None] + 1  # (B or 1, 1, 1, 1)
    frequency = METHODS[rope.method](rope, dim, rope.original_length or trained, lengths)  # (d/2,) or (B, 1, 1, d/2)
    angle = positions[..., None, None] * frequency  # (B or 1, T, 1, d/2)
    cos, sin = angle.cos() * temperature(rope), angle.sin() * temperature(rope)
    return torch.cat((cos, cos), -1), torch.cat((-sin, sin), -1)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn the pairs (channel i, channel i + d/2) of heads (B, T, H, d) by their position's angles."""
    return x * cos + x.roll(x.shape[-1] // 2, -1) * sin


def temperature(rope: Rope) -> float:
    """What YaRN multiplies queries and keys with, so that attention over more tokens stays as sharp."""
    return 0.1 * math.log(rope.factor) + 1.0 if rope.method == "yarn" else 1.0


def none(rope: Rope, dim: int, trained: int, lengths: Tensor) -> Tensor:
    """RoFormer (arXiv 2104.09864): pair i turns by theta^(-2i/d) a token; (d/2,)."""
    return _frequencies(rope.theta, dim, lengths.device)


def linear(rope: Rope, dim: int, trained: int, lengths: Tensor) -> Tensor:
    """Position interpolation (arXiv 2306.15595): all pairs turn `factor` times slower; (d/2,)."""
    return none(rope, dim, trained, lengths) / rope.factor


def ntk(rope: Rope, dim: int, trained: int, lengths: Tensor) -> Tensor:
    """NTK-aware scaling (arXiv 2309.00071, section 3.1): the slowest pair turns `alpha` times slower; (d/2,)."""
    return _frequencies(_stretched(rope.theta, rope.alpha or rope.factor, dim), dim, lengths.device)


def dynamic_ntk(rope: Rope, dim: int, trained: int, lengths: Tensor) -> Tensor:
    """Dynamic NTK scaling (arXiv 2309.00071, section 3.3): alpha grows with the longest text of a row; (B, 1, 1, d/2).

    Up to the training length nothing changes. Past it the paper would turn every cached key anew for each token; here,
    as in transformers, keys are cached turned, so generation with a cache is not quite generation without one.
    """
    alpha = (rope.factor * lengths / trained - (rope.factor - 1)).clamp(min=1)
    return _frequencies(_stretched(rope.theta, alpha, dim), dim, lengths.device)


def yarn(rope: Rope, dim: int, trained: int, lengths: Tensor) -> Tensor:
    """YaRN (arXiv 2309.00071): slow pairs as `linear` has them, fast ones as `none`, a ramp between; (d/2,)."""
    fast, slow = (_pair_of(circles, rope.theta, dim, trained) for circles in (FAST, SLOW))
    first, last = max(math.floor(fast), 0), min(math.ceil(slow), dim - 1)
    pair = torch.arange(dim // 2, device=lengths.device)
    ramp = ((pair - first) / max(last - first, 1e-3)).clamp(0, 1)  # 0 at fast pairs, 1 at slow ones
    return torch.lerp(none(rope, dim, trained, lengths), linear(rope, dim, trained, lengths), ramp)


METHODS: dict[str, Callable[[Rope, int, int, Tensor], Tensor]] = {
    method.__name__: method for method in (none, linear, ntk, dynamic_ntk, yarn)
}
"""The frequencies of each method, from the rope, the channels of a head, the training length and the rows' lengths."""


def _frequencies(theta: float | Tensor, dim: int, device: torch.device) -> Tensor:
    pair = torch.arange(0, dim, 2, device=device) / dim  # (d/2,)
    return theta**-pair


def _stretched(theta: float, alpha: float | Tensor, dim: int) -> float | Tensor:
    """The theta at which the slowest pair, theta^(-(d-2)/d), turns alpha times slower."""
    return theta * alpha ** (dim / (dim - 2))


def _pair_of(circles: float, theta: float, dim: int, trained: int) -> float:
    """The pair, between two as a fraction, that comes full circle so many times within the training length."""
    return dim * math.log(trained / (2 * math.pi * circles)) / (2 * math.log(theta))
