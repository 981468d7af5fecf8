"""Every weight of two folders beside each other, whatever wrote them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from sluicegate.errors import MissingError
from sluicegate.models import adapters, weights
from sluicegate.models.gates.files import save_gates
from sluicegate.models.gates.surprise import SurpriseGate
from sluicegate.models.weights import Comparison, compare_weights, relative_change, weight_files
from sluicegate.testing import tiny_model

A, B = torch.tensor([[3.0, 0.0], [0.0, 4.0]]), torch.tensor([[3.0, 0.0], [0.0, 4.5]])


def folder(path: Path, **tensors: torch.Tensor) -> Path:
    path.mkdir()
    save_file({name: tensor.clone() for name, tensor in tensors.items()}, path / "model.safetensors")
    return path


def compared(a: Path, b: Path, *groups: str) -> dict[str, Comparison]:
    return {c.name: c for c in compare_weights(a, b, groups or None)}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("models") / "base", "qwen3_moe")


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_how_much_a_weight_changed(chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "CHUNK", chunk)
    found = compared(folder(tmp_path / "a", x=A), folder(tmp_path / "b", x=B))["x"]
    assert found == Comparison("x", "changed", 0.25, 25.0, 0.5)
    assert relative_change([found]) == 0.1


def test_each_way_two_weights_can_differ(tmp_path: Path) -> None:
    first = {"same": A, "shape": A, "dtype": A, "mine": A, "zero": 0 * A, "nan": A / 0}
    second = {"same": A, "shape": A[:1], "dtype": A.half(), "yours": A, "zero": A, "nan": A / 0}
    found = compared(folder(tmp_path / "a", **first), folder(tmp_path / "b", **second))
    assert {name: c.verdict for name, c in found.items()} == {
        "same": "equal", "shape": "other shape", "dtype": "other dtype", "mine": "only in A", "yours": "only in B",
        "zero": "changed", "nan": "equal",
    }  # fmt: skip
    assert found["dtype"].change == 0
    assert math.isinf(relative_change([found["zero"]]))


def test_minus_zero_is_not_the_same_bits(tmp_path: Path) -> None:
    found = compared(folder(tmp_path / "a", x=torch.zeros(2)), folder(tmp_path / "b", x=-torch.zeros(2)))
    assert (found["x"].verdict, found["x"].change) == ("changed", 0.0)


def test_a_number_without_dimensions_is_compared_too(tmp_path: Path) -> None:
    found = compared(folder(tmp_path / "a", x=torch.tensor(1.0)), folder(tmp_path / "b", x=torch.tensor(2.0)))
    assert found["x"].largest == 1.0


def test_shards_are_read_by_their_index_and_nothing_beside_it(model: Path, tmp_path: Path) -> None:
    AutoModelForCausalLM.from_pretrained(model).save_pretrained(tmp_path, max_shard_size="20KB")
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 1
    save_file({"tok_embeddings.weight": A}, tmp_path / "consolidated.safetensors")
    found = compared(model, tmp_path)
    assert {c.verdict for c in found.values()} == {"equal"}
    next(tmp_path.glob("model-*.safetensors")).unlink()
    with pytest.raises(MissingError, match="which its index names"):
        compared(model, tmp_path)


def test_only_some_groups_and_only_one_router_changed(model: Path, tmp_path: Path) -> None:
    tensors = load_file(model / "model.safetensors")
    tensors["model.layers.1.mlp.gate.weight"] += 1
    tensors["model.layers.0.self_attn.q_proj.weight"] += 1
    save_file(tensors, tmp_path / "model.safetensors")
    found = compared(model, tmp_path, "routers")
    assert {c.layer: c.verdict for c in found.values()} == {0: "equal", 1: "changed"}


def test_gates_have_one_name_beside_a_model_and_alone(tmp_path: Path) -> None:
    gates: dict[int, Any] = {1: SurpriseGate(4, 2, 4)}
    save_gates(gates, tmp_path)
    names = weight_files(tmp_path)
    assert names["layers.1.mlp.quality_gate.now"] == (tmp_path / "gate.safetensors", "1.now")
    both = folder(tmp_path / "model", x=A)
    save_gates(gates, both)
    assert {c.verdict for c in compare_weights(tmp_path, both, ["gates"])} == {"equal"}


def test_an_adapters_weights_are_named_as_those_they_change(model: Path, tmp_path: Path) -> None:
    tuned = adapters.attach(AutoModelForCausalLM.from_pretrained(model), adapters.LoraSettings(rank=2))
    adapters.write_adapter(tuned, tmp_path, "")
    assert "model.layers.0.self_attn.q_proj.lora_A.weight" in weight_files(tmp_path)


def test_a_checkpoint_of_pretraining_has_weights_and_more(tmp_path: Path) -> None:
    names = ("model.lm_head.weight", "optimizer.lm_head.weight.exp_avg", "losses.train")
    save_file({name: A.clone() for name in names}, tmp_path / "checkpoint.safetensors")
    assert list(weight_files(tmp_path)) == ["lm_head.weight"]


def test_a_folder_without_safetensors_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="holds no safetensors"):
        weight_files(tmp_path)
