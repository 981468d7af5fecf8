"""Which language a text is in: by its script first, and for Latin script by n-grams (langid.py, Lui & Baldwin 2012)."""

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

_LETTER = re.compile(r"[^\W\d_]")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_KANA_OR_HANGUL = re.compile("[\u3040-\u30ff\uac00-\ud7af]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
# What is in no language: fenced code, LaTeX commands, the calculator marks of GSM8K.
_NO_LANGUAGE = re.compile(r"```.*?(?:```|\Z)|\\[A-Za-z]+|<<[^>]*>>", re.DOTALL)


def language(text: str) -> Lang:
    """`zh`, `en` or `other`, by the first 1,000 characters that are no code; a text without letters is `other`."""
    head = _NO_LANGUAGE.sub(" ", text)[:HEAD_CHARS]
    n_letters = len(_LETTER.findall(head))
    if n_letters == 0:
        return "other"
    n_han = len(_HAN.findall(head))
    if n_han >= HAN_SHARE * n_letters:
        return "zh" if len(_KANA_OR_HANGUL.findall(head)) < HAN_SHARE * n_han else "other"
    if len(_LATIN.findall(head)) < n_letters / 2:
        return "other"
    name, confidence = _identifier().classify(head[:LATIN_CHARS])
    return "en" if name == "en" or confidence < SURE else "other"


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
