r"""Where a variable lies: intervals, inequalities and unions of them, read as one: `1 < x \le 2` is `(1, 2]`."""

from __future__ import annotations

import re
from typing import NamedTuple

from sluicegate.evaluation.grading.nesting import group, split

_SET_BUILDER = re.compile(r"\\\{\s*[A-Za-z](?:\s*\\in\s*\\?[A-Za-z]+)?\s*(?:\\mid|\||:)(.*)\\\}")
_SIGN = re.compile(r"(<|>|\\le(?![A-Za-z])|\\ge(?![A-Za-z]))")
_VARIABLE = re.compile(r"\\?[A-Za-z]+(?:_\{\w+\})?")
_TURNED = {">": "<", r"\ge": r"\le"}
"""Signs that are read from the right."""
_BRACKETS = {"<": "()", r"\le": "[]"}


class Ranges(NamedTuple):
    """Intervals, and what lies in them, as far as that is told."""

    variables: set[str]
    intervals: list[str]


def read_ranges(text: str) -> Ranges | None:
    """The intervals a text is made of; None if it is made of anything else."""
    within = _SET_BUILDER.fullmatch(text)
    sides = split(within[1] if within else text, (r"\in",))
    found = [_read(piece) for piece in split(sides[-1], (r"\cup", ",", ";"))] if sides else []
    known = [one for one in found if one]
    if not known or len(known) < len(found):
        return None
    return Ranges({name for one in known for name in one.variables}, [i for one in known for i in one.intervals])


def _read(piece: str) -> Ranges | None:
    around = group(piece)
    if around and around.opener in ("(", "[") and len(split(around.inner)) == 2:
        return Ranges(set(), [piece])
    sides, signs = [side.strip() for side in _SIGN.split(piece)[::2]], _SIGN.findall(piece)
    if len(signs) not in (1, 2) or not all(sides) or len({sign in _TURNED for sign in signs}) > 1:
        return None
    if signs[0] in _TURNED:
        sides, signs = sides[::-1], [_TURNED[sign] for sign in signs[::-1]]
    return _between(sides, signs)


def _between(sides: list[str], signs: list[str]) -> Ranges | None:
    """The interval of `a < x < b`, `x < b` or `a < x`."""
    names = [n for n, side in enumerate(sides) if _VARIABLE.fullmatch(side) and not side.startswith(r"\infty")]
    if len(names) != 1 or (len(sides) == 3 and names != [1]):
        return None
    opener, closer = (_BRACKETS[sign] for sign in (signs[0], signs[-1]))
    low = opener[0] + sides[0] if names[0] else r"(-\infty"
    high = sides[-1] + closer[1] if names[0] < len(sides) - 1 else r"\infty)"
    return Ranges({sides[names[0]]}, [f"{low}, {high}"])
