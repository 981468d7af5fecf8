"""Rows of a source in, candidates out: a record or a pair each, or the reason why there is none.

The account is exact: every raw row ends in an output or among the dropped. Most rows give one candidate. A message
tree gives one per path, and a path of flat rows draws on several. Each raw row is *accounted for* by exactly one
candidate, the first that draws on it, and shares its fate: `Candidate.n_rows` sums to the rows read, and
`Candidate.dropped` names them all. A row no path uses, such as a deleted message, is a candidate of its own without
a record. So a row stands among the dropped where the first candidate that draws on it was dropped, even if a later
path, which has its own place, is kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sluicegate.data.language import language
from sluicegate.data.normalize import normalize, normalize_turns
from sluicegate.data.readers import Row, read
from sluicegate.data.shapes import ShapeName, Unfit, converse
from sluicegate.schema import Dropped, Message, Pair, Record, make_record


@dataclass(frozen=True)
class Candidate:
    """A row of a source on its way in; `record` is None where `reason` says why there is none."""

    source: str
    origin: str
    """What the user named: a path, a set of the hub, or `world`."""
    row: Row
    """Where it stood; of a path through a message tree, the row of its last turn."""
    record: Record | Pair | None
    reason: str = ""
    again: bool = False
    """Whether a candidate before it accounts for its row already."""
    earlier: tuple[Row, ...] = ()
    """Rows of its earlier turns that it accounts for too."""

    @property
    def place(self) -> str:
        """Where the row stood, for people."""
        return f"{self.origin} line {self.row.line}"

    @property
    def n_rows(self) -> int:
        """How many raw rows it accounts for; over all candidates of a source they sum to the rows read."""
        return len(self.earlier) + (not self.again)

    def dropped(self, reason: str) -> Dropped:
        """The row as `dropped.parquet` keeps it."""
        return {"source": self.source, "line": self.row.line, "reason": reason, "text": self.row.head}

    def all_dropped(self, reason: str) -> Iterator[Dropped]:
        """Every row that shares its fate, its own last, as `dropped.parquet` keeps them."""
        for row in (*self.earlier, self.row):
            yield {"source": self.source, "line": row.line, "reason": reason, "text": row.head}


class Intake(Protocol):
    """How the rows of one source become candidates. It can be sent to another process."""

    def candidates(self, rows: Sequence[Row], origin: str) -> Iterator[Candidate]:
        """The candidates of some rows; all flat rows of a message tree come in one call."""


@dataclass(frozen=True)
class Parcel:
    """Some rows of one source: cheap to make and to send to another process, which opens it."""

    intake: Intake
    origin: str
    rows: tuple[Row, ...]

    def candidates(self) -> Iterator[Candidate]:
        """The costly part: rows are parsed, shaped and normalised; the rows of the candidates hold only their head."""
        return self.intake.candidates(self.rows, self.origin)


@dataclass(frozen=True)
class Shaped:
    """The intake of a file: rows of one shape, or of any that is recognised."""

    source: str
    shape: ShapeName
    max_chars: int

    def candidates(self, rows: Iterable[Row], origin: str) -> Iterator[Candidate]:
        """One candidate per row."""
        for row in rows:
            try:
                yield Candidate(self.source, origin, row, to_record(row, self.source, self.shape, self.max_chars))
            except Unfit as unfit:
                yield Candidate(self.source, origin, row, None, str(unfit))


@dataclass(frozen=True)
class Given:
    """The intake of records made elsewhere, tidied as rows of a file are; all but their messages stays as given."""

    max_chars: int

    def candidates(self, rows: Iterable[Row], origin: str) -> Iterator[Candidate]:
        """One candidate per record, each the value of its row."""
        for row in rows:
            record, shown = row.value, Row(row.line, row.value["messages"])
            try:
                messages = normalize_turns(record["messages"], self.max_chars)
                meta = json.loads(record["meta"])
                tidy = make_record(messages, record["source"], record["lang"], record["answer"], meta)
                yield Candidate(record["source"], origin, shown, tidy)
            except Unfit as unfit:
                yield Candidate(record["source"], origin, shown, None, str(unfit))


def from_file(path: Path, source: str, shape: ShapeName, max_chars: int) -> Iterator[Candidate]:
    """Every row of a raw file; `DataError` if the file cannot be read at all."""
    return Shaped(source, shape, max_chars).candidates(read(path), str(path))


def from_records(records: Iterable[Record], origin: str, max_chars: int) -> Iterator[Candidate]:
    """Records made elsewhere, one candidate each."""
    return Given(max_chars).candidates((Row(line, record) for line, record in enumerate(records, start=1)), origin)


def to_record(row: Row, source: str, shape: ShapeName, max_chars: int) -> Record:
    """A row as a record; raises `Unfit` with the reason where it is none."""
    if row.reason:
        raise Unfit(row.reason)
    conversation, meta = converse(row.value, shape)
    messages = normalize_turns(conversation.messages, max_chars)
    answer = normalize(conversation.answer or "") or None
    return make_record(messages, source, language_of(messages), answer, meta)


def language_of(messages: Sequence[Message]) -> str:
    """The language of what the assistant says, which is what is learnt; of all turns where that has no letters."""
    said = language("\n".join(m["content"] for m in messages if m["role"] == "assistant"))
    return said if said != "other" else language("\n".join(m["content"] for m in messages))
