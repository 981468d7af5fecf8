from __future__ import annotations

from typing import ClassVar

import pytest

from sluicegate.registry import STAGES
from sluicegate.schema import Kind
from sluicegate.stages.base import Stage
from sluicegate.testing import check_declared


@pytest.mark.parametrize("name", STAGES.names())
def test_every_stage_declares_what_it_takes_makes_and_can_be_told(name: str) -> None:
    stage = STAGES.get(name)
    assert stage.name == name
    check_declared(stage)


class MakesPoems(Stage):
    makes: ClassVar[Kind] = "poem"  # type: ignore[assignment]


class TakesTwice(Stage):
    makes: ClassVar[Kind] = "report"
    takes: ClassVar[dict[str, Kind]] = {"data": "messages"}
    may_take: ClassVar[dict[str, Kind]] = {"data": "pairs"}


class KeyLikeAnInput(Stage):
    makes: ClassVar[Kind] = "report"
    takes: ClassVar[dict[str, Kind]] = {"data": "messages"}

    class Config(Stage.Config):
        data: str = ""
        """A name that is taken."""


@pytest.mark.parametrize(
    ("stage", "broken"),
    [(MakesPoems, "a kind is one of"), (TakesTwice, "no name twice"), (KeyLikeAnInput, "no name twice")],
)
def test_the_check_finds(stage: type[Stage], broken: str) -> None:
    with pytest.raises(AssertionError, match=broken):
        check_declared(stage)
