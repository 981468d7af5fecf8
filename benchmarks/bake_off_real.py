"""The bake-off on real text: what each signal finds of nine faults planted in GSM8K and chains of thought, 4,000 rows.

The base, 2.6 M parameters, is pretrained on the rows of the same files that are not in the pool. It answers none of
these questions, so nothing is fine-tuned and no accuracy is told. The page goes to docs/bake_off_real.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from bake_off_world import DOCS, below
from figure import figure
from gate_real_text import BASE
from gate_real_text import QUICK as QUICK_BASE
from real_faults import NUMBERS, STRUCTURE, damage
from real_text import SOURCES, draw, halves, write
from rich.console import Console
from worlds import parser

from sluicegate.bake_off import expand
from sluicegate.errors import MissingError
from sluicegate.pipeline import run
from sluicegate.reporting.bake_off import markdown

USED = ("gsm8k", "ecqa", "strategyqa", "qasc")
PARTS, QUICK = {"pool": 4000, "trusted": 150}, {"pool": 300, "trusted": 60}
SEED = 7
BLEND = {"rule": "blend", "options": {"signals": {"gate": 1, "arithmetic": 1}}}
SIGNALS: dict[str, Any] = {
    "gate": {},
    "gate-and-arithmetic": {"step": {"signals": ["gate", "arithmetic"]}, "rules": {"blend": BLEND}},
    "boost": {},
    "reference": {},
    "rds": {},
    "probe": {},
    "less": {
        "step": {"stage": "influence", "warmup": {"learning_rate": 0.01}, "width": 1024},
        "rules": {"plain": {"rule": "top_k"}},  # nothing is trained, and one look at its choice is enough
    },
    "perplexity": {},
    "ifd": {"step": {"options": {"ifd": {"keep_unhelped": True}}}},
    "arithmetic": {},
    "length": {},
    "linear": {"signal": "gate", "step": {"gate": "warmup-linear"}},
    "trash": {"signal": "gate", "step": {"gate": "warmup-trash"}},
}
HEAD = """\
# The bake-off on real text

`python benchmarks/bake_off_real.py` makes this page. The pool is {pool:,} rows of GSM8K and of three sets of chains of
thought, {bad:.0%} of them damaged in nine ways, none of which is what a warm-up teaches; {trusted} other rows are
trusted. Six faults break a response as a whole
({structure});
three change one number, step or word ({numbers}).
The base is one of ours, 2.6 M parameters, pretrained on the other rows of these files. It is far too small to answer
their questions, so nothing was fine-tuned: **accuracy is out of reach here**, and which signal is worth training on is
told by the [built-in world](bake_off.md) alone. `excess` is missing: no copy tuned on half of the trusted rows, whole
or as a LoRA, came out clearly better than this base on the other half, so there was none to set against it; `reference`
reads the base for the same reason.
"""


def main() -> int:
    """Make the rows, run the bake-off, write the page; 5 where the data are not there."""
    args = _arguments()
    if lost := [SOURCES[name].file for name in USED if not (args.data / SOURCES[name].file).is_file()]:
        hint = "name the folder of the public rows: --data DIR"
        print(f"error: {args.data} has no {lost[0]}\nhint: {hint}", file=sys.stderr)
        return MissingError.exit_code
    folder = args.out / "bake-off-real"
    _write_rows(folder / "rows", args)
    verdict = run(expand(_recipe(folder / "rows", args)), folder)["verdict"]
    summary = json.loads((verdict.path / "summary.json").read_text(encoding="utf-8"))
    Console(width=180).print({found["signal"]: found["auroc"] for found in summary["signals"]})
    if not args.quick:
        (DOCS / "bake_off_real.md").write_text(f"{_head(summary)}\n{below(markdown(summary))}", encoding="utf-8")
    auroc = {found["signal"]: found["auroc"] for found in summary["signals"]}
    others = max((value, name) for name, value in auroc.items() if not name.startswith("gate"))
    bar, holds = "the gate above every other signal", auroc["gate"] > others[0]
    figure("bake_off_real", auroc["gate"], others[0], "AUROC", bar, holds, peer_is=others[1], auroc=auroc)
    return 0


def _arguments() -> argparse.Namespace:
    found = parser(__doc__)
    found.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the public rows")
    found.add_argument("--out", type=Path, default=Path("runs/benchmarks"), help="where the runs stand")
    return found.parse_args()


def _write_rows(folder: Path, args: argparse.Namespace) -> None:
    """The pool with its faults, the trusted rows, and what the base is pretrained on: no question is in two of them."""
    folder.mkdir(parents=True, exist_ok=True)
    seen, unseen = halves(row for name in USED for row in SOURCES[name].rows(name, args.data))
    parts = draw(unseen, QUICK if args.quick else PARTS)
    parts = {"half": seen, "trusted": parts["trusted"], "pool": damage(parts["pool"], SEED)}
    for part, rows in parts.items():
        write(folder / f"{part}.jsonl", rows)


def _recipe(rows: Path, args: argparse.Namespace) -> dict[str, Any]:
    def prepared(part: str) -> dict[str, Any]:
        return {"stage": "prepare", "sources": [{"path": str(rows / f"{part}.jsonl")}]}

    warmup = {"stage": "warmup", "model": "base"}
    steps = {
        **{part: prepared(part) for part in ("half", "trusted", "pool")},
        "base": {"stage": "pretrain", "data": "half"} | BASE | (QUICK_BASE if args.quick else {}),
        "warmup": warmup | {"trusted": "trusted"},
        "warmup-linear": warmup | {"kind": "linear", "data": "pool"},
        "warmup-trash": warmup | {"kind": "trash", "data": "pool"},
    }
    bench = {"title": "Real text", "data": "pool", "model": "base", "trusted": "trusted", "gate": "warmup"}
    return {"vars": {}, "steps": steps, "bench": bench | {"signals": SIGNALS}}


def _head(summary: dict[str, Any]) -> str:
    faults = summary["pool"]["faults"]
    bad = 1 - faults["clean"] / sum(faults.values())
    return HEAD.format(
        **PARTS, bad=bad, structure=", ".join(f"`{f}`" for f in STRUCTURE), numbers=", ".join(f"`{f}`" for f in NUMBERS)
    )


if __name__ == "__main__":
    sys.exit(main())
