"""One HTML file that holds everything it needs: data, charts, the Vega scripts and the style."""

from __future__ import annotations

from functools import cache

from sluicegate import __version__
from sluicegate.reporting import numbers
from sluicegate.reporting.charts import charts
from sluicegate.reporting.summary import Summary


def render(summary: Summary) -> str:
    """The page. Text from the data is escaped by Jinja, and as JSON inside scripts."""
    import jinja2

    loader = jinja2.PackageLoader("sluicegate.reporting", ".")
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    environment.trim_blocks = environment.lstrip_blocks = True
    template = environment.get_template("page.html.j2")
    return template.render(summary, charts=charts(summary), fmt=numbers, scripts=vega_scripts(), version=__version__)


@cache  # bundling takes a second
def vega_scripts() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, in the version Altair writes specs for; no network."""
    import altair
    import vl_convert

    expose = "Object.assign(window, {vegaEmbed});"
    return vl_convert.javascript_bundle(expose, altair.SCHEMA_VERSION.rsplit(".", 1)[0])
