"""A column of a bake-off's tables, the same on the page and in Markdown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from sluicegate.reporting.bake_off.order import Row

Value: TypeAlias = float | str | None


@dataclass(frozen=True)
class Column:
    """What it is called, what it means in plain words, and what it holds of a row."""

    head: str
    meaning: str
    value: Callable[[Row], Value]
    """What a reader sorts by; None is unknown."""
    cell: Callable[[Row], str]
    """What a reader reads; text from the data is not yet escaped."""


def of_key(head: str, key: str, write: Callable[[Any], str], meaning: str) -> Column:
    """A column that holds what stands under one key of the row."""
    return Column(head, meaning, lambda row: row[key], lambda row: write(row[key]))
