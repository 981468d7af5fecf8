"""Text that says the same again and again: the share of its n-grams that stood in it before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field

from sluicegate.data.clean.base import Cleaner
from sluicegate.data.ngrams import ngrams, units
from sluicegate.schema import Message


class Repetition(Cleaner):
    """Sets conversations aside whose assistant repeats itself, as models do that were stopped too late."""

    name = "repetition"
    order = 50

    class Config(Cleaner.Config):
        short: ClassVar[str] = "max_share"
        max_share: float = Field(0.5, gt=0, le=1)
        """Share of repeated n-grams from which on a conversation is set aside."""
        ngram: int = Field(4, gt=0)
        """Units in an n-gram: a word, or one character of Chinese."""
        min_units: int = Field(40, gt=0)
        """Shorter responses may repeat themselves: in so few words it means little."""

    def reason(self, turns: Sequence[Message], lang: str) -> str:
        """The share, where it is too high."""
        found = units(["\n".join(turn["content"] for turn in turns if turn["role"] == "assistant")])
        if len(found.hashes) < self.config.min_units:
            return ""
        grams, _ = ngrams(found, self.config.ngram)
        share = 1 - len(np.unique(grams)) / len(grams)
        if share <= self.config.max_share:
            return ""
        return f"repetition: {share:.2f} of the n-grams, max_share is {self.config.max_share}"
