from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sluicegate.config import build
from sluicegate.data.curriculum import Phase, phase_ends, weigh
from sluicegate.data.labels import Labels
from sluicegate.errors import ConfigError
from sluicegate.testing import check_config


def phases(*untils: float | None) -> list[Phase]:
    return [Phase(until=until) for until in untils]


def test_a_phase_ends_at_a_share_of_the_steps_or_at_a_step() -> None:
    assert phase_ends(phases(0.25, 60, None), 100) == [25, 60, 100]
    assert phase_ends(phases(None), 7) == [7]


@pytest.mark.parametrize("untils", [(60, 0.25, None), (0.001, None), (100, None), (200, None)])
def test_a_phase_has_steps(untils: tuple[float | None, ...]) -> None:
    with pytest.raises(ConfigError, match="has no steps in a run of 100"):
        phase_ends(phases(*untils), 100)


def test_weights_of_several_columns_multiply() -> None:
    columns = {"lang": Labels.of(np.array(["zh", "en", "en"])), "level": Labels.of(np.array(["1", "1", "5"]))}
    assert weigh(columns, {"lang": {"en": 3.0}, "level": {"5": 0.5}}, 3).tolist() == [1, 3, 1.5]
    assert weigh(columns, {}, 3).tolist() == [1, 1, 1]


def test_numbers_may_name_values() -> None:
    given: Any = {"weights": {"level": {1: 4, "2": 0}}}
    assert build(Phase, given).weights == {"level": {"1": 4.0, "2": 0.0}}


def test_every_key_has_its_help() -> None:
    check_config(Phase)
