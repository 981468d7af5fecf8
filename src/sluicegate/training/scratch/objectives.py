"""What a run from scratch makes smaller: three sums over a batch, in nats, that the loop divides by their terms.

B rows (pairs for DPO), T tokens, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch.nn.functional as F
from torch import Tensor, nn

from sluicegate.models.encode import IGNORED
from sluicegate.models.gpt import GPTForCausalLM

Batch: TypeAlias = dict[str, Tensor]
"""What a step trains on; the first dimension of every tensor is B. `terms` is how many terms each row's loss has."""
Objective: TypeAlias = Callable[[nn.Module, Batch], Tensor]
"""A model and a batch to the sum of its terms."""


def language_model(model: nn.Module, batch: Batch) -> Tensor:
    """Of every token given those before it; `labels` (B, T) are the `input_ids` (B, T) one on."""
    ids, places, labels = batch["input_ids"], batch.get("position_ids"), batch["labels"]
    if any(isinstance(part, GPTForCausalLM) for part in model.modules()):  # however it is wrapped
        return model(input_ids=ids, position_ids=places, next_ids=labels).loss
    logits = model(input_ids=ids, position_ids=places).logits  # (B, T, V)
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="sum")


def masked_sft(model: nn.Module, batch: Batch) -> Tensor:
    """Of what the assistant says; `labels` (B, T) stand where the `input_ids` (B, T) do."""
    return -log_probs(model, batch["input_ids"], batch["attention_mask"], batch["labels"]).sum()


def dpo(model: nn.Module, batch: Batch, beta: float = 0.1) -> Tensor:
    """DPO (arXiv 2305.18290) of pairs (B, 2, T), the chosen side first, with log π_ref in `reference` (B, 2)."""
    sides = (batch[name].flatten(0, 1) for name in ("input_ids", "attention_mask", "labels"))  # (2B, T) each
    gain = log_probs(model, *sides).view(-1, 2) - batch["reference"]  # (B, 2)
    return -F.logsigmoid(beta * (gain[:, 0] - gain[:, 1])).sum()


def log_probs(model: nn.Module, input_ids: Tensor, attention_mask: Tensor, labels: Tensor) -> Tensor:
    """log π of the label tokens of each row (B,), all arguments (B, T)."""
    logits = model(input_ids=input_ids, attention_mask=attention_mask).logits[:, :-1]  # (B, T - 1, V)
    loss = F.cross_entropy(logits.transpose(1, 2), labels[:, 1:], ignore_index=IGNORED, reduction="none")
    return -loss.sum(1)  # (B,)
