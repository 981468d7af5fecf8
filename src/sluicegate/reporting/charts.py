"""The page's charts as Vega-Lite specs, drawn from the summary alone. Colours of text and grid come from the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sluicegate.reporting.curve_chart import arm_hues, curve_chart
from sluicegate.reporting.numbers import decimals, percent

if TYPE_CHECKING:
    import altair as alt

# Mid tones, read as well on white as on near-black.
WATER, GOLD, SILT, CLAY = "#3b82c4", "#d99a1c", "#8b95a1", "#c8553d"
HUES = (GOLD, WATER, "#2f9e86", "#9a6cc4", CLAY, "#7a8f2a")
"""Of things of a kind that are told apart."""
ROW, TALL, LINE = 30, 48, 14  # pixels of one bar or cell, of one arm, and of a line of text
NUMBERS = {"left": 5, "top": 5, "bottom": 5, "right": 32}  # room for the number behind the longest bar
SCALES = {"accuracy": (0.02, 1.0, ".0%", ".1%"), "loss": (0.02, float("inf"), ".2f", ".3f")}
"""Room beyond the outermost interval, the highest value, and how axis and tooltips write it."""


def charts(summary: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Chart name to spec; a chart whose numbers are unknown is left out. Histograms are `histogram-0`, `-1`, …"""
    drawn: dict[str, alt.TopLevelMixin | None] = {
        "result": _result(summary),
        "faults": _faults(summary),
        "signals": _signals(summary),
        "budgets": _budgets(summary),
        "curves": curve_chart(summary, curve_hues(summary)),
        "funnel": _funnel(summary),
    }
    drawn |= {f"histogram-{n}": _histogram(found) for n, found in enumerate(summary["histograms"])}
    return {name: chart.to_dict() for name, chart in drawn.items() if chart is not None}


def curve_hues(summary: Mapping[str, Any]) -> dict[str, str]:
    """The colours of the arms in the picture of training."""
    return arm_hues(summary, HUES, SILT)


def _result(summary: Mapping[str, Any]) -> alt.LayerChart | None:
    """Accuracy or loss: a point and its interval per arm, over small rings for the single seeds."""
    import altair as alt

    metric = summary["metric"]
    arms = [arm for arm in summary["arms"] if arm["low"] is not None]
    if not arms:
        return None
    controls = {d["against"] for d in summary["differences"]}
    rows = [
        {
            **_pick(arm, "arm", metric, "low", "high"),
            "control": arm["arm"] in controls,
            "label": percent(arm[metric]) if metric == "accuracy" else decimals(arm[metric]),
        }
        for arm in arms
    ]
    seeds = [{"arm": arm["arm"], "seed": n, "value": value} for n, arm in enumerate(arms) for value in arm["per_seed"]]
    colour = alt.condition(alt.datum.control, alt.value(SILT), alt.value(WATER))
    ends = [row[key] for row in rows for key in ("low", "high")] + [seed["value"] for seed in seeds]
    margin, most, tick, tip = SCALES[metric]
    room = alt.Scale(domain=[max(0.0, min(ends) - margin), min(most, max(ends) + margin)], nice=False, zero=False)
    axis = alt.Axis(format=tick, tickCount=5, labelFlush=False)
    y, x = alt.Y("arm:N", sort=None, title=None), alt.X(f"{metric}:Q", title=None, axis=axis, scale=room)
    tips = [alt.Tooltip("arm:N"), *[alt.Tooltip(f"{key}:Q", format=tip) for key in (metric, "low", "high")]]
    base = alt.Chart(alt.Data(values=rows)).encode(y=y, color=colour, tooltip=tips)
    rules = base.mark_rule(strokeWidth=3, strokeCap="round").encode(x=alt.X("low:Q"), x2="high:Q")
    points = base.mark_point(size=130, filled=True, opacity=1).encode(x=x)
    labels = alt.Chart(alt.Data(values=rows)).mark_text(dy=-14).encode(x=x, y=y, text="label:N")
    rings = alt.Chart(alt.Data(values=seeds)).mark_point(size=34, strokeWidth=1.2, color=SILT, yOffset=12)
    rings = rings.encode(x="value:Q", y=y, tooltip=[alt.Tooltip("arm:N"), alt.Tooltip("value:Q", format=tip)])
    means = [row for row in rows if row["control"]]
    mark = alt.Chart(alt.Data(values=means)).mark_rule(strokeDash=[4, 4], color=SILT).encode(x=f"{metric}:Q")
    return _sized(alt.layer(mark, rings, rules, points, labels), TALL * len(rows))


def _faults(summary: Mapping[str, Any]) -> alt.LayerChart | None:
    """Fault by arm: the darker, the larger its share of the rows."""
    import altair as alt

    if not summary["faults"]:
        return None
    columns = {"pool": summary["pool"]["faults"], **summary["faults"]}
    names = list(dict.fromkeys(fault for shares in columns.values() for fault in shares))
    rows = [
        {"arm": arm, "fault": fault, "share": shares.get(fault, 0.0), "label": percent(shares.get(fault, 0.0))}
        for arm, shares in columns.items()
        for fault in names
    ]
    colour = alt.condition(alt.datum.fault == "clean", alt.value(WATER), alt.value(CLAY))
    depth = alt.Opacity("share:Q", scale=alt.Scale(type="sqrt", domain=[0, 1], range=[0.04, 0.9]), legend=None)
    return _heat(rows, "arm", "fault", "share", colour, depth)


def _signals(summary: Mapping[str, Any]) -> alt.LayerChart | None:
    """Fault by signal: blue where the signal tells it from clean rows, red where it prefers it to clean rows."""
    import altair as alt

    rows = [
        {"signal": found["signal"], "fault": fault, "auroc": value, "label": decimals(value, 2)}
        for found in summary["signals"]
        for fault, value in {"all but duplicates": found["auroc"], **found["by_fault"]}.items()
        if value is not None
    ]
    if not rows:
        return None
    colour = alt.condition("datum.auroc >= 0.5", alt.value(WATER), alt.value(CLAY))
    depth = alt.Opacity("distance:Q", scale=alt.Scale(domain=[0, 0.5], range=[0.03, 0.85]), legend=None)
    rows = [{**row, "distance": abs(row["auroc"] - 0.5)} for row in rows]
    return _heat(rows, "signal", "fault", "auroc", colour, depth)


def _heat(rows: list[dict[str, Any]], x: str, y: str, value: str, colour: Any, depth: Any) -> alt.LayerChart:
    import altair as alt

    lines = max(len(row[x].split(" ")) for row in rows)
    padding = 6 + LINE * (lines - 1)
    axis = alt.Axis(
        orient="top",
        labelAngle=0,
        labelExpr="split(datum.label, ' ')",
        labelLimit=72,
        labelPadding=padding,
        domain=False,
        ticks=False,
    )
    across = alt.X(f"{x}:N", sort=None, title=None, axis=axis)
    down = alt.Y(f"{y}:N", sort=None, title=None)
    base = alt.Chart(alt.Data(values=rows)).encode(x=across, y=down)
    tips = [alt.Tooltip(f"{x}:N"), alt.Tooltip(f"{y}:N"), alt.Tooltip("label:N", title=value)]
    cells = base.mark_rect(cornerRadius=4).encode(color=colour, opacity=depth, tooltip=tips)
    return _sized(cells + base.mark_text(fontSize=11).encode(text="label:N"), ROW * len({row[y] for row in rows}))


def _budgets(summary: Mapping[str, Any]) -> alt.LayerChart | None:
    """Label tokens per arm."""
    import altair as alt

    rows = [_pick(arm, "arm", "label_tokens", "rows") for arm in summary["arms"] if arm["label_tokens"] is not None]
    return _bars(rows, "arm", "label_tokens", alt.value(GOLD), TALL) if rows else None


def _funnel(summary: Mapping[str, Any]) -> alt.LayerChart | None:
    """Rows left in blue, rows lost in red and rows added in gold, door by door."""
    import altair as alt

    flows = alt.Scale(domain=["left", "lost", "added"], range=[WATER, CLAY, GOLD])
    colour = alt.Color("flow:N", scale=flows, legend=None)
    return _bars(summary["funnel"], "step", "rows", colour, ROW) if summary["funnel"] else None


def _bars(rows: list[dict[str, Any]], y: str, x: str, colour: Any, height: int) -> alt.LayerChart:
    """Bars with their numbers behind them, which say more than an axis."""
    import altair as alt

    room = alt.Scale(domain=[0, max(row[x] for row in rows) or 1], nice=False)
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y(f"{y}:N", sort=None, title=None), x=alt.X(f"{x}:Q", scale=room, axis=None)
    )
    bars = base.mark_bar(cornerRadiusEnd=4, height=18).encode(color=colour)
    numbers = base.mark_text(align="left", dx=6).encode(text=alt.Text(f"{x}:Q", format=",.0f"))
    return _sized(bars + numbers, height * len(rows)).properties(padding=NUMBERS)


def _histogram(found: Mapping[str, Any]) -> alt.Chart:
    """Kept rows on top of dropped ones, bin by bin."""
    import altair as alt

    bins = list(zip(found["edges"], found["edges"][1:], found["kept"], found["dropped"], strict=False))
    rows = [
        {"from": low, "to": high, "rows": n, "start": start, "end": start + n, "fate": fate}
        for low, high, kept, dropped in bins
        for fate, n, start in (("kept", kept, 0), ("dropped", dropped, kept))
    ]
    fates = alt.Scale(domain=["kept", "dropped"], range=[GOLD, SILT])
    chart = alt.Chart(alt.Data(values=rows)).mark_bar(binSpacing=0.5)
    chart = chart.encode(
        x=alt.X("from:Q", bin="binned", title=None, axis=alt.Axis(tickCount=5, grid=False)),
        x2="to:Q",
        y=alt.Y("start:Q", title=None, axis=alt.Axis(tickCount=3)),
        y2="end:Q",
        color=alt.Color("fate:N", scale=fates, legend=None),
        tooltip=[alt.Tooltip("fate:N"), alt.Tooltip("rows:Q"), alt.Tooltip("from:Q"), alt.Tooltip("to:Q")],
    )
    return _sized(chart, 130)


def _pick(row: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: row[key] for key in keys}


def _sized(chart: Any, height: int) -> Any:
    """As wide as the page lets it be."""
    return chart.properties(width="container", height=height)
