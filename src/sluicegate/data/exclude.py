"""Rows that must not be in a table, because another one holds them: what judges a model may not train it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sluicegate.schema import content_id


class Exclude:
    """Leaves out conversations that other tables hold.

    A conversation is known by its content id alone: the same prompt with another response is another conversation.

    Args:
        held: name of each table, for the reason, to the ids of its records.
    """

    def __init__(self, held: Mapping[str, Iterable[str]]) -> None:
        self.held = {name: frozenset(map(content_id, ids)) for name, ids in held.items()}

    def reason(self, record_id: str) -> str:
        """Why the record is left out; empty if no table holds it."""
        found = content_id(record_id)
        return next((f"in the {name} rows" for name, ids in self.held.items() if found in ids), "")
