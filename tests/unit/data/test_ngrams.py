from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.data.ngrams import Units, ngrams, units

TEXTS = st.lists(st.text(max_size=30), max_size=6)


def words(found: Units) -> list[list[str]]:
    spans = [found.text[a:b] for a, b in zip(found.starts, found.ends, strict=True)]
    return [spans[a:b] for a, b in pairwise(found.offsets)]


def grams(n: int, *texts: str) -> list[list[int]]:
    hashes, offsets = ngrams(units(texts), n)
    return [hashes[a:b].tolist() for a, b in pairwise(offsets)]


def test_words_of_english_and_characters_of_chinese() -> None:
    found = units(["Hello, WORLD 12!", "你好，world", "", "!!", "カナ x²"])
    assert words(found) == [["hello", "world", "12"], ["你", "好", "world"], [], [], ["カ", "ナ", "x²"]]


def test_equal_units_have_equal_hashes_wherever_they_stand() -> None:
    hashes = units(["b a", "long words before a", "a"]).hashes
    assert hashes[1] == hashes[-2] == hashes[-1]
    assert len(set(hashes.tolist())) == len(hashes) - 2


def test_ngrams_stay_within_their_text() -> None:
    assert [len(g) for g in grams(3, "a b c d", "a b", "", "x")] == [2, 1, 0, 1]
    assert grams(3, "a b c d")[0][0] == grams(3, "z", "a b c")[1][0]
    assert grams(2, "a b")[0] != grams(2, "b a")[0]
    assert [len(g) for g in grams(3)] == []


@given(TEXTS, st.integers(1, 4))
def test_the_texts_beside_a_text_do_not_matter(texts: list[str], n: int) -> None:
    assert grams(n, *texts) == [grams(n, text)[0] for text in texts]


@given(TEXTS)
def test_a_units_hash_is_that_of_its_text(texts: list[str]) -> None:
    found = units(texts)
    spans = [word for row in words(found) for word in row]
    assert len({*spans}) == len(np.unique(found.hashes))
