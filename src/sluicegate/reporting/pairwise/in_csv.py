"""A comparison's numbers as CSV, and every question with every arm's reply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sluicegate.reporting.csv_text import csv_text
from sluicegate.reporting.pairwise.comparison import Comparison
from sluicegate.reporting.pairwise.pair import Pair
from sluicegate.reporting.pairwise.side import Side

ASKED = ("source", "level", "type", "prompt", "gold")


def csv_tables(found: Comparison, sides: Sequence[Side]) -> dict[str, str]:
    """The files' names without `.csv`, to their texts: `arms`, `pairs`, `parts`, and all `questions`."""
    lines: dict[str, Sequence[Mapping[str, Any]]] = {
        "arms": found["arms"],
        "pairs": [_pair(pair) for pair in found["pairs"]],
        "parts": [_part(part) for part in found["parts"]],
        "questions": list(_questions(sides)),
    }
    return {name: csv_text(rows) for name, rows in lines.items() if rows}


def _pair(pair: Pair) -> Mapping[str, Any]:
    seeds = {"seeds": pair["seeds"][0], "seeds_against": pair["seeds"][1]}
    return {key: value for key, value in pair.items() if key not in ("seeds", "metric", "won", "lost")} | seeds


def _part(part: Mapping[str, Any]) -> Mapping[str, Any]:
    shares = {f"accuracy {arm}": share for arm, share in part["accuracy"].items()}
    return {key: part[key] for key in ("part", "name", "questions")} | shares


def _questions(sides: Sequence[Side]) -> Iterator[Mapping[str, Any]]:
    """A row per question that any arm was asked, with the share of the seeds that are right, and the first reply."""
    for question in sorted(set.union(*(side.questions for side in sides))):
        asked = [side for side in sides if question in side.questions]
        one = asked[0].seeds[0][question]
        row = {"id": question, **{key: one[key] for key in ASKED}}
        for side in asked:
            reply = side.seeds[0][question]
            row |= {f"right {side.name}": side.right(question), f"extracted {side.name}": reply["extracted"]}
            row |= {f"reply {side.name}": reply["output"]}
        yield row
