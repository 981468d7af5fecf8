"""How fast a training goes: tokens a second, and the share of what its device could at most do (MFU, PaLM's)."""

from __future__ import annotations

import time

import torch
from transformers import PreTrainedModel

from sluicegate.runtime import world_size

PEAKS = {
    "V100": 125e12, "A100": 312e12, "A10": 125e12, "A30": 165e12, "A40": 150e12, "L4": 121e12, "L40S": 362e12,
    "RTX 3090": 71e12, "RTX 4090": 165e12, "H100": 989e12, "H200": 989e12, "H20": 148e12, "B200": 2250e12,
}  # fmt: skip
"""Dense 16-bit operations a second by a part of the device's name, as its maker tells them; the longest part counts."""


class Speed:
    """Tokens and seconds since it was last asked.

    Args:
        model: what is trained.
        row_tokens: tokens a row has, which attention looks back over.
    """

    def __init__(self, model: PreTrainedModel, row_tokens: int) -> None:
        self.per_token, self.peak = operations(model, row_tokens), peak(model.device)
        self._tokens, self._began = 0, time.perf_counter()

    def count(self, tokens: int) -> None:
        """Tokens of all processes went forward and backward."""
        self._tokens += tokens

    def take(self) -> dict[str, float]:
        """`tokens_per_second`, and `mfu` where the device's peak is known."""
        now = time.perf_counter()
        rate = self._tokens / (now - self._began)
        self._tokens, self._began = 0, now
        told = {"tokens_per_second": rate}
        return told if self.peak is None else told | {"mfu": rate * self.per_token / self.peak / world_size()}


def operations(model: PreTrainedModel, row_tokens: int) -> float:
    """Forward and backward, of one token: 6 for each weight it is multiplied with, 12 · layers · width · T to attend
    (arXiv 2204.02311, appendix B)."""
    config = model.config
    looked_up = model.get_input_embeddings().weight if not config.tie_word_embeddings else None
    weights = sum(p.numel() for p in model.parameters() if p is not looked_up)
    return 6 * weights + 12 * config.num_hidden_layers * config.hidden_size * row_tokens


def peak(device: torch.device) -> float | None:
    """Operations a second of a GPU that is known; None for others and for a CPU."""
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device)
    return next((PEAKS[part] for part in sorted(PEAKS, key=len, reverse=True) if part in name), None)
