from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fake_runs import QUESTIONS, FakeRuns
from sluicegate.artifacts import Artifact, Store
from sluicegate.reporting.lineage import trace, trace_arms


def test_a_selecting_run_is_followed_to_the_pool(runs: FakeRuns, arms: dict[str, list[Artifact]]) -> None:
    run = trace(arms["gate"][1])
    found = (run.model, run.selection, run.scores, run.data, run.trusted)
    expected = ["model-gate1", "selection-gate", "scores-one", "messages-pool", "messages-trusted"]
    assert [artifact and artifact.id for artifact in found] == expected
    assert run.ranked_by == "gate"


def test_a_run_on_all_rows_has_neither_selection_nor_trusted_rows(arms: dict[str, list[Artifact]]) -> None:
    run = trace(arms["all"][0])
    assert run.data is not None
    assert run.data.id == "messages-pool"
    assert (run.selection, run.scores, run.trusted, run.kept) == (None, None, None, None)
    assert run.ranked_by == ""


def test_a_regraded_evaluation_is_followed_through_the_one_it_grades_again(arms: dict[str, list[Artifact]]) -> None:
    before = arms["gate"][1]
    head = {"kind": "evaluation", "stage": "regrade", "stage_version": 1, "config": {}, "pins": {}, "external": {}}
    store = Store(before.path.parent)
    once = store.make("evaluation-once", lambda out: {}, {**head, "inputs": {"evaluation": before.id}})
    twice = store.make("evaluation-twice", lambda out: {}, {**head, "inputs": {"evaluation": once.id}})
    assert trace(twice).model == trace(before).model is not None
    assert trace(twice).evaluation == twice


def test_the_kept_rows_come_best_first(runs: FakeRuns, arms: dict[str, list[Artifact]]) -> None:
    kept = trace(arms["gate"][0]).kept
    scores = {row["id"]: row["gate"] for row in runs.scores.rows("scores", ["id", "gate"])}
    assert kept is not None
    assert len(kept) == 60
    assert kept == sorted(kept, key=lambda i: -scores[i])


def test_only_questions_with_an_answer_are_graded(tmp_path: Path, arms: dict[str, list[Artifact]]) -> None:
    assert len(trace(arms["gate"][0]).correct) == QUESTIONS
    silent = FakeRuns(tmp_path / "store", answers=False)
    assert trace(silent.evaluation("all", 0, 0.5, silent.pool)).correct == {}


def test_seconds_are_those_of_the_models_training(tmp_path: Path) -> None:
    runs = FakeRuns(tmp_path / "store")
    evaluation = runs.evaluation("all", 0, 0.5, runs.pool)
    runs.took(evaluation.parent("model"), 12.5)
    assert trace(evaluation).seconds == 12.5


def test_a_model_from_elsewhere_has_no_rows_and_no_time(tmp_path: Path) -> None:
    run = trace(FakeRuns(tmp_path / "store").bought(0.5))
    assert run.model is not None
    assert (run.data, run.seconds, run.trusted) == (None, None, None)


def test_what_the_report_does_not_read_may_be_gone(tmp_path: Path) -> None:
    runs = FakeRuns(tmp_path / "store")
    evaluation = runs.evaluation("gate", 0, 0.5, runs.pool, runs.selection("gate", "gate"))
    shutil.rmtree(runs.trusted.path)
    assert trace(evaluation).data is not None


def test_arms_keep_their_order(arms: dict[str, list[Artifact]]) -> None:
    traced = trace_arms(arms)
    assert [(arm.name, len(arm.runs)) for arm in traced] == [("gate", 3), ("random", 3), ("all", 1), ("trusted", 1)]
    assert traced[0].first is traced[0].runs[0]


@pytest.mark.parametrize("seed", range(3))
def test_every_seed_is_its_own_run(arms: dict[str, list[Artifact]], seed: int) -> None:
    selection = trace(arms["random"][seed]).selection
    assert selection is not None
    assert selection.id == f"selection-random{seed}"
