"""A search as a recipe tells it: which keys take which values, and what a trial is judged by."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise, product
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from sluicegate.config import Config, build
from sluicegate.errors import ConfigError

NO_WORDS = ("true", "false", "null")
BETTER: Mapping[str, Literal["minimize", "maximize"]] = {"loss": "minimize", "accuracy": "maximize"}


class Span(Config):
    """The values a key is tried with: those of a list, or all between two ends."""

    choices: list[Any] | None = Field(None, min_length=1)
    """Any values that the key takes; a list alone is short for it."""
    low: int | float | None = None
    """The lowest value of a range; whole numbers, where both ends are whole."""
    high: int | float | None = None
    """Its highest."""
    log: bool = False
    """Whether it is drawn from by orders of magnitude."""
    step: int | float | None = Field(None, gt=0)
    """Only every so many, counted from the lowest."""

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, given: Any) -> Any:
        return {"choices": given} if isinstance(given, list) else given

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if self.choices is not None:
            if {"low", "high", "log", "step"} & self.model_fields_set:
                raise ValueError("a list of choices has no ends and no steps")
            return self
        if self.low is None or self.high is None or self.low >= self.high:
            raise ValueError("needs `low` and a larger `high`, or a list of choices")
        if self.log and (self.low <= 0 or self.step):
            raise ValueError("`log` needs a `low` above 0, and knows no `step`")
        return self

    @property
    def whole(self) -> bool:
        """Whether its numbers are whole ones."""
        return all(isinstance(end, int) for end in (self.low, self.high, 1 if self.step is None else self.step))

    def extremes(self) -> list[Any]:
        """Every choice, or both ends."""
        return self.choices if self.choices is not None else [self.low, self.high]

    def every(self) -> list[Any]:
        """All its values.

        Raises:
            ValueError: they are too many to be told.
        """
        if self.choices is not None:
            return self.choices
        if self.step is None and not self.whole:
            raise ValueError("has no `step`, and a grid needs one, or a list of choices")
        assert self.low is not None
        assert self.high is not None
        step = self.step or 1
        return [self.low + n * step for n in range(int((self.high - self.low) / step + 1e-9) + 1)]


class Rungs(Config):
    """A key that makes a trial longer, such as the steps of a training: a trial is judged after each of its values.

    What is shorter is trained apart, so a trial that climbs to the top costs the sum of all of its rungs.
    """

    key: str
    """`sft.max_steps`, or another."""
    values: list[int] = Field(min_length=2)
    """From the shortest to the whole."""

    @field_validator("values")
    @classmethod
    def _rise(cls, values: list[int]) -> list[int]:
        if values[0] < 1 or any(b <= a for a, b in pairwise(values)):
            raise ValueError("must rise, from 1 or more")
        return values

    @property
    def factor(self) -> int:
        """By how much each is longer than the one before; 0 where that is no whole number, or not the same."""
        factors = {b / a for a, b in pairwise(self.values)}
        return int(factors.pop()) if len(factors) == 1 and all(f.is_integer() for f in factors) else 0


class Search(Config):
    """What `sluice tune` tries: `trials` settings of the keys in `space`, each a walk of the recipe in one folder."""

    metric: str = Field(pattern=r"^[^.]+(\.[^.]+)+$")
    """A step and a number of its artifact: `result.accuracy`, `result.loss`; of several steps, `result-*.loss`, their
    mean."""
    direction: Literal["auto", "minimize", "maximize"] = "auto"
    """Whether less or more of it is better; known of `loss` and `accuracy`."""
    space: dict[str, Span] = Field(min_length=1)
    """Keys, as an override names them, to the values they take: `sft.lora.rank: [4, 8, 16]`, and
    `sft.learning_rate: {low: 1e-5, high: 1e-3, log: true}`; variables too: `vars.epochs: [1, 2, 3]`."""
    trials: int = Field(20, ge=1)
    """How many settings are tried in all; what was tried before counts, but for what was broken off."""
    sampler: Literal["tpe", "random", "grid"] = "tpe"
    """How settings are chosen: near those that did well (arXiv 2304.11127), by chance, or each of a grid once."""
    rungs: Rungs | None = None
    """Short trainings before long ones, so that settings which do badly are left early. Null: none are left."""
    pruner: Literal["median", "halving"] = "median"
    """Which trials go on to the next rung: those no worse than the median of earlier trials there, once there are four
    that went all the way; or of all so far on the rung the best, one in as many as the next rung is longer (successive
    halving, arXiv 1810.05934)."""
    seed: int = 0
    """Another seed is another search."""

    @field_validator("space", mode="before")
    @classmethod
    def _flat(cls, given: Any) -> Any:
        return _flattened(given) if isinstance(given, Mapping) else given

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.direction == "auto" and self.stat not in BETTER:
            raise ValueError(f"direction: whether less or more of '{self.stat}' is better is for you to say")
        if self.rungs and self.rungs.key in self.space:
            raise ValueError(f"rungs: {self.rungs.key} is in the space too")
        if self.rungs and self.pruner == "halving" and not self.rungs.factor:
            raise ValueError("rungs: for halving each value is the same whole multiple of the one before")
        if self.sampler == "grid":
            self.grid()
        return self

    @property
    def step(self) -> str:
        """The step of the metric, or a pattern for several."""
        return self.metric.partition(".")[0]

    @property
    def stat(self) -> str:
        """The number of its artifact, dotted where it is in a block."""
        return self.metric.partition(".")[2]

    @property
    def better(self) -> Literal["minimize", "maximize"]:
        """The direction, known."""
        return BETTER[self.stat] if self.direction == "auto" else self.direction

    @property
    def n_trials(self) -> int:
        """How many there will be: a grid may be smaller than what was asked for."""
        return min(self.trials, len(self.grid())) if self.sampler == "grid" else self.trials

    def grid(self) -> list[dict[str, Any]]:
        """Every setting there is."""
        values = []
        for key, span in self.space.items():
            try:
                values.append(span.every())
            except ValueError as err:
                raise ValueError(f"space.{key}: {err}") from None
        return [dict(zip(self.space, chosen, strict=True)) for chosen in product(*values)]

    def extremes(self) -> Iterator[tuple[str, Any]]:
        """Every key with each of the values at which it is looked at before the first trial."""
        for key, span in self.space.items():
            yield from ((key, value) for value in span.extremes())
        if self.rungs:
            yield from ((self.rungs.key, value) for value in self.rungs.values)


def read_search(recipe: Mapping[str, Any]) -> Search:
    """The search a recipe asks for.

    Raises:
        ConfigError: it has none, or one with keys or values that are not known.
    """
    if "tune" not in recipe:
        hint = "write under `tune:` the metric and the space, or take a recipe that has them: sluice ls recipes"
        raise ConfigError("this recipe says nothing of what to tune", hint)
    return build(Search, recipe["tune"], "tune")


def override(key: str, value: Any) -> str:
    """A value as the command line gives it."""
    return f"{key}={spelt(value)}"


def spelt(value: Any) -> str:
    """A value as YAML reads it back: a plain word as it is, and all else as JSON."""
    word = isinstance(value, str) and re.fullmatch(r"[A-Za-z][\w/-]*", value) and value.lower() not in NO_WORDS
    return str(value) if word else json.dumps(value, ensure_ascii=False)


def _flattened(given: Mapping[Any, Any], at: str = "") -> dict[str, Any]:
    """Dotted keys for nested ones, which overrides make; what two ways of writing a key say is put together."""
    out: dict[str, Any] = {}
    for key, value in given.items():
        name = f"{at}{key}"
        inner = isinstance(value, Mapping) and not set(value) & set(Span.model_fields)
        for found, said in (_flattened(value, f"{name}.") if inner else {name: value}).items():
            both = isinstance(said, Mapping) and isinstance(out.get(found), Mapping)
            out[found] = {**out[found], **said} if both else said
    return out
