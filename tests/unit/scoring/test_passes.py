"""Every model once, whatever the number of signals; a number or a reason for every row."""

from __future__ import annotations

import math
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sluicegate.artifacts import read_rows
from sluicegate.data.corrupt import make_corruptions
from sluicegate.errors import ConfigError, UnknownName
from sluicegate.models.encode import Encoder
from sluicegate.models.load import Loaded
from sluicegate.schema import Record
from sluicegate.scoring.base import Read, Shard, Signal
from sluicegate.scoring.forward import Reader
from sluicegate.scoring.merge import merge
from sluicegate.scoring.passes import (
    NOT_FINITE,
    Pass,
    build_options,
    check_needs,
    fit_signals,
    plan_passes,
    score_shard,
)
from sluicegate.scoring.shards import write_shard
from sluicegate.testing import tiny_pool

FOUR = ["gate", "perplexity", "length", "random"]
ON_BASE = {"reference": None, "context_gain": False}
ON_COPY = {"reference": {"method": "full"}, "context_gain": False}


ACTS = {"acts": True, "context_gain": False}


def plan(names: Sequence[str], gate: dict[str, Any] | None, detail: Any = "none") -> list[Pass]:
    """`gate` is what one says, or what two members of one say."""
    members = {} if gate is None else gate if "0" in gate else {"": gate}
    return plan_passes(build_options(names, {}), members, detail)


def planned(names: Sequence[str], gate: dict[str, Any] | None) -> list[tuple[str, list[str], bool]]:
    return [(p.name, list(p.signals), p.gated) for p in plan(names, gate)]


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
        (
            ["gate", "perplexity", "reference"],
            ACTS | {"reference": None},
            [("base", ["perplexity", "reference"], False), ("gate", ["gate"], True)],
        ),
        (
            ["gate", "reference"],
            ACTS | {"reference": {"method": "lora"}},
            [("tuned", ["reference"], False), ("gate", ["gate"], True)],
        ),
        (
            ["gate", "perplexity", "length"],
            {"0": ON_COPY, "1": ON_BASE},
            [("tuned-0", ["gate", "length"], True), ("base-1", ["gate"], True), ("base", ["perplexity"], False)],
        ),
        (
            ["excess", "perplexity", "length"],
            ON_COPY,
            [("tuned", ["excess", "length"], False), ("base", ["perplexity", "-excess"], False)],
        ),
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
        (["gate", "random"], {"0": ON_COPY, "1": ON_COPY}, [("tuned-0", "tokens"), ("tuned-1", "tokens")]),
        (["length"], None, [("base", "tokens")]),
    ],
)
def test_detail_is_of_the_model_the_gate_reads_or_else_of_the_base(
    names: list[str], gate: dict[str, Any] | None, passes: list[tuple[str, str]]
) -> None:
    assert [(p.name, p.detail) for p in plan(names, gate, "tokens")] == passes


@pytest.mark.parametrize(
    ("name", "gate", "said"),
    [
        ("gate", None, "signal 'gate' needs a gate"),
        ("reference", None, "signal 'reference' needs a gate"),
        ("excess", None, "signal 'excess' needs a gate"),
        ("excess", ON_BASE, "signal 'excess' compares two models, and the gate has no tuned copy"),
        ("excess", {"0": ON_COPY, "1": ON_BASE}, "signal 'excess' compares two models"),
    ],
)
def test_a_signal_without_what_it_reads_is_refused(name: str, gate: dict[str, Any] | None, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as err:
        planned([name], gate)
    assert err.value.hint


@pytest.mark.parametrize("name", ["rds", "probe", "boost"])
def test_a_signal_without_trusted_rows_to_learn_from_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"signal '{name}' needs trusted rows") as err:
        check_needs(["length", name], {"data", "model"})
    assert "`trusted:`" in err.value.hint
    check_needs(["length", name], {"data", "model", "trusted"})


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
    return score_shard(step, None, Encoder(loaded.tokenizer), records[: len(values)], 99, lambda n: None, {"odd": None})


def test_a_score_is_finite_or_missing_with_a_reason(loaded: Loaded, records: list[Record]) -> None:
    columns = odd_columns(loaded, records, [1.0, math.nan, math.inf, -math.inf, 1e39, "no luck", -2.5])
    assert columns["odd"].dtype == np.float32
    np.testing.assert_array_equal(columns["odd"], np.float32([1.0, *[math.nan] * 5, -2.5]))
    assert columns["odd_why"] == ["", *[NOT_FINITE] * 4, "no luck", ""]
    assert "prompt_state" not in columns, "there is none without a pass"


class Wide(Odd):
    """Has a number for each of two targets beside its score."""

    def further(self, shard: Shard, config: Any) -> dict[str, np.ndarray]:
        return {"targets": np.arange(2 * len(shard.records), dtype=np.float32).reshape(-1, 2)}


def test_further_columns_stand_behind_the_signals_name_and_nothing_is_taken_from_them(
    loaded: Loaded, records: list[Record], tmp_path: Path
) -> None:
    both = {name: (Wide(), Odd.Config(values=[0.0, 1.0])) for name in ("wide", "-wide")}
    step = Pass("nothing", both, False)
    learned = dict.fromkeys(both)
    columns = score_shard(step, None, Encoder(loaded.tokenizer), records[:2], 99, lambda n: None, learned)
    assert [name for name in columns if "wide" in name] == ["wide", "wide_why", "wide_targets", "-wide", "-wide_why"]
    write_shard(tmp_path / "shards" / "one.parquet", columns)
    merge(tmp_path, [[tmp_path / "shards" / "one.parquet"]])
    assert [row["wide_targets"] for row in read_rows(tmp_path / "scores.parquet")] == [[0, 1], [2, 3]]


class Learner(Signal):
    """Learns the ids of the trusted rows, and what the pass says of them."""

    name = "learner"

    def fit(self, read: Read, trusted: Sequence[Record], config: Any) -> Any:
        assert [e.id for e in read(trusted).encoded] == [record["id"] for record in trusted]
        return [record["id"] for record in trusted]

    def score(self, shard: Shard, config: Any) -> Sequence[float | str]:
        return [float(record["id"] in shard.learned) for record in shard.records]


def test_a_signal_scores_with_what_it_learned_in_whatever_order_it_was_given(
    loaded: Loaded, records: list[Record]
) -> None:
    step, encoder = Pass("nothing", {"learner": (Learner(), None)}, gated=False), Encoder(loaded.tokenizer)
    learned = fit_signals(step, None, encoder, records[:3], 99)
    assert learned == {"learner": sorted(record["id"] for record in records[:3])}
    assert fit_signals(step, None, encoder, records[2::-1], 99) == learned
    columns = score_shard(step, None, encoder, records[:5], 99, lambda n: None, learned)
    assert columns["learner"].tolist() == [1.0, 1.0, 1.0, 0.0, 0.0]


def test_rows_that_several_signals_learn_from_are_read_once(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    see, read = Reader.see, []
    monkeypatch.setattr(Reader, "see", lambda self, rows, *args: read.append(len(rows)) or see(self, rows, *args))
    (step,) = plan(["probe", "boost", "rds"], None)
    trusted, encoder = tiny_pool(6), Encoder(loaded.tokenizer)
    learned = fit_signals(step, Reader(loaded, {}), encoder, trusted, 4096)
    assert read == [6 + len(make_corruptions(trusted, 8, 0)), 6]
    for name, one in step.signals.items():
        alone = fit_signals(Pass("base", {name: one}, gated=False), Reader(loaded, {}), encoder, trusted, 4096)[name]
        assert pickle.dumps(alone) == pickle.dumps(learned[name])
