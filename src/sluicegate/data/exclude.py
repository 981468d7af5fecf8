"""Rows that must not be in a table, because another one holds them: what judges a model may not train it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from sluicegate.schema import Pair, Record, content_id, record_id


class Exclude:
    """Leaves out conversations that other tables hold.

    A conversation is known by its content id alone: the same prompt with another response is another conversation.
    A pair is left out where the prompt with either of its continuations is such a conversation.

    Args:
        held: name of each table, for the reason, to the ids of its records.
    """

    def __init__(self, held: Mapping[str, Iterable[str]]) -> None:
        self.held = {name: frozenset(map(content_id, ids)) for name, ids in held.items()}

    def reason(self, row: Record | Pair) -> str:
        """Why the row is left out; empty if no table holds it."""
        if not self.held:
            return ""
        found = _conversations(row)
        return next((f"in the {name} rows" for name, ids in self.held.items() if not ids.isdisjoint(found)), "")


def _conversations(row: Record | Pair) -> list[str]:
    if "chosen" not in row:
        return [content_id(row["id"])]
    pair = cast(Pair, row)
    return [record_id([*pair["prompt"], *side]) for side in (pair["chosen"], pair["rejected"])]
