"""How many of its questions a model has seen: 13 words in a row (arXiv 2005.14165) of what it was trained on."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice

import numpy as np

from sluicegate.artifacts import Artifact
from sluicegate.data.ngrams import ngrams, units
from sluicegate.evaluation.predictions import Prediction
from sluicegate.schema import Record

NGRAM = 13
MIN_UNITS = 5
"""A shorter question is asked by too many people to tell where it came from."""
CHUNK = 4096
"""Texts that are looked at together."""
SIDES = ("messages", "prompt", "chosen", "rejected")
"""The columns of messages and of pairs that hold turns."""


def seen_questions(questions: Sequence[str], texts: Iterable[str], n: int = NGRAM) -> np.ndarray:
    """Which questions have n words in a row in common with one of the texts, (N,) bool.

    Case and punctuation do not count; a question of fewer than n words counts where it is a text as a whole.
    """
    found = units(questions)
    grams, offsets = ngrams(found, n)
    long = np.diff(found.offsets) >= MIN_UNITS  # (N,)
    known = np.zeros(len(grams), dtype=bool)
    for some in _chunks(texts):
        known |= np.isin(grams, ngrams(units(some), n)[0])
    counts = np.concatenate([[0], known.cumsum()])
    return (counts[offsets[1:]] > counts[offsets[:-1]]) & long


def with_seen(
    predictions: Sequence[Prediction], questions: Sequence[Record], taught: Iterable[str]
) -> list[Prediction]:
    """Predictions that say whether the model has seen what the user asks last; they stay as they are where nothing is
    known of what it was taught."""
    texts = iter(taught)
    if (first := next(texts, None)) is None:
        return list(predictions)
    seen = seen_questions([_asked(row) for row in questions], chain([first], texts)).tolist()
    return [{**prediction, "seen": known} for prediction, known in zip(predictions, seen, strict=True)]


def _asked(row: Record) -> str:
    """The last thing the user says; of a document all of it."""
    said = [turn["content"] for turn in row["messages"] if turn["role"] == "user"]
    return said[-1] if said else row["messages"][-1]["content"]


def trained_on(model: Artifact) -> Iterator[str]:
    """What a model and those it was made from were trained on, turn by turn; nothing is known of one from elsewhere."""
    inputs = model.parents()
    yield from taught(inputs, mixed=model.manifest.get("config", {}).get("mixture") is not None)
    if "model" in inputs:
        yield from trained_on(inputs["model"])


def taught(inputs: Mapping[str, Artifact], mixed: bool = False) -> Iterator[str]:
    """What a training reads of its inputs, turn by turn; `mixed`: what a selection left out may be read too."""
    kept = _kept(inputs["selection"]) if "selection" in inputs and not mixed else None
    if "data" in inputs:
        yield from _turns(inputs["data"], kept)
    if "trusted" in inputs:
        yield from _turns(inputs["trusted"], None)


def _kept(selection: Artifact) -> set[str]:
    return {row["id"] for row in selection.rows("selection", ["id", "kept"]) if row["kept"]}


def _turns(data: Artifact, kept: Container[str] | None) -> Iterator[str]:
    """What is said in messages or pairs; only in the rows that are `kept`, where not all are."""
    table = data.kind
    columns = [name for name in SIDES if name in data.columns(table)]
    for row in data.rows(table, ["id", *columns]):
        if kept is None or row["id"] in kept:
            yield from (turn["content"] for name in columns for turn in row[name])


def _chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    stream = iter(texts)
    return iter(lambda: list(islice(stream, CHUNK)), [])
