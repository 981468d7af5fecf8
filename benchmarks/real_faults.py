"""Nine faults planted in real rows. A maker is `(rng, row, rows) -> response`, None where the fault does not apply.

Six break a response as a whole; three change what it says by one number, step or word, and read as well as before.
None of them is what a warm-up learns from (`sluicegate.data.corrupt`), though some are of the same kind.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import cycle, islice
from typing import TypeAlias

from real_text import SOURCES, Row

from sluicegate.data.corrupt import units
from sluicegate.data.language import language
from sluicegate.data.shapes import last_boxed
from sluicegate.data.world import chinese, english
from sluicegate.data.world.faults import junk
from sluicegate.data.world.lexicon import Lexicon

Maker: TypeAlias = Callable[[random.Random, Row, Sequence[Row]], str | None]
Span: TypeAlias = tuple[int, int]

NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?(?<!,)")
_YES_NO = re.compile(r"\b(?:yes|no)\b", re.IGNORECASE)
# A letter, or a short line: behind the last option some prompts go on on the same line.
_OPTION = re.compile(r"^- (\([A-H]\)|.{1,30}$)", re.MULTILINE)
_SENTENCE = re.compile(r"\S.*?(?:[.!?](?=\s|$)|[。！？]|(?=\n|$))")
_RESULT = re.compile(r"=\s*[$£€]?\s*$")
_OPERATOR = re.compile(r"(?<=[\d)}%a-z])\s*(?:[+\-*/]|\\cdot|\\times|(?<=\s)x(?=\s))\s*(?=[$\d({\\])")
_OTHER_OPERATORS = {"+": "-*", "-": "+", "*": "+/", "/": "*-", "x": "+", "\\cdot": "+-", "\\times": "+-"}
# fmt: off
_OPPOSITES = {
    "more": "less", "less": "more", "fewer": "more", "twice": "half", "half": "twice", "times": "plus",
    "total": "difference", "left": "added", "each": "together", "sum": "product", "product": "sum",
    "add": "subtract", "subtract": "add", "adding": "subtracting", "subtracting": "adding",
    "multiply": "divide", "divide": "multiply", "multiplying": "dividing", "dividing": "multiplying",
    "greater": "smaller", "increase": "decrease", "even": "odd", "odd": "even", "always": "never",
    "positive": "negative", "negative": "positive", "before": "after", "after": "before",
    "is": "is not", "are": "are not", "was": "was not", "do": "do not", "can": "cannot", "has": "has no",
    "不是": "是", "是": "不是", "可以": "不可以", "增加": "减少", "大": "小", "多": "少", "有": "没有", "能": "不能",
}
# fmt: on
# Of Chinese words the longer one first, and no borders around them.
_WORD = re.compile(r"\b(?:" + "|".join(w for w in _OPPOSITES if w.isascii()) + r")\b|不是|可以|增加|[是大多有能]")


# One number, step or word --------------------------------------------------------------------------------------------


def wrong_final(rng: random.Random, row: Row, rows: Sequence[Row]) -> str | None:
    """Another final answer; in GSM8K also where the last step says it."""
    found = final_answer(row)
    old = found.group() if found else ""
    new = other_answer(rng, row, old) if found else None
    if found is None or new is None:
        return None
    before, after = row.response[: found.start()], row.response[found.end() :]
    if row.source == "gsm8k":
        at = last_step(row)
        before = before[:at] + NUMBER.sub(lambda n: new if plain(n.group()) == plain(old) else n.group(), before[at:])
    return before + new + after


def wrong_op(rng: random.Random, row: Row, rows: Sequence[Row]) -> str | None:
    """Another operator in a calculation, or a word turned into its opposite."""
    if row.source == "cmath":
        return None
    operators = list(_OPERATOR.finditer(row.response)) if row.source in ("gsm8k", "math") else []
    if operators:
        chosen = rng.choice(operators)
        old = chosen.group().strip()
        new = rng.choice(_OTHER_OPERATORS[old])
        return put(row.response, chosen.span(), chosen.group().replace(old, new))
    words = list(_WORD.finditer(row.response))
    if not words:
        return None
    chosen = rng.choice(words)
    return put(row.response, chosen.span(), _OPPOSITES[chosen.group()])


def wrong_step(rng: random.Random, row: Row, rows: Sequence[Row]) -> str | None:
    """A number on the way to the answer; where a response does not calculate, a sentence of another row's reasoning."""
    if row.source in ("gsm8k", "math"):
        numbers = on_the_way(row)
        if not numbers:
            return None
        chosen = rng.choice(numbers)
        return put(row.response, chosen.span(), other_number(rng, chosen.group()))
    others = [r.response for r in rows if r.source == row.source and r.prompt != row.prompt]
    donor = rng.choice(others) if others else ""
    own, theirs = sentences(row.response)[:-1], sentences(donor)[:-1]
    if not own or not theirs:
        return None
    start, end = rng.choice(theirs)
    return put(row.response, rng.choice(own), donor[start:end])


# The whole response --------------------------------------------------------------------------------------------------


def mismatch(rng: random.Random, row: Row, rows: Sequence[Row]) -> str | None:
    """Another row's response; half of the time of the same source, harder to tell."""
    source = row.source if rng.random() < 0.5 else rng.choice([name for name in SOURCES if name != row.source])
    others = [r.response for r in rows if r.source == source and r.prompt != row.prompt]
    return rng.choice(others) if others else None


def truncated(rng: random.Random, row: Row, rows: Sequence[Row]) -> str | None:
    """The first 25 to 70 % of the units."""
    spans = units(row.response)
    kept = max(1, int(len(spans) * rng.uniform(0.25, 0.7)))
    return row.response[: spans[kept - 1][1]] if len(spans) > 3 else None


def gibberish(rng: random.Random, row: Row, rows: Sequence[Row]) -> str | None:
    """Junk about as long as the response."""
    return junk(rng, lexicon_of(row.response), min(60, max(6, len(row.response.split()) + rng.randint(-3, 6))))


def repeat(rng: random.Random, row: Row, rows: Sequence[Row]) -> str | None:
    """Boilerplate, or the response's first sentence, two to five times over."""
    if rng.random() < 0.5:
        return " ".join([rng.choice(lexicon_of(row.response).boilerplate)] * rng.randint(2, 5))
    start, end = sentences(row.response)[0]
    return " ".join([row.response[start:end]] * rng.randint(3, 5))


def offlang(rng: random.Random, row: Row, rows: Sequence[Row]) -> str | None:
    """A response in another language than the prompt's: another row's, or sentences in foreign languages."""
    asked = "zh" if language(row.prompt) == "zh" else "en"
    wanted = ["oasst_zh"] if asked == "en" else ["gsm8k", "ecqa", "strategyqa"]
    others = [r for r in rows if r.source in wanted]
    if asked == "en" and (rng.random() < 0.5 or not others):
        return " ".join(rng.sample(english.ONE.foreign, rng.randint(2, 5)))
    return rng.choice(others).response


def short(rng: random.Random, row: Row, rows: Sequence[Row]) -> str | None:
    """A reply too short to answer anything."""
    return rng.choice(lexicon_of(row.prompt).replies)


NUMBERS: dict[str, Maker] = {"wrong_final": wrong_final, "wrong_op": wrong_op, "wrong_step": wrong_step}
"""Those that apply to the fewest rows first: they choose first."""
STRUCTURE: dict[str, Maker] = {
    "truncated": truncated,
    "mismatch": mismatch,
    "gibberish": gibberish,
    "repeat": repeat,
    "offlang": offlang,
    "short": short,
}
FAULTS = NUMBERS | STRUCTURE


def damage(rows: Sequence[Row], seed: int, share: float = 0.6) -> list[Row]:
    """The rows in their order, a `share` of them damaged, every fault equally often."""
    rng = random.Random(seed)
    out, free = list(rows), rng.sample(range(len(rows)), int(share * len(rows)))
    for fault in sorted(islice(cycle(FAULTS), len(free)), key=list(FAULTS).index):
        tried = ((place, FAULTS[fault](rng, rows[place], rows)) for place in free)
        place, text = next((at, text) for at, text in tried if text and text != rows[at].response)
        free.remove(place)
        out[place] = replace(rows[place], response=text, fault=fault)
    return out


# Text ----------------------------------------------------------------------------------------------------------------


def final_answer(row: Row) -> re.Match[str] | None:
    """The final answer: a number, yes or no, or one of the options; None where there is no such thing."""
    text, box = row.response, last_boxed(row.response) or ""
    begin = text.rfind(box)
    options = "|".join(map(re.escape, _OPTION.findall(row.prompt)))
    match row.source:
        case "gsm8k" | "cmath":
            found = NUMBER.finditer(text)
        case "math":
            found = NUMBER.finditer(text, begin, begin + len(box))
        case "strategyqa":
            found = _YES_NO.finditer(text)
        case "qasc" | "ecqa" if options:
            found = re.finditer(options, text, re.IGNORECASE)
        case _:
            return None
    return max(found, key=re.Match.start, default=None)


def other_answer(rng: random.Random, row: Row, old: str) -> str | None:
    """A wrong answer of the same kind; None where there is no other."""
    if NUMBER.fullmatch(old):
        return other_number(rng, old)
    if row.source == "strategyqa":
        new = "no" if old.lower() == "yes" else "yes"
        return new.capitalize() if old[0].isupper() else new
    others = [option for option in _OPTION.findall(row.prompt) if option.lower() != old.lower()]
    return rng.choice(others) if others else None


def other_number(rng: random.Random, old: str) -> str:
    """A number nearby, not below 0, written the same way."""
    digits, _, fraction = plain(old).partition(".")
    value = int(digits + fraction)
    steps = (1, 2, 3, 4, 5, 10, max(1, value // 10), max(1, value // 5))
    new = rng.choice([v for step in steps for v in (value - step, value + step) if v >= 0])
    if not fraction:
        return f"{new:,}" if "," in old else str(new)
    whole = str(new).zfill(len(fraction) + 1)
    return f"{whole[: -len(fraction)]}.{whole[-len(fraction) :]}"


def plain(number: str) -> str:
    """Without the commas between thousands."""
    return number.replace(",", "")


def last_step(row: Row) -> int:
    """Where the last line before GSM8K's answer begins."""
    return row.response.rfind("\n", 0, max(0, row.response.rfind("\n####"))) + 1


def on_the_way(row: Row) -> list[re.Match[str]]:
    """The numbers before the last step (GSM8K) or the box (MATH), only results where there are any."""
    text = row.response
    end = last_step(row) if row.source == "gsm8k" else max(0, text.rfind(last_boxed(text) or ""))
    numbers = list(NUMBER.finditer(text, 0, end))
    return [n for n in numbers if _RESULT.search(text, 0, n.start())] or numbers


def sentences(text: str) -> list[Span]:
    """[start, end) of every sentence."""
    return [m.span() for m in _SENTENCE.finditer(text)]


def put(text: str, span: Span, new: str) -> str:
    """The text with something else in a span."""
    return text[: span[0]] + new + text[span[1] :]


def lexicon_of(text: str) -> Lexicon:
    """What junk, boilerplate and short replies are made of in a text's language."""
    return chinese.ONE if language(text) == "zh" else english.ONE
