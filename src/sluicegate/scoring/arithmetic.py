"""The share of a response's equations that hold, worked out in exact fractions.

    arithmetic(x) = (equations that hold + 1 if the final answer was said before) / (equations + 1)

without the ones where the response marks no final answer. Gates and losses cannot check sums a model cannot do; this
can, and knows nothing of a response without equations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sluicegate.schema import Record
from sluicegate.scoring.base import Shard, Signal
from sluicegate.scoring.equations import equations, final_answer_said


class Arithmetic(Signal):
    """1 where every equation holds, and no score where there is none."""

    name = "arithmetic"

    def score(self, shard: Shard, config: Any) -> Sequence[float | str]:
        return [_share(_reply(record)) for record in shard.records]


def _share(text: str) -> float | str:
    verdicts = [equation.holds for equation in equations(text)]
    if not verdicts:
        return "no equation in the response"
    said = final_answer_said(text)
    verdicts += [] if said is None else [said]
    return sum(verdicts) / len(verdicts)


def _reply(record: Record) -> str:
    """The last assistant turn; nothing where there is none."""
    return next((m["content"] for m in reversed(record["messages"]) if m["role"] == "assistant"), "")
