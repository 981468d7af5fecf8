"""The transformers `Trainer` with the loss of gates that hang on the model it trains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import Trainer

from sluicegate.models.encode import IGNORED
from sluicegate.models.gates.base import Gate, Tokens, token_logits
from sluicegate.training.gates.ratio_loss import gate_loss
from sluicegate.training.gates.warmup_config import WarmupConfig


class RatioTrainer(Trainer):
    """Trains whatever asks for gradients, be it gates, routers or an adapter, on LM loss + w · mean gate.

    Args:
        gates: hung on the model.
        config: the weights of the loss.
        arguments: the Trainer's.
    """

    loss_is_scaled_for_ga = True  # the parts of a step are summed, see `Weighed`

    def __init__(self, gates: Sequence[Gate], config: WarmupConfig, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.gates, self.config = gates, config
        base: Any = self.model
        self.balancing: float = base.config.router_aux_loss_coef if config.load_balancing else 0.0
        self.noted: dict[int, Tensor] = defaultdict(lambda: torch.zeros(2))

    def compute_loss(
        self, model: Any, inputs: dict[str, Tensor], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """One part of a step."""
        batch: dict[str, Any] = {name: inputs[name] for name in ("input_ids", "attention_mask")}
        batch |= {"output_router_logits": True} if self.balancing else {}
        out = model(**batch, use_cache=False)
        row, before = (inputs["labels"][:, 1:] != IGNORED).nonzero(as_tuple=True)  # (T,) each
        target, weight = inputs["labels"][row, before + 1], inputs["token_weight"][row]
        lm = F.cross_entropy(out.logits[row, before].float(), target, reduction="none") @ weight
        g = token_logits(self.gates, Tokens(row, before + 1, weight.new_empty(len(row), 0))).sigmoid()  # (L, T)
        loss = lm + self.config.quality_loss_weight * gate_loss(g, row, inputs, self.config.balance)
        if self.balancing:
            loss = loss + self.balancing * weight.sum() * out.aux_loss
        self._note(lm, gate_loss(g, row, inputs, None))
        return (loss, out) if return_outputs else loss

    def course(self) -> Tensor:
        """LM loss and mean gate of every step: (steps, 2)."""
        return torch.stack(list(self.noted.values()))

    def _note(self, lm: Tensor, mean_gate: Tensor) -> None:
        self.noted[self.state.global_step] += torch.stack([lm, mean_gate]).detach().cpu()
