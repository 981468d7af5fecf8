"""What is kept of every token is what the model says of it, as long as its row is and no longer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from sluicegate.models.encode import Encoded
from sluicegate.models.load import Loaded
from sluicegate.scoring.base import Seen
from sluicegate.scoring.detail import detail_columns
from sluicegate.scoring.forward import Reader

HALF = {"rtol": 2e-3, "atol": 2e-3}


@torch.no_grad()
def own_nll(model: Any, row: Encoded) -> list[float]:
    """What the model's own logits say of each response token, one row at a time."""
    log_p = model(torch.tensor([row.ids])).logits[0].log_softmax(-1)
    return [-float(log_p[t - 1, row.ids[t]]) for start, end in row.spans for t in range(start, end)]


def soft_min(z: np.ndarray) -> float:
    return float(-np.log(np.exp(-z.astype(np.float64)).mean()))


@pytest.fixture
def rows(encoded: list[Encoded], unlabelled: Callable[[Encoded], Encoded]) -> list[Encoded]:
    """Rows of many lengths; the second has lost its response."""
    return [unlabelled(row) if n == 1 else row for n, row in enumerate(encoded)]


@pytest.fixture
def seen(loaded: Loaded, rows: list[Encoded], make_gates: Any) -> Seen:
    return Reader(loaded, make_gates(True), context_gain=True).see(rows, 300, lambda n: None, tokens=True)


def test_the_loss_of_each_token_is_the_models_own(loaded: Loaded, rows: list[Encoded], seen: Seen) -> None:
    for row, nll, loss in zip(rows, seen.nll, seen.loss, strict=True):
        assert nll.dtype == np.float16
        assert len(nll) == row.n_label
        if row.n_label:
            np.testing.assert_allclose(nll, own_nll(loaded.model, row), **HALF)
            assert loss == pytest.approx(nll.mean(dtype=np.float64), rel=1e-3)


def test_a_layers_score_is_the_soft_min_of_its_tokens(rows: list[Encoded], seen: Seen) -> None:
    assert seen.gate is not None
    assert seen.gate_layers is not None
    for row, z, layers, gate in zip(rows, seen.gate_logits, seen.gate_layers, seen.gate, strict=True):
        assert z.shape == (2, row.n_label)
        if row.n_label:
            np.testing.assert_allclose(layers, [soft_min(one) for one in z], rtol=5e-3, atol=5e-3)
            assert gate == pytest.approx(layers.mean(), rel=1e-5)


def test_tokens_are_not_kept_unless_asked_for(loaded: Loaded, rows: list[Encoded], make_gates: Any) -> None:
    seen = Reader(loaded, make_gates(False)).see(rows, 300, lambda n: None)
    assert not seen.nll
    assert not seen.gate_logits


def test_columns_are_as_long_as_each_row(rows: list[Encoded], seen: Seen) -> None:
    table = pa.table(detail_columns(seen, "tokens"))
    half = pa.list_(pa.float16())
    assert {f.name: f.type for f in table.schema} == {
        "loss": pa.float32(),
        "entropy": pa.float32(),
        "gate_layers": pa.list_(pa.float32()),
        "nll": half,
        "gate_logits": pa.list_(half),
    }
    for n, (row, found) in enumerate(zip(rows, table.to_pylist(), strict=True)):
        assert len(found["nll"]) == row.n_label
        assert found["gate_logits"] == seen.gate_logits[n].tolist()
    lost = table.to_pylist()[1]
    assert lost["nll"] == []
    assert lost["gate_logits"] == [[], []]
    assert np.isnan([lost["loss"], lost["entropy"], *lost["gate_layers"]]).all()


def test_without_a_gate_there_are_no_columns_of_one(loaded: Loaded, rows: list[Encoded]) -> None:
    seen = Reader(loaded, {}).see(rows, 300, lambda n: None, tokens=True)
    assert set(detail_columns(seen, "tokens")) == {"loss", "entropy", "nll"}
    assert set(detail_columns(seen, "sample")) == {"loss", "entropy"}
    assert detail_columns(seen, "none") == {}
