"""A previewed row for the terminal: coloured where there are colours, and as readable where there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluicegate.reporting.charts import WATER
from sluicegate.reporting.numbers import count
from sluicegate.reporting.preview import TAIL, Part, Piece, View

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

LABEL = "#000000 on #f2d6a2"
STYLES = {"label": LABEL, "special": f"bold {WATER}", "cut": "dim strike"}


def preview_text(view: View, colours: bool) -> RenderableType:
    """Facts, and under them every part of the row.

    Args:
        view: the row.
        colours: whether the terminal has any; label tokens stand in ⟦⟧ where it has none.
    """
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    shown: list[RenderableType] = [Text(" · ".join(facts(view)), style="bold")]
    for part in view.parts:
        if part.title:
            shown.append(Text("\n" + " · ".join([part.title, *part_facts(part)]), style="bold"))
        shown.append(Padding(_tokens(part, colours) if part.tokens is not None else _turns(part), (0, 0, 0, 2)))
    return Group(*shown)


def facts(view: View) -> list[str]:
    """What there is to say of a row; of a pair each part has its own numbers."""
    numbers = part_facts(view.parts[0]) if len(view.parts) == 1 else []
    return [view.id, view.source, view.lang, *numbers]


def part_facts(part: Part) -> list[str]:
    """Its tokens, how many a loss sees, and how many are cut off; a prompt is not there to have labels."""
    if part.tokens is None:
        return []
    labels = f"{count(part.labels)} of them labels" if part.labels else "no label among them"
    cut = [f"{count(part.cut)} cut off"] if part.cut else []
    return [f"{count(part.tokens)} tokens", *([labels] if part.title != "prompt" else []), *cut]


def _turns(part: Part) -> Text:
    """Turn by turn, each under its role."""
    from rich.text import Text

    turns = [
        Text.assemble((f"{piece.role}\n", f"bold {WATER}"), (piece.text, LABEL if piece.role == "assistant" else ""))
        for piece in part.pieces
    ]
    return Text("\n\n").join(turns)


def _tokens(part: Part, colours: bool) -> Text:
    """All tokens in a row, line breaks to be seen, scissors where they are cut."""
    from rich.text import Text

    text, inside, cut = Text(), False, False
    for piece in part.pieces:
        if not colours and piece.label != inside:
            text.append("⟦" if piece.label else "⟧")
        if piece.cut and not cut:
            text.append("✂", "bold")
        inside, cut = piece.label, piece.cut
        text.append(breaks(piece.text), _style(piece))
    if inside and not colours:
        text.append("⟧")
    return text.append(" …", "dim") if part.cut > TAIL else text


def _style(piece: Piece) -> str:
    return " ".join(STYLES[look] for look in reversed(piece.looks))


def breaks(text: str) -> str:
    """Text whose line breaks and tabs are seen as well as obeyed."""
    return text.replace("\r", "␍").replace("\n", "↵\n").replace("\t", "⇥\t")
