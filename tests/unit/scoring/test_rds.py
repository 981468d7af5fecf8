"""Cosines of position-weighted means, by hand and against a look at each row on its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from sluicegate.config import build
from sluicegate.errors import DataError
from sluicegate.models.encode import Encoder
from sluicegate.models.load import Loaded
from sluicegate.schema import Record
from sluicegate.scoring.base import Batch, Shard
from sluicegate.scoring.rds import MOST_TARGETS, Rds, Targets
from sluicegate.testing import tiny_pool


def scores(shard: Shard, **options: Any) -> list[float | str]:
    return list(Rds().score(shard, build(Rds.Config, options)))


def test_a_token_weighs_as_much_as_its_place_and_padding_nothing(make_batch: Callable[..., Batch]) -> None:
    hidden = [[[6.0, 0.0], [0.0, 6.0], [6.0, 0.0], [9.0, 9.0]], [[10.0, 0.0], [0.0, 10.0], [0.0, 0.0], [0.0, 10.0]]]
    batch = make_batch([[0.0], [0.0, 0.0]], hidden=hidden)
    found = Rds().observe(batch, Rds.Config())
    torch.testing.assert_close(found, torch.tensor([[4.0, 2.0], [1.0, 6.0]]))


def test_the_nearest_target_counts_or_the_mean_of_all(make_shard: Any) -> None:
    targets = np.array([[1.0, 0.0], [0.6, 0.8]])
    shard = make_shard([1, 1], observed=[[0.0, 2.0], [3.0, 0.0]], learned=Targets(targets, np.array([0, 0])))
    assert scores(shard) == pytest.approx([0.8, 1.0])
    assert scores(shard, over="mean") == pytest.approx([0.4, 0.8])


def test_a_target_is_a_direction_and_one_that_cannot_be_read_is_left_out(make_shard: Any) -> None:
    shard = make_shard([1, 0, 1], observed=[[3.0, 4.0], [np.nan, np.nan], [0.0, 2.0]])
    targets = Rds().fit(lambda rows: shard, tiny_pool(3), Rds.Config())
    np.testing.assert_allclose(targets.directions, [[0.6, 0.8], [0.0, 1.0]])
    assert targets.target.tolist() == [0, 0], "both are of one source"


@pytest.mark.parametrize(("targets", "wanted"), [("source", [0, 1, 0]), ("row", [2, 0, 1])])
def test_a_target_is_a_source_or_a_row_in_the_order_of_their_names(
    targets: str, wanted: list[int], make_shard: Any
) -> None:
    shard, trusted = make_shard([1, 1, 1], observed=[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), tiny_pool(3)
    named: list[Any] = [{**row, "id": one} for row, one in zip(trusted, "cab", strict=True)]
    assert Rds().fit(lambda rows: shard, named, build(Rds.Config, {"targets": targets})).target.tolist() == wanted


def test_more_targets_than_it_can_keep_are_refused_where_it_is_to_keep_them(make_shard: Any) -> None:
    trusted = tiny_pool(MOST_TARGETS + 1)
    many = [{**row, "id": f"{n}"} for n, row in enumerate(trusted)]
    shard = make_shard([1] * len(many), observed=[[1.0]] * len(many))
    for targets in ("none", "source"):
        Rds().fit(lambda rows: shard, many, build(Rds.Config, {"targets": targets}))
    with pytest.raises(DataError, match="513 targets, more than the 512") as err:
        Rds().fit(lambda rows: shard, many, build(Rds.Config, {"targets": "row"}))
    assert err.value.hint


@pytest.mark.parametrize(("over", "wanted"), [("max", [[0.8, 1.0], [0.6, 0.0]]), ("mean", [[0.7, 1.0], [0.3, 0.0]])])
def test_kept_for_each_target_is_what_its_rows_say_and_nothing_for_a_row_not_read(
    over: str, wanted: list[list[float]], make_shard: Any
) -> None:
    learned = Targets(np.array([[0.6, 0.8], [0.0, 0.6], [0.0, 1.0]]), np.array([0, 0, 1]))
    shard = make_shard([1, 0, 1], observed=[[0.0, 3.0], [np.nan, 1.0], [2.0, 0.0]], learned=learned)
    found = Rds().further(shard, build(Rds.Config, {"targets": "source", "over": over}))["targets"]
    np.testing.assert_allclose(found, [wanted[0], [np.nan, np.nan], wanted[1]], rtol=1e-6)
    unread = Rds().further(make_shard([0, 0], learned=learned), build(Rds.Config, {"targets": "source"}))["targets"]
    assert unread.shape == (2, 2)
    assert np.isnan(unread).all()
    assert Rds().further(shard, Rds.Config()) == {}


@pytest.mark.parametrize("observed", [None, [[np.nan, np.nan]]])
def test_without_a_target_there_is_nothing_to_be_near_to(observed: Any, make_shard: Any) -> None:
    with pytest.raises(DataError, match="'rds' can read no trusted row") as err:
        Rds().fit(lambda rows: make_shard([0], observed=observed), [], Rds.Config())
    assert err.value.hint


@torch.no_grad()
def slow_vector(loaded: Loaded, record: Record) -> np.ndarray:
    """One plain forward of one row, and a sum over its tokens."""
    (ids,) = (row.ids for row in Encoder(loaded.tokenizer).encode_batch([record]))
    states = loaded.model(torch.tensor([ids]), output_hidden_states=True).hidden_states[-1][0].double().numpy()
    total = sum(range(1, len(ids) + 1))
    return np.sum([place / total * state for place, state in enumerate(states, start=1)], axis=0)


@pytest.mark.parametrize("over", ["max", "mean"])
def test_it_is_what_a_plain_forward_of_each_row_says(
    over: str, loaded: Loaded, records: list[Record], take: Callable[..., Shard]
) -> None:
    trusted = tiny_pool(12)[4:]
    found = scores(take(loaded, Rds, {"over": over}, records, trusted), over=over)
    cosines = []
    for record in records:
        own, targets = slow_vector(loaded, record), [slow_vector(loaded, target) for target in trusted]
        cosines.append([own @ t / np.linalg.norm(own) / np.linalg.norm(t) for t in targets])
    wanted = [max(c) if over == "max" else sum(c) / len(c) for c in cosines]
    np.testing.assert_allclose(np.array(found, dtype=float), wanted, rtol=1e-4)
    assert np.ptp(wanted) > 0.01


def test_a_trusted_row_is_nearest_to_itself(loaded: Loaded, take: Callable[..., Shard]) -> None:
    pool = tiny_pool(8)
    found = np.array(scores(take(loaded, Rds, {}, pool, pool[:3])), dtype=float)
    np.testing.assert_allclose(found[:3], 1.0, rtol=1e-5)
    assert (found[3:] < 0.99999).all()
