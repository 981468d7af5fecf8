"""Pairs as tokens: two conversations that begin alike, of which the loss sees the ends that differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, overload

import numpy as np
import torch

from sluicegate.artifacts import Artifact
from sluicegate.errors import DataError
from sluicegate.models.encode import Counts, Encoded, Encoder, collate
from sluicegate.models.token_cache import EncodedRows, TokenCache
from sluicegate.schema import Message, Pair, Record, make_record

SIDES = ("chosen", "rejected")


class EncodedPair(NamedTuple):
    """Both sides, each with the prompt before it; only the side's own assistant turns are label tokens."""

    chosen: Encoded
    rejected: Encoded


class EncodedPairs(Sequence[EncodedPair]):
    """N pairs, each read from the disk when it is asked for.

    Args:
        sides: the chosen and the rejected side of every pair by turns, 2N rows.
        prompt_replies: assistant turns in each prompt, (N,): what they say is no label.
    """

    def __init__(self, sides: EncodedRows, prompt_replies: Sequence[int]) -> None:
        self.sides, self.prompt_replies = sides, prompt_replies

    @classmethod
    def of(cls, data: Artifact, encoder: Encoder, cache: TokenCache) -> EncodedPairs:
        """The pairs of an artifact, encoded now or before; says how many tokens they have and what was cut off.

        Raises:
            DataError: no pairs, or one that prefers nothing: without a prompt or a reply, with equal sides, or cut so
                short that no label tokens, or no differences, are left.
        """
        rows = list(data.rows("pairs", ["id", "prompt"]))
        if not rows:
            raise DataError(f"{data.id}: no pairs to train on", "prepare some with make: pairs")
        what, names = f"both sides of {len(rows):,} pairs", [f"{row['id']}/{side}" for row in rows for side in SIDES]
        sides = cache.rows(encoder, names, lambda: _conversations(data), what)
        found = cls(sides, [_replies(row["prompt"]) for row in rows])
        encoder.tell(found.counts(), what)
        found._check_differences(encoder.max_length)
        return found

    def __len__(self) -> int:
        return len(self.prompt_replies)

    @overload
    def __getitem__(self, pair: int) -> EncodedPair: ...
    @overload
    def __getitem__(self, pair: slice) -> list[EncodedPair]: ...
    def __getitem__(self, pair: int | slice) -> EncodedPair | list[EncodedPair]:
        """A pair as it was encoded, or a list of some."""
        if isinstance(pair, slice):
            return [self[n] for n in range(*pair.indices(len(self)))]
        n = range(len(self))[pair]
        first = self.prompt_replies[n]
        chosen, rejected = (replace(row, spans=row.spans[first:]) for row in self.sides[2 * n : 2 * n + 2])
        return EncodedPair(chosen, rejected)

    def counts(self) -> Counts:
        """Tokens of every side, (2N,)."""
        return replace(self.sides.counts, n_label=np.array([side.n_label for pair in self for side in pair]))

    @property
    def n_tokens(self) -> np.ndarray:
        """Tokens of the longer side of each pair, (N,): both are padded to it."""
        return self.sides.counts.n_tokens.reshape(-1, 2).max(axis=1)

    @property
    def n_truncated(self) -> int:
        """Pairs of which a side was cut."""
        return int((self.sides.counts.truncated.reshape(-1, 2) > 0).any(axis=1).sum())

    def _check_differences(self, max_length: int) -> None:
        same = [pair.chosen.id.partition("/")[0] for pair in self if pair.chosen.ids == pair.rejected.ids]
        if same:
            named = ", ".join(same[:3]) + (", …" if len(same) > 3 else "")
            pairs_have = "1 pair has" if len(same) == 1 else f"{len(same):,} pairs have"
            hint = f"raise max_length (now {max_length}) if they differ further on, or drop them"
            raise DataError(f"{pairs_have} equal sides, so nothing is preferred: {named}", hint)


def collate_pairs(pairs: Sequence[EncodedPair], pad_id: int) -> dict[str, torch.Tensor]:
    """What `collate` gives of all chosen sides and below them all rejected ones, each (2B, T)."""
    return collate([side for sides in zip(*pairs, strict=True) for side in sides], pad_id)


def _conversations(data: Artifact) -> Iterator[Record]:
    """The chosen and the rejected side of every pair, each with its prompt."""
    for row in data.rows("pairs"):
        pair: Pair = row  # type: ignore[assignment]
        _check(pair, data)
        for name, side in _sides(pair):
            record = make_record([*pair["prompt"], *side], pair["source"], pair["lang"])
            yield {**record, "id": f"{pair['id']}/{name}"}


def _check(pair: Pair, data: Artifact) -> None:
    """Refuse a pair that no table made by prepare holds."""
    at = f"{data.id}: pair {pair['id']}"
    if not pair["prompt"]:
        raise DataError(f"{at} has no prompt", "give it one, or drop it")
    for name, side in _sides(pair):
        if not _replies(side):
            raise DataError(f"{at} has no reply on its {name} side", "give it an assistant turn, or drop it")


def _sides(pair: Pair) -> Iterator[tuple[str, list[Message]]]:
    return zip(SIDES, (pair["chosen"], pair["rejected"]), strict=True)


def _replies(messages: Sequence[Message]) -> int:
    return sum(message["role"] == "assistant" for message in messages)
