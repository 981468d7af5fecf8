"""What is known of a pool: where its rows come from and, where faults were planted, which row has which."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sluicegate.artifacts import Artifact
from sluicegate.data.world.faults import CLEAN


@dataclass
class Pool:
    """Counts over messages, or pairs. `faults` is empty for data of the user's own, whose faults nobody knows."""

    id: str
    rows: int = 0
    dropped: int = 0
    sources: Counter[str] = field(default_factory=Counter)
    langs: Counter[str] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)
    """Row id to the fault in its `meta`."""

    def shares(self, ids: Iterable[str] | None = None) -> dict[str, float]:
        """Share of every fault among the rows `ids` (all, if None): clean first, then the most frequent."""
        counts = Counter(self.faults.values() if ids is None else (self.faults[i] for i in ids if i in self.faults))
        ordered = sorted(counts.items(), key=lambda item: (item[0] != CLEAN, -item[1], item[0]))
        return {fault: n / counts.total() for fault, n in ordered}


def read_pool(data: Artifact) -> Pool:
    """One pass over the rows; a `meta` without `fault` leaves the row's fault unknown."""
    pool = Pool(data.id, dropped=_dropped(data))
    for row in data.rows(data.kind, ["id", "source", "lang", "meta"]):
        pool.rows += 1
        pool.sources[row["source"]] += 1
        pool.langs[row["lang"]] += 1
        if fault := fault_of(row):
            pool.faults[row["id"]] = fault
    return pool


def fault_of(row: Mapping[str, Any]) -> str | None:
    """The fault that was planted in a row (`clean` for none); None where nobody knows."""
    fault = json.loads(row["meta"]).get("fault")
    return fault if fault and isinstance(fault, str) else None


def _dropped(data: Artifact) -> int:
    path = data.path / "dropped.parquet"
    return len(data.table("dropped", ["reason"])) if path.is_file() else 0
