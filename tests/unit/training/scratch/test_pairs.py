from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from sluicegate.models.load import Loaded, load
from sluicegate.testing import tiny_model
from sluicegate.training.preference.rows import EncodedPairs
from sluicegate.training.scratch.objectives import dpo
from sluicegate.training.scratch.pairs import PreferencePairs
from tiny_pairs import encoded_pairs, tiny_pairs


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return load(tiny_model(tmp_path_factory.mktemp("base"), "sluice_gpt"), device="cpu")


@pytest.fixture
def pairs(loaded: Loaded, tmp_path: Path) -> EncodedPairs:
    return encoded_pairs(tmp_path, loaded, tiny_pairs(10))


def test_a_pair_has_its_sides_next_to_each_other(loaded: Loaded, pairs: EncodedPairs) -> None:
    batch = PreferencePairs(pairs, 0, 4, loaded.model).batch(0)
    assert batch["input_ids"].shape[:2] == (4, 2)
    sides = {tuple(pair.chosen.ids): tuple(pair.rejected.ids) for pair in pairs}
    for ids, mask in zip(batch["input_ids"], batch["attention_mask"], strict=True):
        chosen, rejected = (tuple(side[kept == 1].tolist()) for side, kept in zip(ids, mask, strict=True))
        assert sides[chosen] == rejected


def test_the_reference_itself_prefers_nothing(loaded: Loaded, pairs: EncodedPairs) -> None:
    data = PreferencePairs(pairs, 0, 4, loaded.model)
    with torch.no_grad():
        for step in range(3):
            batch = data.batch(step)
            loss = dpo(loaded.model, batch) / batch["terms"].sum()
            assert loss.item() == pytest.approx(math.log(2), abs=1e-4)
