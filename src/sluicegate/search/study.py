"""The trials of a search, remembered in a SQLite file that Optuna's own tools read too.

Every trial draws from a seed of its own, so a search that was broken off goes on to the very trials it would have had.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sluicegate.errors import MissingError
from sluicegate.search.settings import Search, Span

if TYPE_CHECKING:
    import optuna

FILE = "study.db"
REASON = "reason"
BROKEN_OFF: Literal["broken off"] = "broken off"
SETTLED = 4
"""Whole trials before the median tells which to leave."""

State = Literal["whole", "pruned", "failed", "broken off"]


@dataclass(frozen=True)
class Told:
    """A trial that is over."""

    number: int
    state: State
    value: float | None
    """Its metric, at its last rung; None where it came to none."""
    settings: dict[str, Any]
    rungs: dict[int, float]
    """The metric after each."""
    seconds: float
    reason: str
    """Why it failed; empty where it did not."""


def check_installed() -> None:
    """Raise `MissingError` where there is no Optuna."""
    if find_spec("optuna") is None:
        raise MissingError("sluice tune needs optuna", "get it with: pip install 'sluicegate[tune]'")


class Study:
    """A search under its name in the file of a folder; one process works on it at a time."""

    def __init__(self, folder: Path, name: str, search: Search) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.search = search
        self.inner = optuna.create_study(
            storage=f"sqlite:///{folder / FILE}",
            study_name=name,
            direction=search.better,
            pruner=_pruner(search),
            load_if_exists=True,
        )
        self._take_up()

    def next(self) -> Try | None:
        """The next trial; None where there are no more."""
        import optuna

        n = len(self._counted())
        if n >= self.search.n_trials:
            return None
        self.inner.sampler = _sampler(self.search, n)
        trial = self.inner.ask()
        settings = {key: _suggested(trial, key, span) for key, span in self.search.space.items()}
        self.inner.sampler = optuna.samplers.RandomSampler()  # that of a grid would stop the study when it is told
        return Try(self.inner, trial, settings)

    def told(self) -> list[Told]:
        """Every trial that is over, in the order they began."""
        over = (trial for trial in self.inner.get_trials(deepcopy=False) if trial.state.is_finished())
        return [_told(trial, self.search, trial.number in self._broken_off) for trial in over]

    def best(self) -> Told | None:
        """The trial that went all the way and came out best; None where there is none yet."""
        sign = -1 if self.search.better == "maximize" else 1
        whole = [trial for trial in self.told() if trial.state == "whole"]
        return min(whole, key=lambda trial: (sign * float(trial.value or 0), trial.number), default=None)

    def _counted(self) -> list[Told]:
        return [trial for trial in self.told() if trial.state != BROKEN_OFF]

    @property
    def _broken_off(self) -> list[int]:
        return self.inner.user_attrs.get(BROKEN_OFF, [])

    def _take_up(self) -> None:
        """Close what a process left open when it was stopped; the next trial is then the same again."""
        from optuna.trial import TrialState

        for trial in self.inner.get_trials(states=[TrialState.RUNNING]):
            self.inner.set_user_attr(BROKEN_OFF, [*self._broken_off, trial.number])
            self.inner.tell(trial.number, state=TrialState.FAIL)


@dataclass(frozen=True)
class Try:
    """A trial that is under way."""

    study: optuna.Study
    trial: optuna.Trial
    settings: dict[str, Any]

    def goes_on(self, rung: int, value: float) -> bool:
        """Write down the metric after a rung; whether the trial is worth the next one."""
        self.trial.report(value, rung)
        return not self.trial.should_prune()

    def whole(self, value: float) -> None:
        """It went all the way."""
        self.study.tell(self.trial, value)

    def pruned(self) -> None:
        """It was left at a rung."""
        self._end("PRUNED")

    def failed(self, reason: str) -> None:
        """It came to no metric."""
        self.trial.set_user_attr(REASON, reason)
        self._end("FAIL")

    def _end(self, state: str) -> None:
        from optuna.trial import TrialState

        self.study.tell(self.trial, state=TrialState[state])


def _sampler(search: Search, n: int) -> optuna.samplers.BaseSampler:
    """What chooses the n-th trial: it hangs on the trials before, and on nothing else that happened."""
    import optuna

    seed = random.Random(f"{search.seed} {n}").randrange(2**31)
    if search.sampler == "random":
        return optuna.samplers.RandomSampler(seed)
    if search.sampler == "tpe":
        return optuna.samplers.TPESampler(seed=seed)
    grid = search.grid()
    random.Random(search.seed).shuffle(grid)
    return optuna.samplers.GridSampler({key: [_stored(value)] for key, value in grid[n].items()}, seed)


def _pruner(search: Search) -> optuna.pruners.BasePruner:
    import optuna

    if search.rungs is None:
        return optuna.pruners.NopPruner()
    if search.pruner == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=SETTLED)
    first = search.rungs.values[0]
    return optuna.pruners.SuccessiveHalvingPruner(min_resource=first, reduction_factor=search.rungs.factor)


def _suggested(trial: optuna.Trial, key: str, span: Span) -> Any:
    """A value of the span. A choice that a database has no type for is kept as its JSON."""
    if span.choices is not None:
        found = trial.suggest_categorical(key, [_stored(choice) for choice in span.choices])
        return next(choice for choice in span.choices if _same(_stored(choice), found))
    assert span.low is not None
    assert span.high is not None
    if span.whole:
        step = 1 if span.step is None else int(span.step)
        return trial.suggest_int(key, int(span.low), int(span.high), step=step, log=span.log)
    return trial.suggest_float(key, float(span.low), float(span.high), step=span.step, log=span.log)


def _stored(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | Mapping) else value


def _same(a: Any, b: Any) -> bool:
    """1 is not true."""
    return type(a) is type(b) and a == b


def _told(trial: optuna.trial.FrozenTrial, search: Search, broken_off: bool) -> Told:
    states: dict[str, State] = {"COMPLETE": "whole", "PRUNED": "pruned", "FAIL": "failed"}
    state: State = BROKEN_OFF if broken_off else states[trial.state.name]
    rungs = dict(sorted(trial.intermediate_values.items()))
    value = trial.value if trial.value is not None else next(reversed(rungs.values()), None)
    settings = {key: _known(search.space[key], value) for key, value in trial.params.items()}
    seconds = trial.duration.total_seconds() if trial.duration else 0.0
    return Told(trial.number, state, value, settings, rungs, seconds, str(trial.user_attrs.get(REASON, "")))


def _known(span: Span, stored: Any) -> Any:
    """The choice behind what is stored."""
    return next((choice for choice in span.choices or [] if _same(_stored(choice), stored)), stored)
