"""One tiny model of every architecture the gates are promised for."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from sluicegate.models.encode import Encoded

VOCAB = 99


def _gpt() -> Any:
    from sluicegate.models.gpt import GPTConfig, GPTForCausalLM

    return GPTForCausalLM(GPTConfig(vocab_size=VOCAB, hidden_size=32, intermediate_size=64, num_attention_heads=4))


@pytest.fixture(params=["Qwen2", "Qwen3", "Llama", "GPT"])
def model(request: pytest.FixtureRequest, make_model: Any) -> Any:
    """Weights so large that a change of any of them shows in the logits."""
    torch.manual_seed(0)
    made = _gpt() if request.param == "GPT" else make_model(request.param, VOCAB)
    for p in made.parameters():
        if p.dim() > 1:
            torch.nn.init.normal_(p, std=0.2)
    return made.eval()


@pytest.fixture(scope="session")
def rows() -> list[Encoded]:
    """Rows of unlike length, one with two replies, one a document."""
    torch.manual_seed(1)
    spans = {
        "one": (40, [(12, 40)]),
        "talk": (25, [(6, 10), (17, 25)]),
        "document": (9, [(1, 9)]),
        "short": (4, [(3, 4)]),
    }
    return [Encoded(n, torch.randint(1, VOCAB, (t,)).tolist(), s, 2, 0) for n, (t, s) in spans.items()]
