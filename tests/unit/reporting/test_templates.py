from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from sluicegate.reporting.templates import template

GIVEN = {"charts": {"<b>": {}}, "name": "<b>", "title": '"</script>', "note": ""}


def test_text_is_escaped_in_a_macro_too() -> None:
    figure = template("figure.html.j2").make_module({"charts": GIVEN["charts"]}).figure  # type: ignore[attr-defined]
    drawn = figure("<b>", '"</script>', "a & b")
    assert "<b>" not in drawn
    assert 'data-title="&#34;&lt;/script&gt;"' in drawn
    assert "a &amp; b" in drawn
    assert not figure("another", "", "").strip()


def test_a_name_it_is_not_given_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="title"):
        template("base.html.j2").render()
