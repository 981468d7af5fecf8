from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from sluicegate.artifacts import Artifact, write_table
from sluicegate.errors import DataError
from sluicegate.evaluation.loss import mean_loss, reply_losses
from sluicegate.models.load import Loaded, load
from sluicegate.models.token_cache import TokenCache
from sluicegate.schema import Record
from sluicegate.testing import sealed, tiny_model, tiny_pool
from sluicegate.training.watching import evaluating
from sluicegate.training.watching.evaluating import own_batches
from sluicegate.training.watching.held_out_rows import HeldOutRows, warn_of_trained
from sluicegate.training.watching.questions import Question
from sluicegate.training.watching.watch_config import WatchConfig
from token_processes import one_by_one


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return load(tiny_model(tmp_path_factory.mktemp("base")), device="cpu")


def data_of(root: Path, records: list[Record]) -> Artifact:
    return sealed(root, "messages", lambda out: {"rows": write_table(out / "messages.parquet", records, Record)})


def held_out(root: Path, loaded: Loaded, records: list[Record], trained: tuple[str, ...] = (), **watch: Any) -> Any:
    config = WatchConfig(**{"max_new_tokens": 3, **watch})
    cache = TokenCache(root / ".tokens", one_by_one)
    return HeldOutRows.of(data_of(root, records), loaded.encoder(2048), cache, config, trained)


def trainer_of(loaded: Loaded, batch_size: int) -> Any:
    args = SimpleNamespace(train_batch_size=batch_size)
    return SimpleNamespace(args=args, model=loaded.model, _prepare_inputs=lambda batch: batch)


@torch.no_grad()
@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_the_loss_is_that_of_an_evaluation_whatever_the_batches(
    batch_size: int, loaded: Loaded, tmp_path: Path
) -> None:
    """Replies differ in length, so a mean over rows or batches would be another."""
    records = [_longer(row, n) for n, row in enumerate(tiny_pool(11))]
    losses = reply_losses(loaded, loaded.encoder(2048), records)
    found = held_out(tmp_path, loaded, records).measure(trainer_of(loaded, batch_size))
    assert set(found) == {"loss"}
    assert found["loss"] == pytest.approx(mean_loss(losses), rel=1e-6)
    assert found["loss"] != pytest.approx(np.mean([row.loss for row in losses]), rel=1e-4)


@torch.no_grad()
def test_processes_share_the_rows_and_count_each_once(
    loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = held_out(tmp_path, loaded, tiny_pool(11))
    alone, parts = rows.measure(trainer_of(loaded, 2)), []
    monkeypatch.setattr(
        "sluicegate.training.watching.held_out_rows.over_processes", lambda sums: parts.append(sums) or sums
    )
    for rank in range(3):
        monkeypatch.setattr(evaluating.runtime, "rank", lambda rank=rank: rank)
        monkeypatch.setattr(evaluating.runtime, "world_size", lambda: 3)
        rows.measure(trainer_of(loaded, 2))
    loss, tokens = np.sum(parts, axis=0)
    assert loss / tokens == pytest.approx(alone["loss"], rel=1e-6)


def test_every_process_has_equally_many_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluating.runtime, "world_size", lambda: 3)
    turns = []
    for rank in range(3):
        monkeypatch.setattr(evaluating.runtime, "rank", lambda rank=rank: rank)
        turns.append(list(own_batches([5, 3, 9, 1, 7, 2, 8], 2)))
    assert [len(own) for own in turns] == [2, 2, 2]
    counted = [place for own in turns for places, counts in own for place in places if counts]
    assert sorted(counted) == list(range(7))


def test_only_the_first_rows_are_read(loaded: Loaded, tmp_path: Path) -> None:
    found = held_out(tmp_path, loaded, tiny_pool(9), rows=4, prompts=2)
    assert len(found.rows) == 4
    assert [line["id"] for line in found.answer(loaded.model)] == [row["id"] for row in tiny_pool(2)]


def test_rows_that_are_trained_on_too_are_counted(
    loaded: Loaded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = tiny_pool(6)
    held_out(tmp_path, loaded, records, (records[1]["id"], records[4]["id"] + ".2", "other"))
    assert "2 of 6 held-out rows are trained on too" in capsys.readouterr().err
    warn_of_trained(["a", "b"], ["c"])
    assert capsys.readouterr().err == ""


def test_no_rows_is_an_error(loaded: Loaded, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no held-out rows"):
        held_out(tmp_path, loaded, [])


# Prompts ------------------------------------------------------------------------------------------------------------


def test_an_answer_is_told_with_what_it_should_be(loaded: Loaded, tmp_path: Path) -> None:
    records = tiny_pool(3)
    lines = held_out(tmp_path, loaded, records).answer(loaded.model)
    for line, record in zip(lines, records, strict=True):
        assert (line["prompt"], line["expected"]) == tuple(turn["content"] for turn in record["messages"])
        assert isinstance(line["answer"], str)
    assert held_out(tmp_path / "none", loaded, records, prompts=0).answer(loaded.model) == []


def test_the_last_reply_is_asked_for_and_a_document_asks_nothing() -> None:
    turns = [("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")]
    asked = Question.of(_record(turns))
    assert asked is not None
    assert ([turn["content"] for turn in asked.prompt], asked.expected) == (["a", "b", "c"], "d")
    assert Question.of(_record([("assistant", "all of it")])) is None


def _record(turns: list[tuple[str, str]]) -> Any:
    return {"id": "x", "messages": [{"role": role, "content": text} for role, text in turns]}


def _longer(row: Record, n: int) -> Record:
    def said() -> Iterator[Any]:
        for turn in row["messages"]:
            yield {**turn, "content": turn["content"] * (1 + n if turn["role"] == "assistant" else 1)}

    return {**row, "messages": list(said())}
