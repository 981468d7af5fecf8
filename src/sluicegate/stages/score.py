"""messages + model (+ gate) → scores, in shards; a killed run goes on at the shard."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from sluicegate.artifacts import Artifact
from sluicegate.config import runtime
from sluicegate.errors import ConfigError
from sluicegate.runtime import rank, warn, world_size
from sluicegate.schema import Kind
from sluicegate.scoring import ray_runner
from sluicegate.scoring.cost import keep_cost, kept_cost, total_cost
from sluicegate.scoring.detail import Detail
from sluicegate.scoring.merge import SCORES, clear, count, merge
from sluicegate.scoring.passes import Gates, build_options, check_needs, plan_passes
from sluicegate.scoring.shards import Shards
from sluicegate.scoring.work import Work, score_part, share_part
from sluicegate.stages.base import Sizes, Stage

TABLE = "messages.parquet"


class Score(Stage):
    """One column per signal, higher is better. Signals that read the same model share one forward pass.

    Some learn from `trusted` rows, as a gate does at warm-up, before they score.
    """

    name = "score"
    makes: ClassVar[Kind] = "scores"
    takes: ClassVar[dict[str, Kind]] = {"data": "messages"}
    may_take: ClassVar[dict[str, Kind]] = {"model": "model", "gate": "gate", "trusted": "messages"}
    resumes = True
    divisible = True

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
        shard: str | None = runtime(None)
        """i/N: score only the i-th of N parts, counted from 0, beside other processes that score the others; the same
        command without it scores what is missing and makes the table."""
        engine: Literal["here", "ray"] = runtime("here")
        """`ray`: in workers that Ray starts, on this machine or on a cluster that sees the same files."""
        workers: int = runtime(2, ge=1)
        """ray: how many, each with one CPU and, where there are any, one GPU."""

        @field_validator("shard")
        @classmethod
        def _is_a_part(cls, shard: str | None) -> str | None:
            found = re.fullmatch(r"(\d+)/(\d+)", "0/1" if shard is None else shard)
            if not found or int(found[1]) >= int(found[2]):
                raise ValueError(f"'{shard}' is no part: write i/N, as 0/3, 1/3 and 2/3 of three")
            return shard

        @field_validator("options")
        @classmethod
        def _as_the_signals_say(cls, options: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
            return build_options(info.data["signals"], options) if "signals" in info.data else options

    def check(self, config: Any, wires: Collection[str]) -> None:
        """There is a model to read, a gate and trusted rows where a signal wants them, and ray where it is to run."""
        if config.engine == "ray":
            ray_runner.check_installed()
        check_needs(config.options, wires)
        if "gate" in wires:
            return
        if "model" not in wires:
            raise ConfigError("score has neither a model nor a gate", "add model=FOLDER or gate=ARTIFACT")
        plan_passes(config.options, {})

    def estimate(self, config: Any, inputs: Mapping[str, Sizes]) -> dict[str, int]:
        """As many rows and tokens as the data have."""
        return dict(inputs["data"])

    def part(self, config: Any) -> tuple[int, int] | None:
        """What `shard` says; processes that a launcher started for it divide it once more."""
        if config.shard is None:
            return None
        part, parts = map(int, config.shard.split("/"))
        return part * world_size() + rank(), parts * world_size()

    def share(self, out: Path, config: Any, inputs: dict[str, Artifact], part: int, parts: int) -> dict[str, Any]:
        """Score every shard whose number is `part` modulo `parts` and that does not stand yet."""
        return share_part(_work(out, config, inputs), part, parts)

    def fill(self, out: Path, config: Any, inputs: dict[str, Artifact]) -> dict[str, Any]:
        """Write `scores.parquet` from shards, after scoring those that do not stand yet."""
        work = _work(out, config, inputs)
        encoder = work.encoder()
        if not (out / SCORES).exists():
            if config.engine == "ray":
                ray_runner.run(work, config.workers)
            score_part(work, encoder)
            keep_cost(out, total_cost(work.files()))
            merge(out, work.files())
        clear(out)
        stats: dict[str, Any] = count(out / SCORES, config.options)
        if cut := stats.get("truncated"):
            rows, their = ("1 row is", "its") if cut == 1 else (f"{cut:,} rows are", "their")
            warn(f"{rows} longer than max_length={encoder.max_length}; only {their} beginning was scored")
        stats["passes"] = sum(step.model != "nothing" for step in work.passes)
        return stats | (cost.told() if (cost := kept_cost(out)) else {})


def _work(out: Path, config: Any, inputs: dict[str, Artifact]) -> Work:
    gate = inputs.get("gate")
    base = inputs["model"] if "model" in inputs else inputs["gate"].parent("model")
    gates = _members(gate, base) if gate else {}
    shards = Shards(inputs["data"].path / TABLE, config.shard_rows)
    passes = plan_passes(config.options, gates, config.detail)
    at = gate.path if gate else None
    trusted = inputs["trusted"].path / TABLE if "trusted" in inputs else None
    return Work(out, shards, passes, base.path, at, gates, config.max_length, config.batch_tokens, trusted)


def _members(gate: Artifact, base: Artifact) -> Gates:
    """What `gate.json` says of a gate, or of each of its members, once it is sure that it belongs to this base."""
    from sluicegate.models.gates.files import check_base, read_settings

    members = read_settings(gate.path).get("members") or [""]
    gates = {member: read_settings(gate.path / member) for member in members}
    for found in gates.values():
        check_base(gate.id, found, base.path)
    return gates
