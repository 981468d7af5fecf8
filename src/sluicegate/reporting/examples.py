"""Rows to look at: half kept, half dropped, evenly spread over the ranks, each with why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sluicegate.reporting.lineage import Run
from sluicegate.reporting.pool import fault_of
from sluicegate.reporting.scores import Scores
from sluicegate.schema import Decision, Message, Record

MAX_CHARS = 600


def examples(run: Run, tables: Mapping[str, Scores], n: int) -> list[dict[str, Any]]:
    """Up to `n` decisions of a run with their rows, kept ones first, best first; none for a run that kept all."""
    if not (run.selection and run.scores and run.data):
        return []
    decisions: list[Any] = sorted(run.selection.rows("selection"), key=lambda d: (d["rank"], d["id"]))
    kept, dropped = [d for d in decisions if d["kept"]], [d for d in decisions if not d["kept"]]
    shown = [*spread(kept, n - n // 2), *spread(dropped, n // 2)]
    wanted = {d["id"] for d in shown}
    records: dict[str, Any] = {row["id"]: row for row in run.data.rows("messages") if row["id"] in wanted}
    scores = tables[run.scores.id]
    places = {i: place for place, i in enumerate(scores.ids) if i in wanted}
    return [_example(d, records[d["id"]], scores.of(places[d["id"]])) for d in shown]


def spread(items: Sequence[Any], n: int) -> list[Any]:
    """`n` items, evenly spaced from the first to the last; all of them if there are no more."""
    if len(items) <= n:
        return list(items)
    return [items[round(k * (len(items) - 1) / max(n - 1, 1))] for k in range(n)]


def _example(decision: Decision, record: Record, scores: Mapping[str, float | None]) -> dict[str, Any]:
    *before, last = record["messages"]
    return {
        **decision,
        "source": record["source"],
        "fault": fault_of(record),
        "scores": dict(scores),
        "prompt": shorten(transcript(before)),
        "response": shorten(last["content"]),
    }


def transcript(messages: Sequence[Message]) -> str:
    """The turns one under the other, each under its role; one alone as it is."""
    if len(messages) == 1:
        return messages[0]["content"]
    return "\n".join(f"{m['role']}: {m['content']}" for m in messages)


def shorten(text: str) -> str:
    """The head of a text, with an ellipsis where it was cut."""
    return text if len(text) <= MAX_CHARS else text[:MAX_CHARS].rstrip() + " …"
