"""Every candidate is counted once, under the step it was lost at, and two counts add up to one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from sluicegate.data.intake import Candidate
from sluicegate.data.readers import Row
from sluicegate.data.tally import EXAMPLES, KEPT, NO_SIZE, SIZES, UNREAD, Cell, Tally
from sluicegate.errors import DataError
from sluicegate.schema import Message, Pair, Record, make_pair, make_record


def said(text: str, source: str = "s", lang: str = "en") -> Record:
    return make_record([{"role": "assistant", "content": text}], source, lang)


def candidate(line: int, record: Record | Pair | None = None, origin: str = "s.jsonl", **more: Any) -> Candidate:
    return Candidate("s", origin, Row(line, text=f"raw {line}"), record, **more)


def tally(kept: int = 9, unfit: int = 0, copies: int = 0, reason: str = "no assistant turn") -> Tally:
    counted, record = Tally(), said("four")
    for line in range(1, kept + copies + unfit + 1):
        if line <= kept:
            counted.keep(candidate(line, record), record)
        elif line <= kept + copies:
            counted.drop(candidate(line, record), "duplicate: of s.jsonl line 1")
        else:
            counted.drop(candidate(line, None), reason)
    return counted


def test_the_numbers_add_up() -> None:
    stats = tally(kept=9, unfit=2, copies=3).stats()
    assert (stats["rows"], stats["read"], stats["dropped"], stats["duplicates"]) == (9, 14, 5, 3)
    assert (stats["chars"], stats["by_source"], stats["by_lang"]) == (36, {"s": 9}, {"en": 9})
    assert stats["by_reason"] == {"duplicate": 3, "no assistant turn": 2}


def test_a_row_is_counted_where_it_was_lost() -> None:
    counted, record = Tally(), said("four", lang="zh")
    broken = Candidate("s", "s.jsonl", Row(1, reason="too long: more than 9 bytes"), None)
    for reason in ("no column: text", "too long: 9 characters", "empty turn: user"):
        counted.drop(candidate(2), reason)
    counted.drop(broken, "too long: more than 9 bytes")
    for reason in ("duplicate: of x", "in the test rows", "other part: test", "mix: not among the rows drawn"):
        counted.drop(candidate(2, record), reason)
    fates = {fate: n for (fate,), n in counted.over("fate").items()}
    assert fates == {"read": 1, "shape": 1, "clean": 2, "dedup": 1, "exclude": 1, "split": 1, "mix": 1}
    assert counted.over("lang", "size") == {(UNREAD, NO_SIZE): 4, ("zh", 0): 4}
    assert counted.by_reason()["too long"] == 2, "one from the reader and one from cleaning"


def test_lengths_are_guessed_by_language_unless_they_are_given() -> None:
    counted, chinese = Tally(), said("四" * 360, lang="zh")
    counted.keep(candidate(1, chinese), chinese)
    counted.keep(candidate(2, said("four" * 35)), said("four" * 35))
    counted.keep(candidate(3, chinese), chinese, n_tokens=10**9)
    assert counted.tokens == {("s", "zh"): 200 + 10**9, ("s", "en"): 40}
    sizes = [(SIZES.index(256), "zh"), (SIZES.index(64), "en"), (len(SIZES), "zh")]
    assert counted.rows == {Cell("s", lang, KEPT, size): 1 for size, lang in sizes}


def test_a_pair_is_as_long_as_its_prompt_and_both_sides() -> None:
    def turn(role: str, text: str) -> list[Message]:
        return [{"role": role, "content": text}]

    pair = make_pair(turn("user", "1234"), turn("assistant", "12"), turn("assistant", "12"), "s", "en")
    counted = Tally()
    counted.keep(candidate(1, pair), pair)
    assert (counted.n_chars, counted.tokens.total()) == (8, 2)


def test_a_tree_gives_more_candidates_than_rows() -> None:
    counted = Tally()
    for n in range(3):
        record = said(f"path {n}")
        counted.keep(candidate(1, record, again=n > 0), record)
    counted.drop(candidate(2), "wrong type: a row is text")
    stats = counted.stats()
    assert (stats["read"], stats["candidates"], stats["rows"], stats["dropped"]) == (2, 4, 3, 1)
    counted.check(0.5)
    with pytest.raises(DataError, match="1 of 2 rows cannot be used"):
        counted.check(0.4)


def numbered(lines: Iterable[int]) -> Tally:
    """Some lines of a file, of which every third is kept and the others have two reasons."""
    counted = Tally()
    for line in lines:
        record = said("x" * line, lang=("en", "zh")[line % 2])
        if line % 3:
            counted.drop(candidate(line, record if line % 3 == 1 else None), f"reason {line % 3}: {line}")
        else:
            counted.keep(candidate(line, record), record)
    return counted


@pytest.mark.parametrize("cut", [0, 1, 7, 40, 50])
def test_two_counts_add_up_to_one(cut: int) -> None:
    whole, first = numbered(range(50)), numbered(range(cut))
    first.add(numbered(range(cut, 50)))
    assert first == whole
    assert all(len(examples) == EXAMPLES for examples in first.examples.values())


def test_a_count_is_as_large_for_many_rows_as_for_few() -> None:
    few, many = numbered(range(50)), numbered(range(50, 5000))
    few.add(many)
    assert len(few.rows) <= 2 * 2 * (len(SIZES) + 1)
    assert sum(map(len, few.examples.values())) == 2 * EXAMPLES


def test_too_many_bad_rows_stop_with_the_first_place_the_commonest_reason_and_a_hint() -> None:
    tally(kept=9, unfit=1, copies=50).check(0.1)
    with pytest.raises(DataError) as caught:
        tally(kept=8, unfit=2).check(0.1)
    told = "s.jsonl line 9: no assistant turn; 2 of 10 rows cannot be used, and max_bad_share is 0.1"
    assert caught.value.message == told
    assert "needs a response" in caught.value.hint


def test_bad_rows_of_one_file_do_not_hide_behind_another() -> None:
    counted = tally(kept=1000)
    counted.drop(candidate(1, origin="t.jsonl"), "empty turn: user")
    with pytest.raises(DataError, match=r"t\.jsonl line 1: empty turn: user; 1 of 1 rows"):
        counted.check(0.1)


def test_nothing_left_is_an_error_too() -> None:
    with pytest.raises(DataError, match=r"no row of s\.jsonl is left: 3 of 3 are 'duplicate'"):
        tally(kept=0, copies=3).check(1.0)
