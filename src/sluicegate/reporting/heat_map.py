"""Samples as one HTML file: the response coloured, and below it a heat map of layers by tokens, line by line.

No library draws it: a token is one element whose background is its column of layers, so that a long response of a
deep model stays a small page that wraps as its text does. The script in it only tells the numbers under the pointer.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from sluicegate import __version__
from sluicegate.reporting import numbers
from sluicegate.reporting.charts import CLAY, GOLD, WATER
from sluicegate.reporting.sample import Piece, Sample, visible
from sluicegate.reporting.templates import template

LINE = 116
"""Characters of token labels side by side; a wide one counts as two."""
NARROWEST = 2
"""Characters the column of one token takes at least."""
LONGEST = 20
"""Characters of a label; a longer one is cut."""
PICTURE, LOWEST_ROW, HIGHEST_ROW = 168, 5, 20
"""Pixels a line's layers share, and bounds of what one of them gets."""
LABEL = 13
"""Pixels the number of a layer needs."""


def render(samples: Sequence[Sample], scores_id: str) -> str:
    """The page of some samples."""
    told = {"fmt": numbers, "visible": visible, "version": __version__, "scores_id": scores_id}
    hues = {"water": WATER, "gold": GOLD, "clay": CLAY}
    return template("heat_map.html.j2").render(samples=[_drawn(sample) for sample in samples], hues=hues, **told)


def _drawn(sample: Sample) -> dict[str, Any]:
    """What the template needs of one sample."""
    row = min(HIGHEST_ROW, max(LOWEST_ROW, PICTURE // max(1, len(sample.layers))))
    return {
        "sample": sample,
        "row": row,
        "every": math.ceil(LABEL / row),
        "text": [[_coloured(sample, piece) for piece in turn] for turn in sample.turns],
        "lines": [line for turn in sample.turns for line in _staves(sample, turn)],
        "numbers": _numbers(sample),
    }


def _coloured(sample: Sample, piece: Piece) -> dict[str, Any]:
    return {"text": piece.text, "start": piece.start, "colour": _tint(sample.tone_of(piece) / sample.gate_reach)}


def _staves(sample: Sample, turn: Sequence[Piece]) -> Iterator[dict[str, Any]]:
    """A turn's lines of columns; all but the last are full, and stretched to the page's width."""
    lines = list(_lines(turn))
    for n, line in enumerate(lines, 1):
        yield {"columns": [_column(sample, piece) for piece in line], "full": n < len(lines)}


def _column(sample: Sample, piece: Piece) -> dict[str, Any]:
    """A label over its tokens, each with its layers and the height of its bar."""
    tokens = range(piece.start, piece.end)
    heights = [min(1.0, max(0.0, float(sample.nll[t]) / sample.nll_reach)) for t in tokens]
    bars = [{"token": t, "heat": _heat(sample, t), "height": h} for t, h in zip(tokens, heights, strict=True)]
    return {"label": _label(piece.text), "tokens": bars}


def _heat(sample: Sample, token: int) -> str:
    """The layers of one token from top to bottom, as a CSS gradient without transitions."""
    layers = sample.gates[:, token]
    if not len(layers):
        return "none"
    share = 100 / len(layers)
    stops = [f"{_tint(z / sample.gate_reach)} 0 {(n + 1) * share:.5g}%" for n, z in enumerate(layers)]
    return f"linear-gradient({', '.join(stops)})"


def _tint(share: float) -> str:
    """Blue above and red below zero, the fainter the nearer: it is laid over a bright page or a dark one."""
    if not math.isfinite(share):
        return "transparent"
    hue = (WATER if share >= 0 else CLAY).removeprefix("#")
    red, green, blue = (int(hue[i : i + 2], 16) for i in (0, 2, 4))
    return f"rgb({red} {green} {blue}/{min(1.0, abs(share)):.2f})"


def _label(text: str) -> str:
    """A piece as the head of its column; a space is only written where there is nothing else."""
    shown = visible(text).strip(" ") or "␣"
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"


def _lines(turn: Sequence[Piece]) -> Iterator[list[Piece]]:
    """A turn's pieces, as many side by side as a page is wide."""
    line: list[Piece] = []
    taken = 0
    for piece in turn:
        width = max(_width(_label(piece.text)) + 1, NARROWEST * (piece.end - piece.start))
        if line and taken + width > LINE:
            yield line
            line, taken = [], 0
        line.append(piece)
        taken += width
    if line:
        yield line


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _numbers(sample: Sample) -> dict[str, Any]:
    """What the pointer is told: text, nll and logits of every token; None for what is no number."""
    texts = [visible(piece.text) for piece in sample.pieces for _ in range(piece.start, piece.end)]
    parts = [
        f"{n + 1} of {piece.end - piece.start}" if piece.end - piece.start > 1 else ""
        for piece in sample.pieces
        for n in range(piece.end - piece.start)
    ]
    gates = [_rounded(layer) for layer in sample.gates]
    return {"texts": texts, "parts": parts, "nll": _rounded(sample.nll), "gates": gates, "layers": sample.layers}


def _rounded(values: Any) -> list[float | None]:
    return [round(float(value), 2) if math.isfinite(value) else None for value in values]
