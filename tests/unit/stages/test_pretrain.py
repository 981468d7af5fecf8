from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from sluicegate.artifacts import Artifact, file_hash, write_table
from sluicegate.config import build
from sluicegate.errors import ConfigError, DataError, MissingError
from sluicegate.schema import Record, make_record
from sluicegate.stages.pretrain import Pretrain
from sluicegate.training.scratch import pretrain as training

SHAPE = {"layers": 1, "width": 16, "heads": 2}
SMALL = {"steps": 12, "batch_rows": 2, "row_tokens": 16, "vocab_size": 280, "model": SHAPE}


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
    step_of = training.Run.step
    taken: list[int] = []

    def watched(run: training.Run, batch: Any, step: int) -> None:
        if step == 9 and len(taken) == 9:
            raise KeyboardInterrupt
        taken.append(step)
        step_of(run, batch, step)

    monkeypatch.setattr(training.Run, "step", watched)
    with pytest.raises(KeyboardInterrupt):
        fill(tmp_path / "killed", data, checkpoint_every=4)
    assert list(contents(tmp_path / "killed")) == ["checkpoint.safetensors"]
    fill(tmp_path / "killed", data, checkpoint_every=4)
    assert taken == [*range(9), 8, 9, 10, 11]
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"model": {"width": 20, "heads": 3}}, "pretrain.model: width 20 is not an even number of channels"),
        ({"model": "gpt_125n"}, "no preset 'gpt_125n', did you mean 'gpt_125m'"),
        ({"vocab_size": 100}, "pretrain.vocab_size"),
    ],
)
def test_a_shape_that_cannot_be_is_refused_before_anything_runs(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        build(Pretrain.Config, {**SMALL, **changes}, "pretrain")


def test_a_dry_run_knows_the_tokens() -> None:
    assert Pretrain().estimate(config(), {}) == {"steps": 12, "tokens": 12 * 2 * 16}


def test_a_large_preset_brings_its_usual_settings_and_what_is_told_wins() -> None:
    large = build(Pretrain.Config, {"model": "gpt_125m", "steps": 7})
    assert (large.steps, large.row_tokens, large.optimizer, large.schedule) == (7, 1024, "adamw", "cosine")
    assert large.mask_documents
    changed = build(Pretrain.Config, {"model": {"preset": "gpt_1b", "layers": 2}, "mask_documents": False})
    assert (changed.model.layers, changed.row_tokens, changed.mask_documents) == (2, 2048, False)
    tiny = build(Pretrain.Config, {})
    assert (tiny.optimizer, tiny.schedule, tiny.mask_documents, tiny.held_out) == ("muon", "trapezoid", False, 0.0)


def test_what_is_held_out_and_masked_is_told(tmp_path: Path, data: Artifact) -> None:
    stats = fill(tmp_path / "model", data, held_out=0.3, evaluate_every=5, evaluate_rows=2, mask_documents=True)
    written = json.loads((tmp_path / "model/training.json").read_text())
    assert list(written["held_out_curve"]) == ["5", "10", "12"]
    assert written["held_out_curve"]["12"] == stats["held_out_loss"] < written["held_out_curve"]["5"]


def test_a_source_with_a_weight_is_all_that_is_read(tmp_path: Path, data: Artifact) -> None:
    with pytest.raises(DataError, match="no document is of source 'texts'"):
        fill(tmp_path / "a", data, weights={"texts": 1})
    fill(tmp_path / "b", data, weights={"text": 3, "chat": 1}, row_tokens=4)
    fill(tmp_path / "c", data, weights={"text": 1}, row_tokens=4)
    assert contents(tmp_path / "b")["model.safetensors"] != contents(tmp_path / "c")["model.safetensors"]


def test_a_tokenizer_from_elsewhere_is_taken_as_it_is(tmp_path: Path, data: Artifact, tiny_qwen2: Path) -> None:
    fill(tmp_path / "model", data, tokenizer=str(tiny_qwen2))
    theirs, ours = (AutoTokenizer.from_pretrained(path) for path in (tiny_qwen2, tmp_path / "model"))
    assert ours.get_vocab() == theirs.get_vocab()
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "model").config.vocab_size == len(theirs)
    told = config(tokenizer=str(tiny_qwen2))
    assert Pretrain().pins(told) == {"tokenizer": file_hash(tiny_qwen2 / "tokenizer.json")}
    with pytest.raises(MissingError, match=r"no tokenizer.json in \./nowhere"):
        Pretrain().pins(config(tokenizer="./nowhere"))


def test_a_model_is_trained_on_with_its_own_tokenizer(tmp_path: Path, data: Artifact) -> None:
    first = fill(tmp_path / "first", data, steps=30)
    init = Artifact(tmp_path / "first", {"kind": "model", "id": "model-0", "inputs": {}})
    (tmp_path / "second").mkdir()
    short = build(Pretrain.Config, {k: v for k, v in SMALL.items() if k not in ("model", "vocab_size")})
    second = Pretrain().fill(tmp_path / "second", short, {"data": data, "init": init})
    written = json.loads((tmp_path / "second/training.json").read_text())
    assert written["loss_curve"][0] < json.loads((tmp_path / "first/training.json").read_text())["loss_curve"][0] - 0.3
    assert second["parameters"] == first["parameters"]
    with pytest.raises(ConfigError, match="row_tokens 300 exceeds what model-0 reads, 256"):
        Pretrain().fill(tmp_path / "third", build(Pretrain.Config, {"row_tokens": 300}), {"data": data, "init": init})
    assert contents(tmp_path / "first")["tokenizer.json"] == contents(tmp_path / "second")["tokenizer.json"]


def test_a_model_that_is_trained_on_has_its_shape() -> None:
    with pytest.raises(ConfigError, match="`model` is of a model from scratch"):
        Pretrain().check(config(), ["data", "init"])
    with pytest.raises(ConfigError, match=r"row_tokens 300 exceeds model\.context 256"):
        Pretrain().check(build(Pretrain.Config, {"row_tokens": 300}), ["data"])
    Pretrain().check(build(Pretrain.Config, {"row_tokens": 300}), ["data", "init"])
    Pretrain().check(build(Pretrain.Config, {"steps": 3}), ["data", "init"])
