"""What the guard takes for a step gone astray."""

from __future__ import annotations

from math import inf, nan

import pytest

from sluicegate.training.saving.guard import Diverged, Guard
from sluicegate.training.saving.guard_config import GuardConfig


@pytest.mark.parametrize(
    ("loss", "norm", "why"),
    [
        (nan, 1.0, "the loss is nan"),
        (inf, 1.0, "the loss is inf"),
        (1.0, nan, "the length of the gradient is nan"),
        (1e9, 1e9, None),
    ],
)
def test_what_is_no_number_is_a_fault(loss: float, norm: float, why: str | None) -> None:
    assert Guard(GuardConfig()).fault(loss, norm) == why


def test_a_leap_is_one_over_the_median_of_a_full_window() -> None:
    guard = Guard(GuardConfig(spike=3, window=4))
    assert [guard.fault(loss, 1.0) for loss in (100.0, 1.0, 2.0, 2.0)] == [None] * 4
    assert guard.fault(6.0, 1.0) is None
    assert guard.fault(6.1, 1.0) == "the loss is 6.1, 3.05 times the median of 4 steps,"
    assert list(guard.losses) == [1.0, 2.0, 2.0, 6.0], "a leap is not remembered"


def test_no_loss_below_zero_is_a_leap() -> None:
    guard = Guard(GuardConfig(spike=2, window=2))
    assert [guard.fault(loss, 1.0) for loss in (-1.0, -1.0, 5.0)] == [None] * 3


def test_it_remembers_as_many_losses_as_a_checkpoint_told() -> None:
    guard = Guard(GuardConfig(spike=2, window=2))
    guard.put_back([1.0, 1.0])
    assert guard.fault(3.0, 1.0)


@pytest.mark.parametrize(("rewinds", "after"), [(0, ""), (1, ", after 1 rewind"), (2, ", after 2 rewinds")])
def test_giving_up_tells_what_to_do(rewinds: int, after: str) -> None:
    err = Diverged(7, nan, "the loss is nan").told("fine-tuning", 0.001, rewinds)
    assert str(err) == f"fine-tuning diverged: the loss is nan at step 7{after}\nhint: lower learning_rate, now 0.001"
