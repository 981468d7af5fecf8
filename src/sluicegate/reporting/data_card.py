"""The picture beside a data card: how long the rows are, kept and not, by language.

Plain SVG and no chart library: every preparation ends in it, so it takes milliseconds where a library takes a second,
it is the same to the byte everywhere, and it follows a reader's dark mode.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sluicegate.data.tally import KEPT, NO_SIZE, SIZES, Tally
from sluicegate.reporting.charts import GOLD, SILT, WATER
from sluicegate.reporting.numbers import count
from sluicegate.reporting.templates import template

HUES = {"en": WATER, "zh": GOLD, "other": SILT}
LOST = "lost"
COLUMN, GAP, TALL = 52, 8, 180
"""Pixels of a bar, of the room between two, and of the tallest."""


@dataclass(frozen=True)
class Piece:
    """A part of a bar, in pixels from the foot of the bars."""

    name: str
    rows: int
    low: float
    high: float


def lengths_svg(tally: Tally) -> str:
    """Rows by length as SVG: kept ones in the colour of their language, and on top those that were not kept."""
    cells = tally.over("size", "lang", "fate")
    sizes = sorted({size for size, _, _ in cells if size != NO_SIZE})
    heights = {size: sum(n for (at, _, _), n in cells.items() if at == size) for size in sizes}
    bars = [
        {"label": _label(size), "rows": count(heights.get(size, 0)), "pieces": _pieces(cells, size, heights)}
        for size in (range(sizes[0], sizes[-1] + 1) if sizes else [])
    ]
    unit = f"tokens, as {tally.tokenizer} counts them" if tally.tokenizer else "tokens, guessed from the characters"
    langs = [lang for lang in HUES if any(found == lang and fate == KEPT for _, found, fate in cells)]
    size = {"column": COLUMN, "gap": GAP, "tall": TALL}
    return template("data_card.svg.j2").render(bars=bars, langs=langs, hues=HUES, lost=LOST, unit=unit, **size)


def _pieces(cells: Counter[tuple[Any, ...]], size: int, heights: dict[int, int]) -> list[Piece]:
    """The parts of one bar, from its foot up."""
    scale, low, found = TALL / max(heights.values()), 0.0, []
    for name, rows in _parts(cells, size):
        found.append(Piece(name, rows, low, low + rows * scale))
        low += rows * scale
    return found


def _parts(cells: Counter[tuple[Any, ...]], size: int) -> Iterator[tuple[str, int]]:
    """Rows of one length: those kept in each language, then all that were not."""
    for lang in HUES:
        if rows := cells[size, lang, KEPT]:
            yield lang, rows
    if rows := sum(n for (at, _, fate), n in cells.items() if at == size and fate != KEPT):
        yield LOST, rows


def _label(size: int) -> str:
    return f"≤ {SIZES[size]}" if size < len(SIZES) else f"> {SIZES[-1]}"
