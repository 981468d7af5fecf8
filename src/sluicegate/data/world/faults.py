"""The polluter: ten named faults. Each maker is `(rng, task) -> response`; a duplicate is made by the pool itself.

A damaged response starts from the same draw of wording and layout as a clean one, so that only the fault tells
them apart.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from sluicegate.data.corrupt import units
from sluicegate.data.world.families import draw_task
from sluicegate.data.world.lexicon import Lexicon
from sluicegate.data.world.task import Task

CLEAN = "clean"
DUP = "dup"


def mismatch(rng: random.Random, task: Task) -> str:
    """The response to another prompt with another answer; half of the time of the same family, harder to tell."""
    same_family = rng.random() < 0.5
    while True:
        other = draw_task(rng, task.setting)
        if other.answer != task.answer and (not same_family or other.family == task.family):
            return other.response


def truncated(rng: random.Random, task: Task) -> str:
    """The first 25 to 70 % of the words, or of the characters where they are Chinese."""
    spans = units(task.response)
    kept = max(1, int(len(spans) * rng.uniform(0.25, 0.7)))
    return task.response[: spans[kept - 1][1]]


def gibberish(rng: random.Random, task: Task) -> str:
    """Junk about as long as the response."""
    length = len(task.response.split()) if task.lexicon.space else len(units(task.response)) // 2
    return junk(rng, task.lexicon, max(4, length + rng.randint(-3, 6)))


def repeat(rng: random.Random, task: Task) -> str:
    """Boilerplate, or the response's first sentence, two to five times over."""
    if rng.random() < 0.5:
        return task.lexicon.text(*[rng.choice(task.lexicon.boilerplate)] * rng.randint(2, 4))
    first, stop, _ = task.response.partition(task.lexicon.stop)
    return task.lexicon.text(*[first + stop] * rng.randint(3, 5))


def offlang(rng: random.Random, task: Task) -> str:
    """One to three sentences in other languages."""
    return " ".join(rng.sample(task.lexicon.foreign, rng.randint(1, 3)))


def short(rng: random.Random, task: Task) -> str:
    """A reply too short to answer anything."""
    return rng.choice(task.lexicon.replies)


MAKERS: dict[str, Callable[[random.Random, Task], str]] = {
    "wrong_final": lambda rng, task: task.wrong_final(rng),
    "wrong_step": lambda rng, task: task.wrong_step(rng),
    "wrong_op": lambda rng, task: task.wrong_op(rng),
    "mismatch": mismatch,
    "truncated": truncated,
    "gibberish": gibberish,
    "repeat": repeat,
    "offlang": offlang,
    "short": short,
}
FAULTS = (*MAKERS, DUP)


def junk(rng: random.Random, lexicon: Lexicon, length: int) -> str:
    """`length` words of random letters, filler and the world's own vocabulary."""
    return lexicon.space.join(_junk_word(rng, lexicon) for _ in range(length)) + lexicon.stop


def _junk_word(rng: random.Random, lexicon: Lexicon) -> str:
    kind = rng.random()
    if kind < 0.4:
        letters = rng.randint(2, 7) if lexicon.space else rng.randint(1, 3)
        return "".join(rng.choices(lexicon.letters, k=letters))
    return rng.choice(lexicon.filler if kind < 0.7 else rng.choice([lexicon.words, lexicon.things, lexicon.names]))
