"""What numbers are counted in: found behind a number, and told apart where both sides name a known measure."""

from __future__ import annotations

import re

from sluicegate.evaluation.grading.wording import FUNCTIONS

_MEASURES = {
    "mm": "millimeter millimetre 毫米",
    "cm": "centimeter centimetre 厘米",
    "m": "meter metre 米",
    "km": "kilometer kilometre 公里 千米",
    "in": "inch inches",
    "ft": "foot feet",
    "yd": "yard",
    "mi": "mile",
    "mg": "milligram 毫克",
    "g": "gram 克",
    "kg": "kilogram 公斤 千克",
    "lb": "pound lbs",
    "oz": "ounce",
    "ml": "milliliter millilitre 毫升",
    "l": "liter litre 升",
    "s": "sec second 秒",
    "min": "minute 分钟",
    "h": "hr hour 小时",
    "day": "天",
    "week": "星期 周",
    "month": "月",
    "year": "yr 年",
    "cent": "¢ 分",
    "dollar": "usd 美元",
    "yuan": "rmb 元 块 人民币",
}
_MEASURE = {name: unit for unit, names in _MEASURES.items() for name in [unit, *names.split()]}
_POWERS = {"square": "2", "sq": "2", "cubic": "3", "cu": "3", "平方": "2", "立方": "3"}

_EXPONENT = r"(?:\s*\^\s*\{?\s*[23]\s*\}?)?"
_WORD = rf"(?!(?:{FUNCTIONS})\b\s*[(\\^0-9a-z])(?:[A-Za-z]{{2,}}|[mgshL](?![A-Za-z]))\.?{_EXPONENT}"
PATTERN = (
    rf"(?:\^\s*\\circ\s*(?:[CFK](?![A-Za-z]))?"
    rf"|(?:[kcm]m|kg|mg|ml|mL|ft|mph|min|sec|hrs?|st|nd|rd|th)(?![A-Za-z]){_EXPONENT}|m\s*\^\s*\{{?[23]\}}?"
    rf"|\s+{_WORD}(?:[\s/-]+{_WORD}|\s+[a](?![A-Za-z])){{0,4}}"
    r"|\s*[\u4e00-\u9fff¢][\u4e00-\u9fff/0-9^]{0,9})"
)
"""A unit behind a number: degrees, a well-known one, spaced words, or Chinese."""


_KNOWN = "|".join(sorted((name for name in _MEASURE if len(name) > 1), key=len, reverse=True))
_BEHIND = re.compile(rf"(?<=\S)\s+(?:(?:square|sq|cubic)\s+)?(?:{_KNOWN}|unit|degree)(?:s|es)?\.?{_EXPONENT}$")


def without_unit(text: str) -> str:
    """An expression without the known unit behind it; numbers are read with theirs."""
    return _BEHIND.sub("", text)


def measure(unit: str) -> str:
    """The measure a unit is, with its power, under one name: `m2` for `square meters`; empty for one not known."""
    words = re.findall(r"[A-Za-z¢]+|[\u4e00-\u9fff]+", unit.casefold())
    power = "".join(re.findall("[23]", unit)) + "".join(_POWERS[word] for word in words if word in _POWERS)
    for sign in ("平方", "立方"):
        if words and words[-1].startswith(sign):
            power, words[-1] = _POWERS[sign], words[-1].removeprefix(sign)
    names = [word for word in words if word not in _POWERS]
    known = _MEASURE.get(names[0]) or _MEASURE.get(names[0].removesuffix("s")) if len(names) == 1 else None
    return f"{known}{power}" if known else ""
