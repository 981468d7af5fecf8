"""Previewed rows as one HTML file that holds everything it needs and runs no script."""

from __future__ import annotations

from collections.abc import Sequence

from sluicegate import __version__
from sluicegate.reporting.preview import TAIL, View
from sluicegate.reporting.preview_text import breaks, facts, part_facts
from sluicegate.reporting.templates import template


def preview_page(views: Sequence[View], data: str, model: str = "") -> str:
    """The page.

    Args:
        views: the rows.
        data: what they are from.
        model: what reads them; if empty they are shown turn by turn.
    """
    told = {"breaks": breaks, "facts": facts, "part_facts": part_facts, "tail": TAIL, "version": __version__}
    return template("preview.html.j2").render(views=views, data=data, model=model, **told)
