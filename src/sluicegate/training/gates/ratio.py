"""Warm up the gates of the two earlier designs: LM loss + w · mean gate, over rows nobody has marked good or bad.

The base is in the loop wherever its loss tells the gates anything. It tells nothing to linear gates over a frozen base:
they change no output, so LM loss has no gradient to them, and states read without one give the same gates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import PrinterCallback, TrainingArguments

from sluicegate import runtime
from sluicegate.errors import ArtifactError, ConfigError, DataError, SluiceError
from sluicegate.models import adapters
from sluicegate.models.encode import Encoded
from sluicegate.models.gates.base import Gate, attach, detach
from sluicegate.models.gates.linear import LinearGate
from sluicegate.models.gates.router import RouterGate, TrashRouterGate, router_of
from sluicegate.models.gates.trash import TrashGate
from sluicegate.models.layers import decoder_layers, mlp_of, spaced_layers
from sluicegate.models.load import Loaded
from sluicegate.models.reference import FOLDER
from sluicegate.schema import Record
from sluicegate.training.devices.device_arguments import device_arguments
from sluicegate.training.gates.features import Features, read_features
from sluicegate.training.gates.low_rank import add_update, fold_update
from sluicegate.training.gates.ratio_loss import Weighed, collate_weighed, gate_loss, lay_out, row_tensors
from sluicegate.training.gates.ratio_trainer import RatioTrainer
from sluicegate.training.gates.warmup import Warmed
from sluicegate.training.gates.warmup_config import WarmupConfig
from sluicegate.training.watching.callbacks import ShowProgress

LEARNING_RATE = {"linear": 1e-3, "trash": 1e-2}
"""Where the config leaves it open."""
LAST = 20
"""The loss that is told is the mean over this part of the steps, the last."""


def warm_up_ratio(
    base: Loaded, trusted: Sequence[Record], data: Sequence[Record], config: WarmupConfig, out: Path
) -> Warmed:
    """Train gates on `data`, or on `trusted` where there is none, or on both where they are balanced.

    No weight of the base is changed. With `mode: lora` the gates read the base with the adapter that was trained
    beside them; it is kept in `out/reference`.

    Raises:
        ConfigError: `balance`, and one of `trusted` and `data` is missing; many processes for a base in the loop.
        DataError: no rows to learn from.
        ArtifactError: routers are asked for, and the base has none.
        SluiceError: the loss is no number any more.
    """
    rows = _encoded(base, trusted, data, config)
    base.model.eval().requires_grad_(False)
    runtime.seed_everything(config.seed)
    gates = make_gates(base.model, config)
    steps = lay_out(rows, config)
    if (config.kind, config.trainable, config.mode) == ("linear", "gates", "full_rank"):
        course = _learn_beside(base, gates, steps, config)
    else:
        course = _learn_in_the_loop(base, gates, steps, config, out)
    lm_loss, mean_gate = _last(course, config).tolist()
    runtime.say(f"  {config.kind} gate: LM loss {lm_loss:.3f} and mean gate {mean_gate:.3f} at the end")
    facts = {
        "mode": config.mode,
        "trash": config.trash if config.kind == "trash" else None,
        "layers": list(gates),
        "trusted_rows": len(trusted),
        "trained_rows": len(rows),
        "lm_loss": lm_loss,
        "mean_gate": mean_gate,
        "reference": {"method": "lora"} if _has_adapter(config) else None,
    }
    return Warmed(gates, facts)


def make_gates(model: Any, config: WarmupConfig) -> dict[int, Gate]:
    """Fresh gates by layer number; those that are routers begin as the base's own.

    Raises:
        ArtifactError: routers, or their load-balancing loss, are asked for, and the base has none.
    """
    routers, noise = _routers(model, config), config.trash == "noise"
    if config.trainable == "router":
        chosen = [list(routers.items())[at] for at in spaced_layers(len(routers), config.layers)]
        return {i: RouterGate(w) if config.kind == "linear" else TrashRouterGate(w, noise) for i, w in chosen}
    width = model.config.get_text_config().hidden_size
    layers = spaced_layers(len(decoder_layers(model)), config.layers)
    return {i: LinearGate(width) if config.kind == "linear" else TrashGate(width, noise) for i in layers}


def _routers(model: Any, config: WarmupConfig) -> dict[int, Tensor]:
    """The weights (E, H) of the routers a base has, by layer number; raises where it lacks what is asked for."""
    found = {i: router_of(mlp_of(model, i)) for i in range(len(decoder_layers(model)))}
    routers = {i: router.weight for i, router in found.items() if router is not None}
    if not routers and (config.trainable == "router" or config.load_balancing):
        asked = "trainable: router" if config.trainable == "router" else "load_balancing"
        what = f"{asked} needs a mixture of experts, and {type(model).__name__} has no routers"
        raise ArtifactError(what, "leave it out, or take a base such as Qwen3-MoE or OLMoE")
    return routers


def _encoded(
    base: Loaded, trusted: Sequence[Record], data: Sequence[Record], config: WarmupConfig
) -> list[tuple[Encoded, bool]]:
    """The rows to learn from, each with whether it is trusted, in an order that only they decide."""
    if config.balance is not None and not (trusted and data):
        raise ConfigError("balance weighs `data` against `trusted`, and one is missing", "add it, or drop balance")
    both = config.balance is not None
    records = [(r, False) for r in data] + [(r, True) for r in trusted if both or not data]
    records.sort(key=lambda pair: (pair[1], pair[0]["id"]))
    encoder = base.encoder(config.max_length)
    encoded = encoder.encode_all([r for r, _ in records], "rows to warm up on", need_labels=False)
    rows = [(e, is_trusted) for e, (_, is_trusted) in zip(encoded, records, strict=True) if e.n_label]
    if lost := len(records) - len(rows):
        runtime.warn(f"{lost:,} of {len(records):,} rows have no label tokens and are left out")
    if not rows:
        raise DataError(f"a {config.kind} gate has no rows to learn from", "add `data:` or `trusted:`, with replies")
    return rows


# Beside a frozen base


def _learn_beside(
    base: Loaded, gates: Mapping[int, Gate], steps: Sequence[Sequence[Weighed]], config: WarmupConfig
) -> Tensor:
    """Train linear gates on states read a step ahead; LM loss and mean gate of every step: (steps, 2).

    The states of a whole pool fit no memory, and a pool is mostly read once.
    """
    pad_id, course = base.tokenizer.pad_token_id, []
    parameters = [p for gate in gates.values() for p in gate.to(base.device).parameters()]
    rate = _learning_rate(config)
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=config.weight_decay)
    for n, step in enumerate(runtime.track(steps, "warm up (linear)")):
        optimizer.param_groups[0]["lr"] = rate * (1 - n / len(steps))
        rows = [row.encoded for row in step]
        features = read_features(base.model, rows, list(gates), False, pad_id, config.read_batch_tokens)
        lm, quality, mean_gate = _step_loss(list(gates.values()), features, step, config.balance)
        (config.quality_loss_weight * quality).backward()
        optimizer.step()
        optimizer.zero_grad()
        course.append(torch.stack([lm, mean_gate.detach().cpu()]))
    return torch.stack(course)


def _step_loss(
    gates: Sequence[Any], features: Features, step: Sequence[Weighed], balance: float | None
) -> tuple[Tensor, Tensor, Tensor]:
    """LM loss, what the loss makes of the gates, and the mean gate of a step."""
    _, row = features.tokens(torch.arange(len(step)))  # (T,)
    tensors = row_tensors(step)
    lm = features.surprise[:, 0] @ tensors["token_weight"][row]
    tensors, row = {k: v.to(features.device) for k, v in tensors.items()}, row.to(features.device)
    states = [x[features.now].to(features.device) for x in features.states]  # (T, H) each
    g = torch.stack([gate.logits(x) for gate, x in zip(gates, states, strict=True)]).sigmoid()  # (L, T)
    return lm, gate_loss(g, row, tensors, balance), gate_loss(g, row, tensors, None)


# With the base in the loop


def _learn_in_the_loop(
    base: Loaded, gates: Mapping[int, Gate], steps: Sequence[Sequence[Weighed]], config: WarmupConfig, out: Path
) -> Tensor:
    """Train gates hung on the base, and what learns beside them; LM loss and mean gate of every step: (steps, 2)."""
    if runtime.world_size() > 1:  # one of them makes the gate, and the Trainer would wait for the others for ever
        what = f"one process warms a {config.kind} gate up, and {runtime.world_size()} run"
        raise ConfigError(what, "warm it up without torchrun; then score with it under torchrun")
    tuned: Any = adapters.attach(base.model, config.lora) if _has_adapter(config) else base.model
    folded = [gate for gate in gates.values() if config.mode == "lora" and config.trainable == "router"]
    for gate in folded:
        add_update(gate, config.lora)
    attach(base.model, gates)
    course = _train(tuned, base, list(gates.values()), steps, config, out)
    detach(base.model)
    for gate in folded:
        fold_update(gate)
    if _has_adapter(config):
        adapters.write_adapter(tuned, out / FOLDER, named="")  # the gate's manifest names the base
        tuned.unload()
    base.model.eval()
    return course


def _train(
    model: Any,
    base: Loaded,
    gates: Sequence[Gate],
    steps: Sequence[Sequence[Weighed]],
    config: WarmupConfig,
    out: Path,
) -> Tensor:
    with runtime.progress() as display:
        trainer = RatioTrainer(
            gates,
            config,
            model=model,
            args=_arguments(base, steps, config, out),
            train_dataset=[row for step in steps for row in step],
            data_collator=partial(collate_weighed, pad_id=base.tokenizer.pad_token_id),
            callbacks=[ShowProgress(display, f"warm up ({config.kind})")],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    return trainer.course()


def _arguments(base: Loaded, steps: Sequence[Sequence[Weighed]], config: WarmupConfig, out: Path) -> TrainingArguments:
    part = _part(max(len(row.encoded.ids) for step in steps for row in step), config)
    args = TrainingArguments(
        **device_arguments(base.device, out),
        per_device_train_batch_size=part,
        gradient_accumulation_steps=config.batch_size // part,
        max_steps=len(steps),
        learning_rate=_learning_rate(config),
        lr_scheduler_type="linear",
        weight_decay=config.weight_decay,
        max_grad_norm=0.0,
        seed=config.seed,
        logging_strategy="no",
    )
    if base.device.type == "cuda":
        args._n_gpu = 1  # beside other GPUs `DataParallel` would run copies of the gates, and what those read is lost
    return args


def _part(longest: int, config: WarmupConfig) -> int:
    """Rows that pass at once: a whole share of a step, and no more padded tokens than are read at once."""
    shares = [n for n in range(1, config.batch_size + 1) if config.batch_size % n == 0]
    return max(n for n in shares if n == 1 or n * longest <= config.read_batch_tokens)


def _has_adapter(config: WarmupConfig) -> bool:
    return config.mode == "lora" and config.trainable == "gates"


def _learning_rate(config: WarmupConfig) -> float:
    return config.learning_rate or LEARNING_RATE[config.kind]


def _last(course: Tensor, config: WarmupConfig) -> Tensor:
    """LM loss and mean gate over the last steps: (2,)."""
    if not course.isfinite().all():
        step = int(course.isfinite().all(1).logical_not().nonzero()[0])
        rate = f"lower learning_rate, now {_learning_rate(config):g}"
        raise SluiceError(f"the warm-up diverged: its loss is no number at step {step}", rate)
    return course[-math.ceil(len(course) / LAST) :].mean(0)
