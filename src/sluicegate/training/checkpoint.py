"""Where a run stands, in one safetensors file: weights, optimizer moments, losses so far, random state."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn


def save_checkpoint(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, losses: Tensor, step: int) -> None:
    """Write the state after `step` steps: whole or not at all."""
    tensors = {name: tensor.contiguous() for name, tensor in _live_tensors(model, optimizer)}
    draft = path.with_name(f"{path.name}.draft")
    save_file({**tensors, "losses": losses, "random": torch.get_rng_state()}, draft, metadata={"step": str(step)})
    os.replace(draft, path)


def load_checkpoint(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, losses: Tensor) -> int:
    """Put the state in `path` back in place; returns the number of steps it had taken, 0 if there is no such file."""
    if not path.is_file():
        return 0
    _prime(optimizer)
    with safe_open(path, framework="pt") as file, torch.no_grad():
        for name, tensor in _live_tensors(model, optimizer):
            tensor.copy_(file.get_tensor(name))
        losses.copy_(file.get_tensor("losses"))
        torch.set_rng_state(file.get_tensor("random"))
        return int(file.metadata()["step"])


def _live_tensors(model: nn.Module, optimizer: torch.optim.Optimizer) -> Iterator[tuple[str, Tensor]]:
    """Every tensor a training step changes, tied weights once, under a name of its own."""
    for name, parameter in model.named_parameters():
        yield f"model.{name}", parameter.detach()
        for moment, tensor in sorted(optimizer.state[parameter].items()):
            yield f"optimizer.{name}.{moment}", tensor


def _prime(optimizer: torch.optim.Optimizer) -> None:
    """Let the optimizer allocate its moments, by a step of rate 0 on gradients of 0: everything is overwritten next."""
    for group in optimizer.param_groups:
        group["lr"] = 0.0
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    optimizer.zero_grad()
