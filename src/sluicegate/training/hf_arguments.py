"""What a trainer is told by its own names, in `hf`: checked before anything is read, so that nothing is overruled."""

from __future__ import annotations

from enum import Enum
from typing import Any, get_args, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from sluicegate.errors import ConfigError
from sluicegate.registry import did_you_mean
from sluicegate.training.preference.config import DpoConfig, OrpoConfig
from sluicegate.training.tuning_config import TuningConfig

OURS = {
    "max_steps": "max_steps",
    "num_train_epochs": "epochs",
    "gradient_accumulation_steps": "total_batch",
    "per_device_train_batch_size": "device_batch_size",
    "per_device_eval_batch_size": "device_batch_size",
    "auto_find_batch_size": "device_batch_size",
    "learning_rate": "learning_rate",
    "lr_scheduler_type": "schedule",
    "warmup_steps": "warmup_share",
    "weight_decay": "weight_decay",
    "max_grad_norm": "max_grad_norm",
    "max_length": "max_length",
    "truncation_mode": "max_length",
    "bf16": "dtype",
    "fp16": "dtype",
    "seed": "seed",
    "data_seed": "seed",
    "train_sampling_strategy": "sampler",
    "length_column_name": "sampler",
    "activation_checkpointing": "checkpoint_activations",
    "activation_checkpointing_kwargs": "checkpoint_activations",
    "gradient_checkpointing": "checkpoint_activations",
    "gradient_checkpointing_kwargs": "checkpoint_activations",
    "torch_compile": "compile",
    "neftune_noise_alpha": "neftune_alpha",
    "use_liger_kernel": "liger",
    "logging_strategy": "log.every",
    "logging_steps": "log.every",
    "logging_first_step": "log.every",
    "report_to": "log.track",
    "project": "log.project",
    "eval_strategy": "watch.every",
    "eval_steps": "watch.every",
    "eval_delay": "watch.every",
    "eval_on_start": "watch.every",
    "save_strategy": "checkpoints.every",
    "save_steps": "checkpoints.every",
    "save_total_limit": "checkpoints.keep",
    "load_best_model_at_end": "checkpoints.take",
    "metric_for_best_model": "checkpoints.best",
    "greater_is_better": "checkpoints.best",
    "resume_from_checkpoint": "resume",
    "ignore_data_skip": "resume",
    "fsdp": "launch.strategy",
    "deepspeed": "launch.strategy",
    "fsdp_config": "launch.config",
    "local_rank": "launch.processes",
    "beta": "beta",
    "loss_type": "loss",
    "loss_weights": "loss",
    "label_smoothing": "label_smoothing",
}
"""Of the trainers' arguments those that a key of ours decides, where a config has it."""
FIXED = frozenset({
    "output_dir", "use_cpu", "use_cache", "disable_tqdm", "remove_unused_columns", "label_names",
    "label_smoothing_factor",
    "logging_nan_inf_filter", "average_tokens_across_devices", "accelerator_config", "parallelism_config",
    "dataloader_drop_last", "dataloader_pin_memory", "ddp_find_unused_parameters", "save_only_model", "push_to_hub",
    "do_train", "do_eval", "do_predict", "model_init_kwargs", "trust_remote_code", "router_aux_loss_coef",
    "disable_dropout", "padding_free", "precompute_ref_log_probs", "sync_ref_model", "max_completion_length",
    "padding_value", "is_encoder_decoder", "generate_during_eval",
})  # fmt: skip
"""Those that our trainings stand on: how rows come, what is reference, where files go."""


def check_hf(config: TuningConfig) -> None:
    """Hold `hf` to the class it feeds.

    Raises:
        ConfigError: an argument that class does not have, that a key of ours decides, or of another type.
    """
    made = arguments_class(config)
    hints = get_type_hints(made)
    for name, value in config.hf.items():
        key = OURS.get(name, "")
        if key.partition(".")[0] in type(config).model_fields:
            raise ConfigError(f"hf.{name} is decided by the key {key}", f"set {key} instead")
        if name in FIXED:
            raise ConfigError(f"hf.{name} is what this training stands on", "leave it out")
        if name not in hints:
            known = [field for field in hints if field not in FIXED]
            what = f"hf.{name}: {made.__name__} has no such argument"
            raise ConfigError(what, did_you_mean(name, [*known, *type(config).model_fields]) or "look it up there")
        if reason := _not_a(hints[name], value):
            raise ConfigError(f"hf.{name}: {reason} (got {value!r})", f"see {made.__name__}")


def arguments_class(config: TuningConfig) -> type:
    """What the trainer of a config takes its arguments as."""
    if isinstance(config, DpoConfig):
        from trl import DPOConfig

        return DPOConfig
    if isinstance(config, OrpoConfig):
        from sluicegate.training.preference.orpo import trl_orpo

        return trl_orpo()[0]
    from transformers import TrainingArguments

    return TrainingArguments


def _not_a(hint: Any, value: Any) -> str:
    """What is wrong with a value; empty where nothing is."""
    for names in (part for part in get_args(hint) if isinstance(part, type) and issubclass(part, Enum)):
        known = [str(member.value) for member in names]
        if value not in known:
            return did_you_mean(str(value), known) or f"one of {', '.join(known)}"
    try:
        TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True)).validate_python(value, strict=True)
    except ValidationError as err:
        text = str(err.errors()[0]["msg"])
        return text[0].lower() + text[1:]
    return ""
