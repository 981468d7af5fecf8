"""The bake-off as one HTML file that holds everything it needs."""

from __future__ import annotations

from sluicegate import __version__
from sluicegate.data.world.faults import CLEAN
from sluicegate.reporting import numbers
from sluicegate.reporting.bake_off import order
from sluicegate.reporting.bake_off.arm_columns import arm_columns
from sluicegate.reporting.bake_off.caveats import caveats
from sluicegate.reporting.bake_off.charts import charts
from sluicegate.reporting.bake_off.cost_chart import rule_colours
from sluicegate.reporting.bake_off.meanings import meanings
from sluicegate.reporting.bake_off.order import Summary
from sluicegate.reporting.bake_off.signal_columns import reasons, signal_columns
from sluicegate.reporting.page import vega_scripts
from sluicegate.reporting.templates import template


def page(summary: Summary) -> str:
    """The advice, the pictures, tables that sort by any column, and what is to be kept in mind."""
    pool = summary["pool"]
    told = {
        "clean_share": pool["faults"].get(CLEAN, 0) / max(pool["rows"], 1),
        "arm_columns": arm_columns(summary) if summary["arms"] else [],
        "signal_columns": signal_columns(summary),
        "unscored": reasons(order.signals(summary)),
        "colours": rule_colours(summary),
        "meanings": meanings(summary),
        "caveats": caveats(summary),
        "charts": charts(summary),
    }
    machinery = {"fmt": numbers, "order": order, "scripts": vega_scripts(), "version": __version__}
    return template("bake_off/page.html.j2").render(summary, summary=summary, **told, **machinery)
