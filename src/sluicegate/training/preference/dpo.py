"""DPO (arXiv 2305.18290) and its relatives, by trl's trainer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sluicegate.errors import ArtifactError
from sluicegate.models.encode import IGNORED
from sluicegate.models.load import Loaded
from sluicegate.models.surprise import HEAD_TOLERANCE
from sluicegate.training.devices.sharded import is_sharded
from sluicegate.training.preference.config import DpoConfig
from sluicegate.training.preference.reference import Reference
from sluicegate.training.preference.rows import EncodedPairs, collate_pairs
from sluicegate.training.watching.held_out_pairs import HeldOutPairs
from sluicegate.training.watching.undisturbed import undisturbed


class OwnRows:
    """What trl's trainer does to rows before it trains, left out: ours are tokens, and their reference is known."""

    def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
        return dataset

    def _precompute_ref_logps(self, dataset: Any, *_: Any) -> Any:
        return dataset

    def _send_telemetry(self) -> None:
        """Nothing is told to anyone."""

    def judge(self: Any, batch: dict[str, Tensor]) -> dict[str, float]:
        """`loss`, `accuracy` and `margin` of pairs of this process alone, for a model in evaluation mode."""
        with by_itself(self.accelerator):
            loss = self.compute_loss(self.model, batch).item()
        found = {name: values[-1] for name, values in self._metrics["eval"].items()}
        self._metrics["eval"].clear()
        return {"loss": loss, "accuracy": found["rewards/accuracies"], "margin": found["rewards/margins"]}


@contextmanager
def by_itself(accelerator: Any) -> Iterator[None]:
    """trl gathers the numbers of every pass, so all processes must pass equally many rows; here each has its own."""
    names = ("gather", "gather_for_metrics")
    vars(accelerator).update(dict.fromkeys(names, lambda tensor: tensor))
    yield
    for name in names:
        del vars(accelerator)[name]


def dpo_trainer(
    loaded: Loaded,
    model: Any,
    pairs: EncodedPairs,
    config: DpoConfig,
    reference: Reference | None,
    held_out: HeldOutPairs | None = None,
    **rest: Any,
) -> Any:
    """A trainer whose batches are pairs by their numbers, with the reference in place.

    Args:
        model: to train, as it is after that the reference is taken of it.
        reference: where its log-probabilities are kept; None: without a reference.
        held_out: pairs it will be measured by, of which the reference is asked too.
        rest: `arguments` of the run, `parts` of the class, and what else a Trainer takes.
    """
    from trl import DPOConfig, DPOTrainer

    adapted = hasattr(model, "peft_config")
    names, weights, smoothing = trl_loss(config)
    args = DPOConfig(
        **rest.pop("arguments"),
        loss_type=names,
        loss_weights=weights,
        label_smoothing=smoothing,
        beta=config.beta,
        precompute_ref_log_probs=not adapted,  # or trl would open the model once more
        max_length=None,  # rows are cut already, and what was cut is counted
        disable_dropout=False,  # the base's is off; the adapter's is as it was asked for
        router_aux_loss_coef=0.0,
    )
    collator = DpoCollator(pairs, loaded.tokenizer.pad_token_id or 0, config, reference)
    made: Any = type("Dpo", (*rest.pop("parts"), OwnRows, DPOTrainer), {})
    trainer = made(model=model, args=args, data_collator=collator, processing_class=loaded.tokenizer, **rest)
    trainer.precompute_ref_logps = True  # said of adapters only now, for told before, trl hashes all weights
    check_log_probs(trainer.model)
    _ask_reference(trainer, collator, np.unique(rest["train_dataset"]["pair"]))
    if held_out:
        _ask_reference(trainer, collator.over(held_out.pairs, held_out.reference), held_out.numbers)
    if adapted:
        model.delete_adapter("ref")  # trl's copy of the adapter before training, which is the reference
    return trainer


def trl_loss(config: DpoConfig) -> tuple[list[str], list[float], float]:
    """trl's names, weights and `label_smoothing` for a loss.

    trl leaves smoothing out of `sigmoid`. Conservative DPO is -(1 - ε) log σ(z) - ε log σ(-z) = -log σ(z) + εz, and
    trl's `robust` with 1/4 is -log σ(z) - z/2: so 1 + 2ε of the one and -2ε of the other are what is asked for.
    """
    if config.loss == "sigmoid" and config.label_smoothing:
        share = 2 * config.label_smoothing
        return ["sigmoid", "robust"], [1 + share, -share], 0.25
    return [config.loss], [1.0], config.label_smoothing


class DpoCollator:
    """Numbers of pairs to a batch of tensors."""

    def __init__(self, pairs: EncodedPairs, pad_id: int, config: DpoConfig, reference: Reference | None) -> None:
        self.pairs, self.pad_id, self.config, self.reference = pairs, pad_id, config, reference

    def over(self, pairs: EncodedPairs, reference: Reference | None) -> DpoCollator:
        """The same of other pairs."""
        return DpoCollator(pairs, self.pad_id, self.config, reference)

    def __call__(self, rows: Sequence[dict[str, int]]) -> dict[str, Tensor]:
        """Tokens (2B, T), and log π_ref of the chosen and the rejected sides, (B,) each."""
        numbers = [row["pair"] for row in rows]
        batch = self.tokens(numbers)
        lengths = batch["completion_mask"].sum(dim=1).view(2, -1)  # (2, B)
        known = np.zeros((len(numbers), 2), np.float32) if self.reference is None else self.reference.values[numbers]
        # R-DPO's penalty on length is a reference that finds every token of a reply α/β nats less likely.
        tilted = torch.from_numpy(known).T - self.config.length_penalty / self.config.beta * lengths
        return {**batch, "ref_chosen_logps": tilted[0], "ref_rejected_logps": tilted[1]}

    def tokens(self, numbers: Sequence[int]) -> dict[str, Tensor]:
        """`input_ids`, `attention_mask` and `completion_mask` of some pairs, (2B, T) each."""
        batch = collate_pairs([self.pairs[n] for n in numbers], self.pad_id)
        labels = batch.pop("labels")
        return {**batch, "completion_mask": (labels != IGNORED).long()}


def _ask_reference(trainer: Any, collator: DpoCollator, needed: np.ndarray) -> None:
    """Have the log-probabilities of some pairs computed that are not known, before the first step."""
    if collator.reference is None:
        return
    how = (collator.pairs.n_tokens, trainer.args.train_batch_size, is_sharded(trainer.model))
    with undisturbed(trainer.model):  # without dropout, and what was known already decides no random number
        collator.reference.fill(lambda some: _log_probs(trainer, collator, some), needed, *how)
    trainer.accelerator.wait_for_everyone()


def _log_probs(trainer: Any, collator: DpoCollator, rows: Sequence[int]) -> tuple[Tensor, Tensor]:
    """By the pass that gives the policy's, so that both are equal to the last bit where the models are."""
    return trainer.compute_ref_log_probs(trainer.model, trainer._prepare_inputs(collator.tokens(rows)))


@torch.no_grad()
def check_log_probs(model: Any) -> None:
    """Hold the log-probabilities trl computes without logits to the model's own, on a few tokens.

    Raises:
        ArtifactError: they differ: trl does not know how this model scales its logits.
    """
    ids = torch.arange(8, device=next(model.parameters()).device)[None]  # (1, 8)
    own = model(input_ids=ids, use_cache=False).logits[:, :-1].float().log_softmax(-1)  # (1, 7, V)
    own = own.gather(-1, ids[:, 1:, None])[..., 0]  # (1, 7)
    found = model(input_ids=ids, labels=ids, fused_lm_head=True).log_probs.float()
    if (found - own).abs().max() > HEAD_TOLERANCE * own.abs().max():
        what = f"trl makes log-probabilities of {type(model).__name__} that are not the model's own"
        raise ArtifactError(what, "take another base, or train by ORPO, which reads the logits")
