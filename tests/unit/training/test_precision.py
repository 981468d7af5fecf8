"""Which numbers a tuning is held and computed in."""

from __future__ import annotations

import pytest
import torch

from sluicegate.errors import ConfigError
from sluicegate.training import precision
from sluicegate.training.precision import autocast, held
from sluicegate.training.sft_config import SftConfig

CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize(
    ("method", "dtype", "expected"),
    [
        ("full", "auto", "float32"),
        ("full", "float16", "float32"),
        ("full", "fp8", "float32"),
        ("full", "bfloat16", "bfloat16"),
        ("lora", "auto", "auto"),
        ("lora", "float16", "float16"),
        ("dora", "fp8", "auto"),
        ("qlora", "bfloat16", "bfloat16"),
    ],
)
def test_weights_that_are_trained_keep_their_small_updates(method: str, dtype: str, expected: str) -> None:
    assert held(SftConfig(method=method, dtype=dtype), GPU).dtype == expected  # type: ignore[arg-type]


def test_float16_needs_a_gpu() -> None:
    with pytest.raises(ConfigError, match="float16 cannot be trained on a CPU: nothing there scales its losses"):
        held(SftConfig(method="lora", dtype="float16"), CPU)


@pytest.mark.parametrize("dtype", ["auto", "bfloat16", "fp8"])
def test_a_cpu_computes_in_what_weights_are_held_in(dtype: str) -> None:
    assert autocast(CPU, dtype) == {"bf16": False, "fp16": False}


@pytest.mark.parametrize(
    ("likes", "asked", "bf16", "fp16"),
    [
        (torch.bfloat16, "auto", True, False),
        (torch.float16, "auto", False, True),
        (torch.bfloat16, "float32", False, False),
        (torch.bfloat16, "float16", False, True),
        (torch.bfloat16, "fp8", True, False),
    ],
)
def test_a_gpu_computes_in_what_was_asked_or_in_what_it_likes(
    likes: torch.dtype, asked: str, bf16: bool, fp16: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pick = lambda device, asked: (likes if asked == "auto" else getattr(torch, asked), "")  # noqa: E731
    monkeypatch.setattr(precision, "pick_dtype", pick)
    assert autocast(GPU, asked) == {"bf16": bf16, "fp16": fp16}
