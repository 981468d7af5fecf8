from __future__ import annotations

from pathlib import Path

import pytest

from fake_runs import PREDICTIONS, FakeRuns
from sluicegate.artifacts import write_arrow, write_json
from sluicegate.errors import ArtifactError
from sluicegate.evaluation import stats
from sluicegate.reporting.model_card import result_of
from sluicegate.reporting.model_card.result import CONTROL, MODEL


def test_the_model_stands_beside_its_control_with_intervals(runs: FakeRuns) -> None:
    chosen, chance = runs.selection("one", by="gate"), runs.selection("chance")
    own = runs.evaluation("one", 0, 0.8, runs.pool, chosen)
    control = runs.evaluation("chance", 0, 0.3, runs.pool, chance)
    found = result_of(own.parent("model"), own, control, stats)
    assert found is not None
    assert [arm["arm"] for arm in found.arms] == [MODEL, CONTROL]
    assert all(arm["low"] < arm["accuracy"] < arm["high"] for arm in found.arms)
    assert found.difference is not None
    assert found.difference["low"] > 0
    assert found.headline.startswith("this model beats control by")
    assert found.control is not None


def test_alone_it_has_no_difference(runs: FakeRuns) -> None:
    own = runs.evaluation("alone", 0, 0.8, runs.pool)
    found = result_of(own.parent("model"), own, None, stats)
    assert found is not None
    assert (len(found.arms), found.difference, found.control) == (1, None, None)
    assert result_of(own.parent("model"), None, None, stats) is None


def test_an_evaluation_of_another_model_is_refused(runs: FakeRuns) -> None:
    own, other = (runs.evaluation(name, 0, 0.5, runs.pool) for name in ("mine", "yours"))
    with pytest.raises(ArtifactError, match="evaluation-yours0 is not an evaluation of model-mine0"):
        result_of(own.parent("model"), other, None, stats)


def test_what_was_asked_other_questions_is_no_control(tmp_path: Path) -> None:
    runs = FakeRuns(tmp_path / "store")
    own = runs.evaluation("mine", 0, 0.5, runs.pool)

    def nothing(out: Path) -> dict[str, int]:
        write_json(out / "metrics.json", {"accuracy": None, "loss": None})
        return {"n": write_arrow(out / "predictions.parquet", [], PREDICTIONS)}

    asked_nothing = runs._seal("evaluation-nothing", nothing, model=own.parent("model"))
    with pytest.raises(ArtifactError, match="share no question"):
        result_of(own.parent("model"), own, asked_nothing, stats)
