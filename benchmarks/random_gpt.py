"""The model that speed of generation is measured on, and how long one side of a comparison takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch

from sluicegate.models.gpt import GPTConfig, GPTForCausalLM


def random_gpt(vocab_size: int, hidden_size: int, layers: int, pad_token_id: int) -> Any:
    """A GPT with random weights and 1,024 positions, always the same."""
    torch.manual_seed(0)
    shape = GPTConfig(
        vocab_size=vocab_size,
        hidden_size=hidden_size,
        intermediate_size=3 * hidden_size,
        num_hidden_layers=layers,
        num_attention_heads=8,
        num_key_value_heads=4,
        max_position_embeddings=1024,
        pad_token_id=pad_token_id,
    )
    return GPTForCausalLM(shape).eval()


def timed(side: Callable[..., object], *args: object) -> float:
    """Seconds that a call takes."""
    start = time.perf_counter()
    side(*args)
    return time.perf_counter() - start
