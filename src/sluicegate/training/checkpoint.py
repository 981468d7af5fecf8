"""Where a run stands, in one safetensors file: weights, optimizer moments, losses so far, random state."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from sluicegate.training import optimizer


def save_checkpoint(path: Path, model: nn.Module, optimizers: list[Optimizer], losses: Tensor, step: int) -> None:
    """Write the state after `step` steps: whole or not at all."""
    tensors = {name: tensor.contiguous() for name, tensor in _live_tensors(model, optimizers)}
    draft = path.with_name(f"{path.name}.draft")
    save_file({**tensors, "losses": losses, "random": torch.get_rng_state()}, draft, metadata={"step": str(step)})
    os.replace(draft, path)


def load_checkpoint(path: Path, model: nn.Module, optimizers: list[Optimizer], losses: Tensor) -> int:
    """Put the state in `path` back in place; returns the number of steps it had taken, 0 if there is no such file."""
    if not path.is_file():
        return 0
    _prime(optimizers)
    with safe_open(path, framework="pt") as file, torch.no_grad():
        for name, tensor in _live_tensors(model, optimizers):
            tensor.copy_(file.get_tensor(name))
        losses.copy_(file.get_tensor("losses"))
        torch.set_rng_state(file.get_tensor("random"))
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
    optimizer.set_rate(optimizers, 0.0)
    for each in optimizers:
        for parameter in (p for group in each.param_groups for p in group["params"]):
            parameter.grad = torch.zeros_like(parameter)
    optimizer.step(optimizers)
