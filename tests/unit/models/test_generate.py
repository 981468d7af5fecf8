from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from sluicegate.models.encode import Encoder
from sluicegate.models.generate import generate
from sluicegate.models.load import Loaded, load

Make = Callable[..., Any]

QUESTIONS = ["Hi", "How many apples are there in the bag?", "Two and two?", "你好吗"]


def prompts_for(loaded: Loaded) -> list[list[int]]:
    encoder = Encoder(loaded.tokenizer)
    return [encoder.encode_prompt([{"role": "user", "content": text}]) for text in QUESTIONS]


@pytest.mark.parametrize("fixture", ["tiny_qwen2", "tiny_qwen3", "tiny_llama"])
def test_a_batch_says_what_each_prompt_alone_says(fixture: str, request: pytest.FixtureRequest) -> None:
    loaded = load(request.getfixturevalue(fixture), device="cpu")
    prompts = prompts_for(loaded)
    together = generate(loaded, prompts, max_new_tokens=12, batch_size=3)
    assert together == [generate(loaded, [p], max_new_tokens=12)[0] for p in prompts]


def test_replies_follow_the_plain_argmax(tiny_qwen2: Path) -> None:
    loaded = load(tiny_qwen2, device="cpu")
    prompt = prompts_for(loaded)[0]
    ids = list(prompt)
    for _ in range(8):
        ids.append(int(loaded.model(torch.tensor([ids])).logits[0, -1].argmax()))
    expected = loaded.tokenizer.decode(ids[len(prompt) :], skip_special_tokens=True)
    assert generate(loaded, [prompt], max_new_tokens=8) == [expected]


@pytest.mark.parametrize("stop", ["</s>", "<|im_end|>"])
def test_a_reply_stops_at_the_end_token_or_the_end_of_turn(stop: str, make_model: Make, make_tokenizer: Make) -> None:
    tokenizer = make_tokenizer()
    model = make_model("Qwen2", len(tokenizer))
    stop_id = tokenizer.convert_tokens_to_ids(stop)
    model.register_forward_hook(lambda _m, _a, out: _always(out, stop_id))
    calls = []
    model.register_forward_hook(lambda *_: calls.append(1))
    assert generate(Loaded(model, tokenizer), [[1, 2, 3], [4]], max_new_tokens=20) == ["", ""]
    assert len(calls) == 1


def test_no_prompts_no_replies(tiny_qwen2: Path) -> None:
    assert generate(load(tiny_qwen2, device="cpu"), [], max_new_tokens=4) == []


def _always(out: object, token: int) -> object:
    out.logits[..., token] = 1e4  # type: ignore[attr-defined]
    return out
