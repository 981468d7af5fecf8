from __future__ import annotations

from typing import Any

from sluicegate.data.corruptions.replace import replace


def test_the_unit_comes_from_a_row_of_the_same_language(row: Any, damage: Any) -> None:
    rows = [row("a b c d"), row("x y z"), row("字词", lang="zh")]
    got = damage(replace, rows[0], rows)
    assert {u for t in got for u in t.split()} == set("abcdxyz")
    assert 130 < sum(times for t, times in got.items() if t[-1] in "xyz") < 200  # .4 + .6 / 4
    assert set(damage(replace, rows[2], rows)) == {None}
