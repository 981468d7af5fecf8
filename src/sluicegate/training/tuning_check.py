"""What a tuning is asked that its inputs, or this machine, cannot give."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sluicegate.errors import ConfigError
from sluicegate.training.trackers import check_trackers
from sluicegate.training.tuning_config import TuningConfig


def check_tuning(config: TuningConfig, wires: Collection[str], metrics: Sequence[str]) -> None:
    """Tell before anything is read.

    Args:
        wires: names of the inputs that are given.
        metrics: that held-out rows are measured by.

    Raises:
        ConfigError: an early stopping without held-out rows, or by a metric that they do not have; in `hf` what the
            trainer does not take.
        MissingError: the package of a tracker is not installed.
    """
    stop = config.early_stopping
    if stop and "held_out" not in wires:
        hint = "give the step held_out: rows that it does not train on"
        raise ConfigError("early_stopping is judged by held-out rows, and there are none", hint)
    if stop and stop.metric not in metrics:
        what = f"early_stopping.metric: held-out rows are not measured by '{stop.metric}'"
        raise ConfigError(what, f"there are: {', '.join(metrics)}")
    check_trackers(config.log)
    if config.hf:
        from sluicegate.training.hf_arguments import check_hf

        check_hf(config)
