"""Tokens per second of our generation over transformers' `generate`: the same weights, prompts and key-value cache.

The model is the GPT from scratch. Greedy, one prompt alone and a batch of sixteen of unlike length; no reply may end
before its last token, so both sides write as many. The sides take turns; the ratio is the median over rounds.
"""

from __future__ import annotations

import argparse
import random
import statistics
from types import SimpleNamespace
from typing import Any

import torch
from figure import figure
from random_gpt import random_gpt, timed
from transformers import GenerationConfig
from worlds import parser

from sluicegate.models import generate as generation
from sluicegate.models.generate import Batch, _pad_left
from sluicegate.models.load import Loaded
from sluicegate.models.sampling import Sampling

BAR, THREADS, NEVER = 1.0, 2, 0
FULL = {"hidden": 512, "layers": 8, "vocab": 8192, "new": 128, "rounds": 5}
QUICK = {"hidden": 96, "layers": 3, "vocab": 768, "new": 64, "rounds": 3}


def main() -> None:
    """Time both sides in turns."""
    args = parser(__doc__).parse_args()
    size = argparse.Namespace(**(QUICK if args.quick else FULL))
    torch.set_num_threads(THREADS)
    generation._end_tokens = lambda _: set()  # no reply may end early
    model, draw = random_gpt(size.vocab, size.hidden, size.layers, NEVER), random.Random(0)
    batches = {n: [some_tokens(draw, size.vocab) for _ in range(n)] for n in (1, 16)}
    ratios, rates = {}, {}
    for n, prompts in batches.items():
        assert ours(model, prompts, size.new) == peer(model, prompts, size.new), "both sides say the same"
        rounds = [
            (timed(ours, model, prompts, size.new), timed(peer, model, prompts, size.new)) for _ in range(size.rounds)
        ]
        ratios[n] = statistics.median(theirs / mine for mine, theirs in rounds)
        rates[n] = [n * size.new / statistics.median(side) for side in zip(*rounds, strict=True)]
    more = {"ratio": ratios[16], "ratio_of_one": ratios[1], "one": rates[1]}
    figure("generation", *rates[16], "tokens/s", f">= {BAR}", min(ratios.values()) >= BAR, **more)


def some_tokens(draw: random.Random, vocab: int) -> list[int]:
    """A prompt."""
    return [draw.randrange(1, vocab) for _ in range(draw.randint(8, 96))]


def ours(model: Any, prompts: list[list[int]], new: int) -> list[list[int]]:
    """The tokens our loop writes."""
    nobody: Any = SimpleNamespace(pad_token_id=NEVER)  # no text is asked for
    batch = Batch(Loaded(model, nobody), prompts, Sampling(max_new_tokens=new), new, range(len(prompts)))
    for _ in batch:
        pass
    return [written.ids for written in batch.written]


@torch.inference_mode()
def peer(model: Any, prompts: list[list[int]], new: int) -> list[list[int]]:
    """Those of transformers."""
    ids, mask = _pad_left(prompts, NEVER)
    settings = GenerationConfig(do_sample=False, max_new_tokens=new, pad_token_id=NEVER, use_cache=True)
    return model.generate(input_ids=ids, attention_mask=mask, generation_config=settings)[:, ids.shape[1] :].tolist()


if __name__ == "__main__":
    main()
