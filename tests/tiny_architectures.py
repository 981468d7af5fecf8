"""A tiny model of every architecture the gates are promised for, gates to hang on it, and rows to read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from sluicegate.models.encode import Encoded
from sluicegate.models.gates.base import Gate, Tokens, token_logits
from sluicegate.models.gates.linear import LinearGate
from sluicegate.models.gates.surprise import N_SURPRISE, SurpriseGate, surprise_features
from sluicegate.models.gates.trash import TrashGate
from sluicegate.models.layers import decoder_layers
from sluicegate.models.surprise import read
from sluicegate.testing import Family, tiny_config

VOCAB, RANK = 99, 4
WINDOW = {"sliding_window": 8}
"""Shorter than most rows, so that a window which is not kept shows."""
HYBRID = {**WINDOW, "layer_types": ["sliding_attention", "full_attention"]}
SETTINGS: dict[Family, dict[str, Any]] = {
    "mistral": WINDOW,
    "mixtral": WINDOW,
    "phi3": WINDOW,
    "gemma2": {**HYBRID, "final_logit_softcapping": 2.0},
    "gemma3_text": {**HYBRID, "final_logit_softcapping": 2.0},
    "gpt2": {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0},
    "granite": {"logits_scaling": 7.0, "residual_multiplier": 0.5, "embedding_multiplier": 3.0},
    "cohere": {"logit_scale": 0.3},
    "cohere2": {**HYBRID, "logit_scale": 0.3},
}
"""Caps and scales that nobody could leave out unnoticed; no dropout, for losses are compared in training mode too."""


def tiny_architecture(family: Family, attention: str | None = None, **sizes: Any) -> Any:
    """A random model in memory, its weights so large that a change of any of them shows in the logits.

    Args:
        attention: `sdpa` or `eager`; None for what the architecture takes by itself.
    """
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    tokens = {"vocab_size": VOCAB, "pad_token_id": 0, "eos_token_id": 1}
    config = tiny_config(family, **tokens, **SETTINGS.get(family, {}), **sizes)
    model: Any = AutoModelForCausalLM.from_config(config, attn_implementation=attention)
    for p in model.parameters():
        if p.dim() > 1:
            torch.nn.init.normal_(p, std=0.2)
    return model.eval()


def some_rows() -> list[Encoded]:
    """Rows of unlike length, one with two replies, one a document."""
    draw = torch.Generator().manual_seed(1)
    spans = {
        "one": (40, [(12, 40)]),
        "talk": (25, [(6, 10), (17, 25)]),
        "document": (9, [(1, 9)]),
        "short": (4, [(3, 4)]),
    }
    return [Encoded(n, torch.randint(1, VOCAB, (t,), generator=draw).tolist(), s, 2, 0) for n, (t, s) in spans.items()]


GATES: dict[str, Callable[[int], Gate]] = {
    "surprise": lambda width: SurpriseGate(width, RANK, N_SURPRISE),
    "linear": LinearGate,
    "trash": TrashGate,
    "noise": lambda width: TrashGate(width, noise=True),
}
"""Kind to a gate of a width; routers are gates of mixtures alone."""


def some_gates(model: Any, kind: str = "surprise") -> dict[int, Gate]:
    """A random gate for every layer, its weights as large as the model's."""
    torch.manual_seed(2)
    width = model.config.get_text_config().hidden_size
    gates = {n: GATES[kind](width) for n in range(len(decoder_layers(model)))}
    for gate in gates.values():
        for p in gate.parameters():
            torch.nn.init.normal_(p, std=0.2)
    return gates


@torch.no_grad()
def gate_readings(model: Any, gates: dict[int, Gate], rows: list[Encoded]) -> Tensor:
    """What gates on a model say about every response token: (L, T)."""
    reading = read(model, rows, pad_id=0)
    surprise = surprise_features(reading.loss, reading.entropy, reading.row, None)
    return token_logits(list(gates.values()), Tokens(reading.row, reading.position, surprise))
