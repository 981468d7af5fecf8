"""Verdicts in, kept rows out: on the way every row is counted, and those set aside are written down."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Any

from sluicegate.data.buckets import bucket_names, bucket_of
from sluicegate.data.lengths import chars_of, guessed_tokens
from sluicegate.data.sift import Verdict
from sluicegate.data.tally import Tally
from sluicegate.schema import Pair, Record


class Account:
    """Every candidate ends here, kept or not.

    Args:
        tally: counts them.
        bounds: of the length buckets.
        aside: gets the rows that are not kept, a line of JSON each, for they may be as many as those that are.
    """

    def __init__(self, tally: Tally, bounds: Sequence[int], aside: IO[str]) -> None:
        self.tally, self._bounds, self._aside = tally, bounds, aside
        self._buckets: Counter[int] = Counter()

    def kept(self, verdicts: Iterable[Verdict]) -> Iterator[Record | Pair]:
        """The rows that are kept."""
        for candidate, reason, n_tokens in verdicts:
            if reason or candidate.record is None:
                self.tally.drop(candidate, reason, n_tokens)
                for dropped in candidate.all_dropped(reason):
                    self._aside.write(json.dumps(dropped, ensure_ascii=False) + "\n")
                continue
            row = candidate.record
            if n_tokens is None:
                n_tokens = guessed_tokens(chars_of(row), row["lang"])
            self.tally.keep(candidate, row, n_tokens)
            self._buckets[bucket_of(n_tokens, self._bounds)] += 1
            yield row

    def by_bucket(self) -> dict[str, int]:
        """Kept rows by their length in tokens."""
        return {name: self._buckets[n] for n, name in enumerate(bucket_names(self._bounds))}

    def check_share(self, min_share: Mapping[Any, float]) -> str:
        """A sentence for the languages of which too few rows are kept; empty where there are none."""
        kept, total = self.tally.kept_by("lang"), self.tally.kept
        short = {lang: share for lang, share in min_share.items() if kept.get(lang, 0) < share * total}
        told = [f"{kept.get(lang, 0):,} of {total:,} rows are {lang}, {kept.get(lang, 0) / total:.1%} where min_share "
                f"asks for {share:.1%}" for lang, share in short.items()]  # fmt: skip
        return "; ".join(told)
