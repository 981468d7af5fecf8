"""What an optimizer and its schedule know, as tensors by name and plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from sluicegate.training.saving.whole_tensors import gathered, like

RATES = ("lr", "initial_lr")
"""What a schedule changes in the groups of an optimizer."""


def optimizer_state(optimizer: Any) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors, `gathered`, by `<number of the parameter>.<name>`; `scalars` by the same names, and the `rates` of
    the groups."""
    state = optimizer.state_dict()
    flat = {f"{n}.{name}": value for n, each in state["state"].items() for name, value in each.items()}
    tensors = {name: value for name, value in flat.items() if isinstance(value, Tensor)}
    scalars = {name: value for name, value in flat.items() if name not in tensors}
    rates = [[group[name] for name in RATES] for group in state["param_groups"]]
    return gathered(tensors), {"scalars": scalars, "rates": rates}


def put_back(optimizer: Any, tensors: Mapping[str, Tensor], told: Mapping[str, Any], times: float) -> None:
    """Let an optimizer of the same parameters know what `optimizer_state` told.

    Args:
        times: what its learning rates are multiplied by.
    """
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Any]] = {}
    for key, value in {**tensors, **told["scalars"]}.items():
        number, _, name = key.partition(".")
        of = parameters[int(number)]
        ours = isinstance(value, Tensor) and value.shape == of.shape
        state.setdefault(int(number), {})[name] = like(of, value) if ours else value
    groups = optimizer.state_dict()["param_groups"]
    for group, rates in zip(groups, told["rates"], strict=True):
        group.update({name: times * rate for name, rate in zip(RATES, rates, strict=True)})
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def put_schedule_back(schedule: Any, told: Mapping[str, Any], times: float) -> None:
    """Let a schedule know its `state_dict`, with its learning rates multiplied."""
    rates = {name: [times * rate for rate in told[name]] for name in ("base_lrs", "_last_lr")}
    schedule.load_state_dict({**told, **rates})
