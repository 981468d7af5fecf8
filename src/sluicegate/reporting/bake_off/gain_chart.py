"""How much better than its control every arm is, with intervals that hold all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sluicegate.reporting.bake_off.arm_columns import gain
from sluicegate.reporting.bake_off.order import Row, Summary, contestants
from sluicegate.reporting.charts import CLAY, SILT, WATER
from sluicegate.reporting.numbers import UNITS, mean

if TYPE_CHECKING:
    import altair as alt

HUES = {"better": WATER, "worse": CLAY, "within noise": SILT}
TICKS = {"accuracy": "+.0f", "loss": "+.2f"}
"""How the axis writes points and nats."""
ROW = 25
"""Pixels of an arm."""


def gain_chart(summary: Summary, budget: str) -> alt.TopLevelMixin | None:
    """A point and its interval per arm, the best first, hollow within noise; None where no gain is known."""
    import altair as alt

    metric = summary["metric"]
    rows = [_row(arm, metric) for arm in contestants(summary, budget) if arm["gain"]]
    if not rows:
        return None
    colours = alt.Scale(domain=list(HUES), range=list(HUES.values()))
    unit = UNITS[metric].split(" ")[0]
    x = alt.X("mean:Q", title=f"gain in {unit}", axis=alt.Axis(format=TICKS[metric], tickCount=7))
    y = alt.Y("arm:N", sort=None, title=None, axis=alt.Axis(labelLimit=240))
    base = alt.Chart(alt.Data(values=rows)).encode(x=x, y=y)
    bars = base.mark_rule(strokeWidth=3, strokeCap="round", opacity=0.55)
    bars = bars.encode(x=alt.X("low:Q"), x2="high:Q", color=alt.Color("verdict:N", scale=colours, legend=None))
    dots = base.mark_point(size=75, strokeWidth=2, opacity=1).encode(
        stroke=alt.Stroke("verdict:N", scale=colours, legend=None),
        fill=alt.condition(
            alt.datum.verdict == "within noise",
            alt.value("var(--card)"),
            alt.Fill("verdict:N", scale=colours, legend=None),
        ),
        tooltip=[alt.Tooltip(f"{key}:N") for key in ("arm", "against", "gain", "verdict")],
    )
    numbers = base.mark_text(align="left", dx=8).encode(text="label:N", x=alt.value("width"))
    zero = alt.Chart(alt.Data(values=[{"zero": 0}])).mark_rule(strokeWidth=1.5, color=SILT).encode(x="zero:Q")
    drawn = alt.layer(zero, bars, dots, numbers)
    return drawn.properties(width="container", height=ROW * len(rows))


def _row(arm: Row, metric: str) -> dict[str, Any]:
    """Accuracies are counted in points."""
    scale = 100 if metric == "accuracy" else 1
    interval = {key: scale * arm["gain"][key] for key in ("mean", "low", "high")}
    told = {key: arm[key] for key in ("arm", "against", "verdict")}
    return {**told, **interval, "gain": gain(arm, metric), "label": mean({"metric": metric, **arm["gain"]})}
