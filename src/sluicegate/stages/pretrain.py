"""Documents in, a model from scratch out: a tokenizer first, then a small GPT."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from sluicegate.artifacts import Artifact, write_json
from sluicegate.runtime import seed_everything
from sluicegate.schema import Kind
from sluicegate.stages.base import Sizes, Stage
from sluicegate.training.schedule import Schedule

CURVE_POINTS = 50


class Pretrain(Stage):
    """Train a tokenizer and a GPT on plain texts (records of one assistant turn) and conversations."""

    name = "pretrain"
    makes: ClassVar[Kind] = "model"
    takes: ClassVar[dict[str, Kind]] = {"data": "messages"}
    resumes = True

    class Config(Schedule):
        vocab_size: int = Field(768, ge=260)
        """Tokens of the tokenizer: 256 bytes, 4 special ones, the rest learned."""
        layers: int = Field(3, ge=1)
        """Decoder layers."""
        width: int = Field(96, ge=2)
        """Channels of the residual stream."""
        heads: int = Field(4, ge=1)
        """Query heads of a layer."""
        kv_heads: int = Field(2, ge=1)
        """Key-value heads of a layer, shared by the query heads."""
        mlp_ratio: int = Field(3, ge=1)
        """Width of the feed-forward layer, in widths of the residual stream."""
        context: int = Field(256, ge=2)
        """Tokens the model is meant to read at once; may exceed `row_tokens`."""

        @model_validator(mode="after")
        def _fits(self) -> Self:
            if self.width % (2 * self.heads):
                raise ValueError(f"width {self.width} is not an even number of channels for each of {self.heads} heads")
            if self.heads % self.kv_heads:
                raise ValueError(f"heads {self.heads} cannot share kv_heads {self.kv_heads} evenly")
            if self.row_tokens > self.context:
                raise ValueError(f"row_tokens {self.row_tokens} exceeds context {self.context}")
            return self

    def estimate(self, config: Config, inputs: Mapping[str, Sizes]) -> dict[str, int]:
        """Tokens the run will train on, however many the data hold."""
        return {"steps": config.steps, "tokens": config.steps * config.batch_tokens}

    def fill(self, out: Path, config: Config, inputs: dict[str, Artifact]) -> dict[str, Any]:
        """Write the model folder; a checkpoint stands in it until everything else does."""
        import torch
        from transformers.utils.logging import disable_progress_bar

        from sluicegate.models.tokenizer import document_text, train_bpe
        from sluicegate.training.pretrain import pretrain

        conversations = [row["messages"] for row in inputs["data"].rows("messages")]
        tokenizer = train_bpe((m["content"] for turns in conversations for m in turns), config.vocab_size)
        texts = [document_text(tokenizer, turns) for turns in conversations]
        documents = [torch.tensor(ids, dtype=torch.int32) for ids in tokenizer(texts)["input_ids"]]
        seed_everything(config.seed)
        model = self._model(config, tokenizer)
        checkpoint = out / "checkpoint.safetensors"
        losses = pretrain(model, documents, config, checkpoint)

        stats = {
            "rows": len(documents),
            "parameters": model.num_parameters(),
            "steps": config.steps,
            "tokens": config.steps * config.batch_tokens,
            "loss": round(losses[-CURVE_POINTS:].mean().item(), 4),
        }
        disable_progress_bar()  # a bar of tqdm's for every file
        model.save_pretrained(out)
        tokenizer.save_pretrained(out)
        curve = [round(part.mean().item(), 4) for part in losses.tensor_split(min(CURVE_POINTS, config.steps))]
        write_json(out / "training.json", {"stage": self.name, **stats, "loss_curve": curve})
        checkpoint.unlink(missing_ok=True)
        return stats

    def _model(self, config: Config, tokenizer: Any) -> Any:
        from sluicegate.models.gpt import GPTConfig, GPTForCausalLM

        shape = GPTConfig(
            vocab_size=len(tokenizer),
            hidden_size=config.width,
            intermediate_size=config.width * config.mlp_ratio,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            num_key_value_heads=config.kv_heads,
            max_position_embeddings=config.context,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.eos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
        return GPTForCausalLM(shape)
