from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from sluicegate.registry import SIGNALS
from sluicegate.scoring.base import Reads, Shard, Signal, seen_by
from sluicegate.scoring.length import Length
from sluicegate.testing import check_signal
from stub_endpoint import digit_of, stub_endpoint


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tiny model and its gate are made once for all signals."""
    return tmp_path_factory.mktemp("signals")


@pytest.fixture
def options() -> Iterator[dict[str, dict[str, Any]]]:
    """By name, what a signal has to be told."""
    with stub_endpoint(digit_of) as stub:
        yield {"deita": {"base_url": stub.url, "model": "rater"}}


def test_what_is_kept_of_targets_keeps_the_contract(folder: Path) -> None:
    for targets in ("source", "row"):
        check_signal(SIGNALS.get("rds"), folder, {"targets": targets})


@pytest.mark.parametrize("name", SIGNALS.names())
def test_every_signal_keeps_the_contract(name: str, folder: Path, options: dict[str, dict[str, Any]]) -> None:
    assert SIGNALS.get(name).name == name
    check_signal(SIGNALS.get(name), folder, options.get(name))


class Forgets(Signal):
    def score(self, shard: Shard, config: Any) -> Sequence[float | str]:
        return [1.0] * (len(shard.records) - 1)


class GivesNaN(Signal):
    reads: ClassVar[Reads] = "base"

    def score(self, shard: Shard, config: Any) -> Sequence[float | str]:
        return seen_by(shard).loss.tolist()


class GivesNoReason(Signal):
    def score(self, shard: Shard, config: Any) -> Sequence[float | str]:
        return [float(e.n_label) if e.n_label else "" for e in shard.encoded]


class Changes(Signal):
    calls = 0

    def score(self, shard: Shard, config: Any) -> Sequence[float | str]:
        Changes.calls += 1
        return [float(Changes.calls)] * len(shard.records)


class Counts(Signal):
    def score(self, shard: Shard, config: Any) -> Sequence[float | str]:
        return list(map(float, range(len(shard.records))))


class Compares(Signal):
    def score(self, shard: Shard, config: Any) -> Sequence[float | str]:
        lengths = np.array([e.n_label for e in shard.encoded])
        return (lengths - lengths.mean()).tolist()


class ReadsMeta(Signal):
    def score(self, shard: Shard, config: Any) -> Sequence[float | str]:
        return [float("wrong" in r["meta"]) for r in shard.records]


class Undocumented(Length):
    class Config(Length.Config):
        power: float = 1.0


class TellsOfSomeOnly(Length):
    def further(self, shard: Shard, config: Any) -> dict[str, np.ndarray]:
        return {"targets": np.zeros((len(shard.records) - 1, 2))}


@pytest.mark.parametrize(
    ("signal", "broken"),
    [
        (Forgets, "24 scores for 25 rows"),
        (GivesNaN, "has a reason"),
        (GivesNoReason, "has a reason"),
        (Changes, "second call"),
        (Counts, "order of the rows"),
        (Compares, "rows beside a row"),
        (ReadsMeta, "meta"),
        (Undocumented, "power"),
        (TellsOfSomeOnly, "24 numbers in column 'targets' for 25 rows"),
    ],
)
def test_the_check_finds(signal: type[Signal], broken: str, folder: Path) -> None:
    with pytest.raises((AssertionError, KeyError), match=broken):
        check_signal(signal, folder)
