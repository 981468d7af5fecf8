"""Text to pretrain a small model on: what it needs to know of the world, and some of the junk it will meet later.

The junk is there so that a base model's surprise alone does not give damaged responses away.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from sluicegate.data.world.families import draw_task
from sluicegate.data.world.faults import junk
from sluicegate.data.world.list_tasks import ListTask
from sluicegate.data.world.setting import Setting
from sluicegate.data.world.word_problems import LARGEST_CHANGE, LARGEST_NUMBER, WordProblem, apply, equation

LINK_SHARE = 0.25


def facts(rng: random.Random, setting: Setting) -> str:
    """Two to five facts; one in four tells which country a key belongs to."""
    return setting.lexicon.text(*(_fact(rng, setting) for _ in range(rng.randint(2, 5))))


def sums(rng: random.Random, setting: Setting) -> str:
    """Three to seven bare equations."""
    return setting.lexicon.text(*(_sum(rng, setting.lexicon.stop) for _ in range(rng.randint(3, 7))))


def stories(rng: random.Random, setting: Setting) -> str:
    """A word problem told to its end."""
    return WordProblem.draw(rng, setting).told


def lists(rng: random.Random, setting: Setting) -> str:
    """A list, and one thing that is true of it."""
    return ListTask.draw(rng, setting).told


def dialogues(rng: random.Random, setting: Setting) -> str:
    """A task and its right response as plain text."""
    task = draw_task(rng, setting)
    return setting.lexicon.dialogue.format(prompt=task.prompt, response=task.response)


def boilerplate(rng: random.Random, setting: Setting) -> str:
    """One to four sentences of web boilerplate."""
    return setting.lexicon.text(*rng.choices(setting.lexicon.boilerplate, k=rng.randint(1, 4)))


def foreign(rng: random.Random, setting: Setting) -> str:
    """One to four sentences in other languages."""
    return " ".join(rng.sample(setting.lexicon.foreign, rng.randint(1, 4)))


def gibberish(rng: random.Random, setting: Setting) -> str:
    """Five to twenty words of junk."""
    return junk(rng, setting.lexicon, rng.randint(5, 20))


def sayings(rng: random.Random, setting: Setting) -> str:
    """Somebody's short reply."""
    lexicon = setting.lexicon
    return lexicon.saying.format(name=rng.choice(lexicon.names), reply=rng.choice(lexicon.replies))


WEIGHTS: dict[Callable[[random.Random, Setting], str], float] = {
    facts: 0.22,
    sums: 0.20,
    stories: 0.18,
    lists: 0.12,
    dialogues: 0.21,
    boilerplate: 0.025,
    foreign: 0.0175,
    gibberish: 0.014,
    sayings: 0.0135,
}


def draw_document(rng: random.Random, setting: Setting) -> tuple[str, str]:
    """A document and the name of its kind."""
    (kind,) = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))
    return kind(rng, setting), kind.__name__


def _fact(rng: random.Random, setting: Setting) -> str:
    lexicon, country = setting.lexicon, rng.choice(setting.countries)
    told = setting.facts[country]
    if rng.random() < LINK_SHARE:
        return lexicon.link.format(key=told[lexicon.key], country=country)
    attribute = rng.choice(setting.attributes)
    return rng.choice(lexicon.told_facts).format(attribute=attribute, country=country, value=told[attribute])


def _sum(rng: random.Random, stop: str) -> str:
    left = rng.randint(0, LARGEST_NUMBER - 1)
    sign = rng.choice("+-") if left else "+"
    room = LARGEST_NUMBER - left if sign == "+" else left
    return equation(apply(left, sign, rng.randint(1, min(LARGEST_CHANGE, room))), stop)
