"""Rows per second and memory of `prepare` against the pipeline one would write: `datasets.map`, then `datasketch`.

Both read the same JSONL of made-up rows, a tenth of them exact copies and a tenth near ones, with as many processes,
and write Parquet. Both normalise every turn, tell the language, hash the conversation, and take out exact copies and
near ones (3-grams of words, 128 permutations, threshold 0.8). `prepare` counts every row, writes down those it leaves
out, and compares near copies by their whole signatures, which the other side does not. Each runs in a process of its
own; its memory is the proportional set size of that and all its children, the greatest sum ever seen.

`--rows 1000000` is the measure the memory is held to; a run with fewer says how many.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import random
import re
import tempfile
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

from figure import figure
from worlds import parser

FULL, QUICK = 200_000, 4000
RATIO, MEMORY = 3.0, 2**30
"""The bars: rows per second over the other's, and bytes."""
COPIES, NEAR = 0.1, 0.1
PERMUTATIONS, THRESHOLD, NGRAM = 128, 0.8, 3
SCHEME: Literal["affine32"] = "affine32"
"""The fastest hashes `datasketch` has, and what it takes by itself."""
LATIN_CHARS = 300
"""Characters the language is told by: as few as `prepare` reads of them."""
TEMPLATES = [
    "The {} of the {} was {} when they had {} it, so there were {} left.",
    "How many {} does the {} have after {} days if each of them gives {} to a {}?",
    "She said that {} is more than {}, but not as much as the {} her {} had with {}.",
    "First we add {} and {}, then take the {} from what is left of the {} and {}.",
]
SYLLABLES = ["ba", "den", "fi", "gor", "ka", "lim", "mo", "nes", "pu", "ran", "sil", "to", "ve", "wan", "yo", "zet"]


def main() -> None:
    """Measure both sides on the same file."""
    found = parser(__doc__)
    found.add_argument("--rows", type=int, default=0, help=f"how many (default {FULL:,}, with --quick {QUICK:,})")
    found.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)), help="processes of either side")
    args = found.parse_args()
    n = args.rows or (QUICK if args.quick else FULL)
    with tempfile.TemporaryDirectory() as name:
        pool = write(Path(name) / "pool.jsonl", n)
        ours = measured(by_prepare, pool, Path(name) / "ours", args.cores)
        peer = measured(by_datasets, pool, Path(name) / "peer", args.cores)
    ratio = ours["rows_per_s"] / peer["rows_per_s"]
    bar = f">= {RATIO:.0f}x the rows/s, and < {MEMORY >> 30} GB in all processes at 1,000,000 rows"
    more = {"rows": n, "cores": args.cores, "ours_in_full": ours, "peer_in_full": peer}
    holds = ratio >= RATIO and ours["peak_gb"] * 2**30 < MEMORY
    figure("prepare_vs_datasets", ours["rows_per_s"], peer["rows_per_s"], "rows/s", bar, holds, **more)


# The rows -----------------------------------------------------------------------------------------------------------


def write(path: Path, n: int) -> Path:
    """So many rows, each of two turns of some sentences; one seed, so the first rows of more are the same."""
    rng, seen = random.Random(0), [made_up(random.Random(1))]
    with path.open("w", encoding="utf-8") as file:
        for _ in range(n):
            chance = rng.random()
            row = made_up(rng) if chance >= COPIES + NEAR else list(rng.choice(seen))
            if COPIES <= chance < COPIES + NEAR:
                row[1] = row[1].replace("they", "we", 1) + " Done."
            if chance >= COPIES + NEAR and len(seen) < 10_000:
                seen.append(row)
            file.write(json.dumps({"prompt": row[0], "completion": row[1]}) + "\n")
    return path


def made_up(rng: random.Random) -> list[str]:
    """A question of two sentences and an answer of four to eight, as long as those of GSM8K."""
    words = ["".join(rng.choices(SYLLABLES, k=rng.randint(1, 3))) for _ in range(24)]
    words += [str(rng.randint(2, 99)) for _ in range(8)]
    return [" ".join(sentence(rng, words) for _ in range(k)) for k in (2, rng.randint(4, 8))]


def sentence(rng: random.Random, words: list[str]) -> str:
    """A template with words in it."""
    return rng.choice(TEMPLATES).format(*rng.choices(words, k=5))


# The two sides ------------------------------------------------------------------------------------------------------


def by_prepare(pool: Path, out: Path, cores: int) -> int:
    """The stage, as a recipe runs it; returns the rows kept."""
    from sluicegate.config import build
    from sluicegate.stages.prepare import Prepare

    near = {"threshold": THRESHOLD, "ngram": NGRAM, "permutations": PERMUTATIONS}
    options = {"sources": str(pool), "dedup": "near", "near": near, "workers": cores}
    return Prepare().fill(out, build(Prepare.Config, options), {})["rows"]


def by_datasets(pool: Path, out: Path, cores: int) -> int:
    """`map` over all cores, then one pass through an LSH index; returns the rows kept."""
    import datasets
    from datasketch import MinHash, MinHashLSH

    datasets.disable_progress_bars()
    rows: Any = datasets.load_dataset("json", data_files=str(pool), split="train", cache_dir=str(out))
    rows = rows.map(tidied, num_proc=cores, remove_columns=rows.column_names)
    seen, index, kept = set(), MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS), []
    for at, row in enumerate(rows.select_columns(["id", "signature"]).with_format("numpy")):
        if row["id"] in seen:
            continue
        seen.add(row["id"])
        signature = MinHash(num_perm=PERMUTATIONS, hashvalues=row["signature"], scheme=SCHEME)
        if not index.query(signature):
            index.insert(at, signature)
            kept.append(at)
    rows.select(kept).remove_columns("signature").to_parquet(str(out / "messages.parquet"))
    return len(kept)


def tidied(row: dict[str, str]) -> dict[str, Any]:
    """What one would write for one row."""
    import py3langid
    from datasketch import MinHash

    turns = [unicodedata.normalize("NFC", row[key]).replace("\u3000", " ").strip() for key in ("prompt", "completion")]
    words = re.findall(r"\w+", "\n".join(turns).lower())
    signature = MinHash(num_perm=PERMUTATIONS, scheme=SCHEME)
    signature.update_batch({" ".join(words[at : at + NGRAM]).encode() for at in range(max(1, len(words) - NGRAM + 1))})
    messages = [{"role": role, "content": text} for role, text in zip(("user", "assistant"), turns, strict=True)]
    return {
        "id": hashlib.sha256(json.dumps(messages).encode()).hexdigest()[:16],
        "lang": py3langid.classify(turns[1][:LATIN_CHARS])[0],
        "messages": messages,
        "n_chars": sum(map(len, turns)),
        "signature": signature.hashvalues,
    }


# Measuring ----------------------------------------------------------------------------------------------------------


def measured(side: Callable[[Path, Path, int], int], pool: Path, out: Path, cores: int) -> dict[str, Any]:
    """Seconds, rows per second, rows kept and peak memory of one side, in a process of its own."""
    out.mkdir()
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=run, args=(side, pool, out, cores, there))
    process.start()
    there.close()
    peak, watch = [0], threading.Event()
    watcher = threading.Thread(target=keep_peak, args=(process.pid, peak, watch))
    watcher.start()
    try:
        kept, seconds = here.recv()
    finally:
        watch.set()
        watcher.join()
        process.join()
    with pool.open("rb") as file:
        n = sum(1 for _ in file)
    told = {"rows_per_s": n / seconds, "seconds": seconds, "kept": kept, "peak_gb": peak[0] / 2**30}
    return {name: float(f"{value:.4g}") for name, value in told.items()}


def run(side: Callable[[Path, Path, int], int], pool: Path, out: Path, cores: int, there: Any) -> None:
    """In the process that is measured; what it imports is not."""
    start = time.perf_counter()
    there.send((side(pool, out, cores), time.perf_counter() - start))


def keep_peak(root: int, peak: list[int], done: threading.Event) -> None:
    """Look at the memory of a process and its children four times a second."""
    while not done.wait(0.25):
        peak[0] = max(peak[0], sum(map(memory, family(root))))


def family(root: int) -> Iterator[int]:
    """A process, its children and theirs."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents.setdefault(int(stat.read_text().rpartition(")")[2].split()[1]), []).append(int(stat.parent.name))
        except OSError:
            continue
    todo = [root]
    while todo:
        todo += parents.get(pid := todo.pop(), [])
        yield pid


def memory(pid: int) -> int:
    """Bytes of a process, those that it shares divided by those who share them; 0 of one that is gone."""
    try:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    except OSError:
        return 0
    return sum(int(kb) * 1024 for kb in re.findall(r"^Pss: +(\d+) kB", told, re.MULTILINE))


if __name__ == "__main__":
    main()
