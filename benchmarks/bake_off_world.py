"""The bake-off on the built-in world: every signal, plain and by clusters, at equal rows and at equal label tokens.

Run on the world that settings were chosen on and on the confirming one, which nothing was chosen on. The verdicts of
both, with their tables, go to docs/bake_off.md and the picture of accuracy against cost beside it. `--jobs` processes
share the training seeds; whoever comes second to a step finds it made.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from figure import figure
from worlds import FRESH, TUNED, parser

from sluicegate.artifacts import Artifact
from sluicegate.bake_off import expand
from sluicegate.config import load_recipe
from sluicegate.pipeline import run
from sluicegate.reporting import bake_off
from sluicegate.reporting.bake_off import markdown
from sluicegate.reporting.bake_off.cost_chart import rule_colours
from sluicegate.reporting.charts import GOLD, WATER

Rounds: TypeAlias = list[tuple[list[int], list[int]]]
"""Seeds of all arms, and more seeds of the leading ones."""

DOCS = Path(__file__).parents[1] / "docs"
SEEDS, MORE_SEEDS = [0, 1, 2], [3, 4]
LEAST_GAIN, LEAST_AUROC, LEAST_MARGIN = 0.04, 0.90, 0.03
ARM, BUDGET = "gate, clusters", "20 % of rows"
NAMES = {GOLD: "gold", WATER: "blue"}
QUICK = [
    "base.steps=300",
    "bench.signals={gate: {}, reference: {}, length: {}}",
    "bench.arms=['gate-clusters']",
    "bench.leading=[]",
]
HEAD = """\
# The bake-off on the built-in world

`python benchmarks/bake_off_world.py` makes this page: `sluice bench bake_off_world` on two worlds, every fault known
and every answer checked, with three training seeds, and five for the arms of `gate`, `boost`, `reference` and their
controls. Settings were chosen on the first world; on the second, with its own knowledge, vocabulary and phrasings,
nothing was ever chosen.
"""


def main() -> None:
    """Run both worlds, write the page, judge the bars on each."""
    args = _arguments()
    found = [_summary(world, args) for world in (TUNED, FRESH)]
    if not args.quick:
        _write(found)
    ours = [_gate_over_random(summary) for summary in found]
    measured = [_judge(summary, gain) for summary, gain in zip(found, ours, strict=True)]
    for world in measured:
        print(json.dumps(world))
    least = min(measured, key=lambda world: world["gain"])
    bar = f"gain >= {LEAST_GAIN} and above 0 on the confirming world"
    bar += f", AUROC >= {LEAST_AUROC} and reference + {LEAST_MARGIN} on both"
    holds = all(map(_has_signal, measured)) and measured[1]["gain"] >= LEAST_GAIN and measured[1]["low"] > 0
    figure("bake_off_world", least["gate_accuracy"], least["random_accuracy"], "accuracy", bar, holds, worlds=measured)


def _arguments() -> argparse.Namespace:
    found = parser(__doc__)
    found.add_argument("--out", type=Path, default=Path("runs/benchmarks"), help="where the runs stand")
    found.add_argument("--jobs", type=int, default=1, help="processes that share the training seeds")
    return found.parse_args()


def _summary(world: Mapping[str, Any], args: argparse.Namespace) -> dict[str, Any]:
    """The bake-off's on one world; the seeds are shared out first and put together then."""
    folder = args.out / f"bake-off-{world['world']}"
    overrides = [f"vars.{name}={value}" for name, value in world.items()] + (QUICK if args.quick else [])
    rounds = [([seed], []) for seed in SEEDS] + [([], [seed]) for seed in MORE_SEEDS]
    rounds = rounds[:1] if args.quick else rounds
    shares = [rounds[job :: args.jobs] for job in range(min(args.jobs, len(rounds)))]
    command = [sys.executable, "-m", "sluicegate", "bench", "bake_off_world", "--out", str(folder), *overrides]
    others = [subprocess.Popen([*command, *_seeds(share)]) for share in shares[1:]]
    try:
        _bench([*overrides, *_seeds(shares[0])], folder)
        if lost := [other.args for other in others if other.wait()]:
            raise SystemExit(f"failed: {lost[0]}")
    finally:
        for other in others:
            other.kill()
    verdict = _bench([*overrides, *_seeds(rounds)], folder)["verdict"]
    summary: dict[str, Any] = json.loads((verdict.path / "summary.json").read_text(encoding="utf-8"))
    return summary | {"world": world["world"]}


def _seeds(rounds: Rounds) -> list[str]:
    """The overrides for some of the seeds and of the more seeds."""
    seeds, more = ([seed for each in column for seed in each] for column in zip(*rounds, strict=True))
    return [f"vars.seeds={seeds}", f"vars.more_seeds={more}"]


def _bench(overrides: list[str], folder: Path) -> dict[str, Artifact]:
    return run(expand(load_recipe("bake_off_world", overrides)), folder)


def _write(found: list[dict[str, Any]]) -> None:
    parts = [HEAD]
    for summary, name in zip(found, ("The world settings were chosen on", "The confirming world"), strict=True):
        parts += [f"## {name}\n", _picture(summary), below(markdown(summary))]
    (DOCS / "bake_off.md").write_text("\n".join(parts), encoding="utf-8")


def _picture(summary: dict[str, Any]) -> str:
    """Write the page's picture of cost as it looks in a browser, which alone finds room for every name; show it."""
    browser = shutil.which("chromium")
    if not browser:
        print("no chromium: the pictures in docs stay as they are", file=sys.stderr)
    path = DOCS / f"bake_off_{summary['world']}.svg"
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text(bake_off.page(summary), encoding="utf-8")
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000", "--dump-dom"]
        drawn = subprocess.run([browser, *options, page.as_uri()], capture_output=True, text=True) if browser else None
    if drawn and (found := re.search(r'data-chart="cost-0".*?(<svg.*?</svg>)', drawn.stdout, re.DOTALL)):
        svg = found[1].replace("background-color: transparent", "background-color: white")
        path.write_text(svg.replace("var(--card)", "white").replace("var(--soft)", "#667"), encoding="utf-8")
    legend = ", ".join(f"{rule} {NAMES[hue]}" for rule, hue in rule_colours(summary).items())
    return f"![accuracy against cost in forward passes]({path.name})\n\nAccuracy against cost at {BUDGET}: {legend}.\n"


def below(text: str) -> str:
    """The text without its title, its headings two levels down."""
    lines = text.split("\n")[1:]
    return "\n".join(f"#{line}" if line.startswith("#") else line for line in lines).strip() + "\n"


def _gate_over_random(summary: Mapping[str, Any]) -> dict[str, Any]:
    return next(arm for arm in summary["arms"] if (arm["arm"], arm["budget"]) == (ARM, BUDGET))


def _judge(summary: Mapping[str, Any], arm: Mapping[str, Any]) -> dict[str, Any]:
    """What the bars are held against; `low` is the simultaneous bound, which is the stricter one."""
    at = {(other["arm"], other["budget"]): other["accuracy"] for other in summary["arms"]}
    auroc = {found["signal"]: found["auroc"] for found in summary["signals"]}
    return {
        "world": summary["world"],
        "gain": arm["gain"]["mean"],
        "low": arm["gain"]["low"],
        "high": arm["gain"]["high"],
        "gate_accuracy": arm["accuracy"],
        "random_accuracy": at[arm["against"], BUDGET],
        "auroc": auroc,
        "advice": summary["advice"],
    }


def _has_signal(world: Mapping[str, Any]) -> bool:
    auroc = world["auroc"]
    return auroc["gate"] >= max(LEAST_AUROC, auroc["reference"] + LEAST_MARGIN)


if __name__ == "__main__":
    main()
