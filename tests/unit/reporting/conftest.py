from __future__ import annotations

import pytest

from fake_runs import FakeRuns
from sluicegate.artifacts import Artifact
from sluicegate.evaluation import stats
from sluicegate.reporting.summary import Summary, summarize


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> FakeRuns:
    """A store with a whole comparison; do not write into it."""
    return FakeRuns(tmp_path_factory.mktemp("runs") / "store")


@pytest.fixture(scope="session")
def arms(runs: FakeRuns) -> dict[str, list[Artifact]]:
    """Its arms."""
    return runs.arms()


@pytest.fixture(scope="session")
def summary(arms: dict[str, list[Artifact]]) -> Summary:
    """Its summary; do not write into it."""
    return summarize("Which rows?", arms, "random", 20, stats)


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    """The summary of a comparison without known faults and without answers."""
    runs = FakeRuns(tmp_path_factory.mktemp("bare") / "store", faults=False, answers=False)
    return summarize("Which rows?", runs.arms(), "random", 20, stats)
