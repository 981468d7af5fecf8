"""Training in FP8, emulated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from sluicegate.errors import ConfigError, MissingError
from sluicegate.models.encode import Encoder
from sluicegate.models.load import load
from sluicegate.testing import tiny_model, tiny_pool
from sluicegate.training import fp8
from sluicegate.training.fp8 import check_fp8, to_fp8
from sluicegate.training.opening import open_model
from sluicegate.training.sft import tune
from sluicegate.training.sft_config import SftConfig

CPU = torch.device("cpu")
IDS = torch.tensor([[5, 9, 40, 41, 42]])


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_model_learns_in_fp8_and_is_saved_in_full(
    method: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = tiny_model(tmp_path / "base")
    config = SftConfig(method=method, dtype="fp8", max_steps=30, learning_rate=2e-2)
    loaded = open_model(base, config)
    told = capsys.readouterr().err
    assert "fp8 is emulated on a CPU" in told
    assert "fp8: 10 linear layers compute in it" in told, "those with sides of a multiple of 16"
    tuned = tune(loaded, Encoder(loaded.tokenizer).encode_batch(tiny_pool(24)), config, tmp_path)
    assert tuned.loss < {"full": 0.8, "lora": 0.99}[method] * tuned.curve[0]["loss"]
    assert {p.dtype for p in tuned.model.parameters()} == {torch.float32}
    if method == "full":
        tuned.model.save_pretrained(tmp_path / "out")
        loaded.tokenizer.save_pretrained(tmp_path / "out")
        exact, rounded = (m(IDS).logits for m in (load(tmp_path / "out", device="cpu").model, tuned.model))
        assert not torch.equal(exact, rounded)
        assert (exact - rounded).norm() < 0.1 * exact.norm()


def test_without_torchao_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fp8, "find_spec", lambda name: None)
    with pytest.raises(MissingError, match="dtype fp8 needs torchao") as err:
        check_fp8(CPU)
    assert err.value.hint == "get it with: pip install 'sluicegate[fp8]'"


def test_a_gpu_without_fp8_units_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 6))
    with pytest.raises(ConfigError, match="dtype fp8 needs FP8 units, which cuda has not") as err:
        check_fp8(torch.device("cuda"))
    assert "capability 8.9 or later" in err.value.hint


def test_a_model_of_other_sizes_is_refused(tmp_path: Path) -> None:
    model = load(tiny_model(tmp_path / "base", "gpt2"), device="cpu").model
    with pytest.raises(ConfigError, match="no linear layer of GPT2LMHeadModel has sides that are multiples of 16"):
        to_fp8(model, CPU)
