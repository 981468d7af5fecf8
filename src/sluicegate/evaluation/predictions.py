"""Ask a model the questions of a data set and grade what it replies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

from sluicegate.evaluation.grading import grade
from sluicegate.schema import Message, Record

if TYPE_CHECKING:
    from sluicegate.evaluation.loss import ReplyLoss
    from sluicegate.models.encode import Encoder
    from sluicegate.models.load import Loaded


class Prediction(TypedDict):
    """One question, what the model replied, and whether it was right."""

    id: str
    source: str
    prompt: str
    output: str | None
    """The reply; null for a row without an answer, for which none is generated."""
    extracted: str | None
    """The answer as the reply states it; null if none was found."""
    rule: str | None
    """The rule of `evaluation.grading` that found it; empty if none did."""
    gold: str | None
    correct: bool | None
    """Null for a row without an answer."""
    error: str | None
    """`evaluation.grading.Error`: empty for a correct reply."""
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
) -> list[Prediction]:
    """One prediction per question, in order, with its gold reply's loss; without an answer or a prompt none is asked.

    A reply counts as cut if its text takes up all the tokens it was given, were it none.
    """
    from sluicegate.models.generate import generate
    from sluicegate.models.positions import reply_room

    asked = [row for row in questions if _is_asked(row)]
    prompts = [encoder.encode_prompt(row["messages"][:-1]) for row in asked]
    replies = generate(loaded, prompts, max_new_tokens, batch_size)
    lengths = [len(loaded.tokenizer(reply, add_special_tokens=False)["input_ids"]) for reply in replies]
    rooms = [reply_room(loaded.model.config, len(prompt), max_new_tokens) for prompt in prompts]
    cut = [length >= room for length, room in zip(lengths, rooms, strict=True)]
    answers = iter(zip(replies, cut, strict=True))
    out = []
    for row, loss in zip(questions, losses, strict=True):
        reply, is_cut = next(answers) if _is_asked(row) else (None, False)
        out.append(_prediction(row, reply, loss, is_cut))
    return out


def _is_asked(row: Record) -> bool:
    return bool(row["answer"]) and len(row["messages"]) > 1


def _prediction(row: Record, reply: str | None, loss: ReplyLoss, is_cut: bool) -> Prediction:
    graded = grade(reply, row["answer"] or "", is_cut) if reply is not None else None
    return {
        "id": row["id"],
        "source": row["source"],
        "prompt": _transcript(row["messages"][:-1]),
        "output": reply,
        "extracted": graded.extracted if graded else None,
        "rule": graded.rule if graded else None,
        "gold": row["answer"],
        "correct": graded.is_correct if graded else None,
        "error": graded.error if graded else None,
        "loss": loss.loss,
        "n_label_tokens": loss.n_label_tokens,
    }


def _transcript(messages: Sequence[Message]) -> str:
    if len(messages) == 1:
        return messages[0]["content"]
    return "\n".join(f"{m['role']}: {m['content']}" for m in messages)
