"""Numbers and expressions in sentences: where one begins, and where the words around it do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from sluicegate.evaluation.grading import chinese
from sluicegate.evaluation.grading.nesting import MAX_LENGTH
from sluicegate.evaluation.grading.numbers import DIGITS, SCALE, read_number
from sluicegate.evaluation.grading.spelling import spell
from sluicegate.evaluation.grading.units import without_unit
from sluicegate.evaluation.grading.wording import has_words

_HALF = {0xFF01 + n: 0x21 + n for n in range(94) if chr(0x21 + n) not in ",:;?!()"}
"""Signs as wide as Chinese, but for its punctuation: a comma between two numbers is none of thousands."""

_FORMULA = re.compile(
    r"""
    \$\$ (?P<a>[^$]+) \$\$
    | (?<!\\)\\\[ (?P<b>(?:(?!(?<!\\)\\[\[\]]).)+) \\\]  # no other one within, or many openings would take forever
    | (?<!\\)\\\( (?P<c>(?:(?!(?<!\\)\\[()]).)+) \\\)
    | (?<![\\$])\$ (?P<d>(?:\\\$|[^$\n])+) (?<!\\)\$
    """,
    re.DOTALL | re.VERBOSE,
)
_SENTENCE_END = re.compile(r"(?<=\S)\.(?=\s|\*|$)|[。！!？?](?![=\w])|\n")
_EMPTY = re.compile(r"<<[^<>\n]*>>|\\f?box(?:ed)?\s*\{\s*\}")
"""What states nothing: the marks of GSM8K's calculator, and empty boxes."""
_BULLET = re.compile(r"^\s*(?:[#*•>]+\s*|[0-9]{1,2}[.)]\s+|[-+]\s+(?=\D))*")
_LETTER = re.compile(r"\(?(?:[B-HJ-Z]|[AI](?!\s+[a-z]))\)?(?![A-Za-z'_(^])")
_SIGN = re.compile(r"\(?[A-Za-z]\)?'?")
_BROKEN = re.compile(r"[0-9]\s+[0-9]|[-+*/=]$|[.。]\s*(?=[^\s0-9])|\.\s+(?=[0-9])")
"""Two numbers side by side, an operation without its end, more than one sentence: none of it is an expression."""
_NAME_ONLY = re.compile(r"\\?[A-Za-z]+(?:\{[A-Za-z]*\})?|\\(?:overline|angle|triangle)\s*\{?[A-Z]+\}?")
_COMMAS_AND = re.compile(r"[\s,，、]*(?:and|or|和|或)?[\s,，、]*")
_AND = re.compile(r"and|or|[和或]")

_NUMBER = re.compile(
    rf"""
    (?: (?<![A-Za-z0-9)\]}}])[-+]\s? | (?<![A-Za-z0-9_.,\\]) )  # a sign that takes nothing away, or no letter before
    (?:\\?[$€£¥])?
    (?: \\[dt]?frac\s*\{{[-0-9.]+\}}\s*\{{[0-9.]+\}} | \\[dt]?frac[0-9]{{2}}
      | [0-9]+\s+[0-9]+/[0-9]+ | {DIGITS}\s*/\s*{DIGITS}
      | {DIGITS}(?:\s*(?:\\times|×)\s*10\s*\^\s*\{{?-?[0-9]+\}}?)?(?:\\[dt]?frac\s*\{{[0-9]+\}}\{{[0-9]+\}})?
    )
    (?:\s*(?:{SCALE})(?![a-z]))? (?:\s*\\?%)?
    | 百分之(?:{DIGITS}|{chinese.NUMERAL})
    | (?:[0-9]+|{chinese.NUMERAL})分之(?:[0-9]+|{chinese.NUMERAL})
    | {chinese.NUMERAL}(?={chinese.MEASURES})
    """,
    re.VERBOSE,
)
"""A number between words."""
_RUN = re.compile(
    r"(?:\\[A-Za-z]+|\\[{}%,;!$ ]|[0-9.,]+|[-+*/^_=(){}\[\]!|<>%±×÷·√π∞≤≥°²³$]|\s"
    r"|(?<![A-Za-z])(?![aAI]\s)[A-Za-z](?![A-Za-z'])|(?<![A-Za-z])(?:sqrt|sin|cos|tan|log|ln|exp)(?![A-Za-z]))+"
)
_OPERATOR = re.compile(r"\\[A-Za-z]|[*/^=(±×÷√π<>+]|[0-9]\s*-\s*[0-9A-Za-z\\]|[0-9][A-Za-z]")


def sentence_at(text: str, start: int) -> str:
    """The rest of the sentence that `start` is in, or the next one where that is its end."""
    rest = text[start:].lstrip(" \t\r\n*:：=")
    formula = _FORMULA.match(rest)
    end = _SENTENCE_END.search(rest, formula.end() if formula else 0)
    return rest[: end.start()] if end else rest


def first_answer(said: str) -> str | None:
    """The answer of a sentence that says that it comes: what it begins with, else its last, else all of it."""
    said = _tidy(said[:MAX_LENGTH])
    if _is_expression(said) or _SIGN.fullmatch(said):
        return _bare(said)
    formulas = list(_FORMULA.finditer(said))
    if formulas and not has_words(said[: formulas[0].start()]):
        return _joined(said, formulas[: _run_length(said, formulas)])
    begins = _NUMBER.match(said) or _LETTER.match(said)
    if begins:
        return begins[0]
    return last_answer(said) or said.strip(" *`\"'“”") or None


def last_answer(reply: str) -> str | None:
    """The final expression, formula or number of the last sentence that has one."""
    whole = _FORMULA.sub(_on_one_line, _EMPTY.sub("", reply[-MAX_LENGTH:].translate(_HALF)))
    line = _tidy(whole.rstrip().rpartition("\n")[2])
    if _is_expression(line) or _SIGN.fullmatch(line):  # `5!` ends no sentence
        return _bare(line)
    found = (_last_of(sentence) for sentence in _sentences_from_the_end(whole))
    return next((answer for answer in found if answer), None)


def _sentences_from_the_end(text: str) -> Iterator[str]:
    end = len(text)
    for mark in reversed(list(_SENTENCE_END.finditer(text))):
        yield text[mark.end() : end]
        end = mark.start()
    yield text[:end]


def _on_one_line(formula: re.Match[str]) -> str:
    return re.sub(r"\n|\.(?=\s)", " ", formula[0])


def _tidy(sentence: str) -> str:
    return _BULLET.sub("", sentence.translate(_HALF), count=1).strip(' \t\r\n*_`,，;；:："“”')


def _last_of(sentence: str) -> str | None:
    sentence = _tidy(sentence)
    if _is_expression(sentence):
        return _bare(sentence)
    formulas = list(_FORMULA.finditer(sentence))
    numbers = [number for number in _NUMBER.finditer(sentence) if not _is_inside(number, formulas)]
    if numbers:
        formulas = [formula for formula in formulas if not _NAME_ONLY.fullmatch(_content(formula).strip())]
    if formulas and (not numbers or formulas[-1].end() > numbers[-1].end()):
        return _joined(sentence, formulas[-_run_length(sentence, formulas, from_end=True) :])
    return _ending_run(sentence) or (numbers[-1][0] if numbers else None)


def _is_inside(number: re.Match[str], formulas: list[re.Match[str]]) -> bool:
    return any(formula.start() <= number.start() < formula.end() for formula in formulas)


def _is_expression(text: str) -> bool:
    """Whether a text is a number, with its unit or without, or mathematics without a word between."""
    if len(text) > 1000 or len(_FORMULA.findall(text)) > 1:
        return False
    spelled = without_unit(spell(text))
    if read_number(spelled):
        return True
    is_math = re.search(r"[0-9\\=^*/+!]", spelled) and not _BROKEN.search(spelled)
    return bool(is_math) and not has_words(spelled)


def _ending_run(sentence: str) -> str | None:
    """The signs of mathematics a sentence ends with, if they are more than a number and the brackets close."""
    runs = [run for run in _RUN.finditer(sentence) if run.end() == len(sentence)]
    run = runs[0][0].strip(" ,.$:") if runs else ""
    is_closed = run.count("(") == run.count(")") and run.count("{") == run.count("}")
    return run if is_closed and _OPERATOR.search(run) and re.search(r"[0-9\\]", run) else None


def _run_length(sentence: str, formulas: list[re.Match[str]], from_end: bool = False) -> int:
    """How many formulas at one end are a list, `$1$, $2$ and $3$`; commas alone make none."""
    gaps = [sentence[a.end() : b.start()] for a, b in pairwise(formulas)]
    ordered = gaps[::-1] if from_end else gaps
    length = next((i for i, gap in enumerate(ordered) if not _COMMAS_AND.fullmatch(gap)), len(ordered))
    return 1 + length if any(map(_AND.search, ordered[:length])) else 1


def _joined(sentence: str, formulas: list[re.Match[str]]) -> str:
    return ", ".join(_content(formula).strip() for formula in formulas)


def _bare(expression: str) -> str:
    formula = _FORMULA.fullmatch(expression)
    return _content(formula).strip() if formula else expression


def _content(formula: re.Match[str]) -> str:
    return formula["a"] or formula["b"] or formula["c"] or formula["d"]
