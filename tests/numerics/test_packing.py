"""Rows packed end to end teach what they teach apart: the same loss, the same gradients, the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
import torch

from sluicegate.errors import DataError
from sluicegate.models.encode import Encoded, collate
from sluicegate.models.load import load
from sluicegate.testing import Family, tiny_model, tiny_pool
from sluicegate.training.passes.packing import pack
from sluicegate.training.sft import tune
from sluicegate.training.sft_config import SftConfig
from tiny_architectures import some_rows, tiny_architecture


def loss_and_gradients(model: Any, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    model.zero_grad()
    loss = model(**batch, use_cache=False).loss
    loss.backward()
    return loss.detach(), torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


@pytest.mark.parametrize("family", get_args(Family))
def test_losses_and_gradients_are_those_of_the_rows_apart(family: Family) -> None:
    rows, model = some_rows(), tiny_architecture(family).train()
    apart, packed = (loss_and_gradients(model, batch) for batch in (collate(rows, pad_id=0), pack(rows)))
    for found, expected in zip(packed, apart, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    _, seen = loss_and_gradients(model, {**pack(rows), "position_ids": torch.arange(78)[None]})
    assert (seen - apart[1]).norm() > 1e-3 * seen.norm(), "rows that see each other would show"


def test_a_packed_row_may_be_longer_than_the_positions_learned() -> None:
    model = tiny_architecture("sluice_gpt", positions="learned", max_position_embeddings=40).train()
    rows = some_rows()
    found, expected = (loss_and_gradients(model, batch) for batch in (pack(rows), collate(rows, pad_id=0)))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(DataError, match="rows of 78 tokens are longer than the 40 positions"):
        loss_and_gradients(model, {**pack(rows), "position_ids": torch.arange(78)[None]})


@pytest.mark.parametrize("family", ["qwen3", "gemma2", "gpt_neox", "sluice_gpt"])
@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_packed_training_ends_with_the_same_weights(family: Family, method: Any, tmp_path: Path) -> None:
    base = tiny_model(tmp_path / "base", family)
    settings = {"method": method, "max_steps": 4, "total_batch": 8, "learning_rate": 1e-3}
    apart, *packed = (
        tuned(base, tmp_path, SftConfig(**settings, **more))
        for more in ({}, {"packing": True}, {"packing": True, "device_batch_size": 2})
    )
    for weights in packed:
        for name, weight in apart.items():
            torch.testing.assert_close(weights[name], weight, atol=2e-5, rtol=1e-4)


def tuned(base: Path, out: Path, config: SftConfig) -> dict[str, torch.Tensor]:
    loaded = load(base, device="cpu")
    rows: list[Encoded] = loaded.encoder(512).encode_batch(tiny_pool(24))
    made = tune(loaded, rows, config, out)
    return {name: p.detach().clone() for name, p in made.model.named_parameters()}
