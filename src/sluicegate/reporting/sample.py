"""One record as a gate saw it: its response token by token, and where its scores stand in the pool."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sluicegate.artifacts import Artifact
from sluicegate.errors import ArtifactError
from sluicegate.reporting.examples import shorten, transcript
from sluicegate.reporting.scores import read_scores
from sluicegate.schema import Record

if TYPE_CHECKING:
    from sluicegate.models.encode import Encoded, Encoder

Numbers = NDArray[np.floating[Any]]
FULL = 95
"""Percentile of what is drawn in full colour: one wild token must not pale all others."""
LOWEST = 8
AROUND = 24
"""Characters of text on either side of a listed token."""


@dataclass(frozen=True)
class Piece:
    """Text that can be read on its own, and its tokens [start, end) of the sample's T."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Standing:
    """A signal's score of the record, and how many of the pool's rows score higher and lower."""

    signal: str
    value: float | None
    why: str
    higher: int
    lower: int
    scored: int


@dataclass(frozen=True)
class Sample:
    """What there is to see of one record with T response tokens and L gated layers."""

    id: str
    source: str
    lang: str
    prompt: str
    """Everything before the last reply, shortened."""
    truncated: int
    """Tokens of the record that were not read."""
    standings: list[Standing]
    turns: list[list[Piece]]
    """The assistant's turns, in order."""
    nll: Numbers
    """(T,) nats."""
    gates: Numbers
    """(L, T) logits, high is good; no layer where no gate was read."""
    layers: list[int]
    """(L,) the layers' numbers in the model."""

    @property
    def pieces(self) -> list[Piece]:
        """Of all turns."""
        return [piece for turn in self.turns for piece in turn]

    @property
    def tone(self) -> Numbers:
        """(T,) what colours a token: its mean gate logit, or without a gate how far its nll is under the median."""
        if len(self.gates):
            return self.gates.mean(0)
        return (np.median(self.nll) if len(self.nll) else 0.0) - self.nll

    @property
    def tone_name(self) -> str:
        """`tone` in words."""
        return "gate logit" if len(self.gates) else "nll under the median"

    def tone_of(self, piece: Piece) -> float:
        """The mean tone of a piece's tokens."""
        return float(self.tone[piece.start : piece.end].mean())

    def nll_of(self, piece: Piece) -> float:
        """The nats of a piece: the sum over its tokens."""
        return float(self.nll[piece.start : piece.end].sum())

    def lowest(self) -> Iterator[tuple[Piece, str, str]]:
        """The pieces of the lowest tone, each with the text before and behind it on one line."""
        pieces = self.pieces
        texts = [visible(piece.text) for piece in pieces]
        for n in sorted(range(len(pieces)), key=lambda n: self.tone_of(pieces[n]))[:LOWEST]:
            before, after = texts[max(0, n - AROUND) : n], texts[n + 1 : n + 1 + AROUND]
            yield pieces[n], "".join(before)[-AROUND:], "".join(after)[:AROUND]

    @property
    def gate_reach(self) -> float:
        """The logit, up or down, that is drawn in full colour."""
        return _reach(self.gates if len(self.gates) else self.tone)

    @property
    def nll_reach(self) -> float:
        """The nats that are drawn in full height."""
        return _reach(self.nll)


def visible(text: str) -> str:
    """Text on one line, with its line breaks and tabs to be seen."""
    return text.replace("\r", "␍").replace("\n", "↵").replace("\t", "⇥")


def _reach(values: Numbers) -> float:
    known = np.abs(values[np.isfinite(values)])
    return max(1.0, float(np.percentile(known, FULL))) if known.size else 1.0


def read_samples(scores: Artifact, tokens: Mapping[str, tuple[Numbers, Numbers]]) -> list[Sample]:
    """The samples of some records, in the order given.

    Args:
        scores: the table; its data, its gate and its model are found through its manifest.
        tokens: record id to nll (T,) and gate logits (L, T).

    Raises:
        ArtifactError: what the scores were made from is gone, or gives another number of tokens now.
    """
    from sluicegate.models.load import load_encoder

    gate = scores.parent("gate") if "gate" in scores.inputs else None
    model = scores.parent("model") if "model" in scores.inputs or gate is None else gate.parent("model")
    layers = json.loads((gate.path / "gate.json").read_text(encoding="utf-8"))["layers"] if gate else []
    encoder = load_encoder(model.path, scores.manifest["config"]["max_length"])
    records: Any = {r["id"]: r for r in scores.parent("data").rows("messages") if r["id"] in tokens}
    places = _standings(scores, list(tokens))
    return [
        _sample(scores, records[i], encoder, places[i], nll.astype(np.float32), gates.astype(np.float32), layers)
        for i, (nll, gates) in tokens.items()
    ]


def _sample(
    scores: Artifact,
    record: Record,
    encoder: Encoder,
    standings: list[Standing],
    nll: Numbers,
    gates: Numbers,
    layers: list[int],
) -> Sample:
    row = encoder.encode(record)
    if row.n_label != len(nll):
        hint = "the tokenizer or its chat template changed since; score again"
        raise ArtifactError(f"{record['id']} has {row.n_label} response tokens, and {len(nll)} in {scores.id}", hint)
    return Sample(
        id=record["id"],
        source=record["source"],
        lang=record["lang"],
        prompt=shorten(transcript(record["messages"][:-1])),
        truncated=row.truncated,
        standings=standings,
        turns=_turns(encoder, row),
        nll=nll,
        gates=gates,
        layers=layers[: len(gates)],
    )


def _turns(encoder: Encoder, row: Encoded) -> list[list[Piece]]:
    from sluicegate.models.pieces import pieces

    turns: list[list[Piece]] = []
    n = 0
    for start, end in row.spans:
        turns.append([])
        for text, size in pieces(encoder.tokenizer, row.ids, start, end):
            turns[-1].append(Piece(text, n, n + size))
            n += size
    return turns


def _standings(scores: Artifact, ids: Sequence[str]) -> dict[str, list[Standing]]:
    """Every signal's score of some records against all others."""
    table = read_scores(scores)
    rows = {i: n for n, i in enumerate(table.ids)}
    whys = scores.table("scores", [f"{name}_why" for name in table.signals])
    out: dict[str, list[Standing]] = {i: [] for i in ids}
    for name, column in table.signals.items():
        for i in ids:
            value = table.of(rows[i])[name]
            higher, lower = (0, 0) if value is None else ((column > value).sum(), (column < value).sum())
            why = whys[f"{name}_why"][rows[i]].as_py()
            out[i].append(Standing(name, value, why, int(higher), int(lower), int((~np.isnan(column)).sum())))
    return out
