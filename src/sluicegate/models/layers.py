"""Where a causal language model keeps its decoder layers, and which of them carry a gate."""

from __future__ import annotations

from typing import Any

from torch import nn

from sluicegate.errors import ArtifactError


def decoder_layers(model: nn.Module) -> nn.ModuleList:
    """The decoder stack: the longest `ModuleList` whose items are all `GradientCheckpointingLayer`.

    Raises:
        ArtifactError: no such list, or its layers have no `mlp`.
    """
    from transformers.modeling_layers import GradientCheckpointingLayer

    stacks = [m for m in model.modules() if isinstance(m, nn.ModuleList) and len(m)]
    stacks = [s for s in stacks if all(isinstance(layer, GradientCheckpointingLayer) for layer in s)]
    stack = max(stacks, key=len, default=None)
    if stack is None or not all(hasattr(layer, "mlp") for layer in stack):
        raise ArtifactError(f"{type(model).__name__} has no list of decoder layers with an `mlp` to gate",
                            "score it with signals that need no gate: signals=[perplexity, length]")  # fmt: skip
    return stack


def mlp_of(model: nn.Module, number: int) -> Any:
    """The MLP of one decoder layer; of a mixture of experts, its router and experts together."""
    return decoder_layers(model)[number].mlp


def spaced_layers(n_layers: int, most: int) -> list[int]:
    """At most `most` layer numbers, evenly spaced, the last one always among them."""
    n = min(n_layers, most)
    return [round((i + 1) * n_layers / n) - 1 for i in range(n)]
