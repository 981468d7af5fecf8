"""A `Modelfile` for Ollama. Its templates are Go's, so what a chat template writes around each turn is found out.

Conversations with known words in them are rendered, and what stands between those words are the texts that open and
close the turns. The Go template that puts these texts together again is only kept where it gives the same prompt.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sluicegate.schema import Message

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SYSTEM, USER, ASSISTANT = ("sluice-system", "sluice-user", "sluice-assistant")
NEEDS_BASE = "# FROM: the base as Ollama has it, or a folder with its weights."
UNKNOWN = "# The chat template has no form that could be written here: put a TEMPLATE of Ollama's here.\n"


@dataclass(frozen=True)
class Turns:
    """What stands around the turns of a conversation whose last one the model is asked for."""

    default: str
    """What opens a conversation that no system turn opens."""
    opens: dict[str, str]
    """Role to the text before its words. A role that the template has no turn for is left out."""
    closes: dict[str, str]
    """Role to the text behind them."""
    asks: str
    """What is written last, for the model to go on from."""

    def prompt(self, messages: Sequence[Message]) -> str:
        """A conversation as the Go template writes it."""
        begin = "" if messages[0]["role"] == "system" else self.default
        said = (self.opens[m["role"]] + m["content"] + self.closes[m["role"]] for m in messages)
        return "".join([begin, *said, self.asks])

    def go(self) -> str:
        """The Go template; every text stands in quotes, so that its white space stays."""
        begin = f'{{{{ if ne (index .Messages 0).Role "system" }}}}{_quoted(self.default)}{{{{ end }}}}'
        turns = [
            f'if eq .Role "{role}" }}}}{_quoted(text)}{{{{ .Content }}}}{_quoted(self.closes[role])}'
            for role, text in self.opens.items()
        ]
        loop = f"{{{{ range .Messages }}}}{{{{ {'{{ else '.join(turns)}{{{{ end }}}}{{{{ end }}}}"
        return f"{begin if self.default else ''}{loop}{_quoted(self.asks)}"


def modelfile(tokenizer: PreTrainedTokenizerBase, stops: Sequence[str], *, origin: str, adapter: bool) -> str:
    """The text of a `Modelfile`.

    Args:
        tokenizer: with its chat template.
        stops: texts of the tokens that end a reply.
        origin: what `FROM` names: the folder, a GGUF file in it, or the base of an adapter.
        adapter: whether the folder is an adapter of that base.
    """
    lines = [NEEDS_BASE, f"FROM {origin}", "ADAPTER ."] if adapter else [f"FROM {origin}"]
    lines += [f"PARAMETER stop {json.dumps(text, ensure_ascii=False)}" for text in stops]
    found = turns_of(tokenizer)
    template = f'TEMPLATE """{found.go()}"""\n' if found else UNKNOWN
    return "\n".join(lines) + "\n" + template


def turns_of(tokenizer: PreTrainedTokenizerBase) -> Turns | None:
    """What a chat template writes around turns; None where it is not that simple, or tells the date.

    The token that opens a text is left out, for Ollama puts it there itself.
    """
    chat = [_turn("user", USER), _turn("assistant", ASSISTANT), _turn("user", USER)]
    parts = _between(tokenizer, chat)
    if parts is None or "strftime_now" in str(tokenizer.chat_template):
        return None
    begin = tokenizer.bos_token or ""
    first, answered, again, last = (parts[0].removeprefix(begin), *parts[1:])
    opens, closes = _shared(first[::-1], again[::-1])[::-1], _shared(answered, last)
    turns = Turns(
        first.removesuffix(opens),
        {"user": opens, "assistant": answered.removeprefix(closes)},
        {"user": closes, "assistant": again.removesuffix(opens)},
        last.removeprefix(closes),
    )
    turns = _with_system(turns, tokenizer, begin)
    longer = [*chat, _turn("assistant", ASSISTANT), _turn("user", USER)]
    led = [_turn("system", SYSTEM), *longer] if "system" in turns.opens else longer
    same = all(_render(tokenizer, some).removeprefix(begin) == turns.prompt(some) for some in (chat, longer, led))
    return turns if same else None


def _with_system(turns: Turns, tokenizer: PreTrainedTokenizerBase, begin: str) -> Turns:
    """With the system's turn, where the template has one of its own before the user's."""
    parts = _between(tokenizer, [_turn("system", SYSTEM), _turn("user", USER)])
    user = turns.opens["user"]
    if parts is None or not parts[1].endswith(user):
        return turns
    opens, closes = {"system": parts[0].removeprefix(begin)}, {"system": parts[1].removesuffix(user)}
    return replace(turns, opens=opens | turns.opens, closes=closes | turns.closes)


def _between(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> list[str] | None:
    """What a prompt has before, between and behind the words of its turns; None where it lacks some of them."""
    rest, parts = _render(tokenizer, messages), []
    for message in messages:
        before, found, rest = rest.partition(message["content"])
        if not found:
            return None
        parts.append(before)
    return [*parts, rest]


def _render(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> str:
    """A prompt that asks for a reply; empty where the template refuses the conversation."""
    from jinja2 import TemplateError

    turns = [{"role": m["role"], "content": m["content"]} for m in messages]
    try:
        return str(tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False))
    except TemplateError:
        return ""


def _turn(role: str, content: str) -> Message:
    return {"role": role, "content": content}


def _shared(a: str, b: str) -> str:
    """What two texts begin with alike."""
    return a[: next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))]


def _quoted(text: str) -> str:
    """A text as an action of a Go template, whose quotes are written as JSON's."""
    return f"{{{{ {json.dumps(text, ensure_ascii=False)} }}}}" if text else ""
