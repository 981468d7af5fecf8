"""Rows as a model will see them: its chat template applied, its tokens told apart; or turn by turn without a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, cast

from sluicegate.schema import Message, Pair, Record, make_record

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from sluicegate.models.encode import Encoded, Encoder

TAIL = 64
"""Tokens shown of what is cut off."""
ENDLESS = 1 << 40
"""The `max_length` of an encoder that is to cut nothing off, so that there is a tail to show."""


@dataclass(frozen=True)
class Piece:
    """Text that looks the same all over: a turn, or some tokens."""

    text: str
    role: str = ""
    """Whose turn it is; empty for tokens."""
    label: bool = False
    """Whether a loss sees it."""
    special: bool = False
    """Whether it is one of the tokenizer's special tokens."""
    cut: bool = False
    """Whether it is past the length that is read."""

    @property
    def looks(self) -> list[str]:
        """What it is, in words a style goes by."""
        return [self.role] * bool(self.role) + [name for name in ("label", "special", "cut") if getattr(self, name)]


@dataclass(frozen=True)
class Part:
    """A conversation, or the prompt, the chosen or the rejected continuation of a pair."""

    title: str
    """Empty for a conversation."""
    pieces: list[Piece]
    tokens: int | None = None
    """How many it has, those cut off left out; None where no model counts."""
    labels: int = 0
    """How many of them a loss sees."""
    cut: int = 0
    """How many are cut off."""


@dataclass(frozen=True)
class View:
    """One row."""

    id: str
    source: str
    lang: str
    parts: list[Part]


def plain_view(row: Record | Pair) -> View:
    """A row turn by turn."""
    return _view(
        row, [Part(_title(side), [Piece(m["content"], m["role"]) for m in said]) for side, said in _sides(row)]
    )


def token_view(row: Record | Pair, encoder: Encoder, max_length: int) -> View:
    """A row as tokens.

    Args:
        row: a conversation, or a pair, of which a loss sees the two continuations only.
        encoder: one that cuts nothing off, made with `ENDLESS`.
        max_length: tokens that are read.
    """
    sides = dict(_sides(row))
    if "messages" in sides:
        encoded = encoder.encode(cast("Record", row))
        return _view(row, [_part("", encoder, encoded, 0, len(encoded.ids), max_length)])
    (prompt, chosen), (_, rejected) = (
        _continued(row, sides["prompt"], side, sides[side], encoder, max_length) for side in ("chosen", "rejected")
    )
    return _view(row, [prompt, chosen, rejected])


def _view(row: Record | Pair, parts: list[Part]) -> View:
    return View(row["id"], row["source"], row["lang"], parts)


def _sides(row: Record | Pair) -> list[tuple[str, list[Message]]]:
    found = cast("Mapping[str, Any]", row)
    return [(name, found[name]) for name in ("messages", "prompt", "chosen", "rejected") if name in found]


def _title(side: str) -> str:
    return "" if side == "messages" else side


def _continued(
    row: Record | Pair, prompt: list[Message], title: str, said: list[Message], encoder: Encoder, max_length: int
) -> tuple[Part, Part]:
    """A prompt and what follows it, read as one; only what follows has labels."""
    whole = make_record([*prompt, *said], row["source"], row["lang"])
    whole["id"] = row["id"]  # what an error names
    encoded = encoder.encode(whole)
    spans = encoded.spans[-sum(m["role"] == "assistant" for m in said) :]
    encoded, end = replace(encoded, spans=spans), len(encoded.ids)
    border = spans[0][0] if spans else end
    return (
        _part("prompt", encoder, encoded, 0, border, max_length),
        _part(title, encoder, encoded, border, end, max_length),
    )


def _part(title: str, encoder: Encoder, row: Encoded, start: int, end: int, max_length: int) -> Part:
    """The tokens [start, end) of a row."""
    read = max(start, min(end, max_length))
    labels = sum(max(0, min(b, read) - max(a, start)) for a, b in row.spans)
    return Part(title, list(_pieces(encoder, row, start, end, read)), read - start, labels, end - read)


def _pieces(encoder: Encoder, row: Encoded, start: int, end: int, read: int) -> Iterator[Piece]:
    """Runs of tokens that look the same; of what is cut off no more than the beginning."""
    from sluicegate.models.pieces import BROKEN, pieces

    special = special_ids(encoder.tokenizer)
    end = min(end, read + TAIL)

    def looks(at: int) -> tuple[bool, int, bool]:
        sign = at if row.ids[at] in special else -1  # each sign stands alone, beside others too
        return any(a <= at < b for a, b in row.spans) and at < read, sign, at >= read

    for (label, sign, cut), run in groupby(range(start, end), looks):
        at = list(run)
        text = "".join(text for text, _ in pieces(encoder.tokenizer, row.ids, at[0], at[-1] + 1))
        # The beginning of a tail may end inside a character.
        yield Piece(text.rstrip(BROKEN) if cut else text, label=label, special=sign >= 0, cut=cut)


def special_ids(tokenizer: PreTrainedTokenizerBase) -> set[int]:
    """The tokens that stand for no text: they mark where texts and turns begin and end."""
    added = tokenizer.added_tokens_decoder.items()
    return {*tokenizer.all_special_ids, *(i for i, token in added if token.special)}
