"""What a world can say in one language: its vocabulary, and the phrasings of its tasks, answers and text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sluicegate.data.world.answers import SENTENCES


@dataclass(frozen=True)
class Style:
    """How the working of a word problem is laid out. `{i}` is the number of the step, from 1."""

    opening: str = ""
    first: str = ""
    """Before the first step."""
    later: str = ""
    """Before every other step."""


@dataclass(frozen=True)
class Lexicon:
    """Everything one world says in one language; phrasings are format strings."""

    lang: str
    space: str
    """Between sentences."""
    comma: str
    """Between the items of a list."""
    stop: str
    """At the end of a sentence."""

    # Word problems: {name} {friend} {thing} {place} {count}
    names: Sequence[str]
    things: Sequence[str]
    """Countable things, in the plural; in Chinese behind their measure word."""
    places: Sequence[str]
    starts: Sequence[str]
    gains: Sequence[str]
    losses: Sequence[str]
    totals: Sequence[str]
    """The question at the end."""
    endings: Sequence[str]
    """Where the story is told and not asked: how it ends."""
    styles: Sequence[Style]

    # Lists: {items}, {answer}
    words: Sequence[str]
    list_prompts: Mapping[str, Sequence[str]]
    list_results: Mapping[str, str]
    list_openings: Sequence[str]
    told_list: str

    # Knowledge: {attribute} {country} {value}; {key} is the value of the key attribute
    syllables: Sequence[str]
    """Of the invented names: countries, the key attribute's values and the invented attribute's."""
    key: str
    """The attribute that tells countries apart: each has its own value."""
    invented: str
    """An attribute whose values are invented names, shared by a few countries."""
    attributes: Mapping[str, Sequence[str]]
    """The other attributes and their values."""
    one_hop: Sequence[str]
    two_hops: Sequence[str]
    link: str
    """The first step of two: which country the key belongs to."""
    fact: str
    """As a response states it."""
    told_facts: Sequence[str]
    """As text states it."""

    # Text and damage
    dialogue: str
    """{prompt} and {response} in plain text."""
    saying: str
    """{name} and a short {reply} in plain text."""
    boilerplate: Sequence[str]
    foreign: Sequence[str]
    replies: Sequence[str]
    """Too short to answer anything."""
    filler: Sequence[str]
    letters: str

    def text(self, *sentences: str) -> str:
        """Sentences in a row; empty ones are left out."""
        return self.space.join(filter(None, sentences))

    def listed(self, items: Sequence[str]) -> str:
        """Items as one list."""
        return self.comma.join(items)

    def conclusion(self, answer: str) -> str:
        """The sentence every response ends in."""
        return SENTENCES[self.lang].format(answer=answer)
