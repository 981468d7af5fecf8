"""The work of scoring one table, which any number of processes can share: shard by shard, in one folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sluicegate.artifacts import read_rows, write_json
from sluicegate.models.meter import Meter, Spent
from sluicegate.runtime import progress
from sluicegate.schema import Record
from sluicegate.scoring.passes import Gates, Pass, fit_signals, score_shard
from sluicegate.scoring.shards import FOLDER, SEEN, Shards, shard_path, write_shard

if TYPE_CHECKING:
    from sluicegate.models.encode import Encoder


@dataclass(frozen=True)
class Work:
    """All that a process needs to know of it; plain values, for they travel to other processes."""

    out: Path
    """The folder that everyone's shards are written to."""
    shards: Shards
    passes: Sequence[Pass]
    base: Path
    gate: Path | None
    gates: Gates
    max_length: int
    batch_tokens: int
    trusted: Path | None = None
    """The table of rows that signals learn from."""

    def encoder(self) -> Encoder:
        """Of the base's tokenizer; its warnings are said here."""
        from sluicegate.models.load import load_encoder

        return load_encoder(self.base, self.max_length)

    def trusted_rows(self) -> list[Record]:
        """All of them; none where there is no table."""
        return cast(list[Record], list(read_rows(self.trusted, SEEN))) if self.trusted else []

    def path(self, step: Pass, number: int) -> Path:
        """Where a pass leaves a shard."""
        return shard_path(self.out, step.name, self.shards.span(number))

    def missing(self, step: Pass, part: int = 0, parts: int = 1) -> list[int]:
        """The shards of a part that do not stand yet; of `parts` the i-th has every one whose number is i modulo."""
        return [n for n in range(part, len(self.shards), parts) if not self.path(step, n).exists()]

    def files(self) -> Iterator[list[Path]]:
        """For each shard the files of all passes, in the order of the rows."""
        for number in range(len(self.shards)):
            yield [self.path(step, number) for step in self.passes]


class Worker:
    """Scores shards of one pass with a model that is opened once."""

    def __init__(self, work: Work, step: Pass, encoder: Encoder) -> None:
        from sluicegate.scoring.forward import open_reader

        gate = work.gate / step.member if work.gate else None
        self.reader = open_reader(step, work.base, gate, work.gates.get(step.member))
        self.work, self.step, self.encoder = work, step, encoder
        self.meter = Meter()
        if self.reader:
            self.meter.watch(self.reader.loaded.model)

    @cached_property
    def learned(self) -> tuple[dict[str, Any], Spent]:
        """What the signals must know before they score, and what it cost to learn."""
        trusted, budget = self.work.trusted_rows(), self.work.batch_tokens
        with self.meter.running():
            found = fit_signals(self.step, self.reader, self.encoder, trusted, budget)
        return found, self.meter.take()

    def score(self, number: int, advance: Callable[[int], None]) -> None:
        """Read one shard and write it; `advance` is told how many rows each batch had."""
        rows, budget = self.work.shards.read(number), self.work.batch_tokens
        path, (learned, before) = self.work.path(self.step, number), self.learned
        with self.meter.running():
            columns = score_shard(self.step, self.reader, self.encoder, rows, budget, advance, learned, path)
        write_shard(path, columns, self.meter.take(), before)


def score_part(work: Work, encoder: Encoder, part: int = 0, parts: int = 1) -> None:
    """Score what is missing of a part, pass by pass; only one model is in memory at a time."""
    for step in work.passes:
        if numbers := work.missing(step, part, parts):
            _score(Worker(work, step, encoder), numbers)


def share_part(work: Work, part: int, parts: int) -> dict[str, Any]:
    """`score_part`, once: a mark is left when it is done, and tells how many rows it had."""
    mark = work.out / FOLDER / f"part-{part}-of-{parts}-{work.shards.size}.done"
    if not mark.exists():
        score_part(work, work.encoder(), part, parts)
        mark.parent.mkdir(exist_ok=True)
        spans = [work.shards.span(n) for n in range(part, len(work.shards), parts)]
        write_json(mark, {"rows": sum(n_rows for _, n_rows in spans), "shards": len(spans)})
    return json.loads(mark.read_text(encoding="utf-8"))


def _score(worker: Worker, numbers: Sequence[int]) -> None:
    spans = (worker.work.shards.span(number) for number in numbers)
    with progress() as bar:
        task = bar.add_task(f"score ({worker.step.name})", total=sum(n_rows for _, n_rows in spans))
        for number in numbers:
            worker.score(number, partial(bar.advance, task))
