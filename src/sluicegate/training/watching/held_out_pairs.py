"""Held-out pairs: whether a model comes to prefer chosen sides that it is not trained on."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice
from typing import Any

import numpy as np

from sluicegate.artifacts import Artifact
from sluicegate.models.encode import Encoder
from sluicegate.models.token_cache import TokenCache
from sluicegate.training.preference.reference import Reference
from sluicegate.training.preference.rows import EncodedPairs
from sluicegate.training.watching.evaluating import over_processes, own_batches
from sluicegate.training.watching.held_out_metrics import PAIRS
from sluicegate.training.watching.held_out_rows import warn_of_trained
from sluicegate.training.watching.questions import Question, Questions
from sluicegate.training.watching.watch_config import WatchConfig


class HeldOutPairs:
    """The first pairs of some, and the prompts among them that are answered.

    Args:
        n_pairs: how many are measured.
        reference: where the reference's log-probabilities are kept, for DPO with one.
    """

    def __init__(
        self, pairs: EncodedPairs, n_pairs: int, questions: Questions, reference: Reference | None = None
    ) -> None:
        self.pairs, self.questions, self.reference = pairs, questions, reference
        self.numbers = np.arange(n_pairs)

    @classmethod
    def of(
        cls, data: Artifact, encoder: Encoder, cache: TokenCache, config: WatchConfig, trained: Collection[str]
    ) -> HeldOutPairs:
        """The first pairs of an artifact, encoded now or before; warns of those that are trained on too.

        Args:
            trained: ids of the pairs that are trained on.

        Raises:
            DataError: as for the pairs that are trained on.
        """
        pairs = EncodedPairs.of(data, encoder, cache)
        ids = [row["id"] for row in islice(data.rows("pairs", ["id"]), config.rows)]
        warn_of_trained(ids, trained)
        asked = (Question(row["id"], row["prompt"], row["chosen"][-1]["content"]) for row in data.rows("pairs"))
        return cls(pairs, len(ids), Questions(encoder.tokenizer, asked, config))

    def measure(self, trainer: Any) -> dict[str, float]:
        """`PAIRS`: means over pairs, of which each counts alike; but a loss that compares all that go through the model
        together, as `aot` does, is taken pass by pass."""
        collate = trainer.data_collator.over(self.pairs, self.reference)
        total = np.zeros(len(PAIRS))
        for places, counts in own_batches(self.pairs.n_tokens[self.numbers].tolist(), trainer.args.train_batch_size):
            batch = trainer._prepare_inputs(collate([{"pair": n} for n in places]))
            found = trainer.judge(batch)
            total += counts * len(places) * np.array([found[name] for name in PAIRS])
        return dict(zip(PAIRS, (over_processes(total) / len(self.numbers)).tolist(), strict=True))

    def answer(self, model: Any) -> list[dict[str, str]]:
        """What the model says to the prompts."""
        return self.questions.answer(model)
