"""The trash gate of the Select-MoE design: y = g · MLP(x) + (1 − g) · trash, trash being nothing or noise.

Training draws fresh noise at every forward pass. Scoring must not: a row would have another score in another batch, or
on another day. There a token's noise hangs on the gate's own seed and on the token's place in its row alone, so the
same row meets the same noise in whatever batch, on whatever device. (Places are counted from the start of a pass, so
generation from a cache meets another.) Leaving noise out when scoring, as with dropout, would be steadier still, but
then later layers would read states unlike all those the gates learned from.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar

import torch
from torch import Tensor

from sluicegate.models.gates.linear import LinearGate

BLOCK = 256
"""Tokens whose noise is drawn together: the noise of a place must not hang on how long the batch is."""


class TrashGate(LinearGate):
    """One layer's gate, the linear gate's weights, in the MLP's way.

    Args:
        width: H, the size of the residual stream.
        noise: whether a closed gate lets noise through, as strong as the MLP's output, or nothing.
    """

    kind: ClassVar[str] = "trash"
    acts: ClassVar[bool] = True
    seed: Tensor | None

    def __init__(self, width: int, noise: bool = False) -> None:
        super().__init__(width)
        self.register_buffer("seed", noise_seed() if noise else None)

    @classmethod
    def of_state(cls, state: Mapping[str, Tensor]) -> TrashGate:
        """A gate of the width a saved state has, with noise where that has a seed."""
        return cls(len(state["weight"]), "seed" in state)

    def watch(self, x: Tensor, output: Any) -> Any:
        """What the MLP gives out instead."""
        z = self.logits(x)
        self.z = self.kept(z)
        return let_through(output, z.sigmoid(), self.seed, fresh=self.training)


def noise_seed() -> Tensor:
    """(1,) what a gate's noise hangs on when it scores; the process's own seed decides it."""
    return torch.randint(2**31, (1,))


def let_through(output: Any, g: Tensor, seed: Tensor | None, fresh: bool) -> Any:
    """What gates that are open by g (B, T) make of an MLP's output (B, T, H); of a tuple, its first is that.

    Args:
        seed: of the noise that takes the place of what is held back; None for nothing.
        fresh: draw new noise, whatever the seed.
    """
    y = output[0] if isinstance(output, tuple) else output
    share = g[..., None].to(y.dtype)
    passed = share * y if seed is None else share * y + (1 - share) * _noise_like(y.detach(), seed, fresh)
    return (passed, *output[1:]) if isinstance(output, tuple) else passed


def _noise_like(y: Tensor, seed: Tensor, fresh: bool) -> Tensor:
    """Noise (B, T, H) with the deviation that each token of `y` has over its channels."""
    noise = torch.randn_like(y) if fresh else _noise(y, int(seed))
    return noise * y.std(-1, keepdim=True)


def _noise(y: Tensor, seed: int) -> Tensor:
    """The same (T, H) for the first T places of any row; rows are padded at their end."""
    blocks = [_block(seed + start, y.shape[2], y.device) for start in range(0, y.shape[1], BLOCK)]
    return torch.cat(blocks)[: y.shape[1]].to(y.dtype)


@lru_cache(maxsize=256)
def _block(seed: int, width: int, device: torch.device) -> Tensor:
    """(BLOCK, H), drawn on the CPU: a GPU would draw other numbers from the same seed."""
    return torch.randn(BLOCK, width, generator=torch.Generator().manual_seed(seed)).to(device)
