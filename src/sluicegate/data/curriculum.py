"""A curriculum: which rows come up more often than others, and until when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, TypeAlias

import numpy as np
from pydantic import BeforeValidator, Field

from sluicegate.config import Config
from sluicegate.data.labels import Labels
from sluicegate.errors import ConfigError
from sluicegate.registry import did_you_mean
from sluicegate.runtime import warn


def _texts(given: Any) -> Any:
    """YAML reads `1: 4` with a number for a key, and values of columns are texts."""
    return {str(key): value for key, value in given.items()} if isinstance(given, Mapping) else given


Weights: TypeAlias = Annotated[dict[str, Annotated[float, Field(ge=0)]], BeforeValidator(_texts)]
"""Of the values of one column."""


class Phase(Config):
    """A stretch of the training."""

    until: float | None = Field(default=None, gt=0)
    """Where it ends: below 1 a share of all steps, from 1 on a number of steps. Null, only in the last: at the end."""
    weights: dict[str, Weights] = {}
    """Column to value to weight, `{level: {"1": 4, "5": 0}}`. Rows of weight 4 come up four times as often as those of
    weight 1 as long as there are any left, and rows of weight 0 not at all in this phase; a value that is not named
    has weight 1. Weights of several columns multiply. A column of numbers is told in quarters, `q1` the lowest and
    `none` where there is no number."""


def phase_ends(phases: Sequence[Phase], steps: int) -> list[int]:
    """The step each phase ends before; the last ends with the run.

    Raises:
        ConfigError: a phase that ends before it begins.
    """
    ends = [_end(phase, steps) for phase in phases]
    empty = next((n for n, (start, end) in enumerate(pairwise([0, *ends]), start=1) if end <= start), None)
    if empty or ends[-1] > steps:
        raise ConfigError(f"phase {empty or len(ends)} of {len(ends)} has no steps in a run of {steps}", "see `until`")
    return ends


def _end(phase: Phase, steps: int) -> int:
    until = steps if phase.until is None else phase.until
    return round(until * steps if until < 1 else until)


def weigh(columns: Mapping[str, Labels], weights: Mapping[str, Mapping[str, float]], n_rows: int) -> np.ndarray:
    """The weight of every row, (N,): the product over the columns; says which values no row has.

    Raises:
        ConfigError: no such column.
    """
    product = np.ones(n_rows)
    for name, by_value in weights.items():
        if name not in columns:
            hint = did_you_mean(name, columns) or f"known: {', '.join(columns)}"
            raise ConfigError(f"weights name '{name}', a column that these rows do not have", hint)
        known = columns[name].values
        if lost := [value for value in by_value if value not in known]:
            warn(f"weights: no row has '{lost[0]}' for {name}; there are {', '.join(known[:8])}")
        product *= columns[name].spread(by_value, default=1.0)
    return product
