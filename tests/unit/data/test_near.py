from __future__ import annotations

import random

import numpy as np
import pytest

from sluicegate.data.near import Near, signatures, similarity
from sluicegate.data.near_index import Match, NearIndex
from sluicegate.schema import Message

RNG = random.Random(0)
WORDS = [f"w{n}" for n in range(500)]
ROWS = [" ".join(RNG.choices(WORDS, k=60)) for _ in range(300)]


def said(*texts: str) -> list[Message]:
    return [Message(role="assistant", content=text) for text in texts]


def changed(text: str, words: int, seed: int = 1) -> str:
    """The text with some of its words replaced."""
    rng, out = random.Random(seed), text.split()
    for at in rng.sample(range(len(out)), words):
        out[at] = "other"
    return " ".join(out)


def originals(*chunks: list[list[Message]], **near: object) -> list[dict[int, Match]]:
    config = Near.model_validate(near)
    index, out, first = NearIndex(config), [], 0
    for chunk in chunks:
        numbers = np.arange(first, first + len(chunk))
        out.append(index.originals(signatures(chunk, config), numbers))
        first += len(chunk)
    return out


def jaccard(one: str, other: str, n: int = 3) -> float:
    a, b = ({tuple(t.split()[i : i + n]) for i in range(len(t.split()) - n + 1)} for t in (one, other))
    return len(a & b) / len(a | b)


@pytest.mark.parametrize("words", [1, 3, 10])
def test_the_similarity_is_near_the_true_one(words: int) -> None:
    near, errors = Near(), []
    for n, row in enumerate(ROWS[:100]):
        other = changed(row, words, n)
        one, two = signatures([said(row), said(other)], near).hashes
        errors.append(similarity(one, two) - jaccard(row, other))
    assert abs(np.mean(errors)) < 0.02, "not off to one side"
    assert np.std(errors) < 0.06


def test_a_near_copy_is_found_in_its_chunk_and_in_a_later_one() -> None:
    rows = [said(row) for row in ROWS]
    copy = said(changed(ROWS[7], 1))
    (together,) = originals([*rows, copy])
    assert together.keys() == {300}
    assert together[300].number == 7
    assert together[300].alike > 0.8
    first, second = originals(rows, [copy])
    assert (first, second) == ({}, {0: together[300]})


def test_copies_are_found_alike_however_the_rows_are_cut() -> None:
    rows = [said(row) for row in ROWS[:60]] + [said(changed(row, n % 6, n)) for n, row in enumerate(ROWS[:60])]
    RNG.shuffle(rows)
    (whole,) = originals(rows)
    assert 20 < len(whole) < 60
    pieces = originals(rows[:50], rows[50:51], rows[51:])
    starts = (0, 50, 51)
    assert {at + start: m for start, piece in zip(starts, pieces, strict=True) for at, m in piece.items()} == whole


def test_rows_that_share_less_than_the_threshold_stay() -> None:
    assert originals([said(ROWS[0]), said(changed(ROWS[0], 20))]) == [{}]
    assert originals([said(ROWS[0]), said(changed(ROWS[0], 3))], threshold=0.95) == [{}]
    assert originals([said(ROWS[0]), said(changed(ROWS[0], 3))], threshold=0.6)[0].keys() == {1}


def test_case_punctuation_and_chinese_by_characters() -> None:
    chinese = "小明有十二个苹果，他给了小红三个，又买了五个，现在他一共有多少个苹果？请一步一步写出计算过程。"
    rows = [said("One two, three four five!"), said("one TWO three four five"), said(chinese), said(chinese[:-2])]
    assert originals(rows)[0].keys() == {1, 3}


def test_rows_without_a_word_are_copies_of_nothing() -> None:
    assert originals([said("!!!"), said("???"), said("!!!"), said("")]) == [{}]


def test_rows_to_pass_over_are_neither_found_nor_remembered() -> None:
    near, index = Near(), NearIndex(Near())
    assert index.originals(signatures([said(ROWS[0])] * 3, near), np.array([-1, 5, 6])) == {2: Match(1.0, 5)}


def test_per_turn_a_conversation_goes_when_all_its_turns_were_said_before() -> None:
    a, b, c = ROWS[:3]
    rows = [said(a, b), said(c), said(b, c), said(a, ROWS[3]), said(a), said("!", c)]
    assert originals(rows, per="turn")[0].keys() == {2, 4, 5}
    assert originals(rows)[0].keys() == {5}


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8, 0.9, 1.0])
def test_bands_use_no_more_hashes_than_there_are_and_miss_few(threshold: float) -> None:
    near = Near(threshold=threshold)
    bands, hashes = near.bands
    assert bands * hashes <= near.permutations
    assert 1 - (1 - threshold**hashes) ** bands >= 0.9
