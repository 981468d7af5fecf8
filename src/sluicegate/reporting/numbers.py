"""How numbers are written for people; an unknown number is a dash."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

NONE = "–"
INTERVALS = "95 % intervals: pigeonhole bootstrap over seeds and questions"
"""How `evaluation.stats` makes what stands in brackets."""


UNITS = {"accuracy": "points", "loss": "nats (below 0 is better)"}
"""What a difference is counted in."""
MEASURED = {
    "accuracy": "accuracy on held-out questions",
    "loss": "loss on held-out replies, in nats per label token (lower is better)",
}
"""What arms are compared by, in words."""


def percent(share: float | None) -> str:
    """`0.614` as `61.4 %`."""
    return NONE if share is None else f"{100 * share:.1f} %"


def points(difference: float, sign: bool = True) -> str:
    """`0.117` as `+11.7`: a difference of two shares in percentage points."""
    return f"{100 * difference:{'+' if sign else ''}z.1f}".replace("-", "−")


def nats(difference: float, sign: bool = True) -> str:
    """`-0.0312` as `−0.031`: a difference of two losses."""
    return f"{difference:{'+' if sign else ''}z.3f}".replace("-", "−")


def count(number: float | None) -> str:
    """`12345.0` as `12,345`."""
    return NONE if number is None else f"{number:,.0f}"


def decimals(number: float | None, digits: int = 3) -> str:
    """`0.9691` as `0.969`."""
    return NONE if number is None else f"{number:.{digits}f}"


def probability(p: float | None) -> str:
    """`0.0312` as `0.031`; what is smaller than can be written so is said to be."""
    return NONE if p is None else "< 0.001" if p < 0.001 else decimals(p)


def accuracy(arm: Mapping[str, Any]) -> str:
    """`61.4 % [58.0, 64.9]` of a summary's arm."""
    if arm["accuracy"] is None:
        return NONE
    return f"{percent(arm['accuracy'])} [{100 * arm['low']:.1f}, {100 * arm['high']:.1f}]"


def loss(arm: Mapping[str, Any]) -> str:
    """`1.350 [1.302, 1.391]` of a summary's arm; its interval is known where the loss is what arms are compared by."""
    if arm["loss"] is None or arm["low"] is None:
        return decimals(arm["loss"])
    return f"{decimals(arm['loss'])} [{decimals(arm['low'])}, {decimals(arm['high'])}]"


def result(arm: Mapping[str, Any], metric: str) -> str:
    """What the arms of a summary are compared by, with its interval."""
    return accuracy(arm) if metric == "accuracy" else loss(arm)


def mean(difference: Mapping[str, Any]) -> str:
    """`+11.7` or, of losses, `−0.031` of a summary's difference."""
    return _signed(difference)(difference["mean"])


def bounds(difference: Mapping[str, Any]) -> str:
    """`[+9.0, +15.1]` or, of losses, `[−0.050, −0.012]` of a summary's difference."""
    write = _signed(difference)
    return f"[{write(difference['low'])}, {write(difference['high'])}]"


def _signed(difference: Mapping[str, Any]) -> Callable[[float], str]:
    return points if difference["metric"] == "accuracy" else nats


def duration(seconds: float | None) -> str:
    """`75.3` as `1 min 15 s`."""
    if seconds is None:
        return NONE
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
