"""Distinct-n (arXiv 1510.03055) as a signal: the share of a reply's word runs that do not repeat an earlier one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sluicegate.scoring.base import Shard, Signal
from sluicegate.testing import check_signal


class Distinct(Signal):
    """1 for a reply that never repeats itself."""

    class Config(Signal.Config):
        words: int = 2
        """Length of the runs."""

    def score(self, shard: Shard, config: Any) -> Sequence[float | str]:
        replies = [record["messages"][-1]["content"].split() for record in shard.records]
        runs = [list(zip(*(words[i:] for i in range(config.words)), strict=False)) for words in replies]
        return [len(set(r)) / len(r) if r else f"fewer than {config.words} words" for r in runs]


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        check_signal(Distinct, Path(folder))
    print("it keeps the contract of every signal")
