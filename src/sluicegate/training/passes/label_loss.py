"""The loss of label tokens from the logits of those alone: the head never sees a prompt, nor padding."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn
from transformers.loss.loss_utils import ForCausalLMLoss

from sluicegate.models.encode import IGNORED
from sluicegate.training.sft_config import SftConfig


class LabelLoss:
    """For the class of a Trainer to inherit from first; it is told `label_loss` beside."""

    def compute_loss(self: Any, model: Any, inputs: dict[str, Tensor], *args: Any, **kwargs: Any) -> Any:
        """As the Trainer does, while the head is fed what predicts label tokens."""
        whole = self.model.get_base_model() if hasattr(self.model, "peft_config") else self.model
        with fed_labels(whole.get_output_embeddings(), inputs["labels"]):
            return super().compute_loss(model, inputs, *args, **kwargs)  # type: ignore[misc]


def label_loss(outputs: Any, labels: Tensor, num_items_in_batch: Tensor | None = None) -> Tensor:
    """The sum over label tokens of the cross-entropy, in float32, over those of the whole step.

    Args:
        outputs: with logits (1, T, V) of the T label tokens.
        labels: (B, S), not shifted.
    """
    targets = labels[:, 1:]
    targets = targets[targets != IGNORED]  # (T,)
    total = F.cross_entropy(outputs.logits[0].float(), targets, reduction="sum")
    return total / (len(targets) if num_items_in_batch is None else num_items_in_batch)


def reads_labels_alone(model: Any, config: SftConfig) -> bool:
    """Whether a model's loss is that of its label tokens, and nothing else makes it: a graph that is compiled has no
    hooks, liger has a head of its own, and a mixture may add a loss of its router."""
    plain = model.loss_function is ForCausalLMLoss and not getattr(model.config, "output_router_logits", False)
    return plain and not (config.compile or config.liger)


@contextmanager
def fed_labels(head: nn.Module, labels: Tensor) -> Iterator[None]:
    """The head gets the states (1, T, H) before label tokens in place of all (B, S, H). A model scales and caps its
    logits behind the head, so those of the few are as they would be among all."""
    before = labels[:, 1:] != IGNORED  # (B, S - 1)
    handle = head.register_forward_pre_hook(lambda head, args: (args[0][:, :-1][before.to(args[0].device)][None],))
    try:
        yield
    finally:
        handle.remove()
