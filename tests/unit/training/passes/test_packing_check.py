"""Which architectures let rows see each other that share a row."""

from __future__ import annotations

from typing import Any, get_args

import pytest
import torch

from sluicegate.errors import ConfigError
from sluicegate.models.adapters import LoraSettings, attach
from sluicegate.testing import Family
from sluicegate.training.passes.packing_check import check_packing
from tiny_architectures import tiny_architecture

SIZES = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
LINEAR = {"linear_num_value_heads": 2, "linear_num_key_heads": 2, "linear_key_head_dim": 8, "linear_value_head_dim": 8}
LEAKY: dict[str, dict[str, Any]] = {
    "mamba": {},
    "recurrent_gemma": {"num_key_value_heads": 1},
    "jamba": {"attn_layer_period": 2, "attn_layer_offset": 1, "num_key_value_heads": 1},
    "qwen3_5_text": {**LINEAR, "num_key_value_heads": 1, "head_dim": 8},
}
"""Recurrent or linear attention, some with layers of the other kind between."""


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("family", get_args(Family))
def test_the_promised_architectures_keep_rows_apart(family: Family, dtype: torch.dtype) -> None:
    check_packing(tiny_architecture(family).to(dtype))


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("kind", LEAKY)
def test_a_state_that_runs_on_is_found(kind: str, large: bool) -> None:
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    config = AutoConfig.for_model(kind, vocab_size=99, **SIZES, **LEAKY[kind])
    model = AutoModelForCausalLM.from_config(config).eval()
    for p in model.parameters() if large else []:
        if p.dim() > 1:
            torch.nn.init.normal_(p, std=0.2)
    with pytest.raises(ConfigError, match=f"{type(model).__name__} would let rows .* see each other") as err:
        check_packing(model)
    assert err.value.hint == "leave packing out"


def test_attention_that_does_not_look_at_positions_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    model: Any = attach(tiny_architecture("sluice_gpt"), LoraSettings(rank=2)).eval()
    inner = model.get_base_model().model
    forward = inner.forward
    monkeypatch.setattr(inner, "forward", lambda position_ids, **rest: forward(**rest))
    with pytest.raises(ConfigError, match="GPTForCausalLM would let rows"):
        check_packing(model)


def test_a_model_that_takes_no_positions_is_refused() -> None:
    from transformers import AutoConfig, AutoModelForCausalLM

    model = AutoModelForCausalLM.from_config(
        AutoConfig.for_model("bloom", vocab_size=99, hidden_size=16, n_layer=1, n_head=2)
    )
    with pytest.raises(ConfigError, match="BloomForCausalLM would let rows"):
        check_packing(model.eval())
