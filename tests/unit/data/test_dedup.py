from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.data.dedup import Dedup, Exact, Keep, Places, build_dedup
from sluicegate.data.intake import Candidate
from sluicegate.data.near import Near, signatures
from sluicegate.data.readers import Row
from sluicegate.schema import content_id, make_record

A, B, C = "a", "b", "c"


def candidate(text: str, line: int, origin: str = "x") -> Candidate:
    return Candidate("s", origin, Row(line), make_record([{"role": "assistant", "content": text}], "s", "en"))


def passed(dedup: Dedup, *texts: str, cut: int = 0) -> list[tuple[str, str]]:
    """(id, reason) of every text, given in two chunks."""
    rows = [candidate(text, line) for line, text in enumerate(texts, 1)]
    out = []
    for chunk in (rows[:cut], rows[cut:]):
        found = signatures([c.record["messages"] for c in chunk], Near())  # type: ignore[index,typeddict-item]
        out += [(copy.id, copy.reason) for copy in dedup(chunk, found)]
    return out


def id_of(text: str) -> str:
    return candidate(text, 0).record["id"]  # type: ignore[index]


@pytest.mark.parametrize("cut", range(5))
def test_exact_keeps_the_first_and_names_its_place_however_the_rows_are_cut(cut: int) -> None:
    told = [reason for _, reason in passed(Exact(), A, B, A, A, cut=cut)]
    assert told == ["", "", "duplicate: of x line 1", "duplicate: of x line 1"]


@given(st.lists(st.sampled_from("abcdefgh"), max_size=30), st.integers(0, 30))
def test_exact_keeps_each_once_and_none_counts_them(texts: list[str], cut: int) -> None:
    first = [reason == "" for _, reason in passed(Exact(), *texts, cut=cut)]
    assert first == [text not in texts[:at] for at, text in enumerate(texts)]
    copies = [texts[: at + 1].count(text) for at, text in enumerate(texts)]
    ids = [id_of(text) if n == 1 else f"{id_of(text)}.{n}" for text, n in zip(texts, copies, strict=True)]
    assert passed(Keep(), *texts, cut=cut) == [(one, "") for one in ids]
    assert [content_id(one) for one in ids] == [id_of(text) for text in texts]


def test_near_names_the_original_and_how_alike_they_are() -> None:
    long = " ".join(f"word{n}" for n in range(60))
    told = passed(build_dedup("near", Near()), long, long.upper(), long, long + " more", B, B, cut=2)
    assert [reason for _, reason in told] == [
        "",
        "near duplicate: 1.00 alike, of x line 1",
        "duplicate: of x line 1",
        told[3][1],
        "",
        "duplicate: of x line 5",
    ]
    assert told[3][1].startswith("near duplicate: 0.9")


def test_places_are_numbers_and_back() -> None:
    places = Places()
    rows = [candidate(A, 3, "one"), candidate(B, 2**39, "two"), candidate(C, 1, "one")]
    numbers = np.array([places.number(row) for row in rows], dtype=np.int64)
    assert [places.told(n) for n in numbers.tolist()] == ["one line 3", f"two line {2**39}", "one line 1"]
