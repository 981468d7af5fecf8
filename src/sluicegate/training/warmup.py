"""Warm a gate up: train it in seconds to tell trusted rows from damage done to those same rows.

The base stays frozen. Its states and surprise over the response tokens are read once and cached; the gates of all
layers then learn together, each from its own pooled logit (deep supervision).
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from sluicegate.data.corrupt import make_corruptions
from sluicegate.errors import DataError
from sluicegate.models.encode import Encoded, Encoder
from sluicegate.models.gates.surprise import SurpriseGate, soft_min
from sluicegate.models.layers import decoder_layers, spaced_layers
from sluicegate.models.load import Loaded
from sluicegate.runtime import say, seed_everything, track
from sluicegate.schema import Record
from sluicegate.training.features import Features, read_features
from sluicegate.training.reference import tune_reference
from sluicegate.training.warmup_config import WarmupConfig

EPOCHS, LEARNING_RATE = 20, 5e-3
"""Where the config leaves them open."""
FEWEST = 20
"""Trusted rows below which there is nothing to learn from and nothing to hold out."""
HELD_OUT = 0.2
FEW_HELD_OUT = 20
"""Rows below which their AUROC hangs on chance, and the user is told so."""
EPSILON = 1e-3


@dataclass(frozen=True)
class Warmed:
    """Trained gates by layer number, and what is known of them."""

    gates: dict[int, SurpriseGate]
    facts: dict[str, Any]


def check_enough(trusted: Sequence[Record]) -> None:
    """Raises DataError where there are fewer trusted rows than a gate can learn from."""
    if (n := len(trusted)) < FEWEST:
        subject = "1 trusted row is" if n == 1 else f"{n} trusted rows are"
        raise DataError(f"{subject} too few to warm a gate up", f"give at least {FEWEST}, better 150")


def warm_up(base: Loaded, trusted: Sequence[Record], config: WarmupConfig, out: Path) -> Warmed:
    """Train gates on `trusted`, which `check_enough` found enough; a reference copy that was kept is saved under `out`.

    The AUROC told is that of a gate fitted without the held-out rows, on damage done to those rows; the gate
    returned is then fitted on all of them.
    """
    rows = sorted(trusted, key=lambda r: r["id"])
    random.Random(config.seed).shuffle(rows)
    encoder, pad_id, half = base.encoder(config.max_length), base.tokenizer.pad_token_id, len(rows) // 2
    encoded = encoder.encode_all(rows, "trusted rows")
    reference = tune_reference(base.model, encoded[:half], encoded[half:], config.reference, pad_id, config.seed, out)
    model = reference.model if reference else base.model
    gate_rows = rows[half:] if reference else rows

    lessons = _lessons(gate_rows, encoder, config)
    layers = spaced_layers(len(decoder_layers(model)), config.layers)
    model.eval().requires_grad_(False)
    features = read_features(
        model, [x.encoded for x in lessons], layers, config.context_gain, pad_id, config.read_batch_tokens
    )
    facts = _held_out(features, lessons, config)
    rough = ": a rough number" if facts["held_out_rows"] < FEW_HELD_OUT else ""
    judged = f"{facts['held_out_rows']} rows the gate did not learn from"
    say(f"  held-out AUROC {facts['auroc']:.3f} on damage to {judged}{rough}")
    gates = fit(features, torch.tensor([x.good for x in lessons]), config)
    facts |= {"layers": layers, "trusted_rows": len(rows), "gate_rows": len(gate_rows), "lessons": len(lessons)}
    return Warmed(dict(zip(layers, gates, strict=True)), facts | {"reference": reference.facts if reference else None})


def fit(features: Features, good: Tensor, config: WarmupConfig) -> list[SurpriseGate]:
    """One gate per gated layer, for the rows `good` (B,) tells apart; the input standardisation is folded in."""
    seed_everything(config.seed)
    width, n_surprise = features.now[0].shape[1], features.surprise.shape[1]
    gates = [SurpriseGate(width, config.rank, n_surprise) for _ in features.now]
    scales = [_scale(x) for x in features.now]
    now, before = ([(x.float() - m) / d for x, (m, d) in zip(xs, scales, strict=True)]
                   for xs in (features.now, features.before))  # fmt: skip
    mean, deviation = _scale(features.surprise)
    scaled = Features(now, before, (features.surprise - mean) / deviation, features.start)
    rate = config.learning_rate or LEARNING_RATE
    parameters = [p for gate in gates for p in gate.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=config.weight_decay)
    weight = torch.where(good, config.positive_weight, 1.0)
    batches = list(_batches(len(good), config))
    for step, rows in enumerate(track(batches, "fit the gate")):
        optimizer.param_groups[0]["lr"] = rate * (1 - step / len(batches))
        logits = row_logits(gates, scaled, rows)  # (L, b)
        target, weights = good[rows].float().expand_as(logits), weight[rows].expand_as(logits)
        F.binary_cross_entropy_with_logits(logits, target, weight=weights).backward()
        optimizer.step()
        optimizer.zero_grad()
    for gate, scale in zip(gates, scales, strict=True):
        gate.fold(scale, (mean, deviation))
    return gates


def row_logits(gates: Sequence[SurpriseGate], features: Features, rows: Tensor) -> Tensor:
    """Every layer's pooled logit of some rows: (L, b)."""
    index, row = features.tokens(rows)
    surprise = features.surprise[index]
    pooled = []
    for gate, now, before in zip(gates, features.now, features.before, strict=True):
        z = gate.logits(now[index].float() @ gate.now.T, before[index].float() @ gate.before.T, surprise)  # (t,)
        pooled.append(soft_min(z, row, len(rows)))
    return torch.stack(pooled)


@dataclass(frozen=True)
class _Lesson:
    encoded: Encoded
    of: str
    kind: str

    @property
    def good(self) -> bool:
        return self.kind == "clean"


def _lessons(rows: Sequence[Record], encoder: Encoder, config: WarmupConfig) -> list[_Lesson]:
    """The rows as they are and their damaged copies, each knowing the row it came from."""
    damaged = make_corruptions(rows, config.copies, config.seed, config.corruptions)
    found = [_Lesson(encoder.encode(r), r["id"], "clean") for r in rows]
    found += [_Lesson(encoder.encode(r), json.loads(r["meta"])["of"], kind) for r, kind in damaged]
    return [x for x in found if x.encoded.n_label]


def _held_out(features: Features, lessons: Sequence[_Lesson], config: WarmupConfig) -> dict[str, Any]:
    """AUROC, overall and per kind of damage, on a fifth of the rows for a gate fitted on the others."""
    from sklearn.metrics import roc_auc_score

    ids = list(dict.fromkeys(x.of for x in lessons))
    held = set(ids[: max(4, round(HELD_OUT * len(ids)))])
    inside = torch.tensor([x.of in held for x in lessons])
    train, test = (~inside).nonzero()[:, 0], inside.nonzero()[:, 0]
    good = torch.tensor([x.good for x in lessons])
    gates = fit(_only(features, train), good[train], config)
    with torch.no_grad():
        score = row_logits(gates, features, test).mean(0)
    clean = score[good[test]]
    by_kind = {k: score[[i for i, t in enumerate(test.tolist()) if lessons[t].kind == k]] for k in config.corruptions}
    auroc = {
        k: float(roc_auc_score([1] * len(clean) + [0] * len(bad), torch.cat([clean, bad])))
        for k, bad in by_kind.items()
        if len(bad)
    }
    overall = float(roc_auc_score(good[test], score))
    return {"auroc": overall, "auroc_by_kind": auroc, "held_out_rows": len(held)}


def _only(features: Features, rows: Tensor) -> Features:
    index, _ = features.tokens(rows)
    count = features.start[rows + 1] - features.start[rows]
    start = torch.cat([torch.zeros(1, dtype=count.dtype), count.cumsum(0)])
    return Features(
        [x[index] for x in features.now], [x[index] for x in features.before], features.surprise[index], start
    )


def _batches(n: int, config: WarmupConfig) -> Iterator[Tensor]:
    rng = random.Random(config.seed)
    order = list(range(n))
    for _ in range(config.epochs or EPOCHS):
        rng.shuffle(order)
        for at in range(0, n, config.batch_size):
            yield torch.tensor(order[at : at + config.batch_size])


def _scale(x: Tensor) -> tuple[Tensor, Tensor]:
    return x.float().mean(0), x.float().std(0) + EPSILON
