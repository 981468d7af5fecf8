"""What an arm is worth against what its scores cost."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any

from sluicegate.reporting.bake_off.arm_columns import gain
from sluicegate.reporting.bake_off.order import Row, Summary, contestants, controls, rules
from sluicegate.reporting.charts import HUES, SCALES, SILT
from sluicegate.reporting.numbers import decimals, percent

if TYPE_CHECKING:
    import altair as alt

TICKS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
HEIGHT = 430
APART = 7
"""Pixels between arms of one cost."""
LONGEST = 170
"""Pixels after which a name is cut; the tooltip tells it whole."""
LINE = 15
"""Pixels a line of text takes."""


def rule_colours(summary: Summary) -> dict[str, str]:
    """A colour for every rule that arms chose by."""
    return dict(zip(rules(summary), cycle(HUES), strict=False))


def cost_chart(summary: Summary, budget: str) -> alt.TopLevelMixin | None:
    """Accuracy or loss over forward passes; None where no arm has a known cost and result.

    Higher is better: the axis of a loss is turned round. Arms within noise are hollow, controls dashed lines. The page
    puts the names, a mark called `labels`, where they hide nothing.
    """
    import altair as alt

    points, lines = _points(summary, budget), _lines(summary, budget)
    if not points:
        return None
    domain = _room(summary["metric"], [*points, *lines])
    up = alt.Scale(domain=domain, nice=False, zero=False, reverse=summary["metric"] == "loss")
    _, _, tick, _ = SCALES[summary["metric"]]
    y = alt.Y("value:Q", title=summary["metric"], scale=up, axis=alt.Axis(format=tick, tickCount=6))
    drawn = [*_control_layers(_lifted(lines, domain, bool(up.reverse)), y), *_arm_layers(summary, points, y)]
    return alt.layer(*drawn).properties(width="container", height=HEIGHT)


def _points(summary: Summary, budget: str) -> list[dict[str, Any]]:
    """The arms whose cost and result are known; those of about one cost stand side by side."""
    metric = summary["metric"]
    known = [arm for arm in contestants(summary, budget) if None not in (arm["forward_units"], arm[metric])]
    side_by_side = defaultdict(list)
    for arm in sorted(known, key=lambda arm: (arm["forward_units"], arm["signal"], arm["rule"])):
        side_by_side[round(math.log1p(arm["forward_units"]), 1)].append(arm)
    return [
        _point(arm, metric) | {"aside": APART * (n - (len(arms) - 1) / 2)}
        for arms in side_by_side.values()
        for n, arm in enumerate(arms)
    ]


def _point(arm: Row, metric: str) -> dict[str, Any]:
    told = {key: arm[key] for key in ("arm", "rule", "against", "verdict")}
    return {
        **told,
        "name": arm["signal"],
        "cost": arm["forward_units"],
        "gain": gain(arm, metric),
        "hollow": arm["verdict"] not in ("better", "worse"),
        **_interval(arm, metric),
    }


def _lines(summary: Summary, budget: str) -> list[dict[str, Any]]:
    """The controls whose result is known."""
    metric = summary["metric"]
    write = percent if metric == "accuracy" else decimals
    known = [arm for arm in controls(summary, budget) if arm[metric] is not None]
    return [{"name": f"{arm['arm']} {write(arm[metric])}", **_interval(arm, metric)} for arm in known]


def _interval(arm: Row, metric: str) -> dict[str, float]:
    """A result and its interval, which has no width where it is not known."""
    value = arm[metric]
    return {"value": value} | {key: value if arm[key] is None else arm[key] for key in ("low", "high")}


def _room(metric: str, drawn: Sequence[Row]) -> list[float]:
    margin, most, _, _ = SCALES[metric]
    return [max(0.0, min(row["low"] for row in drawn) - margin), min(most, max(row["high"] for row in drawn) + margin)]


def _lifted(lines: list[dict[str, Any]], domain: Sequence[float], reverse: bool) -> list[dict[str, Any]]:
    """How many pixels the name of each line stands above it, so that no two names meet; from the lowest line up."""
    low, high = reversed(domain) if reverse else domain
    lines = [{**line, "height": HEIGHT * (line["value"] - low) / (high - low)} for line in lines]
    free = -math.inf
    for line in sorted(lines, key=lambda line: line["height"]):
        at = max(line["height"] + 3, free)
        line["lift"] = line["height"] - at
        free = at + LINE
    return lines


def _control_layers(lines: list[dict[str, Any]], y: alt.Y) -> list[alt.Chart]:
    import altair as alt

    if not lines:
        return []
    base = alt.Chart(alt.Data(values=lines)).encode(y=y)
    dashes = base.mark_rule(strokeDash=[5, 4], color=SILT)
    names = base.mark_text(align="right", baseline="bottom", fontSize=11, yOffset=alt.expr("datum.lift"))
    names = names.encode(text="name:N", x=alt.value("width"), color=alt.value("var(--soft)"))
    return [dashes, names.properties(name="controls")]


def _arm_layers(summary: Summary, points: list[dict[str, Any]], y: alt.Y) -> list[alt.Chart]:
    import altair as alt

    base = alt.Chart(alt.Data(values=points)).encode(x=_cost(max(point["cost"] for point in points)), y=y)
    colours = rule_colours(summary)
    colour = alt.Scale(domain=list(colours), range=list(colours.values()))
    aside = alt.expr("datum.aside")
    bars = base.mark_rule(strokeWidth=2, opacity=0.4, xOffset=aside)
    bars = bars.encode(y=alt.Y("low:Q"), y2="high:Q", color=alt.Color("rule:N", scale=colour, legend=None))
    dots = base.mark_point(size=80, strokeWidth=2, opacity=1, xOffset=aside).encode(
        stroke=alt.Stroke("rule:N", scale=colour, legend=None),
        fill=alt.condition("datum.hollow", alt.value("var(--card)"), alt.Fill("rule:N", scale=colour, legend=None)),
        tooltip=_tips(SCALES[summary["metric"]][3]),
    )
    names = base.mark_text(xOffset=aside, limit=LONGEST).encode(text="name:N")
    return [bars, dots.properties(name="dots"), names.properties(name="labels")]


def _cost(most: float) -> alt.X:
    """From 0, which has a place on this axis, to the costliest; a doubling is as wide anywhere but near 0."""
    import altair as alt

    span = math.log1p(max(most, 1))
    domain = [-math.expm1(0.05 * span), math.expm1(1.06 * span)]
    axis = alt.Axis(values=[tick for tick in TICKS if tick <= domain[1]], format="~g", grid=False)
    scale = alt.Scale(type="symlog", constant=1, domain=domain, nice=False)
    return alt.X("cost:Q", title="cost in forward passes over the pool", scale=scale, axis=axis)


def _tips(format: str) -> list[alt.Tooltip]:
    import altair as alt

    words = [alt.Tooltip(f"{key}:N") for key in ("arm", "against", "gain", "verdict")]
    numbers = [alt.Tooltip(f"{key}:Q", format=format) for key in ("value", "low", "high")]
    return [*words, *numbers, alt.Tooltip("cost:Q", title="forward passes", format=".2f")]
