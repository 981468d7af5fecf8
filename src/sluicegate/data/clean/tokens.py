"""Length in tokens: counted where a tokenizer is named, guessed from the characters where none is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from sluicegate.data.clean.base import Cleaner
from sluicegate.data.lengths import guessed_tokens
from sluicegate.errors import MissingError
from sluicegate.schema import Message


class Tokens(Cleaner):
    """Sets rows aside that are too short or too long. Only what the turns say is counted, not a chat template."""

    name = "tokens"
    order = 70

    class Config(Cleaner.Config):
        short: ClassVar[str] = "max"
        max: int | None = Field(None, gt=0)
        """Tokens a conversation may have at most."""
        min: int | None = Field(None, gt=0)
        """Tokens it must have."""
        tokenizer: Path | None = None
        """A `tokenizer.json`, or the folder of a model with one; without it tokens are guessed, by language."""

    def count(self, turns: Sequence[Message], lang: str) -> int:
        """Tokens of a conversation."""
        said = [turn["content"] for turn in turns]
        if self.config.tokenizer is None:
            return guessed_tokens(sum(map(len, said)), lang)
        return sum(map(len, self._tokenizer.encode_batch_fast(said, add_special_tokens=False)))

    def reason(self, turns: Sequence[Message], lang: str) -> str:
        """The length, where it is out of bounds."""
        n, told = self.count(turns, lang), "tokens" if self.config.tokenizer else "tokens by a guess"
        if self.config.min and n < self.config.min:
            return f"too short: {n:,} {told}, min is {self.config.min:,}"
        if self.config.max and n > self.config.max:
            return f"too long: {n:,} {told}, max is {self.config.max:,}"
        return ""

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        made = Tokenizer.from_file(str(tokenizer_file(self.config.tokenizer)))
        made.no_truncation()
        made.no_padding()
        return made


def tokenizer_file(path: Path) -> Path:
    """The `tokenizer.json` that a path means; `MissingError` if there is none."""
    found = path / "tokenizer.json" if path.is_dir() else path
    if not found.is_file():
        raise MissingError(f"no tokenizer {found}", "name a tokenizer.json, or the folder of a model that has one")
    return found
