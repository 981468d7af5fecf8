"""Muon (arXiv 2502.16982) for the matrices inside the blocks, AdamW (arXiv 1711.05101) for everything else.

On the small world Muon needs about two thirds of AdamW's steps to the same loss (docs/log.md).
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn
from torch.optim import AdamW, Muon, Optimizer

from sluicegate.training.schedule import Schedule


def make_optimizers(model: nn.Module, schedule: Schedule) -> list[Optimizer]:
    """One optimizer for each way to step; every parameter belongs to exactly one of them.

    Embeddings, and a head tied to them, are matrices by shape and lists of vectors by nature: AdamW takes them.
    """
    embeddings = {id(p) for p in _embeddings(model)}
    inner = [p for p in model.parameters() if p.ndim == 2 and id(p) not in embeddings]
    outer = [p for p in model.parameters() if p.ndim == 2 and id(p) in embeddings]
    vectors = [p for p in model.parameters() if p.ndim != 2]
    rate, decay = schedule.learning_rate, schedule.weight_decay
    groups = [{"params": outer, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]
    return [
        # Scaled to the size of AdamW's steps, so that one learning rate fits both.
        Muon(inner, lr=rate, weight_decay=decay, momentum=0.95, adjust_lr_fn="match_rms_adamw"),
        AdamW(groups, lr=rate, betas=(0.9, 0.98), fused=True),
    ]


def set_rate(optimizers: list[Optimizer], rate: float) -> None:
    """The learning rate of the next step."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate


def step(optimizers: list[Optimizer]) -> None:
    """Move every parameter along its gradient, and forget the gradients."""
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()


def _embeddings(model: nn.Module) -> Iterator[torch.Tensor]:
    for module in model.modules():
        if isinstance(module, nn.Embedding):
            yield module.weight
