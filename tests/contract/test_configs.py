"""No number in a config is unbounded: what cannot work is refused before anything is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

import pytest
from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from sluicegate.config import Config
from sluicegate.reference import block_in
from sluicegate.registry import RULES, SIGNALS, STAGES

FREE = {"seed", "draw", "at_least"}
"""Every number will do."""
RISING = {"bounds", "buckets"}
"""Lists of numbers that a validator holds as a whole: see `data/buckets.py`."""


def fields(block: type[Config], where: str) -> Iterator[tuple[str, FieldInfo]]:
    """Every field of a block and of the blocks in it, by its dotted key."""
    for name, info in block.model_fields.items():
        yield f"{where}.{name}", info
        if inner := block_in(info.annotation):
            yield from fields(inner, f"{where}.{name}")


def is_number(annotation: Any) -> bool:
    """Whether a number may stand there that nothing inside the annotation bounds, as that in `dict[str, Weight]` is."""
    if get_origin(annotation) is Annotated:
        return False
    return annotation in (int, float) or any(map(is_number, get_args(annotation)))


def unbounded(block: type[Config], where: str) -> list[str]:
    numbers = {key: info for key, info in fields(block, where) if is_number(info.annotation)}
    loose = [key for key, info in numbers.items() if not any(isinstance(m, Ge | Gt | Le | Lt) for m in info.metadata)]
    return [key for key in loose if key.rpartition(".")[2] not in FREE | RISING]


@pytest.mark.parametrize(("noun", "name"), [(r.noun, name) for r in (STAGES, SIGNALS, RULES) for name in r.names()])
def test_every_number_has_a_bound(noun: str, name: str) -> None:
    registry = next(r for r in (STAGES, SIGNALS, RULES) if r.noun == noun)
    assert unbounded(registry.get(name).Config, name) == []


def test_the_check_finds() -> None:
    class Inner(Config):
        rate: float | None = None

    class Outer(Config):
        steps: int = 1
        seed: int = 0
        name: str = ""
        inner: list[Inner] = []

    assert unbounded(Outer, "outer") == ["outer.steps", "outer.inner.rate"]
