from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from fake_runs import FakeRuns
from sluicegate.artifacts import Artifact
from sluicegate.evaluation.stats import auroc
from sluicegate.reporting.lineage import trace_arms
from sluicegate.reporting.pool import fault_of
from sluicegate.reporting.scores import BINS, Scores, aurocs, histograms, read_scores

NAN = math.nan


def scores(**signals: list[float]) -> Scores:
    n = len(next(iter(signals.values())))
    return Scores([str(i) for i in range(n)], {name: np.array(v, np.float32) for name, v in signals.items()})


def test_a_signal_is_a_column_with_a_why(runs: FakeRuns) -> None:
    table = read_scores(runs.scores)
    assert list(table.signals) == ["gate", "length"]
    assert len(table.ids) == 300


def test_one_row_with_what_could_not_be_scored() -> None:
    assert scores(gate=[0.5, NAN], length=[2.0, 3.0]).of(1) == {"gate": None, "length": 3.0}


FAULTS = {"0": "clean", "1": "clean", "2": "short", "3": "short", "4": "dup"}


def test_auroc_by_hand_overall_and_per_fault() -> None:
    [found] = aurocs(scores(gate=[3, 1, 2, 0, 9]), FAULTS, auroc)
    # clean {3, 1} against short {2, 0}: 3 pairs of 4 right; against dup {9}: none. Duplicates are left out overall.
    assert found == {"signal": "gate", "auroc": 0.75, "by_fault": {"dup": 0.0, "short": 0.75}}


def test_rows_without_a_score_or_without_a_label_count_nowhere() -> None:
    table = scores(gate=[3, NAN, 2, 4, 9, -5])
    [found] = aurocs(table, {**FAULTS, "5": ""}, auroc)
    assert found["by_fault"]["short"] == 0.5


def test_a_fault_that_was_never_scored_is_unknown() -> None:
    [found] = aurocs(scores(gate=[3, 1, 2, 0, NAN]), FAULTS, auroc)
    assert found["by_fault"] == {"dup": None, "short": 0.75}


@pytest.mark.parametrize("faults", [{}, {"0": "clean"}, {"0": "short"}])
def test_nothing_without_clean_and_faulty_rows(faults: dict[str, str]) -> None:
    assert not list(aurocs(scores(gate=[1, 2]), faults, auroc))


def test_the_gate_of_the_runs_by_brute_force(runs: FakeRuns) -> None:
    faults = {row["id"]: fault_of(row) for row in runs.pool.rows("messages", ["id", "meta"])}
    table = read_scores(runs.scores)
    value = dict(zip(table.ids, table.signals["gate"].tolist(), strict=True))
    sides = [[value[i] for i in faults if faults[i] in names and not math.isnan(value[i])]
             for names in (["clean"], ["gibberish", "wrong_final"])]  # fmt: skip
    wins = np.mean([(good > bad) + (good == bad) / 2 for good in sides[0] for bad in sides[1]])
    assert next(aurocs(table, faults, auroc))["auroc"] == pytest.approx(wins, abs=1e-4)


def test_every_scored_row_is_in_one_bin(runs: FakeRuns, arms: dict[str, list[Artifact]]) -> None:
    found = list(histograms(trace_arms(arms), {runs.scores.id: read_scores(runs.scores)}))
    assert [(h["arm"], h["signal"]) for h in found] == [("gate", "gate"), ("random", "gate")]
    for histogram in found:
        assert len(histogram["edges"]) == BINS + 1
        assert sum(histogram["kept"]) + sum(histogram["dropped"]) == 295
    assert sum(found[0]["kept"]) == 60
    top = BINS // 2
    assert sum(found[0]["kept"][top:]) > sum(found[1]["kept"][top:])


def test_without_a_ranking_arm_every_signal_is_shown(runs: FakeRuns, arms: dict[str, list[Artifact]]) -> None:
    found = histograms(trace_arms({"random": arms["random"]}), {runs.scores.id: read_scores(runs.scores)})
    assert [(h["arm"], h["signal"]) for h in found] == [("random", "gate"), ("random", "length")]


def test_a_signal_with_one_value_and_one_without_any(tmp_path: Path, arms: dict[str, list[Artifact]]) -> None:
    [first, _] = traced = trace_arms({"random": arms["random"], "all": arms["all"]})
    ids = list(first.first.kept or [])
    table = Scores(ids, {"same": np.ones(len(ids), np.float32), "none": np.full(len(ids), NAN, np.float32)})
    [found] = histograms(traced, {"scores-one": table})
    assert found["signal"] == "same"
    assert sum(found["kept"]) == len(ids)
