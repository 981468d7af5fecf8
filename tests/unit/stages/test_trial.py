from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sluicegate.artifacts import Artifact, external, write_table
from sluicegate.config import build
from sluicegate.errors import ConfigError
from sluicegate.pipeline import run
from sluicegate.schema import Record
from sluicegate.stages.trial import Trial
from sluicegate.testing import check_stage, sealed, tiny_model, tiny_pool

TUNE = {"max_steps": 3, "total_batch": 4, "learning_rate": 1e-2}
ASK = {"max_new_tokens": 4}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return external(tiny_model(tmp_path_factory.mktemp("base")), "model-external-0")


def data_of(root: Path, records: list[Record]) -> Artifact:
    return sealed(root, "messages", lambda out: {"rows": write_table(out / "messages.parquet", records, Record)})


def test_the_contract(base: Artifact, tmp_path: Path) -> None:
    rows = tiny_pool(16)
    inputs = {"model": base, "data": data_of(tmp_path, rows[:8]), "test": data_of(tmp_path, rows[8:])}
    made = check_stage(Trial, {"tune": TUNE, "ask": ASK}, inputs, tmp_path / "made")
    assert made.kind == "evaluation"
    assert (made.stats["rows"], made.stats["n"], made.stats["steps"]) == (8, 8, 3)
    assert not list(made.path.glob("*.safetensors")), "the weights are not kept"


@pytest.mark.parametrize("method", ["full", "lora"])
def test_it_is_an_sft_and_an_evaluation(method: str, base: Artifact, tmp_path: Path) -> None:
    files = {}
    for name, rows in {"data": tiny_pool(16)[:8], "test": tiny_pool(16)[8:]}.items():
        files[name] = tmp_path / f"{name}.jsonl"
        files[name].write_text("\n".join(json.dumps({k: r[k] for k in ("messages", "answer")}) for r in rows))
    given = {name: str(path) for name, path in files.items()}
    tune: dict[str, Any] = {**TUNE, "method": method}
    steps = {
        "trial": {"stage": "trial", "model": str(base.path), **given, "tune": tune, "ask": ASK},
        "sft": {"stage": "sft", "model": str(base.path), "data": given["data"], **tune},
        "evaluate": {"stage": "evaluate", "model": "sft", "data": given["test"], **ASK},
    }
    made = run({"vars": {}, "steps": steps}, tmp_path / "run")
    apart, together = (list(made[name].rows("predictions")) for name in ("evaluate", "trial"))
    assert [row["output"] for row in together] == [row["output"] for row in apart]
    assert [row["loss"] for row in together] == pytest.approx([row["loss"] for row in apart], rel=1e-5)


@pytest.mark.parametrize("judged", [{"early_stopping": {}}, {"checkpoints": {"best": "loss"}}])
def test_it_is_not_judged_on_its_way(judged: dict[str, Any]) -> None:
    config = build(Trial.Config, {"tune": judged})
    with pytest.raises(ConfigError, match=f"tune.{next(iter(judged))}.*: a trial measures no held-out rows") as err:
        Trial().check(config, ["model", "data", "test"])
    assert "sft step" in err.value.hint
