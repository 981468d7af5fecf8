"""What a tuning does when it diverges."""

from __future__ import annotations

from pydantic import Field

from sluicegate.config import Config


class GuardConfig(Config):
    """Go back to the last good checkpoint with a lower learning rate where a loss is no number, or leaps."""

    spike: float | None = Field(default=None, gt=1)
    """A step's loss that is this many times the median of the last `window` steps is a leap. Null: leaps may be."""
    window: int = Field(default=50, ge=2)
    """Steps of that median; before there are as many, nothing is a leap."""
    rewinds: int = Field(default=2, ge=0)
    """How often it goes back before it gives up."""
    lower: float = Field(default=0.5, gt=0, lt=1)
    """What the learning rate is multiplied by each time."""
