"""How the losses of the arms fell while they were trained, from the record that each model has of its training."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from sluicegate.reporting.lineage import Arm, Run

SPLITS = {"train": "curve", "held_out": "evaluations"}
"""What a curve is of, and its key in `training.json`."""


def curves(arms: Sequence[Arm]) -> list[dict[str, Any]]:
    """`arm`, `split`, and `points`: a step and the mean loss over the arm's seeds, at the steps that all of them have.
    Models without a record have none."""
    found = []
    for arm in arms:
        for split, key in SPLITS.items():
            if points := _mean([_points(run, key) for run in arm.runs]):
                found.append({"arm": arm.name, "split": split, "points": points})
    return found


def _points(run: Run, key: str) -> dict[int, float]:
    """Step to loss."""
    path = run.model.path / "training.json" if run.model else None
    if path is None or not path.is_file():
        return {}
    record: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return {point["step"]: point["loss"] for point in record.get(key, [])}


def _mean(seeds: Sequence[Mapping[int, float]]) -> list[list[float]]:
    steps = sorted(set.intersection(*(set(points) for points in seeds)))
    return [[step, fmean(points[step] for points in seeds)] for step in steps]
