"""A GPT-2 of transformers as a GPT of ours: the same mathematics with the same weights, under other names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor

from sluicegate.errors import ConfigError
from sluicegate.models.gpt import GPTForCausalLM
from sluicegate.models.gpt_shape import GPTShape

OUTSIDE = {"wte": "embed_tokens", "wpe": "embed_positions", "ln_f": "norm"}
INSIDE = {
    "ln_1": "input_layernorm",
    "attn.c_proj": "self_attn.o_proj",
    "ln_2": "post_attention_layernorm",
    "mlp.c_fc": "mlp.up_proj",
    "mlp.c_proj": "mlp.down_proj",
}
"""Modules of a layer, theirs to ours; theirs has one matrix, `attn.c_attn`, for queries, keys and values."""


def from_gpt2(theirs: Any) -> GPTForCausalLM:
    """Copy a `GPT2LMHeadModel`; the logits are the same to rounding.

    Raises:
        ConfigError: its config asks for what GPT-2 itself has not.
    """
    was = theirs.config
    if was.activation_function != "gelu_new" or was.scale_attn_by_inverse_layer_idx or not was.scale_attn_weights:
        raise ConfigError("this model is not shaped as GPT-2 is", "GPT-2 has gelu_new and attention scaled by √d alone")
    shape = GPTShape(
        preset="gpt_125m",
        layers=was.n_layer,
        width=was.n_embd,
        heads=was.n_head,
        context=was.n_positions,
        mlp_ratio=(was.n_inner or 4 * was.n_embd) / was.n_embd,
        norm_eps=was.layer_norm_epsilon,
        dropout=was.resid_pdrop,
        tied=was.tie_word_embeddings,
    )
    ours = shape.model(was.vocab_size, was.pad_token_id, was.eos_token_id)
    copied = (pair for name, weight in theirs.state_dict().items() for pair in _renamed(name, weight))
    ours.load_state_dict(dict(copied))
    return ours.to(theirs.dtype).train(theirs.training)


def _renamed(name: str, weight: Tensor) -> Iterator[tuple[str, Tensor]]:
    """What one tensor of theirs is called here, by three names if it is for queries, keys and values."""
    *path, kind = name.removeprefix("transformer.").split(".")
    if path[0] != "h":
        at = "" if path == ["lm_head"] else "model."
        yield f"{at}{OUTSIDE.get(path[0], path[0])}.{kind}", weight
        return
    at, part = f"model.layers.{path[1]}", ".".join(path[2:])
    weight = weight.T if weight.dim() == 2 else weight  # theirs multiply from the other side
    if part == "attn.c_attn":
        yield from ((f"{at}.self_attn.{x}_proj.{kind}", w) for x, w in zip("qkv", weight.chunk(3), strict=True))
    else:
        yield f"{at}.{INSIDE[part]}.{kind}", weight
