"""One HTML file that holds everything it needs: data, charts, the Vega scripts and the style."""

from __future__ import annotations

from functools import cache

from sluicegate import __version__
from sluicegate.reporting import numbers
from sluicegate.reporting.charts import charts, curve_hues
from sluicegate.reporting.pairwise import Comparison, words
from sluicegate.reporting.summary import Summary
from sluicegate.reporting.templates import template


def render(summary: Summary, comparison: Comparison | None = None) -> str:
    """The page of a report; question by question too where the replies are known."""
    told = {"charts": charts(summary), "hues": curve_hues(summary), "fmt": numbers}
    told |= {"comparison": comparison, "words": words}
    told |= {"scripts": vega_scripts(), "version": __version__}
    return template("page.html.j2").render(summary, **told)


@cache  # bundling takes a second
def vega_scripts() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, in the version Altair writes specs for; no network."""
    import altair
    import vl_convert

    expose = "Object.assign(window, {vegaEmbed});"
    return vl_convert.javascript_bundle(expose, altair.SCHEMA_VERSION.rsplit(".", 1)[0])
