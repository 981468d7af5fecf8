"""AUROC of the gate on a polluted pool, faults its warm-up never showed included, against the reference loss.

The clean share is that of the 20 % kept after exact dedup and clusters; 40 % of the pool is clean. Duplicates are no
fault here: nothing that reads one row at a time can see them, and dedup removes them.
"""

from __future__ import annotations

import json

from figure import figure
from worlds import FRESH, TUNED, arguments, walk

from sluicegate.artifacts import Artifact
from sluicegate.data.world.faults import CLEAN, DUP
from sluicegate.evaluation.stats import auroc

LEAST_AUROC, LEAST_MARGIN, LEAST_CLEAN = 0.90, 0.03, 0.85


def main() -> None:
    """Warm up, score and select on both worlds; every bar must hold on each."""
    args = arguments(__doc__)
    worlds = [world | measure(walk(world, 1, args, until="pick-gate")) for world in (TUNED, FRESH)]
    for world in worlds:
        print(json.dumps(world))
    least = min(worlds, key=lambda world: world["gate"])
    bar = f"gate >= {LEAST_AUROC} and reference + {LEAST_MARGIN}, kept clean >= {LEAST_CLEAN}, on each world"
    figure("gate_auroc", least["gate"], least["reference"], "AUROC", bar, all(map(holds, worlds)), worlds=worlds)


def measure(steps: dict[str, Artifact]) -> dict[str, float]:
    """AUROC of both signals, and the share of clean rows among those the gate's arm keeps."""
    faults = {row["id"]: json.loads(row["meta"])["fault"] for row in steps["pool"].rows("messages")}
    rows = [row for row in steps["scores"].rows("scores") if faults[row["id"]] != DUP]
    good = [faults[row["id"]] == CLEAN for row in rows]
    kept = [faults[row["id"]] == CLEAN for row in steps["pick-gate"].rows("selection") if row["kept"]]
    found = {signal: auroc([row[signal] for row in rows], good) for signal in ("gate", "reference")}
    return {**{name: round(value, 4) for name, value in found.items()}, "clean_share": round(sum(kept) / len(kept), 4)}


def holds(world: dict[str, float]) -> bool:
    """Whether one world is at or above all three bars."""
    enough = world["gate"] >= max(LEAST_AUROC, world["reference"] + LEAST_MARGIN)
    return enough and world["clean_share"] >= LEAST_CLEAN


if __name__ == "__main__":
    main()
