"""A training that is watched: what it writes, and that it is the same training."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from sluicegate import runtime
from sluicegate.artifacts import Artifact, external, file_hash, write_table
from sluicegate.config import build
from sluicegate.schema import Record
from sluicegate.stages.dpo import Dpo
from sluicegate.stages.orpo import Orpo
from sluicegate.stages.sft import Sft
from sluicegate.testing import sealed, tiny_model, tiny_pool
from sluicegate.training.watching import journal
from tiny_pairs import pairs_artifact, tiny_pairs
from tunings import Stopped, stopped_after

QUICK: dict[str, Any] = {"max_steps": 6, "total_batch": 4, "learning_rate": 1e-2, "workers": 1}
WATCH = {"every": 2, "max_new_tokens": 3, "prompts": 2}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return external(tiny_model(tmp_path_factory.mktemp("base")).resolve(), "model-external-0")


def messages(root: Path, records: list[Record]) -> Artifact:
    return sealed(root, "messages", lambda out: {"rows": write_table(out / "messages.parquet", records, Record)})


def inputs_of(stage: Any, base: Artifact, root: Path) -> dict[str, Artifact]:
    if stage is Sft:
        rows = tiny_pool(24)
        return {"model": base, "data": messages(root, rows[:16]), "held_out": messages(root / "held", rows[16:])}
    pairs = tiny_pairs(16)
    held_out = pairs_artifact(root / "held", pairs[10:])
    return {"model": base, "data": pairs_artifact(root, pairs[:10]), "held_out": held_out}


def train(stage: Any, out: Path, inputs: dict[str, Artifact], **config: Any) -> dict[str, Any]:
    """In a folder that an attempt may have left."""
    out.mkdir(parents=True, exist_ok=True)
    return stage().fill(out, build(stage.Config, {**QUICK, "watch": WATCH, **config}), inputs)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def record(out: Path) -> dict[str, Any]:
    return json.loads((out / "training.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("stage", [Sft, Dpo, Orpo])
@pytest.mark.parametrize("method", ["full", "lora"])
def test_to_be_watched_changes_nothing(stage: Any, method: str, base: Artifact, tmp_path: Path) -> None:
    """Dropout and all: to the last bit."""
    inputs, config = inputs_of(stage, base, tmp_path), {"method": method, "lora": {"dropout": 0.2}}
    train(stage, tmp_path / "seen", inputs, **config)
    del inputs["held_out"]
    train(stage, tmp_path / "alone", inputs, **config)
    weights = [next((tmp_path / name).glob("*model.safetensors")) for name in ("seen", "alone")]
    assert file_hash(weights[0]) == file_hash(weights[1])
    assert record(tmp_path / "seen")["curve"] == record(tmp_path / "alone")["curve"]


@pytest.mark.parametrize(
    ("stage", "metrics"),
    [(Sft, {"loss"}), (Dpo, {"loss", "accuracy", "margin"}), (Orpo, {"loss", "accuracy", "margin"})],
)
def test_held_out_rows_are_measured_and_answered(stage: Any, metrics: set[str], base: Artifact, tmp_path: Path) -> None:
    stats = train(stage, tmp_path / "out", inputs_of(stage, base, tmp_path), watch={**WATCH, "every": 4})
    told = record(tmp_path / "out")
    assert [point["step"] for point in told["evaluations"]] == [4, 6], "and at the end"
    assert all(set(point) == {"step", *metrics} for point in told["evaluations"])
    assert told["evaluations"][1]["loss"] < told["evaluations"][0]["loss"]
    assert {name: stats[f"held_out_{name}"] for name in metrics} == {
        name: told["evaluations"][1][name] for name in metrics
    }
    answers = lines(tmp_path / "out" / "answers.jsonl")
    assert [line["step"] for line in answers] == [4, 4, 6, 6]
    assert len({line["id"] for line in answers}) == 2
    assert all({"prompt", "expected", "answer"} <= set(line) for line in answers)


@pytest.mark.parametrize("stage", [Dpo, Orpo])
def test_pairs_are_measured_alike_whatever_the_batches(stage: Any, base: Artifact, tmp_path: Path) -> None:
    inputs = inputs_of(stage, base, tmp_path)
    for size in (1, 4):
        train(
            stage, tmp_path / f"{size}", inputs, device_batch_size=size, max_steps=1, watch={"every": 1, "prompts": 0}
        )
    one, four = (record(tmp_path / size)["evaluations"][0] for size in ("1", "4"))
    assert one == pytest.approx(four, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("stage", [Dpo, Orpo])
def test_the_pairs_that_are_trained_on_are_measured_as_the_trainer_does(
    stage: Any, base: Artifact, tmp_path: Path
) -> None:
    """Before the first step, as its rate is 0."""
    inputs = inputs_of(stage, base, tmp_path)
    inputs["held_out"] = inputs["data"]
    config = {"learning_rate": 1e-12, "total_batch": 10, "epochs": 1, "max_steps": None, "watch": {"every": 1}}
    train(stage, tmp_path / "out", inputs, **config)
    told = record(tmp_path / "out")
    [point], [found] = told["curve"], told["evaluations"]
    assert found["loss"] == pytest.approx(point["loss"], rel=1e-5)
    assert found["margin"] == pytest.approx(point["rewards/margins"], abs=1e-5)


# Files --------------------------------------------------------------------------------------------------------------


def test_every_line_that_was_asked_for_is_in_the_file(base: Artifact, tmp_path: Path) -> None:
    train(Sft, tmp_path / "out", inputs_of(Sft, base, tmp_path), log={"every": 4})
    written = lines(tmp_path / "out" / "metrics.jsonl")
    assert [(line["split"], line["step"]) for line in written] == [
        ("held_out", 2), ("train", 4), ("held_out", 4), ("held_out", 6), ("train", 6),
    ]  # fmt: skip
    [first, last] = [line for line in written if line["split"] == "train"]
    curve = {point["step"]: point["loss"] for point in record(tmp_path / "out")["curve"]}
    assert first["loss"] == pytest.approx(sum(curve[step] for step in (1, 2, 3, 4)) / 4)
    assert (first["samples"], last["samples"]) == (16, 24)
    assert {"grad_norm", "learning_rate", "tokens_per_second", "label_tokens_per_second", "peak_memory_gib"} <= set(
        first
    )
    assert list((tmp_path / "out" / "tensorboard").glob("events.*"))


def test_how_often_it_is_told_changes_no_result(base: Artifact, tmp_path: Path) -> None:
    inputs = inputs_of(Sft, base, tmp_path)
    told = [train(Sft, tmp_path / f"{every}", inputs, log={"every": every}) for every in (1, 5)]
    assert told[0] == told[1]


def test_the_record_has_what_it_takes_to_repeat_it(base: Artifact, tmp_path: Path) -> None:
    found = []
    for stage in (Sft, Dpo, Orpo):
        inputs = inputs_of(stage, base, tmp_path)
        train(stage, tmp_path / stage.name, inputs, device_batch_size=2)
        told = record(tmp_path / stage.name)
        assert (told["stage"], told["method"], told["base"], told["seed"]) == (stage.name, "full", base.id, 0)
        assert told["inputs"]["data"] == {"id": inputs["data"].id, "rows": inputs["data"].stats["rows"]}
        assert told["settings"]["learning_rate"] == 1e-2
        assert build(stage.Config, told["settings"])
        assert told["batch"] == {"total": 4, "processes": 1, "per_device": 2, "passes": 2}
        assert {"torch", "transformers", "trl", "python", "sluicegate"} <= set(told["versions"])
        assert (told["dtype"], told["dtype_reason"]) == ("float32", "full fine-tuning keeps float32 weights")
        assert (told["steps"], told["samples"]) == (6, 24)
        assert told["tokens_per_second"] > told["label_tokens_per_second"] > 0
        assert told["seconds"] > 0
        assert told["peak_memory_gib"] > 0
        found.append(set(told) - {"pool_rows", "trusted_rows", "mix"})
    extra = {"reward_margin", "reward_accuracy", "held_out_accuracy", "held_out_margin"}
    assert found[0] | extra == found[1] == found[2]


# Console ------------------------------------------------------------------------------------------------------------


def test_a_console_is_not_filled_with_lines(
    base: Artifact, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[str] = []
    monkeypatch.setattr(runtime, "note", noted.append)
    inputs = inputs_of(Sft, base, tmp_path)
    train(Sft, tmp_path / "quiet", inputs)
    assert "tokens/s" not in capsys.readouterr().err
    assert len(noted) == 6
    assert re.search(r"step 6 of 6: loss .* rate .*24 samples, .* tokens/s, .* label tokens/s, .* GiB", noted[-1])
    monkeypatch.setattr(journal, "APART", 0.0)
    train(Sft, tmp_path / "loud", inputs)
    assert capsys.readouterr().err.count("label tokens/s") == 6


# Early stopping -----------------------------------------------------------------------------------------------------


def test_it_ends_when_it_is_enough(base: Artifact, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inputs = inputs_of(Sft, base, tmp_path)
    enough = {"patience": 2, "min_delta": 100}
    stats = train(Sft, tmp_path / "out", inputs, max_steps=20, early_stopping=enough, log={"every": 5})
    assert stats["steps"] == 6
    assert "early stopping at step 6" in capsys.readouterr().err
    told = [line["step"] for line in lines(tmp_path / "out" / "metrics.jsonl") if line["split"] == "train"]
    assert told == [5, 6]


# Going on -----------------------------------------------------------------------------------------------------------


def test_a_training_that_goes_on_tells_nothing_twice(base: Artifact, tmp_path: Path) -> None:
    inputs, config = inputs_of(Sft, base, tmp_path), {"checkpoints": {"every": 1}, "log": {"every": 2}}
    train(Sft, tmp_path / "whole", inputs, **config)
    for step in (1, 3, 5):
        with stopped_after(step), pytest.raises(Stopped):
            train(Sft, tmp_path / "out", inputs, **config)
    train(Sft, tmp_path / "out", inputs, **config)
    both = [tmp_path / name for name in ("whole", "out")]
    answers = [(folder / "answers.jsonl").read_bytes() for folder in both]
    assert answers[0] == answers[1]
    told = [[(n["split"], n["step"], n["loss"]) for n in lines(folder / "metrics.jsonl")] for folder in both]
    assert told[0] == told[1]
    events = EventAccumulator(str(tmp_path / "out" / "tensorboard"))
    events.Reload()
    assert [event.step for event in events.Scalars("train/loss")] == [2, 4, 6]
    assert [event.step for event in events.Scalars("held_out/loss")] == [2, 4, 6]


def test_it_has_waited_as_long_when_it_goes_on(base: Artifact, tmp_path: Path) -> None:
    inputs, stop = inputs_of(Sft, base, tmp_path), {"patience": 2, "min_delta": 100}
    config = {"max_steps": 12, "early_stopping": stop, "checkpoints": {"every": 1}}
    with stopped_after(5), pytest.raises(Stopped):
        train(Sft, tmp_path / "out", inputs, **config)
    assert train(Sft, tmp_path / "out", inputs, **config)["steps"] == 6
