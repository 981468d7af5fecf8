"""What a preparation reads: files, sets of the hub, named presets, and draws from the built-in world."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from sluicegate.artifacts import file_hash
from sluicegate.config import Config
from sluicegate.data import readers
from sluicegate.data.intake import Given, Intake, Parcel, Shaped
from sluicegate.data.readers import Row
from sluicegate.data.shapes import ShapeName
from sluicegate.data.world import World
from sluicegate.schema import Record

PARCEL_ROWS = 256


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

    def parcels(self, make: Literal["messages", "pairs"], max_chars: int) -> Iterator[Parcel]:
        """All its rows in their order, a few hundred to a parcel; parcels are opened anywhere and in any order.

        Args:
            make: what the rows are to become; a row of the other kind becomes a candidate with a reason.
            max_chars: longer conversations are set aside.
        """
        if self.world:
            rows: Iterable[Row] = (Row(line, record) for line, record in enumerate(self.world.records(), start=1))
            return _parcels(Given(max_chars), "world", rows)
        assert self.path is not None
        intake = Shaped(self.name or readers.stem(self.path), self.shape, max_chars)
        return _parcels(intake, str(self.path), readers.read(self.path))

    def pins(self) -> dict[str, str]:
        """The hash of every file it reads, by path; `DataError` where one cannot be read."""
        if self.path is None:
            return {}
        readers.check(self.path)
        return {str(self.path): file_hash(self.path)}

    def count(self) -> int:
        """Rows in the source, readable or not."""
        if self.world:
            return self.world.rows
        assert self.path is not None
        return sum(1 for _ in readers.read(self.path))


def _parcels(intake: Intake, origin: str, rows: Iterable[Row]) -> Iterator[Parcel]:
    left = iter(rows)
    while some := tuple(islice(left, PARCEL_ROWS)):
        yield Parcel(intake, origin, some)
