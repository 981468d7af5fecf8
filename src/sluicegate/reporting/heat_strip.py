"""A sample for the terminal: coloured where there are colours, and as readable where there are none."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from sluicegate.reporting.charts import CLAY, WATER
from sluicegate.reporting.numbers import NONE, decimals, percent
from sluicegate.reporting.sample import Numbers, Sample, Standing, visible

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

BLOCKS = "▁▂▃▄▅▆▇█"
BROKEN = "×"
"""A number that is none."""
MOST_BANDS = 12
"""Lines of the picture; a deeper model has the mean of neighbouring layers in each."""
PALEST = 0.08
"""Share of the full colour under which a token is left as it is."""


def heat_strip(sample: Sample, width: int) -> RenderableType:
    """Facts, prompt, scores, the coloured response, a line of blocks per layer, and the lowest tokens."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    def part(title: str, content: RenderableType) -> list[RenderableType]:
        return [Text(f"\n{title}", style="bold"), Padding(content, (0, 0, 0, 2))]

    shown: list[RenderableType] = [Text(_facts(sample), style="bold")]
    shown += part("prompt", Text(sample.prompt or NONE))
    shown += part("scores", _scores(sample.standings))
    if not sample.pieces:
        return Group(*shown, *part("response", Text("no response token was read")))
    shown += part(f"response, coloured by {sample.tone_name}", _response(sample))
    shown += part(_picture_title(sample), Text("\n").join(_picture(sample, width - 2)))
    shown += part(f"lowest {sample.tone_name}", _lowest(sample))
    return Group(*shown)


def _facts(sample: Sample) -> str:
    cut = f" · {sample.truncated:,} tokens cut off" if sample.truncated else ""
    sizes = f"{len(sample.nll):,} response tokens · {len(sample.gates)} gated layers"
    return f"{sample.id} · {sample.source} · {sample.lang} · {sizes}{cut}"


def _scores(standings: list[Standing]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("signal")
    for name in ("score", "rank", "better than"):
        table.add_column(name, justify="right", no_wrap=True)
    for found in standings:
        if found.value is None:
            table.add_row(Text(found.signal), NONE, NONE, Text(found.why))
        else:
            rank = f"{found.higher + 1:,} of {found.scored:,}"
            table.add_row(Text(found.signal), decimals(found.value), rank, percent(found.lower / found.scored))
    return table


def _response(sample: Sample) -> Text:
    from rich.text import Text

    text = Text()
    for n, turn in enumerate(sample.turns):
        text.append("\n\n" if n else "")
        for piece in turn:
            text.append(piece.text, _paint(sample.tone_of(piece) / sample.gate_reach))
    return text


def _picture_title(sample: Sample) -> str:
    gate = f"gate logits from −{sample.gate_reach:.1f} {BLOCKS[0]} to {BLOCKS[-1]} +{sample.gate_reach:.1f}; "
    return f"{gate if len(sample.gates) else ''}nll from 0 {BLOCKS[0]} to {BLOCKS[-1]} {sample.nll_reach:.1f}"


def _picture(sample: Sample, width: int) -> Iterator[Text]:
    """For each stretch of tokens that fits the screen a line per band of layers, and one for the nll."""
    from rich.text import Text

    bands = [band for band in np.array_split(np.arange(len(sample.gates)), MOST_BANDS) if len(band)]
    names = [_band_name([sample.layers[layer] for layer in band]) for band in bands]
    gutter = max(len(name) for name in [*names, "layer", "nll"]) + 1
    room = max(10, width - gutter)
    for start in range(0, len(sample.nll), room):
        here = slice(start, start + room)
        n_tokens = len(sample.nll[here])
        yield Text(
            f"{'layer' if bands else '':>{gutter - 1}} tokens {start + 1:,} to {start + n_tokens:,}", style="dim"
        )
        for name, band in zip(names, bands, strict=True):
            values = sample.gates[band, here].mean(0) / sample.gate_reach
            yield _line(name, gutter, (values + 1) / 2, [_hue(value) for value in values])
        yield _line("nll", gutter, sample.nll[here] / sample.nll_reach, ["yellow"] * n_tokens)


def _band_name(numbers: list[int]) -> str:
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}–{numbers[-1]}"


def _line(name: str, gutter: int, shares: Numbers, hues: list[str]) -> Text:
    from rich.text import Text

    line = Text(f"{name:>{gutter - 1}} ", no_wrap=True)
    for share, hue in zip(shares, hues, strict=True):
        line.append(_block(float(share)), hue)
    return line


def _block(share: float) -> str:
    """A share of the full height, cut to 0 and 1."""
    if math.isnan(share):
        return BROKEN
    return BLOCKS[round(min(1.0, max(0.0, share)) * (len(BLOCKS) - 1))]


def _lowest(sample: Sample) -> Table:
    """The pieces with the lowest tone, each with the text it stands in."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in ("token", sample.tone_name, "nll"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("where", overflow="fold")
    for piece, before, after in sample.lowest():
        where = Text.assemble((before, "dim"), "⟦", (visible(piece.text), "bold"), "⟧", (after, "dim"))
        numbers = [decimals(sample.tone_of(piece), 2), decimals(sample.nll_of(piece), 2)]
        table.add_row(str(piece.start + 1), *numbers, where)
    return table


def _hue(share: float) -> str:
    return WATER if share >= 0 else CLAY


def _paint(share: float) -> str:
    """Black on the hue, the paler the smaller the share; as it is near zero."""
    depth = min(1.0, abs(share))
    if not depth > PALEST:
        return ""
    hue = _hue(share).removeprefix("#")
    mixed = [round(255 + (int(hue[i : i + 2], 16) - 255) * (0.15 + 0.85 * depth)) for i in (0, 2, 4)]
    return "#000000 on #{:02x}{:02x}{:02x}".format(*mixed)
