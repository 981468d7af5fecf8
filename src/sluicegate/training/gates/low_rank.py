"""Train a low-rank update of a weight in place of the weight (arXiv 2106.09685), where peft finds no linear layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from sluicegate.models.adapters import LoraSettings


class LowRank(nn.Module):
    """W + up · down · alpha / rank; at first nothing is added."""

    def __init__(self, weight: Tensor, settings: LoraSettings) -> None:
        super().__init__()
        height, width = weight.shape
        self.scale = settings.alpha / settings.rank
        self.down = nn.Parameter(torch.randn(settings.rank, width) / width**0.5)  # (R, W)
        self.up = nn.Parameter(torch.zeros(height, settings.rank))  # (H, R)

    def forward(self, weight: Tensor) -> Tensor:
        """(H, W) to (H, W)."""
        return weight + self.scale * self.up @ self.down


def add_update(module: nn.Module, settings: LoraSettings) -> None:
    """From now on only the update of `module.weight` learns."""
    weight = module.weight
    assert isinstance(weight, nn.Parameter)
    weight.requires_grad_(False)
    parametrize.register_parametrization(module, "weight", LowRank(weight, settings))


def fold_update(module: nn.Module) -> None:
    """Take the update into the weight, which is a plain parameter again."""
    parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)
