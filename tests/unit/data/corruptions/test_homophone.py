from __future__ import annotations

from typing import Any

from sluicegate.data.corruptions.homophone import _MISTAKES, homophone


def test_a_word_gives_way_to_one_that_sounds_or_looks_like_it(damage: Any) -> None:
    assert set(damage(homophone, "他在家")) >= {"她在家", "它在家", "他再家", "他在加"}
    assert set(damage(homophone, "over there")) == {"over their"}
    assert set(damage(homophone, "Then a theretofore")) == {None}


def test_one_in_six_is_mistaken(damage: Any) -> None:
    for text in damage(homophone, "的" * 12):
        assert sum(c != "的" for c in text) == 2


def test_no_word_is_mistaken_for_itself() -> None:
    assert all(others and one not in others for one, others in _MISTAKES.items())
