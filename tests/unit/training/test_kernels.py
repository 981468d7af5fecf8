"""Faster kernels, and the reasons they are refused for."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest
import torch

from sluicegate.config import build
from sluicegate.errors import ConfigError, MissingError
from sluicegate.training import kernels
from sluicegate.training.kernels import check_kernels, take_flash_attention
from sluicegate.training.preference.config import DpoConfig
from sluicegate.training.sft_config import SftConfig
from tiny_architectures import some_gates, tiny_architecture

ZERO3 = {"launch": {"strategy": "deepspeed_zero3"}, "checkpoints": {"every": 0}}
CPU, GPU = torch.device("cpu"), torch.device("cuda")


def test_what_nobody_asked_for_is_not_looked_at() -> None:
    check_kernels(None, SftConfig(), CPU)
    check_kernels(None, DpoConfig(), CPU)


def test_liger_needs_a_gpu() -> None:
    with pytest.raises(ConfigError, match="liger needs a GPU, and this is cpu"):
        check_kernels(tiny_architecture("llama"), SftConfig(liger=True), CPU)


def test_liger_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "find_spec", lambda name: None)
    with pytest.raises(MissingError, match="liger needs liger-kernel") as err:
        check_kernels(tiny_architecture("llama"), SftConfig(liger=True), GPU)
    assert err.value.hint == "get it with: pip install 'sluicegate[liger]'"


def test_liger_knows_some_architectures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "find_spec", lambda name: object())
    for name in ("liger_kernel", "liger_kernel.transformers", "liger_kernel.transformers.monkey_patch"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    known = sys.modules["liger_kernel.transformers.monkey_patch"]
    monkeypatch.setattr(known, "MODEL_TYPE_TO_APPLY_LIGER_FN", {"llama": None}, raising=False)
    check_kernels(tiny_architecture("llama"), SftConfig(liger=True), GPU)
    with pytest.raises(ConfigError, match="liger has no kernels for sluice_gpt"):
        check_kernels(tiny_architecture("sluice_gpt"), SftConfig(liger=True), GPU)


def test_a_model_with_gates_is_not_compiled() -> None:
    from sluicegate.models.gates.base import attach

    model = tiny_architecture("llama")
    attach(model, some_gates(model))
    with pytest.raises(ConfigError, match="compile: the model carries gates"):
        check_kernels(model, SftConfig(compile=True), CPU)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"compile": True, "method": "qlora"}, "compile does not work with qlora"),
        ({"compile": True, "launch": {"strategy": "fsdp"}}, "compile does not work with strategy fsdp"),
        ({"compile": True, **ZERO3}, "compile does not work with strategy deepspeed_zero3"),
        ({"dtype": "fp8", "method": "qlora"}, "those of qlora have 4"),
        ({"packing": True, "neftune_alpha": 5}, "neftune_alpha does not go with packing"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_is_opened(settings: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        build(SftConfig, settings)


def test_packed_rows_are_read_by_flash_attention_where_there_is_any(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model, taken = tiny_architecture("llama"), []
    monkeypatch.setattr(model, "set_attn_implementation", taken.append, raising=False)
    take_flash_attention(model, GPU)
    monkeypatch.setattr("transformers.utils.is_flash_attn_2_available", lambda: True)
    take_flash_attention(model, CPU)
    assert taken == []
    assert capsys.readouterr().err.count("packing without flash attention compares all tokens of a pass") == 2
    take_flash_attention(model, GPU)
    assert taken == ["flash_attention_2"]
    assert "packed rows are read by flash attention 2" in capsys.readouterr().err
