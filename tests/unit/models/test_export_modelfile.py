"""What Ollama reads: the Go template writes the prompts that the chat template writes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sluicegate.models.encode import DEFAULT_TEMPLATE
from sluicegate.models.export_modelfile import NEEDS_BASE, UNKNOWN, modelfile, turns_of
from sluicegate.models.tokenizer import CHAT_TEMPLATE

DEFAULT_SYSTEM = (
    "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nBe kind.<|im_end|>\\n' }}{% endif %}"
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
"""As Qwen2.5 writes it."""
DATED = "{{ strftime_now('%d %b %Y') }}" + DEFAULT_SYSTEM
COUNTED = "{% for m in messages %}{{ loop.index ~ '. ' + m['content'] + '\\n' }}{% endfor %}"
CHATS = {
    "one": [("user", "Hi")],
    "two": [("user", "Why?\n\nTell me."), ("assistant", 'He said "so".'), ("user", "为什么 {{ x }}")],
    "led": [("system", "Be brief."), ("user", "Hi"), ("assistant", "Yes?"), ("user", "1 < 2 & 3")],
}


def tokenizer_of(make: Callable[..., Any], name: str) -> Any:
    own = {"default": DEFAULT_TEMPLATE, "ours": CHAT_TEMPLATE, "qwen2.5": DEFAULT_SYSTEM, "dated": DATED}
    tokenizer = make("none" if name in {*own, "counted"} else name)
    tokenizer.chat_template = own.get(name, COUNTED if name == "counted" else tokenizer.chat_template)
    return tokenizer


def executed(template: str, messages: list[dict[str, str]]) -> str:
    """What Go's text/template makes of the few actions that are used."""
    actions = [part for part in re.split(r"(\{\{.*?\}\}(?!\}))", template) if part]
    return "".join(_run(actions, messages))


def _run(actions: list[str], messages: list[dict[str, str]]) -> Iterator[str]:
    begin, middle, end = _sections(actions)
    if begin:
        assert begin[0] == '{{ if ne (index .Messages 0).Role "system" }}'
        if messages[0]["role"] != "system":
            yield json.loads(begin[1][3:-3])
    for message in messages:
        role = None
        for action in middle:
            if found := re.fullmatch(r'\{\{ (?:else )?if eq \.Role "(\w+)" \}\}', action):
                role = found[1]
            elif role == message["role"]:
                yield message["content"] if action == "{{ .Content }}" else json.loads(action[3:-3])
    yield from (json.loads(action[3:-3]) for action in end)


def _sections(actions: list[str]) -> tuple[list[str], list[str], list[str]]:
    start = actions.index("{{ range .Messages }}")
    stop = len(actions) - actions[::-1].index("{{ end }}")
    assert actions[stop - 2 : stop] == ["{{ end }}"] * 2
    return actions[:start], actions[start + 1 : stop - 2], actions[stop:]


@pytest.mark.parametrize("chat", CHATS)
@pytest.mark.parametrize("name", ["chatml", "marked", "thinking", "llama3", "inst", "default", "ours", "qwen2.5"])
def test_the_go_template_writes_the_same_prompt(name: str, chat: str, make_tokenizer: Callable[..., Any]) -> None:
    tokenizer = tokenizer_of(make_tokenizer, name)
    messages = [{"role": role, "content": content} for role, content in CHATS[chat]]
    if name == "inst" and chat == "led":
        pytest.skip("Mistral's template has no system turn")
    found = turns_of(tokenizer)
    assert found is not None
    expected = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    assert executed(found.go(), messages) == expected.removeprefix(tokenizer.bos_token)


@pytest.mark.parametrize("name", ["counted", "dated"])
def test_a_template_that_is_not_a_matter_of_turns_is_not_guessed(name: str, make_tokenizer: Callable[..., Any]) -> None:
    assert UNKNOWN in modelfile(tokenizer_of(make_tokenizer, name), [], origin=".", adapter=False)


def test_it_names_the_weights_and_what_ends_a_reply(make_tokenizer: Callable[..., Any]) -> None:
    text = modelfile(make_tokenizer("chatml"), ["<|im_end|>", "</s>"], origin="Qwen/Qwen3-1.7B", adapter=True)
    assert text.splitlines()[:5] == [
        NEEDS_BASE,
        "FROM Qwen/Qwen3-1.7B",
        "ADAPTER .",
        'PARAMETER stop "<|im_end|>"',
        'PARAMETER stop "</s>"',
    ]
    assert 'TEMPLATE """{{ range' in text
