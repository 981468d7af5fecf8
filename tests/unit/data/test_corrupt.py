from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluicegate.data.corrupt import KINDS, UNSEEN, make_corruptions, response, units
from sluicegate.data.corruptions.swap import swap
from sluicegate.registry import CORRUPTIONS
from sluicegate.schema import Record, make_record, record_id


def row(text: str, source: str = "a", lang: str = "en", prompt: str = "Why?") -> Record:
    return make_record([{"role": "user", "content": prompt}, {"role": "assistant", "content": text}], source, lang, "7")


def pieces(text: str) -> list[str]:
    return [text[a:b] for a, b in units(text)]


TRUSTED = [
    row(f"Tom has {n} apples and {n + 2} pears. The answer is {2 * n + 2}.", prompt=f"{n}?") for n in range(3, 9)
]


def test_every_kind_enters_by_the_plug_ins_door_and_none_is_both_taught_and_unseen() -> None:
    assert set(KINDS) | set(UNSEEN) == set(CORRUPTIONS.names())
    assert not set(KINDS) & set(UNSEEN)
    assert CORRUPTIONS.get("swap") is swap


def test_units_are_words_in_english_and_characters_in_chinese() -> None:
    assert pieces("The answer is 12.\nDone") == ["The", "answer", "is", "12.", "Done"]
    assert pieces("答案是 12 元。") == ["答", "案", "是", "12", "元", "。"]
    assert pieces("共１２元") == ["共", "１２", "元"]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_changes_the_text_and_repeats_under_its_seed(kind: str) -> None:
    maker = CORRUPTIONS.get(kind)
    texts = [maker(random.Random(seed), TRUSTED[0], TRUSTED) for seed in range(50)]
    assert texts == [maker(random.Random(seed), TRUSTED[0], TRUSTED) for seed in range(50)]
    assert sum(t not in (None, response(TRUSTED[0])) for t in texts) > 40


def test_copies_take_turns_over_kinds_and_are_distinct() -> None:
    made = make_corruptions(TRUSTED, per_row=5, seed=0)
    assert len(made) == 5 * len(TRUSTED)
    assert Counter(kind for _, kind in made) == dict.fromkeys(KINDS, len(TRUSTED))
    assert len({r["id"] for r, _ in made} | {r["id"] for r in TRUSTED}) == 6 * len(TRUSTED)


def test_a_copy_keeps_prompt_and_answer_and_names_its_origin() -> None:
    (copy, kind), *_ = make_corruptions(TRUSTED[:2], per_row=1, seed=0, kinds=["number"])
    assert kind == "number"
    assert copy["messages"][0] == TRUSTED[0]["messages"][0]
    assert copy["answer"] == "7"
    assert copy["id"] == record_id(copy["messages"])
    assert f'"of": "{TRUSTED[0]["id"]}"' in copy["meta"]


def test_a_row_no_kind_applies_to_gives_no_copy() -> None:
    assert make_corruptions([row("Yes")], per_row=3, seed=0) == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(min_size=1), min_size=1, max_size=4), st.integers(0, 2**32))
def test_any_text_is_damaged_without_an_error_and_never_left_as_it_was(texts: list[str], seed: int) -> None:
    rows = [row(text, prompt=str(n)) for n, text in enumerate(texts)]
    for copy, _ in make_corruptions(rows, per_row=8, seed=seed, kinds=KINDS + UNSEEN):
        origin = next(r for r in rows if f'"of": "{r["id"]}"' in copy["meta"])
        assert response(copy) != response(origin)
