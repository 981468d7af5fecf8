"""Gates on disk."""

from __future__ import annotations

from pathlib import Path

import torch

from sluicegate.models.gates.files import load_gates, save_gates, weights_hash
from sluicegate.models.gates.surprise import SurpriseGate


def test_save_and_load_are_exact(tmp_path: Path) -> None:
    gates = {0: SurpriseGate(6, 3, 4), 10: SurpriseGate(6, 3, 4)}
    save_gates(gates, tmp_path)
    again = load_gates(tmp_path)
    assert list(again) == [0, 10]
    for number, gate in gates.items():
        for name, p in gate.named_parameters():
            assert torch.equal(p, dict(again[number].named_parameters())[name])


def test_the_weights_hash_knows_one_model_from_another(tiny_qwen2: Path, tiny_qwen3: Path, tmp_path: Path) -> None:
    assert weights_hash(tiny_qwen2) == weights_hash(tiny_qwen2) != weights_hash(tiny_qwen3)
