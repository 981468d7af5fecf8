"""How the model to train is opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from sluicegate.testing import tiny_model
from sluicegate.training import opening
from sluicegate.training.opening import settle
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
