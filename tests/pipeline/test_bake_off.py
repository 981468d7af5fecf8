from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sluicegate.artifacts import Artifact
from sluicegate.bake_off import expand
from sluicegate.cli import main
from sluicegate.pipeline import run
from sluicegate.testing import tiny_model, tiny_pool

SEEDS = [0, 1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model and three files of rows that share no conversation."""
    folder = tmp_path_factory.mktemp("bake-off")
    tiny_model(folder / "model")
    rows = tiny_pool(72)
    for name, part in {"pool": rows[:40], "trusted": rows[40:56], "test": rows[56:]}.items():
        lines = [json.dumps({key: row[key] for key in ("messages", "answer")}) for row in part]
        (folder / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


def recipe(folder: Path, **bench: Any) -> dict[str, Any]:
    prepared = {name: {"stage": "prepare", "sources": [str(folder / f"{name}.jsonl")]} for name in ("trusted", "test")}
    steps = {
        **prepared,
        "rows": {"stage": "prepare", "sources": [str(folder / "pool.jsonl")]},
        "pool": {"stage": "plant", "data": "rows", "faults": ["truncate", "gibberish"], "share": 0.5},
    }
    asked = {
        "data": "pool",
        "model": str(folder / "model"),
        "trusted": "trusted",
        "test": "test",
        "signals": ["perplexity", "rds", "length"],
        "budgets": [{"rows": 8}, {"token_fraction": 0.25}],
        "shares": [0.25],
        "arms": ["*-plain", "rds-groups", "length-groups"],
        "seeds": SEEDS,
        "rules": {"plain": {"rule": "top_k"}, "groups": {"rule": "clusters", "options": {"n_clusters": 2}}},
        "tune": {"max_steps": 2, "total_batch": 4, "learning_rate": 0.01},
        "ask": {"max_new_tokens": 4},
    }
    return expand({"vars": {}, "steps": steps, "bench": asked | bench})


@pytest.fixture(scope="module")
def made(folder: Path) -> dict[str, Artifact]:
    return run(recipe(folder), folder / "run")


@pytest.fixture(scope="module")
def summary(made: dict[str, Artifact]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((made["verdict"].path / "summary.json").read_text(encoding="utf-8"))
    return found


def arm(summary: dict[str, Any], name: str, budget: str) -> dict[str, Any]:
    (found,) = [row for row in summary["arms"] if (row["arm"], row["budget"]) == (name, budget)]
    return found


def losses(made: dict[str, Artifact], key: str) -> np.ndarray:
    """(seeds, questions), sorted by question."""
    tables = [sorted(made[f"trial-{key}-{seed}"].rows("predictions"), key=lambda row: row["id"]) for seed in SEEDS]
    return np.array([[row["loss"] for row in table] for table in tables])


def weights(made: dict[str, Artifact]) -> np.ndarray:
    rows = sorted(made["trial-all-0"].rows("predictions"), key=lambda row: row["id"])
    return np.array([row["n_label_tokens"] for row in rows])


@pytest.mark.slow
def test_a_gain_is_against_the_random_arm_that_knows_as_much(
    made: dict[str, Artifact], summary: dict[str, Any]
) -> None:
    assert summary["metric"] == "loss", "a model of random weights answers nothing right"
    for name, control, against in (
        ("perplexity-plain-rows-8", "random-rows-8", "random"),
        ("rds-groups-rows-8", "random-rows-8-trusted", "random, with trusted rows"),
    ):
        found = arm(summary, name.removesuffix("-rows-8").replace("-", ", "), "8 rows")
        gain = losses(made, control).mean(0) - losses(made, name).mean(0)
        assert found["against"] == against
        assert found["gain"]["mean"] == pytest.approx(np.average(gain, weights=weights(made)), rel=1e-6)
        assert found["gain"]["low"] <= found["gain"]["mean"] <= found["gain"]["high"]


@pytest.mark.slow
def test_an_arm_of_fewer_seeds_is_set_against_its_control_under_these(folder: Path, made: dict[str, Artifact]) -> None:
    again = run(recipe(folder, seeds=[1], leading=["length-plain"], more_seeds=[0]), folder / "run")["verdict"]
    found = json.loads((again.path / "summary.json").read_text(encoding="utf-8"))
    gain = losses(made, "random-rows-8")[1] - losses(made, "perplexity-plain-rows-8")[1]
    assert arm(found, "perplexity, plain", "8 rows")["seeds"] == 1
    assert arm(found, "length, plain", "8 rows")["seeds"] == 2
    told = arm(found, "perplexity, plain", "8 rows")["gain"]["mean"]
    assert told == pytest.approx(np.average(gain, weights=weights(made)), rel=1e-6)


@pytest.mark.slow
def test_arms_and_controls_are_trained_on_as_much(summary: dict[str, Any]) -> None:
    assert {row["rows"] for row in summary["arms"] if row["budget"] == "8 rows" and not row["trusted"]} == {8}
    least = 0.25 * summary["pool"]["label_tokens"]
    at = [row for row in summary["arms"] if row["budget"] == "25 % of label tokens" and not row["trusted"]]
    assert all(row["label_tokens"] <= least for row in at)
    assert arm(summary, "trusted rows alone", "")["rows"] == 16
    assert arm(summary, "all rows", "")["rows"] == 40
    assert {row["signal"] for row in summary["arms"] if row["control"]} == {None}


@pytest.mark.slow
def test_costs_are_counted_in_forward_passes(summary: dict[str, Any]) -> None:
    units = {found["signal"]: found["forward_units"] for found in summary["signals"]}
    assert units["length"] == 0
    assert 1 <= units["perplexity"] < 2, "padding is read too"
    assert units["rds"] > units["perplexity"], "it reads the trusted rows as well"
    assert arm(summary, "length, groups", "8 rows")["forward_units"] == units["perplexity"], "clusters need one look"
    assert arm(summary, "length, plain", "8 rows")["forward_units"] == 0


@pytest.mark.slow
def test_signals_are_judged_by_the_faults_that_were_planted(made: dict[str, Artifact], summary: dict[str, Any]) -> None:
    assert summary["pool"]["faults"] == made["pool"].stats["faults"]
    length = next(found for found in summary["signals"] if found["signal"] == "length")
    assert set(length["by_fault"]) == {"truncate", "gibberish"}
    assert set(length["clean_share"]) == {"plain", "groups"}
    kept = {row["id"] for row in made["pick-length-plain-fraction-0.25"].rows("selection") if row["kept"]}
    faults = {row["id"]: json.loads(row["meta"])["fault"] for row in made["pool"].rows("messages")}
    assert length["clean_share"]["plain"]["0.25"] == np.mean([faults[one] == "clean" for one in kept])


@pytest.mark.slow
def test_what_stands_is_not_made_again(
    folder: Path, made: dict[str, Artifact], capsys: pytest.CaptureFixture[str]
) -> None:
    run(recipe(folder, seeds=[0]), folder / "run")
    steps = [line.split()[1] for line in capsys.readouterr().err.splitlines() if " make " in line or " have " in line]
    assert steps.count("make") <= 1, "but for the verdict over fewer seeds"


def test_without_a_test_set_signals_are_judged_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = run(recipe(folder, test=None), folder / "run")["verdict"]
    summary = json.loads((found.path / "summary.json").read_text(encoding="utf-8"))
    assert summary["arms"] == []
    assert "tells clean rows from faulty ones best" in capsys.readouterr().err
    assert not (found.path / "arms.csv").exists()


def test_the_verb_plans_and_refuses(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.yaml"
    bench = f"{{data: '{folder}/pool.jsonl', model: '{folder}/model', signals: [length], seeds: [0]}}"
    path.write_text(f"steps: {{}}\nbench: {bench}\n", encoding="utf-8")
    assert main(["bench", str(path), "--dry-run", "--out", str(tmp_path / "run")]) == 0
    assert "verdict" in capsys.readouterr().out
    assert main(["run", str(path), "--out", str(tmp_path / "run")]) == 2
    assert f"sluice bench {path}" in capsys.readouterr().err
    assert main(["bench", "demo", "--out", str(tmp_path / "run")]) == 2
    assert "has no bake-off" in capsys.readouterr().err
