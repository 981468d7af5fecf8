"""Word problems: a story of one to three gains and losses, with numbers up to about twenty."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from sluicegate.data.world.lexicon import Style
from sluicegate.data.world.setting import Setting
from sluicegate.data.world.task import Task

STEP_WEIGHTS = {1: 0.4, 2: 0.4, 3: 0.2}
SMALLEST = 2
"""Of changes and of what is left: nothing is ever counted in the singular."""
LARGEST_CHANGE = 6
LARGEST_ERROR = 5
LARGEST_NUMBER = 20


class Step(NamedTuple):
    """One line of working. `result` is what the line says, right or wrong."""

    left: int
    sign: str
    right: int
    result: int


@dataclass(frozen=True)
class WordProblem(Task):
    """A story, the working it asks for, and the layout of that working."""

    family = "math"

    steps: tuple[Step, ...]
    style: Style
    told: str
    """The same story told to its end, with its working and without a question."""

    @classmethod
    def draw(cls, rng: random.Random, setting: Setting) -> Self:
        """A new story."""
        lexicon = setting.lexicon
        name, friend = rng.sample(lexicon.names, 2)
        cast = {
            "name": name,
            "friend": friend,
            "thing": rng.choice(lexicon.things),
            "place": rng.choice(lexicon.places),
        }
        start = rng.randint(3, 12)
        steps = _draw_steps(rng, start)
        story = [rng.choice(lexicon.starts).format(**cast, count=start)]
        for step in steps:
            phrasings = lexicon.gains if step.sign == "+" else lexicon.losses
            story.append(rng.choice(phrasings).format(**cast, count=step.right))
        prompt = lexicon.text(*story, rng.choice(lexicon.totals).format(**cast))
        ending = rng.choice(lexicon.endings).format(**cast, count=steps[-1].result)
        told = lexicon.text(*story, *(equation(step, lexicon.stop) for step in steps), ending)
        return cls(setting, prompt, steps, rng.choice(lexicon.styles), told)

    @property
    def answer(self) -> str:
        """The number left at the end."""
        return str(self.steps[-1].result)

    @property
    def response(self) -> str:
        """The working in the drawn layout, then the answer."""
        return self._write(self.steps, self.answer)

    def wrong_final(self, rng: random.Random) -> str:
        """The answer is off by up to five."""
        result = self.steps[-1].result
        return self._write(self.steps, str(rng.choice([result + e for e in _errors() if _fits(result + e)])))

    def wrong_step(self, rng: random.Random) -> str:
        """One result is off by up to five."""
        at = range(len(self.steps))
        return self._spoilt(rng, [spoil(self.steps, i, self.steps[i].sign, e) for i in at for e in _errors()])

    def wrong_op(self, rng: random.Random) -> str:
        """One plus is taken for a minus, or one minus for a plus."""
        flipped = [spoil(self.steps, i, "-" if s.sign == "+" else "+") for i, s in enumerate(self.steps)]
        return self._spoilt(rng, flipped)

    def _spoilt(self, rng: random.Random, workings: Sequence[tuple[Step, ...]]) -> str:
        # Never empty, see `room`.
        steps = rng.choice([w for w in workings if all(_fits(step.result) for step in w)])
        return self._write(steps, str(steps[-1].result))

    def _write(self, steps: Sequence[Step], answer: str) -> str:
        lexicon, style = self.lexicon, self.style
        heads = [style.first, *[style.later] * (len(steps) - 1)]
        lines = [
            head.format(i=i) + equation(s, lexicon.stop)
            for i, (head, s) in enumerate(zip(heads, steps, strict=True), 1)
        ]
        return lexicon.text(style.opening, *lines, lexicon.conclusion(answer))


def equation(step: Step, stop: str) -> str:
    """`7 + 5 = 12.`"""
    return f"{step.left} {step.sign} {step.right} = {step.result}{stop}"


def apply(left: int, sign: str, right: int) -> Step:
    """The right line of working."""
    return Step(left, sign, right, left + right if sign == "+" else left - right)


def spoil(steps: Sequence[Step], at: int, sign: str, error: int = 0) -> tuple[Step, ...]:
    """The working with step `at` done with `sign` and its result off by `error`; the rest follows from it."""
    out = list(steps[:at])
    wrong = apply(steps[at].left, sign, steps[at].right)
    out.append(wrong._replace(result=wrong.result + error))
    for step in steps[at + 1 :]:
        out.append(apply(out[-1].result, step.sign, step.right))
    return tuple(out)


def room(have: int) -> dict[str, int]:
    """The largest gain and the largest loss a story allows where `have` things are there; 18 is the most it reaches.

    Either could be taken for the other and still give a number from 0 to 20: numbers do not give a wrong sign away.
    """
    return {"+": min(have, LARGEST_NUMBER - SMALLEST - have), "-": min(have - SMALLEST, LARGEST_NUMBER - have)}


def _draw_steps(rng: random.Random, start: int) -> tuple[Step, ...]:
    (count,) = rng.choices(list(STEP_WEIGHTS), list(STEP_WEIGHTS.values()))
    steps: list[Step] = []
    for _ in range(count):
        have = steps[-1].result if steps else start
        sign, largest = rng.choice([(s, most) for s, most in room(have).items() if most >= SMALLEST])
        steps.append(apply(have, sign, rng.randint(SMALLEST, min(LARGEST_CHANGE, largest))))
    return tuple(steps)


def _fits(number: int) -> bool:
    return 0 <= number <= LARGEST_NUMBER


def _errors() -> list[int]:
    return [e for e in range(-LARGEST_ERROR, LARGEST_ERROR + 1) if e]
