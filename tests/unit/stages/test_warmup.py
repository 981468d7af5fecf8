"""The gate as an artifact: what is written, what is left alone, and what is refused."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from sluicegate.artifacts import Artifact, Store, external, file_hash, write_table
from sluicegate.config import build
from sluicegate.errors import ArtifactError, CheckFailed, ConfigError, DataError, MissingError
from sluicegate.models.gates.files import load_gates, weights_hash
from sluicegate.models.load import load_encoder
from sluicegate.schema import Record
from sluicegate.stages.warmup import Warmup
from sluicegate.testing import check_stage, sealed, tiny_model, tiny_pool
from sluicegate.training.gates.lessons import make_lessons, shuffled

QUICK: dict[str, Any] = {"epochs": 1, "copies": 2, "reference": {"method": "off"}}
ONE_BY_ONE = {"steps": 4, "check_every": 2, "batch_size": 2, "batch_tokens": 1, "learning_rate": 1e-2}


def trusted(root: Path, rows: int) -> Artifact:
    records = tiny_pool(rows)
    return sealed(root, "messages", lambda out: {"rows": write_table(out / "messages.parquet", records, Record)})


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return external(tiny_model(tmp_path_factory.mktemp("models") / "base"), "model-external-base")


@pytest.fixture
def inputs(base: Artifact, tmp_path: Path) -> dict[str, Artifact]:
    return {"model": base, "trusted": trusted(tmp_path / "in", 24)}


def files(folder: Path) -> dict[str, str]:
    return {p.name: file_hash(p) for p in folder.rglob("*") if p.is_file()}


def warm(root: Path, inputs: dict[str, Artifact], **options: Any) -> Artifact:
    config = build(Warmup.Config, QUICK | options)
    return sealed(root, "gate", lambda out: Warmup().fill(out, config, inputs), inputs)


@pytest.mark.parametrize("method", ["off", "full", "lora"])
def test_twice_gives_the_same_bytes_and_leaves_the_base_as_it_was(
    method: str, inputs: dict[str, Artifact], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluicegate.training.gates.reference.CLEAR_FALL", -1.0)  # keep the copy, whatever it learned
    before = files(inputs["model"].path)
    options = QUICK | {
        "reference": {"method": method, "steps": 4, "check_every": 2, "batch_size": 4, "learning_rate": 1e-2}
    }
    made = check_stage(Warmup, options, inputs, tmp_path)
    copy = {
        "off": set(),
        "full": {"reference/config.json", "reference/generation_config.json", "reference/model.safetensors"},
        "lora": {"reference/adapter_config.json", "reference/adapter_model.safetensors"},
    }
    assert {f["path"] for f in made.manifest["files"]} == {"gate.json", "gate.safetensors"} | copy[method]
    assert files(inputs["model"].path) == before


def test_a_gate_says_what_it_is_and_what_it_was_made_for(inputs: dict[str, Artifact], tmp_path: Path) -> None:
    made = warm(tmp_path, inputs, rank=3, layers=1, context_gain=False)
    told = json.loads((made.path / "gate.json").read_text(encoding="utf-8"))
    assert told["base"] == inputs["model"].id
    assert told["base_weights"] == weights_hash(inputs["model"].path)
    assert (told["kind"], told["rank"], told["layers"], told["context_gain"]) == ("surprise", 3, [1], False)
    assert told["trusted_rows"] == told["gate_rows"] == 24
    assert told["reference"] is None
    gates = load_gates(made.path)
    assert list(gates) == [1]
    assert gates[1].now.shape == (3, 16)
    assert gates[1].surprise.shape == (3, 4)
    assert made.stats["auroc"] == told["auroc"]
    assert made.stats["parameters"] == sum(p.numel() for p in gates[1].parameters())


def test_a_gate_under_min_auroc_is_not_made_and_a_report_says_why(inputs: dict[str, Artifact], tmp_path: Path) -> None:
    told = json.loads((warm(tmp_path / "low", inputs).path / "gate.json").read_text(encoding="utf-8"))
    kind, least = min(told["auroc_by_kind"].items(), key=lambda item: item[1])
    with pytest.raises(CheckFailed) as err:
        warm(tmp_path / "high", inputs, min_auroc=0.999)
    assert err.value.exit_code == 4
    assert err.value.message == (
        f"held-out AUROC {told['auroc']:.3f} is under min_auroc 0.999 (weakest: {kind} {least:.3f})"
    )
    assert "more trusted rows" in err.value.hint
    assert f"| {kind} |" in err.value.report
    assert f"| never taught |  | {24 * 2} | {told['auroc_unseen']:.3f} |" in err.value.report
    assert Store(tmp_path / "high").ids() == []
    assert warm(tmp_path / "low", inputs, min_auroc=0.01).kind == "gate"


def test_a_damaged_base_fails_and_its_report_shows_what_it_mistook(inputs: dict[str, Artifact], tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    broken = shutil.copytree(inputs["model"].path, tmp_path / "broken")
    weights = load_file(broken / "model.safetensors")
    for name in weights:
        if "o_proj" in name:
            weights[name].zero_()  # no token sees another
    save_file(weights, broken / "model.safetensors", {"format": "pt"})
    with pytest.raises(CheckFailed) as err:
        warm(tmp_path, inputs | {"model": external(broken, "model-external-broken")}, min_auroc=0.9)
    report = err.value.report
    assert "| trusted rows | 24 |" in report
    assert "| tuned copy | none: the gate reads the base |" in report
    assert "| reference.method | off |" in report
    assert re.search(r"It does not find [^.]*mismatch", report), "the question is lost on it"
    assert re.search(
        r"\| mismatch \| \+\d+\.\d\d \| (The answer is|答案是) \d+[^|]* \| (The answer is|答案是) \d", report
    )


def test_a_cross_fitted_gate_is_two_gates_each_with_its_copy(
    inputs: dict[str, Artifact], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluicegate.training.gates.reference.CLEAR_FALL", -1.0)
    tuning = {"method": "lora", "steps": 2, "check_every": 2, "batch_size": 4, "learning_rate": 1e-2}
    made = check_stage(Warmup, QUICK | {"reference": tuning, "cross_fit": True}, inputs, tmp_path)
    each = {"gate.json", "gate.safetensors", "reference/adapter_config.json", "reference/adapter_model.safetensors"}
    assert {f["path"] for f in made.manifest["files"]} == {
        "gate.json",
        *(f"{name}/{file}" for name in "01" for file in each),
    }
    whole, *members = (
        json.loads((made.path / name / "gate.json").read_text(encoding="utf-8")) for name in (".", "0", "1")
    )
    assert whole["members"] == ["0", "1"]
    assert whole["held_out_rows"] == whole["trusted_rows"] == 24
    assert whole["base_weights"] == members[0]["base_weights"] == members[1]["base_weights"]
    assert [m["held_out_rows"] for m in members] == [12, 12]
    assert all(m["reference"]["method"] == "lora" for m in members)
    gates = [load_gates(made.path / name) for name in ("0", "1")]
    assert made.stats["parameters"] == sum(p.numel() for each in gates for g in each.values() for p in g.parameters())


@pytest.mark.parametrize(
    ("options", "wires", "told"),
    [
        ({}, {"model"}, "learns from trusted rows"),
        ({}, {"model", "data"}, "learns from trusted rows"),
        ({"kind": "linear"}, {"model"}, "no rows to learn from"),
        ({"kind": "trash", "balance": 1.0}, {"model", "data"}, "balance weighs"),
        ({"kind": "linear", "min_auroc": 0.8}, {"model", "data"}, "min_auroc is measured on trusted rows"),
        ({"cross_fit": True, "reference": "off"}, {"model", "trusted"}, "cross_fit tunes two copies"),
    ],
)
def test_inputs_that_do_not_fit_the_kind_are_refused_before_anything_runs(
    options: dict[str, Any], wires: set[str], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        Warmup().check(build(Warmup.Config, options), wires)


@pytest.mark.parametrize(
    ("options", "wires"),
    [
        ({}, {"model", "trusted"}),
        ({"kind": "linear"}, {"model", "data"}),
        ({"kind": "linear"}, {"model", "trusted"}),
        ({"kind": "trash", "balance": 1.0}, {"model", "data", "trusted"}),
    ],
)
def test_inputs_that_fit(options: dict[str, Any], wires: set[str]) -> None:
    Warmup().check(build(Warmup.Config, options), wires)


def test_the_rows_it_learns_from_are_its_size() -> None:
    sizes = {"trusted": {"rows": 3}, "data": {"rows": 50}}
    estimates = {
        kind: Warmup().estimate(build(Warmup.Config, {"kind": kind}), sizes) for kind in ("surprise", "linear")
    }
    assert estimates == {"surprise": {"rows": 3}, "linear": {"rows": 50}}


def test_it_costs_what_it_reads_and_what_a_copy_learns_from(
    inputs: dict[str, Artifact], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each row alone, and so without padding; every row as long as the first: it is the only one."""
    monkeypatch.setattr("sluicegate.training.gates.reference.CLEAR_FALL", -1.0)
    encoder, records = load_encoder(inputs["model"].path, 2048), list(inputs["trusted"].rows("messages"))
    alike = [record | {"id": f"{n:02d}", "messages": records[0]["messages"]} for n, record in enumerate(records)]
    same = sealed(
        tmp_path / "same", "messages", lambda out: {"rows": write_table(out / "messages.parquet", alike, Record)}
    )
    width = len(encoder.encode(alike[0]).ids)  # type: ignore[arg-type]

    def cost(name: str, method: str) -> tuple[float, int]:
        options: dict[str, Any] = {"reference": {"method": method, **ONE_BY_ONE}, "read_batch_tokens": 1}
        made = warm(tmp_path / name, inputs | {"trusted": same}, context_gain=False, **options)
        assert made.stats["working_seconds"] > 0
        config, rows = build(Warmup.Config, QUICK | options), shuffled(alike, 0)  # type: ignore[arg-type]
        lessons = make_lessons(rows if method == "off" else rows[12:], encoder, config)
        return made.stats["forward_tokens"], sum(len(x.encoded.ids) for x in lessons)

    found, lessons = cost("plain", "off")
    assert found == lessons
    found, lessons = cost("copy", "full")
    examined, learned = 3 * 12 * width, 4 * 2 * width  # the other half at steps 0, 2 and 4; four steps of two rows
    assert found == lessons + examined + 3 * learned


@pytest.mark.parametrize("mode", ["full_rank", "lora"])
def test_a_gate_of_an_earlier_kind_tells_its_cost(mode: str, inputs: dict[str, Artifact], tmp_path: Path) -> None:
    made = warm(tmp_path, inputs, kind="linear", mode=mode, batch_size=1, read_batch_tokens=1)
    rows = load_encoder(inputs["model"].path, 2048).encode_batch(list(inputs["trusted"].rows("messages")))  # type: ignore[arg-type]
    times = {"full_rank": 1, "lora": 2}[mode]
    assert made.stats["forward_tokens"] > times * sum(sorted(len(row.ids) for row in rows)[:20])
    assert made.stats["working_seconds"] > 0


@pytest.mark.parametrize(("mode", "with_data"), [("full_rank", True), ("full_rank", False), ("lora", True)])
def test_a_gate_of_an_earlier_kind_is_measured_on_trusted_rows_it_did_not_learn_from(
    mode: str, with_data: bool, inputs: dict[str, Artifact], tmp_path: Path
) -> None:
    data = trusted(tmp_path / "pool", 30)
    made = warm(
        tmp_path / "out", inputs | ({"data": data} if with_data else {}), kind="linear", mode=mode, batch_size=8
    )
    told = json.loads((made.path / "gate.json").read_text(encoding="utf-8"))
    assert told["held_out_rows"] == (24 if with_data else 4)
    assert told["trained_rows"] == (30 if with_data else 20)
    assert told["auroc_unseen"] == told["auroc"], "it is taught no damage at all"
    assert set(told["thresholds"]) == {"0.5", "0.8", "0.9", "0.95"}
    assert (told["kind"], told["acts"], told["context_gain"]) == ("linear", False, False)


def test_too_few_trusted_rows(base: Artifact, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="19 trusted rows are too few to warm a gate up") as err:
        warm(tmp_path, {"model": base, "trusted": trusted(tmp_path, 19)})
    assert err.value.exit_code == 3
    assert err.value.hint == "give at least 20, better 150"


def test_trusted_rows_without_room_for_a_reply_are_named(inputs: dict[str, Artifact], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="rows have no label tokens") as err:
        warm(tmp_path, inputs, max_length=20)
    assert "raise max_length" in err.value.hint


def test_a_model_without_a_tokenizer(inputs: dict[str, Artifact], tmp_path: Path) -> None:
    bare = shutil.copytree(inputs["model"].path, tmp_path / "bare", ignore=shutil.ignore_patterns("tokenizer*"))
    with pytest.raises(MissingError, match="has no tokenizer"):
        warm(tmp_path, inputs | {"model": external(bare, "model-external-bare")})


def test_a_model_that_gives_no_numbers_is_refused(inputs: dict[str, Artifact], tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    broken = shutil.copytree(inputs["model"].path, tmp_path / "broken")
    weights = load_file(broken / "model.safetensors")
    weights["model.norm.weight"].fill_(torch.nan)
    save_file(weights, broken / "model.safetensors", {"format": "pt"})
    with pytest.raises(ArtifactError, match="no finite numbers"):
        warm(tmp_path, inputs | {"model": external(broken, "model-external-broken")})


def test_a_kind_of_damage_nobody_knows(inputs: dict[str, Artifact], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no corruption named 'swp'"):
        warm(tmp_path, inputs, corruptions=["swp"])


def test_an_adapter_is_warmed_up_as_the_plain_model_it_makes(
    inputs: dict[str, Artifact], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors.torch import load_file

    from sluicegate.models import adapters
    from sluicegate.models.load import load

    base, folder = inputs["model"].path, tmp_path / "adapter"
    loaded = load(base)
    adapters.save_adapter(adapters.attach(loaded.model, adapters.LoraSettings()), folder, base)
    loaded.tokenizer.save_pretrained(folder)
    monkeypatch.setattr("sluicegate.training.gates.reference.CLEAR_FALL", -1.0)
    copy = {"method": "full", "steps": 2, "check_every": 2}
    made = warm(tmp_path / "out", inputs | {"model": external(folder, "model-external-adapter")}, reference=copy)
    tuned, plain = load_file(made.path / "reference/model.safetensors"), load_file(base / "model.safetensors")
    assert set(tuned) == set(plain)
    assert any(not tuned[name].equal(plain[name]) for name in plain)
