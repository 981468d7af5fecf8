"""Questions per second of an evaluation over a loop that asks one by one with transformers' `generate`.

The questions are those of GSM8K's test set where its file is at hand, else sums made here; the model is a GPT of eight
layers with random weights and a tokenizer trained on the questions, which never ends a reply, so both sides write as
many tokens. Ours is `evaluation.asking.ask`: batches of like length over a key-value cache, replies kept on disk as
they come. Both sides answer alike; they take turns, and the ratio is the median over rounds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

import torch
from figure import figure
from random_gpt import random_gpt, timed
from transformers import GenerationConfig
from worlds import parser

from sluicegate.evaluation.asking import ask
from sluicegate.models import generate
from sluicegate.models.encode import Encoder
from sluicegate.models.load import Loaded
from sluicegate.models.sampling import Sampling
from sluicegate.models.tokenizer import train_bpe
from sluicegate.schema import Message

GSM8K = Path(__file__).parents[2] / "shared" / "data" / "math" / "gsm8k_test.jsonl"
BAR, THREADS = 2.0, 2
FULL = {"hidden": 384, "layers": 8, "questions": 96, "new": 64, "batch": 32, "rounds": 3}
QUICK = {"hidden": 128, "layers": 4, "questions": 32, "new": 32, "batch": 32, "rounds": 2}


def main() -> None:
    """Time both sides in turns."""
    args = parser(__doc__).parse_args()
    size = argparse.Namespace(**(QUICK if args.quick else FULL))
    torch.set_num_threads(THREADS)
    generate._end_tokens = lambda _: set()  # no reply may end early
    questions = some_questions(size.questions)
    prompts = [[Message(role="user", content=text)] for text in questions]
    loaded = gpt(size, questions)
    assert ours(loaded, prompts, size) == peer(loaded, prompts, size), "both sides say the same"
    rounds = [[timed(side, loaded, prompts, size) for side in (ours, peer)] for _ in range(size.rounds)]
    ratio = statistics.median(theirs / mine for mine, theirs in rounds)
    rates = [len(prompts) / statistics.median(side) for side in zip(*rounds, strict=True)]
    figure("evaluation_speed", *rates, "questions/s", f">= {BAR}", ratio >= BAR, ratio=ratio)


def some_questions(n: int) -> list[str]:
    """Questions of unlike length."""
    if GSM8K.is_file():
        lines = GSM8K.read_text(encoding="utf-8").splitlines()
        return [json.loads(line)["question"] for line in lines[:n]]
    return [f"Ann has {k} boxes{' of red and green apples' * (k % 9)}. How many are left?" for k in range(n)]


def gpt(size: Any, texts: list[str]) -> Loaded:
    """A random model with a tokenizer of the questions."""
    tokenizer = train_bpe(texts, 2048)
    return Loaded(random_gpt(len(tokenizer), size.hidden, size.layers, tokenizer.pad_token_id), tokenizer)


def ours(loaded: Loaded, prompts: list[list[Message]], size: Any) -> list[str]:
    """The replies as an evaluation asks for them."""
    with tempfile.TemporaryDirectory() as folder:
        asked = ask(loaded, prompts, Sampling(max_new_tokens=size.new), 1, size.batch, Path(folder))
    return [reply.text for (reply,) in asked]


@torch.inference_mode()
def peer(loaded: Loaded, prompts: list[list[Message]], size: Any) -> list[str]:
    """The replies one by one."""
    encoder, said = Encoder(loaded.tokenizer), []
    settings = GenerationConfig(do_sample=False, max_new_tokens=size.new, pad_token_id=loaded.tokenizer.pad_token_id)
    for turns in prompts:
        ids = torch.tensor([encoder.encode_prompt(turns)])
        out = loaded.model.generate(input_ids=ids, generation_config=settings)
        said.append(loaded.tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True))
    return said


if __name__ == "__main__":
    main()
