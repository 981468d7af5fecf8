from __future__ import annotations

import numpy as np
import pytest

from sluicegate.config import build
from sluicegate.errors import ConfigError
from sluicegate.selection.base import Pool
from sluicegate.selection.clusters import Clusters

rng = np.random.default_rng(0)
KIND = np.repeat([0, 1, 2], [60, 30, 10])
# Three well separated kinds of prompt; the second coordinate has a unit that would drown the first one.
STATES = np.column_stack([KIND + rng.normal(0, 0.05, 100), rng.normal(0, 1000, 100)]).astype(np.float32)
SCORE = KIND * 10 + rng.normal(0, 1, 100)  # a plain top-k would take kinds 2 and 1 only
POOL = Pool([f"r{i:03d}" for i in range(100)], {"gate": SCORE, "prompt_state": STATES[:, :1]}, by="gate")


def rule(**options: object) -> Clusters:
    return Clusters(build(Clusters.Config, options))


def test_the_same_top_share_of_every_cluster() -> None:
    decided = rule(rows=20, n_clusters=3).select(POOL)
    for kind, share in enumerate([12, 6, 2]):
        best = np.flatnonzero(kind == KIND)[np.argsort(-SCORE[kind == KIND])[:share]]
        assert set(np.flatnonzero(decided.kept & (kind == KIND))) == set(best)


def test_clusters_take_turns_in_the_ranks() -> None:
    decided = rule(rows=100, n_clusters=3).select(POOL)
    first = KIND[np.argsort(decided.rank)[:10]]
    assert set(first) == {0, 1, 2}
    assert [SCORE[i] == SCORE[KIND[i] == KIND].max() for i in np.argsort(decided.rank)[:3]] == [True] * 3


def test_coordinates_are_standardised() -> None:
    on_both = Pool(POOL.ids, {"gate": SCORE, "prompt_state": STATES * [1000, 0.0001]}, by="gate")
    scaled = Pool(POOL.ids, {"gate": SCORE, "prompt_state": STATES * [1, 1]}, by="gate")
    one, two = (rule(rows=20, n_clusters=3).select(p) for p in (on_both, scaled))
    assert (one.kept == two.kept).all()


def test_fewer_prompts_than_clusters_is_no_fault() -> None:
    same = Pool(["a", "b", "c"], {"gate": np.arange(3.0), "prompt_state": np.ones((3, 4), np.float32)}, by="gate")
    assert rule(rows=2).select(same).kept.tolist() == [False, True, True]


def test_scores_made_without_prompt_states_are_refused() -> None:
    with pytest.raises(ConfigError, match="prompt_state"):
        rule(rows=1).select(Pool(["a", "b"], {"gate": np.zeros(2)}, by="gate"))
