"""How numbers are written for people; an unknown number is a dash."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NONE = "–"
INTERVALS = "95 % intervals: pigeonhole bootstrap over seeds and questions"
"""How `evaluation.stats` makes what stands in brackets."""


def percent(share: float | None) -> str:
    """`0.614` as `61.4 %`."""
    return NONE if share is None else f"{100 * share:.1f} %"


def points(difference: float, sign: bool = True) -> str:
    """`0.117` as `+11.7`: a difference of two shares in percentage points."""
    return f"{100 * difference:{'+' if sign else ''}z.1f}".replace("-", "−")


def count(number: float | None) -> str:
    """`12345.0` as `12,345`."""
    return NONE if number is None else f"{number:,.0f}"


def decimals(number: float | None, digits: int = 3) -> str:
    """`0.9691` as `0.969`."""
    return NONE if number is None else f"{number:.{digits}f}"


def accuracy(arm: Mapping[str, Any]) -> str:
    """`61.4 % [58.0, 64.9]` of a summary's arm."""
    if arm["accuracy"] is None:
        return NONE
    return f"{percent(arm['accuracy'])} [{100 * arm['low']:.1f}, {100 * arm['high']:.1f}]"


def bounds(difference: Mapping[str, Any]) -> str:
    """`[+9.0, +15.1]` of a summary's difference."""
    return f"[{points(difference['low'])}, {points(difference['high'])}]"


def duration(seconds: float | None) -> str:
    """`75.3` as `1 min 15 s`."""
    if seconds is None:
        return NONE
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
