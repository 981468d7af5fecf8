"""messages + model (+ gate) → scores, in shards; a killed run goes on at the shard."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, ValidationInfo, field_validator

from sluicegate.artifacts import Artifact
from sluicegate.config import runtime
from sluicegate.errors import ArtifactError, ConfigError
from sluicegate.runtime import warn
from sluicegate.schema import Kind
from sluicegate.scoring.detail import Detail
from sluicegate.scoring.passes import Pass, build_options, plan_passes, run_pass
from sluicegate.scoring.shards import merge
from sluicegate.stages.base import Sizes, Stage


class Score(Stage):
    """One column per signal, higher is better. Signals that read the same model share one forward pass."""

    name = "score"
    makes: ClassVar[Kind] = "scores"
    takes: ClassVar[dict[str, Kind]] = {"data": "messages"}
    may_take: ClassVar[dict[str, Kind]] = {"model": "model", "gate": "gate"}
    resumes = True

    class Config(Stage.Config):
        signals: list[str] = Field(["gate", "perplexity", "length", "random"], min_length=1)
        """Columns to make (sluice ls signals)."""
        options: dict[str, Any] = Field({}, validate_default=True)
        """Signal to its own keys (sluice docs SIGNAL)."""
        detail: Detail = "none"
        """Keep also, of the model the gate reads (or else the base): `sample`: loss, entropy and each layer's score;
        `tokens`: the loss and each layer's logit of every response token too, some 2 bytes each."""
        max_length: int = Field(2048, ge=2)
        """Tokens of a row that are read; longer rows are cut at the end and counted."""
        shard_rows: int = runtime(4096, ge=1)
        """Rows between two savings of work done."""
        batch_tokens: int = runtime(8192, ge=1)
        """Padded tokens per forward pass; a longer row goes alone."""

        @field_validator("options")
        @classmethod
        def _as_the_signals_say(cls, options: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
            return build_options(info.data["signals"], options) if "signals" in info.data else options

    def check(self, config: Any, wires: Collection[str]) -> None:
        """There is a model to read, and a gate where a signal reads one."""
        if "gate" in wires:
            return
        if "model" not in wires:
            raise ConfigError("score has neither a model nor a gate", "add model=FOLDER or gate=ARTIFACT")
        plan_passes(config.options, None)

    def estimate(self, config: Any, inputs: Mapping[str, Sizes]) -> dict[str, int]:
        """As many rows and tokens as the data have."""
        return dict(inputs["data"])

    def fill(self, out: Path, config: Any, inputs: dict[str, Artifact]) -> dict[str, Any]:
        """Write `scores.parquet`, pass by pass and shard by shard; only one model is in memory at a time."""
        from sluicegate.models.load import load_encoder
        from sluicegate.scoring.forward import open_reader

        base, gate = _model_and_gate(inputs)
        facts = _facts(gate, base) if gate else None
        encoder = load_encoder(base.path, config.max_length)

        def files(step: Pass) -> list[Path]:
            reader = open_reader(step, base.path, gate.path if gate else None, facts)
            return run_pass(step, reader, encoder, inputs["data"], out, config.shard_rows, config.batch_tokens)

        passes = plan_passes(config.options, facts, config.detail)
        stats = merge(out, [files(step) for step in passes], config.options)
        if cut := stats.get("truncated"):
            rows, their = ("1 row is", "its") if cut == 1 else (f"{cut:,} rows are", "their")
            warn(f"{rows} longer than max_length={encoder.max_length}; only {their} beginning was scored")
        return stats | {"passes": sum(step.model != "nothing" for step in passes)}


def _model_and_gate(inputs: dict[str, Artifact]) -> tuple[Artifact, Artifact | None]:
    gate = inputs.get("gate")
    if "model" in inputs:
        return inputs["model"], gate
    return inputs["gate"].parent("model"), gate


def _facts(gate: Artifact, base: Artifact) -> dict[str, Any]:
    """What `gate.json` says, once it is sure that the gate belongs to this base."""
    from sluicegate.models.gates.files import SETTINGS, weights_hash

    facts = json.loads((gate.path / SETTINGS).read_text(encoding="utf-8"))
    if facts["base_weights"] != weights_hash(base.path):
        hint = f"score with model={facts['base']}, or warm a gate up on this model"
        raise ArtifactError(f"gate {gate.id} was made for another model than {base.path}", hint)
    return facts
