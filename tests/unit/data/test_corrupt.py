from __future__ import annotations

import random
import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluicegate.data import corrupt
from sluicegate.data.corrupt import KINDS, make_corruptions, response, units
from sluicegate.registry import CORRUPTIONS
from sluicegate.schema import Record, make_record, record_id


def row(text: str, source: str = "a", lang: str = "en", prompt: str = "Why?") -> Record:
    return make_record([{"role": "user", "content": prompt}, {"role": "assistant", "content": text}], source, lang, "7")


def pieces(text: str) -> list[str]:
    return [text[a:b] for a, b in units(text)]


TRUSTED = [
    row(f"Tom has {n} apples and {n + 2} pears. The answer is {2 * n + 2}.", prompt=f"{n}?") for n in range(3, 9)
]


def test_the_five_kinds_enter_by_the_plug_ins_door() -> None:
    assert set(KINDS) <= set(CORRUPTIONS.names())
    assert CORRUPTIONS.get("swap") is corrupt.swap


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


def test_mismatch_takes_the_same_source_half_of_the_time_and_never_the_row_itself() -> None:
    rows = [row("one"), row("two"), *(row(f"far {n}", source="b") for n in range(8))]
    got = Counter(corrupt.mismatch(random.Random(seed), rows[0], rows) for seed in range(400))
    assert "one" not in got
    assert 160 < got["two"] < 300  # half for the source, and one in nine of the other half
    assert corrupt.mismatch(random.Random(0), rows[0], rows[:1]) is None


def test_number_moves_one_number_by_a_named_step_and_most_often_the_last() -> None:
    rng, record, last = random.Random(0), row("From 20 take 8: 12 left. The answer is 12."), 0
    for _ in range(300):
        text = corrupt.number(rng, record, [])
        assert text is not None
        before, after = ([int(d) for d in corrupt._NUMBER.findall(t)] for t in (response(record), text))
        moved = [b - a for a, b in zip(before, after, strict=True) if a != b]
        assert [abs(m) in (1, 2, 3, 5, 8, 10) for m in moved] == [True]
        assert min(after) >= 0
        last += before[-1] != after[-1]
    assert 130 < last < 200  # .4 + .6 / 4 of 300 = 165


@pytest.mark.parametrize(
    ("digits", "step", "expected"),
    [("12", 5, "17"), ("3", -10, "0"), ("1,234", 10, "1,244"), ("999", 1, "1000"), ("１２", -3, "９"), ("０", 1, "１")],
)
def test_number_keeps_the_writing_of_the_number(digits: str, step: int, expected: str) -> None:
    assert corrupt._shifted(digits, step) == expected


def test_number_leaves_fractions_and_texts_without_numbers_alone() -> None:
    changed = {corrupt.number(random.Random(seed), row("It costs 3.50 now"), []) for seed in range(50)}
    assert {t[-8:] for t in changed if t} <= {f" {n}.50 now"[-8:] for n in range(14)}
    assert corrupt.number(random.Random(0), row("no digits"), []) is None


def test_truncate_keeps_a_prefix_of_ten_to_eighty_five_percent() -> None:
    text = "字" * 100
    lengths = [len(corrupt.truncate(random.Random(seed), row(text), []) or "") for seed in range(200)]
    assert 10 <= min(lengths) < 15
    assert 80 < max(lengths) <= 85
    assert corrupt.truncate(random.Random(0), row("Yes"), []) is None


def test_swap_keeps_the_units_and_the_space_between_them() -> None:
    text = corrupt.swap(random.Random(1), row("a bb\nccc  d"), [])
    assert text is not None
    assert sorted(pieces(text)) == ["a", "bb", "ccc", "d"]
    assert [len(gap) for gap in re.findall(r"\s+", text)] == [1, 1, 2]
    assert corrupt.swap(random.Random(1), row("Yes"), []) is None


def test_replace_takes_its_unit_from_a_row_of_the_same_language() -> None:
    rows = [row("a b c d"), row("x y z"), row("字词", lang="zh")]
    got = [corrupt.replace(random.Random(seed), rows[0], rows) for seed in range(300)]
    assert {u for t in got for u in pieces(t or "")} == set("abcdxyz")
    assert 130 < sum(t is not None and t[-1] in "xyz" for t in got) < 200  # .4 + .6 / 4
    assert corrupt.replace(random.Random(0), rows[2], rows) is None


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
    for copy, _ in make_corruptions(rows, per_row=4, seed=seed):
        origin = next(r for r in rows if f'"of": "{r["id"]}"' in copy["meta"])
        assert response(copy) != response(origin)
