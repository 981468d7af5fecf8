"""A warm-up changes the gates and nothing but the gates: not a bit of the base, whatever the gate reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from sluicegate.artifacts import Artifact, external, write_table
from sluicegate.config import build
from sluicegate.models.weights import compare_weights
from sluicegate.schema import Record
from sluicegate.stages.convert import Convert
from sluicegate.stages.warmup import Warmup
from sluicegate.testing import Family, sealed, tiny_model, tiny_pool

KINDS = [{"kind": kind, "trainable": part} for kind in ("linear", "trash") for part in ("gates", "router")]
TUNING = {"steps": 4, "check_every": 2, "batch_size": 4, "learning_rate": 1e-2}
"""Of a copy, brief as it may be."""


def base_of(root: Path, family: Family) -> tuple[Artifact, Path]:
    """A model, and another just like it to compare it with afterwards."""
    twin = tiny_model(root / "twin", family)
    return external(tiny_model(root / "base", family).resolve(), "model-external-base"), twin


def warmed(root: Path, base: Artifact, **config: Any) -> Artifact:
    data = sealed(root, "messages", lambda out: {"rows": write_table(out / "messages.parquet", tiny_pool(24), Record)})
    inputs = {"model": base, "trusted": data}
    settings = build(Warmup.Config, {"epochs": 1, "copies": 1} | config)
    return sealed(root, "gate", lambda out: Warmup().fill(out, settings, inputs), inputs, {"config": config})


def converted(root: Path, gate: Artifact) -> Path:
    return sealed(root, "model", lambda out: Convert().fill(out, Convert.Config(), {"gate": gate})).path


def differing(a: Path, b: Path) -> set[tuple[str, str]]:
    """Group and verdict of all that is not equal."""
    return {(c.group, c.verdict) for c in compare_weights(a, b) if c.verdict != "equal"}


@pytest.mark.parametrize("family", ["qwen3", "qwen3_moe", "sluice_gpt"])
def test_of_a_gate_that_reads_the_base_only_the_gates_are_new(family: Family, tmp_path: Path) -> None:
    base, twin = base_of(tmp_path, family)
    gate = warmed(tmp_path / "store", base, reference={"method": "off"})
    assert differing(twin, base.path) == set()
    assert differing(twin, converted(tmp_path / "store", gate)) == {("gates", "only in B")}


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_copy_is_tuned_beside_the_base_and_not_in_it(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluicegate.training.gates.reference.CLEAR_FALL", -1.0)  # keep the copy, whatever it learned
    base, twin = base_of(tmp_path, "qwen3")
    gate = warmed(tmp_path / "store", base, reference=TUNING | {"method": method})
    assert differing(twin, base.path) == set()
    model = converted(tmp_path / "store", gate)
    assert ("gates", "only in B") in differing(twin, model)
    if method == "full":
        assert {c.verdict for c in compare_weights(gate.path / "reference", model)} == {"equal", "only in B"}


def test_two_warm_ups_differ_in_their_gates_alone(tmp_path: Path) -> None:
    base, _ = base_of(tmp_path, "qwen3")
    gates = [warmed(tmp_path / "store", base, reference={"method": "off"}, seed=seed) for seed in (0, 1)]
    assert differing(*(gate.path for gate in gates)) == {("gates", "changed")}
    assert differing(*(converted(tmp_path / "store" / gate.id, gate) for gate in gates)) == {("gates", "changed")}


@pytest.mark.parametrize("config", KINDS, ids=lambda c: f"{c['kind']}-{c['trainable']}")
def test_gates_that_learn_with_the_base_in_the_loop_leave_it_as_it_was(config: dict[str, str], tmp_path: Path) -> None:
    base, twin = base_of(tmp_path, "qwen3_moe")
    gate = warmed(tmp_path / "store", base, **config)
    assert differing(twin, base.path) == set()
    assert differing(twin, converted(tmp_path / "store", gate)) == {("gates", "only in B")}


def test_of_a_mixture_whose_routers_learned_only_the_routers_are_others(tmp_path: Path) -> None:
    """The weights the model now computes with: a router gate stands in for the router of its layer."""
    base, twin = base_of(tmp_path, "qwen3_moe")
    gate = warmed(tmp_path / "store", base, kind="linear", trainable="router")
    weights = load_file(base.path / "model.safetensors")
    routers = load_file(gate.path / "gate.safetensors")
    in_use = {f"model.layers.{name.replace('.', '.mlp.gate.')}": tensor for name, tensor in routers.items()}
    assert set(in_use) == {name for name in weights if name.endswith("mlp.gate.weight")}
    (tmp_path / "now").mkdir()
    save_file(weights | in_use, tmp_path / "now" / "model.safetensors")
    assert differing(twin, tmp_path / "now") == {("routers", "changed")}
