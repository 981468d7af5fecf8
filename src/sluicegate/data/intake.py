"""Rows of a source in, candidates out: a record or a pair each, or the reason why there is none.

The account is exact: every raw row ends in an output or among the dropped. Most rows give one candidate. A message
tree gives one per path, and a path of flat rows draws on several. Each raw row is *accounted for* by exactly one
candidate, the first that draws on it, and shares its fate: `Candidate.n_rows` sums to the rows read, and
`Candidate.all_dropped` names them. A row no path uses, such as a deleted message, is a candidate of its own without
a record. So a row stands among the dropped where the first candidate that draws on it was dropped, even if a later
path, which has its own place, is kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, Protocol

from sluicegate.data.language import language
from sluicegate.data.normalize import normalize, normalize_turns
from sluicegate.data.readers import Chunk, Row, read
from sluicegate.data.shapes import (
    AUTO,
    Conversation,
    Preference,
    Several,
    Shape,
    Unfit,
    answer_beside,
    config_of,
    extras,
    find,
)
from sluicegate.schema import Dropped, Message, Pair, Record, make_pair, make_record

Made = Literal["messages", "pairs"]


@dataclass(frozen=True)
class Candidate:
    """A row of a source on its way in; `record` is None where `reason` says why there is none."""

    source: str
    origin: str
    """What the user named: a path, a set of the hub, or `world`."""
    row: Row
    """Where it stood, without its value; of a path through a message tree, the row of its last turn."""
    record: Record | Pair | None
    reason: str = ""
    """Why there is no record, or why cleaning sets the one there is aside."""
    again: bool = False
    """Whether a candidate before it accounts for its row already."""
    earlier: tuple[Row, ...] = ()
    """Rows of its earlier turns that it accounts for too."""

    @property
    def fit(self) -> bool:
        """Whether it is a row that nothing speaks against so far."""
        return self.record is not None and not self.reason

    @property
    def place(self) -> str:
        """Where the row stood, for people."""
        return f"{self.origin} line {self.row.line}"

    @property
    def n_rows(self) -> int:
        """How many raw rows it accounts for; over all candidates of a source they sum to the rows read."""
        return len(self.earlier) + (not self.again)

    def all_dropped(self, reason: str) -> Iterator[Dropped]:
        """Every row that shares its fate, its own last, as `dropped.parquet` keeps them."""
        for row in (*self.earlier, self.row):
            yield {"source": self.source, "line": row.line, "reason": reason, "text": row.head}


class Intake(Protocol):
    """How the rows of one source become candidates. It can be sent to another process."""

    def candidates(self, rows: Iterable[Row], origin: str) -> Iterator[Candidate]:
        """The candidates of some rows; all flat rows of a message tree come in one call."""


@dataclass(frozen=True)
class Parcel:
    """Some rows of one source, not parsed yet: cheap to make and to send to another process, which opens it."""

    intake: Intake
    origin: str
    chunk: Chunk

    def candidates(self) -> Iterator[Candidate]:
        """The costly part: the rows are parsed, shaped and normalised."""
        return self.intake.candidates(self.chunk.rows(), self.origin)


@dataclass(frozen=True)
class Shaped:
    """The intake of raw rows, of one shape or of any that is recognised."""

    source: str
    max_chars: int
    shape: str = AUTO
    options: Any = None
    """The config of the shape; its defaults where there is none."""
    make: Made = "messages"
    pairs_as: Literal["pairs", "chosen"] = "pairs"
    gathers: str = ""
    """The column whose equal values mark rows that are read together; empty where each row is read alone."""

    def candidates(self, rows: Iterable[Row], origin: str) -> Iterator[Candidate]:
        """One candidate per row, but of the shapes whose rows say several things."""
        if not self.gathers:
            for row in rows:
                yield from self._read([row], origin)
            return
        for _, group in groupby(rows, lambda row: group_of(row, self.gathers)):
            yield from self._read(group, origin)

    def _read(self, rows: Iterable[Row], origin: str) -> Iterator[Candidate]:
        """Rows that may belong together: those of a shape that says several things are read as one."""
        together: dict[Several, list[Row]] = {}
        for row in rows:
            try:
                if row.reason:
                    raise Unfit(row.reason)
                shape = find(row.value, self.shape)
                if isinstance(shape, Several):
                    together.setdefault(shape, []).append(row)
                    continue
                read = shape.read(row.value, config_of(shape, self.options))
                yield Candidate(self.source, origin, row.brief(), self._made(read, shape, row.value))
            except Unfit as unfit:
                yield Candidate(self.source, origin, row.brief(), None, str(unfit))
        for several, some in together.items():
            yield from self._several(several, some, origin)

    def _several(self, shape: Several, rows: Sequence[Row], origin: str) -> Iterator[Candidate]:
        """Whatever the shape finds; a row that it forgets is set aside, for none may be lost."""
        told: set[int] = set()
        for found in shape.read_all([row.value for row in rows], config_of(shape, self.options)):
            *before, last = found.rows
            record, reason = self._or_reason(found.read, shape, rows[last].value)
            earlier = tuple(rows[n].brief() for n in before if n not in told)
            yield Candidate(self.source, origin, rows[last].brief(), record, reason, last in told, earlier)
            told.update(found.rows)
        for n in set(range(len(rows))) - told:
            yield Candidate(self.source, origin, rows[n].brief(), None, f"not read: '{shape.name}' says nothing of it")

    def _or_reason(self, read: Conversation | Preference | Unfit, shape: Shape, row: Any) -> tuple[Any, str]:
        try:
            if isinstance(read, Unfit):
                raise read
            return self._made(read, shape, row), ""
        except Unfit as unfit:
            return None, str(unfit)

    def _made(self, read: Conversation | Preference, shape: Shape, row: Any) -> Record | Pair:
        meta = extras(row, shape) | read.meta
        if isinstance(read, Preference):
            if self.make == "pairs":
                return to_pair(read, self.source, meta, self.max_chars)
            if self.pairs_as != "chosen":
                raise Unfit("a preference: two answers, where messages are made")
            read = Conversation([*read.prompt, *read.chosen])
        elif self.make == "pairs":
            raise Unfit("no preference: one answer, where pairs are made")
        answer = read.answer if read.answer is not None else answer_beside(row, shape)
        return to_record(read.messages, self.source, answer, meta, self.max_chars)


@dataclass(frozen=True)
class Given:
    """The intake of records made elsewhere, tidied as rows of a file are; all but their messages stays as given."""

    max_chars: int

    def candidates(self, rows: Iterable[Row], origin: str) -> Iterator[Candidate]:
        """One candidate per record, each the value of its row."""
        for row in rows:
            record, shown = row.value, Row(row.line, row.value["messages"]).brief()
            try:
                messages = normalize_turns(record["messages"], self.max_chars)
                meta = json.loads(record["meta"])
                tidy = make_record(messages, record["source"], record["lang"], record["answer"], meta)
                yield Candidate(record["source"], origin, shown, tidy)
            except Unfit as unfit:
                yield Candidate(record["source"], origin, shown, None, str(unfit))


def from_file(path: Path, source: str, shape: str, max_chars: int) -> Iterator[Candidate]:
    """Every row of a raw file, each read alone; `DataError` if the file cannot be read at all."""
    return Shaped(source, max_chars, shape).candidates(read(path), str(path))


def from_records(records: Iterable[Record], origin: str, max_chars: int) -> Iterator[Candidate]:
    """Records made elsewhere, one candidate each."""
    return Given(max_chars).candidates((Row(line, record) for line, record in enumerate(records, start=1)), origin)


def to_record(
    messages: Sequence[Message], source: str, answer: str | None, meta: dict[str, Any], max_chars: int
) -> Record:
    """A conversation as a record; raises `Unfit` with the reason where it is none."""
    tidy = normalize_turns(messages, max_chars)
    return make_record(tidy, source, language_of(tidy), normalize(answer or "") or None, meta)


def to_pair(read: Preference, source: str, meta: dict[str, Any], max_chars: int) -> Pair:
    """A preference as a pair; raises `Unfit` with the reason where it is none."""
    sides = [normalize_turns([*read.prompt, *answer], max_chars) for answer in (read.chosen, read.rejected)]
    chosen, rejected = sides[0][-len(read.chosen) :], sides[1][-len(read.rejected) :]
    prompt = sides[0][: -len(read.chosen)]
    if not any(m["role"] == "user" for m in prompt):
        raise Unfit("no prompt: nobody asks anything")
    if chosen == rejected:
        raise Unfit("no preference: both answers are the same")
    return make_pair(prompt, chosen, rejected, source, _language(chosen, sides[0]), meta)


def language_of(messages: Sequence[Message]) -> str:
    """The language of what the assistant says, which is what is learnt; of all turns where that has no letters."""
    return _language([m for m in messages if m["role"] == "assistant"], messages)


def _language(learnt: Sequence[Message], messages: Sequence[Message]) -> str:
    said = language("\n".join(m["content"] for m in learnt))
    return said if said != "other" else language("\n".join(m["content"] for m in messages))


def group_of(row: Row, column: str) -> object:
    """What marks the rows that are read together with this one; a row that has no such mark is read alone."""
    value = row.value.get(column) if isinstance(row.value, dict) else None
    return value if isinstance(value, str) and value else row.line
