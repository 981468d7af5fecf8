from __future__ import annotations

from typing import Any

from sluicegate.data.corruptions.numeral import numeral


def test_a_digit_of_a_chinese_number_changes(damage: Any) -> None:
    assert set(damage(numeral, "共五个")) == {f"共{d}个" for d in "三四六七八九"}
    assert "共三十五" in damage(numeral, "共二十五")
    assert "共二十七" in damage(numeral, "共二十五")


def test_a_chinese_number_without_digits_gets_one(damage: Any) -> None:
    assert set(damage(numeral, "十天")) == {f"{d}十天" for d in "二三四五六七八九"}


def test_an_english_number_becomes_another_of_its_size(damage: Any) -> None:
    assert set(damage(numeral, "Thirty cats")) == {
        f"{word} cats" for word in ("Twenty", "Forty", "Fifty", "Sixty", "Seventy", "Eighty", "Ninety")
    }
    assert "six cats" in damage(numeral, "three cats")
    assert "twenty-nine" in damage(numeral, "twenty-two")


def test_words_that_only_hold_a_number_are_left_alone(damage: Any) -> None:
    for text in ("万一一起去", "千万小心", "十分好", "No one often tends to weigh a stone", "5 + 7"):
        assert set(damage(numeral, text)) == {None}, text
