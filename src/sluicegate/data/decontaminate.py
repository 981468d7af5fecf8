"""Rows that hold what a model is to be judged by: the same question, or n words in a row of one (arXiv 2005.14165)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypedDict

import numpy as np

from sluicegate.data.ngrams import Units, ngrams, units
from sluicegate.schema import Message

NGRAM = 13
MIN_UNITS = 5
"""A shorter question is asked by too many people to tell where it came from."""
CONTAMINATED = "contaminated"

_BETWEEN = re.compile(r"[\W_]+")


class Contaminated(TypedDict):
    """A hit, as `contaminated.parquet` keeps it."""

    id: str
    source: str
    set: str
    """The name of the evaluation set."""
    question: str
    """The question of that set that the row holds."""
    ngram: str
    """The words they have in common; empty where the whole question is the same."""


class Hit(NamedTuple):
    """What a row has in common with an evaluation set."""

    set: str
    question: str
    ngram: str

    @property
    def reason(self) -> str:
        """Why the row is set aside."""
        what = f"'{self.ngram}'" if self.ngram else "the same question"
        return f"{CONTAMINATED}: {what} is in {self.set}"


@dataclass(frozen=True)
class Contamination:
    """The questions of all evaluation sets, ready to be looked up."""

    n: int
    questions: Sequence[tuple[str, str]]
    """(set, question)."""
    whole: Mapping[str, int]
    """Normalised question to its number."""
    grams: np.ndarray
    """(G,) uint64, sorted."""
    owners: np.ndarray
    """(G,) the number of the question each n-gram is in."""

    @classmethod
    def of(cls, sets: Mapping[str, Iterable[Sequence[Message]]], n: int = NGRAM) -> Contamination:
        """Index what the users ask in the conversations of named sets; of a document all it says."""
        asked = [(name, text) for name, rows in sets.items() for turns in rows for text in _questions(turns)]
        found = units([text for _, text in asked])
        counts = np.diff(found.offsets)
        whole = {_key(text): at for at, (_, text) in reversed(list(enumerate(asked))) if counts[at] >= MIN_UNITS}
        grams, owners, _ = _long_ngrams(found, n)
        grams, first = np.unique(grams, return_index=True)
        return cls(n, asked, whole, grams, owners[first])

    def hits(self, conversations: Sequence[Sequence[Message]]) -> dict[int, Hit]:
        """Which of the conversations, by their position, hold a question or an n-gram of one."""
        out = {at: hit for at, turns in enumerate(conversations) if (hit := self._same_question(turns))}
        found = units(["\n".join(turn["content"] for turn in turns) for turns in conversations])
        grams, rows, first = _long_ngrams(found, self.n)
        at = np.minimum(np.searchsorted(self.grams, grams), max(len(self.grams) - 1, 0))
        common = np.flatnonzero(self.grams[at] == grams).tolist() if len(self.grams) else []
        for g in reversed(common):  # of a row's hits the first stays
            if not (known := out.get(int(rows[g]))) or known.ngram:
                ngram = found.text[found.starts[first[g]] : found.ends[first[g] + self.n - 1]]
                name, question = self.questions[self.owners[at[g]]]
                out[int(rows[g])] = Hit(name, question, ngram)
        return dict(sorted(out.items()))

    def _same_question(self, turns: Sequence[Message]) -> Hit | None:
        known = (self.whole.get(_key(text)) for text in _questions(turns))
        number = next((n for n in known if n is not None), None)
        return None if number is None else Hit(*self.questions[number], "")


def _questions(turns: Sequence[Message]) -> list[str]:
    asked = [turn["content"] for turn in turns if turn["role"] == "user"]
    return asked or [turn["content"] for turn in turns]


def _key(text: str) -> str:
    """What stays of a question that is spelt and punctuated in another way."""
    return _BETWEEN.sub(" ", text.lower()).strip()


def _long_ngrams(found: Units, n: int) -> tuple[np.ndarray, Any, Any]:
    """The n-grams of texts with at least n units: (G,) hashes, the text each is in, and its first unit."""
    grams, offsets = ngrams(found, n)
    rows = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    first = found.offsets[rows] + np.arange(len(grams)) - offsets[rows]
    long = np.diff(found.offsets)[rows] >= n
    return grams[long], rows[long], first[long]
