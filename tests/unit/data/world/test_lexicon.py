from __future__ import annotations

from itertools import chain

import pytest

from sluicegate.data.world import chinese, english
from sluicegate.data.world.lexicon import Lexicon
from sluicegate.data.world.list_tasks import OPERATIONS

BOTH = pytest.mark.parametrize(("one", "two"), [(english.ONE, english.TWO), (chinese.ONE, chinese.TWO)])
EACH = pytest.mark.parametrize("lexicon", [english.ONE, english.TWO, chinese.ONE, chinese.TWO])


def vocabulary(lexicon: Lexicon) -> list[str]:
    values = chain.from_iterable(lexicon.attributes.values())
    attributes = [lexicon.key, lexicon.invented, *lexicon.attributes]
    lists = [lexicon.names, lexicon.things, lexicon.places, lexicon.words, lexicon.syllables, lexicon.filler]
    return [*chain.from_iterable(lists), *values, *attributes]


def phrasings(lexicon: Lexicon) -> list[str]:
    stories = [lexicon.starts, lexicon.gains, lexicon.losses, lexicon.totals, lexicon.endings]
    lists = [*lexicon.list_prompts.values(), lexicon.list_results.values(), filter(None, lexicon.list_openings)]
    knowledge = [lexicon.one_hop, lexicon.two_hops, lexicon.told_facts, [lexicon.link]]
    styles = [(s.opening, s.first) for s in lexicon.styles]
    rest = [
        lexicon.boilerplate,
        lexicon.foreign,
        lexicon.replies,
        [lexicon.dialogue, lexicon.saying, lexicon.told_list],
    ]
    return [text for text in chain(*stories, *lists, *knowledge, *styles, *rest) if text]


@BOTH
def test_the_second_lexicon_has_words_of_its_own(one: Lexicon, two: Lexicon) -> None:
    assert not set(vocabulary(one)) & set(vocabulary(two))


@BOTH
def test_the_second_lexicon_has_phrasings_of_its_own(one: Lexicon, two: Lexicon) -> None:
    assert not set(phrasings(one)) & set(phrasings(two))


@EACH
@pytest.mark.parametrize("field", ["names", "things", "places", "words", "syllables", "filler", "foreign", "replies"])
def test_no_word_is_there_twice(lexicon: Lexicon, field: str) -> None:
    words = getattr(lexicon, field)
    assert len(words) == len(set(words))


@EACH
def test_every_list_operation_can_be_asked_for_and_answered(lexicon: Lexicon) -> None:
    assert set(lexicon.list_prompts) == set(lexicon.list_results) == set(OPERATIONS)
    assert len(lexicon.styles) == 3


@EACH
def test_no_attribute_shares_a_value_with_another(lexicon: Lexicon) -> None:
    values = list(chain.from_iterable(lexicon.attributes.values()))
    assert len(values) == len(set(values))


@EACH
def test_sentences_end_in_the_stop_and_hold_no_other(lexicon: Lexicon) -> None:
    stated = [*lexicon.list_results.values(), lexicon.fact, lexicon.link, *lexicon.endings]
    assert all(s.endswith(lexicon.stop) and s.count(lexicon.stop) == 1 for s in stated)
