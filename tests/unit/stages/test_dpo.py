from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sluicegate.artifacts import Artifact, external, file_hash
from sluicegate.config import build
from sluicegate.errors import ConfigError, DataError, SluiceError
from sluicegate.models.load import load
from sluicegate.planning import plan
from sluicegate.stages.dpo import Dpo
from sluicegate.testing import check_stage, tiny_model
from sluicegate.training.preference.reference import Reference
from tiny_pairs import assistant, pairs_artifact, tiny_pair, tiny_pairs

QUICK = {"max_steps": 2, "total_batch": 4, "learning_rate": 1e-3, "workers": 1}
IDS = torch.tensor([[5, 9, 40, 41, 42]])


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return external(tiny_model(tmp_path_factory.mktemp("base")).resolve(), "model-external-0")


def dpo(out: Path, inputs: dict[str, Artifact], **config: Any) -> dict[str, Any]:
    out.mkdir(parents=True)
    return Dpo().fill(out, build(Dpo.Config, {**QUICK, **config}), inputs)


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(IDS).logits


@pytest.mark.parametrize("method", ["full", "lora"])
def test_the_contract(method: str, base: Artifact, tmp_path: Path) -> None:
    inputs = {"model": base, "data": pairs_artifact(tmp_path, tiny_pairs(10))}
    made = check_stage(Dpo, {**QUICK, "method": method}, inputs, tmp_path / "made")
    told = json.loads((made.path / "training.json").read_text(encoding="utf-8"))
    assert (told["stage"], told["method"], told["settings"]["beta"]) == ("dpo", method, 0.1)
    assert told["label_tokens"] == made.stats["label_tokens"] > 0
    assert [point["step"] for point in told["curve"]] == [1, 2]
    assert {"loss", "rewards/margins", "rewards/accuracies"} <= set(told["curve"][0])


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_model_comes_to_prefer_the_chosen_sides(method: str, base: Artifact, tmp_path: Path) -> None:
    inputs = {"model": base, "data": pairs_artifact(tmp_path, tiny_pairs(24))}
    stats = dpo(tmp_path / "out", inputs, method=method, max_steps=40, total_batch=8, learning_rate=1e-2)
    curve = json.loads((tmp_path / "out" / "training.json").read_text(encoding="utf-8"))["curve"]
    assert stats["reward_accuracy"] > 0.9
    assert stats["reward_margin"] > curve[0]["rewards/margins"] + 0.5
    assert stats["loss"] < 0.7 * curve[0]["loss"]


def test_a_full_model_opens_with_plain_transformers(base: Artifact, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    before = {path.name: file_hash(path) for path in base.path.iterdir()}
    dpo(tmp_path / "out", {"model": base, "data": pairs_artifact(tmp_path, tiny_pairs(6))}, method="full")
    tuned = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert not torch.equal(logits(tuned), logits(AutoModelForCausalLM.from_pretrained(base.path)))
    assert AutoTokenizer.from_pretrained(tmp_path / "out")("a b")["input_ids"]
    assert {path.name: file_hash(path) for path in base.path.iterdir()} == before
    configs = [json.loads((p / "config.json").read_text(encoding="utf-8")) for p in (base.path, tmp_path / "out")]
    assert configs[0] == configs[1], "trainers leave nothing in it"


def test_an_adapter_opens_with_plain_peft(base: Artifact, tmp_path: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    inputs = {"model": base, "data": pairs_artifact(tmp_path, tiny_pairs(6))}
    dpo(tmp_path / "out", inputs, method="lora", learning_rate=0.1)
    plain = AutoModelForCausalLM.from_pretrained(base.path)
    untuned = logits(plain)
    assert not torch.equal(logits(PeftModel.from_pretrained(plain, str(tmp_path / "out"))), untuned)
    assert not (tmp_path / "out" / "ref").exists(), "trl's copy of the adapter is not saved"


@pytest.mark.parametrize("method", ["auto", "full"])
def test_an_adapter_is_trained_on_or_merged(method: str, base: Artifact, tmp_path: Path) -> None:
    data = pairs_artifact(tmp_path, tiny_pairs(6))
    dpo(tmp_path / "one", {"model": base, "data": data}, method="lora", learning_rate=0.1, lora={"rank": 3})
    adapter = external((tmp_path / "one").resolve(), "model-external-1")
    dpo(tmp_path / "two", {"model": adapter, "data": data}, method=method)
    assert (tmp_path / "two" / "adapter_config.json").is_file() == (method == "auto")
    if method == "auto":
        settings = json.loads((tmp_path / "two" / "adapter_config.json").read_text(encoding="utf-8"))
        assert (settings["r"], Path(settings["base_model_name_or_path"])) == (3, base.path)
    one, two = (logits(load(tmp_path / name, device="cpu").model) for name in ("one", "two"))
    assert 0 < (one - two).abs().max() < (one - logits(load(base.path, device="cpu").model)).abs().max()


# The reference ------------------------------------------------------------------------------------------------------


def test_a_run_that_is_killed_does_not_ask_the_reference_twice(
    base: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does a run with another seed or beta; one from another model does."""
    import trl

    inputs = {"model": base, "data": pairs_artifact(tmp_path, tiny_pairs(9))}
    store, pass_over = tmp_path / "store", {"total_batch": 3, "max_steps": 3}
    computed: list[int] = []
    fill = Reference.fill
    monkeypatch.setattr(Reference, "fill", lambda *given: computed.append(fill(*given)))
    with monkeypatch.context() as patched:
        patched.setattr(trl.DPOTrainer, "train", _killed)
        with pytest.raises(KeyboardInterrupt):
            dpo(store / "killed", inputs, **pass_over)
    dpo(store / "resumed", inputs, **pass_over)
    dpo(tmp_path / "elsewhere" / "whole", inputs, **pass_over)
    dpo(store / "other", inputs, **pass_over, seed=1, beta=0.5)
    dpo(store / "free", inputs, **pass_over, reference_free=True)
    moved = external((store / "resumed").resolve(), "model-external-2")
    dpo(store / "moved", {**inputs, "model": moved}, **pass_over)
    assert computed == [9, 0, 9, 0, 9], "the third is in another store"
    weights = [
        file_hash(folder / "model.safetensors") for folder in (store / "resumed", tmp_path / "elsewhere" / "whole")
    ]
    assert weights[0] == weights[1]
    files = [np.load(path) for path in sorted((store / ".reference").iterdir())]
    assert len(files) == 2
    assert not np.array_equal(*files)


def _killed(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


# What the pairs are -------------------------------------------------------------------------------------------------


def test_a_language_gets_its_share(base: Artifact, tmp_path: Path) -> None:
    data = pairs_artifact(tmp_path, [tiny_pair(n) for n in (0, 1, 3, 5, 7, 9, 11, 13)])
    stats = dpo(tmp_path / "out", {"model": base, "data": data}, sampler={"share": {"zh": 0.7}}, max_steps=5)
    assert stats["mix"]["by"]["lang"]["zh"] == 14, "of 20 pairs, though it has one of eight"


def test_what_is_cut_off_is_counted_and_told(
    base: Artifact, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long = tiny_pair(9, rejected=[assistant("Well, " * 30)])
    data = pairs_artifact(tmp_path, [*tiny_pairs(5), long])
    stats = dpo(tmp_path / "out", {"model": base, "data": data}, max_length=120)
    assert (stats["rows"], stats["truncated"]) == (6, 1)
    assert "1 row is longer than max_length=120" in capsys.readouterr().err


def test_a_raw_file_is_prepared_as_pairs(base: Artifact, tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text(json.dumps({k: tiny_pair(1)[k] for k in ("prompt", "chosen", "rejected")}), encoding="utf-8")
    made = plan({"steps": {"dpo": {"model": str(base.path), "data": str(file)}}}, tmp_path / "run")
    (prepared,) = [step for step in made.steps.values() if step.stage.name == "prepare"]
    assert made.steps["dpo"].inputs["data"] == prepared.artifact_id
    assert prepared.artifact_id.startswith("pairs-")


def test_messages_are_no_pairs(base: Artifact, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("{}", encoding="utf-8")
    steps = {"rows": {"stage": "prepare", "sources": [str(file)]}, "dpo": {"model": str(base.path), "data": "rows"}}
    with pytest.raises(ConfigError, match=r"steps\.dpo\.data: 'rows' is a messages, not a pairs"):
        plan({"steps": steps}, tmp_path / "run")


@pytest.mark.parametrize(
    ("pairs", "told"),
    [
        ([], "no pairs to train on"),
        ([tiny_pair(1), tiny_pair(2, prompt=[])], "pair \\w+ has no prompt"),
        ([tiny_pair(1, rejected=tiny_pair(1)["chosen"])], "1 pair has equal sides, so nothing is preferred"),
    ],
)
def test_bad_pairs_are_one_sentence_and_a_hint(base: Artifact, tmp_path: Path, pairs: Any, told: str) -> None:
    with pytest.raises(DataError, match=told) as err:
        dpo(tmp_path / "out", {"model": base, "data": pairs_artifact(tmp_path, pairs)})
    assert err.value.hint
    assert "\n" not in err.value.message


# Around it ----------------------------------------------------------------------------------------------------------


def test_a_run_that_diverges_stops_with_an_error(base: Artifact, tmp_path: Path) -> None:
    inputs = {"model": base, "data": pairs_artifact(tmp_path, tiny_pairs(6))}
    with pytest.raises(SluiceError, match="diverged: the loss is nan") as err:
        dpo(tmp_path / "out", inputs, max_steps=6, learning_rate=1e30)
    assert "learning_rate" in err.value.hint


def test_several_gpus_need_several_processes(base: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = {"model": base, "data": pairs_artifact(tmp_path, tiny_pairs(6))}
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    with pytest.raises(ConfigError, match="one process cannot train on 4 GPUs"):
        dpo(tmp_path / "out", inputs)


def test_nothing_is_shown_but_what_is_ours(base: Artifact, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from datasets import enable_progress_bars

    enable_progress_bars()
    dpo(tmp_path / "out", {"model": base, "data": pairs_artifact(tmp_path, tiny_pairs(6))})
    said = capfd.readouterr()
    assert not re.search(r"it/s|examples/s|trl|TRL", said.err + said.out)
    assert not said.out


def test_a_dry_run_knows_what_it_trains_on_and_how_long() -> None:
    data = {"rows": 100, "tokens": 9000}
    assert Dpo().estimate(build(Dpo.Config, {}), {"data": data}) == {**data, "steps": 7}
    assert Dpo().estimate(build(Dpo.Config, {"max_steps": 3}), {"data": data}) == {**data, "steps": 3}
    assert Dpo().estimate(build(Dpo.Config, {"sampler": {"share": "zh"}}), {"data": data}) == data
