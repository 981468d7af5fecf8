"""LoRA (arXiv 2106.09685) and DoRA (arXiv 2402.09353): low-rank updates beside the frozen linear layers of a base."""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from sluicegate.config import Config
from sluicegate.errors import ArtifactError, ConfigError

if TYPE_CHECKING:
    from peft import PeftModel
    from torch import Tensor
    from transformers import PreTrainedModel

SETTINGS = "adapter_config.json"


class LoraSettings(Config):
    """The shape of an adapter."""

    rank: int = Field(default=16, ge=1)
    """Rank of the update of each matrix."""
    alpha: int = Field(default=32, ge=1)
    """The update is scaled by alpha / rank."""
    rslora: bool = False
    """Scale it by alpha / √rank, so that a high rank learns as fast as a low one (arXiv 2312.03732)."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Dropout before the update."""
    targets: str | list[str] = "all-linear"
    """Linear layers to adapt: `all-linear`, all but the output head; `auto`, those of the attention and the MLP of
    every decoder layer, a mixture's experts too but not its router; `attention`, those of the attention alone, which
    many architectures call q, k, v and o; or the ends of their names."""
    rank_pattern: dict[str, Annotated[int, Field(ge=1)]] = {}
    """Other ranks for some layers: a regular expression that the end of a layer's name matches, to its rank."""
    alpha_pattern: dict[str, Annotated[int, Field(ge=1)]] = {}
    """Other alphas for some layers, in the same way."""


def attach(model: PreTrainedModel, settings: LoraSettings, dora: bool = False) -> PeftModel:
    """The model with a fresh adapter; only the adapter's parameters, in float32, ask for gradients.

    Args:
        dora: learn the length of every column of a weight apart from its direction.

    Raises:
        ConfigError: settings that fit no layer, or that peft has no adapter for.
    """
    from sluicegate.models.lora_targets import find_targets

    targets = find_targets(model, settings.targets)
    with without_noise():
        from peft import LoraConfig, get_peft_model

        config = LoraConfig(
            r=settings.rank,
            lora_alpha=settings.alpha,
            lora_dropout=settings.dropout,
            use_rslora=settings.rslora,
            use_dora=dora,
            target_modules=targets.modules,
            target_parameters=targets.parameters,
            rank_pattern=dict(settings.rank_pattern),
            alpha_pattern=dict(settings.alpha_pattern),
            task_type="CAUSAL_LM",
        )
        try:
            made: Any = get_peft_model(model, config)
        except ValueError as err:
            hint = "adapt the attention alone, with lora.targets=attention; or by plain lora, without dropout"
            raise ConfigError(f"peft has no such adapter for {type(model).__name__}: {err}", hint) from err
    _check_patterns(settings, [*made.targeted_module_names, *made.targeted_parameter_names])
    return made


def _check_patterns(settings: LoraSettings, adapted: Sequence[str]) -> None:
    """peft would leave a pattern that fits no layer aside."""
    for pattern in {**settings.rank_pattern, **settings.alpha_pattern}:
        if not any(re.match(rf"(.*\.)?({pattern})$", name) for name in adapted):
            hint = f"it is a regular expression for the end of names such as {adapted[0]}"
            raise ConfigError(f"lora: no adapted layer fits the pattern '{pattern}'", hint)


def put_on(model: PreTrainedModel, folder: Path) -> PeftModel:
    """The model with the adapter saved in `folder`."""
    with without_noise():
        from peft import PeftModel

        return PeftModel.from_pretrained(model, str(folder))


def base_of(folder: Path) -> str | Path:
    """The base an adapter folder names: a path relative to the folder, an absolute path or a hub name."""
    named = json.loads((folder / SETTINGS).read_text(encoding="utf-8")).get("base_model_name_or_path")
    if not named:
        raise ArtifactError(f"{folder / SETTINGS} names no base model", "set its base_model_name_or_path")
    beside = (folder / named).resolve()
    return beside if beside.is_dir() else named


def save_adapter(
    model: PeftModel, out: Path, base: Path, state: dict[str, Tensor] | None = None, inside: Path | None = None
) -> None:
    """Write the adapter with its base named: relative to `out` where they lie side by side, else by absolute path.

    Artifacts of one store name each other by relative paths, so the store can be moved as a whole and the same
    run in another folder gives the same bytes. `base_of` reads both.

    Args:
        state: its weights, where the model does not hold them as a whole.
        inside: the artifact that `out` is a folder of, where it is not the artifact itself.
    """
    beside = base.resolve().parent == (inside or out).resolve().parent
    write_adapter(model, out, os.path.relpath(base.resolve(), out.resolve()) if beside else str(base.resolve()), state)


def write_adapter(model: PeftModel, out: Path, named: str, state: dict[str, Tensor] | None = None) -> None:
    """Write the adapter with its base `named` so, in the same bytes every time.

    peft's own card is left out: it holds an absolute path and empty headings.
    """
    config: Any = model.active_peft_config
    config.base_model_name_or_path = named
    for name in ("target_modules", "target_parameters"):
        if isinstance(found := getattr(config, name), set):  # every process would write it in another order
            setattr(config, name, sorted(found))
    model.save_pretrained(str(out), save_embedding_layers=False, state_dict=state)  # no vocabulary grows here
    (out / "README.md").unlink()


@contextmanager
def without_noise() -> Iterator[None]:
    """Hides what no user can mend: peft 0.21 reads a property that transformers 5.23 renamed, and tells that it set
    right the orientation of GPT-2's matrices and looked among the modules for the ranks of a mixture's experts."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "fan_in_fan_out is set to False", UserWarning)
        warnings.filterwarnings("ignore", "The following (rank|alpha)_pattern keys did not match", RuntimeWarning)
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
        yield
