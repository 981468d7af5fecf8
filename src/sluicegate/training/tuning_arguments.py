"""What the Trainer of any tuning is told: how batches are shared, the course of the learning rate, the clipping."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from sluicegate import runtime
from sluicegate.training.devices.batch_shares import share
from sluicegate.training.devices.device_arguments import device_arguments
from sluicegate.training.tuning_config import TuningConfig

SCHEDULES = {"linear": "linear", "cosine": "cosine", "constant": "constant_with_warmup"}
"""As transformers calls ours: its own `constant` leaves the warm-up out."""


def tuning_arguments(config: TuningConfig, device: torch.device, steps: int, out: Path) -> dict[str, Any]:
    """For `TrainingArguments` and what trl makes of them: nothing is left to a default that decides the result.

    Args:
        config: its method is settled.
        steps: optimizer steps of the run.
        out: a folder the Trainer may use.

    Raises:
        ConfigError: the processes cannot share a batch.
    """
    per_device, shares = share(config.total_batch, config.device_batch_size, runtime.world_size())
    return {
        **device_arguments(device, out, config.checkpoint_activations, config.dtype),
        "per_device_train_batch_size": per_device,
        "gradient_accumulation_steps": shares,
        "max_steps": steps,
        "learning_rate": config.peak_rate,
        "lr_scheduler_type": SCHEDULES[config.schedule],
        "warmup_steps": min(steps - 1, round(config.warmup_share * steps)),  # its first step has rate 0
        "weight_decay": config.weight_decay,
        "max_grad_norm": config.max_grad_norm,
        "seed": config.seed,
        "logging_steps": 1,  # what is told are means over several
        "logging_nan_inf_filter": False,
        "ddp_find_unused_parameters": False,
        "torch_compile": config.compile,
        **config.hf,
    }
