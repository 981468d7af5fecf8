"""model → evaluation, by the tasks of the lm-evaluation-harness."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from sluicegate.artifacts import DRAFT, Artifact, file_hash, write_json
from sluicegate.errors import MissingError
from sluicegate.evaluation.harness_config import HarnessConfig
from sluicegate.schema import Kind
from sluicegate.stages.base import Stage
from sluicegate.stages.evaluate import write_evaluation


class Harness(Stage):
    """Its own prompts, data and metrics, so that the numbers compare with those others publish.

    `results.json` and `results.csv` hold what it says, the other files what every evaluation has. Without a network the
    data come from `data_dir`.
    """

    name = "harness"
    makes: ClassVar[Kind] = "evaluation"
    takes: ClassVar[dict[str, Kind]] = {"model": "model"}

    class Config(HarnessConfig):
        pass

    def pins(self, config: Any) -> dict[str, str]:
        """Hashes of the local data."""
        if config.data_dir is None:
            return {}
        if not config.data_dir.is_dir():
            raise MissingError(f"data_dir {config.data_dir} is no folder", "name one that holds the tasks' data")
        files = sorted(path for path in config.data_dir.rglob("*") if path.is_file())
        return {path.relative_to(config.data_dir).as_posix(): file_hash(path) for path in files}

    def fill(self, out: Path, config: Any, inputs: dict[str, Artifact]) -> dict[str, Any]:
        """Write `results.json`, `results.csv`, and the files of an evaluation."""
        from sluicegate.evaluation.harness import ask_harness, plain
        from sluicegate.evaluation.harness_rows import predictions, result_rows
        from sluicegate.models.load import load

        work = out / f"tasks{DRAFT}"
        work.mkdir()
        found = ask_harness(load(inputs["model"].path), config, work)
        shutil.rmtree(work)
        write_json(out / "results.json", plain(found))
        with (out / "results.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(result_rows(found))
        told = write_evaluation(list(predictions(found["samples"])), None, out)
        return {"n": told["n"], "accuracy": told["accuracy"], **_headline(found)}


def _headline(found: Mapping[str, Any]) -> dict[str, float]:
    """The accuracy of every group and task that was asked for; a group stands for its tasks."""
    whole = found.get("groups") or {}
    inside = {task for group in whole for task in found["group_subtasks"].get(group, [])}
    named = {**whole, **{name: told for name, told in found["results"].items() if name not in inside}}
    return {name: told["acc,none"] for name, told in named.items() if "acc,none" in told}
