"""Ask a model the questions of a data set and grade what it replies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

from sluicegate.evaluation.grading import Grader
from sluicegate.schema import Message, Record

if TYPE_CHECKING:
    from sluicegate.evaluation.loss import ReplyLoss
    from sluicegate.models.encode import Encoder
    from sluicegate.models.load import Loaded


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
    loss: float | None
    """Mean nats per label token of the gold reply; null without any such token."""
    n_label_tokens: int


def question(record: Record) -> Record:
    """The conversation up to its last assistant turn, which is the gold reply."""
    messages = record["messages"]
    last = max(i for i, message in enumerate(messages) if message["role"] == "assistant")
    return {**record, "messages": messages[: last + 1]}


def predict(
    loaded: Loaded,
    encoder: Encoder,
    questions: Sequence[Record],
    losses: Sequence[ReplyLoss],
    max_new_tokens: int,
    batch_size: int,
    grader: Grader,
) -> list[Prediction]:
    """One prediction per question, in order, with its gold reply's loss; without an answer or a prompt none is asked.

    A reply counts as truncated if its text takes up all the tokens it was given, were it none.
    """
    from sluicegate.models.generate import generate
    from sluicegate.models.positions import reply_room

    asked = [row for row in questions if _is_asked(row)]
    prompts = [encoder.encode_prompt(row["messages"][:-1]) for row in asked]
    replies = generate(loaded, prompts, max_new_tokens, batch_size)
    lengths = [len(loaded.tokenizer(reply, add_special_tokens=False)["input_ids"]) for reply in replies]
    rooms = [reply_room(loaded.model.config, len(prompt), max_new_tokens) for prompt in prompts]
    answers = iter(zip(replies, lengths, rooms, strict=True))
    out = []
    for row, loss in zip(questions, losses, strict=True):
        prediction = _unasked(row, loss)
        if _is_asked(row):
            reply, length, room = next(answers)
            prediction |= {"output": reply, "n_tokens": length, "truncated": length >= room}
        out.append(graded(prediction, grader))
    return out


def graded(prediction: Prediction, grader: Grader) -> Prediction:
    """A prediction with what the grader says of its reply, whatever was said of it before."""
    if prediction["output"] is None or prediction["gold"] is None:
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
        "reviewed": False,
    }


def _is_asked(row: Record) -> bool:
    return bool(row["answer"]) and len(row["messages"]) > 1


def _unasked(row: Record, loss: ReplyLoss) -> Prediction:
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
        "loss": loss.loss,
        "n_label_tokens": loss.n_label_tokens,
    }


def _told(value: object) -> str | None:
    return str(value) if isinstance(value, str | int) else None


def _transcript(messages: Sequence[Message]) -> str:
    if len(messages) == 1:
        return messages[0]["content"]
    return "\n".join(f"{m['role']}: {m['content']}" for m in messages)
