"""model (+ evaluation, + control, + report) → bundle: a folder to give away, with a card of where it is from."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from sluicegate.artifacts import Artifact
from sluicegate.errors import ConfigError
from sluicegate.runtime import console
from sluicegate.schema import Kind
from sluicegate.stages.base import Stage

if TYPE_CHECKING:
    from sluicegate.models.export import Exported
    from sluicegate.reporting.model_card import Usage
    from sluicegate.reporting.model_card.history import History

CARD, MODELFILE = "README.md", "Modelfile"


class Export(Stage):
    """Writes a folder that transformers, vLLM and Ollama open: safetensors, tokenizer, settings of generation, a card.

    It lies in the artifact under the model's name, so that the manifest, which knows paths, is not given away with it.
    The card names base, data, choice, training and lineage; with an `evaluation` of the model also what it answers,
    beside a `control`, the evaluation of a model tuned on a random choice, and what the `report` of both came to.
    """

    name = "export"
    makes: ClassVar[Kind] = "bundle"
    takes: ClassVar[dict[str, Kind]] = {"model": "model"}
    may_take: ClassVar[dict[str, Kind]] = {"evaluation": "evaluation", "control": "evaluation", "report": "report"}

    class Config(Stage.Config):
        form: Literal["merged", "adapter"] = "merged"
        """A whole model, into which an adapter is merged in float32, or an adapter alone, as it was trained."""
        dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
        """Of the weights of a whole model, cast once all is merged. auto: as those of the base are saved."""
        gates: Literal["off", "keep"] = "off"
        """Of a model that carries its gates: a plain model, or one that needs `import sluicegate` to judge rows."""
        tolerance: float = Field(1e-3, gt=0)
        """How far merging may move the logits, as a share of their norm, in float32 and before the cast."""
        cast_tolerance: float = Field(0.05, gt=0)
        """How far they may have moved in what is read back from the folder, where its weights are not float32."""
        shard_size: str = Field("5GB", pattern=r"^\d+(\.\d+)?[KMG]B$")
        """A weight file is no larger."""
        gguf: bool = False
        """Also write `model.gguf`, by llama.cpp's convert_hf_to_gguf.py, which must be on the PATH."""
        name: str = Field("", pattern=r"^[\w.-]*$")
        """What it is called; that of its base with its trainings, if empty."""
        base: str = ""
        """The base's name on the hub, where its folder does not tell."""
        licence: str = ""
        """Of the model, as the hub names licences; if empty that of its base, where its folder has a card."""

        @model_validator(mode="after")
        def _as_it_is(self) -> Self:
            if self.form == "adapter" and (self.dtype != "auto" or self.gguf):
                raise ValueError("an adapter is exported as it was trained: dtype and gguf are for form=merged")
            return self

    def check(self, config: Any, wires: Collection[str]) -> None:
        """A control stands beside an evaluation."""
        if "control" in wires and "evaluation" not in wires:
            raise ConfigError("a control has nothing to stand beside", "name the `evaluation` of this model too")

    def fill(self, out: Path, config: Any, inputs: dict[str, Artifact]) -> dict[str, Any]:
        """Write a folder: weights, tokenizer and settings, `Modelfile`, `model.gguf` if asked for, and `README.md`."""
        from sluicegate.evaluation import stats
        from sluicegate.models.export_gguf import convert, find_converter
        from sluicegate.reporting.model_card import Bundle, history_of, model_card, result_of

        model = inputs["model"]
        converter = find_converter() if config.gguf else None
        result = result_of(model, inputs.get("evaluation"), inputs.get("control"), stats)
        history = history_of(model)
        base = "" if history.base.scratch else config.base or history.base.name
        name = config.name or _name(history, base)
        folder = out / name
        folder.mkdir()
        made = _write(model.path, folder, config)
        if converter:
            convert(converter, folder, name, made.dtype)
        usage = _usage(folder, name, made, config)
        if not made.house_class:
            (folder / MODELFILE).write_text(_modelfile(folder, usage), encoding="utf-8")
        licence = config.licence or history.base.licence
        checks = {"dtype": made.dtype, "agreement": _agreement(made)}
        bundle = Bundle(name, config.form, base, licence, history, result, inputs.get("report"), checks, usage)
        (folder / CARD).write_text(model_card(bundle), encoding="utf-8")
        moved = {"merged_distance": made.merged, "written_distance": made.written}
        told = {key: found.distance for key, found in moved.items() if found}
        return {"name": name, "form": config.form, "dtype": made.dtype, "parameters": made.parameters, **told}

    def show(self, artifact: Artifact) -> None:
        """Where it is."""
        console().print(str(artifact.path / artifact.stats["name"] / CARD), markup=False, soft_wrap=True)


def _write(source: Path, out: Path, config: Any) -> Exported:
    from sluicegate.models.export import Tolerances, export_adapter, export_merged

    if config.form == "adapter":
        return export_adapter(source, out, config.base)
    tolerances = Tolerances(config.tolerance, config.cast_tolerance)
    keep = config.gates == "keep"
    return export_merged(
        source, out, dtype=config.dtype, keep_gates=keep, shard_size=config.shard_size, tolerances=tolerances
    )


def _name(history: History, base: str) -> str:
    """`Qwen3-1.7B-sft-dpo`."""
    return "-".join([base.rpartition("/")[2] or "sluice", *(step.stage for step in history.trainings)])


def _usage(folder: Path, name: str, made: Exported, config: Any) -> Usage:
    from sluicegate.models.adapters import SETTINGS
    from sluicegate.models.export_gguf import GGUF
    from sluicegate.reporting.model_card import Usage

    base, rank = "", 0
    if config.form == "adapter":
        settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        base, rank = settings["base_model_name_or_path"], max([settings["r"], *settings["rank_pattern"].values()])
    return Usage(name, base, rank, made.house_class, gguf=(folder / GGUF).is_file())


def _modelfile(folder: Path, usage: Usage) -> str:
    from sluicegate.models.encode import end_ids
    from sluicegate.models.export_gguf import GGUF
    from sluicegate.models.export_modelfile import modelfile
    from sluicegate.models.load import load_tokenizer

    tokenizer = load_tokenizer(folder)
    stops = [str(tokenizer.convert_ids_to_tokens(i)) for i in end_ids(tokenizer)]
    origin = usage.base or (f"./{GGUF}" if usage.gguf else ".")
    return modelfile(tokenizer, stops, origin=origin, adapter=bool(usage.base))


def _agreement(made: Exported) -> dict[str, Any]:
    told = {"Merging the adapter, in float32,": made.merged, f"Writing in {made.dtype}": made.written}
    return {what: found for what, found in told.items() if found}
