"""Training on pairs: batches laid out ahead, one of trl's trainers over them, and what it learnt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import Trainer, TrainerCallback

from sluicegate import runtime
from sluicegate.data.sampler import MixedBucketSampler
from sluicegate.errors import ConfigError
from sluicegate.models.load import Loaded
from sluicegate.training import opening
from sluicegate.training.course import follow
from sluicegate.training.preference_config import DpoConfig, OrpoConfig, PreferenceConfig
from sluicegate.training.preference_dpo import dpo_trainer
from sluicegate.training.preference_orpo import orpo_trainer
from sluicegate.training.preference_reference import Reference
from sluicegate.training.preference_rows import EncodedPairs

REWARDS = ("rewards/chosen", "rewards/rejected", "rewards/margins", "rewards/accuracies")
"""As trl calls them: the mean rewards of the chosen and of the rejected sides, their difference, and the share of pairs
in which the chosen side's is higher. A reward is β · log π/π_ref and what a length penalty adds, by ORPO β · log P."""


@dataclass(frozen=True)
class Preferred:
    """A model trained on pairs, and how it came to prefer the chosen sides."""

    model: Any
    """The model given, in evaluation mode, or a `PeftModel` around it."""
    steps: int
    curve: list[dict[str, float]]
    """step, loss, grad_norm, learning_rate and the `REWARDS`, at about 20 points."""
    mix: dict[str, Any]
    """What the batches were made of."""


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
) -> Preferred:
    """Train a model to prefer the chosen sides; the same seed on the same machine gives the same weights.

    Args:
        loaded: of `open_model`; a full training changes it in place.
        columns: `lang` and `source` of every pair, (N,).
        config: what to do; its method is settled.
        out: a folder the Trainer may use; it leaves nothing there.
        reference: where the reference's log-probabilities are kept, for DPO with one.

    Raises:
        ConfigError: processes cannot share a batch, several GPUs and one process.
        SluiceError: the loss is no number any more.
    """
    _check_launch()
    runtime.seed_everything(config.seed)
    sampler = _sampler(pairs, columns, config)
    model, rows = _to_train(loaded.model, config), _numbers(sampler.batches)

    def make(arguments: dict[str, Any], parts: tuple[type, ...], callbacks: list[TrainerCallback]) -> Trainer:
        rest = {"arguments": arguments, "parts": parts, "train_dataset": rows, "callbacks": callbacks}
        return _trainer(loaded, model, pairs, config, reference, rest)

    made = follow(make, loaded, config, len(sampler), out, "training on pairs", REWARDS)
    return Preferred(_without_trl(made.model), made.steps, made.curve, sampler.mix())


def _sampler(pairs: EncodedPairs, columns: Mapping[str, np.ndarray], config: PreferenceConfig) -> MixedBucketSampler:
    """Of all processes together: the Trainer gives each its part of every batch."""
    known = {**columns, "n_tokens": pairs.n_tokens}
    return MixedBucketSampler(
        known, config.sampler, config.total_batch, steps=config.max_steps, epochs=config.epochs, seed=config.seed
    )


def _check_launch() -> None:
    gpus = torch.cuda.device_count()
    if gpus > 1 and runtime.world_size() == 1:
        raise ConfigError(f"one process cannot train on {gpus} GPUs", "set CUDA_VISIBLE_DEVICES=0, or use torchrun")


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
    loaded: Loaded, model: Any, pairs: EncodedPairs, config: PreferenceConfig, reference: Reference | None, rest: Any
) -> Any:
    if isinstance(config, OrpoConfig):
        return orpo_trainer(loaded, model, pairs, config, **rest)
    assert isinstance(config, DpoConfig)
    return dpo_trainer(loaded, model, pairs, config, reference, **rest)


def _numbers(batches: np.ndarray) -> Any:
    """What trl takes for rows: the numbers of the pairs in the order they are trained on."""
    from datasets import Dataset, disable_progress_bars

    disable_progress_bars()
    return Dataset.from_dict({"pair": batches.ravel().tolist()})


def _without_trl(model: Any) -> Any:
    """With the forward pass it came with."""
    whole = model.get_base_model() if hasattr(model, "peft_config") else model
    whole.__dict__.pop("forward", None)
    return model
