"""A mixture of experts has gates already: its routers. Only they learn, and how sure they are is the gate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from sluicegate.models.gates.ratio import RatioGate
from sluicegate.models.gates.trash import let_through, noise_seed


class RouterGate(RatioGate):
    """One layer's router, warmed up: g is the share of probability that the chosen experts hold.

    Put on, it routes in place of the base's router, whose own weight stays where it is, only hidden.

    Args:
        weight: (E, H), one row per expert; copied, and kept in float32.
    """

    kind: ClassVar[str] = "router"
    acts: ClassVar[bool] = True
    steering: RemovableHandle | None = None
    top_k: int = 0
    """Experts a token is given to; the base's router knows."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.detach().to(torch.float32, copy=True))  # (E, H)

    @classmethod
    def of_state(cls, state: Mapping[str, Tensor]) -> RouterGate:
        """The router that was saved."""
        return cls(state["weight"])

    def logits(self, x: Tensor) -> Tensor:
        """Log odds that a token goes to one of its chosen experts: (..., H) to (...)."""
        ranked = F.linear(x, self.weight.to(x.dtype)).float().sort(-1, descending=True).values  # (..., E)
        return ranked[..., : self.top_k].logsumexp(-1) - ranked[..., self.top_k :].logsumexp(-1)

    def put_on(self, mlp: Any) -> None:
        """Route in place of the router of a mixture's block."""
        self.top_k = router_of(mlp).top_k
        super().put_on(mlp)
        self.steering = mlp.register_forward_pre_hook(_steer)

    def take_off(self, mlp: Any) -> None:
        """The base's router routes again."""
        assert self.steering is not None
        self.steering.remove()
        vars(router_of(mlp)).pop("weight", None)
        super().take_off(mlp)


class TrashRouterGate(RouterGate):
    """The same in the way of what the experts give out, as a `TrashGate` is.

    Args:
        weight: (E, H), one row per expert.
        noise: whether a closed gate lets noise through, as strong as the experts' output, or nothing.
    """

    kind: ClassVar[str] = "trash_router"
    seed: Tensor | None

    def __init__(self, weight: Tensor, noise: bool = False) -> None:
        super().__init__(weight)
        self.register_buffer("seed", noise_seed() if noise else None)

    @classmethod
    def of_state(cls, state: Mapping[str, Tensor]) -> TrashRouterGate:
        """The router that was saved, with noise where it has a seed."""
        return cls(state["weight"], "seed" in state)

    def watch(self, x: Tensor, output: Any) -> Any:
        """What the experts give out instead."""
        z = self.logits(x)
        self.z = self.kept(z)
        return let_through(output, z.sigmoid(), self.seed, fresh=self.training)


def router_of(mlp: Any) -> Any:
    """The router of a mixture's block: one matrix whose product is a softmax's logits. None for any other MLP.

    Routers with biases, or buffers that correct their choice, are not routers of this kind.
    """
    for name in ("gate", "router"):
        module: Any = getattr(mlp, name, None)
        if hasattr(module, "top_k") and list(module.state_dict()) == ["weight"]:
            return module
    return None


def _steer(mlp: Any, args: tuple[Tensor, ...]) -> None:
    """Hide the base's weight behind the gate's. An instance's own attribute goes before a module's parameter, so that
    stays in place, and a model saved meanwhile is the plain one. At every forward, for it is that pass's own graph."""
    vars(router_of(mlp))["weight"] = mlp.quality_gate.weight.to(args[0].dtype)
