"""Draws follow the distribution they are told to."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.models.sampling import Sampling, chances, choose, penalise
from sluicegate.testing import check_config

SCORES = torch.tensor([[0.5, 2.0, 1.0, -1.0, 1.5]])  # by rank: 1, 4, 2, 0, 3
SHARES = SCORES.softmax(-1)[0]
EVENLY = (torch.arange(10_000) + 0.5) / 10_000
"""All chances alike."""


def drawn(**settings: float) -> torch.Tensor:
    """How often each token comes up where every chance comes once, (V,)."""
    tokens = choose(SCORES.expand(len(EVENLY), -1), Sampling(**settings), EVENLY)
    return torch.bincount(tokens, minlength=5) / len(EVENLY)


def test_temperature_0_takes_the_likeliest() -> None:
    assert drawn().tolist() == [0, 1, 0, 0, 0]


def test_temperature_1_draws_from_the_distribution() -> None:
    assert torch.allclose(drawn(temperature=1.0), SHARES, atol=2e-4)


def test_a_higher_temperature_is_flatter() -> None:
    assert torch.allclose(drawn(temperature=2.0), (SCORES / 2).softmax(-1)[0], atol=2e-4)


def test_top_k_leaves_the_rest_out() -> None:
    kept = SHARES * torch.tensor([0, 1, 1, 0, 1])
    assert torch.allclose(drawn(temperature=1.0, top_k=3), kept / kept.sum(), atol=2e-4)


@pytest.mark.parametrize(("top_p", "kept"), [(0.01, [1]), (0.44, [1]), (0.6, [1, 4]), (0.8, [1, 4, 2])])
def test_top_p_takes_the_fewest_that_reach_it(top_p: float, kept: list[int]) -> None:
    found = drawn(temperature=1.0, top_p=top_p)
    assert found.nonzero()[:, 0].tolist() == sorted(kept)
    assert torch.allclose(found[kept], SHARES[kept] / SHARES[kept].sum(), atol=2e-4)


@given(
    scores=st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=12),
    chance=st.floats(0, 1, exclude_max=True, width=32),
    top_k=st.none() | st.integers(1, 20),
    top_p=st.none() | st.floats(0.01, 1),
    temperature=st.sampled_from([0.01, 1.0, 30.0]),
)
def test_whatever_the_scores_some_token_is_chosen_that_may_be(
    scores: list[float], chance: float, top_k: int | None, top_p: float | None, temperature: float
) -> None:
    sampling = Sampling(temperature=temperature, top_k=top_k, top_p=top_p)
    token = int(choose(torch.tensor([scores]), sampling, torch.tensor([chance])))
    likelier = sum(score > scores[token] for score in scores)
    assert likelier < min(top_k or len(scores), len(scores))


def test_tokens_that_were_seen_get_worse_on_either_side_of_zero() -> None:
    seen = torch.tensor([[True, False, True, True, False]])
    assert penalise(SCORES, seen, 2.0).tolist() == [[0.25, 2.0, 0.5, -2.0, 1.5]]


def test_the_draws_of_a_prompt_hang_on_the_seed_and_its_place_alone() -> None:
    many, one = chances(Sampling(seed=3), [0, 4, 7], 6), chances(Sampling(seed=3), [4], 9)
    assert np.array_equal(many[1], one[0, :6])
    assert not np.array_equal(many[0], many[1])
    assert not np.array_equal(one, chances(Sampling(seed=4), [4], 9))


def test_every_key_has_its_help() -> None:
    check_config(Sampling)
