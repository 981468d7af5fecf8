"""A model folder to give away: whole, with its adapter merged into it, or the adapter alone."""

from __future__ import annotations

import copy
import gc
import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from sluicegate.artifacts import write_json
from sluicegate.errors import ArtifactError, ConfigError
from sluicegate.models import adapters
from sluicegate.models.encode import DEFAULT_TEMPLATE, end_ids
from sluicegate.models.export_check import Agreement, probe
from sluicegate.models.gates.base import attach, attached, detach
from sluicegate.models.hub_name import hub_name
from sluicegate.models.load import Loaded, load, load_tokenizer
from sluicegate.models.quality_gate import take_gates_off
from sluicegate.runtime import say, warn

if TYPE_CHECKING:
    from transformers import GenerationConfig, PreTrainedTokenizerBase

ADAPTER_WEIGHTS = "adapter_model.safetensors"
OF_THIS_MACHINE = ("is_local", "local_files_only", "name_or_path")
"""Keys that transformers writes beside a tokenizer, and that say where it lay."""


@dataclass(frozen=True)
class Exported:
    """What was written, and how near it is to what it was made of."""

    dtype: str
    parameters: int
    merged: Agreement | None
    """The merged model beside the adapter on its base, both in float32; None where nothing was merged."""
    written: Agreement | None
    """What was read back from the folder beside the model in memory, both computed in float32; None for an adapter."""
    house_class: bool
    """Whether it is of a class that is not part of transformers."""


@dataclass(frozen=True)
class Tolerances:
    """How far logits may move, as a share of their norm."""

    merge: float
    cast: float


def export_merged(
    source: Path, out: Path, *, dtype: str, keep_gates: bool, shard_size: str, tolerances: Tolerances
) -> Exported:
    """Write a whole model: the one in `source`, or its adapter merged into the base in float32; then cast.

    An adapter that was trained on a base in 4 bits is merged into the base as it is saved. All of it happens on the
    CPU: in float32 a model may be too large for the GPU it was trained on.

    Args:
        source: what `save_pretrained` wrote, or an adapter.
        out: an empty folder.
        dtype: `auto` for that of the base, as it is saved.
        keep_gates: whether the gates of a gated folder stay on it.
        shard_size: of a weight file at most, such as `5GB`.
        tolerances: of the two comparisons.

    Raises:
        ArtifactError: weights that are not safetensors, or that are quantised.
        CheckFailed: what was merged, or what was written, says something else.
    """
    _check_weights(source)
    chosen = _dtype(_base(source), dtype)
    loaded = load(source, device="cpu", dtype="float32", reason="merged in less, small updates would be lost")
    _settle_gates(loaded.model, keep_gates)
    before = probe(loaded)  # (T, V)
    loaded, merged = _merge(loaded, before, tolerances.merge)
    model: Any = _cast(loaded.model, chosen)
    model.generation_config = _generation(loaded.tokenizer, model.generation_config)
    model.save_pretrained(out, max_shard_size=shard_size)
    save_tokenizer(source, out)
    told = {"parameters": model.num_parameters(), "house_class": type(model.config).__module__.startswith("sluicegate")}
    del model, loaded
    gc.collect()  # a model has rings of references, and another as large is opened now
    again = load(out, device="cpu", dtype="float32", name="what was written", reason="to be compared")
    written = Agreement.of(before, probe(again))
    tolerance = tolerances.merge if chosen == torch.float32 else tolerances.cast
    written.check(tolerance, f"writing the model in {_name(chosen)}", "take dtype=float32, or raise cast_tolerance=")
    return Exported(_name(chosen), merged=merged, written=written, **told)


def export_adapter(source: Path, out: Path, base: str) -> Exported:
    """Write an adapter as it was trained, with the base it needs named as others know it.

    Args:
        source: an adapter's folder.
        out: an empty folder.
        base: the base's name on the hub; if empty, that of the snapshot the adapter names.

    Raises:
        ArtifactError: no adapter, or one whose weights are not safetensors.
        ConfigError: the base is a folder of this machine, and no name was given.
    """
    if not (source / adapters.SETTINGS).is_file():
        raise ArtifactError(f"{source.name} is a whole model and has no adapter", "export it with form=merged")
    _check_weights(source)
    below = adapters.base_of(source)
    settings = json.loads((source / adapters.SETTINGS).read_text(encoding="utf-8"))
    write_json(out / adapters.SETTINGS, settings | _published(below, base))
    shutil.copyfile(source / ADAPTER_WEIGHTS, out / ADAPTER_WEIGHTS)
    save_tokenizer(source, out)
    _generation(load_tokenizer(source), _saved_generation(below)).save_pretrained(out)
    weights = list(_tensors(out / ADAPTER_WEIGHTS))
    return Exported(_name(weights[0].dtype), sum(w.numel() for w in weights), None, None, False)


def save_tokenizer(source: Path, out: Path) -> None:
    """The tokenizer as it is saved, and the chat template that the model was asked and tuned with."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(source)
    tokenizer.chat_template = tokenizer.chat_template or DEFAULT_TEMPLATE
    tokenizer.save_pretrained(out)
    settings = json.loads((out / "tokenizer_config.json").read_text(encoding="utf-8"))
    write_json(out / "tokenizer_config.json", {k: v for k, v in settings.items() if k not in OF_THIS_MACHINE})


# The model ----------------------------------------------------------------------------------------------------------


def _base(source: Path) -> Path | str:
    """The folder of the weights an adapter stands on, or that very folder."""
    return adapters.base_of(source) if (source / adapters.SETTINGS).is_file() else source


def _check_weights(folder: Path) -> None:
    """Pickled weights run code when they are opened, so they are neither read nor passed on."""
    if any(folder.glob("*.safetensors")):
        return
    pickled = sorted(path.name for end in ("bin", "pt", "pth", "ckpt") for path in folder.glob(f"*.{end}"))
    what = f"holds {pickled[0]}, which is not safetensors" if pickled else "holds no safetensors"
    raise ArtifactError(f"{folder.name} {what}", "save it anew: model.save_pretrained(folder)")


def _dtype(base: Path | str, asked: str) -> torch.dtype:
    """The dtype asked for, or the one the base is saved in."""
    from transformers import AutoConfig

    import sluicegate.models.gpt  # noqa: F401  (registers its model type)

    config = AutoConfig.from_pretrained(base)
    if getattr(config, "quantization_config", None):
        hint = "name the model it was quantised from: its adapters are merged into that"
        raise ArtifactError(f"{Path(base).name} is quantised, and nothing can be merged into it", hint)
    return getattr(torch, asked) if asked != "auto" else config.dtype or torch.float32


def _settle_gates(model: Any, keep: bool) -> None:
    """Take gates off, unless they are to stay."""
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    if not hasattr(inner, "gate_facts"):
        return
    acting = any(gate.acts for gate in attached(inner).values())
    if keep:
        say("  the gates stay; they judge by what the model read when they were warmed up")
        return
    take_gates_off(inner)
    if acting:
        warn("the gates that were taken off took part in every pass: without them the model answers otherwise")


def _merge(loaded: Loaded, before: torch.Tensor, tolerance: float) -> tuple[Loaded, Agreement | None]:
    """The model with its adapter, if it has one, in its weights."""
    model: Any = loaded.model
    if not hasattr(model, "merge_and_unload"):
        return loaded, None
    whole = Loaded(model.merge_and_unload(), loaded.tokenizer)
    found = Agreement.of(before, probe(whole))
    found.check(tolerance, "merging the adapter", "export it with form=adapter, or raise tolerance=")
    return whole, found


def _cast(model: Any, dtype: torch.dtype) -> Any:
    """The model in another dtype; gates are small and stay as they are."""
    if not hasattr(model, "gate_facts"):
        return model.to(dtype)
    gates = detach(model)
    attach(model.to(dtype), gates)
    return model


# Beside the weights -------------------------------------------------------------------------------------------------


def _published(below: Path | str, asked: str) -> dict[str, Any]:
    """The base's name and revision for an adapter's settings."""
    found = hub_name(below) if isinstance(below, Path) else None
    if asked or isinstance(below, str):
        return {"base_model_name_or_path": asked or below}
    if found is None:
        hint = "say under which name others can get it: base=OWNER/NAME; or export with form=merged"
        raise ConfigError(f"the adapter's base {below.name} is a folder of this machine", hint)
    return {"base_model_name_or_path": found.name, "revision": found.revision}


def _generation(tokenizer: PreTrainedTokenizerBase, own: GenerationConfig) -> GenerationConfig:
    """The model's own settings, stopping at the end of a turn too: a base's end token is often another."""
    settings = copy.deepcopy(own)
    stops = settings.eos_token_id
    known = [stops] if isinstance(stops, int) else stops or []
    settings.eos_token_id = sorted({*end_ids(tokenizer), *known})
    settings.pad_token_id = tokenizer.pad_token_id
    settings._from_model_config = False  # or transformers would make it anew from the config
    return settings


def _saved_generation(base: Path | str) -> GenerationConfig:
    from transformers import AutoConfig, GenerationConfig

    if (Path(base) / "generation_config.json").is_file():
        return GenerationConfig.from_pretrained(base)
    return GenerationConfig.from_model_config(AutoConfig.from_pretrained(base))


def _tensors(path: Path) -> Iterable[torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(path).values()


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
