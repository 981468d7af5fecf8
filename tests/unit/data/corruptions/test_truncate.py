from __future__ import annotations

from typing import Any

from sluicegate.data.corruptions.truncate import truncate


def test_a_prefix_of_ten_to_eighty_five_percent_is_kept(damage: Any) -> None:
    text = "".join(chr(0x4E00 + n) for n in range(100))
    got = damage(truncate, text)
    assert all(text.startswith(t) for t in got)
    assert 10 <= min(map(len, got)) < 15
    assert 80 < max(map(len, got)) <= 85
    assert set(damage(truncate, "Yes")) == {None}
