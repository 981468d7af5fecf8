"""Statistics of losses, and trees that learn from them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from sluicegate.config import build
from sluicegate.scoring.base import Batch
from sluicegate.scoring.boost import Boost, statistics


def test_the_statistics_of_four_tokens_by_hand() -> None:
    found = statistics(torch.tensor([1.0, 5.0, 2.0, 4.0]), torch.tensor([2.0, 1.0, 0.5, 0.5]))
    levels = [3.0, 1.0, 2.0, 0.5]
    extremes = [1.0, 5.0, 2.0, 4.0, 1.0, 4.0]
    spread = [math.sqrt(2.5), math.log(4)]
    quantiles = [1.75, 3.0, 4.25, 4.7]
    assert found.tolist() == pytest.approx([*levels, *extremes, *spread, *quantiles], abs=1e-4)


def test_one_token_has_no_spread() -> None:
    found = statistics(torch.tensor([1.5]), torch.tensor([0.5]))
    assert found.isfinite().all()
    assert found[10:12].tolist() == [0.0, 0.0]


def test_it_observes_each_row_on_its_own(make_batch: Callable[..., Batch]) -> None:
    batch = make_batch([[1.0, 2.0], [3.0]], [[0.5, 0.25], [0.125]])
    wanted = [
        statistics(torch.tensor(loss), torch.tensor(entropy))
        for loss, entropy in [([1.0, 2.0], [0.5, 0.25]), ([3.0], [0.125])]
    ]
    torch.testing.assert_close(Boost().observe(batch, Boost.Config()), torch.stack(wanted))


def test_the_last_bits_of_a_loss_are_not_observed() -> None:
    loss, entropy = torch.tensor([1.1, 2.3, 0.7]), torch.tensor([0.9, 1.7, 0.3])
    nearly = loss * (1 + 2**-22)
    assert (nearly != loss).all()
    assert statistics(nearly, entropy).tolist() == statistics(loss, entropy).tolist()


def test_trees_learn_what_no_line_divides(make_shard: Any) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (400, 2))
    good = (x[:, 0] > 0) == (x[:, 1] > 0)
    config = build(Boost.Config, {"trees": 30, "learning_rate": 0.3})
    shard = make_shard([1] * 400, observed=x, learned=Boost().classifier(config).fit(x[:300], good[:300]))
    odds = np.array(Boost().score(shard, config))
    assert ((odds > 0) == good)[300:].mean() > 0.9
    again = Boost().classifier(config).fit(x[:300], good[:300])
    assert (again.decision_function(x.astype(np.float32)) == odds).all(), "the same rows teach the same"


def test_one_tree_by_hand(make_shard: Any) -> None:
    """Half of the rows are good: b = 0, p = 1/2. A leaf is Σ (y − p) / Σ p (1 − p), of good rows alone 0.5 / 0.25."""
    x = np.array([[0.0]] * 40 + [[1.0]] * 40)
    config = build(Boost.Config, {"trees": 1, "learning_rate": 0.3})
    learned = Boost().classifier(config).fit(x, x[:, 0] > 0)
    found = Boost().score(make_shard([1, 1], observed=[[0.0], [1.0]], learned=learned), config)
    assert found == pytest.approx([-0.3 * 2, 0.3 * 2])
