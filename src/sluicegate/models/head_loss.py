"""Cross-entropy behind a linear head without a batch of logits in memory, after Liger (arXiv 2410.10989).

A vocabulary is far wider than the model, so logits, their softmax and its gradient are the largest tensors of a step:
1.6 GB each for 8 × 1,024 tokens of GPT-2's. Here a few tokens at a time become logits, a loss, and at once the
gradients of that loss, which are no larger than what goes into the head.

Shapes: N tokens, C of them at a time, D channels, V tokens of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from sluicegate.models.encode import IGNORED

CHUNK, GPU_CHUNK = 256, 512
"""Tokens taken at once: fewer make the products slow, more leave a CPU's caches."""

FEW = 2**21
"""Logits, 8 MB of them, up to which all are held at once: nothing is gained by less."""


def head_loss(x: Tensor, head: Tensor, targets: Tensor) -> Tensor:
    """The sum over N tokens of −log softmax(x · headᵀ)[target], in nats; (), float32.

    Args:
        x: (N, D).
        head: (V, D).
        targets: (N,), -100 where there is no loss.
    """
    # A compiled graph would repeat every chunk, and the compiler fuses the softmax by itself.
    if len(x) * len(head) <= FEW or torch.compiler.is_compiling():
        return F.cross_entropy(F.linear(x, head).float(), targets, ignore_index=IGNORED, reduction="sum")
    kind = x.device.type
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype
    if torch.is_grad_enabled():
        return HeadLoss.apply(x, head, targets, dtype)
    with torch.autocast(kind, enabled=False):
        parts = [F.nll_loss(logs, target, ignore_index=IGNORED, reduction="sum")
                 for _, logs, target in _chunks(x.to(dtype), head.to(dtype), targets)]  # fmt: skip
    return torch.stack(parts).sum()


class HeadLoss(torch.autograd.Function):
    """Both gradients are found on the way forward, and only scaled on the way back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, head: Tensor, targets: Tensor, dtype: torch.dtype) -> Tensor:
        """As `head_loss`; `dtype` is what is multiplied in."""
        grad_x, grad_head = torch.empty_like(x), torch.zeros_like(head)
        loss, x, head = x.new_zeros((), dtype=torch.float32), x.to(dtype), head.to(dtype)
        with torch.autocast(x.device.type, enabled=False):
            for place, logs, target in _chunks(x, head, targets):
                loss += F.nll_loss(logs, target, ignore_index=IGNORED, reduction="sum")
                slope = _slope(logs, target).to(dtype)  # (C, V)
                grad_x[place] = slope @ head
                _add_product(grad_head, slope.T, x[place])
        ctx.save_for_backward(grad_x, grad_head)
        return loss

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of `x` and `head`."""
        grad_x, grad_head = ctx.saved_tensors
        return grad_x * grads[0], grad_head * grads[0], None, None


def _chunks(x: Tensor, head: Tensor, targets: Tensor) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """Where C tokens stand, their log-probabilities (C, V) in float32, and their targets (C,).

    All come in the same memory, which is gone with the next: a CPU takes as long to get fresh memory as to fill it.
    """
    size = min(len(x), CHUNK if x.device.type == "cpu" else GPU_CHUNK)
    logits = x.new_empty(size, len(head))
    logs = torch.empty_like(logits, dtype=torch.float32)
    for first in range(0, len(x), size):
        place = slice(first, first + size)
        n = len(targets[place])
        torch.mm(x[place], head.T, out=logits[:n])
        yield place, torch.log_softmax(logits[:n], -1, dtype=torch.float32, out=logs[:n]), targets[place]


def _slope(logs: Tensor, target: Tensor) -> Tensor:
    """d loss / d logits, softmax − onehot, in the memory of `logs` (C, V); rows without a loss are 0."""
    counts = (target != IGNORED).to(logs.dtype)[:, None]  # (C, 1)
    return logs.exp_().mul_(counts).scatter_add_(1, target.clamp(min=0)[:, None], -counts)


def _add_product(total: Tensor, a: Tensor, b: Tensor) -> None:
    """total += a · b, in one kernel where all have one dtype."""
    if total.dtype == a.dtype:
        total.addmm_(a, b)
    else:
        total += a @ b
