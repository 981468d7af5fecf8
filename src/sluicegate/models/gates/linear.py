"""The linear gate of the Quality-Gate design: it stands beside the MLP, in nothing's way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from sluicegate.models.gates.ratio import RatioGate


class LinearGate(RatioGate):
    """One layer's gate: `z_t = weight · x_t + bias`.

    Args:
        width: H, the size of the residual stream.
    """

    kind: ClassVar[str] = "linear"

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(0.02 * torch.randn(width))  # (H,)
        self.bias = nn.Parameter(torch.zeros(1))  # FSDP2 shards no scalars

    @classmethod
    def of_state(cls, state: Mapping[str, Tensor]) -> LinearGate:
        """A gate of the width a saved state has."""
        return cls(len(state["weight"]))

    def logits(self, x: Tensor) -> Tensor:
        """(..., H) to (...)."""
        return x.to(self.weight.dtype) @ self.weight + self.bias
