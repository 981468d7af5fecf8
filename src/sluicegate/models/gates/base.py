"""What a gate is, and how gates hang on a plain model: `layer.mlp.quality_gate`, read by a hook of the MLP.

A gate reads the normalised state entering its layer's MLP. One that only observes never changes a bit of what the
model computes; one that `acts` does, and comes off again without a trace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from sluicegate.models.layers import decoder_layers, mlp_of


@dataclass(frozen=True)
class Tokens:
    """The T response tokens of a batch that gates are asked about."""

    row: Tensor
    """(T,) which row of the batch a token stands in; non-decreasing."""
    position: Tensor
    """(T,) where in that row, never 0."""
    surprise: Tensor
    """(T, S) how surprised the model was, see `surprise_features`."""


class Gate(nn.Module):
    """One layer's gate. Subclass it: `nn.Parameter`s, `watch`, `token_logits`, `pool`.

    Raw parameters on purpose: PEFT's `all-linear` captures every `nn.Linear` it finds.
    """

    kind: ClassVar[str]
    acts: ClassVar[bool] = False
    """Whether the model computes something else with it on."""
    hook: RemovableHandle | None = None

    @classmethod
    def of_state(cls, state: Mapping[str, Tensor]) -> Gate:
        """A gate of the sizes a saved state has."""
        raise NotImplementedError

    def watch(self, x: Tensor, output: Any) -> Any:
        """Keep what is needed of the state (B, T, H) entering the MLP; None, or what the MLP gives out instead."""
        raise NotImplementedError

    def token_logits(self, tokens: Tokens) -> Tensor:
        """Logits (T,) of tokens of the model's last forward; high is good."""
        raise NotImplementedError

    def pool(self, z: Tensor, row: Tensor, n_rows: int) -> Tensor:
        """One number per row (B,) from the logits (T,) of its tokens."""
        raise NotImplementedError

    def kept(self, x: Tensor) -> Tensor:
        """What may be kept of a forward: with its graph only while the gate learns.

        A graph would outlive its step, and a model that holds one cannot be copied.
        """
        return x if any(p.requires_grad for p in self.parameters()) else x.detach()

    def put_on(self, mlp: Any) -> None:
        """Hang on an MLP; it trains or not as that does."""
        mlp.quality_gate = self.train(mlp.training)
        self.hook = mlp.register_forward_hook(_watch)

    def take_off(self, mlp: Any) -> None:
        """Leave it as it was."""
        assert self.hook is not None
        self.hook.remove()
        del mlp.quality_gate


def _watch(mlp: Any, args: tuple[Tensor, ...], output: Any) -> Any:
    return mlp.quality_gate.watch(args[0], output)


def attach(model: nn.Module, gates: Mapping[int, Gate]) -> None:
    """Hang gates on a plain model, by layer number, from its next forward on."""
    device = next(model.parameters()).device
    for number, gate in gates.items():
        gate.to(device).put_on(mlp_of(model, number))


def detach(model: nn.Module) -> dict[int, Gate]:
    """Take the gates off again; the model is as it was."""
    gates = attached(model)
    for number, gate in gates.items():
        gate.take_off(mlp_of(model, number))
    return gates


def attached(model: nn.Module) -> dict[int, Gate]:
    """The gates on a model, by layer number."""
    found = {i: getattr(mlp_of(model, i), "quality_gate", None) for i in range(len(decoder_layers(model)))}
    return {i: gate for i, gate in found.items() if gate is not None}


def token_logits(gates: Sequence[Gate], tokens: Tokens) -> Tensor:
    """Every gate's logits of tokens of the last forward: (L, T)."""
    return torch.stack([gate.token_logits(tokens) for gate in gates])


def pooled(gates: Sequence[Gate], z: Tensor, row: Tensor, n_rows: int) -> Tensor:
    """Every gate's number for each row, from token logits (L, T): (L, B). A row's score is the mean over layers."""
    return torch.stack([gate.pool(one, row, n_rows) for gate, one in zip(gates, z, strict=True)])
