from __future__ import annotations

from typing import Any

from sluicegate.data.corruptions.mismatch import mismatch


def test_it_takes_the_same_source_half_of_the_time_and_never_the_row_itself(row: Any, damage: Any) -> None:
    rows = [row("one"), row("two"), *(row(f"far {n}", source="b") for n in range(8))]
    got = damage(mismatch, rows[0], rows)
    assert "one" not in got
    assert 120 < got["two"] < 225  # half for the source, and one in nine of the other half
    assert set(damage(mismatch, rows[0], rows[:1])) == {None}
