"""The pictures of a bake-off as Vega-Lite specs, drawn from its summary alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sluicegate.reporting.bake_off.cost_chart import cost_chart
from sluicegate.reporting.bake_off.fault_chart import fault_chart
from sluicegate.reporting.bake_off.gain_chart import gain_chart
from sluicegate.reporting.bake_off.order import Summary, budgets

if TYPE_CHECKING:
    import altair as alt


def charts(summary: Summary) -> dict[str, dict[str, Any]]:
    """Name to spec: `cost-0` and `gains-0` of the first budget, `-1`, …, and `faults`; without those of the unknown."""
    drawn: dict[str, alt.TopLevelMixin | None] = {"faults": fault_chart(summary)}
    for n, budget in enumerate(budgets(summary)):
        drawn |= {f"cost-{n}": cost_chart(summary, budget), f"gains-{n}": gain_chart(summary, budget)}
    return {name: chart.to_dict() for name, chart in drawn.items() if chart is not None}
