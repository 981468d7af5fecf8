from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from sluicegate.artifacts import Artifact, write_table
from sluicegate.config import build
from sluicegate.errors import ConfigError
from sluicegate.schema import Record, make_record
from sluicegate.stages.pretrain import Pretrain
from sluicegate.training import pretrain as training

SMALL = {"steps": 12, "batch_rows": 2, "row_tokens": 16, "vocab_size": 280, "layers": 1, "width": 16, "heads": 2}


def config(**changes: Any) -> Pretrain.Config:
    return build(Pretrain.Config, {**SMALL, **changes})


@pytest.fixture
def data(tmp_path: Path) -> Artifact:
    folder = tmp_path / "messages"
    folder.mkdir()
    plain = [make_record([{"role": "assistant", "content": f"{n} + 1 = {n + 1}."}], "text", "en") for n in range(30)]
    chat = [{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "4"}]
    write_table(folder / "messages.parquet", [*plain, make_record(chat, "chat", "en")], Record)
    return Artifact(folder, {"kind": "messages", "id": "messages-0", "inputs": {}})


def fill(out: Path, data: Artifact, **changes: Any) -> dict[str, Any]:
    out.mkdir(exist_ok=True)
    return Pretrain().fill(out, config(**changes), {"data": data})


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir()}


def test_the_folder_opens_with_the_auto_classes(tmp_path: Path, data: Artifact) -> None:
    stats = fill(tmp_path / "model", data)
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    assert model.num_parameters() == stats["parameters"]
    assert model.config.vocab_size == len(tokenizer)
    assert (model.config.pad_token_id, model.generation_config.eos_token_id) == (0, tokenizer.eos_token_id)
    assert (stats["rows"], stats["steps"], stats["tokens"]) == (31, 12, 12 * 2 * 16)
    prompt = tokenizer("2 + 1", return_tensors="pt")
    assert model.generate(**prompt, max_new_tokens=3).shape[1] > prompt["input_ids"].shape[1]


def test_training_json_tells_the_numbers_and_the_curve(tmp_path: Path, data: Artifact) -> None:
    stats = fill(tmp_path / "model", data)
    written = json.loads((tmp_path / "model/training.json").read_text())
    curve = written.pop("loss_curve")
    assert written == {"stage": "pretrain", **stats}
    assert len(curve) == 12
    assert curve[-1] < curve[0]
    assert stats["loss"] == pytest.approx(sum(curve) / 12, abs=1e-3)


def test_the_same_config_writes_the_same_bytes_and_another_seed_others(tmp_path: Path, data: Artifact) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        fill(tmp_path / name, data, seed=seed)
    a, b, c = (contents(tmp_path / name) for name in "abc")
    assert a == b
    assert a["model.safetensors"] != c["model.safetensors"]
    assert a["tokenizer.json"] == c["tokenizer.json"]


def test_a_killed_attempt_is_taken_up_and_leaves_no_checkpoint(
    tmp_path: Path, data: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "whole", data)
    step_of = training.train_step

    def dying(*args: Any) -> torch.Tensor:
        if args[-1] == 9:
            raise KeyboardInterrupt
        return step_of(*args)

    with monkeypatch.context() as patch:
        patch.setattr(training, "train_step", dying)
        with pytest.raises(KeyboardInterrupt):
            fill(tmp_path / "killed", data, checkpoint_every=4)
    assert list(contents(tmp_path / "killed")) == ["checkpoint.safetensors"]
    taken: list[int] = []
    monkeypatch.setattr(training, "train_step", lambda *args: taken.append(args[-1]) or step_of(*args))
    fill(tmp_path / "killed", data, checkpoint_every=4)
    assert taken == [8, 9, 10, 11]
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"width": 20, "heads": 3}, "width 20 is not an even number of channels for each of 3 heads"),
        ({"width": 6, "heads": 2}, "width 6 is not an even number"),
        ({"width": 24, "heads": 3, "kv_heads": 2}, "heads 3 cannot share kv_heads 2 evenly"),
        ({"row_tokens": 300}, "row_tokens 300 exceeds context 256"),
        ({"vocab_size": 100}, "pretrain.vocab_size"),
    ],
)
def test_a_shape_that_cannot_be_is_refused_before_anything_runs(changes: dict[str, int], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        build(Pretrain.Config, {**SMALL, **changes}, "pretrain")


def test_a_dry_run_knows_the_tokens() -> None:
    assert Pretrain().estimate(config(), {}) == {"steps": 12, "tokens": 12 * 2 * 16}
