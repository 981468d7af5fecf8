"""Numbers as Chinese writes them: 三百二十, 一点五, 两万."""

from __future__ import annotations

import re

_DIGITS = {numeral: str(value) for value, numeral in enumerate("零一二三四五六七八九")} | {"〇": "0", "两": "2"}
_SMALL = {"十": 10, "百": 100, "千": 1000}
_LARGE = {"万": 10**4, "亿": 10**8}
SCALES = _SMALL | _LARGE | {"百万": 10**6, "千万": 10**7, "十亿": 10**9, "万亿": 10**12}
"""What a number in digits may be followed by: 1.2万."""
NUMERAL = "[零〇一二两三四五六七八九十][零〇一二两三四五六七八九十百千万亿]*(?:点[零〇一二三四五六七八九]+)?"

MEASURES = (
    "平方千米|平方公里|平方厘米|平方分米|平方米|立方厘米|立方分米|立方米|千米/小时|米/秒|小时|分钟|星期|公里|千米|厘米|分米|毫米"
    "|公斤|千克|毫升|美元|人民币|块钱|公顷|[元角分块个只条张本头棵颗页人名次天年月日时秒米克吨升岁件双套箱袋盒瓶杯把辆台道题支朵队组排层座间周度亩斤]"
)
"""What Chinese counts in, as a pattern: a numeral with one of them behind it is a number."""


def decimal(numeral: str) -> str | None:
    """A numeral in digits, as `320` or `1.5`; None where its signs are in no order."""
    whole, _, part = numeral.partition("点")
    value = _whole(whole)
    return None if value is None else f"{value}.{''.join(_DIGITS[sign] for sign in part)}".rstrip(".")


def _whole(numeral: str) -> int | None:
    """The parts before 亿 and 万 are numbers below ten thousand of their own; 二〇二六 is read digit by digit."""
    if re.fullmatch("[零〇一二两三四五六七八九]{2,}", numeral):
        return int("".join(_DIGITS[sign] for sign in numeral))
    for sign, scale in reversed(_LARGE.items()):
        before, found, after = numeral.rpartition(sign)
        if found:
            high, low = _whole(before), _whole(after.lstrip("零〇")) if after else 0
            return None if high is None or low is None else high * scale + low
    return _below_ten_thousand(numeral)


def _below_ten_thousand(numeral: str) -> int | None:
    found = re.fullmatch(r"(?:(.)千)?零?(?:(.)百)?零?(?:(.?)十)?零?(.?)", numeral.replace("〇", "零"))
    if found is None or not numeral:
        return None
    signs = [found[1], found[2], "一" if found[3] == "" else found[3], found[4] or None]
    if any(sign is not None and sign not in _DIGITS for sign in signs):
        return None
    return sum(int(_DIGITS[sign]) * scale for sign, scale in zip(signs, (1000, 100, 10, 1), strict=True) if sign)
