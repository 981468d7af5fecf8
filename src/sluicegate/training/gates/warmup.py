"""Warm a gate up: train it in seconds to tell trusted rows from damage done to those same rows.

The base stays frozen. Its states and surprise over the response tokens are read once and cached; the gates of all
layers then learn together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from sluicegate.errors import DataError
from sluicegate.models.encode import Encoded, Encoder
from sluicegate.models.gates.base import Gate
from sluicegate.models.layers import decoder_layers, spaced_layers
from sluicegate.models.load import Loaded
from sluicegate.schema import Record
from sluicegate.training.gates.features import read_features
from sluicegate.training.gates.fit import fit
from sluicegate.training.gates.held_out import Judged, measure, out_of_fold
from sluicegate.training.gates.lessons import make_lessons, shuffled
from sluicegate.training.gates.reference import tune_reference
from sluicegate.training.gates.warmup_config import WarmupConfig

FEWEST = 20
"""Trusted rows below which there is nothing to learn from and nothing to hold out."""


@dataclass(frozen=True)
class Warmed:
    """Trained gates by layer number, and what is known of them."""

    gates: Mapping[int, Gate]
    """Empty where `members` hold them."""
    facts: dict[str, Any]
    """As `gate.json` tells them."""
    judged: list[Judged] = field(default_factory=list)
    """Rows held out, with their damaged copies; see `held_out`."""
    members: Mapping[str, Warmed] = field(default_factory=dict)
    """Of a cross-fitted gate: folder name to one half's gate."""

    @property
    def acts(self) -> bool:
        """Whether a gate changes what its model computes."""
        return any(gate.acts for gate in self._all_gates())

    @property
    def parameters(self) -> int:
        """Numbers that were learned."""
        return sum(p.numel() for gate in self._all_gates() for p in gate.parameters())

    def _all_gates(self) -> list[Gate]:
        return [*self.gates.values(), *(gate for member in self.members.values() for gate in member._all_gates())]


def check_enough(trusted: Sequence[Record]) -> None:
    """Raises DataError where there are fewer trusted rows than a gate can learn from."""
    if (n := len(trusted)) < FEWEST:
        subject = "1 trusted row is" if n == 1 else f"{n} trusted rows are"
        raise DataError(f"{subject} too few to warm a gate up", f"give at least {FEWEST}, better 150")


def warm_up(base: Loaded, trusted: Sequence[Record], config: WarmupConfig, out: Path) -> Warmed:
    """Train gates on `trusted`, which `check_enough` found enough; a reference copy that was kept is saved under `out`.

    A copy is tuned on half of the rows, and the gates that read it learn from the other half.
    """
    rows = _Rows.of(trusted, base.encoder(config.max_length), config)
    tune, learn = rows.halves()
    warmed = _with_copy(base, tune, learn, config, out) or _learn(base, rows, config, None)
    return replace(warmed, facts=warmed.facts | {"trusted_rows": len(trusted)})


def cross_fit(
    open_base: Callable[[], Loaded], encoder: Encoder, trusted: Sequence[Record], config: WarmupConfig, out: Path
) -> Warmed:
    """Two gates, each on the half of the rows that the other one's copy was tuned on; their copies lie in `out/0` and
    `out/1`. A copy that is not kept makes no gate, and where none is kept this is a plain gate on all rows.

    The base is opened anew for each: tuning changes it, and two tuned copies of a large base do not fit one device.
    What is told of both together takes every row's score from the one gate that may judge it.
    """
    rows = _Rows.of(trusted, encoder, config)
    first, second = rows.halves()
    turns = {"0": (first, second), "1": (second, first)}
    tried = {name: _with_copy(open_base(), *turn, config, out / name) for name, turn in turns.items()}
    members = {name: warmed for name, warmed in tried.items() if warmed}
    if not members:
        plain = _learn(open_base(), rows, config, None)
        return replace(plain, facts=plain.facts | {"trusted_rows": len(trusted)})
    facts: dict[str, Any] = {"members": list(members), "reference": None, "trusted_rows": len(trusted)}
    facts |= {"layers": next(iter(members.values())).facts["layers"]}
    facts |= {key: sum(member.facts[key] for member in members.values()) for key in ("gate_rows", "lessons")}
    judged = [x for member in members.values() for x in member.judged]
    return Warmed({}, facts | measure(judged), judged, members)


@dataclass(frozen=True)
class _Rows:
    """Trusted rows in an order that only they and the seed decide."""

    records: list[Record]
    encoded: list[Encoded]
    encoder: Encoder

    @classmethod
    def of(cls, trusted: Sequence[Record], encoder: Encoder, config: WarmupConfig) -> _Rows:
        records = shuffled(trusted, config.seed)
        return cls(records, encoder.encode_all(records, "trusted rows"), encoder)

    def halves(self) -> tuple[_Rows, _Rows]:
        half = len(self.records) // 2
        parts = ((self.records[at], self.encoded[at]) for at in (slice(half), slice(half, None)))
        first, second = (_Rows(*part, self.encoder) for part in parts)
        return first, second


def _with_copy(base: Loaded, tune: _Rows, rows: _Rows, config: WarmupConfig, out: Path) -> Warmed | None:
    """Gates on `rows` that read a copy tuned on `tune`; None, and the base as it was, where the copy is not kept."""
    pad_id = base.tokenizer.pad_token_id
    reference = tune_reference(base.model, tune.encoded, rows.encoded, config, pad_id, out)
    return _learn(replace(base, model=reference.model), rows, config, reference.facts) if reference else None


def _learn(base: Loaded, rows: _Rows, config: WarmupConfig, reference: dict[str, Any] | None) -> Warmed:
    """Gates that read `base`, from `rows` and damage done to them."""
    lessons = make_lessons(rows.records, rows.encoder, config)
    layers = spaced_layers(len(decoder_layers(base.model)), config.layers)
    base.model.eval().requires_grad_(False)
    encoded, pad_id = [x.encoded for x in lessons], base.tokenizer.pad_token_id
    features = read_features(base.model, encoded, layers, config.context_gain, pad_id, config.read_batch_tokens)
    judged = out_of_fold(features, lessons, config)
    good, taught = torch.tensor([x.good for x in lessons]), torch.tensor([x.taught for x in lessons])
    gates = fit(features, good, taught.nonzero()[:, 0], config)
    facts = {"layers": layers, "gate_rows": len(rows.records), "lessons": int(taught.sum()), "reference": reference}
    return Warmed(dict(zip(layers, gates, strict=True)), facts | measure(judged), judged)
