from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import torch

from sluicegate.config import Config, build, result_fields
from sluicegate.errors import ConfigError
from sluicegate.models.gpt_shape import PRESETS, GPTShape


class Asks(Config):
    """A block as a stage has it."""

    model: GPTShape = GPTShape()


def shape(given: Any) -> GPTShape:
    return build(Asks, {"model": given}).model


def test_importing_it_loads_no_torch() -> None:
    code = "import sys, sluicegate.models.gpt_shape; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_left_out_it_is_the_demos() -> None:
    from sluicegate.models.gpt import GPTConfig

    assert Asks().model == GPTShape() == shape("gpt_tiny") == shape({})
    assert GPTShape().config(768).to_dict() | {"rope": None} == GPTConfig().to_dict()


def test_a_preset_with_changes_keeps_the_rest_of_it() -> None:
    changed, preset = shape({"preset": "gpt_125m", "layers": 2}), shape("gpt_125m")
    assert changed == preset.model_copy(update={"layers": 2})
    assert changed.layers == 2


def test_a_preset_s_name_is_no_part_of_what_is_made() -> None:
    fields = result_fields(shape("gpt_1b"))
    assert "preset" not in fields
    assert result_fields(shape(fields)) == fields
    assert not {"attention", "checkpointing"} & set(fields), "they change the speed alone"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("gpt_125k", "model: no preset 'gpt_125k', did you mean 'gpt_125m'"),
        ({"preset": "llama"}, "model: no preset 'llama', known: gpt_tiny, gpt_125m, gpt_1b"),
        (3, "model: is neither the name of a preset nor a mapping"),
        ({"layer": 3}, "model.layer: no such key, did you mean 'layers'"),
        ({"heads": 5}, "model: width 96 is not an even number of channels for each of 5 heads"),
        ({"kv_heads": 3}, "model: heads 4 cannot share kv_heads 3 evenly"),
        ({"positions": "learned", "rope": {"method": "yarn"}}, "rope.method yarn turns rotary positions"),
        ({"rope": {"method": "yarn", "alpha": 2}}, "model.rope: alpha is of the method ntk, and the method is yarn"),
        ({"rope": {"factor": 0.5}}, "model.rope.factor: input should be greater than or equal to 1"),
    ],
)
def test_what_does_not_fit_is_told_in_a_sentence(given: Any, said: str) -> None:
    with pytest.raises(ConfigError) as told:
        shape(given)
    assert said in told.value.message


CHOICES: dict[str, Any] = {
    "layers": 2, "width": 32, "heads": 8, "kv_heads": None, "context": 40, "positions": "learned", "norm": "layer",
    "norm_eps": 1e-3, "qk_norm": False, "mlp": "gelu", "mlp_ratio": 2.5, "bias": True, "dropout": 0.1, "tied": False,
    "init_std": 0.1, "depth_init": True, "attention": "plain", "rope": {"theta": 500.0},
}  # fmt: skip


def test_every_choice_arrives_in_the_config() -> None:
    plain, chosen = GPTShape(layers=1).config(50).to_dict(), GPTShape(**CHOICES).config(50, 0, 1).to_dict()
    same = {key for key in plain if plain[key] == chosen[key]}
    assert not {key for key in same if key.startswith(("num_", "pos", "norm", "rms", "qk", "mlp", "bias", "drop"))}
    assert not same & {"initializer_range", "depth_init", "tie_word_embeddings", "rope_theta", "hidden_size"}
    assert (chosen["pad_token_id"], chosen["bos_token_id"], chosen["eos_token_id"]) == (0, 1, 1)
    assert chosen["intermediate_size"] == 80
    assert chosen["num_key_value_heads"] == 8


def test_a_model_of_it_is_built_of_its_parts() -> None:
    model = GPTShape(**CHOICES, checkpointing=True).model(50)
    names = {name for name, _ in model.named_parameters()}
    assert {"lm_head.weight", "model.embed_positions.weight", "model.layers.1.mlp.up_proj.bias"} <= names
    assert not [name for name in names if "gate_proj" in name or "q_norm" in name]
    assert model.config._attn_implementation == "eager"
    assert model.is_gradient_checkpointing
    assert not GPTShape().model(50).is_gradient_checkpointing


@pytest.mark.parametrize(
    ("preset", "vocabulary", "millions"),
    [("gpt_tiny", 768, 0.4), ("gpt_125m", 50_257, 124.4), ("gpt_1b", 50_257, 1110)],
)
def test_the_presets_have_the_parameters_they_are_told_to_have(preset: str, vocabulary: int, millions: float) -> None:
    with torch.device("meta"):
        model = shape(preset).model(vocabulary)
    assert model.num_parameters() / 1e6 == pytest.approx(millions, rel=0.02)
    assert model.is_gradient_checkpointing == (preset == "gpt_1b")


def test_presets_say_only_what_differs() -> None:
    defaults = GPTShape().model_dump()
    assert not {(preset, key) for preset, told in PRESETS.items() for key in told if told[key] == defaults[key]}
