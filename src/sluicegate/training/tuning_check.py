"""What a tuning is asked that its inputs, or this machine, cannot give."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sluicegate.errors import ConfigError
from sluicegate.training.tuning_config import TuningConfig
from sluicegate.training.watching.trackers import check_trackers


def check_tuning(config: TuningConfig, wires: Collection[str], metrics: Sequence[str]) -> None:
    """Tell before anything is read.

    Args:
        wires: names of the inputs that are given.
        metrics: that held-out rows are measured by.

    Raises:
        ConfigError: an early stopping, or a best model, without held-out rows, or by a metric that they do not have; in
            `hf` what the trainer does not take.
        MissingError: the package of a tracker is not installed.
    """
    judges = {"checkpoints.best": config.checkpoints.best}
    if config.early_stopping:
        judges["early_stopping.metric"] = config.early_stopping.metric
    for key, metric in judges.items():
        if metric and "held_out" not in wires:
            hint = "give the step held_out: rows that it does not train on"
            raise ConfigError(f"{key} is judged by held-out rows, and there are none", hint)
        if metric and metric not in metrics:
            raise ConfigError(
                f"{key}: held-out rows are not measured by '{metric}'", f"there are: {', '.join(metrics)}"
            )
    check_trackers(config.log)
    if config.hf:
        from sluicegate.training.hf_arguments import check_hf

        check_hf(config)
