"""A draw that hangs on the seed and the id alone."""

from __future__ import annotations

import statistics
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.scoring.random import Random, _draw


def scores(shard: Any, seed: int = 0) -> Any:
    return Random().score(shard, Random.Config(seed=seed))


def test_neither_order_nor_content_matters_but_the_seed_does(make_shard: Any) -> None:
    shard = make_shard([1] * 9)
    other = replace(shard, records=[{**r, "messages": [], "source": "?"} for r in shard.records[::-1]])
    assert scores(other) == scores(shard)[::-1]
    assert set(scores(shard, seed=1)).isdisjoint(scores(shard))


def test_it_is_the_same_on_every_machine() -> None:
    assert _draw(0, "00ff00ff00ff00ff") == 0.28406356016715506


def test_draws_are_spread_evenly() -> None:
    drawn = [_draw(0, f"{n:016x}") for n in range(2000)]
    assert statistics.mean(drawn) == pytest.approx(0.5, abs=0.02)
    assert statistics.pstdev(drawn) == pytest.approx(12**-0.5, abs=0.02)


@given(st.integers(), st.text())
def test_a_draw_is_a_share(seed: int, record_id: str) -> None:
    assert 0 <= _draw(seed, record_id) < 1
