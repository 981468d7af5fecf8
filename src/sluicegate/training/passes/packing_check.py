"""Whether a model keeps apart what shares a row: tried on two short rows before a training packs its own."""

from __future__ import annotations

from inspect import signature
from typing import Any

import torch
from torch import Tensor

from sluicegate.errors import ConfigError

FIRST, SECOND = 5, 7
"""Tokens of the two rows."""
LEAK, ROUNDING = 1e-4, 4
"""What the second row may show of the first: this share of what it does where both are one text, and so many times what
its dtype rounds away."""


@torch.no_grad()
def check_packing(model: Any) -> None:
    """Send two rows through together and apart; a recurrent state runs on from one to the other, for example, and some
    attention does not look at positions.

    Args:
        model: in evaluation mode; it may be a `PeftModel`.

    Raises:
        ConfigError: the second row sees the first.
    """
    whole = model.get_base_model() if hasattr(model, "peft_config") else model
    if "position_ids" not in signature(whole.forward).parameters or _sees(whole):
        what = f"packing: {type(whole).__name__} would let rows that are packed together see each other"
        raise ConfigError(what, "leave packing out")


def _sees(model: Any) -> bool:
    """Whether the logits of a row come out otherwise behind another, by more than rounding explains."""
    vocabulary, device = model.config.get_text_config().vocab_size, next(model.parameters()).device
    ids = torch.arange(1, FIRST + SECOND + 1, device=device)[None] * 7 % vocabulary  # (1, T)
    again = torch.arange(SECOND, device=device)
    restarting = torch.cat([torch.arange(FIRST, device=device), again])[None]
    running = torch.arange(FIRST + SECOND, device=device)[None]
    alone = _logits(model, ids[:, FIRST:], again[None])
    packed, joined = (_logits(model, ids, positions)[:, FIRST:] for positions in (restarting, running))
    apart, seen = ((logits - alone).float().abs().mean() for logits in (packed, joined))
    rounded = torch.finfo(alone.dtype).eps * alone.float().abs().mean()
    return bool(apart > LEAK * seen + ROUNDING * rounded)


def _logits(model: Any, ids: Tensor, positions: Tensor) -> Tensor:
    return model(input_ids=ids, position_ids=positions, use_cache=False).logits  # (1, T, V)
