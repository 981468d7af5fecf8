"""Accuracy after training on the gate's 20 % of a polluted pool against a random 20 %, trusted rows in both.

Five training seeds on two worlds; the second has its own knowledge, vocabulary and phrasings and was never looked at
while settings were chosen. The other arms are printed beside them, whoever wins.
"""

from __future__ import annotations

import json

from figure import figure
from worlds import FRESH, TUNED, arguments, walk

SEEDS, LEAST_GAIN = 5, 0.04


def main() -> None:
    """Run both worlds; the bar holds only if it does on each of them."""
    args = arguments(__doc__)
    gains = []
    for world in (TUNED, FRESH):
        report = walk(world, SEEDS, args)["report"]
        summary = json.loads((report.path / "summary.json").read_text(encoding="utf-8"))
        arm = {row["arm"]: row["accuracy"] for row in summary["arms"]}
        gain = next(d for d in summary["differences"] if d["arm"] == "gate")
        gains.append({**world, **arm, **{key: gain[key] for key in ("mean", "low", "high")}})
        print(json.dumps(gains[-1]))
    least = min(gains, key=lambda gain: gain["mean"])
    holds = all(gain["mean"] >= LEAST_GAIN and gain["low"] > 0 for gain in gains)
    bar = f"+{LEAST_GAIN} on each world, 95 % interval above 0"
    figure("selection_gain", least["gate"], least["random"], "accuracy", bar, holds, worlds=gains)


if __name__ == "__main__":
    main()
