"""Questions on what is true in the world: one fact of a named country, or of a country known by its key."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Self

from sluicegate.data.world.setting import Setting
from sluicegate.data.world.task import Task

TWO_HOP_SHARE = 0.4


@dataclass(frozen=True)
class Question(Task):
    """One attribute of one country."""

    family = "kb"

    country: str
    attribute: str
    by_key: bool
    """The prompt names the key (say, the capital) and not the country: the response takes two steps."""

    @classmethod
    def draw(cls, rng: random.Random, setting: Setting) -> Self:
        """A new question."""
        lexicon = setting.lexicon
        country, by_key = rng.choice(setting.countries), rng.random() < TWO_HOP_SHARE
        attribute = rng.choice(setting.attributes[1:] if by_key else setting.attributes)
        phrasing = rng.choice(lexicon.two_hops if by_key else lexicon.one_hop)
        key = setting.facts[country][lexicon.key]
        prompt = phrasing.format(attribute=attribute, country=country, key=key)
        return cls(setting, prompt, country, attribute, by_key)

    @property
    def answer(self) -> str:
        """The attribute's value."""
        return self.setting.facts[self.country][self.attribute]

    @property
    def response(self) -> str:
        """The fact, behind the country it is about where the prompt did not name it; then the answer."""
        return self._write(self.country, self.attribute, self.answer, self.answer)

    def wrong_final(self, rng: random.Random) -> str:
        """Another value of the attribute behind the right fact."""
        return self._write(self.country, self.attribute, self.answer, self._wrong(rng))

    def wrong_step(self, rng: random.Random) -> str:
        """A fact that does not hold; with two steps, a country the key does not belong to."""
        if not self.by_key:
            wrong = self._wrong(rng)
            return self._write(self.country, self.attribute, wrong, wrong)
        facts = self.setting.facts
        other = rng.choice([c for c in facts if facts[c][self.attribute] != self.answer])
        value = facts[other][self.attribute]
        return self._write(other, self.attribute, value, value)

    def wrong_op(self, rng: random.Random) -> str:
        """Another attribute than asked for."""
        open_to = self.setting.attributes[1:] if self.by_key else self.setting.attributes
        other = rng.choice([a for a in open_to if a != self.attribute])
        value = self.setting.facts[self.country][other]
        return self._write(self.country, other, value, value)

    def _wrong(self, rng: random.Random) -> str:
        return rng.choice([v for v in self.setting.values(self.attribute) if v != self.answer])

    def _write(self, country: str, attribute: str, value: str, answer: str) -> str:
        lexicon = self.lexicon
        key = self.setting.facts[self.country][lexicon.key]
        link = lexicon.link.format(key=key, country=country) if self.by_key else ""
        fact = lexicon.fact.format(attribute=attribute, country=country, value=value)
        return lexicon.text(link, fact, lexicon.conclusion(answer))
