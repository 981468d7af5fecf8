"""What the two earlier designs share: a gate says which share g of a token's MLP output is good."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from sluicegate.models.gates.base import Gate, Tokens


class RatioGate(Gate):
    """A gate of one number per token, g = sigmoid(z). Subclass it: `logits`."""

    z: Tensor | None = None
    """(B, T) from the last forward of the model the gate hangs on."""

    def logits(self, x: Tensor) -> Tensor:
        """z of the states (B, T, H) entering the MLP: (B, T), float32."""
        raise NotImplementedError

    def watch(self, x: Tensor, output: Any) -> Any:
        """Keep one number per token, never the states."""
        self.z = self.kept(self.logits(x))

    def token_logits(self, tokens: Tokens) -> Tensor:
        """(T,) of the last forward."""
        assert self.z is not None, "run the model first"
        return self.z[tokens.row, tokens.position]

    def pool(self, z: Tensor, row: Tensor, n_rows: int) -> Tensor:
        """Mean g over the tokens of each row; NaN for a row without tokens."""
        total = torch.zeros(n_rows, dtype=z.dtype, device=z.device).index_add(0, row, z.sigmoid())
        return total / torch.bincount(row, minlength=n_rows)
