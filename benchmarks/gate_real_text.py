"""AUROC of the gate on real rows with planted faults, without and with the context gain, beside what is simpler.

The base, 2.6 M parameters, is pretrained on one half of the rows. The pool is of the other half, 60 % of it damaged;
the gate learns from 150 trusted rows and sees nothing of the pool or of its faults. A gate does not check sums: of the
nine faults it should find the six that break a response as a whole, and be at chance on the three that change a number,
a step or a word. If it does better than chance there, something leaks.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from figure import figure
from real_faults import FAULTS, NUMBERS, STRUCTURE, damage
from real_text import CLEAN, SOURCES, draw, halves, missing, write
from rich.console import Console
from rich.table import Table
from scoring_overhead import forward, timed
from worlds import parser

from sluicegate.artifacts import Artifact
from sluicegate.errors import MissingError
from sluicegate.evaluation.stats import auroc
from sluicegate.pipeline import run

BASE = {"vocab_size": 4096, "model": {"layers": 4, "width": 192, "context": 512}}
BASE |= {"steps": 800, "batch_rows": 8, "row_tokens": 256}
QUICK = {"steps": 60}
SEEDS = {"pool": 7, "dev": 8}
"""Of the damage."""
LEAST_AUROC, LEAST_STRUCTURE, LEAST_CLEAN = 0.805, 0.945, 0.67
CHANCE = (0.48, 0.60)
MOST, MOST_WITH_GAIN = 1.2, 1.8
TOP = 0.2
GAIN, PEERS = "gate, context gain", ("gate", "reference", "perplexity", "length", "random")
MAX_LENGTH, BATCH_TOKENS = 2048, 8192
"""What `score` takes unless told otherwise."""
TIMED_ROWS, QUICK_ROWS, ROUNDS = 300, 60, 5


def main() -> int:
    """Make the rows, run the recipe, print the table; 5 where the data are not there."""
    args = arguments()
    if lost := missing(args.data):
        print(
            f"error: {args.data} has no {lost[0]}\nhint: name the folder of the public rows: --data DIR",
            file=sys.stderr,
        )
        return MissingError.exit_code
    folder = args.out / "real-text"
    write_rows(folder / "rows", args.data)
    steps = run(recipe(folder / "rows", args), folder)
    columns = joined(steps, args.part)
    found = {name: judge(columns[name], columns["fault"]) for name in (GAIN, *PEERS)}
    show(found)
    tell(found, overhead(steps, args), {"base_loss": clean_loss(columns), "reference_copy": reference(steps)})
    return 0


def arguments() -> argparse.Namespace:
    """`--quick`, `--data`, `--out`, and which pool is looked at."""
    found = parser(__doc__)
    found.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the public rows")
    found.add_argument("--out", type=Path, default=Path("runs/benchmarks"), help="where the runs stand")
    found.add_argument("--part", choices=SEEDS, default="pool", help="`dev`: the rows settings may be chosen on")
    return found.parse_args()


def write_rows(folder: Path, data: Path) -> None:
    """Half A, the trusted rows, and both pools with their faults."""
    folder.mkdir(parents=True, exist_ok=True)
    seen, unseen = halves(row for name, source in SOURCES.items() for row in source.rows(name, data))
    parts = draw(unseen)
    damaged = {part: damage(parts[part], seed) for part, seed in SEEDS.items()}
    for part, rows in {"half": seen, "trusted": parts["trusted"], **damaged}.items():
        write(folder / f"{part}.jsonl", rows)


def recipe(rows: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Everything the product does, with its own settings but for the size of the base."""

    def prepared(part: str) -> dict[str, Any]:
        return {"stage": "prepare", "sources": [{"path": str(rows / f"{part}.jsonl")}]}

    def warmed(gain: bool) -> dict[str, Any]:
        return {"stage": "warmup", "model": "base", "trusted": "trusted", "context_gain": gain}

    def scored(gate: str, signals: list[str]) -> dict[str, Any]:
        return {"stage": "score", "data": args.part, "gate": gate, "signals": signals}

    steps = {
        **{part: prepared(part) for part in ("half", "trusted", args.part)},
        "base": {"stage": "pretrain", "data": "half"} | BASE | (QUICK if args.quick else {}),
        "warmup": warmed(gain=False),
        "warmup-gain": warmed(gain=True),
        "scores": scored("warmup", list(PEERS)),
        "scores-gain": scored("warmup-gain", ["gate"]),
    }
    return {"vars": {}, "steps": steps}


def joined(steps: Mapping[str, Artifact], part: str) -> dict[str, list[Any]]:
    """Every signal's scores, and the fault of each row."""
    faults = {row["id"]: json.loads(row["meta"])["fault"] for row in steps[part].rows("messages", ["id", "meta"])}
    rows = list(steps["scores"].rows("scores"))
    with_gain = {row["id"]: row["gate"] for row in steps["scores-gain"].rows("scores", ["id", "gate"])}
    scores = {GAIN: [with_gain[row["id"]] for row in rows], **{name: [row[name] for row in rows] for name in PEERS}}
    return {"fault": [faults[row["id"]] for row in rows], **scores}


def judge(scores: Sequence[float], faults: Sequence[str]) -> dict[str, float]:
    """AUROC of clean rows against all faults, against each group and each fault; the share of clean rows on top."""

    def against(bad: Collection[str]) -> float:
        asked = [(score, fault == CLEAN) for score, fault in zip(scores, faults, strict=True) if fault in {CLEAN, *bad}]
        return auroc(*zip(*asked, strict=True))

    order = sorted(range(len(scores)), key=lambda i: -scores[i])[: int(TOP * len(scores))]
    groups = {"all": against(FAULTS), "structure": against(STRUCTURE), "numbers": against(NUMBERS)}
    top = {"P@20": statistics.mean(faults[i] == CLEAN for i in order)}
    return {k: round(v, 4) for k, v in (groups | top | {fault: against([fault]) for fault in FAULTS}).items()}


def show(found: Mapping[str, Mapping[str, float]]) -> None:
    """One line per signal."""
    table = Table("", *next(iter(found.values())), box=None)
    for signal, measures in found.items():
        table.add_row(signal, *(f"{value:.3f}" for value in measures.values()))
    Console(width=160).print(table)


def clean_loss(columns: Mapping[str, list[Any]]) -> float:
    """The base's mean loss on the responses of clean rows, in nats: how well it knows the domain."""
    rows = zip(columns["perplexity"], columns["fault"], strict=True)
    return statistics.mean(math.log(-score) for score, fault in rows if fault == CLEAN)


def reference(steps: Mapping[str, Artifact]) -> dict[str, Any] | None:
    """The tuned copy that the gate and the reference loss read; None where they read the base."""
    return json.loads((steps["warmup-gain"].path / "gate.json").read_text(encoding="utf-8"))["reference"]


def overhead(steps: Mapping[str, Artifact], args: argparse.Namespace) -> dict[str, float]:
    """Seconds of scoring rows that are tokenized already over those of a bare forward of them; median over rounds."""
    from sluicegate.models.gates.base import detach
    from sluicegate.models.gates.files import load_gates
    from sluicegate.models.load import load_plain
    from sluicegate.scoring.forward import Reader

    loaded = load_plain(steps["base"].path)
    records: Any = islice(steps[args.part].rows("messages"), QUICK_ROWS if args.quick else TIMED_ROWS)
    rows = loaded.encoder(MAX_LENGTH).encode_batch(list(records))
    gates = {"gate": (load_gates(steps["warmup"].path), False), GAIN: (load_gates(steps["warmup-gain"].path), True)}

    def score(name: str) -> None:
        Reader(loaded, *gates[name]).see(rows, BATCH_TOKENS, lambda n: None)
        detach(loaded.model)

    sides: dict[str, Callable[[], None]] = {"forward": partial(forward, loaded.model, rows, BATCH_TOKENS, head=True)}
    sides |= {name: partial(score, name) for name in gates}
    rounds = [timed(sides, turn) for turn in range(ROUNDS + 1)][1:]  # the first one warms up
    return {name: round(statistics.median(r[name] / r["forward"] for r in rounds), 3) for name in gates}


def tell(found: Mapping[str, Mapping[str, float]], cost: Mapping[str, float], more: Mapping[str, Any]) -> None:
    """The figure, and whether every bar holds."""
    ours = found[GAIN]
    finds = ours["all"] >= LEAST_AUROC and ours["structure"] >= LEAST_STRUCTURE and ours["P@20"] >= LEAST_CLEAN
    cheap = cost["gate"] <= MOST and cost[GAIN] <= MOST_WITH_GAIN
    holds = finds and cheap and CHANCE[0] <= ours["numbers"] <= CHANCE[1]
    bar = f"AUROC >= {LEAST_AUROC}, structure >= {LEAST_STRUCTURE}, P@20 >= {LEAST_CLEAN}, numbers in {CHANCE}"
    bar += f"; cost <= {MOST}x, with context gain <= {MOST_WITH_GAIN}x"
    name, peer = "gate_real_text", found["reference"]["all"]
    figure(name, ours["all"], peer, "AUROC", bar, holds, cost=cost, **more, measures=found)


if __name__ == "__main__":
    sys.exit(main())
