"""What is true in one world, in one language: its countries and their attributes."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

from sluicegate.data.world.lexicon import Lexicon

COUNTRIES = 12
SHARED_NAMES = 8


@dataclass(frozen=True)
class Setting:
    """A lexicon and the facts told with it."""

    lexicon: Lexicon
    facts: Mapping[str, Mapping[str, str]]
    """Country → attribute → value."""

    @property
    def countries(self) -> Sequence[str]:
        """Every country."""
        return list(self.facts)

    @property
    def attributes(self) -> Sequence[str]:
        """Every attribute, the key first."""
        return list(next(iter(self.facts.values())))

    def values(self, attribute: str) -> list[str]:
        """The values an attribute takes, each once."""
        return list(dict.fromkeys(told[attribute] for told in self.facts.values()))


def invent(rng: random.Random, lexicon: Lexicon) -> Setting:
    """Invent the countries of a world and deal out their attributes.

    Every value of an attribute goes to about as many countries, so that no value is a good guess.
    """
    names = _invented_names(rng, lexicon.syllables)
    countries = [next(names) + rng.choice(lexicon.syllables) for _ in range(COUNTRIES)]
    values = {
        lexicon.key: list(islice(names, COUNTRIES)),
        lexicon.invented: list(islice(names, SHARED_NAMES)),
        **lexicon.attributes,
    }
    dealt = {attribute: _deal(rng, choices) for attribute, choices in values.items()}
    return Setting(lexicon, {c: {a: dealt[a][i] for a in dealt} for i, c in enumerate(countries)})


def _deal(rng: random.Random, choices: Sequence[str]) -> list[str]:
    dealt = list(islice(cycle(choices), COUNTRIES))
    rng.shuffle(dealt)
    return dealt


def _invented_names(rng: random.Random, syllables: Sequence[str]) -> Iterator[str]:
    """Names of two syllables, no two the same."""
    pairs = [a + b for a in syllables for b in syllables]
    rng.shuffle(pairs)
    return map(str.capitalize, pairs)
