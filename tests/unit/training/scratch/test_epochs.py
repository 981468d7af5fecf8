from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sluicegate.training.scratch.epochs import rows_of_step, shuffled


@given(st.integers(1, 30), st.integers(1, 12), st.integers(0, 5))
def test_every_epoch_has_every_row_once_wherever_steps_end(n: int, size: int, seed: int) -> None:
    drawn = [row for step in range(3 * n) for row in rows_of_step(n, size, seed, step)]
    for epoch in range(3):
        assert sorted(drawn[epoch * n : (epoch + 1) * n]) == list(range(n))


def test_epochs_and_seeds_differ() -> None:
    orders = [shuffled(50, seed, epoch) for seed in (0, 1) for epoch in (0, 1)]
    assert len({tuple(order) for order in orders}) == 4
