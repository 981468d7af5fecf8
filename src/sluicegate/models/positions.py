"""How far a model can read: past its last position a learned one fails, and a rotary one quietly talks nonsense."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from sluicegate.runtime import say

if TYPE_CHECKING:
    from transformers import PreTrainedConfig


def positions(config: PreTrainedConfig) -> int | None:
    """Tokens the model has positions for; None where its config names no bound (ALiBi, state spaces)."""
    found = getattr(config.get_text_config(), "max_position_embeddings", None)  # GPT-2's `n_positions` answers to it
    return found if found and found > 0 else None  # XLNet writes -1 for no bound


def readable_length(config: PreTrainedConfig, asked: int) -> int:
    """The `max_length` asked for, or what the model reads where that is less; says so once."""
    known = positions(config)
    if known is None or asked <= known:
        return asked
    _tell(asked, known)
    return known


def reply_room(config: PreTrainedConfig, prompt: int, asked: int) -> int:
    """Tokens a reply to `prompt` tokens may have: those asked for, or the positions that are left; never under 0."""
    known = positions(config)
    return asked if known is None else max(0, min(asked, known - prompt))


@cache
def _tell(asked: int, known: int) -> None:
    say(f"  max_length {asked} is more than the model reads: {known}")
