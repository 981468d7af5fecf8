"""What a newcomer waits for: the demo after install on two cores, its second run, `sluice --help` and `sluice ls`.

Each is timed as a process of its own, against the longest wait the house allows itself.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from figure import figure
from worlds import QUICK, parser

CORES, REPEATS = 2, 5
LIMITS = {"demo": 300.0, "again": 20.0, "help": 0.5, "ls": 1.0}
"""Seconds."""
SLUICE = Path(sys.executable).parent / "sluice"


def main() -> None:
    """Time all four; the figure is the demo's."""
    args = parser(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as out:
        demo = ["run", "demo", f"out={out}", *(QUICK if args.quick else [])]
        took = {"demo": seconds(*demo), "again": seconds(*demo)}
    for name, verb in (("help", "--help"), ("ls", "ls")):
        took[name] = statistics.median(seconds(verb) for _ in range(REPEATS))
    limit = ", ".join(f"{name} < {most:g} s" for name, most in LIMITS.items())
    holds = all(took[name] < most for name, most in LIMITS.items())
    figure("first_run", took["demo"], LIMITS["demo"], "seconds", limit, holds, also=took)


def seconds(*verb: str) -> float:
    """How long one command takes on two cores."""
    env = os.environ | {"OMP_NUM_THREADS": str(CORES)}
    start = time.perf_counter()
    subprocess.run([SLUICE, *verb], check=True, env=env, preexec_fn=_on_two_cores, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def _on_two_cores() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])


if __name__ == "__main__":
    main()
