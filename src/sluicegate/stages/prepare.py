"""raw files, or the built-in world → messages."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from sluicegate.artifacts import Artifact, file_hash, write_table
from sluicegate.config import Config
from sluicegate.data import readers
from sluicegate.data.card import Tally, card
from sluicegate.data.dedup import DEDUPS, DedupName
from sluicegate.data.exclude import Exclude
from sluicegate.data.intake import Candidate, from_file, from_records
from sluicegate.data.shapes import ShapeName
from sluicegate.data.split import Split
from sluicegate.data.world import World
from sluicegate.runtime import track
from sluicegate.schema import Dropped, Kind, Record
from sluicegate.stages.base import Sizes, Stage

ESTIMATE_ROWS = 200
CHARS_PER_TOKEN = {"zh": 1.5, "en": 4.0, "other": 3.0}


class Draw(World.Config):
    """Rows drawn from the built-in world."""

    make: Literal["clean", "pool", "corpus"] = "clean"
    """Undamaged rows, a pool with known faults, or plain text to pretrain on."""
    rows: int = Field(1000, gt=0)
    """How many rows (documents for a corpus)."""
    draw: int = 0
    """Seed of the draw: the same world (`seed`) gives other rows to another draw."""
    bad_share: float = Field(0.6, ge=0, le=1)
    """How much of a pool is damaged."""

    def records(self) -> list[Record]:
        """The rows."""
        world = World(self)
        if self.make == "pool":
            return world.pool(self.rows, self.draw, bad_share=self.bad_share)
        return world.corpus(self.rows, self.draw) if self.make == "corpus" else world.clean(self.rows, self.draw)


class Source(Config):
    """One file, or one draw from the world; a bare path in the list of sources is short for `{path: ...}`."""

    path: Path | None = None
    """A .jsonl, .json, .csv or .parquet file, all but the last also with .gz."""
    world: Draw | None = None
    """Rows of the built-in world instead of a file."""
    shape: ShapeName = "auto"
    """How the file's rows are laid out; `auto` tells by their columns."""
    name: str = ""
    """What the `source` column says of the file's rows; the file's name without endings if empty."""

    @model_validator(mode="before")
    @classmethod
    def _from_path(cls, given: Any) -> Any:
        return {"path": given} if isinstance(given, str | Path) else given

    @model_validator(mode="after")
    def _one_of(self) -> Source:
        if (self.path is None) == (self.world is None):
            raise ValueError("a source needs either `path` or `world`")
        return self

    def candidates(self, max_chars: int) -> Iterator[Candidate]:
        """Every row of the source, streamed."""
        if self.world:
            return from_records(self.world.records(), "world", max_chars)
        assert self.path is not None
        return from_file(self.path, self.name or readers.stem(self.path), self.shape, max_chars)

    def count(self) -> int:
        """Rows in the source, readable or not."""
        if self.world:
            return self.world.rows
        assert self.path is not None
        return sum(1 for _ in readers.read(self.path))


class Prepare(Stage):
    """Reads rows of any known shape into one tidy table, and accounts for every row it leaves out.

    `exclude` maps a name, which the reason tells, to messages whose conversations are left out: those that judge the
    arms must not train them. They are known by content id, so the same prompt with another response stays.
    """

    name = "prepare"
    makes: ClassVar[Kind] = "messages"
    may_take: ClassVar[dict[str, Kind]] = {"exclude": "messages"}
    grouped = frozenset({"exclude"})

    class Config(Config):
        sources: list[Source] = Field(min_length=1)
        """Files and worlds, read in this order; one alone needs no list."""
        dedup: DedupName = "exact"
        """`exact` keeps the first of equal conversations; `none` keeps all, later ones under ids that end in .2, .3."""
        split: Split.Config | None = None
        """Keep only the train or the test part."""
        max_rows: int | None = Field(None, gt=0)
        """Stop reading after so many kept rows."""
        max_bad_share: float = Field(0.1, ge=0, le=1)
        """Stop with an error where more of one source's rows than this cannot be used."""
        max_chars: int = Field(100_000, gt=0)
        """Longer conversations are set aside."""

        @field_validator("sources", mode="before")
        @classmethod
        def _as_list(cls, given: Any) -> Any:
            return [given] if isinstance(given, str | Path | Mapping) else given

    def pins(self, config: Prepare.Config) -> dict[str, str]:
        """The hash of every file."""
        paths = [source.path for source in config.sources if source.path]
        for path in paths:
            readers.check(path)
        return {str(path): file_hash(path) for path in paths}

    def estimate(self, config: Prepare.Config, inputs: Mapping[str, Sizes]) -> dict[str, int]:
        """Rows, and tokens guessed from the characters of each source's first rows."""
        rows, tokens = 0, 0.0
        for source in config.sources:
            heads = [c.record for c in islice(source.candidates(config.max_chars), ESTIMATE_ROWS)]
            found = source.count()
            guessed = sum(r["n_chars"] / CHARS_PER_TOKEN[r["lang"]] for r in heads if r)
            rows, tokens = rows + found, tokens + found * guessed / len(heads)
        share = min(config.split.share if config.split else 1.0, (config.max_rows or rows) / rows)
        return {"rows": round(rows * share), "tokens": round(tokens * share)}

    def fill(self, out: Path, config: Prepare.Config, inputs: dict[str, Any]) -> dict[str, Any]:
        tally, exclude = Tally(), _exclude(inputs.get("exclude", {}))
        with TemporaryFile("w+", encoding="utf-8", dir=out) as aside:
            kept = islice(_sift(config, exclude, tally, aside), config.max_rows)
            write_table(out / "messages.parquet", kept, Record)
            tally.check(config.max_bad_share)
            aside.seek(0)
            write_table(out / "dropped.parquet", map(json.loads, aside), Dropped)
        (out / "card.md").write_text(card(tally), encoding="utf-8")
        return tally.stats()


def _exclude(inputs: Mapping[str, list[Artifact]]) -> Exclude:
    """Only the ids are read."""
    return Exclude({name: [r["id"] for a in held for r in a.rows("messages", ["id"])] for name, held in inputs.items()})


def _sift(config: Prepare.Config, exclude: Exclude, tally: Tally, aside: IO[str]) -> Iterator[Record]:
    """The rows to keep; the others are written to `aside`, a line of JSON each, for they may be as many."""
    dedup, split = DEDUPS[config.dedup](), Split(config.split) if config.split else None
    rows = chain.from_iterable(source.candidates(config.max_chars) for source in config.sources)
    for candidate in track(rows, "reading rows"):
        record, reason = candidate.record, candidate.reason
        if record:
            record, reason = dedup(record, candidate.place)
            reason = reason or exclude.reason(record["id"]) or (split.reason(record["id"]) if split else "")
        if record and not reason:
            tally.keep(candidate, record)
            yield record
        else:
            tally.drop(candidate, reason)
            aside.write(json.dumps(candidate.dropped(reason), ensure_ascii=False) + "\n")
