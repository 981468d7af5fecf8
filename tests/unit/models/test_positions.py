from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import BloomConfig, GPT2Config, PreTrainedConfig, Qwen2Config, XLNetConfig

from sluicegate.models.adapters import LoraSettings, attach, save_adapter
from sluicegate.models.generate import generate
from sluicegate.models.load import Loaded, load, load_encoder
from sluicegate.models.positions import _tell, positions, readable_length, reply_room

Make = Callable[..., Any]


@pytest.mark.parametrize(
    ("config", "known"),
    [
        (GPT2Config(n_positions=64), 64),
        (Qwen2Config(max_position_embeddings=512), 512),
        (BloomConfig(), None),
        (XLNetConfig(), None),
    ],
)
def test_the_bound_a_config_names(config: PreTrainedConfig, known: int | None) -> None:
    assert positions(config) == known
    assert readable_length(config, 40) == 40
    assert readable_length(config, 2048) == (known or 2048)
    assert reply_room(config, 30, 10) == 10
    assert reply_room(config, 510, 10) == {None: 10, 512: 2, 64: 0}[known]


def test_a_shorter_reading_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    _tell.cache_clear()
    for _ in range(2):
        readable_length(GPT2Config(n_positions=64), 2048)
    assert capsys.readouterr().err == "  max_length 2048 is more than the model reads: 64\n"


def test_an_encoder_is_the_same_with_and_without_weights(tiny_qwen2: Path, tmp_path: Path) -> None:
    loaded = load(tiny_qwen2, device="cpu")
    assert [made.max_length for made in (loaded.encoder(600), load_encoder(tiny_qwen2, 600))] == [512, 512]
    save_adapter(attach(loaded.model, LoraSettings(rank=2)), tmp_path, tiny_qwen2)
    loaded.tokenizer.save_pretrained(tmp_path)
    assert load_encoder(tmp_path, 600).max_length == load(tmp_path, device="cpu").encoder(600).max_length == 512


def test_replies_end_where_positions_do(
    make_tokenizer: Make, make_model: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    tokenizer = make_tokenizer()
    model = make_model("Qwen2", len(tokenizer))
    model.config.max_position_embeddings = 16
    model.register_forward_hook(lambda _m, _a, out: _always(out, 65))
    replies = generate(Loaded(model, tokenizer), [[1] * n for n in (3, 12, 15, 16, 40)], max_new_tokens=8)
    assert [len(tokenizer(reply)["input_ids"]) for reply in replies] == [8, 4, 1, 0, 0]
    assert "generate: 2 prompts leave no room for a reply: the model reads 16 tokens" in capsys.readouterr().err


def _always(out: Any, token: int) -> Any:
    out.logits[..., token] = 1e4
    return out
