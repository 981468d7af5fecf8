"""Supervised fine-tuning: the transformers `Trainer` over rows whose label spans are already known."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import Dataset
from transformers import Trainer, TrainerCallback, TrainingArguments

from sluicegate import runtime
from sluicegate.data.sampler import MixedBucketSampler
from sluicegate.models.encode import Encoded
from sluicegate.models.load import Loaded
from sluicegate.models.token_cache import counts_of
from sluicegate.training.course import Tuned, follow
from sluicegate.training.devices.batch_shares import share
from sluicegate.training.opening import with_adapter
from sluicegate.training.passes.label_loss import LabelLoss, label_loss, reads_labels_alone
from sluicegate.training.passes.packing import balanced, pack
from sluicegate.training.passes.padding import pad
from sluicegate.training.sft_config import SftConfig
from sluicegate.training.watching.watch import Watch
from sluicegate.training.watching.workload import Workload

WINDOW = 8
"""Batches among which rows are sorted by length."""


def tune(
    loaded: Loaded,
    rows: Sequence[Encoded],
    config: SftConfig,
    out: Path,
    columns: Mapping[str, np.ndarray] | None = None,
    watch: Watch | None = None,
) -> Tuned:
    """Train on the label tokens of `rows`; the same seed on the same machine gives the same weights.

    Args:
        loaded: the base; a full fine-tuning changes it in place.
        rows: encoded conversations, each with label tokens.
        config: what to do; its method is settled.
        out: a folder the Trainer may use; it leaves nothing there.
        columns: `lang` and `source` of every row, and what phases weigh by, for a config with a sampler.
        watch: what it is measured by and where it is written down; None: nothing and nowhere.

    Raises:
        SluiceError: the loss is no number any more.
    """
    runtime.seed_everything(config.seed)
    model = with_adapter(loaded.model, config)
    sampler = _sampler(config.sampler, rows, config, columns or {}) if config.sampler else None
    laid_out = Ordered(rows, sampler.batches.ravel()) if sampler else lay_out(rows, config)
    if config.packing:
        laid_out = Ordered(rows, _in_passes(laid_out.order, rows, config))

    alone = reads_labels_alone(loaded.model, config)

    def make(arguments: dict[str, Any], parts: tuple[type, ...], callbacks: list[TrainerCallback]) -> Trainer:
        return type("Sft", (*parts, *([LabelLoss] if alone else []), Trainer), {})(
            model=model,
            args=TrainingArguments(
                **arguments, neftune_noise_alpha=config.neftune_alpha, use_liger_kernel=config.liger
            ),
            train_dataset=laid_out,
            data_collator=pack if config.packing else partial(pad, pad_id=loaded.tokenizer.pad_token_id or 0),
            compute_loss_func=label_loss if alone else None,
            callbacks=callbacks,
        )

    counts = counts_of(rows)
    work = Workload.of(laid_out.order, config.total_batch, counts.n_tokens, counts.n_label)
    made = follow(make, loaded, config, work, out, "fine-tuning", watch=watch)
    return Tuned(**vars(made), mix=sampler.mix(made.steps) if sampler else None)


class Ordered(Dataset[Encoded]):
    """Rows in an order, in which each may come several times; read when they are asked for."""

    def __init__(self, rows: Sequence[Encoded], order: Sequence[int] | np.ndarray) -> None:
        self.rows, self.order = rows, order

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, place: int) -> Encoded:
        return self.rows[int(self.order[place])]

    def __iter__(self) -> Iterator[Encoded]:
        return map(self.__getitem__, range(len(self)))


def lay_out(rows: Sequence[Encoded], config: SftConfig) -> Ordered:
    """Every row of the run in the order it is trained on: shuffled, with rows of like length in one batch.

    Laid out ahead, so that the order hangs on the seed alone and not on how many processes share it. Whole passes
    over the rows follow one another; sorting stays within windows of 8 batches, whose batches are shuffled again.
    """
    rng, n_tokens = random.Random(config.seed), counts_of(rows).n_tokens.tolist()
    total = config.max_steps * config.total_batch if config.max_steps else math.ceil(config.epochs * len(rows))
    stream: list[int] = []
    while len(stream) < total:
        stream += rng.sample(range(len(rows)), len(rows))
    order: list[int] = []
    for begin in range(0, total, WINDOW * config.total_batch):
        window = sorted(stream[begin : min(total, begin + WINDOW * config.total_batch)], key=n_tokens.__getitem__)
        batches = [window[i : i + config.total_batch] for i in range(0, len(window), config.total_batch)]
        # A last batch that is not full must stay last, or batches would shift.
        short = [batches.pop()] if len(batches[-1]) < config.total_batch else []
        rng.shuffle(batches)
        order += [row for batch in batches + short for row in batch]
    return Ordered(rows, order)


def _in_passes(order: Sequence[int] | np.ndarray, rows: Sequence[Encoded], config: SftConfig) -> list[int]:
    """The order with the rows of each step shared among its passes by their tokens."""
    room, _ = share(config.total_batch, config.device_batch_size, runtime.world_size())
    return balanced(list(order), counts_of(rows).n_tokens.tolist(), config.total_batch, room)


def _sampler(
    asked: MixedBucketSampler.Config, rows: Sequence[Encoded], config: SftConfig, columns: Mapping[str, np.ndarray]
) -> MixedBucketSampler:
    """Of all processes together: the Trainer gives each its part of every batch."""
    known = {**columns, "n_tokens": counts_of(rows).n_tokens}
    sampler = MixedBucketSampler(
        known, asked, config.total_batch, steps=config.max_steps, epochs=config.epochs, seed=config.seed
    )
    _tell(sampler.mix())
    return sampler


def _tell(mix: Mapping[str, Any]) -> None:
    shares = ", ".join(f"{lang} {n / mix['rows']:.1%}" for lang, n in mix["by"]["lang"].items())
    again = ", ".join(f"{n:,} {lang}" for lang, n in mix["repeats"].items())
    runtime.say(f"  mix: {shares}; rows seen again: {again or 'none'}; rows not seen: {mix['unseen']:,}")
