"""What near copies are known by: MinHash (Broder 1997), of which one byte per hash is kept (Li & König 2010)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from pydantic import Field

from sluicegate import config
from sluicegate.data.ngrams import mixed, ngrams, units
from sluicegate.schema import Message

RECALL = 0.9
"""Of two texts exactly as alike as `threshold`, the chance to be compared at all; more alike ones have a higher one."""
BY_CHANCE = 1 / 256
"""How often a byte of two texts with nothing in common is the same."""
_SEED = 1


class Near(config.Config):
    """How alike two conversations have to be for the later one to be set aside."""

    threshold: float = Field(default=0.8, gt=0, le=1)
    """Jaccard similarity of their n-grams from which on they are near copies."""
    ngram: int = Field(default=3, gt=0)
    """Units in an n-gram: a word, or one character of a script without spaces, as Chinese."""
    permutations: int = Field(default=128, ge=16, le=1024)
    """Hashes that are kept of a text: the similarity is told to about 1 / (2 * sqrt(permutations))."""
    per: Literal["whole", "turn"] = "whole"
    """`turn`: a conversation goes where every one of its turns was said before, be it in several conversations."""

    @property
    def bands(self) -> tuple[int, int]:
        """(bands, hashes in each): as many hashes as `RECALL` at the threshold allows, for fewer vain comparisons."""
        ways = ((self.permutations // r, r) for r in range(self.permutations, 1, -1))
        return next((way for way in ways if self._recall(*way) >= RECALL), (self.permutations, 1))

    def _recall(self, bands: int, hashes: int) -> float:
        return 1 - (1 - self.threshold**hashes) ** bands


class Signatures(NamedTuple):
    """What near copies of B conversations are known by: S signatures, one of each or one of each turn."""

    hashes: np.ndarray
    """(S, P) uint8 the last byte of every MinHash."""
    keys: np.ndarray
    """(S, bands) uint64; two texts that share one are compared."""
    offsets: np.ndarray
    """(B + 1,) conversation b has the signatures offsets[b] to offsets[b + 1]; none where it has no word at all."""


def signatures(conversations: Sequence[Sequence[Message]], near: Near) -> Signatures:
    """The signatures of conversations, (B,)."""
    texts = [_texts(turns, near) for turns in conversations]
    grams, ends = ngrams(units([t for ts in texts for t in ts]), near.ngram)
    said = np.diff(ends) > 0  # (T,) texts with a unit in them
    counts = np.cumsum(np.concatenate([[0], said]))
    offsets = counts[np.cumsum([0, *map(len, texts)])]
    full = _minhash(grams, np.concatenate([[0], ends[1:][said]]), near.permutations)  # (S, P)
    return Signatures(full.astype(np.uint8), _keys(full, *near.bands), offsets)


def _texts(turns: Sequence[Message], near: Near) -> list[str]:
    said = [turn["content"] for turn in turns]
    return said if near.per == "turn" else ["\n".join(said)]


def _minhash(grams: np.ndarray, offsets: np.ndarray, permutations: int) -> np.ndarray:
    """(G,) hashes of n-grams in S texts to (S, P) uint32."""
    from rensa import RMinHash

    if len(offsets) == 1:
        return np.zeros((0, permutations), dtype=np.uint32)
    made = RMinHash.digest_matrix_from_flat_token_hashes(grams, offsets.astype(np.uint64), permutations, _SEED)
    return np.array(made.to_rows(), dtype=np.uint32)


def _keys(full: np.ndarray, bands: int, hashes: int) -> np.ndarray:
    cut = full[:, : bands * hashes].reshape(len(full), bands, hashes).astype(np.uint64)
    keys = np.broadcast_to(np.arange(1, bands + 1, dtype=np.uint64), cut.shape[:2])  # the same hashes in another band
    for column in range(hashes):
        keys = mixed(keys ^ (cut[:, :, column] + np.uint64(0x9E3779B97F4A7C15)))
    return keys


def similarity(one: np.ndarray, other: np.ndarray) -> float:
    """The Jaccard similarity of two texts, estimated from their hashes, (P,) uint8 each."""
    same = float(np.count_nonzero(one == other)) / len(one)
    return (same - BY_CHANCE) / (1 - BY_CHANCE)
