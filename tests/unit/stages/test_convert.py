"""The folder that stands alone: of which model, with what in it, and what is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from sluicegate.artifacts import Artifact, external, write_json, write_table
from sluicegate.config import build
from sluicegate.errors import ArtifactError, ConfigError
from sluicegate.models.encode import collate
from sluicegate.models.gates.base import attached
from sluicegate.models.gates.files import load_gates
from sluicegate.models.load import load, load_plain
from sluicegate.models.quality_gate import QualityGateForCausalLM
from sluicegate.models.reference import load_reference
from sluicegate.schema import Record
from sluicegate.scoring.forward import Reader
from sluicegate.stages.convert import Convert
from sluicegate.stages.warmup import Warmup
from sluicegate.testing import check_stage, sealed, tiny_gate, tiny_model, tiny_pool

IDS = torch.arange(4, 40).view(2, 18)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def base(root: Path) -> Artifact:
    return external(tiny_model(root.parent / "base", "qwen3").resolve(), "model-external-base")


def warm(root: Path, base: Artifact, **config: Any) -> Artifact:
    settings = {"reference": {"method": "off"}, "epochs": 1, "copies": 1} | config
    data = sealed(root, "messages", lambda out: {"rows": write_table(out / "messages.parquet", tiny_pool(24), Record)})
    inputs = {"model": base, "trusted": data}
    return sealed(root, "gate", lambda out: Warmup().fill(out, build(Warmup.Config, settings), inputs), inputs)


@pytest.fixture(scope="module")
def gate(root: Path, base: Artifact) -> Artifact:
    """It reads the base itself, with context gain."""
    return warm(root, base)


@pytest.fixture(scope="module")
def gate_on_copy(root: Path, base: Artifact) -> Artifact:
    """It reads a tuned copy of the base."""
    return tiny_gate(root / "tuned", base.path)


def convert(out: Path, inputs: dict[str, Artifact], **config: Any) -> Path:
    out.mkdir(parents=True)
    Convert().fill(out, build(Convert.Config, config), inputs)
    return out


@torch.no_grad()
def logits(model: Any) -> torch.Tensor:
    return model.eval()(IDS).logits


def test_twice_gives_the_same_bytes_and_the_bases_weights(gate: Artifact, base: Artifact, tmp_path: Path) -> None:
    made = check_stage(Convert, {}, {"gate": gate, "model": base}, tmp_path)
    assert {f["path"] for f in made.manifest["files"]} == {
        "config.json", "generation_config.json", "model.safetensors", "gate.json", "gate.safetensors",
        "tokenizer.json", "tokenizer_config.json",
    }  # fmt: skip
    assert (made.path / "model.safetensors").read_bytes() == (base.path / "model.safetensors").read_bytes()
    assert made.stats["gated_layers"] == 2


def test_a_gate_knows_its_model_where_none_is_given(gate: Artifact, base: Artifact, tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(convert(tmp_path / "out", {"gate": gate}))
    assert isinstance(model, QualityGateForCausalLM)
    assert torch.equal(logits(model), logits(AutoModelForCausalLM.from_pretrained(base.path)))
    assert AutoTokenizer.from_pretrained(tmp_path / "out").get_vocab() == load(base.path).tokenizer.get_vocab()


@pytest.mark.parametrize("reads", ["gate", "gate_on_copy"])
def test_it_says_of_a_row_what_scoring_says(
    reads: str, base: Artifact, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The mean over layers of the pooled logits is the column `gate` that `sluice score` writes."""
    gate: Artifact = request.getfixturevalue(reads)
    facts = json.loads((gate.path / "gate.json").read_text(encoding="utf-8"))
    loaded = load_plain(base.path)
    rows = loaded.encoder(512).encode_batch(tiny_pool(6))
    model = load_reference(loaded.model, gate.path, facts["reference"]) if facts["reference"] else loaded.model
    own = load_gates(gate.path)
    scored = Reader(replace(loaded, model=model), own, facts["context_gain"]).see(rows, 4096, lambda n: None).gate
    gated = AutoModelForCausalLM.from_pretrained(convert(tmp_path / "out", {"gate": gate})).eval()
    found = torch.stack(gated(**collate(rows, 0), output_router_logits=True).router_logits)  # (L, B, T)
    for n in range(len(rows)):
        tokens = found[:, n][:, found[0, n].isfinite()]
        layers = [
            one.pool(z, torch.zeros(len(z), dtype=torch.long), 1) for one, z in zip(own.values(), tokens, strict=True)
        ]
        assert float(torch.stack(layers).mean()) == pytest.approx(float(scored[n]), rel=1e-4, abs=1e-4)


def test_a_gate_that_reads_a_copy_brings_the_copy(
    gate_on_copy: Artifact, base: Artifact, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = convert(tmp_path / "out", {"gate": gate_on_copy, "model": base})
    assert "reads a tuned copy (full): that is what is written, not the base" in "".join(capsys.readouterr())
    facts = json.loads((gate_on_copy.path / "gate.json").read_text(encoding="utf-8"))
    copy = load_reference(load_plain(base.path).model, gate_on_copy.path, facts["reference"])
    found = logits(AutoModelForCausalLM.from_pretrained(out))
    assert torch.equal(found, logits(copy))
    assert not torch.equal(found, logits(load_plain(base.path).model))
    told = json.loads((out / "gate.json").read_text(encoding="utf-8"))
    assert told["reference"] is None
    assert told["tuned"] == facts["reference"]


def test_a_base_in_half_precision_stays_so(root: Path, tmp_path: Path) -> None:
    half = AutoModelForCausalLM.from_pretrained(tiny_model(tmp_path / "half")).to(torch.bfloat16)
    half.save_pretrained(tmp_path / "half")
    base = external((tmp_path / "half").resolve(), "model-external-half")
    out = convert(tmp_path / "out", {"gate": warm(tmp_path / "store", base), "model": base})
    assert (out / "model.safetensors").read_bytes() == (base.path / "model.safetensors").read_bytes()


def test_another_model_than_the_gates_is_refused(gate: Artifact, tmp_path: Path) -> None:
    other = external(tiny_model(tmp_path / "other", "qwen3", seed=1).resolve(), "model-external-other")
    with pytest.raises(ArtifactError, match="made for another model") as err:
        convert(tmp_path / "out", {"gate": gate, "model": other})
    assert "model-external-base" in err.value.hint


def test_of_a_cross_fitted_gate_one_member_is_converted(gate: Artifact, base: Artifact, tmp_path: Path) -> None:
    folder = tmp_path / "crossed"
    for name in ("0", "1"):
        (folder / name).mkdir(parents=True)
        for file in ("gate.json", "gate.safetensors"):
            shutil.copy(gate.path / file, folder / name)
    write_json(folder / "gate.json", {"members": ["0", "1"]})
    crossed = external(folder, "gate-external-crossed")
    with pytest.raises(ConfigError, match="has 2 members, none of them 'None'") as err:
        convert(tmp_path / "none", {"gate": crossed, "model": base})
    assert err.value.hint == "give member=0 or member=1"
    one = convert(tmp_path / "one", {"gate": crossed, "model": base}, member="1")
    assert isinstance(AutoModelForCausalLM.from_pretrained(one), QualityGateForCausalLM)


def test_a_gate_without_members_has_none_to_ask_for(gate: Artifact, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has no members"):
        convert(tmp_path / "out", {"gate": gate}, member="0")


def test_a_converted_folder_is_read_as_the_plain_model_it_holds(root: Path, gate: Artifact, base: Artifact) -> None:
    made = sealed(
        root, "model", lambda out: Convert().fill(out, build(Convert.Config, {}), {"gate": gate}), {"gate": gate}
    )
    plain = load_plain(made.path).model
    assert type(plain) is type(load(base.path).model)
    assert not attached(plain)
    assert isinstance(load(made.path).model, QualityGateForCausalLM)
