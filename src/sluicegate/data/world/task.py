"""The face all three families of tasks share."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Self

from sluicegate.data.world.lexicon import Lexicon
from sluicegate.data.world.setting import Setting


@dataclass(frozen=True)
class Task(ABC):
    """A prompt with one right answer, and ways to answer it wrongly. Wording and layout are drawn with the task."""

    family: ClassVar[str]

    setting: Setting
    prompt: str

    @property
    def lexicon(self) -> Lexicon:
        """The words the task is told in."""
        return self.setting.lexicon

    @classmethod
    @abstractmethod
    def draw(cls, rng: random.Random, setting: Setting) -> Self:
        """A new task of this family."""

    @property
    @abstractmethod
    def answer(self) -> str:
        """The right answer."""

    @property
    @abstractmethod
    def response(self) -> str:
        """The right response: working, then the answer sentence."""

    @abstractmethod
    def wrong_final(self, rng: random.Random) -> str:
        """Right working, wrong answer."""

    @abstractmethod
    def wrong_step(self, rng: random.Random) -> str:
        """One wrong result in the working, carried on to the answer."""

    @abstractmethod
    def wrong_op(self, rng: random.Random) -> str:
        """Another operation than asked for, done rightly and carried on to the answer."""
