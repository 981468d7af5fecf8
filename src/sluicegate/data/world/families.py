"""The three families of tasks and how often each comes up."""

from __future__ import annotations

import random

from sluicegate.data.world.list_tasks import ListTask
from sluicegate.data.world.questions import Question
from sluicegate.data.world.setting import Setting
from sluicegate.data.world.task import Task
from sluicegate.data.world.word_problems import WordProblem

FAMILIES: dict[type[Task], float] = {WordProblem: 0.5, ListTask: 0.25, Question: 0.25}


def draw_task(rng: random.Random, setting: Setting) -> Task:
    """A task of a family drawn by weight."""
    (family,) = rng.choices(list(FAMILIES), list(FAMILIES.values()))
    return family.draw(rng, setting)
