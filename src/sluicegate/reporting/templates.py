"""The pages' templates; text from the data is escaped by Jinja, and as JSON inside scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jinja2


def template(name: str) -> jinja2.Template:
    """A template of this folder. A name it is not given is an error."""
    import jinja2

    loader = jinja2.PackageLoader("sluicegate.reporting", ".")
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    environment.trim_blocks = environment.lstrip_blocks = True
    return environment.get_template(name)
