"""What a shape is: one published layout of rows, from the columns of a row to a conversation or a preference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, TypeAlias

from sluicegate import config
from sluicegate.schema import Message

Columns: TypeAlias = Mapping[str, Any]


class Unfit(Exception):
    """Why a row is set aside: `kind: detail`, where rows are counted by the kind."""


@dataclass(frozen=True)
class Conversation:
    """What a shape reads off a row: its turns, and the final answer that can be checked, where it has one."""

    messages: list[Message]
    answer: str | None = None
    meta: dict[str, Any] = field(default_factory=dict)
    """What it says beside the plain short columns, which become `meta` by themselves."""


@dataclass(frozen=True)
class Preference:
    """What a shape of pairs reads off a row: what was asked, and a better and a worse answer."""

    prompt: list[Message]
    chosen: list[Message]
    rejected: list[Message]
    meta: dict[str, Any] = field(default_factory=dict)


class Shape:
    """Subclass it, say which `columns` its rows have, write `read`; `fits` where the columns alone do not tell."""

    name: ClassVar[str]
    columns: ClassVar[tuple[str, ...]]
    """A row of this shape has them all. Of two shapes that fit a row, the one with more columns is meant."""
    optional: ClassVar[tuple[str, ...]] = ()
    """Others that it reads where they are."""

    class Config(config.Config):
        """What it can be told; subclasses inherit from this one."""

    def fits(self, row: Columns) -> bool:
        """Whether a row that has the columns is of this shape."""
        return True

    def read(self, row: Columns, config: Any) -> Conversation | Preference:
        """What a row says.

        Raises:
            Unfit: a column is missing or of a wrong type, or the config leaves such rows out.
        """
        raise NotImplementedError


class Found(NamedTuple):
    """One of several things that some rows say together."""

    read: Conversation | Preference | Unfit
    rows: tuple[int, ...]
    """The numbers of the rows it draws on; it is placed at the last."""


class Several(Shape):
    """A shape whose rows say several things, each alone or, where it `gathers`, together: write `read_all`."""

    gathers: ClassVar[str] = ""
    """The column whose equal values mark the rows that are read together."""

    def read_all(self, rows: Sequence[Columns], config: Any) -> Iterator[Found]:
        """All that the rows say. A row no one draws on is found as `Unfit`, with the reason."""
        raise NotImplementedError
