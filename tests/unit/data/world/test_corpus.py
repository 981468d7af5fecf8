from __future__ import annotations

import random
import re
from collections import Counter

import pytest

from sluicegate.data.world import corpus
from sluicegate.data.world.answers import answer_of
from sluicegate.data.world.setting import Setting
from sluicegate.data.world.word_problems import room


def test_kinds_come_up_by_weight(setting: Setting, rng: random.Random) -> None:
    kinds = Counter(corpus.draw_document(rng, setting)[1] for _ in range(4000))
    assert sum(corpus.WEIGHTS.values()) == pytest.approx(1)
    for kind, share in corpus.WEIGHTS.items():
        assert kinds[kind.__name__] / 4000 == pytest.approx(share, abs=0.025)


def test_a_small_corpus_tells_every_fact(setting: Setting, rng: random.Random) -> None:
    text = " ".join(corpus.facts(rng, setting) for _ in range(1000))
    for country, told in setting.facts.items():
        assert setting.lexicon.link.format(country=country, key=told[setting.lexicon.key]) in text
        for attribute, value in told.items():
            ways = [f.format(country=country, attribute=attribute, value=value) for f in setting.lexicon.told_facts]
            assert any(way in text for way in ways)


def test_no_fact_is_false(setting: Setting, rng: random.Random) -> None:
    lexicon = setting.lexicon
    true = {
        way.format(country=c, attribute=a, value=v, key=v)
        for c, told in setting.facts.items()
        for a, v in told.items()
        for way in (*lexicon.told_facts, *([lexicon.link] if a == lexicon.key else []))
    }
    for _ in range(300):
        said = corpus.facts(rng, setting).split(lexicon.stop)
        assert all(s.strip() + lexicon.stop in true for s in said if s.strip())


def test_sums_are_right_and_cover_what_tasks_need(setting: Setting, rng: random.Random) -> None:
    text = " ".join(corpus.sums(rng, setting) for _ in range(2000))
    sums = {
        (int(left), sign, int(right)): int(r) for left, sign, right, r in re.findall(r"(\d+) (.) (\d+) = (\d+)", text)
    }
    needed = {(h, sign, n) for h in range(2, 19) for sign, most in room(h).items() for n in range(2, min(6, most) + 1)}
    assert all(left + int(f"{sign}{right}") == result for (left, sign, right), result in sums.items())
    assert needed <= set(sums)
    assert set(sums.values()) == set(range(21))


def test_dialogues_end_in_an_answer_and_nothing_else_does(setting: Setting, rng: random.Random) -> None:
    for _ in range(1000):
        text, kind = corpus.draw_document(rng, setting)
        assert (answer_of(text) is not None) == (kind == "dialogues")
