from __future__ import annotations

import pytest

from sluicegate.data.card import Tally, card
from sluicegate.data.intake import Candidate
from sluicegate.data.readers import Row
from sluicegate.errors import DataError
from sluicegate.schema import make_record


def tally(kept: int = 9, unfit: int = 0, copies: int = 0, reason: str = "no assistant turn") -> Tally:
    counted, record = Tally(), make_record([{"role": "assistant", "content": "four"}], "s", "en")
    for line in range(1, kept + copies + unfit + 1):
        if line <= kept:
            counted.keep(Candidate("s", "s.jsonl", Row(line), record), record)
        elif line <= kept + copies:
            counted.drop(Candidate("s", "s.jsonl", Row(line), record), "duplicate: of s.jsonl line 1")
        else:
            counted.drop(Candidate("s", "s.jsonl", Row(line), None, reason), reason)
    return counted


def test_the_numbers_add_up() -> None:
    stats = tally(kept=9, unfit=2, copies=3).stats()
    assert (stats["rows"], stats["read"], stats["dropped"], stats["duplicates"]) == (9, 14, 5, 3)
    assert (stats["chars"], stats["by_source"], stats["by_lang"]) == (36, {"s": 9}, {"en": 9})
    assert stats["by_reason"] == {"duplicate": 3, "no assistant turn": 2}


def test_too_many_bad_rows_stop_with_the_first_place_the_commonest_reason_and_a_hint() -> None:
    tally(kept=9, unfit=1, copies=50).check(0.1)
    with pytest.raises(DataError) as caught:
        tally(kept=8, unfit=2).check(0.1)
    told = "s.jsonl line 9: no assistant turn; 2 of 10 rows cannot be used, and max_bad_share is 0.1"
    assert caught.value.message == told
    assert "needs a response" in caught.value.hint


def test_bad_rows_of_one_file_do_not_hide_behind_another() -> None:
    counted = tally(kept=1000)
    counted.drop(Candidate("t", "t.jsonl", Row(1), None), "empty turn: user")
    with pytest.raises(DataError, match=r"t\.jsonl line 1: empty turn: user; 1 of 1 rows"):
        counted.check(0.1)


def test_nothing_left_is_an_error_too() -> None:
    with pytest.raises(DataError, match=r"no row of s\.jsonl is left: 3 of 3 are 'duplicate'"):
        tally(kept=0, copies=3).check(1.0)


def test_the_card_shows_every_table_and_lets_no_text_break_it() -> None:
    text = card(tally(kept=1200, unfit=1, reason="unknown role: '<b>|x|\n</b>'"))
    assert "1,200 rows of 1,201 read, 4,800 characters, 4 a row on average." in text
    for line in ("| s.jsonl | 1,201 | 1,200 | 1 |", "| s | 1,200 |", "| en | 1,200 |", "| up to 128 | 1,200 |"):
        assert line in text
    assert "&lt;b&gt;\\|x\\| &lt;/b&gt;" in text
    assert "<b>" not in text


def test_an_empty_table_is_left_out() -> None:
    assert "Dropped" not in card(tally())
