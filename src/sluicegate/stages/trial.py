"""model + messages (+ selection, + trusted rows) + test → evaluation: what a short training on these rows is worth."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

from sluicegate.artifacts import Artifact
from sluicegate.errors import ConfigError
from sluicegate.evaluation.contamination import taught, trained_on
from sluicegate.runtime import rank
from sluicegate.schema import Kind
from sluicegate.stages.base import Sizes, Stage
from sluicegate.stages.evaluate import Evaluate, drawn, judge
from sluicegate.stages.sft import Sft, fine_tune
from sluicegate.training.saving.checkpoint_config import CheckpointConfig
from sluicegate.training.sft_config import SftConfig


class Trial(Stage):
    """An sft and an evaluate stage in one that keeps no weights, for comparisons of hundreds of models."""

    name = "trial"
    makes: ClassVar[Kind] = "evaluation"
    takes: ClassVar[dict[str, Kind]] = {**Sft.takes, "test": "messages"}
    may_take: ClassVar[dict[str, Kind]] = {name: kind for name, kind in Sft.may_take.items() if name != "held_out"}
    collective = True
    timed = frozenset({"training.json"})

    class Config(Stage.Config):
        tune: SftConfig = SftConfig()
        """How the model is trained."""
        ask: Evaluate.Config = Evaluate.Config()
        """How it is asked."""

    def check(self, config: Any, wires: Collection[str]) -> None:
        """What the training needs; and it is not judged on its way, so nothing is best, or enough."""
        asked = {"checkpoints.best": config.tune.checkpoints.best, "early_stopping": config.tune.early_stopping}
        if judged := [key for key, value in asked.items() if value]:
            hint = "take it out, or train by an sft step and ask by an evaluate step"
            raise ConfigError(f"tune.{judged[0]}: a trial measures no held-out rows on its way", hint)
        Sft().check(config.tune, wires)
        if config.tune.launch.strategy not in ("ddp", "deepspeed_zero2"):
            what = (
                f"tune.launch.strategy: {config.tune.launch.strategy} leaves no process the model that is to be asked"
            )
            raise ConfigError(what, "take ddp, or the steps sft and evaluate")

    def estimate(self, config: Any, inputs: Mapping[str, Sizes]) -> dict[str, int]:
        """Those of the training."""
        return Sft().estimate(config.tune, inputs)

    def pins(self, config: Any) -> dict[str, str]:
        """Those of the evaluation."""
        return Evaluate().pins(config.ask)

    def processes(self, config: Any) -> int:
        """As many as its `launch` says."""
        from sluicegate.training.devices.launch import processes

        return processes(config.tune.launch)

    def fill(self, out: Path, config: Any, inputs: dict[str, Artifact]) -> dict[str, Any]:
        """Write the files of an evaluation, and `training.json`."""
        questions = drawn(inputs["test"], config.ask)
        tune = config.tune.model_copy(update={"checkpoints": CheckpointConfig(every=0)})
        made = fine_tune(tune, inputs, out)
        if rank() > 0:
            return {}
        made.record(self.name, out, inputs)
        read = chain(taught(inputs, config.tune.mixture is not None), trained_on(inputs["model"]))
        judged = judge(replace(made.base, model=made.tuned.model), questions, config.ask, out, read)
        trained = {name: value for name, value in made.stats.items() if name != "loss"}
        return {**trained, "train_loss": made.stats["loss"], **judged}
