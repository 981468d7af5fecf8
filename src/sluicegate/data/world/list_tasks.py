"""List tasks: reverse three or four words, name one of them, or count them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from sluicegate.data.world.lexicon import Lexicon
from sluicegate.data.world.setting import Setting
from sluicegate.data.world.task import Task

OPERATIONS: dict[str, Callable[[Sequence[str]], Sequence[str]]] = {
    "reverse": lambda items: items[::-1],
    "first": lambda items: items[:1],
    "last": lambda items: items[-1:],
    "second": lambda items: items[1:2],
    "count": lambda items: [str(len(items))],
}


@dataclass(frozen=True)
class ListTask(Task):
    """An operation on a few words, no two the same."""

    family = "list"

    operation: str
    items: tuple[str, ...]
    opening: str

    @classmethod
    def draw(cls, rng: random.Random, setting: Setting) -> Self:
        """A new list and what to do with it."""
        lexicon = setting.lexicon
        operation = rng.choice(list(OPERATIONS))
        items = tuple(rng.sample(lexicon.words, rng.randint(3, 4)))
        listed = lexicon.listed(items)
        prompt = rng.choice(lexicon.list_prompts[operation]).format(items=listed)
        return cls(setting, prompt, operation, items, rng.choice(lexicon.list_openings).format(items=listed))

    @property
    def answer(self) -> str:
        """What the operation gives."""
        return result(self.lexicon, self.operation, self.items)

    @property
    def response(self) -> str:
        """The result as a sentence, then the answer."""
        return self._write(self.operation, self.answer, self.answer)

    @property
    def told(self) -> str:
        """The list and the result without a question."""
        lexicon = self.lexicon
        stated = lexicon.list_results[self.operation].format(answer=self.answer)
        return lexicon.text(lexicon.told_list.format(items=lexicon.listed(self.items)), stated)

    def wrong_final(self, rng: random.Random) -> str:
        """A likely wrong answer behind the right result."""
        return self._write(self.operation, self.answer, self._wrong(rng))

    def wrong_step(self, rng: random.Random) -> str:
        """A likely wrong result, and the answer that follows from it."""
        wrong = self._wrong(rng)
        return self._write(self.operation, wrong, wrong)

    def wrong_op(self, rng: random.Random) -> str:
        """The result of another operation."""
        operation = rng.choice([o for o in OPERATIONS if o != self.operation])
        other = result(self.lexicon, operation, self.items)
        return self._write(operation, other, other)

    def _wrong(self, rng: random.Random) -> str:
        """Another item, a count that is one or two off, or the reversed list with two items swapped."""
        if self.operation == "count":
            return str(len(self.items) + rng.choice([-2, -1, 1, 2]))
        if self.operation == "reverse":
            return self.lexicon.listed(_swapped(rng, self.items[::-1]))
        return rng.choice([item for item in self.items if item != self.answer])

    def _write(self, operation: str, stated: str, answer: str) -> str:
        lexicon = self.lexicon
        sentence = lexicon.list_results[operation].format(answer=stated)
        return lexicon.text(self.opening, sentence, lexicon.conclusion(answer))


def result(lexicon: Lexicon, operation: str, items: Sequence[str]) -> str:
    """What an operation makes of the items, as it is written."""
    return lexicon.listed(OPERATIONS[operation](items))


def _swapped(rng: random.Random, items: Sequence[str]) -> list[str]:
    i, j = rng.sample(range(len(items)), 2)
    out = list(items)
    out[i], out[j] = out[j], out[i]
    return out
