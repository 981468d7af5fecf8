"""One source in, one candidate out for every row of it: a record, or the reason why it is none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sluicegate.data.language import language
from sluicegate.data.normalize import normalize, normalize_turns
from sluicegate.data.readers import Row, read
from sluicegate.data.shapes import ShapeName, Unfit, converse
from sluicegate.schema import Dropped, Message, Record, make_record


@dataclass(frozen=True)
class Candidate:
    """A row of a source on its way in; `record` is None where `reason` says why there is none."""

    source: str
    origin: str
    """What the user named: a path, or `world`."""
    row: Row
    record: Record | None
    reason: str = ""

    @property
    def place(self) -> str:
        """Where the row stood, for people."""
        return f"{self.origin} line {self.row.line}"

    def dropped(self, reason: str) -> Dropped:
        """The row as `dropped.parquet` keeps it."""
        return {"source": self.source, "line": self.row.line, "reason": reason, "text": self.row.head}


def from_file(path: Path, source: str, shape: ShapeName, max_chars: int) -> Iterator[Candidate]:
    """Every row of a raw file; `DataError` if the file cannot be read at all."""
    for row in read(path):
        try:
            yield Candidate(source, str(path), row, to_record(row, source, shape, max_chars))
        except Unfit as unfit:
            yield Candidate(source, str(path), row, None, str(unfit))


def from_records(records: Iterable[Record], origin: str, max_chars: int) -> Iterator[Candidate]:
    """Records made elsewhere, tidied as rows of a file are; language, answer and `meta` stay as they were given."""
    for line, record in enumerate(records, start=1):
        row = Row(line, record["messages"])
        try:
            messages = normalize_turns(record["messages"], max_chars)
            tidy = make_record(messages, record["source"], record["lang"], record["answer"], json.loads(record["meta"]))
            yield Candidate(record["source"], origin, row, tidy)
        except Unfit as unfit:
            yield Candidate(record["source"], origin, row, None, str(unfit))


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
