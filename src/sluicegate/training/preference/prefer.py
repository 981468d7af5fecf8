"""Training on pairs: batches laid out ahead, one of trl's trainers over them, and what it learnt."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
from torch import nn
from transformers import Trainer, TrainerCallback

from sluicegate import runtime
from sluicegate.data.sampler import MixedBucketSampler
from sluicegate.models.load import Loaded
from sluicegate.training import opening
from sluicegate.training.course import Tuned, follow
from sluicegate.training.preference.config import DpoConfig, OrpoConfig, PreferenceConfig
from sluicegate.training.preference.dpo import dpo_trainer
from sluicegate.training.preference.orpo import orpo_trainer
from sluicegate.training.preference.reference import Reference
from sluicegate.training.preference.rows import EncodedPairs
from sluicegate.training.watching.held_out_pairs import HeldOutPairs
from sluicegate.training.watching.watch import Watch
from sluicegate.training.watching.workload import Workload

REWARDS = ("rewards/chosen", "rewards/rejected", "rewards/margins", "rewards/accuracies")
"""As trl calls them: the mean rewards of the chosen and of the rejected sides, their difference, and the share of pairs
in which the chosen side's is higher. A reward is β · log π/π_ref and what a length penalty adds, by ORPO β · log P."""


def open_model(base: Path, config: PreferenceConfig) -> Loaded:
    """The model to train and to be the reference, in the dtype its training wants; an adapter stays on."""
    loaded = opening.open_model(base, config)
    _leave_out_dropout(loaded.model)
    return loaded


def _leave_out_dropout(model: Any) -> None:
    """Or the policy would differ from the reference before its first step. An adapter that is put on later has its."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        elif hasattr(module, "attention_dropout"):
            module.attention_dropout = 0.0


def prefer(
    loaded: Loaded,
    pairs: EncodedPairs,
    columns: Mapping[str, np.ndarray],
    config: PreferenceConfig,
    out: Path,
    reference: Reference | None = None,
    watch: Watch | None = None,
) -> Tuned:
    """Train a model to prefer the chosen sides; the same seed on the same machine gives the same weights.

    Args:
        loaded: of `open_model`; a full training changes it in place.
        columns: `lang` and `source` of every pair, (N,).
        config: what to do; its method is settled.
        out: a folder the Trainer may use; it leaves nothing there.
        reference: where the reference's log-probabilities are kept, for DPO with one.
        watch: what it is measured by and where it is written down; None: nothing and nowhere.

    Raises:
        ConfigError: processes cannot share a batch, several GPUs and one process.
        SluiceError: the loss is no number any more.
    """
    runtime.seed_everything(config.seed)
    sampler = _sampler(pairs, columns, config)
    model, rows = _to_train(loaded.model, config), _numbers(sampler.batches)

    def make(arguments: dict[str, Any], parts: tuple[type, ...], callbacks: list[TrainerCallback]) -> Trainer:
        rest = {"arguments": arguments, "parts": parts, "train_dataset": rows, "callbacks": callbacks}
        held_out = cast(HeldOutPairs | None, watch and watch.held_out)
        return _trainer(loaded, model, pairs, config, reference, held_out, rest)

    label_tokens = pairs.counts().n_label.reshape(-1, 2).sum(axis=1)
    n_tokens = pairs.sides.counts.n_tokens.reshape(-1, 2).sum(axis=1)
    work = Workload.of(sampler.batches.ravel(), config.total_batch, n_tokens, label_tokens)
    made = follow(make, loaded, config, work, out, "training on pairs", REWARDS, watch)
    _leave_trl(made.model)
    return Tuned(**vars(made), mix=sampler.mix(made.steps))


def _sampler(pairs: EncodedPairs, columns: Mapping[str, np.ndarray], config: PreferenceConfig) -> MixedBucketSampler:
    """Of all processes together: the Trainer gives each its part of every batch."""
    known = {**columns, "n_tokens": pairs.n_tokens}
    return MixedBucketSampler(
        known, config.sampler, config.total_batch, steps=config.max_steps, epochs=config.epochs, seed=config.seed
    )


def _to_train(model: Any, config: PreferenceConfig) -> Any:
    """The model itself, or with an adapter: a fresh one, or that which it came with."""
    came_with_adapter = hasattr(model, "peft_config")
    if config.method == "full" and came_with_adapter:
        model = model.merge_and_unload().requires_grad_(True)
    if config.method == "full" or not came_with_adapter:
        return opening.with_adapter(model, config)
    runtime.say("  the model is an adapter: it is trained on, in the shape it has")
    model.set_adapter("default")  # it was opened to be read: now it asks for gradients
    opening.tell_trained(model)
    return model


def _trainer(
    loaded: Loaded,
    model: Any,
    pairs: EncodedPairs,
    config: PreferenceConfig,
    reference: Reference | None,
    held_out: HeldOutPairs | None,
    rest: Any,
) -> Any:
    if isinstance(config, OrpoConfig):
        return orpo_trainer(loaded, model, pairs, config, **rest)
    assert isinstance(config, DpoConfig)
    return dpo_trainer(loaded, model, pairs, config, reference, held_out, **rest)


def _numbers(batches: np.ndarray) -> Any:
    """What trl takes for rows: the numbers of the pairs in the order they are trained on."""
    from datasets import Dataset, disable_progress_bars

    disable_progress_bars()
    return Dataset.from_dict({"pair": batches.ravel().tolist()})


def _leave_trl(model: Any) -> None:
    """Give a model the forward pass back that it came with."""
    whole = model.get_base_model() if hasattr(model, "peft_config") else model
    whole.__dict__.pop("forward", None)
