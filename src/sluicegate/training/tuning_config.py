"""What every tuning can be told, whatever it learns from. Apart from the tunings, so that planning imports no torch."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from sluicegate.config import Config, runtime
from sluicegate.data.sampler import MixedBucketSampler
from sluicegate.errors import ConfigError
from sluicegate.models.adapters import LoraSettings
from sluicegate.training.devices.batch_shares import share
from sluicegate.training.devices.launch_config import LaunchConfig
from sluicegate.training.saving.checkpoint_config import CheckpointConfig
from sluicegate.training.saving.guard_config import GuardConfig
from sluicegate.training.watching.watch_config import EarlyStopping, LogConfig, WatchConfig


class TuningConfig(Config):
    """How the weights of a model are changed."""

    method: Literal["auto", "full", "lora", "dora", "qlora"] = "auto"
    """Train every parameter (full), or a low-rank adapter beside a frozen base: plain (lora), with the length of every
    column learnt apart (dora, arXiv 2402.09353), or beside a base in 4 bits (qlora, arXiv 2305.14314). `auto` is full
    for a base of under a billion parameters, whose optimizer still fits a 24 GB GPU, and lora above."""
    lora: LoraSettings = LoraSettings()
    """The adapter of lora, dora and qlora."""
    max_steps: int | None = Field(default=None, ge=1)
    """Optimizer steps; rows are gone through as often as it takes. None: as `epochs` says."""
    epochs: float = Field(default=3.0, gt=0)
    """Times every row is seen, where `max_steps` is not given."""
    total_batch: int = Field(default=16, ge=1)
    """Rows per optimizer step, over all processes and accumulated passes."""
    learning_rate: float | None = Field(default=None, gt=0)
    """Its peak, reached after the warm-up. None: what is usual for the method."""
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    """The course of the learning rate after the warm-up: down to 0 in a line or half a cosine, or no change."""
    warmup_share: float = Field(default=0.05, ge=0, lt=1)
    """Share of the steps in which the learning rate rises."""
    weight_decay: float = Field(default=0.01, ge=0)
    """How strongly AdamW pulls weights to 0."""
    max_grad_norm: float = Field(default=1.0, gt=0)
    """Longer gradients are cut to this length."""
    max_length: int = Field(default=2048, ge=2)
    """Tokens of a row that are read; longer rows are cut at the end and counted."""
    dtype: Literal["auto", "float32", "bfloat16", "float16", "fp8"] = "auto"
    """Of the base's weights, or of what is computed with them. auto: float32 for full, on a GPU under bfloat16
    autocast; as the device likes for an adapter. float16, on a GPU alone: losses are scaled, and weights that are
    trained stay float32 under autocast. fp8: weights as by auto, products of linear layers in 8 bits, by torchao."""
    sampler: MixedBucketSampler.Config | None = None
    """Which rows come when: shares of languages, length buckets, a curriculum. Null: all rows alike, those of like
    length together."""
    seed: int = 0
    """Decides the order of the rows, the adapter's first weights and dropout."""
    hf: dict[str, Any] = {}
    """Any other argument of the trainer's by its own name, such as `{optim: adamw_8bit, adam_beta2: 0.95}`. What a key
    of ours decides is refused."""
    checkpoints: CheckpointConfig = CheckpointConfig()
    """When the training is saved, and which weights are its result."""
    guard: GuardConfig = GuardConfig()
    """What happens when the loss is no number any more, or leaps."""
    watch: WatchConfig = WatchConfig()
    """What is measured on held-out rows on the way; it needs the input `held_out`."""
    early_stopping: EarlyStopping | None = None
    """When held-out rows say that it is enough; it needs the input `held_out`. Null: at the last step."""
    log: LogConfig = runtime(LogConfig())
    """What is told on the way, and where."""
    launch: LaunchConfig = runtime(LaunchConfig())
    """How many processes share the work, and how."""
    resume: Literal["auto", "never"] = runtime("auto")
    """Go on from the newest whole checkpoint that a stopped attempt left, or begin anew."""
    device_batch_size: int | None = runtime(None, ge=1)
    """Rows per forward pass and device. None: as many as the device's share of the batch holds."""
    checkpoint_activations: bool | None = runtime(None)
    """Compute activations twice to hold fewer of them. None: on a GPU."""
    compile: bool = runtime(False)
    """Let torch.compile make the model faster; its first steps are slower. Not with qlora or a sharded strategy."""
    workers: int = runtime(0, ge=0)
    """Processes that turn many rows into tokens. 0: as many as there are cores."""

    @model_validator(mode="after")
    def _divides(self) -> Self:
        try:
            share(self.total_batch, self.device_batch_size, processes=1)
        except ConfigError as err:
            raise ValueError(f"{err.message}: {err.hint}") from None
        return self

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.method == "qlora" and self.dtype == "fp8":
            raise ValueError("dtype fp8 is for weights in 16 bits or more, and those of qlora have 4: take lora")
        if self.compile and self.method == "qlora":
            raise ValueError("compile does not work with qlora: torch.compile cannot look into 4-bit weights")
        if self.method == "qlora" and self.launch.strategy in ("fsdp", "deepspeed_zero3"):
            raise ValueError(f"strategy {self.launch.strategy} cannot share out the 4-bit weights of qlora: take ddp")
        if self.launch.strategy.startswith("deepspeed") and (self.checkpoints.every != 0 or self.checkpoints.best):
            why = f"no checkpoints of {self.launch.strategy} can be gone on from"
            raise ValueError(f"{why}: say checkpoints.every=0, and no checkpoints.best")
        if self.compile and self.launch.strategy != "ddp":
            why = f"{self.launch.strategy} gathers weights layer by layer, outside of what is compiled"
            raise ValueError(f"compile does not work with strategy {self.launch.strategy}: {why}")
        return self

    @property
    def adapted(self) -> bool:
        """Whether an adapter is trained; known once `auto` is settled."""
        return self.method in ("lora", "dora", "qlora")

    @property
    def peak_rate(self) -> float:
        """The learning rate asked for, or the method's."""
        raise NotImplementedError
