"""A question, what a model replied, and whether it was right."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

from sluicegate.evaluation.grading import Grader
from sluicegate.evaluation.several import majority
from sluicegate.schema import Message, Record

if TYPE_CHECKING:
    from sluicegate.evaluation.loss import ReplyLoss


LIKELIHOOD, HARNESS = "likelihood", "harness"
WEIGHED = (LIKELIHOOD, HARNESS)
"""The `rule` of answers that no reply tells: choices by what is likeliest, and what the harness decided."""


class Prediction(TypedDict):
    """One question, what the model replied, and whether it was right; of a row without an answer no reply is known."""

    id: str
    source: str
    level: str | None
    """How hard the question is, where the data says so: MATH's `level`, CMATH's `grade`."""
    type: str | None
    """What it is about, where the data says so: MATH's `type`."""
    prompt: str
    output: str | None
    """The reply; null for a row without an answer, for which none is generated."""
    n_tokens: int | None
    """Of the reply."""
    truncated: bool | None
    """Whether the reply ended because it reached the length limit."""
    extracted: str | None
    """The answer as the reply states it; null if none was found."""
    rule: str | None
    """The rule of `evaluation.grading` that found it; empty if none did."""
    gold: str | None
    strict: bool | None
    flexible: bool | None
    symbolic: bool | None
    """The three verdicts of `evaluation.grading`."""
    correct: bool | None
    """What the verdict that counts says, or who reviewed it; null for a row without an answer."""
    error: str | None
    """`evaluation.grading.Error`: empty for a correct reply."""
    reviewed: bool
    """Whether a person decided what is correct."""
    n_samples: int | None
    """Replies to the question; of several the table shows the first that gives the most frequent answer."""
    n_correct: int | None
    """Those of them that are right."""
    seen: bool | None
    """Whether the model was trained on 13 words in a row of the question; null where its past is not known."""
    loss: float | None
    """Mean nats per label token of the gold reply; null without any such token."""
    n_label_tokens: int


def question(record: Record) -> Record:
    """The conversation up to its last assistant turn, which is the gold reply."""
    messages = record["messages"]
    last = max(i for i, message in enumerate(messages) if message["role"] == "assistant")
    return {**record, "messages": messages[: last + 1]}


class Sample(TypedDict):
    """One of several replies to a question."""

    id: str
    """Of the question."""
    sample: int
    output: str
    n_tokens: int
    truncated: bool
    extracted: str | None
    correct: bool | None


def graded(prediction: Prediction, grader: Grader) -> Prediction:
    """A prediction with what the grader says of its reply, whatever was said of it before; a choice that was weighed
    instead of told stays as it is."""
    if prediction["output"] is None or prediction["gold"] is None or prediction["rule"] in WEIGHED:
        return prediction
    grade = grader.grade(prediction["output"], prediction["gold"], bool(prediction["truncated"]))
    return {
        **prediction,
        "extracted": grade.extracted,
        "rule": grade.rule,
        "strict": grade.strict,
        "flexible": grade.flexible,
        "symbolic": grade.symbolic,
        "correct": grade.is_correct,
        "error": grade.error,
        "n_samples": 1,
        "n_correct": int(grade.is_correct),
        "reviewed": False,
    }


def graded_samples(
    prediction: Prediction, samples: Sequence[Sample], grader: Grader
) -> tuple[Prediction, list[Sample]]:
    """A prediction by the most frequent answer of several replies, and these with what the grader says of each."""
    each = [graded({**prediction, **_reply(sample)}, grader) for sample in samples]  # type: ignore[typeddict-item]
    judged = [
        Sample(**{**sample, "extracted": one["extracted"], "correct": one["correct"]})  # type: ignore[typeddict-item]
        for sample, one in zip(samples, each, strict=True)
    ]
    shown = each[majority([one["extracted"] for one in each]) or 0]
    right = sum(bool(one["correct"]) for one in each)
    return {**shown, "n_samples": len(each), "n_correct": right}, judged


def _reply(sample: Sample) -> dict[str, object]:
    return {name: sample[name] for name in ("output", "n_tokens", "truncated")}  # type: ignore[literal-required]


def unasked(row: Record, loss: ReplyLoss) -> Prediction:
    """What is known of a question before a model was asked it."""
    meta = json.loads(row["meta"])
    return {
        "id": row["id"],
        "source": row["source"],
        "level": _told(meta.get("level", meta.get("grade"))),
        "type": _told(meta.get("type")),
        "prompt": _transcript(row["messages"][:-1]),
        "output": None,
        "n_tokens": None,
        "truncated": None,
        "extracted": None,
        "rule": None,
        "gold": row["answer"],
        "strict": None,
        "flexible": None,
        "symbolic": None,
        "correct": None,
        "error": None,
        "reviewed": False,
        "n_samples": None,
        "n_correct": None,
        "seen": None,
        "loss": loss.loss,
        "n_label_tokens": loss.n_label_tokens,
    }


def _told(value: object) -> str | None:
    return str(value) if isinstance(value, str | int) else None


def _transcript(messages: Sequence[Message]) -> str:
    if len(messages) == 1:
        return messages[0]["content"]
    return "\n".join(f"{m['role']}: {m['content']}" for m in messages)
