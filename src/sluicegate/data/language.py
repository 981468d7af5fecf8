"""Which language a text is in: by its script, then by the small words of English, then by n-grams (langid.py, Lui &
Baldwin 2012)."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from sluicegate.schema import Lang

HEAD_CHARS = 1000
LATIN_CHARS = 300
"""Telling Latin languages apart takes time with every character, and no more of them than these."""
HAN_SHARE = 0.2
"""A Chinese word is one or two characters and an English one about five, so this is half of the words."""
SURE = 0.2
"""Below this confidence a Latin text is too short to tell, and English is what such texts most often are."""

ENGLISH_SHARE = 0.25
"""Of the words of an English text more than this are among its small ones below."""

# Each finds runs, for their lengths are summed up.
_LETTER = re.compile(r"[^\W\d_]+")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
_KANA_OR_HANGUL = re.compile("[\u3040-\u30ff\uac00-\ud7af]+")
_WORD = re.compile("[a-z]+")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]+")
ENGLISH = frozenset(
    _WORD.findall(
        "the and that with they this have from what were there when your how each she which their will about then them "
        "these some would other into has more could you but his been than its who did only after just where most it "
        "through before should because does much many"
    )
)
"""What English says often, and no other language that is written in plain ASCII."""
ALSO_ENGLISH = ENGLISH.union(
    _WORD.findall("a an as at be by do for he her if in is me my no not of on or out so to up was we are")
)
"""And what it shares with others."""
# What is in no language: fenced code, LaTeX commands, the calculator marks of GSM8K.
_NO_LANGUAGE = re.compile(r"```.*?(?:```|\Z)|\\[A-Za-z]+|<<[^>]*>>", re.DOTALL)


def language(text: str) -> Lang:
    """`zh`, `en` or `other`, by the first 1,000 characters that are no code; a text without letters is `other`."""
    coded = "```" in text or "\\" in text or "<<" in text
    head = (_NO_LANGUAGE.sub(" ", text) if coded else text)[:HEAD_CHARS]
    if head.isascii() and _is_plain_english(head):
        return "en"
    n_letters = _count(_LETTER, head)
    if n_letters == 0:
        return "other"
    n_han = _count(_HAN, head)
    if n_han >= HAN_SHARE * n_letters:
        return "zh" if _count(_KANA_OR_HANGUL, head) < HAN_SHARE * n_han else "other"
    if _count(_LATIN, head) < n_letters / 2:
        return "other"
    name, confidence = _identifier().classify(head[:LATIN_CHARS])
    return "en" if name == "en" or confidence < SURE else "other"


def _is_plain_english(head: str) -> bool:
    """Whether the small words say so at once, as they do of most English in a fraction of the time n-grams take."""
    words = _WORD.findall(head.lower())
    small = sum(map(ALSO_ENGLISH.__contains__, words))
    return small > ENGLISH_SHARE * len(words) and len(ENGLISH.intersection(words)) > 1


def _count(script: re.Pattern[str], head: str) -> int:
    return sum(map(len, script.findall(head)))


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
