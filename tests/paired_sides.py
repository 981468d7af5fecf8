"""Arms made by hand, to be compared question by question."""

from __future__ import annotations

from typing import Any

from graded_runs import predictions
from sluicegate.evaluation import stats
from sluicegate.evaluation.mcnemar import mcnemar
from sluicegate.evaluation.metrics import measure
from sluicegate.reporting.costs import Cost
from sluicegate.reporting.pairwise import Methods, Side

UNKNOWN = Cost(None, None)
METHODS = Methods(stats.paired_difference, mcnemar, measure)


def side(name: str, *seeds: str, cost: Cost = UNKNOWN, said: str = "", **told: Any) -> Side:
    """An arm of the given seeds; `1` answers q0, q1, … right, `0` wrong, and `-` is a question without an answer.

    Args:
        said: stands in every reply.
        told: other columns of its predictions.
    """
    return Side.of(name, [_rows(verdicts, said, told) for verdicts in seeds], [cost] * len(seeds))


def _rows(verdicts: str, said: str, told: dict[str, Any]) -> list[Any]:
    asked = {"1": ("#### 4", "4"), "0": ("#### 5", "4"), "-": (None, None)}
    replies = {f"q{n}": asked[verdict] for n, verdict in enumerate(verdicts)}
    rows: Any = predictions({name: (reply and said + reply, gold) for name, (reply, gold) in replies.items()})
    return [{**row, "level": str(n % 2), **told} for n, row in enumerate(rows)]
