from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from sluicegate.artifacts import file_hash
from sluicegate.errors import ArtifactError, ConfigError
from sluicegate.models import adapters
from sluicegate.models.adapters import SETTINGS, LoraSettings, attach, base_of, put_on, save_adapter
from sluicegate.models.load import Loaded, load
from sluicegate.models.lora_targets import find_targets
from sluicegate.testing import check_config, tiny_model
from tiny_architectures import tiny_architecture

IDS = torch.tensor([[5, 9, 40, 41, 42]])


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        return model(IDS).logits


def trained(folder: Path, settings: LoraSettings | None = None) -> Loaded:
    """A base with an adapter that does something: fresh ones add 0."""
    loaded = load(folder, device="cpu")
    model: Any = attach(loaded.model, settings or LoraSettings(rank=4))
    random = torch.Generator().manual_seed(0)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, generator=random)
    return Loaded(model, loaded.tokenizer)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tiny_model(tmp_path / "base")


def test_the_settings_are_a_config() -> None:
    check_config(LoraSettings)


def test_a_fresh_adapter_changes_nothing(base: Path) -> None:
    loaded = load(base, device="cpu")
    before = logits(loaded.model)
    assert torch.equal(logits(attach(loaded.model, LoraSettings())), before)


def test_only_the_layers_asked_for_are_adapted(base: Path) -> None:
    model: Any = attach(load(base, device="cpu").model, LoraSettings(targets=["q_proj", "v_proj"]))
    adapted = {name.split(".lora_")[0].split(".")[-1] for name, p in model.named_parameters() if p.requires_grad}
    assert adapted == {"q_proj", "v_proj"}


def test_all_linear_leaves_the_head_alone(base: Path) -> None:
    model: Any = attach(load(base, device="cpu").model, LoraSettings())
    adapted = [name for name, p in model.named_parameters() if p.requires_grad]
    assert adapted
    assert not any("lm_head" in name or "embed" in name for name in adapted)


@pytest.mark.parametrize(
    ("family", "attention", "mlp"),
    [
        ("llama", ["k_proj", "o_proj", "q_proj", "v_proj"], ["down_proj", "gate_proj", "up_proj"]),
        ("sluice_gpt", ["k_proj", "o_proj", "q_proj", "v_proj"], ["down_proj", "gate_proj", "up_proj"]),
        ("gpt2", ["attn.c_attn", "attn.c_proj"], ["mlp.c_fc", "mlp.c_proj"]),
        ("phi3", ["o_proj", "qkv_proj"], ["down_proj", "gate_up_proj"]),
        ("gpt_neox", ["attention.dense", "query_key_value"], ["dense_4h_to_h", "dense_h_to_4h"]),
        ("mixtral", ["k_proj", "o_proj", "q_proj", "v_proj"], ["experts.down_proj", "experts.gate_up_proj"]),
        ("qwen3_moe", ["k_proj", "o_proj", "q_proj", "v_proj"], ["experts.down_proj", "experts.gate_up_proj"]),
    ],
)
def test_targets_are_matched_to_the_architecture(family: Any, attention: list[str], mlp: list[str]) -> None:
    for asked, expected in (("attention", attention), ("auto", attention + mlp)):
        made: Any = attach(tiny_architecture(family), LoraSettings(rank=2, targets=asked))
        adapted = [*made.targeted_module_names, *made.targeted_parameter_names]
        assert len(adapted) == 2 * len(expected), "in both layers, and nothing else: no router, no head"
        assert all(name.endswith(tuple(expected)) for name in adapted)


def test_a_name_no_layer_has_is_refused(base: Path) -> None:
    with pytest.raises(ConfigError, match="no linear layer is called 'q_prj'") as err:
        attach(load(base, device="cpu").model, LoraSettings(targets=["v_proj", "q_prj"]))
    assert "did you mean 'q_proj'?" in err.value.hint


def test_attention_of_a_model_without_an_mlp_has_to_be_named() -> None:
    with pytest.raises(ConfigError, match="attention and MLP cannot be told apart in Linear"):
        find_targets(torch.nn.Linear(2, 2), "auto")


def test_rank_stabilised_adapters_scale_by_the_root_of_the_rank(base: Path) -> None:
    model: Any = attach(load(base, device="cpu").model, LoraSettings(rank=4, alpha=8, rslora=True))
    assert model.get_submodule("base_model.model.model.layers.0.self_attn.q_proj").scaling == {"default": 4.0}


def test_dora_learns_the_length_of_every_column_and_begins_where_the_base_is(base: Path, tmp_path: Path) -> None:
    loaded = load(base, device="cpu")
    before = logits(loaded.model)
    model: Any = attach(loaded.model, LoraSettings(rank=2), dora=True)
    torch.testing.assert_close(logits(model), before, atol=1e-6, rtol=1e-5)
    lengths = [p for name, p in model.named_parameters() if "magnitude" in name and p.requires_grad]
    assert len(lengths) == 2 * 7
    with torch.no_grad():
        for p in lengths:
            p.mul_(2)
    expected = logits(model)
    assert not torch.allclose(expected, before)
    save_adapter(model, tmp_path / "adapter", base)
    again = put_on(load(base, device="cpu").model, tmp_path / "adapter")
    torch.testing.assert_close(logits(again.eval()), expected, atol=1e-6, rtol=1e-5)


def test_an_adapter_peft_does_not_have_is_refused_in_a_sentence() -> None:
    with pytest.raises(ConfigError, match="peft has no such adapter for MixtralForCausalLM"):
        attach(tiny_architecture("mixtral"), LoraSettings(rank=2), dora=True)


def test_a_pattern_gives_some_layers_another_rank_and_scale(base: Path) -> None:
    settings = LoraSettings(rank=4, alpha=8, rank_pattern={r"layers\.1\..*": 2}, alpha_pattern={"q_proj": 16})
    model: Any = attach(load(base, device="cpu").model, settings)
    layers = {name: layer for name, layer in model.named_modules() if name.endswith(("0.mlp.up_proj", "1.mlp.up_proj"))}
    assert [layer.r["default"] for layer in layers.values()] == [4, 2]
    q_proj = next(layer for name, layer in model.named_modules() if name.endswith("0.self_attn.q_proj"))
    assert q_proj.scaling["default"] == 4


def test_a_pattern_that_fits_no_layer_is_refused(base: Path) -> None:
    with pytest.raises(ConfigError, match=r"no adapted layer fits the pattern 'layers\.9"):
        attach(load(base, device="cpu").model, LoraSettings(rank_pattern={r"layers.9.*": 2}))


def test_a_saved_adapter_gives_the_same_logits_and_its_base_keeps_its_bytes(base: Path, tmp_path: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    before = {path.name: file_hash(path) for path in base.iterdir()}
    loaded = trained(base)
    expected = logits(loaded.model)
    save_adapter(loaded.model, tmp_path / "adapter", base)
    loaded.tokenizer.save_pretrained(tmp_path / "adapter")
    assert torch.equal(logits(load(tmp_path / "adapter", device="cpu").model), expected)
    plain = AutoModelForCausalLM.from_pretrained(base)
    assert not torch.equal(logits(plain), expected)
    assert torch.equal(logits(PeftModel.from_pretrained(plain, str(tmp_path / "adapter")).eval()), expected)
    assert {path.name: file_hash(path) for path in base.iterdir()} == before


def test_it_can_be_put_on_another_copy_of_its_base(base: Path, tmp_path: Path) -> None:
    loaded = trained(base)
    save_adapter(loaded.model, tmp_path / "adapter", base)
    again = put_on(load(base, device="cpu").model, tmp_path / "adapter")
    assert torch.equal(logits(again.eval()), logits(loaded.model))


def test_the_folder_holds_nothing_that_another_process_or_place_would_write_otherwise(
    base: Path, tmp_path: Path
) -> None:
    save_adapter(trained(base).model, tmp_path / "adapter", base)
    assert {p.name for p in (tmp_path / "adapter").iterdir()} == {SETTINGS, "adapter_model.safetensors"}
    text = (tmp_path / "adapter" / SETTINGS).read_text(encoding="utf-8")
    targets = json.loads(text)["target_modules"]
    assert targets == sorted(targets), "a set has another order in every process"
    assert str(tmp_path) not in text


def test_what_is_adapted_of_a_mixtures_experts_stands_in_order_too(tmp_path: Path) -> None:
    base = tiny_model(tmp_path / "base", "mixtral")
    save_adapter(attach(load(base, device="cpu").model, LoraSettings()), tmp_path / "adapter", base)
    targets = json.loads((tmp_path / "adapter" / SETTINGS).read_text(encoding="utf-8"))["target_parameters"]
    assert targets == sorted(targets)
    assert len(targets) > 1


def test_a_base_elsewhere_is_named_by_its_whole_path(base: Path, tmp_path: Path) -> None:
    out = tmp_path / "runs" / "adapter"
    save_adapter(trained(base).model, out, base)
    assert base_of(out) == base.resolve()


def test_a_name_of_the_hub_stays_a_name(tmp_path: Path) -> None:
    (tmp_path / adapters.SETTINGS).write_text('{"base_model_name_or_path": "Qwen/Qwen3-1.7B"}')
    assert base_of(tmp_path) == "Qwen/Qwen3-1.7B"


@pytest.mark.parametrize("settings", ["{}", '{"base_model_name_or_path": ""}'])
def test_an_adapter_without_a_base_is_refused(settings: str, tmp_path: Path) -> None:
    (tmp_path / SETTINGS).write_text(settings)
    with pytest.raises(ArtifactError, match="names no base model"):
        base_of(tmp_path)
