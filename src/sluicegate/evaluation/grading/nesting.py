"""Texts with brackets in them: what belongs together, and what stands apart."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

MAX_LENGTH = 2000
"""Characters of the longest answer that is read; a longer one is compared letter by letter."""
MAX_DEPTH = 20

_MARK = re.compile(r"\\(?:begin|end)\{[^{}]*\}|\\(?:[lr]angle|cup|in|approx)(?![A-Za-z])|\\[\\{}&]|[()\[\]{},;&=]")
_OPENS = re.compile(r"\\begin|\\langle|\\\{|[(\[{]")
_CLOSES = re.compile(r"\\end|\\rangle|\\\}|[)\]}]")

_ANGLES = {r"\langle": "(", r"\rangle": ")"}
"""How some write a tuple."""


class Group(NamedTuple):
    """A text in brackets."""

    opener: str
    inner: str
    closer: str


def is_unwieldy(text: str) -> bool:
    """Whether it is deeper, or longer, than any answer, so that it is compared letter by letter only."""
    return len(text) > MAX_LENGTH or any(depth > MAX_DEPTH for _, depth in _marks(text))


def split(text: str, separators: Collection[str] = (",", ";")) -> list[str]:
    """The parts between separators that stand in no bracket, without the spaces around; empty ones are left out."""
    parts, start = [], 0
    for mark, depth in _marks(text):
        if depth == 0 and mark[0] in separators:
            parts.append(text[start : mark.start()])
            start = mark.end()
    return [part.strip() for part in [*parts, text[start:]] if part.strip()]


def group(text: str) -> Group | None:
    """The brackets around all of a text; None where there are none, or the first one ends before the text does."""
    outer = [mark for mark, depth in _marks(text) if depth == 0]
    if len(outer) != 2 or outer[0].start() > 0 or outer[1].end() < len(text) or not _CLOSES.match(outer[1][0]):
        return None
    first, last = outer
    if not _OPENS.match(first[0]):
        return None
    opener, closer = _ANGLES.get(first[0], first[0]), _ANGLES.get(last[0], last[0])
    return Group(opener, text[first.end() : last.start()].strip(), closer)


def closing(text: str, start: int) -> int | None:
    r"""Where the brace that is open at `start` closes; None where it never does. `\{` is no brace."""
    depth = 1
    for brace in re.finditer(r"\\.|[{}]", text[start:], re.DOTALL):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if depth == 0:
            return start + brace.start()
    return None


def _marks(text: str) -> Iterator[tuple[re.Match[str], int]]:
    """Brackets and separators with the number of brackets around each; one that closes nothing stands in none."""
    depth = 0
    for mark in _MARK.finditer(text):
        depth = max(0, depth - bool(_CLOSES.match(mark[0])))
        yield mark, depth
        depth += bool(_OPENS.match(mark[0]))
