"""Train, valid and test parts by hash: where a conversation goes depends on itself and the seed, never on other rows.

So it stays where it is when rows are added, and every source, language and level is divided alike, each to within what
chance does to its own number of rows. Dividing each exactly would move rows whenever one is added.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from sluicegate import config
from sluicegate.schema import content_id

Part = Literal["train", "valid", "test"]
OTHER_PART = "other part"


class Split:
    """Keeps one part; the same split with the other `part`s keeps exactly the rest."""

    class Config(config.Config):
        part: Part = "train"
        """Which part to keep."""
        test_share: float = Field(0.1, gt=0, lt=1)
        """About how much of the rows is in the test part; a row in it stays in it when the share grows.
        `shares: "8:1:1"` is short for this and the next: train, valid and test, in any unit."""
        valid_share: float = Field(0.0, ge=0, lt=1)
        """About how much of them is in the valid part."""
        seed: int = 0
        """Another seed, another split."""

        @model_validator(mode="before")
        @classmethod
        def _from_shares(cls, given: Any) -> Any:
            if not isinstance(given, Mapping) or "shares" not in given:
                return given
            return {key: value for key, value in given.items() if key != "shares"} | _shares(given["shares"])

        @model_validator(mode="after")
        def _leave_some_to_train(self) -> Split.Config:
            if self.test_share + self.valid_share >= 1:
                raise ValueError("`test_share` and `valid_share` leave nothing to train on")
            if self.part == "valid" and not self.valid_share:
                raise ValueError("there is no valid part where `valid_share` is 0")
            return self

        @property
        def share(self) -> float:
            """About how much of the rows is kept."""
            shares = {"test": self.test_share, "valid": self.valid_share}
            return shares.get(self.part, 1 - self.test_share - self.valid_share)

    def __init__(self, config: Config) -> None:
        self.config = config

    def part(self, record_id: str) -> Part:
        """The part of a record; copies of one conversation are never torn apart."""
        digest = hashlib.sha256(f"{self.config.seed}:{content_id(record_id)}".encode()).digest()
        at = int.from_bytes(digest[:8], "big")
        if at < self.config.test_share * 2**64:
            return "test"
        return "valid" if at < (self.config.test_share + self.config.valid_share) * 2**64 else "train"

    def reason(self, record_id: str) -> str:
        """Why the record is left out; empty if it is in the part asked for."""
        part = self.part(record_id)
        return "" if part == self.config.part else f"{OTHER_PART}: {part}"


def _shares(given: Any) -> dict[str, float]:
    """`8:1:1`, or a list of three numbers, as shares of the whole."""
    try:
        parts = [float(part) for part in (given.split(":") if isinstance(given, str) else given)]
    except (TypeError, ValueError):
        parts = []
    if len(parts) != 3 or min(parts) < 0 or sum(parts) <= 0:
        raise ValueError(f"`shares` are three numbers for train, valid and test, as 8:1:1, not {given!r}")
    return {"valid_share": parts[1] / sum(parts), "test_share": parts[2] / sum(parts)}
