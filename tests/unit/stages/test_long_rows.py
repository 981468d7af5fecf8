"""A model with few learned positions goes through every stage that reads it, with rows longer than they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sluicegate.artifacts import Artifact, external, read_rows, write_table
from sluicegate.config import build
from sluicegate.models.load import load_tokenizer
from sluicegate.schema import Record, make_record
from sluicegate.stages.base import Stage
from sluicegate.stages.evaluate import Evaluate
from sluicegate.stages.score import Score
from sluicegate.stages.sft import Sft
from sluicegate.stages.warmup import Warmup
from sluicegate.testing import sealed, tiny_model

POSITIONS = 64


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """A GPT-2 of two layers that reads 64 tokens."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    folder = tmp_path_factory.mktemp("gpt2")
    tokenizer = load_tokenizer(tiny_model(folder / "other"))
    ends = {"bos_token_id": tokenizer.eos_token_id, "eos_token_id": tokenizer.eos_token_id}
    torch.manual_seed(0)
    model = GPT2LMHeadModel(
        GPT2Config(vocab_size=len(tokenizer), n_positions=POSITIONS, n_embd=16, n_layer=2, n_head=2, **ends)
    )
    model.save_pretrained(folder / "gpt2")
    tokenizer.save_pretrained(folder / "gpt2")
    return external(folder / "gpt2", "model-external-gpt2")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """Replies that pass the last position."""
    records = [_row("Say it.", f"The answer is {n}, and {n} it stays. " * 4, str(n)) for n in range(24)]
    return _messages(tmp_path_factory.mktemp("rows"), records)


def _row(asked: str, said: str, answer: str) -> Record:
    turns: Any = [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]
    return make_record(turns, "long", "en", answer)


def _messages(root: Path, records: list[Record]) -> Artifact:
    return sealed(root, "messages", lambda out: {"rows": write_table(out / "messages.parquet", records, Record)})


def made(stage: type[Stage], out: Path, inputs: dict[str, Artifact], **config: Any) -> Artifact:
    return sealed(out, stage.makes, lambda to: stage().fill(to, build(stage.Config, config), inputs), inputs)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_gate_is_warmed_up_and_scores(
    method: str, gpt2: Artifact, rows: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluicegate.training.gates.reference.CLEAR_FALL", -1.0)  # keep the copy
    copy = {"method": method, "steps": 2, "check_every": 2, "batch_size": 4}
    gate = made(Warmup, tmp_path, {"model": gpt2, "trusted": rows}, epochs=1, copies=2, reference=copy)
    scores = made(
        Score, tmp_path / "scores", {"data": rows, "model": gpt2, "gate": gate}, signals=["gate", "perplexity"]
    )
    assert scores.stats["truncated"] == 24
    assert all(row["gate"] is not None and row["perplexity"] is not None for row in scores.rows("scores"))


@pytest.mark.parametrize("method", ["full", "lora"])
def test_it_is_fine_tuned(method: str, gpt2: Artifact, rows: Artifact, tmp_path: Path) -> None:
    tuned = made(Sft, tmp_path, {"model": gpt2, "data": rows}, method=method, max_steps=1, total_batch=4)
    assert tuned.stats["truncated"] == 24


def test_it_is_evaluated(gpt2: Artifact, rows: Artifact, tmp_path: Path) -> None:
    short, long = _row("Say it.", "The answer is 1.", "1"), _row("Say it again. " * 9, "The answer is 1.", "1")
    data = _messages(tmp_path, [*rows.rows("messages"), short, long])  # type: ignore[list-item]
    found = made(Evaluate, tmp_path / "made", {"model": gpt2, "data": data}, max_new_tokens=100)
    assert json.loads((found.path / "metrics.json").read_text(encoding="utf-8"))["loss"] > 0
    found_by_id = {row["id"]: row for row in read_rows(found.path / "predictions.parquet")}
    assert (found_by_id[long["id"]]["output"], found_by_id[long["id"]]["error"]) == ("", "truncated")
    assert found_by_id[short["id"]]["output"]
