"""Whether two answers are the same: forms that are known are taken apart, and what is left is asked of algebra.

Each form is a function that says yes, no, or None where the two answers are not of its form. Without algebra that is
the flexible verdict, with it the symbolic one, so that what is right for the first is right for the second too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

from sluicegate.evaluation.grading.nesting import MAX_LENGTH, Group, group, is_unwieldy, split
from sluicegate.evaluation.grading.numbers import is_equal, read_number
from sluicegate.evaluation.grading.ranges import read_ranges
from sluicegate.evaluation.grading.spelling import spell
from sluicegate.evaluation.grading.units import without_unit
from sluicegate.evaluation.grading.wording import has_words

Ask: TypeAlias = Callable[[str, str], bool]
"""Whether an answer equals a gold one in the eyes of algebra."""
Form: TypeAlias = Callable[[str, str, Ask], bool | None]
MAX_ASKED = 600
"""Characters of two answers that algebra is asked about."""
MAX_PARTS = 64
"""Elements of a set that are compared with every other."""

_MATH = re.compile(r"[=+*^_<>|\\]|[0-9]\s*[-/]\s*[0-9]")
_BRACKET, _THOUSANDS = re.compile(r"[(\[]|\\\{"), re.compile(r"(?<![0-9.,])[1-9][0-9]{0,2}(?:,[0-9]{3})+(?![0-9,])")
_BASE = re.compile(r"[0-9A-F]+_\{[0-9]+\}")
_TIME = re.compile(r"[0-9]+(?:\s*:\s*[0-9]+)+")
_MATRIX = re.compile(r"[(\[\s]*\\begin\{([pbB]?matrix|array)\}(?:\{[clr|]*\})?(.*)\\end\{\1\}[)\]\s]*", re.DOTALL)
_PLUS_MINUS = re.compile(r"\\(?:pm|mp)(?![A-Za-z])\s*")
_NAME = re.compile(
    r"(?P<head>\\?[A-Za-z]+(?:\s+[A-Za-z]+)*'*|\|[A-Za-z]+\||\\(?:angle|triangle|overline)\s*\{?\s*[A-Za-z]+\s*\}?"
    r"|\\frac\{[A-Z]+\}\{[A-Z]+\})(?P<index>\s*_\s*(?:\{[^{}]*\}|\w))?'*(?:\s*\([A-Za-z, ]*\))?"
    r"|\([A-Za-z](?:\s*,\s*[A-Za-z])+\)"
)


def never(answer: str, gold: str) -> bool:
    """No algebra."""
    return False


def is_same(answer: str, gold: str, ask: Ask = never) -> bool:
    """Whether an answer is the gold one, whatever the dress; nothing is the same as an empty one."""
    if max(len(answer), len(gold)) > MAX_LENGTH:
        return _squeezed(answer) == _squeezed(gold)
    one, other = _plain(answer), _plain(gold)
    if not one or not other:
        return False
    if is_unwieldy(one) or is_unwieldy(other):
        return _squeezed(one) == _squeezed(other)
    return _same(one, other, ask)


def is_words(text: str) -> bool:
    """Whether an answer is said in words: a name, a weekday, a list of things."""
    spelled = spell(text[:MAX_LENGTH])
    return _are_words(spelled) and read_number(spelled) is None


def shape(text: str) -> str:
    """What kind of thing an answer is: a number or expression, words, a matrix, an equation, or a number of things."""
    spelled = spell(text[:MAX_LENGTH])
    if is_words(text):
        return "words"
    if _rows(spelled):
        return "matrix"
    found = group(spelled)
    parts = len(_values(found.inner if found else spelled))
    return "value" if parts < 2 else f"{'set' if found is None or _is_set(found) else 'tuple'} of {parts}"


def _plain(text: str) -> str:
    spelled = spell(text)
    if read_number(spelled):
        return spelled
    bare = without_unit(spelled)
    return bare if _BRACKET.search(bare) else _THOUSANDS.sub(lambda found: found[0].replace(",", ""), bare)


def _same(answer: str, gold: str, ask: Ask) -> bool:
    if _squeezed(answer) == _squeezed(gold):
        return True
    verdicts = (form(answer, gold, ask) for form in FORMS)
    return next((verdict for verdict in verdicts if verdict is not None), False)


def _squeezed(text: str) -> str:
    return "".join(text.split())


# Forms --------------------------------------------------------------------------------------------------------------


def numbers(answer: str, gold: str, ask: Ask) -> bool | None:
    """Two numbers are compared exactly, and nobody else is asked."""
    one, other = read_number(answer), read_number(gold)
    return is_equal(one, other) if one and other else None


def words(answer: str, gold: str, ask: Ask) -> bool | None:
    """Words are the same or not: algebra would multiply their letters, and take `tea` for `eat`."""
    if not _are_words(answer) and not _are_words(gold):
        return None
    return _folded(answer) == _folded(gold)


def times(answer: str, gold: str, ask: Ask) -> bool | None:
    """Times of the day and ratios, digit by digit."""
    if _TIME.fullmatch(answer) and _TIME.fullmatch(gold):
        return _squeezed(answer) == _squeezed(gold)
    return None


def bases(answer: str, gold: str, ask: Ask) -> bool | None:
    """Numbers in another base than ten, `204_5`; one without its base is taken to be in that of the other."""
    if not _BASE.fullmatch(answer) and not _BASE.fullmatch(gold):
        return None
    (digits, _, base), (gold_digits, _, gold_base) = answer.partition("_"), gold.partition("_")
    return digits == gold_digits and (base == gold_base or not base or not gold_base)


def matrices(answer: str, gold: str, ask: Ask) -> bool | None:
    """Matrices of any brackets, entry by entry."""
    one, other = _rows(answer), _rows(gold)
    if one is None or other is None:
        return None
    if [len(row) for row in one] != [len(row) for row in other]:
        return False
    return all(_in_order(row, beside, ask) for row, beside in zip(one, other, strict=True))


def ranges(answer: str, gold: str, ask: Ask) -> bool | None:
    """Inequalities and intervals where one side is told as the other is not, or both as inequalities."""
    one, other = read_ranges(answer), read_ranges(gold)
    if one is None or other is None or not one.variables | other.variables:
        return None
    return len(one.variables | other.variables) == 1 and _in_any_order(one.intervals, other.intervals, ask)


def unions(answer: str, gold: str, ask: Ask) -> bool | None:
    """Unions of intervals, in any order."""
    one, other = split(answer, (r"\cup",)), split(gold, (r"\cup",))
    return _in_any_order(one, other, ask) if len(one) > 1 and len(other) > 1 else None


def brackets(answer: str, gold: str, ask: Ask) -> bool | None:
    """Tuples, intervals and sets: the brackets of an interval count, and so does the order in a tuple."""
    one, other = group(answer), group(gold)
    if one and other:
        return _groups(one, other, ask)
    if one:
        return _group_and_bare(one, gold, lambda inner, bare: _same(inner, bare, ask))
    if other:
        return _group_and_bare(other, answer, lambda inner, bare: _same(bare, inner, ask))
    return None


def lists(answer: str, gold: str, ask: Ask) -> bool | None:
    """Values beside each other, in any order; `a ± b` is two of them."""
    one, other = _values(answer), _values(gold)
    if len(one) == 1 < len(other) or len(other) == 1 < len(one):
        one, other = _named_apart(answer) or one, _named_apart(gold) or other
    if len(one) < 2 and len(other) < 2:
        return None
    if len(one) == len(other) and _are_named(one) != _are_named(other):
        return _in_order(one, other, ask)
    return _in_any_order(one, other, ask)


def named(answer: str, gold: str, ask: Ask) -> bool | None:
    r"""`x = 5`, `f(x) = 5`, `x \in S`: what a name stands for; an answer may be any equation that ends in the value."""
    (name, value), (gold_name, gold_value) = _name_and_value(answer), _name_and_value(gold)
    if name and gold_name:
        return name == gold_name and _same(value, gold_value, ask)
    if gold_name and not _is_equation(answer):
        return _same(answer, gold_value, ask)
    if _is_equation(answer) and not _is_equation(gold):
        return _same(value, gold, ask)
    return None


def algebra(answer: str, gold: str, ask: Ask) -> bool | None:
    """Anything else, if it is not too long to be an answer."""
    return len(answer) + len(gold) <= MAX_ASKED and ask(answer, gold)


FORMS: tuple[Form, ...] = (numbers, words, times, bases, matrices, ranges, unions, brackets, lists, named, algebra)


# Parts --------------------------------------------------------------------------------------------------------------


def _are_words(text: str) -> bool:
    return has_words(text) and not _MATH.search(text)


def _folded(text: str) -> list[str]:
    return re.findall(r"[^\W_]+|[-+.](?=[0-9])|,", text.casefold())


def _rows(text: str) -> list[list[str]] | None:
    found = _MATRIX.fullmatch(text)
    if found is None or r"\begin" in found[2]:
        return None
    return [split(row, ("&",)) for row in split(found[2], (r"\\",))]


def _groups(one: Group, other: Group, ask: Ask) -> bool | None:
    parts, beside = split(one.inner), split(other.inner)
    if _is_set(one) != _is_set(other):
        return None
    if _is_set(one):
        return _in_any_order(_values(one.inner), _values(other.inner), ask)
    is_interval = len(parts) == len(beside) == 2
    if is_interval and (one.opener, one.closer) != (other.opener, other.closer):
        return False
    return len(parts) == len(beside) and _in_order(parts, beside, ask)


def _group_and_bare(one: Group, bare: str, same: Callable[[str, str], bool]) -> bool | None:
    """Brackets that one side left out: around a single thing, a set, or the parts of a tuple."""
    parts, beside = split(one.inner), split(bare)
    if _is_set(one) or (len(parts) == 1 and one.opener == "("):
        return same(one.inner, bare)
    if one.opener == "(" and len(beside) == len(parts) > 1:
        return all(same(*pair) for pair in zip(parts, beside, strict=True))
    return None


def _is_set(one: Group) -> bool:
    return one.opener in (r"\{", "{")


def _values(text: str) -> list[str]:
    return [value for part in split(text) for value in _both_signs(part)]


def _both_signs(part: str) -> list[str]:
    if len(_PLUS_MINUS.findall(part)) != 1:
        return [part]
    return [_PLUS_MINUS.sub(sign, part).removeprefix("+") for sign in "+-"]


def _named_apart(text: str) -> list[str]:
    """`(a, b) = (1, 2)` as `a = 1` and `b = 2`; nothing of anything else."""
    sides = [group(side) for side in split(text, ("=",))]
    names, values = ([split(side.inner) for side in sides if side] + [[], []])[:2]
    return [f"{name} = {value}" for name, value in zip(names, values, strict=False)] if len(sides) == 2 else []


def _are_named(parts: Sequence[str]) -> bool:
    names = [_name_and_value(part)[0] for part in parts]
    return all(names) and len(set(names)) == len(names) > 1


def _in_order(one: Sequence[str], other: Sequence[str], ask: Ask) -> bool:
    return all(_same(part, beside, ask) for part, beside in zip(one, other, strict=True))


def _in_any_order(one: Sequence[str], other: Sequence[str], ask: Ask) -> bool:
    """Whether each part has one of its own on the other side; algebra is asked last, for what is left."""
    left, wanted = _distinct(one), _distinct(other)
    if len(left) != len(wanted) or len(left) > MAX_PARTS:
        return False
    for by in (never, ask):
        left = [part for part in left if not _take(part, wanted, by)]
    return not left


def _take(part: str, wanted: list[str], ask: Ask) -> bool:
    """Remove the first of `wanted` that is the same as a part; whether there is one."""
    place = next((i for i, gold in enumerate(wanted) if _same(part, gold, ask)), None)
    if place is not None:
        del wanted[place]
    return place is not None


def _distinct(parts: Sequence[str]) -> list[str]:
    kept: list[str] = []
    for part in parts[: MAX_PARTS + 1]:
        if not any(_same(part, other, never) for other in kept):
            kept.append(part)
    return kept


def _is_equation(text: str) -> bool:
    return len(split(text, ("=", r"\in"))) > 1


def _name_and_value(text: str) -> tuple[str, str]:
    """What is named and its value, the last of a chain, without what is only about that; an empty name if none is."""
    sides = split(split(text, (r"\approx",))[0], ("=", r"\in")) if text else [""]
    found = _NAME.fullmatch(sides[0]) if len(sides) > 1 else None
    name = re.sub(r"[\s{}]", "", (found["head"] or sides[0]) + (found["index"] or "")) if found else ""
    return name, sides[-1] if sides else text
