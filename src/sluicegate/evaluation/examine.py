"""Put the questions of a data set to a model as a task has it, and grade what it replies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sluicegate.data.shapes.choice import LETTERS
from sluicegate.evaluation.choices import Weighed, choices_of, weigh
from sluicegate.evaluation.grading import Grader
from sluicegate.evaluation.predictions import LIKELIHOOD, Prediction, Sample, graded_samples, unasked
from sluicegate.evaluation.task import Task, load_task
from sluicegate.models.sampling import Draws, Sampling
from sluicegate.schema import Message, Record

if TYPE_CHECKING:
    from sluicegate.evaluation.ask_config import AskConfig
    from sluicegate.evaluation.loss import ReplyLoss
    from sluicegate.models.encode import Encoder
    from sluicegate.models.generate import Reply
    from sluicegate.models.load import Loaded


def examine(
    loaded: Loaded,
    encoder: Encoder,
    questions: Sequence[Record],
    losses: Sequence[ReplyLoss],
    config: AskConfig,
    grader: Grader,
    folder: Path,
) -> tuple[list[Prediction], list[Sample]]:
    """One prediction per question, in order, with its gold reply's loss, and every reply where there are several.

    A question without an answer to compare with, or without a prompt, is not asked.

    Args:
        encoder: of the model's tokenizer.
        questions: each ends with its gold reply.
        folder: where replies are kept until all are there.
    """
    task, by_letter = load_task(config.task), config.choices == "reply"
    known = [unasked(row, loss) for row, loss in zip(questions, losses, strict=True)]
    asked = [place for place, row in enumerate(questions) if row["answer"] and len(row["messages"]) > 1]
    choosing = [place for place in asked if not by_letter and choices_of(questions[place])]
    replying = [place for place in asked if place not in set(choosing)]
    for place, weighed in zip(choosing, _weighed(loaded, encoder, task, config, questions, choosing), strict=True):
        known[place] = chosen(known[place], weighed)
    prompts = [put(task, config, questions[place]) for place in replying]
    samples: list[Sample] = []
    for place, replies in zip(replying, _replies(loaded, prompts, task, config, folder), strict=True):
        each = [_sample(known[place]["id"], n, reply) for n, reply in enumerate(replies)]
        known[place], judged = graded_samples(known[place], each, grader)
        samples += judged if len(judged) > 1 else []
    return known, samples


def put(task: Task, config: AskConfig, question: Record) -> list[Message]:
    """A question as the model is asked it."""
    return task.messages(question, think=config.think, shots=config.shots)


def chosen(prediction: Prediction, weighed: Weighed) -> Prediction:
    """A prediction by what a model finds likeliest: `strict` by the whole reply, all else by the byte."""
    letter, whole = LETTERS[weighed.likeliest_per_byte], LETTERS[weighed.likeliest]
    right = letter == prediction["gold"]
    return {
        **prediction,
        "output": letter,
        "extracted": letter,
        "rule": LIKELIHOOD,
        "strict": whole == prediction["gold"],
        "flexible": right,
        "symbolic": right,
        "correct": right,
        "error": "" if right else "wrong value",
        "n_samples": 1,
        "n_correct": int(right),
    }


def _weighed(
    loaded: Loaded,
    encoder: Encoder,
    task: Task,
    config: AskConfig,
    questions: Sequence[Record],
    places: Sequence[int],
) -> list[Weighed]:
    prompts = [put(task, config, questions[place]) for place in places]
    return weigh(loaded, encoder, prompts, [choices_of(questions[place]) for place in places])


def _replies(
    loaded: Loaded, prompts: Sequence[Sequence[Message]], task: Task, config: AskConfig, folder: Path
) -> list[list[Reply]]:
    from sluicegate.evaluation.asking import ask

    return ask(loaded, prompts, sampling(task, config), config.samples, config.batch_size, folder)


def sampling(task: Task, config: AskConfig) -> Sampling:
    """How replies are written: as the config says, and where it says nothing as the task does."""
    draws = {name: getattr(config, name) for name in Draws.model_fields}
    most = config.max_new_tokens or task.max_new_tokens
    return Sampling(**draws, max_new_tokens=most, stop=[*task.stop, *config.stop])


def _sample(of: str, number: int, reply: Reply) -> Sample:
    cut = reply.ended in ("length", "no room")
    return Sample(
        id=of,
        sample=number,
        output=reply.text,
        n_tokens=reply.n_tokens,
        truncated=cut,
        extracted=None,
        correct=None,
    )
