"""Scoring (gate and perplexity) over a bare forward of the same batches, without and with the context gain.

Ours is everything `score` does to rows that are tokenized already: padding, the decoder with its gates, loss and
entropy of the response tokens, prompt states, gate scores. The bare forward is `model(input_ids, attention_mask)`,
padding and logits included. It makes logits for every token and scoring only for response tokens, so the decoder alone,
without any logits, stands beside it. All sides take turns on the same batches; the ratio is the median over rounds.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import torch
from figure import figure
from worlds import parser

from sluicegate.models.encode import Encoded, collate, length_batches
from sluicegate.models.gates.base import detach
from sluicegate.models.gates.surprise import N_CONTEXT_GAIN, N_SURPRISE, SurpriseGate
from sluicegate.models.load import Loaded
from sluicegate.runtime import pick_device, pick_dtype
from sluicegate.scoring.forward import Reader

BAR, GAIN_BAR = 1.2, 1.8
THREADS, HEADER = 2, 4
FULL = {"hidden": 512, "layers": 8, "vocab": 32768, "rows": 32, "batch_tokens": 2048, "rounds": 5}
QUICK = {"hidden": 256, "layers": 4, "vocab": 8192, "rows": 48, "batch_tokens": 2048, "rounds": 3}
RANK = 16


def main() -> None:
    """Time all sides in turns."""
    args = parser(__doc__).parse_args()
    size = argparse.Namespace(**(QUICK if args.quick else FULL))
    torch.set_num_threads(THREADS)
    model, rows = qwen3(size), draw_rows(size)
    sides = {
        "forward": lambda: forward(model, rows, size.batch_tokens, head=True),
        "decoder": lambda: forward(model, rows, size.batch_tokens, head=False),
        "scoring": lambda: score(model, rows, size, context_gain=False),
        "with_gain": lambda: score(model, rows, size, context_gain=True),
    }
    rounds = [timed(sides, turn) for turn in range(size.rounds + 1)][1:]  # the first one warms up
    took = {name: statistics.median(r[name] for r in rounds) for name in sides}
    ratio = {name: statistics.median(r[name] / r["forward"] for r in rounds) for name in ("scoring", "with_gain")}
    body = statistics.median(r["scoring"] / r["decoder"] for r in rounds)
    labels = sum(row.n_label for row in rows) / sum(len(row.ids) for row in rows)
    more = {"ratio": ratio["scoring"], "with_gain": ratio["with_gain"], "over_decoder": body, "response_share": labels}
    bar = f"<= {BAR}; with context gain <= {GAIN_BAR}"
    holds = ratio["scoring"] <= BAR and ratio["with_gain"] <= GAIN_BAR
    figure("scoring_overhead", took["scoring"], took["forward"], "seconds", bar, holds, **more, seconds=took)


def qwen3(size: Any) -> Any:
    """A Qwen3 of random weights."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(0)
    sizes = {"hidden_size": size.hidden, "intermediate_size": 3 * size.hidden, "num_hidden_layers": size.layers}
    heads = {"num_attention_heads": size.hidden // 64, "num_key_value_heads": size.hidden // 128, "head_dim": 64}
    model = Qwen3ForCausalLM(Qwen3Config(vocab_size=size.vocab, **sizes, **heads, tie_word_embeddings=True))
    device = pick_device()
    return model.to(device, pick_dtype(device)[0]).eval()


def draw_rows(size: Any) -> list[Encoded]:
    """Prompts of 80 tokens and responses of 160 in the median, log-normal as those of instruction data are."""
    rng = random.Random(0)
    rows = []
    for n in range(size.rows):
        prompt, response = (min(1000, 1 + round(rng.lognormvariate(m, 0.7))) + HEADER for m in (4.38, 5.08))
        ids = [rng.randrange(size.vocab) for _ in range(prompt + response)]
        rows.append(Encoded(str(n), ids, [(prompt, prompt + response)], HEADER, 0))
    return rows


@torch.no_grad()
def forward(model: Any, rows: list[Encoded], batch_tokens: int, head: bool) -> None:
    """What reading the rows costs anyone: the model's logits, or only its last hidden states."""
    device = next(model.parameters()).device
    for places in length_batches([len(row.ids) for row in rows], batch_tokens=batch_tokens):
        batch = collate([rows[i] for i in places], pad_id=0)
        read = model if head else model.model
        read(batch["input_ids"].to(device), attention_mask=batch["attention_mask"].to(device), use_cache=False)


def score(model: Any, rows: list[Encoded], size: Any, context_gain: bool) -> None:
    """One pass of `score` over a shard."""
    n_surprise = N_SURPRISE + N_CONTEXT_GAIN * context_gain
    gates = {n: SurpriseGate(size.hidden, RANK, n_surprise) for n in range(size.layers)}
    loaded = Loaded(model, SimpleNamespace(pad_token_id=0))  # type: ignore[arg-type]
    Reader(loaded, gates, context_gain).see(rows, size.batch_tokens, lambda n: None)
    detach(model)


def timed(sides: dict[str, Callable[[], None]], turn: int) -> dict[str, float]:
    """Seconds of every side, each round in another order."""
    names = list(sides)
    random.Random(turn).shuffle(names)
    took = {}
    for name in names:
        start = time.perf_counter()
        sides[name]()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        took[name] = time.perf_counter() - start
    return took


if __name__ == "__main__":
    main()
