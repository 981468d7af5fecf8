from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
import torch

from sluicegate.models.encode import Encoder
from sluicegate.models.generate import Reply, generate, replies, stream
from sluicegate.models.load import Loaded, load
from sluicegate.models.sampling import Sampling
from sluicegate.testing import Family
from tiny_architectures import VOCAB, tiny_architecture

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


class Numbers:
    """A tokenizer whose text is the numbers of the tokens."""

    pad_token_id, eos_token_id, chat_template = 0, 1, "{{ messages }}"

    def decode(self, ids: list[int], skip_special_tokens: bool) -> str:
        return "".join(f"<{n}>" for n in ids)


@pytest.mark.parametrize("family", get_args(Family))
def test_every_architecture_says_what_transformers_lets_it_say(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sluicegate.models.generate.end_ids", lambda _: [1])
    model, draw = tiny_architecture(family), torch.Generator().manual_seed(3)
    prompts = [torch.randint(2, VOCAB, (n,), generator=draw).tolist() for n in (3, 17, 9, 1)]
    expected = []
    for prompt in prompts:
        out = model.generate(torch.tensor([prompt]), max_new_tokens=20, do_sample=False, eos_token_id=1, pad_token_id=0)
        expected.append([n for n in out[0, len(prompt) :].tolist() if n != 1])
    made = replies(Loaded(model, Numbers()), prompts, Sampling(max_new_tokens=20))  # type: ignore[arg-type]
    assert [reply.text for reply in made] == [Numbers().decode(ids, True) for ids in expected]


def test_draws_do_not_hang_on_the_batch(tiny_qwen2: Path) -> None:
    loaded = load(tiny_qwen2, device="cpu")
    prompts = prompts_for(loaded) * 2
    sampling = Sampling(max_new_tokens=16, temperature=1.5, top_k=50, seed=5)
    together = replies(loaded, prompts, sampling)
    alone = [replies(loaded, [prompt], sampling, first=place)[0] for place, prompt in enumerate(prompts)]
    assert together == alone == replies(loaded, prompts, sampling, batch_size=3)
    assert together[0] != together[4], "the same prompt again is another draw"
    assert together != replies(loaded, prompts, sampling.model_copy(update={"seed": 6}))


def test_a_stop_text_ends_a_reply_and_is_no_part_of_it(tiny_qwen2: Path) -> None:
    loaded = load(tiny_qwen2, device="cpu")
    prompt = prompts_for(loaded)[1]
    (whole,) = replies(loaded, [prompt], Sampling(max_new_tokens=24))
    stop = whole.text[5:8]
    (made,) = replies(loaded, [prompt], Sampling(max_new_tokens=24, stop=["no such text", stop]))
    assert made.text == whole.text[: whole.text.index(stop)]
    assert (made.ended, whole.ended) == ("stop", "length")
    assert made.n_tokens < whole.n_tokens == 24


@pytest.mark.parametrize("stop", [[], ["no such text"]])
def test_the_pieces_of_a_stream_are_the_reply(tiny_qwen2: Path, stop: list[str]) -> None:
    loaded = load(tiny_qwen2, device="cpu")
    for place, prompt in enumerate(prompts_for(loaded)):
        sampling = Sampling(max_new_tokens=24, temperature=1.0, stop=stop)
        pieces = list(stream(loaded, prompt, sampling, place))
        assert "".join(pieces) == replies(loaded, [prompt], sampling, first=place)[0].text
        assert len(pieces) > 3


def test_a_stream_never_shows_the_beginning_of_its_stop_text(tiny_qwen2: Path) -> None:
    loaded = load(tiny_qwen2, device="cpu")
    prompt = prompts_for(loaded)[1]
    whole = generate(loaded, [prompt], 24)[0]
    stop = whole[6:10]
    assert "".join(stream(loaded, prompt, Sampling(max_new_tokens=24, stop=[stop]))) == whole[: whole.index(stop)]


def test_a_repetition_penalty_changes_what_is_said_and_padding_is_no_repetition(tiny_qwen2: Path) -> None:
    loaded = load(tiny_qwen2, device="cpu")
    prompts, sampling = prompts_for(loaded), Sampling(max_new_tokens=16, repetition_penalty=4.0)
    together = replies(loaded, prompts, sampling)
    assert together == [replies(loaded, [prompt], sampling)[0] for prompt in prompts]
    plain = loaded.model.generate(
        torch.tensor([prompts[0]]), max_new_tokens=16, do_sample=False, repetition_penalty=4.0
    )
    said = loaded.tokenizer.decode(plain[0, len(prompts[0]) :], skip_special_tokens=True)
    assert together[0].text == said != generate(loaded, prompts[:1], 16)[0]


def test_a_prompt_without_room_gets_no_reply(tiny_qwen2: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loaded = load(tiny_qwen2, device="cpu")
    long = [5] * loaded.model.config.max_position_embeddings
    made = replies(loaded, [long, [5]], Sampling(max_new_tokens=2))
    assert (made[0], made[1].ended) == (Reply("", 0, "no room"), "length")
    assert "1 prompt leaves no room" in capsys.readouterr().err
    assert list(stream(loaded, long, Sampling(max_new_tokens=2))) == []


def test_no_prompts_no_replies(tiny_qwen2: Path) -> None:
    assert generate(load(tiny_qwen2, device="cpu"), [], max_new_tokens=4) == []


def _always(out: object, token: int) -> object:
    out.logits[..., token] = 1e4  # type: ignore[attr-defined]
    return out
