"""Ten million rows ranked on one core: seconds of each rule, against NumPy's stable argsort of the same column.

Timed is what the `select` stage does in memory: copies are found, and every row is given its decision, rank and reason.
Each rule runs in a fresh process on rows of 16 hex digits, of which one in a hundred has no score; the peak is that of
the whole process, rows included. The whole stage is timed too, from tables on the disk to tables on the disk. Seconds
are those the processor worked, in all threads together: what a core would take that is shared with nobody.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from figure import figure
from scoring_memory import fresh, in_gb, peak
from worlds import parser

LIMIT = 15.0
"""Seconds that `top_k` may take."""
FULL = {"rows": 10_000_000, "stage_rows": 1_000_000}
QUICK = {"rows": 200_000, "stage_rows": 20_000}
RULES: dict[str, dict[str, Any]] = {
    "top_k": {},
    "threshold": {"at_least": 0.0},
    "random": {},
    "quota": {"per": "source"},
    "blend": {"signals": {"gate": 2.0, "reference": 1.0}},
    "targets": {},
}
KEEP, N_SOURCES, N_TARGETS = 0.1, 12, 8


def main() -> None:
    """Time every rule, then the stage; the figure is that of `top_k`."""
    args = parser(__doc__).parse_args()
    size = argparse.Namespace(**(QUICK if args.quick else FULL))
    argsort = fresh(sort, size.rows)
    rules = {}
    for name in RULES:
        rules[name] = fresh(rank, name, size.rows)
        print(f"{name}: {rules[name]}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        fresh(write, Path(folder), size.stage_rows)
        stage = fresh(select, Path(folder)) | {"rows": size.stage_rows}
    ours = rules["top_k"]["seconds"]
    bar = f"{size.rows:,} rows by top_k in < {LIMIT:g} s on one core"
    figure("ranking", ours, argsort, "seconds", bar, ours < LIMIT, rules=rules, stage=stage)


def ids(rows: int) -> np.ndarray:
    """Different ones, in no order."""
    numbers = np.random.default_rng(0).integers(0, 2**64, rows, dtype=np.uint64)
    return np.frombuffer(numbers.tobytes().hex().encode(), dtype="S16").astype(str)


def column(rows: int, seed: int = 1) -> np.ndarray:
    """Scores, (N,) float32; one in a hundred is missing."""
    rng = np.random.default_rng(seed)
    score = rng.standard_normal(rows, dtype=np.float32)
    score[rng.integers(0, rows, rows // 100)] = np.nan
    return score


def sources(rows: int) -> np.ndarray:
    """Some larger than others."""
    names = np.array([f"source {n}" for n in range(N_SOURCES)], dtype=object)
    return names[np.random.default_rng(2).binomial(N_SOURCES - 1, 0.3, rows)]


def sort(rows: int) -> float:
    """Seconds of NumPy's argsort of the column."""
    score = column(rows)
    start = time.process_time()
    np.argsort(-score, kind="stable")
    return time.process_time() - start


def rank(name: str, rows: int) -> dict[str, float]:
    """Seconds of a rule, and the peak in GB."""
    from sluicegate.config import build
    from sluicegate.registry import RULES as KNOWN
    from sluicegate.selection.base import Pool

    score = column(rows)
    columns = {"gate": score, "gate_why": np.where(np.isnan(score), "cut", "").astype(object)}
    rule = KNOWN.get(name)(build(KNOWN.get(name).Config, {"fraction": KEEP, **RULES[name]}))
    made = {
        "source": lambda: sources(rows),
        "reference": lambda: column(rows, 3),
        "gate_targets": lambda: np.random.default_rng(4).standard_normal((rows, N_TARGETS), dtype=np.float32),
    }
    columns |= {name: made[name]() for name in rule.columns("gate") if name not in columns}
    pool = Pool(ids(rows), columns, by="gate")
    before, start = peak(), time.process_time()
    rule.select(pool, pool.copies())
    return {"seconds": round(time.process_time() - start, 2), "rows_gb": in_gb(before), "peak_gb": in_gb(peak())}


# The stage


def write(folder: Path, rows: int) -> None:
    """Messages of one question and one answer each, and their scores."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from sluicegate.testing import sealed

    own = {"id": ids(rows), "source": sources(rows)}
    turns = np.array([[f"What is {n} and {n}?", f"It is {2 * n}."] for n in range(rows)], dtype=object).ravel()
    chat = pa.StructArray.from_arrays([pa.array(["user", "assistant"] * rows), pa.array(turns)], ["role", "content"])
    messages = pa.ListArray.from_arrays(np.arange(0, 2 * rows + 1, 2, dtype=np.int32), chat)
    score = column(rows)
    scores = own | {"gate": score, "gate_why": np.where(np.isnan(score), "cut", ""), "n_label_tokens": np.full(rows, 9)}
    data = sealed(folder, "messages", _writer("messages", pa.table(own | {"messages": messages}), pq))
    sealed(folder, "scores", _writer("scores", pa.table(scores), pq), {"data": data})


def _writer(name: str, table: Any, parquet: Any) -> Any:
    return lambda out: parquet.write_table(table, out / f"{name}.parquet")


def select(folder: Path) -> dict[str, float]:
    """Seconds of the stage, and the peak in GB."""
    from sluicegate.artifacts import Store
    from sluicegate.config import build
    from sluicegate.stages.select import Select

    store = Store(folder)
    scores = next(store.open(one) for one in store.ids() if one.startswith("scores"))
    config = build(Select.Config, {"by": "gate", "options": {"fraction": KEEP}})
    (folder / "out").mkdir()
    start = time.process_time()
    Select().fill(folder / "out", config, {"scores": scores})
    return {"seconds": round(time.process_time() - start, 2), "peak_gb": in_gb(peak())}


if __name__ == "__main__":
    main()
