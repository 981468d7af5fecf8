"""Documents in, a model from scratch out: a tokenizer first, then a GPT. Or more documents into a model that is."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, model_validator

from sluicegate.artifacts import Artifact, file_hash, write_json
from sluicegate.errors import ConfigError
from sluicegate.models.gpt_shape import GPTShape
from sluicegate.runtime import log_folder, rank, say, seed_everything
from sluicegate.schema import Kind
from sluicegate.stages.base import Sizes, Stage
from sluicegate.stages.sft import TOKENS
from sluicegate.training.scratch.schedule import Schedule

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from sluicegate.training.scratch.pretrain import Course

CURVE_POINTS = 50
FROM_SCRATCH = ("model", "tokenizer", "vocab_size")
"""Keys that say nothing where a model is trained on."""
USUAL: dict[str, dict[str, Any]] = {
    "gpt_125m": {"row_tokens": 1024, "device_rows": 8, "steps": 4800, "warmup_steps": 250, "learning_rate": 6e-4},
    "gpt_1b": {"row_tokens": 2048, "device_rows": 4, "steps": 21_000, "warmup_steps": 1000, "learning_rate": 3e-4},
}
"""What a run of each preset is told where nothing else is said: some 20 tokens for each parameter (arXiv 2203.15556),
in batches and at a rate near those of GPT-3's models of that size (arXiv 2005.14165). gpt_tiny takes the defaults."""
LARGE: dict[str, Any] = {
    "vocab_size": 50_257, "batch_rows": 512, "mask_documents": True, "held_out": 0.005, "evaluate_every": 250,
    "optimizer": "adamw", "beta2": 0.95, "schedule": "cosine", "weight_decay": 0.1,
}  # fmt: skip
"""What they have in common."""


class Pretrain(Stage):
    """Train a tokenizer and a GPT on plain texts (records of one assistant turn) and conversations.

    With `init` that model is trained on, with its own tokenizer. Under torchrun all processes train together. What a
    preset other than gpt_tiny leaves out of the keys below is as such models are usually trained: AdamW, half a
    cosine, documents apart, 20 tokens for each parameter.
    """

    name = "pretrain"
    makes: ClassVar[Kind] = "model"
    takes: ClassVar[dict[str, Kind]] = {"data": "messages"}
    joins = frozenset({"data"})
    may_take: ClassVar[dict[str, Kind]] = {"init": "model"}
    resumes = True
    collective = True

    class Config(Schedule):
        model: GPTShape = GPTShape()
        """The shape: a preset by its name, `gpt_tiny`, `gpt_125m` or `gpt_1b`, or with changes, as
        `{preset: gpt_125m, layers: 6}`."""
        tokenizer: str | None = None
        """A folder with a tokenizer, or its hub name; null trains one on the data."""
        vocab_size: int = Field(768, ge=260)
        """Tokens of the tokenizer that is trained: 256 bytes, 4 special ones, the rest learned."""

        @model_validator(mode="before")
        @classmethod
        def _as_usual(cls, given: Any) -> Any:
            """What runs of the preset are usually told, below what this one is told."""
            shape = given.get("model", {}) if isinstance(given, Mapping) else {}
            preset = shape.get("preset") if isinstance(shape, Mapping) else shape
            return {**LARGE, **USUAL[preset], **given} if preset in USUAL else given

    def pins(self, config: Config) -> dict[str, str]:
        """The hash of a tokenizer from elsewhere."""
        if config.tokenizer is None:
            return {}
        from sluicegate.models.tokenizer import tokenizer_json

        return {"tokenizer": file_hash(tokenizer_json(config.tokenizer))}

    def check(self, config: Config, wires: Collection[str]) -> None:
        """Rows fit the model; one that is trained on has its own shape and tokenizer."""
        if "init" not in wires:
            _check_reach(config, config.model.context, "model.context")
        elif told := [key for key in FROM_SCRATCH if key in config.model_fields_set]:
            raise ConfigError(f"`{told[0]}` is of a model from scratch, and `init` trains one on", "leave one out")

    def estimate(self, config: Config, inputs: Mapping[str, Sizes]) -> dict[str, int]:
        """Tokens the run will train on, however many the data hold."""
        return {"steps": config.steps, "tokens": config.steps * config.batch_tokens}

    def fill(self, out: Path, config: Config, inputs: dict[str, Artifact]) -> dict[str, Any]:
        """Write the model folder; a checkpoint stands in it until everything else does."""
        from sluicegate.models.token_file import token_file
        from sluicegate.training.scratch.objectives import language_model
        from sluicegate.training.scratch.packed import packed
        from sluicegate.training.scratch.pretrain import train

        data = inputs["data"]
        model, tokenizer = _opened(inputs["init"], config) if "init" in inputs else _made(config, data)
        tokens = token_file(out.parent / TOKENS, tokenizer, data.id, lambda: _documents(tokenizer, data))
        documents, held_out = packed(tokens, config)
        seen, found = config.steps * config.batch_tokens, len(tokens.tokens)
        say(f"  {len(tokens):,} documents, {found:,} tokens, to be seen {seen / found:.2g} times")
        checkpoint, logs = out / "checkpoint.safetensors", log_folder()
        events = logs / "tensorboard" / out.name.lstrip(".") if logs else None
        course = train(model, language_model, documents, config, checkpoint, held_out, events)
        counts = {"rows": len(tokens), "parameters": model.num_parameters(), "steps": config.steps, "tokens": seen}
        stats: dict[str, Any] = {**counts, **_losses(course)}
        if rank() == 0:
            _save(out, model, tokenizer, {"stage": self.name, **stats, **_curves(course)})
            checkpoint.unlink(missing_ok=True)
        return stats


def _made(config: Pretrain.Config, data: Artifact) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A model of random weights for a tokenizer that is trained on the data, or opened."""
    from sluicegate.models.tokenizer import open_tokenizer, train_bpe

    texts = (message["content"] for row in data.rows("messages", ["messages"]) for message in row["messages"])
    tokenizer = open_tokenizer(config.tokenizer) if config.tokenizer else train_bpe(texts, config.vocab_size)
    seed_everything(config.seed)
    return config.model.model(len(tokenizer), tokenizer.pad_token_id, tokenizer.eos_token_id), tokenizer


def _opened(base: Artifact, config: Pretrain.Config) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A model to train on, with its tokenizer."""
    from sluicegate.models.load import load
    from sluicegate.models.positions import positions

    loaded = load(base.path, dtype="float32", reason="weights that are trained stay float32", name=base.id)
    _check_reach(config, positions(loaded.model.config), f"what {base.id} reads,")
    return loaded.model, loaded.tokenizer


def _check_reach(config: Pretrain.Config, reach: int | None, what: str) -> None:
    if reach is not None and config.row_tokens > reach:
        raise ConfigError(f"row_tokens {config.row_tokens} exceeds {what} {reach}", "lower row_tokens")


def _documents(tokenizer: PreTrainedTokenizerBase, data: Artifact) -> Iterator[tuple[str, str]]:
    """The source and the text of every record."""
    from sluicegate.models.tokenizer import document_text

    for row in data.rows("messages", ["source", "messages"]):
        yield row["source"], document_text(tokenizer, row["messages"])


def _losses(course: Course) -> dict[str, float]:
    """The mean of the last steps, and of what is held out the last."""
    told = {"loss": round(course.losses[-CURVE_POINTS:].mean().item(), 4)}
    measured = course.held_out[course.held_out.isfinite()]
    return told | ({"held_out_loss": round(measured[-1].item(), 4)} if len(measured) else {})


def _curves(course: Course) -> dict[str, Any]:
    """`loss_curve` in `CURVE_POINTS` means, and `held_out_curve`: what was measured after which step."""
    parts = course.losses.tensor_split(min(CURVE_POINTS, len(course.losses)))
    told: dict[str, Any] = {"loss_curve": [round(part.mean().item(), 4) for part in parts]}
    steps = course.held_out.isfinite().nonzero().flatten().tolist()
    measured = {str(step + 1): round(course.held_out[step].item(), 4) for step in steps}
    return told | ({"held_out_curve": measured} if measured else {})


def _save(out: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, told: dict[str, Any]) -> None:
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # a bar of tqdm's for every file
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    write_json(out / "training.json", told)
