"""Which shape a row has, and what its other columns say."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from sluicegate.data.shapes.base import Columns, Shape, Unfit
from sluicegate.data.shapes.columns import is_short, json_or_itself, kind, scalar_text
from sluicegate.registry import SHAPES

AUTO = "auto"


def find(row: Any, shape: str = AUTO) -> Shape:
    """The shape that was named, or the one that is recognised.

    Raises:
        Unfit: the row is no mapping, has no known shape, or not the columns of the one that was named.
    """
    if not isinstance(row, Mapping):
        raise Unfit(f"wrong type: a row is {kind(row)}, not an object with named columns")
    if shape == AUTO:
        return _recognised(row)
    named = made(shape)
    if missing := [name for name in named.columns if name not in row]:
        raise Unfit(f"no column: {missing[0]}")
    return named


def _recognised(row: Columns) -> Shape:
    for shape in _with_columns(tuple(row)):
        if shape.fits(row):
            return shape
    raise Unfit(f"no known shape: columns {', '.join(sorted(map(str, row))[:8]) or 'none'}")


@lru_cache(4096)
def _with_columns(names: tuple[str, ...]) -> tuple[Shape, ...]:
    """Every shape whose columns are among the names, the most telling first."""
    return tuple(shape for shape in _all() if set(shape.columns) <= set(names))


@cache
def _all() -> tuple[Shape, ...]:
    """More columns tell more; of as many, a shape that looks into them tells more than one that does not."""
    shapes = [made(name) for name in SHAPES.names()]
    return tuple(sorted(shapes, key=lambda s: (-len(s.columns), type(s).fits is Shape.fits)))


@cache
def made(name: str) -> Shape:
    """The shape of a name; `UnknownName` where there is none."""
    return SHAPES.get(name)()


def answer_beside(row: Columns, shape: Shape) -> str | None:
    """What stands in a column `answer` that the shape does not read."""
    return None if "answer" in shape.columns else scalar_text(row.get("answer"))


def config_of(shape: Shape, options: Any = None) -> Any:
    """The options, where they are those of this shape, or else its defaults."""
    return options if isinstance(options, shape.Config) else _defaults(shape.name)


@cache
def _defaults(name: str) -> Any:
    return made(name).Config()


def extras(row: Columns, shape: Shape) -> dict[str, Any]:
    """The short plain values of the columns the shape did not read; those inside a `meta` column stand beside them."""
    used = _used(shape.name)
    if "meta" in row and isinstance(inner := json_or_itself(row["meta"]), dict):
        row = {k: v for k, v in row.items() if k != "meta"} | inner
    return {str(k): v for k, v in row.items() if k not in used and is_short(v)}


@cache
def _used(name: str) -> frozenset[str]:
    shape = made(name)
    return frozenset((*shape.columns, *shape.optional, "answer"))
