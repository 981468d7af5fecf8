"""Questions to a model, and its replies kept as they come: who is stopped asks none of them twice."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from sluicegate.artifacts import DRAFT
from sluicegate.models.encode import Encoder
from sluicegate.models.generate import Reply, batches_of_replies
from sluicegate.models.load import Loaded
from sluicegate.models.sampling import Sampling
from sluicegate.runtime import say
from sluicegate.schema import Message

KEPT = f"replies.jsonl{DRAFT}"


def ask(
    loaded: Loaded,
    prompts: Sequence[Sequence[Message]],
    sampling: Sampling,
    samples: int,
    batch_size: int,
    folder: Path,
) -> list[list[Reply]]:
    """The replies to each prompt, `samples` of them, in order.

    Args:
        prompts: the turns before each reply.
        folder: where replies are kept until all are there; the next attempt goes on with them.
    """
    encoder = Encoder(loaded.tokenizer)
    encoded = [encoder.encode_prompt(turns) for turns in prompts]
    known = dict(_kept(folder / KEPT))
    if known:
        say(f"  {len(known):,} of {len(prompts) * samples:,} replies stand already")
    missing = {p: encoded[p // samples] for p in range(len(prompts) * samples) if p not in known}
    with (folder / KEPT).open("a", encoding="utf-8") as file:
        for some in batches_of_replies(loaded, missing, sampling, batch_size):
            _keep(some, file)
            known |= some
    return [[known[n * samples + k] for k in range(samples)] for n in range(len(prompts))]


def _kept(path: Path) -> Iterator[tuple[int, Reply]]:
    """Replies by their places; a line that a kill cut short is none, and goes."""
    if not path.is_file():
        return
    *lines, torn = path.read_bytes().split(b"\n")
    os.truncate(path, path.stat().st_size - len(torn))
    for line in lines:
        place, reply = json.loads(line)
        yield place, Reply(**reply)


def _keep(some: Mapping[int, Reply], file: TextIO) -> None:
    lines = (json.dumps([place, asdict(reply)], ensure_ascii=False) for place, reply in some.items())
    file.write("".join(f"{line}\n" for line in lines))
    file.flush()
    os.fsync(file.fileno())
