"""One lazy registry for every extension point.

The built-in stages, signals, rules, corruptions and verbs are entry points of this very distribution
(see `pyproject.toml`), so a plug-in enters by the door they use. Listing names imports none of them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from sluicegate.errors import ConfigError, MissingError, UnknownName


class Registry:
    """Names to classes, read from the entry-point group `sluicegate.<noun>s`."""

    def __init__(self, noun: str) -> None:
        self.noun = noun

    @cached_property
    def _points(self) -> dict[str, EntryPoint]:
        found: dict[str, EntryPoint] = {}
        for point in entry_points(group=f"sluicegate.{self.noun}s"):
            other = found.setdefault(point.name, point)
            if other.value != point.value:
                raise ConfigError(
                    f"two packages name a {self.noun} '{point.name}': {other.value} and {point.value}",
                    "uninstall one of them",
                )
        return found

    def names(self) -> list[str]:
        """Every registered name, sorted; imports nothing."""
        return sorted(self._points)

    def items(self) -> Iterator[tuple[str, Any]]:
        """Every name with its class, loaded."""
        return ((name, self.get(name)) for name in self.names())

    def get(self, name: str) -> Any:
        """The class behind `name`.

        Raises:
            UnknownName: there is none; the hint has the nearest name.
            MissingError: it is there and cannot be imported.
        """
        point = self._points.get(name)
        if point is None:
            hint = did_you_mean(name, self._points) or f"known: {', '.join(self.names())}"
            raise UnknownName(f"no {self.noun} named '{name}'", hint, name)
        try:
            return point.load()
        except (ImportError, AttributeError) as err:
            what = f"{self.noun} '{name}' cannot be loaded from {point.value}: {err}"
            raise MissingError(what, "install what it needs, or uninstall the package it comes with") from err


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint with the closest of `known`, or nothing."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean '{near[0]}'?" if near else ""


STAGES = Registry("stage")
SIGNALS = Registry("signal")
RULES = Registry("rule")
CORRUPTIONS = Registry("corruption")
SHAPES = Registry("shape")
CLEANERS = Registry("cleaner")
VERBS = Registry("verb")
