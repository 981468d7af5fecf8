"""What differs between two models: one sentence, a table for the terminal, and a page with a heat map."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sluicegate import __version__
from sluicegate.models.weight_names import GROUPS
from sluicegate.models.weights import Comparison, relative_change
from sluicegate.reporting.charts import CLAY, GOLD, ROW, WATER
from sluicegate.reporting.page import vega_scripts
from sluicegate.reporting.templates import template

if TYPE_CHECKING:
    from rich.table import Table

NO_LAYER = "-"
NONE = "·"


def sentence(found: Sequence[Comparison]) -> str:
    """What differs, as one would say it: `only the routers of layers 0-3 differ`."""
    differing = [c for c in found if c.verdict != "equal"]
    if not differing:
        return "nothing differs"
    if len(differing) == len(found):
        return f"everything differs{_manner(found)}"
    only = "only " if len(_groups(differing)) < len(_groups(found)) else ""
    return f"{only}{named(differing)} differ"


def named(found: Sequence[Comparison]) -> str:
    """The groups of weights with their layers; groups of the same layers go together."""
    alike = defaultdict(list)
    for group in _groups(found):
        alike[_where([c for c in found if c.group == group])].append(f"{group}{' weights' * (group == 'other')}")
    return _listed([f"the {_listed(groups)}{where}" for where, groups in alike.items()])


def _where(found: Sequence[Comparison]) -> str:
    """The layers of weights that differ, and what is particular about the way they do."""
    layers = sorted({c.layer for c in found if c.layer is not None})
    where = "" if not layers else f" of layer{'s' if len(layers) > 1 else ''} {_ranges(layers)}"
    return where + _manner(found)


def _manner(found: Sequence[Comparison]) -> str:
    verdicts = {c.verdict for c in found}
    return f" ({verdicts.pop()})" if len(verdicts) == 1 and "changed" not in verdicts else ""


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _ranges(numbers: Sequence[int]) -> str:
    """Sorted numbers with what follows on in one: 0, 1, 2, 5 as `0-2, 5`."""
    starts = [numbers[0], *(b for a, b in pairwise(numbers) if b - a > 1)]
    ends = [*(a for a, b in pairwise(numbers) if b - a > 1), numbers[-1]]
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True))


def cells(found: Sequence[Comparison]) -> dict[tuple[int | None, str], list[Comparison]]:
    """The weights of each layer and group; those of no layer last."""
    filled = defaultdict(list)
    for c in found:
        filled[c.layer, c.group].append(c)
    return dict(sorted(filled.items(), key=lambda item: math.inf if item[0][0] is None else item[0][0]))


def label(cell: Sequence[Comparison]) -> str:
    """`=`, the relative change, or what else tells the weights of a cell apart."""
    verdicts = {c.verdict for c in cell} - {"equal"}
    if not verdicts:
        return "="
    if change := relative_change(cell):
        return "from 0" if math.isinf(change) else f"{change:.2g}"
    return " + ".join(sorted(verdicts))


def difference_table(found: Sequence[Comparison]) -> Table:
    """Layer by group: how much B is away from A, as a share of A's Frobenius norm."""
    from rich import box
    from rich.table import Table

    filled, groups = cells(found), _groups(found)
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("layer", *groups):
        table.add_column(name, justify="right", no_wrap=name == "layer")
    for layer in dict.fromkeys(layer for layer, _ in filled):
        row = [label(filled[layer, group]) if (layer, group) in filled else NONE for group in groups]
        table.add_row(NO_LAYER if layer is None else str(layer), *row)
    return table


def page(found: Sequence[Comparison], a: str, b: str) -> str:
    """One HTML file that holds everything it needs: the sentence, the heat map and every weight that differs."""
    differing = [(c, label([c]), f"{c.largest:.2g}") for c in found if c.verdict != "equal"]
    told = {"a": a, "b": b, "sentence": sentence(found), "differing": differing, "weights": len(found)}
    return template("difference.html.j2").render(
        told, chart=heat_map(found), scripts=vega_scripts(), version=__version__
    )


def heat_map(found: Sequence[Comparison]) -> dict[str, Any]:
    """Layer by group as a Vega-Lite spec: the darker, the further away; gold where only one of the two has it."""
    import altair as alt

    filled = cells(found)
    rows = [
        {
            "layer": NO_LAYER if layer is None else str(layer),
            "group": group,
            "label": label(cell),
            "state": _state(cell),
        }
        | {"depth": _depth(cell)}
        for (layer, group), cell in filled.items()
    ]
    order = list(dict.fromkeys(str(row["layer"]) for row in rows))
    states = alt.Scale(domain=["equal", "changed", "apart"], range=[WATER, CLAY, GOLD])
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("group:N", sort=_groups(found), title=None, axis=alt.Axis(orient="top", labelAngle=0, domain=False)),
        y=alt.Y("layer:N", sort=order, title="layer"),
        tooltip=[alt.Tooltip("layer:N"), alt.Tooltip("group:N"), alt.Tooltip("label:N", title="change")],
    )
    cell = base.mark_rect(cornerRadius=4).encode(
        color=alt.Color("state:N", scale=states, legend=None),
        opacity=alt.Opacity("depth:Q", scale=alt.Scale(domain=[0, 1], range=[0.06, 0.9]), legend=None),
    )
    chart = cell + base.mark_text(fontSize=11).encode(text="label:N")
    return chart.properties(width="container", height=ROW * len(order)).to_dict()


def _state(cell: Sequence[Comparison]) -> str:
    """`apart` where there is nothing to subtract: in one of the two only, or of another shape."""
    verdicts = {c.verdict for c in cell} - {"equal"}
    return "equal" if not verdicts else "changed" if verdicts <= {"changed", "other dtype"} else "apart"


def _depth(cell: Sequence[Comparison]) -> float:
    """From 0 to 1 as a relative change goes from 1e-6 to 1 by orders of magnitude; 1 where there is none to tell."""
    if _state(cell) == "apart":
        return 1.0
    change = relative_change(cell)
    return 0.0 if not change else min(1.0, max(0.1, 1 + math.log10(min(change, 1.0)) / 6))


def _groups(found: Sequence[Comparison]) -> list[str]:
    """The groups there are, in the order they are always named."""
    return [group for group in GROUPS if any(c.group == group for c in found)]
