"""The steps of a preparation, and at which of them a row is lost for what reason."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from sluicegate.data.decontaminate import CONTAMINATED
from sluicegate.data.split import OTHER_PART

if TYPE_CHECKING:
    from sluicegate.data.intake import Candidate

STEPS = {
    "read": (),
    "shape": (),
    "clean": ("no assistant turn", "empty turn", "too long"),
    "dedup": ("duplicate", "near duplicate"),
    "exclude": ("in the ",),
    "decontaminate": (CONTAMINATED,),
    "split": (OTHER_PART,),
    "mix": (),
}
"""The steps in order, each with how those of its reasons begin by which alone it is known."""


def step_of(candidate: Candidate, kind: str) -> str:
    """The step at which a candidate is lost for a kind of reason."""
    if candidate.row.reason:
        return "read"
    if candidate.record and candidate.reason:
        return "clean"  # a cleaner's reason
    return _by_beginning(kind) or ("mix" if candidate.record else "shape")


@cache
def _by_beginning(kind: str) -> str:
    return next((step for step, known in STEPS.items() if known and kind.startswith(known)), "")
