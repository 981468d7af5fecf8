"""`sluice generate`: what a model says to prompts."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sluicegate.errors import ConfigError, DataError
from sluicegate.verbs.base import Verb
from sluicegate.verbs.replies import add_reply_options, open_model, told_apart

if TYPE_CHECKING:
    from sluicegate.models.encode import Encoder
    from sluicegate.models.load import Loaded
    from sluicegate.models.sampling import Sampling
    from sluicegate.schema import Message


class Generate(Verb):
    """One prompt is answered as the words come; many in batches, a JSON line each."""

    name = "generate"
    help = "what a model says to a prompt, or to each line of a file"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        add_reply_options(parser, "what it is asked, more than one are answered in batches")
        parser.add_argument("--file", type=Path, help="a prompt a line, or a JSON text a line; - reads standard input")
        parser.add_argument("--raw", action="store_true", help="go on from the text as it stands, without a template")
        parser.add_argument("--samples", type=int, default=1, metavar="N", help="replies to each prompt (default: 1)")
        parser.add_argument("--batch-size", type=int, default=96, metavar="N", help="prompts at once (default: 96)")

    def do(self, args: argparse.Namespace) -> None:
        from sluicegate.models.encode import Encoder

        said, sampling = told_apart(args.words)
        prompts = [text for text in (*said, *_lines(args.file)) for _ in range(args.samples)]
        if not prompts:
            raise ConfigError("nothing to ask", 'sluice generate MODEL "a prompt", or --file prompts.txt')
        loaded = open_model(args)
        encoder = Encoder(loaded.tokenizer)
        encoded = [_encoded(encoder, text, args) for text in prompts]
        if len(prompts) == 1 and not args.file:
            _print_one(loaded, encoded[0], sampling)
        else:
            _print_all(loaded, prompts, encoded, sampling, args.batch_size)


def _lines(file: Path | None) -> Iterator[str]:
    """The prompts of a file; none without one."""
    if file is None:
        return
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise DataError(f"{file} cannot be read: {err}", "give a file of text in UTF-8") from err
    yield from (json.loads(line) if _is_json_text(line) else line for line in text.splitlines() if line.strip())


def _is_json_text(line: str) -> bool:
    """Whether the line is a text as JSON writes it, which may hold line breaks."""
    try:
        return isinstance(json.loads(line), str)
    except ValueError:
        return False


def _encoded(encoder: Encoder, text: str, args: argparse.Namespace) -> list[int]:
    if args.raw:
        return encoder.tokenizer(text)["input_ids"]
    return encoder.encode_prompt([*_system(args.system), {"role": "user", "content": text}])


def _system(text: str | None) -> list[Message]:
    return [{"role": "system", "content": text}] if text else []


def _print_one(loaded: Loaded, prompt: list[int], sampling: Sampling) -> None:
    from sluicegate.models.generate import stream

    for piece in stream(loaded, prompt, sampling):
        print(piece, end="", flush=True)
    print()


def _print_all(
    loaded: Loaded, prompts: list[str], encoded: list[list[int]], sampling: Sampling, batch_size: int
) -> None:
    from sluicegate.models.generate import replies

    for prompt, reply in zip(prompts, replies(loaded, encoded, sampling, batch_size), strict=True):
        line = {"prompt": prompt, "reply": reply.text, "tokens": reply.n_tokens, "ended": reply.ended}
        print(json.dumps(line, ensure_ascii=False))
