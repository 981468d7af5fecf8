"""Twenty SIGKILLs at random moments of a scoring run; started again, each must end in the table of a run left alone.

The run reads two models, the gate's tuned copy and the base, and keeps every token's numbers. It is watched once, to
learn when it imports, scores, merges and seals; then each trial draws a phase by turns and a moment within it at
random, and what the dead run left on the disk says which phase it hit.
"""

from __future__ import annotations

import argparse
import collections
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from figure import figure
from gsm8k import made_up, prepare
from worlds import parser

TRACES = {
    "sealed": "scores-*/manifest.json",
    "sealing": ".scores-*/scores.parquet",
    "merging": ".scores-*/shards/scores.parquet",
    "scoring": ".scores-*/shards",
    "import": "",
}
"""Phase to what stands on the disk from its beginning on, the latest first; a kill in the first comes too late."""
PHASES = [*reversed(TRACES)]
POLL = 0.0005
"""Seconds between two looks at the disk."""
FULL = {"kills": 20, "rows": 600, "shard_rows": 4}
QUICK = {"kills": 4, "rows": 120, "shard_rows": 4}
SIZES = {"hidden": 64, "layers": 2, "vocab": 512}
SHARE = 0.3
"""How long rows are, of GSM8K's."""


def main() -> None:
    """Kill, start again, compare; then count where the kills landed."""
    args = parser(__doc__).parse_args()
    size = argparse.Namespace(**(QUICK if args.quick else FULL))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = prepare(folder, {"pool": made_up(size.rows, SHARE)}, SIZES, tuned=True)
        command = ["score", f"data={made / 'pool'}", f"gate={made / 'gate'}", "signals=[gate,perplexity]"]
        command += ["detail=tokens", f"shard_rows={size.shard_rows}"]
        begins = watch(command, folder / "whole")
        whole = table(folder / "whole")
        print(", ".join(f"{phase} begins at {at:.2f} s" for phase, at in begins.items()), flush=True)
        rng, hit, same = random.Random(0), collections.Counter[str](), 0
        for n in range(size.kills):
            phase = kill(command, folder / "killed", begins, PHASES[n % 4], rng.random())
            start(command, folder / "killed").wait()
            hit[phase] += 1
            same += table(folder / "killed") == whole
            print(f"kill {n + 1}: aimed at {PHASES[n % 4]}, hit {phase}, {same} of {n + 1} the same", flush=True)
            shutil.rmtree(folder / "killed", ignore_errors=True)
    bar = "every table byte-identical to that of a run left alone"
    more = {"hit": {phase: hit[phase] for phase in PHASES}, "seconds": begins}
    figure("scoring_kills", same, size.kills, "identical tables", bar, same == size.kills, **more)


def start(command: list[str], out: Path) -> subprocess.Popen[bytes]:
    """Begin to score into `out`, or go on."""
    whole = [sys.executable, "-m", "sluicegate", *command, f"out={out}"]
    return subprocess.Popen(whole, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def watch(command: list[str], out: Path) -> dict[str, float]:
    """Leave a run alone; the seconds at which each phase began."""
    began, begins = time.monotonic(), dict.fromkeys(PHASES[:1], 0.0)
    process = start(command, out)
    while process.poll() is None:
        begins.setdefault(phase_of(out), time.monotonic() - began)
        time.sleep(POLL)
    end = begins.get(PHASES[-1], time.monotonic() - began)
    found = {}
    for phase in reversed(PHASES):
        found[phase] = end = begins.get(phase, end)  # one too short to be seen begins with the next
    return {phase: round(found[phase], 3) for phase in PHASES}


def kill(command: list[str], out: Path, begins: dict[str, float], phase: str, share: float) -> str:
    """Run until a phase is seen and a share of its time has passed, or all of it, and kill; the phase it was."""
    at = PHASES.index(phase)
    process = start(command, out)
    while process.poll() is None and PHASES.index(phase_of(out)) < at:
        time.sleep(POLL)
    end = time.monotonic() + share * (begins[PHASES[at + 1]] - begins[phase])
    while time.monotonic() < end and phase_of(out) == phase:
        time.sleep(POLL)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return phase_of(out)


def phase_of(out: Path) -> str:
    """How far a run has come, by what stands on the disk."""
    return next(phase for phase, trace in TRACES.items() if not trace or any((out / "artifacts").glob(trace)))


def table(out: Path) -> bytes:
    """The table a run ended in."""
    return (out / "score" / "scores.parquet").read_bytes()


if __name__ == "__main__":
    main()
