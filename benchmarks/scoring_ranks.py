"""Scoring by two ranks under torchrun against one process, one thread each: the same table, byte for byte.

The seconds are those of the whole command, start and merge included. One process scores before the ranks and again
after them, and the faster of the two counts.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from figure import figure
from gsm8k import arguments, draw, prepare

RANKS = 2
FULL = {"rows": 2000, "shard_rows": 50, "hidden": 128, "layers": 4, "vocab": 4096}
QUICK = {"rows": 120, "shard_rows": 20, "hidden": 64, "layers": 2, "vocab": 512}
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={RANKS}"]


def main() -> None:
    """Score on both sides; only the tables have a bar, for the speed-up hangs on who else uses the machine."""
    args = arguments(__doc__)
    size = argparse.Namespace(**(QUICK if args.quick else FULL))
    rows, which = draw(size.rows, args.data)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sizes = {"hidden": size.hidden, "layers": size.layers, "vocab": size.vocab}
        made = prepare(folder, {"pool": rows}, sizes)
        command = ["score", f"data={made / 'pool'}", f"gate={made / 'gate'}", "signals=[gate,perplexity]"]
        command += ["detail=tokens", f"shard_rows={size.shard_rows}"]
        before = seconds([], command, folder / "before")
        ranks = seconds(TORCHRUN, command, folder / "ranks")
        after = seconds([], command, folder / "after")
        same = table(folder / "before") == table(folder / "ranks") == table(folder / "after")
    one = min(before, after)
    more = {"ratio": one / ranks, "one": [round(before, 1), round(after, 1)], "rows": which, "n_rows": len(rows)}
    bar = f"the table of {RANKS} ranks byte-identical to that of one; the speed-up is only told"
    figure("scoring_ranks", ranks, one, "seconds", bar, same, **more)


def seconds(launcher: list[str], command: list[str], out: Path) -> float:
    """How long one run takes, each of its processes on one thread."""
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    began = time.perf_counter()
    subprocess.run([sys.executable, *launcher, "-m", "sluicegate", *command, f"out={out}"], check=True, env=env)
    return time.perf_counter() - began


def table(out: Path) -> bytes:
    """The table a run ended in."""
    return (out / "score" / "scores.parquet").read_bytes()


if __name__ == "__main__":
    main()
