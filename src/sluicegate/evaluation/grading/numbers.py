r"""Numbers in every dress: `1,200.00`, `3 1/2`, `\frac{7}{2}`, `7.8 \times 10^2`, `28 percent`, `1.2万元`, 三分之一.

A number is read exactly, as a fraction. What it is counted in is dropped, for models leave it out at will.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction

from sluicegate.evaluation.grading import chinese, units

MAX_DIGITS = 400
ROUNDED_DIGITS = 4
"""Significant digits that let a decimal stand for a fraction without end: 0.6667 is two thirds, 0.67 is not."""
FLOAT_PLACES, SHORT_PLACES = 12, 8
"""Decimals from which a number may be what a computer makes of a short one: 0.30000000000000004."""

DIGITS = r"(?:0,[0-9]{3,}|[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]*\.[0-9]+|[0-9]+)"
"""Digits with thousands marks or without; behind a single 0 a comma is a decimal one."""
PLAIN = rf"(?:[1-9][0-9]{{0,2}}(?:[ ][0-9]{{3}})+(?:\.[0-9]+)?|{DIGITS}\.?)"
"""The same, where a space between two numbers can only be a thousands mark."""
_POWER = r"\^\s*(?:\{\s*)?(?P<power>[-+]?[0-9]{1,3})(?:\s*\})?"
_SCALES = {
    "hundred": 100,
    "thousand": 1000,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
} | chinese.SCALES
SCALE = rf"(?:{'|'.join(sorted(_SCALES, key=len, reverse=True))})(?![米克瓦])"
"""What multiplies the number before it; 千米 and 千克 are units."""
_AFTER = re.compile(
    rf"\s*(?P<scale>{SCALE})?\s*(?P<percent>%|percent(?:age)?(?![a-z])|per\s+cent|pct)?(?P<unit>{units.PATTERN})?\s*"
)
_BEFORE = re.compile(r"(?:US|USD|RMB|Rs\.?|about|approximately|around|\\approx|\\sim|=|约|大约|共)\s*")
_SIGN = re.compile(r"([-+]?)\s*")
_PERCENT_OF = re.compile(rf"百分之({PLAIN}|{chinese.NUMERAL})")
_PART_OF = re.compile(rf"([0-9]+|{chinese.NUMERAL})分之([0-9]+|{chinese.NUMERAL})")
_COUNTED = re.compile(rf"({chinese.NUMERAL})(?:{chinese.MEASURES})?")


@dataclass(frozen=True)
class Number:
    """An exact value, and how it was written."""

    value: Fraction
    places: int | None = None
    """Decimals, for one written with a point."""
    is_percent: bool = False
    unit: str = ""

    @property
    def digits(self) -> int:
        """Significant digits of a decimal."""
        return len(str(abs(int(self.value * Fraction(10) ** (self.places or 0)))))


def read_number(text: str) -> Number | None:
    """The number a text is, in the spelling of `spelling`; None if it is anything else."""
    text = _BEFORE.sub("", text.strip(), count=1) if _BEFORE.match(text.strip()) else text.strip()
    if len(text) > MAX_DIGITS:
        return None
    sign = _SIGN.match(text)
    body = text[sign.end() :] if sign else text
    found = _read_chinese(body) or _read_digits(body)
    return replace(found, value=-found.value) if found and sign and sign[1] == "-" else found


def is_equal(one: Number, other: Number) -> bool:
    """Whether they are the same; a percentage is the same as its share of one, and as its bare number too.

    Nothing is rounded but to compare a decimal with a fraction that no decimal can be.
    """
    measures = {units.measure(one.unit), units.measure(other.unit)} - {""}
    if len(measures) == 2:
        return False
    if one.is_percent == other.is_percent:
        return _is_close(one, other)
    percent, plain = (one, other) if one.is_percent else (other, one)
    return _is_close(percent, plain) or _is_close(_share(percent), plain)


def _share(percent: Number) -> Number:
    places = None if percent.places is None else percent.places + 2
    return replace(percent, value=percent.value / 100, places=places)


def _is_close(one: Number, other: Number) -> bool:
    return one.value == other.value or _is_rounded(one, other) or _is_rounded(other, one)


def _is_rounded(decimal: Number, exact: Number) -> bool:
    """Whether `decimal` is all that a decimal can say of `exact`, or a short decimal as a computer's floats have it."""
    if decimal.places is None:
        return False
    apart = abs(decimal.value - exact.value)
    if decimal.places >= FLOAT_PLACES and (exact.places is None or exact.places <= SHORT_PLACES):
        return apart <= max(Fraction(1), abs(exact.value)) * Fraction(1, 10**FLOAT_PLACES)
    endless = exact.places is None and 10**MAX_DIGITS % exact.value.denominator != 0
    return endless and decimal.digits >= ROUNDED_DIGITS and 2 * apart <= Fraction(1, 10**decimal.places)


# Reading ------------------------------------------------------------------------------------------------------------


def _read_digits(text: str) -> Number | None:
    """The longest number at the beginning, if nothing but a scale, a percent sign and a unit is behind it."""
    for shape, made in _SHAPES:
        found = shape.match(text)
        after = _AFTER.fullmatch(text, found.end()) if found else None
        number = made(found) if found and after else None
        if number and after:
            return _scaled(number, after)
    return None


def _scaled(number: Number, after: re.Match[str]) -> Number:
    scale = _SCALES[after["scale"]] if after["scale"] else 1
    return Number(number.value * scale, number.places, bool(after["percent"]), (after["unit"] or "").strip())


def _decimal(digits: str) -> Number:
    """`1,200.50`; a comma behind a single 0 is a decimal one."""
    plain = digits.replace("0,", "0.", 1) if digits.startswith("0,") else digits.replace(",", "").replace(" ", "")
    return Number(Fraction(plain.rstrip(".")), len(plain.partition(".")[2]) if "." in plain.rstrip(".") else None)


def _fraction(found: re.Match[str]) -> Number | None:
    """A whole number, if any, and a part of one: `3 1/2`. Three times four halves is no mixed number."""
    whole, above, below = found["whole"], _signed(found["above"]), _signed(found["below"])
    if not below or (whole and not 0 < above < below):
        return None
    return Number(above / below + (_decimal(whole).value if whole else 0))


def _signed(digits: str) -> Fraction:
    digits = digits.replace(" ", "") if digits[0] in "+-" else digits
    value = _decimal(digits.lstrip("+-")).value
    return -value if digits.startswith("-") else value


def _scientific(found: re.Match[str]) -> Number:
    digits = _decimal(found["digits"])
    return Number(digits.value * Fraction(10) ** int(found["power"] or found["exponent"]))


_PART = rf"\s*([-+]?\s*{PLAIN})\s*"
_ABOVE, _BELOW = _PART.replace("(", "(?P<above>", 1), _PART.replace("(", "(?P<below>", 1)
_SHAPES = [
    (re.compile(rf"(?P<whole>[0-9]+)?\s*\\frac\{{{_ABOVE}\}}\s*\{{{_BELOW}\}}"), _fraction),
    (re.compile(rf"(?:(?P<whole>[0-9]+)\s+)?(?P<above>{PLAIN})\s*/\s*(?P<below>{PLAIN})"), _fraction),
    (
        re.compile(
            rf"(?P<digits>{PLAIN})(?:\s*(?:\\times|\\cdot|\*)\s*10\s*{_POWER}"
            r"|[eE](?P<exponent>[-+]?[0-9]{1,3})(?![0-9]))"
        ),
        _scientific,
    ),
    (re.compile(PLAIN), lambda found: _decimal(found[0])),
]


def _read_chinese(text: str) -> Number | None:
    """Numbers that Chinese words make: 百分之二十, 三分之一, 三百二十元."""
    if (found := _PERCENT_OF.fullmatch(text)) and (number := _either(found[1])):
        return replace(number, is_percent=True)
    if found := _PART_OF.fullmatch(text):
        below, above = _either(found[1]), _either(found[2])
        return Number(above.value / below.value) if above and below and below.value else None
    found = _COUNTED.fullmatch(text)
    return _either(found[1]) if found else None


def _either(text: str) -> Number | None:
    """A number in digits or as a Chinese numeral."""
    digits = text if text[0] in "0123456789." else chinese.decimal(text)
    return _decimal(digits) if digits else None
