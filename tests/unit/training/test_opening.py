"""How the model to train is opened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from sluicegate.errors import ArtifactError
from sluicegate.models.encode import Encoder
from sluicegate.models.load import load
from sluicegate.models.size import count_parameters
from sluicegate.testing import tiny_model, tiny_pool
from sluicegate.training import opening
from sluicegate.training.opening import open_model, settle, with_adapter
from sluicegate.training.sft import tune
from sluicegate.training.sft_config import SftConfig


def test_auto_is_full_for_a_small_base_and_lora_for_a_large_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_model(tmp_path / "model")
    assert settle(SftConfig(), folder).method == "full"
    monkeypatch.setattr(opening, "SMALL", 1000)
    settled = settle(SftConfig(), folder)
    assert (settled.method, settled.peak_rate) == ("lora", 2e-4)
    assert settle(SftConfig(method="full"), folder).method == "full", "what was asked for stands"


@pytest.mark.parametrize("method", ["lora", "dora", "qlora"])
def test_an_adapter_of_any_method_learns(method: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = tiny_model(tmp_path / "base")
    config = SftConfig(method=method, max_steps=30, learning_rate=2e-2)
    loaded = open_model(base, config)
    tuned = tune(loaded, Encoder(loaded.tokenizer).encode_batch(tiny_pool(24)), config, tmp_path)
    assert tuned.loss < 0.99 * tuned.curve[0]["loss"]
    trained, total = (sum(p.numel() for p in tuned.model.parameters() if p.requires_grad), count_parameters(base))
    assert f"trained: {trained:,} of {trained + total:,} parameters" in capsys.readouterr().err


def test_a_full_training_trains_every_parameter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loaded = load(tiny_model(tmp_path / "base"), device="cpu")
    assert with_adapter(loaded.model, SftConfig(method="full")) is loaded.model
    n = loaded.model.num_parameters()
    assert f"trained: {n:,} of {n:,} parameters (100.00%)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("method", "told"),
    [
        ("full", "cannot be trained themselves"),
        ("qlora", "cannot be made NF4"),
        ("lora", r"this machine \(cpu\) cannot multiply with"),
    ],
)
def test_weights_that_are_fp8_already_are_refused_where_they_cannot_be_used(
    method: Any, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tiny_model(tmp_path / "base")
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps({**config, "quantization_config": {"quant_method": "fp8"}}))
    monkeypatch.setattr("sluicegate.runtime.pick_device", lambda: "cpu")
    with pytest.raises(ArtifactError, match=f"holds FP8 weights, which {told}"):
        open_model(base, SftConfig(method=method))


def test_weights_of_a_full_training_are_float32(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert open_model(tiny_model(tmp_path / "base"), SftConfig(method="full")).dtype == torch.float32
    assert "full fine-tuning keeps float32 weights" in capsys.readouterr().err
