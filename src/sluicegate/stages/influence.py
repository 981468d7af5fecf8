"""messages + model + trusted rows (+ scores) → scores, by LESS; a killed run goes on at the shard."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

import numpy as np
from pydantic import Field

from sluicegate.artifacts import Artifact, write_json
from sluicegate.config import runtime
from sluicegate.errors import DataError
from sluicegate.models.meter import Meter, Spent
from sluicegate.runtime import progress, seed_everything
from sluicegate.schema import Kind, Record
from sluicegate.scoring.beside import put_beside
from sluicegate.scoring.cost import keep_cost, kept_cost, total_cost
from sluicegate.scoring.less import Cost, Less, combine, cosines
from sluicegate.scoring.merge import SCORES, clear, count, merge
from sluicegate.scoring.passes import Pass, score_shard
from sluicegate.scoring.shards import FREE, SEEN, Shards, shard_path, write_shard
from sluicegate.stages.base import Sizes, Stage
from sluicegate.training.less_config import LessWarmupConfig

if TYPE_CHECKING:
    from peft import PeftModel

    from sluicegate.models.encode import Encoded, Encoder
    from sluicegate.models.projection import Projection
    from sluicegate.training.less_warmup import Checkpoint

CHECKPOINTS, FACTS = "checkpoints", "less.json"


class Influence(Stage):
    """Makes the column `less`: how far training on a row would lead the way the trusted rows point.

    `less_targets` has it for each task apart, for the rule `targets`. With `beside`, scores of the same data, their
    columns stand in the table too, for rules that read several.
    """

    name = "influence"
    version = 2
    makes: ClassVar[Kind] = "scores"
    takes: ClassVar[dict[str, Kind]] = {"data": "messages", "model": "model", "trusted": "messages"}
    may_take: ClassVar[dict[str, Kind]] = {"beside": "scores"}
    resumes = True

    class Config(Stage.Config):
        warmup: LessWarmupConfig = LessWarmupConfig()
        """The short training whose checkpoints are taken."""
        tasks: Literal["one", "source"] = "one"
        """`one`: what a row does for all trusted rows together. `source`: each source of theirs is a task of its own,
        and a row is as good as for the task that it does most for."""
        width: int = Field(8192, ge=1)
        """Dimensions that gradients are projected to. Cosines are then off by some 1 / √width."""
        seed: int = 0
        """Of the projection."""
        max_length: int = Field(2048, ge=2)
        """Tokens of a row that are read; longer rows are cut at the end and counted."""
        shard_rows: int = runtime(4096, ge=1)
        """Rows between two savings of work done."""
        batch_tokens: int = runtime(4096, ge=1)
        """Padded tokens per forward and backward pass; a longer row goes alone."""

    def estimate(self, config: Any, inputs: Mapping[str, Sizes]) -> dict[str, int]:
        """As many rows and tokens as the data have."""
        return dict(inputs["data"])

    def fill(self, out: Path, config: Any, inputs: dict[str, Artifact]) -> dict[str, Any]:
        """Write `scores.parquet` and, of checkpoints, tasks and cost, `less.json`."""
        if not (out / SCORES).exists():
            _Comparison(out, config, inputs).run()
        if "beside" in inputs:
            put_beside(out, [f"{Less.name}{column}" for column in ("", "_why", "_targets")], inputs["beside"])
        clear(out)
        shutil.rmtree(out / CHECKPOINTS, ignore_errors=True)
        facts = json.loads((out / FACTS).read_text(encoding="utf-8"))
        told = {key: facts[key] for key in ("warmup_rows", "forward_units")}
        return (
            count(out / SCORES, [Less.name])
            | {"checkpoints": len(facts["checkpoints"])}
            | told
            | (cost.told() if (cost := kept_cost(out)) else {})
        )


class _Comparison:
    """Every row with the trusted rows, at every checkpoint; what stands in the folder `out` is not done again."""

    def __init__(self, out: Path, config: Any, inputs: Mapping[str, Artifact]) -> None:
        from sluicegate.models import adapters
        from sluicegate.models.gradients import trainable
        from sluicegate.models.load import load_plain
        from sluicegate.models.projection import Projection

        self.out, self.config, self.data = out, config, inputs["data"]
        self.shards = Shards(self.data.path / "messages.parquet", config.shard_rows)
        loaded = load_plain(inputs["model"].path)
        self.pad_id: int = loaded.tokenizer.pad_token_id
        self.encoder: Encoder = loaded.encoder(config.max_length)
        self.base_size = _multiplied(loaded.model)
        trusted = cast(list[Record], list(inputs["trusted"].rows("messages", SEEN)))
        encoded = self.encoder.encode_all(trusted, "trusted rows")
        self.tasks = _tasks(trusted, encoded, config.tasks)
        seed_everything(config.warmup.seed)
        self.model: PeftModel = adapters.attach(loaded.model, config.warmup.lora)
        self.adapter_size = sum(p.numel() for p in trainable(self.model).values())
        self.projection: Projection = Projection(config.width, config.seed)
        self.meter = Meter()

    def run(self) -> None:
        """Train, compare and write the table."""
        if not self.shards.rows:
            raise DataError("there is no row to score", "look at dropped.parquet of the data for what became of them")
        lessons = self._lessons()
        checkpoints = self._checkpoints(lessons)
        for number, checkpoint in enumerate(checkpoints):
            self._compare(number, checkpoint)
        rates = np.array([checkpoint.learning_rate for checkpoint in checkpoints])
        tokens = sum(self._finish(number, rates) for number in range(len(self.shards)))
        self._tell(lessons, checkpoints, tokens)
        merge(self.out, ([self._path("less", number)] for number in range(len(self.shards))))

    def _lessons(self) -> list[Encoded]:
        """The rows of the warm-up, encoded; those without label tokens teach nothing."""
        from sluicegate.training.less_warmup import draw_rows

        drawn = draw_rows([row["id"] for row in self.data.rows("messages", ["id"])], self.config.warmup)
        wanted = set(drawn)
        found = {row["id"]: row for row in self.data.rows("messages", SEEN) if row["id"] in wanted}
        records = [cast(Record, found[one]) for one in drawn]
        lessons = [row for row in self.encoder.encode_batch(records) if row.n_label]
        if not lessons:
            raise DataError(f"none of the {len(drawn)} rows drawn for the warm-up has a response token", "draw more")
        return lessons

    def _checkpoints(self, lessons: list[Encoded]) -> list[Checkpoint]:
        """Of the warm-up, which is all done or not at all."""
        from sluicegate.training import less_warmup

        folder, draft = self.out / CHECKPOINTS, self.out / f"{CHECKPOINTS}-unfinished"
        if not folder.exists():
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir()
            taken = less_warmup.warm_up(self.model, lessons, self.config.warmup, self.pad_id, self.config.batch_tokens)
            with self.meter.running():
                for number, checkpoint in enumerate(taken):
                    less_warmup.save(checkpoint, draft / f"{number:03d}.safetensors")
            keep_cost(draft, self.meter.take())
            draft.rename(folder)
        return [less_warmup.load(path) for path in sorted(folder.glob("*.safetensors"))]

    def _compare(self, number: int, checkpoint: Checkpoint) -> None:
        """Write the cosines of every shard that does not stand yet."""
        from sluicegate.models.gradients import read_features

        missing = [n for n in range(len(self.shards)) if not self._path(f"at-{number}", n).exists()]
        if not missing:
            return
        self.model.load_state_dict(checkpoint.weights, strict=False)
        self.model.eval()
        see = partial(read_features, self.model, pad_id=self.pad_id, projection=self.projection)
        see = partial(see, batch_tokens=self.config.batch_tokens)
        with self.meter.running():
            targets = np.stack([see(rows).mean(0).numpy() for rows in self.tasks.values()])  # (M, W)
        before = self.meter.take()
        with progress() as bar:
            task = bar.add_task(f"less, checkpoint {number + 1}", total=sum(self.shards.span(n)[1] for n in missing))
            for n in missing:
                rows = self.encoder.encode_batch(self.shards.read(n))
                with self.meter.running():
                    seen = see(rows, moments=checkpoint.moments, advance=partial(bar.advance, task)).numpy()  # (N, W)
                columns = {"tokens": [len(row.ids) for row in rows], "cosines": list(cosines(seen, targets))}
                write_shard(self._path(f"at-{number}", n), columns, self.meter.take(), before)

    def _finish(self, number: int, rates: np.ndarray) -> int:
        """Write the columns of a shard from its cosines at all checkpoints; returns its tokens."""
        import pyarrow.parquet as pq

        tables = [pq.read_table(self._path(f"at-{k}", number)) for k in range(len(rates))]
        found = np.stack([np.stack(table["cosines"].to_numpy()) for table in tables])  # (K, N, M)
        records = self.shards.read(number)
        known = dict(zip([r["id"] for r in records], combine(found, rates).tolist(), strict=True))
        step = Pass("nothing", {Less.name: (Less(), None)}, gated=False)
        columns = score_shard(step, None, self.encoder, records, 0, lambda n_rows: None, {Less.name: known})
        write_shard(self._path(Less.name, number), columns)
        return sum(tables[0]["tokens"].to_pylist())

    def _tell(self, lessons: list[Encoded], checkpoints: list[Checkpoint], tokens: int) -> None:
        trusted = [row for rows in self.tasks.values() for row in rows]
        cost = Cost(
            rows=self.shards.rows,
            tokens=tokens,
            trusted_rows=len(trusted),
            trusted_tokens=_n_tokens(trusted),
            taught_tokens=_n_tokens(lessons),
            epochs=len(checkpoints),
            adapter_share=self.adapter_size / self.base_size,
            width=self.config.width,
        )
        facts = {
            "tasks": {name: len(rows) for name, rows in self.tasks.items()},
            "warmup_rows": len(lessons),
            "checkpoints": [{"step": c.moments.step, "learning_rate": c.learning_rate} for c in checkpoints],
            "parameters": self.adapter_size,
            "forward_units": round(cost.forward_units(), 3),
        }
        write_json(self.out / FACTS, facts)
        keep_cost(self.out, Spent(cost.forward_units() * tokens, self._seconds(len(checkpoints))))

    def _seconds(self, checkpoints: int) -> float:
        """Of the warm-up, and of all shards at all checkpoints."""
        compared = [[self._path(f"at-{k}", n) for k in range(checkpoints)] for n in range(len(self.shards))]
        return (total_cost(compared) + (kept_cost(self.out / CHECKPOINTS) or FREE)).working_seconds

    def _path(self, step: str, number: int) -> Path:
        return shard_path(self.out, step, self.shards.span(number))


def _tasks(trusted: list[Record], encoded: list[Encoded], tasks: str) -> dict[str, list[Encoded]]:
    """Trusted rows by task."""
    found: dict[str, list[Encoded]] = {}
    for record, row in zip(trusted, encoded, strict=True):
        found.setdefault(record["source"] if tasks == "source" else "trusted", []).append(row)
    return dict(sorted(found.items()))


def _n_tokens(rows: list[Encoded]) -> int:
    return sum(len(row.ids) for row in rows)


def _multiplied(model: Any) -> int:
    """The parameters a token is multiplied with: all but an embedding that is only looked up."""
    looked_up = model.get_input_embeddings().weight
    tied = model.get_output_embeddings().weight is looked_up
    return sum(p.numel() for p in model.parameters()) - (0 if tied else looked_up.numel())
