"""The built-in world: small tasks with known answers, and damage of known kinds, made on the spot from a seed.

`lexicon` is what a world can say (`english`, `chinese`), `setting` what is true in it, `word_problems`, `list_tasks`
and `questions` are its three families of tasks, `faults` damages responses, `corpus` writes text to pretrain on.
"""

from sluicegate.data.world.answers import answer_of
from sluicegate.data.world.faults import FAULTS
from sluicegate.data.world.world import World

__all__ = ["FAULTS", "World", "answer_of"]
