"""Text to pretrain on: documents packed end to end into rows without padding, read from a memory-mapped file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from sluicegate.data.mix import rounded
from sluicegate.errors import DataError
from sluicegate.models.encode import IGNORED
from sluicegate.models.token_file import TokenFile
from sluicegate.registry import did_you_mean
from sluicegate.training.scratch.epochs import shuffled
from sluicegate.training.scratch.objectives import Batch
from sluicegate.training.scratch.schedule import Schedule


def packed(tokens: TokenFile, schedule: Schedule) -> tuple[PackedDocuments, Batch | None]:
    """What to train on, and the rows of documents held out that the loss is measured on, where there are any."""
    order = np.random.default_rng(schedule.seed).permutation(len(tokens))
    aside, rest = np.split(order, [round(schedule.held_out * len(tokens))])
    documents = PackedDocuments(tokens, np.sort(rest), schedule)
    if not len(aside):
        return documents, None
    return documents, PackedDocuments(tokens, np.sort(aside), _measuring(tokens, aside, schedule)).batch(0)


def _measuring(tokens: TokenFile, numbers: np.ndarray, schedule: Schedule) -> Schedule:
    """One batch of the rows that documents held out give, as many as are asked for."""
    found = int(tokens.lengths[numbers].sum()) // (schedule.row_tokens + 1)
    rows = max(1, min(schedule.evaluate_rows, found))
    return schedule.model_copy(update={"steps": 1, "batch_rows": rows, "weights": {}})


class PackedDocuments:
    """Batches for `language_model`.

    Args:
        tokens: all documents.
        numbers: those to read, (N,).
        schedule: says how long rows are, how many make a batch, whether documents in a row stay apart, and how much
            comes from which source.

    Raises:
        DataError: the documents do not fill one batch, or a row of a source; a weight is of no source.
    """

    def __init__(self, tokens: TokenFile, numbers: np.ndarray, schedule: Schedule) -> None:
        self.schedule, width = schedule, schedule.row_tokens + 1
        groups = _by_source(tokens, numbers, schedule)
        whole = schedule.batch_rows if len(groups) == 1 else 1  # of one source, an epoch ends with a batch
        self.streams = [_Stream(tokens, group, width, whole, schedule.seed) for group in groups]
        self.turns = _turns(list(schedule.weights.values()) or [1.0], schedule.steps * schedule.batch_rows)

    def batch(self, step: int) -> Batch:
        """Of the 0-based `step`: `input_ids` and `labels`, each (B, T), and `terms` (B,); where documents are masked
        also `position_ids` (B, T), which begin anew with each."""
        size = self.schedule.batch_rows
        rows = [self.streams[s].row(n) for s, n in self.turns[step * size : (step + 1) * size].tolist()]
        ids, documents = (torch.from_numpy(np.stack(found)) for found in zip(*rows, strict=True))  # (B, T + 1) each
        batch = {"input_ids": ids[:, :-1], "labels": ids[:, 1:]}  # (B, T) each
        if self.schedule.mask_documents:
            batch |= _apart(batch["labels"], documents)
        return {**batch, "terms": (batch["labels"] != IGNORED).sum(1)}


class _Stream:
    """Documents of one source, packed in a new random order each epoch.

    Args:
        width: tokens of a row, T + 1.
        whole: an epoch has a multiple of so many rows; what is left over waits for another epoch's order.
    """

    def __init__(self, tokens: TokenFile, numbers: np.ndarray, width: int, whole: int, seed: int) -> None:
        self.tokens, self.numbers, self.width, self.seed = tokens, numbers, width, seed
        found = int(tokens.lengths[numbers].sum())
        self.per_epoch = found // width // whole * whole
        if not self.per_epoch:
            what = "one batch" if whole > 1 else "a row"
            raise DataError(
                f"the documents hold {found} tokens, and {what} takes {width * whole}",
                "give more documents, or lower batch_rows or row_tokens",
            )
        self._laid_out = lru_cache(maxsize=1)(self._lay_out)

    def row(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """The tokens of the 0-based row `n` of the run, and the documents they are of, (T + 1,) each."""
        epoch, place = divmod(n, self.per_epoch)
        numbers, ends = self._laid_out(epoch)
        parts = list(self._parts(numbers, ends, place * self.width))
        ids = np.concatenate(parts).astype(np.int64)
        return ids, np.repeat(np.arange(len(parts)), [len(part) for part in parts])

    def _lay_out(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """The documents in the order of an epoch, and where each ends in it."""
        numbers = self.numbers[shuffled(len(self.numbers), self.seed, epoch)]
        return numbers, self.tokens.lengths[numbers].cumsum()

    def _parts(self, numbers: np.ndarray, ends: np.ndarray, start: int) -> Iterator[np.ndarray]:
        """What each document has of the row that begins at token `start` of the epoch."""
        stop = start + self.width
        first, last = np.searchsorted(ends, [start, stop - 1], side="right")
        for number, end in zip(numbers[first : last + 1], ends[first : last + 1], strict=True):
            at = self.tokens.ends[number] - end  # from a place in the epoch to the place in the file
            begin = end - self.tokens.lengths[number]
            yield self.tokens.tokens[at + max(begin, start) : at + min(end, stop)]


def _by_source(tokens: TokenFile, numbers: np.ndarray, schedule: Schedule) -> list[np.ndarray]:
    """The documents of each source that has a weight, or all together."""
    if gone := next((name for name in schedule.weights if name not in tokens.source_names), None):
        hint = did_you_mean(gone, tokens.source_names) or f"the sources are: {', '.join(tokens.source_names)}"
        raise DataError(f"no document is of source '{gone}', which has a weight", hint)
    of = tokens.sources[numbers]
    return [numbers[of == tokens.source_names.index(name)] for name in schedule.weights] or [numbers]


def _turns(weights: list[float], rows: int) -> np.ndarray:
    """The source of each row of a run and the row's number in it, (rows, 2): sources take turns by their weights."""
    total = sum(weights)
    quotas = rounded({str(n): rows * weight / total for n, weight in enumerate(weights)}, rows).values()
    pairs = np.concatenate([np.stack([np.full(q, n), np.arange(q)], 1) for n, q in enumerate(quotas)])
    due = np.concatenate([(np.arange(q) + 0.5) / max(1, q) for q in quotas])
    return pairs[np.argsort(due, kind="stable")]


def _apart(labels: Tensor, documents: Tensor) -> Batch:
    """Labels without those that begin a document, and positions that begin anew with each.

    Args:
        labels: (B, T).
        documents: a number for each document in a row, (B, T + 1).
    """
    places = torch.arange(documents.shape[1])  # (T + 1,)
    begins = torch.zeros_like(documents, dtype=torch.bool)
    begins[:, 1:] = documents[:, 1:] != documents[:, :-1]
    starts = torch.where(begins, places, 0).cummax(1).values  # (B, T + 1)
    return {"labels": labels.masked_fill(begins[:, 1:], IGNORED), "position_ids": (places - starts)[:, :-1]}
