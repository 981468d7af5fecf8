"""Turn order: the system first, then user and assistant in turn, and the assistant last."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import ClassVar, Literal

from sluicegate.data.clean.base import Cleaner
from sluicegate.schema import Message


class Turns(Cleaner):
    """Sets conversations out of order aside, or mends them. A document, one assistant turn alone, is in order."""

    name = "turns"
    order = 40

    class Config(Cleaner.Config):
        short: ClassVar[str] = "same_role"
        same_role: Literal["set_aside", "merge"] = "set_aside"
        """What becomes of two turns of one role in a row; `merge` puts an empty line between their texts."""
        ends: Literal["set_aside", "cut"] = "set_aside"
        """`cut` leaves out assistant turns before the first user's, and what comes behind the last assistant's."""

    def turns(self, turns: Sequence[Message]) -> list[Message]:
        """Merged and cut as asked."""
        out = list(turns)
        if self.config.same_role == "merge":
            # Results of tools stay apart: each answers a call of its own.
            runs = [(role, list(same)) for role, same in groupby(out, key=lambda turn: turn["role"])]
            out = [turn for role, same in runs for turn in (same if role == "tool" else [_merged(same)])]
            self.counts["turns merged"] += len(turns) - len(out)
        if self.config.ends == "cut":
            whole, out = len(out), _cut(out)
            self.counts["turns cut"] += whole - len(out)
        return out

    def reason(self, turns: Sequence[Message], lang: str) -> str:
        """What is out of order."""
        roles = [turn["role"] for turn in turns]
        said = roles[1:] if roles[:1] == ["system"] else roles
        if "system" in said:
            return "turn order: a system turn that is not the first"
        if twice := [one for one, next_ in pairwise(said) if one == next_ != "tool"]:
            return f"turn order: two {twice[0]} turns in a row"
        if said != ["assistant"] and said[:1] != ["user"]:
            return f"turn order: begins with {said[0] if said else 'the system'}"
        return "" if said[-1] == "assistant" else f"turn order: ends with {said[-1]}"


def _merged(turns: list[Message]) -> Message:
    return Message(role=turns[0]["role"], content="\n\n".join(turn["content"] for turn in turns))


def _cut(turns: list[Message]) -> list[Message]:
    """From the first user's turn to the last assistant's, behind the system's; all of it where one is missing."""
    roles = [turn["role"] for turn in turns]
    if not {"user", "assistant"} <= set(roles):
        return turns
    last = len(roles) - roles[::-1].index("assistant")
    return turns[: roles[:1] == ["system"]] + turns[roles.index("user") : last]
