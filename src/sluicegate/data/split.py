"""Train and test parts by hash: where a conversation goes depends on itself and the seed, never on other rows."""

from __future__ import annotations

import hashlib
from typing import Literal

from pydantic import Field

from sluicegate import config
from sluicegate.schema import content_id

Part = Literal["train", "test"]
OTHER_PART = "other part"


class Split:
    """Keeps one part; the same split with the other `part` keeps exactly the rest."""

    class Config(config.Config):
        part: Part = "train"
        """Which part to keep."""
        test_share: float = Field(0.1, gt=0, lt=1)
        """About how much of the rows is in the test part; a row in it stays in it when the share grows."""
        seed: int = 0
        """Another seed, another split."""

        @property
        def share(self) -> float:
            """About how much of the rows is kept."""
            return self.test_share if self.part == "test" else 1 - self.test_share

    def __init__(self, config: Config) -> None:
        self.config = config

    def part(self, record_id: str) -> Part:
        """The part of a record; copies of one conversation are never torn apart."""
        digest = hashlib.sha256(f"{self.config.seed}:{content_id(record_id)}".encode()).digest()
        return "test" if int.from_bytes(digest[:8], "big") < self.config.test_share * 2**64 else "train"

    def reason(self, record_id: str) -> str:
        """Why the record is left out; empty if it is in the part asked for."""
        part = self.part(record_id)
        return "" if part == self.config.part else f"{OTHER_PART}: {part}"
