"""Held-out conversations: the loss of their replies while a model is fine-tuned."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from sluicegate import runtime
from sluicegate.artifacts import Artifact
from sluicegate.errors import DataError
from sluicegate.models.encode import IGNORED, Encoded, Encoder, collate
from sluicegate.models.token_cache import TokenCache, counts_of
from sluicegate.schema import Record, content_id
from sluicegate.training.passes.label_loss import fed_labels
from sluicegate.training.watching.evaluating import over_processes, own_batches
from sluicegate.training.watching.questions import Question, Questions
from sluicegate.training.watching.watch_config import WatchConfig

CHUNK = 512
"""Tokens whose losses are computed at once."""


class HeldOutRows:
    """Rows that are not trained on, and the prompts among them that are answered."""

    def __init__(self, rows: Sequence[Encoded], questions: Questions) -> None:
        self.rows, self.questions = rows, questions

    @classmethod
    def of(
        cls, data: Artifact, encoder: Encoder, cache: TokenCache, config: WatchConfig, trained: Collection[str]
    ) -> HeldOutRows:
        """The first rows of an artifact, encoded now or before; warns of those that are trained on too.

        Args:
            trained: ids of the rows that are trained on.

        Raises:
            DataError: there are none, or one has no label tokens.
        """
        ids = [row["id"] for row in islice(data.rows("messages", ["id"]), config.rows)]
        if not ids:
            raise DataError(f"{data.id}: no held-out rows", "leave the input held_out out")
        warn_of_trained(ids, trained)
        rows = cache.rows(encoder, ids, lambda: _first(data, config.rows), "held-out rows")
        encoder.tell(rows.counts, "held-out rows")
        return cls(rows, Questions(encoder.tokenizer, map(Question.of, _first(data, config.rows)), config))

    def measure(self, trainer: Any) -> dict[str, float]:
        """`loss`: nats per label token, of which each counts alike, however rows share batches and processes."""
        pad_id = self.questions.tokenizer.pad_token_id or 0
        total = np.zeros(2)
        for places, counts in own_batches(counts_of(self.rows).n_tokens.tolist(), trainer.args.train_batch_size):
            batch = trainer._prepare_inputs(collate([self.rows[n] for n in places], pad_id))
            total += counts * np.array(summed_loss(trainer.model, batch))
        loss, tokens = over_processes(total)
        return {"loss": float(loss / tokens)}

    def answer(self, model: Any) -> list[dict[str, str]]:
        """What the model says to the prompts."""
        return self.questions.answer(model)


def summed_loss(model: Any, batch: dict[str, Tensor]) -> tuple[float, int]:
    """The sum of the losses of a batch's label tokens in nats, and how many they are."""
    targets = batch["labels"][:, 1:]  # (B, T - 1)
    targets = targets[targets != IGNORED]  # (t,)
    whole = model.get_base_model() if hasattr(model, "peft_config") else model
    with fed_labels(whole.get_output_embeddings(), batch["labels"]):
        out = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], use_cache=False)
    parts = zip(out.logits[0].split(CHUNK), targets.split(CHUNK), strict=True)  # (t, V), (t,)
    losses = [F.cross_entropy(logits.float(), target, reduction="sum") for logits, target in parts]
    return torch.stack(losses).double().sum().item(), len(targets)


def warn_of_trained(ids: Collection[str], trained: Collection[str]) -> None:
    """Tell how many held-out rows are trained on too, copies included: of those a loss says nothing."""
    known = {content_id(one) for one in trained}
    if seen := sum(content_id(one) in known for one in ids):
        rows_are = "row is" if seen == 1 else "rows are"
        runtime.warn(f"{seen:,} of {len(ids):,} held-out {rows_are} trained on too: their loss falls by being learnt")


def _first(data: Artifact, rows: int | None) -> Iterator[Record]:
    return cast(Iterator[Record], islice(data.rows("messages"), rows))
