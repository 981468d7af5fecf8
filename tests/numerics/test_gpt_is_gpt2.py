"""With GPT-2's weights our GPT is GPT-2: the same logits, the same training."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel

from sluicegate.errors import ConfigError
from sluicegate.models.gpt2_weights import from_gpt2
from sluicegate.models.gpt_shape import GPTShape

STEPS = 20


def gpt2(**changes: Any) -> GPT2LMHeadModel:
    """Two layers, and weights so large that every one of them shows in the logits."""
    torch.manual_seed(0)
    still = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    sizes = {"vocab_size": 60, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 48}
    model = GPT2LMHeadModel(GPT2Config(**sizes | still | changes, bos_token_id=0, eos_token_id=0))
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.2)
    return model.eval()


def rows(n: int) -> Tensor:
    return torch.randint(1, 60, (n, 33), generator=torch.Generator().manual_seed(n))


@pytest.mark.parametrize("changes", [{}, {"n_inner": 80}, {"tie_word_embeddings": False}, {"layer_norm_epsilon": 1e-2}])
def test_the_logits_are_gpt2s(changes: dict[str, Any]) -> None:
    theirs, ids = gpt2(**changes), rows(3)
    ours = from_gpt2(theirs)
    torch.testing.assert_close(ours(ids).logits, theirs(ids).logits, atol=1e-5, rtol=1e-5)
    assert ours.num_parameters() == theirs.num_parameters()


def test_twenty_steps_of_training_have_gpt2s_losses() -> None:
    def losses(model: Any) -> list[float]:
        optimizer, found = torch.optim.AdamW(model.train().parameters(), lr=1e-2), []
        for step in range(STEPS):
            ids = rows(2 + step % 2)
            loss = model(ids, labels=ids).loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            found.append(loss.item())
        return found

    theirs, ours = gpt2(), from_gpt2(gpt2())
    want, got = losses(theirs), losses(ours)
    assert want[-1] < want[0] - 0.5, "the weights moved"
    assert max(abs(a - b) for a, b in zip(want, got, strict=True)) < 1e-4


def test_generation_is_gpt2s() -> None:
    theirs, ids = gpt2(), rows(2)[:, :9]
    ask = {"max_new_tokens": 20, "do_sample": False, "attention_mask": torch.ones_like(ids), "pad_token_id": 0}
    assert from_gpt2(theirs).generate(ids, **ask).tolist() == theirs.generate(ids, **ask).tolist()


def test_another_shape_is_refused() -> None:
    with pytest.raises(ConfigError, match="not shaped as GPT-2"):
        from_gpt2(gpt2(activation_function="relu"))


def test_the_preset_of_125m_has_gpt2s_parameters() -> None:
    with torch.device("meta"):
        ours, theirs = GPTShape.model_validate("gpt_125m").model(50_257), GPT2LMHeadModel(GPT2Config())
    assert ours.num_parameters() == theirs.num_parameters() == 124_439_808
