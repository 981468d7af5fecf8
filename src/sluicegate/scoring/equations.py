"""Equations in a response, found in plain text, LaTeX and Chinese, and worked out in exact fractions.

A text is cut into tokens: numbers, operators, parentheses, `=`, words, and breaks. Left and right of every `=` stands
the longest run of tokens that is an expression. An equation whose side hangs on something unknown, a variable before it
or behind it, is no equation of numbers and is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

LONGEST_SIDE = 80
"""Tokens; what is longer is no side of an equation a person wrote."""
MOST_BITS = 4096
"""Of a number that is still worked out."""
_NUMBER = r"\d{1,3}(?:,\d{3}){1,33}(?:\.\d{1,99})?|\d{1,99}(?:\.\d{1,99})?|\.\d{1,99}"  # int() stops at 4,300 digits
_TOKEN = re.compile(
    rf"(?P<number>{_NUMBER})|(?P<power>\*\*|\^)|(?P<op>[+\-*/])|(?P<open>\()|(?P<close>\))"
    r"|(?P<equals>=)|(?P<percent>%)|(?P<rest>\.{3,}|(?:remainder|rem|R|r)(?=\s*\d))|(?P<of>\bof\b)"
    r"|(?P<word>[A-Za-z]+\.?|[\u4e00-\u9fff]+)|(?P<space>[ \t$€£¥￥_]+)|(?P<stop>.)",
    re.S,
)
_REWRITTEN = (
    (re.compile(r"<<.*?>>"), ""),  # GSM8K's calculator marks say again what the text says
    (re.compile(r"\\(?:text|mathrm|mbox|textbf)\s*\{([^{}]*)\}"), r" \1 "),
    (re.compile(r"(?<![\d.])(\d+)\s*\\[dt]?frac\s*\{(\d+)\}\s*\{(\d+)\}"), r"(\1+\2/\3)"),  # a mixed number
    (re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}"), r"((\1)/(\2))"),
    (re.compile(r"\^\s*\{([^{}]*)\}"), r"^(\1)"),
    (re.compile(r"\\[dt]?frac\s*(\d)\s*(\d)"), r"(\1/\2)"),
    (re.compile(r"\\boxed\s*\{([^{}]*)\}"), r" \1 "),
    (re.compile(r"\\(?:left|right|displaystyle|,|;|!|:| )"), ""),
    (re.compile(r"\\(?:times|cdot|ast)(?![a-z])|[×·∙⋅＊✕]"), "*"),
    (re.compile(r"\\div(?![a-z])|[÷／]"), "/"),
    (re.compile(r"[−–—－﹣]"), "-"),
    (re.compile(r"＋"), "+"),
    (re.compile(r"＝|\\approx|≈|等于|是(?=\s*\d+(?:\.\d+)?\s*[。.]?\s*$)"), "="),
    (re.compile(r"[:：](?=\s)"), "; "),
    (re.compile(r"（"), "("),
    (re.compile(r"）"), ")"),
    (re.compile(r"％|\\%"), "%"),
    (re.compile(r"\{,\}|，(?=\d{3}(?!\d))"), ","),
    (re.compile(r"(?<=[\d)])\s*[xX]\s*(?=[$(\d.])"), "*"),
    (re.compile(r"乘以|乘"), "*"),
    (re.compile(r"除以"), "/"),
    (re.compile(r"(?<=\d)\s*加上?\s*(?=\d)"), "+"),
    (re.compile(r"(?<=\d)\s*减去?\s*(?=\d)"), "-"),
    (re.compile(r"余|…+"), "..."),
    (re.compile(r"\\\$|&|\*\*(?=\D)|(?<=\D)\*\*"), ""),
)
_NUMBERS = re.compile(_NUMBER)
_FINAL = re.compile(
    r"(?:####|[Tt]he (?:final )?answer is:?|答案(?:是|为)?[:：]?)\s*\$?"
    rf"(?P<number>{_NUMBER})(?![\d/^*+])"
)
_INSIDE = ("number", "op", "power", "open", "close", "percent", "of")
"""Kinds of tokens that an expression is made of."""


@dataclass(frozen=True)
class Equation:
    """Two sides that a text says are equal."""

    text: str
    holds: bool


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    """As it stands in the text after rewriting."""


@dataclass(frozen=True)
class _Value:
    exact: Fraction
    decimals: int | None
    """Digits behind the point of a number that stands alone; None for what was worked out."""
    percent: bool = False


def equations(text: str) -> list[Equation]:
    """Every equation of numbers in `text` with at least one operator in it, in order."""
    found: list[Equation] = []
    for line in _rewritten(text).split("\n"):
        tokens = _tokens(line)
        for at in [i for i, token in enumerate(tokens) if token.kind == "equals"]:
            found += _equation(tokens, at)
    return found


def final_answer_said(text: str) -> bool | None:
    """Whether the number behind `####` or `the answer is` stands among those before it; None without one."""
    found = list(_FINAL.finditer(text))
    if not found:
        return None
    told, before = found[-1], _NUMBERS.findall(_rewritten(text[: found[-1].start()]))
    return _exact(told["number"]) in {_exact(number) for number in before}


def _rewritten(text: str) -> str:
    for pattern, replacement in _REWRITTEN:
        text = pattern.sub(replacement, text)
    return text


def _tokens(line: str) -> list[_Token]:
    """The tokens of one line, without spaces and without the units of what is counted."""
    plain = [_Token(str(m.lastgroup), m.group()) for m in _TOKEN.finditer(line) if m.lastgroup != "space"]
    runs = [list(run) for _, run in groupby(plain, key=lambda token: token.kind == "word")]
    kept: list[_Token] = []
    for n, run in enumerate(runs):
        if run[0].kind != "word" or not _is_unit(run, kept, runs[n + 1][0] if n + 1 < len(runs) else None):
            kept += run
        elif kept[-1].text == "/":  # a price per something
            kept.pop()
    return [_Token("word", t.text) if t.kind == "of" and not _is_share(kept[:n]) else t for n, t in enumerate(kept)]


def _is_unit(words: Sequence[_Token], before: Sequence[_Token], behind: _Token | None) -> bool:
    """Whether words stand between a number, or a `per`, and what goes on with the equation; a letter is a variable."""
    if not before or any(len(word.text) == 1 and word.text.isascii() for word in words):
        return False
    counted = before[-1].kind in ("number", "percent", "close") or before[-1].text == "/"
    return counted and (behind is None or behind.kind in ("op", "equals", "close", "rest"))


def _is_share(before: Sequence[_Token]) -> bool:
    """Whether `of` behind these tokens means times: behind a percentage or a fraction."""
    kinds = [token.kind for token in before[-3:]]
    return kinds[-1:] == ["percent"] or (kinds == ["number", "op", "number"] and before[-2].text == "/")


def _equation(tokens: Sequence[_Token], at: int) -> Iterator[Equation]:
    left, right = _side_before(tokens, at), _side_behind(tokens, at)
    if left is None or right is None:
        return
    (start, x), (end, y) = left, right
    if not any(token.kind in ("op", "power", "of") for token in tokens[start:at]):
        return  # `14 hours = 14 * 60 minutes` and `Ann = 14 * 60` say what something is, and work nothing out
    text = " ".join(token.text for token in tokens[start:end])
    rest = _remainder(tokens, end)
    if rest is not None and [t.kind for t in tokens[at - 2 : at]] == ["op", "number"] and tokens[at - 2].text == "/":
        divisor = _exact(tokens[at - 1].text)
        yield Equation(text, x.exact * divisor == y.exact * divisor + rest)
        return
    yield Equation(text, _same(x, y))


def _side_before(tokens: Sequence[_Token], at: int) -> tuple[int, _Value] | None:
    """Where the longest expression that ends at `at` starts, and its value; None where it hangs on an unknown."""
    begin = at
    while begin and at - begin < LONGEST_SIDE and tokens[begin - 1].kind in _INSIDE:
        begin -= 1
    for start in range(begin, at):
        value = _worked_out(tokens[start:at])
        if value is not None:
            whole = start == begin and not _hangs(tokens, start - 1) and not (start and tokens[start].text == "-")
            return (start, value) if whole else _loose(tokens, start, value)
    return None


def _loose(tokens: Sequence[_Token], start: int, value: _Value) -> tuple[int, _Value] | None:
    """A side with something before it that is no part of it: all right behind an open parenthesis or a full stop."""
    before = tokens[start - 1]
    if tokens[start].text == "-":  # x - 3 = 0
        return None
    return (start, value) if before.kind in ("open", "close", "stop") and not _hangs(tokens, start - 1) else None


def _hangs(tokens: Sequence[_Token], at: int) -> bool:
    """Whether the token beside a side is a variable, an operator or a number, so that the side is not whole."""
    if not 0 <= at < len(tokens):
        return False
    token = tokens[at]
    single = token.kind == "word" and len(token.text) == 1 and token.text.isascii()
    return single or token.kind in ("op", "power", "number", "percent", "of") or token.text in ("\\", "{", "}", ":")


def _side_behind(tokens: Sequence[_Token], at: int) -> tuple[int, _Value] | None:
    """Where the longest expression that begins behind `at` ends, and its value; None where it hangs on an unknown."""
    limit = at + 1
    while limit < len(tokens) and limit - at <= LONGEST_SIDE and tokens[limit].kind in _INSIDE:
        limit += 1
    for end in range(limit, at + 1, -1):
        value = _worked_out(tokens[at + 1 : end])
        if value is not None:
            whole = end == limit or tokens[end].kind in ("close", "open", "of")
            return (end, value) if whole and not (end == limit and _hangs(tokens, end)) else None
    return None


def _remainder(tokens: Sequence[_Token], end: int) -> Fraction | None:
    """The number behind `remainder` or `……`."""
    if end + 1 < len(tokens) and tokens[end].kind == "rest" and tokens[end + 1].kind == "number":
        return _exact(tokens[end + 1].text)
    return None


def _same(x: _Value, y: _Value) -> bool:
    """Equal, or rounded to the digits that are written; a number in percent may be meant without."""
    scales = [Fraction(1), *([Fraction(100)] if y.percent else []), *([Fraction(1, 100)] if x.percent else [])]
    return any(_rounded(x.exact, y.exact * scale, y.decimals) for scale in scales)


def _rounded(exact: Fraction, told: Fraction, decimals: int | None) -> bool:
    if exact == told:
        return True
    return decimals is not None and exact.denominator != 1 and abs(exact - told) < Fraction(1, 10**decimals)


def _exact(number: str) -> Fraction:
    return Fraction(number.replace(",", ""))


def _worked_out(tokens: Sequence[_Token]) -> _Value | None:
    """The value of tokens that are one whole expression, None of any others."""
    reader = _Reader(tokens)
    try:
        value = reader.sum()
    except (_NoExpression, ZeroDivisionError):
        return None
    if reader.at < len(tokens):
        return None
    percent = any(token.kind == "percent" for token in tokens)
    alone = tokens[0].kind == "number" and all(token.kind == "percent" for token in tokens[1:])
    return _Value(value, len(tokens[0].text.partition(".")[2]) + 2 * percent if alone else None, percent)


class _NoExpression(Exception):
    pass


class _Reader:
    """Recursive descent over tokens: sum > product > power > number, percent or parenthesis."""

    def __init__(self, tokens: Sequence[_Token]) -> None:
        self.tokens, self.at = tokens, 0

    def next_is(self, kind: str, texts: str = "") -> bool:
        token = self.tokens[self.at] if self.at < len(self.tokens) else None
        return token is not None and token.kind == kind and (not texts or token.text in texts)

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1].text

    def sum(self) -> Fraction:
        total = self.product()
        while self.next_is("op", "+-"):
            total = total + self.product() if self.take() == "+" else total - self.product()
        return total

    def product(self) -> Fraction:
        total = self.power()
        while self.next_is("op", "*/") or self.next_is("of") or self.next_is("open"):
            if self.next_is("open"):  # 3(4 + 5)
                total *= self.power()
                continue
            total = total / self.power() if self.take() == "/" else total * self.power()
        return total

    def power(self) -> Fraction:
        if self.next_is("op", "-"):
            self.take()
            return -self.power()
        base = self.atom()
        if not self.next_is("power"):
            return base
        self.take()
        exponent = self.power()
        bits = max(base.numerator.bit_length(), base.denominator.bit_length())
        if exponent.denominator != 1 or bits * abs(exponent) > MOST_BITS:
            raise _NoExpression
        return Fraction(base**exponent.numerator)

    def atom(self) -> Fraction:
        if self.next_is("open"):
            self.take()
            inside = self.sum()
            if not self.next_is("close"):
                raise _NoExpression
            self.take()
        elif self.next_is("number"):
            inside = _exact(self.take())
        else:
            raise _NoExpression
        while self.next_is("percent"):
            self.take()
            inside /= 100
        return inside
