"""What trl is given of a batch."""

from __future__ import annotations

from pathlib import Path

import torch

from sluicegate.models.load import load
from sluicegate.testing import tiny_model
from sluicegate.training.preference.orpo import OrpoCollator
from tiny_pairs import encoded_pairs, tiny_pairs


def test_a_batch_has_the_sides_under_their_names(tmp_path: Path) -> None:
    pairs = encoded_pairs(tmp_path, load(tiny_model(tmp_path / "base"), device="cpu"), tiny_pairs(4))
    batch = OrpoCollator(pairs, 0)([{"pair": 2}, {"pair": 0}])
    assert {name.partition("_")[2] for name in batch} == {"input_ids", "attention_mask", "labels"}
    for row, n in enumerate((2, 0)):
        for side in ("chosen", "rejected"):
            encoded = getattr(pairs[n], side)
            found = batch[f"{side}_labels"][row, : len(encoded.ids)]
            torch.testing.assert_close(found, torch.tensor(encoded.labels))
