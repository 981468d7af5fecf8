from __future__ import annotations

import numpy as np

from sluicegate.config import build
from sluicegate.selection.base import Pool
from sluicegate.selection.random import Random, drawn

IDS = [f"r{i:03d}" for i in range(200)]


def kept(ids: list[str], seed: int, rows: int = 50) -> set[str]:
    decided = Random(build(Random.Config, {"rows": rows, "seed": seed})).select(Pool(ids, {}))
    return {i for i, keep in zip(ids, decided.kept, strict=True) if keep}


def test_another_seed_is_another_draw() -> None:
    assert len(kept(IDS, 0)) == 50
    assert kept(IDS, 0) == kept(IDS, 0)
    assert 2 < len(kept(IDS, 0) & kept(IDS, 1)) < 30  # 12.5 expected


def test_every_record_has_its_chance() -> None:
    times = np.mean([np.argsort(drawn(np.array(IDS), seed)) < 20 for seed in range(300)], axis=0)
    assert abs(times - 0.1).max() < 0.08


def test_rows_that_join_do_not_reshuffle_the_others() -> None:
    order = [IDS[i] for i in drawn(np.array(IDS), 0)]
    half = [IDS[:100][i] for i in drawn(np.array(IDS[:100]), 0)]
    assert [i for i in order if i in IDS[:100]] == half


def test_with_a_signal_only_scored_records_are_drawn() -> None:
    columns = {"gate": np.where(np.arange(200) < 60, 1.0, np.nan)}
    decided = Random(build(Random.Config, {"rows": 50})).select(Pool(IDS, columns, by="gate"))
    assert decided.kept.sum() == 50
    assert not decided.kept[60:].any()
