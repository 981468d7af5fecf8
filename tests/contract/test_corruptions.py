from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from sluicegate.data.corrupt import Corruption, response
from sluicegate.registry import CORRUPTIONS
from sluicegate.schema import Record
from sluicegate.testing import check_corruption


@pytest.mark.parametrize("name", CORRUPTIONS.names())
def test_every_corruption_keeps_the_contract(name: str) -> None:
    check_corruption(CORRUPTIONS.get(name))


def nothing(rng: random.Random, record: Record, others: Sequence[Record]) -> str | None:
    return None


def own_dice(rng: random.Random, record: Record, others: Sequence[Record]) -> str | None:
    return random.choice("abcdefgh") * 3


def own_seed(rng: random.Random, record: Record, others: Sequence[Record]) -> str | None:
    random.random()
    return "damaged"


def in_place(rng: random.Random, record: Record, others: Sequence[Record]) -> str | None:
    record["messages"][-1]["content"] = "damaged"
    return "damaged"


def needs_others(rng: random.Random, record: Record, others: Sequence[Record]) -> str | None:
    return response(rng.choice(others))


@pytest.mark.parametrize(
    ("maker", "broken"),
    [
        (nothing, "damage some rows"),
        (own_dice, "same damage"),
        (own_seed, "rng it is given"),
        (in_place, "left as they are"),
        (needs_others, "empty sequence"),
    ],
)
def test_the_check_finds(maker: Corruption, broken: str) -> None:
    with pytest.raises((AssertionError, IndexError), match=broken):
        check_corruption(maker)
