"""Tiny models and tokenizers made on the spot; nothing is downloaded."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
"""As Qwen2 writes it."""

CHATML_MARKED = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' }}"
    "{% if m['role'] == 'assistant' %}{% generation %}{{ m['content'] + '<|im_end|>' }}{% endgeneration %}{{ '\\n' }}"
    "{% else %}{{ m['content'] + '<|im_end|>\\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
"""The same text, with marks around what the model writes."""

THINKING = (
    "{% set ns = namespace(last=0) %}"
    "{% for m in messages %}{% if m['role'] == 'user' %}{% set ns.last = loop.index0 %}{% endif %}{% endfor %}"
    "{% for m in messages %}{% if m['role'] == 'assistant' and loop.index0 > ns.last and loop.last %}"
    "{{ '<|im_start|>assistant\\n<think>\\n\\n</think>\\n\\n' + m['content'] + '<|im_end|>\\n' }}{% else %}"
    "{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
"""As Qwen3 writes it: the last reply opens with a thought, and loses it once it is history."""

LLAMA3 = (
    "{% for m in messages %}{% if loop.first %}{{ bos_token }}{% endif %}"
    "{{ '<|start_header_id|>' + m['role'] + '<|end_header_id|>\\n\\n' + m['content'] | trim + '<|eot_id|>' }}"
    "{% endfor %}{% if add_generation_prompt %}"
    "{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"
)

INST = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}{{ '[INST] ' + m['content'] + ' [/INST]' }}"
    "{% else %}{{ ' ' + m['content'] + eos_token }}{% endif %}{% endfor %}"
)
"""As Mistral writes it: no generation prompt of its own."""

TEMPLATES = {
    "chatml": CHATML,
    "marked": CHATML_MARKED,
    "thinking": THINKING,
    "llama3": LLAMA3,
    "inst": INST,
    "none": None,
}

SPECIAL = (
    "<pad>",
    "<s>",
    "</s>",
    "<|im_start|>",
    "<|im_end|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
)


def _tokenizer(template: str = "chatml", pad: bool = True, trim_offsets: bool = False) -> Any:
    """A byte-level tokenizer without merges: one token a byte, and the special tokens of the templates above."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE({c: i for i, c in enumerate(letters)}, []))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.post_processor = processors.ByteLevel(trim_offsets=trim_offsets)
    inner.add_special_tokens([AddedToken(t, special=True) for t in SPECIAL])
    made = PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token="<s>", eos_token="</s>", pad_token="<pad>" if pad else None
    )
    made.chat_template = TEMPLATES[template]
    return made


def _model(architecture: str, vocab: int, seed: int = 0) -> Any:
    """A random decoder of two layers, 32 wide: `Qwen2`, `Qwen3` or `Llama`."""
    import torch
    import transformers

    torch.manual_seed(seed)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    heads = {"num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 512, "tie_word_embeddings": True}
    config = getattr(transformers, f"{architecture}Config")(vocab_size=vocab, **sizes, **heads)
    return getattr(transformers, f"{architecture}ForCausalLM")(config).eval()


def _save(folder: Path, architecture: str, tokenizer: Any) -> Path:
    """A model folder as `save_pretrained` writes it."""
    _model(architecture, len(tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def make_tokenizer() -> Callable[..., Any]:
    """`make_tokenizer(template="chatml", pad=True, trim_offsets=False)`; templates are those of `TEMPLATES`."""
    return _tokenizer


@pytest.fixture(scope="session")
def make_model() -> Callable[..., Any]:
    """`make_model("Qwen2" | "Qwen3" | "Llama", vocab, seed=0)`: a random decoder in memory."""
    return _model


@pytest.fixture
def tiny_tokenizer() -> Any:
    """A byte-level tokenizer with a ChatML template."""
    return _tokenizer()


@pytest.fixture(scope="session")
def tiny_qwen2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Qwen2 folder; do not write into it."""
    return _save(tmp_path_factory.mktemp("models") / "qwen2", "Qwen2", _tokenizer("chatml"))


@pytest.fixture(scope="session")
def tiny_qwen3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Qwen3 folder; do not write into it."""
    return _save(tmp_path_factory.mktemp("models") / "qwen3", "Qwen3", _tokenizer("thinking"))


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama folder whose tokenizer has no pad token; do not write into it."""
    return _save(tmp_path_factory.mktemp("models") / "llama", "Llama", _tokenizer("llama3", pad=False))
