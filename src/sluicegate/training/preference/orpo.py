"""ORPO (arXiv 2403.07691), by the trainer trl keeps among its experiments."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from sluicegate.models.load import Loaded
from sluicegate.training.preference.config import OrpoConfig
from sluicegate.training.preference.dpo import by_itself
from sluicegate.training.preference.rows import SIDES, EncodedPairs, collate_pairs


class OwnRows:
    """Rows are tokens already, and the loss of the chosen side is over its label tokens."""

    @staticmethod
    def tokenize_row(row: Any) -> Any:
        """As it is."""
        return row

    def concatenated_forward(self, model: Any, batch: Any) -> tuple[Any, ...]:
        """As the paper has it, the mean per label token, of which every pair counts alike: trl's mean goes over the
        prompt's tokens too, and over all pairs of a pass together, so it would change with the size of the pass."""
        log_p_chosen, *others = super().concatenated_forward(model, batch)  # type: ignore[misc]
        others[3] = -log_p_chosen.mean()
        return log_p_chosen, *others

    def _send_telemetry(self) -> None:
        """Nothing is told to anyone."""

    def judge(self: Any, batch: dict[str, Tensor]) -> dict[str, float]:
        """`loss`, `accuracy` and `margin` of pairs of this process alone, for a model in evaluation mode."""
        with by_itself(self.accelerator):
            loss, found = self.get_batch_loss_metrics(self.model, batch)
        return {"loss": loss.item(), "accuracy": found["rewards/accuracies"], "margin": found["rewards/margins"]}


def orpo_trainer(loaded: Loaded, model: Any, pairs: EncodedPairs, config: OrpoConfig, **rest: Any) -> Any:
    """A trainer whose batches are pairs by their numbers.

    Args:
        rest: `arguments` of the run, `parts` of the class, and what else a Trainer takes.
    """
    ORPOConfig, ORPOTrainer = trl_orpo()  # noqa: N806
    args = ORPOConfig(**rest.pop("arguments"), beta=config.beta, disable_dropout=False)
    collator = OrpoCollator(pairs, loaded.tokenizer.pad_token_id or 0)
    made: Any = type("Orpo", (*rest.pop("parts"), OwnRows, ORPOTrainer), {})
    return made(model=model, args=args, data_collator=collator, processing_class=loaded.tokenizer, **rest)


def trl_orpo() -> tuple[Any, Any]:
    """trl's config and trainer, without its word on experiments."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "You are importing from 'trl.experimental'")
        from trl.experimental.orpo import ORPOConfig, ORPOTrainer

    return ORPOConfig, ORPOTrainer


class OrpoCollator:
    """Numbers of pairs to a batch of tensors."""

    def __init__(self, pairs: EncodedPairs, pad_id: int) -> None:
        self.pairs, self.pad_id = pairs, pad_id

    def over(self, pairs: EncodedPairs, reference: None) -> OrpoCollator:
        """The same of other pairs; there is no reference."""
        return OrpoCollator(pairs, self.pad_id)

    def __call__(self, rows: Sequence[dict[str, int]]) -> dict[str, Tensor]:
        """`<side>_input_ids`, `<side>_attention_mask` and `<side>_labels`, each (B, T)."""
        batch = collate_pairs([self.pairs[row["pair"]] for row in rows], self.pad_id)
        halves = {name: both.chunk(2) for name, both in batch.items()}
        return {f"{side}_{name}": halves[name][n] for n, side in enumerate(SIDES) for name in halves}
