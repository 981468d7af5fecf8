"""What the harness says, as the rows that every evaluation has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sluicegate.data.shapes.choice import LETTERS
from sluicegate.evaluation.harness import judged
from sluicegate.evaluation.predictions import HARNESS, Prediction


def predictions(samples: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[Prediction]:
    """A row for each question of each task, under `TASK/NUMBER`; the source is the task."""
    for task, asked in samples.items():
        for sample in asked:
            yield _prediction(task, sample)


def _prediction(task: str, sample: Mapping[str, Any]) -> Prediction:
    said = _said(sample)
    right = judged(sample)
    return {
        "id": f"{task}/{sample['doc_id']}",
        "source": task,
        "level": None,
        "type": None,
        "prompt": str(sample["arguments"][0][0]),
        "output": said,
        "n_tokens": None,
        "truncated": None,
        "extracted": said,
        "rule": HARNESS,
        "gold": _named(sample["target"]),
        "strict": right,
        "flexible": right,
        "symbolic": right,
        "correct": right,
        "error": None if right is None else "" if right else "wrong value",
        "reviewed": False,
        "n_samples": 1,
        "n_correct": None if right is None else int(right),
        "seen": None,
        "loss": None,
        "n_label_tokens": 0,
    }


def _said(sample: Mapping[str, Any]) -> str:
    """The likeliest choice by its letter, or what was generated."""
    answers = sample["filtered_resps"]
    if len(answers) > 1:
        return LETTERS[max(range(len(answers)), key=lambda place: answers[place][0])]
    return str(answers[0])


def _named(target: Any) -> str:
    known = isinstance(target, int) and 0 <= target < len(LETTERS)
    return LETTERS[target] if known else str(target)


def result_rows(found: Mapping[str, Any]) -> Iterator[list[Any]]:
    """Header, and a line for every metric of every task and group: its value, standard error and questions."""
    yield ["task", "metric", "value", "stderr", "n", "shots"]
    for name, told in {**found["results"], **(found.get("groups") or {})}.items():
        for key, value in told.items():
            metric, _, kind = key.partition(",")
            if kind and not metric.endswith("_stderr"):
                n = found["n-samples"].get(name, {}).get("effective", "")
                error = told.get(f"{metric}_stderr,{kind}", "")
                yield [name, metric, value, error if error != "N/A" else "", n, found["n-shot"].get(name, "")]
