"""Where a run stands, in one safetensors file: weights, optimizer moments, losses so far, the scaler, the step.

The step's number alone decides the next batch, the learning rate and the random numbers, so it stands for all three.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.amp import GradScaler
from torch.optim import Optimizer

from sluicegate.training.scratch.optimizer import set_rate


def save_checkpoint(
    path: Path,
    model: nn.Module,
    optimizers: list[Optimizer],
    scaler: GradScaler,
    losses: Mapping[str, Tensor],
    step: int,
) -> None:
    """Write the state after `step` steps: whole or not at all."""
    tensors = {name: tensor.contiguous() for name, tensor in _live_tensors(model, optimizers)}
    tensors |= {f"losses.{name}": values for name, values in losses.items()}
    draft = path.with_name(f"{path.name}.draft")
    save_file(tensors, draft, metadata={"step": str(step), "scaler": json.dumps(scaler.state_dict())})
    os.replace(draft, path)


def load_checkpoint(
    path: Path, model: nn.Module, optimizers: list[Optimizer], scaler: GradScaler, losses: Mapping[str, Tensor]
) -> int:
    """Put the state in `path` back in place; returns the number of steps it had taken, 0 if there is no such file."""
    if not path.is_file():
        return 0
    _prime(optimizers)
    with safe_open(path, framework="pt") as file, torch.no_grad():
        for name, tensor in _live_tensors(model, optimizers):
            tensor.copy_(file.get_tensor(name))
        for name, values in losses.items():
            values.copy_(file.get_tensor(f"losses.{name}"))
        scaler.load_state_dict(json.loads(file.metadata()["scaler"]))
        return int(file.metadata()["step"])


def _live_tensors(model: nn.Module, optimizers: list[Optimizer]) -> Iterator[tuple[str, Tensor]]:
    """Every tensor a training step changes, tied weights once, under a name of its own."""
    moments = {parameter: state for each in optimizers for parameter, state in each.state.items()}
    for name, parameter in model.named_parameters():
        yield f"model.{name}", parameter.detach()
        for moment, tensor in sorted(moments.get(parameter, {}).items()):
            yield f"optimizer.{name}.{moment}", tensor


def _prime(optimizers: list[Optimizer]) -> None:
    """Let the optimizers allocate their moments, by a step of rate 0 on gradients of 0: all is overwritten next."""
    set_rate(optimizers, 0.0)
    for each in optimizers:
        for parameter in (p for group in each.param_groups for p in group["params"]):
            parameter.grad = torch.zeros_like(parameter)
        each.step()
        each.zero_grad()
