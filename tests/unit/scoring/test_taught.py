"""What signals learn of damage: from which rows, and what is done where there are too few."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from sluicegate.config import build
from sluicegate.data.corrupt import make_corruptions
from sluicegate.errors import ConfigError, DataError
from sluicegate.schema import Record
from sluicegate.scoring.base import Shard
from sluicegate.scoring.taught import Taught
from sluicegate.testing import tiny_pool

TRUSTED = tiny_pool(3)


class Classifier:
    """Keeps what it is taught, and says of a row twice its first number."""

    def fit(self, x: np.ndarray, good: np.ndarray) -> Classifier:
        self.x, self.good = x.tolist(), good.tolist()
        return self

    def decision_function(self, x: np.ndarray) -> np.ndarray:
        return 2 * x[:, 0]


class Notes(Taught):
    name = "notes"

    def classifier(self, config: Any) -> Classifier:
        return Classifier()


def numbered(make_shard: Any, asked: list[Sequence[Record]], broken: Sequence[int] = ()) -> Any:
    """Observes of each row its number; of those that are broken nothing finite."""

    def read(rows: Sequence[Record]) -> Shard:
        asked.append(rows)
        return make_shard([1] * len(rows), observed=[[math.nan if n in broken else n] for n in range(len(rows))])

    return read


def test_trusted_rows_are_good_and_damaged_copies_of_them_are_not(make_shard: Any) -> None:
    asked: list[Sequence[Record]] = []
    config = build(Notes.Config, {"copies": 2, "corruptions": ["truncate", "number"], "seed": 5})
    learned = Notes().fit(numbered(make_shard, asked), TRUSTED, config)
    damaged = [record for record, _ in make_corruptions(TRUSTED, 2, 5, ["truncate", "number"])]
    assert len(damaged) > len(TRUSTED)
    assert asked == [[*TRUSTED, *damaged]]
    assert learned.x == [[n] for n in range(3 + len(damaged))]
    assert learned.good == [True] * 3 + [False] * len(damaged)


def test_rows_whose_numbers_are_not_finite_teach_nothing(make_shard: Any) -> None:
    learned = Notes().fit(numbered(make_shard, [], broken=[1, 4]), TRUSTED, Notes.Config(copies=1))
    assert learned.x == [[0], [2], [3], [5]]
    assert learned.good == [True, True, False, False]


def test_a_score_is_what_the_classifier_says_of_rows_it_can_judge(make_shard: Any) -> None:
    shard = make_shard([1, 0, 1], observed=[[1.5], [math.nan], [math.inf]], learned=Classifier())
    one, unread, broken = Notes().score(shard, Notes.Config())
    assert (one, unread) == (3.0, "no response token left")
    assert math.isnan(broken)  # type: ignore[arg-type]


@pytest.mark.parametrize("broken", [[0, 1, 2], [3, 4, 5]])
def test_one_side_alone_teaches_nothing(broken: list[int], make_shard: Any) -> None:
    with pytest.raises(DataError, match="signal 'notes' has no trusted row, or no damaged copy") as err:
        Notes().fit(numbered(make_shard, [], broken), TRUSTED, Notes.Config(copies=1))
    assert err.value.hint


def test_no_row_at_all_teaches_nothing(make_shard: Any) -> None:
    with pytest.raises(DataError, match="to learn from"):
        Notes().fit(lambda rows: make_shard([]), [], Notes.Config())


def test_damage_of_a_kind_nobody_knows_is_refused_at_once() -> None:
    with pytest.raises(ConfigError, match=r"corruptions: no corruption named 'truncat'(.|\n)*did you mean 'truncate'"):
        build(Notes.Config, {"corruptions": ["truncat"]})
