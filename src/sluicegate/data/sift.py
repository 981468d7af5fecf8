"""The part of a preparation that has to remember other rows: batches in, in order, and a verdict on every candidate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sluicegate.data.decontaminate import Contaminated, Hit
from sluicegate.data.dedup import Copy, Dedup
from sluicegate.data.exclude import Exclude
from sluicegate.data.intake import Candidate
from sluicegate.data.split import Split
from sluicegate.data.tidy import Batch


class Verdict(NamedTuple):
    """A candidate with the id it is kept under, or the reason why it is set aside."""

    candidate: Candidate
    reason: str = ""
    """Empty where it is kept."""
    n_tokens: int | None = None
    """Where a tokenizer counts."""


class Sift:
    """Sees every batch once, in the order of the rows."""

    def __init__(self, dedup: Dedup, exclude: Exclude, split: Split | None) -> None:
        self._dedup, self._exclude, self._split = dedup, exclude, split
        self.hits: list[Contaminated] = []
        """What rows that were set aside for it have in common with evaluation sets."""
        self.counts: Counter[str] = Counter()
        """What cleaning changed."""

    def __call__(self, batches: Iterable[Batch]) -> Iterator[Verdict]:
        """The verdict on every candidate, in order."""
        for batch in batches:
            self.counts += batch.counts
            held = [candidate for candidate in batch.candidates if candidate.fit]
            copies = iter(self._dedup(held, batch.signatures))
            for at, (candidate, n_tokens) in enumerate(zip(batch.candidates, batch.tokens, strict=True)):
                if candidate.fit:
                    yield self._judge(candidate, next(copies), batch.hits.get(at), n_tokens)
                else:
                    yield Verdict(candidate, candidate.reason)

    def _judge(self, candidate: Candidate, copy: Copy, hit: Hit | None, n_tokens: int | None) -> Verdict:
        row = candidate.record
        assert row is not None
        if copy.id != row["id"]:
            row["id"] = copy.id
        reason = copy.reason or self._exclude.reason(row)
        if hit and not reason:
            reason = hit.reason
            self.hits.append(
                Contaminated(id=copy.id, source=row["source"], set=hit.set, question=hit.question, ngram=hit.ngram)
            )
        if not reason and self._split:
            reason = self._split.reason(copy.id)
        return Verdict(candidate, reason, n_tokens)


def until(verdicts: Iterable[Verdict], max_rows: int | None) -> Iterator[Verdict]:
    """The verdicts up to that on the last row there is room for."""
    kept = 0
    for verdict in verdicts:
        yield verdict
        kept += not verdict.reason
        if kept == max_rows:
            return
