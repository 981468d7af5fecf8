"""One pass says of many rows what a slow look at each one says, however they are batched."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sluicegate.models.encode import Encoded, Encoder, length_batches
from sluicegate.models.load import Loaded
from sluicegate.models.surprise import without_prompt
from sluicegate.schema import Record
from sluicegate.scoring.base import Batch, Signal
from sluicegate.scoring.forward import STATE_WIDTH, Reader, narrow, open_reader
from sluicegate.scoring.passes import Pass

CLOSE: dict[str, Any] = {"rtol": 1e-4, "atol": 1e-4}


def quiet(n_rows: int) -> None:
    pass


def count_forwards(model: Any) -> list[tuple[int, int]]:
    """A list that grows by (rows, width) with every batch the decoder reads."""
    shapes: list[tuple[int, int]] = []
    model.model.register_forward_pre_hook(
        lambda decoder, args, kwargs: shapes.append(tuple(kwargs["input_ids"].shape)), with_kwargs=True
    )
    return shapes


def test_the_loss_of_a_row_is_the_models_own(loaded: Loaded, encoded: list[Encoded], own_loss: Any) -> None:
    seen = Reader(loaded, {}).see(encoded, 300, quiet)
    wanted = [own_loss(loaded.model, row) for row in encoded]
    np.testing.assert_allclose(seen.loss, wanted, **CLOSE)
    assert np.ptp(seen.loss) > 0.5, "rows differ, so that a mix-up would show"
    assert seen.gate is None


@pytest.mark.parametrize("context_gain", [False, True])
def test_the_gates_score_is_its_definition(
    context_gain: bool, loaded: Loaded, encoded: list[Encoded], make_gates: Any, slow_gate: Any
) -> None:
    gates = make_gates(context_gain)
    seen = Reader(loaded, gates, context_gain).see(encoded, 300, quiet)
    wanted = [slow_gate(loaded.model, gates, row, context_gain) for row in encoded]
    np.testing.assert_allclose(seen.gate, wanted, **CLOSE)
    assert np.ptp(wanted) > 0.05


def test_neither_the_size_nor_the_company_of_a_batch_matters(
    loaded: Loaded, encoded: list[Encoded], make_gates: Any
) -> None:
    reader = Reader(loaded, make_gates(True), context_gain=True)
    alone, together = reader.see(encoded, 1, quiet), reader.see(encoded, 10**6, quiet)
    backwards = reader.see(encoded[::-1], 200, quiet)
    for name in ("loss", "gate", "prompt_state"):
        wanted = getattr(alone, name)
        np.testing.assert_allclose(getattr(together, name), wanted, **CLOSE)
        np.testing.assert_allclose(getattr(backwards, name)[::-1], wanted, **CLOSE)


def test_what_stands_in_the_padding_does_not_matter(loaded: Loaded, encoded: list[Encoded], make_gates: Any) -> None:
    reader = Reader(loaded, make_gates(True), context_gain=True)
    before = reader.see(encoded, 10**6, quiet)
    loaded.tokenizer.pad_token = "x"
    after = reader.see(encoded, 10**6, quiet)
    for name in ("loss", "gate", "prompt_state"):
        np.testing.assert_allclose(getattr(after, name), getattr(before, name), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("context_gain", [False, True])
def test_every_batch_is_read_once_and_once_more_for_the_context_gain(
    context_gain: bool, loaded: Loaded, encoded: list[Encoded], make_gates: Any
) -> None:
    shapes = count_forwards(loaded.model)
    told: list[int] = []
    Reader(loaded, make_gates(context_gain), context_gain).see(encoded, 300, told.append)
    batches = length_batches([len(row.ids) for row in encoded], batch_tokens=300)
    alone = length_batches([len(without_prompt(row).ids) for row in encoded], batch_tokens=300)
    assert len(batches) > len(alone) > 1
    assert len(shapes) == len(batches) + len(alone) * context_gain
    assert told == [len(batch) for batch in batches]


def test_the_context_gain_is_not_read_where_no_gate_wants_it(loaded: Loaded, encoded: list[Encoded]) -> None:
    shapes = count_forwards(loaded.model)
    Reader(loaded, {}, context_gain=True).see(encoded, 10**6, quiet)
    assert len(shapes) == 1


class Watcher(Signal):
    """Keeps the number of a row's tokens, the mean of its last state and its loss without the prompt."""

    name = "watcher"
    reads_alone = True

    def observe(self, batch: Batch, config: Any) -> torch.Tensor:
        assert batch.free is not None
        last = [hidden[len(e.ids) - 1].mean() for hidden, e in zip(batch.hidden, batch.encoded, strict=True)]
        free = [own.mean() for own in batch.per_row(batch.free)]
        return torch.tensor([[len(e.ids) for e in batch.encoded], last, free]).T


WATCHER = {"watcher": (Watcher(), None)}


@torch.no_grad()
def test_what_a_signal_observes_stands_in_the_order_of_the_rows(
    loaded: Loaded, encoded: list[Encoded], own_loss: Any, unlabelled: Callable[[Encoded], Encoded]
) -> None:
    rows = [unlabelled(row) if n == 2 else row for n, row in enumerate(encoded)]
    found = Reader(loaded, {}).see(rows, 300, quiet, False, WATCHER).observed["watcher"]
    assert found.shape == (len(rows), 3)
    assert found.dtype == np.float32
    assert np.isnan(found[2]).all()
    for n, row in enumerate(rows):
        if n != 2:
            states = loaded.model(torch.tensor([row.ids]), output_hidden_states=True).hidden_states[-1]
            wanted = [len(row.ids), float(states[0, -1].mean()), own_loss(loaded.model, without_prompt(row))]
            np.testing.assert_allclose(found[n], wanted, **CLOSE)


def test_a_signal_that_keeps_nothing_costs_no_pass_and_no_column(loaded: Loaded, encoded: list[Encoded]) -> None:
    shapes = count_forwards(loaded.model)
    assert Reader(loaded, {}).see(encoded, 10**6, quiet, False, {"plain": (Signal(), None)}).observed == {}
    assert len(shapes) == 1
    assert not loaded.model.model._forward_hooks, "what reads the states is taken away"


@pytest.mark.parametrize("context_gain", [False, True])
def test_gates_and_signals_share_the_pass_without_the_prompt(
    context_gain: bool, loaded: Loaded, encoded: list[Encoded], make_gates: Any
) -> None:
    reader = Reader(loaded, make_gates(context_gain), context_gain)
    plain = reader.see(encoded, 10**6, quiet)
    shapes = count_forwards(loaded.model)
    seen = reader.see(encoded, 10**6, quiet, False, WATCHER | {"another": (Watcher(), None)})
    assert len(shapes) == 2
    np.testing.assert_array_equal(seen.gate, plain.gate)
    np.testing.assert_array_equal(seen.loss, plain.loss)


def test_only_one_batch_has_its_states_in_memory(
    loaded: Loaded, encoded: list[Encoded], monkeypatch: pytest.MonkeyPatch
) -> None:
    states: list[weakref.ref[torch.Tensor]] = []

    def observe(self: Signal, batch: Batch, config: Any) -> None:
        assert all(before() is None for before in states)
        states.append(weakref.ref(batch.hidden))

    monkeypatch.setattr(Watcher, "observe", observe)
    Reader(loaded, {}).see(encoded, 300, quiet, False, WATCHER)
    assert len(states) > 2


def test_batches_keep_to_the_budget_of_tokens(loaded: Loaded, encoded: list[Encoded]) -> None:
    shapes = count_forwards(loaded.model)
    Reader(loaded, {}).see(encoded, 300, quiet)
    assert all(rows * width <= 300 or rows == 1 for rows, width in shapes)


def test_rows_without_a_response_token_are_left_out_and_disturb_nobody(
    loaded: Loaded, encoded: list[Encoded], make_gates: Any, unlabelled: Callable[[Encoded], Encoded]
) -> None:
    reader = Reader(loaded, make_gates(False))
    full = reader.see(encoded, 10**6, quiet)
    cut = [unlabelled(row) if n in (0, 4) else row for n, row in enumerate(encoded)]
    seen = reader.see(cut, 10**6, quiet)
    gone = np.isin(np.arange(len(cut)), [0, 4])
    assert seen.gate is not None
    assert full.gate is not None
    assert np.isnan(seen.loss[gone]).all()
    assert np.isnan(seen.gate[gone]).all()
    assert not seen.prompt_state[gone].any()
    np.testing.assert_allclose(seen.loss[~gone], full.loss[~gone], **CLOSE)
    np.testing.assert_allclose(seen.gate[~gone], full.gate[~gone], **CLOSE)
    nobody = reader.see([unlabelled(encoded[0])], 10, quiet)
    assert np.isnan(nobody.loss).all()


def test_a_row_cut_at_the_end_is_scored_on_what_is_left(loaded: Loaded, records: list[Record], own_loss: Any) -> None:
    rows = Encoder(loaded.tokenizer, max_length=60).encode_batch(records)
    assert any(row.truncated and row.n_label for row in rows)
    readable = [row for row in rows if row.n_label]
    seen = Reader(loaded, {}).see(readable, 10**6, quiet)
    np.testing.assert_allclose(seen.loss, [own_loss(loaded.model, row) for row in readable], **CLOSE)


def test_the_state_of_a_model_that_breaks_down_is_zero_and_its_loss_is_not_finite(
    loaded: Loaded, encoded: list[Encoded]
) -> None:
    broken = encoded[0].ids[1]
    with torch.no_grad():
        loaded.model.get_input_embeddings().weight[broken] = torch.nan
    rows = [replace(encoded[0], ids=[t + (t == broken) for t in encoded[0].ids]), encoded[0]]
    seen = Reader(loaded, {}).see(rows, 10**6, quiet)
    assert not np.isfinite(seen.loss[1])
    assert not seen.prompt_state[1].any()


def test_wide_states_are_projected_the_same_way_every_time_and_keep_distances() -> None:
    torch.manual_seed(0)
    states = torch.randn(40, 4 * STATE_WIDTH)
    one, two = narrow(states), narrow(states[:3])
    assert one.shape == (40, STATE_WIDTH)
    torch.testing.assert_close(one[:3], two, atol=1e-4, rtol=1e-4)
    ratio = torch.pdist(one) / torch.pdist(states)
    assert 0.75 < float(ratio.min()) < float(ratio.max()) < 1.25
    assert narrow(states[:, :STATE_WIDTH]) is not None
    assert torch.equal(narrow(states[:, :STATE_WIDTH]), states[:, :STATE_WIDTH])


def test_no_model_is_opened_for_signals_that_read_none(tmp_path: Path) -> None:
    assert open_reader(Pass("nothing", {}, gated=False), tmp_path / "nowhere", None, None) is None
