from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from sluicegate.errors import CheckFailed
from sluicegate.models.export_check import Agreement, probe
from sluicegate.models.load import load
from sluicegate.testing import tiny_model


def test_the_distance_is_a_share_of_the_norm() -> None:
    a = torch.tensor([[3.0, 0.0], [0.0, 4.0]])
    found = Agreement.of(a, torch.tensor([[3.0, 0.0], [0.5, 0.0]]))
    assert found.distance == pytest.approx((16.25**0.5) / 5)
    assert found.same_token == 0.5


@pytest.mark.parametrize("distance", [0.02, float("nan"), float("inf")])
def test_what_is_too_far_or_no_number_fails(distance: float) -> None:
    with pytest.raises(CheckFailed, match="merging changed the logits"):
        Agreement(distance, 1.0).check(0.01, "merging", "")
    Agreement(0.01, 1.0).check(0.01, "merging", "")


def test_every_token_of_every_probe_is_asked(tmp_path: Path) -> None:
    loaded = load(tiny_model(tmp_path / "model"), device="cpu")
    logits = probe(loaded)
    assert logits.dtype == torch.float32
    assert logits.shape[1] == len(loaded.tokenizer)
    other: Any = load(tiny_model(tmp_path / "other", seed=1), device="cpu")
    assert Agreement.of(logits, logits) == Agreement(0.0, 1.0)
    assert Agreement.of(logits, probe(other)).distance > 0.5
