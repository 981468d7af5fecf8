"""The trials of a search as a page: how far it has come, and what each key has to do with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sluicegate import __version__
from sluicegate.reporting import numbers
from sluicegate.reporting.charts import CLAY, GOLD, SILT, WATER
from sluicegate.reporting.page import vega_scripts
from sluicegate.reporting.templates import template

if TYPE_CHECKING:
    import altair as alt

HUES = {"best": GOLD, "whole": WATER, "pruned": SILT, "failed": CLAY}
TALL, SMALL = 280, 190
WIDE_RANGE = 20
"""Values whose largest is so many times the smallest are drawn by orders of magnitude."""


def page(title: str, metric: str, better: str, trials: Sequence[Mapping[str, Any]], best: int | None, run: str) -> str:
    """One HTML file that holds everything it needs.

    Args:
        title: the recipe.
        metric: what trials are judged by.
        better: `minimize` or `maximize`.
        trials: the fields of every `search.study.Told`.
        best: the number of the best; None where none came to its end.
        run: the command line that walks the recipe under its settings.
    """
    told = [_told(trial, best) for trial in trials]
    keys = list(dict.fromkeys(key for trial in trials for key in trial["settings"]))
    rungs = sorted({rung for trial in trials for rung in trial["rungs"]})
    lead = next((trial for trial in told if trial["state"] == "best"), None)
    drawn = {"course": _course(told, metric, better), "rungs": _rungs(told, metric) if rungs else None}
    drawn |= {f"key-{n}": _key(told, key, metric) for n, key in enumerate(keys)}
    charts = {name: chart.to_dict() for name, chart in drawn.items() if chart is not None}
    return template("search_page.html.j2").render(
        title=title, metric=metric, better=better, trials=told, lead=lead, run=run, keys=keys, rungs=rungs,
        charts=charts, fmt=numbers, scripts=vega_scripts(), version=__version__, pool=None,
    )  # fmt: skip


def _told(trial: Mapping[str, Any], best: int | None) -> dict[str, Any]:
    """A trial with the values of its settings as text, where they are no numbers."""
    settings = {key: _shown(value) for key, value in trial["settings"].items()}
    return {**trial, "settings": settings, "state": "best" if trial["number"] == best else trial["state"]}


def _shown(value: Any) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if number or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _course(trials: Sequence[Mapping[str, Any]], metric: str, better: str) -> alt.LayerChart | None:
    """The metric of every trial, and the best of those so far that went all the way."""
    import altair as alt

    rows = [_row(trial) for trial in trials if trial["value"] is not None]
    if not rows:
        return None
    choose = max if better == "maximize" else min
    whole = [trial for trial in trials if trial["state"] in ("best", "whole")]
    so_far = [
        {"trial": trial["number"], "value": choose(t["value"] for t in whole[: n + 1])} for n, trial in enumerate(whole)
    ]
    x = alt.X("trial:Q", title="trial", axis=alt.Axis(tickMinStep=1, format="d"))
    y = alt.Y("value:Q", title=metric, scale=alt.Scale(zero=False))
    line = alt.Chart(alt.Data(values=so_far)).mark_line(interpolate="step-after", color=GOLD, opacity=0.6)
    points = alt.Chart(alt.Data(values=rows)).mark_point(filled=True, size=70, opacity=0.9)
    tips = [alt.Tooltip("trial:Q"), alt.Tooltip("state:N"), alt.Tooltip("value:Q", format=".4g")]
    drawn = line.encode(x=x, y=y) + points.encode(x=x, y=y, color=_colour(), tooltip=tips)
    return drawn.properties(width="container", height=TALL)


def _key(trials: Sequence[Mapping[str, Any]], key: str, metric: str) -> alt.Chart | None:
    """The metric over one key, of the trials that went all the way."""
    import altair as alt

    whole = [trial for trial in trials if trial["state"] in ("best", "whole") and key in trial["settings"]]
    if not whole:
        return None
    rows = [{**_row(trial), "at": trial["settings"][key]} for trial in whole]
    x = _axis([row["at"] for row in rows])
    tips = [alt.Tooltip("trial:Q"), alt.Tooltip("at:N", title=key), alt.Tooltip("value:Q", format=".4g")]
    points = alt.Chart(alt.Data(values=rows)).mark_point(filled=True, size=60, opacity=0.9)
    y = alt.Y("value:Q", title=metric, scale=alt.Scale(zero=False))
    drawn = points.encode(x=x, y=y, color=_colour(), tooltip=tips)
    return drawn.properties(width="container", height=SMALL)


def _axis(values: Sequence[Any]) -> alt.X:
    import altair as alt

    if any(isinstance(value, str) for value in values):
        return alt.X("at:N", title=None, sort=None, axis=alt.Axis(labelAngle=0))
    log = min(values) > 0 and max(values) >= WIDE_RANGE * min(values)
    scale = alt.Scale(type="log") if log else alt.Scale(zero=False)
    axis = alt.Axis(format="~g" if not log else "~e", tickCount=4, grid=False)
    return alt.X("at:Q", title=None, scale=scale, axis=axis)


def _rungs(trials: Sequence[Mapping[str, Any]], metric: str) -> alt.Chart:
    """A line per trial, from rung to rung."""
    import altair as alt

    rows = [{**_row(trial), "rung": rung, "value": value} for trial in trials for rung, value in trial["rungs"].items()]
    x = alt.X("rung:O", title=None, axis=alt.Axis(labelAngle=0))
    y = alt.Y("value:Q", title=metric, scale=alt.Scale(zero=False))
    tips = [alt.Tooltip("trial:Q"), alt.Tooltip("rung:O"), alt.Tooltip("value:Q", format=".4g")]
    lines = alt.Chart(alt.Data(values=rows)).mark_line(point=True, opacity=0.7)
    drawn = lines.encode(x=x, y=y, detail="trial:N", color=_colour(), tooltip=tips)
    return drawn.properties(width="container", height=SMALL)


def _row(trial: Mapping[str, Any]) -> dict[str, Any]:
    return {"trial": trial["number"], "state": trial["state"], "value": trial["value"]}


def _colour() -> alt.Color:
    import altair as alt

    return alt.Color("state:N", scale=alt.Scale(domain=[*HUES], range=[*HUES.values()]), legend=None)
