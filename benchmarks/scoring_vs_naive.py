"""Scoring (gate and perplexity) against a scorer written the way it used to be done, on the same rows of GSM8K.

The old way reads each batch once, then each sample again alone twice, for its perplexity and for its gates; every
forward is padded to the longest row of the run and makes float32 logits of all its tokens. Both sides start from token
ids, carry the same gates (no context gain) and must give the same numbers. Ours is timed before and after the old way,
and the slower of the two counts.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from figure import figure
from gsm8k import arguments, draw, messages, save_qwen3

from sluicegate.models.encode import Encoded
from sluicegate.models.gates.base import Gate, Tokens, attach, detach, pooled, token_logits
from sluicegate.models.gates.surprise import N_SURPRISE, SurpriseGate, surprise_features
from sluicegate.models.load import Loaded, load
from sluicegate.schema import make_record
from sluicegate.scoring.forward import Reader

BAR, TOLERANCE = 8.0, 1e-4
THREADS, RANK = 2, 16
BATCH_ROWS, BATCH_TOKENS = 8, 8192
"""Rows of a batch of the old way; padded tokens of one of ours, as `score` has it unless told otherwise."""
FULL = {"rows": 2000, "hidden": 128, "layers": 4, "vocab": 4096}
QUICK = {"rows": 100, "hidden": 64, "layers": 2, "vocab": 1024}


def main() -> None:
    """Time both sides on every row; the bar holds only if they agree."""
    args = arguments(__doc__)
    size = argparse.Namespace(**(QUICK if args.quick else FULL))
    torch.set_num_threads(THREADS)
    texts, which = draw(size.rows, args.data)
    with tempfile.TemporaryDirectory() as folder:
        loaded = load(save_qwen3(Path(folder), texts, size.hidden, size.layers, size.vocab))
    rows = loaded.encoder(2048).encode_batch([make_record(messages(row), which, "en") for row in texts])
    gates = {n: SurpriseGate(size.hidden, RANK, N_SURPRISE) for n in range(size.layers)}
    score(loaded, gates, rows[: len(rows) // 10])  # warms up
    (ours, first), (theirs, naive), (_, second) = (timed(side, loaded, gates, rows) for side in (score, old_way, score))
    apart = ((ours - theirs).abs() / theirs.abs().clamp(min=1)).max().item()
    lengths = [len(row.ids) for row in rows]
    more = {"rows": which, "n_rows": len(rows), "tokens": sum(lengths), "longest": max(lengths), "apart": apart}
    sizes = f"{size.layers} layers of {size.hidden}, {size.vocab} words"
    model = f"Qwen3, {sizes}, {loaded.model.num_parameters():,} weights"
    took = max(first, second)
    bar = f">= {BAR:g}x faster, perplexities and gate scores equal to {TOLERANCE:g}"
    holds = naive / took >= BAR and apart <= TOLERANCE
    figure("scoring_vs_naive", took, naive, "seconds", bar, holds, ratio=naive / took, model=model, **more)


def timed(side: Any, *args: Any) -> tuple[torch.Tensor, float]:
    """What one side found, and the seconds it took."""
    start = time.perf_counter()
    found = side(*args)
    return found, time.perf_counter() - start


def score(loaded: Loaded, gates: dict[int, Gate], rows: Sequence[Encoded]) -> torch.Tensor:
    """Perplexity and gate score of each row, as `score` reads them: (N, 2)."""
    seen = Reader(loaded, gates).see(rows, BATCH_TOKENS, lambda n: None)
    detach(loaded.model)
    return torch.stack([torch.from_numpy(seen.loss).exp(), torch.from_numpy(seen.gate)], 1)


@torch.no_grad()
def old_way(loaded: Loaded, gates: dict[int, Gate], rows: Sequence[Encoded]) -> torch.Tensor:
    """The same numbers from three forwards per sample: (N, 2)."""
    attach(loaded.model, gates)
    longest, found = max(len(row.ids) for row in rows), []
    for first in range(0, len(rows), BATCH_ROWS):
        batch = rows[first : first + BATCH_ROWS]
        log_probabilities(loaded, batch, longest)
        for row in batch:
            loss, _ = surprise(log_probabilities(loaded, [row], longest)[0], row)
            perplexity = loss.mean().exp()
            found.append([perplexity.item(), gate_score(loaded, list(gates.values()), row, longest)])
    detach(loaded.model)
    return torch.tensor(found)


def log_probabilities(loaded: Loaded, batch: Sequence[Encoded], width: int) -> torch.Tensor:
    """Of every token of a batch padded to `width`, in float32: (B, T, V)."""
    pad = loaded.tokenizer.pad_token_id
    ids = torch.tensor([row.ids + [pad] * (width - len(row.ids)) for row in batch])  # (B, T)
    mask = torch.tensor([[1] * len(row.ids) + [0] * (width - len(row.ids)) for row in batch])  # (B, T)
    logits = loaded.model(ids.to(loaded.device), attention_mask=mask.to(loaded.device), use_cache=False).logits
    return logits.float().log_softmax(-1)


def surprise(log_p: torch.Tensor, row: Encoded) -> tuple[torch.Tensor, torch.Tensor]:
    """Loss and entropy of a row's response tokens (T,), from the log-probabilities (T, V) of all its tokens."""
    (start, end), *_ = row.spans
    before = log_p[start - 1 : end - 1]
    targets = torch.tensor(row.ids[start:end], device=log_p.device)
    return -before.gather(1, targets[:, None])[:, 0], -(before.exp() * before).sum(1)


def gate_score(loaded: Loaded, gates: Sequence[Gate], row: Encoded, width: int) -> float:
    """The gates' score of one row, from a forward of its own."""
    loss, entropy = surprise(log_probabilities(loaded, [row], width)[0], row)
    (start, end), *_ = row.spans
    position = torch.arange(start, end, device=loss.device)
    one = torch.zeros_like(position)
    z = token_logits(gates, Tokens(one, position, surprise_features(loss, entropy, one, None)))  # (L, T)
    return pooled(gates, z, one, 1).mean().item()


if __name__ == "__main__":
    main()
