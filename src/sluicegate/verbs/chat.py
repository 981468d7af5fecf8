"""`sluice chat`: a conversation with a model, on the terminal."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from sluicegate.verbs.base import Verb
from sluicegate.verbs.replies import add_reply_options, open_model, told_apart

if TYPE_CHECKING:
    from sluicegate.models.load import Loaded
    from sluicegate.models.sampling import Sampling
    from sluicegate.schema import Message

FORGET, LEAVE = "/new", ("/exit", "/quit")


class Chat(Verb):
    """Line by line; what was said before is part of every prompt, as long as the model has room for it."""

    name = "chat"
    help = "talk with a model: /new forgets what was said, /exit leaves"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        add_reply_options(parser, "what to say first")

    def do(self, args: argparse.Namespace) -> None:
        first, sampling = told_apart(args.words)
        talk = Talk(open_model(args), sampling, args.system)
        for word in first:
            talk.answer(word)
        while (said := _next_line()) is not None:
            if said in LEAVE:
                return
            if said == FORGET:
                talk.forget()
            elif said:
                talk.answer(said)


class Talk:
    """What was said so far."""

    def __init__(self, loaded: Loaded, sampling: Sampling, system: str | None) -> None:
        self.loaded, self.sampling = loaded, sampling
        self.system: list[Message] = [{"role": "system", "content": system}] if system else []
        self.turns: list[Message] = []
        self.replies = 0

    def forget(self) -> None:
        """Begin anew."""
        self.turns = []

    def answer(self, said: str) -> None:
        """Print the reply as it comes, and remember it."""
        from sluicegate.models.generate import stream

        self.turns.append({"role": "user", "content": said})
        pieces = []
        for piece in stream(self.loaded, self._prompt(), self.sampling, place=self.replies):
            print(piece, end="", flush=True)
            pieces.append(piece)
        print()
        self.replies += 1
        self.turns.append({"role": "assistant", "content": "".join(pieces)})

    def _prompt(self) -> list[int]:
        """The conversation as tokens; its oldest questions and answers go where the model has no room for a reply."""
        from sluicegate import runtime
        from sluicegate.models.encode import Encoder
        from sluicegate.models.positions import reply_room

        encoder = Encoder(self.loaded.tokenizer)
        while True:
            ids = encoder.encode_prompt([*self.system, *self.turns])
            room = reply_room(self.loaded.model.config, len(ids), self.sampling.max_new_tokens)
            if room == self.sampling.max_new_tokens or len(self.turns) < 2:
                return ids
            runtime.say("  (the model has no room for all of it: the oldest question and answer are left out)")
            del self.turns[:2]


def _next_line() -> str | None:
    """What the user types; None at the end of the input."""
    try:
        return input("> " if sys.stdin.isatty() else "").strip()
    except EOFError:
        return None
