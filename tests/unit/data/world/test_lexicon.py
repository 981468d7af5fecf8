from __future__ import annotations

from itertools import chain, combinations

import pytest

from sluicegate.data.world import chinese, english
from sluicegate.data.world.lexicon import Lexicon
from sluicegate.data.world.list_tasks import OPERATIONS

ENGLISH = [english.ONE, english.TWO, english.THREE]
CHINESE = [chinese.ONE, chinese.TWO, chinese.THREE]
PAIRS = pytest.mark.parametrize(("one", "other"), [*combinations(ENGLISH, 2), *combinations(CHINESE, 2)])
EACH = pytest.mark.parametrize("lexicon", [*ENGLISH, *CHINESE])


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


def sizes(lexicon: Lexicon) -> list[int]:
    stories = [lexicon.starts, lexicon.gains, lexicon.losses, lexicon.totals, lexicon.endings, lexicon.styles]
    lists = [lexicon.words, *lexicon.list_prompts.values(), lexicon.list_openings]
    knowledge = [*lexicon.attributes.values(), lexicon.one_hop, lexicon.two_hops, lexicon.told_facts]
    rest = [lexicon.names, lexicon.things, lexicon.places, lexicon.boilerplate, lexicon.foreign, lexicon.replies]
    return [len(texts) for texts in (*stories, *lists, *knowledge, *rest)]


@PAIRS
def test_every_lexicon_has_words_of_its_own(one: Lexicon, other: Lexicon) -> None:
    assert not set(vocabulary(one)) & set(vocabulary(other))


@PAIRS
def test_every_lexicon_has_phrasings_of_its_own(one: Lexicon, other: Lexicon) -> None:
    assert not set(phrasings(one)) & set(phrasings(other))


@PAIRS
def test_every_lexicon_has_as_many_words_and_phrasings(one: Lexicon, other: Lexicon) -> None:
    assert sizes(one) == sizes(other)


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
