"""Excess loss (RHO-LOSS, arXiv 2206.07137): what the base has yet to learn of a response that trusted rows teach.

    excess(x, y) = L(y | x; base) − L(y | x; copy tuned on trusted rows)

L is the mean loss of the response's tokens, in nats; each model has a pass of its own.
"""

from __future__ import annotations

from typing import ClassVar

from sluicegate.scoring.base import Reads
from sluicegate.scoring.reference import Reference


class Excess(Reference):
    """High for what trusted rows made likely and the base does not know yet; it needs a gate with a tuned copy."""

    name = "excess"
    minus: ClassVar[Reads | None] = "base"
