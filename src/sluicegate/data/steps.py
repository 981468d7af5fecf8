"""The steps of a preparation, and at which of them a row is lost for what reason."""

from __future__ import annotations

from functools import cache

from sluicegate.data.decontaminate import CONTAMINATED
from sluicegate.data.split import OTHER_PART

STEPS = {
    "read": (),
    "shape": (),
    "clean": (
        *("no assistant turn", "empty turn", "turn order", "too long", "too short"),
        *("lost characters", "repetition", "language", "same continuations"),
    ),
    "dedup": ("duplicate", "near duplicate"),
    "exclude": ("in the ",),
    "decontaminate": (CONTAMINATED,),
    "split": (OTHER_PART,),
    "mix": (),
}
"""The steps in order, each with how its reasons begin. What the reader gives a reason is lost at `read`; of what no
beginning fits, a row that never became a record is lost at `shape`, and a record at `mix`."""


@cache
def step_of(kind: str, unread: bool, record: bool) -> str:
    """The step at which rows with a kind of reason are lost.

    Args:
        unread: whether it was the reader that gave the reason.
        record: whether the row had become a record.
    """
    if unread:
        return "read"
    named = (step for step, beginnings in STEPS.items() if beginnings and kind.startswith(beginnings))
    return next(named, "mix" if record else "shape")
