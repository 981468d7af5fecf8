"""The states that are cached: those of response tokens and of the token before each, whatever stands beside a row."""

from __future__ import annotations

from typing import Any

import torch

from sluicegate.models.encode import Encoder, collate
from sluicegate.schema import make_record
from sluicegate.testing import tiny_pool
from sluicegate.training.gates.features import read_features


def test_states_are_those_that_enter_the_mlp_at_each_response_token_and_before_it(
    make_model: Any, make_tokenizer: Any
) -> None:
    tokenizer = make_tokenizer()
    model = make_model("Qwen3", len(tokenizer))
    chat: Any = [{"role": role, "content": "so"} for role in ("user", "assistant", "user", "assistant")]
    rows = Encoder(tokenizer).encode_batch([*tiny_pool(3), make_record(chat, "two turns", "en")])
    features = read_features(model, rows, [1], False, tokenizer.pad_token_id, 100)
    for i, row in enumerate(rows):
        entering: list[torch.Tensor] = []
        handle = model.model.layers[1].mlp.register_forward_hook(lambda m, args, out, to=entering: to.append(args[0]))
        with torch.no_grad():
            model(**{k: v for k, v in collate([row], tokenizer.pad_token_id).items() if k != "labels"})
        handle.remove()
        position = torch.tensor([t for a, b in row.spans for t in range(a, b)])
        now = features.now[features.start[i] : features.start[i + 1]]
        torch.testing.assert_close(features.states[0][now], entering[0][0, position], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(features.states[0][now - 1], entering[0][0, position - 1], rtol=1e-4, atol=1e-5)
    runs = sum(len(row.spans) for row in rows)
    assert len(features.states[0]) == len(features.now) + runs, "no state is kept twice"
