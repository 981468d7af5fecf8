"""messages + model (+ gate) → scores, in shards; a killed run goes on at the shard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

from sluicegate.artifacts import Artifact
from sluicegate.config import runtime
from sluicegate.errors import ArtifactError, ConfigError
from sluicegate.schema import Kind
from sluicegate.scoring.passes import plan_passes, run_pass
from sluicegate.scoring.shards import merge
from sluicegate.stages.base import Stage


class Score(Stage):
    """One column per signal, higher is better. Signals that read the same model share one forward pass."""

    name = "score"
    makes: ClassVar[Kind] = "scores"
    takes: ClassVar[dict[str, Kind]] = {"data": "messages"}
    may_take: ClassVar[dict[str, Kind]] = {"model": "model", "gate": "gate"}
    resumes = True

    class Config(Stage.Config):
        signals: list[str] = ["gate", "perplexity", "length", "random"]
        """Columns to make (sluice ls signals)."""
        options: dict[str, dict[str, Any]] = {}
        """Signal to its own options."""
        max_length: int = 2048
        """Tokens of a row that are read; longer rows are cut at the end and counted."""
        shard_rows: int = runtime(4096)
        """Rows between two savings of work done."""
        batch_tokens: int = runtime(8192)
        """Padded tokens per forward pass."""

    def fill(self, out: Path, config: Any, inputs: dict[str, Artifact]) -> dict[str, Any]:
        from sluicegate.models.encode import Encoder
        from sluicegate.scoring.forward import open_reader

        base, gate = _model_and_gate(inputs)
        facts = _facts(gate, base) if gate else None
        passes, files = plan_passes(config.signals, config.options, facts), []
        for step in passes:
            reader = open_reader(base.path, gate.path if gate else None, facts, step.model == "tuned", step.gated)
            encoder = Encoder(reader.loaded.tokenizer, config.max_length)
            files.append(run_pass(step, reader, encoder, inputs["data"], out, config.shard_rows, config.batch_tokens))
        return merge(out, files, config.signals) | {"passes": sum(p.model != "nothing" for p in passes)}


def _model_and_gate(inputs: dict[str, Artifact]) -> tuple[Artifact, Artifact | None]:
    gate = inputs.get("gate")
    if "model" in inputs:
        return inputs["model"], gate
    if gate is None:
        raise ConfigError("score has neither a model nor a gate", "add model=FOLDER or gate=ARTIFACT")
    return gate.parent("model"), gate


def _facts(gate: Artifact, base: Artifact) -> dict[str, Any]:
    """What `gate.json` says, once it is sure that the gate belongs to this base."""
    from sluicegate.models.gates import SETTINGS, weights_hash

    facts = json.loads((gate.path / SETTINGS).read_text(encoding="utf-8"))
    if facts["base_weights"] != weights_hash(base.path):
        hint = f"score with model={facts['base']}, or warm a gate up on this model"
        raise ArtifactError(f"gate {gate.id} was made for another model than {base.path}", hint)
    return facts
