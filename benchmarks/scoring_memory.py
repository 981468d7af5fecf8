"""The memory that scoring takes and the room its tables take; each is measured in a fresh process.

Rows: the peak of scoring 10,000 rows and 100,000, with every token's numbers kept. Vocabulary: the peak of reading 8
rows of 1,024 tokens, all of them response, with a model of 151,936 words, against a float32 log-softmax of all logits;
where the machine has no room for that, it is measured on fewer rows and scaled, and `naive_rows` says on how many.
Disk: the bytes of a table per response token for each `detail`, with 8 gated layers on rows of GSM8K.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, get_args

from figure import figure
from gsm8k import arguments, draw, made_up, prepare

from sluicegate.pipeline import load_lock, run
from sluicegate.scoring.detail import Detail

GROWTH, SHARE_OF_STATES, ROOM = 1.1, 1.5, 2**30
"""The bars: peak over peak; peak under so many times model and states, and so many bytes."""
FULL = {"few": 10_000, "many": 100_000, "disk": 1000, "vocab": 151_936, "batch": 8}
QUICK = {"few": 200, "many": 400, "disk": 60, "vocab": 20_000, "batch": 2}
SHARE = 0.2
"""How long the rows are whose number grows, of GSM8K's."""
TOKENS, WIDTH = 1024, 256
"""Of a row, and of the states of the model, that the vocabulary is measured with."""
STATUS = Path("/proc/self/status")


def main() -> None:
    """Measure all three; both peaks have a bar."""
    args = arguments(__doc__)
    size = argparse.Namespace(**(QUICK if args.quick else FULL))
    with tempfile.TemporaryDirectory() as name:
        rows, disk = growth(Path(name) / "rows", size), on_disk(Path(name) / "disk", size, args.data)
    words = vocabulary(size)
    grew = rows["many"] / rows["few"]
    holds = grew < GROWTH and words["peak"] < words["bar"]
    bar = f"< {GROWTH}x from {size.few:,} to {size.many:,} rows; {size.vocab:,} words: "
    bar += f"< {SHARE_OF_STATES} x (model + hidden states) + {ROOM >> 30} GB"
    more = {"bytes_per_token": disk, "words": {k: v if k == "naive_rows" else in_gb(v) for k, v in words.items()}}
    figure("scoring_memory", in_gb(rows["many"]), in_gb(rows["few"]), "GB", bar, holds, ratio=grew, **more)


def in_gb(n: int) -> float:
    """Bytes as they are told."""
    return round(n / 2**30, 3)


def fresh(work: Any, *args: Any) -> Any:
    """What a function returns in a process of its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
        return alone.submit(work, *args).result()


def peak() -> int:
    """Bytes this process has held at most."""
    if not STATUS.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # of macOS, in bytes
    # On Linux `ru_maxrss` begins with what the parent held; this does not.
    kilobytes = next(line.split()[1] for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(kilobytes) << 10


# Rows and disk


def growth(folder: Path, size: argparse.Namespace) -> dict[str, int]:
    """The peak of scoring few rows and many."""
    rows = made_up(size.many, SHARE)
    pools = {"few": rows[: size.few], "many": rows}
    out = fresh(prepare, folder, pools, {"hidden": 64, "layers": 2, "vocab": 1024})
    return {name: fresh(score, out, name, "tokens")["peak"] for name in pools}


def on_disk(folder: Path, size: argparse.Namespace, data: Path) -> dict[str, Any]:
    """Bytes per response token for each detail, and which rows it was."""
    rows, which = draw(size.disk, data)
    out = fresh(prepare, folder, {"pool": rows}, {"hidden": 128, "layers": 8, "vocab": 4096})
    found = {detail: fresh(score, out, "pool", detail) for detail in get_args(Detail)}
    return {"rows": which} | {detail: round(one["bytes"] / one["tokens"], 2) for detail, one in found.items()}


def score(out: Path, pool: str, detail: Detail) -> dict[str, int]:
    """Score a pool; the peak until then, the table's bytes and its response tokens."""
    step = {"stage": "score", "data": pool, "gate": "gate", "signals": ["gate", "perplexity"], "detail": detail}
    (made,) = run({"vars": {}, "steps": {f"{pool}-{detail}": step}}, out, load_lock(out)).values()
    room = (made.path / "scores.parquet").stat().st_size
    return {"peak": peak(), "bytes": room, "tokens": made.stats["label_tokens"]}


# Vocabulary


def vocabulary(size: argparse.Namespace) -> dict[str, int]:
    """Peaks of both ways to read one batch, what the model and its states take, and the bar."""
    ours = fresh(read_in_chunks, size.vocab, size.batch)
    naive = fresh(read_naively, size.vocab, size.batch)
    bar = round(SHARE_OF_STATES * ours["model_and_states"]) + ROOM
    return {**ours, "bar": bar, "naive": naive["peak"], "naive_rows": naive["rows"]}


def read_in_chunks(vocab: int, n_rows: int) -> dict[str, int]:
    """The peak of `read`, of the imports alone, and the bytes of the model with the states (B, T, H) of the batch."""
    from sluicegate.models.encode import Encoded
    from sluicegate.models.surprise import read

    imports, model = qwen3(vocab)
    read(model, [Encoded(str(n), ids(vocab, n), [(1, TOKENS)], 0, 0) for n in range(n_rows)], 0)
    states = n_rows * TOKENS * WIDTH * 4
    weights = sum(p.numel() * p.element_size() for p in model.parameters())
    return {"peak": peak(), "imports": imports, "model_and_states": weights + states}


def read_naively(vocab: int, n_rows: int) -> dict[str, int]:
    """The peak of a log-softmax of all logits: that of fewer rows, scaled, where all have no room; and of how many."""
    import psutil
    import torch

    _, model = qwen3(vocab)
    before = peak()
    per_row = 2 * TOKENS * vocab * 4  # logits, and their log-softmax
    rows = max(1, min(n_rows, int(0.7 * psutil.virtual_memory().available / per_row)))
    with torch.no_grad():
        batch = torch.tensor([ids(vocab, n) for n in range(rows)])  # (B, T)
        log_p = model(batch, use_cache=False).logits.float().log_softmax(-1)  # (B, T, V)
        log_p[:, :-1].gather(-1, batch[:, 1:, None])
    return {"peak": before + (peak() - before) * n_rows // rows, "rows": rows}


def ids(vocab: int, n: int) -> list[int]:
    """The tokens of a row."""
    return [(n + 1) * 7919 * i % vocab for i in range(TOKENS)]


def qwen3(vocab: int) -> tuple[int, Any]:
    """The peak before, and a Qwen3 of random weights whose head is most of it."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    before = peak()
    torch.manual_seed(0)
    sizes = {"hidden_size": WIDTH, "intermediate_size": 3 * WIDTH, "num_hidden_layers": 2, "head_dim": 64}
    heads = {"num_attention_heads": WIDTH // 64, "num_key_value_heads": WIDTH // 128}
    return before, Qwen3ForCausalLM(Qwen3Config(vocab_size=vocab, **sizes, **heads, tie_word_embeddings=True)).eval()


if __name__ == "__main__":
    main()
