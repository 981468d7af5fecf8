"""One pass of eight rows is eight passes of one row: the same weights after some steps, whatever the rows' lengths."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sluicegate.models.encode import Encoded
from sluicegate.models.load import load
from sluicegate.testing import Family, tiny_model
from sluicegate.training.preference.config import DpoConfig, OrpoConfig
from sluicegate.training.preference.prefer import open_model, prefer
from sluicegate.training.preference.reference import Reference
from sluicegate.training.sft import tune
from sluicegate.training.sft_config import SftConfig
from tiny_pairs import assistant, encoded_pairs, tiny_pair

SETTINGS: dict[str, Any] = {"max_steps": 4, "total_batch": 8, "learning_rate": 1e-3}
PASSES: list[dict[str, Any]] = [{"device_batch_size": 8}, {"device_batch_size": 1}]


def rows_of_unlike_labels() -> list[Encoded]:
    """From 1 to 90 label tokens: a mean of the means of rows would be far from the mean over all their tokens."""
    draw = torch.Generator().manual_seed(3)
    lengths = [n + 4 for n in (1, 90, 2, 60, 3, 35, 5, 20)] * 3
    drawn = (torch.randint(2, 250, (total,), generator=draw).tolist() for total in lengths)
    return [Encoded(str(n), ids, [(4, len(ids))], 0, 0) for n, ids in enumerate(drawn)]


def weights(model: Any) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def assert_alike(one: dict[str, torch.Tensor], many: dict[str, torch.Tensor]) -> None:
    for name, weight in one.items():
        torch.testing.assert_close(many[name], weight, atol=2e-5, rtol=1e-4, msg=lambda m, n=name: f"{n}: {m}")


@pytest.mark.parametrize("family", ["qwen3", "gemma2", "mixtral", "sluice_gpt"])
@pytest.mark.parametrize("method", ["full", "lora"])
def test_fine_tuning(family: Family, method: Any, tmp_path: Path) -> None:
    base = tiny_model(tmp_path / "base", family)
    assert_alike(*(tuned(base, tmp_path, SftConfig(method=method, **SETTINGS, **size)) for size in PASSES))


@pytest.mark.parametrize("kind", [DpoConfig, OrpoConfig])
@pytest.mark.parametrize("method", ["full", "lora"])
def test_training_on_pairs(kind: Any, method: Any, tmp_path: Path) -> None:
    base = tiny_model(tmp_path / "base")
    one, many = (kind(method=method, **SETTINGS, **size) for size in PASSES)
    assert_alike(preferred(base, tmp_path / "one", one), preferred(base, tmp_path / "many", many))


def test_another_loss_than_the_mean_over_all_label_tokens_would_show(tmp_path: Path) -> None:
    base, config = tiny_model(tmp_path / "base"), SftConfig(method="full", **SETTINGS)
    whole, cut = (tuned(base, tmp_path, config, most=most) for most in (90, 20))
    with pytest.raises(AssertionError):
        assert_alike(whole, cut)


def tuned(base: Path, out: Path, config: SftConfig, most: int = 90) -> dict[str, torch.Tensor]:
    """Weights after a training on label tokens, of a row `most` at most."""
    rows = [replace(row, spans=[(4, min(len(row.ids), 4 + most))]) for row in rows_of_unlike_labels()]
    return weights(tune(load(base, device="cpu"), rows, config, out).model)


def preferred(base: Path, out: Path, config: Any) -> dict[str, torch.Tensor]:
    loaded = open_model(base, config)
    pairs = [tiny_pair(n, rejected=[assistant("No. " * (n * n % 23 + 1))]) for n in range(16)]
    encoded = encoded_pairs(out, loaded, pairs)
    columns = {name: np.array([pair[name] for pair in pairs]) for name in ("lang", "source")}
    reference = Reference(out / "reference.npy", len(pairs)) if isinstance(config, DpoConfig) else None
    return weights(prefer(loaded, encoded, columns, config, out, reference).model)
