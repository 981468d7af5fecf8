"""What the signals said of the pool: how well each tells clean rows from faulty ones, and where the kept rows lie."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sluicegate.artifacts import Artifact
from sluicegate.data.world.faults import CLEAN, DUP
from sluicegate.reporting.lineage import Arm

BINS = 32
EDGES = (0.5, 99.5)  # percentiles the histogram spans; what lies beyond falls into the outer bins


@dataclass(frozen=True)
class Scores:
    """A `scores` artifact as columns: `ids` and one array per signal, in the same order."""

    ids: list[str]
    signals: dict[str, NDArray[np.float32]]

    def of(self, row: int) -> dict[str, float | None]:
        """Every signal of one row; None where the row could not be scored."""
        values = {name: float(column[row]) for name, column in self.signals.items()}
        return {name: None if math.isnan(value) else value for name, value in values.items()}


def read_scores(artifact: Artifact) -> Scores:
    """The signal columns alone, without the prompts' states; a column is a signal's if `<signal>_why` is beside it."""
    names = [n.removesuffix("_why") for n in artifact.columns("scores") if n.endswith("_why")]
    table = artifact.table("scores", ["id", *names])
    return Scores(table["id"].to_pylist(), {n: table[n].to_numpy().astype(np.float32) for n in names})


def aurocs(scores: Scores, faults: Mapping[str, str], auroc: Callable[[Any, Any], float]) -> Iterator[dict[str, Any]]:
    """Per signal its AUROC, clean rows against all faults and against each one.

    Duplicates are left out of the overall number: a copy of a good row is as good to every signal that sees one row
    at a time. Nothing where no fault is known.
    """
    known = np.array([faults.get(i, "") for i in scores.ids])
    bad = sorted(set(known) - {"", CLEAN})
    if CLEAN not in known or not bad:
        return
    for signal, values in scores.signals.items():
        against = {fault: np.isin(known, [CLEAN, fault]) for fault in bad}
        overall = (known != "") & (known != DUP)
        yield {
            "signal": signal,
            "auroc": _number(auroc(values[overall], known[overall] == CLEAN)),
            "by_fault": {f: _number(auroc(values[rows], known[rows] == CLEAN)) for f, rows in against.items()},
        }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)


def histograms(arms: list[Arm], tables: Mapping[str, Scores]) -> Iterator[dict[str, Any]]:
    """For every arm that selects, kept and dropped rows per bin of every signal that some arm ranked by."""
    choosing = [(arm.name, arm.first, tables[arm.first.scores.id]) for arm in arms if arm.first.scores]
    deciding = {run.ranked_by for _, run, _ in choosing} - {""}
    for name, run, scores in choosing:
        kept = np.isin(scores.ids, run.kept or [])
        for signal, values in scores.signals.items():
            if (signal in deciding or not deciding) and not np.isnan(values).all():
                yield {"arm": name, "signal": signal, **_bins(values, kept)}


def _bins(values: NDArray[np.float32], kept: NDArray[np.bool_]) -> dict[str, Any]:
    scored = ~np.isnan(values)
    low, high = (float(edge) for edge in np.percentile(values[scored], EDGES))
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    counts = [np.histogram(np.clip(values[scored & rows], edges[0], edges[-1]), edges)[0] for rows in (kept, ~kept)]
    return {
        "edges": [float(f"{edge:.5g}") for edge in edges],
        "kept": counts[0].tolist(),
        "dropped": counts[1].tolist(),
    }
