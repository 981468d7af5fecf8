"""Which matrices an adapter stands beside: by kind, as this architecture calls them, or by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn
from transformers.pytorch_utils import Conv1D

from sluicegate.errors import ArtifactError, ConfigError
from sluicegate.models.layers import decoder_layers
from sluicegate.registry import did_you_mean

LINEAR = (nn.Linear, Conv1D)
"""Conv1D is what GPT-2 calls a linear layer."""


@dataclass(frozen=True)
class Targets:
    """As peft wants them told."""

    modules: str | list[str]
    """The ends of the names of linear layers, or a text peft knows itself."""
    parameters: list[str] | None = None
    """The same of parameters that no linear layer holds: the experts of a mixture, (E, out, in) each."""


def find_targets(model: nn.Module, asked: str | Sequence[str]) -> Targets:
    """What `lora.targets` means for a model.

    Raises:
        ConfigError: a name that no linear layer has, or no decoder layers to look for attention in.
    """
    if asked == "attention":
        return Targets(sorted(_attention(model)))
    if asked == "auto":
        return Targets(sorted({*_attention(model), *_mlp(model)}), sorted(set(_experts(model))) or None)
    if not isinstance(asked, str):
        _check_names(model, asked)
        return Targets(list(asked))
    return Targets(asked)


def _attention(model: nn.Module) -> Iterator[str]:
    """Such as `self_attn.q_proj`: in a decoder layer all that is linear and not in its MLP mixes tokens."""
    return (name for name, _ in _linear(model) if not name.startswith("mlp."))


def _mlp(model: nn.Module) -> Iterator[str]:
    """Such as `mlp.up_proj`."""
    return (name for name, _ in _linear(model) if name.startswith("mlp."))


def _experts(model: nn.Module) -> Iterator[str]:
    """Such as `mlp.experts.up_proj`; a router is left as it is."""
    return (name for layer in _layers(model) for name, p in layer.named_parameters() if p.dim() == 3)


def _linear(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    return (named for layer in _layers(model) for named in layer.named_modules() if isinstance(named[1], LINEAR))


def _layers(model: nn.Module) -> Any:
    try:
        return decoder_layers(model)
    except ArtifactError as err:
        hint = "write all-linear, or the names of the layers to adapt"
        raise ConfigError(
            f"lora.targets: attention and MLP cannot be told apart in {type(model).__name__}", hint
        ) from err


def _check_names(model: nn.Module, names: Sequence[str]) -> None:
    """peft would leave out a name that fits nothing where another fits."""
    known = [name for name, module in model.named_modules() if isinstance(module, LINEAR)]
    for asked in names:
        if not any(f".{name}".endswith(f".{asked}") for name in known):
            ends = sorted({name.rpartition(".")[2] for name in known})
            hint = did_you_mean(asked, ends) or f"linear layers: {', '.join(ends)}"
            raise ConfigError(f"lora.targets: no linear layer is called '{asked}'", hint)
