from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from packed_text import END, counting, everything, write
from sluicegate.errors import DataError
from sluicegate.models.encode import IGNORED
from sluicegate.models.gpt import GPTConfig, GPTForCausalLM
from sluicegate.training.scratch.objectives import language_model
from sluicegate.training.scratch.packed import PackedDocuments, packed
from sluicegate.training.scratch.schedule import Schedule


def plan(**changes: Any) -> Schedule:
    return Schedule(**{"steps": 6, "batch_rows": 3, "row_tokens": 5, **changes})


def rows(batch: dict[str, torch.Tensor]) -> list[list[int]]:
    """Whole rows, the last label put behind the inputs."""
    return torch.cat([batch["input_ids"], batch["labels"][:, -1:]], 1).tolist()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=20), width=st.integers(3, 7), seed=st.integers(0, 9))
def test_packing_only_reorders_documents_and_cuts_the_tail(
    lengths: list[int], width: int, seed: int, tmp_path: Path
) -> None:
    tokens = write(tmp_path, [[i] * n for i, n in enumerate(lengths)])
    fit = sum(lengths) // width
    if not fit:
        return
    data = PackedDocuments(tokens, everything(tokens), plan(batch_rows=fit, row_tokens=width - 1, seed=seed))
    flat = [token for row in rows(data.batch(0)) for token in row]
    order = list(dict.fromkeys(flat))
    assert sorted(flat, key=order.index) == flat
    assert all(flat.count(i) == lengths[i] for i in order[:-1])


def test_batches_go_through_the_documents_in_a_new_order_each_epoch_and_start_anywhere(tmp_path: Path) -> None:
    tokens = write(tmp_path, [[n, END] for n in range(2, 30)])  # 56 tokens: three batches of three rows of six
    data = PackedDocuments(tokens, everything(tokens), plan())
    stream = [rows(data.batch(step)) for step in range(6)]
    epochs = [[token for batch in part for row in batch for token in row] for part in (stream[:3], stream[3:])]
    assert epochs[0] != epochs[1]
    assert all(len(set(epoch)) == 28 for epoch in epochs)
    again = PackedDocuments(tokens, everything(tokens), plan())
    assert [rows(again.batch(step)) for step in (5, 1, 3)] == [stream[step] for step in (5, 1, 3)]
    assert rows(PackedDocuments(tokens, everything(tokens), plan(seed=1)).batch(0)) != stream[0]


def test_sources_take_turns_by_their_weights_and_begin_anew(tmp_path: Path) -> None:
    few, many, none = [[2, 2, END]] * 4, [[3, 3, END]] * 50, [[4, 4, END]] * 50
    tokens = write(tmp_path, [*few, *many, *none], ["few"] * 4 + ["many"] * 50 + ["none"] * 50)
    data = PackedDocuments(tokens, everything(tokens), plan(weights={"few": 3, "many": 1}, steps=20, batch_rows=4))
    for step in range(20):
        kinds = Counter(row[0] for row in data.batch(step)["input_ids"].tolist())
        assert kinds == {2: 3, 3: 1}


def test_a_weight_of_no_source_is_refused(tmp_path: Path) -> None:
    tokens = write(tmp_path, counting())
    with pytest.raises(DataError, match=r"no document is of source 'al'.*\n?.*did you mean 'all'"):
        PackedDocuments(tokens, everything(tokens), plan(weights={"al": 1}))


def test_too_few_tokens_for_a_batch_are_refused(tmp_path: Path) -> None:
    tokens = write(tmp_path, counting(5))
    with pytest.raises(DataError, match="hold 50 tokens, and one batch takes 68"):
        PackedDocuments(tokens, everything(tokens), plan(batch_rows=4, row_tokens=16))


def test_masked_documents_begin_at_position_0_and_predict_nothing_of_each_other(tmp_path: Path) -> None:
    tokens = write(tmp_path, [[5, 6, END], [5, 6, 7, END]] * 4)
    batch = PackedDocuments(tokens, everything(tokens), plan(mask_documents=True, row_tokens=6, batch_rows=2)).batch(0)
    plain = PackedDocuments(tokens, everything(tokens), plan(row_tokens=6, batch_rows=2)).batch(0)
    assert torch.equal(batch["input_ids"], plain["input_ids"])
    ends = batch["input_ids"] == END
    assert (batch["labels"][ends] == IGNORED).all()
    assert torch.equal(batch["labels"][~ends], plain["labels"][~ends])
    assert batch["terms"].tolist() == (batch["labels"] != IGNORED).sum(1).tolist()
    assert (batch["position_ids"][:, 1:][ends[:, :-1]] == 0).all()
    assert (batch["position_ids"].diff(dim=1)[~ends[:, :-1]] == 1).all()


@pytest.mark.parametrize("positions", ["rotary", "learned"])
def test_a_packed_row_has_the_loss_of_its_documents_alone(positions: str, tmp_path: Path) -> None:
    documents = [[5, 6, 7, 8, END], [9, 8, END], [4, 4, 4, 4, 4, 4, END]]
    tokens = write(tmp_path, documents)
    data = PackedDocuments(tokens, everything(tokens), plan(mask_documents=True, row_tokens=14, batch_rows=1))
    torch.manual_seed(0)
    shape: dict[str, Any] = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    model = GPTForCausalLM(GPTConfig(vocab_size=12, positions=positions, **shape)).eval()
    alone = sum(
        language_model(model, {"input_ids": ids[None, :-1], "labels": ids[None, 1:]})
        for ids in map(torch.tensor, documents)
    )
    torch.testing.assert_close(language_model(model, data.batch(0)), alone)


def test_what_is_held_out_is_not_trained_on(tmp_path: Path) -> None:
    tokens = write(tmp_path, [[n, n, n, END] for n in range(2, 102)])
    data, held_out = packed(tokens, plan(held_out=0.2, steps=12, evaluate_rows=4, row_tokens=3))
    assert held_out is not None
    measured = {row[0] for row in held_out["input_ids"].tolist()}
    trained = {row[0] for step in range(26) for row in data.batch(step % 12)["input_ids"].tolist()}
    assert len(measured) == 4
    assert not measured & trained
    assert packed(tokens, plan())[1] is None
    assert np.array_equal(packed(tokens, plan())[0].streams[0].numbers, everything(tokens))
