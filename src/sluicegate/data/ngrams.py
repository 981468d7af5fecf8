"""Texts as hashes of their words and n-grams, a whole list of texts at a time: what copies are known by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

_BASE = np.uint64(0x9E3779B97F4A7C15)
_TURN = np.uint64(0xD1342543DE82EF95)
_TABLE = 1 << 18
_BETWEEN, _WORD, _ALONE = 0, 1, 2
# Scripts written without spaces: kana, Han, Thai, Lao, Burmese, Khmer; their characters are units by themselves.
_UNSPACED = ((0x0E00, 0x0F00), (0x1000, 0x10A0), (0x1780, 0x1800), (0x3040, 0x3100), (0x3400, 0x4DC0), (0x4E00, 0xA000))
_UNSPACED_ABOVE = ((0xF900, 0xFB00), (0x20000, 0x40000))


@dataclass(frozen=True)
class Units:
    """U units of B texts: a word, or one character of a script without spaces. Case and punctuation do not count."""

    text: str
    """The texts in lower case, one after the other."""
    hashes: np.ndarray
    """(U,) uint64, equal for equal units, the same on every machine."""
    starts: np.ndarray
    """(U,) where each begins in `text`."""
    ends: np.ndarray
    """(U,) where it ends."""
    offsets: np.ndarray
    """(B + 1,) text b has the units offsets[b] to offsets[b + 1]."""


def units(texts: Sequence[str]) -> Units:
    """The units of every text, in order."""
    lowered = [t.lower() for t in texts]
    text = "\0".join([*lowered, ""])
    code = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)  # (C,)
    kind = _kinds()[np.minimum(code, _TABLE - 1)]
    word = kind == _WORD
    starts = np.flatnonzero((kind == _ALONE) | (word & ~np.concatenate([[False], word[:-1]])))
    ends = np.flatnonzero((kind == _ALONE) | (word & ~np.concatenate([word[1:], [False]]))) + 1
    bounds = np.cumsum([0, *(len(t) + 1 for t in lowered)])
    return Units(text, _spans(code, starts, ends), starts, ends, np.searchsorted(starts, bounds))


def ngrams(found: Units, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Hashes of the n-grams of every text, (G,), and where each text's begin, (B + 1,).

    A text of fewer than n units has one n-gram, all of it; a text without any has none.
    """
    counts = np.diff(found.offsets)
    grams = np.where(counts >= n, counts - n + 1, np.minimum(counts, 1))  # (B,)
    offsets = np.concatenate([[0], np.cumsum(grams)])
    rows = np.repeat(np.arange(len(counts)), grams)
    first = found.offsets[rows] + np.arange(offsets[-1]) - offsets[rows]  # (G,) the first unit of each
    last = np.minimum(first + n, found.offsets[rows + 1])
    hashes = np.zeros(len(first), dtype=np.uint64)
    for step in range(n):
        inside = first + step < last
        unit = found.hashes[np.minimum(first + step, max(len(found.hashes) - 1, 0))] if len(first) else hashes
        hashes = np.where(inside, hashes * _TURN + unit, hashes)
    return mixed(hashes), offsets


def mixed(values: np.ndarray) -> np.ndarray:
    """Every bit of each value spread over all others (splitmix64, Steele et al. 2014), (K,) uint64."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _spans(code: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Polynomial hashes of the spans, modulo 2**64, from one running sum over all characters."""
    powers, inverses = _powers(1 << max(len(code) - 1, 1).bit_length())
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum((code + np.uint64(1)) * powers[: len(code)])])
    return mixed((sums[ends] - sums[starts]) * inverses[starts])


@cache
def _powers(size: int) -> tuple[np.ndarray, np.ndarray]:
    """The first powers of the base and of its inverse."""
    factors = np.ones((2, size), dtype=np.uint64)
    factors[:, 1:] = np.array([[_BASE], [pow(int(_BASE), -1, 1 << 64)]], dtype=np.uint64)
    powers, inverses = np.cumprod(factors, axis=1)
    return powers, inverses


@cache
def _kinds() -> np.ndarray:
    """Code point to what it is: between units, part of a word, or a unit alone."""
    kinds = np.zeros(_TABLE, dtype=np.uint8)
    kinds[:0x20000] = [chr(c).isalnum() for c in range(0x20000)]
    for first, end in (*_UNSPACED, *_UNSPACED_ABOVE):
        kinds[first:end] = np.where(kinds[first:end] | (first >= 0x20000), _ALONE, _BETWEEN)
    return kinds
