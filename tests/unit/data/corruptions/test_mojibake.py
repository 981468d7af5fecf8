from __future__ import annotations

from typing import Any

from sluicegate.data.corruptions.mojibake import mojibake


def test_text_is_read_in_another_encoding(damage: Any) -> None:
    got = damage(mojibake, "答案是 5")
    assert len(got) == 2
    assert all(text.endswith(" 5") and "答" not in text for text in got)
    assert set(damage(mojibake, "5 apples")) == {None}
