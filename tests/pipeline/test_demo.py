"""The packaged recipe `demo`, made small: from raw text to report, again, changed, and killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sluicegate.artifacts import Store
from sluicegate.config import load_recipe
from sluicegate.pipeline import load_lock, run
from sluicegate.planning import plan
from sluicegate.registry import STAGES
from sluicegate.testing import repeatable_files

pytestmark = pytest.mark.slow

SMALL = [
    *("vars.seeds=[0]", "vars.steps=2", "base.steps=12", "base.checkpoint_every=4", "warmup.epochs=2"),
    *("warmup.reference.steps=10", "scores.shard_rows=60"),
    *("corpus.max_rows=900", "pool.max_rows=150", "trusted.max_rows=60", "test.max_rows=12"),
]
COMMAND = [sys.executable, "-m", "sluicegate", "run", "demo", *SMALL]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one finished run."""
    folder = tmp_path_factory.mktemp("demo")
    run(load_recipe("demo", SMALL), folder)
    return folder


def files(folder: Path) -> dict[str, list[dict[str, object]]]:
    """Step name to what its manifest says of its files, those left out that tell seconds, as a report does."""
    store = Store(folder / "artifacts")
    made = {n: store.open(i) for n, i in load_lock(folder).items() if not i.startswith("report")}
    return {n: repeatable_files(one, STAGES.get(one.manifest["stage"]).timed) for n, one in made.items()}


def test_the_report_knows_every_arm(made: Path) -> None:
    summary = json.loads((made / "report" / "summary.json").read_text(encoding="utf-8"))
    arms = {row["arm"]: row for row in summary["arms"]}
    assert list(arms) == ["gate", "reference", "random", "all", "trusted"]
    assert arms["trusted"]["clean_share"] == 1.0
    assert arms["gate"]["rows"] < arms["all"]["rows"]
    assert summary["metric"] == "loss", "two steps teach no model to answer, so accuracy tells nothing"
    assert all(0 < row["low"] <= row["loss"] <= row["high"] for row in arms.values())
    assert {row["accuracy"] for row in arms.values()} == {0.0}
    assert {row["arm"]: row["same_trusted"] for row in summary["differences"]}["gate"]
    assert {signal["signal"] for signal in summary["signals"]} == {"gate", "reference", "length"}
    assert len(summary["examples"]) == 20
    assert all(example["reason"] for example in summary["examples"])


def test_every_arm_of_a_share_has_as_many_rows_and_the_trusted_ones(made: Path) -> None:
    store, lock = Store(made / "artifacts"), load_lock(made)
    stats = {arm: store.open(lock[f"model-{arm}-0"]).stats for arm in ("gate", "reference", "random")}
    assert {s["pool_rows"] for s in stats.values()} == {30}
    assert all(s["trusted_rows"] > 0 and s["steps"] == 2 for s in stats.values())


def test_a_second_run_makes_nothing(made: Path) -> None:
    told = subprocess.run([*COMMAND, f"out={made}"], capture_output=True, text=True, check=True).stderr
    states = {line.split()[0]: line.split()[1] for line in told.splitlines() if len(line.split()) == 3}
    assert {states[name] for name in load_lock(made)} == {"have"}
    assert "[95 %]" in told


def test_one_option_remakes_only_what_depends_on_it(made: Path) -> None:
    todo = plan(load_recipe("demo", [*SMALL, "pick-gate.options.fraction=0.3"]), made)
    make = {step.name for step in todo.steps.values() if not todo.store.has(step.artifact_id)}
    assert make == {"pick-gate", "model-gate-0", "result-gate-0", "report"}


def test_killed_at_any_point_it_ends_in_the_same_artifacts(made: Path, tmp_path: Path) -> None:
    rng, kills = random.Random(0), 0
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    while True:
        with subprocess.Popen([*COMMAND, f"out={tmp_path}"], stdout=subprocess.DEVNULL, env=env) as process:
            try:
                assert process.wait(timeout=rng.uniform(6, 14) if kills < 4 else None) == 0
                break
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                kills += 1
        time.sleep(0.1)
        for artifact_id in Store(tmp_path / "artifacts").ids():
            Store(tmp_path / "artifacts").open(artifact_id).verify()
    assert kills > 0
    assert load_lock(tmp_path) == load_lock(made)
    assert files(tmp_path) == files(made)
