"""What scoring cost: the same however many took part and however often it was cut short."""

from __future__ import annotations

from pathlib import Path

from sluicegate.models.meter import Spent
from sluicegate.scoring.cost import COST, keep_cost, kept_cost, total_cost
from sluicegate.scoring.shards import write_shard


def shard(path: Path, tokens: int, before: int) -> Path:
    write_shard(path, {"id": ["a"]}, Spent(tokens, 1.0), Spent(before, 0.5))
    return path


def test_every_shard_counts_and_what_stands_before_each_pass_counts_once(tmp_path: Path) -> None:
    passes = {"base": (100, 7), "tuned": (200, 0)}
    shards = [[shard(tmp_path / f"{n}/{name}", *cost) for name, cost in passes.items()] for n in range(3)]
    assert total_cost(shards) == Spent(3 * 300 + 7, 3 * 2.0 + 2 * 0.5)


def test_no_shard_costs_nothing() -> None:
    assert total_cost([]) == Spent()


def test_a_cost_is_kept_until_sealing_takes_it(tmp_path: Path) -> None:
    keep_cost(tmp_path, Spent(2.5, 0.25))
    assert kept_cost(tmp_path) == Spent(2.5, 0.25)
    (tmp_path / COST).unlink()
    assert kept_cost(tmp_path) is None
