"""What a table of scores cost, whoever made its shards and whenever."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from sluicegate.artifacts import write_json
from sluicegate.models.meter import Spent
from sluicegate.scoring.shards import FREE, shard_cost

COST = "cost.draft"
"""Tells it until the table is sealed and its manifest does, for a run killed in between; sealing takes drafts away."""


def total_cost(shards: Iterable[Sequence[Path]]) -> Spent:
    """What all shards cost one process: what is learned before them counts once, however many learned it.

    Args:
        shards: for each shard the files of every pass.
    """
    costs = [[shard_cost(path) for path in passes] for passes in shards]
    before = [before for _, before in costs[0]] if costs else []
    return sum([spent for passes in costs for spent, _ in passes] + before, FREE)


def keep_cost(folder: Path, spent: Spent) -> None:
    """Remember it beside an unfinished table."""
    write_json(folder / COST, asdict(spent))


def kept_cost(folder: Path) -> Spent | None:
    """What `keep_cost` was told; None where a run was killed in the very moment of sealing."""
    path = folder / COST
    return Spent(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None
