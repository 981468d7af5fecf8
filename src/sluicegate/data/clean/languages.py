"""The languages that are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from sluicegate.data.clean.base import Cleaner
from sluicegate.schema import Lang, Message


class Languages(Cleaner):
    """Sets rows of other languages aside; a row's language is that of what its assistant says (`data/language.py`)."""

    name = "languages"
    order = 60

    class Config(Cleaner.Config):
        short: ClassVar[str] = "keep"
        keep: list[Lang] = Field(min_length=1)
        """Those that stay: zh, en, other."""

    def reason(self, turns: Sequence[Message], lang: str) -> str:
        """The row's language, where it is not wanted."""
        return "" if lang in self.config.keep else f"language: {lang}"
