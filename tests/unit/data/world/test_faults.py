from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from sluicegate.data.corrupt import units
from sluicegate.data.world.answers import answer_of
from sluicegate.data.world.families import FAMILIES, draw_task
from sluicegate.data.world.faults import FAULTS, MAKERS, gibberish, mismatch, offlang, repeat, short, truncated
from sluicegate.data.world.setting import Setting
from sluicegate.data.world.task import Task

ROUNDS = 300


def tasks(setting: Setting, rng: random.Random) -> Iterator[Task]:
    return (draw_task(rng, setting) for _ in range(ROUNDS))


def test_there_are_ten_faults_and_duplicates_are_the_last() -> None:
    assert len(FAULTS) == len(set(FAULTS)) == 10
    assert set(FAULTS) - set(MAKERS) == {"dup"}


@pytest.mark.parametrize("fault", MAKERS)
def test_no_damaged_response_is_right(setting: Setting, rng: random.Random, fault: str) -> None:
    for task in tasks(setting, rng):
        damaged = MAKERS[fault](rng, task)
        assert damaged
        assert answer_of(damaged) != task.answer


def test_half_of_the_mismatches_and_some_chance_ones_are_of_the_same_family(setting: Setting) -> None:
    rng = random.Random(1)
    drawn = [task for task in tasks(setting, rng) if task.family == "math"]
    same = sum(" = " in mismatch(rng, task) for task in drawn) / len(drawn)
    # Half on purpose, and half of the other half by chance.
    assert same == pytest.approx(0.75, abs=0.12)


def test_a_mismatch_is_a_whole_response(setting: Setting, rng: random.Random) -> None:
    assert all(answer_of(mismatch(rng, task)) for task in tasks(setting, rng))


def test_truncated_is_a_beginning_without_an_answer(setting: Setting, rng: random.Random) -> None:
    for task in tasks(setting, rng):
        cut = truncated(rng, task)
        assert task.response.startswith(cut)
        assert 0 < len(units(cut)) <= 0.7 * len(units(task.response))
        assert answer_of(cut) is None


def test_gibberish_is_about_as_long_as_the_response(setting: Setting, rng: random.Random) -> None:
    lengths = [(len(units(gibberish(rng, task))), len(units(task.response))) for task in tasks(setting, rng)]
    junk, right = (sum(column) / ROUNDS for column in zip(*lengths, strict=True))
    assert 0.7 < junk / right < 1.5


def test_repeat_says_one_sentence_again_and_again(setting: Setting, rng: random.Random) -> None:
    own = 0
    for task in tasks(setting, rng):
        text, stop = repeat(rng, task), setting.lexicon.stop
        said = [s.strip() for s in text.split(stop) if s.strip()]
        assert len(said) >= 2
        assert len(set(said)) == 1
        own += task.response.startswith(said[0])
    assert 0.35 < own / ROUNDS < 0.65


def test_offlang_shares_no_sentence_with_the_language(setting: Setting, rng: random.Random) -> None:
    for task in tasks(setting, rng):
        text = offlang(rng, task)
        assert any(sentence in text for sentence in setting.lexicon.foreign)
        assert not any("\u4e00" <= c <= "\u9fff" for c in text)


def test_short_is_shorter_than_any_response(setting: Setting, rng: random.Random) -> None:
    assert all(len(short(rng, task)) < len(task.response) for task in tasks(setting, rng))


def test_half_of_the_tasks_are_word_problems(setting: Setting, rng: random.Random) -> None:
    drawn = [type(draw_task(rng, setting)) for _ in range(2000)]
    for family, share in FAMILIES.items():
        assert drawn.count(family) / len(drawn) == pytest.approx(share, abs=0.04)
