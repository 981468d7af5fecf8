"""Copies of a conversation: found by content hash, then set aside (`exact`) or told apart (`none`)."""

from __future__ import annotations

from collections import Counter
from typing import Literal, Protocol

from sluicegate.schema import Record

DedupName = Literal["exact", "none"]


class Dedup(Protocol):
    """Sees every record once, in order."""

    def __call__(self, record: Record, place: str) -> tuple[Record, str]:
        """The record, under an id no other record has, and why it is set aside; empty if it is not."""


class Exact:
    """Keeps the first copy; the reason of every later one names the first one's place."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}

    def __call__(self, record: Record, place: str) -> tuple[Record, str]:
        first = self._first.setdefault(record["id"], place)
        return record, "" if first is place else f"duplicate: of {first}"


class Keep:
    """Keeps every copy; the second one's id ends in `.2`, the third one's in `.3`."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def __call__(self, record: Record, place: str) -> tuple[Record, str]:
        self._seen[record["id"]] += 1
        copy = self._seen[record["id"]]
        return (record if copy == 1 else Record(**{**record, "id": f"{record['id']}.{copy}"})), ""


DEDUPS: dict[str, type[Exact] | type[Keep]] = {"exact": Exact, "none": Keep}
