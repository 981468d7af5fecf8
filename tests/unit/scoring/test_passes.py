"""Every model once, whatever the number of signals; a number or a reason for every row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from sluicegate.artifacts import Artifact, write_table
from sluicegate.config import Config
from sluicegate.errors import ConfigError, UnknownName
from sluicegate.models.encode import Encoder
from sluicegate.models.load import Loaded
from sluicegate.schema import Record
from sluicegate.scoring.base import Shard, Signal
from sluicegate.scoring.forward import Reader
from sluicegate.scoring.passes import NOT_FINITE, Pass, build_options, plan_passes, run_pass, score_shard
from sluicegate.testing import sealed

FOUR = ["gate", "perplexity", "length", "random"]
ON_BASE = {"reference": None, "context_gain": False}
ON_COPY = {"reference": {"method": "full"}, "context_gain": False}


def planned(names: Sequence[str], gate: dict[str, Any] | None) -> list[tuple[str, list[str], bool]]:
    return [(p.model, list(p.signals), p.gated) for p in plan_passes(build_options(names, {}), gate)]


@pytest.mark.parametrize(
    ("names", "gate", "passes"),
    [
        (FOUR, ON_BASE, [("base", FOUR, True)]),
        (["gate", "reference", "length"], ON_COPY, [("tuned", ["gate", "reference", "length"], True)]),
        (
            ["perplexity", "random", "gate"],
            ON_COPY,
            [("tuned", ["random", "gate"], True), ("base", ["perplexity"], False)],
        ),
        (["reference"], ON_COPY, [("tuned", ["reference"], False)]),
        (["reference", "gate"], ON_BASE, [("base", ["reference", "gate"], True)]),
        (["perplexity", "length"], None, [("base", ["perplexity", "length"], False)]),
        (["length", "random", "length"], None, [("nothing", ["length", "random"], False)]),
    ],
)
def test_signals_share_the_pass_of_the_model_they_read(
    names: list[str], gate: dict[str, Any] | None, passes: list[tuple[str, list[str], bool]]
) -> None:
    assert planned(names, gate) == passes


@pytest.mark.parametrize(
    ("names", "gate", "passes"),
    [
        (["gate", "perplexity"], ON_COPY, [("tuned", "tokens"), ("base", "none")]),
        (["gate", "perplexity"], ON_BASE, [("base", "tokens")]),
        (["reference"], ON_COPY, [("tuned", "none"), ("base", "tokens")]),
        (["length"], None, [("base", "tokens")]),
    ],
)
def test_detail_is_of_the_model_the_gate_reads_or_else_of_the_base(
    names: list[str], gate: dict[str, Any] | None, passes: list[tuple[str, str]]
) -> None:
    assert [(p.model, p.detail) for p in plan_passes(build_options(names, {}), gate, "tokens")] == passes


@pytest.mark.parametrize(
    ("name", "gate", "said"),
    [
        ("gate", None, "signal 'gate' needs a gate"),
        ("reference", None, "signal 'reference' needs a gate"),
    ],
)
def test_a_signal_without_what_it_reads_is_refused(name: str, gate: dict[str, Any] | None, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as err:
        planned([name], gate)
    assert err.value.hint


def test_options_are_each_signals_own() -> None:
    options = build_options(["length", "random"], {"random": {"seed": 7}})
    assert list(options) == ["length", "random"]
    assert options["random"].seed == 7  # type: ignore[attr-defined]
    with pytest.raises(UnknownName, match="did you mean 'length'"):
        build_options(["lenght"], {})


class Odd(Signal):
    """What a plug-in may come up with."""

    name = "odd"

    class Config(Signal.Config):
        values: list[float | str] = []
        """Given back, whatever the rows are."""

    def score(self, shard: Shard, config: Any) -> Sequence[float | str]:
        assert shard.seen is None
        return config.values


def odd_columns(loaded: Loaded, records: list[Record], values: list[float | str]) -> dict[str, Any]:
    step = Pass("nothing", {"odd": (Odd(), Odd.Config(values=values))}, gated=False)
    return score_shard(step, None, Encoder(loaded.tokenizer), records[: len(values)], 99, lambda n: None)


def test_a_score_is_finite_or_missing_with_a_reason(loaded: Loaded, records: list[Record]) -> None:
    columns = odd_columns(loaded, records, [1.0, math.nan, math.inf, -math.inf, 1e39, "no luck", -2.5])
    assert columns["odd"].dtype == np.float32
    np.testing.assert_array_equal(columns["odd"], np.float32([1.0, *[math.nan] * 5, -2.5]))
    assert columns["odd_why"] == ["", *[NOT_FINITE] * 4, "no luck", ""]
    assert "prompt_state" not in columns, "there is none without a pass"


@pytest.fixture
def data(tmp_path: Path, records: list[Record]) -> Artifact:
    return sealed(tmp_path, "messages", lambda out: {"rows": write_table(out / "messages.parquet", records, Record)})


class Nosy(Signal):
    name = "nosy"
    seen: ClassVar[list[set[str]]] = []

    def score(self, shard: Shard, config: Any) -> Sequence[float | str]:
        Nosy.seen += [set(record) for record in shard.records]
        return [0.0] * len(shard.records)


def test_no_signal_gets_to_see_meta(loaded: Loaded, data: Artifact, tmp_path: Path) -> None:
    step = Pass("nothing", {"nosy": (Nosy(), Config())}, gated=False)
    run_pass(step, None, Encoder(loaded.tokenizer), data, tmp_path, shard_rows=3, batch_tokens=99)
    assert set(map(frozenset, Nosy.seen)) == {frozenset(Record.__annotations__) - {"meta"}}


def test_a_shard_that_stands_is_not_scored_again(
    loaded: Loaded, data: Artifact, records: list[Record], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (step,) = plan_passes(build_options(["perplexity", "length"], {}), None)
    reader, encoder, read = Reader(loaded, {}), Encoder(loaded.tokenizer), []
    see = Reader.see
    monkeypatch.setattr(Reader, "see", lambda self, rows, *args: read.append(len(rows)) or see(self, rows, *args))
    files = run_pass(step, reader, encoder, data, tmp_path, shard_rows=3, batch_tokens=99)
    whole, rest = divmod(len(records), 3)
    assert read == [3] * whole + [rest]
    files[1].unlink()
    assert run_pass(step, reader, encoder, data, tmp_path, shard_rows=3, batch_tokens=99) == files
    assert read == [3] * whole + [rest, 3]
