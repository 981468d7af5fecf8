"""What a preparation reads: files, sets of the hub, named presets, and draws from the built-in world."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from sluicegate.artifacts import file_hash
from sluicegate.config import build_inside
from sluicegate.data import readers
from sluicegate.data.gather import gather
from sluicegate.data.hub import HubSet
from sluicegate.data.intake import Given, Made, Parcel, Shaped
from sluicegate.data.presets import preset_keys
from sluicegate.data.readers import Chunk, Row
from sluicegate.data.readers.chunk import CHUNK_ROWS, parsed
from sluicegate.data.shapes import AUTO, Several, Unfit, find
from sluicegate.data.world import World
from sluicegate.registry import SHAPES
from sluicegate.schema import Record


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

    def chunks(self) -> Iterator[Chunk]:
        """The rows, some hundred at a time."""
        rows = (Row(line, record) for line, record in enumerate(self.records(), start=1))
        while some := tuple(islice(rows, CHUNK_ROWS)):
            yield Chunk(parsed, some[0].line, len(some), some)


class Source(HubSet):
    """Files, a set of the hub, or a draw from the world; a bare path in the list of sources is short for `{path: …}`.

    A `preset` names a published set and fills in all that is not said beside it; with a `path` it is read from there.
    """

    preset: str | None = None
    """A published set by its name (sluice ls presets)."""
    path: Path | None = None
    """A file (.jsonl, .json, .csv, .parquet or .arrow, the first three also with .gz, .zst or .xz), a folder of such
    files, or a glob."""
    world: Draw | None = None
    """Rows of the built-in world instead of a file."""
    shape: str = AUTO
    """How the rows are laid out (sluice ls shapes); `auto` tells by their columns."""
    options: Any = Field(None, validate_default=True)
    """The keys of the shape (sluice docs SHAPE)."""
    pairs_as: Literal["pairs", "chosen"] = "pairs"
    """What a row with a better and a worse answer is where messages are made: set aside, as it makes pairs, or a
    conversation with its `chosen` answer."""
    name: str = ""
    """What the `source` column says of the rows; that of the preset, the file, its folder or the set if empty."""
    licence: str = ""
    """Under which terms the rows may be used, for the card."""
    warning: str = ""
    """What whoever uses the rows should know, for the card."""

    @model_validator(mode="before")
    @classmethod
    def _filled_in(cls, given: Any) -> Any:
        given = {"path": given} if isinstance(given, str | Path) else given
        return preset_keys(given) | given if isinstance(given, dict) and given.get("preset") else given

    @field_validator("shape")
    @classmethod
    def _known(cls, shape: str) -> str:
        if shape != AUTO:
            SHAPES.get(shape)
        return shape

    @field_validator("options")
    @classmethod
    def _as_the_shape_says(cls, options: Any, info: ValidationInfo) -> Any:
        shape = info.data.get("shape", AUTO)
        if shape == AUTO:
            if options:
                raise ValueError("are those of a shape: name it with `shape`")
            return None
        return build_inside(SHAPES.get(shape).Config, options or {})

    @model_validator(mode="after")
    def _one_of(self) -> Source:
        if sum(found is not None for found in (self.path, self.hub, self.world)) != 1:
            raise ValueError("a source needs one of `path`, `hub`, `preset` or `world`")
        idle = [key for key in HubSet.model_fields if key in self.model_fields_set and not self.hub]
        if idle:
            raise ValueError(f"`{idle[0]}` is of a set of the hub, and this source is none")
        return self

    def parcels(self, make: Made, max_chars: int) -> Iterator[Parcel]:
        """All its rows in their order, a few hundred to a parcel; parcels are opened anywhere and in any order.

        Args:
            make: what the rows are to become; a row of the other kind becomes a candidate with a reason.
            max_chars: longer conversations are set aside.
        """
        for origin, chunks in self._parts():
            if self.world:
                yield from (Parcel(Given(max_chars), origin, chunk) for chunk in chunks())
                continue
            gathers = self._gathers(chunks)
            intake = Shaped(self.title, max_chars, self.shape, self.options, make, self.pairs_as, gathers)
            found = gather(chunks, gathers) if gathers else chunks()
            yield from (Parcel(intake, origin, chunk) for chunk in found)

    def _parts(self) -> Iterator[tuple[str, Callable[[], Iterable[Chunk]]]]:
        """What a row's place begins with, and the rows: of each file, or of the whole source."""
        if self.world:
            yield "world", self.world.chunks
        elif self.path:
            yield from ((str(file), partial(readers.chunks, file)) for file in readers.files(self.path))
        else:
            yield self.place, self.chunks

    def _gathers(self, chunks: Callable[[], Iterable[Chunk]]) -> str:
        """The column by which rows like the first that can be read are brought together."""
        first = next((row for chunk in chunks() for row in chunk.rows() if not row.reason), None)
        try:
            shape = find(first.value, self.shape) if first else None
        except Unfit:
            return ""
        return shape.gathers if isinstance(shape, Several) else ""

    @property
    def title(self) -> str:
        """What the `source` column says of its rows."""
        found = readers.stem(self.path) if self.path else str(self.hub).rpartition("/")[2]
        return self.name or self.preset or found

    def pins(self) -> dict[str, str]:
        """What decides which rows it has: the hash of every file, or the commit of a set of the hub.

        Raises:
            DataError: a file cannot be read.
            MissingError: the set is neither here nor within reach.
        """
        if self.path:
            return {str(file): file_hash(file) for file in readers.files(self.path)}
        return {self.place: self.commit()} if self.hub else {}

    def count(self) -> int:
        """Rows in the source, readable or not; blank lines of JSONL are counted too."""
        if self.world:
            return self.world.rows
        if self.hub:
            return self.n_rows()
        return sum(chunk.n_rows for _, chunks in self._parts() for chunk in chunks())
