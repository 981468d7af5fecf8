"""The page's picture of training: the loss of every arm against the steps."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import altair as alt

HEIGHT = 260


def arm_hues(summary: Mapping[str, Any], hues: tuple[str, ...], control: str) -> dict[str, str]:
    """The colour of every arm that has a curve; the control is told from the others by its own."""
    controls = {found["against"] for found in summary["differences"]}
    names = dict.fromkeys(curve["arm"] for curve in summary["curves"])
    others = cycle(hues)
    return {name: control if name in controls else next(others) for name in names}


def curve_chart(summary: Mapping[str, Any], hues: Mapping[str, str]) -> alt.TopLevelMixin | None:
    """Lines of what is trained on, and dashed ones with dots of what is held out."""
    import altair as alt

    rows = [
        {"arm": curve["arm"], "split": curve["split"].replace("_", " "), "step": step, "loss": loss}
        for curve in summary["curves"]
        for step, loss in curve["points"]
    ]
    if not rows:
        return None
    colour = alt.Color("arm:N", scale=alt.Scale(domain=[*hues], range=[*hues.values()]), legend=None)
    tips = [alt.Tooltip("arm:N"), alt.Tooltip("split:N"), alt.Tooltip("step:Q"), alt.Tooltip("loss:Q", format=".3f")]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("step:Q", title="optimizer steps", axis=alt.Axis(grid=False, tickCount=6)),
        y=alt.Y("loss:Q", title=None, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=5, grid=True)),
        color=colour,
        tooltip=tips,
    )
    trained = base.transform_filter("datum.split === 'train'").mark_line(strokeWidth=2)
    held_out = base.transform_filter("datum.split !== 'train'")
    dots = held_out.mark_point(filled=True, size=40, opacity=1)
    return alt.layer(trained, held_out.mark_line(strokeDash=[5, 4]), dots).properties(width="container", height=HEIGHT)
