"""Training tokens a second of our loop, of a plain loop around a bare GPT-2, and of transformers' Trainer with its own.

All three have the shape and the first weights of one GPT-2 without dropout, the same batches, float32, AdamW in one
kernel and one learning rate, so they must come to the same loss. They take turns, round by round, and the median over
the rounds of how much longer a peer took is the ratio; the first steps of a round, in which memory is found, do not
count. They have as many threads as torch takes by itself. The shape is that of `gpt_tiny`; `--wide` has ten times its
weights.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import plain_gpt
import torch
from figure import figure
from torch import Tensor
from worlds import parser

from sluicegate.models.gpt2_weights import from_gpt2
from sluicegate.training.scratch.objectives import Batch, language_model
from sluicegate.training.scratch.pretrain import train
from sluicegate.training.scratch.schedule import Schedule

RATE, DECAY = 3e-4, 0.1
PLAIN_BAR, TRAINER_BAR, SAME = 1.0, 1.3, 1e-3
TINY = {"vocab": 768, "layers": 3, "width": 96, "rows": 32, "row_tokens": 128, "steps": 12, "warm": 2, "rounds": 15}
WIDE = {"vocab": 4096, "layers": 4, "width": 256, "rows": 8, "row_tokens": 256, "steps": 6, "warm": 1, "rounds": 15}
QUICK = {"vocab": 512, "layers": 2, "width": 64, "rows": 4, "row_tokens": 64, "steps": 6, "warm": 1, "rounds": 2}
Side = Callable[[], tuple[float, float]]
"""One round: the mean loss of all steps, and the seconds of the steps that count."""


def main() -> None:
    """Let the sides take turns; two figures, ours against each."""
    asked = parser(__doc__)
    asked.add_argument("--wide", action="store_true", help="4.3 M weights and longer rows")
    given = asked.parse_args()
    size = QUICK if given.quick else WIDE if given.wide else TINY
    batches = counting_batches(size)
    gpt2 = fresh_gpt2(size)
    sides: dict[str, Side] = {
        "ours": lambda: ours(gpt2, batches, size),
        "plain": lambda: plain(gpt2, batches, size),
        "Trainer": lambda: trainer(gpt2, batches, size),
    }
    took: dict[str, list[float]] = {name: [] for name in sides}
    losses: dict[str, float] = {}
    for _ in range(size["rounds"]):
        for name, side in sides.items():
            losses[name], seconds = side()
            took[name].append(seconds)
    tokens = (size["steps"] - size["warm"]) * size["rows"] * size["row_tokens"]
    rate = tokens / statistics.median(took["ours"])
    more = {"model": f"GPT-2, {gpt2.num_parameters():,} weights", "losses": losses, "seconds": took}
    more["threads"] = torch.get_num_threads()
    for peer, bar in (("plain", PLAIN_BAR), ("Trainer", TRAINER_BAR)):
        apart = abs(losses["ours"] - losses[peer])
        times = statistics.median(theirs / own for theirs, own in zip(took[peer], took["ours"], strict=True))
        told, holds = f">= {bar:g}x the tokens a second, losses equal to {SAME:g}", times >= bar and apart <= SAME
        figure(f"pretrain_vs_{peer.lower()}", rate, rate / times, "tokens/s", told, holds, apart=apart, **more)


def counting_batches(size: dict[str, int]) -> list[tuple[Tensor, Tensor]]:
    """Inputs and the tokens that follow them, (B, T) each, of every step."""
    chance = torch.Generator().manual_seed(0)
    shape = (size["rows"], size["row_tokens"] + 1)
    leaps = [torch.randint(1, 4, shape, generator=chance) for _ in range(size["steps"])]
    rows = [leap.cumsum(1) % size["vocab"] for leap in leaps]
    return [(ids[:, :-1], ids[:, 1:]) for ids in rows]


def fresh_gpt2(size: dict[str, int]) -> Any:
    """A GPT-2 of transformers that all sides start from."""
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    shape = {"n_layer": size["layers"], "n_embd": size["width"], "n_head": size["width"] // 32}
    still = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    reads = {"vocab_size": size["vocab"], "n_positions": size["row_tokens"], "bos_token_id": None, "eos_token_id": None}
    return GPT2LMHeadModel(GPT2Config(**reads, **shape, **still))


class Clock:
    """When each step began."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def tick(self) -> None:
        """A step begins, or the last one ended."""
        self.times.append(time.perf_counter())

    def seconds(self, size: dict[str, int]) -> float:
        """Of the steps that count."""
        assert len(self.times) == size["steps"] + 1
        return self.times[-1] - self.times[size["warm"]]


class Timed:
    """The batches, with a clock that ticks as each is taken."""

    def __init__(self, batches: list[tuple[Tensor, Tensor]], clock: Clock) -> None:
        self.batches, self.clock = batches, clock

    def batch(self, step: int) -> Batch:
        """As our loop takes it."""
        self.clock.tick()
        ids, labels = self.batches[step]
        return {"input_ids": ids, "labels": labels, "terms": torch.full((len(ids),), ids.shape[1])}

    def __iter__(self) -> Any:
        for pair in self.batches:
            self.clock.tick()
            yield pair


def ours(gpt2: Any, batches: list[tuple[Tensor, Tensor]], size: dict[str, int]) -> tuple[float, float]:
    """Our loop and our model, with the checkpoints and the log that a run has."""
    clock = Clock()
    schedule = Schedule(
        steps=size["steps"], batch_rows=size["rows"], row_tokens=size["row_tokens"], learning_rate=RATE,
        optimizer="adamw", beta2=0.95, schedule="cosine", final_share=1.0, warmup_steps=1, weight_decay=DECAY,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as out:
        course = train(from_gpt2(gpt2), language_model, Timed(batches, clock), schedule, Path(out) / "checkpoint")
        clock.tick()
    return course.losses.mean().item(), clock.seconds(size)


def plain(gpt2: Any, batches: list[tuple[Tensor, Tensor]], size: dict[str, int]) -> tuple[float, float]:
    """A plain loop around a bare model."""
    clock, shape = Clock(), (size["vocab"], size["row_tokens"], size["layers"], size["width"], size["width"] // 32)
    losses = plain_gpt.train(plain_gpt.PlainGPT(*shape).copy(gpt2), Timed(batches, clock), RATE, DECAY)
    clock.tick()
    return statistics.mean(losses), clock.seconds(size)


def trainer(gpt2: Any, batches: list[tuple[Tensor, Tensor]], size: dict[str, int]) -> tuple[float, float]:
    """The Trainer around transformers' GPT-2; its mean over all steps is the loss that it tells."""
    from copy import deepcopy

    from transformers import Trainer, TrainerCallback, TrainingArguments

    clock = Clock()
    rows = [{"ids": ids, "labels": labels} for pair in batches for ids, labels in zip(*pair, strict=True)]

    class Ticks(TrainerCallback):
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            clock.tick()

    def collate(some: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        ids, labels = (torch.stack([row[key] for row in some]) for key in ("ids", "labels"))
        return {"input_ids": ids, "labels": labels, "shift_labels": labels}

    with tempfile.TemporaryDirectory() as out:
        arguments = TrainingArguments(
            out, per_device_train_batch_size=size["rows"], max_steps=size["steps"], learning_rate=RATE,
            lr_scheduler_type="constant", adam_beta2=0.95, weight_decay=DECAY, max_grad_norm=1.0, use_cpu=True,
            bf16=False, report_to=[], save_strategy="no", logging_steps=size["steps"], disable_tqdm=True,
            remove_unused_columns=False, dataloader_pin_memory=False, train_sampling_strategy="sequential",
        )  # fmt: skip
        made = Trainer(deepcopy(gpt2), arguments, collate, rows, callbacks=[Ticks()])
        done = made.train()
        clock.tick()
    return done.training_loss, clock.seconds(size)


if __name__ == "__main__":
    main()
