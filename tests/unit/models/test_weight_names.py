"""Groups and layers, off the names that architectures really have."""

from __future__ import annotations

import pytest

from sluicegate.models.weight_names import group_of, layer_of


@pytest.mark.parametrize(
    ("name", "group", "layer"),
    [
        ("model.embed_tokens.weight", "embeddings", None),
        ("lm_head.weight", "embeddings", None),
        ("transformer.wpe.weight", "embeddings", None),
        ("wte.weight", "embeddings", None),
        ("gpt_neox.embed_in.weight", "embeddings", None),
        ("model.norm.weight", "norms", None),
        ("transformer.h.3.ln_1.weight", "norms", 3),
        ("transformer.ln_f.weight", "norms", None),
        ("model.layers.11.self_attn.q_norm.weight", "norms", 11),
        ("model.layers.11.self_attn.q_proj.weight", "attention", 11),
        ("gpt_neox.layers.0.attention.query_key_value.bias", "attention", 0),
        ("transformer.h.0.attn.c_attn.weight", "attention", 0),
        ("model.layers.2.mlp.gate_proj.weight", "mlp", 2),
        ("model.layers.2.mlp.gate_up_proj.weight", "mlp", 2),
        ("transformer.h.1.mlp.c_fc.weight", "mlp", 1),
        ("model.layers.2.mlp.gate.weight", "routers", 2),
        ("model.layers.2.block_sparse_moe.gate.weight", "routers", 2),
        ("model.layers.2.mlp.router.weight", "routers", 2),
        ("model.layers.2.mlp.experts.7.gate_proj.weight", "experts", 2),
        ("model.layers.2.mlp.experts.gate_up_proj", "experts", 2),
        ("model.layers.2.mlp.shared_expert_gate.weight", "experts", 2),
        ("layers.5.mlp.quality_gate.now", "gates", 5),
        ("model.layers.4.self_attn.v_proj.lora_A.weight", "attention", 4),
        ("model.layers.4.mlp.gate.lora_A.weight", "routers", 4),
        ("vision.patches", "other", None),
    ],
)
def test_group_and_layer_of_a_name(name: str, group: str, layer: int | None) -> None:
    assert (group_of(name), layer_of(name)) == (group, layer)
