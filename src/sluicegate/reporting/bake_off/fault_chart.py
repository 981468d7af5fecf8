"""What every signal finds, fault by fault."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sluicegate.reporting.bake_off.order import Summary, faults, signals
from sluicegate.reporting.charts import CLAY, ROW, WATER
from sluicegate.reporting.numbers import decimals

if TYPE_CHECKING:
    import altair as alt

ALL = "all faults"


def fault_chart(summary: Summary) -> alt.TopLevelMixin | None:
    """Signal by fault: the bluer, the surer the fault is found; red where the signal prefers it to clean rows."""
    import altair as alt

    cells = list(_cells(summary))
    if not cells:
        return None
    slanted = alt.Axis(orient="top", labelAngle=-35, labelAlign="left", labelPadding=4, domain=False, ticks=False)
    base = alt.Chart(alt.Data(values=cells)).encode(
        x=alt.X("fault:N", sort=[ALL, *faults(summary)], title=None, axis=slanted),
        y=alt.Y("signal:N", sort=None, title=None, axis=alt.Axis(labelLimit=240)),
    )
    squares = base.mark_rect(cornerRadius=4).encode(
        color=alt.condition(alt.datum.auroc >= 0.5, alt.value(WATER), alt.value(CLAY)),
        opacity=alt.Opacity("distance:Q", scale=alt.Scale(domain=[0, 0.5], range=[0.03, 0.85]), legend=None),
        tooltip=[alt.Tooltip("signal:N"), alt.Tooltip("fault:N"), alt.Tooltip("label:N", title="AUROC")],
    )
    drawn = squares + base.mark_text(fontSize=11).encode(text="label:N")
    return drawn.properties(width="container", height=ROW * len(summary["signals"]))


def _cells(summary: Summary) -> Iterator[dict[str, Any]]:
    for signal in signals(summary):
        for fault, auroc in {ALL: signal["auroc"], **(signal["by_fault"] or {})}.items():
            if auroc is not None:
                told = {"signal": signal["signal"], "fault": fault, "auroc": auroc, "label": decimals(auroc, 2)}
                yield told | {"distance": abs(auroc - 0.5)}
