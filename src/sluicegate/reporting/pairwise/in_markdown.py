"""A comparison for terminals, mail and pull requests."""

from __future__ import annotations

from typing import Any

from sluicegate.reporting.markdown import fence, plain, table
from sluicegate.reporting.numbers import bounds, count, duration, mean, percent, probability
from sluicegate.reporting.pairwise import words
from sluicegate.reporting.pairwise.comparison import PARTS, SHARES, Comparison
from sluicegate.reporting.pairwise.pair import Pair, Question


def markdown(title: str, found: Comparison) -> str:
    """Text from the data is fenced or escaped, so that it can make no markup."""
    parts = [_part(found, part) for part in PARTS]
    lists = [_questions(pair, won) for pair in found["pairs"] for won in (True, False)]
    sections = [f"# {plain(title)}", plain(words.extent(found)), _arms(found), _pairs(found), *parts, *lists]
    return "\n\n".join(filter(None, sections)) + "\n"


def _arms(found: Comparison) -> str:
    header = ["arm", "seeds", *(name.replace("_", " ") for name in SHARES), "reply tokens", "seen", "accuracy unseen"]
    rows = [_arm(arm) for arm in found["arms"]]
    return f"## Arms\n\n{table([*header, 'training time', 'training tokens'], rows)}\n\n{words.NOTE}"


def _arm(arm: dict[str, Any]) -> list[str]:
    shares = [percent(arm[name]) for name in SHARES]
    past = [count(arm["tokens"]), count(arm["seen"]), percent(arm["accuracy_unseen"])]
    costs = [duration(arm["training_seconds"]), count(arm["training_tokens"])]
    return [plain(arm["arm"]), str(arm["seeds"]), *shares, *past, *costs]


def _pairs(found: Comparison) -> str:
    if not found["pairs"]:
        return ""
    header = ["arm", "against", "questions", "points", "95 %", "wins", "losses", "both right", "neither", "p"]
    return f"## Question by question\n\n{table(header, map(_pair, found['pairs']))}\n\n{words.TESTS}"


def _pair(pair: Pair) -> list[str]:
    counts = [count(pair[key]) for key in ("wins", "losses", "both", "neither")]  # type: ignore[literal-required]
    names = [plain(pair["arm"]), plain(pair["against"]), count(pair["questions"])]
    return [*names, mean(pair), bounds(pair), *counts, probability(pair["p"])]


def _part(found: Comparison, part: str) -> str:
    lines = [line for line in found["parts"] if line["part"] == part]
    if not lines:
        return ""
    header = [part, "questions", *(plain(arm["arm"]) for arm in found["arms"])]
    rows = [[plain(line["name"]), count(line["questions"]), *map(percent, line["accuracy"].values())] for line in lines]
    return f"## Accuracy by {part}\n\n{table(header, rows)}"


def _questions(pair: Pair, won: bool) -> str:
    listed = pair["won"] if won else pair["lost"]
    parts = [f"## {plain(words.listing(pair, won))}", *map(_question, listed)]
    return "\n\n".join(parts) if listed else ""


def _question(question: Question) -> str:
    head = f"`{question['id']}` {plain(words.place(question))} · gold: {plain(question['gold'])}"
    replies = [
        f"{plain(arm)}, {words.judged(question, arm)}:\n\n{fence(reply)}" for arm, reply in question["replies"].items()
    ]
    return "\n\n".join([head, fence(question["prompt"]), *replies])
