"""Muon (arXiv 2502.16982) for the matrices inside the blocks and AdamW (arXiv 1711.05101) for the rest, or for all.

On the small world Muon needs about two thirds of AdamW's steps to the same loss (docs/log.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import nn
from torch.optim import AdamW, Muon, Optimizer
from transformers import PreTrainedModel

from sluicegate.training.scratch.schedule import Schedule


def make_optimizers(model: PreTrainedModel, schedule: Schedule) -> list[Optimizer]:
    """One optimizer for each way to step; every parameter belongs to exactly one of them.

    Embeddings and the head are matrices by shape and lists of vectors by nature: AdamW takes them.
    """
    embeddings = {id(p) for p in _embeddings(model)}
    inner = [p for p in model.parameters() if p.ndim == 2 and id(p) not in embeddings]
    outer = [p for p in model.parameters() if p.ndim == 2 and id(p) in embeddings]
    vectors = [p for p in model.parameters() if p.ndim != 2]
    if schedule.optimizer == "adamw":
        return [_adamw([*inner, *outer], vectors, schedule)]
    # Scaled to the size of AdamW's steps, so that one learning rate fits both.
    rate, decay = schedule.learning_rate, schedule.weight_decay
    muon = Muon(inner, lr=rate, weight_decay=decay, momentum=0.95, adjust_lr_fn="match_rms_adamw")
    return [muon, _adamw(outer, vectors, schedule)]


def set_rate(optimizers: list[Optimizer], rate: float) -> None:
    """The learning rate of the next step."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate


def _adamw(matrices: list[nn.Parameter], vectors: list[nn.Parameter], schedule: Schedule) -> AdamW:
    """Matrices decay, vectors do not; one kernel updates all where the device has it."""
    groups = [{"params": matrices, "weight_decay": schedule.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    fused = matrices[0].device.type in ("cpu", "cuda", "mps")
    return AdamW(groups, lr=schedule.learning_rate, betas=(0.9, schedule.beta2), fused=fused)


def _embeddings(model: PreTrainedModel) -> Iterator[Any]:
    for module in model.modules():
        if isinstance(module, nn.Embedding) or module is model.get_output_embeddings():
            yield module.weight
