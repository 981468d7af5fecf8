"""The loss made a chunk of tokens at a time is the model's own, in every batch and at every chunk size."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from sluicegate.models import surprise
from sluicegate.models.encode import Encoded, collate
from sluicegate.models.surprise import read


@pytest.mark.parametrize("chunk", [1, 7, 10**6])
def test_the_mean_over_a_padded_batch_is_the_loss_the_model_reports(
    chunk: int, model: Any, rows: list[Encoded], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surprise, "CHUNK", chunk)
    with torch.no_grad():
        own = model(**collate(rows, pad_id=0)).loss
    torch.testing.assert_close(read(model, rows, pad_id=0).loss.mean(), own, rtol=1e-5, atol=1e-5)


def test_the_size_of_a_chunk_changes_no_more_than_rounding(
    model: Any, rows: list[Encoded], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = read(model, rows, pad_id=0)
    monkeypatch.setattr(surprise, "CHUNK", 5)
    parts = read(model, rows, pad_id=0)
    torch.testing.assert_close(parts.loss, whole.loss, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(parts.entropy, whole.entropy, rtol=1e-5, atol=1e-5)


def test_a_row_in_a_padded_batch_is_the_row_alone(model: Any, rows: list[Encoded]) -> None:
    together = read(model, rows, pad_id=0)
    for number, row in enumerate(rows):
        alone, mine = read(model, [row], pad_id=0), together.row == number
        torch.testing.assert_close(together.loss[mine], alone.loss, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(together.entropy[mine], alone.entropy, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(together.prompt_state[number], alone.prompt_state[0], rtol=1e-4, atol=1e-5)


def test_in_bfloat16_the_loss_is_still_summed_in_float32(model: Any, rows: list[Encoded]) -> None:
    half = model.to(torch.bfloat16)
    with torch.no_grad():
        own = half(**collate(rows, pad_id=0)).loss
    reading = read(half, rows, pad_id=0)
    assert reading.loss.dtype == reading.entropy.dtype == reading.prompt_state.dtype == torch.float32
    torch.testing.assert_close(reading.loss.mean(), own.float(), rtol=2e-2, atol=1e-2)
