"""An arm against the baseline on the same questions: how far apart, how sure, and which questions tell them apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypedDict

from sluicegate.reporting.examples import shorten
from sluicegate.reporting.pairwise.side import Reply, Side, in_common


class Methods(NamedTuple):
    """What the room `evaluation` can do; the two rooms do not know each other and meet in the stage."""

    difference: Callable[[Any, Any], tuple[float, float, float]]
    """Mean, low and high of seeds × questions minus seeds × questions."""
    mcnemar: Callable[[int, int], float]
    """p of wins and losses."""
    measure: Callable[[Sequence[Any], None], Mapping[str, Any]]
    """What predictions come to, as `metrics.json` has it."""


class Question(TypedDict):
    """A question that tells two arms apart."""

    id: str
    source: str
    level: str | None
    type: str | None
    prompt: str
    gold: str
    replies: dict[str, str]
    """By arm; long ones are cut."""
    right: dict[str, float]
    """By arm, the share of its seeds that answer it right."""


class Pair(TypedDict):
    """An arm minus the baseline."""

    arm: str
    against: str
    metric: str
    questions: int
    mean: float
    low: float
    high: float
    """Of the difference in accuracy, paired by question."""
    seeds: list[int]
    wins: int
    losses: int
    both: int
    neither: int
    """Questions that more of the arm's seeds answer right than of the baseline's, fewer, and as many: some, or none."""
    p: float | None
    """McNemar's exact test; null where a side has several seeds, which it knows nothing of."""
    won: list[Question]
    lost: list[Question]
    """The clearest of them."""


def pair(arm: Side, base: Side, listed: int, methods: Methods) -> Pair:
    """Two arms on the questions that both were asked; there is at least one.

    Args:
        listed: questions to name, of those won and of those lost.
    """
    questions = in_common([arm, base])
    lead = {question: arm.right(question) - base.right(question) for question in questions}
    won = sorted((q for q in questions if lead[q] > 0), key=lambda q: -lead[q])
    lost = sorted((q for q in questions if lead[q] < 0), key=lambda q: lead[q])
    both = sum(lead[q] == 0 and base.right(q) > 0 for q in questions)
    mean, low, high = methods.difference(arm.values(questions), base.values(questions))
    seeds = [len(side.seeds) for side in (arm, base)]
    return {
        "arm": arm.name,
        "against": base.name,
        "metric": "accuracy",
        "questions": len(questions),
        "mean": mean,
        "low": low,
        "high": high,
        "seeds": seeds,
        "wins": len(won),
        "losses": len(lost),
        "both": both,
        "neither": len(questions) - len(won) - len(lost) - both,
        "p": methods.mcnemar(len(won), len(lost)) if seeds == [1, 1] else None,
        "won": [_question(q, arm, base) for q in won[:listed]],
        "lost": [_question(q, base, arm) for q in lost[:listed]],
    }


def _question(question: str, better: Side, worse: Side) -> Question:
    """With a reply that is right and one that is wrong."""
    shown: dict[str, Reply] = {better.name: better.reply(question, True), worse.name: worse.reply(question, False)}
    asked = shown[better.name]
    return {
        "id": question,
        "source": asked["source"],
        "level": asked["level"],
        "type": asked["type"],
        "prompt": shorten(asked["prompt"]),
        "gold": asked["gold"],
        "replies": {name: shorten(reply["output"] or "") for name, reply in shown.items()},
        "right": {side.name: side.right(question) for side in (better, worse)},
    }
