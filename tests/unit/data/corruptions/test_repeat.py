from __future__ import annotations

from typing import Any

from sluicegate.data.corruptions.repeat import repeat


def test_a_clause_is_said_two_to_four_times(damage: Any) -> None:
    assert set(damage(repeat, "It is 3.50. Done.")) == {
        *(f"It is 3.50. {'It is 3.50. ' * n}Done." for n in (1, 2, 3)),
        *(f"It is 3.50. Done.{' Done.' * n}" for n in (1, 2, 3)),
    }
    assert set(damage(repeat, "先加，")) == {f"先加，{'先加，' * n}" for n in (1, 2, 3)}
    assert set(damage(repeat, "")) == {None}
