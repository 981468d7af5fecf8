"""The picture is XML that draws every row to scale."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from sluicegate.data.intake import Candidate
from sluicegate.data.readers import Row
from sluicegate.data.tally import Tally
from sluicegate.reporting.data_card import TALL, lengths_svg
from sluicegate.schema import Record, make_record

SVG = "{http://www.w3.org/2000/svg}"


def said(lang: str, n_chars: int) -> Record:
    return make_record([{"role": "assistant", "content": "x" * n_chars}], "s", lang)


def counted(kept: int, chinese: int, lost: int, tokenizer: str = "") -> Tally:
    tally = Tally(tokenizer)
    for lang, n, n_chars in (("en", kept, 40), ("zh", chinese, 15)):
        for _ in range(n):
            tally.keep(Candidate("s", "s", Row(1), said(lang, n_chars)), said(lang, n_chars))
    for _ in range(lost):
        tally.drop(Candidate("s", "s", Row(1), said("en", 400)), "duplicate: of s")
    tally.drop(Candidate("s", "s", Row(1), None), "no column: x")
    return tally


def bars(tally: Tally) -> list[list[tuple[str, float]]]:
    """Name and height of the pieces of every bar, from the foot up."""
    drawn = ElementTree.fromstring(lengths_svg(tally))
    return [
        [(piece.attrib["class"], float(piece.attrib["height"])) for piece in bar.iter(f"{SVG}rect")]
        for bar in drawn.iter(f"{SVG}g")
    ]


def test_every_bar_is_as_tall_as_its_rows_are_many() -> None:
    assert bars(counted(kept=6, chinese=3, lost=3)) == [
        [("en", pytest.approx(TALL * 6 / 9, abs=0.1)), ("zh", pytest.approx(TALL * 3 / 9, abs=0.1))],
        [],  # nothing is of this length
        [],
        [("lost", pytest.approx(TALL * 3 / 9, abs=0.1))],
    ]


def test_rows_that_were_never_read_have_no_length() -> None:
    assert bars(Tally()) == []
    assert bars(counted(kept=0, chinese=0, lost=0)) == []


def test_it_says_who_counted_the_tokens_and_lets_no_name_be_markup() -> None:
    assert "tokens, guessed from the characters" in lengths_svg(counted(1, 0, 0))
    text = lengths_svg(counted(1, 0, 0, tokenizer="<b>&"))
    assert "tokens, as &lt;b&gt;&amp; counts them" in text
    ElementTree.fromstring(text)


def test_a_language_nothing_was_kept_of_has_no_key() -> None:
    assert ">zh</text>" not in lengths_svg(counted(kept=1, chinese=0, lost=1))
    assert ">zh</text>" in lengths_svg(counted(kept=1, chinese=1, lost=1))
