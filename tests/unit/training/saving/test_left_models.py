"""What stays of a training beside its model, and which of its models is the result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer

from sluicegate.artifacts import Artifact, external, write_table
from sluicegate.config import build
from sluicegate.errors import ConfigError
from sluicegate.models.load import load
from sluicegate.schema import Record
from sluicegate.stages.orpo import Orpo
from sluicegate.stages.sft import Sft
from sluicegate.stages.trial import Trial
from sluicegate.testing import check_stage, sealed, tiny_model, tiny_pool
from sluicegate.training.watching.held_out_rows import HeldOutRows
from tiny_pairs import pairs_artifact, tiny_pairs

LOSSES = (3.0, 2.0, 1.0, 2.5, 2.5, 2.5)
"""Of held-out rows, after each step."""
QUICK = {"max_steps": 6, "total_batch": 4, "learning_rate": 1e-2, "watch": {"every": 1}, "log": {"track": []}}
IDS = torch.tensor([[5, 9, 40, 41, 42]])


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    store = tmp_path_factory.mktemp("base")
    return sealed(store, "model", lambda out: tiny_model(out) and None)


@pytest.fixture
def inputs(base: Artifact, monkeypatch: pytest.MonkeyPatch) -> dict[str, Artifact]:
    def data(name: str, rows: list[Record]) -> Artifact:
        fill = lambda out: {"rows": write_table(out / "messages.parquet", rows, Record)}  # noqa: E731
        return sealed(base.path.parent, "messages", fill, recipe={"config": name})

    measured: list[float] = []

    def measure(self: Any, trainer: Any) -> dict[str, float]:
        measured.append(LOSSES[trainer.state.global_step - 1])
        return {"loss": measured[-1]}

    monkeypatch.setattr(HeldOutRows, "measure", measure)
    return {"model": base, "data": data("data", tiny_pool(20)), "held_out": data("held_out", tiny_pool(30)[20:])}


def sft(inputs: dict[str, Artifact], **config: Any) -> Artifact:
    built = build(Sft.Config, {**QUICK, **config})
    recipe = {"config": built.model_dump(mode="json")}
    return sealed(inputs["model"].path.parent, "model", lambda out: Sft().fill(out, built, inputs), inputs, recipe)


def logits(folder: Path) -> torch.Tensor:
    with torch.no_grad():
        return load(folder, device="cpu").model(IDS).logits


@pytest.mark.parametrize("method", ["full", "lora"])
def test_the_best_and_the_last_ones_are_ordinary_folders(method: str, inputs: dict[str, Artifact]) -> None:
    made = sft(inputs, method=method, checkpoints={"every": 2, "leave": 2, "best": "loss"})
    told = json.loads((made.path / "checkpoints.json").read_text(encoding="utf-8"))
    assert told == [
        {"folder": "checkpoints/step-000004", "step": 4, "best": False, "loss": 2.5},
        {"folder": "checkpoints/step-000006", "step": 6, "best": False, "loss": 2.5},
        {"folder": "checkpoints/best", "step": 3, "best": True, "loss": 1.0},
    ]
    assert made.stats["best"] == {"step": 3, "loss": 1.0}
    folders = {entry["step"]: made.path / entry["folder"] for entry in told}
    assert sorted(path.name for path in (made.path / "checkpoints").iterdir()) == ["best", "step-000004", "step-000006"]
    assert torch.equal(logits(folders[6]), logits(made.path))
    assert not torch.equal(logits(folders[3]), logits(folders[4]))
    assert AutoTokenizer.from_pretrained(folders[3])("a b")["input_ids"]
    assert not list(made.path.rglob("*optimizer*"))
    assert not list(made.path.rglob("*.draft"))
    if method == "lora":
        named = json.loads((folders[3] / "adapter_config.json").read_text(encoding="utf-8"))["base_model_name_or_path"]
        assert named == f"../../../{inputs['model'].id}"


def test_the_best_is_taken(inputs: dict[str, Artifact]) -> None:
    made = sft(inputs, checkpoints={"every": 0, "best": "loss", "take": "best"})
    (best,) = (made.path / "checkpoints").iterdir()
    (file,) = best.glob("*.safetensors")
    taken, final = load_file(made.path / file.name), load_file(file)
    assert all(torch.equal(taken[name], final[name]) for name in final)
    other = sft(inputs, checkpoints={"best": "loss"})
    assert not torch.equal(logits(other.path), logits(made.path))
    assert torch.equal(logits(other.path / "checkpoints" / "best"), logits(made.path))


def test_nothing_is_left_where_nothing_is_asked_for(inputs: dict[str, Artifact]) -> None:
    made = sft(inputs, checkpoints={"every": 1})
    assert not list(made.path.glob("checkpoints*"))


def test_adapters_of_pairs_are_left_too(base: Artifact) -> None:
    data = pairs_artifact(base.path.parent, tiny_pairs(12))
    options = {**QUICK, "method": "lora", "checkpoints": {"every": 3, "leave": 1}}
    made = check_stage(Orpo, options, {"model": base, "data": data}, base.path.parent)
    assert torch.equal(logits(made.path / "checkpoints" / "step-000006"), logits(made.path))


def test_what_an_earlier_attempt_left_does_not_stay(inputs: dict[str, Artifact], tmp_path: Path) -> None:
    for name in ("model-00001-of-00002.safetensors", "checkpoints/step-000002/weights", "checkpoints.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("half", encoding="utf-8")
    Sft().fill(tmp_path, build(Sft.Config, QUICK), inputs)
    assert not list(tmp_path.glob("*00001*"))
    assert not list(tmp_path.glob("checkpoints*"))


def test_the_best_needs_rows_to_judge_by() -> None:
    config = build(Sft.Config, {"checkpoints": {"best": "loss"}})
    with pytest.raises(ConfigError, match=r"checkpoints\.best is judged by held-out rows, and there are none"):
        Sft().check(config, {"model", "data"})
    Sft().check(config, {"model", "data", "held_out"})
    with pytest.raises(ConfigError, match=r"checkpoints\.best: held-out rows are not measured by 'beauty'"):
        Sft().check(build(Sft.Config, {"checkpoints": {"best": "beauty"}}), {"held_out"})
    with pytest.raises(ConfigError, match="a trial measures no held-out rows"):
        Trial().check(build(Trial.Config, {"tune": {"checkpoints": {"best": "loss"}}}), {"held_out"})


def test_the_best_of_nothing_cannot_be_taken(inputs: dict[str, Artifact], tmp_path: Path) -> None:
    config = build(Sft.Config, {**QUICK, "checkpoints": {"best": "loss", "take": "best"}})
    without = {name: made for name, made in inputs.items() if name != "held_out"}
    with pytest.raises(ConfigError, match="no step was measured"):
        Sft().fill(tmp_path, config, without)
    assert external(tmp_path, "model-external-0")
