"""How well gates do on rows they never learned from: AUROC over damage to them, and the scores that keep a share.

A gate is fitted five times, each time without a fifth of the trusted rows and their damaged copies, and judges that
fifth; the gate that is kept is then fitted on all of them. So every trusted row has one honest score, and a threshold
rests on all rows where a single held-out fifth would leave it to fifteen. The kept gate saw a quarter more than each of
the five; that its scores lie on the same scale is what cross-validation always assumes. It holds: thresholds for half,
.8, .9 and .95 of the demo's trusted rows keep .61, .85, .91 and .95 of 600 clean rows of its pool, where thresholds on
the gate's own rows keep .40, .68, .79 and .85. The five fits take six of the demo's seventeen seconds of warm-up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from sluicegate.models.encode import length_batches
from sluicegate.models.gates.base import Gate, Tokens, attach, detach, pooled, token_logits
from sluicegate.models.gates.surprise import surprise_features
from sluicegate.models.surprise import read
from sluicegate.runtime import say, track
from sluicegate.training.gates.features import Features
from sluicegate.training.gates.fit import fit, score
from sluicegate.training.gates.lessons import Lesson, shuffled
from sluicegate.training.gates.warmup_config import WarmupConfig

if TYPE_CHECKING:
    from sluicegate.models.load import Loaded
    from sluicegate.schema import Record

FOLDS = 5
SHARES = (0.5, 0.8, 0.9, 0.95)
"""Of trusted rows, that a threshold is given for."""
FEW = 20
"""Rows below which their AUROC hangs on chance, and the user is told so."""


@dataclass(frozen=True)
class Judged:
    """A lesson, and what gates made of it that had never seen it or another copy of its row."""

    lesson: Lesson
    score: float


def out_of_fold(features: Features, lessons: Sequence[Lesson], config: WarmupConfig) -> list[Judged]:
    """Every lesson judged by gates fitted on the rows of the four other folds."""
    ids = list(dict.fromkeys(x.of for x in lessons))
    fold_of = {one: place % FOLDS for place, one in enumerate(ids)}
    fold = torch.tensor([fold_of[x.of] for x in lessons])
    good, taught = torch.tensor([x.good for x in lessons]), torch.tensor([x.taught for x in lessons])
    found = torch.empty(len(lessons))
    for held in range(FOLDS):
        rows = (fold == held).nonzero()[:, 0]
        gates = fit(features, good, (taught & (fold != held)).nonzero()[:, 0], config)
        found[rows] = score(gates, features, rows, config.batch_size)
    return [Judged(*pair) for pair in zip(lessons, found.tolist(), strict=True)]


def set_aside(trusted: Sequence[Record], seed: int) -> tuple[list[Record], list[Record]]:
    """The rows to learn from and a fifth of them to judge by, for gates too slow to fit five times."""
    rows = shuffled(trusted, seed)
    held = max(4, len(rows) // FOLDS)
    return rows[held:], rows[:held]


@torch.no_grad()
def judge(base: Loaded, gates: Mapping[int, Gate], lessons: Sequence[Lesson], batch_tokens: int) -> list[Judged]:
    """Every lesson judged by gates that learned from none of them, hung on the model they read."""
    found = torch.empty(len(lessons))
    attach(base.model, gates)
    for places in track(length_batches([len(x.encoded.ids) for x in lessons], batch_tokens=batch_tokens), "judge"):
        reading = read(base.model, [lessons[i].encoded for i in places], base.tokenizer.pad_token_id)
        surprise = surprise_features(reading.loss, reading.entropy, reading.row, None)
        z = token_logits(list(gates.values()), Tokens(reading.row, reading.position, surprise))  # (L, T)
        found[places] = pooled(list(gates.values()), z, reading.row, len(places)).mean(0).float().cpu()
    detach(base.model)
    return [Judged(*pair) for pair in zip(lessons, found.tolist(), strict=True)]


def measure(judged: Sequence[Judged]) -> dict[str, Any]:
    """AUROC of trusted rows against damage done to them, over all kinds, by kind and over kinds never taught (None
    where there is no such damage); and for each share of trusted rows the score that keeps it."""
    clean = [x.score for x in judged if x.lesson.good]
    damaged = [x for x in judged if not x.lesson.good]
    taught = {x.lesson.kind for x in damaged if x.lesson.taught}
    kinds = dict.fromkeys(x.lesson.kind for x in damaged)
    return {
        "auroc": _auroc(clean, [x.score for x in damaged]),
        "auroc_unseen": _auroc(clean, [x.score for x in damaged if x.lesson.kind not in taught]),
        "auroc_by_kind": {kind: _auroc(clean, [x.score for x in damaged if x.lesson.kind == kind]) for kind in kinds},
        "thresholds": {f"{share:g}": float(np.quantile(clean, 1 - share, method="lower")) for share in SHARES},
        "held_out_rows": len(clean),
    }


def tell(facts: Mapping[str, Any]) -> None:
    """One line for the user."""
    unseen = facts["auroc_unseen"]
    apart = "" if unseen is None else f", {unseen:.3f} on kinds of damage it is never taught"
    rough = ": a rough number" if facts["held_out_rows"] < FEW else ""
    rows = f"{facts['held_out_rows']} rows the gate did not learn from"
    say(f"  held-out AUROC {facts['auroc']:.3f} on damage to {rows}{apart}{rough}")


def _auroc(clean: Sequence[float], damaged: Sequence[float]) -> float | None:
    from sklearn.metrics import roc_auc_score

    if not damaged:
        return None
    return float(roc_auc_score([1] * len(clean) + [0] * len(damaged), [*clean, *damaged]))
