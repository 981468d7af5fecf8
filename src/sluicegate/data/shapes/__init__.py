"""The published shapes of rows, a file per family; `base` says what a shape is, `recognise` which one a row has.

`chat` turns, `instruction` an order and its answer, `coig` the same in Chinese, `mathematics` problems, `preference`
two answers to choose from, `tree` conversations that branch. Each enters by the entry points `sluicegate.shapes`,
where a plug-in adds its own.
"""

from sluicegate.data.shapes.base import Conversation, Found, Preference, Several, Shape, Unfit
from sluicegate.data.shapes.latex import last_boxed
from sluicegate.data.shapes.recognise import AUTO, answer_beside, config_of, extras, find

__all__ = [
    "AUTO",
    "Conversation",
    "Found",
    "Preference",
    "Several",
    "Shape",
    "Unfit",
    "answer_beside",
    "config_of",
    "extras",
    "find",
    "last_boxed",
]
