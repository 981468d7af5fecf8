"""Bases in few bits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from sluicegate.errors import MissingError
from sluicegate.models import quantised
from sluicegate.models.adapters import LoraSettings, attach
from sluicegate.models.load import load
from sluicegate.models.quantised import holds_fp8, multiplies_fp8, nf4
from sluicegate.testing import tiny_model

IDS = torch.tensor([[5, 9, 40, 41, 42]])


def test_nf4_is_what_the_paper_has() -> None:
    config = nf4(torch.bfloat16)
    assert (config.load_in_4bit, config.bnb_4bit_quant_type) == (True, "nf4")
    assert (config.bnb_4bit_use_double_quant, config.bnb_4bit_compute_dtype) == (True, torch.bfloat16)


def test_without_bitsandbytes_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantised, "find_spec", lambda name: None)
    with pytest.raises(MissingError, match="method qlora needs bitsandbytes") as err:
        nf4(torch.float32)
    assert err.value.hint == "get it with: pip install 'sluicegate[qlora]'"


@pytest.mark.parametrize("family", ["qwen2", "gpt2", "sluice_gpt"])
def test_a_base_in_four_bits_is_near_the_base(family: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tiny_model(tmp_path / "base", family)
    with torch.no_grad():
        whole, small = (load(folder, device="cpu", nf4=held).model(IDS).logits for held in (False, True))
    assert not torch.equal(small, whole)
    assert (small - whole).norm() < 0.3 * whole.norm()
    assert "NF4 and float32 on cpu" in capsys.readouterr().err


def test_gradients_come_through_four_bits_after_a_look_in_evaluation_mode(tmp_path: Path) -> None:
    model: Any = attach(load(tiny_model(tmp_path / "base"), device="cpu", nf4=True).model, LoraSettings(rank=2))
    with torch.no_grad():
        model.eval()(IDS)
    model.train()(IDS, labels=IDS).loss.backward()
    assert all(p.grad is not None for name, p in model.named_parameters() if p.requires_grad)
    assert any(
        p.grad.abs().sum() > 0
        for name, p in model.named_parameters()
        if "layers.0.self_attn.q_proj" in name and p.requires_grad
    )


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"quant_method": "fp8"}, True),
        ({"quant_method": "compressed-tensors", "format": "float-quantized"}, True),
        ({"quant_method": "compressed-tensors", "format": "pack-quantized"}, False),
        ({"quant_method": "bitsandbytes"}, False),
        (None, False),
    ],
)
def test_a_config_says_whether_weights_are_fp8(told: Any, expected: bool, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"quantization_config": told} if told else {}))
    assert holds_fp8(tmp_path) is expected


def test_a_folder_without_a_config_holds_none(tmp_path: Path) -> None:
    assert not holds_fp8(tmp_path)


def test_fp8_units_came_with_ada(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not multiplies_fp8(torch.device("cpu"))
    for capability, expected in (((8, 6), False), ((8, 9), True), ((9, 0), True)):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device, c=capability: c)
        assert multiplies_fp8(torch.device("cuda")) is expected
