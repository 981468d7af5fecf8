"""Gradients of an adapter for each row on its own, as training by Adam would use them (LESS, arXiv 2402.04333).

A row's loss is the mean over its response tokens. The gradient of a LoRA matrix W, applied to x, is the sum over the
row's tokens of (∂loss / ∂Wx) xᵀ, so one batched forward and backward pass gives the gradients of all its rows; for
frozen weights none are made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sluicegate.models.encode import IGNORED, Encoded, collate, length_batches
from sluicegate.models.projection import Projection
from sluicegate.models.surprise import head_logits

if TYPE_CHECKING:
    from peft import PeftModel

BETAS = (0.9, 0.999)
EPSILON = 1e-8


@dataclass(frozen=True)
class Moments:
    """What Adam knows after `step` steps, by the name of the parameter."""

    mean: dict[str, Tensor]
    square: dict[str, Tensor]
    step: int

    def to(self, device: torch.device) -> Moments:
        """The same on a device."""
        mean, square = ({name: t.to(device) for name, t in held.items()} for held in (self.mean, self.square))
        return Moments(mean, square, self.step)


def adam_direction(gradient: Tensor, mean: Tensor, square: Tensor, step: int) -> Tensor:
    """m̂ / √(v̂ + ε), the way Adam would go were each gradient (B, n) that of its next step: (B, n).

    m = β₁ mean + (1 - β₁) gradient and v = β₂ square + (1 - β₂) gradient², both over 1 - β^(step + 1). As in the paper
    ε stands under the root, so a root mean square below √ε = 1e-4 counts for that much; in Adam itself it is added to
    the root.

    Args:
        mean: (n,) Adam's first moment after `step` steps.
        square: (n,) its second.
    """
    first, second = BETAS
    m = (first * mean + (1 - first) * gradient) / (1 - first ** (step + 1))
    v = (second * square + (1 - second) * gradient**2) / (1 - second ** (step + 1))
    return m / (v + EPSILON).sqrt()


def read_features(
    model: PeftModel,
    rows: Sequence[Encoded],
    pad_id: int,
    projection: Projection,
    batch_tokens: int,
    moments: Moments | None = None,
    advance: Callable[[int], None] = lambda n_rows: None,
) -> Tensor:
    """`features` of any number of rows, on the CPU, in their order: (N, W); NaN for a row without response tokens.

    Args:
        batch_tokens: padded tokens per forward and backward pass. The projection's signs are made anew for each, so
            the more tokens the better.
        advance: told how many rows each pass had.
    """
    known = moments and moments.to(model.device)
    found = torch.full((len(rows), projection.width), torch.nan)
    where = torch.tensor([i for i, row in enumerate(rows) if row.n_label])
    readable = [row for row in rows if row.n_label]
    for places in length_batches([len(row.ids) for row in readable], batch_tokens=batch_tokens):
        batch = [readable[i] for i in places]
        found[where[places]] = features(model, batch, pad_id, projection, known).cpu()
        advance(len(places))
    return found


def features(
    model: PeftModel, batch: Sequence[Encoded], pad_id: int, projection: Projection, moments: Moments | None = None
) -> Tensor:
    """Each row's gradient, made into Adam's direction where there are moments, projected: (B, W), float32.

    Only one matrix's gradients are in memory at a time.
    """
    total, start = torch.zeros(len(batch), projection.width, device=model.device), 0
    for name, gradient in sample_gradients(model, batch, pad_id):
        if moments:
            mean, square = moments.mean[name].flatten(), moments.square[name].flatten()
            gradient = adam_direction(gradient, mean, square, moments.step)
        total += projection.part(gradient, start)
        start += gradient.shape[1]
    return total


def sample_gradients(model: PeftModel, batch: Sequence[Encoded], pad_id: int) -> Iterator[tuple[str, Tensor]]:
    """The name of every trainable matrix, always in the same order, and its gradient for each row: (B, n), float32.

    Where peft adapts fused experts their matrices are no layers that could be watched, and rows are gone through one
    by one.

    Args:
        model: in evaluation mode, nothing but LoRA matrices trainable.
        batch: rows with response tokens.
    """
    return (_row_by_row if _has_fused_experts(model) else _at_once)(model, batch, pad_id)


@dataclass
class _Call:
    """What went into a LoRA matrix and came out."""

    name: str
    x: Tensor
    """(B, T, I), or with rows and tokens in one."""
    y: Tensor


def _at_once(model: PeftModel, batch: Sequence[Encoded], pad_id: int) -> Iterator[tuple[str, Tensor]]:
    with torch.enable_grad(), _watched(model) as calls:
        loss = row_losses(model, batch, pad_id).sum()  # no row has a part in another's
    for call, grad in zip(calls, torch.autograd.grad(loss, [call.y for call in calls]), strict=True):
        x, dy = (t.reshape(len(batch), -1, t.shape[-1]) for t in (call.x, grad))  # (B, T, I), (B, T, O)
        yield call.name, torch.einsum("bto,bti->boi", dy, x).flatten(1).float()


def _row_by_row(model: PeftModel, batch: Sequence[Encoded], pad_id: int) -> Iterator[tuple[str, Tensor]]:
    names, parameters = zip(*trainable(model).items(), strict=True)
    rows: list[tuple[Tensor, ...]] = []
    for row in batch:
        with torch.enable_grad():
            loss = row_losses(model, [row], pad_id).sum()
        rows.append(torch.autograd.grad(loss, parameters))
    for name, own in zip(names, zip(*rows, strict=True), strict=True):
        yield name, torch.stack(own).flatten(1).float()


def row_losses(model: PeftModel, batch: Sequence[Encoded], pad_id: int) -> Tensor:
    """The mean loss of each row's response tokens, in nats: (B,)."""
    plain: Any = model.get_base_model()
    tensors = collate(batch, pad_id)
    ids, labels = (tensors[key].to(model.device) for key in ("input_ids", "labels"))  # (B, T)
    row, before = (labels[:, 1:] != IGNORED).nonzero(as_tuple=True)  # (S,) of all S response tokens
    # No attention mask: padding comes after all real tokens, which never look ahead.
    hidden = getattr(plain, plain.base_model_prefix)(input_ids=ids, use_cache=False).last_hidden_state  # (B, T, H)
    logits = head_logits(plain, hidden[row, before]).float()  # (S, V)
    loss = F.cross_entropy(logits, ids[row, before + 1], reduction="none")
    n_tokens = torch.bincount(row, minlength=len(batch))
    return torch.zeros(len(batch), device=loss.device).index_add(0, row, loss) / n_tokens


def trainable(model: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that ask for gradients, by name."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


@contextmanager
def _watched(model: PeftModel) -> Iterator[list[_Call]]:
    """Takes down what the model's trainable layers do."""
    calls: list[_Call] = []

    def watch(name: str, layer: nn.Module) -> Any:
        return layer.register_forward_hook(lambda _, x, y: calls.append(_Call(name, x[0].detach(), y)))

    layers = dict(model.named_modules())
    hooks = [watch(name, layers[name.removesuffix(".weight")]) for name in trainable(model)]
    try:
        yield calls
    finally:
        for hook in hooks:
            hook.remove()


def _has_fused_experts(model: PeftModel) -> bool:
    from peft.tuners.lora.layer import ParamWrapper

    return any(isinstance(module, ParamWrapper) for module in model.modules())
