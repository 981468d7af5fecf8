from __future__ import annotations

import random
from collections import Counter

from sluicegate.data.world.setting import Setting, invent


def test_every_country_has_every_attribute(setting: Setting) -> None:
    lexicon = setting.lexicon
    assert len(setting.countries) == 12
    assert list(setting.attributes) == [lexicon.key, lexicon.invented, *lexicon.attributes]
    assert all(list(told) == list(setting.attributes) for told in setting.facts.values())


def test_the_key_tells_countries_apart(setting: Setting) -> None:
    assert len(setting.values(setting.lexicon.key)) == 12


def test_no_value_is_a_good_guess(setting: Setting) -> None:
    for attribute in setting.attributes:
        counts = Counter(told[attribute] for told in setting.facts.values())
        assert max(counts.values()) <= 2


def test_invented_names_are_used_once(setting: Setting) -> None:
    lexicon = setting.lexicon
    names = [*setting.countries, *setting.values(lexicon.key), *setting.values(lexicon.invented)]
    assert len(names) == len(set(names))


def test_the_seed_decides_what_is_true(setting: Setting) -> None:
    again = invent(random.Random(3), setting.lexicon)
    other = invent(random.Random(4), setting.lexicon)
    assert again.facts == setting.facts
    assert set(other.countries) != set(setting.countries)
