"""How a model is asked. Apart from the asking itself, so that planning a run imports no torch."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from sluicegate.config import runtime
from sluicegate.models.sampling import Draws


class AskConfig(Draws):
    """How the questions are put to a model, and how it replies."""

    task: str = "plain"
    """How questions are put: a packaged task (`sluice ls tasks`), or a YAML file of your own like those."""
    think: bool = True
    """Whether the model may write down its steps; a task has an instruction for either."""
    shots: int = Field(default=0, ge=0)
    """How many of the task's examples are shown before the question."""
    samples: int = Field(default=1, ge=1)
    """Replies to each question. More than one need a temperature, and give pass@k and maj@k."""
    max_new_tokens: int | None = Field(default=None, ge=1)
    """Tokens after which a reply that does not end is cut. Null: as the task has it."""
    stop: list[str] = []
    """Texts at which a reply ends, beside those of the task."""
    choices: Literal["likelihood", "reply"] = "likelihood"
    """How a row with choices is asked: which of them the model finds likeliest, where the verdict `strict` goes by the
    whole reply and the others by the byte; or for the letter, with a task that shows the letters, such as `choice`."""
    batch_size: int = runtime(96, ge=1)
    """Replies generated at once."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.samples > 1 and not self.temperature:
            raise ValueError(f"{self.samples} samples at temperature 0 are all the same: give a temperature above 0")
        return self
